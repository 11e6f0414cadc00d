//! Paths (EPATH, CIP Networks Library volume 1, appendix C): what a service is done to.

use std::fmt;

use super::names;
use crate::bytes::Cursor;

/// Longest symbol kept, bytes.
const MAX_SYMBOL: usize = 256;

/// Segments of a path.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Path {
    pub(super) class: Option<u32>,
    pub(super) instance: Option<u32>,
    pub(super) attribute: Option<u32>,
    pub(super) member: Option<u32>,
    pub(super) connection_point: Option<u32>,
    /// Symbolic segments joined by dots, with member numbers in brackets.
    pub(super) symbol: String,
    /// Last port segment: port and link address.
    pub(super) port: Option<(u16, u32)>,
    /// The path has a segment of a kind that is not read, so its end is unknown.
    pub(super) broken: bool,
}

impl Path {
    pub(super) fn parse(bytes: &[u8]) -> Path {
        let mut path = Path::default();
        let mut cursor = Cursor::new(bytes);
        while !cursor.is_empty() {
            if path.segment(&mut cursor).is_none() {
                path.broken = true;
                break;
            }
        }
        path
    }

    fn segment(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        let kind = cursor.u8()?;
        match kind {
            0x20..=0x3f => self.logical(kind, cursor),
            0x91 => self.symbolic(cursor),
            0x60..=0x7f => self.short_symbol(kind, cursor),
            // Port segments: extended link address size in bit 4, extended port number 15.
            0x00..=0x1f => self.port_segment(kind, cursor),
            // Simple data segment: length in words.
            0x80 => cursor.u8().and_then(|words| cursor.skip(usize::from(words) * 2)),
            // Network segments: one byte of data, or a counted array.
            0x40..=0x4f => cursor.skip(1),
            0x50..=0x5f => cursor.u8().and_then(|words| cursor.skip(usize::from(words) * 2)),
            _ => None,
        }
    }

    fn logical(&mut self, kind: u8, cursor: &mut Cursor<'_>) -> Option<()> {
        // The electronic key (0x34) has a format and eight bytes.
        if kind == 0x34 {
            return cursor.skip(9);
        }
        let value = match kind & 3 {
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
        let place = match kind >> 2 & 7 {
            0 => &mut self.class,
            1 => &mut self.instance,
            2 => {
                if !self.symbol.is_empty() {
                    self.symbol.push_str(&format!("[{value}]"));
                }
                &mut self.member
            }
            3 => &mut self.connection_point,
            4 => &mut self.attribute,
            _ => return Some(()),
        };
        *place = Some(value);
        Some(())
    }

    fn symbolic(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        let length = usize::from(cursor.u8()?);
        let text = cursor.take(length)?;
        if !length.is_multiple_of(2) {
            cursor.skip(1)?;
        }
        self.add_symbol(text);
        Some(())
    }

    fn short_symbol(&mut self, kind: u8, cursor: &mut Cursor<'_>) -> Option<()> {
        let length = usize::from(kind & 0x1f);
        // Length 0 announces another format, which no device here uses.
        if length == 0 {
            return None;
        }
        let text = cursor.take(length)?;
        if length.is_multiple_of(2) {
            cursor.skip(1)?;
        }
        self.add_symbol(text);
        Some(())
    }

    fn add_symbol(&mut self, text: &[u8]) {
        if self.symbol.len() + text.len() > MAX_SYMBOL {
            return;
        }
        if !self.symbol.is_empty() {
            self.symbol.push('.');
        }
        self.symbol.push_str(&String::from_utf8_lossy(text));
    }

    fn port_segment(&mut self, kind: u8, cursor: &mut Cursor<'_>) -> Option<()> {
        let length = if kind & 0x10 != 0 { usize::from(cursor.u8()?) } else { 1 };
        let port = if kind & 0x0f == 0x0f { cursor.le16()? } else { u16::from(kind & 0x0f) };
        let link = cursor.take(length)?;
        if kind & 0x10 != 0 && !length.is_multiple_of(2) {
            cursor.skip(1)?;
        }
        if let [address] = link {
            self.port = Some((port, u32::from(*address)));
        }
        Some(())
    }
}

impl fmt::Display for Path {
    /// `Identity instance 1 attribute 7`, or the symbol of a tag.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut blank = "";
        if !self.symbol.is_empty() {
            write!(f, "{}", self.symbol)?;
            blank = " ";
        }
        if let Some(class) = self.class {
            match names::class(class) {
                Some(name) => write!(f, "{blank}{name}")?,
                None => write!(f, "{blank}class 0x{class:02x}")?,
            }
            blank = " ";
        }
        let rest =
            [("instance", self.instance), ("connection point", self.connection_point), ("attribute", self.attribute)];
        for (what, value) in rest {
            if let Some(value) = value {
                write!(f, "{blank}{what} {value}")?;
                blank = " ";
            }
        }
        match self.member.filter(|_| self.symbol.is_empty()) {
            Some(member) => write!(f, "{blank}member {member}"),
            None => Ok(()),
        }
    }
}
