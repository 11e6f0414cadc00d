//! CODESYS V2 runtimes on TCP 1200 and 2455: recognised, and the identity that scanners and engineering ask for.

use quaywatch_model::{
    At, Attribute, Direction, Endpoint, Mark, Observation, Operation, OperationClass, Sink, Transport, Weird,
};
use quaywatch_wire::{Flow, Framer, Length, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::bytes::{Cursor, device_text};
use crate::claims::Claims;
use crate::pairing::Pairing;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "codesys-v2";
/// First bytes of a message; the length of its body follows, in the byte order of the controller.
const MAGIC: [u8; 2] = [0xbb, 0xbb];
const HEADER: usize = 6;
/// Longest message that is read.
pub const MESSAGE_LIMIT: usize = 64 * 1024;
/// Requests that wait for replies at the same time.
pub const WAITING_LIMIT: usize = 16;
/// Service that tells who the runtime is.
const INFORMATION: u8 = 1;

/// The registry entry of version 2.
pub struct CodesysV2;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "CODESYS V2",
    tcp: &[1200, 2455],
    udp: &[],
    ethertypes: &[],
    spec: "No public document; open scanners",
    found: "Older controllers of many makers (WAGO and others) in ports and on cranes",
    depth: Depth::Named,
    purpose: Purpose::Control,
    scope: "Recognised; services by number; operating system and product of the reply to service 1. Nothing else is decoded.",
};

/// Length of the message at the front of a stream, in either byte order: the order that gives the smaller one.
fn message_length(bytes: &[u8]) -> Length {
    let front = bytes.get(..bytes.len().min(2)).unwrap_or_default();
    if !MAGIC.starts_with(front) {
        return Length::Invalid;
    }
    let mut c = Cursor::new(bytes);
    let Some(length) = c.skip(2).and_then(|()| c.le32()) else { return Length::NeedMore };
    match usize::try_from(length.min(length.swap_bytes())) {
        Ok(length) if length > 0 && length.saturating_add(HEADER) <= MESSAGE_LIMIT => {
            Length::Whole(length.saturating_add(HEADER))
        }
        _ => Length::Invalid,
    }
}

impl Protocol for CodesysV2 {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        match (pdu.flow.transport, message_length(pdu.data)) {
            (Transport::Tcp, Length::NeedMore) => Probe::Unsure,
            (Transport::Tcp, Length::Whole(whole)) if pdu.data.len() <= whole => Probe::Yes,
            _ => Probe::No,
        }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(V2Flow {
            from_client: Framer::new(MESSAGE_LIMIT),
            from_server: Framer::new(MESSAGE_LIMIT),
            talk: Talk { waiting: Pairing::new(WAITING_LIMIT), claims: Claims::default() },
        })
    }
}

/// A request that waits for its reply.
#[derive(Clone, Copy, Debug)]
struct Ask {
    at: At,
    ends: (Endpoint, Endpoint),
    service: u8,
    bytes: u64,
}

struct V2Flow {
    from_client: Framer,
    from_server: Framer,
    talk: Talk,
}

struct Talk {
    /// Replies come in order.
    waiting: Pairing<(), Ask>,
    claims: Claims,
}

impl Analyzer for V2Flow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let V2Flow { from_client, from_server, talk } = self;
        let framer = if pdu.direction == Direction::FromClient { from_client } else { from_server };
        if framer.push(pdu.data, message_length, |message| talk.message(pdu, message, out)).is_err() {
            framer.reset();
            let reason = "not the front of a message, or too long";
            let (sender, receiver) = (pdu.sender(), pdu.receiver());
            let row = Weird { name: "codesys_v2_message", protocol: PROTOCOL, detail: reason, sender, receiver };
            out.emit(pdu.at, Observation::Weird(row));
            out.mark(Mark::Malformed(reason));
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
    fn message(&mut self, pdu: &Pdu<'_>, message: &[u8], out: &mut dyn Sink) {
        let service = message.get(HEADER).copied().unwrap_or(0);
        if pdu.direction == Direction::FromClient {
            let bytes = message.len().saturating_sub(HEADER) as u64;
            let ask = Ask { at: pdu.at, ends: (pdu.sender(), pdu.receiver()), service, bytes };
            if service != INFORMATION {
                out.mark(Mark::Undecoded("CODESYS V2 service"));
            }
            if let Some(lost) = self.waiting.ask((), ask) {
                tell(&lost, None, out);
            }
            return;
        }
        let Some(ask) = self.waiting.answer(&()) else {
            return out.mark(Mark::Undecoded("CODESYS V2 reply without request"));
        };
        tell(&ask, Some(pdu.at), out);
        if ask.service == INFORMATION {
            self.information(pdu, message, out);
        }
    }

    /// Three texts of 32 bytes from byte 64 on: operating system, its version, product.
    fn information(&mut self, pdu: &Pdu<'_>, message: &[u8], out: &mut dyn Sink) {
        let text = |start: usize| {
            let field = message.get(start..)?;
            let field = field.get(..field.len().min(33))?;
            // Scanners differ by one byte on where a text begins.
            let field = field.strip_prefix(&[0]).unwrap_or(field);
            device_text(field).filter(|text| text.chars().all(|c| c.is_ascii_graphic() || c == ' '))
        };
        let os = match (text(64), text(96)) {
            (Some(name), Some(version)) => Some(format!("{name} {version}")),
            (name, version) => name.or(version),
        };
        let subject = pdu.sender().address;
        for (attribute, value) in [(Attribute::Os, os), (Attribute::Product, text(128))] {
            if let Some(value) = value {
                self.claims.identify(out, pdu.at, subject, (attribute, &value, "codesys-v2 information"));
            }
        }
    }

    fn give_up(&mut self, out: &mut dyn Sink) {
        let asks: Vec<Ask> = self.waiting.drain().collect();
        for ask in &asks {
            tell(ask, None, out);
        }
    }
}

fn tell(ask: &Ask, answered: Option<At>, out: &mut dyn Sink) {
    let information = ask.service == INFORMATION;
    out.emit(
        answered.unwrap_or(ask.at),
        Observation::Operation(Operation {
            protocol: PROTOCOL,
            client: ask.ends.0,
            server: ask.ends.1,
            unit: None,
            code: u32::from(ask.service),
            name: if information { "get information" } else { "undocumented service" },
            class: if information { OperationClass::Identify } else { OperationClass::Diagnose },
            object: "",
            quantity: Some(ask.bytes),
            status: None,
            status_name: if answered.is_some() { "answered" } else { "" },
            latency: answered.map(|at| at.ts.0.saturating_sub(ask.at.ts.0)),
            request_frame: Some(ask.at.frame),
            reply_frame: answered.map(|at| at.frame),
            detail: "",
        }),
    );
}
