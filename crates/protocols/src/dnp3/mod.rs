//! DNP3 over TCP and UDP: telecontrol of substations, pumps and tanks; in a port the power supply of quays and shore connection.
//!
//! Written from IEEE 1815-2012: clause 4 (application layer), 7 (secure authentication), 8 (transport), 9 (link), 13 (IP), annex A.

mod files;
mod link;
pub mod names;
mod object;
mod tell;
#[cfg(test)]
mod tests;

pub use tell::{CONTROL_STATUS, FILE_STATUS, LINK_CODE};

use quaywatch_model::{At, Direction, Endpoint, Mark, Observation, Sink, Transport, Weird};
use quaywatch_wire::{Flow, Framer, Pdu};

use self::link::{FRAME_LIMIT, Fragments, HEADER, Header, Step, frame_length, user_data};
use self::object::{Fault, headers};
use self::tell::{LinkAsk, Message, Teller};
use crate::analyzer::{Depth, Purpose};
use crate::bytes::Cursor;
use crate::pairing::Pairing;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

/// Protocol name in rows.
const PROTOCOL: &str = "dnp3";

/// Requests that wait for responses at the same time: a sequence number has 16 values, a line a few stations.
pub const WAITING_LIMIT: usize = 64;
/// Link functions that wait for their answer.
pub const LINK_WAITING_LIMIT: usize = 16;
/// Request buffers kept for reuse.
const SPARE_LIMIT: usize = 8;

/// The registry entry.
pub struct Dnp3;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "DNP3",
    tcp: &[20000],
    udp: &[20000],
    ethertypes: &[],
    spec: "IEEE 1815-2012",
    found: "substations and shore power of quays, pumping and tank terminals, remote terminal units",
    depth: Depth::Full,
    purpose: Purpose::Control,
    scope: "Link frames with check sums, transport segments, all functions with objects, indications, controls and their results, \
            restarts, files, device attributes. Values of inputs, data sets and the contents of secure authentication are not decoded.",
};

impl Protocol for Dnp3 {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        let stream = match pdu.flow.transport {
            Transport::Tcp => true,
            Transport::Udp => false,
            _ => return Probe::No,
        };
        let Some(header) = Header::read(pdu.data) else {
            let start = [5, 0x64];
            let begun = pdu.data.len() < HEADER && pdu.data.iter().zip(&start).all(|(byte, own)| byte == own);
            return if stream && begun { Probe::Unsure } else { Probe::No };
        };
        if !header.sound {
            let usual = META.tcp.contains(&pdu.flow.server.port) || META.tcp.contains(&pdu.flow.client.port);
            return if usual { Probe::Unsure } else { Probe::No };
        }
        if header.is_from_master() { Probe::Yes } else { Probe::YesFromServer }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(Dnp3Flow::default())
    }
}

/// What a response is found by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Key {
    master: u16,
    outstation: u16,
    sequence: u8,
}

/// What the answer to a link function is found by.
type LinkKey = (u16, u16);

/// Place and ends of the frame at hand.
#[derive(Clone, Copy)]
struct Context {
    at: At,
    direction: Direction,
    sender: Endpoint,
    receiver: Endpoint,
}

/// Reads one flow.
struct Dnp3Flow {
    from_client: Framer,
    from_server: Framer,
    fragments: [Fragments; 2],
    waiting: Pairing<Key, Message>,
    links: Pairing<LinkKey, LinkAsk>,
    teller: Teller,
    segment: Vec<u8>,
    fragment: Vec<u8>,
    spare: Vec<Vec<u8>>,
}

impl Default for Dnp3Flow {
    fn default() -> Self {
        Dnp3Flow {
            from_client: Framer::new(FRAME_LIMIT),
            from_server: Framer::new(FRAME_LIMIT),
            fragments: [Fragments::default(), Fragments::default()],
            waiting: Pairing::new(WAITING_LIMIT),
            links: Pairing::new(LINK_WAITING_LIMIT),
            teller: Teller::default(),
            segment: Vec::new(),
            fragment: Vec::new(),
            spare: Vec::new(),
        }
    }
}

impl Analyzer for Dnp3Flow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let context = Context { at: pdu.at, direction: pdu.direction, sender: pdu.sender(), receiver: pdu.receiver() };
        let stream = pdu.flow.transport == Transport::Tcp;
        let mut framer = std::mem::replace(self.framer(pdu.direction), Framer::new(0));
        if !stream {
            framer = Framer::new(FRAME_LIMIT);
        }
        let framed = framer.push(pdu.data, frame_length, |frame| self.frame(&context, frame, out));
        if framed.is_err() {
            // The next segment most likely starts a frame again.
            broken(&context, "dnp3_framing", "bytes that start no frame", out);
        } else if !stream && framer.held() > 0 && !pdu.cut {
            broken(&context, "dnp3_length_mismatch", "datagram is shorter than its frame says", out);
        }
        *self.framer(pdu.direction) = framer;
    }

    fn gap(&mut self, direction: Direction, _missing: u32, _out: &mut dyn Sink) {
        self.framer(direction).reset();
        self.fragments(direction).clear();
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        let asks: Vec<Message> = self.waiting.drain().collect();
        asks.iter().for_each(|ask| self.teller.exchange(Some(ask), None, out));
        let links: Vec<LinkAsk> = self.links.drain().collect();
        links.iter().for_each(|link| self.teller.link(link, None, out));
        self.teller.close(out);
    }
}

fn broken(context: &Context, name: &'static str, reason: &'static str, out: &mut dyn Sink) {
    let Context { sender, receiver, .. } = *context;
    out.emit(context.at, Observation::Weird(Weird { name, protocol: PROTOCOL, detail: reason, sender, receiver }));
    out.mark(Mark::Malformed(reason));
}

impl Dnp3Flow {
    fn framer(&mut self, direction: Direction) -> &mut Framer {
        match direction {
            Direction::FromClient => &mut self.from_client,
            Direction::FromServer => &mut self.from_server,
        }
    }

    fn fragments(&mut self, direction: Direction) -> &mut Fragments {
        let [client, server] = &mut self.fragments;
        match direction {
            Direction::FromClient => client,
            Direction::FromServer => server,
        }
    }

    fn frame(&mut self, context: &Context, frame: &[u8], out: &mut dyn Sink) {
        let Some(header) = Header::read(frame) else { return };
        if !header.sound {
            return broken(context, "dnp3_crc", "check sum of the header is wrong", out);
        }
        if !header.has_user_data() {
            return self.link(context, &header, out);
        }
        let mut segment = std::mem::take(&mut self.segment);
        segment.clear();
        if user_data(frame, &mut segment) {
            self.transport(context, &header, &segment, out);
        } else {
            broken(context, "dnp3_crc", "check sum of a data block is wrong", out);
        }
        self.segment = segment;
    }

    fn link(&mut self, context: &Context, header: &Header, out: &mut dyn Sink) {
        let Context { at, sender, receiver, .. } = *context;
        let function = header.function();
        if header.is_primary() {
            if names::primary(function).is_none() {
                broken(context, "dnp3_link_function", "unknown function of the link layer", out);
            }
            let ask =
                LinkAsk { at, sender, receiver, source: header.source, destination: header.destination, function };
            if let Some(oldest) = self.links.ask((header.source, header.destination), ask) {
                self.teller.link(&oldest, None, out);
            }
        } else {
            if names::secondary(function).is_none() {
                broken(context, "dnp3_link_function", "unknown function of the link layer", out);
            }
            // An acknowledgement of user data has no request here.
            if let Some(ask) = self.links.answer(&(header.destination, header.source)) {
                self.teller.link(&ask, Some((at, function)), out);
            }
        }
    }

    fn transport(&mut self, context: &Context, header: &Header, segment: &[u8], out: &mut dyn Sink) {
        if segment.is_empty() {
            return broken(context, "dnp3_transport", "user data without a transport octet", out);
        }
        let mut fragment = std::mem::take(&mut self.fragment);
        let ends = (header.source, header.destination);
        match self.fragments(context.direction).take(ends, segment, &mut fragment) {
            Step::Whole => self.application(context, header, &fragment, out),
            Step::Waiting => {}
            Step::OutOfOrder => broken(context, "dnp3_transport", "transport segment out of order", out),
            Step::TooLong => broken(context, "dnp3_transport", "fragment is longer than any device takes", out),
        }
        self.fragment = fragment;
    }

    fn application(&mut self, context: &Context, header: &Header, fragment: &[u8], out: &mut dyn Sink) {
        let mut cursor = Cursor::new(fragment);
        let (Some(control), Some(function)) = (cursor.u8(), cursor.u8()) else {
            return broken(context, "dnp3_application", "application header is cut short", out);
        };
        let response = function >= 0x80;
        let indications = if response { cursor.be16() } else { Some(0) };
        let Some(indications) = indications else {
            return broken(context, "dnp3_application", "response without indications", out);
        };
        self.check(context, function, cursor.rest(), out);
        let mut body = self.spare.pop().unwrap_or_default();
        body.clear();
        body.extend_from_slice(cursor.rest());
        let message = Message {
            at: context.at,
            sender: context.sender,
            receiver: context.receiver,
            source: header.source,
            destination: header.destination,
            control,
            function,
            indications,
            body,
        };
        if response { self.response(message, out) } else { self.request(message, out) }
    }

    fn check(&self, context: &Context, function: u8, body: &[u8], out: &mut dyn Sink) {
        if names::function(function).is_none() {
            return broken(context, "dnp3_function_unknown", "function code is not of the standard", out);
        }
        match headers(function, body).find_map(Result::err) {
            None => {}
            Some(Fault::Malformed) => broken(context, "dnp3_object_malformed", "objects break their layout", out),
            Some(Fault::Unknown) => out.mark(Mark::Undecoded("object variation")),
        }
    }

    fn request(&mut self, message: Message, out: &mut dyn Sink) {
        if message.function == 0 {
            // Confirms a response; the operation is told already.
            return self.recycle(message);
        }
        if names::is_unanswered(message.function) {
            self.teller.exchange(Some(&message), None, out);
            return self.recycle(message);
        }
        let (master, outstation, sequence) = (message.source, message.destination, message.sequence());
        let key = Key { master, outstation, sequence };
        // A number that is used again: the first request was given up. A challenged one still waits.
        if message.function != 32
            && let Some(earlier) = self.waiting.answer_where(&key, |ask| ask.function != 32)
        {
            self.teller.exchange(Some(&earlier), None, out);
            self.recycle(earlier);
        }
        if let Some(oldest) = self.waiting.ask(key, message) {
            self.teller.exchange(Some(&oldest), None, out);
            self.recycle(oldest);
        }
    }

    fn response(&mut self, message: Message, out: &mut dyn Sink) {
        let (master, outstation, sequence) = (message.destination, message.source, message.sequence());
        let key = Key { master, outstation, sequence };
        let asked = match message.function {
            // On its own account.
            130 => None,
            // A challenge: the request waits on.
            131 => self.waiting.answer_where(&key, |ask| ask.function == 32),
            // Only a first fragment answers; others continue it.
            _ if message.control & 0x80 == 0 => None,
            _ => self.waiting.answer_where(&key, |ask| ask.function != 32).or_else(|| self.waiting.answer(&key)),
        };
        self.teller.exchange(asked.as_ref(), Some(&message), out);
        if let Some(asked) = asked {
            self.recycle(asked);
        }
        self.recycle(message);
    }

    fn recycle(&mut self, message: Message) {
        if self.spare.len() < SPARE_LIMIT {
            self.spare.push(message.body);
        }
    }
}
