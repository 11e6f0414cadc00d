//! One packet of connection-oriented DCE/RPC (C706 section 12.6; MS-RPCE 2.2.2).

use std::fmt;

use quaywatch_wire::Length;

use crate::bytes::Cursor;

/// Bytes of the common header.
pub const HEADER: usize = 16;
/// Contexts read of one bind.
const MAX_CONTEXTS: u8 = 32;

/// An interface or object identifier as it lies on the wire, its first three fields in the sender's byte order.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Uuid(pub [u8; 16]);

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g, h, i, tail @ ..] = self.0;
        write!(f, "{:08x}-", u32::from_le_bytes([a, b, c, d]))?;
        write!(f, "{:04x}-{:04x}-", u16::from_le_bytes([e, g]), u16::from_le_bytes([h, i]))?;
        for (at, byte) in tail.iter().enumerate() {
            if at == 2 {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// The common header. Only little-endian senders (all of Windows) are read beyond it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Packet type.
    pub kind: u8,
    /// Flags: 1 first, 2 last fragment, 0x80 object identifier present.
    pub flags: u8,
    /// Bytes of the whole packet.
    pub length: u16,
    /// Bytes of the security token at its end.
    pub auth_length: u16,
    /// Pairs requests and replies.
    pub call: u32,
}

impl Header {
    /// Reads the header; `None` if this is no packet of version 5.0 or 5.1 from a little-endian sender.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        if cursor.u8()? != 5 || cursor.u8()? > 1 {
            return None;
        }
        let kind = cursor.u8().filter(|kind| matches!(kind, 0 | 2 | 3 | 11..=19))?;
        let flags = cursor.u8()?;
        // Little-endian integers, ASCII, IEEE floats; two bytes of zero.
        if cursor.be32()? != 0x1000_0000 {
            return None;
        }
        let (length, auth_length, call) = (cursor.le16()?, cursor.le16()?, cursor.le32()?);
        let least = HEADER.saturating_add(auth_length.into());
        (usize::from(length) >= least).then_some(Header { kind, flags, length, auth_length, call })
    }

    /// Whether the server sends this.
    #[must_use]
    pub const fn is_from_server(&self) -> bool {
        matches!(self.kind, 2 | 3 | 12 | 13 | 15)
    }

    /// The security token at the end: its type, level and bytes.
    #[must_use]
    pub fn token<'a>(&self, packet: &'a [u8]) -> Option<(u8, u8, &'a [u8])> {
        let length = usize::from(self.auth_length);
        let start = packet.len().checked_sub(length.checked_add(8)?).filter(|_| length > 0)?;
        let mut trailer = Cursor::new(packet.get(start..)?);
        let (kind, level) = (trailer.u8()?, trailer.u8()?);
        trailer.skip(6)?;
        Some((kind, level, trailer.rest()))
    }
}

/// Framing of a stream of packets.
#[must_use]
pub fn length(bytes: &[u8]) -> Length {
    if bytes.len() < HEADER {
        let start = [5u8, 0];
        let plausible = bytes.iter().zip(start).all(|(byte, wanted)| *byte == wanted || *byte == 1 && wanted == 0);
        return if plausible { Length::NeedMore } else { Length::Invalid };
    }
    Header::read(bytes).map_or(Length::Invalid, |header| Length::Whole(header.length.into()))
}

/// One interface offered by a bind.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Context {
    /// Number that requests name it by.
    pub id: u16,
    /// Identifier.
    pub interface: Uuid,
    /// Major version.
    pub version: u16,
}

/// Contexts of a bind or alter-context body.
#[must_use]
pub fn contexts(body: &[u8]) -> Option<Vec<Context>> {
    let mut cursor = Cursor::new(body);
    cursor.skip(8)?;
    let count = cursor.u8()?.min(MAX_CONTEXTS);
    cursor.skip(3)?;
    let mut list = Vec::new();
    for _ in 0..count {
        let id = cursor.le16()?;
        let transfers = usize::from(cursor.u8()?);
        cursor.skip(1)?;
        let interface = Uuid(*cursor.take(16)?.first_chunk()?);
        let version = cursor.le16()?;
        cursor.skip(2usize.saturating_add(transfers.saturating_mul(20)))?;
        list.push(Context { id, interface, version });
    }
    Some(list)
}

/// Results of a bind-ack: how many contexts were accepted of how many.
#[must_use]
pub fn results(body: &[u8]) -> Option<(u32, u32)> {
    let mut cursor = Cursor::new(body);
    cursor.skip(8)?;
    let port = usize::from(cursor.le16()?);
    cursor.skip(port)?;
    // The list is aligned to four bytes from the packet's start, which the body keeps.
    let read = 10usize.checked_add(port)?;
    cursor.skip(read.next_multiple_of(4).checked_sub(read)?)?;
    let count = cursor.u8()?.min(MAX_CONTEXTS);
    cursor.skip(3)?;
    let mut accepted = 0u32;
    for _ in 0..count {
        accepted = accepted.saturating_add(u32::from(cursor.le16()? == 0));
        cursor.skip(22)?;
    }
    Some((accepted, count.into()))
}

/// Where an endpoint map entry leads.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Tower {
    /// Interface asked for.
    pub interface: Uuid,
    /// TCP port.
    pub port: Option<u16>,
    /// IPv4 address.
    pub address: Option<[u8; 4]>,
}

/// The first tower in the stub of `ept_map` (C706 appendix L): found by its first floor, for the pointers before it vary.
#[must_use]
pub fn tower(stub: &[u8]) -> Option<Tower> {
    // Five floors, a left side of 19 bytes, protocol 0x0d: an interface identifier.
    let at = stub.windows(5).position(|window| matches!(window, [3..=8, 0, 19, 0, 0x0d]))?;
    let mut cursor = Cursor::new(stub.get(at..)?);
    let floors = cursor.le16()?;
    let mut tower = Tower::default();
    for _ in 0..floors {
        let left = usize::from(cursor.le16()?);
        let left = cursor.take(left)?;
        let right = usize::from(cursor.le16()?);
        let right = cursor.take(right)?;
        match (left, right) {
            ([0x0d, uuid @ ..], _) if tower.interface == Uuid::default() => {
                tower.interface = Uuid(*uuid.first_chunk()?);
            }
            ([0x07], [high, low]) => tower.port = Some(u16::from_be_bytes([*high, *low])),
            ([0x09], address) => tower.address = address.first_chunk().copied(),
            _ => {}
        }
    }
    Some(tower)
}
