//! Feeding analyzers in tests, with PDUs written by hand or cut from captures.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "test code: a failed expectation is a failed test")]

use std::net::Ipv4Addr;

use quaywatch_model::{
    Address, At, Direction, Endpoint, MacAddr, Mark, Observation, SegmentId, Sink, SourceId, Timestamp, Transport, Uid,
};
use quaywatch_wire::{Flow, Pdu};

use crate::{Probe, Protocol};

/// Keeps what was emitted as JSON, one value an observation: `{"operation": {...}}`.
#[derive(Default, Debug)]
pub struct Recorder {
    /// Observations with their places, in order.
    pub rows: Vec<(At, serde_json::Value)>,
    /// Marks, in order.
    pub marks: Vec<Mark>,
}

impl Sink for Recorder {
    fn emit(&mut self, at: At, observation: Observation<'_>) {
        let value = serde_json::to_value(observation).expect("observations serialise");
        self.rows.push((at, value));
    }
    fn mark(&mut self, mark: Mark) {
        self.marks.push(mark);
    }
}

impl Recorder {
    /// The rows of one kind (`operation`, `identity`, ...), without their wrapper.
    #[must_use]
    pub fn of(&self, kind: &str) -> Vec<serde_json::Value> {
        self.rows.iter().filter_map(|(_, value)| value.get(kind).cloned()).collect()
    }
}

/// A flow from 10.0.0.1:49152 to 10.0.0.2:`port`.
#[must_use]
pub fn flow(transport: Transport, port: u16) -> Flow {
    let end = |last, port| Endpoint::new(Address::V4(Ipv4Addr::new(10, 0, 0, last)), port);
    Flow {
        uid: Uid(1),
        transport,
        client: end(1, 49152),
        server: end(2, port),
        client_mac: Some(MacAddr([2, 0, 0, 0, 0, 1])),
        server_mac: Some(MacAddr([2, 0, 0, 0, 0, 2])),
        vlan: None,
        midstream: false,
    }
}

/// Makes the PDU number `index` (frame `index + 1`, one millisecond apart) of `flow`.
#[must_use]
pub fn pdu<'a>(flow: &'a Flow, index: u64, direction: Direction, data: &'a [u8]) -> Pdu<'a> {
    let ts = Timestamp(i64::try_from(index).unwrap_or(0) * 1_000_000);
    let at = At { ts, source: SourceId(0), segment: SegmentId(0), frame: index + 1, uid: flow.uid };
    Pdu {
        at,
        flow,
        direction,
        data,
        source_mac: flow.sender_mac(direction),
        destination_mac: flow.sender_mac(direction.reverse()),
        cut: false,
    }
}

/// Probes with the first piece, then feeds all pieces to one analyzer and closes it.
pub fn feed(protocol: &dyn Protocol, flow: &Flow, pieces: &[(Direction, &[u8])]) -> Recorder {
    if let Some((direction, data)) = pieces.first() {
        assert_ne!(protocol.probe(&pdu(flow, 0, *direction, data)), Probe::No, "not recognised");
    }
    feed_unprobed(protocol, flow, pieces)
}

/// As [`feed`], for bytes that the probe would refuse.
pub fn feed_unprobed(protocol: &dyn Protocol, flow: &Flow, pieces: &[(Direction, &[u8])]) -> Recorder {
    let mut recorder = Recorder::default();
    let mut analyzer = protocol.open(flow);
    for (index, (direction, data)) in (0..).zip(pieces) {
        analyzer.feed(&pdu(flow, index, *direction, data), &mut recorder);
    }
    analyzer.close(flow, &mut recorder);
    recorder
}

/// Bytes from hex; blanks and line ends are ignored.
#[must_use]
pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> =
        text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).expect("hex digit")).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).expect("two digits")).collect()
}
