//! NMEA 0183 sentences over UDP and TCP, bare or in IEC 61162-450 datagrams: fixes, their quality, and the receiver's clock.

mod sentence;

use quaywatch_model::{Clock, Mark, Observation, Position, Service, Sink, Timestamp, Transport, Weird};
use quaywatch_wire::{Flow, Framer, Pdu, framer};

use crate::analyzer::Depth;
use crate::claims::Claims;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};
use sentence::{Fault, Fix, Sentence};

/// Longest line held on TCP; a sentence has at most 82 characters, tag blocks and proprietary ones have more.
pub const MAX_LINE: usize = 1024;
/// A clock is told again when it moved by more than this against the capture, nanoseconds.
const CLOCK_STEP: i64 = Timestamp::SECOND;

/// The protocol.
pub struct Nmea;

static META: ProtocolMeta = ProtocolMeta {
    name: "nmea",
    title: "NMEA 0183",
    tcp: &[10110],
    udp: &[10110],
    ethertypes: &[],
    spec: "NMEA 0183 version 4.11 (IEC 61162-1), IEC 61162-450",
    found: "satellite receivers on cranes, yard vehicles and ships",
    depth: Depth::Partial,
    control: false,
    scope: "position, quality and time of GGA, GNS, GLL, RMC and ZDA; other sentences are checked and passed over; AIS payloads are not decoded",
};

impl Protocol for Nmea {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if !matches!(pdu.flow.transport, Transport::Udp | Transport::Tcp) {
            return Probe::No;
        }
        let text = without_header(pdu.data);
        let Some(line) = text.split(|b| *b == b'\n').map(without_tag_block).find(|line| !line.is_empty()) else {
            return Probe::No;
        };
        match Sentence::parse(line) {
            Ok(_) | Err(Fault::Checksum) => Probe::Yes,
            Err(Fault::NoChecksum) if pdu.flow.transport == Transport::Udp => Probe::Yes,
            Err(_) if pdu.flow.transport == Transport::Tcp && sentence::may_begin(line) => Probe::Unsure,
            Err(_) => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(NmeaAnalyzer { lines: Framer::new(MAX_LINE), claims: Claims::default(), date: None, told_skew: None })
    }
}

/// Takes the header of an IEC 61162-450 datagram off (section 7.2.1): `UdPbC` and a zero.
fn without_header(data: &[u8]) -> &[u8] {
    data.strip_prefix(b"UdPbC\0").unwrap_or(data)
}

/// Takes tag blocks off the front of a line (NMEA 0183 section 7): `\...*hh\`.
fn without_tag_block(mut line: &[u8]) -> &[u8] {
    while let Some(rest) = line.strip_prefix(b"\\") {
        match rest.iter().position(|byte| *byte == b'\\') {
            Some(end) => line = rest.get(end + 1..).unwrap_or_default(),
            None => break,
        }
    }
    line.trim_ascii()
}

struct NmeaAnalyzer {
    lines: Framer,
    claims: Claims,
    /// Day of the last sentence that had one, as its midnight: GGA has the time only.
    date: Option<Timestamp>,
    /// Skew last told.
    told_skew: Option<i64>,
}

impl NmeaAnalyzer {
    fn line(&mut self, pdu: &Pdu<'_>, line: &[u8], out: &mut dyn Sink) {
        let line = without_tag_block(line);
        if line.is_empty() {
            return;
        }
        match Sentence::parse(line) {
            Ok(sentence) => self.sentence(pdu, &sentence, out),
            Err(fault) => {
                let (sender, receiver) = (pdu.sender(), pdu.receiver());
                let detail = fault.reason();
                let weird = Weird { name: fault.name(), protocol: META.name, detail, sender, receiver };
                out.emit(pdu.at, Observation::Weird(weird));
                out.mark(Mark::Malformed(detail));
            }
        }
    }

    fn sentence(&mut self, pdu: &Pdu<'_>, sentence: &Sentence<'_>, out: &mut dyn Sink) {
        let receiver = pdu.sender();
        let transport = pdu.flow.transport;
        let service = Service { server: receiver, transport, protocol: META.name, software: "", version: "" };
        self.claims.service(out, pdu.at, service);
        let Some(fix) = sentence.fix() else { return };
        self.date = fix.date.or(self.date);
        let time = match (fix.date.or(self.date), fix.time_of_day) {
            (Some(midnight), Some(nanos)) => Some(Timestamp(midnight.0.saturating_add(nanos))),
            _ => None,
        };
        self.clock(pdu, &fix, time, out);
        if !fix.positional {
            return;
        }
        out.emit(
            pdu.at,
            Observation::Position(Position {
                receiver,
                protocol: META.name,
                sentence: sentence.name(),
                latitude: fix.latitude,
                longitude: fix.longitude,
                quality: fix.quality,
                satellites: fix.satellites,
                hdop: fix.hdop,
                speed: fix.speed,
                receiver_time: time,
            }),
        );
    }

    /// Only sentences with a date of their own say what day the receiver believes in.
    fn clock(&mut self, pdu: &Pdu<'_>, fix: &Fix, time: Option<Timestamp>, out: &mut dyn Sink) {
        let (Some(_), Some(device_time)) = (fix.date, time) else { return };
        let skew = device_time.since(pdu.at.ts);
        if self.told_skew.is_some_and(|told| (skew.saturating_sub(told)).abs() <= CLOCK_STEP) {
            return;
        }
        self.told_skew = Some(skew);
        let subject = pdu.sender().address;
        out.emit(pdu.at, Observation::Clock(Clock { subject, method: "nmea date and time", device_time, skew }));
    }
}

impl Analyzer for NmeaAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if pdu.flow.transport == Transport::Udp {
            for line in without_header(pdu.data).split(|byte| *byte == b'\n') {
                self.line(pdu, line.trim_ascii_end(), out);
            }
            return;
        }
        let mut lines = std::mem::replace(&mut self.lines, Framer::new(0));
        if lines.push(pdu.data, framer::line, |line| self.line(pdu, line, out)).is_err() {
            out.mark(Mark::Malformed("a line longer than any sentence"));
        }
        self.lines = lines;
    }

    fn gap(&mut self, _: quaywatch_model::Direction, _: u32, _: &mut dyn Sink) {
        self.lines.reset();
    }
}

#[cfg(test)]
mod tests;
