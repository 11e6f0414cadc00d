//! Conversations cut out of captures, as the engine hands them to analyzers: seeds for fuzzing, work for benches.

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use quaywatch_model::{At, Direction, Observation, SegmentId, Sink};
use quaywatch_wire::capture::{self, Merged};
use quaywatch_wire::{Flow, Pdu};

use crate::engine::{Engine, Options};
use crate::{Analyzer, PROTOCOLS, Probe, Protocol, ProtocolMeta};

/// What one flow carried.
#[derive(Debug)]
pub struct Conversation {
    /// The protocol found, by its place in [`PROTOCOLS`].
    pub protocol: usize,
    /// The flow.
    pub flow: Flow,
    /// Its pieces, in the order they were fed.
    pub pieces: Vec<(At, Direction, Vec<u8>)>,
}

/// The engine opens flows behind static protocols, so what they hear comes together here.
static HEARD: Mutex<Vec<Conversation>> = Mutex::new(Vec::new());

/// All conversations of these captures, in the order in which they ended. Files that cannot be read are left out.
#[must_use]
pub fn conversations(captures: &[PathBuf]) -> Vec<Conversation> {
    let inputs = capture::expand(captures);
    for input in &inputs.list {
        // Each file by itself: captures of different days need not be merged.
        let mut merged = Merged::open(std::slice::from_ref(input), capture::Options::default());
        let mut engine = Engine::new(listeners(), Options::default());
        while let Some(packet) = merged.next() {
            engine.packet(&packet, SegmentId(0), &mut Deaf);
        }
        engine.finish(&mut Deaf);
    }
    std::mem::take(&mut *HEARD.lock().unwrap_or_else(PoisonError::into_inner))
}

struct Deaf;

impl Sink for Deaf {
    fn emit(&mut self, _: At, _: Observation<'_>) {}
}

fn listeners() -> &'static [&'static dyn Protocol] {
    static LISTENERS: OnceLock<Vec<&'static dyn Protocol>> = OnceLock::new();
    LISTENERS.get_or_init(|| {
        let listener = |place| -> &'static dyn Protocol { Box::leak(Box::new(Listener(place))) };
        (0..PROTOCOLS.len()).map(listener).collect()
    })
}

/// A protocol whose analyzers are overheard.
struct Listener(usize);

impl Listener {
    fn protocol(&self) -> &'static dyn Protocol {
        PROTOCOLS.get(self.0).copied().unwrap_or(&crate::arp::Arp)
    }
}

impl Protocol for Listener {
    fn meta(&self) -> &'static ProtocolMeta {
        self.protocol().meta()
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        self.protocol().probe(pdu)
    }

    fn open(&self, flow: &Flow) -> Box<dyn Analyzer> {
        let heard = Conversation { protocol: self.0, flow: flow.clone(), pieces: Vec::new() };
        Box::new(Overheard { analyzer: self.protocol().open(flow), heard: Some(heard) })
    }
}

struct Overheard {
    analyzer: Box<dyn Analyzer>,
    heard: Option<Conversation>,
}

impl Analyzer for Overheard {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if let Some(heard) = &mut self.heard {
            heard.pieces.push((pdu.at, pdu.direction, pdu.data.to_vec()));
        }
        self.analyzer.feed(pdu, out);
    }

    fn gap(&mut self, direction: Direction, missing: u32, out: &mut dyn Sink) {
        self.analyzer.gap(direction, missing, out);
    }

    fn close(&mut self, flow: &Flow, out: &mut dyn Sink) {
        self.analyzer.close(flow, out);
        if let Some(heard) = self.heard.take() {
            HEARD.lock().unwrap_or_else(PoisonError::into_inner).push(heard);
        }
    }

    fn service(&self) -> Option<&'static str> {
        self.analyzer.service()
    }
}

/// Feeds a conversation to a fresh analyzer of its protocol.
pub fn replay(conversation: &Conversation, out: &mut dyn Sink) {
    let Conversation { protocol, flow, pieces } = conversation;
    let Some(protocol) = PROTOCOLS.get(*protocol) else { return };
    let mut analyzer = protocol.open(flow);
    for (at, direction, data) in pieces {
        let (at, direction) = (*at, *direction);
        let pdu = Pdu {
            at,
            flow,
            direction,
            data,
            source_mac: flow.sender_mac(direction),
            destination_mac: flow.sender_mac(direction.reverse()),
            cut: false,
        };
        analyzer.feed(&pdu, out);
    }
    analyzer.close(flow, out);
}
