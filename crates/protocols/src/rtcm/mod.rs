//! RTCM 3 (RTCM 10403.3): corrections that make a satellite receiver of a crane exact to a centimetre.
//!
//! Every position of the yard hangs on where the reference station says it stands, and a checksum is all the protection there is.

mod frame;
mod message;
pub mod names;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use quaywatch_model::{
    At, Attribute, Direction, Endpoint, Mark, Observation, Operation, OperationClass, Position, Sink, Transport, Weird,
};
use quaywatch_wire::{Flow, Pdu};

use self::frame::{FRAME_LIMIT, Front};
use self::message::{Coordinates, Descriptor, Fields};
use crate::analyzer::{Depth, Purpose};
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "rtcm";
/// Kinds of messages counted in one stream; there are some hundred.
pub const KINDS_LIMIT: usize = 64;
/// Stations whose place one stream remembers.
pub const STATIONS_LIMIT: usize = 16;
/// Claims remembered by one stream.
const CLAIMS_LIMIT: usize = 128;

/// The registry entry.
pub struct Rtcm;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "RTCM 3",
    tcp: &[],
    udp: &[2101],
    ethertypes: &[],
    spec: "RTCM 10403.3",
    found: "reference stations of the yard, and the receivers of RTGs, straddle carriers and AGVs that they correct",
    depth: Depth::Partial,
    purpose: Purpose::Field,
    scope: "Frames with checksum; place of the reference station, its antenna and receiver, texts; heads of observations and MSM. \
            Observations, ephemerides and state space corrections are counted.",
};

impl Protocol for Rtcm {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        match pdu.flow.transport {
            Transport::Tcp | Transport::Udp => probe(pdu.data),
            _ => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(RtcmFlow { from_client: Reader::default(), from_server: Reader::default() })
    }
}

/// Whether bytes begin with a frame: its checksum is proof, and its message number a hint while the end is not here.
#[must_use]
pub fn probe(bytes: &[u8]) -> Probe {
    match frame::front(bytes) {
        // A frame without a message has no number either; its checksum is weak proof.
        Front::Frame(length) if length > 7 && number_fits(bytes) => Probe::Yes,
        Front::Frame(_) => Probe::Unsure,
        Front::More if bytes.len() > 1 && number_fits(bytes) => Probe::Unsure,
        _ => Probe::No,
    }
}

/// Whether the message number of a frame, as far as it is here, is one of the standard.
fn number_fits(bytes: &[u8]) -> bool {
    let number = frame::number(bytes.get(3..).unwrap_or_default());
    number.is_none_or(|number| !names::message(number).is_empty())
}

struct RtcmFlow {
    from_client: Reader,
    from_server: Reader,
}

impl RtcmFlow {
    const fn reader(&mut self, direction: Direction) -> &mut Reader {
        match direction {
            Direction::FromClient => &mut self.from_client,
            Direction::FromServer => &mut self.from_server,
        }
    }
}

impl Analyzer for RtcmFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let place = Place { at: pdu.at, sender: pdu.sender(), receiver: pdu.receiver() };
        self.reader(pdu.direction).feed(place, pdu.data, out);
    }

    fn gap(&mut self, direction: Direction, _missing: u32, _out: &mut dyn Sink) {
        self.reader(direction).gap();
    }

    fn close(&mut self, _: &Flow, out: &mut dyn Sink) {
        self.from_client.close(out);
        self.from_server.close(out);
    }
}

/// Where a piece of a stream was seen.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The packet.
    pub at: At,
    /// Who sent the corrections.
    pub sender: Endpoint,
    /// To whom.
    pub receiver: Endpoint,
}

/// Reads one stream of frames.
#[derive(Debug)]
pub struct Reader {
    /// A frame that lies in several pieces.
    partial: Vec<u8>,
    /// Bytes before the next frame are no fault: the stream was picked up midway, or lost bytes.
    lost: bool,
    /// The sender passes on what another station says.
    relayed: bool,
    claims: Claims,
    station: Option<u32>,
    places: Vec<(u32, Coordinates)>,
    /// Messages by number.
    counts: Vec<(u32, u64)>,
    last: Option<Place>,
    detail: DetailJson,
    text: Vec<u8>,
    line: String,
    object: String,
}

impl Default for Reader {
    fn default() -> Self {
        Reader {
            partial: Vec::new(),
            lost: true,
            relayed: false,
            claims: Claims::with_limit(CLAIMS_LIMIT),
            station: None,
            places: Vec::new(),
            counts: Vec::new(),
            last: None,
            detail: DetailJson::default(),
            text: Vec::new(),
            line: String::new(),
            object: String::new(),
        }
    }
}

impl Reader {
    /// For a stream whose sender only passes on what a reference station says: descriptors are not the sender's own.
    #[must_use]
    pub fn relayed() -> Self {
        Reader { relayed: true, ..Reader::default() }
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, place: Place, data: &[u8], out: &mut dyn Sink) {
        self.last = Some(place);
        let mut buffer = std::mem::take(&mut self.partial);
        let used = if buffer.is_empty() {
            self.frames(place, data, out)
        } else {
            // Frames are short: joining is cheaper than reading across two pieces.
            buffer.extend_from_slice(data);
            self.frames(place, &buffer, out)
        };
        if buffer.is_empty() {
            buffer.extend_from_slice(data.get(used..).unwrap_or_default());
        } else {
            buffer.drain(..used.min(buffer.len()));
        }
        debug_assert!(buffer.len() < FRAME_LIMIT, "what is kept is the beginning of one frame");
        self.partial = buffer;
    }

    /// Bytes were never captured.
    pub fn gap(&mut self) {
        self.partial.clear();
        self.lost = true;
    }

    /// Reads the frames of some bytes; returns how many bytes were used.
    fn frames(&mut self, place: Place, bytes: &[u8], out: &mut dyn Sink) -> usize {
        let mut rest = bytes;
        let mut found = false;
        while !rest.is_empty() {
            let skipped = match frame::front(rest) {
                Front::Frame(length) => {
                    self.lost = false;
                    found = true;
                    self.message(place, frame::message(rest.get(..length).unwrap_or_default()), out);
                    length
                }
                // While lost, any byte may look like a preamble: its message must be one that exists.
                Front::More if !self.lost || number_fits(rest) => break,
                Front::Broken(length) if !self.lost => {
                    weird(place, "rtcm_checksum", "checksum of a frame does not fit", out);
                    out.mark(Mark::Malformed("checksum of a frame does not fit"));
                    // If the next frame is where this one ends, only its content is broken.
                    self.lost = rest.get(length).is_some_and(|next| *next != frame::PREAMBLE);
                    if self.lost { 1 } else { length }
                }
                Front::Other if !self.lost => {
                    if self.claims.first("between") {
                        weird(place, "rtcm_between_frames", "bytes between frames that are no frame", out);
                    }
                    out.mark(Mark::Undecoded("bytes between frames"));
                    self.lost = true;
                    1
                }
                Front::More | Front::Broken(_) | Front::Other => 1,
            };
            rest = rest.get(skipped..).unwrap_or_default();
            if self.lost {
                let next = rest.iter().position(|byte| *byte == frame::PREAMBLE).unwrap_or(rest.len());
                rest = rest.get(next..).unwrap_or_default();
            }
        }
        if self.lost && !found && rest.len() < bytes.len() {
            out.mark(Mark::Undecoded("no frame found"));
        }
        bytes.len() - rest.len()
    }

    fn message(&mut self, place: Place, bytes: &[u8], out: &mut dyn Sink) {
        let mut fields = Fields::new(bytes);
        let Some(number) = fields.twelve() else {
            // Frames without a message fill gaps.
            return;
        };
        self.count(number);
        let station = if message::has_station(number) { fields.twelve() } else { None };
        if let Some(station) = station {
            self.station(place, station, out);
        }
        self.detail.clear();
        self.object.clear();
        if let Some(station) = station {
            // Writing to a string cannot fail.
            let _ = write!(self.object, "station {station}");
        }
        let whole = match number {
            1005 | 1006 | 1032 => self.coordinates(place, number, station.unwrap_or(0), fields, out),
            1007 | 1008 | 1033 => self.descriptors(place, number, fields, out),
            _ => message::describe(number, fields, &mut self.text, &mut self.detail),
        };
        if whole.is_none() || (message::has_station(number) && station.is_none()) {
            weird(place, "rtcm_length", "message ends before its fields do", out);
            out.mark(Mark::Malformed("message ends before its fields do"));
        }
        self.tell(place, number, station, out);
        if names::message(number).is_empty() {
            out.mark(Mark::Undecoded("message number not known"));
        }
    }

    fn count(&mut self, number: u32) {
        if let Some((_, count)) = self.counts.iter_mut().find(|(known, _)| *known == number) {
            *count += 1;
        } else if self.counts.len() < KINDS_LIMIT {
            self.counts.push((number, 1));
        }
    }

    /// Notes the station that speaks; another than before is told, each change once.
    fn station(&mut self, place: Place, station: u32, out: &mut dyn Sink) {
        let before = self.station.replace(station);
        let Some(before) = before.filter(|before| *before != station) else { return };
        if self.claims.first(("station", before, station)) {
            self.line.clear();
            let _ = write!(self.line, "reference station {station}, before {before}");
            weird(place, "rtcm_station_changed", &self.line, out);
        }
    }

    fn coordinates(
        &mut self,
        place: Place,
        number: u32,
        station: u32,
        fields: Fields<'_>,
        out: &mut dyn Sink,
    ) -> Option<()> {
        let told = message::coordinates(number, fields)?;
        let geodetic = told.geodetic();
        if let Some((_, _, height)) = geodetic {
            self.detail.text("height_m", format_args!("{height:.3}"));
        } else if self.claims.first(("no place", station)) {
            weird(place, "rtcm_base_position", "reference station is not on the surface of the Earth", out);
            out.mark(Mark::Malformed("reference station is not on the surface of the Earth"));
        }
        if let Some(height) = told.antenna_height {
            self.detail.text("antenna_height_m", format_args!("{height:.4}"));
        }
        self.detail.flag("computed", told.computed);
        // A physical station is told beside the computed one that has the same number.
        let key = if number == 1032 { station | 0x1_0000 } else { station };
        if self.is_news(place, key, station, told, out)
            && let Some((latitude, longitude, _)) = geodetic
        {
            self.line.clear();
            let _ = write!(self.line, "RTCM {number} station {station}");
            let position = Position {
                receiver: place.sender,
                protocol: PROTOCOL,
                sentence: &self.line,
                latitude: Some(latitude),
                longitude: Some(longitude),
                quality: None,
                satellites: None,
                hdop: None,
                speed: None,
                receiver_time: None,
            };
            out.emit(place.at, Observation::Position(position));
        }
        Some(())
    }

    /// Whether a station says for the first time where it is, or says something else; that a built station moved is told.
    fn is_news(&mut self, place: Place, key: u32, station: u32, told: Coordinates, out: &mut dyn Sink) -> bool {
        let Some((_, before)) = self.places.iter_mut().find(|(known, _)| *known == key) else {
            if self.places.len() >= STATIONS_LIMIT {
                self.places.remove(0);
            }
            self.places.push((key, told));
            return true;
        };
        let before = std::mem::replace(before, told);
        if before.earth == told.earth {
            return false;
        }
        // Networks compute a station near each rover and move it along.
        if !told.computed {
            self.line.clear();
            let _ = write!(self.line, "reference station {station} moved by {:.4} m", told.distance(&before));
            weird(place, "rtcm_base_moved", &self.line, out);
        }
        true
    }

    fn descriptors(&mut self, place: Place, number: u32, fields: Fields<'_>, out: &mut dyn Sink) -> Option<()> {
        let Reader { claims, detail, text, relayed, .. } = self;
        message::descriptors(number, fields, text, &mut |which, text| {
            detail.text(which.key(), text);
            let claim = match which {
                Descriptor::Receiver => (Attribute::Model, text, "rtcm 1033 receiver type"),
                Descriptor::Firmware => (Attribute::Firmware, text, "rtcm 1033 receiver firmware"),
                Descriptor::ReceiverSerial => (Attribute::Serial, text, "rtcm 1033 receiver serial"),
                // The antenna is a part, not the device at this address.
                Descriptor::Antenna | Descriptor::AntennaSerial => return,
            };
            if !*relayed {
                claims.identify(out, place.at, place.sender.address, claim);
            }
        })
    }

    /// Each kind of message once for a station; what speaks of the station itself again when it changed.
    fn tell(&mut self, place: Place, number: u32, station: Option<u32>, out: &mut dyn Sink) {
        if !self.relayed && self.claims.first("reference station") {
            let claim = (Attribute::Capability, "GNSS reference station", "rtcm");
            self.claims.identify(out, place.at, place.sender.address, claim);
        }
        let detail = self.detail.object(&mut self.line);
        let telling = matches!(number, 1005..=1008 | 1029 | 1032 | 1033);
        if !self.claims.first((number, station, if telling { detail } else { "" })) {
            return;
        }
        let name = match (names::message(number), names::owner(number)) {
            ("", _) => "message",
            (name, "") => name,
            (_, owner) => owner,
        };
        emit(place, number, name, &self.object, None, detail, out);
    }

    /// The stream ended: how many messages of each kind there were.
    pub fn close(&mut self, out: &mut dyn Sink) {
        let Some(place) = self.last else { return };
        for (number, count) in std::mem::take(&mut self.counts) {
            if count > 1 {
                let name = names::message(number);
                emit(place, number, if name.is_empty() { "message" } else { name }, "all", Some(count), "", out);
            }
        }
    }
}

fn weird(place: Place, name: &'static str, detail: &str, out: &mut dyn Sink) {
    let Place { at, sender, receiver } = place;
    out.emit(at, Observation::Weird(Weird { name, protocol: PROTOCOL, detail, sender, receiver }));
}

fn emit(place: Place, code: u32, name: &str, object: &str, quantity: Option<u64>, detail: &str, out: &mut dyn Sink) {
    let operation = Operation {
        protocol: PROTOCOL,
        client: place.receiver,
        server: place.sender,
        unit: None,
        code,
        name,
        class: OperationClass::Cyclic,
        object,
        quantity,
        status: None,
        status_name: "",
        latency: None,
        request_frame: None,
        // A total is of no one frame.
        reply_frame: quantity.is_none().then_some(place.at.frame),
        detail,
    };
    out.emit(place.at, Observation::Operation(operation));
}
