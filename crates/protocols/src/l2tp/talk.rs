//! Pairs control messages, follows sessions.

use quaywatch_model::{
    At, Attribute, Direction, Endpoint, Mark, Observation, Operation, OperationClass, Outcome, Service, Session, Sink,
    Transport,
};
use quaywatch_wire::Pdu;

use super::message::{Control, Data, Facts, IP_PROTOCOL};
use super::{PROTOCOL, names, ppp};
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::deviation::malformed_if_whole;
use crate::login::{Ends, Secret};
use crate::pairing::Pairing;

/// Requests that may wait for replies.
const MAX_WAITING: usize = 64;
/// Control messages remembered, to know repeated ones.
const MAX_SEEN: usize = 256;
/// Sessions whose packets are counted apart; more are counted with the last.
const MAX_SESSIONS: usize = 64;

/// Code of the row that counts a session's packets: it is no message.
const DATA: u32 = 0;

/// A request waiting for its reply.
#[derive(Clone)]
struct Ask {
    at: At,
    client: Endpoint,
    server: Endpoint,
    kind: u16,
    object: String,
    detail: String,
}

/// Packets of one session in one direction.
struct Count {
    version: u8,
    tunnel: u16,
    session: u32,
    direction: Direction,
    at: At,
    ends: (Endpoint, Endpoint),
    packets: u64,
    bytes: u64,
}

/// A tunnel being opened.
struct Opening {
    at: At,
    client: Endpoint,
    server: Endpoint,
    version: &'static str,
    challenged: bool,
    /// Whether the client has confirmed the server's reply.
    confirmed: bool,
    hosts: [String; 2],
    software: [String; 2],
    told: bool,
}

/// What is known of a flow.
pub(super) struct Talk {
    waiting: Pairing<(u16, Direction, u32), Ask>,
    opening: Option<Opening>,
    counts: Vec<Count>,
    seen: Claims,
    claims: Claims,
    logins: ppp::Logins,
    hellos: u64,
    last_hello: Option<Ask>,
    detail: DetailJson,
    line: String,
}

impl Default for Talk {
    fn default() -> Self {
        Talk {
            waiting: Pairing::new(MAX_WAITING),
            opening: None,
            counts: Vec::new(),
            seen: Claims::with_limit(MAX_SEEN),
            claims: Claims::default(),
            logins: ppp::Logins::default(),
            hellos: 0,
            last_hello: None,
            detail: DetailJson::default(),
            line: String::new(),
        }
    }
}

impl Talk {
    /// Takes a control message.
    pub(super) fn control(&mut self, control: &Control<'_>, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        // Lost messages are sent again as they were (RFC 2661 section 5.8).
        if !self.seen.first((pdu.direction, control.tunnel, control.ns, control.attributes)) {
            return;
        }
        let mut password = None;
        let (facts, whole) = Facts::read(control.attributes, |user, secret| {
            password = Some(Secret::examine(user, secret));
        });
        if !whole {
            malformed_if_whole(PROTOCOL, pdu, "l2tp_attribute_malformed", "attributes do not fill the message", out);
        }
        if facts.kind == 0 {
            let reason = "first attribute is no message type";
            malformed_if_whole(PROTOCOL, pdu, "l2tp_message_type_missing", reason, out);
            return;
        }
        if names::message(facts.kind).is_none() {
            return out.mark(Mark::Undecoded("message type unknown"));
        }
        self.identify(&facts, pdu, out);
        self.describe(&facts);
        self.message(control, &facts, pdu, out);
        if facts.kind == 12 {
            self.caller(&facts, password, pdu, out);
        }
    }

    fn identify(&mut self, facts: &Facts, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let subject = pdu.sender().address;
        // The vendor string describes the software at this end (RFC 2661 section 4.4.3).
        self.claims.identify(out, pdu.at, subject, (Attribute::HostName, &facts.host, "l2tp host name"));
        self.claims.identify(out, pdu.at, subject, (Attribute::Software, &facts.vendor, "l2tp vendor name"));
    }

    /// Puts the facts in the detail.
    fn describe(&mut self, facts: &Facts) {
        let detail = &mut self.detail;
        detail.clear();
        if let Some((version, revision)) = facts.version {
            detail.text("version", format_args!("{version}.{revision}"));
        }
        let texts = [
            ("host_name", Some(&facts.host)),
            ("vendor_name", Some(&facts.vendor)),
            ("called_number", facts.called.as_ref()),
            ("calling_number", facts.calling.as_ref()),
            ("remote_end", facts.remote_end.as_ref()),
            ("message", facts.text.as_ref()),
        ];
        for (key, text) in texts {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                detail.text(key, text);
            }
        }
        let numbers = [
            ("firmware", facts.firmware.map(u32::from)),
            ("assigned_tunnel", facts.assigned_tunnel),
            ("assigned_session", facts.assigned_session),
            ("connect_speed", facts.connect_speed),
            ("result_code", facts.result.map(u32::from)),
        ];
        for (key, number) in numbers {
            if let Some(number) = number {
                detail.number(key, number);
            }
        }
        if let Some(error) = facts.error.and_then(names::error) {
            detail.text("error", error);
        }
        if let Some(pseudowire) = facts.pseudowire {
            detail.text("pseudowire", names::pseudowire(pseudowire));
        }
        if facts.challenge {
            detail.flag("challenge", true);
        }
        if facts.hidden > 0 {
            detail.number("hidden_attributes", facts.hidden);
        }
    }

    /// Tells of a message, with its request if it is a reply.
    fn message(&mut self, control: &Control<'_>, facts: &Facts, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let session = facts.remote_session.unwrap_or(control.session.into());
        let direction = pdu.direction;
        if facts.kind > 4 {
            self.goes_on(pdu, out);
        }
        match facts.kind {
            1 => {
                let key = (1, direction, facts.assigned_tunnel.unwrap_or(0));
                self.ask(key, facts.host.clone(), facts.kind, pdu, out);
                self.open(control, facts, pdu, out);
            }
            2 => {
                if let Some(opening) = &mut self.opening {
                    let [_, host] = &mut opening.hosts;
                    let [_, software] = &mut opening.software;
                    facts.host.clone_into(host);
                    facts.vendor.clone_into(software);
                    opening.challenged |= facts.challenge;
                }
                self.answer((1, direction.reverse(), control.tunnel), (0, "ok"), facts.kind, pdu, out);
            }
            3 => {
                self.alone(facts.kind, String::new(), None, pdu, out);
                self.confirmed(out);
            }
            4 => {
                // It may refuse a request, or end what was.
                self.answer((1, direction.reverse(), control.tunnel), ended(facts), facts.kind, pdu, out);
                let leaves = |opening: &Opening| opening.confirmed && opening.client == pdu.sender();
                let gone = self.opening.as_ref().is_some_and(leaves);
                self.session(if gone { Outcome::Unknown } else { Outcome::Failure }, out);
            }
            6 => self.hello(pdu, out),
            7 | 10 => {
                let id = facts.assigned_session.unwrap_or(0);
                let number = facts.called.as_deref().or(facts.remote_end.as_deref()).unwrap_or_default();
                let object = format!("session {id} {number}").trim_end().to_owned();
                self.ask((facts.kind, direction, id), object, facts.kind, pdu, out);
            }
            8 | 11 => {
                let key = (facts.kind.saturating_sub(1), direction.reverse(), session);
                self.answer(key, (0, "ok"), facts.kind, pdu, out);
            }
            14 => {
                let status = ended(facts);
                let asked = [7, 10].map(|kind| (kind, direction.reverse(), session));
                let key = asked.into_iter().find(|key| self.waiting.find(key).is_some()).unwrap_or((0, direction, 0));
                self.line = format!("session {session}");
                self.answer(key, status, facts.kind, pdu, out);
            }
            20 => {}
            kind => self.alone(kind, format!("session {session}"), None, pdu, out),
        }
    }

    /// The client confirms the tunnel, with its answer to a challenge if there was one: that may still be wrong.
    fn confirmed(&mut self, out: &mut dyn Sink) {
        let Some(opening) = &mut self.opening else { return };
        opening.confirmed = true;
        if !opening.challenged {
            self.session(Outcome::Success, out);
        }
    }

    /// A server that goes on after the confirmation has taken the client's answer; its bare acknowledgement says nothing.
    fn goes_on(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let taken = |opening: &Opening| opening.confirmed && opening.server == pdu.sender();
        if self.opening.as_ref().is_some_and(taken) {
            self.session(Outcome::Success, out);
        }
    }

    fn open(&mut self, control: &Control<'_>, facts: &Facts, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        self.session(Outcome::Unknown, out);
        self.opening = Some(Opening {
            at: pdu.at,
            client: pdu.sender(),
            server: pdu.receiver(),
            version: if control.version == 3 { "3" } else { "2" },
            challenged: facts.challenge,
            confirmed: false,
            hosts: [facts.host.clone(), String::new()],
            software: [facts.vendor.clone(), String::new()],
            told: false,
        });
    }

    /// The first hello is told, the others are counted.
    fn hello(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        self.hellos = self.hellos.saturating_add(1);
        self.detail.clear();
        if self.hellos == 1 {
            self.alone(6, String::new(), None, pdu, out);
        }
        let (at, client, server) = (pdu.at, pdu.sender(), pdu.receiver());
        self.last_hello = Some(Ask { at, client, server, kind: 6, object: String::new(), detail: String::new() });
    }

    fn ask(&mut self, key: (u16, Direction, u32), object: String, kind: u16, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let detail = self.detail.object(&mut self.line).to_owned();
        let ask = Ask { at: pdu.at, client: pdu.sender(), server: pdu.receiver(), kind, object, detail };
        if let Some(lost) = self.waiting.ask(key, ask) {
            tell(&lost, None, out);
        }
    }

    fn answer(
        &mut self,
        key: (u16, Direction, u32),
        (status, name): (u32, &'static str),
        kind: u16,
        pdu: &Pdu<'_>,
        out: &mut dyn Sink,
    ) {
        let Some(ask) = self.waiting.answer(&key) else {
            let object = if kind == 14 { std::mem::take(&mut self.line) } else { String::new() };
            // What ends a tunnel or a call is told for itself; a reply names the end that had asked.
            let told = matches!(kind, 4 | 14);
            return self.alone(kind, object, Some((status, name, told)), pdu, out);
        };
        let reply = self.detail.object(&mut self.line);
        let detail = match (ask.detail.strip_suffix('}'), reply.is_empty()) {
            (Some(request), false) => format!("{request},\"reply\":{reply}}}"),
            (Some(_), true) => ask.detail.clone(),
            (None, _) => reply.to_owned(),
        };
        let row = Operation {
            status: Some(status),
            status_name: name,
            latency: Some(pdu.at.ts.since(ask.at.ts)),
            reply_frame: Some(pdu.at.frame),
            detail: &detail,
            ..row(&ask)
        };
        out.emit(ask.at, Observation::Operation(row));
    }

    /// A message that has no reply, or whose request was not seen.
    fn alone(
        &mut self,
        kind: u16,
        object: String,
        status: Option<(u32, &'static str, bool)>,
        pdu: &Pdu<'_>,
        out: &mut dyn Sink,
    ) {
        let detail = self.detail.object(&mut self.line).to_owned();
        let (mut client, mut server) = (pdu.sender(), pdu.receiver());
        let is_reply = status.is_some_and(|(.., told)| !told);
        if is_reply {
            (client, server) = (server, client);
        }
        let ask = Ask { at: pdu.at, client, server, kind, object, detail };
        let row = Operation {
            status: status.map(|(status, ..)| status),
            status_name: status.map_or("", |(_, name, _)| name),
            request_frame: (!is_reply).then_some(pdu.at.frame),
            reply_frame: is_reply.then_some(pdu.at.frame),
            ..row(&ask)
        };
        out.emit(pdu.at, Observation::Operation(row));
    }

    /// Tells how the opening of the tunnel ended, once.
    fn session(&mut self, outcome: Outcome, out: &mut dyn Sink) {
        let Some(opening) = self.opening.as_mut().filter(|opening| !opening.told) else { return };
        opening.told = true;
        let Opening { at, client, server, version, hosts, software, .. } = &*opening;
        let [client_software, server_software] = software;
        if outcome == Outcome::Success {
            let transport = if server.port == 0 { Transport::Ip(IP_PROTOCOL) } else { Transport::Udp };
            let claim = Service { server: *server, transport, protocol: PROTOCOL, software: server_software, version };
            self.claims.service(out, *at, claim);
        }
        self.detail.clear();
        for (key, host) in ["client_host", "server_host"].into_iter().zip(hosts) {
            if !host.is_empty() {
                self.detail.text(key, host);
            }
        }
        let row = Session {
            client: *client,
            server: *server,
            protocol: PROTOCOL,
            version,
            user: "",
            method: if opening.challenged { "shared secret" } else { "none" },
            outcome,
            client_software,
            server_software,
            encrypted: false,
            detail: self.detail.object(&mut self.line),
        };
        out.emit(*at, Observation::Session(row));
    }

    /// The login of a caller that the access concentrator took and passes on (RFC 2661 section 4.4.5).
    fn caller(&mut self, facts: &Facts, secret: Option<Secret>, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let (Some(method), Some(user)) = (facts.proxy_type, &facts.proxy_name) else { return };
        let ends = Ends { client: pdu.sender(), server: pdu.receiver(), protocol: PROTOCOL };
        self.detail.clear();
        self.detail.flag("proxied", true);
        let row = Session {
            client: ends.client,
            server: ends.server,
            protocol: PROTOCOL,
            version: "",
            user,
            method: names::proxy_method(method),
            outcome: Outcome::Unknown,
            client_software: "",
            server_software: "",
            encrypted: false,
            detail: self.detail.object(&mut self.line),
        };
        out.emit(pdu.at, Observation::Session(row));
        if let Some(secret) = secret {
            secret.report(&mut self.claims, out, pdu.at, ends, user, Outcome::Unknown);
        }
    }

    /// Counts a packet of a session and reads logins in it; says how far it was understood.
    pub(super) fn data(&mut self, data: &Data<'_>, pdu: &Pdu<'_>, out: &mut dyn Sink) -> Option<Mark> {
        self.count(data, pdu, out);
        if data.version == 3 {
            return None;
        }
        let (protocol, packet) = ppp::frame(data.payload)?;
        let ends = Ends { client: pdu.sender(), server: pdu.receiver(), protocol: PROTOCOL };
        self.logins.take((protocol, packet), pdu.direction, (pdu.at, ends), &mut self.claims, out);
        ppp::mark(protocol)
    }

    fn count(&mut self, data: &Data<'_>, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let same = |count: &Count| {
            (count.tunnel, count.session, count.direction) == (data.tunnel, data.session, pdu.direction)
        };
        let at = match self.counts.iter().position(same) {
            Some(at) => at,
            None if self.counts.len() >= MAX_SESSIONS => MAX_SESSIONS - 1,
            None => {
                let count = Count {
                    version: data.version,
                    tunnel: data.tunnel,
                    session: data.session,
                    direction: pdu.direction,
                    at: pdu.at,
                    ends: (pdu.sender(), pdu.receiver()),
                    packets: 0,
                    bytes: 0,
                };
                // Told at first sight; its packets when the flow ends.
                count.tell(None, "", out);
                self.counts.push(count);
                self.counts.len() - 1
            }
        };
        if let Some(count) = self.counts.get_mut(at) {
            count.packets = count.packets.saturating_add(1);
            count.bytes = count.bytes.saturating_add(data.payload.len() as u64);
            count.at = pdu.at;
        }
    }

    /// The flow ended.
    pub(super) fn close(&mut self, out: &mut dyn Sink) {
        while let Some(ask) = self.waiting.oldest() {
            tell(&ask, None, out);
        }
        self.session(Outcome::Unknown, out);
        self.logins.settle(&mut self.claims, out);
        if let (Some(ask), 2..) = (self.last_hello.take(), self.hellos) {
            tell(&ask, Some(self.hellos), out);
        }
        for count in self.counts.drain(..) {
            self.detail.clear();
            self.detail.number("bytes", i64::try_from(count.bytes).unwrap_or(i64::MAX));
            count.tell(Some(count.packets), self.detail.object(&mut self.line), out);
        }
    }
}

impl Count {
    fn tell(&self, quantity: Option<u64>, detail: &str, out: &mut dyn Sink) {
        let object = match self.version {
            3 => format!("session {}", self.session),
            _ => format!("tunnel {} session {}", self.tunnel, self.session),
        };
        let (client, server) = self.ends;
        let ask = Ask { at: self.at, client, server, kind: 0, object, detail: String::new() };
        let row = Operation { code: DATA, name: "data", class: OperationClass::Cyclic, quantity, detail, ..row(&ask) };
        out.emit(self.at, Observation::Operation(row));
    }
}

/// Status of the end of a tunnel or a call: 0 for an orderly one.
fn ended(facts: &Facts) -> (u32, &'static str) {
    let code = facts.result.unwrap_or(0);
    let name = names::result(facts.kind, code);
    (if names::is_orderly(facts.kind, code) { 0 } else { code.into() }, name)
}

fn tell(ask: &Ask, quantity: Option<u64>, out: &mut dyn Sink) {
    out.emit(ask.at, Observation::Operation(Operation { quantity, ..row(ask) }));
}

/// The columns that a row has with and without a reply.
fn row(ask: &Ask) -> Operation<'_> {
    Operation {
        protocol: PROTOCOL,
        client: ask.client,
        server: ask.server,
        unit: None,
        code: ask.kind.into(),
        name: names::message(ask.kind).unwrap_or_default(),
        class: if matches!(ask.kind, 6 | 15) { OperationClass::Diagnose } else { OperationClass::Session },
        object: &ask.object,
        quantity: None,
        status: None,
        status_name: "",
        latency: None,
        request_frame: Some(ask.at.frame),
        reply_frame: None,
        detail: &ask.detail,
    }
}
