//! Source tables: which streams a caster has (RTCM 10410.1 section 5).

use quaywatch_model::{Observation, Operation, OperationClass, Sink};
use quaywatch_wire::Framer;
use quaywatch_wire::framer::line;

use super::PROTOCOL;
use crate::bytes::device_text;
use crate::detail_json::DetailJson;
use crate::rtcm::Place;

/// Longest record taken; the standard has 1000 characters for a text.
const LINE_LIMIT: usize = 4096;
/// Records told of one table; public casters have thousands.
pub const RECORD_LIMIT: usize = 256;

/// Fields of a stream's record that are told: their place and key.
const STREAM: &[(usize, &str)] = &[
    (2, "identifier"),
    (3, "format"),
    (6, "systems"),
    (7, "network"),
    (8, "country"),
    (9, "latitude"),
    (10, "longitude"),
    (13, "generator"),
    (14, "encryption"),
    (15, "authentication"),
];
/// Fields of a caster's record.
const CASTER: &[(usize, &str)] = &[
    (2, "port"),
    (3, "identifier"),
    (4, "operator"),
    (6, "country"),
    (7, "latitude"),
    (8, "longitude"),
    (9, "fallback"),
];
/// Fields of a network's record.
const NETWORK: &[(usize, &str)] = &[(2, "operator"), (3, "authentication")];

/// Reads one table.
#[derive(Debug)]
pub(super) struct SourceTable {
    framer: Framer,
    records: usize,
    detail: DetailJson,
    line: String,
}

impl Default for SourceTable {
    fn default() -> Self {
        SourceTable { framer: Framer::new(LINE_LIMIT), records: 0, detail: DetailJson::default(), line: String::new() }
    }
}

impl SourceTable {
    /// Takes the next bytes; `place.sender` is the caster. Answers whether all lines were records.
    pub(super) fn feed(&mut self, place: Place, data: &[u8], out: &mut dyn Sink) -> bool {
        let mut framer = std::mem::replace(&mut self.framer, Framer::new(0));
        let mut sound = true;
        let framed = framer.push(data, line, |line| sound &= self.record(place, line.trim_ascii(), out));
        self.framer = framer;
        framed.is_ok() && sound
    }

    /// Bytes were never captured.
    pub(super) fn gap(&mut self) {
        self.framer.reset();
    }

    fn record(&mut self, place: Place, record: &[u8], out: &mut dyn Sink) -> bool {
        let mut kind = record.split(|byte| *byte == b';');
        let (code, name, fields) = match kind.next().unwrap_or_default() {
            b"" => return true,
            b"STR" => (1, "stream", STREAM),
            b"CAS" => (2, "caster", CASTER),
            b"NET" => (3, "network", NETWORK),
            b"ENDSOURCETABLE" => {
                let quantity = u64::try_from(self.records).ok();
                self.detail.clear();
                self.tell(place, 0, "source table", "", quantity, out);
                return true;
            }
            _ => return false,
        };
        self.records += 1;
        if self.records > RECORD_LIMIT {
            return true;
        }
        let text = |at: usize| record.split(|byte| *byte == b';').nth(at).and_then(device_text);
        self.detail.clear();
        for (at, key) in fields {
            if let Some(value) = text(*at) {
                self.detail.text(key, value);
            }
        }
        let object = text(1).unwrap_or_default();
        self.tell(place, code, name, &object, None, out);
        true
    }

    fn tell(&mut self, place: Place, code: u32, name: &str, object: &str, quantity: Option<u64>, out: &mut dyn Sink) {
        let operation = Operation {
            protocol: PROTOCOL,
            client: place.receiver,
            server: place.sender,
            unit: None,
            code,
            name,
            class: OperationClass::Identify,
            object,
            quantity,
            status: None,
            status_name: "",
            latency: None,
            request_frame: None,
            reply_frame: Some(place.at.frame),
            detail: self.detail.object(&mut self.line),
        };
        out.emit(place.at, Observation::Operation(operation));
    }
}
