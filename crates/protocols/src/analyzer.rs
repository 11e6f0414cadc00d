//! What a protocol is to the engine: what it is called, how it is recognised, how it is read.

use quaywatch_model::{Direction, Sink};
use quaywatch_wire::{Flow, Pdu};

/// How much of a protocol is decoded; printed by `quaywatch protocols`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    /// Every public function, with objects and results.
    Full,
    /// What identifies, authenticates and changes state; the rest is counted.
    Partial,
    /// Recognised and named only.
    Named,
}

/// Facts about a protocol. The ports are hints: recognition is by content.
#[derive(Clone, Copy, Debug)]
pub struct ProtocolMeta {
    /// Name used in tables, site models and controls: lower case, e.g. `s7comm`.
    pub name: &'static str,
    /// Name as the field writes it, e.g. `S7comm`.
    pub title: &'static str,
    /// Usual TCP ports.
    pub tcp: &'static [u16],
    /// Usual UDP ports.
    pub udp: &'static [u16],
    /// EtherTypes, SNAP protocol ids, or LLC DSAPs (below 0x0600).
    pub ethertypes: &'static [u16],
    /// The document it was written from.
    pub spec: &'static str,
    /// Where in a port it is found.
    pub found: &'static str,
    /// How much is decoded.
    pub depth: Depth,
    /// What it is for: controls on reachability, state changes and remote access go by it.
    pub purpose: Purpose,
    /// What is decoded and what is not, in a sentence or two.
    pub scope: &'static str,
}

impl Depth {
    /// Name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Depth::Full => "full",
            Depth::Partial => "partial",
            Depth::Named => "named",
        }
    }
}

/// What a protocol is for in a port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Machines are commanded by it, or it is part of how they are.
    Control,
    /// It tells what is measured, positioned, read, seen or moved in the yard.
    Field,
    /// It keeps the network going: names, addresses, time, routes, redundancy, management.
    Network,
    /// Files, directories, databases, mail and telephones of the office.
    Office,
    /// A person works on a machine from elsewhere by it, or a network is lengthened by it.
    RemoteAccess,
    /// It carries anything.
    General,
}

impl Purpose {
    /// Name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Purpose::Control => "control",
            Purpose::Field => "field",
            Purpose::Network => "network",
            Purpose::Office => "office",
            Purpose::RemoteAccess => "remote-access",
            Purpose::General => "general",
        }
    }
}

/// What a probe says of the first bytes of a flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Probe {
    /// It is this protocol.
    Yes,
    /// It is this protocol, and the sender of these bytes is the server: counts where the flow's opening was not seen.
    YesFromServer,
    /// It is not.
    No,
    /// It could be: more bytes or the other direction's will tell. On a usual port this counts as yes once nothing else claims the flow.
    Unsure,
}

/// A protocol. One static value each, listed in the registry.
pub trait Protocol: Sync {
    /// Facts about it.
    fn meta(&self) -> &'static ProtocolMeta;

    /// Whether these first bytes in one direction are of this protocol. Looks at content; called with
    /// the first pieces of each flow of a fitting transport, so it must be quick, and strict: a false yes takes the flow away from its true protocol.
    fn probe(&self, pdu: &Pdu<'_>) -> Probe;

    /// An analyzer for one flow.
    fn open(&self, flow: &Flow) -> Box<dyn Analyzer>;
}

/// Reads one flow of one protocol.
pub trait Analyzer: Send {
    /// Takes the next piece. Never fails: what is wrong becomes a `weird` row and a [`Mark`](quaywatch_model::Mark).
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink);

    /// Told when `missing` bytes of one direction of a TCP stream were never captured. Partial PDUs are to be dropped.
    fn gap(&mut self, direction: Direction, missing: u32, out: &mut dyn Sink) {
        let _ = (direction, missing, out);
    }

    /// Told once when the flow ended: emits what still waits for a reply. `flow` is as in the last PDU.
    fn close(&mut self, flow: &Flow, out: &mut dyn Sink) {
        let _ = (flow, out);
    }

    /// Protocol name for the connection's `service` and the coverage account, when it is finer than the registry's
    /// (TPKT carries S7comm or MMS).
    fn service(&self) -> Option<&'static str> {
        None
    }
}
