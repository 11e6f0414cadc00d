//! EtherNet/IP: the encapsulation (CIP Networks Library volume 2, chapter 2) and the CIP messages in it (volume 1).
//!
//! Operations of the encapsulation itself carry protocol `enip`, those of CIP carry `cip`.

mod cip;
mod identity;
mod names;
mod path;

use quaywatch_model::{
    At, Attribute, Direction, Endpoint, Identity, Mark, Observation, Operation, OperationClass, Service, Sink,
    Transport, Weird,
};
use quaywatch_wire::{Flow, Framer, Length, Pdu};

use crate::analyzer::Depth;
use crate::bytes::Cursor;
use crate::claims::Claims;
use crate::detail::Detail;
use crate::pairing::Pairing;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};
use cip::Asked;
use identity::DeviceIdentity;

/// Longest encapsulated message: the length field has 16 bits.
pub const MAX_MESSAGE: usize = HEADER + 65_535;
/// Requests of one flow that wait for replies.
pub const MAX_WAITING: usize = 256;

const HEADER: usize = 24;

/// The protocol.
pub struct Enip;

static META: ProtocolMeta = ProtocolMeta {
    name: "enip",
    title: "EtherNet/IP and CIP",
    tcp: &[44818],
    udp: &[44818],
    ethertypes: &[],
    spec: "ODVA CIP Networks Library volumes 1 and 2",
    found: "Rockwell controllers, drives and I/O on cranes",
    depth: Depth::Partial,
    control: true,
    scope: "encapsulation commands, explicit messages with paths and results, identity, connections, multiple services; values of tags, \
            implicit I/O on UDP 2222 and CIP Security are not decoded",
};

/// Encapsulation commands (volume 2, table 2-3.2).
const COMMANDS: [u16; 9] = [0x0000, 0x0004, 0x0063, 0x0064, 0x0065, 0x0066, 0x006f, 0x0070, 0x0072];

impl Protocol for Enip {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if !matches!(pdu.flow.transport, Transport::Tcp | Transport::Udp) {
            return Probe::No;
        }
        let Some(header) = Header::parse(pdu.data) else {
            let begins = pdu.data.len() < HEADER
                && pdu.flow.transport == Transport::Tcp
                && pdu
                    .data
                    .first_chunk::<2>()
                    .is_some_and(|code| COMMANDS.contains(&u16::from_le_bytes(*code)) && code[0] != 0);
            return if begins { Probe::Unsure } else { Probe::No };
        };
        if !header.is_plausible() {
            return Probe::No;
        }
        let whole =
            pdu.flow.transport == Transport::Tcp || pdu.cut || pdu.data.len() == HEADER + usize::from(header.length);
        match header.command {
            _ if !whole => Probe::No,
            0x0000 | 0x0066 => Probe::Unsure,
            0x0063 | 0x0004 | 0x0064 if header.length > 0 => Probe::YesFromServer,
            _ => Probe::Yes,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(EnipAnalyzer {
            client: Framer::new(MAX_MESSAGE),
            server: Framer::new(MAX_MESSAGE),
            state: State { waiting: Pairing::new(MAX_WAITING), claims: Claims::default(), detail: Detail::default() },
        })
    }
}

/// The encapsulation header (volume 2, section 2-3.1), little-endian.
#[derive(Clone, Copy)]
struct Header {
    command: u16,
    length: u16,
    session: u32,
    status: u32,
    context: u64,
    options: u32,
}

impl Header {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        Some(Header {
            command: cursor.le16()?,
            length: cursor.le16()?,
            session: cursor.le32()?,
            status: cursor.le32()?,
            context: cursor.le64()?,
            options: cursor.le32()?,
        })
    }

    /// Whether these can be the fields of a real message: known command, defined status, no options.
    fn is_plausible(&self) -> bool {
        COMMANDS.contains(&self.command)
            && self.options == 0
            && self.status <= 0xff
            && !(self.command == 0 && self.session == 0)
    }
}

fn length(bytes: &[u8]) -> Length {
    match Header::parse(bytes) {
        Some(header) if header.is_plausible() || header.command == 0 => {
            Length::Whole(HEADER + usize::from(header.length))
        }
        Some(_) => Length::Invalid,
        None => Length::NeedMore,
    }
}

/// What pairs a reply with its request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Key {
    /// Encapsulation command and sender context.
    Encapsulated(u16, u64),
    /// Sequence count on a connection; the two directions have different connection ids.
    Connected(u16),
}

struct Waiting {
    at: At,
    client: Endpoint,
    server: Endpoint,
    asked: Vec<Asked>,
    session: u32,
    connection: Option<u32>,
}

struct State {
    waiting: Pairing<Key, Waiting>,
    claims: Claims,
    detail: Detail,
}

struct EnipAnalyzer {
    client: Framer,
    server: Framer,
    state: State,
}

impl Analyzer for EnipAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if pdu.flow.transport == Transport::Udp {
            return self.state.message(pdu, pdu.data, out);
        }
        let from_client = pdu.direction == Direction::FromClient;
        let EnipAnalyzer { client, server, state } = self;
        let framer = if from_client { client } else { server };
        if framer.push(pdu.data, length, |message| state.message(pdu, message, out)).is_err() {
            weird(pdu, "enip_framing_lost", "bytes that are no encapsulation header", out);
        }
    }

    fn gap(&mut self, direction: Direction, _: u32, out: &mut dyn Sink) {
        match direction {
            Direction::FromClient => self.client.reset(),
            Direction::FromServer => self.server.reset(),
        }
        self.state.drain(out);
    }

    fn close(&mut self, _: &Flow, out: &mut dyn Sink) {
        self.state.drain(out);
    }
}

fn weird(pdu: &Pdu<'_>, name: &'static str, detail: &'static str, out: &mut dyn Sink) {
    let (sender, receiver) = (pdu.sender(), pdu.receiver());
    out.emit(pdu.at, Observation::Weird(Weird { name, protocol: META.name, detail, sender, receiver }));
    out.mark(Mark::Malformed(detail));
}

impl State {
    fn message(&mut self, pdu: &Pdu<'_>, message: &[u8], out: &mut dyn Sink) {
        let Some(header) = Header::parse(message) else {
            return weird(pdu, "enip_header_cut", "the message ends inside its header", out);
        };
        let data = message.get(HEADER..).unwrap_or_default();
        if data.len() < usize::from(header.length) && !pdu.cut {
            return weird(pdu, "enip_length_wrong", "the length is beyond the message's end", out);
        }
        let from_client = pdu.direction == Direction::FromClient;
        match header.command {
            0x006f => self.packets(pdu, &header, data, out),
            0x0070 => self.packets(pdu, &header, data, out),
            0x0063 if !data.is_empty() => self.list_identity(pdu, &header, data, out),
            0x0000 | 0x0072 => {}
            command if from_client => self.ask_command(pdu, &header, command),
            command => self.command_replied(pdu, &header, command, out),
        }
    }

    fn ask_command(&mut self, pdu: &Pdu<'_>, header: &Header, command: u16) {
        let asked = vec![Asked::command(command)];
        let (client, server) = (pdu.sender(), pdu.receiver());
        let waiting = Waiting { at: pdu.at, client, server, asked, session: header.session, connection: None };
        // The oldest gives way when there are too many; it had its chance of a reply.
        let _ = self.waiting.ask(Key::Encapsulated(command, header.context), waiting);
    }

    fn command_replied(&mut self, pdu: &Pdu<'_>, header: &Header, command: u16, out: &mut dyn Sink) {
        let waiting = self.waiting.answer(&Key::Encapsulated(command, header.context));
        let asked = Asked::command(command);
        let status = Some((header.status, names::encapsulation_status(header.status)));
        self.tell(Some(pdu), META.name, waiting.as_ref(), &asked, status, header.session, out);
        if command == 0x0065 {
            self.tell_service(pdu, pdu.sender(), out);
        }
    }

    fn tell_service(&mut self, pdu: &Pdu<'_>, server: Endpoint, out: &mut dyn Sink) {
        let service =
            Service { server, transport: pdu.flow.transport, protocol: META.name, software: "", version: "1" };
        self.claims.service(out, pdu.at, service);
    }

    /// Items of the common packet format (volume 2, section 2-6).
    fn packets(&mut self, pdu: &Pdu<'_>, header: &Header, data: &[u8], out: &mut dyn Sink) {
        if header.status != 0 && data.is_empty() {
            return self.command_replied(pdu, header, header.command, out);
        }
        let mut cursor = Cursor::new(data);
        let count = cursor.skip(6).and_then(|()| cursor.le16());
        let Some(count) = count else {
            return weird(pdu, "enip_items_cut", "the message ends before its items", out);
        };
        let mut connection = None;
        for _ in 0..count.min(16) {
            let item = cursor
                .le16()
                .zip(cursor.le16())
                .and_then(|(kind, length)| Some((kind, cursor.take(usize::from(length))?)));
            let Some((kind, body)) = item else {
                return weird(pdu, "enip_items_cut", "the message ends inside an item", out);
            };
            match kind {
                0x00a1 => connection = Cursor::new(body).le32(),
                0x00b1 => {
                    let mut body = Cursor::new(body);
                    let Some(sequence) = body.le16() else {
                        return weird(pdu, "enip_items_cut", "connected data without its sequence count", out);
                    };
                    self.cip(pdu, header, Key::Connected(sequence), connection, body.rest(), out);
                }
                0x00b2 => self.cip(pdu, header, Key::Encapsulated(header.command, header.context), None, body, out),
                _ => {}
            }
        }
    }

    fn cip(
        &mut self,
        pdu: &Pdu<'_>,
        header: &Header,
        key: Key,
        connection: Option<u32>,
        message: &[u8],
        out: &mut dyn Sink,
    ) {
        let Some(service) = message.first() else {
            return weird(pdu, "cip_empty", "a data item without a CIP message", out);
        };
        if service & 0x80 == 0 {
            let Some(asked) = cip::request(message) else {
                return weird(pdu, "cip_request_cut", "a CIP request that ends inside its path", out);
            };
            let (client, server) = (pdu.sender(), pdu.receiver());
            let waiting = Waiting { at: pdu.at, client, server, asked, session: header.session, connection };
            if let Some(oldest) = self.waiting.ask(key, waiting) {
                self.unanswered(&oldest, out);
            }
            return;
        }
        let waiting = self.waiting.answer(&key);
        let Some(replies) = cip::reply(message, waiting.as_ref().map_or(&[], |waiting| waiting.asked.as_slice()))
        else {
            return weird(pdu, "cip_reply_cut", "a CIP reply that ends inside its status", out);
        };
        self.tell_service(pdu, pdu.sender(), out);
        for reply in replies {
            let status = Some((u32::from(reply.status), names::general_status(reply.status)));
            let device = identity::from_reply(&reply);
            self.tell(Some(pdu), "cip", waiting.as_ref(), &reply.asked, status, header.session, out);
            if let Some(device) = device {
                self.claim(pdu, pdu.sender(), &device, "cip identity object", out);
            }
        }
    }

    fn list_identity(&mut self, pdu: &Pdu<'_>, header: &Header, data: &[u8], out: &mut dyn Sink) {
        // On UDP the request is a broadcast, in a flow of its own; the reply tells all.
        let waiting = self.waiting.answer(&Key::Encapsulated(header.command, header.context));
        let status = Some((header.status, names::encapsulation_status(header.status)));
        let asked = Asked::command(header.command);
        self.tell(Some(pdu), META.name, waiting.as_ref(), &asked, status, header.session, out);
        let mut cursor = Cursor::new(data);
        for _ in 0..cursor.le16().unwrap_or(0).min(16) {
            let item = cursor
                .le16()
                .zip(cursor.le16())
                .and_then(|(kind, length)| Some((kind, cursor.take(usize::from(length))?)));
            let Some((kind, body)) = item else {
                return weird(pdu, "enip_items_cut", "the message ends inside an item", out);
            };
            if kind == 0x000c {
                match identity::from_list(body) {
                    Some(device) => {
                        self.tell_service(pdu, pdu.sender(), out);
                        self.claim(pdu, pdu.sender(), &device, "enip list identity", out);
                    }
                    None => weird(pdu, "enip_identity_cut", "an identity item that ends inside a field", out),
                }
            }
        }
    }

    fn claim(
        &mut self,
        pdu: &Pdu<'_>,
        who: Endpoint,
        device: &DeviceIdentity,
        method: &'static str,
        out: &mut dyn Sink,
    ) {
        let mut claim = |attribute: Attribute, value: &str| {
            let claimed = Identity { subject: who.address, attribute, value, method };
            self.claims.identity(out, pdu.at, claimed);
        };
        if let Some(vendor) = device.vendor {
            match names::vendor(vendor) {
                Some(name) => claim(Attribute::Vendor, name),
                None => claim(Attribute::Vendor, &format!("ODVA vendor {vendor}")),
            }
        }
        if let Some(kind) = device.device_type.and_then(names::device_type) {
            claim(Attribute::Capability, kind);
        }
        if let Some(name) = &device.product_name {
            claim(Attribute::Product, name);
        }
        if let Some((major, minor)) = device.revision {
            claim(Attribute::Firmware, &format!("{major}.{minor}"));
        }
        if let Some(serial) = device.serial {
            claim(Attribute::Serial, &format!("{serial:08X}"));
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one row, told in one place")]
    fn tell(
        &mut self,
        pdu: Option<&Pdu<'_>>,
        protocol: &'static str,
        waiting: Option<&Waiting>,
        asked: &Asked,
        status: Option<(u32, &str)>,
        session: u32,
        out: &mut dyn Sink,
    ) {
        let at = match (waiting, pdu) {
            (Some(waiting), _) => waiting.at,
            (None, Some(pdu)) => pdu.at,
            (None, None) => return,
        };
        let (client, server) = match (waiting, pdu) {
            (Some(waiting), _) => (waiting.client, waiting.server),
            (None, Some(pdu)) => (pdu.receiver(), pdu.sender()),
            (None, None) => return,
        };
        asked.detail(&mut self.detail, session, waiting.and_then(|waiting| waiting.connection));
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol,
                client,
                server,
                unit: asked.slot,
                code: u32::from(asked.code),
                name: asked.name,
                class: asked.class,
                object: &asked.object,
                quantity: asked.quantity,
                status: status.map(|(code, _)| code),
                status_name: status.map_or("", |(_, name)| name),
                latency: waiting.zip(pdu).map(|(waiting, pdu)| pdu.at.ts.since(waiting.at.ts)),
                request_frame: waiting.map(|waiting| waiting.at.frame),
                reply_frame: pdu.map(|pdu| pdu.at.frame),
                detail: self.detail.finish(),
            }),
        );
    }

    fn unanswered(&mut self, waiting: &Waiting, out: &mut dyn Sink) {
        for asked in &waiting.asked {
            let protocol =
                if asked.class == OperationClass::Session && asked.object.is_empty() { META.name } else { "cip" };
            let protocol = if asked.is_command { META.name } else { protocol };
            self.tell(None, protocol, Some(waiting), asked, None, waiting.session, out);
        }
    }

    fn drain(&mut self, out: &mut dyn Sink) {
        let left: Vec<Waiting> = self.waiting.drain().collect();
        for waiting in &left {
            self.unanswered(waiting, out);
        }
    }
}

#[cfg(test)]
mod tests;
