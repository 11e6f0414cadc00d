//! Turns requests and responses into rows.

use std::fmt::Write as _;

use quaywatch_model::{
    At, Attribute, Clock, Endpoint, Observation, Operation, OperationClass, Outcome, Session, Sink, Timestamp, Transfer,
};

use super::PROTOCOL;
use super::files::{self, Command, Files};
use super::names;
use super::object::{self, Header, headers};
use crate::bytes::{Cursor, device_text};
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::login::{Ends, Secret};

/// Object headers of one message that are printed.
const HEADERS_TOLD: usize = 48;
/// Controls of one message that are printed.
const CONTROLS_TOLD: usize = 32;
/// Status of an operation with a control that failed: this and the control's status.
pub const CONTROL_STATUS: u32 = 0x100;
/// Status of a file operation that failed: this and the file's status.
pub const FILE_STATUS: u32 = 0x200;
/// Indications of the second octet that say a request was not done: function, object, parameter.
const REFUSALS: u16 = 0x0007;

/// A message of the application layer, kept while it waits.
#[derive(Clone, Debug)]
pub struct Message {
    /// Where it is.
    pub at: At,
    /// The end that sent it.
    pub sender: Endpoint,
    /// The end it was sent to.
    pub receiver: Endpoint,
    /// Link address it is from.
    pub source: u16,
    /// Link address it is for.
    pub destination: u16,
    /// Application control octet.
    pub control: u8,
    /// Function code.
    pub function: u8,
    /// Internal indications: first octet in the high half; of responses only.
    pub indications: u16,
    /// Object headers and objects.
    pub body: Vec<u8>,
}

impl Message {
    /// Sequence number.
    #[must_use]
    pub const fn sequence(&self) -> u8 {
        self.control & 0x0f
    }

    /// Whether it is a response.
    #[must_use]
    pub const fn is_response(&self) -> bool {
        self.function >= 0x80
    }

    fn headers(&self) -> impl Iterator<Item = Header<'_>> {
        headers(self.function, &self.body).flatten()
    }
}

/// Emits rows from strings that are used again.
#[derive(Default, Debug)]
pub struct Teller {
    object: String,
    name: String,
    line: String,
    detail: DetailJson,
    claims: Claims,
    files: Files,
    /// The one outstation that claims are made of: an address may stand for many behind a gateway.
    outstation: Option<u16>,
}

impl Teller {
    /// Tells a request with its response, or one of them alone.
    pub fn exchange(&mut self, asked: Option<&Message>, replied: Option<&Message>, out: &mut dyn Sink) {
        let Some(first) = asked.or(replied) else { return };
        let (client, server, master, outstation) = if first.is_response() {
            (first.receiver, first.sender, first.destination, first.source)
        } else {
            (first.sender, first.receiver, first.source, first.destination)
        };
        let at = replied.unwrap_or(first).at;
        self.object.clear();
        self.detail.clear();
        self.detail.number("master", master);
        self.detail.number("sequence", first.sequence());
        let mut quantity = self.print_objects(first);
        if let Some(asked) = asked {
            self.request_detail(asked);
        }
        let mut status = (None, "");
        if let Some(replied) = replied {
            self.response_detail(replied, asked.is_some());
            status = outcome(replied);
            if asked.is_none() && quantity == 0 {
                quantity = count(replied);
            }
        }
        let function = names::function(first.function);
        if function.is_none() {
            self.name.clear();
            let _ = write!(self.name, "Unknown Function {}", first.function);
        }
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client,
                server,
                unit: Some(u32::from(outstation)),
                code: u32::from(first.function),
                name: function.map_or(self.name.as_str(), |function| function.name),
                class: class(first, function.map(|function| function.class)),
                object: &self.object,
                quantity: Some(u64::from(quantity)),
                status: status.0,
                status_name: status.1,
                latency: asked.zip(replied).map(|(asked, replied)| Timestamp::since(replied.at.ts, asked.at.ts)),
                request_frame: asked.map(|asked| asked.at.frame),
                reply_frame: replied.map(|replied| replied.at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
        if let Some(replied) = replied {
            self.identities(replied, server, outstation, out);
        }
        self.time(asked, out);
        self.sign_in(asked, replied, out);
        self.move_files(asked, replied, out);
    }

    /// Tells a function of the link layer with its answer.
    pub fn link(&mut self, link: &LinkAsk, answered: Option<(At, u8)>, out: &mut dyn Sink) {
        self.detail.clear();
        self.detail.number("master", link.source);
        let function = names::primary(link.function);
        out.emit(
            answered.map_or(link.at, |(at, _)| at),
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: link.sender,
                server: link.receiver,
                unit: Some(u32::from(link.destination)),
                code: LINK_CODE | u32::from(link.function),
                name: function.map_or("Unknown Link Function", |function| function.name),
                class: function.map_or(OperationClass::Diagnose, |function| function.class),
                object: "",
                quantity: None,
                status: answered.map(|(_, code)| u32::from(code)),
                status_name: answered.map_or("", |(_, code)| names::secondary(code).unwrap_or("unknown")),
                latency: answered.map(|(at, _)| Timestamp::since(at.ts, link.at.ts)),
                request_frame: Some(link.at.frame),
                reply_frame: answered.map(|(at, _)| at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }

    /// Tells what has not ended.
    pub fn close(&mut self, out: &mut dyn Sink) {
        self.files.close(out);
    }

    /// Fills the object with the headers of a message; gives how many objects they name.
    fn print_objects(&mut self, message: &Message) -> u32 {
        for (place, header) in message.headers().take(HEADERS_TOLD).enumerate() {
            let separator = if place == 0 { "" } else { "; " };
            let _ = write!(self.object, "{separator}{header}");
        }
        count(message)
    }

    fn request_detail(&mut self, asked: &Message) {
        let mut controls = Vec::new();
        for header in asked.headers() {
            match header.kind() {
                (12 | 41, _) => {
                    let each = header.points().filter_map(|(index, bytes)| object::control(&header, index, bytes));
                    controls.extend(each.map(|(text, _)| text).take(CONTROLS_TOLD));
                }
                (50, 1 | 3) => {
                    if let Some(time) = header.points().next().and_then(|(_, bytes)| milliseconds(bytes)) {
                        self.detail.number("time_ms", time);
                    }
                }
                (70, variation) => {
                    if let Some((_, bytes)) = header.points().next() {
                        self.file_request(variation, bytes);
                    }
                }
                _ => {}
            }
        }
        controls.truncate(CONTROLS_TOLD);
        if !controls.is_empty() {
            self.detail.texts("controls", controls);
        }
    }

    fn file_request(&mut self, variation: u8, bytes: &[u8]) {
        match variation {
            3 => {
                if let Some(command) = Command::read(bytes) {
                    self.detail.text("file", &command.name);
                    let mode = match command.mode {
                        0 => "none",
                        1 => "read",
                        2 => "write",
                        3 => "append",
                        _ => "unknown",
                    };
                    self.detail.text("mode", mode);
                }
            }
            4 => {
                if let Some((handle, ..)) = files::status(bytes) {
                    self.detail.number("handle", handle);
                }
            }
            5 => {
                if let Some((handle, number, last, data)) = files::block(bytes) {
                    self.detail.number("handle", handle);
                    self.detail.number("block", number);
                    self.detail.number("bytes", i64::try_from(data.len()).unwrap_or(i64::MAX));
                    self.detail.flag("last_block", last);
                }
            }
            7 => {
                let mut cursor = Cursor::new(bytes);
                if let (Some(offset), Some(length)) = (cursor.le16(), cursor.le16())
                    && let Some(name) = files::text(bytes, offset, length)
                {
                    self.detail.text("file", name);
                }
            }
            8 => {
                if let Some(name) = device_text(bytes) {
                    self.detail.text("file", name);
                }
            }
            _ => {}
        }
    }

    fn response_detail(&mut self, replied: &Message, paired: bool) {
        if paired {
            let headers: Vec<String> = replied.headers().take(HEADERS_TOLD).map(|header| header.to_string()).collect();
            if !headers.is_empty() {
                self.detail.texts("reply_objects", headers);
            }
        }
        if replied.function != 129 {
            self.detail.number("reply_function", replied.function);
        }
        if replied.control & 0x20 != 0 {
            self.detail.flag("confirmation_asked", true);
        }
        self.detail.text("iin", format_args!("0x{:04x}", replied.indications));
        // The first octet stands in the high half.
        let set = replied.indications.rotate_left(8);
        if set != 0 {
            let named = names::INDICATIONS.iter().enumerate().filter(|(bit, _)| set >> bit & 1 == 1);
            self.detail.texts("indications", named.map(|(_, name)| *name));
        }
        let mut results = Vec::new();
        for header in replied.headers() {
            match header.kind() {
                (12 | 41, _) => {
                    let each = header.points().filter_map(|(index, bytes)| object::control(&header, index, bytes));
                    results.extend(each.map(|(text, status)| Result::of(&text, status)).take(CONTROLS_TOLD));
                }
                (70, 4) => {
                    if let Some((handle, size, status)) = header.points().next().and_then(|(_, b)| files::status(b)) {
                        self.detail.number("file_handle", handle);
                        self.detail.number("file_size", size);
                        self.detail.text("file_status", names::file_status(status));
                    }
                }
                (70, 5) => {
                    if let Some((_, number, last, data)) = header.points().next().and_then(|(_, b)| files::block(b)) {
                        self.detail.number("reply_block", number);
                        self.detail.number("bytes", i64::try_from(data.len()).unwrap_or(i64::MAX));
                        self.detail.flag("last_block", last);
                    }
                }
                (120, 7) => {
                    if let Some(code) = header.points().next().and_then(|(_, bytes)| bytes.get(8).copied()) {
                        self.detail.text("authentication_error", names::authentication_error(code));
                    }
                }
                _ => {}
            }
        }
        results.truncate(CONTROLS_TOLD);
        if !results.is_empty() {
            self.detail.texts("results", results.iter().map(|result| &result.text));
        }
    }

    /// Device attributes (group 0) of the outstation.
    fn identities(&mut self, replied: &Message, server: Endpoint, outstation: u16, out: &mut dyn Sink) {
        for header in replied.headers().filter(|header| header.group == 0) {
            if *self.outstation.get_or_insert(outstation) != outstation {
                return;
            }
            let Some(attribute) = attribute(header.variation) else { continue };
            // Type 1 is visible text; then the length.
            let Some((_, [1, _, text @ ..])) = header.points().next() else { continue };
            if let Some(text) = device_text(text) {
                self.claims.identify(out, replied.at, server.address, (attribute, &text, "dnp3 device attribute"));
            }
        }
    }

    /// The time that a master writes is its own clock, in UTC (clause 10).
    fn time(&mut self, asked: Option<&Message>, out: &mut dyn Sink) {
        let Some(asked) = asked.filter(|asked| asked.function == 2) else { return };
        for header in asked.headers().filter(|header| matches!(header.kind(), (50, 1 | 3))) {
            let Some(time) = header.points().next().and_then(|(_, bytes)| milliseconds(bytes)) else { continue };
            let device_time = Timestamp(time.saturating_mul(1_000_000));
            let skew = Timestamp::since(device_time, asked.at.ts);
            let (subject, method) = (asked.sender.address, "dnp3 time written");
            out.emit(asked.at, Observation::Clock(Clock { subject, method, device_time, skew }));
        }
    }

    fn sign_in(&mut self, asked: Option<&Message>, replied: Option<&Message>, out: &mut dyn Sink) {
        if let Some(asked) = asked {
            for header in asked.headers() {
                match header.kind() {
                    (70, 2) => self.file_login(asked, replied, &header, out),
                    (120, 2 | 3 | 4 | 6 | 10) => self.secured(asked, None, out),
                    _ => {}
                }
            }
        }
        let failed =
            replied.and_then(|replied| replied.headers().find(|header| header.kind() == (120, 7)).map(|_| replied));
        if let (Some(asked), Some(replied)) = (asked, failed) {
            self.secured(asked, Some(replied), out);
        }
    }

    /// Secure authentication (clause 7): who it is stays a number.
    fn secured(&mut self, asked: &Message, failed: Option<&Message>, out: &mut dyn Sink) {
        self.claims.session(
            out,
            failed.unwrap_or(asked).at,
            Session {
                client: asked.sender,
                server: asked.receiver,
                protocol: PROTOCOL,
                version: "",
                user: "",
                method: "secure authentication",
                outcome: if failed.is_some() { Outcome::Failure } else { Outcome::Unknown },
                client_software: "",
                server_software: "",
                encrypted: false,
                detail: "",
            },
        );
    }

    /// Group 70 variation 2 brings user and password in clear; the reply has a key, 0 if refused.
    fn file_login(&mut self, asked: &Message, replied: Option<&Message>, header: &Header<'_>, out: &mut dyn Sink) {
        let Some((_, bytes)) = header.points().next() else { return };
        let mut cursor = Cursor::new(bytes);
        let mut next = || cursor.le16();
        let (Some(user_at), Some(user_length), Some(secret_at), Some(secret_length)) = (next(), next(), next(), next())
        else {
            return;
        };
        let user = files::text(bytes, user_at, user_length).unwrap_or_default();
        let start = usize::from(secret_at);
        let secret = bytes.get(start..start + usize::from(secret_length)).unwrap_or_default();
        let secret = Secret::examine(&user, secret);
        let key = replied
            .and_then(|replied| replied.headers().find(|header| header.kind() == (70, 2)))
            .and_then(|header| header.points().next().map(|(_, bytes)| bytes))
            .and_then(|bytes| bytes.get(8..12));
        let outcome = match key {
            None => Outcome::Unknown,
            Some([0, 0, 0, 0]) => Outcome::Failure,
            Some(_) => Outcome::Success,
        };
        let at = replied.unwrap_or(asked).at;
        let (client, server) = (asked.sender, asked.receiver);
        self.claims.session(
            out,
            at,
            Session {
                client,
                server,
                protocol: PROTOCOL,
                version: "",
                user: &user,
                method: "file authentication",
                outcome,
                client_software: "",
                server_software: "",
                encrypted: false,
                detail: "",
            },
        );
        secret.report(&mut self.claims, out, at, Ends { client, server, protocol: PROTOCOL }, &user, outcome);
    }

    fn move_files(&mut self, asked: Option<&Message>, replied: Option<&Message>, out: &mut dyn Sink) {
        let object = |message: &Message, variation: u8| -> Option<Vec<u8>> {
            let header = message.headers().find(|header| header.kind() == (70, variation))?;
            header.points().next().map(|(_, bytes)| bytes.to_vec())
        };
        let (Some(asked), Some(replied)) = (asked, replied) else { return };
        let ends = (asked.sender, asked.receiver);
        match asked.function {
            25 => {
                let status = object(replied, 4).and_then(|bytes| files::status(&bytes));
                let command = object(asked, 3).and_then(|bytes| Command::read(&bytes));
                if let (Some((handle, _, 0)), Some(command)) = (status, command) {
                    self.files.open(replied.at, handle, command, out);
                }
            }
            1 => {
                if let Some(block) = object(replied, 5) {
                    self.files.block(replied.at, ends, Transfer::Upload, &block, out);
                }
            }
            2 => {
                if let Some(block) = object(asked, 5) {
                    self.files.block(replied.at, ends, Transfer::Download, &block, out);
                }
            }
            26 | 30 => {
                if let Some((handle, ..)) = object(asked, 4).and_then(|bytes| files::status(&bytes)) {
                    self.files.close_one(handle, out);
                }
            }
            _ => {}
        }
    }
}

/// Codes of link functions: this and the function.
pub const LINK_CODE: u32 = 0x100;

/// A link function while it waits for its answer.
#[derive(Clone, Copy, Debug)]
pub struct LinkAsk {
    /// Where it is.
    pub at: At,
    /// The end that asks.
    pub sender: Endpoint,
    /// The end asked.
    pub receiver: Endpoint,
    /// Link address it is from.
    pub source: u16,
    /// Link address it is for.
    pub destination: u16,
    /// Function code.
    pub function: u8,
}

/// How a control ended, in words.
struct Result {
    text: String,
}

impl Result {
    fn of(control: &str, status: u8) -> Self {
        let index = control.split(':').next().unwrap_or("");
        Result { text: format!("{index}: {}", names::control_status(status)) }
    }
}

fn count(message: &Message) -> u32 {
    message.headers().map(|header| header.count()).fold(0, u32::saturating_add)
}

/// What a message does: by its function, and for reads and writes by their objects.
fn class(message: &Message, usual: Option<OperationClass>) -> OperationClass {
    let mut groups = message.headers().map(|header| header.group);
    match message.function {
        1 if groups.any(|group| group == 70) => OperationClass::Program,
        1 if message.headers().any(|header| header.group == 0) => OperationClass::Identify,
        2 => match groups.next() {
            Some(70) => OperationClass::Program,
            // Clock, deadbands, indications such as the restart bit.
            Some(0 | 34 | 50 | 51 | 80) => OperationClass::Configure,
            _ => OperationClass::Write,
        },
        // Setpoints are values; relays are commands.
        3..=6 if groups.next() == Some(41) => OperationClass::Write,
        _ => usual.unwrap_or(OperationClass::Diagnose),
    }
}

/// Status of an operation: the first control or file that failed, else the indications that refuse a request.
fn outcome(replied: &Message) -> (Option<u32>, &'static str) {
    for header in replied.headers() {
        match header.kind() {
            (12 | 41, _) => {
                let mut statuses = header.points().filter_map(|(index, bytes)| object::control(&header, index, bytes));
                if let Some((_, status)) = statuses.find(|(_, status)| *status != 0) {
                    return (Some(CONTROL_STATUS | u32::from(status)), names::control_status(status));
                }
            }
            (70, 4) => {
                let status = header.points().next().and_then(|(_, bytes)| files::status(bytes));
                if let Some((_, _, status)) = status.filter(|(_, _, status)| *status != 0) {
                    return (Some(FILE_STATUS | u32::from(status)), names::file_status(status));
                }
            }
            _ => {}
        }
    }
    let refused = replied.indications & REFUSALS;
    let name = names::INDICATIONS.iter().skip(8).zip(0..).find(|(_, bit)| refused >> bit & 1 == 1);
    (Some(u32::from(refused)), name.map_or("ok", |(name, _)| name))
}

/// A device attribute that says who the outstation is (annex A.1).
const fn attribute(variation: u8) -> Option<Attribute> {
    Some(match variation {
        242 => Attribute::Firmware,
        243 => Attribute::Hardware,
        245 => Attribute::Location,
        247 => Attribute::HostName,
        248 => Attribute::Serial,
        250 => Attribute::Model,
        252 => Attribute::Vendor,
        _ => return None,
    })
}

/// Milliseconds since 1970 in six octets, little-endian (clause 11.3.4).
fn milliseconds(bytes: &[u8]) -> Option<i64> {
    let mut cursor = Cursor::new(bytes);
    let (low, high) = (cursor.le32()?, cursor.le16()?);
    Some(i64::from(high) << 32 | i64::from(low))
}
