//! Tagged values (clause 20.2).

use std::fmt;

use crate::bytes::{Cursor, device_text};
use crate::detail_json::Hex;

use super::names;

/// Characters of one text that are printed.
const TEXT_TOLD: usize = 200;
/// Octets of one octet or bit string that are printed.
const OCTETS_TOLD: usize = 32;

/// What a tag says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A value whose tag number tells its type.
    Application,
    /// A value whose type the service tells.
    Context,
    /// The bracket before a list.
    Opening,
    /// The bracket behind it.
    Closing,
}

/// A tag with its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tag<'a> {
    /// Number.
    pub number: u8,
    /// What it is.
    pub kind: Kind,
    /// Contents; an application boolean has its truth here as one octet.
    pub content: &'a [u8],
}

impl<'a> Tag<'a> {
    /// Reads the next tag; takes nothing if it is cut short.
    pub fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        let mut ahead = *cursor;
        let first = ahead.u8()?;
        let number = if first >> 4 == 15 { ahead.u8()? } else { first >> 4 };
        let context = first & 8 != 0;
        let value = first & 7;
        let kind = match (context, value) {
            (true, 6) => Kind::Opening,
            (true, 7) => Kind::Closing,
            (true, _) => Kind::Context,
            (false, 6 | 7) => return None,
            (false, _) => Kind::Application,
        };
        let content = match kind {
            Kind::Opening | Kind::Closing => &[][..],
            // The truth of a boolean stands in the tag itself.
            Kind::Application if number == 1 => {
                if value == 0 {
                    &[0][..]
                } else {
                    &[1][..]
                }
            }
            _ => {
                let length = length(value, &mut ahead)?;
                ahead.take(length)?
            }
        };
        *cursor = ahead;
        Some(Tag { number, kind, content })
    }

    /// Whether it is context tag `number`.
    #[must_use]
    pub fn is(&self, number: u8) -> bool {
        self.kind == Kind::Context && self.number == number
    }

    /// Whether it opens list `number`.
    #[must_use]
    pub fn opens(&self, number: u8) -> bool {
        self.kind == Kind::Opening && self.number == number
    }

    /// Its content as an unsigned or enumerated number.
    #[must_use]
    pub fn unsigned(&self) -> Option<u32> {
        if self.content.is_empty() || self.content.len() > 4 {
            return None;
        }
        Some(self.content.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
    }

    /// Its content as a signed number.
    #[must_use]
    pub fn signed(&self) -> Option<i64> {
        let first = *self.content.first()?;
        if self.content.len() > 8 {
            return None;
        }
        let start = if first & 0x80 == 0 { 0 } else { -1 };
        Some(self.content.iter().fold(start, |sum: i64, byte| sum << 8 | i64::from(*byte)))
    }

    /// Its content as an object identifier.
    #[must_use]
    pub fn object(&self) -> Option<Object> {
        let number = u32::from_be_bytes(self.content.try_into().ok()?);
        Some(Object::of(number))
    }

    /// Its content as text, if it is a character string.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        let (set, bytes) = self.content.split_first()?;
        match set {
            4 => {
                let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| Cursor::new(pair).be16().unwrap_or(0)).collect();
                device_text(String::from_utf16_lossy(&units).as_bytes())
            }
            // Code page and its number (IBM / Microsoft DBCS).
            1 => device_text(bytes.get(2..)?),
            _ => device_text(bytes),
        }
    }
}

fn length(value: u8, cursor: &mut Cursor<'_>) -> Option<usize> {
    if value < 5 {
        return Some(usize::from(value));
    }
    match cursor.u8()? {
        254 => cursor.be16().map(usize::from),
        255 => usize::try_from(cursor.be32()?).ok(),
        short => Some(usize::from(short)),
    }
}

/// The bytes of a list whose opening tag was just read, without its closing tag, which is passed over.
pub fn list<'a>(number: u8, cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let start = cursor.rest();
    let mut depth = 0usize;
    loop {
        let before = cursor.left();
        let tag = Tag::read(cursor)?;
        match tag.kind {
            Kind::Opening => depth += 1,
            Kind::Closing if depth == 0 => {
                return (tag.number == number).then(|| start.get(..start.len() - before)).flatten();
            }
            Kind::Closing => depth -= 1,
            _ => {}
        }
    }
}

/// An object identifier.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Object {
    /// Object type.
    pub kind: u16,
    /// Instance; 4194303 is any.
    pub instance: u32,
}

impl Object {
    /// Ten bits of type, twenty-two of instance (clause 20.2.14).
    #[must_use]
    pub fn of(number: u32) -> Self {
        Object { kind: u16::try_from(number >> 22).unwrap_or(0), instance: number & 0x3f_ffff }
    }

    /// Whether it is a device object.
    #[must_use]
    pub const fn is_device(self) -> bool {
        self.kind == 8
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match names::object(self.kind) {
            Some(name) => write!(f, "{name} {}", self.instance),
            None => write!(f, "object-type-{} {}", self.kind, self.instance),
        }
    }
}

/// A property with its array index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Property {
    /// Property identifier.
    pub id: u32,
    /// Array index.
    pub index: Option<u32>,
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match names::property(self.id) {
            Some(name) => f.write_str(name)?,
            None => write!(f, "property-{}", self.id)?,
        }
        self.index.map_or(Ok(()), |index| write!(f, "[{index}]"))
    }
}

/// Class and code of an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failure {
    /// Error class.
    pub class: u32,
    /// Error code.
    pub code: u32,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match names::error_class(self.class) {
            Some(name) => write!(f, "{name}: ")?,
            None => write!(f, "class-{}: ", self.class)?,
        }
        match names::error_code(self.code) {
            Some(name) => f.write_str(name),
            None => write!(f, "code-{}", self.code),
        }
    }
}

impl Failure {
    /// Reads class and code, both enumerated.
    pub fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        let class = Tag::read(cursor)?.unsigned()?;
        let code = Tag::read(cursor)?.unsigned()?;
        Some(Failure { class, code })
    }
}

/// Prints an application-tagged value.
impl fmt::Display for Tag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = Hex(self.content.get(..OCTETS_TOLD).unwrap_or(self.content));
        if self.kind != Kind::Application {
            return write!(f, "[{}] {hex}", self.number);
        }
        match (self.number, self.content) {
            (0, _) => f.write_str("null"),
            (1, truth) => f.write_str(if truth == [0] { "false" } else { "true" }),
            (2 | 9, _) => match self.unsigned() {
                Some(number) => write!(f, "{number}"),
                None => write!(f, "{hex}"),
            },
            (3, _) => match self.signed() {
                Some(number) => write!(f, "{number}"),
                None => write!(f, "{hex}"),
            },
            (4, content) => match content.first_chunk::<4>() {
                Some(bytes) => write!(f, "{}", f32::from_be_bytes(*bytes)),
                None => write!(f, "{hex}"),
            },
            (5, content) => match content.first_chunk::<8>() {
                Some(bytes) => write!(f, "{}", f64::from_be_bytes(*bytes)),
                None => write!(f, "{hex}"),
            },
            (7, _) => f.write_str(self.text().unwrap_or_default().chars().take(TEXT_TOLD).collect::<String>().as_str()),
            (8, content) => bits(f, content),
            (10, [year, month, day, _]) => date(f, *year, *month, *day),
            (11, [hour, minute, second, hundredths]) => {
                write!(f, "{hour:02}:{minute:02}:{second:02}.{hundredths:02}")
            }
            (12, _) => match self.object() {
                Some(object) => write!(f, "{object}"),
                None => write!(f, "{hex}"),
            },
            _ => write!(f, "{hex}"),
        }
    }
}

/// The first octet says how many bits of the last are unused (clause 20.2.10).
fn bits(f: &mut fmt::Formatter<'_>, content: &[u8]) -> fmt::Result {
    let Some((unused, bytes)) = content.split_first() else { return f.write_str("0b") };
    f.write_str("0b")?;
    let count = (bytes.len() * 8).saturating_sub(usize::from(*unused)).min(OCTETS_TOLD * 8);
    let all = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
    all.take(count).try_for_each(|bit| write!(f, "{bit}"))
}

/// Years count from 1900; 255 is any.
fn date(f: &mut fmt::Formatter<'_>, year: u8, month: u8, day: u8) -> fmt::Result {
    match year {
        255 => f.write_str("*")?,
        year => write!(f, "{}", 1900 + u16::from(year))?,
    }
    for part in [month, day] {
        match part {
            255 => f.write_str("-*")?,
            part => write!(f, "-{part:02}")?,
        }
    }
    Ok(())
}
