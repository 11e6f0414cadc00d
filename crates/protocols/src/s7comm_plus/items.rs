//! Lists of numbered values, and values as an assessor reads them.

use std::fmt::{self, Display, Write};

use super::value::{self, Elements, Value, vlq, vlq32};
use crate::bytes::{Cursor, device_text};

/// Values told of one message.
pub const TOLD_LIMIT: usize = 16;
/// Characters told of one value.
pub const TEXT_LIMIT: usize = 64;
/// Bytes or elements told of one value.
const ELEMENT_LIMIT: usize = 16;

const USINT: u8 = 2;
const BYTE: u8 = 0x0a;

/// Numbered values, read one by one.
#[derive(Debug)]
pub struct Items<'c, 'a> {
    cursor: &'c mut Cursor<'a>,
    /// Items still to come; `None` where the number 0 ends the list.
    left: Option<u32>,
    whole: Option<()>,
}

impl<'c, 'a> Items<'c, 'a> {
    /// A list of `count` items, as requests have it.
    pub const fn counted(cursor: &'c mut Cursor<'a>, count: u32) -> Self {
        Items { cursor, left: Some(count), whole: Some(()) }
    }

    /// A list that the number 0 ends, as responses have it.
    pub const fn ended(cursor: &'c mut Cursor<'a>) -> Self {
        Items { cursor, left: None, whole: Some(()) }
    }

    /// Reads what is left; `None` if any item was broken.
    pub fn finish(mut self) -> Option<()> {
        self.by_ref().for_each(drop);
        self.whole
    }
}

impl<'a> Iterator for Items<'_, 'a> {
    type Item = (u32, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == Some(0) || self.whole.is_none() {
            return None;
        }
        self.left = self.left.map(|left| left.saturating_sub(1));
        let Some(number) = vlq32(self.cursor) else {
            self.whole = None;
            return None;
        };
        if number == 0 && self.left.is_none() {
            self.left = Some(0);
            return None;
        }
        let said = value::value(self.cursor, 0, &mut |_, _| ()).map(|said| (number, said));
        self.whole = said.map(|_| ());
        said
    }
}

/// Calls `each` with number and return value of the items that could not be read or written, up to the number 0.
pub fn errors(cursor: &mut Cursor<'_>, mut each: impl FnMut(u32, u64)) -> Option<()> {
    loop {
        match vlq32(cursor)? {
            0 => return Some(()),
            number => each(number, vlq(cursor)?),
        }
    }
}

/// A value in the words of a reader, at most [`TEXT_LIMIT`] characters.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a>(pub Value<'a>);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("null"),
            Value::Unsigned(number) => write!(f, "{number}"),
            Value::Signed(number) => write!(f, "{number}"),
            Value::Real(number) => write!(f, "{number}"),
            Value::Blob(bytes) => blob(f, bytes),
            Value::Text(bytes) => text(f, bytes),
            Value::Struct(id) => write!(f, "structure {id:#x}"),
            Value::Array(elements) => array(f, elements),
        }
    }
}

fn text(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    let text = String::from_utf8_lossy(bytes);
    text.chars().take(TEXT_LIMIT).try_for_each(|character| f.write_char(character))
}

fn blob(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    f.write_str("0x")?;
    bytes.iter().take(ELEMENT_LIMIT).try_for_each(|byte| write!(f, "{byte:02x}"))?;
    if bytes.len() > ELEMENT_LIMIT { write!(f, "... {} bytes", bytes.len()) } else { Ok(()) }
}

/// An S7 STRING lies in its bytes as room, length, characters (TIA Portal help, "STRING").
fn string(bytes: &[u8]) -> Option<String> {
    let (room, length) = (*bytes.first()?, *bytes.get(1)?);
    let fits = length > 0 && length <= room && bytes.len() >= usize::from(room).checked_add(2)?;
    device_text(bytes.get(2..usize::from(length).checked_add(2)?)?).filter(|_| fits)
}

fn array(f: &mut fmt::Formatter<'_>, elements: Elements<'_>) -> fmt::Result {
    if matches!(elements.kind, USINT | BYTE) {
        return match string(elements.bytes) {
            Some(said) => text(f, said.as_bytes()),
            None => blob(f, elements.bytes),
        };
    }
    f.write_char('[')?;
    for (index, element) in elements.each().take(ELEMENT_LIMIT).enumerate() {
        let between = if index > 0 { " " } else { "" };
        write!(f, "{between}{}", Shown(element))?;
    }
    let more = usize::try_from(elements.count).is_ok_and(|count| count > ELEMENT_LIMIT);
    if more { write!(f, " ... {} elements]", elements.count) } else { f.write_char(']') }
}
