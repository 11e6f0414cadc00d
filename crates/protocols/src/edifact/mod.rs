//! UN/EDIFACT (ISO 9735) as terminals and lines exchange it: stowage plans, loading and discharge orders, gate moves.
//!
//! It is read where it crosses the wire in the clear: on a connection of its own, in the data connections of FTP, in the
//! bodies of HTTP messages and in mail ([`Reader`] is what those use).

mod segment;
#[cfg(test)]
mod tests;

use std::cell::Cell;

use quaywatch_model::{At, Cargo, Direction, Endpoint, Mark, Observation, Request, Sink, Transport, Weird};
use quaywatch_wire::{Flow, Framer, Pdu};

pub(crate) use self::segment::container;
use self::segment::{LIMIT, Service};
use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::detail_json::DetailJson;
use crate::{Analyzer, Probe, Protocol};

const PROTOCOL: &str = "edifact";

/// The registry entry.
pub struct Edifact;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "UN/EDIFACT",
    tcp: &[],
    udp: &[],
    ethertypes: &[],
    spec: "ISO 9735; SMDG message manuals for BAPLIE, COPRAR, COARRI and CODECO; ISO 6346",
    found: "between terminal operating systems, lines and customs: over FTP, HTTP and mail",
    depth: Depth::Partial,
    purpose: Purpose::Field,
    scope: "Interchanges and messages with type, sender and recipient; containers with check digit, size and type, voyage. \
            Goods, dangerous goods and parties are passed over.",
};

impl Protocol for Edifact {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport == Transport::Tcp && is_start(pdu.data) { Probe::Yes } else { Probe::No }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(EdifactFlow { readers: [Reader::default(), Reader::default()] })
    }
}

/// Whether bytes begin an interchange: service string advice, or the interchange header with a syntax identifier.
#[must_use]
pub fn is_start(bytes: &[u8]) -> bool {
    let after_advice = match bytes {
        [b'U', b'N', b'A', b':', _, _, _, _, terminator, rest @ ..] if !terminator.is_ascii_alphanumeric() => rest,
        _ => bytes,
    };
    let text = after_advice.trim_ascii_start();
    text.starts_with(b"UNB+UNO") || (text.is_empty() && after_advice.len() < bytes.len())
}

struct EdifactFlow {
    readers: [Reader; 2],
}

impl EdifactFlow {
    fn reader(&mut self, direction: Direction) -> &mut Reader {
        let [from_client, from_server] = &mut self.readers;
        if direction == Direction::FromClient { from_client } else { from_server }
    }
}

impl Analyzer for EdifactFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        self.reader(pdu.direction).feed(pdu.at, pdu.sender(), pdu.receiver(), pdu.data, out);
    }

    fn gap(&mut self, direction: Direction, _missing: u32, _out: &mut dyn Sink) {
        self.reader(direction).gap();
    }
}

/// Reads one stream of segments.
#[derive(Debug)]
pub struct Reader {
    service: Service,
    framer: Framer,
    message: Message,
    /// What the interchange header says.
    sender: String,
    recipient: String,
    interchange: String,
    detail: DetailJson,
    line: String,
}

/// The message at hand.
#[derive(Default, Debug)]
struct Message {
    kind: String,
    reference: String,
    segments: u64,
    vessel: String,
    voyage: String,
    /// Segments were lost since it began.
    holes: bool,
}

impl Default for Reader {
    fn default() -> Self {
        Reader {
            service: Service::default(),
            framer: Framer::new(LIMIT),
            message: Message::default(),
            sender: String::new(),
            recipient: String::new(),
            interchange: String::new(),
            detail: DetailJson::default(),
            line: String::new(),
        }
    }
}

/// Where a segment was seen.
#[derive(Clone, Copy)]
struct Place {
    at: At,
    sender: Endpoint,
    receiver: Endpoint,
}

impl Reader {
    /// Takes the next bytes that `sender` sent.
    pub fn feed(&mut self, at: At, sender: Endpoint, receiver: Endpoint, data: &[u8], out: &mut dyn Sink) {
        let place = Place { at, sender, receiver };
        let mut framer = std::mem::replace(&mut self.framer, Framer::new(0));
        // The first segment may set other service characters for those behind it.
        let service = Cell::new(self.service);
        let framed = framer.push(
            data,
            |bytes| service.get().length(bytes),
            |segment| {
                self.segment(place, segment, out);
                service.set(self.service);
            },
        );
        if framed.is_err() {
            weird(place, "edifact_segment_too_long", "no end of a segment within its greatest length", out);
        }
        self.framer = framer;
    }

    /// Bytes were lost: the segment at hand is forgotten.
    pub fn gap(&mut self) {
        self.framer.reset();
        self.message.holes = true;
    }

    fn segment(&mut self, place: Place, segment: &[u8], out: &mut dyn Sink) {
        if segment.len() == 1 {
            return;
        }
        let service = self.service;
        let part = |element, component| service.component(segment, element, component);
        self.message.segments += 1;
        match segment.get(..3).unwrap_or_default() {
            b"UNA" => self.service = Service::advice(segment).unwrap_or_default(),
            b"UNB" => {
                (self.sender, self.recipient, self.interchange) = (part(2, 0), part(3, 0), part(5, 0));
            }
            b"UNH" => {
                self.message = Message { kind: part(2, 0), reference: part(1, 0), segments: 1, ..Message::default() };
                self.tell_message(place, out);
            }
            b"TDT" => {
                self.message.voyage = part(2, 0);
                let vessel = part(8, 3);
                self.message.vessel = if vessel.is_empty() { part(8, 0) } else { vessel };
            }
            b"EQD" if part(1, 0) == "CN" => {
                let status = part(6, 0);
                self.tell_container(place, &part(2, 0), &part(3, 0), &status, out);
            }
            b"UNT" => {
                let told = part(1, 0).parse().ok();
                if told != Some(self.message.segments) && !self.message.holes && !self.message.kind.is_empty() {
                    weird(
                        place,
                        "edifact_segment_count",
                        "the message has another number of segments than it says",
                        out,
                    );
                }
            }
            tag if tag.len() < 3 || !tag.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) => {
                weird(place, "edifact_segment", "a segment does not begin with a tag of three letters", out);
                out.mark(Mark::Malformed("segment without tag"));
            }
            _ => {}
        }
    }

    /// A message is a request: from whom to whom, and which.
    fn tell_message(&mut self, place: Place, out: &mut dyn Sink) {
        self.line.clear();
        for part in [&self.interchange, "/", &self.message.reference] {
            self.line.push_str(part);
        }
        out.emit(
            place.at,
            Observation::Request(Request {
                client: place.sender,
                server: place.receiver,
                protocol: PROTOCOL,
                method: &self.message.kind,
                host: &self.recipient,
                uri: &self.line,
                user_agent: &self.sender,
                status: None,
            }),
        );
    }

    fn tell_container(&mut self, place: Place, number: &str, size_type: &str, status: &str, out: &mut dyn Sink) {
        let check = container(number);
        if check == Some(false) {
            weird(place, "edifact_container_check_digit", "a container number's check digit does not hold", out);
        }
        self.detail.clear();
        for (key, value) in [("vessel", &self.message.vessel), ("voyage", &self.message.voyage)] {
            if !value.is_empty() {
                self.detail.text(key, value);
            }
        }
        // Code list 8169: 4 empty, 5 full.
        match status {
            "4" => self.detail.flag("full", false),
            "5" => self.detail.flag("full", true),
            _ => {}
        }
        out.emit(
            place.at,
            Observation::Cargo(Cargo {
                sender: place.sender,
                receiver: place.receiver,
                protocol: PROTOCOL,
                message: &self.message.kind,
                reference: &self.message.reference,
                kind: "container",
                id: number,
                check,
                size_type,
                detail: self.detail.object(&mut self.line),
            }),
        );
    }
}

fn weird(place: Place, name: &'static str, detail: &'static str, out: &mut dyn Sink) {
    let Place { at, sender, receiver } = place;
    out.emit(at, Observation::Weird(Weird { name, protocol: PROTOCOL, detail, sender, receiver }));
}
