//! Reads many captures as one run of packets in the order of time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::PathBuf;

use quaywatch_model::{SourceId, Timestamp};

use super::facts::{CaptureFacts, SourceReport};
use super::inputs::{Content, Input, sha256_of};
use super::record::Record;
use super::source::{self, Source};
use crate::packet::{CaptureError, Packet};

/// How captures are merged.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Options {
    /// Whether each source is read to its end before the next, in the order of the list, instead of by time.
    pub one_after_another: bool,
}

/// A source's turn: its running maximum of time, then its place in the list.
type Turn = Reverse<(Timestamp, usize)>;

/// All captures of a run, merged.
///
/// Packets come by the running maximum of their source's time, then in the order of sources, then in file order. A
/// clock that steps back inside a source thus neither reorders that source nor holds up the others. One packet is held
/// per source that is open, and a source is open only from its first packet's time to its end.
pub struct Merged {
    sources: Vec<Slot>,
    turns: BinaryHeap<Turn>,
    /// The source that the packet handed out last is from: it moves on only when the next one is asked for.
    lent: Option<usize>,
    options: Options,
}

struct Slot {
    id: SourceId,
    name: String,
    path: PathBuf,
    sha256: Option<[u8; 32]>,
    /// Standard input and pipes can be opened only once, so they stay open.
    reopens: bool,
    state: State,
    error: Option<CaptureError>,
    /// Latest time so far.
    latest: Timestamp,
}

enum State {
    /// Known to have a packet, not open.
    Waiting,
    Open {
        source: Box<Source>,
        record: Record,
    },
    Ended(CaptureFacts),
}

impl Slot {
    fn new(input: &Input) -> Self {
        Slot {
            id: input.id,
            name: input.name.clone(),
            path: input.path.clone(),
            sha256: input.sha256,
            reopens: input.content == Content::Capture,
            state: State::Waiting,
            error: None,
            latest: Timestamp(i64::MIN),
        }
    }

    /// Opens the source and finds its first packet.
    fn open(&mut self) {
        match source::open(&self.path, self.id) {
            Ok(mut source) => {
                if self.sha256.is_none() {
                    source.hash_while_reading();
                }
                self.advance(Box::new(source));
            }
            Err(error) => {
                self.error = Some(error);
                self.state = State::Ended(CaptureFacts { early_end: true, ..CaptureFacts::default() });
            }
        }
    }

    /// Finds the next packet of `source`.
    fn advance(&mut self, mut source: Box<Source>) {
        match source.advance() {
            Ok(Some(record)) => {
                self.latest = self.latest.max(record.ts);
                self.state = State::Open { source, record };
                return;
            }
            Ok(None) => {}
            Err(error) => self.error = Some(error),
        }
        self.sha256 = self.sha256.or_else(|| source.sha256());
        self.state = State::Ended(source.facts().clone());
    }

    /// Moves on to the next packet, opening the source if need be.
    fn step(&mut self) {
        match std::mem::replace(&mut self.state, State::Waiting) {
            State::Waiting => self.open(),
            State::Open { source, .. } => self.advance(source),
            ended @ State::Ended(_) => self.state = ended,
        }
    }

    fn report(&self) -> SourceReport {
        let facts = match &self.state {
            State::Waiting => CaptureFacts::default(),
            State::Open { source, .. } => source.facts().clone(),
            State::Ended(facts) => facts.clone(),
        };
        let (id, name, error) = (self.id, self.name.clone(), self.error.clone());
        // A packed file, and one whose reading was given up, is hashed by itself.
        let sha256 = self.sha256.or_else(|| self.reopens.then(|| sha256_of(&self.path).ok()).flatten());
        SourceReport { id, name, facts, error, sha256 }
    }
}

impl Merged {
    /// Opens the captures and streams among `inputs`; the others are left out.
    ///
    /// A source that cannot be opened shows in [`Merged::reports`].
    #[must_use]
    pub fn open(inputs: &[Input], options: Options) -> Self {
        let wanted = inputs.iter().filter(|input| matches!(input.content, Content::Capture | Content::Stream));
        let sources = wanted.map(Slot::new).collect();
        let mut merged = Merged { sources, turns: BinaryHeap::new(), lent: None, options };
        for index in 0..merged.sources.len() {
            if options.one_after_another {
                merged.turns.push(Reverse((Timestamp::default(), index)));
            } else {
                merged.peek(index);
            }
        }
        merged
    }

    /// Learns the time of a source's first packet, and closes it again if it can be opened once more.
    fn peek(&mut self, index: usize) {
        let Some(slot) = self.sources.get_mut(index) else { return };
        slot.open();
        if matches!(slot.state, State::Ended(_)) {
            return;
        }
        if slot.reopens {
            slot.state = State::Waiting;
        }
        self.turns.push(Reverse((slot.latest, index)));
    }

    /// The next packet of the run; `None` after the last.
    #[expect(clippy::should_implement_trait, reason = "the packet borrows from the source, which no Iterator can say")]
    pub fn next(&mut self) -> Option<Packet<'_>> {
        let again = self.lent.take().and_then(|index| self.step(index));
        let index = self.whose_turn(again)?;
        self.lent = Some(index);
        match &self.sources.get(index)?.state {
            State::Open { source, record } => Some(source.packet(record)),
            State::Waiting | State::Ended(_) => None,
        }
    }

    /// Moves a source on; its new turn, if it has another packet.
    fn step(&mut self, index: usize) -> Option<Turn> {
        let slot = self.sources.get_mut(index)?;
        slot.step();
        if !matches!(slot.state, State::Open { .. }) {
            return None;
        }
        Some(Reverse((if self.options.one_after_another { Timestamp::default() } else { slot.latest }, index)))
    }

    /// The source that is next, with its packet at hand. `again` is the turn of the source that was last: mostly it
    /// is next again, and then the heap need not be touched.
    fn whose_turn(&mut self, again: Option<Turn>) -> Option<usize> {
        let mut turn = match (again, self.turns.peek()) {
            (Some(again), Some(other)) if *other > again => {
                let other = self.turns.pop();
                self.turns.push(again);
                other
            }
            (Some(again), _) => Some(again),
            (None, _) => self.turns.pop(),
        };
        while let Some(Reverse((_, index))) = turn {
            let slot = self.sources.get_mut(index)?;
            if matches!(slot.state, State::Waiting) {
                slot.step();
            }
            // A file that changed since its first packet was looked at may hold none now.
            if matches!(slot.state, State::Open { .. }) {
                return Some(index);
            }
            turn = self.turns.pop();
        }
        None
    }

    /// What became of each source so far, in the order of the list.
    #[must_use]
    pub fn reports(&self) -> Vec<SourceReport> {
        self.sources.iter().map(Slot::report).collect()
    }
}
