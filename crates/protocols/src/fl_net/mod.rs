//! FL-net (OPCN-2): the token ring over UDP by which controllers of different Japanese makers share memory, ports 55000 to 55003.
//!
//! Cyclic: one operation a node at first sight, one a change of its state or areas, one with the count at the end.

pub mod header;
pub mod names;
mod profile;
#[cfg(test)]
mod tests;

use quaywatch_model::{At, Attribute, Endpoint, Mark, Observation, Operation, OperationClass, Sink, Transport};
use quaywatch_wire::{Flow, Pdu};

use self::header::{Area, HEADER, Header};
use self::names::{Kind, RESPONSE};
use crate::analyzer::{Depth, Purpose};
use crate::bytes::Cursor;
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::deviation::malformed_if_whole;
use crate::pairing::Pairing;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "fl-net";
/// Port that takes messages.
const MESSAGES: u16 = 55001;
/// Port that all send from.
const SENDING: u16 = 55003;
/// Nodes of one flow that are kept apart, each with two kinds of frames: node numbers are one byte.
pub const TALKER_LIMIT: usize = 512;
/// Requests that wait for responses at the same time.
pub const WAITING_LIMIT: usize = 32;

/// The registry entry.
pub struct FlNet;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "FL-net",
    tcp: &[],
    udp: &[55000, MESSAGES, 55002, SENDING],
    ethertypes: &[],
    spec: "JIS B 3521 (JEM 1479) and JEM-TR 214, as told by the manuals of Omron W440, Hitachi and ProSoft MVI56E-FLN",
    found: "Japanese controllers, drives and control desks of cranes, ship loaders and mills: Omron, Yaskawa, Hitachi, Toshiba, JTEKT",
    depth: Depth::Partial,
    purpose: Purpose::Control,
    scope: "All transaction codes: cyclic data by node with state and areas, reads and writes with address and size, run and stop, network \
            parameters, logs, profile. Values and the content of transparent and vendor messages are not decoded.",
};

impl Protocol for FlNet {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Udp {
            return Probe::No;
        }
        let Some(header) = Header::read(&mut Cursor::new(pdu.data)) else { return Probe::No };
        let fits = header.fits(pdu.data.len()) || pdu.cut;
        match names::transaction(header.code).1 {
            Kind::Reserved => Probe::No,
            _ if !fits || header.from == 0 => Probe::No,
            Kind::Response => Probe::YesFromServer,
            _ => Probe::Yes,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(Ring {
            talkers: Vec::new(),
            waiting: Pairing::new(WAITING_LIMIT),
            claims: Claims::default(),
            detail: DetailJson::default(),
            line: String::new(),
        })
    }
}

/// What one node sends over and over.
#[derive(Clone, Copy, Debug)]
struct Talker {
    header: Header,
    kind: Kind,
    count: u64,
    first: At,
    last: At,
    ends: (Endpoint, Endpoint),
}

/// A message with the place it was seen at.
#[derive(Clone, Copy, Debug)]
struct Message {
    at: At,
    header: Header,
    ends: (Endpoint, Endpoint),
}

struct Ring {
    talkers: Vec<Talker>,
    /// By asking node, asked node and code.
    waiting: Pairing<(u8, u8, u16), Message>,
    claims: Claims,
    detail: DetailJson,
    line: String,
}

impl Analyzer for Ring {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let mut cursor = Cursor::new(pdu.data);
        let Some(header) = Header::read(&mut cursor) else {
            let reason = if pdu.data.len() < HEADER { "header is cut short" } else { "not an FL-net header" };
            return malformed_if_whole(PROTOCOL, pdu, "fl_net_header", reason, out);
        };
        if !header.fits(pdu.data.len()) {
            malformed_if_whole(PROTOCOL, pdu, "fl_net_length", "lengths do not fit the datagram", out);
        }
        let (_, kind, _) = names::transaction(header.code);
        match kind {
            Kind::Cyclic | Kind::Ring => self.cyclic(pdu, header, kind, out),
            Kind::Reserved => out.mark(Mark::Undecoded("reserved transaction code of FL-net")),
            Kind::Request => self.request(pdu, header, out),
            Kind::Response => self.response(pdu, header, cursor.rest(), out),
            Kind::Message => {
                out.mark(Mark::Undecoded("message between programs"));
                // Blocks after the first belong to the message that is told already.
                if header.block <= 1 {
                    self.tell(Some(Message::of(pdu, header)), None, out);
                }
            }
        }
    }

    fn close(&mut self, _: &Flow, out: &mut dyn Sink) {
        while let Some(ask) = self.waiting.oldest() {
            self.tell(Some(ask), None, out);
        }
        for talker in std::mem::take(&mut self.talkers) {
            if talker.count > 1 {
                self.tell_cyclic(&talker, "counted", out);
            }
        }
    }
}

impl Ring {
    fn request(&mut self, pdu: &Pdu<'_>, header: Header, out: &mut dyn Sink) {
        if header.block > 1 {
            return;
        }
        let message = Message::of(pdu, header);
        // Between the usual ports the response comes in a flow of its own.
        if pdu.sender().port == SENDING && pdu.receiver().port == MESSAGES {
            return self.tell(Some(message), None, out);
        }
        if let Some(lost) = self.waiting.ask((header.from, header.to, header.code), message) {
            self.tell(Some(lost), None, out);
        }
    }

    fn response(&mut self, pdu: &Pdu<'_>, header: Header, data: &[u8], out: &mut dyn Sink) {
        if header.block > 1 {
            return;
        }
        let ask = self.waiting.answer(&(header.to, header.from, header.code.saturating_sub(RESPONSE)));
        self.tell(ask, Some(Message::of(pdu, header)), out);
        if header.code == 65011 + RESPONSE && header.result == 0 {
            let (claims, subject) = (&mut self.claims, pdu.sender().address);
            profile::read(data, &mut |attribute, value, method| {
                claims.identify(out, pdu.at, subject, (attribute, value, method));
            });
        }
    }

    fn cyclic(&mut self, pdu: &Pdu<'_>, header: Header, kind: Kind, out: &mut dyn Sink) {
        let same = |known: &Talker| {
            known.header.from == header.from && known.kind == kind && known.ends.0.address == pdu.sender().address
        };
        if let Some(known) = self.talkers.iter_mut().find(|known| same(known)) {
            let changed = told_of(&known.header) != told_of(&header);
            *known = Talker { header, count: known.count.saturating_add(1), last: pdu.at, ..*known };
            let told = *known;
            if changed {
                self.state(pdu, &header, out);
                self.tell_cyclic(&told, "changed", out);
            }
            return;
        }
        if self.talkers.len() >= TALKER_LIMIT {
            return;
        }
        let ends = (pdu.sender(), pdu.receiver());
        let talker = Talker { header, kind, count: 1, first: pdu.at, last: pdu.at, ends };
        self.talkers.push(talker);
        self.state(pdu, &header, out);
        self.tell_cyclic(&talker, "", out);
    }

    /// Claims who the sender is and how its controller does.
    fn state(&mut self, pdu: &Pdu<'_>, header: &Header, out: &mut dyn Sink) {
        let subject = pdu.sender().address;
        let (node, method) = (format!("FL-net node {}", header.from), "fl-net source node");
        self.claims.identify(out, pdu.at, subject, (Attribute::Capability, &node, method));
        if names::transaction(header.code).1 == Kind::Cyclic {
            let state = names::state(header.upper_status);
            self.claims.identify(out, pdu.at, subject, (Attribute::State, state, "fl-net upper layer status"));
        }
    }

    fn tell_cyclic(&mut self, talker: &Talker, said: &str, out: &mut dyn Sink) {
        let Talker { header, kind, count, first, last, ends } = *talker;
        let (name, _, class) = names::transaction(header.code);
        // A node sends with the token and without: both are its cyclic data.
        let name = if kind == Kind::Cyclic { "cyclic data" } else { name };
        let name = match said {
            "" => name.to_owned(),
            said => format!("{name} {said}"),
        };
        self.describe(&header);
        if kind == Kind::Cyclic {
            self.describe_state(&header);
        }
        out.emit(
            last,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                // The node sends unasked: who listens is the client of its data.
                client: ends.1,
                server: ends.0,
                unit: Some(u32::from(header.from)),
                code: u32::from(header.code),
                name: &name,
                class,
                object: &format!("node {}", header.from),
                quantity: Some(count),
                status: None,
                status_name: "",
                latency: None,
                request_frame: Some(first.frame),
                reply_frame: Some(last.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }

    fn describe(&mut self, header: &Header) {
        let detail = &mut self.detail;
        detail.clear();
        detail.number("from_node", header.from);
        detail.number("to_node", header.to);
        detail.number("protocol_version", header.version);
        if header.blocks > 1 {
            detail.number("blocks", header.blocks);
        }
    }

    fn describe_state(&mut self, header: &Header) {
        let detail = &mut self.detail;
        detail.text("upper_layer", names::state(header.upper_status));
        let error = header.upper_status & names::ERROR_CODE;
        if error != 0 {
            detail.number("error_code", error);
        }
        let set = names::LINK_BITS.iter().filter(|(bit, _)| header.link_status & bit != 0);
        detail.texts("link", set.map(|(_, name)| name));
        for (key_start, key_words, Area { start, words }) in
            [("area1_start", "area1_words", header.areas[0]), ("area2_start", "area2_words", header.areas[1])]
        {
            detail.number(key_start, start);
            detail.number(key_words, words);
        }
        detail.number("token_time_ms", header.token_time);
        detail.number("refresh_cycle_ms", header.refresh_cycle);
        detail.number("frame_interval_us", i64::from(header.frame_interval).saturating_mul(100));
    }

    fn tell(&mut self, ask: Option<Message>, answer: Option<Message>, out: &mut dyn Sink) {
        let Some(Message { at, header, .. }) = answer.or(ask) else { return };
        let (name, _, class) = names::transaction(header.code);
        let (client, server) = match (ask, answer) {
            (Some(ask), _) => ask.ends,
            (None, Some(answer)) => (answer.ends.1, answer.ends.0),
            (None, None) => return,
        };
        let server_node = if answer.is_some() { header.from } else { header.to };
        self.describe(&header);
        self.detail.number("sequence", header.sequence);
        // The request says which block; a response may repeat it or not.
        let (address, size) = ask.map_or((header.address, header.size), |ask| (ask.header.address, ask.header.size));
        let object = match (class, header.code) {
            (OperationClass::Read | OperationClass::Write, code @ 65003..=65206) => {
                let unit = if matches!(code, 65003 | 65004 | 65203 | 65204) { "byte" } else { "word" };
                format!("{unit} {address}")
            }
            (_, 0..=64999) => format!("transaction {}", header.code),
            _ => String::new(),
        };
        let blocks = object.starts_with("byte") || object.starts_with("word");
        let code = if answer.is_some() { header.code.saturating_sub(RESPONSE) } else { header.code };
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client,
                server,
                unit: Some(u32::from(server_node)),
                code: u32::from(code),
                name,
                class,
                object: &object,
                quantity: blocks.then_some(u64::from(size)),
                status: answer.map(|answer| u32::from(answer.header.result)),
                status_name: answer.map_or("", |answer| names::result(answer.header.result)),
                latency: ask.zip(answer).map(|(ask, answer)| answer.at.ts.0.saturating_sub(ask.at.ts.0)),
                request_frame: ask.map(|ask| ask.at.frame),
                reply_frame: answer.map(|answer| answer.at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }
}

impl Message {
    const fn of(pdu: &Pdu<'_>, header: Header) -> Self {
        Message { at: pdu.at, header, ends: (pdu.sender(), pdu.receiver()) }
    }
}

/// What must change for a node's cyclic data to be told again.
fn told_of(header: &Header) -> (u16, u8, [Area; 2], u16) {
    (header.upper_status, header.link_status & names::LINK_STATUS, header.areas, header.refresh_cycle)
}
