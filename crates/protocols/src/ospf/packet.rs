//! A packet: its header, its authentication, and its body down to the advertisements' headers.

use std::net::Ipv4Addr;

use crate::bytes::Cursor;

/// Bytes of an advertisement's header in both versions (RFC 2328 appendix A.4.1, RFC 5340 appendix A.4.2).
pub(super) const LSA_HEADER: usize = 20;
/// Bytes of a version 2 header (RFC 2328 appendix A.3.1).
const HEADER_2: usize = 24;
/// Bytes of a version 3 header (RFC 5340 appendix A.3.1).
const HEADER_3: usize = 16;
/// Options bit of version 3: an authentication trailer follows (RFC 7166 section 2.1).
const TRAILER_BIT: u32 = 0x400;
/// Age in seconds at which an advertisement is withdrawn (RFC 2328 appendix B, `MaxAge`).
pub(super) const MAX_AGE: u16 = 3600;
/// Highest sequence number (RFC 2328 section 12.1.6). The next one starts anew, so that a forger who sends it cannot be outbid at once.
pub(super) const MAX_SEQUENCE: u32 = 0x7fff_ffff;

/// How the sender shows that it belongs to the routing domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Authentication {
    /// Null authentication (RFC 2328 appendix D.1).
    None,
    /// A readable password (appendix D.2); whether any was set.
    Simple { empty: bool },
    /// A keyed digest behind the packet (appendix D.3): the key's number and the digest's bytes.
    Cryptographic { key: u8, length: u8 },
    /// A type that is not known, or whose header fields are not those of appendix D.
    Other(u16),
    /// Version 3: nothing in the packet. IPsec may protect it (RFC 4552), which a readable packet does not rule out.
    NotInPacket,
    /// Version 3: a trailer (RFC 7166) under this security association, with a digest of so many bytes.
    Trailer { association: u16, length: u16 },
}

impl Authentication {
    /// In words.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Authentication::None => "none",
            Authentication::Simple { .. } => "password",
            Authentication::Cryptographic { .. } => "digest",
            Authentication::Other(_) => "other",
            Authentication::NotInPacket => "none in the packet",
            Authentication::Trailer { .. } => "trailer",
        }
    }

    fn version_2(kind: u16, field: [u8; 8]) -> Self {
        match (kind, field) {
            (0, _) => Authentication::None,
            (1, field) => Authentication::Simple { empty: field == [0; 8] },
            (2, [_, _, key, length, ..]) => Authentication::Cryptographic { key, length },
            (kind, _) => Authentication::Other(kind),
        }
    }
}

/// The header of a packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) version: u8,
    pub(super) kind: u8,
    pub(super) router: Ipv4Addr,
    pub(super) area: Ipv4Addr,
    /// `AuType` of version 2 as sent.
    pub(super) authentication_type: Option<u16>,
    pub(super) authentication: Authentication,
    /// Version 3 only.
    pub(super) instance: Option<u8>,
}

/// A packet taken apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    pub(super) header: Header,
    /// What follows the header, up to the stated length.
    pub(super) body: &'a [u8],
    /// What follows the stated length: digest, link-local signaling, authentication trailer.
    pub(super) trailer: &'a [u8],
}

pub(super) const HEADER_BROKEN: &str = "header is not sound";
pub(super) const LENGTH_BEYOND: &str = "stated length is beyond the packet's end";

pub(super) fn address(cursor: &mut Cursor<'_>) -> Option<Ipv4Addr> {
    cursor.be32().map(Ipv4Addr::from)
}

impl<'a> Packet<'a> {
    /// Takes `data` apart; of a packet that the capture cut, what is there.
    pub(super) fn read(data: &'a [u8], cut: bool) -> Result<Self, &'static str> {
        let (header, stated) = Header::read(data).ok_or(HEADER_BROKEN)?;
        let before = if header.version == 2 { HEADER_2 } else { HEADER_3 };
        if stated < before {
            return Err(HEADER_BROKEN);
        }
        let (whole, trailer) = match data.split_at_checked(stated) {
            Some(parts) => parts,
            None if cut => (data, &[][..]),
            None => return Err(LENGTH_BEYOND),
        };
        let body = whole.get(before..).ok_or(HEADER_BROKEN)?;
        let mut packet = Packet { header, body, trailer };
        if header.version == 3
            && let Some(found) = packet.trailer_3()
        {
            packet.header.authentication = found;
        }
        Ok(packet)
    }

    /// Bytes behind the stated length that nothing explains; `None` if what must be there is missing.
    pub(super) fn unexplained(&self) -> Option<usize> {
        let digest = match self.header.authentication {
            Authentication::Cryptographic { length, .. } => usize::from(length),
            Authentication::Other(_) => self.trailer.len(),
            _ => 0,
        };
        let mut rest = self.trailer.get(digest..)?;
        rest = rest.get(signaling(rest)..).unwrap_or(rest);
        if let Authentication::Trailer { length, .. } = self.header.authentication {
            rest = rest.get(usize::from(length)..).unwrap_or_default();
        }
        Some(rest.len())
    }

    /// The authentication trailer, which stands last (RFC 7166 section 4.1). Its presence is announced in hellos and
    /// database descriptions only; behind others it is known by its own length.
    fn trailer_3(&self) -> Option<Authentication> {
        let announced = match self.header.kind {
            1 => self.body.get(4..8).is_some_and(|word| be24(word) & TRAILER_BIT != 0),
            2 => self.body.get(..4).is_some_and(|word| be24(word) & TRAILER_BIT != 0),
            _ => true,
        };
        let rest = self.trailer.get(signaling(self.trailer)..).unwrap_or_default();
        let mut cursor = Cursor::new(rest);
        let (kind, length) = (cursor.be16()?, cursor.be16()?);
        cursor.skip(2)?;
        let association = cursor.be16()?;
        let fits = kind == 1 && usize::from(length) == rest.len();
        (announced && fits).then_some(Authentication::Trailer { association, length })
    }
}

/// The low three bytes of a word: options of version 3.
fn be24(word: &[u8]) -> u32 {
    match word {
        [_, a, b, c] => u32::from_be_bytes([0, *a, *b, *c]),
        _ => 0,
    }
}

/// Bytes of the link-local signaling block at the front, if there is one: checksum, length in words, elements
/// (RFC 5613 section 2.1).
fn signaling(bytes: &[u8]) -> usize {
    let mut cursor = Cursor::new(bytes);
    let (Some(_), Some(words), Some(element), Some(_)) = (cursor.be16(), cursor.be16(), cursor.be16(), cursor.be16())
    else {
        return 0;
    };
    let length = usize::from(words) * 4;
    // Types 1 and 2 are the extended options and the digest; an authentication trailer has a length of its own here.
    let sound = matches!(element, 1 | 2 | 0x8000..) && (8..=bytes.len()).contains(&length);
    if sound { length } else { 0 }
}

impl Header {
    /// The header and the stated length of the packet.
    fn read(data: &[u8]) -> Option<(Self, usize)> {
        let mut cursor = Cursor::new(data);
        let (version, kind, length) = (cursor.u8()?, cursor.u8()?, usize::from(cursor.be16()?));
        let (router, area) = (address(&mut cursor)?, address(&mut cursor)?);
        cursor.skip(2)?;
        let mut header = Header {
            version,
            kind,
            router,
            area,
            authentication_type: None,
            authentication: Authentication::NotInPacket,
            instance: None,
        };
        match version {
            2 => {
                let kind = cursor.be16()?;
                header.authentication_type = Some(kind);
                header.authentication = Authentication::version_2(kind, *cursor.take(8)?.first_chunk()?);
            }
            3 => {
                header.instance = Some(cursor.u8()?);
                cursor.skip(1)?;
            }
            _ => return None,
        }
        (1..=5).contains(&kind).then_some((header, length))
    }
}

/// A hello (RFC 2328 appendix A.3.2, RFC 5340 appendix A.3.2).
#[derive(Clone, Copy, Debug)]
pub(super) struct Hello<'a> {
    /// Version 2: mask of the network.
    pub(super) mask: Option<Ipv4Addr>,
    /// Version 3: number of the sender's interface.
    pub(super) interface: Option<u32>,
    /// Seconds between hellos.
    pub(super) interval: u16,
    /// Seconds of silence after which a neighbour is taken for dead.
    pub(super) dead: u32,
    pub(super) options: u32,
    pub(super) priority: u8,
    /// Address (version 2) or router id (version 3) of the designated router; zero for none.
    pub(super) designated: Ipv4Addr,
    pub(super) backup: Ipv4Addr,
    neighbours: &'a [u8],
}

impl<'a> Hello<'a> {
    pub(super) fn read(version: u8, body: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(body);
        let first = cursor.be32()?;
        let (mask, interface, interval, options, priority, dead);
        if version == 2 {
            (mask, interface) = (Some(Ipv4Addr::from(first)), None);
            interval = cursor.be16()?;
            (options, priority) = (u32::from(cursor.u8()?), cursor.u8()?);
            dead = cursor.be32()?;
        } else {
            (mask, interface) = (None, Some(first));
            (priority, options) = (cursor.u8()?, cursor.be24()?);
            (interval, dead) = (cursor.be16()?, u32::from(cursor.be16()?));
        }
        let (designated, backup) = (address(&mut cursor)?, address(&mut cursor)?);
        let neighbours = cursor.rest();
        Some(Hello { mask, interface, interval, dead, options, priority, designated, backup, neighbours })
    }

    /// Router ids that the sender hears.
    pub(super) fn neighbours(&self) -> impl Iterator<Item = Ipv4Addr> + 'a {
        self.neighbours.chunks_exact(4).filter_map(|id| id.first_chunk::<4>()).map(|id| Ipv4Addr::from(*id))
    }

    /// Whether the list of neighbours ends inside a router id.
    pub(super) const fn is_ragged(&self) -> bool {
        !self.neighbours.len().is_multiple_of(4)
    }
}

/// The fixed part of a database description (RFC 2328 appendix A.3.3, RFC 5340 appendix A.3.3).
#[derive(Clone, Copy, Debug)]
pub(super) struct Description<'a> {
    pub(super) mtu: u16,
    pub(super) options: u32,
    flags: u8,
    pub(super) sequence: u32,
    /// Headers of advertisements.
    pub(super) headers: &'a [u8],
}

impl<'a> Description<'a> {
    pub(super) fn read(version: u8, body: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(body);
        let (mtu, options, flags);
        if version == 2 {
            mtu = cursor.be16()?;
            (options, flags) = (u32::from(cursor.u8()?), cursor.u8()?);
        } else {
            cursor.skip(1)?;
            options = cursor.be24()?;
            mtu = cursor.be16()?;
            cursor.skip(1)?;
            flags = cursor.u8()?;
        }
        let sequence = cursor.be32()?;
        Some(Description { mtu, options, flags, sequence, headers: cursor.rest() })
    }

    pub(super) const fn is_first(&self) -> bool {
        self.flags & 4 != 0
    }

    pub(super) const fn has_more(&self) -> bool {
        self.flags & 2 != 0
    }

    pub(super) const fn is_from_master(&self) -> bool {
        self.flags & 1 != 0
    }
}

/// What names an advertisement, and how young it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct LsaHeader {
    /// Seconds since it was made; `None` in a request.
    pub(super) age: Option<u16>,
    /// Type; of version 3 with the flooding scope.
    pub(super) kind: u16,
    /// Version 2 only.
    pub(super) options: u8,
    pub(super) id: Ipv4Addr,
    pub(super) advertising: Ipv4Addr,
    pub(super) sequence: u32,
    /// Stated length with the header.
    pub(super) length: usize,
}

impl LsaHeader {
    pub(super) fn read(version: u8, cursor: &mut Cursor<'_>) -> Option<Self> {
        // The highest bit says that the age does not grow (RFC 1793 section 2.2).
        let age = cursor.be16()? & 0x7fff;
        let (high, low) = (cursor.u8()?, cursor.u8()?);
        // Version 2 has options where version 3 has the high byte of the type.
        let (options, kind) = if version == 2 { (high, u16::from(low)) } else { (0, u16::from_be_bytes([high, low])) };
        let (id, advertising) = (address(cursor)?, address(cursor)?);
        let sequence = cursor.be32()?;
        cursor.skip(2)?;
        let length = usize::from(cursor.be16()?);
        Some(LsaHeader { age: Some(age), kind, options, id, advertising, sequence, length })
    }

    /// An item of a request (RFC 2328 appendix A.3.4).
    pub(super) fn requested(cursor: &mut Cursor<'_>) -> Option<Self> {
        // Version 2 gives the type four bytes, version 3 two behind two that are reserved.
        let kind = (cursor.be32()? & 0xffff) as u16;
        let (id, advertising) = (address(cursor)?, address(cursor)?);
        Some(LsaHeader { age: None, kind, options: 0, id, advertising, sequence: 0, length: 0 })
    }

    /// Whether the sender withdraws it.
    pub(super) fn is_withdrawn(&self) -> bool {
        self.age.is_some_and(|age| age >= MAX_AGE)
    }
}
