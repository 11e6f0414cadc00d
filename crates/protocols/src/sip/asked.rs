//! A request waiting for its final answer, and what messages tell beyond their first line.

use quaywatch_model::{At, Endpoint, Operation, OperationClass};

use super::address::{Party, Uri};
use super::description::Description;
use super::message::{Message, Shown, UNKNOWN_METHOD, method, number, write};
use crate::detail_json::DetailJson;
use crate::http::auth::Attempt;

/// Provisional answers kept of one request.
const MAX_PROVISIONAL: usize = 8;

/// A request. Its strings are used again by later ones.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) at: At,
    pub(super) client: Endpoint,
    pub(super) server: Endpoint,
    /// The request itself was captured.
    pub(super) seen: bool,
    pub(super) code: u32,
    class: OperationClass,
    pub(super) name: String,
    uri: String,
    pub(super) user_agent: String,
    /// Who is registered.
    pub(super) account: String,
    pub(super) registers: bool,
    /// It asks to be reached at an address from now on.
    pub(super) binds: bool,
    detail: DetailJson,
    provisional: [u32; MAX_PROVISIONAL],
    provisional_count: usize,
    pub(super) repeated: u32,
    pub(super) attempts: Vec<Attempt>,
}

impl Default for Asked {
    fn default() -> Self {
        Asked {
            at: At::default(),
            client: Endpoint::default(),
            server: Endpoint::default(),
            seen: false,
            code: UNKNOWN_METHOD,
            class: OperationClass::Session,
            name: String::new(),
            uri: String::new(),
            user_agent: String::new(),
            account: String::new(),
            registers: false,
            binds: false,
            detail: DetailJson::default(),
            provisional: [0; MAX_PROVISIONAL],
            provisional_count: 0,
            repeated: 0,
            attempts: Vec::new(),
        }
    }
}

impl Asked {
    /// Forgets what it held and keeps the allocations; `name` is the method.
    fn begin(&mut self, at: At, (client, server): (Endpoint, Endpoint), name: &[u8]) {
        (self.at, self.client, self.server) = (at, client, server);
        (self.code, self.class) = method(name);
        write(&mut self.name, Shown(name));
        for text in [&mut self.uri, &mut self.user_agent, &mut self.account] {
            text.clear();
        }
        (self.seen, self.registers, self.binds) = (false, false, false);
        (self.provisional_count, self.repeated) = (0, 0);
        self.detail.clear();
        self.attempts.clear();
    }

    /// Takes a request; a password in its addresses becomes an attempt to log in.
    pub(super) fn request(
        &mut self,
        at: At,
        ends: (Endpoint, Endpoint),
        (method, uri): (&[u8], &[u8]),
        message: &Message<'_>,
    ) {
        self.begin(at, ends, method);
        self.seen = true;
        let uri = Uri::parse(uri);
        write(&mut self.uri, uri);
        write(&mut self.user_agent, Shown(message.user_agent));
        self.attempts.extend(uri.login());
        self.parties(message);
        let contact = Party::parse(message.contact);
        if let Some(contact) = contact {
            self.detail.text("contact", contact.uri.person());
            self.attempts.extend(contact.uri.login());
        }
        let expires = contact.and_then(|contact| contact.expires).or_else(|| seconds(message));
        if let Some(expires) = expires {
            self.detail.number("expires", i64::try_from(expires).unwrap_or(i64::MAX));
        }
        self.registers = method == b"REGISTER";
        self.binds = self.registers && contact.is_some() && expires != Some(0);
        if self.registers
            && let Some(to) = Party::parse(message.to)
        {
            write(&mut self.account, Shown(to.uri.user));
        }
        if !message.package.is_empty() {
            self.detail.text("package", Shown(message.package));
        }
        // Telephones that are told so fetch their configuration anew and start again.
        if method == b"NOTIFY" && message.package.get(..10).is_some_and(|p| p.eq_ignore_ascii_case(b"check-sync")) {
            self.class = OperationClass::Control;
        }
        if !self.user_agent.is_empty() {
            self.detail.text("user_agent", &self.user_agent);
        }
        self.content(message, ["offered_media", "offered_codecs", "offered_address"]);
    }

    /// Stands for a request that was not captured, as far as its answer tells of it.
    pub(super) fn unseen(&mut self, at: At, ends: (Endpoint, Endpoint), message: &Message<'_>) {
        self.begin(at, ends, message.sequence.map_or(b"", |(_, method)| method));
        self.parties(message);
    }

    fn parties(&mut self, message: &Message<'_>) {
        for (value, key, name) in [(message.from, "from", "from_name"), (message.to, "to", "to_name")] {
            let Some(party) = Party::parse(value) else { continue };
            self.detail.text(key, party.uri.person());
            if !party.name.is_empty() {
                self.detail.text(name, Shown(party.name));
            }
        }
        self.detail.text("call_id", Shown(message.call_id));
        if let Some((count, _)) = message.sequence {
            self.detail.number("cseq", count);
        }
    }

    /// Counts a provisional answer (RFC 3261 section 21.1).
    pub(super) fn provisional(&mut self, status: u32) {
        let known = self.provisional.get(..self.provisional_count).unwrap_or_default().contains(&status);
        if let (false, Some(slot)) = (known, self.provisional.get_mut(self.provisional_count)) {
            *slot = status;
            self.provisional_count = self.provisional_count.saturating_add(1);
        }
    }

    /// Takes the final answer.
    pub(super) fn answered(&mut self, message: &Message<'_>) {
        // What a registrar holds the address for, which may be less than was asked.
        let granted = Party::parse(message.contact).and_then(|contact| contact.expires).or_else(|| seconds(message));
        if let Some(granted) = granted {
            self.detail.number("granted", i64::try_from(granted).unwrap_or(i64::MAX));
        }
        for (key, software) in [("server", message.server), ("answering_user_agent", message.user_agent)] {
            if !software.is_empty() {
                self.detail.text(key, Shown(software));
            }
        }
        self.content(message, ["media", "codecs", "address"]);
    }

    fn content(&mut self, message: &Message<'_>, [media, codecs, address]: [&str; 3]) {
        if let Some(description) = Description::find(message.content_type, message.body) {
            self.detail.texts(media, description.media());
            self.detail.texts(codecs, description.codecs());
            if let Some(place) = description.address() {
                self.detail.text(address, place);
            }
        } else if !message.content_type.is_empty() {
            let key = if media == "media" { "content_type" } else { "sent_content_type" };
            self.detail.text(key, Shown(message.content_type));
        }
    }

    /// Writes what belongs to the whole exchange; before the row is made.
    pub(super) fn conclude(&mut self) {
        let provisional = self.provisional.get(..self.provisional_count).unwrap_or_default();
        if !provisional.is_empty() {
            self.detail.numbers("provisional", provisional.iter().copied());
        }
        if self.repeated > 0 {
            self.detail.number("repeated", self.repeated);
        }
    }

    /// The row without its answer; `line` holds its detail.
    pub(super) fn row<'r>(&'r self, line: &'r mut String) -> Operation<'r> {
        Operation {
            protocol: "sip",
            client: self.client,
            server: self.server,
            unit: None,
            code: self.code,
            name: &self.name,
            class: self.class,
            object: &self.uri,
            quantity: None,
            status: None,
            status_name: "",
            latency: None,
            request_frame: self.seen.then_some(self.at.frame),
            reply_frame: None,
            detail: self.detail.object(line),
        }
    }
}

fn seconds(message: &Message<'_>) -> Option<usize> {
    if message.expires.is_empty() { None } else { number(message.expires) }
}
