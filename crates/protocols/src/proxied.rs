//! What a proxy passes on: a stream within a stream, recognised by its content as a flow of its own would be.

use quaywatch_model::{At, Direction, Endpoint, Mark, Observation, Sink};
use quaywatch_wire::{Flow, Pdu};

use crate::{Analyzer, PROTOCOLS, Probe, Protocol};

/// Pieces that may pass unrecognised before the stream counts as unknown.
const MAX_ATTEMPTS: u8 = 8;
/// Pieces, and bytes of them, held back while a probe is unsure.
const MAX_HELD: usize = 6;
const MAX_HELD_BYTES: usize = 8 * 1024;

/// The stream behind a proxy. Its rows name the end that the proxy was asked for, not the proxy.
pub(crate) struct Proxied {
    /// The flow as it would be without the proxy.
    flow: Flow,
    /// Protocol of the proxy: not looked for again, as proxies behind proxies would nest without end.
    outer: &'static str,
    stage: Stage,
}

enum Stage {
    Undecided { attempts: u8, held: Vec<Held> },
    Speaks(Box<dyn Analyzer>),
    Unknown,
}

struct Held {
    at: At,
    direction: Direction,
    data: Vec<u8>,
}

enum Verdict {
    Speaks(&'static dyn Protocol),
    Unsure,
    Unknown,
}

/// Keeps an inner analyzer's word that the stream is not its own from ending the outer one.
struct Within<'s> {
    out: &'s mut dyn Sink,
    gave_up: bool,
}

impl Sink for Within<'_> {
    fn emit(&mut self, at: At, observation: Observation<'_>) {
        self.out.emit(at, observation);
    }

    fn mark(&mut self, mark: Mark) {
        match mark {
            Mark::NotMine => self.gave_up = true,
            mark => self.out.mark(mark),
        }
    }

    fn expect(&mut self, server: Endpoint, protocol: &'static str) {
        self.out.expect(server, protocol);
    }
}

impl Proxied {
    /// The stream to `server`, passed on by a proxy of protocol `outer` in `flow`. Nothing of it was fed yet.
    pub(crate) fn new(flow: &Flow, server: Endpoint, outer: &'static str) -> Self {
        let flow = Flow { server, server_mac: None, midstream: false, ..flow.clone() };
        Proxied { flow, outer, stage: Stage::Undecided { attempts: 0, held: Vec::new() } }
    }

    /// Takes the next piece of the outer flow, all of it the inner stream's.
    pub(crate) fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Proxied { flow, outer, stage } = self;
        let pdu = Pdu { flow, source_mac: None, destination_mac: None, ..*pdu };
        if let Stage::Undecided { attempts, held } = stage {
            *attempts = attempts.saturating_add(1);
            let bytes: usize = held.iter().map(|piece| piece.data.len()).sum();
            let may_hold = held.len() < MAX_HELD && bytes.saturating_add(pdu.data.len()) <= MAX_HELD_BYTES;
            *stage = match verdict(outer, held, &pdu) {
                Verdict::Speaks(protocol) => Stage::Speaks(speak(protocol, held, flow, out)),
                Verdict::Unsure if may_hold => {
                    return held.push(Held { at: pdu.at, direction: pdu.direction, data: pdu.data.to_vec() });
                }
                Verdict::Unsure => match hinted(outer, flow) {
                    Some(protocol) => Stage::Speaks(speak(protocol, held, flow, out)),
                    None => Stage::Unknown,
                },
                Verdict::Unknown if *attempts >= MAX_ATTEMPTS => Stage::Unknown,
                Verdict::Unknown => {
                    held.clear();
                    return out.mark(UNKNOWN);
                }
            };
        }
        match stage {
            Stage::Speaks(analyzer) => {
                let mut within = Within { out, gave_up: false };
                analyzer.feed(&pdu, &mut within);
                if within.gave_up {
                    *stage = Stage::Unknown;
                    out.mark(UNKNOWN);
                }
            }
            _ => out.mark(UNKNOWN),
        }
    }

    /// Bytes of the outer flow were missed.
    pub(crate) fn gap(&mut self, direction: Direction, missing: u32, out: &mut dyn Sink) {
        match &mut self.stage {
            Stage::Speaks(analyzer) => analyzer.gap(direction, missing, &mut Within { out, gave_up: false }),
            Stage::Undecided { held, .. } => held.clear(),
            Stage::Unknown => {}
        }
    }

    /// The outer flow ended. What was held back is taken for what the port asked for usually has.
    pub(crate) fn close(&mut self, out: &mut dyn Sink) {
        if let Stage::Undecided { held, .. } = &mut self.stage
            && !held.is_empty()
            && let Some(protocol) = hinted(self.outer, &self.flow)
        {
            self.stage = Stage::Speaks(speak(protocol, held, &self.flow, out));
        }
        if let Stage::Speaks(analyzer) = &mut self.stage {
            analyzer.close(&self.flow, &mut Within { out, gave_up: false });
        }
    }
}

const UNKNOWN: Mark = Mark::Undecoded("content behind a proxy not recognised");

/// Protocols that are looked for.
fn candidates(outer: &'static str) -> impl Iterator<Item = &'static dyn Protocol> {
    PROTOCOLS.iter().copied().filter(move |protocol| protocol.meta().name != outer)
}

/// The protocol whose usual port was asked for.
fn hinted(outer: &'static str, flow: &Flow) -> Option<&'static dyn Protocol> {
    candidates(outer).find(|protocol| protocol.meta().tcp.contains(&flow.server.port))
}

/// Asks all probes: of the held pieces of this direction with the new one behind them, else of the new one alone.
fn verdict(outer: &'static str, held: &[Held], pdu: &Pdu<'_>) -> Verdict {
    let mut joined: Vec<u8> = Vec::new();
    for piece in held.iter().filter(|piece| piece.direction == pdu.direction) {
        joined.extend_from_slice(&piece.data);
    }
    if joined.is_empty() {
        return ask(outer, pdu);
    }
    joined.extend_from_slice(pdu.data);
    match ask(outer, &Pdu { data: &joined, ..*pdu }) {
        speaks @ Verdict::Speaks(_) => speaks,
        doubt => match ask(outer, pdu) {
            speaks @ Verdict::Speaks(_) => speaks,
            _ => doubt,
        },
    }
}

fn ask(outer: &'static str, pdu: &Pdu<'_>) -> Verdict {
    let hint = hinted(outer, pdu.flow);
    let mut unsure = false;
    for protocol in hint.into_iter().chain(candidates(outer)) {
        match protocol.probe(pdu) {
            Probe::Yes => return Verdict::Speaks(protocol),
            Probe::YesFromServer if pdu.direction == Direction::FromServer => return Verdict::Speaks(protocol),
            Probe::Unsure => unsure = true,
            Probe::YesFromServer | Probe::No => {}
        }
    }
    if unsure { Verdict::Unsure } else { Verdict::Unknown }
}

/// Opens the analyzer and feeds it what was held back.
fn speak(protocol: &dyn Protocol, held: &mut Vec<Held>, flow: &Flow, out: &mut dyn Sink) -> Box<dyn Analyzer> {
    let mut analyzer = protocol.open(flow);
    let mut within = Within { out, gave_up: false };
    for Held { at, direction, data } in held.drain(..) {
        let piece = Pdu { at, flow, direction, data: &data, source_mac: None, destination_mac: None, cut: false };
        analyzer.feed(&piece, &mut within);
    }
    analyzer
}
