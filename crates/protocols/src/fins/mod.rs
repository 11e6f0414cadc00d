//! Omron FINS over UDP and TCP: how engineering, panels and other controllers talk to Omron controllers on port 9600.

pub mod frame;
pub mod names;
mod object;
mod tell;
#[cfg(test)]
mod tests;
mod transfer;

use quaywatch_model::{At, Direction, Endpoint, Mark, OperationClass, Sink, Transport};
use quaywatch_wire::{Flow, Length, Pdu};

use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::bytes::Cursor;
use crate::deviation::{malformed, malformed_if_whole};
use crate::framers::Framers;
use crate::pairing::Pairing;
use crate::{Analyzer, Probe, Protocol};
use frame::{FRAME_LIMIT, Frame, Node, TcpMessage};
use tell::{Answer, Teller};

const PROTOCOL: &str = "omron-fins";
/// Requests that wait for replies at the same time.
pub const WAITING_LIMIT: usize = 32;

/// The registry entry.
pub struct OmronFins;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "Omron FINS",
    tcp: &[9600],
    udp: &[9600],
    ethertypes: &[],
    spec: "Omron W342 (CS/CJ/CP communications commands) section 5, W421 section 7 (FINS/TCP)",
    found: "Omron controllers of conveyors, reefer racks, gates and older cranes; their panels and engineering stations",
    depth: Depth::Full,
    purpose: Purpose::Control,
    scope: "All published commands with memory areas, parameter areas, files, modes, clock, access rights, forced bits and end codes; model and \
            version; programs and files as they move. Values are not decoded.",
};

impl Protocol for OmronFins {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        match pdu.flow.transport {
            Transport::Udp => match Frame::read(pdu.data) {
                Some(frame) if names::command(frame.command).is_none() => Probe::No,
                Some(frame) if !frame.response => Probe::Yes,
                Some(frame) if frame.text.len() >= 2 => Probe::YesFromServer,
                _ => Probe::No,
            },
            Transport::Tcp => probe_stream(pdu.data),
            _ => Probe::No,
        }
    }

    fn open(&self, flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(FinsFlow {
            over_tcp: flow.transport == Transport::Tcp,
            framers: Framers::new(FRAME_LIMIT),
            talk: Talk { waiting: Pairing::new(WAITING_LIMIT), teller: Teller::default() },
        })
    }
}

fn probe_stream(bytes: &[u8]) -> Probe {
    match frame::tcp_length(bytes) {
        Length::Invalid => Probe::No,
        // Four letters that a text may begin with, too; the length behind them makes it certain.
        Length::NeedMore if bytes.len() < 8 => Probe::Unsure,
        _ => match TcpMessage::read(bytes) {
            Some(message) if message.command == 1 => Probe::YesFromServer,
            Some(message) if message.command == 2 && Frame::read(message.body).is_some_and(|frame| frame.response) => {
                Probe::YesFromServer
            }
            Some(message) if message.command <= 6 => Probe::Yes,
            Some(_) => Probe::No,
            None => Probe::Unsure,
        },
    }
}

/// A request that waits for its reply.
#[derive(Debug)]
pub struct Ask {
    at: At,
    client: Endpoint,
    server: Endpoint,
    command: u16,
    service_id: u8,
    to: Node,
    from: Node,
    object: String,
    quantity: Option<u64>,
    class: OperationClass,
    /// A file's name or a program's number, for what moves.
    moving: Option<transfer::Part>,
    /// What a look at a password that lifts a protection showed.
    secret: Option<crate::login::Secret>,
}

struct FinsFlow {
    over_tcp: bool,
    framers: Framers,
    talk: Talk,
}

struct Talk {
    /// By who asks, service id and command; node numbers of TCP have the command that asks.
    waiting: Pairing<(Direction, u8, u16), Ask>,
    teller: Teller,
}

impl Analyzer for FinsFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let FinsFlow { over_tcp, framers, talk } = self;
        if !*over_tcp {
            return talk.frame(pdu, pdu.data, out);
        }
        let framer = framers.of(pdu.direction);
        if framer.push(pdu.data, frame::tcp_length, |message| talk.message(pdu, message, out)).is_err() {
            malformed(PROTOCOL, pdu, "omron_fins_tcp_header", "TCP header of FINS is not possible", out);
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u32, out: &mut dyn Sink) {
        self.framers.of(direction).reset();
        self.talk.give_up(out);
        self.talk.teller.gap();
    }

    fn close(&mut self, _: &Flow, out: &mut dyn Sink) {
        self.talk.give_up(out);
        self.talk.teller.finish(out);
    }
}

impl Talk {
    fn message(&mut self, pdu: &Pdu<'_>, bytes: &[u8], out: &mut dyn Sink) {
        let Some(message) = TcpMessage::read(bytes) else {
            return malformed(PROTOCOL, pdu, "omron_fins_tcp_header", "TCP header of FINS is not possible", out);
        };
        match message.command {
            0 => self.nodes_asked(pdu, message.body, out),
            1 => {
                let ask = self.waiting.answer(&(pdu.direction.reverse(), 0, 0));
                self.teller.nodes(ask.as_ref(), Some((pdu, &message)), out);
            }
            2 if message.error == 0 => self.frame(pdu, message.body, out),
            2 | 3 => self.teller.refused(pdu, &message, out),
            6 => {}
            _ => out.mark(Mark::Undecoded("command of FINS over TCP")),
        }
    }

    fn nodes_asked(&mut self, pdu: &Pdu<'_>, body: &[u8], out: &mut dyn Sink) {
        let node = Cursor::new(body).be32().and_then(|node| u8::try_from(node).ok()).unwrap_or(0);
        let plain = Node { network: 0, node: 0, unit: 0 };
        let ask = Ask {
            at: pdu.at,
            client: pdu.sender(),
            server: pdu.receiver(),
            command: 0,
            service_id: 0,
            to: plain,
            from: Node { node, ..plain },
            object: String::new(),
            quantity: None,
            class: OperationClass::Session,
            moving: None,
            secret: None,
        };
        if let Some(lost) = self.waiting.ask((pdu.direction, 0, 0), ask) {
            self.teller.lost(&lost, out);
        }
    }

    fn frame(&mut self, pdu: &Pdu<'_>, bytes: &[u8], out: &mut dyn Sink) {
        let Some(frame) = Frame::read(bytes) else {
            let reason = if frame::is_whole(bytes) {
                "header of a FINS frame is not possible"
            } else {
                "FINS frame is cut short"
            };
            return malformed_if_whole(PROTOCOL, pdu, "omron_fins_header", reason, out);
        };
        if names::command(frame.command).is_none() {
            out.mark(Mark::Undecoded("FINS command"));
        }
        if frame.response {
            let ask = self.waiting.answer(&(pdu.direction.reverse(), frame.service_id, frame.command));
            return match Answer::read(&frame) {
                Some(answer) => self.teller.answered(ask.as_ref(), pdu, &frame, &answer, out),
                None => malformed_if_whole(PROTOCOL, pdu, "omron_fins_response", "response has no end code", out),
            };
        }
        let Some(ask) = Ask::read(pdu, &frame) else {
            return malformed_if_whole(
                PROTOCOL,
                pdu,
                "omron_fins_request",
                "request is shorter than its command needs",
                out,
            );
        };
        if frame.unanswered {
            return self.teller.lost(&ask, out);
        }
        if let Some(lost) = self.waiting.ask((pdu.direction, frame.service_id, frame.command), ask) {
            self.teller.lost(&lost, out);
        }
    }

    fn give_up(&mut self, out: &mut dyn Sink) {
        while let Some(ask) = self.waiting.oldest() {
            self.teller.lost(&ask, out);
        }
    }
}

impl Ask {
    fn read(pdu: &Pdu<'_>, frame: &Frame<'_>) -> Option<Self> {
        let named = object::of(frame.command, frame.text)?;
        Some(Ask {
            at: pdu.at,
            client: pdu.sender(),
            server: pdu.receiver(),
            command: frame.command,
            service_id: frame.service_id,
            to: frame.to,
            from: frame.from,
            object: named.object,
            quantity: named.quantity,
            class: names::command(frame.command).map_or(OperationClass::Control, |(_, class)| class),
            moving: transfer::Part::asked(frame.command, frame.text),
            secret: named.secret,
        })
    }
}
