//! IEEE C37.118: phasor measurement units tell the state of the power grid, 10 to 120 times a second, TCP 4712 and UDP 4713.
//!
//! Cyclic: one operation a stream at first sight, one a change of its status, one with the count at the end.

pub mod configuration;
pub mod frame;
mod tell;
#[cfg(test)]
mod tests;

use quaywatch_model::{At, Direction, Endpoint, Mark, Sink, Transport};
use quaywatch_wire::{Flow, Length, Pdu};

use self::configuration::Configuration;
use self::frame::{COMMAND, CONFIGURATION_1, CONFIGURATION_2, CONFIGURATION_3, DATA, FRAME_LIMIT, Frame, HEADER_FRAME};
use self::tell::{Answer, Teller};
use crate::analyzer::{Depth, Purpose};
use crate::deviation::{malformed, malformed_if_whole};
use crate::pairing::Pairing;
use crate::resync::Resync;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "c37-118";
/// Streams of one flow that are kept apart.
pub const STREAM_LIMIT: usize = 64;
/// Commands that wait for their frame at the same time.
pub const WAITING_LIMIT: usize = 16;

/// The registry entry.
pub struct C37118;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "IEEE C37.118 synchrophasor",
    tcp: &[4712],
    udp: &[4713],
    ethertypes: &[],
    spec: "IEEE C37.118.2-2011",
    found: "Phasor measurement units and relays in the substations of a port's power supply and of shore power",
    depth: Depth::Partial,
    purpose: Purpose::Control,
    scope: "Commands with the frames that answer them, stations and their channels by number, data streams with status, clock quality and \
            rate. Measured values and configuration frame 3 are not decoded.",
};

impl Protocol for C37118 {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        let whole = match (pdu.flow.transport, frame::length(pdu.data)) {
            (Transport::Udp, Length::Whole(size)) if size == pdu.data.len() => pdu.data,
            (Transport::Tcp, Length::Whole(size)) => match pdu.data.get(..size) {
                Some(whole) => whole,
                None => return Probe::Unsure,
            },
            (Transport::Tcp, Length::NeedMore) => return Probe::Unsure,
            _ => return Probe::No,
        };
        // The checksum makes it certain.
        match Frame::read(whole) {
            Some(Frame { sound: true, kind: COMMAND, .. }) => Probe::Yes,
            Some(Frame { sound: true, .. }) => Probe::YesFromServer,
            _ => Probe::No,
        }
    }

    fn open(&self, flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(PhasorFlow {
            over_tcp: flow.transport == Transport::Tcp,
            sides: [Resync::new(FRAME_LIMIT), Resync::new(FRAME_LIMIT)],
            talk: Talk { waiting: Pairing::new(WAITING_LIMIT), streams: Vec::new(), teller: Teller::default() },
        })
    }
}

/// A command that waits for its frame.
#[derive(Clone, Copy, Debug)]
struct Ask {
    at: At,
    client: Endpoint,
    server: Endpoint,
    stream: u16,
    command: u16,
    version: u8,
}

/// A stream of data frames.
#[derive(Debug)]
struct Stream {
    id: u16,
    server: Endpoint,
    client: Endpoint,
    configuration: Option<Configuration>,
    state: Option<State>,
    count: u64,
    unsound: u64,
    first: At,
    last: At,
}

/// What is told again when it changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct State {
    /// Status bits of all units, without the trigger's reason.
    status: u16,
    /// Quality code of the clock, 0 locked to 15 failed.
    clock: u8,
    size: u16,
}

struct PhasorFlow {
    over_tcp: bool,
    /// From the client, from the server.
    sides: [Resync; 2],
    talk: Talk,
}

struct Talk {
    /// By who asks, stream and command.
    waiting: Pairing<(Direction, u16, u16), Ask>,
    streams: Vec<Stream>,
    teller: Teller,
}

impl PhasorFlow {
    const fn side(&mut self, direction: Direction) -> &mut Resync {
        let [from_client, from_server] = &mut self.sides;
        match direction {
            Direction::FromClient => from_client,
            Direction::FromServer => from_server,
        }
    }
}

impl Analyzer for PhasorFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if !self.over_tcp {
            return self.talk.frame(pdu, pdu.data, out);
        }
        let PhasorFlow { sides: [from_client, from_server], talk, .. } = self;
        let side = if pdu.direction == Direction::FromClient { from_client } else { from_server };
        let starts = |bytes: &[u8]| matches!(frame::length(bytes), Length::Whole(_));
        match side.push(pdu.data, starts, frame::length, |bytes| talk.frame(pdu, bytes, out)) {
            Ok(true) => {}
            Ok(false) => out.mark(Mark::Undecoded("rest of a frame that was not captured")),
            Err(_) => malformed(PROTOCOL, pdu, "c37_118_framing", "bytes that begin no frame", out),
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u32, out: &mut dyn Sink) {
        self.side(direction).gap();
        self.talk.give_up(out);
    }

    fn close(&mut self, _: &Flow, out: &mut dyn Sink) {
        self.talk.give_up(out);
        for stream in std::mem::take(&mut self.talk.streams) {
            if stream.count > 1 {
                self.talk.teller.stream(&stream, "data counted", out);
            }
        }
    }
}

impl Talk {
    fn frame(&mut self, pdu: &Pdu<'_>, bytes: &[u8], out: &mut dyn Sink) {
        let Some(frame) = Frame::read(bytes) else {
            return malformed_if_whole(
                PROTOCOL,
                pdu,
                "c37_118_frame",
                "header or size of a frame is not possible",
                out,
            );
        };
        if !frame.sound {
            malformed(PROTOCOL, pdu, "c37_118_checksum", "checksum does not fit the frame", out);
            if frame.kind != DATA {
                return;
            }
        }
        match frame.kind {
            DATA => self.data(pdu, &frame, out),
            COMMAND => self.command(pdu, &frame, out),
            _ => self.answer(pdu, &frame, out),
        }
    }

    fn command(&mut self, pdu: &Pdu<'_>, frame: &Frame<'_>, out: &mut dyn Sink) {
        let Some(command) = frame.command() else {
            return malformed(PROTOCOL, pdu, "c37_118_command", "command frame without a command", out);
        };
        let ask = Ask {
            at: pdu.at,
            client: pdu.sender(),
            server: pdu.receiver(),
            stream: frame.stream,
            command,
            version: frame.version,
        };
        // Start, stop and extended frames are not answered.
        let answered = (3..=6).contains(&command);
        let lost = if answered { self.waiting.ask((pdu.direction, frame.stream, command), ask) } else { Some(ask) };
        if let Some(lost) = lost {
            self.teller.command(Some(&lost), None, out);
        }
    }

    fn answer(&mut self, pdu: &Pdu<'_>, frame: &Frame<'_>, out: &mut dyn Sink) {
        let Some(command) = frame::answers(frame.kind) else { return };
        let ask = self.waiting.answer(&(pdu.direction.reverse(), frame.stream, command));
        let mut configuration = None;
        match frame.kind {
            CONFIGURATION_1 | CONFIGURATION_2 => {
                configuration = Configuration::read(frame.body);
                if configuration.is_none() {
                    malformed(PROTOCOL, pdu, "c37_118_configuration", "configuration is shorter than it says", out);
                }
            }
            CONFIGURATION_3 => out.mark(Mark::Undecoded("configuration frame 3")),
            _ => {}
        }
        let text = if frame.kind == HEADER_FRAME { frame.body } else { &[] };
        let answer = Answer { pdu, frame, command, configuration: configuration.as_ref(), text };
        self.teller.command(ask.as_ref(), Some(&answer), out);
        // Data frames are laid out as configuration frame 2 says.
        if frame.kind == CONFIGURATION_2
            && let Some(stream) = self.stream(pdu, frame.stream)
        {
            stream.configuration = configuration;
        }
    }

    /// The stream of this number from this sender; none if there are too many.
    fn stream(&mut self, pdu: &Pdu<'_>, id: u16) -> Option<&mut Stream> {
        let server = pdu.sender();
        let known = self.streams.iter().position(|stream| stream.id == id && stream.server == server);
        if known.is_none() && self.streams.len() < STREAM_LIMIT {
            self.streams.push(Stream {
                id,
                server,
                client: pdu.receiver(),
                configuration: None,
                state: None,
                count: 0,
                unsound: 0,
                first: pdu.at,
                last: pdu.at,
            });
        }
        match known {
            Some(at) => self.streams.get_mut(at),
            None => self.streams.last_mut().filter(|stream| stream.id == id && stream.server == server),
        }
    }

    fn data(&mut self, pdu: &Pdu<'_>, frame: &Frame<'_>, out: &mut dyn Sink) {
        let Some(stream) = self.stream(pdu, frame.stream) else { return };
        if stream.count == 0 {
            stream.first = pdu.at;
        }
        stream.count = stream.count.saturating_add(1);
        stream.last = pdu.at;
        if !frame.sound {
            stream.unsound = stream.unsound.saturating_add(1);
            return;
        }
        let first_word = || frame.body.first_chunk::<2>().map(|word| u16::from_be_bytes(*word));
        let laid_out = stream.configuration.as_ref().and_then(|configuration| configuration.status(frame.body));
        let status = laid_out.or_else(first_word).unwrap_or(0) & tell::STATUS_TOLD;
        let state = State { status, clock: frame.quality & 0x0f, size: frame.size };
        let before = stream.state.replace(state);
        let name = match before {
            None => "data",
            Some(before) if before != state => "data changed",
            Some(_) => return,
        };
        let at = self.streams.iter().position(|stream| stream.id == frame.stream && stream.server == pdu.sender());
        if let Some(stream) = at.and_then(|at| self.streams.get(at)) {
            self.teller.clock(pdu, frame, stream, out);
            self.teller.stream(stream, name, out);
        }
    }

    fn give_up(&mut self, out: &mut dyn Sink) {
        while let Some(ask) = self.waiting.oldest() {
            self.teller.command(Some(&ask), None, out);
        }
    }
}
