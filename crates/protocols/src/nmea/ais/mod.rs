//! AIS messages (ITU-R M.1371-5) in `VDM` (received) and `VDO` (own) sentences: ships, base stations, aids to navigation.
//!
//! Anyone with a radio can send any of them. A station's position is told when it is first heard, and again when it moved or a
//! minute passed; what it says of itself is told when that changed.

pub mod names;
mod payload;
mod report;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};

use quaywatch_model::{Attribute, Observation, Operation, OperationClass, Position, Sink, Timestamp};

use self::payload::{Assembly, Bits, Fault};
use self::report::Place;
use super::sentence::Sentence;
use super::{Context, broken, weird};
use crate::claims::Claims;
use crate::detail_json::DetailJson;

/// Protocol name in rows.
pub(crate) const PROTOCOL: &str = "ais";

/// Stations remembered by one flow; the one not heard for longest goes first.
pub const STATION_LIMIT: usize = 2048;
/// A received position is told again after this long, nanoseconds.
const INTERVAL: i64 = 60 * Timestamp::SECOND;
/// Or when it moved by this much in latitude or longitude, degrees: half a kilometre.
const STEP: f64 = 0.005;

/// What was last told of a station.
#[derive(Debug)]
struct Station {
    heard: Timestamp,
    told: Option<(Timestamp, f64, f64)>,
    /// Hashes of what it said of itself, by kind of message.
    said: [u64; 4],
}

/// Reads the messages of one flow.
#[derive(Default, Debug)]
pub(super) struct Ais {
    assembly: Assembly,
    stations: HashMap<u32, Station>,
    detail: DetailJson,
    text: String,
    object: String,
    line: String,
}

/// What a sentence gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Gave {
    /// It was read, or it waits for others.
    Read,
    /// Its message is named only.
    Named,
}

/// A message at hand.
#[derive(Clone, Copy, Debug)]
struct Message<'a> {
    kind: u32,
    mmsi: u32,
    address: &'a str,
    own: bool,
}

impl Ais {
    /// Takes the next sentence.
    pub(super) fn sentence(
        &mut self,
        context: &Context,
        sentence: &Sentence<'_>,
        claims: &mut Claims,
        out: &mut dyn Sink,
    ) -> Gave {
        // The assembly leaves `self` while the message changes the rest of it.
        let mut assembly = std::mem::take(&mut self.assembly);
        let gave = match assembly.sentence(sentence.fields()) {
            Ok(Some(bits)) => self.message(context, sentence, &bits, claims, out),
            Ok(None) => Gave::Read,
            Err(fault) => {
                tell_fault(context, fault, claims, out);
                Gave::Read
            }
        };
        self.assembly = assembly;
        gave
    }

    fn message(
        &mut self,
        context: &Context,
        sentence: &Sentence<'_>,
        bits: &Bits<'_>,
        claims: &mut Claims,
        out: &mut dyn Sink,
    ) -> Gave {
        let (Some(kind), Some(mmsi)) = (bits.number(0, 6), bits.number(8, 30)) else {
            broken(context, "ais_length", "message has no room for its station", out);
            return Gave::Read;
        };
        if names::message(kind).is_empty() {
            broken(context, "ais_message_type", "message type that the standard does not have", out);
            return Gave::Read;
        }
        if bits.length() < report::least_length(kind) {
            broken(context, "ais_length", "message is shorter than its type", out);
        }
        if mmsi > 999_999_999 {
            broken(context, "ais_mmsi", "identity of more than nine digits", out);
        }
        let own = sentence.parts().is_some_and(|(_, formatter)| formatter == "VDO");
        let message = Message { kind, mmsi, address: sentence.address, own };
        let place = report::place(kind, bits);
        self.hear(context, mmsi);
        if let Some(place) = &place {
            self.position(context, &message, place, out);
        }
        self.detail.clear();
        self.object.clear();
        let _ = write!(self.object, "{mmsi:09}");
        self.detail.text("station", names::station(mmsi));
        if let Some(place) = place {
            self.movement(&place);
        }
        let mut text = std::mem::take(&mut self.text);
        let described = report::describe(kind, bits, &mut text, &mut self.detail);
        self.text = text;
        if own && described {
            self.own_identity(context, kind, bits, claims, out);
        }
        if !described && place.is_none() {
            // Once a flow for each type: slots, channels, acknowledgements.
            if claims.first(("ais", context.sender, kind)) {
                self.operation(context, &message, out);
            }
            return Gave::Named;
        }
        if self.is_news(&message, bits, place.as_ref()) {
            self.operation(context, &message, out);
        }
        Gave::Read
    }

    /// Notes that a station was heard.
    fn hear(&mut self, context: &Context, mmsi: u32) {
        if self.stations.len() >= STATION_LIMIT && !self.stations.contains_key(&mmsi) {
            let oldest = self.stations.iter().min_by_key(|(mmsi, station)| (station.heard, **mmsi));
            if let Some(oldest) = oldest.map(|(mmsi, _)| *mmsi) {
                self.stations.remove(&oldest);
            }
        }
        let heard = context.at.ts;
        self.stations.entry(mmsi).or_insert(Station { heard, told: None, said: [0; 4] }).heard = heard;
    }

    fn position(&mut self, context: &Context, message: &Message<'_>, place: &Place, out: &mut dyn Sink) {
        if place.impossible {
            broken(context, "ais_position", "latitude or longitude that is none", out);
        }
        let Some((latitude, longitude)) = place.degrees else { return };
        let Some(station) = self.stations.get_mut(&message.mmsi) else { return };
        let now = context.at.ts;
        let known = station.told.is_some_and(|(then, north, east)| {
            let moved = (north - latitude).abs().max((east - longitude).abs()) > STEP;
            !moved && now.since(then) < INTERVAL
        });
        // The own position is a fix of the receiver: each counts.
        if known && !message.own {
            return;
        }
        station.told = Some((now, latitude, longitude));
        self.line.clear();
        // Writing to a string cannot fail.
        let _ = write!(self.line, "{} {} {:09}", message.address, message.kind, message.mmsi);
        let position = Position {
            receiver: context.sender,
            protocol: PROTOCOL,
            sentence: &self.line,
            latitude: Some(latitude),
            longitude: Some(longitude),
            quality: None,
            satellites: None,
            hdop: None,
            speed: place.speed,
            receiver_time: None,
        };
        out.emit(context.at, Observation::Position(position));
    }

    fn movement(&mut self, place: &Place) {
        if let Some(status) = place.status {
            self.detail.text("status", names::status(status));
        }
        if let Some(course) = place.course {
            self.detail.text("course", format_args!("{}.{}", course / 10, course % 10));
        }
        if let Some(heading) = place.heading {
            self.detail.number("heading", heading);
        }
    }

    /// Whether the station says something else of itself than before: course and place alone are no news.
    fn is_news(&mut self, message: &Message<'_>, bits: &Bits<'_>, place: Option<&Place>) -> bool {
        let (slot, said) = match message.kind {
            1..=4 | 9 | 11 | 18 | 27 => (0, None),
            24 if bits.number(38, 2) == Some(1) => (2, Some(&self.detail)),
            5 | 19 | 21 | 24 => (1, Some(&self.detail)),
            _ => (3, Some(&self.detail)),
        };
        let mut hasher = DefaultHasher::new();
        // Never zero, which stands for nothing said.
        (place.and_then(|place| place.status), place.is_some_and(|place| place.impossible)).hash(&mut hasher);
        match (said, message.kind) {
            (Some(_), 19) => bits_hash(bits, &mut hasher),
            (Some(detail), _) => detail.object(&mut self.line).hash(&mut hasher),
            (None, _) => {}
        }
        let hash = hasher.finish() | 1;
        let Some(last) = self.stations.get_mut(&message.mmsi).and_then(|station| station.said.get_mut(slot)) else {
            return true;
        };
        std::mem::replace(last, hash) != hash
    }

    /// A station that sends its own data over the wire says who it is.
    fn own_identity(&mut self, context: &Context, kind: u32, bits: &Bits<'_>, claims: &mut Claims, out: &mut dyn Sink) {
        let name_at = match kind {
            5 => 112,
            19 => 143,
            21 => 43,
            24 if bits.number(38, 2) == Some(0) => 40,
            _ => return,
        };
        bits.text(name_at, 120, &mut self.text);
        let subject = context.sender.address;
        claims.identify(out, context.at, subject, (Attribute::HostName, &self.text, "ais name"));
        self.line.clear();
        let _ = write!(self.line, "AIS station {}", self.object);
        claims.identify(out, context.at, subject, (Attribute::Capability, &self.line, "ais identity"));
    }

    fn operation(&mut self, context: &Context, message: &Message<'_>, out: &mut dyn Sink) {
        let operation = Operation {
            protocol: PROTOCOL,
            client: context.receiver,
            server: context.sender,
            unit: None,
            code: message.kind,
            name: names::message(message.kind),
            class: OperationClass::Cyclic,
            object: &self.object,
            quantity: None,
            status: None,
            status_name: "",
            latency: None,
            request_frame: None,
            reply_frame: Some(context.at.frame),
            detail: self.detail.object(&mut self.line),
        };
        out.emit(context.at, Observation::Operation(operation));
    }
}

/// The bits of a message that do not change with its place: those from the name on.
fn bits_hash(bits: &Bits<'_>, hasher: &mut DefaultHasher) {
    for at in (143..bits.length()).step_by(6) {
        bits.number(at, 6).hash(hasher);
    }
}

fn tell_fault(context: &Context, fault: Fault, claims: &mut Claims, out: &mut dyn Sink) {
    match fault {
        Fault::Field => broken(context, "ais_field", "number, channel or fill bits are not readable", out),
        Fault::Payload => broken(context, "ais_payload", "characters that stand for no bits, or too many", out),
        // A capture that begins between two sentences shows it too.
        Fault::Missing => {
            if claims.first("ais part missing") {
                weird(context, "ais_part_missing", "sentence whose predecessor never came", out);
            }
        }
    }
}
