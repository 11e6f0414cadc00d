//! Sampled values, IEC 61850-9-2: merging units send currents and voltages on EtherType 0x88ba, thousands of frames a second.
//!
//! Cyclic: one operation a stream at first sight, one a change of its configuration or synchronisation, one with the count at the end.

use quaywatch_model::{At, Endpoint, Mark, Observation, Operation, OperationClass, Sink, Transport, Weird};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::bytes::{Cursor, device_text};
use crate::detail_json::DetailJson;
use crate::iec61850::{apdu, element, unsigned};
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "sv";
const ETHERTYPE: u16 = 0x88ba;
/// Tag of savPdu, application 0.
const PDU_TAG: u8 = 0x60;
/// Streams of one flow that are kept apart.
pub const STREAM_LIMIT: usize = 64;
/// Sample counts printed of one frame; merging units put up to eight units into one.
const SAMPLE_LIMIT: usize = 16;

/// The registry entry.
pub struct Sv;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "Sampled Values",
    tcp: &[],
    udp: &[],
    ethertypes: &[ETHERTYPE],
    spec: "IEC 61850-9-2, section 8 and annex A; 9-2 LE",
    found: "Substations that feed cranes and quays: merging units, protection relays",
    depth: Depth::Partial,
    purpose: Purpose::Field,
    scope: "Streams with id, configuration revision, synchronisation and sample counts. Samples are not told.",
};

impl Protocol for Sv {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        match pdu.flow.transport == Transport::Link(ETHERTYPE) && apdu(pdu.data, PDU_TAG).is_some() {
            true => Probe::Yes,
            false => Probe::No,
        }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(Unit::default())
    }
}

/// One stream.
#[derive(Clone, Debug)]
struct Stream {
    id: Vec<u8>,
    app: u16,
    revision: u32,
    synchronised: u32,
    count: u64,
    last: At,
    client: Endpoint,
    server: Endpoint,
}

#[derive(Default)]
struct Unit {
    streams: Vec<Stream>,
    samples: Vec<u32>,
    detail: DetailJson,
    line: String,
}

impl Analyzer for Unit {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some((app, content)) = apdu(pdu.data, PDU_TAG) else {
            return broken("sv_malformed_frame", "no sampled value PDU within the announced length", pdu, out);
        };
        if self.read(app, content, pdu, out).is_none() {
            broken("sv_malformed_pdu", "element cut short or missing", pdu, out);
        }
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        self.detail.clear();
        for stream in std::mem::take(&mut self.streams) {
            if stream.count > 1 {
                self.tell(&stream, "sampled values published", out);
            }
        }
    }
}

impl Unit {
    fn read(&mut self, app: u16, content: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) -> Option<()> {
        let mut cursor = Cursor::new(content);
        let (mut announced, mut list) = (None, None);
        while !cursor.is_empty() {
            match element(&mut cursor)? {
                (0x80, number) => announced = unsigned(number),
                (0xa2, units) => list = Some(units),
                _ => {}
            }
        }
        let (announced, mut units) = (announced?, Cursor::new(list?));
        self.samples.clear();
        let mut first = None;
        while !units.is_empty() {
            let (tag, unit) = element(&mut units)?;
            let unit = (tag == 0x30).then_some(unit).and_then(Asdu::read)?;
            if self.samples.len() < SAMPLE_LIMIT {
                self.samples.push(unit.sample);
            }
            first.get_or_insert(unit);
        }
        self.published(app, announced, &first?, pdu, out);
        Some(())
    }

    fn published(&mut self, app: u16, announced: u32, unit: &Asdu<'_>, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let known = |stream: &Stream| stream.app == app && stream.id == unit.id;
        let found = self.streams.iter().position(known).and_then(|at| self.streams.get_mut(at));
        let (stream, name) = match found {
            Some(stream) => {
                stream.count = stream.count.saturating_add(1);
                stream.last = pdu.at;
                if (stream.revision, stream.synchronised) == (unit.revision, unit.synchronised) {
                    return;
                }
                (stream.revision, stream.synchronised) = (unit.revision, unit.synchronised);
                (Stream { count: 1, ..stream.clone() }, "sampled values change")
            }
            None => {
                if self.streams.len() >= STREAM_LIMIT {
                    return;
                }
                let (client, server) = (pdu.receiver(), pdu.sender());
                let (id, revision, synchronised) = (unit.id.to_vec(), unit.revision, unit.synchronised);
                let stream = Stream { id, app, revision, synchronised, count: 1, last: pdu.at, client, server };
                self.streams.push(stream.clone());
                (stream, "sampled values")
            }
        };
        self.detail.clear();
        self.detail.number("appid", app);
        self.detail.number("units", announced);
        self.detail.numbers("sample_counts", self.samples.iter().copied());
        self.detail.number("configuration_revision", unit.revision);
        self.detail.number("synchronised", unit.synchronised);
        self.tell(&stream, name, out);
    }

    fn tell(&mut self, stream: &Stream, name: &'static str, out: &mut dyn Sink) {
        out.emit(
            stream.last,
            Observation::Operation(Operation {
                protocol: PROTOCOL,
                client: stream.client,
                server: stream.server,
                unit: Some(stream.app.into()),
                code: PDU_TAG.into(),
                name,
                class: OperationClass::Cyclic,
                object: &device_text(&stream.id).unwrap_or_default(),
                quantity: Some(stream.count),
                status: None,
                status_name: "",
                latency: None,
                request_frame: None,
                reply_frame: Some(stream.last.frame),
                detail: self.detail.object(&mut self.line),
            }),
        );
    }
}

/// One application service data unit.
struct Asdu<'a> {
    id: &'a [u8],
    sample: u32,
    revision: u32,
    synchronised: u32,
}

impl<'a> Asdu<'a> {
    fn read(content: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(content);
        let (mut id, mut sample, mut revision, mut synchronised) = (None, None, None, None);
        while !cursor.is_empty() {
            match element(&mut cursor)? {
                (0x80, text) => id = Some(text),
                (0x82, number) => sample = unsigned(number),
                (0x83, number) => revision = unsigned(number),
                (0x85, number) => synchronised = unsigned(number),
                _ => {}
            }
        }
        Some(Asdu { id: id?, sample: sample?, revision: revision?, synchronised: synchronised? })
    }
}

fn broken(name: &'static str, why: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
    if pdu.cut {
        return out.mark(Mark::Undecoded("cut by the capture"));
    }
    out.mark(Mark::Malformed(why));
    let (sender, receiver) = (pdu.sender(), pdu.receiver());
    out.emit(pdu.at, Observation::Weird(Weird { name, protocol: PROTOCOL, detail: why, sender, receiver }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{feed, feed_unprobed, flow, hex};
    use proptest::prelude::*;
    use quaywatch_model::Direction::FromClient;

    /// By hand: one unit of stream `a`, sample 5, revision 1, not synchronised.
    const FRAME: &str =
        "4000 0025 00000000 60 1b 80 01 01 a2 16 30 14 80 01 61 82 02 0005 83 04 00000001 85 01 00 87 02 0001";

    #[test]
    fn a_stream_is_told_once_and_counted() {
        let flow = flow(Transport::Link(ETHERTYPE), 0);
        let (one, mut two) = (hex(FRAME), hex(FRAME));
        two[32] = 2;
        let rows = feed(&Sv, &flow, &[(FromClient, &one), (FromClient, &one), (FromClient, &two)]);
        let operations = rows.of("operation");
        assert_eq!(operations.len(), 3);
        assert_eq!(operations[0]["object"], "a");
        assert_eq!(operations[1]["name"], "sampled values change");
        assert_eq!(operations[2]["quantity"], 3);
        for end in 1..one.len() {
            feed_unprobed(&Sv, &flow, &[(FromClient, &one[..end])]);
        }
    }

    proptest! {
        #[test]
        fn anything_is_survived(bytes in proptest::collection::vec(any::<u8>(), 1..120)) {
            feed_unprobed(&Sv, &flow(Transport::Link(ETHERTYPE), 0), &[(FromClient, &bytes)]);
        }
    }
}
