//! Sparkplug B payloads (Eclipse Sparkplug 3.0.0 chapter 6): metrics of edge nodes and devices, and commands to them.

use std::fmt::{self, Display, Write};

use crate::bytes::Cursor;

/// Names of metrics that births gave an alias, held by one flow.
pub const ALIAS_LIMIT: usize = 4096;
/// Metrics told of one message.
pub const TOLD_LIMIT: usize = 16;
/// Characters told of one value.
const TEXT_LIMIT: usize = 64;

/// A topic of Sparkplug: `spBv1.0/group/type/node[/device]` (section 4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Topic<'a> {
    /// Group of edge nodes.
    pub group: &'a str,
    /// NBIRTH, NDEATH, DBIRTH, DDEATH, NDATA, DDATA, NCMD, DCMD or STATE.
    pub kind: &'static str,
    /// Edge node.
    pub node: &'a str,
    /// Device behind the node; empty where the node itself is meant.
    pub device: &'a str,
}

impl<'a> Topic<'a> {
    /// Reads a topic; `None` if it is none of Sparkplug's.
    pub fn read(topic: &'a str) -> Option<Self> {
        const KINDS: [&str; 8] = ["NBIRTH", "NDEATH", "DBIRTH", "DDEATH", "NDATA", "DDATA", "NCMD", "DCMD"];
        let mut levels = topic.strip_prefix("spBv1.0/")?.splitn(4, '/');
        let (group, kind, node) = (levels.next()?, levels.next()?, levels.next()?);
        let kind = KINDS.into_iter().find(|known| *known == kind)?;
        Some(Topic { group, kind, node, device: levels.next().unwrap_or("") })
    }

    /// Whether it changes something at the node or device.
    #[must_use]
    pub fn is_command(&self) -> bool {
        matches!(self.kind, "NCMD" | "DCMD")
    }

    /// Whether it names all metrics.
    #[must_use]
    pub fn is_birth(&self) -> bool {
        matches!(self.kind, "NBIRTH" | "DBIRTH")
    }
}

impl Display for Topic<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.group, self.node)?;
        if self.device.is_empty() { Ok(()) } else { write!(f, "/{}", self.device) }
    }
}

/// A metric's value.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Value<'a> {
    /// Not given, or given as null.
    Null,
    /// `int_value` and `long_value`; signed types are sent in two's complement.
    Integer(i64),
    /// `float_value` and `double_value`.
    Real(f64),
    /// `boolean_value`.
    Bool(bool),
    /// `string_value`.
    Text(&'a str),
    /// Bytes, data sets, templates, extensions: only that there is one.
    Other,
}

impl Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Integer(number) => write!(f, "{number}"),
            Value::Real(number) => write!(f, "{number}"),
            Value::Bool(flag) => write!(f, "{flag}"),
            Value::Text(text) => text.chars().take(TEXT_LIMIT).try_for_each(|character| f.write_char(character)),
            Value::Other => f.write_str("not told"),
        }
    }
}

/// One metric of a payload.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Metric<'a> {
    /// Its name; empty where only the alias is sent.
    pub name: &'a str,
    /// Its alias, if it has one.
    pub alias: Option<u64>,
    /// Its value.
    pub value: Value<'a>,
}

/// A field of a protobuf message: its number and what it holds.
enum Field<'a> {
    Varint(u64),
    Fixed32(u32),
    Fixed64(u64),
    Bytes(&'a [u8]),
}

fn varint(cursor: &mut Cursor<'_>) -> Option<u64> {
    let mut value = 0u64;
    for index in 0..10u32 {
        let byte = cursor.u8()?;
        value |= u64::from(byte & 0x7f).checked_shl(index.saturating_mul(7)).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Reads one field (protobuf encoding, "Message structure"); `None` at a broken one.
fn field<'a>(cursor: &mut Cursor<'a>) -> Option<(u64, Field<'a>)> {
    let tag = varint(cursor)?;
    let held = match tag & 7 {
        0 => Field::Varint(varint(cursor)?),
        1 => Field::Fixed64(cursor.le64()?),
        2 => {
            let length = varint(cursor)?;
            Field::Bytes(cursor.take(usize::try_from(length).ok()?)?)
        }
        5 => Field::Fixed32(cursor.le32()?),
        _ => return None,
    };
    Some((tag >> 3, held))
}

/// Calls `each` with every metric; `None` where the payload is no message of Sparkplug.
pub fn metrics<'a>(payload: &'a [u8], mut each: impl FnMut(Metric<'a>)) -> Option<()> {
    let mut cursor = Cursor::new(payload);
    while !cursor.is_empty() {
        match field(&mut cursor)? {
            (2, Field::Bytes(bytes)) => each(metric(bytes)?),
            (1 | 3, Field::Varint(_)) | (4.., _) => {}
            _ => return None,
        }
    }
    Some(())
}

fn metric(bytes: &[u8]) -> Option<Metric<'_>> {
    let mut cursor = Cursor::new(bytes);
    let mut metric = Metric { name: "", alias: None, value: Value::Null };
    let mut datatype = 0;
    while !cursor.is_empty() {
        match field(&mut cursor)? {
            (1, Field::Bytes(name)) => metric.name = std::str::from_utf8(name).ok()?,
            (2, Field::Varint(alias)) => metric.alias = Some(alias),
            (4, Field::Varint(kind)) => datatype = kind,
            (10, Field::Varint(number)) => metric.value = Value::Integer(narrow(datatype, number)),
            (11, Field::Varint(number)) => metric.value = Value::Integer(number.cast_signed()),
            (12, Field::Fixed32(bits)) => metric.value = Value::Real(f32::from_bits(bits).into()),
            (13, Field::Fixed64(bits)) => metric.value = Value::Real(f64::from_bits(bits)),
            (14, Field::Varint(flag)) => metric.value = Value::Bool(flag != 0),
            (15, Field::Bytes(text)) => metric.value = Value::Text(std::str::from_utf8(text).ok()?),
            (16..=19, _) => metric.value = Value::Other,
            _ => {}
        }
    }
    Some(metric)
}

/// `int_value` holds Int8, Int16 and Int32 (data types 1 to 3) in 32 bits of two's complement (section 6.4.16).
fn narrow(datatype: u64, number: u64) -> i64 {
    let low = u32::try_from(number & 0xffff_ffff).unwrap_or(u32::MAX);
    if (1..=3).contains(&datatype) { i64::from(low.cast_signed()) } else { i64::from(low) }
}

/// Names by alias: an edge node and its devices share one space of aliases (section 6.4.6).
#[derive(Default, Debug)]
pub struct Aliases {
    known: std::collections::HashMap<(String, u64), String>,
}

impl Aliases {
    fn node(topic: &Topic<'_>) -> String {
        format!("{}/{}", topic.group, topic.node)
    }

    /// Remembers what a birth names.
    pub fn learn(&mut self, topic: &Topic<'_>, metric: &Metric<'_>) {
        if let (Some(alias), false) = (metric.alias, metric.name.is_empty() || self.known.len() >= ALIAS_LIMIT) {
            self.known.insert((Self::node(topic), alias), metric.name.to_owned());
        }
    }

    /// Name of a metric, `#alias` where its birth was not seen.
    pub fn name(&self, topic: &Topic<'_>, metric: &Metric<'_>) -> String {
        match (metric.name, metric.alias) {
            ("", Some(alias)) => {
                self.known.get(&(Self::node(topic), alias)).cloned().unwrap_or_else(|| format!("#{alias}"))
            }
            (name, _) => name.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_told_apart() {
        let topic = Topic::read("spBv1.0/Yard/DCMD/gate-1/barrier").unwrap();
        assert_eq!((topic.kind, topic.to_string().as_str(), topic.is_command()), ("DCMD", "Yard/gate-1/barrier", true));
        assert_eq!(Topic::read("spBv1.0/Yard/NBIRTH/gate-1").unwrap().device, "");
        assert!(Topic::read("spBv1.0/Yard/OTHER/gate-1").is_none());
        assert!(Topic::read("yard/gate-1").is_none());
    }

    #[test]
    fn metrics_are_read_field_by_field() {
        // Timestamp 5; metric: name "t", alias 3, Int16 -2; metric: alias 4, double 1.5; metric: string "x"; seq 1.
        let payload = b"\x08\x05\x12\x0d\x0a\x01t\x10\x03\x20\x02\x50\xfe\xff\xff\xff\x0f\x12\x0b\x10\x04\x69\0\0\0\0\0\0\xf8\x3f\x12\x03\x7a\x01x\x18\x01";
        let mut told = Vec::new();
        metrics(payload, |metric| told.push((metric.name.to_owned(), metric.alias, metric.value.to_string()))).unwrap();
        let wanted = [("t", Some(3), "-2"), ("", Some(4), "1.5"), ("", None, "x")];
        assert_eq!(told, wanted.map(|(name, alias, value)| (name.to_owned(), alias, value.to_owned())));
        for end in 0..payload.len() {
            let _ = metrics(&payload[..end], |_| ());
        }
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_payloads_are_survived(payload in proptest::collection::vec(proptest::num::u8::ANY, 0..80)) {
            let _ = metrics(&payload, |_| ());
        }
    }
}
