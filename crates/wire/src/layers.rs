//! What the headers of one packet say, down to the transport.

use std::fmt;
use std::net::IpAddr;

use quaywatch_model::MacAddr;

use crate::tcp::TcpSegment;

/// Deepest nesting of tunnels that is followed; more is reported as malformed.
pub const MAX_TUNNELS: usize = 4;

/// Why a packet's headers could not be read to the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadHeader {
    /// The layer: `ethernet`, `ip`, `tcp`, ...
    pub layer: &'static str,
    /// Stable snake_case name for the `weird` table.
    pub name: &'static str,
    /// The reason in words.
    pub reason: &'static str,
}

/// One layer of encapsulation around what a mirror port or overlay carries.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Tunnel {
    /// Kind: `gre`, `erspan1`, `erspan2`, `erspan3`, `vxlan`, `geneve`, `ipip`, `6in4`, `mpls`, `pppoe`.
    pub kind: &'static str,
    /// Outer source, where the outer layer is IP.
    pub source: Option<IpAddr>,
    /// Outer destination, where the outer layer is IP.
    pub destination: Option<IpAddr>,
    /// VNI, session id, key, or label; 0 if there is none.
    pub id: u32,
}

impl fmt::Display for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind)?;
        if let (Some(source), Some(destination)) = (self.source, self.destination) {
            write!(f, " {source}>{destination}")?;
        }
        if self.id != 0 {
            write!(f, " id {}", self.id)?;
        }
        Ok(())
    }
}

/// The tunnels around a packet, outermost first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tunnels {
    hops: [Option<Tunnel>; MAX_TUNNELS],
}

impl Tunnels {
    /// Adds the next inner tunnel; `false` when they nest too deep.
    pub fn push(&mut self, tunnel: Tunnel) -> bool {
        match self.hops.iter_mut().find(|hop| hop.is_none()) {
            Some(free) => {
                *free = Some(tunnel);
                true
            }
            None => false,
        }
    }

    /// The tunnels, outermost first.
    pub fn iter(&self) -> impl Iterator<Item = &Tunnel> {
        self.hops.iter().flatten()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hops.first().is_none_or(Option::is_none)
    }
}

impl fmt::Display for Tunnels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, tunnel) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            tunnel.fmt(f)?;
        }
        Ok(())
    }
}

/// A fragment's place in its datagram.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fragment {
    /// Identification of the datagram.
    pub id: u32,
    /// Offset of this fragment in bytes.
    pub offset: u32,
    /// Whether more fragments follow.
    pub more: bool,
}

/// An IPv4 or IPv6 packet.
#[derive(Clone, Copy, Debug)]
pub struct IpPacket<'a> {
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// Protocol of the payload, after IPv6 extension headers.
    pub protocol: u8,
    /// TTL or hop limit.
    pub ttl: u8,
    /// Set when this is a fragment of a larger datagram.
    pub fragment: Option<Fragment>,
    /// What follows the headers; without link-layer padding.
    pub payload: &'a [u8],
    /// Whether the frame ends before the length that the header states.
    pub cut: bool,
}

/// What the innermost IP packet carries.
#[derive(Clone, Copy, Debug)]
pub enum Segment<'a> {
    /// A TCP segment.
    Tcp(TcpSegment<'a>),
    /// A UDP datagram.
    Udp {
        /// Source port.
        source: u16,
        /// Destination port.
        destination: u16,
        /// The payload.
        payload: &'a [u8],
        /// Whether the capture lacks its end.
        cut: bool,
    },
    /// An ICMP or ICMPv6 message.
    Icmp {
        /// Type field.
        kind: u8,
        /// Code field.
        code: u8,
        /// The whole message, header included.
        message: &'a [u8],
    },
    /// Another IP protocol.
    Other {
        /// The payload.
        payload: &'a [u8],
    },
}

/// What is inside the link layer.
#[derive(Clone, Copy, Debug)]
pub enum Network<'a> {
    /// An IP packet with its transport.
    Ip {
        /// The packet; `payload` is that of the whole datagram if it was reassembled.
        ip: IpPacket<'a>,
        /// Its transport.
        segment: Segment<'a>,
    },
    /// A frame without IP.
    Link {
        /// EtherType, SNAP protocol id, or LLC DSAP (below 0x0600).
        ethertype: u16,
        /// What follows the link header; may end with padding.
        payload: &'a [u8],
    },
    /// The headers say all there is; the text says what it is.
    Nothing(&'static str),
    /// What follows cannot be read by us; the text says what it is.
    Unknown(&'static str),
    /// A fragment kept for reassembly.
    FragmentKept,
}

/// What the headers of one packet say.
#[derive(Clone, Copy, Debug)]
pub struct Layers<'a> {
    /// Innermost source MAC.
    pub source_mac: Option<MacAddr>,
    /// Innermost destination MAC.
    pub destination_mac: Option<MacAddr>,
    /// Innermost VLAN id.
    pub vlan: Option<u16>,
    /// Encapsulation around it.
    pub tunnels: Tunnels,
    /// What is inside.
    pub network: Network<'a>,
    /// A deviation that did not stop the reading.
    pub oddity: Option<BadHeader>,
}
