//! What is said over one RPC association, on TCP or through a named pipe of SMB: binds, logins, calls with their results.

use quaywatch_model::{
    Address, At, Endpoint, Mark, Observation, Operation, OperationClass, Outcome, Service, Sink, Transport,
};

use super::names;
use super::packet::{self, Context, HEADER, Header, Uuid};
use crate::bytes::Cursor;
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::gss::{self, Around, Login};
use crate::login::Ends;
use crate::pairing::Pairing;

/// Calls that wait for replies at the same time.
pub const WAITING_LIMIT: usize = 32;
/// Interfaces bound at the same time.
pub const CONTEXT_LIMIT: usize = 32;

/// Where a packet was seen, and between whom.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Place of the packet.
    pub at: At,
    /// The end that calls.
    pub client: Endpoint,
    /// The end called.
    pub server: Endpoint,
    /// Whether the server sent it.
    pub from_server: bool,
    /// Whether SMB carries it: the login is then SMB's.
    pub piped: bool,
}

#[derive(Debug)]
struct Ask {
    at: At,
    kind: u8,
    call: Option<(Uuid, u16)>,
    contexts: Vec<Context>,
    detail: DetailJson,
}

/// One association.
#[derive(Debug)]
pub struct Conversation {
    waiting: Pairing<u32, Ask>,
    bound: Vec<Context>,
    claims: Claims,
    login: Option<Login>,
    detail: DetailJson,
    line: String,
    object: String,
    repeated: Vec<(Uuid, u16, u64)>,
    ends: Option<(Endpoint, Endpoint)>,
}

impl Default for Conversation {
    fn default() -> Self {
        Conversation {
            waiting: Pairing::new(WAITING_LIMIT),
            bound: Vec::new(),
            claims: Claims::default(),
            login: None,
            detail: DetailJson::default(),
            line: String::new(),
            object: String::new(),
            repeated: Vec::new(),
            ends: None,
        }
    }
}

impl Conversation {
    /// Takes one whole packet. Says whether it was one.
    pub fn packet(&mut self, place: &Place, packet: &[u8], out: &mut dyn Sink) -> bool {
        let Some(header) = Header::read(packet) else { return false };
        self.ends = Some((place.client, place.server));
        let body = packet.get(HEADER..).unwrap_or_default();
        match header.kind {
            11 | 14 => self.bind(place, &header, packet, out),
            12 | 13 | 15 => self.bound(place, &header, packet, out),
            16 => self.auth3(place, &header, packet, out),
            0 => self.request(place, &header, body, out),
            2 | 3 => self.reply(place, &header, body, out),
            _ => {}
        }
        true
    }

    fn bind(&mut self, place: &Place, header: &Header, packet: &[u8], out: &mut dyn Sink) {
        let Some(contexts) = packet.get(HEADER..).and_then(packet::contexts) else {
            return out.mark(Mark::Malformed("bind is cut short"));
        };
        let mut detail = DetailJson::default();
        self.token(place, header, packet, &mut detail, out);
        for context in &contexts {
            if self.bound.len() < CONTEXT_LIMIT && !self.bound.iter().any(|known| known.id == context.id) {
                self.bound.push(*context);
            }
        }
        let ask = Ask { at: place.at, kind: header.kind, call: None, contexts, detail };
        self.ask(place, header.call, ask, out);
    }

    fn bound(&mut self, place: &Place, header: &Header, packet: &[u8], out: &mut dyn Sink) {
        let ask = self.waiting.answer_where(&header.call, |ask| matches!(ask.kind, 11 | 14));
        let mut detail = ask.as_ref().map(|ask| ask.detail.clone()).unwrap_or_default();
        self.token(place, header, packet, &mut detail, out);
        let results = packet.get(HEADER..).and_then(packet::results).filter(|_| header.kind != 13);
        if let Some((accepted, _)) = results {
            detail.number("accepted", accepted);
        }
        let status = u32::from(header.kind == 13 || results.is_some_and(|(accepted, of)| accepted == 0 && of > 0));
        if status == 0 && !place.piped {
            self.service(place, out);
        }
        if header.kind == 15 || header.kind == 12 {
            self.settle(place, Outcome::Success, out);
        }
        self.tell_bind(place, ask.as_ref(), header.kind, Some(status), &detail, out);
    }

    fn service(&mut self, place: &Place, out: &mut dyn Sink) {
        let Place { at, server, .. } = *place;
        let version = "5.0";
        let row = Service { server, transport: Transport::Tcp, protocol: super::PROTOCOL, software: "", version };
        self.claims.service(out, at, row);
    }

    /// Reads the security token of a packet into `detail`, and keeps the login that it attempts.
    fn token(&mut self, place: &Place, header: &Header, packet: &[u8], detail: &mut DetailJson, out: &mut dyn Sink) {
        let Some((_, level, bytes)) = header.token(packet) else { return };
        let key = if place.from_server { "granted_protection" } else { "protection" };
        detail.text(
            key,
            match level {
                1 => "none",
                2 => "connect",
                3 | 4 => "call",
                5 => "integrity",
                6 => "privacy",
                _ => "unknown",
            },
        );
        let Some(token) = gss::read(bytes) else { return };
        token.describe(detail);
        let sender = if place.from_server { place.server } else { place.client };
        token.say(&mut self.claims, out, place.at, sender.address);
        if let Some(login) = token.login() {
            self.login = Some(login);
        }
    }

    /// The third leg of a login has no reply: the first answered call shows that it was accepted.
    fn auth3(&mut self, place: &Place, header: &Header, packet: &[u8], out: &mut dyn Sink) {
        let mut detail = DetailJson::default();
        self.token(place, header, packet, &mut detail, out);
        let ask = Ask { at: place.at, kind: 16, call: None, contexts: Vec::new(), detail };
        self.tell_bind(place, Some(&ask), 16, None, &ask.detail, out);
    }

    fn settle(&mut self, place: &Place, outcome: Outcome, out: &mut dyn Sink) {
        let Some(login) = self.login.take().filter(|_| !place.piped) else { return };
        let ends = Ends { client: place.client, server: place.server, protocol: super::PROTOCOL };
        login.report(&mut self.claims, out, place.at, ends, outcome, Around { version: "5.0", ..Around::default() });
    }

    fn request(&mut self, place: &Place, header: &Header, body: &[u8], out: &mut dyn Sink) {
        // Only the first fragment names the call.
        if header.flags & 1 == 0 {
            return;
        }
        let mut cursor = Cursor::new(body);
        let (Some(_), Some(id), Some(number)) = (cursor.le32(), cursor.le16(), cursor.le16()) else {
            return out.mark(Mark::Malformed("request is cut short"));
        };
        let interface = self.bound.iter().find(|context| context.id == id).map(|c| c.interface).unwrap_or_default();
        let mut detail = DetailJson::default();
        if header.auth_length == 0
            && let Some(tower) = packet::tower(cursor.rest()).filter(|_| is_mapper(interface))
        {
            let wanted = tower.interface.to_string();
            detail.text("wanted", names::interface(&wanted).map_or(wanted.as_str(), |known| known.name));
        }
        let call = Some((interface, number));
        self.ask(place, header.call, Ask { at: place.at, kind: 0, call, contexts: Vec::new(), detail }, out);
    }

    fn ask(&mut self, place: &Place, call: u32, ask: Ask, out: &mut dyn Sink) {
        if let Some(lost) = self.waiting.ask(call, ask) {
            self.unanswered(place.client, place.server, &lost, out);
        }
    }

    fn reply(&mut self, place: &Place, header: &Header, body: &[u8], out: &mut dyn Sink) {
        if header.flags & 1 == 0 {
            return;
        }
        let Some(ask) = self.waiting.answer_where(&header.call, |ask| ask.kind == 0) else { return };
        let status = (header.kind == 3).then(|| Cursor::new(body.get(8..)?).le32()).flatten().unwrap_or(0);
        // A login that was refused shows as access denied at the first call.
        let outcome = if status == 5 { Outcome::Failure } else { Outcome::Success };
        self.settle(place, outcome, out);
        let mut detail = ask.detail.clone();
        let mapper = ask.call.is_some_and(|(interface, _)| is_mapper(interface));
        if let Some(tower) = packet::tower(body).filter(|_| mapper && status == 0) {
            mapped(place, &tower, &mut detail, out);
        }
        self.tell_call(place, &ask, Some(status), &detail, out);
    }

    fn tell_call(&mut self, place: &Place, ask: &Ask, status: Option<u32>, detail: &DetailJson, out: &mut dyn Sink) {
        let Some((uuid, number)) = ask.call else { return };
        if !self.claims.first(("call", uuid.0, number, status)) {
            if let Some((.., count)) = self.repeated.iter_mut().find(|(u, n, _)| *u == uuid && *n == number) {
                *count = count.saturating_add(1);
            } else if self.repeated.len() < CONTEXT_LIMIT {
                self.repeated.push((uuid, number, 1));
            }
            return;
        }
        self.emit_call(place, Some(ask), (uuid, number), status, None, detail, out);
    }

    #[expect(clippy::too_many_arguments, reason = "one row's worth of facts")]
    fn emit_call(
        &mut self,
        place: &Place,
        ask: Option<&Ask>,
        (uuid, number): (Uuid, u16),
        status: Option<u32>,
        quantity: Option<u64>,
        detail: &DetailJson,
        out: &mut dyn Sink,
    ) {
        let printed = uuid.to_string();
        let interface = names::interface(&printed);
        let call = interface.and_then(|i| i.calls.iter().find(|(code, ..)| *code == number));
        self.object.clear();
        self.object.push_str(interface.map_or(printed.as_str(), |interface| interface.name));
        let answered = ask.filter(|_| status.is_some());
        out.emit(
            place.at,
            Observation::Operation(Operation {
                protocol: super::PROTOCOL,
                client: place.client,
                server: place.server,
                unit: None,
                code: number.into(),
                name: call.map_or("call", |(_, name, _)| name),
                class: call.map_or(OperationClass::Session, |(.., class)| *class),
                object: &self.object,
                quantity,
                status,
                status_name: status.map_or("", names::fault),
                latency: answered.map(|ask| place.at.ts.since(ask.at.ts)),
                request_frame: ask.map(|ask| ask.at.frame),
                reply_frame: answered.map(|_| place.at.frame),
                detail: detail.object(&mut self.line),
            }),
        );
    }

    fn tell_bind(
        &mut self,
        place: &Place,
        ask: Option<&Ask>,
        kind: u8,
        status: Option<u32>,
        detail: &DetailJson,
        out: &mut dyn Sink,
    ) {
        self.object.clear();
        for context in ask.map(|ask| ask.contexts.as_slice()).unwrap_or_default() {
            let uuid = context.interface.to_string();
            let name = names::interface(&uuid).map_or(uuid.as_str(), |interface| interface.name);
            if !self.object.split(' ').any(|known| known == name) {
                let blank = if self.object.is_empty() { "" } else { " " };
                self.object.push_str(blank);
                self.object.push_str(name);
            }
        }
        let code = ask.map_or(kind, |ask| ask.kind);
        self.detail.clone_from(detail);
        out.emit(
            place.at,
            Observation::Operation(Operation {
                protocol: super::PROTOCOL,
                client: place.client,
                server: place.server,
                unit: None,
                code: code.into(),
                name: names::packet(code),
                class: OperationClass::Session,
                object: &self.object,
                quantity: None,
                status,
                status_name: match status {
                    None => "",
                    Some(0) => "accepted",
                    Some(_) => "refused",
                },
                latency: ask.filter(|_| status.is_some()).map(|ask| place.at.ts.since(ask.at.ts)),
                request_frame: ask.map(|ask| ask.at.frame),
                reply_frame: status.map(|_| place.at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }

    fn unanswered(&mut self, client: Endpoint, server: Endpoint, ask: &Ask, out: &mut dyn Sink) {
        let place = Place { at: ask.at, client, server, from_server: false, piped: true };
        if ask.call.is_some() {
            self.tell_call(&place, ask, None, &ask.detail, out);
        } else {
            self.tell_bind(&place, Some(ask), ask.kind, None, &ask.detail, out);
        }
    }

    /// Tells what still waits: the association ended or lost bytes.
    pub fn give_up(&mut self, out: &mut dyn Sink) {
        let Some((client, server)) = self.ends else { return };
        let asks: Vec<Ask> = self.waiting.drain().collect();
        for ask in &asks {
            self.unanswered(client, server, ask, out);
        }
        if let Some(last) = asks.last() {
            let place = Place { at: last.at, client, server, from_server: false, piped: false };
            self.settle(&place, Outcome::Unknown, out);
        }
    }

    /// Tells the calls that were counted only, one row a call.
    pub fn tell_repeated(&mut self, at: At, out: &mut dyn Sink) {
        let Some((client, server)) = self.ends else { return };
        let place = Place { at, client, server, from_server: false, piped: true };
        for (uuid, number, count) in std::mem::take(&mut self.repeated) {
            let mut detail = DetailJson::default();
            detail.flag("repeated", true);
            self.emit_call(&place, None, (uuid, number), None, Some(count), &detail, out);
        }
    }
}

fn is_mapper(interface: Uuid) -> bool {
    names::interface(&interface.to_string()).is_some_and(|interface| interface.name == "epmapper")
}

/// Where the endpoint mapper leads: told, and announced so that the connection to it is known.
fn mapped(place: &Place, tower: &packet::Tower, detail: &mut DetailJson, out: &mut dyn Sink) {
    let Some(port) = tower.port else { return };
    detail.number("port", port);
    let named = tower.address.filter(|address| *address != [0; 4]).map(|address| Address::V4(address.into()));
    out.expect(Endpoint::new(named.unwrap_or(place.server.address), port), super::PROTOCOL);
}
