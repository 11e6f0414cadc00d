//! Turns commands with their confirmations into rows, and process data into one row a kind.

use std::fmt::Write as _;

use quaywatch_model::{At, Endpoint, Observation, Operation, OperationClass, Sink, Timestamp};

use super::PROTOCOL;
use super::frame::{Asdu, Time, value};
use super::names;
use crate::bytes::Cursor;
use crate::detail_json::DetailJson;

/// Objects of one ASDU that are printed.
const OBJECTS_TOLD: usize = 32;
/// Codes of unnumbered functions: this and the first control octet.
pub const UNNUMBERED_CODE: u32 = 0x100;
/// Status of a command that was refused: the negative bit of its confirmation.
pub const REFUSED: u32 = 1;

/// Place and ends of an ASDU: who controls, who is controlled.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Where it is.
    pub at: At,
    /// The controlling station.
    pub client: Endpoint,
    /// The controlled station.
    pub server: Endpoint,
}

/// A command that waits for its confirmation.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Where it is.
    pub place: Place,
    /// The ASDU, from its type on.
    pub bytes: Vec<u8>,
}

/// How a command ended.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// Where it is.
    pub at: At,
    /// The confirmation.
    pub asdu: Asdu<'a>,
}

/// Emits rows from strings that are used again.
#[derive(Default, Debug)]
pub struct Teller {
    object: String,
    name: String,
    line: String,
    detail: DetailJson,
}

impl Teller {
    /// Tells a command with its confirmation, or one of them alone.
    pub fn command(&mut self, place: &Place, asked: Option<&Asdu<'_>>, reply: Option<&Reply<'_>>, out: &mut dyn Sink) {
        let Some(asdu) = asked.or(reply.map(|reply| &reply.asdu)) else { return };
        self.begin(asdu);
        if asked.is_some() {
            self.detail.text("cause", names::cause(asdu.cause));
        }
        if let Some(reply) = reply {
            self.detail.text("reply_cause", names::cause(reply.asdu.cause));
            self.detail.flag("negative", reply.asdu.negative);
        }
        self.values(asdu);
        let (status, status_name) = match reply.map(|reply| (reply.asdu.cause, reply.asdu.negative)) {
            None => (None, ""),
            Some((cause @ 44..=47, _)) => (Some(u32::from(cause)), names::cause(cause)),
            Some((_, true)) => (Some(REFUSED), "refused"),
            Some((10, false)) => (Some(0), "terminated"),
            Some(_) => (Some(0), "confirmed"),
        };
        let kind = asdu.kind();
        out.emit(
            reply.map_or(place.at, |reply| reply.at),
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: place.client,
                server: place.server,
                unit: Some(u32::from(asdu.common)),
                code: u32::from(asdu.code),
                name: kind.map_or(self.name.as_str(), |kind| kind.name),
                class: class(asdu),
                object: &self.object,
                quantity: Some(u64::from(asdu.count)),
                status,
                status_name,
                latency: asked.and(reply).map(|reply| Timestamp::since(reply.at.ts, place.at.ts)),
                request_frame: asked.map(|_| place.at.frame),
                reply_frame: reply.map(|reply| reply.at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }

    /// Tells an ASDU that stands alone: process data seen for the first time, a step of a file transfer.
    pub fn alone(&mut self, place: &Place, asdu: &Asdu<'_>, from_server: bool, out: &mut dyn Sink) {
        self.begin(asdu);
        self.detail.text("cause", names::cause(asdu.cause));
        self.values(asdu);
        self.single(place, asdu, from_server, Some(u64::from(asdu.count)), out);
    }

    /// Tells how many ASDUs of a kind came after the first.
    pub fn repeated(&mut self, place: &Place, (code, cause, common): (u8, u8, u16), count: u64, out: &mut dyn Sink) {
        let asdu = Asdu {
            code,
            count: 0,
            sequence: false,
            cause,
            negative: false,
            test: false,
            originator: 0,
            common,
            objects: &[],
        };
        self.begin(&asdu);
        self.detail.text("cause", names::cause(cause));
        self.detail.flag("repeated", true);
        self.single(place, &asdu, true, Some(count), out);
    }

    fn single(&mut self, place: &Place, asdu: &Asdu<'_>, from_server: bool, quantity: Option<u64>, out: &mut dyn Sink) {
        let frame = Some(place.at.frame);
        out.emit(
            place.at,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: place.client,
                server: place.server,
                unit: Some(u32::from(asdu.common)),
                code: u32::from(asdu.code),
                name: asdu.kind().map_or(self.name.as_str(), |kind| kind.name),
                class: class(asdu),
                object: &self.object,
                quantity,
                status: None,
                status_name: "",
                latency: None,
                request_frame: if from_server { None } else { frame },
                reply_frame: if from_server { frame } else { None },
                detail: self.detail.object(&mut self.line),
            }),
        );
    }

    /// Tells a function of the connection with its confirmation; `repeats` counts those that came after the first.
    pub fn unnumbered(
        &mut self,
        place: &Place,
        control: u8,
        confirmed: Option<At>,
        repeats: Option<u64>,
        out: &mut dyn Sink,
    ) {
        self.detail.clear();
        if repeats.is_some() {
            self.detail.flag("repeated", true);
        }
        let name = names::unnumbered(control).unwrap_or("unknown");
        let test = control == 0x43;
        out.emit(
            confirmed.unwrap_or(place.at),
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: place.client,
                server: place.server,
                unit: None,
                code: UNNUMBERED_CODE | u32::from(control),
                name: name.split(' ').next().unwrap_or(name),
                class: if test { OperationClass::Diagnose } else { OperationClass::Session },
                object: "",
                quantity: repeats,
                status: confirmed.map(|_| 0),
                status_name: if confirmed.is_some() { "confirmed" } else { "" },
                latency: confirmed.map(|at| Timestamp::since(at.ts, place.at.ts)),
                request_frame: repeats.is_none().then_some(place.at.frame),
                reply_frame: confirmed.map(|at| at.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }

    fn begin(&mut self, asdu: &Asdu<'_>) {
        self.detail.clear();
        self.object.clear();
        self.name.clear();
        if asdu.kind().is_none() {
            let _ = write!(self.name, "Unknown Type {}", asdu.code);
        }
        if asdu.originator != 0 {
            self.detail.number("originator", asdu.originator);
        }
        if asdu.test {
            self.detail.flag("test", true);
        }
        self.addresses(asdu);
    }

    fn addresses(&mut self, asdu: &Asdu<'_>) {
        let mut addresses = asdu.each().map(|(address, _)| address);
        let Some(first) = addresses.next() else { return };
        let _ = write!(self.object, "ioa {first}");
        if asdu.sequence {
            if let Some(last) = addresses.last() {
                let _ = write!(self.object, "-{last}");
            }
            return;
        }
        for address in addresses.by_ref().take(OBJECTS_TOLD) {
            let _ = write!(self.object, ", {address}");
        }
        if addresses.next().is_some() {
            self.object.push_str(", ...");
        }
    }

    fn values(&mut self, asdu: &Asdu<'_>) {
        let Some((_, bytes)) = asdu.each().next() else { return };
        let first = bytes.first().copied().unwrap_or(0);
        match asdu.code {
            45..=51 | 58..=64 | 110..=112 => self.command_values(asdu),
            70 => self.detail.text("initialized_by", names::initialization(first)),
            100 | 101 | 113 => self.detail.number("qualifier", first),
            103 => self.detail.text("time", Time(bytes)),
            105 => self.detail.text("reset", names::reset(first)),
            120..=127 => self.file_values(asdu.code, bytes),
            _ => {}
        }
    }

    fn command_values(&mut self, asdu: &Asdu<'_>) {
        let told = |(address, bytes)| value(asdu.code, bytes).map(|(text, _)| format!("{address}: {text}"));
        self.detail.texts("values", asdu.each().filter_map(told).take(OBJECTS_TOLD));
        if asdu.each().any(|(_, bytes)| value(asdu.code, bytes).is_some_and(|(_, select)| select)) {
            self.detail.flag("select", true);
        }
        if let (58..=64, Some((_, bytes))) = (asdu.code, asdu.each().next())
            && let Some((_, time)) = bytes.split_last_chunk::<7>()
        {
            self.detail.text("time", Time(time));
        }
    }

    fn file_values(&mut self, code: u8, bytes: &[u8]) {
        let mut cursor = Cursor::new(bytes);
        let Some(name) = cursor.le16() else { return };
        self.detail.number("file", name);
        let length = |cursor: &mut Cursor<'_>| {
            cursor.le16().zip(cursor.u8()).map(|(low, high)| u32::from(high) << 16 | u32::from(low))
        };
        match code {
            120 | 126 => {
                if let Some(length) = length(&mut cursor) {
                    self.detail.number("length", length);
                }
            }
            121 => {
                let section = cursor.u8();
                if let (Some(section), Some(length)) = (section, length(&mut cursor)) {
                    self.detail.number("section", section);
                    self.detail.number("length", length);
                }
            }
            122..=124 => {
                if let (Some(section), Some(qualifier)) = (cursor.u8(), cursor.u8()) {
                    self.detail.number("section", section);
                    self.detail.number("qualifier", qualifier);
                }
            }
            _ => {}
        }
    }
}

/// What an ASDU does; a counter interrogation that freezes or resets counters writes.
fn class(asdu: &Asdu<'_>) -> OperationClass {
    let freezes = asdu.code == 101 && asdu.each().any(|(_, bytes)| bytes.first().is_some_and(|octet| octet >> 6 != 0));
    if freezes {
        return OperationClass::Write;
    }
    asdu.kind().map_or(OperationClass::Diagnose, |kind| kind.class)
}
