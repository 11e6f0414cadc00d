//! GE SRTP, the service request transport protocol: how engineering, HMIs and historians talk to GE controllers on TCP 18245.
//!
//! Fixed part of 56 bytes, mostly undocumented; what is decoded here is what public research agrees on.

use std::fmt::Write as _;

use quaywatch_model::{
    At, Attribute, Direction, Endpoint, Mark, Observation, Operation, OperationClass, Sink, Transport,
};
use quaywatch_wire::{Flow, Framer, Length, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::bytes::{Cursor, device_text};
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::deviation::malformed;
use crate::pairing::Pairing;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "ge-srtp";
/// Bytes of the fixed part; text of the length it states follows.
const FIXED: usize = 56;
/// Longest message that is read: the length is 16 bits.
pub const MESSAGE_LIMIT: usize = FIXED + 0xffff;
/// Requests that wait for replies at the same time.
pub const WAITING_LIMIT: usize = 32;

/// The registry entry.
pub struct GeSrtp;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "GE SRTP",
    tcp: &[18245, 18246],
    udp: &[],
    ethertypes: &[],
    spec: "Denton et al., Leveraging the SRTP protocol for over-the-network memory acquisition, DFRWS 2017; open drivers",
    found: "Older STS and RTG cranes with GE controllers: their HMIs, historians and programmers",
    depth: Depth::Partial,
    purpose: Purpose::Control,
    scope: "Services with memory, address and quantity; run and stop, privilege level, program load and store, controller \
            type. Values, programs and the meaning of error codes are not decoded.",
};

/// Name and class of a service request code (byte 42).
const fn service(code: u8) -> Option<(&'static str, OperationClass)> {
    use OperationClass::{Configure, Control, Diagnose, Identify, Program, Read, Session, Write};
    Some(match code {
        0x00 => ("PLC short status", Diagnose),
        0x03 => ("return control program names", Identify),
        0x04 => ("read system memory", Read),
        0x05 => ("read task memory", Read),
        0x06 => ("read program memory", Read),
        0x07 => ("write system memory", Write),
        0x08 => ("write task memory", Write),
        0x09 => ("write program block memory", Program),
        0x20 => ("programmer logon", Session),
        0x21 => ("change privilege level", Session),
        0x22 => ("set control id", Configure),
        0x23 => ("set PLC run or stop", Control),
        0x24 => ("set time and date", Configure),
        0x25 => ("return time and date", Diagnose),
        0x38 => ("return fault table", Diagnose),
        0x39 => ("clear fault table", Control),
        0x3f => ("program store", Program),
        0x40 => ("program load", Program),
        0x43 => ("return controller type", Identify),
        0x44 => ("toggle force system memory", Control),
        _ => return None,
    })
}

/// Symbol of a memory (segment selector, byte 43).
const fn memory(code: u8) -> Option<&'static str> {
    Some(match code {
        0x08 => "%R",
        0x0a => "%AI",
        0x0c => "%AQ",
        0x10 | 0x46 => "%I",
        0x12 | 0x48 => "%Q",
        0x14 | 0x4a => "%T",
        0x16 | 0x4c => "%M",
        0x18 | 0x4e => "%SA",
        0x1a | 0x50 => "%SB",
        0x1c | 0x52 => "%SC",
        0x1e | 0x54 => "%S",
        0x38 | 0x56 => "%G",
        _ => return None,
    })
}

/// Whether a segment selector addresses discrete memory by bytes.
const fn by_bytes(selector: u8) -> bool {
    matches!(selector, 0x10..=0x1e | 0x38)
}

/// What the fixed part says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// 56 zero bytes from the client, or `01` from the server: opens the connection.
    Hello { reply: bool },
    /// A request: message type, then service code, segment selector, address, quantity.
    Request { service: u8, selector: u8, address: u16, quantity: u16 },
    /// A reply: message type d4 (short), 94 (with text) or d1 (refused), and its status bytes.
    Reply { refused: bool, status: u16 },
}

#[derive(Clone, Copy, Debug)]
struct Message<'a> {
    sequence: u8,
    kind: Kind,
    text: &'a [u8],
}

impl<'a> Message<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (fixed, text) = bytes.split_at_checked(FIXED)?;
        let at = |index: usize| fixed.get(index).copied().unwrap_or(0);
        let word = |index: usize| u16::from_le_bytes([at(index), at(index.saturating_add(1))]);
        let message_type = at(31);
        let kind = match (at(0), message_type) {
            (0, 0) if fixed.iter().all(|byte| *byte == 0) => Kind::Hello { reply: false },
            (1, 0) => Kind::Hello { reply: true },
            // A short request holds its service in the fixed part; a long one (80) six bytes further on.
            (2, 0xc0) => Kind::Request { service: at(42), selector: at(43), address: word(44), quantity: word(46) },
            (2, 0x80) => Kind::Request { service: at(50), selector: at(51), address: word(52), quantity: word(54) },
            (3, 0xd4 | 0x94) => Kind::Reply { refused: false, status: word(42) },
            (3, 0xd1) => Kind::Reply { refused: true, status: word(42) },
            _ => return None,
        };
        Some(Message { sequence: at(2), kind, text })
    }
}

/// Length of the message at the front of a stream.
fn message_length(bytes: &[u8]) -> Length {
    let mut c = Cursor::new(bytes);
    let kind = match c.u8() {
        Some(kind @ 0..=3) => kind,
        Some(_) => return Length::Invalid,
        None => return Length::NeedMore,
    };
    match (c.skip(3), c.le16()) {
        (Some(()), Some(length)) if kind >= 2 => Length::Whole(FIXED.saturating_add(usize::from(length))),
        (Some(()), Some(_)) => Length::Whole(FIXED),
        _ => Length::NeedMore,
    }
}

impl Protocol for GeSrtp {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Tcp {
            return Probe::No;
        }
        match Message::read(pdu.data).map(|message| message.kind) {
            // 56 zero bytes, and no more, could be anything: the usual port decides.
            Some(Kind::Hello { reply: false }) if pdu.data.len() == FIXED => Probe::Unsure,
            Some(Kind::Hello { reply: true }) if pdu.data.len() == FIXED => Probe::Unsure,
            Some(Kind::Request { service: code, .. }) if service(code).is_some() => Probe::Yes,
            Some(Kind::Reply { .. }) => Probe::YesFromServer,
            _ => Probe::No,
        }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(SrtpFlow {
            from_client: Framer::new(MESSAGE_LIMIT),
            from_server: Framer::new(MESSAGE_LIMIT),
            talk: Talk {
                waiting: Pairing::new(WAITING_LIMIT),
                claims: Claims::default(),
                detail: DetailJson::default(),
                line: String::new(),
                object: String::new(),
            },
        })
    }
}

/// A request that waits for its reply; `None` for the opening of the connection.
#[derive(Clone, Copy, Debug)]
struct Ask {
    at: At,
    ends: (Endpoint, Endpoint),
    sequence: u8,
    request: Option<(u8, u8, u16, u16)>,
    bytes: usize,
}

struct SrtpFlow {
    from_client: Framer,
    from_server: Framer,
    talk: Talk,
}

struct Talk {
    /// By asker, and sequence number; the opening has none.
    waiting: Pairing<(Direction, Option<u8>), Ask>,
    claims: Claims,
    detail: DetailJson,
    line: String,
    object: String,
}

impl Analyzer for SrtpFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let SrtpFlow { from_client, from_server, talk } = self;
        let framer = if pdu.direction == Direction::FromClient { from_client } else { from_server };
        let framed = framer.push(pdu.data, message_length, |bytes| talk.message(pdu, bytes, out));
        if framed.is_err() {
            framer.reset();
            malformed(PROTOCOL, pdu, "ge_srtp_frame", "not the front of an SRTP message", out);
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u32, out: &mut dyn Sink) {
        let framer = if direction == Direction::FromClient { &mut self.from_client } else { &mut self.from_server };
        framer.reset();
        self.talk.give_up(out);
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        self.talk.give_up(out);
    }
}

impl Talk {
    fn message(&mut self, pdu: &Pdu<'_>, bytes: &[u8], out: &mut dyn Sink) {
        let Some(message) = Message::read(bytes) else {
            return malformed(PROTOCOL, pdu, "ge_srtp_message", "type and message type do not fit each other", out);
        };
        let ends = (pdu.sender(), pdu.receiver());
        let sequence = message.sequence;
        let (key, request) = match message.kind {
            Kind::Hello { reply: false } => (None, None),
            Kind::Request { service: code, selector, address, quantity } => {
                if service(code).is_none() {
                    out.mark(Mark::Undecoded("unknown SRTP service"));
                }
                (Some(sequence), Some((code, selector, address, quantity)))
            }
            Kind::Hello { reply: true } => return self.reply(pdu, None, None, message.text, out),
            Kind::Reply { refused, status } => {
                return self.reply(pdu, Some(sequence), Some((refused, status)), message.text, out);
            }
        };
        let ask = Ask { at: pdu.at, ends, sequence, request, bytes: message.text.len() };
        if let Some(lost) = self.waiting.ask((pdu.direction, key), ask) {
            self.tell(Some(&lost), None, None, out);
        }
    }

    fn reply(
        &mut self,
        pdu: &Pdu<'_>,
        sequence: Option<u8>,
        status: Option<(bool, u16)>,
        text: &[u8],
        out: &mut dyn Sink,
    ) {
        let ask = self.waiting.answer(&(pdu.direction.reverse(), sequence));
        self.tell(ask.as_ref(), Some(pdu), status, out);
        let done = status.is_none_or(|(refused, _)| !refused);
        if let Some((0x43, ..)) = ask.and_then(|ask| ask.request).filter(|_| done) {
            self.controller(pdu, text, out);
        }
    }

    /// The reply that names the controller: its layout is not public, so only readable text of some length is claimed.
    fn controller(&mut self, pdu: &Pdu<'_>, text: &[u8], out: &mut dyn Sink) {
        let readable = text.split(|byte| !byte.is_ascii_graphic() && *byte != b' ').find(|run| run.len() >= 4);
        if let Some(name) = readable.and_then(device_text) {
            let claim = (Attribute::Project, name.as_str(), "ge-srtp controller id");
            self.claims.identify(out, pdu.at, pdu.sender().address, claim);
        }
    }

    fn give_up(&mut self, out: &mut dyn Sink) {
        let asks: Vec<Ask> = self.waiting.drain().collect();
        for ask in &asks {
            self.tell(Some(ask), None, None, out);
        }
    }

    fn tell(&mut self, ask: Option<&Ask>, answer: Option<&Pdu<'_>>, status: Option<(bool, u16)>, out: &mut dyn Sink) {
        let Some(at) = answer.map(|pdu| pdu.at).or(ask.map(|ask| ask.at)) else { return };
        let ends = ask.map(|ask| ask.ends).or(answer.map(|pdu| (pdu.receiver(), pdu.sender())));
        let Some((client, server)) = ends else { return };
        let request = ask.and_then(|ask| ask.request);
        let (name, class) = match (ask, request) {
            (Some(_), Some((code, ..))) => service(code).unwrap_or(("unknown service", OperationClass::Diagnose)),
            (Some(_), None) => ("open connection", OperationClass::Session),
            (None, _) => ("reply without request", OperationClass::Diagnose),
        };
        self.describe(ask);
        let code = status.map(|(refused, code)| if refused { u32::from(code).max(1) } else { 0 });
        let code = code.or(answer.map(|_| 0));
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client,
                server,
                unit: None,
                code: request.map_or(0, |(code, ..)| u32::from(code)),
                name,
                class,
                object: &self.object,
                quantity: request
                    .filter(|(_, selector, ..)| memory(*selector).is_some())
                    .map(|(.., quantity)| u64::from(quantity)),
                status: code,
                status_name: match code {
                    None => "",
                    Some(0) => "ok",
                    Some(_) => "refused",
                },
                latency: ask.zip(answer).map(|(ask, pdu)| pdu.at.ts.0.saturating_sub(ask.at.ts.0)),
                request_frame: ask.map(|ask| ask.at.frame),
                reply_frame: answer.map(|pdu| pdu.at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }

    fn describe(&mut self, ask: Option<&Ask>) {
        self.object.clear();
        self.detail.clear();
        let Some(ask) = ask else { return };
        let Some((code, selector, address, _)) = ask.request else { return };
        self.detail.number("sequence", ask.sequence);
        if ask.bytes > 0 {
            self.detail.number("text_bytes", i64::try_from(ask.bytes).unwrap_or(i64::MAX));
        }
        let memories = matches!(code, 0x04 | 0x07 | 0x44);
        if let Some(symbol) = memory(selector).filter(|_| memories) {
            // Addresses begin at 0 on the wire and at 1 in the controller's language, which counts discrete memory by bits.
            let units = if by_bytes(selector) { 8 } else { 1 };
            // Writing to a string cannot fail.
            let _ = write!(self.object, "{symbol}{}", u32::from(address).saturating_mul(units).saturating_add(1));
            self.detail.number("selector", selector);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{feed, feed_unprobed, flow, pdu};

    const UP: Direction = Direction::FromClient;
    const DOWN: Direction = Direction::FromServer;

    fn fixed(kind: u8, sequence: u8, message_type: u8, at: usize, rest: &[u8], text: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; FIXED];
        bytes[0] = kind;
        bytes[2] = sequence;
        bytes[4] = u8::try_from(text.len()).unwrap();
        bytes[31] = message_type;
        bytes[at..at + rest.len()].copy_from_slice(rest);
        bytes.extend(text);
        bytes
    }

    fn samples() -> Vec<(Direction, Vec<u8>)> {
        vec![
            (UP, vec![0; FIXED]),
            (DOWN, fixed(1, 0, 0, 8, &[0x0f], &[])),
            (UP, fixed(2, 6, 0xc0, 42, &[0x04, 0x08, 0x63, 0, 4, 0], &[])),
            (DOWN, fixed(3, 6, 0x94, 42, &[], &[1, 2, 3, 4, 5, 6, 7, 8])),
            (UP, fixed(2, 7, 0xc0, 42, &[0x23, 1], &[])),
            (DOWN, fixed(3, 7, 0xd1, 42, &[5, 0xf4], &[])),
            (UP, fixed(2, 8, 0x80, 50, &[0x07, 0x4c, 0, 0, 1, 0], &[1])),
            (DOWN, fixed(3, 8, 0xd4, 42, &[], &[])),
            (UP, fixed(2, 9, 0xc0, 42, &[0x43], &[])),
            (DOWN, fixed(3, 9, 0x94, 42, &[], b"\0CRANE7\0\x01")),
        ]
    }

    #[test]
    fn services_are_paired_and_named() {
        let samples = samples();
        let pieces: Vec<(Direction, &[u8])> = samples.iter().map(|(d, b)| (*d, b.as_slice())).collect();
        let out = feed(&GeSrtp, &flow(Transport::Tcp, 18245), &pieces);
        let facts: Vec<_> = out
            .of("operation")
            .iter()
            .map(|r| format!("{} {} {} {}", r["class"], r["name"], r["object"], r["status"]))
            .collect();
        let expected = [
            r#""session" "open connection" "" 0"#,
            r#""read" "read system memory" "%R100" 0"#,
            r#""control" "set PLC run or stop" "" 62469"#,
            r#""write" "write system memory" "%M1" 0"#,
            r#""identify" "return controller type" "" 0"#,
        ];
        assert_eq!(facts, expected);
        assert_eq!(out.of("identity")[0]["value"], "CRANE7");
        assert!(out.marks.is_empty(), "{:?}", out.marks);
    }

    /// An open station program reads byte 209 of %I, 208 on the wire, for %I1665.
    #[test]
    fn discrete_memory_by_bytes_is_named_by_its_first_bit() {
        let read = fixed(2, 1, 0xc0, 42, &[0x04, 0x10, 208, 0, 8, 0], &[]);
        let out = feed(&GeSrtp, &flow(Transport::Tcp, 18245), &[(UP, &read)]);
        assert_eq!(out.of("operation")[0]["object"], "%I1665");
    }

    #[test]
    fn truncations_do_not_panic_and_others_are_refused() {
        let flow = flow(Transport::Tcp, 18245);
        for (direction, bytes) in samples() {
            for end in 1..bytes.len() {
                let _ = GeSrtp.probe(&pdu(&flow, 0, direction, &bytes[..end]));
                feed_unprobed(&GeSrtp, &flow, &[(direction, &bytes[..end])]);
            }
        }
        assert_eq!(GeSrtp.probe(&pdu(&flow, 0, UP, &[2; 60])), Probe::No);
        assert_eq!(GeSrtp.probe(&pdu(&flow, 0, UP, b"GET / HTTP/1.1\r\n")), Probe::No);
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces(bytes in proptest::collection::vec(any::<u8>(), 1..300), step in 1_usize..80) {
            let flow = flow(Transport::Tcp, 18245);
            let mut framed = fixed(3, 1, 0x94, 42, &[], &[]);
            framed.extend(&bytes);
            for stream in [&bytes, &framed] {
                let pieces: Vec<(Direction, &[u8])> = stream.chunks(step).map(|piece| (DOWN, piece)).collect();
                feed_unprobed(&GeSrtp, &flow, &pieces);
            }
        }
    }
}
