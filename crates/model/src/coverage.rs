//! What is said of the reading itself: how far bytes were understood, where each packet ended, what broke a rule, and
//! what nobody recognised.

use serde::Serialize;

use crate::address::Endpoint;
use crate::observation::{Direction, Transport};
use crate::place::Timestamp;

/// How an analyzer understood the bytes of one feed, from least to most grave.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Mark {
    /// The framing was understood, the content cannot be: encrypted, compressed, or a body of no interest. The text says which.
    Opaque(&'static str),
    /// The protocol is right but this function of it is not decoded. The text names what.
    Undecoded(&'static str),
    /// The bytes break the protocol's rules. The text is the reason, as in the `weird` row.
    Malformed(&'static str),
    /// The flow turned out not to speak this protocol: the analyzer is to be dropped.
    NotMine,
}

/// Where a packet ended in the coverage account. Every packet has exactly one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disposition {
    /// Its payload was decoded by the protocol's analyzer.
    Decoded,
    /// Its headers say all there is: no payload, a retransmission, or an encrypted or opaque body.
    WithoutPayload,
    /// Its payload was carried to no analyzer, or to one that does not decode this part.
    Undecoded,
    /// It breaks the rules of a protocol.
    Malformed,
}

impl Disposition {
    /// The name used in the `coverage` table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Disposition::Decoded => "decoded",
            Disposition::WithoutPayload => "without-payload",
            Disposition::Undecoded => "undecoded",
            Disposition::Malformed => "malformed",
        }
    }
}

/// A deviation from a protocol's rules, or another fact an analyst should see (Zeek's `weird`).
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Weird<'a> {
    /// Stable snake_case name, e.g. `modbus_length_mismatch`.
    pub name: &'static str,
    /// Protocol name as in the registry, or the layer (`ip`, `tcp`, `ethernet`, `capture`).
    pub protocol: &'static str,
    /// What exactly, in words.
    pub detail: &'a str,
    /// The sender, if known.
    pub sender: Endpoint,
    /// The receiver, if known.
    pub receiver: Endpoint,
}

/// A line of the coverage account: how many packets of one input ended in one way.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Coverage<'a> {
    /// Where they ended.
    pub disposition: Disposition,
    /// Protocol that decoded them, or the best guess at what they are.
    pub protocol: &'a str,
    /// Why, where it was not decoded: `tcp without data`, `encrypted`, `truncated ip header`.
    pub reason: &'a str,
    /// How many packets.
    pub packets: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// Instant of the first.
    pub first: Timestamp,
    /// Instant of the last.
    pub last: Timestamp,
}

/// What one direction of a flow that no decoder recognised looks like, so that an assessor can ask what it is.
///
/// A piece is a datagram, a frame's body, or what one TCP segment brought. Statistics are of the first pieces only
/// and absent where the bounded memory for them was used up.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Unrecognised<'a> {
    /// The end that opened the flow.
    pub client: Endpoint,
    /// The end addressed.
    pub server: Endpoint,
    /// Who sent these bytes.
    pub direction: Direction,
    /// What carries the flow.
    pub transport: Transport,
    /// What the flow is by its port or EtherType, if that tells.
    pub guess: &'a str,
    /// How many pieces.
    pub pieces: u64,
    /// Their payload bytes.
    pub bytes: u64,
    /// What the bytes look like: `text`, `random` (encrypted or compressed), `binary`, or empty where there are too few.
    pub content: &'static str,
    /// When the pieces come: `periodic`, `irregular`, or empty where there are too few.
    pub rhythm: &'static str,
    /// Shannon entropy of the bytes, bits per byte, 0 to 8.
    pub entropy: Option<f64>,
    /// Share of printable ASCII, tab and line ends, 0 to 1.
    pub printable: Option<f64>,
    /// Bytes of the smallest piece.
    pub size_min: Option<u32>,
    /// Bytes of the median piece.
    pub size_median: Option<u32>,
    /// Bytes of the largest piece.
    pub size_max: Option<u32>,
    /// Median time from one piece to the next, nanoseconds.
    pub period: Option<i64>,
    /// Share of intervals within a tenth of the median, 0 to 1.
    pub regularity: Option<f64>,
    /// The bytes with which all pieces begin, hex; at most 8 bytes.
    pub prefix: &'a str,
}
