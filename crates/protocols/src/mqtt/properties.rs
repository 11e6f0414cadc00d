//! Properties of MQTT 5 (section 2.2.2): what a packet says beside its fields.

use crate::bytes::Cursor;

/// Server Keep Alive, seconds.
pub const SERVER_KEEP_ALIVE: u8 = 0x13;
/// Assigned Client Identifier.
pub const ASSIGNED_CLIENT: u8 = 0x12;
/// Authentication Method.
pub const AUTHENTICATION_METHOD: u8 = 0x15;
/// Session Expiry Interval, seconds; all ones is without end.
pub const SESSION_EXPIRY: u8 = 0x11;
/// Reason String.
pub const REASON: u8 = 0x1f;
/// Content Type of a publication.
pub const CONTENT_TYPE: u8 = 0x03;
/// Response Topic of a publication that asks.
pub const RESPONSE_TOPIC: u8 = 0x08;
/// Topic Alias.
pub const TOPIC_ALIAS: u8 = 0x23;

/// One property's value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value<'a> {
    /// Byte, two or four byte integer, variable byte integer.
    Number(u32),
    /// UTF-8 string or binary data.
    Bytes(&'a [u8]),
    /// Name and value that the two ends agreed on.
    User,
}

/// The properties of one packet.
#[derive(Clone, Copy, Default, Debug)]
pub struct Properties<'a>(&'a [u8]);

impl<'a> Properties<'a> {
    /// Takes the properties off the front of `cursor`; `None` where they are cut or one is of no known kind.
    pub fn take(cursor: &mut Cursor<'a>) -> Option<Self> {
        let length = variable(cursor)?;
        let bytes = cursor.take(usize::try_from(length).ok()?)?;
        let mut inner = Cursor::new(bytes);
        while !inner.is_empty() {
            one(&mut inner)?;
        }
        Some(Properties(bytes))
    }

    /// Each property by its identifier.
    pub fn each(self) -> impl Iterator<Item = (u8, Value<'a>)> {
        let mut cursor = Cursor::new(self.0);
        std::iter::from_fn(move || one(&mut cursor))
    }

    /// The number of a property.
    pub fn number(self, wanted: u8) -> Option<u32> {
        self.each().find_map(|(id, value)| match value {
            Value::Number(number) if id == wanted => Some(number),
            _ => None,
        })
    }

    /// The text of a property.
    pub fn text(self, wanted: u8) -> Option<&'a str> {
        self.each().find_map(|(id, value)| match value {
            Value::Bytes(bytes) if id == wanted => std::str::from_utf8(bytes).ok(),
            _ => None,
        })
    }
}

/// A variable byte integer (section 1.5.5).
fn variable(cursor: &mut Cursor<'_>) -> Option<u32> {
    let (mut value, mut shift) = (0u32, 0u32);
    while shift < 28 {
        let byte = cursor.u8()?;
        value |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
        shift = shift.saturating_add(7);
    }
    None
}

fn one<'a>(cursor: &mut Cursor<'a>) -> Option<(u8, Value<'a>)> {
    let counted = |cursor: &mut Cursor<'a>| {
        let length = cursor.be16()?;
        cursor.take(length.into())
    };
    let id = cursor.u8()?;
    let value = match id {
        0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28..=0x2a => Value::Number(cursor.u8()?.into()),
        0x13 | 0x21 | 0x22 | 0x23 => Value::Number(cursor.be16()?.into()),
        0x02 | 0x11 | 0x18 | 0x27 => Value::Number(cursor.be32()?),
        0x0b => Value::Number(variable(cursor)?),
        0x03 | 0x08 | 0x09 | 0x12 | 0x15 | 0x16 | 0x1a | 0x1c | 0x1f => Value::Bytes(counted(cursor)?),
        0x26 => {
            counted(cursor)?;
            counted(cursor)?;
            Value::User
        }
        _ => return None,
    };
    Some((id, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every type once: section 2.2.2.2, table 2-4.
    const ALL: &[u8] = b"\x28\x01\x01\x02\x00\x00\x00\x3c\x03\x00\x04json\x0b\x80\x01\x11\xff\xff\xff\xff\x12\x00\x02c7\x13\x00\x1e\x26\x00\x01k\x00\x01v\x15\x00\x00";

    #[test]
    fn each_type_is_read() {
        let mut cursor = Cursor::new(ALL);
        let properties = Properties::take(&mut cursor).unwrap();
        assert!(cursor.is_empty());
        assert_eq!(properties.number(SERVER_KEEP_ALIVE), Some(30));
        assert_eq!(properties.number(SESSION_EXPIRY), Some(u32::MAX));
        assert_eq!(properties.number(0x0b), Some(128));
        assert_eq!(properties.text(ASSIGNED_CLIENT), Some("c7"));
        assert_eq!(properties.text(CONTENT_TYPE), Some("json"));
        assert_eq!(properties.each().count(), 9);
    }

    #[test]
    fn cuts_and_unknown_ones_are_refused() {
        for end in 0..ALL.len() {
            assert!(Properties::take(&mut Cursor::new(&ALL[..end])).is_none(), "cut at {end}");
        }
        assert!(Properties::take(&mut Cursor::new(&[2, 0x7f, 0])).is_none());
    }
}
