//! Modbus/TCP, and the same framing over UDP.
//!
//! Object addresses are those of the PDU, counted from 0: `holding-register 100` is what older manuals write as 40101.
//! Function 90 carries Schneider's UMAS, which [`crate::umas`] reads; its operations bear the protocol name `umas`.

pub mod names;
mod pdu;
mod rtu;
mod shape;
mod tell;
#[cfg(test)]
mod tests;

pub use rtu::ModbusRtu;
pub use tell::{Exchange, Teller};

use quaywatch_model::{At, Direction, Endpoint, Mark, Observation, Sink, Transport, Weird};
use quaywatch_wire::framer::FramingError;
use quaywatch_wire::{Flow, Framer, Length, Pdu};

use self::shape::{FRAME_LIMIT, HEADER, Header, PDU_LIMIT, Shape, UNCOUNTED, shape};
use crate::analyzer::{Depth, Purpose};
use crate::pairing::Pairing;
use crate::umas::{self, Umas};
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

/// Protocol name in rows.
pub(crate) const PROTOCOL: &str = "modbus";

/// Requests that wait for replies at the same time. The messaging guide suggests 1 to 16 transactions; clients exist that send more.
pub const WAITING_LIMIT: usize = 64;

/// Request buffers kept for reuse.
const SPARE_LIMIT: usize = 8;

/// The registry entry.
pub struct Modbus;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "Modbus/TCP",
    tcp: &[502],
    udp: &[502],
    ethertypes: &[],
    spec: "Modbus Application Protocol V1.1b3; Modbus Messaging on TCP/IP V1.0b",
    found: "drives, remote I/O, energy meters, reefer monitoring, weather stations, PLCs of cranes (Schneider, Yaskawa)",
    depth: Depth::Full,
    purpose: Purpose::Control,
    scope: "All public functions with addresses, values, exceptions and device identification; function 90 (UMAS) with identification, \
            reservation, start, stop and program transfers. Other vendor functions are named and their data kept in part.",
};

impl Protocol for Modbus {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        let probe = match pdu.flow.transport {
            Transport::Tcp => probe_frame(pdu.data, true),
            Transport::Udp => probe_frame(pdu.data, false),
            _ => return Probe::No,
        };
        // A sound header around a PDU that breaks its layout is a broken request where Modbus is usual, and nothing elsewhere.
        let usual = META.tcp.contains(&pdu.flow.server.port) || META.tcp.contains(&pdu.flow.client.port);
        let told = || usual && is_exact(pdu.data) || is_row_of_frames(pdu.data);
        if probe == Probe::Unsure && told() { Probe::Yes } else { probe }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(ModbusFlow::default())
    }
}

fn probe_frame(data: &[u8], stream: bool) -> Probe {
    let Some((header, rest)) = Header::read(data) else {
        let zero = data.get(2..4).is_none_or(|id| id == [0, 0]);
        let short = data.get(4..6).is_none_or(|length| length < &[8, 0][..]);
        return if stream && zero && short { Probe::Unsure } else { Probe::No };
    };
    let length = usize::from(header.length);
    if header.protocol != 0 || !Header::plausible_length(header.length) {
        return Probe::No;
    }
    let Some(frame_pdu) = rest.get(..length - 1) else {
        // The rest of a PDU may come in the next piece of a stream, never in another datagram.
        let known = rest.first().is_none_or(|code| names::function(*code & 0x7f).is_some());
        return if stream && known { Probe::Unsure } else { Probe::No };
    };
    if !next_starts(rest.get(length - 1..).unwrap_or_default()) {
        return Probe::No;
    }
    let code = frame_pdu.first().copied().unwrap_or(0);
    match shape(frame_pdu) {
        // A bare function code is too little to be sure.
        Shape::Request | Shape::Either if frame_pdu.len() < 2 => Probe::Unsure,
        Shape::Request | Shape::Either if code != umas::FUNCTION || umas::is_known(frame_pdu) => Probe::Yes,
        Shape::Reply => Probe::YesFromServer,
        _ if length <= PDU_LIMIT + 1 || code == umas::FUNCTION => Probe::Unsure,
        _ => Probe::No,
    }
}

/// Frames in a row from which on their headers tell enough, whatever PDUs they carry.
const ROW: usize = 3;

/// Whether these bytes are nothing but a row of whole frames for one unit.
fn is_row_of_frames(mut data: &[u8]) -> bool {
    let (mut frames, mut units) = (0, None);
    while let Some((header, _)) = Header::read(data) {
        let same = *units.get_or_insert(header.unit) == header.unit;
        let whole = usize::from(header.length) + UNCOUNTED;
        match data.get(whole..) {
            Some(rest) if same && header.protocol == 0 && Header::plausible_length(header.length) => data = rest,
            _ => return false,
        }
        frames += 1;
    }
    data.is_empty() && frames >= ROW
}

/// Whether these bytes are one frame by its header, of a function with a name.
fn is_exact(data: &[u8]) -> bool {
    Header::read(data).is_some_and(|(header, pdu)| {
        header.protocol == 0
            && usize::from(header.length) + UNCOUNTED == data.len()
            && pdu.first().is_some_and(|code| names::function(*code & 0x7f).is_some())
    })
}

/// Whether bytes behind a frame can start the next one.
fn next_starts(rest: &[u8]) -> bool {
    rest.get(2..4).is_none_or(|id| id == [0, 0])
        && rest.get(4..6).is_none_or(|length| {
            length.first_chunk().copied().map(u16::from_be_bytes).is_some_and(Header::plausible_length)
        })
}

fn frame_length(bytes: &[u8]) -> Length {
    match bytes.get(4..6).and_then(|length| length.first_chunk().copied()).map(u16::from_be_bytes) {
        None => Length::NeedMore,
        Some(length) if !Header::plausible_length(length) => Length::Invalid,
        Some(length) => Length::Whole(usize::from(length) + UNCOUNTED),
    }
}

/// A request that waits for its reply.
#[derive(Debug)]
struct Ask {
    at: At,
    unit: u8,
    client: Endpoint,
    server: Endpoint,
    /// From the function code on.
    pdu: Vec<u8>,
}

/// What a reply is found by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Key {
    transaction: u16,
    code: u8,
}

/// Place and ends of the frame at hand.
#[derive(Clone, Copy)]
struct Context {
    at: At,
    direction: Direction,
    sender: Endpoint,
    receiver: Endpoint,
}

impl Context {
    /// The same place, seen in this direction.
    fn turned(self, direction: Direction) -> Context {
        if direction == self.direction {
            return self;
        }
        Context { direction, sender: self.receiver, receiver: self.sender, ..self }
    }
}

/// Reads one Modbus flow.
struct ModbusFlow {
    from_client: Framer,
    from_server: Framer,
    waiting: Pairing<Key, Ask>,
    spare: Vec<Vec<u8>>,
    teller: Teller,
    umas: Umas,
    /// Direction of requests, and whether a PDU proved it.
    asker: Direction,
    asker_proven: bool,
    /// The piece fed last.
    last: Option<Context>,
}

impl Default for ModbusFlow {
    fn default() -> Self {
        ModbusFlow {
            from_client: Framer::new(FRAME_LIMIT),
            from_server: Framer::new(FRAME_LIMIT),
            waiting: Pairing::new(WAITING_LIMIT),
            spare: Vec::new(),
            teller: Teller::default(),
            umas: Umas::default(),
            asker: Direction::FromClient,
            asker_proven: false,
            last: None,
        }
    }
}

impl Analyzer for ModbusFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let context = Context { at: pdu.at, direction: pdu.direction, sender: pdu.sender(), receiver: pdu.receiver() };
        self.last = Some(context);
        if pdu.flow.transport == Transport::Tcp {
            return self.stream(&context, pdu.data, out);
        }
        let mut framer = Framer::new(FRAME_LIMIT);
        let framed = framer.push(pdu.data, frame_length, |frame| self.frame(&context, frame, out));
        if framed.is_err() {
            broken(&context, "modbus_length", "length field is not possible", out);
        } else if framer.held() > 0 && !pdu.cut {
            broken(&context, "modbus_length_mismatch", "datagram is shorter than its length field says", out);
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u32, out: &mut dyn Sink) {
        self.cut_frame(direction, out);
        self.umas.gap();
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        self.cut_frame(Direction::FromClient, out);
        self.cut_frame(Direction::FromServer, out);
        let asks: Vec<Ask> = self.waiting.drain().collect();
        for ask in &asks {
            self.tell(&unanswered(ask), out);
        }
        self.umas.close(out);
    }
}

fn broken(context: &Context, name: &'static str, reason: &'static str, out: &mut dyn Sink) {
    let Context { sender, receiver, .. } = *context;
    out.emit(context.at, Observation::Weird(Weird { name, protocol: PROTOCOL, detail: reason, sender, receiver }));
    out.mark(Mark::Malformed(reason));
}

/// Replies to the writes of sections 6.5, 6.6, 6.11, 6.12 and 6.16 open with the address that was asked.
const fn repeats_address(code: u8) -> bool {
    matches!(code, 5 | 6 | 15 | 16 | 22)
}

fn unanswered(ask: &Ask) -> Exchange<'_> {
    Exchange { client: ask.client, server: ask.server, unit: ask.unit, asked: Some((ask.at, &ask.pdu)), replied: None }
}

impl ModbusFlow {
    fn framer(&mut self, direction: Direction) -> &mut Framer {
        match direction {
            Direction::FromClient => &mut self.from_client,
            Direction::FromServer => &mut self.from_server,
        }
    }

    /// The stream ended or was not captured in the middle of a frame. What it says so far is told.
    fn cut_frame(&mut self, direction: Direction, out: &mut dyn Sink) {
        let framer = std::mem::replace(self.framer(direction), Framer::new(FRAME_LIMIT));
        let Some(context) = self.last.filter(|_| framer.held() > HEADER) else { return };
        let Context { at, sender, receiver, .. } = context.turned(direction);
        let reason = "the stream ends inside a frame";
        let weird = Weird { name: "modbus_length_mismatch", protocol: PROTOCOL, detail: reason, sender, receiver };
        out.emit(at, Observation::Weird(weird));
        self.frame(&context.turned(direction), framer.partial(), out);
    }

    fn stream(&mut self, context: &Context, data: &[u8], out: &mut dyn Sink) {
        let mut framer = std::mem::replace(self.framer(context.direction), Framer::new(0));
        let framed = framer.push(data, frame_length, |frame| self.frame(context, frame, out));
        *self.framer(context.direction) = framer;
        match framed {
            Ok(()) => {}
            // The next segment most likely starts a frame again.
            Err(FramingError::Invalid) => broken(context, "modbus_length", "length field is not possible", out),
            Err(FramingError::TooLong(_)) => broken(context, "modbus_length", "frame is longer than any PDU", out),
        }
    }

    fn frame(&mut self, context: &Context, frame: &[u8], out: &mut dyn Sink) {
        let Some((header, pdu)) = Header::read(frame) else { return };
        let Some(&code) = pdu.first() else { return };
        if header.protocol != 0 {
            return broken(context, "modbus_protocol_id", "protocol identifier is not 0", out);
        }
        if frame.len() > HEADER + PDU_LIMIT && code & 0x7f != umas::FUNCTION {
            broken(context, "modbus_length", "PDU is longer than 253 bytes", out);
        }
        self.sound(context, &header, pdu, out);
    }

    /// A PDU whose frame holds.
    fn sound(&mut self, context: &Context, header: &Header, pdu: &[u8], out: &mut dyn Sink) {
        self.learn_roles(context.direction, pdu);
        if context.direction == self.asker {
            self.request(context, header, pdu, out);
        } else {
            self.reply(context, header, pdu, out);
        }
    }

    /// Who asks is settled by the first PDU that can be only a request or only a reply: a flow picked up in its middle may have
    /// its ends confused, and some devices open the connection to their client.
    fn learn_roles(&mut self, direction: Direction, pdu: &[u8]) {
        if self.asker_proven {
            return;
        }
        let asker = match shape(pdu) {
            // Only replies have the top bit, however wrong the rest is.
            _ if pdu.first().is_some_and(|code| *code > 0x80) => direction.reverse(),
            Shape::Request => direction,
            Shape::Reply => direction.reverse(),
            Shape::Either | Shape::Neither => return,
        };
        self.asker = asker;
        self.asker_proven = true;
    }

    fn request(&mut self, context: &Context, header: &Header, pdu: &[u8], out: &mut dyn Sink) {
        let Some((&code, body)) = pdu.split_first() else { return };
        let ends = (context.sender, context.receiver);
        if code == umas::FUNCTION {
            self.umas.request(context.at, ends, body, out);
        } else {
            if let Some(fault) = pdu::request(code, body).fault {
                self.teller.blame(fault, context.at, ends, code, out);
            }
            self.mark_undecoded(code, body, out);
        }
        let key = Key { transaction: header.transaction, code: code & 0x7f };
        // A client that uses an identifier again has given up on the reply to its first use; but a reply that repeats the
        // address finds its own request among several.
        if !repeats_address(code)
            && let Some(ask) = self.waiting.answer(&key)
        {
            self.give_up(ask, out);
        }
        let mut kept = self.spare.pop().unwrap_or_default();
        kept.clear();
        kept.extend_from_slice(pdu);
        let ask =
            Ask { at: context.at, unit: header.unit, client: context.sender, server: context.receiver, pdu: kept };
        if let Some(oldest) = self.waiting.ask(key, ask) {
            self.give_up(oldest, out);
        }
    }

    fn mark_undecoded(&self, code: u8, body: &[u8], out: &mut dyn Sink) {
        let decoded = match (code, body) {
            (8, [high, low, ..]) => names::diagnostics(u16::from_be_bytes([*high, *low])).is_some_and(|f| f.decoded),
            (43, [mei, ..]) => names::encapsulated(*mei).is_some_and(|f| f.decoded),
            _ => names::function(code & 0x7f).is_some_and(|f| f.decoded),
        };
        if !decoded {
            out.mark(Mark::Undecoded("function without public layout"));
        }
    }

    fn reply(&mut self, context: &Context, header: &Header, pdu: &[u8], out: &mut dyn Sink) {
        let Some((&code, body)) = pdu.split_first() else { return };
        let key = Key { transaction: header.transaction, code: code & 0x7f };
        let ask = if repeats_address(code) {
            let address = body.get(..2);
            self.waiting.answer_where(&key, |ask| ask.pdu.get(1..3) == address)
        } else {
            None
        };
        let ask = ask.or_else(|| self.waiting.answer(&key));
        if ask.is_none() {
            let reason = "reply to a request that was not seen";
            let Context { sender, receiver, at, .. } = *context;
            let weird =
                Weird { name: "modbus_reply_without_request", protocol: PROTOCOL, detail: reason, sender, receiver };
            out.emit(at, Observation::Weird(weird));
        }
        if key.code != umas::FUNCTION || code != key.code {
            self.check_reply(context, code, body, ask.as_ref(), out);
        }
        let exchange = Exchange {
            client: context.receiver,
            server: context.sender,
            unit: header.unit,
            asked: ask.as_ref().map(|ask| (ask.at, ask.pdu.as_slice())),
            replied: Some((context.at, pdu)),
        };
        self.tell(&exchange, out);
        if let Some(ask) = ask {
            self.recycle(ask.pdu);
        }
    }

    fn check_reply(&mut self, context: &Context, code: u8, body: &[u8], ask: Option<&Ask>, out: &mut dyn Sink) {
        let asked = ask.and_then(|ask| ask.pdu.split_first()).map(|(code, body)| pdu::request(*code, body));
        if let Some(fault) = pdu::reply(code, body, asked.as_ref()).fault {
            self.teller.blame(fault, context.at, (context.sender, context.receiver), code, out);
        }
        if code < 0x80 {
            self.mark_undecoded(code, body, out);
        }
    }

    fn give_up(&mut self, ask: Ask, out: &mut dyn Sink) {
        self.tell(&unanswered(&ask), out);
        self.recycle(ask.pdu);
    }

    fn recycle(&mut self, buffer: Vec<u8>) {
        if self.spare.len() < SPARE_LIMIT {
            self.spare.push(buffer);
        }
    }

    fn tell(&mut self, exchange: &Exchange<'_>, out: &mut dyn Sink) {
        let pdu = exchange.asked.or(exchange.replied).map_or(&[][..], |(_, pdu)| pdu);
        if pdu.first().is_some_and(|code| code & 0x7f == umas::FUNCTION) {
            self.umas.exchange(exchange, out);
        } else {
            self.teller.operation(exchange, out);
        }
    }
}
