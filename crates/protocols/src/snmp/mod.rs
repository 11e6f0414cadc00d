//! SNMP versions 1, 2c and 3 (RFC 1157, RFC 3416, RFC 3412, RFC 3414): who manages which device, with what secret, and what the
//! device says of itself.

mod ber;
mod communities;
mod enterprises;
mod message;
mod objects;
mod sessions;
#[cfg(test)]
mod tests;

use std::hash::{DefaultHasher, Hash, Hasher};

use quaywatch_model::{
    Address, At, Attribute, Credential, Endpoint, Mark, Observation, Operation, OperationClass, Request, Service, Sink,
    Transport, Weakness, Weird,
};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::bytes::device_text;
use crate::claims::Claims;
use crate::pairing::Pairing;
use crate::{Analyzer, Probe, Protocol, self_description};
use ber::{Fault, arcs, write_oid};
use enterprises::{Enterprise, enterprise};
use message::{Body, Kind, Message, Pdu as SnmpPdu, Security, User, bindings, status_name};
use objects::Tells;
use sessions::{Sessions, Speaker};

/// Claims remembered per flow: a walk tells much.
const MAX_CLAIMS: usize = 1024;
/// Requests that wait for a response.
const MAX_WAITING: usize = 64;
/// Names told of one request.
const MAX_NAMES: usize = 16;
/// Flag of a version 3 message whose sender wants a report (RFC 3412 section 6.4).
const REPORTABLE: u8 = 4;
/// Ports of agents and of receivers of traps.
const PORTS: [u16; 2] = [161, 162];

/// The protocol.
pub struct Snmp;

static META: ProtocolMeta = ProtocolMeta {
    name: "snmp",
    title: "SNMP",
    tcp: &[],
    udp: &PORTS,
    ethertypes: &[],
    spec: "RFC 1157, RFC 1901, RFC 3411 to 3418",
    found: "switches, power supplies, printers, PROFINET devices and the station that watches them",
    depth: Depth::Partial,
    purpose: Purpose::Network,
    scope: "All messages; sets as operations, other requests by MIB table, communities against known ones, users and security levels, what a device says of itself. Encrypted content is not read.",
};

impl Protocol for Snmp {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        let is_usual = PORTS.contains(&pdu.flow.client.port) || PORTS.contains(&pdu.flow.server.port);
        if pdu.flow.transport != Transport::Udp || pdu.data.first() != Some(&ber::tag::SEQUENCE) {
            return Probe::No;
        }
        match Message::read(pdu.data) {
            Ok(Message { body: Body::Pdu(inner), .. }) if inner.kind.is_answer() => Probe::YesFromServer,
            Ok(_) => Probe::Yes,
            Err(Fault::Short) if pdu.cut => Probe::Unsure,
            Err(_) if is_usual => Probe::Unsure,
            Err(_) => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(SnmpAnalyzer {
            claims: Claims::with_limit(MAX_CLAIMS),
            waiting: Pairing::new(MAX_WAITING),
            sessions: Sessions::default(),
            part: None,
            text: String::new(),
        })
    }
}

/// A request that waits for its response.
struct Asked {
    at: At,
    client: Endpoint,
    server: Endpoint,
    kind: Kind,
    /// Names not told before in this flow; all of a set.
    names: Vec<String>,
    bindings: u64,
    /// Index of the session.
    session: Option<usize>,
}

struct SnmpAnalyzer {
    claims: Claims,
    waiting: Pairing<i64, Asked>,
    sessions: Sessions,
    /// Index of the physical part that stands for the device: the first one told of, as a rule its chassis.
    part: Option<u32>,
    /// Scratch for names.
    text: String,
}

/// Who asks and who does, by content: an answer comes from the device, a notification too, but there it acts.
fn ends(pdu: &Pdu<'_>, body: &Body<'_>) -> (Endpoint, Endpoint) {
    match body {
        Body::Pdu(inner) if inner.kind.is_answer() => (pdu.receiver(), pdu.sender()),
        Body::Pdu(_) => (pdu.sender(), pdu.receiver()),
        Body::Encrypted => (pdu.flow.client, pdu.flow.server),
    }
}

impl Analyzer for SnmpAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        match Message::read(pdu.data) {
            Ok(message) => self.message(&message, pdu, out),
            Err(Fault::Short) if pdu.cut => {}
            Err(Fault::Short) => malformed("an element ends beyond the message", pdu, out),
            Err(Fault::Form) => malformed("an element is not of the form that stands here", pdu, out),
        }
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        let waiting: Vec<Asked> = self.waiting.drain().collect();
        for asked in waiting {
            tell(&asked, None, out);
        }
        self.sessions.close(out);
    }
}

fn malformed(detail: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
    let (sender, receiver) = (pdu.sender(), pdu.receiver());
    let name = "snmp_message_malformed";
    out.emit(pdu.at, Observation::Weird(Weird { name, protocol: "snmp", detail, sender, receiver }));
    out.mark(Mark::Malformed(detail));
}

impl SnmpAnalyzer {
    fn message(&mut self, message: &Message<'_>, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let (client, server) = ends(pdu, &message.body);
        let speaker = match message.security {
            Security::Community { version, .. } => Some(Speaker::community(version)),
            // Without an engine id the sender only asks for it (RFC 3414 section 4).
            Security::User(user) if user.engine.is_empty() => None,
            Security::User(user) => Speaker::user(user.name, user.flags),
            Security::Other => None,
        };
        // A report bears the asker's name, but a level of its own (RFC 3414 section 3.2): it makes no session.
        let is_report = matches!(message.body, Body::Pdu(inner) if inner.kind == Kind::Report);
        let speaker = speaker.filter(|_| !is_report);
        let session = speaker.and_then(|speaker| self.sessions.find(&speaker, pdu.at, client, server));
        match message.security {
            Security::Community { community, .. } => self.community(community, &message.body, client, server, pdu, out),
            Security::User(user) => self.user(user, session, message, client, server, pdu, out),
            Security::Other => out.mark(Mark::Undecoded("snmp security model")),
        }
        match &message.body {
            Body::Encrypted => {
                out.mark(Mark::Opaque("encrypted"));
                self.encrypted(message.id, session, pdu, out);
            }
            Body::Pdu(inner) if inner.kind.is_answer() => self.answer(message.id, inner, session, pdu, out),
            Body::Pdu(inner) => self.request(message.id, inner, session, (client, server), pdu, out),
        }
    }

    /// A community crosses the wire readable in every message. It counts as in use once a device answers to it or sends it.
    fn community(
        &mut self,
        community: &[u8],
        body: &Body<'_>,
        client: Endpoint,
        server: Endpoint,
        pdu: &Pdu<'_>,
        out: &mut dyn Sink,
    ) {
        let Body::Pdu(inner) = body else { return };
        let (is_set, is_trap) = (inner.kind == Kind::Set, inner.kind.is_notification());
        let mut say = |weakness, rule| {
            let credential = Credential { client, server, protocol: "snmp", account: "", weakness, rule };
            self.claims.credential(out, pdu.at, credential);
        };
        say(Weakness::ClearText, clear_text_rule(is_set, is_trap));
        if !is_trap && !inner.kind.is_answer() {
            return;
        }
        let was_set =
            inner.kind.is_answer() && self.waiting.find(&inner.request_id).is_some_and(|asked| asked.kind == Kind::Set);
        match communities::well_known(community) {
            Some(_) if was_set => say(Weakness::Default, "well-known community used in a set request"),
            Some(rule) => say(Weakness::Default, rule),
            None if community.is_empty() => say(Weakness::Empty, "empty community"),
            None => {}
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the facts of one message, used once")]
    fn user(
        &mut self,
        user: User<'_>,
        session: Option<usize>,
        message: &Message<'_>,
        client: Endpoint,
        server: Endpoint,
        pdu: &Pdu<'_>,
        out: &mut dyn Sink,
    ) {
        // The engine is the authoritative one: that of the device, but for informs the receiver's (RFC 3414 section 1.5.1).
        let is_trap = match &message.body {
            Body::Pdu(inner) => inner.kind == Kind::TrapV2,
            // Who asks wants a report of what is wrong, a trap does not (RFC 3412 section 6.4).
            Body::Encrypted => user.flags & REPORTABLE == 0 && pdu.sender() == client,
        };
        let subject = if is_trap { client.address } else { server.address };
        self.engine(user.engine, subject, pdu, out);
        let is_accepted = match &message.body {
            Body::Pdu(inner) => inner.kind == Kind::Response || is_trap,
            Body::Encrypted => pdu.sender() == server,
        };
        let (true, Some(name)) = (is_accepted && session.is_some(), device_text(user.name)) else { return };
        let (weakness, rule) = match user.flags & 1 {
            0 => (Weakness::Anonymous, "SNMPv3 user without authentication"),
            _ => (Weakness::None, "SNMPv3 user with authentication"),
        };
        let credential = Credential { client, server, protocol: "snmp", account: &name, weakness, rule };
        self.claims.credential(out, pdu.at, credential);
    }

    fn engine(&mut self, engine: &[u8], subject: Address, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if let Some(number) = objects::enterprise_of_engine(engine) {
            self.enterprise(number, subject, "snmp engine id", pdu, out);
        }
        if let Some(mac) = objects::mac_of_engine(engine) {
            self.claims.identify(out, pdu.at, subject, (Attribute::Mac, &mac.to_string(), "snmp engine id"));
        }
        if let Some(ip) = objects::ip_of_engine(engine) {
            self.claims.identify(out, pdu.at, subject, (Attribute::Ip, &ip.to_string(), "snmp engine id"));
        }
    }

    fn enterprise(&mut self, number: u32, subject: Address, method: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if !self.claims.first(("enterprise", number, subject, method)) {
            return;
        }
        let unknown;
        let (attribute, value) = match enterprise(number) {
            Enterprise::Maker(name) => (Attribute::Vendor, name),
            Enterprise::Software(name) => (Attribute::Software, name),
            Enterprise::Unknown => {
                unknown = format!("enterprise {number}");
                (Attribute::Vendor, unknown.as_str())
            }
        };
        self.claims.identify(out, pdu.at, subject, (attribute, value, method));
    }

    fn request(
        &mut self,
        id: i64,
        inner: &SnmpPdu<'_>,
        session: Option<usize>,
        (client, server): (Endpoint, Endpoint),
        pdu: &Pdu<'_>,
        out: &mut dyn Sink,
    ) {
        let mut asked = Asked { at: pdu.at, client, server, kind: inner.kind, names: Vec::new(), bindings: 0, session };
        let mut subject = client.address;
        if let Some(trap) = inner.trap {
            self.new_name(inner.kind, trap.enterprise, &mut asked.names);
            // Another may pass it on: the trap names whom it comes from (RFC 1157 section 4.1.6).
            let agent = Address::from(std::net::IpAddr::from(trap.agent));
            subject = if agent.is_host() { agent } else { subject };
            if let Some(number) = objects::enterprise_of(trap.enterprise) {
                self.enterprise(number, subject, "snmp trap enterprise", pdu, out);
            }
        }
        for binding in bindings(inner.bindings) {
            match binding {
                Ok((name, tag, value)) => {
                    asked.bindings += 1;
                    self.new_name(inner.kind, name, &mut asked.names);
                    if inner.kind.is_notification() {
                        self.object(subject, (name, tag, value), pdu, out);
                    }
                }
                Err(_) if pdu.cut => {}
                Err(_) => malformed("a variable binding is not whole", pdu, out),
            }
        }
        if matches!(inner.kind, Kind::TrapV1 | Kind::TrapV2) {
            return tell(&asked, None, out);
        }
        if let Some(oldest) = self.waiting.ask(id, asked) {
            tell(&oldest, None, out);
        }
    }

    /// Keeps a name if it is a set's, or its table was not told of in this flow.
    fn new_name(&mut self, kind: Kind, name: &[u8], names: &mut Vec<String>) {
        if names.len() >= MAX_NAMES {
            return;
        }
        if kind == Kind::Set {
            write_oid(name, &mut self.text);
            return names.push(self.text.clone());
        }
        let count = objects::told_arcs(name);
        let mut hasher = DefaultHasher::new();
        arcs(name).take(count).for_each(|arc| arc.hash(&mut hasher));
        if self.claims.first((kind, hasher.finish())) {
            let told: Vec<String> = arcs(name).take(count).map(|arc| arc.to_string()).collect();
            names.push(told.join("."));
        }
    }

    /// An encrypted message from the device shows that the user was accepted.
    fn encrypted(&mut self, id: i64, session: Option<usize>, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let (client, server) = (pdu.flow.client, pdu.flow.server);
        if pdu.sender() == server {
            let asked = self.waiting.answer(&id);
            self.sessions.succeeded(asked.and_then(|asked| asked.session).or(session), pdu.at, out);
            self.service(server, "v3", pdu, out);
        } else {
            let asked = Asked { at: pdu.at, client, server, kind: Kind::Get, names: Vec::new(), bindings: 0, session };
            // Nothing is known of it but its session.
            let _ = self.waiting.ask(id, asked);
        }
    }

    fn answer(&mut self, id: i64, inner: &SnmpPdu<'_>, session: Option<usize>, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let server = pdu.sender();
        let asked = self.waiting.answer(&id);
        let session = asked.as_ref().and_then(|asked| asked.session).or(session);
        if inner.kind == Kind::Report {
            return self.report(inner, asked.as_ref(), session, pdu, out);
        }
        if let Some(asked) = &asked {
            tell(asked, Some((inner.status, pdu.at)), out);
        }
        self.service(server, self.sessions.version(session), pdu, out);
        self.sessions.succeeded(session, pdu.at, out);
        // An answer to an inform repeats what its sender said of itself, a refusal what was asked (RFC 3416 section 4.2.5).
        let is_own = inner.status == 0 && asked.as_ref().is_none_or(|asked| asked.kind != Kind::Inform);
        for binding in bindings(inner.bindings) {
            match binding {
                Ok(binding) if is_own => self.object(server.address, binding, pdu, out),
                Ok(_) => {}
                Err(_) if pdu.cut => {}
                Err(_) => malformed("a variable binding is not whole", pdu, out),
            }
        }
    }

    /// A report says why a message was not accepted; unknown engine and time are part of every first contact (RFC 3414 section 4).
    fn report(
        &mut self,
        inner: &SnmpPdu<'_>,
        asked: Option<&Asked>,
        session: Option<usize>,
        pdu: &Pdu<'_>,
        out: &mut dyn Sink,
    ) {
        self.service(pdu.sender(), "v3", pdu, out);
        let counter = bindings(inner.bindings).flatten().find_map(|(name, ..)| objects::usm_counter(name));
        let is_refusal = matches!(counter, Some(1 | 3 | 5 | 6));
        if is_refusal {
            self.sessions.failed(session, pdu.at, out);
        }
        if let Some(asked) = asked.filter(|asked| is_refusal || asked.kind == Kind::Set) {
            tell(asked, None, out);
        }
    }

    fn service(&mut self, server: Endpoint, version: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let service = Service { server, transport: Transport::Udp, protocol: "snmp", software: "", version };
        self.claims.service(out, pdu.at, service);
    }

    fn object(&mut self, subject: Address, (name, tag, value): (&[u8], u8, &[u8]), pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let claims = &mut self.claims;
        match objects::tells(name, tag, value) {
            Tells::Nothing => {}
            Tells::Text(attribute, method, value) => {
                let value = device_text(value).unwrap_or_default();
                if !self_description::is_placeholder(&value) {
                    claims.identify(out, pdu.at, subject, (attribute, &value, method));
                }
            }
            Tells::Description(value) => {
                let text = device_text(value).unwrap_or_default();
                claims.identify(out, pdu.at, subject, (Attribute::Product, &text, "snmp sysDescr"));
                for (attribute, value) in self_description::parts(&text) {
                    claims.identify(out, pdu.at, subject, (attribute, value, "snmp sysDescr"));
                }
            }
            Tells::Enterprise(number) => self.enterprise(number, subject, "snmp sysObjectID", pdu, out),
            Tells::Mac(mac) => {
                claims.identify(out, pdu.at, subject, (Attribute::Mac, &mac.to_string(), "snmp ifPhysAddress"));
            }
            Tells::Ip(ip) => {
                claims.identify(out, pdu.at, subject, (Attribute::Ip, &ip.to_string(), "snmp ipAdEntAddr"));
            }
            Tells::Neighbour(address, mac) => {
                let claim = (Attribute::Mac, &*mac.to_string(), "snmp ipNetToMediaPhysAddress");
                claims.identify(out, pdu.at, address, claim);
            }
            Tells::Part(attribute, method, index, value) => {
                if *self.part.get_or_insert(index) == index {
                    let value = device_text(value).unwrap_or_default();
                    claims.identify(out, pdu.at, subject, (attribute, &value, method));
                }
            }
        }
    }
}

const fn clear_text_rule(is_set: bool, is_trap: bool) -> &'static str {
    match (is_set, is_trap) {
        (true, _) => "community of a set request sent in clear text",
        (_, true) => "community of a notification sent in clear text",
        _ => "community sent in clear text",
    }
}

/// Emits a set as an operation, another request as one row a name; `reply` is its error status and place.
fn tell(asked: &Asked, reply: Option<(i64, At)>, out: &mut dyn Sink) {
    let (client, server) = (asked.client, asked.server);
    let status = reply.and_then(|(status, _)| u32::try_from(status).ok());
    if asked.kind == Kind::Set {
        let operation = Operation {
            protocol: "snmp",
            client,
            server,
            unit: None,
            code: 3,
            name: asked.kind.name(),
            class: OperationClass::Configure,
            object: &asked.names.join(", "),
            quantity: Some(asked.bindings),
            status,
            status_name: reply.map_or("", |(status, _)| status_name(status)),
            latency: reply.map(|(_, at)| at.ts.since(asked.at.ts)),
            request_frame: Some(asked.at.frame),
            reply_frame: reply.map(|(_, at)| at.frame),
            detail: "",
        };
        return out.emit(asked.at, Observation::Operation(operation));
    }
    let method = asked.kind.name();
    for uri in &asked.names {
        let request = Request { client, server, protocol: "snmp", method, host: "", uri, user_agent: "", status };
        out.emit(asked.at, Observation::Request(request));
    }
}
