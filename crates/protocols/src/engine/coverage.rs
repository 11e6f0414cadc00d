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

/// Lines held outside the map; a power of two. A run has some dozen kinds of packets at a time.
const RECENT: usize = 256;

/// Packets and bytes by input, disposition, protocol and reason.
pub(super) struct Account {
    lines: BTreeMap<Key, Line>,
    /// Lines not yet in the map, each at the place that its key's addresses give: comparing texts for each packet would be
    /// a tenth of all work.
    recent: Vec<Option<(Key, Line)>>,
}

impl Default for Account {
    fn default() -> Self {
        Account { lines: BTreeMap::new(), recent: (0..RECENT).map(|_| None).collect() }
    }
}

/// Whether two keys are the same texts at the same addresses. Equal texts elsewhere count as different; the map joins them.
fn same(a: &Key, b: &Key) -> bool {
    (a.0, a.1, a.2) == (b.0, b.1, b.2) && std::ptr::eq(a.3, b.3) && std::ptr::eq(a.4, b.4)
}

fn place(key: &Key) -> usize {
    // Texts lie at least their length apart: the low bits differ.
    let mixed = key.3.as_ptr().addr() ^ key.4.as_ptr().addr().rotate_left(3) ^ (key.2 as usize) << 5 ^ key.0.0 as usize;
    (mixed ^ mixed >> 8) % RECENT
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
        let Some(recent) = self.recent.get_mut(place(&key)) else { return };
        match recent {
            Some((held, sum)) if same(held, &key) => sum.join(&line),
            _ => {
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
        for at in 0..self.recent.len() {
            if let Some((key, line)) = self.recent.get_mut(at).and_then(Option::take) {
                self.settle(key, line);
            }
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
