//! Frames (IEC 60870-5-104 clause 5) and the application service data units in them (IEC 60870-5-101 clause 7).

use std::fmt;

use quaywatch_wire::Length;

use super::names::{self, Type};
use crate::bytes::Cursor;

/// First octet of a frame.
pub const START: u8 = 0x68;
/// Longest frame: start, length, 253 octets.
pub const FRAME_LIMIT: usize = 255;

/// What the control field says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Control {
    /// Numbered data: send and receive sequence numbers, modulo 32768.
    Numbered { send: u16, receive: u16 },
    /// Acknowledges, with the receive sequence number.
    Supervisory { receive: u16 },
    /// STARTDT, STOPDT, TESTFR by the first octet.
    Unnumbered(u8),
}

impl Control {
    /// Reads the four octets; `None` if they are none of the three forms.
    #[must_use]
    pub const fn read(octets: [u8; 4]) -> Option<Self> {
        let [a, b, c, d] = octets;
        let (send, receive) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
        match a & 3 {
            0 | 2 if c & 1 == 0 => Some(Control::Numbered { send: send >> 1, receive: receive >> 1 }),
            1 if a == 1 && b == 0 && c & 1 == 0 => Some(Control::Supervisory { receive: receive >> 1 }),
            3 if b == 0 && c == 0 && d == 0 && names::unnumbered(a).is_some() => Some(Control::Unnumbered(a)),
            _ => None,
        }
    }
}

/// Length of the frame at the front.
#[must_use]
pub fn frame_length(bytes: &[u8]) -> Length {
    match bytes {
        [] | [START] => Length::NeedMore,
        [START, length, ..] if *length >= 4 && *length <= 253 => Length::Whole(usize::from(*length) + 2),
        _ => Length::Invalid,
    }
}

/// An application service data unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asdu<'a> {
    /// Type identification.
    pub code: u8,
    /// Number of objects.
    pub count: u8,
    /// Whether the objects follow one another from one address on.
    pub sequence: bool,
    /// Cause of transmission.
    pub cause: u8,
    /// Whether a confirmation is negative.
    pub negative: bool,
    /// Whether it is a test.
    pub test: bool,
    /// Originator address.
    pub originator: u8,
    /// Common address: the station or a sector of it.
    pub common: u16,
    /// The objects.
    pub objects: &'a [u8],
}

impl<'a> Asdu<'a> {
    /// Reads the header; `None` if it is cut short.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let (code, qualifier, cause) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
        let (originator, common) = (cursor.u8()?, cursor.le16()?);
        Some(Asdu {
            code,
            count: qualifier & 0x7f,
            sequence: qualifier & 0x80 != 0,
            cause: cause & 0x3f,
            negative: cause & 0x40 != 0,
            test: cause & 0x80 != 0,
            originator,
            common,
            objects: cursor.rest(),
        })
    }

    /// Its type.
    #[must_use]
    pub const fn kind(&self) -> Option<Type> {
        names::asdu(self.code)
    }

    /// Whether the objects fill it exactly. Types of varying size always do.
    #[must_use]
    pub fn fits(&self) -> bool {
        let Some(size) = self.kind().and_then(|kind| kind.size) else { return true };
        let count = usize::from(self.count);
        let wanted = if self.sequence { 3 + count * size } else { count * (3 + size) };
        wanted == self.objects.len()
    }

    /// The objects: address and bytes.
    pub fn each(&self) -> impl Iterator<Item = (u32, &'a [u8])> + use<'a> {
        let size = self.kind().and_then(|kind| kind.size).unwrap_or(usize::MAX);
        let (sequence, count) = (self.sequence, u32::from(self.count));
        let mut cursor = Cursor::new(self.objects);
        let first = if sequence { address(&mut cursor) } else { None };
        (0..count).map_while(move |place| {
            let at = if sequence { first?.checked_add(place)? } else { address(&mut cursor)? };
            let bytes = if size == usize::MAX { cursor.take(cursor.left())? } else { cursor.take(size)? };
            Some((at, bytes))
        })
    }
}

/// An information object address: three octets, little-endian.
fn address(cursor: &mut Cursor<'_>) -> Option<u32> {
    let (low, high) = (cursor.le16()?, cursor.u8()?);
    Some(u32::from(high) << 16 | u32::from(low))
}

/// Time CP56Time2a (IEC 60870-5-4 clause 6.8): milliseconds, minute, hour, day, month, year.
#[derive(Clone, Copy, Debug)]
pub struct Time<'a>(pub &'a [u8]);

impl fmt::Display for Time<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [m0, m1, minute, hour, day, month, year, ..] = self.0 else { return f.write_str("?") };
        let (minute, hour, day, month) = (minute & 0x3f, hour & 0x1f, day & 0x1f, month & 0x0f);
        let milliseconds = u16::from_le_bytes([*m0, *m1]);
        let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
        write!(f, "20{:02}-{month:02}-{day:02} {hour:02}:{minute:02}:{seconds:02}.{rest:03}", year & 0x7f)
    }
}

/// The value of a command or parameter in words, and whether it only selects.
#[must_use]
pub fn value(code: u8, bytes: &[u8]) -> Option<(String, bool)> {
    let mut cursor = Cursor::new(bytes);
    let select = |qualifier: u8| qualifier & 0x80 != 0;
    Some(match code {
        45 | 58 => {
            let octet = cursor.u8()?;
            ((if octet & 1 == 1 { "on" } else { "off" }).to_owned(), select(octet))
        }
        46 | 59 => {
            let octet = cursor.u8()?;
            let text = ["not-permitted-0", "off", "on", "not-permitted-3"].get(usize::from(octet & 3))?;
            ((*text).to_owned(), select(octet))
        }
        47 | 60 => {
            let octet = cursor.u8()?;
            let text = ["not-permitted-0", "lower", "higher", "not-permitted-3"].get(usize::from(octet & 3))?;
            ((*text).to_owned(), select(octet))
        }
        48 | 61 => {
            let text = (f32::from(cursor.le16()?.cast_signed()) / 32768.0).to_string();
            (text, select(cursor.u8()?))
        }
        49 | 62 => {
            let text = cursor.le16()?.cast_signed().to_string();
            (text, select(cursor.u8()?))
        }
        50 | 63 => {
            let text = f32::from_bits(cursor.le32()?).to_string();
            (text, select(cursor.u8()?))
        }
        51 | 64 => (format!("0x{:08x}", cursor.le32()?), false),
        110 => ((f32::from(cursor.le16()?.cast_signed()) / 32768.0).to_string(), false),
        111 => (cursor.le16()?.cast_signed().to_string(), false),
        112 => (f32::from_bits(cursor.le32()?).to_string(), false),
        _ => return None,
    })
}
