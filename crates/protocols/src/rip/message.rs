//! A message of RIP (RFC 1058, RFC 2453) or RIPng (RFC 2080) taken apart.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::bytes::Cursor;
use crate::prefix::Prefix;

/// Bytes of an entry, in all versions.
const ENTRY: usize = 20;
/// Metric of a network that cannot be reached (RFC 2453 section 3.5).
pub(super) const INFINITY: u32 = 16;
/// Address family of IPv4.
const IP: u16 = 2;
/// Address family that marks an entry as authentication (RFC 2453 section 4.1).
const AUTHENTICATION: u16 = 0xffff;
/// Bytes of the trailer before its digest (RFC 4822 section 2.1).
const TRAILER: usize = 4;
/// Metric of an entry of RIPng that holds the next hop of those behind it (RFC 2080 section 2.1.1).
const NEXT_HOP: u8 = 0xff;

/// Commands that are read: a request and a response.
pub(super) const REQUEST: u8 = 1;
pub(super) const RESPONSE: u8 = 2;

/// A network as an entry names it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Network {
    /// With its length.
    Prefix(Prefix),
    /// Version 1, or version 2 without a mask: how long it is each listener guesses by the address.
    Bare(Ipv4Addr),
}

impl Network {
    /// Whether it stands for every destination.
    pub(super) const fn is_default(&self) -> bool {
        match self {
            Network::Prefix(prefix) => prefix.is_default(),
            Network::Bare(address) => address.is_unspecified(),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Network::Prefix(prefix) => prefix.fmt(f),
            Network::Bare(address) => address.fmt(f),
        }
    }
}

/// An entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Route {
    pub(super) network: Network,
    pub(super) metric: u32,
    /// Where packets are to go, if not to the sender.
    pub(super) via: Option<IpAddr>,
    pub(super) tag: u16,
}

impl Route {
    pub(super) const fn is_withdrawn(&self) -> bool {
        self.metric >= INFINITY
    }

    /// The one entry by which a request asks for everything (RFC 2453 section 3.9.1, RFC 2080 section 2.4.1).
    pub(super) const fn asks_for_all(&self) -> bool {
        self.metric == INFINITY && self.network.is_default()
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} metric {}", self.network, self.metric)?;
        if let Some(via) = self.via {
            write!(f, " via {via}")?;
        }
        if self.tag != 0 {
            write!(f, " tag {}", self.tag)?;
        }
        if self.is_withdrawn() { f.write_str(" withdrawn") } else { Ok(()) }
    }
}

/// How the sender shows that it belongs to the routing domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Authentication {
    /// Version 1 and 2: nothing.
    None,
    /// A readable password (RFC 2453 section 4.1); whether any was set.
    Password { empty: bool },
    /// A keyed digest (RFC 2082, RFC 4822): the key's number, and the bytes of the digest behind the entries.
    Digest { key: u8, length: usize },
    /// Another type.
    Other(u16),
    /// RIPng: nothing in the message. IPsec may protect it.
    NotInMessage,
}

impl Authentication {
    /// In words.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Authentication::None => "none",
            Authentication::Password { .. } => "password",
            Authentication::Digest { .. } => "digest",
            Authentication::Other(_) => "other",
            Authentication::NotInMessage => "none in the message",
        }
    }

    /// The type as sent.
    pub(super) const fn kind(self) -> Option<u16> {
        match self {
            Authentication::Password { .. } => Some(2),
            Authentication::Digest { .. } => Some(3),
            Authentication::Other(kind) => Some(kind),
            Authentication::None | Authentication::NotInMessage => None,
        }
    }
}

/// What a message says; the list of routes is lent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message {
    pub(super) command: u8,
    pub(super) version: u8,
    pub(super) authentication: Authentication,
    /// The first deviation; what stands before and behind it was read.
    pub(super) fault: Option<&'static str>,
}

pub(super) const RAGGED: &str = "the message does not end where an entry does";
const BAD_METRIC: &str = "a metric beyond 16";
const BAD_MASK: &str = "a network mask with holes";
const BAD_FAMILY: &str = "an entry of another address family";
const BAD_LENGTH: &str = "a prefix of more than 128 bits";
const BAD_DIGEST: &str = "the announced digest is not there";
const NOT_ZERO: &str = "a field that must be zero is not";

/// The command and version, and whether they exist together with the reserved field being zero.
pub(super) fn header(data: &[u8]) -> Option<(u8, u8)> {
    match data {
        [command @ 1..=11, version, 0, 0, ..] => Some((*command, *version)),
        _ => None,
    }
}

/// Reads a message of RIP; `routes` is emptied first.
pub(super) fn read(data: &[u8], routes: &mut Vec<Route>) -> Option<Message> {
    routes.clear();
    let (command, version) = header(data).filter(|(_, version)| matches!(version, 1 | 2))?;
    let mut message = Message { command, version, authentication: Authentication::None, fault: None };
    let mut rest = data.get(4..)?;
    if version == 2
        && let Some((first, behind)) = rest.split_at_checked(ENTRY)
        && first.starts_with(&AUTHENTICATION.to_be_bytes())
    {
        rest = message.authentication(data, first, behind);
    }
    let entries = rest.chunks_exact(ENTRY);
    if !entries.remainder().is_empty() {
        message.blame(RAGGED);
    }
    for entry in entries {
        match route(version, entry) {
            Ok(route) => {
                message.check(&route);
                routes.push(route);
            }
            Err(fault) => message.blame(fault),
        }
    }
    Some(message)
}

/// Reads a message of RIPng; `routes` is emptied first.
pub(super) fn read_ng(data: &[u8], routes: &mut Vec<Route>) -> Option<Message> {
    routes.clear();
    let (command, version) = header(data).filter(|(_, version)| *version == 1)?;
    let mut message = Message { command, version, authentication: Authentication::NotInMessage, fault: None };
    let entries = data.get(4..)?.chunks_exact(ENTRY);
    if !entries.remainder().is_empty() {
        message.blame(RAGGED);
    }
    let mut via = None;
    for entry in entries {
        let mut cursor = Cursor::new(entry);
        let bytes = *cursor.take(16)?.first_chunk::<16>()?;
        let (tag, length, metric) = (cursor.be16()?, cursor.u8()?, cursor.u8()?);
        if metric == NEXT_HOP {
            let address = Ipv6Addr::from(bytes);
            via = (!address.is_unspecified()).then_some(IpAddr::V6(address));
            continue;
        }
        match Prefix::six(length, &bytes) {
            Some(prefix) => {
                let route = Route { network: Network::Prefix(prefix), metric: u32::from(metric), via, tag };
                message.check(&route);
                routes.push(route);
            }
            None => message.blame(BAD_LENGTH),
        }
    }
    Some(message)
}

/// Whether each network of a message of RIPng is one that is routed (2000::/3, fc00::/7, everything) or a next hop, without
/// bits beyond its length.
pub(super) fn is_plausible_ng(data: &[u8]) -> bool {
    let exists = |entry: &[u8]| {
        let mut cursor = Cursor::new(entry);
        let bits = cursor.be64().zip(cursor.be64()).map(|(high, low)| u128::from(high) << 64 | u128::from(low));
        let length = cursor.skip(2).and_then(|()| cursor.u8());
        let (Some(bits), Some(length)) = (bits, length) else { return false };
        let beyond = u128::MAX.checked_shr(u32::from(length)).unwrap_or(0);
        let routed = bits >> 125 == 1 || bits >> 121 == 0x7e || bits >> 118 == 0x3fa || bits == 0;
        routed && (bits & beyond == 0 || cursor.u8() == Some(NEXT_HOP))
    };
    data.get(4..).unwrap_or_default().chunks(ENTRY).all(exists)
}

impl Message {
    fn blame(&mut self, fault: &'static str) {
        self.fault.get_or_insert(fault);
    }

    fn check(&mut self, route: &Route) {
        if route.metric > INFINITY {
            self.blame(BAD_METRIC);
        }
    }

    /// Takes the authentication of the first entry; what is left for routes of the bytes behind it.
    fn authentication<'a>(&mut self, data: &[u8], entry: &[u8], behind: &'a [u8]) -> &'a [u8] {
        let mut cursor = Cursor::new(entry.get(2..).unwrap_or_default());
        match cursor.be16() {
            Some(2) => {
                let empty = cursor.rest().iter().all(|byte| *byte == 0);
                self.authentication = Authentication::Password { empty };
                behind
            }
            Some(3) => {
                // Length of the message up to the trailer; the length of the digest field is counted in two ways by
                // makers, so that what is there is taken.
                let stated = usize::from(cursor.be16().unwrap_or(0));
                let key = cursor.u8().unwrap_or(0);
                let routes = stated.checked_sub(4 + ENTRY).and_then(|length| behind.get(..length));
                let digest = stated.checked_add(TRAILER).and_then(|at| data.get(at..)).unwrap_or_default();
                self.authentication = Authentication::Digest { key, length: digest.len() };
                let marked = data.get(stated..).is_some_and(|trailer| trailer.starts_with(&[0xff, 0xff, 0, 1]));
                if digest.is_empty() || !marked {
                    self.blame(BAD_DIGEST);
                }
                routes.unwrap_or(behind)
            }
            kind => {
                self.authentication = Authentication::Other(kind.unwrap_or(0));
                behind
            }
        }
    }
}

/// An entry of RIP (RFC 1058 section 3.1, RFC 2453 section 4).
fn route(version: u8, entry: &[u8]) -> Result<Route, &'static str> {
    let mut cursor = Cursor::new(entry);
    let mut word = || cursor.be32().ok_or(RAGGED);
    let (head, address, mask, via, metric) = (word()?, word()?, word()?, word()?, word()?);
    let [family, tag] = [head >> 16, head & 0xffff].map(|half| (half & 0xffff) as u16);
    // A request for everything has no family.
    if family != IP && !(family == 0 && metric == INFINITY) {
        return Err(BAD_FAMILY);
    }
    if version == 1 && (tag != 0 || mask != 0 || via != 0) {
        return Err(NOT_ZERO);
    }
    if mask.leading_ones() + mask.trailing_zeros() < 32 {
        return Err(BAD_MASK);
    }
    let network = if version == 1 || mask == 0 && address != 0 {
        Network::Bare(Ipv4Addr::from(address))
    } else {
        Network::Prefix(Prefix::masked(Ipv4Addr::from(address), Ipv4Addr::from(mask)))
    };
    let via = (via != 0).then_some(IpAddr::V4(Ipv4Addr::from(via)));
    Ok(Route { network, metric, via, tag })
}
