//! As much of the basic encoding rules (ITU-T X.690) as LDAP and Kerberos use: definite lengths, tags of one byte.

use quaywatch_wire::Length;

/// Universal tags in use (X.690 section 8).
pub(crate) mod tag {
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const OCTETS: u8 = 0x04;
    pub(crate) const ENUMERATED: u8 = 0x0a;
    pub(crate) const SEQUENCE: u8 = 0x30;
}

/// Longest length field read: four bytes of length behind its own length.
const MAX_LENGTH_BYTES: usize = 4;

/// Reads elements from the front of a byte slice. A failed read takes nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    /// The next element's tag and content.
    pub(crate) fn element(&mut self) -> Option<(u8, &'a [u8])> {
        let (head, whole) = extent(self.rest)?;
        let (element, rest) = self.rest.split_at_checked(whole)?;
        let tag = *element.first()?;
        self.rest = rest;
        Some((tag, element.get(head..)?))
    }

    /// The next element's content, if it has this tag; else it stays.
    pub(crate) fn optional(&mut self, wanted: u8) -> Option<&'a [u8]> {
        if self.rest.first() != Some(&wanted) {
            return None;
        }
        self.element().map(|(_, content)| content)
    }

    /// The next integer or enumeration.
    pub(crate) fn number(&mut self) -> Option<i64> {
        match self.rest.first() {
            Some(&(tag::INTEGER | tag::ENUMERATED)) => self.element().and_then(|(_, content)| integer(content)),
            _ => None,
        }
    }

    /// The content of the first later element with this tag.
    pub(crate) fn find(mut self, wanted: u8) -> Option<&'a [u8]> {
        while let Some((tag, content)) = self.element() {
            if tag == wanted {
                return Some(content);
            }
        }
        None
    }
}

/// Bytes of the header and of the whole element at the front; `None` while the header is cut or if its form is not definite.
fn extent(bytes: &[u8]) -> Option<(usize, usize)> {
    let (&tag, rest) = bytes.split_first()?;
    if tag & 0x1f == 0x1f {
        return None;
    }
    let (&first, rest) = rest.split_first()?;
    if first & 0x80 == 0 {
        return Some((2, usize::from(first).saturating_add(2)));
    }
    let count = usize::from(first & 0x7f);
    if count == 0 || count > MAX_LENGTH_BYTES {
        return None;
    }
    let length = rest.get(..count)?.iter().fold(0usize, |sum, byte| sum << 8 | usize::from(*byte));
    let head = count.saturating_add(2);
    Some((head, head.saturating_add(length)))
}

/// Framing of a stream of elements with this tag.
pub(crate) fn frame(bytes: &[u8], wanted: u8) -> Length {
    match bytes {
        [] => Length::NeedMore,
        [tag, ..] if *tag != wanted => Length::Invalid,
        [_] => Length::NeedMore,
        [_, first, ..] if *first == 0x80 || *first > 0x84 => Length::Invalid,
        _ => extent(bytes).map_or(Length::NeedMore, |(_, whole)| Length::Whole(whole)),
    }
}

/// An integer of at most eight bytes (X.690 section 8.3).
pub(crate) fn integer(content: &[u8]) -> Option<i64> {
    let first = *content.first()?;
    if content.len() > 8 {
        return None;
    }
    let start = if first & 0x80 != 0 { -1i64 } else { 0 };
    Some(content.iter().fold(start, |sum, byte| sum << 8 | i64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_and_framed() {
        let bytes = [0x30, 0x81, 0x03, 0x02, 0x01, 0xff, 0x04, 0x00];
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.optional(tag::OCTETS), None);
        let inner = reader.optional(tag::SEQUENCE).unwrap();
        assert_eq!(Reader::new(inner).number(), Some(-1));
        assert_eq!(Reader::new(&bytes).find(tag::OCTETS), Some(&[][..]));
        assert_eq!(frame(&bytes, 0x30), Length::Whole(6));
        assert_eq!(frame(&bytes[..2], 0x30), Length::NeedMore);
        assert_eq!(frame(&bytes, 0x31), Length::Invalid);
        assert_eq!(frame(&[0x30, 0x80], 0x30), Length::Invalid);
        assert_eq!(Reader::new(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]).element(), None);
        assert_eq!(Reader::new(&[0x1f, 0x01, 0x00]).element(), None);
    }
}
