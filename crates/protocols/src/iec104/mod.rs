//! IEC 60870-5-104: telecontrol over TCP; in a port the medium-voltage supply of quays, cranes and shore connection.
//!
//! Written from IEC 60870-5-104 (frames, functions of the connection) and IEC 60870-5-101 (data units, their types and causes).

mod files;
mod frame;
pub mod names;
mod tell;
#[cfg(test)]
mod tests;

pub use tell::{REFUSED, UNNUMBERED_CODE};

use quaywatch_model::{At, Direction, Endpoint, Mark, Observation, Sink, Transfer, Transport, Weird};
use quaywatch_wire::{Flow, Framer, Length, Pdu};

use self::files::Files;
use self::frame::{Asdu, Control, FRAME_LIMIT, START, frame_length};
use self::names::Way;
use self::tell::{Ask, Place, Reply, Teller};
use crate::analyzer::{Depth, Purpose};
use crate::pairing::Pairing;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

/// Protocol name in rows.
const PROTOCOL: &str = "iec104";

/// Commands that wait for confirmation at the same time; a station takes 12 unacknowledged frames by default.
pub const WAITING_LIMIT: usize = 64;
/// Kinds of process data (type, cause, common address) that one flow counts apart; others are told each time.
pub const KIND_LIMIT: usize = 128;

/// The registry entry.
pub struct Iec104;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "IEC 60870-5-104",
    tcp: &[2404],
    udp: &[],
    ethertypes: &[],
    spec: "IEC 60870-5-104, IEC 60870-5-101",
    found: "substations, shore connection and power management of terminals",
    depth: Depth::Full,
    purpose: Purpose::Control,
    scope: "All frames and types; commands, setpoints, interrogations, clock, resets and parameters with values and confirmations, files. \
            Process data is told once a kind and counted; the contents of the security extension are not decoded.",
};

impl Protocol for Iec104 {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Tcp {
            return Probe::No;
        }
        let whole = match frame_length(pdu.data) {
            Length::Invalid => return Probe::No,
            Length::NeedMore => return Probe::Unsure,
            Length::Whole(whole) => whole,
        };
        let control = pdu.data.get(2..6).and_then(|octets| octets.first_chunk().copied());
        let Some(octets) = control else { return Probe::Unsure };
        let Some(control) = Control::read(octets) else { return Probe::No };
        let next = pdu.data.get(whole..).and_then(|rest| rest.first());
        if next.is_some_and(|byte| *byte != START) {
            return Probe::No;
        }
        probe_frame(control, pdu.data.get(..whole), whole)
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(Iec104Flow::default())
    }
}

fn probe_frame(control: Control, frame: Option<&[u8]>, whole: usize) -> Probe {
    match control {
        Control::Unnumbered(_) | Control::Supervisory { .. } if whole != 6 => Probe::No,
        Control::Unnumbered(0x0b | 0x23) => Probe::YesFromServer,
        Control::Unnumbered(_) => Probe::Yes,
        Control::Supervisory { .. } => Probe::Unsure,
        Control::Numbered { .. } => {
            let Some(frame) = frame else { return Probe::Unsure };
            let Some(asdu) = frame.get(6..).and_then(Asdu::read) else { return Probe::No };
            match asdu.kind() {
                Some(kind) if asdu.fits() && asdu.count > 0 => match (kind.way, asdu.cause) {
                    (Way::Monitor, _) | (Way::Control, 7 | 9 | 10 | 44..=47) => Probe::YesFromServer,
                    _ => Probe::Yes,
                },
                _ => Probe::No,
            }
        }
    }
}

/// What a confirmation is found by: type, common address, first object address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Key {
    code: u8,
    common: u16,
    address: u32,
}

impl Key {
    fn of(asdu: &Asdu<'_>) -> Self {
        Key { code: asdu.code, common: asdu.common, address: asdu.each().next().map_or(0, |(address, _)| address) }
    }
}

/// A kind of process data: type, cause, common address.
type Kind = (u8, u8, u16);

/// Place and ends of the frame at hand.
#[derive(Clone, Copy, Debug)]
struct Context {
    at: At,
    direction: Direction,
    sender: Endpoint,
    receiver: Endpoint,
}

impl Context {
    /// The place, with the sender as the controlling station or as the controlled one.
    const fn place(&self, controls: bool) -> Place {
        if controls {
            Place { at: self.at, client: self.sender, server: self.receiver }
        } else {
            Place { at: self.at, client: self.receiver, server: self.sender }
        }
    }
}

/// Reads one flow.
struct Iec104Flow {
    from_client: Framer,
    from_server: Framer,
    /// Send sequence number to come, by direction.
    next: [Option<u16>; 2],
    waiting: Pairing<Key, Ask>,
    /// Functions of the connection that wait for confirmation, by first control octet.
    starting: Pairing<u8, Place>,
    kinds: Vec<(Kind, u64, Place)>,
    tests: Option<(Place, u64)>,
    files: Files,
    teller: Teller,
    spare: Vec<u8>,
}

impl Default for Iec104Flow {
    fn default() -> Self {
        Iec104Flow {
            from_client: Framer::new(FRAME_LIMIT),
            from_server: Framer::new(FRAME_LIMIT),
            next: [None; 2],
            waiting: Pairing::new(WAITING_LIMIT),
            starting: Pairing::new(WAITING_LIMIT),
            kinds: Vec::new(),
            tests: None,
            files: Files::default(),
            teller: Teller::default(),
            spare: Vec::new(),
        }
    }
}

impl Analyzer for Iec104Flow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let context = Context { at: pdu.at, direction: pdu.direction, sender: pdu.sender(), receiver: pdu.receiver() };
        let mut framer = std::mem::replace(self.framer(pdu.direction), Framer::new(0));
        let framed = framer.push(pdu.data, frame_length, |frame| self.frame(&context, frame, out));
        *self.framer(pdu.direction) = framer;
        if framed.is_err() {
            // The next segment most likely starts a frame again.
            broken(&context, "iec104_framing", "bytes that start no frame", out);
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u32, _out: &mut dyn Sink) {
        self.framer(direction).reset();
        *self.expected(direction) = None;
        self.files.gap();
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        let asks: Vec<Ask> = self.waiting.drain().collect();
        for ask in &asks {
            self.teller.command(&ask.place, Asdu::read(&ask.bytes).as_ref(), None, out);
        }
        // TESTFR is counted apart.
        for control in [0x07, 0x13] {
            while let Some(place) = self.starting.answer(&control) {
                self.teller.unnumbered(&place, control, None, None, out);
            }
        }
        for (kind, count, place) in std::mem::take(&mut self.kinds) {
            if count > 0 {
                self.teller.repeated(&place, kind, count, out);
            }
        }
        if let Some((place, count)) = self.tests.take()
            && count > 0
        {
            self.teller.unnumbered(&place, 0x43, None, Some(count), out);
        }
        self.files.close(out);
    }
}

fn broken(context: &Context, name: &'static str, reason: &'static str, out: &mut dyn Sink) {
    tell_weird(context, name, reason, out);
    out.mark(Mark::Malformed(reason));
}

fn tell_weird(context: &Context, name: &'static str, reason: &'static str, out: &mut dyn Sink) {
    let Context { sender, receiver, .. } = *context;
    out.emit(context.at, Observation::Weird(Weird { name, protocol: PROTOCOL, detail: reason, sender, receiver }));
}

impl Iec104Flow {
    fn framer(&mut self, direction: Direction) -> &mut Framer {
        match direction {
            Direction::FromClient => &mut self.from_client,
            Direction::FromServer => &mut self.from_server,
        }
    }

    fn expected(&mut self, direction: Direction) -> &mut Option<u16> {
        let [client, server] = &mut self.next;
        match direction {
            Direction::FromClient => client,
            Direction::FromServer => server,
        }
    }

    fn frame(&mut self, context: &Context, frame: &[u8], out: &mut dyn Sink) {
        let octets = frame.get(2..6).and_then(|octets| octets.first_chunk().copied());
        let Some(control) = octets.and_then(Control::read) else {
            return broken(context, "iec104_control", "control field is of no form", out);
        };
        match control {
            Control::Numbered { send, .. } => {
                self.number(context, send, out);
                match frame.get(6..).and_then(Asdu::read) {
                    Some(asdu) => self.asdu(context, &asdu, frame.get(6..).unwrap_or_default(), out),
                    None => broken(context, "iec104_asdu_malformed", "data unit is cut short", out),
                }
            }
            Control::Supervisory { .. } | Control::Unnumbered(_) if frame.len() != 6 => {
                broken(context, "iec104_length", "frame without data is longer than its control field", out);
            }
            Control::Supervisory { .. } => {}
            Control::Unnumbered(function) => self.unnumbered(context, function, out),
        }
    }

    /// Numbered frames follow one another (clause 5.1).
    fn number(&mut self, context: &Context, send: u16, out: &mut dyn Sink) {
        let expected = self.expected(context.direction);
        let wrong = expected.is_some_and(|expected| expected != send);
        *expected = Some(send.wrapping_add(1) & 0x7fff);
        if wrong {
            tell_weird(context, "iec104_sequence", "send sequence number does not follow the one before", out);
        }
    }

    fn unnumbered(&mut self, context: &Context, function: u8, out: &mut dyn Sink) {
        let act = match function {
            0x0b => 0x07,
            0x23 => 0x13,
            0x83 => 0x43,
            act => act,
        };
        if act == function {
            // Numbers start again with a new connection only, but some stations reset them here.
            if let Some(earlier) = self.starting.ask(act, context.place(true)) {
                self.test_or_tell(&earlier, act, None, out);
            }
            return;
        }
        match self.starting.answer(&act) {
            Some(place) => self.test_or_tell(&place, act, Some(context.at), out),
            None => self.test_or_tell(&context.place(false), act, Some(context.at), out),
        }
    }

    /// TESTFR is told once and counted, others each time.
    fn test_or_tell(&mut self, place: &Place, act: u8, confirmed: Option<At>, out: &mut dyn Sink) {
        match &mut self.tests {
            Some((last, count)) if act == 0x43 => {
                *last = *place;
                *count += 1;
            }
            tests => {
                if act == 0x43 {
                    *tests = Some((*place, 0));
                }
                self.teller.unnumbered(place, act, confirmed, None, out);
            }
        }
    }

    fn asdu(&mut self, context: &Context, asdu: &Asdu<'_>, bytes: &[u8], out: &mut dyn Sink) {
        let Some(kind) = asdu.kind() else {
            broken(context, "iec104_type_unknown", "type identification is not of the standard", out);
            return self.teller.alone(&context.place(true), asdu, false, out);
        };
        if !asdu.fits() {
            broken(context, "iec104_asdu_malformed", "objects do not fill the data unit", out);
        }
        match (kind.way, asdu.cause) {
            (Way::Monitor, _) => self.process(context, asdu, out),
            (Way::Control, 7 | 9 | 10 | 44..=47) => self.confirmation(context, asdu, out),
            // Inverse: a station that has no confirmations repeats the cause with the negative bit.
            (Way::Control, _) if asdu.negative => self.confirmation(context, asdu, out),
            (Way::Control, _) => self.command(context, asdu, bytes, out),
            (Way::File, _) => self.file(context, asdu, out),
            (Way::Security, _) => {
                out.mark(Mark::Undecoded("security extension"));
                self.process(context, asdu, out);
            }
        }
    }

    fn command(&mut self, context: &Context, asdu: &Asdu<'_>, bytes: &[u8], out: &mut dyn Sink) {
        let place = context.place(true);
        if asdu.code == 102 {
            // Answered by process data, not by a confirmation.
            return self.teller.command(&place, Some(asdu), None, out);
        }
        let mut kept = std::mem::take(&mut self.spare);
        kept.clear();
        kept.extend_from_slice(bytes);
        if let Some(oldest) = self.waiting.ask(Key::of(asdu), Ask { place, bytes: kept }) {
            self.teller.command(&oldest.place, Asdu::read(&oldest.bytes).as_ref(), None, out);
        }
    }

    fn confirmation(&mut self, context: &Context, asdu: &Asdu<'_>, out: &mut dyn Sink) {
        let reply = Reply { at: context.at, asdu: *asdu };
        let ask = if asdu.cause == 10 { None } else { self.waiting.answer(&Key::of(asdu)) };
        match ask {
            Some(ask) => {
                self.teller.command(&ask.place, Asdu::read(&ask.bytes).as_ref(), Some(&reply), out);
                self.spare = ask.bytes;
            }
            None => self.teller.command(&context.place(false), None, Some(&reply), out),
        }
    }

    fn process(&mut self, context: &Context, asdu: &Asdu<'_>, out: &mut dyn Sink) {
        let place = context.place(false);
        let kind = (asdu.code, asdu.cause, asdu.common);
        // The end of an initialization is a restart: always told.
        if asdu.code != 70 {
            if let Some((_, count, last)) = self.kinds.iter_mut().find(|(own, ..)| *own == kind) {
                *count += 1;
                *last = place;
                return;
            }
            if self.kinds.len() < KIND_LIMIT {
                self.kinds.push((kind, 0, place));
            }
        }
        self.teller.alone(&place, asdu, true, out);
    }

    /// Files go either way; who calls a file or a directory controls.
    fn file(&mut self, context: &Context, asdu: &Asdu<'_>, out: &mut dyn Sink) {
        let from_server = context.direction == Direction::FromServer;
        let place = context.place(!from_server);
        let way = if from_server { Transfer::Upload } else { Transfer::Download };
        if asdu.code != 125 {
            self.teller.alone(&place, asdu, from_server, out);
        }
        self.files.take(context.at, (place.client, place.server), way, asdu, out);
    }
}
