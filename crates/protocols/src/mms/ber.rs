//! BER elements (X.690) with tags of any size, as MMS numbers its services beyond 30. Definite lengths only.

use std::fmt::{self, Write as _};

use crate::bytes::Cursor;

/// Deepest nesting that is followed. A level of a type description takes four elements, and IEC 61850 announces up to 10 levels of data.
pub const DEPTH_LIMIT: u8 = 64;

/// An element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Element<'a> {
    /// First byte of the tag: class, form, and its number if that is below 31.
    pub first: u8,
    /// Number of the tag.
    pub number: u32,
    /// What it holds.
    pub content: &'a [u8],
}

impl<'a> Element<'a> {
    /// The next element.
    pub fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        let first = cursor.u8()?;
        let number = match first & 0x1f {
            0x1f => high_number(cursor)?,
            low => low.into(),
        };
        let length = length(cursor)?;
        Some(Element { first, number, content: cursor.take(length)? })
    }

    /// The only element in `bytes`.
    #[must_use]
    pub fn only(bytes: &'a [u8]) -> Option<Self> {
        Element::read(&mut Cursor::new(bytes))
    }

    /// Whether it holds elements.
    #[must_use]
    pub const fn is_constructed(&self) -> bool {
        self.first & 0x20 != 0
    }

    /// The elements in it.
    #[must_use]
    pub const fn children(&self) -> Elements<'a> {
        Elements { cursor: Cursor::new(self.content) }
    }

    /// The first element in it whose tag begins so.
    #[must_use]
    pub fn child(&self, first: u8) -> Option<Element<'a>> {
        self.children().find(|element| element.first == first)
    }

    /// Its content as a text to print.
    #[must_use]
    pub const fn plain(&self) -> Plain<'a> {
        Plain(self.content)
    }

    /// Its content as a text, empty if it is none.
    #[must_use]
    pub fn text(&self) -> &'a str {
        std::str::from_utf8(self.content).unwrap_or_default()
    }

    /// Its content as an unsigned integer of at most five bytes.
    #[must_use]
    pub fn unsigned(&self) -> Option<u32> {
        crate::iec61850::unsigned(self.content)
    }

    /// Its content as a signed integer.
    #[must_use]
    pub fn signed(&self) -> Option<i64> {
        let (first, rest) = self.content.split_first()?;
        let start = i64::from(first.cast_signed());
        (rest.len() < 8).then(|| rest.iter().fold(start, |sum, byte| sum << 8 | i64::from(*byte)))
    }

    /// Whether every element within it ends where it should.
    #[must_use]
    pub fn is_sound(&self, depth: u8) -> bool {
        if !self.is_constructed() {
            return true;
        }
        let mut cursor = Cursor::new(self.content);
        while !cursor.is_empty() {
            match (Element::read(&mut cursor), depth.checked_sub(1)) {
                (Some(element), Some(depth)) if element.is_sound(depth) => {}
                _ => return false,
            }
        }
        true
    }
}

/// A text of MMS: letters, digits, `$` and `_`. What JSON or a terminal would trip over prints as `?`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plain<'a>(pub &'a [u8]);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |byte: &u8| matches!(byte, 0x20..=0x7e) && !matches!(byte, b'"' | b'\\');
        match std::str::from_utf8(self.0) {
            Ok(text) if self.0.iter().all(is_plain) => f.write_str(text),
            _ => self.0.iter().try_for_each(|byte| f.write_char(if is_plain(byte) { char::from(*byte) } else { '?' })),
        }
    }
}

/// Elements one behind the other; ends at the first that is cut short.
#[derive(Clone, Copy, Debug)]
pub struct Elements<'a> {
    cursor: Cursor<'a>,
}

impl<'a> Elements<'a> {
    /// The elements in `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Elements { cursor: Cursor::new(bytes) }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        Element::read(&mut self.cursor)
    }
}

/// Seven bits a byte, the highest bit set in all but the last; three bytes are more than any protocol here needs.
fn high_number(cursor: &mut Cursor<'_>) -> Option<u32> {
    let mut number = 0u32;
    for _ in 0..3 {
        let byte = cursor.u8()?;
        number = number << 7 | u32::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn length(cursor: &mut Cursor<'_>) -> Option<usize> {
    match cursor.u8()? {
        short @ 0..=0x7f => Some(short.into()),
        0x81 => cursor.u8().map(usize::from),
        0x82 => cursor.be16().map(usize::from),
        0x83 => usize::try_from(cursor.be24()?).ok(),
        0x84 => usize::try_from(cursor.be32()?).ok(),
        _ => None,
    }
}

/// An object identifier in dots; empty if it is none.
#[must_use]
pub fn oid(content: &[u8]) -> String {
    let mut text = String::new();
    let mut value = 0u64;
    for byte in content.iter().take(64) {
        value = value << 7 | u64::from(byte & 0x7f);
        if value > u64::from(u32::MAX) {
            return String::new();
        }
        if byte & 0x80 != 0 {
            continue;
        }
        if text.is_empty() {
            let root = (value / 40).min(2);
            text = format!("{root}.{}", value.saturating_sub(root.saturating_mul(40)));
        } else {
            let _ = write!(text, ".{value}");
        }
        value = 0;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    #[test]
    fn tags_and_lengths() {
        let bytes = hex("bf4803800101");
        let open = Element::only(&bytes).unwrap();
        assert_eq!((open.first, open.number), (0xbf, 72));
        assert_eq!(open.child(0x80).and_then(|child| child.unsigned()), Some(1));
        assert!(open.is_sound(2) && !open.is_sound(0));
        assert_eq!(Element::only(&hex("bfff8180800100")), None);
        assert_eq!(Element::only(&hex("a0800000")), None);
        assert!(!Element::only(&hex("a0038005ff")).unwrap().is_sound(4));
    }

    #[test]
    fn numbers_and_names() {
        let signed = |text: &str| Element { first: 0x85, number: 5, content: &hex(text) }.signed();
        assert_eq!((signed("ff"), signed("7f"), signed("ff38"), signed("")), (Some(-1), Some(127), Some(-200), None));
        assert_eq!(oid(&hex("28ca220203")), "1.0.9506.2.3");
        assert_eq!(oid(&hex("520301")), "2.2.3.1");
        assert_eq!(oid(&[0xff; 12]), "");
    }
}
