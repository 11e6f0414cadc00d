//! Low Level Reader Protocol (EPCglobal LLRP 1.0.1 and 1.1): who commands a RFID reader, and which tags it sees.
//!
//! The reader may be the end that opens the connection: who is reader and who is client is taken from the messages. Nothing
//! in the protocol asks the client who it is.

pub mod names;
mod parameters;
mod reports;
mod requests;
mod talk;
#[cfg(test)]
mod tests;
mod unasked;

use quaywatch_model::{Direction, Mark, Sink, Timestamp, Transport};
use quaywatch_wire::{Flow, Length, Pdu};

use self::names::{KEEPALIVE, KEEPALIVE_ACK, NOTIFICATION, Role};
use self::requests::Message;
use self::talk::Talk;
use crate::analyzer::{Depth, Purpose};
use crate::bytes::Cursor;
use crate::deviation::malformed;
use crate::resync::Resync;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "llrp";
/// Bytes of a message's header.
const HEADER: usize = 10;
/// Longest message taken: a reader's tables of powers and frequencies have some ten thousand bytes.
const LIMIT: usize = 256 * 1024;
/// Requests that wait for their answers.
pub const WAITING_LIMIT: usize = 64;
/// Tags, each at each antenna, that one flow tells; those beyond are counted.
pub const TAG_LIMIT: usize = 4096;
/// Claims and results remembered by one flow.
const CLAIMS_LIMIT: usize = 256;
/// The reader's clock is told again when it moved against the capture by this much, nanoseconds.
const CLOCK_STEP: i64 = Timestamp::SECOND;

/// The registry entry.
pub struct Llrp;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "LLRP",
    tcp: &[5084],
    udp: &[],
    ethertypes: &[],
    spec: "EPCglobal Low Level Reader Protocol 1.0.1 and 1.1; GS1 EPC Tag Data Standard",
    found: "RFID readers at gates, lanes and on yard equipment",
    depth: Depth::Full,
    purpose: Purpose::Field,
    scope: "All messages with status; ROSpecs, AccessSpecs and configuration with their parameters; tags as cargo; makers' own \
            messages are named only.",
};

impl Protocol for Llrp {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport == Transport::Tcp { probe(pdu.data) } else { Probe::No }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(LlrpFlow { from_client: Resync::new(LIMIT), from_server: Resync::new(LIMIT), talk: Talk::default() })
    }
}

/// Whether these bytes begin as a message does, as far as they go.
fn begins(bytes: &[u8]) -> bool {
    let mut cursor = Cursor::new(bytes);
    let Some(first) = cursor.be16() else { return false };
    let known = names::message_of(first & 0x03ff).is_some();
    known && first & 0xe000 == 0 && matches!(first >> 10, 1 | 2) && !matches!(message_length(bytes), Length::Invalid)
}

fn message_length(bytes: &[u8]) -> Length {
    let mut cursor = Cursor::new(bytes);
    match cursor.be16() {
        Some(first) if first & 0xe000 != 0 => return Length::Invalid,
        _ => {}
    }
    match cursor.be32().map(|length| usize::try_from(length).unwrap_or(usize::MAX)) {
        Some(length) if (HEADER..=LIMIT).contains(&length) => Length::Whole(length),
        Some(_) => Length::Invalid,
        None => Length::NeedMore,
    }
}

fn probe(bytes: &[u8]) -> Probe {
    if !begins(bytes) {
        // The first byte of a version 1 or 2 message, alone.
        let alone = matches!(bytes, [first] if matches!(first >> 2, 1 | 2));
        return if alone { Probe::Unsure } else { Probe::No };
    }
    let Length::Whole(whole) = message_length(bytes) else { return Probe::Unsure };
    let Some(message) = Message::read(bytes.get(..whole.min(bytes.len())).unwrap_or_default()) else {
        return Probe::Unsure;
    };
    let sound = if whole <= bytes.len() {
        is_plausible(&message) && message.is_sound()
    } else {
        // Only its beginning is here: the first parameter must be one of the standard's and fit.
        match first_parameter(&message, whole - HEADER) {
            Some(fits) => fits,
            None => return Probe::Unsure,
        }
    };
    match names::message_of(message.kind).map(|known| known.role) {
        _ if !sound => Probe::No,
        Some(Role::Answer | Role::ReaderAsks(_) | Role::ReaderTells) => Probe::YesFromServer,
        Some(Role::Custom) | None => Probe::Unsure,
        Some(_) => Probe::Yes,
    }
}

/// Whether the message holds what its type must.
fn is_plausible(message: &Message<'_>) -> bool {
    let holds = |kind| parameters::find(message.parameters(), kind).is_some();
    match names::message_of(message.kind).map(|known| known.role) {
        Some(Role::Answer) => holds(287),
        _ => match message.kind {
            20 => holds(177),
            40 => holds(207),
            NOTIFICATION => holds(246),
            14 | 26 | 44 | 46 | 60 | 64 | KEEPALIVE | KEEPALIVE_ACK => message.body.is_empty(),
            _ => true,
        },
    }
}

/// Whether the first parameter of a message whose end is not here is known and fits; `None` if it is not here either.
fn first_parameter(message: &Message<'_>, body: usize) -> Option<bool> {
    let fields = message.fields()?.left();
    let mut cursor = Cursor::new(message.body.get(fields..)?);
    let first = cursor.be16()?;
    let length = usize::from(cursor.be16()?);
    let known = first & 0xfc00 == 0 && !names::parameter(first).is_empty();
    Some(known && length >= 4 && length.checked_add(fields)? <= body)
}

struct LlrpFlow {
    from_client: Resync,
    from_server: Resync,
    talk: Talk,
}

impl Analyzer for LlrpFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let LlrpFlow { from_client, from_server, talk } = self;
        let side = if pdu.direction == Direction::FromClient { from_client } else { from_server };
        match side.push(pdu.data, begins, message_length, |bytes| talk.message(pdu, bytes, out)) {
            Ok(true) => {}
            Ok(false) => out.mark(Mark::Undecoded("llrp after a gap")),
            Err(_) => malformed(PROTOCOL, pdu, "llrp_header", "message header is not possible", out),
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u32, out: &mut dyn Sink) {
        match direction {
            Direction::FromClient => self.from_client.gap(),
            Direction::FromServer => self.from_server.gap(),
        }
        self.talk.give_up(out);
    }

    fn close(&mut self, _: &Flow, out: &mut dyn Sink) {
        self.talk.give_up(out);
        self.talk.tell_counts(out);
    }
}
