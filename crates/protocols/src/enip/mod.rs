//! EtherNet/IP: the encapsulation of CIP on TCP and UDP, and its cyclic I/O on UDP.
//!
//! Sessions and listings are operations of protocol `enip`; what is inside bears the protocol name `cip` (see [`crate::cip`]).

mod encapsulation;
mod explicit;
mod listing;
mod probe;
#[cfg(test)]
mod tests;

use quaywatch_model::{
    At, Attribute, Direction, Endpoint, Identity, Mark, Observation, Operation, OperationClass, Service, Sink,
    Timestamp, Transport, Weird,
};
use quaywatch_wire::{Flow, Framer, Length, Pdu};

use self::encapsulation::{
    CyclicIo, HEADER, Header, LIST_IDENTITY, LIST_INTERFACES, LIST_SERVICES, LIST_TARGETS, MESSAGE_LIMIT, NOP,
    REGISTER, SEND_RR_DATA, SEND_UNIT_DATA, UNREGISTER, is_item, items,
};
use self::explicit::{Explicit, explicit};
use self::probe::probe_message;
use crate::analyzer::{Depth, Purpose};
use crate::cip::connection::Connection;
use crate::cip::identity::Source;
use crate::cip::message::{REPLY, Reply, Request};
use crate::cip::{self, Talk, names, path};
use crate::detail_json::DetailJson;
use crate::pairing::Pairing;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

/// Protocol name in rows.
pub(crate) const PROTOCOL: &str = "enip";

/// Requests that wait for replies at the same time.
pub const WAITING_LIMIT: usize = 64;
/// Bytes kept of a waiting request; only writes of large structures are longer, and nothing is read from their end.
pub const REQUEST_LIMIT: usize = 4096;
/// I/O connections remembered by one flow; each is told once.
pub const CYCLIC_LIMIT: usize = 64;
/// Request buffers kept for reuse.
const SPARE_LIMIT: usize = 8;

/// The registry entry.
pub struct Enip;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "EtherNet/IP and CIP",
    tcp: &[44818],
    udp: &[44818, 2222],
    ethertypes: &[],
    spec: "CIP Networks Library Volumes 1 and 2; Rockwell 1756-PM020 (tags), 1770-6.5.16 (PCCC)",
    found: "PLCs, drives and remote I/O of Rockwell, Omron, Schneider; spreaders, encoders and scanners with EtherNet/IP",
    depth: Depth::Full,
    purpose: Purpose::Control,
    scope: "Sessions, listings, explicit messages with paths, statuses, identity, tags, connections, program and mode services; firmware, \
            file and routine transfers. Services that vendors keep to themselves are named by code; cyclic I/O is counted.",
};

impl Protocol for Enip {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        match pdu.flow.transport {
            Transport::Tcp => probe_message(pdu.data, true),
            Transport::Udp if CyclicIo::read(pdu.data).is_some() => Probe::Yes,
            Transport::Udp => probe_message(pdu.data, false),
            _ => Probe::No,
        }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(EnipFlow::default())
    }
}

fn message_length(bytes: &[u8]) -> Length {
    let word = |at: usize| bytes.get(at..)?.first_chunk().copied().map(u16::from_le_bytes);
    match (word(0), word(2)) {
        (Some(code), _) if encapsulation::command(code).is_empty() => Length::Invalid,
        (Some(_), Some(length)) => Length::Whole(HEADER + usize::from(length)),
        _ => Length::NeedMore,
    }
}

/// What a reply is found by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Key {
    /// A command of the encapsulation.
    Command { command: u16, context: u64 },
    /// An unconnected message.
    Unconnected { context: u64 },
    /// A message of a connection, 0 where its opening was not seen.
    Connected { connection: u32, sequence: u16 },
}

/// A request that waits for its reply.
#[derive(Debug)]
struct Ask {
    at: At,
    client: Endpoint,
    server: Endpoint,
    command: u16,
    session: u32,
    connection_id: Option<u32>,
    connection: Option<Connection>,
    /// CIP from the service code on; empty for commands of the encapsulation.
    bytes: Vec<u8>,
}

/// Place and ends of the message at hand.
#[derive(Clone, Copy)]
struct Context {
    at: At,
    transport: Transport,
    sender: Endpoint,
    receiver: Endpoint,
}

/// Reads one EtherNet/IP flow.
struct EnipFlow {
    from_client: Framer,
    from_server: Framer,
    waiting: Pairing<Key, Ask>,
    spare: Vec<Vec<u8>>,
    talk: Talk,
    cyclic: Vec<(u32, Direction)>,
    detail: DetailJson,
    line: String,
}

impl Default for EnipFlow {
    fn default() -> Self {
        EnipFlow {
            from_client: Framer::new(MESSAGE_LIMIT),
            from_server: Framer::new(MESSAGE_LIMIT),
            waiting: Pairing::new(WAITING_LIMIT),
            spare: Vec::new(),
            talk: Talk::default(),
            cyclic: Vec::new(),
            detail: DetailJson::default(),
            line: String::new(),
        }
    }
}

impl Analyzer for EnipFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let transport = pdu.flow.transport;
        let context = Context { at: pdu.at, transport, sender: pdu.sender(), receiver: pdu.receiver() };
        if pdu.flow.transport == Transport::Tcp {
            return self.stream(&context, pdu, out);
        }
        if let Some(io) = CyclicIo::read(pdu.data) {
            return self.cyclic(&context, pdu.direction, &io, out);
        }
        match message_length(pdu.data) {
            Length::Whole(length) if length == pdu.data.len() => self.message(&context, pdu.data, out),
            _ if pdu.cut => out.mark(Mark::Undecoded("datagram cut by the capture")),
            Length::Invalid => broken(&context, "enip_unknown_command", "command is not defined", out),
            _ => broken(&context, "enip_length", "datagram length differs from its header", out),
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u32, _out: &mut dyn Sink) {
        self.framer(direction).reset();
        self.talk.gap();
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        let asks: Vec<Ask> = self.waiting.drain().collect();
        for ask in asks {
            self.give_up(ask, out);
        }
        self.talk.close(out);
    }
}

fn weird(context: &Context, name: &'static str, detail: &'static str, out: &mut dyn Sink) {
    let Context { at, sender, receiver, .. } = *context;
    out.emit(at, Observation::Weird(Weird { name, protocol: PROTOCOL, detail, sender, receiver }));
}

fn broken(context: &Context, name: &'static str, reason: &'static str, out: &mut dyn Sink) {
    weird(context, name, reason, out);
    out.mark(Mark::Malformed(reason));
}

impl EnipFlow {
    fn framer(&mut self, direction: Direction) -> &mut Framer {
        match direction {
            Direction::FromClient => &mut self.from_client,
            Direction::FromServer => &mut self.from_server,
        }
    }

    fn stream(&mut self, context: &Context, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let mut framer = std::mem::replace(self.framer(pdu.direction), Framer::new(0));
        let framed = framer.push(pdu.data, message_length, |message| self.message(context, message, out));
        *self.framer(pdu.direction) = framer;
        if framed.is_err() {
            // The next segment most likely starts a message again.
            broken(context, "enip_unknown_command", "command is not defined", out);
        }
    }

    fn cyclic(&mut self, context: &Context, direction: Direction, io: &CyclicIo<'_>, out: &mut dyn Sink) {
        out.mark(Mark::Opaque("cyclic io"));
        let known = (io.connection, direction);
        if self.cyclic.contains(&known) || self.cyclic.len() >= CYCLIC_LIMIT {
            return;
        }
        self.cyclic.push(known);
        self.line.clear();
        let _ = std::fmt::Write::write_fmt(&mut self.line, format_args!("connection {:#010x}", io.connection));
        out.emit(
            context.at,
            Observation::Operation(Operation {
                protocol: cip::PROTOCOL,
                client: context.receiver,
                server: context.sender,
                unit: None,
                code: 0,
                name: "I/O Data",
                class: OperationClass::Cyclic,
                object: &self.line,
                quantity: Some(io.data.len() as u64),
                status: None,
                status_name: "",
                latency: None,
                request_frame: None,
                reply_frame: Some(context.at.frame),
                detail: "",
            }),
        );
    }

    fn message(&mut self, context: &Context, message: &[u8], out: &mut dyn Sink) {
        let Some((header, body)) = Header::read(message) else { return };
        if header.options != 0 {
            // The standard has the receiver drop such a message.
            return broken(context, "enip_options", "options are not 0", out);
        }
        match header.command {
            SEND_RR_DATA | SEND_UNIT_DATA => self.cip(context, &header, body, out),
            NOP => {}
            LIST_TARGETS | LIST_SERVICES | LIST_IDENTITY | LIST_INTERFACES | REGISTER | UNREGISTER => {
                self.command(context, &header, body, out);
            }
            _ => out.mark(Mark::Undecoded("reserved command")),
        }
    }

    fn command(&mut self, context: &Context, header: &Header, body: &[u8], out: &mut dyn Sink) {
        let asks = match header.command {
            REGISTER => header.session == 0 && header.status == 0,
            UNREGISTER => true,
            _ => header.length == 0 && header.status == 0,
        };
        let key = Key::Command { command: header.command, context: header.context };
        if header.command == REGISTER && body.len() != 4 {
            broken(context, "enip_length", "register session has not four bytes of data", out);
        }
        if !asks {
            let ask = self.waiting.answer(&key);
            return self.tell_command(context, header, body, ask.as_ref(), out);
        }
        let ask = Ask {
            at: context.at,
            client: context.sender,
            server: context.receiver,
            command: header.command,
            session: header.session,
            connection_id: None,
            connection: None,
            bytes: self.spare.pop().unwrap_or_default(),
        };
        if header.command == UNREGISTER {
            // It has no reply.
            return self.give_up(ask, out);
        }
        self.wait(key, ask, out);
    }

    /// Who answers offers the service; version 1 of the encapsulation is the only one.
    fn tell_service(&mut self, context: &Context, out: &mut dyn Sink) {
        let Context { at, transport, sender: server, .. } = *context;
        let service = Service { server, transport, protocol: PROTOCOL, software: "", version: "1" };
        self.talk.claims.service(out, at, service);
    }

    fn tell_command(&mut self, context: &Context, header: &Header, body: &[u8], ask: Option<&Ask>, out: &mut dyn Sink) {
        self.tell_service(context, out);
        let (client, server) = (context.receiver, context.sender);
        self.detail.clear();
        listing::tell(header.command, body, &mut self.detail);
        if header.command == REGISTER {
            self.detail.number("session", header.session);
        }
        let status = Some((header.status, encapsulation::status(header.status)));
        self.emit_command(header.command, (client, server), ask.map(|ask| ask.at), Some(context.at), status, out);
        if header.command == LIST_IDENTITY
            && let Some(listed) = listing::identity(body)
        {
            self.listed(context, &listed, out);
        }
    }

    fn emit_command(
        &mut self,
        command: u16,
        (client, server): (Endpoint, Endpoint),
        asked: Option<At>,
        replied: Option<At>,
        status: Option<(u32, &'static str)>,
        out: &mut dyn Sink,
    ) {
        let class = match command {
            REGISTER | UNREGISTER => OperationClass::Session,
            _ => OperationClass::Identify,
        };
        out.emit(
            replied.or(asked).unwrap_or_default(),
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client,
                server,
                unit: None,
                code: u32::from(command),
                name: encapsulation::command(command),
                class,
                object: "",
                quantity: None,
                status: status.map(|(code, _)| code),
                status_name: status.map_or("", |(_, name)| name),
                latency: asked.zip(replied).map(|(asked, replied)| Timestamp::since(replied.ts, asked.ts)),
                request_frame: asked.map(|at| at.frame),
                reply_frame: replied.map(|at| at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }

    fn listed(&mut self, context: &Context, listed: &listing::Listed, out: &mut dyn Sink) {
        let subject = context.sender.address;
        let scratch = (&mut self.talk.claims, &mut self.line);
        listed.device.claim(subject, Source::List, context.at, scratch, out);
        if listed.address != subject && listed.address.is_host() {
            self.line.clear();
            let _ = std::fmt::Write::write_fmt(&mut self.line, format_args!("{}", listed.address));
            let method = "enip list identity socket address";
            let claim = Identity { subject, attribute: Attribute::Ip, value: &self.line, method };
            self.talk.claims.identity(out, context.at, claim);
        }
    }

    /// SendRRData and SendUnitData: interface handle, timeout, items.
    fn cip(&mut self, context: &Context, header: &Header, body: &[u8], out: &mut dyn Sink) {
        let Some((prefix, packet)) = body.split_at_checked(6) else {
            if header.status != 0 {
                return self.failed(context, header, out);
            }
            return broken(context, "enip_length", "no room for interface handle and timeout", out);
        };
        if prefix.get(..4) != Some(&[0; 4][..]) {
            return out.mark(Mark::Undecoded("interface other than CIP"));
        }
        if items(packet).any(|item| item.is_none()) {
            return broken(context, "enip_cpf_length", "item runs beyond the message", out);
        }
        if items(packet).flatten().any(|item| !is_item(item.kind)) {
            weird(context, "enip_cpf_item", "item type is not assigned", out);
        }
        match explicit(packet) {
            Some(message) if message.is_reply() => self.cip_reply(context, header, &message, out),
            Some(message) => self.cip_request(context, header, &message, out),
            None if header.status != 0 => self.failed(context, header, out),
            None => broken(context, "enip_cpf_length", "no item with a message", out),
        }
    }

    fn key(&self, header: &Header, message: &Explicit<'_>, reply: bool) -> (Key, Option<Connection>) {
        let Some(sequence) = message.sequence else {
            return (Key::Unconnected { context: header.context }, None);
        };
        let connection = message.connection.and_then(|id| self.talk.connections.find(id, reply));
        let id = connection.map_or(0, |connection| connection.to_target);
        (Key::Connected { connection: id, sequence }, connection)
    }

    fn cip_request(&mut self, context: &Context, header: &Header, message: &Explicit<'_>, out: &mut dyn Sink) {
        match Request::read(message.bytes) {
            None => broken(context, "cip_length", "request ends inside its path", out),
            Some(request) => {
                let target = path::target(request.path);
                if target.broken {
                    broken(context, "cip_path", "path has a segment that cannot be read", out);
                } else if names::service(request.service, &target).name.is_empty() {
                    out.mark(Mark::Undecoded("service of the vendor"));
                }
            }
        }
        let (key, connection) = self.key(header, message, false);
        // A connection that uses its sequence count again repeats or gave up its request.
        if message.sequence.is_some()
            && let Some(old) = self.waiting.answer(&key)
        {
            self.give_up(old, out);
        }
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.clear();
        bytes.extend_from_slice(message.bytes.get(..REQUEST_LIMIT).unwrap_or(message.bytes));
        let ask = Ask {
            at: context.at,
            client: context.sender,
            server: context.receiver,
            command: header.command,
            session: header.session,
            connection_id: message.connection,
            connection,
            bytes,
        };
        self.wait(key, ask, out);
    }

    fn cip_reply(&mut self, context: &Context, header: &Header, message: &Explicit<'_>, out: &mut dyn Sink) {
        let (key, connection) = self.key(header, message, true);
        if Reply::read(message.bytes).is_none() {
            broken(context, "cip_length", "reply ends inside its status", out);
        }
        self.tell_service(context, out);
        let ask = self.fitting(&key, message.bytes, out);
        if ask.is_none() {
            weird(context, "cip_reply_without_request", "reply to a request that was not seen", out);
        }
        let exchange = cip::Exchange {
            client: context.receiver,
            server: context.sender,
            asked: ask.as_ref().map(|ask| (ask.at, ask.bytes.as_slice())),
            replied: Some((context.at, message.bytes)),
            session: header.session,
            connection_id: ask.as_ref().and_then(|ask| ask.connection_id).or(message.connection),
            connection: ask.as_ref().map_or(connection, |ask| ask.connection),
            failure: None,
        };
        self.talk.exchange(&exchange, out);
        if let Some(ask) = ask {
            self.recycle(ask.bytes);
        }
    }

    /// The oldest request of this key that the reply can be of. Those before it have lost theirs: many clients never change their context.
    fn fitting(&mut self, key: &Key, reply: &[u8], out: &mut dyn Sink) -> Option<Ask> {
        let service = reply.first().map_or(0, |service| service & !REPLY);
        while let Some(ask) = self.waiting.answer(key) {
            if Request::read(&ask.bytes).is_none_or(|request| request.is_answered_by(service)) {
                return Some(ask);
            }
            self.give_up(ask, out);
        }
        None
    }

    /// The encapsulation refused a message.
    fn failed(&mut self, context: &Context, header: &Header, out: &mut dyn Sink) {
        let Some(ask) = self.waiting.answer(&Key::Unconnected { context: header.context }) else {
            return weird(context, "cip_reply_without_request", "refusal of a request that was not seen", out);
        };
        let exchange = cip::Exchange {
            client: ask.client,
            server: ask.server,
            asked: Some((ask.at, &ask.bytes)),
            replied: Some((context.at, &[])),
            session: ask.session,
            connection_id: None,
            connection: None,
            failure: Some((header.status, encapsulation::status(header.status))),
        };
        self.talk.exchange(&exchange, out);
        self.recycle(ask.bytes);
    }

    fn wait(&mut self, key: Key, ask: Ask, out: &mut dyn Sink) {
        if let Some(oldest) = self.waiting.ask(key, ask) {
            self.give_up(oldest, out);
        }
    }

    /// Tells a request that has no reply.
    fn give_up(&mut self, ask: Ask, out: &mut dyn Sink) {
        if matches!(ask.command, SEND_RR_DATA | SEND_UNIT_DATA) {
            let exchange = cip::Exchange {
                client: ask.client,
                server: ask.server,
                asked: Some((ask.at, &ask.bytes)),
                replied: None,
                session: ask.session,
                connection_id: ask.connection_id,
                connection: ask.connection,
                failure: None,
            };
            self.talk.exchange(&exchange, out);
        } else {
            self.detail.clear();
            self.emit_command(ask.command, (ask.client, ask.server), Some(ask.at), None, None, out);
        }
        self.recycle(ask.bytes);
    }

    fn recycle(&mut self, buffer: Vec<u8>) {
        if self.spare.len() < SPARE_LIMIT {
            self.spare.push(buffer);
        }
    }
}
