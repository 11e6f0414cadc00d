//! How far a flow's protocol is known: undecided, spoken, or unknown for good.

use quaywatch_model::{At, Direction, Disposition, Mark, Sink, Transport};
use quaywatch_wire::{Flow, Pdu};

use super::profile::Profile;
use super::{Books, Marked, guess};
use crate::analyzer::Purpose;
use crate::{Analyzer, Probe, Protocol};

/// Pieces that may pass unrecognised before a flow counts as unknown.
const MAX_ATTEMPTS: u8 = 8;
/// Pieces, and bytes of them, held back while a probe is unsure.
const MAX_HELD: usize = 6;
const MAX_HELD_BYTES: usize = 8 * 1024;

/// A piece held back until the protocol is known.
pub(super) struct Held {
    at: At,
    direction: Direction,
    data: Vec<u8>,
    wire_length: u32,
    cut: bool,
}

impl Held {
    fn pdu<'a>(&'a self, flow: &'a Flow) -> Pdu<'a> {
        Pdu {
            at: self.at,
            flow,
            direction: self.direction,
            data: &self.data,
            source_mac: flow.sender_mac(self.direction),
            destination_mac: flow.sender_mac(self.direction.reverse()),
            cut: self.cut,
        }
    }
}

/// What is known of a flow's protocol.
pub(super) struct Stage {
    /// What the flow probably is, by its numbers.
    guess: &'static str,
    /// Place in the registry of what was announced for this flow.
    expected: Option<usize>,
    attempts: u8,
    held: Vec<Held>,
    speaking: Option<Speaking>,
    /// Every probe refused, or an analyzer gave up.
    unknown: bool,
    /// What the pieces look like that nobody recognised.
    profile: Option<Box<Profile>>,
}

struct Speaking {
    analyzer: Box<dyn Analyzer>,
    name: &'static str,
}

impl Speaking {
    fn service(&self) -> &'static str {
        self.analyzer.service().unwrap_or(self.name)
    }
}

/// Whether the piece was dealt with.
#[derive(PartialEq, Eq)]
pub(super) enum Fed {
    Done,
    /// The piece showed that client and server are the other way round; it was not fed yet.
    RolesSwapped,
}

enum Verdict {
    Speaks { protocol: usize, swapped: bool },
    Unsure,
    Unknown,
}

impl Stage {
    /// The stage of a new flow that is probably `guess`, or was announced.
    pub(super) const fn new(guess: &'static str, expected: Option<usize>) -> Self {
        Stage { guess, expected, attempts: 0, held: Vec::new(), speaking: None, unknown: false, profile: None }
    }

    /// Name for the coverage account: found by content, else guessed.
    pub(super) fn name(&self) -> &'static str {
        self.service().unwrap_or(self.guess)
    }

    /// The protocol found by content.
    pub(super) fn service(&self) -> Option<&'static str> {
        self.speaking.as_ref().map(Speaking::service)
    }

    fn undecoded(&mut self, pdu: &Pdu<'_>, wire_length: u32, books: &mut Books) {
        self.profile.get_or_insert_default().add(pdu, &mut books.samples);
        books.account.add(&pdu.at, wire_length, Disposition::Undecoded, self.guess, guess::REASON);
    }

    /// Takes the next piece of the flow.
    pub(super) fn take(
        &mut self,
        protocols: &'static [&'static dyn Protocol],
        pdu: &Pdu<'_>,
        wire_length: u32,
        out: &mut dyn Sink,
        books: &mut Books,
    ) -> Fed {
        if self.speaking.is_some() {
            self.feed(pdu, wire_length, out, books);
            return Fed::Done;
        }
        if self.unknown {
            self.undecoded(pdu, wire_length, books);
            return Fed::Done;
        }
        self.attempts += 1;
        let verdict = self.probe(protocols, pdu);
        // A file may look like any protocol; but what speaks to a machine is told as that, whoever announced it.
        if let (Verdict::Speaks { protocol, .. }, Some(expected)) = (&verdict, self.expected)
            && !protocols.get(*protocol).is_some_and(|found| found.meta().purpose == Purpose::Control)
        {
            self.begin(protocols, expected, pdu, wire_length, out, books);
            return Fed::Done;
        }
        match verdict {
            Verdict::Speaks { swapped: true, .. } if pdu.flow.midstream => return Fed::RolesSwapped,
            Verdict::Speaks { protocol, .. } => self.begin(protocols, protocol, pdu, wire_length, out, books),
            Verdict::Unsure if self.may_hold(pdu) => self.hold(pdu, wire_length),
            Verdict::Unsure => match self.expected.or_else(|| hinted(protocols, pdu.flow)) {
                Some(protocol) => self.begin(protocols, protocol, pdu, wire_length, out, books),
                None => self.give_up(pdu, wire_length, books),
            },
            Verdict::Unknown => match self.expected {
                Some(protocol) => self.begin(protocols, protocol, pdu, wire_length, out, books),
                None => self.not_yet(pdu, wire_length, books),
            },
        }
        Fed::Done
    }

    /// Takes the piece that turned the flow round.
    pub(super) fn take_swapped(
        &mut self,
        protocols: &'static [&'static dyn Protocol],
        pdu: &Pdu<'_>,
        wire_length: u32,
        out: &mut dyn Sink,
        books: &mut Books,
    ) {
        for held in &mut self.held {
            held.direction = held.direction.reverse();
        }
        match self.probe(protocols, pdu) {
            Verdict::Speaks { protocol, .. } => self.begin(protocols, protocol, pdu, wire_length, out, books),
            _ => self.not_yet(pdu, wire_length, books),
        }
    }

    /// What is held back of this direction with the new piece behind it; while that leaves doubt, the new piece alone, as
    /// pieces of a stream mostly begin where a PDU does.
    fn probe(&self, protocols: &'static [&'static dyn Protocol], pdu: &Pdu<'_>) -> Verdict {
        if !self.held.iter().any(|held| held.direction == pdu.direction) {
            return probe(protocols, pdu);
        }
        let mut joined = Vec::new();
        for held in self.held.iter().filter(|held| held.direction == pdu.direction) {
            joined.extend_from_slice(&held.data);
        }
        joined.extend_from_slice(pdu.data);
        match probe(protocols, &Pdu { data: &joined, ..*pdu }) {
            speaks @ Verdict::Speaks { .. } => speaks,
            doubt => match probe(protocols, pdu) {
                speaks @ Verdict::Speaks { .. } => speaks,
                _ => doubt,
            },
        }
    }

    fn may_hold(&self, pdu: &Pdu<'_>) -> bool {
        let bytes: usize = self.held.iter().map(|held| held.data.len()).sum();
        self.held.len() < MAX_HELD && bytes + pdu.data.len() <= MAX_HELD_BYTES
    }

    fn hold(&mut self, pdu: &Pdu<'_>, wire_length: u32) {
        let Pdu { at, direction, data, cut, .. } = *pdu;
        self.held.push(Held { at, direction, data: data.to_vec(), wire_length, cut });
    }

    /// No probe claims the piece. It stays undecoded; later ones may start at a PDU's boundary.
    fn not_yet(&mut self, pdu: &Pdu<'_>, wire_length: u32, books: &mut Books) {
        if self.attempts >= MAX_ATTEMPTS {
            return self.give_up(pdu, wire_length, books);
        }
        self.release(books);
        self.undecoded(pdu, wire_length, books);
    }

    fn give_up(&mut self, pdu: &Pdu<'_>, wire_length: u32, books: &mut Books) {
        self.unknown = true;
        self.release(books);
        self.undecoded(pdu, wire_length, books);
    }

    /// Counts held pieces as undecoded.
    fn release(&mut self, books: &mut Books) {
        for held in self.held.drain(..) {
            let profile = self.profile.get_or_insert_default();
            profile.add_piece(&held.at, held.direction, &held.data, &mut books.samples);
            books.account.add(&held.at, held.wire_length, Disposition::Undecoded, self.guess, guess::REASON);
        }
    }

    fn begin(
        &mut self,
        protocols: &'static [&'static dyn Protocol],
        protocol: usize,
        pdu: &Pdu<'_>,
        wire_length: u32,
        out: &mut dyn Sink,
        books: &mut Books,
    ) {
        self.speak(protocols, protocol, pdu.flow, out, books);
        self.feed(pdu, wire_length, out, books);
    }

    /// Opens the analyzer and feeds it what was held back.
    fn speak(
        &mut self,
        protocols: &'static [&'static dyn Protocol],
        protocol: usize,
        flow: &Flow,
        out: &mut dyn Sink,
        books: &mut Books,
    ) {
        let Some(protocol) = protocols.get(protocol) else { return };
        self.forget_profile(books);
        self.speaking = Some(Speaking { analyzer: protocol.open(flow), name: protocol.meta().name });
        let held = std::mem::take(&mut self.held);
        let strange = strange(*protocol, &held, flow);
        for piece in held {
            let earlier = piece.pdu(flow);
            if strange == Some(piece.direction) {
                self.undecoded(&earlier, piece.wire_length, books);
            } else {
                self.feed(&earlier, piece.wire_length, out, books);
            }
        }
    }

    fn feed(&mut self, pdu: &Pdu<'_>, wire_length: u32, out: &mut dyn Sink, books: &mut Books) {
        let Some(speaking) = &mut self.speaking else {
            return self.undecoded(pdu, wire_length, books);
        };
        let (segment, transport) = (pdu.at.segment, pdu.flow.transport);
        let mut marked = Marked { out, gravest: None, segment, transport, expected: &mut books.expected };
        speaking.analyzer.feed(pdu, &mut marked);
        let name = speaking.service();
        let (disposition, reason) = match marked.gravest {
            None => (Disposition::Decoded, ""),
            Some(Mark::Opaque(reason)) => (Disposition::WithoutPayload, reason),
            Some(Mark::Undecoded(reason)) => (Disposition::Undecoded, reason),
            Some(Mark::Malformed(reason)) => (Disposition::Malformed, reason),
            Some(Mark::NotMine) => {
                self.speaking = None;
                self.unknown = true;
                return self.undecoded(pdu, wire_length, books);
            }
        };
        books.account.add(&pdu.at, wire_length, disposition, name, reason);
    }

    /// Bytes of the stream were never captured.
    pub(super) fn gap(&mut self, direction: Direction, missing: u32, out: &mut dyn Sink) {
        if let Some(speaking) = &mut self.speaking {
            speaking.analyzer.gap(direction, missing, out);
        }
    }

    /// The flow ended. What was held back and could be of the usual port's protocol is taken for it.
    pub(super) fn close(
        &mut self,
        protocols: &'static [&'static dyn Protocol],
        flow: &Flow,
        out: &mut dyn Sink,
        books: &mut Books,
    ) {
        if !self.held.is_empty()
            && let Some(protocol) = hinted(protocols, flow)
        {
            self.speak(protocols, protocol, flow, out, books);
        }
        if let Some(speaking) = &mut self.speaking {
            speaking.analyzer.close(flow, out);
        }
        self.release(books);
        if let Some(profile) = &self.profile {
            profile.emit(flow, self.guess, out);
        }
        self.forget_profile(books);
    }

    fn forget_profile(&mut self, books: &mut Books) {
        if let Some(profile) = self.profile.take() {
            profile.release(&mut books.samples);
        }
    }
}

/// The direction, if any, whose held pieces cannot be of this protocol: a flow picked up in its middle may begin with the
/// rest of a PDU, or with the one byte of a keep-alive (RFC 9293 section 3.8.4).
fn strange(protocol: &dyn Protocol, held: &[Held], flow: &Flow) -> Option<Direction> {
    if !flow.midstream || flow.transport != Transport::Tcp {
        return None;
    }
    [Direction::FromClient, Direction::FromServer].into_iter().find(|direction| {
        let pieces = || held.iter().filter(|piece| piece.direction == *direction);
        let joined: Vec<u8> = pieces().flat_map(|piece| piece.data.iter().copied()).collect();
        pieces().next().is_some_and(|piece| protocol.probe(&Pdu { data: &joined, ..piece.pdu(flow) }) == Probe::No)
    })
}

/// Asks all protocols, that of the usual port first.
fn probe(protocols: &'static [&'static dyn Protocol], pdu: &Pdu<'_>) -> Verdict {
    let mut unsure = false;
    let hint = hinted(protocols, pdu.flow);
    let order = hint.into_iter().chain((0..protocols.len()).filter(|index| Some(*index) != hint));
    for protocol in order {
        let Some(candidate) = protocols.get(protocol) else { continue };
        match candidate.probe(pdu) {
            Probe::Yes => return Verdict::Speaks { protocol, swapped: false },
            Probe::YesFromServer => {
                return Verdict::Speaks { protocol, swapped: pdu.direction == Direction::FromClient };
            }
            Probe::Unsure => unsure = true,
            Probe::No => {}
        }
    }
    if unsure { Verdict::Unsure } else { Verdict::Unknown }
}

/// The protocol whose usual port or EtherType this flow uses.
fn hinted(protocols: &'static [&'static dyn Protocol], flow: &Flow) -> Option<usize> {
    guess::hint(protocols, flow.transport, flow.client.port, flow.server.port)
}
