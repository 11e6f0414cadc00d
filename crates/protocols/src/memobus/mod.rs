//! Extended MEMOBUS of Yaskawa machine controllers over TCP and UDP.
//!
//! A 218 header of 12 bytes, then a MEMOBUS message. Functions that plain MEMOBUS shares with Modbus have their numbers high
//! byte first; the extended ones have them low byte first.

mod names;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use quaywatch_model::{At, Direction, Endpoint, Observation, Operation, Sink, Transport};
use quaywatch_wire::{Flow, Length, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::bytes::Cursor;
use crate::deviation::malformed;
use crate::framers::Framers;
use crate::pairing::Pairing;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "memobus";
/// Requests that wait for replies at the same time.
pub const WAITING_LIMIT: usize = 32;
/// The 218 header.
const HEADER: usize = 12;
/// Longest frame taken: 508 words and their headers.
const LIMIT: usize = 1100;
const COMMAND: u8 = 0x11;
const RESPONSE: u8 = 0x19;
/// Main function code of MEMOBUS.
const MFC: u8 = 0x20;

/// The registry entry.
pub struct Memobus;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "Extended MEMOBUS",
    tcp: &[],
    udp: &[],
    ethertypes: &[],
    spec: "Yaskawa MP920 Communications Module manual appendix B; MP3000 Series Communication manual section 2.16",
    found: "Yaskawa machine controllers and the drives behind them on cranes",
    depth: Depth::Partial,
    purpose: Purpose::Control,
    scope: "All functions with their registers and errors; values and scattered addresses are not told.",
};

fn frame_length(bytes: &[u8]) -> Length {
    match bytes {
        [COMMAND | RESPONSE, _, _, _, 0, 0, low, high, ..] => {
            let length = usize::from(u16::from_le_bytes([*low, *high]));
            if (HEADER + 5..=LIMIT).contains(&length) { Length::Whole(length) } else { Length::Invalid }
        }
        [COMMAND | RESPONSE, ..] if bytes.len() < 8 => Length::NeedMore,
        [] => Length::NeedMore,
        _ => Length::Invalid,
    }
}

/// A message behind its header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Message<'a> {
    response: bool,
    serial: u8,
    function: u8,
    /// Numbers of the CPUs, the addressed in the high half.
    cpu: u8,
    body: &'a [u8],
}

impl<'a> Message<'a> {
    /// A whole frame; none if its lengths and codes are not those of a MEMOBUS message.
    fn read(frame: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(frame);
        let (kind, serial) = (cursor.u8()?, cursor.u8()?);
        cursor.skip(4)?;
        let total = usize::from(cursor.le16()?);
        let unused = cursor.be32()?;
        let length = usize::from(cursor.le16()?);
        let (main, function, cpu) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
        let fits = total == frame.len() && length + 2 + HEADER == total && unused == 0 && main & 0x7f == MFC;
        let known = names::function(function & 0x7f).is_some();
        (fits && known && matches!(kind, COMMAND | RESPONSE)).then_some(Message {
            response: kind == RESPONSE,
            serial,
            function,
            cpu,
            body: cursor.rest(),
        })
    }

    /// First register and how many, of a request.
    fn range(&self) -> Option<(u32, u32)> {
        let mut cursor = Cursor::new(self.body);
        let (first, count) = match self.function {
            1..=4 | 0x0f | 0x10 => (cursor.be16()?, cursor.be16()?),
            5 | 6 => (cursor.be16()?, 1),
            9..=0x0b => {
                cursor.skip(1)?;
                (cursor.le16()?, cursor.le16()?)
            }
            _ => return None,
        };
        Some((u32::from(first), u32::from(count)))
    }
}

impl Protocol for Memobus {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        let whole = match (pdu.flow.transport, frame_length(pdu.data)) {
            (Transport::Tcp, Length::Whole(whole)) => whole,
            (Transport::Udp, Length::Whole(whole)) if whole == pdu.data.len() => whole,
            _ => return Probe::No,
        };
        match pdu.data.get(..whole).map(Message::read) {
            Some(Some(message)) if message.response => Probe::YesFromServer,
            Some(Some(_)) => Probe::Yes,
            Some(None) => Probe::No,
            None => Probe::Unsure,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(MemobusFlow { framers: Framers::new(LIMIT), talk: Talk::default() })
    }
}

/// A request that waits for its reply.
#[derive(Debug)]
struct Ask {
    at: At,
    client: Endpoint,
    server: Endpoint,
    function: u8,
    cpu: u8,
    range: Option<(u32, u32)>,
}

struct MemobusFlow {
    framers: Framers,
    talk: Talk,
}

struct Talk {
    /// By who asks, serial number and function.
    waiting: Pairing<(Direction, u8, u8), Ask>,
    object: String,
}

impl Default for Talk {
    fn default() -> Self {
        Talk { waiting: Pairing::new(WAITING_LIMIT), object: String::new() }
    }
}

impl Analyzer for MemobusFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let MemobusFlow { framers, talk } = self;
        let framer = framers.of(pdu.direction);
        if framer.push(pdu.data, frame_length, |frame| talk.frame(pdu, frame, out)).is_err() {
            malformed(PROTOCOL, pdu, "memobus_header", "218 header is not possible", out);
        } else if pdu.flow.transport == Transport::Udp && framer.held() > 0 {
            framer.reset();
            malformed(PROTOCOL, pdu, "memobus_length", "datagram is shorter than its header says", out);
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u32, out: &mut dyn Sink) {
        self.framers.of(direction).reset();
        self.talk.give_up(out);
    }

    fn close(&mut self, _: &Flow, out: &mut dyn Sink) {
        self.talk.give_up(out);
    }
}

impl Talk {
    fn frame(&mut self, pdu: &Pdu<'_>, frame: &[u8], out: &mut dyn Sink) {
        let Some(message) = Message::read(frame) else {
            return malformed(PROTOCOL, pdu, "memobus_message", "lengths or function code are not possible", out);
        };
        if message.response {
            let key = (pdu.direction.reverse(), message.serial, message.function & 0x7f);
            let ask = self.waiting.answer(&key);
            return self.tell(ask.as_ref(), Some((pdu, &message)), out);
        }
        let Message { function, cpu, serial, .. } = message;
        let ask =
            Ask { at: pdu.at, client: pdu.sender(), server: pdu.receiver(), function, cpu, range: message.range() };
        if let Some(lost) = self.waiting.ask((pdu.direction, serial, function), ask) {
            self.tell(Some(&lost), None, out);
        }
    }

    fn give_up(&mut self, out: &mut dyn Sink) {
        while let Some(ask) = self.waiting.oldest() {
            self.tell(Some(&ask), None, out);
        }
    }

    fn tell(&mut self, ask: Option<&Ask>, reply: Option<(&Pdu<'_>, &Message<'_>)>, out: &mut dyn Sink) {
        let Some(at) = reply.map(|(pdu, _)| pdu.at).or(ask.map(|ask| ask.at)) else { return };
        let ends = ask.map(|ask| (ask.client, ask.server)).or(reply.map(|(pdu, _)| (pdu.receiver(), pdu.sender())));
        let Some((client, server)) = ends else { return };
        let function = ask.map(|ask| ask.function).or(reply.map(|(_, message)| message.function & 0x7f)).unwrap_or(0);
        let Some((name, class, area)) = names::function(function) else { return };
        let cpu = ask.map(|ask| ask.cpu).or(reply.map(|(_, message)| message.cpu)).map(|cpu| u32::from(cpu >> 4));
        let range = ask.and_then(|ask| ask.range);
        self.object.clear();
        if let Some((first, count)) = range {
            // Writing to a string cannot fail.
            let _ = match count {
                0 | 1 => write!(self.object, "{area} {first}"),
                _ => write!(self.object, "{area} {first}-{}", first + (count - 1)),
            };
        }
        // A refused function comes back with the top bit set and a code behind it.
        let status = reply.map(|(_, message)| {
            if message.function & 0x80 == 0 { 0 } else { message.body.first().copied().map_or(u32::MAX, u32::from) }
        });
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client,
                server,
                unit: cpu,
                code: u32::from(function),
                name,
                class,
                object: &self.object,
                quantity: range.map(|(_, count)| u64::from(count)),
                status,
                status_name: status.map_or("", names::error),
                latency: ask.zip(reply).map(|(ask, (pdu, _))| pdu.at.ts.since(ask.at.ts)),
                request_frame: ask.map(|ask| ask.at.frame),
                reply_frame: reply.map(|(pdu, _)| pdu.at.frame),
                detail: "",
            }),
        );
    }
}
