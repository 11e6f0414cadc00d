//! Variable-length numbers, typed values and object trees of S7comm-plus.

use crate::bytes::Cursor;

/// Structures and objects within one another that are followed.
pub const DEPTH_LIMIT: u32 = 24;

/// One value. Numbers narrower than 64 bits are widened.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Value<'a> {
    /// Type 0.
    Null,
    /// A number, of the unsigned, bit string and time types.
    Unsigned(u64),
    /// A number of the signed types.
    Signed(i64),
    /// A number of the floating point types.
    Real(f64),
    /// Bytes of a blob.
    Blob(&'a [u8]),
    /// UTF-8 text.
    Text(&'a [u8]),
    /// A structure of this type id; its members were told before.
    Struct(u32),
    /// An array.
    Array(Elements<'a>),
}

/// The elements of an array.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Elements<'a> {
    /// Type of each.
    pub kind: u8,
    /// How many.
    pub count: u32,
    /// All of them as they were sent.
    pub bytes: &'a [u8],
}

impl<'a> Elements<'a> {
    /// Each element; ends early where one cannot be read.
    pub fn each(self) -> impl Iterator<Item = Value<'a>> {
        let mut cursor = Cursor::new(self.bytes);
        (0..self.count).map_while(move |_| single(&mut cursor, self.kind, DEPTH_LIMIT, &mut |_, _| ()))
    }
}

/// An unsigned variable-length number: seven bits a byte, most significant first; a ninth byte counts whole.
pub fn vlq(cursor: &mut Cursor<'_>) -> Option<u64> {
    let mut value = 0u64;
    for _ in 0..8 {
        let byte = cursor.u8()?;
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    Some(value << 8 | u64::from(cursor.u8()?))
}

/// An unsigned variable-length number of at most 32 bits.
pub fn vlq32(cursor: &mut Cursor<'_>) -> Option<u32> {
    vlq(cursor).and_then(|value| u32::try_from(value).ok())
}

/// A signed one: bit 6 of the first byte is the sign.
fn signed_vlq(cursor: &mut Cursor<'_>) -> Option<i64> {
    let negative = cursor.rest().first()? & 0x40 != 0;
    let before = cursor.left();
    let value = vlq(cursor)?;
    let bytes = before.saturating_sub(cursor.left());
    let bits = if bytes >= 9 { 64 } else { u32::try_from(bytes).ok()?.saturating_mul(7) };
    let fill = if negative && bits < 64 { u64::MAX << bits } else { 0 };
    Some((value | fill).cast_signed())
}

fn counted<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let length = vlq32(cursor)?;
    cursor.take(usize::try_from(length).ok()?)
}

/// Calls `each` with id and value of every attribute and structure member that is met.
pub type Each<'e> = dyn FnMut(u32, Value<'_>) + 'e;

/// Reads flags, type and value.
pub fn value<'a>(cursor: &mut Cursor<'a>, depth: u32, each: &mut Each<'_>) -> Option<Value<'a>> {
    let (flags, kind) = (cursor.u8()?, cursor.u8()?);
    if flags & 0x40 != 0 {
        return sparse(cursor, kind, depth, each);
    }
    if flags & 0x30 != 0 {
        let count = vlq32(cursor)?;
        // An array of nothing costs no byte an element: its count would be work without bound. No capture has one.
        if kind == 0 && count > 0 {
            return None;
        }
        let start = cursor.rest();
        for _ in 0..count {
            single(cursor, kind, depth, each)?;
        }
        let bytes = taken(start, cursor)?;
        return Some(Value::Array(Elements { kind, count, bytes }));
    }
    single(cursor, kind, depth, each)
}

/// What was read of `start`.
pub fn taken<'a>(start: &'a [u8], cursor: &Cursor<'_>) -> Option<&'a [u8]> {
    start.get(..start.len().checked_sub(cursor.left())?)
}

fn sparse<'a>(cursor: &mut Cursor<'a>, kind: u8, depth: u32, each: &mut Each<'_>) -> Option<Value<'a>> {
    // Each element has its key in front, so that they are not told one by one as those of an array are.
    while vlq32(cursor)? != 0 {
        single(cursor, kind, depth, each)?;
    }
    Some(Value::Null)
}

fn single<'a>(cursor: &mut Cursor<'a>, kind: u8, depth: u32, each: &mut Each<'_>) -> Option<Value<'a>> {
    let unsigned = Value::Unsigned;
    Some(match kind {
        0 => Value::Null,
        1 | 2 | 0x0a => unsigned(cursor.u8()?.into()),
        3 | 0x0b => unsigned(cursor.be16()?.into()),
        0x0c | 0x12 => unsigned(cursor.be32()?.into()),
        0x0e => Value::Real(f32::from_bits(cursor.be32()?).into()),
        0x0d | 0x10 => unsigned(cursor.be64()?),
        0x0f => Value::Real(f64::from_bits(cursor.be64()?)),
        4 | 5 | 0x13 => unsigned(vlq(cursor)?),
        6 => Value::Signed(cursor.u8()?.cast_signed().into()),
        7 => Value::Signed(cursor.be16()?.cast_signed().into()),
        8 | 9 | 0x11 => Value::Signed(signed_vlq(cursor)?),
        0x14 => {
            vlq32(cursor)?;
            Value::Blob(counted(cursor)?)
        }
        0x15 => Value::Text(counted(cursor)?),
        0x17 => structure(cursor, depth, each)?,
        _ => return None,
    })
}

fn structure<'a>(cursor: &mut Cursor<'a>, depth: u32, each: &mut Each<'_>) -> Option<Value<'a>> {
    if depth >= DEPTH_LIMIT {
        return None;
    }
    let id = cursor.be32()?;
    // System types are sent packed: a time stamp, flags, length and bytes.
    if matches!(id, 0x9000_0001..=0x9fff_fffe | 0x0200_0001..=0x02ff_fffe) {
        cursor.skip(8)?;
        let flags = vlq32(cursor)?;
        let mut length = vlq32(cursor)?;
        if flags & 0x400 != 0 {
            length = vlq32(cursor)?;
        }
        cursor.skip(usize::try_from(length).ok()?)?;
        return Some(Value::Struct(id));
    }
    loop {
        let member = vlq32(cursor)?;
        if member == 0 {
            return Some(Value::Struct(id));
        }
        let said = value(cursor, depth.saturating_add(1), each)?;
        each(member, said);
    }
}

/// The value of a substreamed read: newer firmware puts a zero byte in front.
pub fn streamed(cursor: Cursor<'_>) -> Option<Value<'_>> {
    for skipped in 0..2 {
        let mut at = cursor;
        at.skip(skipped)?;
        // Value, integrity id (V2 and later), fill bytes of zero.
        if let Some(said) = value(&mut at, 0, &mut |_, _| ())
            && (4..=8).contains(&at.left())
        {
            return Some(said);
        }
    }
    None
}

/// What an object tree begins with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Object {
    /// Its id (RID).
    pub id: u32,
    /// Its class.
    pub class: u32,
}

/// Reads one object with all within it, from its start tag to its end tag.
pub fn object(cursor: &mut Cursor<'_>, depth: u32, each: &mut Each<'_>) -> Option<Object> {
    if depth >= DEPTH_LIMIT || cursor.u8()? != 0xa1 {
        return None;
    }
    let told = Object { id: cursor.be32()?, class: vlq32(cursor)? };
    let (_flags, _attribute) = (vlq32(cursor)?, vlq32(cursor)?);
    loop {
        match *cursor.rest().first()? {
            0xa1 => {
                object(cursor, depth.saturating_add(1), each)?;
            }
            0xa2 => {
                cursor.skip(1)?;
                return Some(told);
            }
            0xa3 => {
                cursor.skip(1)?;
                let id = vlq32(cursor)?;
                let said = value(cursor, depth, each)?;
                each(id, said);
            }
            0xa4 => {
                cursor.skip(1)?;
                vlq32(cursor)?;
                cursor.skip(4)?;
            }
            // Lists of names and types: blocks with a length, the last one empty.
            0xab | 0xac => {
                cursor.skip(1)?;
                while let length @ 1.. = cursor.be16()? {
                    cursor.skip(length.into())?;
                }
            }
            0xa8 => cursor.skip(1)?,
            _ => return None,
        }
    }
}
