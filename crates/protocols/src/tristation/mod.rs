//! TriStation: how the engineering station of Triconex safety controllers talks to them, UDP 1502.
//!
//! The maker has not published it. What is decoded here is what the analyses of the TRITON attack (2017) agree on.

pub mod frame;
pub mod names;
mod reply;
#[cfg(test)]
mod tests;
mod transfer;

use quaywatch_model::{At, Direction, Endpoint, Mark, Observation, Operation, OperationClass, Sink, Transport};
use quaywatch_wire::{Flow, Pdu};

use self::frame::{EXECUTION, Execution, Frame};
use self::reply::Listener;
use self::transfer::{Moving, Part};
use crate::analyzer::{Depth, Purpose};
use crate::bytes::{Cursor, device_text};
use crate::claims::Claims;
use crate::detail_json::{DetailJson, Hex};
use crate::deviation::malformed_if_whole;
use crate::pairing::Pairing;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "tristation";
const PORT: u16 = 1502;
/// Commands that wait for replies at the same time; the station asks one after the other.
pub const WAITING_LIMIT: usize = 16;
/// Added to a message type of the connection layer, so that it is not taken for a function code.
const CONNECTION_LAYER: u32 = 0x100;
/// Message types.
const CONNECT: u8 = 1;
const DISCONNECT: u8 = 4;
const PING: u8 = 6;
/// Bytes of a status request's arguments that are told.
const ARGUMENTS_TOLD: usize = 8;

/// The registry entry.
pub struct TriStation;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "TriStation",
    tcp: &[],
    udp: &[PORT],
    ethertypes: &[],
    spec: "not published; Mandiant, A Totally Tubular Treatise on TRITON and TriStation (2018); Nozomi Networks, tricotools",
    found: "Triconex safety controllers: emergency shutdown of tank farms, LNG and bulk terminals, and their engineering stations",
    depth: Depth::Partial,
    purpose: Purpose::Control,
    scope: "Connections, all published commands with results and refusals, key position and run state, project, modules, programs as they \
            move. Values, configurations and the content of programs are not decoded.",
};

impl Protocol for TriStation {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Udp {
            return Probe::No;
        }
        // Type, both lengths and the CRC must hold: nothing weaker would do on any port.
        let Ok(frame) = Frame::read(pdu.data) else { return Probe::No };
        match frame.execution {
            Some(Execution { reply: true, .. }) => Probe::YesFromServer,
            Some(_) => Probe::Yes,
            None if pdu.data.len() != frame::HEADER + 2 => Probe::No,
            None if matches!(frame.kind, CONNECT | DISCONNECT) => Probe::Yes,
            None if frame.kind == PING && !from_controller(pdu) => Probe::Yes,
            None => Probe::YesFromServer,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(Station {
            waiting: Pairing::new(WAITING_LIMIT),
            moving: Moving::default(),
            claims: Claims::default(),
            detail: DetailJson::default(),
            line: String::new(),
        })
    }
}

/// Whether the sender's port is the controllers' and the receiver's is not: a ping and its answer look the same.
fn from_controller(pdu: &Pdu<'_>) -> bool {
    pdu.sender().port == PORT && pdu.receiver().port != PORT
}

/// A command that waits for its reply.
#[derive(Debug)]
struct Ask {
    at: At,
    client: Endpoint,
    server: Endpoint,
    code: u32,
    channel: u8,
    sequence: Option<u8>,
    object: String,
    quantity: Option<u64>,
    arguments: ([u8; ARGUMENTS_TOLD], usize),
    part: Option<Part>,
}

/// What came back.
#[derive(Clone, Copy)]
struct Answer<'a> {
    at: At,
    channel: u8,
    /// Type of the connection layer, or function code.
    code: u32,
    data: &'a [u8],
}

struct Station {
    /// By who asks.
    waiting: Pairing<Direction, Ask>,
    moving: Moving,
    claims: Claims,
    detail: DetailJson,
    line: String,
}

impl Analyzer for Station {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        match Frame::read(pdu.data) {
            Err((name, reason)) => malformed_if_whole(PROTOCOL, pdu, name, reason, out),
            Ok(Frame { execution: Some(execution), channel, .. }) => self.execution(pdu, channel, &execution, out),
            Ok(frame) => self.connection(pdu, &frame, out),
        }
    }

    fn close(&mut self, _: &Flow, out: &mut dyn Sink) {
        while let Some(ask) = self.waiting.oldest() {
            self.tell(Some(&ask), None, (ask.client, ask.server), out);
        }
        self.moving.finish(false, out);
    }
}

impl Station {
    fn connection(&mut self, pdu: &Pdu<'_>, frame: &Frame<'_>, out: &mut dyn Sink) {
        let asked = pdu.direction.reverse();
        let code = CONNECTION_LAYER.saturating_add(u32::from(frame.kind));
        let answers_ping = frame.kind == PING
            && (from_controller(pdu) || self.waiting.find(&asked).is_some_and(|ask| ask.code == code));
        if matches!(frame.kind, CONNECT | DISCONNECT) || (frame.kind == PING && !answers_ping) {
            let ask = Ask { code, ..Ask::plain(pdu, frame.channel) };
            return self.ask(pdu.direction, ask, out);
        }
        let wanted = match frame.kind {
            2 => Some(CONNECT),
            3 => Some(DISCONNECT),
            PING => Some(PING),
            // The others refuse whatever was asked.
            _ => None,
        };
        let fits = |ask: &Ask| wanted.is_none_or(|kind| ask.code == CONNECTION_LAYER.saturating_add(u32::from(kind)));
        let ask = self.waiting.answer_where(&asked, fits);
        let answer = Answer { at: pdu.at, channel: frame.channel, code, data: &[] };
        self.tell(ask.as_ref(), Some(answer), (pdu.receiver(), pdu.sender()), out);
    }

    fn execution(&mut self, pdu: &Pdu<'_>, channel: u8, execution: &Execution<'_>, out: &mut dyn Sink) {
        if execution.reply {
            return self.answered(pdu, channel, execution, out);
        }
        if names::function(execution.code).is_none() {
            out.mark(Mark::Undecoded("function code of TriStation"));
        }
        let part = Part::read(execution.code, execution.data);
        if part.is_none() && Part::is_carried(execution.code) {
            return malformed_if_whole(PROTOCOL, pdu, "tristation_part", "part of a program is cut short", out);
        }
        let mut ask = Ask { sequence: Some(execution.sequence), ..Ask::plain(pdu, channel) };
        ask.code = u32::from(execution.code);
        ask.describe(execution, part.as_ref());
        ask.part = part;
        self.ask(pdu.direction, ask, out);
    }

    fn ask(&mut self, direction: Direction, ask: Ask, out: &mut dyn Sink) {
        if let Some(lost) = self.waiting.ask(direction, ask) {
            self.tell(Some(&lost), None, (lost.client, lost.server), out);
        }
    }

    fn answered(&mut self, pdu: &Pdu<'_>, channel: u8, execution: &Execution<'_>, out: &mut dyn Sink) {
        let Execution { code, sequence, data, .. } = *execution;
        let ends = (pdu.receiver(), pdu.sender());
        let asked = pdu.direction.reverse();
        let usual = names::reply(code).and_then(|(_, command)| command).map(u32::from);
        let by_number = |ask: &Ask| ask.sequence == Some(sequence);
        // A reply may count for itself: then it goes to the command that it usually answers.
        let ask = self
            .waiting
            .answer_where(&asked, |ask| by_number(ask) && usual.is_none_or(|usual| usual == ask.code))
            .or_else(|| self.waiting.answer_where(&asked, by_number))
            .or_else(|| self.waiting.answer_where(&asked, |ask| usual == Some(ask.code)));
        let answer = Answer { at: pdu.at, channel, code: u32::from(code), data };
        self.tell(ask.as_ref(), Some(answer), ends, out);
        let sent = ask.and_then(|ask| ask.part).filter(|_| matches!(code, 153 | 154));
        let received = || Part::read(code, data);
        if let Some(part) = sent.or_else(received) {
            self.moving.take(pdu.at, ends, &part, out);
        }
    }

    fn tell(&mut self, ask: Option<&Ask>, answer: Option<Answer<'_>>, ends: (Endpoint, Endpoint), out: &mut dyn Sink) {
        let Some(place) = answer.map(|answer| answer.at).or(ask.map(|ask| ask.at)) else { return };
        self.detail.clear();
        if let Some(channel) = ask.map(|ask| ask.channel).or(answer.map(|answer| answer.channel)) {
            self.detail.number("channel", channel);
        }
        if let Some(ask) = ask {
            ask.add_to(&mut self.detail);
        }
        if let Some(answer) = answer
            && let Ok(code) = u8::try_from(answer.code)
        {
            self.detail.number("reply", code);
            let (claims, detail) = (&mut self.claims, &mut self.detail);
            Listener { at: place, server: ends.1, claims, detail, out }.hear(code, answer.data);
        }
        let code = ask.map(|ask| ask.code).or_else(|| answer.map(|answer| command_of(answer.code))).unwrap_or(0);
        let (name, class) = name_of(code);
        let mut number = String::new();
        let name = name.unwrap_or_else(|| {
            number = format!("function {code}");
            &number
        });
        let status = answer.map(status);
        out.emit(
            place,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: ends.0,
                server: ends.1,
                unit: None,
                code,
                name,
                class,
                object: ask.map_or("", |ask| ask.object.as_str()),
                quantity: ask.and_then(|ask| ask.quantity),
                status: status.map(|(code, _)| code),
                status_name: status.map_or("", |(_, name)| name),
                latency: ask.zip(answer).map(|(ask, answer)| answer.at.ts.0.saturating_sub(ask.at.ts.0)),
                request_frame: ask.map(|ask| ask.at.frame),
                reply_frame: answer.map(|answer| answer.at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }
}

/// The command that a reply without one usually answers, or the reply's own code.
fn command_of(code: u32) -> u32 {
    if code == CONNECTION_LAYER + 2 || code == CONNECTION_LAYER + 3 {
        return CONNECTION_LAYER + u32::from(if code & 1 == 0 { CONNECT } else { DISCONNECT });
    }
    let usual = u8::try_from(code).ok().and_then(names::reply).and_then(|(_, command)| command);
    usual.map_or(code, u32::from)
}

fn name_of(code: u32) -> (Option<&'static str>, OperationClass) {
    if let Some(kind) = code.checked_sub(CONNECTION_LAYER).and_then(|kind| u8::try_from(kind).ok()) {
        return (names::message(kind), OperationClass::Session);
    }
    let code = u8::try_from(code).unwrap_or(u8::MAX);
    match names::function(code) {
        Some((name, class)) => (Some(name), class),
        // A reply whose command is unknown changes nothing by itself.
        None if code >= 100 => (names::reply(code).map(|(name, _)| name), OperationClass::Diagnose),
        None => (None, OperationClass::Control),
    }
}

/// Status and its name: 0 for all replies that say what was done.
fn status(answer: Answer<'_>) -> (u32, &'static str) {
    if let Some(kind) = answer.code.checked_sub(CONNECTION_LAYER).and_then(|kind| u8::try_from(kind).ok()) {
        let name = names::message(kind).unwrap_or("unknown message type");
        return if kind <= PING { (0, name) } else { (answer.code, name) };
    }
    let code = u8::try_from(answer.code).unwrap_or(u8::MAX);
    match names::reply(code) {
        // The reason is believed to follow.
        Some((name, _)) if code == 100 => {
            let reason = Cursor::new(answer.data).le16().and_then(|reason| Some((reason, names::refusal(reason)?)));
            reason.map_or((100, name), |(reason, name)| (u32::from(reason), name))
        }
        Some((name, _)) => (0, name),
        None => match names::refusal(u16::from(code)) {
            Some(name) => (u32::from(code), name),
            None if code >= 200 => (u32::from(code), "unknown reason"),
            None => (0, "answered"),
        },
    }
}

impl Ask {
    fn plain(pdu: &Pdu<'_>, channel: u8) -> Self {
        Ask {
            at: pdu.at,
            client: pdu.sender(),
            server: pdu.receiver(),
            code: u32::from(EXECUTION),
            channel,
            sequence: None,
            object: String::new(),
            quantity: None,
            arguments: ([0; ARGUMENTS_TOLD], 0),
            part: None,
        }
    }

    /// Takes over what the command is about.
    fn describe(&mut self, execution: &Execution<'_>, part: Option<&Part>) {
        let data = execution.data;
        match (execution.code, part) {
            (_, Some(part)) => {
                self.object = part.name();
                self.quantity = u64::try_from(part.size()).ok();
            }
            // The project's name follows a time stamp.
            (59, _) => {
                let name = data.get(10..20).and_then(device_text);
                self.object = name.map_or_else(String::new, |name| format!("project {name}"));
            }
            (65 | 66, _) => {
                let kind = if execution.code == 65 { "program" } else { "function" };
                self.object = Cursor::new(data).le16().map_or_else(String::new, |number| format!("{kind} {number}"));
            }
            // The implant of 2017 took its orders in the arguments of this otherwise harmless command.
            (29, _) => {
                let told = data.get(..ARGUMENTS_TOLD).unwrap_or(data);
                self.arguments.0.iter_mut().zip(told).for_each(|(place, byte)| *place = *byte);
                self.arguments.1 = told.len();
            }
            _ => {}
        }
    }

    fn add_to(&self, detail: &mut DetailJson) {
        if let Some(sequence) = self.sequence {
            detail.number("sequence", sequence);
        }
        let told = self.arguments.0.get(..self.arguments.1).unwrap_or_default();
        if !told.is_empty() {
            detail.text("arguments", Hex(told));
        }
    }
}
