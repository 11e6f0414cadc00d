//! EPATH: what a CIP request is addressed to (CIP Networks Library Volume 1, appendix C-1), in its padded form.

use std::fmt::Write as _;

use crate::bytes::Cursor;

/// A segment of a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Segment<'a> {
    /// A hop: through this port to this link address.
    Port(u16, &'a [u8]),
    /// Class id.
    Class(u32),
    /// Instance id.
    Instance(u32),
    /// Member id, array index after a symbol.
    Member(u32),
    /// Connection point.
    ConnectionPoint(u32),
    /// Attribute id.
    Attribute(u32),
    /// Service id.
    Service(u8),
    /// Electronic key that the target must fit.
    Key(Key),
    /// Name of a tag or part of one.
    Symbol(&'a [u8]),
    /// Data or network segment: connection parameters.
    Other,
}

/// An electronic key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    /// Vendor id, 0 for any.
    pub vendor: u16,
    /// Device type, 0 for any.
    pub device_type: u16,
    /// Product code, 0 for any.
    pub product_code: u16,
    /// Major revision; the top bit asks for compatibility only.
    pub major: u8,
    /// Minor revision.
    pub minor: u8,
}

/// The segments of a path; an error ends them.
pub fn segments(path: &[u8]) -> impl Iterator<Item = Result<Segment<'_>, ()>> {
    let mut cursor = Cursor::new(path);
    let mut broken = false;
    std::iter::from_fn(move || {
        if cursor.is_empty() || broken {
            return None;
        }
        let segment = segment(&mut cursor);
        broken = segment.is_none();
        Some(segment.ok_or(()))
    })
}

fn segment<'a>(cursor: &mut Cursor<'a>) -> Option<Segment<'a>> {
    let first = cursor.u8()?;
    match first >> 5 {
        0 => port(first, cursor),
        1 => logical(first, cursor),
        2 => {
            let length = if first & 0x10 == 0 { 1 } else { usize::from(cursor.u8()?) * 2 };
            cursor.skip(length).map(|()| Segment::Other)
        }
        3 if first & 0x1f != 0 => symbol(usize::from(first & 0x1f), 1, cursor),
        4 if first == 0x91 => {
            let length = usize::from(cursor.u8()?);
            symbol(length, 0, cursor)
        }
        4 if first == 0x80 => {
            let words = usize::from(cursor.u8()?);
            cursor.skip(words * 2).map(|()| Segment::Other)
        }
        _ => None,
    }
}

fn port<'a>(first: u8, cursor: &mut Cursor<'a>) -> Option<Segment<'a>> {
    let link_length = if first & 0x10 == 0 { 1 } else { usize::from(cursor.u8()?) };
    let port = match first & 0x0f {
        15 => cursor.le16()?,
        port => u16::from(port),
    };
    let link = cursor.take(link_length)?;
    if first & 0x10 != 0 && !link_length.is_multiple_of(2) {
        cursor.skip(1)?;
    }
    Some(Segment::Port(port, link))
}

fn logical<'a>(first: u8, cursor: &mut Cursor<'a>) -> Option<Segment<'a>> {
    let kind = (first >> 2) & 7;
    match (kind, first & 3) {
        (5, 0) => return key(cursor),
        (6, 0) => return cursor.u8().map(Segment::Service),
        _ => {}
    }
    let value = match first & 3 {
        0 => u32::from(cursor.u8()?),
        1 => {
            cursor.skip(1)?;
            u32::from(cursor.le16()?)
        }
        2 => {
            cursor.skip(1)?;
            cursor.le32()?
        }
        _ => return None,
    };
    Some(match kind {
        0 => Segment::Class(value),
        1 => Segment::Instance(value),
        2 => Segment::Member(value),
        3 => Segment::ConnectionPoint(value),
        4 => Segment::Attribute(value),
        _ => return None,
    })
}

fn key<'a>(cursor: &mut Cursor<'a>) -> Option<Segment<'a>> {
    /// The only key format (table C-1.5).
    const FORMAT: u8 = 4;
    if cursor.u8()? != FORMAT {
        return None;
    }
    Some(Segment::Key(Key {
        vendor: cursor.le16()?,
        device_type: cursor.le16()?,
        product_code: cursor.le16()?,
        major: cursor.u8()?,
        minor: cursor.u8()?,
    }))
}

/// A symbol of `length` bytes after `odd` bytes that spoil the alignment.
fn symbol<'a>(length: usize, odd: usize, cursor: &mut Cursor<'a>) -> Option<Segment<'a>> {
    let symbol = cursor.take(length)?;
    if !(length + odd).is_multiple_of(2) {
        cursor.skip(1)?;
    }
    Some(Segment::Symbol(symbol))
}

/// What a path says, besides its text.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Target {
    /// First class id: the object asked.
    pub outer: Option<u32>,
    /// Last class id: the object inside it, the same if there is one only.
    pub class: Option<u32>,
    /// Last instance id.
    pub instance: Option<u32>,
    /// The class and instance before the last ones, where a path leads through an object to one inside it.
    pub within: (Option<u32>, Option<u32>),
    /// Last attribute id.
    pub attribute: Option<u32>,
    /// Last member id.
    pub member: Option<u32>,
    /// Last connection point.
    pub connection_point: Option<u32>,
    /// Whether it names a tag.
    pub symbolic: bool,
    /// Link address of the last hop, where it is a number: the slot in a chassis.
    pub slot: Option<u32>,
    /// Electronic key.
    pub key: Option<Key>,
    /// Whether a segment could not be read.
    pub broken: bool,
}

/// Longest text made of a path; what is longer is cut. Paths have at most 255 words.
pub const TEXT_LIMIT: usize = 512;

/// Reads a path: appends its text to `object` (`class 0x04 instance 100 attribute 3`, `Tag.Member[2]`) and its hops to `route` (`1/0`).
pub fn describe(path: &[u8], object: &mut String, route: &mut String) -> Target {
    let mut target = Target::default();
    for segment in segments(path) {
        let Ok(segment) = segment else {
            target.broken = true;
            break;
        };
        note(&mut target, segment);
        if object.len() + route.len() < TEXT_LIMIT {
            write_segment(segment, object, route);
        }
    }
    target
}

/// Reads a path without its text.
#[must_use]
pub fn target(path: &[u8]) -> Target {
    let mut target = Target::default();
    for segment in segments(path) {
        match segment {
            Ok(segment) => note(&mut target, segment),
            Err(()) => target.broken = true,
        }
    }
    target
}

fn note(target: &mut Target, segment: Segment<'_>) {
    match segment {
        Segment::Port(_, link) => {
            target.slot = match link {
                [slot] => Some(u32::from(*slot)),
                _ => None,
            };
        }
        Segment::Class(id) => {
            target.outer.get_or_insert(id);
            target.within.0 = target.class.replace(id);
        }
        Segment::Instance(id) => target.within.1 = target.instance.replace(id),
        Segment::Attribute(id) => target.attribute = Some(id),
        Segment::Symbol(_) => target.symbolic = true,
        Segment::Key(key) => target.key = Some(key),
        Segment::Member(id) => target.member = Some(id),
        Segment::ConnectionPoint(id) => target.connection_point = Some(id),
        Segment::Service(_) | Segment::Other => {}
    }
}

fn write_segment(segment: Segment<'_>, object: &mut String, route: &mut String) {
    let gap = if object.is_empty() { "" } else { " " };
    // Writing to a string cannot fail.
    let _ = match segment {
        Segment::Class(id) => write!(object, "{gap}class {id:#04x}"),
        Segment::Instance(id) => write!(object, "{gap}instance {id}"),
        Segment::Attribute(id) => write!(object, "{gap}attribute {id}"),
        Segment::ConnectionPoint(id) => write!(object, "{gap}connection-point {id}"),
        Segment::Member(index) => write!(object, "[{index}]"),
        Segment::Service(id) => write!(object, "{gap}service {id:#04x}"),
        Segment::Symbol(name) => {
            let dot = if object.is_empty() { "" } else { "." };
            object.push_str(dot);
            object.extend(name.iter().map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '?' }));
            Ok(())
        }
        Segment::Port(port, link) => write_hop(port, link, route),
        Segment::Key(_) | Segment::Other => Ok(()),
    };
}

fn write_hop(port: u16, link: &[u8], route: &mut String) -> std::fmt::Result {
    let gap = if route.is_empty() { "" } else { " " };
    write!(route, "{gap}{port}/")?;
    match link {
        [slot] => write!(route, "{slot}"),
        text if text.iter().all(u8::is_ascii_graphic) => {
            text.iter().try_for_each(|byte| write!(route, "{}", char::from(*byte)))
        }
        bytes => bytes.iter().try_for_each(|byte| write!(route, "{byte:02x}")),
    }
}
