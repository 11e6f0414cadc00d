//! Connectionless DCE/RPC, as PROFINET uses it (The Open Group C706 section 12.5; IEC 61158-6-10 section "RPC").

use crate::bytes::Cursor;

/// Longest call put together from fragments.
pub const CALL_LIMIT: usize = 64 * 1024;

/// Set in the first flags of a fragment.
const FRAGMENT: u8 = 0x04;
/// Set in the first flags of the last fragment.
const LAST: u8 = 0x02;
/// All interfaces and objects of PROFINET end so, behind their first four bytes.
const FAMILY: [u8; 4] = [0x6c, 0x97, 0x11, 0xd1];
/// Last eight bytes of the interfaces.
const INTERFACE: [u8; 8] = [0x82, 0x71, 0x00, 0xa0, 0x24, 0x42, 0xdf, 0x7d];

/// An identifier, its fields in reading order whatever order they came in.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Uuid(pub [u8; 16]);

impl Uuid {
    fn read(cursor: &mut Cursor<'_>, little: bool) -> Option<Self> {
        let mut bytes: [u8; 16] = cursor.take(16)?.try_into().ok()?;
        if little && let [a, b, c, d, e, f, g, h, ..] = &mut bytes {
            std::mem::swap(a, d);
            std::mem::swap(b, c);
            std::mem::swap(e, f);
            std::mem::swap(g, h);
        }
        Some(Uuid(bytes))
    }
}

impl std::fmt::Display for Uuid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// What a packet is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A call.
    Request,
    /// Its answer.
    Response,
    /// An answer of the runtime, not of the device: fault or reject.
    Refusal,
    /// Ping, working, acknowledgement, cancel: keeps a call alive, or ends it.
    Service(&'static str),
}

/// A packet: header and body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet<'a> {
    /// What it is for.
    pub kind: Kind,
    /// Whether the server sends such a packet.
    pub from_server: bool,
    /// Whether numbers in the header and the arguments are little-endian.
    pub little: bool,
    /// Device, maker and instance.
    pub object: Uuid,
    /// Number of the interface: 1 device, 2 controller, 3 supervisor, 4 parameter server.
    pub interface: u8,
    /// The conversation.
    pub activity: Uuid,
    /// Number of the call in it.
    pub sequence: u32,
    /// Which call.
    pub operation: u16,
    /// Number of the fragment, of a call in several.
    pub fragment: Option<u16>,
    /// It is the last fragment, or the only one.
    pub last: bool,
    /// What follows the header.
    pub body: &'a [u8],
}

impl<'a> Packet<'a> {
    /// A packet of a PROFINET interface; `None` if it is none.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let (version, kind, flags) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
        cursor.skip(1)?;
        let little = cursor.u8()? & 0xf0 == 0x10;
        cursor.skip(3)?;
        let (object, interface) = (Uuid::read(&mut cursor, little)?, Uuid::read(&mut cursor, little)?);
        let activity = Uuid::read(&mut cursor, little)?;
        cursor.skip(8)?;
        let sequence = if little { cursor.le32()? } else { cursor.be32()? };
        let mut short = || if little { cursor.le16() } else { cursor.be16() };
        let (operation, _, _, length, number) = (short()?, short()?, short()?, short()?, short()?);
        cursor.skip(2)?;
        let (kind, from_server) = kind_of(kind)?;
        let [0xde, 0xa0, 0, number_of_interface @ 1..=4, family @ ..] = interface.0 else { return None };
        let ours = family.starts_with(&FAMILY) && family.ends_with(&INTERFACE);
        if version != 4 || !ours {
            return None;
        }
        let rest = cursor.rest();
        Some(Packet {
            kind,
            from_server,
            little,
            object,
            interface: number_of_interface,
            activity,
            sequence,
            operation,
            fragment: (flags & FRAGMENT != 0).then_some(number),
            last: flags & (FRAGMENT | LAST) != FRAGMENT,
            body: rest.get(..usize::from(length)).unwrap_or(rest),
        })
    }

    /// Device and maker id of the object, if it names a device.
    #[must_use]
    pub const fn device(&self) -> Option<(u16, u16)> {
        match self.object.0 {
            [0xde, 0xa0, 0, 0, _, _, _, _, _, _, _, _, d, e, v, w] => {
                Some((u16::from_be_bytes([d, e]), u16::from_be_bytes([v, w])))
            }
            _ => None,
        }
    }
}

const fn kind_of(kind: u8) -> Option<(Kind, bool)> {
    Some(match kind {
        0 => (Kind::Request, false),
        1 => (Kind::Service("ping"), false),
        2 => (Kind::Response, true),
        3 | 6 => (Kind::Refusal, true),
        4 => (Kind::Service("working"), true),
        5 => (Kind::Service("no call"), true),
        7 => (Kind::Service("acknowledgement"), false),
        8 => (Kind::Service("cancel"), false),
        9 => (Kind::Service("fragment acknowledgement"), true),
        10 => (Kind::Service("cancel acknowledgement"), true),
        _ => return None,
    })
}

/// What a call carries behind the header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arguments<'a> {
    /// Status of an answer: code, decode, code 1, code 2.
    pub status: Option<[u8; 4]>,
    /// The blocks.
    pub blocks: &'a [u8],
}

impl<'a> Arguments<'a> {
    /// Arguments of a request or, with the status in front, of a response.
    #[must_use]
    pub fn read(body: &'a [u8], little: bool, response: bool) -> Option<Self> {
        let mut cursor = Cursor::new(body);
        let first: [u8; 4] = cursor.take(4)?.try_into().ok()?;
        let status = response.then(|| {
            let mut status = first;
            if little {
                status.reverse();
            }
            status
        });
        let mut long = || if little { cursor.le32() } else { cursor.be32() };
        let (_length, _maximum, _offset, count) = (long()?, long()?, long()?, long()?);
        let count = usize::try_from(count).ok()?;
        Some(Arguments { status, blocks: cursor.rest().get(..count).unwrap_or(cursor.rest()) })
    }
}
