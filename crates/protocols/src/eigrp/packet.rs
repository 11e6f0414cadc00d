//! A packet: its header and its elements.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::names;
use crate::bytes::Cursor;
use crate::prefix::Prefix;

/// Bytes of the header (RFC 7868 section 6.1).
const HEADER: usize = 20;
/// Bytes of an element's type and length.
const ELEMENT: usize = 4;
/// A delay that says unreachable (RFC 7868 section 6.8.2), and that of wide metrics (section 6.9.3).
const UNREACHABLE: u64 = 0xffff_ffff;
const UNREACHABLE_WIDE: u64 = 0xffff_ffff_ffff;
/// Metric coefficients of a router that takes its leave (as Cisco's routers send it).
const LEAVING: [u8; 6] = [255; 6];

/// Types of elements (RFC 7868 sections 6.6 to 6.9).
pub(super) const PARAMETERS: u16 = 1;
pub(super) const AUTHENTICATION: u16 = 2;
const SEQUENCE: u16 = 3;
pub(super) const SOFTWARE: u16 = 4;
const MULTICAST_SEQUENCE: u16 = 5;
const STUB: u16 = 6;
const TERMINATION: u16 = 7;
const TOPOLOGIES: u16 = 8;
const INTERNAL_4: u16 = 0x0102;
const EXTERNAL_4: u16 = 0x0103;
const INTERNAL_6: u16 = 0x0402;
const EXTERNAL_6: u16 = 0x0403;
const INTERNAL_ANY: u16 = 0x0602;
const EXTERNAL_ANY: u16 = 0x0603;

/// The header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) code: u8,
    pub(super) flags: u32,
    pub(super) sequence: u32,
    pub(super) acknowledge: u32,
    /// Virtual router; the high bit of others than the base topology's families.
    pub(super) router: u16,
    /// Autonomous system: a number agreed on inside, not one of the Internet's.
    pub(super) system: u16,
}

impl Header {
    /// The header and the elements behind it.
    pub(super) fn read(data: &[u8]) -> Option<(Self, &[u8])> {
        let mut cursor = Cursor::new(data.get(..HEADER)?);
        let (version, code) = (cursor.u8()?, cursor.u8()?);
        cursor.skip(2)?;
        let (flags, sequence, acknowledge) = (cursor.be32()?, cursor.be32()?, cursor.be32()?);
        let (router, system) = (cursor.be16()?, cursor.be16()?);
        let header = Header { code, flags, sequence, acknowledge, router, system };
        (version == 2 && names::packet(code).is_some()).then_some((header, data.get(HEADER..)?))
    }

    /// A hello that does nothing but acknowledge.
    pub(super) const fn is_acknowledgement(&self) -> bool {
        self.code == 5 && self.acknowledge != 0
    }
}

/// Cuts the elements apart; the last item is `None` if the bytes do not end where an element does.
pub(super) fn elements(mut bytes: &[u8]) -> impl Iterator<Item = Option<(u16, &[u8])>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let mut cursor = Cursor::new(bytes);
        let element = cursor.be16().zip(cursor.be16()).and_then(|(kind, length)| {
            let value = cursor.take(usize::from(length).checked_sub(ELEMENT)?)?;
            Some((kind, value))
        });
        bytes = if element.is_some() { cursor.rest() } else { &[] };
        Some(element)
    })
}

/// Whether an element orders the next packet and says nothing that outlasts it.
pub(super) const fn is_passing(kind: u16) -> bool {
    matches!(kind, SEQUENCE | MULTICAST_SEQUENCE)
}

/// How neighbours authenticate (RFC 7868 section 6.6.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Authentication {
    /// 2 is MD5, 3 is SHA-256.
    pub(super) kind: u16,
    pub(super) key: u32,
}

impl Authentication {
    fn read(value: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(value);
        let (kind, length) = (cursor.be16()?, usize::from(cursor.be16()?));
        let key = cursor.be32()?;
        // A sequence number of the key and padding; then the digest.
        cursor.skip(12)?;
        (cursor.left() == length).then_some(Authentication { kind, key })
    }

    /// In words.
    pub(super) const fn name(self) -> &'static str {
        match self.kind {
            2 => "md5",
            3 => "sha-256",
            _ => "other",
        }
    }
}

/// Metric coefficients and how long a silent neighbour is kept (RFC 7868 section 6.6.1).
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameters {
    pub(super) coefficients: [u8; 6],
    /// Seconds.
    pub(super) hold: u16,
}

impl Parameters {
    pub(super) fn is_leaving(&self) -> bool {
        self.coefficients == LEAVING
    }
}

/// What an external route was before it came into this domain.
#[derive(Clone, Copy, Debug)]
struct Exterior {
    router: Ipv4Addr,
    system: u32,
    tag: u32,
    metric: u32,
    protocol: u8,
}

/// A route.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    pub(super) prefix: Prefix,
    /// Where packets are to go, if not to the sender.
    via: Option<IpAddr>,
    /// Scaled (classic) or in picoseconds (wide).
    delay: u64,
    /// Scaled (classic) or in kilobits a second (wide).
    bandwidth: u64,
    mtu: u32,
    hops: u8,
    tag: u8,
    unreachable: bool,
    /// Wide metrics: the router that tells it first.
    router: Option<Ipv4Addr>,
    exterior: Option<Exterior>,
}

impl Route {
    pub(super) const fn is_unreachable(&self) -> bool {
        self.unreachable
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.exterior.is_some() { "external" } else { "internal" };
        write!(f, "{} {kind} delay {} bandwidth {}", self.prefix, self.delay, self.bandwidth)?;
        write!(f, " mtu {} hops {}", self.mtu, self.hops)?;
        if let Some(via) = self.via {
            write!(f, " via {via}")?;
        }
        if self.tag != 0 {
            write!(f, " tag {}", self.tag)?;
        }
        if let Some(router) = self.router {
            write!(f, " router {router}")?;
        }
        if let Some(from) = self.exterior {
            write!(f, " from {} at {} as {}", names::origin(from.protocol), from.router, from.system)?;
            write!(f, " external-tag {} external-metric {}", from.tag, from.metric)?;
        }
        if self.unreachable { f.write_str(" unreachable") } else { Ok(()) }
    }
}

/// What the elements of one packet say; kept between packets for its memory.
#[derive(Default, Debug)]
pub(super) struct Content {
    pub(super) kinds: Vec<u16>,
    pub(super) routes: Vec<Route>,
    pub(super) parameters: Option<Parameters>,
    pub(super) authentication: Option<Authentication>,
    /// Release of the software (major, minor), version of the elements (major, minor).
    pub(super) software: Option<[u8; 4]>,
    pub(super) stub: Option<u16>,
    /// Elements of kinds that are not read.
    pub(super) unread: usize,
}

impl Content {
    pub(super) fn clear(&mut self) {
        self.kinds.clear();
        self.routes.clear();
        self.parameters = None;
        self.authentication = None;
        self.software = None;
        self.stub = None;
        self.unread = 0;
    }

    /// Reads one element; `None` if it is shorter than its type asks for.
    pub(super) fn element(&mut self, kind: u16, value: &[u8]) -> Option<()> {
        let mut cursor = Cursor::new(value);
        match kind {
            PARAMETERS => {
                let coefficients = *cursor.take(6)?.first_chunk()?;
                self.parameters = Some(Parameters { coefficients, hold: cursor.be16()? });
            }
            AUTHENTICATION => self.authentication = Some(Authentication::read(value)?),
            SOFTWARE => self.software = Some(*cursor.take(4)?.first_chunk()?),
            STUB => self.stub = Some(cursor.be16()?),
            // What must arrive before what, and for whom: nothing that outlasts the exchange.
            SEQUENCE | MULTICAST_SEQUENCE | TERMINATION | TOPOLOGIES => {}
            INTERNAL_4 | EXTERNAL_4 => return self.classic(kind == EXTERNAL_4, false, cursor),
            INTERNAL_6 | EXTERNAL_6 => return self.classic(kind == EXTERNAL_6, true, cursor),
            INTERNAL_ANY | EXTERNAL_ANY => return self.wide(kind == EXTERNAL_ANY, cursor),
            _ => self.unread += 1,
        }
        Some(())
    }

    /// Routes with a scaled metric, all of them behind one (RFC 7868 sections 6.8.4 and 6.8.5).
    fn classic(&mut self, external: bool, six: bool, mut cursor: Cursor<'_>) -> Option<()> {
        let via = next_hop(six, &mut cursor)?;
        let exterior = if external { Some(exterior(&mut cursor)?) } else { None };
        let (delay, bandwidth) = (u64::from(cursor.be32()?), u64::from(cursor.be32()?));
        let (mtu, hops) = (cursor.be24()?, cursor.u8()?);
        cursor.skip(2)?;
        let (tag, _flags) = (cursor.u8()?, cursor.u8()?);
        let unreachable = delay == UNREACHABLE;
        loop {
            let prefix = destination(six, &mut cursor)?;
            let router = None;
            self.keep(Route { prefix, via, delay, bandwidth, mtu, hops, tag, unreachable, router, exterior });
            if cursor.is_empty() {
                return Some(());
            }
        }
    }

    /// A route with a wide metric (RFC 7868 section 6.9).
    fn wide(&mut self, external: bool, mut cursor: Cursor<'_>) -> Option<()> {
        cursor.skip(2)?;
        let six = match cursor.be16()? {
            1 => false,
            2 => true,
            // Services instead of networks, and families that nobody uses.
            _ => {
                self.unread += 1;
                return Some(());
            }
        };
        let router = Some(Ipv4Addr::from(cursor.be32()?));
        let words = usize::from(cursor.u8()?);
        cursor.skip(3)?;
        let (mtu, hops) = (cursor.be24()?, cursor.u8()?);
        let (delay, bandwidth) = (be48(&mut cursor)?, be48(&mut cursor)?);
        // Reserved, flags, and extended attributes counted in words of two bytes.
        cursor.skip(4 + words * 2)?;
        let via = next_hop(six, &mut cursor)?;
        let exterior = if external { Some(exterior(&mut cursor)?) } else { None };
        let prefix = destination(six, &mut cursor)?;
        let unreachable = delay == UNREACHABLE_WIDE;
        self.keep(Route { prefix, via, delay, bandwidth, mtu, hops, tag: 0, unreachable, router, exterior });
        Some(())
    }

    fn keep(&mut self, route: Route) {
        if self.routes.len() < super::MAX_ROUTES {
            self.routes.push(route);
        }
    }
}

fn be48(cursor: &mut Cursor<'_>) -> Option<u64> {
    let (high, low) = (cursor.be16()?, cursor.be32()?);
    Some(u64::from(high) << 32 | u64::from(low))
}

fn next_hop(six: bool, cursor: &mut Cursor<'_>) -> Option<Option<IpAddr>> {
    let address = if six {
        IpAddr::V6(Ipv6Addr::from(*cursor.take(16)?.first_chunk::<16>()?))
    } else {
        IpAddr::V4(Ipv4Addr::from(cursor.be32()?))
    };
    Some((!address.is_unspecified()).then_some(address))
}

fn exterior(cursor: &mut Cursor<'_>) -> Option<Exterior> {
    let router = Ipv4Addr::from(cursor.be32()?);
    let (system, tag, metric) = (cursor.be32()?, cursor.be32()?, cursor.be32()?);
    cursor.skip(2)?;
    let (protocol, _flags) = (cursor.u8()?, cursor.u8()?);
    Some(Exterior { router, system, tag, metric, protocol })
}

/// A length in bits and as many bytes as hold them.
fn destination(six: bool, cursor: &mut Cursor<'_>) -> Option<Prefix> {
    let length = cursor.u8()?;
    let bytes = cursor.take(usize::from(length).div_ceil(8))?;
    // Some send a byte of nothing for the default route, which has no bits.
    if length == 0 && cursor.rest() == [0] {
        cursor.skip(1)?;
    }
    if six { Prefix::six(length, bytes) } else { Prefix::four(length, bytes) }
}
