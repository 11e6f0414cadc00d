//! The bodies of link state advertisements: links between routers, and routes.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::names;
use super::packet::{LsaHeader, address};
use crate::bytes::{Cursor, device_text};
use crate::prefix::Prefix;

/// Routes, and links, told of one packet.
const MAX_TOLD: usize = 128;
/// Element of a router information advertisement that holds the host name (RFC 5642 section 3).
const HOST_NAME: u16 = 7;
/// Opaque type, and function code, of router information (RFC 7770 section 2).
const OPAQUE_ROUTER_INFORMATION: u8 = 4;
/// A metric that says unreachable (RFC 2328 appendix B, `LSInfinity`).
const INFINITY: u32 = 0x00ff_ffff;

/// A route that an advertisement tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    pub(super) prefix: Prefix,
    metric: Option<u32>,
    kind: &'static str,
    /// Where packets are to go, if not to the advertising router.
    via: Option<IpAddr>,
    tag: u32,
    withdrawn: bool,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.prefix, self.kind)?;
        if let Some(metric) = self.metric {
            write!(f, " metric {metric}")?;
        }
        if let Some(via) = self.via {
            write!(f, " via {via}")?;
        }
        if self.tag != 0 {
            write!(f, " tag {}", self.tag)?;
        }
        if self.withdrawn || self.metric == Some(INFINITY) {
            f.write_str(" withdrawn")?;
        }
        Ok(())
    }
}

/// A link between the advertising router and another, or a network.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    from: Ipv4Addr,
    kind: &'static str,
    to: Ipv4Addr,
    /// The advertising router's address on the link; its number where it has none.
    at: Option<Ipv4Addr>,
    metric: Option<u32>,
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {} {}", self.from, self.kind, self.to)?;
        if let Some(at) = self.at {
            write!(f, " at {at}")?;
        }
        self.metric.map_or(Ok(()), |metric| write!(f, " metric {metric}"))
    }
}

/// What the advertisements of one packet say; kept between packets for its memory.
#[derive(Default, Debug)]
pub(super) struct Content {
    pub(super) headers: Vec<LsaHeader>,
    pub(super) routes: Vec<Route>,
    pub(super) links: Vec<Link>,
    /// Options of advertisements of version 3.
    pub(super) options: Vec<u32>,
    /// Advertising router and its flags.
    pub(super) roles: Vec<(Ipv4Addr, u8)>,
    /// Advertising router and its host name.
    pub(super) host_name: Option<(Ipv4Addr, String)>,
    /// Advertisements whose body is of a kind that is not read.
    pub(super) unread: usize,
    /// Prefixes of version 3 are of IPv4 (RFC 5838 section 2.1).
    pub(super) of_ip4: bool,
}

impl Content {
    pub(super) fn clear(&mut self) {
        self.headers.clear();
        self.routes.clear();
        self.links.clear();
        self.options.clear();
        self.roles.clear();
        self.host_name = None;
        self.unread = 0;
    }

    pub(super) fn has_default_route(&self) -> bool {
        self.routes.iter().any(|route| route.prefix.is_default() && !route.withdrawn)
    }

    /// Reads the body of an advertisement; `None` if it ends too early.
    pub(super) fn body(&mut self, version: u8, header: &LsaHeader, body: &[u8]) -> Option<()> {
        let mut of = Body { content: self, header: *header, cursor: Cursor::new(body) };
        match (version, header.kind, header.kind & 0x1fff) {
            (2, 1, _) => of.router_2(),
            (2, 2, _) => of.network_2(),
            (2, 3 | 4, _) => of.summary_2(),
            (2, 5 | 7, _) => of.external_2(),
            (2, 9..=11, _) if header.id.octets().first() == Some(&OPAQUE_ROUTER_INFORMATION) => of.information(),
            (3, _, 1) => of.router_3(),
            (3, _, 2) => of.network_3(),
            (3, _, 3) => of.inter_area_3("summary"),
            (3, _, 4) => of.inter_area_router_3(),
            (3, _, 5 | 7) => of.external_3(),
            (3, _, 8) => of.link_3(),
            (3, _, 9) => of.intra_area_3(),
            (3, _, 12) => of.information(),
            _ => {
                self.unread += 1;
                Some(())
            }
        }
    }
}

/// The body that is being read.
struct Body<'a, 'c> {
    content: &'c mut Content,
    header: LsaHeader,
    cursor: Cursor<'a>,
}

impl Body<'_, '_> {
    fn route(&mut self, prefix: Prefix, kind: &'static str, metric: Option<u32>) {
        self.full_route(prefix, kind, metric, None, 0);
    }

    fn full_route(&mut self, prefix: Prefix, kind: &'static str, metric: Option<u32>, via: Option<IpAddr>, tag: u32) {
        if self.content.routes.len() < MAX_TOLD {
            let withdrawn = self.header.is_withdrawn();
            self.content.routes.push(Route { prefix, metric, kind, via, tag, withdrawn });
        }
    }

    fn link(&mut self, kind: &'static str, to: Ipv4Addr, metric: Option<u32>) {
        self.full_link(kind, to, None, metric);
    }

    fn full_link(&mut self, kind: &'static str, to: Ipv4Addr, at: Option<Ipv4Addr>, metric: Option<u32>) {
        if self.content.links.len() < MAX_TOLD {
            self.content.links.push(Link { from: self.header.advertising, kind, to, at, metric });
        }
    }

    /// What the sender can do, of advertisements of version 3 that say so in their body.
    fn options_3(&mut self) -> Option<()> {
        let options = self.cursor.be24()?;
        if self.content.options.len() < MAX_TOLD {
            self.content.options.push(options);
        }
        Some(())
    }

    fn role(&mut self, flags: u8) {
        if self.content.roles.len() < MAX_TOLD {
            self.content.roles.push((self.header.advertising, flags));
        }
    }

    /// RFC 2328 appendix A.4.2.
    fn router_2(&mut self) -> Option<()> {
        let flags = self.cursor.u8()?;
        self.cursor.skip(1)?;
        let count = self.cursor.be16()?;
        self.role(flags);
        for _ in 0..count {
            let (id, data) = (address(&mut self.cursor)?, address(&mut self.cursor)?);
            let (kind, services) = (self.cursor.u8()?, self.cursor.u8()?);
            let metric = u32::from(self.cursor.be16()?);
            // Metrics for types of service, four bytes each, which nobody sends any more.
            self.cursor.skip(usize::from(services) * 4)?;
            match kind {
                3 => self.route(Prefix::masked(id, data), "stub network", Some(metric)),
                _ => self.full_link(names::link(kind), id, Some(data), Some(metric)),
            }
        }
        Some(())
    }

    /// RFC 2328 appendix A.4.3. The link state id is the designated router's address on the network.
    fn network_2(&mut self) -> Option<()> {
        let mask = address(&mut self.cursor)?;
        let network = Ipv4Addr::from_bits(self.header.id.to_bits() & mask.to_bits());
        self.route(Prefix::masked(network, mask), "network", None);
        self.attached()
    }

    fn attached(&mut self) -> Option<()> {
        while !self.cursor.is_empty() {
            let router = address(&mut self.cursor)?;
            self.link("attached router", router, None);
        }
        Some(())
    }

    /// RFC 2328 appendix A.4.4.
    fn summary_2(&mut self) -> Option<()> {
        let (mask, metric) = (address(&mut self.cursor)?, self.cursor.be32()? & 0x00ff_ffff);
        if self.header.kind == 3 {
            self.route(Prefix::masked(self.header.id, mask), "summary", Some(metric));
        } else {
            self.link("boundary router", self.header.id, Some(metric));
        }
        Some(())
    }

    /// RFC 2328 appendix A.4.5, RFC 3101 appendix A.
    fn external_2(&mut self) -> Option<()> {
        let (mask, metric) = (address(&mut self.cursor)?, self.cursor.be32()?);
        let (via, tag) = (address(&mut self.cursor)?, self.cursor.be32()?);
        let via = (!via.is_unspecified()).then_some(IpAddr::V4(via));
        let kind = external(metric >> 31 != 0);
        self.full_route(Prefix::masked(self.header.id, mask), kind, Some(metric & 0x00ff_ffff), via, tag);
        Some(())
    }

    /// RFC 5340 appendix A.4.3.
    fn router_3(&mut self) -> Option<()> {
        let flags = self.cursor.u8()?;
        self.options_3()?;
        self.role(flags);
        while !self.cursor.is_empty() {
            let kind = self.cursor.u8()?;
            self.cursor.skip(1)?;
            let metric = u32::from(self.cursor.be16()?);
            self.cursor.skip(8)?;
            let neighbour = address(&mut self.cursor)?;
            self.link(names::link(kind), neighbour, Some(metric));
        }
        Some(())
    }

    /// RFC 5340 appendix A.4.4.
    fn network_3(&mut self) -> Option<()> {
        self.cursor.skip(1)?;
        self.options_3()?;
        self.attached()
    }

    /// A prefix and the two bytes in front of it that differ by advertisement (RFC 5340 appendix A.4.1).
    fn prefix_3(&mut self) -> Option<(Prefix, u16)> {
        let length = self.cursor.u8()?;
        self.cursor.skip(1)?;
        let special = self.cursor.be16()?;
        Some((self.prefix_bytes(length)?, special))
    }

    fn prefix_bytes(&mut self, length: u8) -> Option<Prefix> {
        let bytes = self.cursor.take(usize::from(length).div_ceil(32) * 4)?;
        if self.content.of_ip4 { Prefix::four(length, bytes) } else { Prefix::six(length, bytes) }
    }

    fn forwarding_3(&mut self) -> Option<IpAddr> {
        if self.content.of_ip4 {
            return address(&mut self.cursor).map(IpAddr::V4);
        }
        Some(IpAddr::V6(Ipv6Addr::from(*self.cursor.take(16)?.first_chunk::<16>()?)))
    }

    /// RFC 5340 appendix A.4.5.
    fn inter_area_3(&mut self, kind: &'static str) -> Option<()> {
        let metric = self.cursor.be32()? & 0x00ff_ffff;
        let (prefix, _) = self.prefix_3()?;
        self.route(prefix, kind, Some(metric));
        Some(())
    }

    /// RFC 5340 appendix A.4.6.
    fn inter_area_router_3(&mut self) -> Option<()> {
        self.cursor.skip(1)?;
        self.options_3()?;
        let metric = self.cursor.be32()? & 0x00ff_ffff;
        let router = address(&mut self.cursor)?;
        self.link("boundary router", router, Some(metric));
        Some(())
    }

    /// RFC 5340 appendix A.4.7.
    fn external_3(&mut self) -> Option<()> {
        let (flags, metric) = (self.cursor.u8()?, self.cursor.be24()?);
        let (prefix, _) = self.prefix_3()?;
        let via = if flags & 2 != 0 { Some(self.forwarding_3()?) } else { None };
        let tag = if flags & 1 != 0 { self.cursor.be32()? } else { 0 };
        self.full_route(prefix, external(flags & 4 != 0), Some(metric), via, tag);
        Some(())
    }

    /// RFC 5340 appendix A.4.9.
    fn link_3(&mut self) -> Option<()> {
        self.cursor.skip(1)?;
        self.options_3()?;
        self.cursor.skip(16)?;
        for _ in 0..self.cursor.be32()? {
            let (prefix, _) = self.prefix_3()?;
            self.route(prefix, "on the link", None);
        }
        Some(())
    }

    /// RFC 5340 appendix A.4.10.
    fn intra_area_3(&mut self) -> Option<()> {
        let count = self.cursor.be16()?;
        self.cursor.skip(10)?;
        for _ in 0..count {
            let (prefix, metric) = self.prefix_3()?;
            self.route(prefix, "network", Some(u32::from(metric)));
        }
        Some(())
    }

    /// RFC 7770 section 2.3: elements padded to words.
    fn information(&mut self) -> Option<()> {
        while !self.cursor.is_empty() {
            let (kind, length) = (self.cursor.be16()?, usize::from(self.cursor.be16()?));
            let value = self.cursor.take(length)?;
            self.cursor.skip(length.next_multiple_of(4) - length)?;
            if kind == HOST_NAME
                && let Some(name) = device_text(value)
            {
                self.content.host_name = Some((self.header.advertising, name));
            }
        }
        Some(())
    }
}

/// Whether the metric counts for more than any way inside the domain (RFC 2328 section 16.4).
const fn external(second: bool) -> &'static str {
    if second { "external type 2" } else { "external type 1" }
}
