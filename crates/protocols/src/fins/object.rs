//! What a request is done to.

use std::fmt::Write as _;

use super::names;
use crate::bytes::{Cursor, device_text};
use crate::login::Secret;

/// Items of a list that are named; the rest is counted.
const ITEMS: usize = 8;
/// Bytes of a file name: eight, a point and three.
pub const FILE_NAME: usize = 12;

/// What a request names.
#[derive(Debug, Default)]
pub struct Named {
    /// Range, area, file, program or mode.
    pub object: String,
    /// How many items or bytes.
    pub quantity: Option<u64>,
    /// What a look at its password showed.
    pub secret: Option<Secret>,
}

impl Named {
    fn plain(object: String) -> Self {
        Named { object, ..Named::default() }
    }

    fn counted(object: String, quantity: impl Into<u64>) -> Self {
        Named { object, quantity: Some(quantity.into()), secret: None }
    }
}

/// What a request of this command names; `None` if it is shorter than the command needs.
pub fn of(command: u16, text: &[u8]) -> Option<Named> {
    let mut cursor = Cursor::new(text);
    Some(match command {
        0x0101..=0x0103 => {
            let start = Place::read(&mut cursor)?;
            let count = cursor.be16()?;
            Named::counted(start.range(count), count)
        }
        0x0104 => list(&mut cursor),
        0x0105 => {
            let (from, to, count) = (Place::read(&mut cursor)?, Place::read(&mut cursor)?, cursor.be16()?);
            Named::counted(format!("{} to {}", from.range(count), to.range(count)), count)
        }
        0x0201..=0x0203 => {
            let (area, start, count) = (cursor.be16()?, cursor.be16()?, cursor.be16()? & 0x7fff);
            Named::counted(format!("{} {start}", names::parameters(area)), count)
        }
        0x0304 | 0x0305 => protection(&mut cursor)?,
        0x0306..=0x0308 => program(command, &mut cursor)?,
        0x0401 | 0x0402 => run(&mut cursor),
        0x0702 => clock(&mut cursor)?,
        0x0c01..=0x0c03 => Named::plain(format!("program {}", cursor.be16()?)),
        0x2101 => Named::plain(format!("error 0x{:04x}", cursor.be16()?)),
        0x2102 => {
            let (start, count) = (cursor.be16()?, cursor.be16()?);
            Named::counted(format!("record {start}"), count)
        }
        0x2202 | 0x2203 => file_part(command, &mut cursor)?,
        0x2201 | 0x2204..=0x2209 | 0x2215 => files(command, &mut cursor)?,
        0x220a..=0x220c => {
            let name = text.len().checked_sub(FILE_NAME).and_then(|at| text.get(at..)).and_then(device_text);
            let way = match cursor.be16()? {
                0 => "memory into file",
                1 => "memory out of file",
                _ => "memory held against file",
            };
            Named::plain(format!("{way} {}", name.unwrap_or_default()))
        }
        0x2301 => forced(&mut cursor)?,
        0x230a => {
            let start = Place::read(&mut cursor)?;
            let count = cursor.be16()?;
            Named::counted(start.range(count), count)
        }
        0x2601 => Named::plain(device_text(text).unwrap_or_default()),
        _ => Named::default(),
    })
}

/// A place in memory: area, word, bit (W342 section 5-2-2).
struct Place {
    code: u8,
    word: u16,
    bit: u8,
}

impl Place {
    fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        Some(Place { code: cursor.u8()?, word: cursor.be16()?, bit: cursor.u8()? })
    }

    fn range(&self, count: u16) -> String {
        let mut object = String::new();
        // Writing to a string cannot fail.
        let _ = match names::area(self.code) {
            Some((symbol, true)) => write!(object, "{symbol} {}.{:02}", self.word, self.bit),
            Some((symbol, false)) => write!(object, "{symbol} {}", self.word),
            None => write!(object, "area 0x{:02x} {}", self.code, self.word),
        };
        let is_words = names::area(self.code).is_none_or(|(_, bits)| !bits);
        if count > 1 && is_words {
            let _ = write!(object, "-{}", u32::from(self.word) + u32::from(count) - 1);
        }
        object
    }
}

fn list(cursor: &mut Cursor<'_>) -> Named {
    let (mut named, mut count) = (Vec::new(), 0u64);
    while let Some(place) = Place::read(cursor) {
        count += 1;
        if named.len() < ITEMS {
            named.push(place.range(1));
        }
    }
    Named::counted(named.join(", "), count)
}

/// Program number, a code, first and last word, and a password of four characters.
fn protection(cursor: &mut Cursor<'_>) -> Option<Named> {
    let program = cursor.be16()?;
    cursor.skip(9)?;
    let secret = cursor.rest().get(..4).map(|word| Secret::examine("", word.trim_ascii_end()));
    Some(Named { object: format!("program {program}"), quantity: None, secret })
}

fn program(command: u16, cursor: &mut Cursor<'_>) -> Option<Named> {
    let number = cursor.be16()?;
    let object = format!("program {number}");
    if command == 0x0308 {
        return Some(Named::plain(object));
    }
    let (first, bytes) = (cursor.be32()?, cursor.be16()? & 0x7fff);
    Some(Named::counted(format!("{object} word {first}"), bytes))
}

/// Program number and mode, which CPUs of the CS and CJ series may be asked without.
fn run(cursor: &mut Cursor<'_>) -> Named {
    cursor.skip(2);
    Named::plain(cursor.u8().and_then(names::mode).map(|mode| format!("mode {mode}")).unwrap_or_default())
}

/// Year, month, day, hour and, if given, minute and second, in binary-coded decimal.
fn clock(cursor: &mut Cursor<'_>) -> Option<Named> {
    let mut digits = || cursor.u8().map(|byte| format!("{byte:02x}"));
    let (year, month, day, hour, minute) = (digits()?, digits()?, digits()?, digits()?, digits()?);
    Some(Named::plain(format!("{year}-{month}-{day} {hour}:{minute}")))
}

fn file_part(command: u16, cursor: &mut Cursor<'_>) -> Option<Named> {
    cursor.skip(if command == 0x2203 { 4 } else { 2 })?;
    let name = cursor.take(FILE_NAME).and_then(device_text)?;
    cursor.skip(4)?;
    Some(Named::counted(format!("file {name}"), cursor.be16()?))
}

/// Names behind disk numbers, parameters and counts (W342 sections 5-3-32 to 5-3-42).
fn files(command: u16, cursor: &mut Cursor<'_>) -> Option<Named> {
    let disk = cursor.be16()?;
    let mut name = |skipped: usize| {
        cursor.skip(skipped)?;
        cursor.take(FILE_NAME).map(|bytes| device_text(bytes).unwrap_or_default())
    };
    Some(match command {
        0x2205 => {
            let mut names: Vec<String> = name(2).into_iter().collect();
            while let Some(next) = name(0).filter(|_| names.len() < ITEMS) {
                names.push(next);
            }
            Named::plain(names.join(", "))
        }
        0x2206 | 0x2215 => Named::plain(name(2)?),
        0x2207 => Named::plain(format!("{} to {}", name(0)?, name(2)?)),
        0x2208 => {
            let new = name(0)?;
            Named::plain(format!("{} to {new}", name(0)?))
        }
        0x2209 => Named::plain(name(0)?),
        _ => Named::plain(format!("disk {disk}")),
    })
}

/// How many, then of each what is done, its area, word and bit.
fn forced(cursor: &mut Cursor<'_>) -> Option<Named> {
    let count = cursor.be16()?;
    let mut named = Vec::new();
    while named.len() < ITEMS {
        let Some(what) = cursor.be16() else { break };
        let Some(place) = Place::read(cursor) else { break };
        let what = match what {
            0x0000 => "reset",
            0x0001 => "set",
            0x8000 => "release to off",
            0x8001 => "release to on",
            _ => "release",
        };
        named.push(format!("{} {what}", place.range(1)));
    }
    Some(Named::counted(named.join(", "), count))
}
