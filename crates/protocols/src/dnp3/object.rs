//! Object headers and the objects behind them (clause 4.2.2.7 and annex A).

use std::fmt;

use crate::bytes::Cursor;

use super::names::{self, Layout};

/// Which objects of a group a header names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Range {
    /// All that there are.
    All,
    /// From one index to another.
    Span(u32, u32),
    /// So many; each with its index or size in front, if the qualifier says so.
    Count(u32),
}

/// An object header with the objects behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header<'a> {
    /// Object group.
    pub group: u8,
    /// Variation.
    pub variation: u8,
    /// Qualifier octet.
    pub qualifier: u8,
    /// Which objects.
    pub range: Range,
    /// Their bytes, indexes and sizes included.
    pub data: &'a [u8],
    /// Whether values stand in `data`, or only indexes.
    pub valued: bool,
}

/// Why a list of objects could not be read further.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// It breaks the layout.
    Malformed,
    /// The variation is not known.
    Unknown,
}

/// Whether objects of a request of this function have values, or are only named (clause 4.4).
const fn is_valued(function: u8, group: u8) -> bool {
    match function {
        1 | 7..=10 | 20..=22 => false,
        11 | 12 => group == 50,
        _ => true,
    }
}

/// Reads the headers of a message of this function.
pub fn headers(function: u8, body: &[u8]) -> impl Iterator<Item = Result<Header<'_>, Fault>> {
    let mut cursor = Cursor::new(body);
    let mut over = false;
    std::iter::from_fn(move || {
        if over || cursor.is_empty() {
            return None;
        }
        let read = header(function, &mut cursor);
        over = read.is_err();
        Some(read)
    })
}

fn header<'a>(function: u8, cursor: &mut Cursor<'a>) -> Result<Header<'a>, Fault> {
    let (group, variation, qualifier, range) = named(cursor).ok_or(Fault::Malformed)?;
    let sized = matches!(qualifier >> 4 & 7, 4..=6);
    let valued = sized || is_valued(function, group) && range != Range::All;
    let start = cursor.rest();
    let mut ahead = *cursor;
    pass(group, variation, qualifier, range, valued, &mut ahead)?;
    let length = start.len() - ahead.left();
    let data = cursor.take(length).ok_or(Fault::Malformed)?;
    Ok(Header { group, variation, qualifier, range, data, valued })
}

fn named(cursor: &mut Cursor<'_>) -> Option<(u8, u8, u8, Range)> {
    let (group, variation, qualifier) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
    let range = match qualifier & 0x0f {
        0 | 3 => Range::Span(u32::from(cursor.u8()?), u32::from(cursor.u8()?)),
        1 | 4 => Range::Span(u32::from(cursor.le16()?), u32::from(cursor.le16()?)),
        2 | 5 => Range::Span(cursor.le32()?, cursor.le32()?),
        6 => Range::All,
        7 | 11 => Range::Count(u32::from(cursor.u8()?)),
        8 => Range::Count(u32::from(cursor.le16()?)),
        9 => Range::Count(cursor.le32()?),
        _ => return None,
    };
    if matches!(range, Range::Span(start, stop) if stop < start) {
        return None;
    }
    Some((group, variation, qualifier, range))
}

/// Passes over the objects of a header.
fn pass(
    group: u8,
    variation: u8,
    qualifier: u8,
    range: Range,
    valued: bool,
    cursor: &mut Cursor<'_>,
) -> Result<(), Fault> {
    let count = count(range);
    let prefix = prefix(qualifier).ok_or(Fault::Malformed)?;
    if let Prefix::Size(octets) = prefix {
        for _ in 0..count {
            sized(octets, cursor).ok_or(Fault::Malformed)?;
        }
        return Ok(());
    }
    let Prefix::Index(octets) = prefix else { return Err(Fault::Malformed) };
    if !valued {
        return skip(cursor, count, octets);
    }
    match names::layout(group, variation).ok_or(Fault::Unknown)? {
        Layout::Octets(size) => skip(cursor, count, octets + size),
        Layout::Bits(bits) if octets == 0 => {
            let total = u64::from(count) * bits as u64;
            let bytes = usize::try_from(total.div_ceil(8)).map_err(|_| Fault::Malformed)?;
            cursor.skip(bytes).ok_or(Fault::Malformed)
        }
        Layout::Bits(_) => skip(cursor, count, octets + 1),
        Layout::Counted => {
            for _ in 0..count {
                counted(octets, cursor).ok_or(Fault::Malformed)?;
            }
            Ok(())
        }
    }
}

fn skip(cursor: &mut Cursor<'_>, count: u32, each: usize) -> Result<(), Fault> {
    let octets = usize::try_from(u64::from(count) * each as u64).map_err(|_| Fault::Malformed)?;
    cursor.skip(octets).ok_or(Fault::Malformed)
}

fn sized<'a>(octets: usize, cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let size = little(cursor.take(octets)?);
    cursor.take(usize::try_from(size).ok()?)
}

/// Index, type, length, octets.
fn counted<'a>(octets: usize, cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    cursor.skip(octets)?;
    let mut ahead = *cursor;
    ahead.skip(1)?;
    let length = usize::from(ahead.u8()?);
    cursor.take(length + 2)
}

enum Prefix {
    /// An index of so many octets; 0 for none.
    Index(usize),
    /// A size of so many octets.
    Size(usize),
}

const fn prefix(qualifier: u8) -> Option<Prefix> {
    Some(match qualifier >> 4 & 7 {
        0 => Prefix::Index(0),
        1 => Prefix::Index(1),
        2 => Prefix::Index(2),
        3 => Prefix::Index(4),
        4 => Prefix::Size(1),
        5 => Prefix::Size(2),
        6 => Prefix::Size(4),
        _ => return None,
    })
}

const fn count(range: Range) -> u32 {
    match range {
        Range::All => 0,
        Range::Span(start, stop) => stop.saturating_sub(start).saturating_add(1),
        Range::Count(count) => count,
    }
}

fn little(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

impl<'a> Header<'a> {
    /// How many objects it names; 0 if all.
    #[must_use]
    pub const fn count(&self) -> u32 {
        count(self.range)
    }

    /// Group and variation as one number.
    #[must_use]
    pub fn kind(&self) -> (u8, u8) {
        (self.group, self.variation)
    }

    /// The objects that stand octet-aligned, each with its index (its place, if it has none) and its bytes.
    pub fn points(&self) -> impl Iterator<Item = (u32, &'a [u8])> + use<'a> {
        let header = *self;
        let mut cursor = Cursor::new(self.data);
        let mut place = match self.range {
            Range::Span(start, _) => start,
            _ => 0,
        };
        std::iter::from_fn(move || {
            if cursor.is_empty() {
                return None;
            }
            let point = header.point(place, &mut cursor);
            place = place.saturating_add(1);
            point
        })
    }

    fn point(&self, place: u32, cursor: &mut Cursor<'a>) -> Option<(u32, &'a [u8])> {
        match prefix(self.qualifier)? {
            Prefix::Size(octets) => Some((place, sized(octets, cursor)?)),
            Prefix::Index(octets) => {
                let index = if octets == 0 { place } else { little(Cursor::new(cursor.rest()).take(octets)?) };
                if !self.valued {
                    cursor.skip(octets)?;
                    return Some((index, &[]));
                }
                match names::layout(self.group, self.variation)? {
                    Layout::Octets(size) => {
                        cursor.skip(octets)?;
                        Some((index, cursor.take(size)?))
                    }
                    Layout::Bits(_) if octets > 0 => {
                        cursor.skip(octets)?;
                        Some((index, cursor.take(1)?))
                    }
                    Layout::Bits(_) => None,
                    Layout::Counted => Some((index, counted(octets, cursor)?)),
                }
            }
        }
    }
}

/// Indexes of one header that are printed.
const INDEXES_TOLD: usize = 16;

/// `binary-input g1v2 0-7`, `class-data g60v2`, `binary-output-command g12v1 3,5`.
impl fmt::Display for Header<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} g{}v{}", names::group(self.group).unwrap_or("group"), self.group, self.variation)?;
        match self.range {
            Range::All => Ok(()),
            Range::Span(start, stop) if start == stop => write!(f, " {start}"),
            Range::Span(start, stop) => write!(f, " {start}-{stop}"),
            Range::Count(count) => match prefix(self.qualifier) {
                Some(Prefix::Index(octets)) if octets > 0 => {
                    for (place, (index, _)) in self.points().take(INDEXES_TOLD).enumerate() {
                        write!(f, "{}{index}", if place == 0 { " " } else { "," })?;
                    }
                    if usize::try_from(count).is_ok_and(|count| count > INDEXES_TOLD) {
                        f.write_str(",...")
                    } else {
                        Ok(())
                    }
                }
                Some(Prefix::Size(_)) => Ok(()),
                _ => write!(f, " count {count}"),
            },
        }
    }
}

/// A control in words: `3: latch-on, count 1, on 100 ms, off 100 ms` or `3: 12.5`; with its status code.
#[must_use]
pub fn control(header: &Header<'_>, index: u32, bytes: &[u8]) -> Option<(String, u8)> {
    let mut cursor = Cursor::new(bytes);
    Some(match header.kind() {
        (12, 1 | 2) => {
            let (code, count) = (cursor.u8()?, cursor.u8()?);
            let (on, off, status) = (cursor.le32()?, cursor.le32()?, cursor.u8()? & 0x7f);
            let what = names::control(code);
            let clear = if code & 0x20 == 0 { "" } else { ", clear queue" };
            (format!("{index}: {what}{clear}, count {count}, on {on} ms, off {off} ms"), status)
        }
        (41, 1) => {
            let value = cursor.le32()?.cast_signed();
            (format!("{index}: {value}"), cursor.u8()? & 0x7f)
        }
        (41, 2) => {
            let value = cursor.le16()?.cast_signed();
            (format!("{index}: {value}"), cursor.u8()? & 0x7f)
        }
        (41, 3) => {
            let value = f32::from_bits(cursor.le32()?);
            (format!("{index}: {value}"), cursor.u8()? & 0x7f)
        }
        (41, 4) => {
            let value = f64::from_bits(cursor.le64()?);
            (format!("{index}: {value}"), cursor.u8()? & 0x7f)
        }
        _ => return None,
    })
}
