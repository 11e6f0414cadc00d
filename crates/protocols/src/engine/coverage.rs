//! The account of where every packet ended.

use std::collections::BTreeMap;

use quaywatch_model::{At, Coverage, Disposition, Observation, SegmentId, Sink, SourceId, Timestamp};

type Key = (SourceId, SegmentId, Disposition, &'static str, &'static str);

struct Line {
    packets: u64,
    bytes: u64,
    first: Timestamp,
    last: Timestamp,
}

/// Packets and bytes by input, disposition, protocol and reason.
#[derive(Default)]
pub(super) struct Account {
    lines: BTreeMap<Key, Line>,
    /// The line of the last packet, not yet in the map: runs of one kind are the rule.
    recent: Option<(Key, Line)>,
}

impl Account {
    /// Counts one packet.
    pub(super) fn add(
        &mut self,
        at: &At,
        wire_length: u32,
        disposition: Disposition,
        protocol: &'static str,
        reason: &'static str,
    ) {
        let key = (at.source, at.segment, disposition, protocol, reason);
        let line = Line { packets: 1, bytes: u64::from(wire_length), first: at.ts, last: at.ts };
        match &mut self.recent {
            Some((recent, sum)) if *recent == key => sum.join(&line),
            recent => {
                if let Some((key, line)) = recent.replace((key, line)) {
                    self.settle(key, line);
                }
            }
        }
    }

    fn settle(&mut self, key: Key, line: Line) {
        match self.lines.entry(key) {
            std::collections::btree_map::Entry::Occupied(mut sum) => sum.get_mut().join(&line),
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(line);
            }
        }
    }

    /// Emits the lines in a fixed order and forgets them.
    pub(super) fn emit(&mut self, out: &mut dyn Sink) {
        if let Some((key, line)) = self.recent.take() {
            self.settle(key, line);
        }
        for ((source, segment, disposition, protocol, reason), line) in std::mem::take(&mut self.lines) {
            let Line { packets, bytes, first, last } = line;
            let at = At { ts: first, source, segment, ..At::default() };
            let coverage = Coverage { disposition, protocol, reason, packets, bytes, first, last };
            out.emit(at, Observation::Coverage(coverage));
        }
    }
}

impl Line {
    fn join(&mut self, other: &Line) {
        self.packets += other.packets;
        self.bytes += other.bytes;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}
