//! Telegrams of the older dialects: `<STX>text<ETX>` (CoLa A), and four STX, a length, binary data and a checksum (CoLa B).

use quaywatch_wire::Length;

use super::cola2;
use crate::bytes::Cursor;

/// Start of a telegram.
pub const STX: u8 = 2;
const ETX: u8 = 3;
/// Four STX and the length of CoLa B and CoLa 2.
pub const HEADER_B: usize = 8;
/// Longest telegram taken: a scan with several echoes and intensities stays below.
pub const LIMIT: usize = 128 * 1024;

/// Bytes of the telegram at the front.
pub fn length(bytes: &[u8]) -> Length {
    match bytes {
        [STX, STX, STX, STX, a, b, c, d, first, ..] => {
            let data = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).unwrap_or(usize::MAX);
            match *first {
                b's' if data >= 4 => Length::Whole(HEADER_B.saturating_add(data).saturating_add(1)),
                hub if cola2::is_hub_counter(hub) && data >= cola2::LEAST => {
                    Length::Whole(HEADER_B.saturating_add(data))
                }
                _ => Length::Invalid,
            }
        }
        [STX] | [STX, STX] | [STX, STX, STX] | [STX, STX, STX, STX, ..] => Length::NeedMore,
        [STX, b's', rest @ ..] => {
            rest.iter().position(|byte| *byte == ETX).map_or(Length::NeedMore, |at| Length::Whole(at + 3))
        }
        // Terminals end telegrams with a line end.
        [b'\r' | b'\n', ..] => Length::Whole(1),
        [] => Length::NeedMore,
        _ => Length::Invalid,
    }
}

/// The language's dialects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// Text.
    A,
    /// Binary, with a checksum.
    B,
    /// Binary, in sessions.
    Two {
        /// Number that the device gave the session; 0 before.
        session: u32,
        /// Number of the request, repeated in its answer.
        request: u16,
    },
}

impl Dialect {
    /// Name in `detail`.
    pub const fn name(self) -> &'static str {
        match self {
            Dialect::A => "CoLa A",
            Dialect::B => "CoLa B",
            Dialect::Two { .. } => "CoLa 2",
        }
    }
}

/// Whether this can be the name of a variable, method or of what is published.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// One telegram.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Telegram<'a> {
    /// The two letters behind the `s`.
    pub kind: [u8; 2],
    /// Variable, method or event; empty for an error.
    pub name: &'a str,
    /// The number that stands for the name in CoLa 2.
    pub index: Option<u16>,
    /// What follows the name.
    pub values: &'a [u8],
    /// Which dialect it is.
    pub dialect: Dialect,
    /// Whether the checksum of CoLa B holds; CoLa A has none.
    pub sound: bool,
}

impl<'a> Telegram<'a> {
    /// Reads a whole frame; none if it is no telegram.
    pub fn read(frame: &'a [u8]) -> Option<Self> {
        let binary = frame.starts_with(&[STX; 4]);
        if binary && frame.get(HEADER_B).is_some_and(|first| cola2::is_hub_counter(*first)) {
            return cola2::read(frame);
        }
        let (index, dialect) = (None, if binary { Dialect::B } else { Dialect::A });
        let (body, sound) = if binary {
            let (sum, body) = frame.get(HEADER_B..)?.split_last()?;
            (body, body.iter().fold(0, |sum, byte| sum ^ byte) == *sum)
        } else {
            (frame.strip_prefix(&[STX])?.strip_suffix(&[ETX])?, true)
        };
        let [b's', first, second, rest @ ..] = body else { return None };
        let kind = [*first, *second];
        let rest = rest.strip_prefix(b" ").unwrap_or(rest);
        if kind == *b"FA" {
            return Some(Telegram { kind, name: "", index, values: rest, dialect, sound });
        }
        if kind[1] == b'I' && binary {
            // An index of two bytes stands for the name.
            let values = rest.get(2..)?;
            return Some(Telegram { kind, name: "", index, values, dialect, sound });
        }
        let end = rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len());
        let name = std::str::from_utf8(rest.get(..end)?).ok()?;
        if !is_name(name) {
            return None;
        }
        Some(Telegram { kind, name, index, values: rest.get(end + 1..).unwrap_or_default(), dialect, sound })
    }

    fn is_binary(&self) -> bool {
        self.dialect != Dialect::A
    }

    /// The code of an `sFA`.
    pub fn error(&self) -> Option<u32> {
        if let Dialect::Two { .. } = self.dialect {
            // Two bytes in the order of the device; no code has more than one.
            return Cursor::new(self.values).be16().map(|code| u32::from(code.min(code.swap_bytes())));
        }
        if self.is_binary() {
            let tail = self.values.get(..2).unwrap_or(self.values);
            return (!tail.is_empty()).then(|| tail.iter().fold(0, |code, byte| code << 8 | u32::from(*byte)));
        }
        u32::from_str_radix(self.text()?.split(' ').next()?, 16).ok()
    }

    /// The values as text, CoLa A only.
    pub fn text(&self) -> Option<&'a str> {
        if self.is_binary() { None } else { std::str::from_utf8(self.values).ok() }
    }

    /// Level and hash of `SetAccessMode`.
    pub fn login(&self) -> Option<(u8, u32)> {
        if self.is_binary() {
            let mut cursor = Cursor::new(self.values);
            return Some((cursor.u8()?, cursor.be32()?));
        }
        let mut words = self.text()?.split(' ');
        let level = u8::from_str_radix(words.next()?, 16).ok()?;
        Some((level, u32::from_str_radix(words.next()?, 16).ok()?))
    }

    /// Whether a method that answers yes or no said yes.
    pub fn accepted(&self) -> Option<bool> {
        let first = self.values.first()?;
        if self.is_binary() { Some(*first != 0) } else { Some(*first != b'0') }
    }

    /// Whether the values are one text with its length in front, low byte first, and nothing else.
    pub fn is_one_text(&self) -> bool {
        let mut cursor = Cursor::new(self.values);
        let length = cursor.le16().map(usize::from);
        let printable = |byte: &u8| *byte >= b' ';
        length.is_some_and(|length| length > 0 && length == cursor.left()) && cursor.rest().iter().all(printable)
    }

    /// The texts among the values: each has its length in front, hexadecimal in CoLa A, two bytes in CoLa B. A value without
    /// a length is a text of its own.
    pub fn texts(&self) -> Vec<&'a str> {
        let found = match self.dialect {
            Dialect::A => ascii_texts(self.values),
            Dialect::B => binary_texts(self.values, u16::from_be_bytes),
            Dialect::Two { .. } => {
                binary_texts(self.values, u16::from_le_bytes).or_else(|| binary_texts(self.values, u16::from_be_bytes))
            }
        };
        found.unwrap_or_else(|| std::str::from_utf8(self.values).ok().into_iter().collect())
    }
}

fn binary_texts(values: &[u8], order: fn([u8; 2]) -> u16) -> Option<Vec<&str>> {
    let mut cursor = Cursor::new(values);
    let mut texts = Vec::new();
    while !cursor.is_empty() {
        let length = usize::from(order([cursor.u8()?, cursor.u8()?]));
        texts.push(std::str::from_utf8(cursor.take(length)?).ok()?);
    }
    Some(texts)
}

fn ascii_texts(values: &[u8]) -> Option<Vec<&str>> {
    let mut left = std::str::from_utf8(values).ok()?;
    let mut texts = Vec::new();
    while !left.is_empty() {
        let (length, rest) = left.split_once(' ')?;
        let length = usize::from_str_radix(length, 16).ok()?;
        texts.push(rest.get(..length)?);
        left = rest.get(length..)?;
        left = left.strip_prefix(' ').unwrap_or(left);
    }
    Some(texts)
}
