//! An assessment as reports show it: everything a format needs, nothing it must look up.

use serde::Serialize;

use crate::asset::Asset;
use crate::control::{Area, ControlResult, Finding, Severity, Verdict, WeaknessKind};

/// The result of one run over one site's evidence.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Assessment {
    /// Version of the tool.
    pub tool_version: String,
    /// Site id.
    pub site: String,
    /// Site name.
    pub site_name: String,
    /// Whether a site model was given; else it was drafted from the traffic.
    pub site_given: bool,
    /// The instant it speaks of, RFC 3339; empty without any packet.
    pub as_of: String,
    /// First and last packet, RFC 3339; empty without any.
    pub traffic_from: String,
    /// See `traffic_from`.
    pub traffic_to: String,
    /// What was given.
    pub inputs: Vec<InputSummary>,
    /// Where the packets ended.
    pub coverage: Vec<CoverageLine>,
    /// Traffic that no decoder recognised, most bytes first; at most [`UnrecognisedLine::MAX_LINES`].
    pub unrecognised: Vec<UnrecognisedLine>,
    /// Verdict of each area, in the fixed order of [`Area::ALL`].
    pub areas: Vec<AreaSummary>,
    /// The four weaknesses, in the fixed order of [`WeaknessKind::ALL`].
    pub weaknesses: Vec<WeaknessSummary>,
    /// Answer of every control, by area and id.
    pub controls: Vec<ControlResult>,
    /// Findings, gravest first.
    pub findings: Vec<Finding>,
    /// The inventory.
    pub assets: Vec<Asset>,
    /// Cranes of the site model.
    pub cranes: Vec<CraneSummary>,
    /// Zones of the site model.
    pub zones: Vec<ZoneSummary>,
    /// Pairs of zones that talk, or may.
    pub conduits: Vec<ConduitSummary>,
    /// What this assessment cannot say, in sentences.
    pub limits: Vec<String>,
}

/// One input.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct InputSummary {
    /// Name as given.
    pub name: String,
    /// `capture` or the document kind.
    pub kind: String,
    /// `read`, `partly-read`, `rejected` or `duplicate`.
    pub status: String,
    /// What was wrong and what to do; empty when nothing was.
    pub reason: String,
    /// SHA-256, hex.
    pub sha256: String,
    /// Packets of a capture.
    pub packets: Option<u64>,
    /// Packets that the capturing machine says it lost.
    pub dropped: Option<u64>,
    /// Rows of a document.
    pub rows: Option<u64>,
    /// Lines of a document that were not understood.
    pub rejected: Option<u64>,
}

/// Packets that ended in one way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CoverageLine {
    /// Decoded, without-payload, undecoded or malformed.
    pub disposition: String,
    /// Protocol, found by content or guessed by number.
    pub protocol: String,
    /// Packets.
    pub packets: u64,
    /// Bytes on the wire.
    pub bytes: u64,
}

/// One direction of a service that no decoder recognised, over all its flows of one look.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct UnrecognisedLine {
    /// Address of the sender.
    pub sender: String,
    /// Address of the receiver.
    pub receiver: String,
    /// Transport with the server's port, or the EtherType: `tcp 5001`, `link 0x88cd`.
    pub over: String,
    /// What it is by its number, if that tells.
    pub guess: String,
    /// Flows.
    pub flows: u64,
    /// Payload bytes.
    pub bytes: u64,
    /// `text`, `random`, `binary`, or empty.
    pub content: String,
    /// `periodic`, `irregular`, or empty.
    pub rhythm: String,
    /// Bytes of the median piece, of the flow with most bytes.
    pub size: Option<u64>,
    /// Nanoseconds between its pieces.
    pub period: Option<u64>,
    /// The bytes with which its pieces begin, hex.
    pub prefix: String,
    /// Input and frame of its first piece.
    pub source: String,
    /// See `source`.
    pub frame: u64,
}

impl UnrecognisedLine {
    /// Lines kept.
    pub const MAX_LINES: usize = 20;
}

/// What is said of one of the six areas.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AreaSummary {
    /// Which.
    pub area: Area,
    /// Not satisfied if one control is not; satisfied only if at least one is and none is not.
    pub verdict: Verdict,
    /// Controls that were assessed.
    pub assessed: usize,
    /// Controls of the area.
    pub controls: usize,
    /// Findings by severity, gravest first; none with count 0.
    pub findings: Vec<(Severity, usize)>,
}

/// Whether one of the four weaknesses was found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct WeaknessSummary {
    /// Which.
    pub weakness: WeaknessKind,
    /// As for an area.
    pub verdict: Verdict,
    /// Findings that show it.
    pub findings: usize,
    /// Of these, findings that concern a crane.
    pub on_cranes: usize,
}

/// One crane: its parts, who reaches it, what was done to it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct CraneSummary {
    /// Crane id.
    pub id: String,
    /// Kind: sts, rtg, ...
    pub kind: String,
    /// Maker.
    pub maker: String,
    /// Model.
    pub model: String,
    /// Made abroad, if known.
    pub foreign: Option<bool>,
    /// Ids of its assets.
    pub parts: Vec<String>,
    /// Who reaches it from outside.
    pub reached_by: Vec<Reach>,
    /// Operations that changed its state, latest first; at most [`CraneSummary::MAX_CHANGES`].
    pub changes: Vec<StateChange>,
    /// How many there were in all.
    pub change_count: u64,
    /// Differences from each of its sisters.
    pub sisters: Vec<SisterComparison>,
    /// Ids of findings that concern it.
    pub findings: Vec<String>,
}

impl CraneSummary {
    /// State-changing operations shown per crane.
    pub const MAX_CHANGES: usize = 10;
}

/// One outside client of a crane.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Reach {
    /// The client's asset id.
    pub client: String,
    /// Its name, or address.
    pub client_name: String,
    /// Its zone; empty if in none.
    pub zone: String,
    /// The part of the crane that it reached.
    pub server: String,
    /// Protocols, comma-separated.
    pub services: String,
    /// Whether a conduit of the site model allows it; `None` without a site model.
    pub allowed: Option<bool>,
}

/// One operation that changed a crane's state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct StateChange {
    /// When, RFC 3339.
    pub ts: String,
    /// Who did it.
    pub client: String,
    /// To whom.
    pub server: String,
    /// Protocol.
    pub protocol: String,
    /// What, in the protocol's own terms.
    pub name: String,
    /// Class of operation.
    pub class: String,
    /// Object.
    pub object: String,
    /// Result.
    pub status: String,
    /// Where it stands: capture and frame.
    pub source: String,
    /// See `source`.
    pub frame: u64,
}

/// How a crane differs from a sister.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SisterComparison {
    /// The sister's id.
    pub sister: String,
    /// Differences in sentences; none if alike as far as seen.
    pub differences: Vec<String>,
}

/// One zone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ZoneSummary {
    /// Zone id.
    pub id: String,
    /// Kind.
    pub kind: String,
    /// Purdue level, if stated.
    pub level: Option<i64>,
    /// Assets in it.
    pub assets: u64,
}

/// Two zones that talk, or may.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ConduitSummary {
    /// Conduit id; empty if the site model has none.
    pub id: String,
    /// Zone of the clients.
    pub from: String,
    /// Zone of the servers.
    pub to: String,
    /// Protocols seen, comma-separated.
    pub protocols: String,
    /// Connections seen.
    pub connections: u64,
    /// Whether the site model allows it; `None` without a site model.
    pub allowed: Option<bool>,
}
