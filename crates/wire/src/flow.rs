//! What an analyzer is told of the flow it reads, and the unit it is fed.

use quaywatch_model::{At, Direction, Endpoint, MacAddr, Transport, Uid};

/// A flow as analyzers see it: two ends and what carries it.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Identifies the flow in all tables.
    pub uid: Uid,
    /// What carries it.
    pub transport: Transport,
    /// The end that opened it; for a flow picked up mid-stream, the best guess.
    pub client: Endpoint,
    /// The end addressed.
    pub server: Endpoint,
    /// Source MAC of the client's packets, where the link has MACs.
    pub client_mac: Option<MacAddr>,
    /// Source MAC of the server's packets.
    pub server_mac: Option<MacAddr>,
    /// Innermost VLAN id.
    pub vlan: Option<u16>,
    /// Whether the opening of the flow was not captured, so that client and server are a guess.
    pub midstream: bool,
}

impl Flow {
    /// The end that sends in `direction`.
    #[must_use]
    pub const fn sender(&self, direction: Direction) -> Endpoint {
        match direction {
            Direction::FromClient => self.client,
            Direction::FromServer => self.server,
        }
    }

    /// The end that receives in `direction`.
    #[must_use]
    pub const fn receiver(&self, direction: Direction) -> Endpoint {
        self.sender(direction.reverse())
    }

    /// Source MAC of packets sent in `direction`.
    #[must_use]
    pub const fn sender_mac(&self, direction: Direction) -> Option<MacAddr> {
        match direction {
            Direction::FromClient => self.client_mac,
            Direction::FromServer => self.server_mac,
        }
    }
}

/// A piece of payload for an analyzer.
///
/// For UDP and link-layer protocols it is one whole datagram or frame body. For TCP it is the next
/// piece of the byte stream in order, cut wherever segments were: framing is the analyzer's work
/// (see [`Framer`](crate::Framer)).
#[derive(Clone, Copy, Debug)]
pub struct Pdu<'a> {
    /// Place of the packet that completed this piece.
    pub at: At,
    /// The flow it belongs to.
    pub flow: &'a Flow,
    /// Who sent it.
    pub direction: Direction,
    /// The bytes; never empty.
    pub data: &'a [u8],
    /// Source MAC of this very packet, where the link has MACs (a datagram's sender may differ from the flow's first).
    pub source_mac: Option<MacAddr>,
    /// Destination MAC of this very packet.
    pub destination_mac: Option<MacAddr>,
    /// Whether the capture cut the datagram, so that `data` lacks its end.
    pub cut: bool,
}

impl Pdu<'_> {
    /// The end that sent this piece.
    #[must_use]
    pub const fn sender(&self) -> Endpoint {
        self.flow.sender(self.direction)
    }

    /// The end that it was sent to.
    #[must_use]
    pub const fn receiver(&self) -> Endpoint {
        self.flow.receiver(self.direction)
    }
}
