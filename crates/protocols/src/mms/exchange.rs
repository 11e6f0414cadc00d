//! A request while it waits for its response, and the operation that becomes of the two.

use std::fmt::{self, Display, Write as _};

use quaywatch_model::{At, Attribute, Endpoint, Observation, Operation, OperationClass, Sink};

use crate::detail::Detail;

use super::PROTOCOL;
use super::ber::Element;

/// Things named in the object of one operation; the quantity counts them all.
pub const OBJECT_NAMES: usize = 8;
/// Longest object, in bytes; names beyond it are left out.
const OBJECT_LIMIT: usize = 1024;
/// Names that one list in the detail holds.
pub const LISTED: usize = 256;
/// Variables of one read whose values are looked at for a name plate.
const PLATE_LIMIT: usize = 32;

/// What a request does to a file or domain under transfer.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub enum Step {
    /// Nothing.
    #[default]
    None,
    /// fileOpen of this name.
    OpenFile(String),
    /// fileRead of this number.
    ReadFile(u32),
    /// fileClose of this number.
    CloseFile(u32),
    /// initiateUploadSequence of this domain.
    BeginUpload(String),
    /// uploadSegment of this number.
    Upload(u32),
    /// terminateUploadSequence of this number.
    EndUpload(u32),
    /// initiateDownloadSequence of this domain.
    BeginDownload(String),
    /// downloadSegment of this domain; the device asks for it.
    Download(String),
    /// terminateDownloadSequence of this domain.
    EndDownload(String),
}

/// A request with what its response adds.
#[derive(Debug)]
pub struct Exchange {
    /// Place of the request, or of the response where that is all that was seen.
    pub at: At,
    /// The end that asks.
    pub client: Endpoint,
    /// The end that answers.
    pub server: Endpoint,
    /// Whether the request was seen.
    pub asked: bool,
    /// Number of the service, or of another PDU.
    pub code: u32,
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub class: OperationClass,
    /// What it is done to.
    pub object: String,
    /// How many of it.
    pub quantity: Option<u64>,
    /// Further facts.
    pub detail: Detail,
    /// Variables of a name plate that are read, with their place in the request.
    pub plate: Vec<(usize, Attribute, &'static str)>,
    /// What it does to a transfer.
    pub step: Step,
    named: usize,
    list: String,
}

impl Default for Exchange {
    fn default() -> Self {
        let mut detail = Detail::default();
        detail.begin();
        Exchange {
            at: At::default(),
            client: Endpoint::default(),
            server: Endpoint::default(),
            asked: false,
            code: 0,
            name: "",
            class: OperationClass::Read,
            object: String::new(),
            quantity: None,
            detail,
            plate: Vec::new(),
            step: Step::None,
            named: 0,
            list: String::new(),
        }
    }
}

impl Exchange {
    /// Makes it new, and keeps its allocations.
    pub fn begin(&mut self, at: At, client: Endpoint, server: Endpoint, asked: bool) {
        (self.at, self.client, self.server, self.asked) = (at, client, server, asked);
        self.object.clear();
        self.list.clear();
        self.quantity = None;
        self.detail.begin();
        self.plate.clear();
        self.step = Step::None;
        self.named = 0;
    }

    /// Says what is asked for.
    pub const fn of(&mut self, code: u32, (name, class): (&'static str, OperationClass)) {
        (self.code, self.name, self.class) = (code, name, class);
    }

    /// Names one more thing that it is done to. All of them go into `list` as well, for a detail.
    pub fn on(&mut self, name: impl Display) {
        self.named = self.named.saturating_add(1);
        add(&mut self.list, self.named, &name);
        let before = self.object.len();
        if self.named > OBJECT_NAMES || before > OBJECT_LIMIT {
            return;
        }
        let comma = if before > 0 { ", " } else { "" };
        let _ = write!(self.object, "{comma}{name}");
        if self.object.len() > OBJECT_LIMIT && before > 0 {
            self.object.truncate(before);
        }
    }

    /// Says how many things were named, and lists them if the object holds but some.
    pub fn named(&mut self) {
        self.quantity = u64::try_from(self.named).ok();
        if self.named > 1 {
            self.list.push(']');
            self.detail.object("variables", &self.list);
        }
        self.settle();
    }

    /// Ends the naming of things that are neither counted nor listed.
    pub fn settle(&mut self) {
        self.list.clear();
        self.named = 0;
    }

    /// Adds one name to a list that becomes a detail when [`Exchange::listed`] is called.
    pub fn list(&mut self, name: impl Display) {
        self.named = self.named.saturating_add(1);
        add(&mut self.list, self.named, name);
    }

    /// Ends the list begun with [`Exchange::list`]; returns how many it had.
    pub fn listed(&mut self, key: &str) -> usize {
        let count = std::mem::take(&mut self.named);
        if count > 0 {
            self.list.push(']');
            self.detail.object(key, &self.list);
        }
        self.list.clear();
        count
    }

    /// Notes that the variable at this place of a read stands on a name plate.
    pub fn watch(&mut self, place: usize, plate: (Attribute, &'static str)) {
        if self.plate.len() < PLATE_LIMIT {
            self.plate.push((place, plate.0, plate.1));
        }
    }

    /// Emits the operation, with its response if there was one.
    pub fn emit(&mut self, reply: Option<(At, u32, &str)>, out: &mut dyn Sink) {
        let told = reply.map(|(at, _, _)| at);
        out.emit(
            told.unwrap_or(self.at),
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: self.client,
                server: self.server,
                unit: None,
                code: self.code,
                name: self.name,
                class: self.class,
                object: &self.object,
                quantity: self.quantity,
                status: reply.map(|(_, status, _)| status),
                status_name: reply.map_or("", |(_, _, name)| name),
                latency: told.filter(|_| self.asked).map(|at| at.ts.since(self.at.ts)),
                request_frame: self.asked.then_some(self.at.frame),
                reply_frame: told.map(|at| at.frame),
                detail: self.detail.finish(),
            }),
        );
    }
}

/// Adds a text, which needs no escaping, to a JSON list under construction.
fn add(list: &mut String, count: usize, name: impl Display) {
    if count <= LISTED {
        let opening = if count == 1 { '[' } else { ',' };
        // Writing to a string cannot fail.
        let _ = write!(list, "{opening}\"{name}\"");
    }
}

/// An ObjectName; prints as `domain/item`, `item` of the device, `@item` of the association.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ObjectName<'a> {
    /// Of the device as a whole.
    Device(Element<'a>),
    /// Of a domain.
    Domain(Element<'a>, Element<'a>),
    /// Of the association.
    Association(Element<'a>),
}

impl<'a> ObjectName<'a> {
    /// Reads it.
    #[must_use]
    pub fn read(element: Element<'a>) -> Option<Self> {
        match element.first {
            0x80 => Some(ObjectName::Device(element)),
            0x82 => Some(ObjectName::Association(element)),
            0xa1 => {
                let mut parts = element.children();
                let (domain, item) = (parts.next()?, parts.next()?);
                (domain.first == 0x1a && item.first == 0x1a).then_some(ObjectName::Domain(domain, item))
            }
            _ => None,
        }
    }

    /// The item, without its domain.
    #[must_use]
    pub fn item(&self) -> &'a str {
        let (ObjectName::Device(item) | ObjectName::Domain(_, item) | ObjectName::Association(item)) = self;
        item.text()
    }
}

impl Display for ObjectName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ObjectName::Device(item) => write!(f, "{}", item.plain()),
            ObjectName::Association(item) => write!(f, "@{}", item.plain()),
            ObjectName::Domain(domain, item) => write!(f, "{}/{}", domain.plain(), item.plain()),
        }
    }
}
