//! PCOM of Unitronics controllers, as their engineering software, HMIs and SCADA drivers speak it over TCP.

mod frame;
mod names;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use quaywatch_model::{
    At, Attribute, Direction, Endpoint, Mark, Observation, Operation, OperationClass, Sink, Transport,
};
use quaywatch_wire::{Flow, Length, Pdu};

use self::frame::{Body, HEADER, LIMIT, Message, identity, length};
use crate::analyzer::{Depth, Purpose};
use crate::bytes::device_text;
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::deviation::malformed;
use crate::framers::Framers;
use crate::pairing::Pairing;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "pcom";
/// Requests that wait for replies at the same time.
pub const WAITING_LIMIT: usize = 32;

/// The registry entry.
pub struct Pcom;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "Unitronics PCOM",
    tcp: &[20256],
    udp: &[],
    ethertypes: &[],
    spec: "Unitronics, PCOM Protocol",
    found: "small controllers with a display: pumps, compressors, gates, reefer racks",
    depth: Depth::Partial,
    purpose: Purpose::Control,
    scope: "ASCII commands with operands, run, stop, reset, clock and identity; binary name, operands and data tables. \
            Values of operands and program transfer are not decoded.",
};

impl Protocol for Pcom {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Tcp {
            return Probe::No;
        }
        let opens = match pdu.data.get(HEADER..) {
            Some(message) => message.starts_with(b"/_OPLC") || matches!(message, [b'/', b'0'..=b'9' | b'A', ..]),
            None => return Probe::No,
        };
        match length(pdu.data) {
            Length::Whole(whole) if opens => match pdu.data.get(..whole).map(Message::read) {
                Some(Some(message)) if message.sound => {
                    if message.is_reply() {
                        Probe::YesFromServer
                    } else {
                        Probe::Yes
                    }
                }
                Some(_) => Probe::No,
                None => Probe::Unsure,
            },
            _ => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(PcomFlow { framers: Framers::new(HEADER + LIMIT), talk: Talk::default() })
    }
}

/// A request that waits for its reply.
#[derive(Debug)]
struct Ask {
    at: At,
    client: Endpoint,
    server: Endpoint,
    unit: u8,
    said: Said,
}

/// What a request asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Said {
    code: u32,
    name: &'static str,
    class: OperationClass,
    /// Operand area, first operand, how many.
    operands: Option<(&'static str, u32, u32)>,
}

struct PcomFlow {
    framers: Framers,
    talk: Talk,
}

struct Talk {
    waiting: Pairing<u16, Ask>,
    claims: Claims,
    detail: DetailJson,
    line: String,
    object: String,
}

impl Default for Talk {
    fn default() -> Self {
        Talk {
            waiting: Pairing::new(WAITING_LIMIT),
            claims: Claims::default(),
            detail: DetailJson::default(),
            line: String::new(),
            object: String::new(),
        }
    }
}

impl Analyzer for PcomFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let PcomFlow { framers, talk } = self;
        let framer = framers.of(pdu.direction);
        if framer.push(pdu.data, length, |frame| talk.frame(pdu, frame, out)).is_err() {
            malformed(PROTOCOL, pdu, "pcom_header", "mode or length is not possible", out);
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

/// What a message says by its command.
fn said(body: &Body<'_>) -> Option<Said> {
    match *body {
        Body::Binary { command, .. } => {
            let (name, class) = names::binary(command & 0x7f)?;
            Some(Said { code: u32::from(command & 0x7f), name, class, operands: None })
        }
        Body::Ascii { text, .. } => {
            let (code, name, class, area) = names::ascii(text)?;
            let number =
                |from: usize, to: usize| u32::from_str_radix(text.get(code.len() + from..code.len() + to)?, 16).ok();
            // Address of four hexadecimal digits, count of two; a clock and a state have none.
            let operands = number(0, 4).zip(number(4, 6)).filter(|_| !area.is_empty());
            Some(Said {
                code: code.bytes().fold(0, |code, byte| code << 8 | u32::from(byte)),
                name,
                class: *class,
                operands: operands.map(|(first, count)| (*area, first, count)),
            })
        }
    }
}

impl Talk {
    fn frame(&mut self, pdu: &Pdu<'_>, frame: &[u8], out: &mut dyn Sink) {
        let Some(message) = Message::read(frame) else {
            return malformed(PROTOCOL, pdu, "pcom_message", "message without its start, unit, length or end", out);
        };
        if !message.sound {
            malformed(PROTOCOL, pdu, "pcom_checksum", "checksum does not fit the message", out);
        }
        if message.is_reply() {
            let ask = self.waiting.answer(&message.transaction);
            self.tell(ask.as_ref(), Some((pdu, &message)), out);
            self.identify(pdu, &message.body, out);
            return;
        }
        let said = said(&message.body).unwrap_or_else(|| {
            out.mark(Mark::Undecoded("unknown command"));
            let code = if let Body::Binary { command, .. } = message.body { u32::from(command) } else { 0 };
            Said { code, name: "unknown command", class: OperationClass::Diagnose, operands: None }
        });
        let ask = Ask { at: pdu.at, client: pdu.sender(), server: pdu.receiver(), unit: message.unit, said };
        if let Some(lost) = self.waiting.ask(message.transaction, ask) {
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
        let Some(said) = ask.map(|ask| ask.said).or_else(|| reply.and_then(|(_, message)| said(&message.body))) else {
            return out.mark(Mark::Undecoded("unknown command"));
        };
        let unit = ask.map(|ask| ask.unit).or(reply.map(|(_, message)| message.unit));
        self.object.clear();
        if let Some((area, first, count)) = said.operands.filter(|_| ask.is_some()) {
            // Writing to a string cannot fail.
            let _ = match count {
                0 | 1 => write!(self.object, "{area} {first}"),
                _ => write!(self.object, "{area} {first}-{}", first + (count - 1)),
            };
        }
        self.detail.clear();
        if let Some((_, Message { body: Body::Binary { data, .. }, .. })) = reply {
            self.detail.number("reply_bytes", i64::try_from(data.len()).unwrap_or(i64::MAX));
        }
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client,
                server,
                unit: unit.map(u32::from),
                code: said.code,
                name: said.name,
                class: said.class,
                object: &self.object,
                quantity: said.operands.filter(|_| ask.is_some()).map(|(.., count)| u64::from(count)),
                status: reply.map(|_| 0),
                status_name: if reply.is_some() { "answered" } else { "" },
                latency: ask.zip(reply).map(|(ask, (pdu, _))| pdu.at.ts.since(ask.at.ts)),
                request_frame: ask.map(|ask| ask.at.frame),
                reply_frame: reply.map(|(pdu, _)| pdu.at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }

    fn identify(&mut self, pdu: &Pdu<'_>, body: &Body<'_>, out: &mut dyn Sink) {
        let subject = pdu.sender().address;
        let mut claim = |attribute, value: &str, method| {
            self.claims.identify(out, pdu.at, subject, (Attribute::Vendor, "Unitronics", method));
            self.claims.identify(out, pdu.at, subject, (attribute, value, method));
        };
        match *body {
            Body::Ascii { text, .. } => {
                if let Some((model, hardware, firmware)) = identity(text) {
                    claim(Attribute::Model, model, "pcom id model code");
                    claim(Attribute::Hardware, hardware, "pcom id");
                    claim(Attribute::Firmware, &firmware, "pcom id");
                }
            }
            Body::Binary { command: 0x8c, data } => {
                if let Some(name) = device_text(data) {
                    claim(Attribute::HostName, &name, "pcom plc name");
                }
            }
            Body::Binary { .. } => {}
        }
    }
}
