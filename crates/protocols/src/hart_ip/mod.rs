//! HART-IP: field instruments (tank levels, loads, flows) and their gateways over UDP and TCP port 5094.

mod detail;
pub mod frame;
pub mod names;
#[cfg(test)]
mod tests;

use quaywatch_model::{At, Direction, Endpoint, Mark, Observation, Operation, OperationClass, Sink, Transport};
use quaywatch_wire::{Flow, Length, Pdu};

use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::bytes::Cursor;
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::deviation::{malformed, malformed_if_whole};
use crate::framers::Framers;
use crate::pairing::Pairing;
use crate::{Analyzer, Probe, Protocol};
use frame::{Device, Frame, Kind, MESSAGE_LIMIT, Message};

const PROTOCOL: &str = "hart-ip";
/// Requests that wait for replies at the same time.
pub const WAITING_LIMIT: usize = 32;
/// Devices and commands whose published values are counted apart.
const PUBLISHED_LIMIT: usize = 64;
/// Code of an operation that is a message without a command: its message id is added.
const MESSAGE_CODE: u32 = 0x1_0000;

/// The registry entry.
pub struct HartIp;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "HART-IP",
    tcp: &[5094],
    udp: &[5094],
    ethertypes: &[],
    spec: "FieldComm Group HCF_SPEC-085 (HART-IP), -081 (data link), -127 and -151 (commands), -099 and -307 (status)",
    found: "Instruments of tank farms, bunkering and shore power behind HART gateways; wireless gateways",
    depth: Depth::Partial,
    purpose: Purpose::Control,
    scope: "Sessions, universal and common practice commands with response codes and status of the device, identity, tags; published values are \
            counted. Values, and commands of makers, are not decoded.",
};

impl Protocol for HartIp {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        let whole = match (pdu.flow.transport, frame::message_length(pdu.data)) {
            (Transport::Udp, Length::Whole(whole)) if whole == pdu.data.len() => whole,
            (Transport::Tcp, Length::Whole(whole)) => whole,
            (Transport::Tcp, Length::NeedMore) => return Probe::Unsure,
            _ => return Probe::No,
        };
        let Some(bytes) = pdu.data.get(..whole) else { return Probe::Unsure };
        match Message::read(bytes).filter(Message::is_sound) {
            // Eight bytes of small numbers are no proof.
            Some(message) if message.body.len() < 5 => Probe::Unsure,
            Some(message) if message.kind == Kind::Request => Probe::Yes,
            Some(_) => Probe::YesFromServer,
            None => Probe::No,
        }
    }

    fn open(&self, flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(HartFlow {
            over_tcp: flow.transport == Transport::Tcp,
            framers: Framers::new(MESSAGE_LIMIT),
            talk: Talk::default(),
        })
    }
}

/// A request that waits for its response.
#[derive(Clone, Debug)]
struct Ask {
    at: At,
    client: Endpoint,
    server: Endpoint,
    what: What,
    object: String,
}

/// What is asked: a message without a command, or a command to a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum What {
    Message(u8),
    Command(u16, Device),
}

struct HartFlow {
    over_tcp: bool,
    framers: Framers,
    talk: Talk,
}

/// Values that a device publishes by a command.
#[derive(Debug)]
struct Published {
    at: At,
    ends: (Endpoint, Endpoint),
    device: Device,
    command: u16,
    count: u64,
}

struct Talk {
    /// By who asks, message id and sequence number.
    waiting: Pairing<(Direction, u8, u16), Ask>,
    published: Vec<Published>,
    claims: Claims,
    detail: DetailJson,
    line: String,
}

impl Default for Talk {
    fn default() -> Self {
        Talk {
            waiting: Pairing::new(WAITING_LIMIT),
            published: Vec::new(),
            claims: Claims::default(),
            detail: DetailJson::default(),
            line: String::new(),
        }
    }
}

impl Analyzer for HartFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let HartFlow { over_tcp, framers, talk } = self;
        if !*over_tcp {
            return talk.message(pdu, pdu.data, out);
        }
        let framer = framers.of(pdu.direction);
        if framer.push(pdu.data, frame::message_length, |bytes| talk.message(pdu, bytes, out)).is_err() {
            malformed(PROTOCOL, pdu, "hart_ip_header", "message header is not possible", out);
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u32, out: &mut dyn Sink) {
        self.framers.of(direction).reset();
        self.talk.give_up(out);
    }

    fn close(&mut self, _: &Flow, out: &mut dyn Sink) {
        self.talk.give_up(out);
        self.talk.count_published(out);
    }
}

/// What a row says of a reply.
#[derive(Clone, Copy)]
struct Reply<'a> {
    pdu: &'a Pdu<'a>,
    status: u32,
    name: &'static str,
}

impl Talk {
    fn message(&mut self, pdu: &Pdu<'_>, bytes: &[u8], out: &mut dyn Sink) {
        let Some(message) = Message::read(bytes) else {
            return malformed_if_whole(PROTOCOL, pdu, "hart_ip_header", "message header is not possible", out);
        };
        let frame = match message.id {
            3 => match Frame::read(message.body) {
                Some(frame) => Some(frame),
                None if message.kind == Kind::Nak || message.status != 0 => None,
                None => {
                    let reason = "frame's delimiter or length is not possible";
                    return malformed_if_whole(PROTOCOL, pdu, "hart_ip_frame", reason, out);
                }
            },
            _ => None,
        };
        if frame.is_some_and(|frame| !frame.check) {
            malformed(PROTOCOL, pdu, "hart_ip_check", "check byte of the frame does not fit", out);
        }
        match message.kind {
            Kind::Request => self.asked(pdu, &message, frame.as_ref(), out),
            Kind::Publish => self.publish(pdu, frame.as_ref(), out),
            Kind::Response | Kind::Nak => self.answered(pdu, &message, frame.as_ref(), out),
        }
    }

    fn asked(&mut self, pdu: &Pdu<'_>, message: &Message<'_>, frame: Option<&Frame<'_>>, out: &mut dyn Sink) {
        let what = frame.map_or(What::Message(message.id), |frame| What::Command(frame.command, frame.device));
        let object = frame.map_or_else(|| detail::message_object(message), |frame| detail::command_object(frame));
        let ask = Ask { at: pdu.at, client: pdu.sender(), server: pdu.receiver(), what, object };
        if let Some(lost) = self.waiting.ask((pdu.direction, message.id, message.sequence), ask) {
            self.lost(&lost, out);
        }
    }

    fn answered(&mut self, pdu: &Pdu<'_>, message: &Message<'_>, frame: Option<&Frame<'_>>, out: &mut dyn Sink) {
        let ask = self.waiting.answer(&(pdu.direction.reverse(), message.id, message.sequence));
        let ends = ask.as_ref().map_or((pdu.receiver(), pdu.sender()), |ask| (ask.client, ask.server));
        self.detail.clear();
        let told = frame.map(|frame| What::Command(frame.command, frame.device));
        let what = told.or(ask.as_ref().map(|ask| ask.what)).unwrap_or(What::Message(message.id));
        let (status, name) = match frame.and_then(|frame| frame.status) {
            Some((code, _)) => (u32::from(code), names::response(code)),
            None => (u32::from(message.status), names::session(message.status)),
        };
        if let Some(frame) = frame {
            detail::reply(&mut self.detail, frame);
            detail::claim(&mut self.claims, frame, ends.1.address, pdu.at, out);
        } else if message.id == 4 {
            out.mark(Mark::Undecoded("answers of a direct PDU"));
        }
        self.emit(what, ask.as_ref(), ends, Some(Reply { pdu, status, name }), out);
    }

    /// Values come thousands of times an hour: the first of a device and command makes a row, the rest is counted.
    fn publish(&mut self, pdu: &Pdu<'_>, frame: Option<&Frame<'_>>, out: &mut dyn Sink) {
        let Some(frame) = frame else { return out.mark(Mark::Undecoded("published message")) };
        let same = |one: &&mut Published| one.device == frame.device && one.command == frame.command;
        if let Some(known) = self.published.iter_mut().find(same) {
            (known.at, known.count) = (pdu.at, known.count.saturating_add(1));
            return;
        }
        // The device that publishes is the server, whoever sends first.
        let ends = (pdu.receiver(), pdu.sender());
        let one = Published { at: pdu.at, ends, device: frame.device, command: frame.command, count: 1 };
        self.emit_published(&one, out);
        if self.published.len() < PUBLISHED_LIMIT {
            self.published.push(one);
        }
    }

    fn count_published(&mut self, out: &mut dyn Sink) {
        for one in std::mem::take(&mut self.published) {
            if one.count > 1 {
                self.emit_published(&one, out);
            }
        }
    }

    fn emit_published(&self, one: &Published, out: &mut dyn Sink) {
        let object = one.device.to_string();
        out.emit(
            one.at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: one.ends.0,
                server: one.ends.1,
                unit: None,
                code: u32::from(one.command),
                name: "publish",
                class: OperationClass::Cyclic,
                object: &object,
                quantity: Some(one.count),
                status: None,
                status_name: "",
                latency: None,
                request_frame: None,
                reply_frame: Some(one.at.frame),
                detail: "",
            }),
        );
    }

    fn lost(&mut self, ask: &Ask, out: &mut dyn Sink) {
        self.detail.clear();
        if let What::Command(_, device) = ask.what {
            detail::device(&mut self.detail, device);
        }
        self.emit(ask.what, Some(ask), (ask.client, ask.server), None, out);
    }

    fn give_up(&mut self, out: &mut dyn Sink) {
        while let Some(ask) = self.waiting.oldest() {
            self.lost(&ask, out);
        }
    }

    fn emit(
        &mut self,
        what: What,
        ask: Option<&Ask>,
        ends: (Endpoint, Endpoint),
        reply: Option<Reply<'_>>,
        out: &mut dyn Sink,
    ) {
        let Some(at) = reply.map(|reply| reply.pdu.at).or(ask.map(|ask| ask.at)) else { return };
        let (code, name, class) = match what {
            What::Command(code, _) => {
                let (name, class) = names::command(code).unwrap_or(("command of the maker", OperationClass::Control));
                (u32::from(code), name, class)
            }
            What::Message(id) => (MESSAGE_CODE | u32::from(id), message_name(id), message_class(id)),
        };
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: ends.0,
                server: ends.1,
                unit: match what {
                    What::Command(_, Device::Short(address)) => Some(u32::from(address)),
                    _ => None,
                },
                code,
                name,
                class,
                object: ask.map_or("", |ask| ask.object.as_str()),
                quantity: None,
                status: reply.map(|reply| reply.status),
                status_name: reply.map_or("", |reply| reply.name),
                latency: ask.zip(reply).map(|(ask, reply)| reply.pdu.at.ts.since(ask.at.ts)),
                request_frame: ask.map(|ask| ask.at.frame),
                reply_frame: reply.map(|reply| reply.pdu.at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }
}

/// Name of a message without a command (HCF_SPEC-085 section 6.2).
const fn message_name(id: u8) -> &'static str {
    match id {
        0 => "session initiate",
        1 => "session close",
        2 => "keep alive",
        3 => "token-passing PDU",
        4 => "direct PDU",
        _ => "read audit log",
    }
}

const fn message_class(id: u8) -> OperationClass {
    match id {
        4 => OperationClass::Control,
        5 => OperationClass::Diagnose,
        _ => OperationClass::Session,
    }
}

/// Master's kind and patience, of a session's opening.
fn session_terms(body: &[u8]) -> Option<(&'static str, u32)> {
    let mut cursor = Cursor::new(body);
    let master = if cursor.u8()? == 1 { "primary" } else { "secondary" };
    Some((master, cursor.be32()?))
}
