//! Tells commands with the frames that answer them, streams of data, and whose clock they carry.

use quaywatch_model::{Attribute, Clock, Observation, Operation, OperationClass, Sink, Timestamp};
use quaywatch_wire::Pdu;

use super::configuration::Configuration;
use super::frame::{self, Frame};
use super::{Ask, PROTOCOL, Stream};
use crate::bytes::device_text;
use crate::claims::Claims;
use crate::detail_json::DetailJson;

/// Bits of the status word that are told; the others are the trigger's reason and what changes with each locking of the clock.
pub const STATUS_TOLD: u16 = 0xfe00;
/// Names of those bits (table 6).
const STATUS_BITS: [(u16, &str); 6] = [
    (0xc000, "data error"),
    (0x2000, "clock not synchronised"),
    (0x1000, "sorted by arrival"),
    (0x0800, "trigger"),
    (0x0400, "configuration will change"),
    (0x0200, "data modified"),
];
/// Characters of a header frame that are told.
const TEXT_TOLD: usize = 120;
/// Stations of one configuration that are told.
const STATIONS_TOLD: usize = 16;
/// Nanoseconds of a second.
const SECOND: i64 = 1_000_000_000;

/// A frame that answers a command.
pub struct Answer<'a> {
    /// Where it came.
    pub pdu: &'a Pdu<'a>,
    /// The frame.
    pub frame: &'a Frame<'a>,
    /// The command that it answers.
    pub command: u16,
    /// Configuration frames 1 and 2.
    pub configuration: Option<&'a Configuration>,
    /// A header frame's text.
    pub text: &'a [u8],
}

/// Holds what is reused, and what was said.
#[derive(Default)]
pub struct Teller {
    claims: Claims,
    detail: DetailJson,
    line: String,
}

impl Teller {
    /// Tells a command, an answer, or both.
    pub fn command(&mut self, ask: Option<&Ask>, answer: Option<&Answer<'_>>, out: &mut dyn Sink) {
        let Some(at) = answer.map(|answer| answer.pdu.at).or(ask.map(|ask| ask.at)) else { return };
        let Some(command) = ask.map(|ask| ask.command).or(answer.map(|answer| answer.command)) else { return };
        let stream = answer.map_or_else(|| ask.map_or(0, |ask| ask.stream), |answer| answer.frame.stream);
        let ends = match (ask, answer) {
            (Some(ask), _) => (ask.client, ask.server),
            (None, Some(answer)) => (answer.pdu.receiver(), answer.pdu.sender()),
            (None, None) => return,
        };
        self.detail.clear();
        if let Some(version) = answer.map(|answer| answer.frame.version).or(ask.map(|ask| ask.version)) {
            self.detail.number("version", version);
        }
        if let Some(answer) = answer {
            self.describe(answer, out);
        }
        let (name, class) = frame::command(command);
        let stations =
            answer.and_then(|answer| answer.configuration).map(|configuration| configuration.units.as_slice());
        let object = match stations {
            Some([unit]) => unit.name.as_str(),
            _ => "",
        };
        out.emit(
            at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: ends.0,
                server: ends.1,
                unit: Some(u32::from(stream)),
                code: u32::from(command),
                name,
                class,
                object,
                quantity: None,
                status: answer.map(|_| 0),
                status_name: if answer.is_some() { "answered" } else { "" },
                latency: ask.zip(answer).map(|(ask, answer)| answer.pdu.at.ts.since(ask.at.ts)),
                request_frame: ask.map(|ask| ask.at.frame),
                reply_frame: answer.map(|answer| answer.pdu.at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }

    /// Adds what the answer says, and claims the stations' names.
    fn describe(&mut self, answer: &Answer<'_>, out: &mut dyn Sink) {
        let (at, subject) = (answer.pdu.at, answer.pdu.sender().address);
        let detail = &mut self.detail;
        detail.number("bytes", answer.frame.size);
        if let Some(text) = device_text(answer.text.get(..TEXT_TOLD).unwrap_or(answer.text)) {
            detail.text("header", text);
        }
        let Some(configuration) = answer.configuration else { return };
        detail.number("units", configuration.count);
        detail.number("rate", configuration.rate);
        let units = || configuration.units.iter().take(STATIONS_TOLD);
        detail.texts("stations", units().map(|unit| &unit.name));
        detail.numbers("unit_ids", units().map(|unit| u32::from(unit.id)));
        detail.numbers("phasors", units().map(|unit| u32::from(unit.phasors)));
        detail.numbers("analogs", units().map(|unit| u32::from(unit.analogs)));
        detail.numbers("digitals", units().map(|unit| u32::from(unit.digitals)));
        detail.numbers("nominal_hz", units().map(|unit| u32::from(unit.hertz)));
        detail.numbers("configuration_changes", units().map(|unit| u32::from(unit.changes)));
        // A concentrator sends for many: their names are in the detail and are not its own.
        if let [unit] = configuration.units.as_slice() {
            let claim = (Attribute::HostName, unit.name.as_str(), "c37-118 station name");
            self.claims.identify(out, at, subject, claim);
        }
    }

    /// Tells a stream of data.
    pub fn stream(&mut self, stream: &Stream, name: &str, out: &mut dyn Sink) {
        self.detail.clear();
        if let Some(state) = stream.state {
            self.detail.number("bytes", state.size);
            let set = STATUS_BITS.iter().filter(|(bits, _)| state.status & bits != 0);
            self.detail.texts("status", set.map(|(_, name)| name));
            self.detail.number("clock_quality", state.clock);
        }
        if let Some(configuration) = &stream.configuration {
            self.detail.number("units", configuration.count);
            self.detail.number("rate", configuration.rate);
        }
        if stream.unsound > 0 {
            self.detail.number("bad_checksums", i64::try_from(stream.unsound).unwrap_or(i64::MAX));
        }
        out.emit(
            stream.last,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: stream.client,
                server: stream.server,
                unit: Some(u32::from(stream.id)),
                code: u32::from(frame::DATA),
                name,
                class: OperationClass::Cyclic,
                object: &format!("stream {}", stream.id),
                quantity: Some(stream.count),
                status: None,
                status_name: "",
                latency: None,
                request_frame: Some(stream.first.frame),
                reply_frame: Some(stream.last.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }

    /// Tells the unit's clock once a stream, as soon as the configuration says how fractions are counted.
    pub fn clock(&mut self, pdu: &Pdu<'_>, frame: &Frame<'_>, stream: &Stream, out: &mut dyn Sink) {
        let base = stream.configuration.as_ref().map(|configuration| configuration.time_base).filter(|base| *base > 0);
        let Some(base) = base.filter(|_| self.claims.first(("clock", stream.id, stream.server))) else { return };
        let fraction = i64::from(frame.fraction).saturating_mul(SECOND).checked_div(i64::from(base)).unwrap_or(0);
        let device_time = Timestamp(i64::from(frame.seconds).saturating_mul(SECOND).saturating_add(fraction));
        let (subject, skew) = (pdu.sender().address, device_time.since(pdu.at.ts));
        out.emit(pdu.at, Observation::Clock(Clock { subject, method: "c37-118 data frame", device_time, skew }));
    }
}
