//! The built-in types in the binary encoding (OPC 10000-6 section 5.2): little-endian, lengths of 32 bits, -1 for null.

use std::fmt;

use crate::bytes::Cursor;
use crate::detail_json::Hex;

use super::status::Status;

/// Deepest nesting of values in values that is followed (OPC 10000-6 section 5.1.5 asks for 100 at most).
pub const DEPTH_LIMIT: u8 = 16;

/// 1601-01-01 to 1970-01-01 in units of 100 ns, which DateTime counts.
const EPOCH: i64 = 116_444_736_000_000_000;

/// What a node is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Identifier<'a> {
    /// A number.
    Numeric(u32),
    /// A text.
    Text(&'a str),
    /// A GUID: 16 bytes.
    Guid(&'a [u8]),
    /// Bytes.
    Opaque(&'a [u8]),
}

/// A node id; prints as OPC 10000-6 section 5.3.1.10 says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NodeId<'a> {
    /// Index of the namespace.
    pub namespace: u16,
    /// The identifier in it.
    pub identifier: Identifier<'a>,
}

impl NodeId<'_> {
    /// The number of a node of the standard's own namespace.
    #[must_use]
    pub const fn standard(&self) -> Option<u32> {
        match (self.namespace, self.identifier) {
            (0, Identifier::Numeric(id)) => Some(id),
            _ => None,
        }
    }
}

impl fmt::Display for NodeId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace != 0 {
            write!(f, "ns={};", self.namespace)?;
        }
        match self.identifier {
            Identifier::Numeric(id) => write!(f, "i={id}"),
            Identifier::Text(text) => write!(f, "s={text}"),
            Identifier::Guid(bytes) => write!(f, "g={}", Hex(bytes)),
            Identifier::Opaque(bytes) => write!(f, "b={}", Hex(bytes)),
        }
    }
}

/// What a Variant holds, as far as it is looked at.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Value<'a> {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    Uint(u64),
    /// A floating-point number.
    Real(f64),
    /// A text.
    Text(&'a str),
    /// A time in nanoseconds since 1970.
    Time(i64),
    /// A structure: the id of its encoding and its body.
    Structure(NodeId<'a>, &'a [u8]),
    /// An array of so many elements.
    Array(usize),
    /// Of another type.
    Other,
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(flag) => write!(f, "{flag}"),
            Value::Int(number) => write!(f, "{number}"),
            Value::Uint(number) => write!(f, "{number}"),
            Value::Real(number) => write!(f, "{number}"),
            Value::Text(_) => f.write_str("text"),
            Value::Time(_) => f.write_str("time"),
            Value::Structure(..) => f.write_str("structure"),
            Value::Array(count) => write!(f, "array of {count}"),
            Value::Other => f.write_str("other"),
        }
    }
}

/// A value with its status, if one is stated.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct DataValue<'a> {
    /// The value.
    pub value: Value<'a>,
    /// The status; absent means good.
    pub status: Option<Status>,
}

/// Reads built-in types from the front of a message body.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    cursor: Cursor<'a>,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Reader { cursor: Cursor::new(bytes) }
    }

    /// What has not been read.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.cursor.rest()
    }

    /// Byte.
    pub fn u8(&mut self) -> Option<u8> {
        self.cursor.u8()
    }

    /// Boolean: any value but zero is true.
    pub fn flag(&mut self) -> Option<bool> {
        self.cursor.u8().map(|byte| byte != 0)
    }

    /// UInt16.
    pub fn u16(&mut self) -> Option<u16> {
        self.cursor.le16()
    }

    /// UInt32, enumerations.
    pub fn u32(&mut self) -> Option<u32> {
        self.cursor.le32()
    }

    /// Int64.
    pub fn i64(&mut self) -> Option<i64> {
        self.cursor.le64().map(u64::cast_signed)
    }

    /// Double.
    pub fn f64(&mut self) -> Option<f64> {
        self.cursor.le64().map(f64::from_bits)
    }

    /// DateTime as nanoseconds since 1970; `Some(None)` where it is outside what a server's clock can mean.
    pub fn time(&mut self) -> Option<Option<i64>> {
        let ticks = self.i64()?;
        Some(ticks.checked_sub(EPOCH).and_then(|ticks| ticks.checked_mul(100)).filter(|nanos| *nanos > 0))
    }

    /// StatusCode.
    pub fn status(&mut self) -> Option<Status> {
        self.u32().map(Status)
    }

    /// Passes over `count` bytes.
    pub fn skip(&mut self, count: usize) -> Option<()> {
        self.cursor.skip(count)
    }

    /// ByteString; null reads as empty.
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        match self.u32()? {
            u32::MAX => Some(&[]),
            length => self.cursor.take(usize::try_from(length).ok()?),
        }
    }

    /// String; null reads as empty, what is not UTF-8 is left out from there on.
    pub fn text(&mut self) -> Option<&'a str> {
        let bytes = self.bytes()?;
        Some(match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => bytes.get(..error.valid_up_to()).and_then(|good| std::str::from_utf8(good).ok())?,
        })
    }

    /// Length of an array; null reads as empty. Each element takes a byte at least, so a length beyond the message is refused.
    pub fn count(&mut self) -> Option<usize> {
        match self.u32()? {
            u32::MAX => Some(0),
            count => usize::try_from(count).ok().filter(|count| *count <= self.cursor.left()),
        }
    }

    /// An array of which nothing is kept.
    pub fn skip_array<T>(&mut self, mut each: impl FnMut(&mut Self) -> Option<T>) -> Option<usize> {
        let count = self.count()?;
        for _ in 0..count {
            each(self)?;
        }
        Some(count)
    }

    /// NodeId and ExpandedNodeId (sections 5.2.2.9 and 5.2.2.10).
    pub fn node(&mut self) -> Option<NodeId<'a>> {
        let encoding = self.u8()?;
        let (namespace, identifier) = match encoding & 0x3f {
            0 => (0, Identifier::Numeric(self.u8()?.into())),
            1 => (self.u8()?.into(), Identifier::Numeric(self.u16()?.into())),
            2 => (self.u16()?, Identifier::Numeric(self.u32()?)),
            3 => (self.u16()?, Identifier::Text(self.text()?)),
            4 => (self.u16()?, Identifier::Guid(self.cursor.take(16)?)),
            5 => (self.u16()?, Identifier::Opaque(self.bytes()?)),
            _ => return None,
        };
        if encoding & 0x80 != 0 {
            self.bytes()?;
        }
        if encoding & 0x40 != 0 {
            self.u32()?;
        }
        Some(NodeId { namespace, identifier })
    }

    /// QualifiedName without its namespace.
    pub fn qualified_name(&mut self) -> Option<&'a str> {
        self.u16()?;
        self.text()
    }

    /// LocalizedText without its locale.
    pub fn localized_text(&mut self) -> Option<&'a str> {
        let mask = self.u8()?;
        if mask & 1 != 0 {
            self.bytes()?;
        }
        if mask & 2 != 0 { self.text() } else { Some("") }
    }

    /// ExtensionObject: the id of its encoding and its body, empty if it has none (section 5.2.2.15).
    pub fn structure(&mut self) -> Option<(NodeId<'a>, &'a [u8])> {
        let kind = self.node()?;
        match self.u8()? {
            0 => Some((kind, &[])),
            1 | 2 => Some((kind, self.bytes()?)),
            _ => None,
        }
    }

    /// DiagnosticInfo (section 5.2.2.12); nothing of it is kept.
    pub fn diagnostic(&mut self) -> Option<()> {
        for _ in 0..DEPTH_LIMIT {
            let mask = self.u8()?;
            self.skip(4usize.saturating_mul((mask & 0x0f).count_ones() as usize))?;
            if mask & 0x10 != 0 {
                self.bytes()?;
            }
            if mask & 0x20 != 0 {
                self.u32()?;
            }
            if mask & 0x40 == 0 {
                return Some(());
            }
        }
        None
    }

    /// Variant (section 5.2.2.16).
    pub fn variant(&mut self) -> Option<Value<'a>> {
        self.variant_at(DEPTH_LIMIT)
    }

    fn variant_at(&mut self, depth: u8) -> Option<Value<'a>> {
        let depth = depth.checked_sub(1)?;
        let mask = self.u8()?;
        let kind = mask & 0x3f;
        if mask & 0x80 == 0 {
            return self.scalar(kind, depth);
        }
        let count = self.count()?;
        match width(kind) {
            Some(width) => self.skip(count.checked_mul(width)?)?,
            None => {
                for _ in 0..count {
                    self.scalar(kind, depth)?;
                }
            }
        }
        if mask & 0x40 != 0 {
            let dimensions = self.count()?;
            self.skip(dimensions.checked_mul(4)?)?;
        }
        Some(Value::Array(count))
    }

    fn scalar(&mut self, kind: u8, depth: u8) -> Option<Value<'a>> {
        Some(match kind {
            0 => Value::Null,
            1 => Value::Bool(self.flag()?),
            2 => Value::Int(self.u8()?.cast_signed().into()),
            3 => Value::Uint(self.u8()?.into()),
            4 => Value::Int(self.u16()?.cast_signed().into()),
            5 => Value::Uint(self.u16()?.into()),
            6 => Value::Int(self.u32()?.cast_signed().into()),
            7 => Value::Uint(self.u32()?.into()),
            8 => Value::Int(self.i64()?),
            9 => Value::Uint(self.cursor.le64()?),
            10 => Value::Real(f32::from_bits(self.u32()?).into()),
            11 => Value::Real(self.f64()?),
            12 => Value::Text(self.text()?),
            13 => self.time()?.map_or(Value::Other, Value::Time),
            14 => {
                self.skip(16)?;
                Value::Other
            }
            17 | 18 => {
                self.node()?;
                Value::Other
            }
            19 => Value::Uint(self.u32()?.into()),
            20 => Value::Text(self.qualified_name()?),
            21 => Value::Text(self.localized_text()?),
            22 => {
                let (kind, body) = self.structure()?;
                Value::Structure(kind, body)
            }
            23 => self.data_value_at(depth)?.value,
            24 => self.variant_at(depth)?,
            25 => {
                self.diagnostic()?;
                Value::Other
            }
            // ByteString, XmlElement, and what is reserved, which is to be read as ByteString.
            15 | 16 | 26..=31 => {
                self.bytes()?;
                Value::Other
            }
            _ => return None,
        })
    }

    /// DataValue (section 5.2.2.17).
    pub fn data_value(&mut self) -> Option<DataValue<'a>> {
        self.data_value_at(DEPTH_LIMIT)
    }

    fn data_value_at(&mut self, depth: u8) -> Option<DataValue<'a>> {
        let mask = self.u8()?;
        let value = if mask & 0x01 != 0 { self.variant_at(depth)? } else { Value::Null };
        let status = if mask & 0x02 != 0 { Some(self.status()?) } else { None };
        for (bit, width) in [(0x04, 8), (0x10, 2), (0x08, 8), (0x20, 2)] {
            if mask & bit != 0 {
                self.skip(width)?;
            }
        }
        Some(DataValue { value, status })
    }
}

/// Bytes of a type of fixed width.
const fn width(kind: u8) -> Option<usize> {
    match kind {
        1..=3 => Some(1),
        4 | 5 => Some(2),
        6 | 7 | 10 | 19 => Some(4),
        8 | 9 | 11 | 13 => Some(8),
        14 => Some(16),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    #[test]
    fn node_ids_print() {
        for (bytes, printed) in [
            ("0055", "i=85"),
            ("01027b00", "ns=2;i=123"),
            ("020300 00000100", "ns=3;i=65536"),
            ("030100 03000000 616263", "ns=1;s=abc"),
            ("050100 02000000 beef", "ns=1;b=0xbeef"),
            // Expanded: with namespace URI and server index.
            ("c055 01000000 78 02000000", "i=85"),
        ] {
            let bytes = hex(bytes);
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.node().unwrap().to_string(), printed);
            assert!(reader.rest().is_empty());
        }
        assert_eq!(Reader::new(&[6, 0]).node(), None);
    }

    #[test]
    fn values_are_read() {
        for (bytes, value) in [
            ("00", Value::Null),
            ("0101", Value::Bool(true)),
            ("04ffff", Value::Int(-1)),
            ("0b000000000000f03f", Value::Real(1.0)),
            ("0c02000000 6869", Value::Text("hi")),
            ("15 03 02000000 656e 02000000 6869", Value::Text("hi")),
            ("86 02000000 01000000 02000000", Value::Array(2)),
            // Two by one, of texts.
            ("cc 02000000 ffffffff 0100000061 02000000 02000000 01000000", Value::Array(2)),
        ] {
            let bytes = hex(bytes);
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.variant(), Some(value));
            assert!(reader.rest().is_empty());
            for end in 0..bytes.len() {
                assert_eq!(Reader::new(&bytes[..end]).variant(), None);
            }
        }
    }

    #[test]
    fn nesting_ends() {
        assert_eq!(Reader::new(&[0x18; 40]).variant(), None);
        assert_eq!(Reader::new(&[0x40; 40]).diagnostic(), None);
        // A data value of a variant of a data value, and so on.
        assert_eq!(Reader::new(&[0x17, 1].repeat(40)).variant(), None);
    }

    #[test]
    fn data_values_have_a_status_if_stated() {
        let bytes = hex("03 0101 00003480");
        let value = Reader::new(&bytes).data_value().unwrap();
        assert_eq!(value, DataValue { value: Value::Bool(true), status: Some(Status(0x8034_0000)) });
        assert_eq!(Reader::new(&hex("0c 0000000000000000 0000000000000000")).data_value().unwrap().status, None);
    }
}
