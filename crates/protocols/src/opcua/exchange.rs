//! A request while it waits for its response, and the operation that becomes of the two.

use std::fmt::{Display, Write as _};

use quaywatch_model::{At, Endpoint, Observation, Operation, OperationClass, Sink};

use crate::detail::Detail;

use super::PROTOCOL;
use super::names::Service;
use super::session::Login;
use super::status::Status;

/// Nodes named in the object of one operation; the quantity counts them all.
pub const OBJECT_NODES: usize = 16;
/// Longest object, in bytes; names beyond it are left out.
const OBJECT_LIMIT: usize = 1024;
/// Nodes of one Read whose values are looked at for the server's identity.
const WATCHED_LIMIT: usize = 32;

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
    /// Type id of the request.
    pub code: u32,
    /// Name of the service.
    pub name: &'static str,
    /// What it does.
    pub class: OperationClass,
    /// What it is done to.
    pub object: String,
    /// How many of it.
    pub quantity: Option<u64>,
    /// Further facts.
    pub detail: Detail,
    /// Nodes of the server's own description whose values a Read asked for, with their place in it.
    pub watched: Vec<(usize, u32)>,
    /// A user's login.
    pub login: Option<Login>,
    /// Status of the first item, if every item failed though the service itself went well.
    pub failed: Option<Status>,
    named: usize,
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
            class: OperationClass::Session,
            object: String::new(),
            quantity: None,
            detail,
            watched: Vec::new(),
            login: None,
            failed: None,
            named: 0,
        }
    }
}

impl Exchange {
    /// Makes it new, and keeps its allocations.
    pub fn begin(&mut self, at: At, client: Endpoint, server: Endpoint, asked: bool) {
        (self.at, self.client, self.server, self.asked) = (at, client, server, asked);
        self.object.clear();
        self.quantity = None;
        self.detail.begin();
        self.watched.clear();
        self.login = None;
        self.failed = None;
        self.named = 0;
    }

    /// Says what is asked for.
    pub const fn of(&mut self, code: u32, name: &'static str, class: OperationClass) {
        (self.code, self.name, self.class) = (code, name, class);
    }

    /// Says which service is asked for.
    pub const fn service(&mut self, service: &Service) {
        self.of(service.request, service.name, service.class);
    }

    /// Names one more thing that it is done to.
    pub fn on(&mut self, what: impl Display) {
        self.named = self.named.saturating_add(1);
        if self.named > OBJECT_NODES || self.object.len() > OBJECT_LIMIT {
            return;
        }
        if !self.object.is_empty() {
            self.object.push_str(", ");
        }
        // Writing to a string cannot fail.
        let _ = write!(self.object, "{what}");
        if self.object.len() > OBJECT_LIMIT {
            let cut = (0..=OBJECT_LIMIT).rev().find(|at| self.object.is_char_boundary(*at)).unwrap_or(0);
            self.object.truncate(cut);
        }
    }

    /// Says how many things it is done to.
    pub fn counted(&mut self, count: usize) {
        self.quantity = u64::try_from(count).ok();
    }

    /// Notes that the value at this place of a Read describes the server.
    pub fn watch(&mut self, place: usize, node: u32) {
        if self.watched.len() < WATCHED_LIMIT {
            self.watched.push((place, node));
        }
    }

    /// Emits the operation, with its response if there was one, or why its status could not be read.
    pub fn emit(&mut self, reply: Option<(At, Result<Status, &'static str>)>, out: &mut dyn Sink) {
        let status = reply.and_then(|(_, status)| status.ok());
        let status_name = match reply {
            Some((_, Ok(status))) => status.name(),
            Some((_, Err(why))) => why,
            None => "",
        };
        let told = reply.map(|(at, _)| at);
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
                status: status.map(|status| status.0),
                status_name,
                latency: told.filter(|_| self.asked).map(|at| at.ts.since(self.at.ts)),
                request_frame: self.asked.then_some(self.at.frame),
                reply_frame: told.map(|at| at.frame),
                detail: self.detail.finish(),
            }),
        );
    }
}
