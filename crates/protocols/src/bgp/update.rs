//! An update (RFC 4271 section 4.3): routes with the attributes that they share, and routes that are gone.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::message::Family;
use crate::bytes::Cursor;
use crate::prefix::Prefix;

/// Routes, communities and hops told of one update.
const MAX_TOLD: usize = 128;
/// Attribute flag: the length has two bytes (RFC 4271 section 4.3).
const EXTENDED_LENGTH: u8 = 0x10;
/// Uses of addresses whose networks are plain prefixes: unicast and multicast (RFC 4760 section 6).
const PLAIN: [u8; 2] = [1, 2];

/// A network, with the number of its path where several are told (RFC 7911 section 3).
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    pub(super) prefix: Prefix,
    path: Option<u32>,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.prefix.fmt(f)?;
        self.path.map_or(Ok(()), |path| write!(f, " path {path}"))
    }
}

/// A community: an autonomous system's number and what that means by it (RFC 1997).
#[derive(Clone, Copy, Debug)]
pub(super) struct Community(u32);

impl fmt::Display for Community {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0 >> 16, self.0 & 0xffff)
    }
}

/// How the sender writes networks and numbers.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Style {
    /// Whether numbers of autonomous systems have four bytes; `None` where the opens were not seen.
    pub(super) four_octets: Option<bool>,
    /// Whether networks of IPv4 and of IPv6 have a path number in front.
    pub(super) paths: [bool; 2],
}

impl Style {
    fn has_paths(&self, (family, usage): Family) -> bool {
        let [four, six] = self.paths;
        usage == 1 && (family == 1 && four || family == 2 && six)
    }
}

/// What an update says; kept between messages for its memory.
#[derive(Default, Debug)]
pub(super) struct Update {
    pub(super) routes: Vec<Route>,
    pub(super) withdrawn: Vec<Route>,
    /// Numbers of all routes and withdrawn ones, also beyond those kept.
    pub(super) route_count: usize,
    pub(super) withdrawn_count: usize,
    /// Types of attributes.
    pub(super) attributes: Vec<u8>,
    pub(super) origin: Option<u8>,
    /// Autonomous systems, last hop first; sets in braces.
    pub(super) path: String,
    pub(super) next_hop: Option<IpAddr>,
    /// Of a next hop of IPv6, its address on the link.
    pub(super) link_local: Option<Ipv6Addr>,
    pub(super) discriminator: Option<u32>,
    pub(super) preference: Option<u32>,
    pub(super) communities: Vec<Community>,
    /// Families in multiprotocol attributes that are not read.
    pub(super) unread: usize,
    /// A multiprotocol attribute without networks: with nothing else it ends the table of its family (RFC 4724 section 2).
    pub(super) ends_family: Option<Family>,
}

impl Update {
    fn clear(&mut self) {
        let Update { routes, withdrawn, attributes, path, communities, .. } = self;
        routes.clear();
        withdrawn.clear();
        attributes.clear();
        path.clear();
        communities.clear();
        (self.route_count, self.withdrawn_count, self.unread) = (0, 0, 0);
        (self.origin, self.next_hop, self.link_local) = (None, None, None);
        (self.discriminator, self.preference, self.ends_family) = (None, None, None);
    }

    /// Whether it says only that all routes of a family were told.
    pub(super) fn is_end_of_table(&self) -> bool {
        let empty = self.route_count == 0 && self.withdrawn_count == 0;
        empty && (self.attributes.is_empty() || self.attributes == [15] && self.ends_family.is_some())
    }

    pub(super) fn has_default_route(&self) -> bool {
        self.routes.iter().any(|route| route.prefix.is_default())
    }

    /// Reads an update; `None` where it ends too early, what stood before that was read.
    pub(super) fn read(&mut self, body: &[u8], style: Style) -> Option<()> {
        self.clear();
        let mut cursor = Cursor::new(body);
        let length = usize::from(cursor.be16()?);
        self.networks(cursor.take(length)?, (1, 1), style, false)?;
        let length = usize::from(cursor.be16()?);
        let mut attributes = Cursor::new(cursor.take(length)?);
        while !attributes.is_empty() {
            let (flags, kind) = (attributes.u8()?, attributes.u8()?);
            let length = if flags & EXTENDED_LENGTH != 0 { attributes.be16()? } else { u16::from(attributes.u8()?) };
            let value = attributes.take(usize::from(length))?;
            if self.attributes.len() < MAX_TOLD {
                self.attributes.push(kind);
            }
            self.attribute(kind, value, style)?;
        }
        self.networks(cursor.rest(), (1, 1), style, true)
    }

    /// RFC 4271 section 5.1, RFC 1997, RFC 4760.
    fn attribute(&mut self, kind: u8, value: &[u8], style: Style) -> Option<()> {
        let mut cursor = Cursor::new(value);
        match kind {
            1 => self.origin = Some(cursor.u8()?),
            2 => return self.as_path(value, style),
            3 => self.next_hop = Some(IpAddr::V4(Ipv4Addr::from(cursor.be32()?))),
            4 => self.discriminator = Some(cursor.be32()?),
            5 => self.preference = Some(cursor.be32()?),
            8 => {
                while !cursor.is_empty() {
                    let community = Community(cursor.be32()?);
                    if self.communities.len() < MAX_TOLD {
                        self.communities.push(community);
                    }
                }
            }
            14 => return self.reachable(cursor, style),
            15 => return self.unreachable(cursor, style),
            _ => {}
        }
        Some(())
    }

    /// Where the opens were not seen, the size of the numbers with which the segments fit the attribute; four bytes if both do.
    fn as_path(&mut self, value: &[u8], style: Style) -> Option<()> {
        let four = style.four_octets.unwrap_or_else(|| segments_fit(value, 4) || !segments_fit(value, 2));
        let size = if four { 4 } else { 2 };
        if !segments_fit(value, size) {
            return None;
        }
        let mut cursor = Cursor::new(value);
        while !cursor.is_empty() {
            let (kind, count) = (cursor.u8()?, usize::from(cursor.u8()?));
            self.segment(kind, cursor.take(count * size)?, size);
        }
        Some(())
    }

    /// A sequence, or a set in braces (RFC 4271 section 4.3, RFC 5065 section 3).
    fn segment(&mut self, kind: u8, numbers: &[u8], size: usize) {
        use std::fmt::Write as _;
        let is_set = matches!(kind, 1 | 4);
        for (index, number) in numbers.chunks_exact(size).take(MAX_TOLD).enumerate() {
            let number = number.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
            let inside_set = is_set && index > 0;
            if !self.path.is_empty() && !inside_set {
                self.path.push(' ');
            }
            if is_set {
                self.path.push(if index == 0 { '{' } else { ',' });
            }
            // Writing to a string cannot fail.
            let _ = write!(self.path, "{number}");
        }
        if is_set && !numbers.is_empty() {
            self.path.push('}');
        }
    }

    /// RFC 4760 section 3.
    fn reachable(&mut self, mut cursor: Cursor<'_>, style: Style) -> Option<()> {
        let family = (cursor.be16()?, cursor.u8()?);
        let length = usize::from(cursor.u8()?);
        let mut hop = Cursor::new(cursor.take(length)?);
        cursor.skip(1)?;
        if let Some(address) = hop.take(16).and_then(<[u8]>::first_chunk::<16>) {
            self.next_hop = Some(IpAddr::V6(Ipv6Addr::from(*address)));
            self.link_local = hop.take(16).and_then(<[u8]>::first_chunk::<16>).map(|address| Ipv6Addr::from(*address));
        } else if let (4, Some(address)) = (length, hop.be32()) {
            self.next_hop = Some(IpAddr::V4(Ipv4Addr::from(address)));
        }
        self.networks(cursor.rest(), family, style, true)
    }

    /// RFC 4760 section 4.
    fn unreachable(&mut self, mut cursor: Cursor<'_>, style: Style) -> Option<()> {
        let family = (cursor.be16()?, cursor.u8()?);
        if cursor.is_empty() {
            self.ends_family = Some(family);
        }
        self.networks(cursor.rest(), family, style, false)
    }

    /// Networks, one behind the other, each a length in bits and the bytes that hold them.
    fn networks(&mut self, bytes: &[u8], family: Family, style: Style, reachable: bool) -> Option<()> {
        let (six, plain) = (family.0 == 2, matches!(family.0, 1 | 2) && PLAIN.contains(&family.1));
        if !plain {
            self.unread += 1;
            return Some(());
        }
        let mut cursor = Cursor::new(bytes);
        while !cursor.is_empty() {
            let path = if style.has_paths(family) { Some(cursor.be32()?) } else { None };
            let length = cursor.u8()?;
            let bytes = cursor.take(usize::from(length).div_ceil(8))?;
            let prefix = if six { Prefix::six(length, bytes) } else { Prefix::four(length, bytes) }?;
            self.keep(Route { prefix, path }, reachable);
        }
        Some(())
    }

    fn keep(&mut self, route: Route, reachable: bool) {
        let (list, count) = if reachable {
            (&mut self.routes, &mut self.route_count)
        } else {
            (&mut self.withdrawn, &mut self.withdrawn_count)
        };
        *count += 1;
        if list.len() < MAX_TOLD {
            list.push(route);
        }
    }
}

/// Whether the bytes are whole segments of numbers of this size.
fn segments_fit(value: &[u8], size: usize) -> bool {
    let mut cursor = Cursor::new(value);
    while !cursor.is_empty() {
        let (Some(kind), Some(count)) = (cursor.u8(), cursor.u8()) else { return false };
        if !(1..=4).contains(&kind) || cursor.skip(usize::from(count) * size).is_none() {
            return false;
        }
    }
    true
}
