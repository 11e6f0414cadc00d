//! As much of the basic encoding rules (ITU-T X.690) as SNMP uses: definite lengths, tags of one byte.

use std::fmt::Write as _;

/// Tags of SNMP values, RFC 2578 section 7.1 and RFC 3416 section 3.
pub(super) mod tag {
    pub const INTEGER: u8 = 0x02;
    pub const OCTETS: u8 = 0x04;
    pub const OID: u8 = 0x06;
    pub const SEQUENCE: u8 = 0x30;
    pub const IP_ADDRESS: u8 = 0x40;
}

/// Arcs printed of an object identifier (RFC 2578 section 3.5 allows 128).
const MAX_ARCS: usize = 128;

/// Why an element could not be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// It ends beyond the bytes at hand.
    Short,
    /// Its form is none that SNMP uses, or it is not what stands here.
    Form,
}

/// Reads elements from the front of a byte slice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next element's tag and content.
    pub fn element(&mut self) -> Result<(u8, &'a [u8]), Fault> {
        let (&tag, rest) = self.rest.split_first().ok_or(Fault::Short)?;
        if tag & 0x1f == 0x1f {
            return Err(Fault::Form);
        }
        let (length, rest) = length(rest)?;
        let (content, rest) = rest.split_at_checked(length).ok_or(Fault::Short)?;
        self.rest = rest;
        Ok((tag, content))
    }

    /// The next element's content, if it has this tag.
    pub fn expect(&mut self, wanted: u8) -> Result<&'a [u8], Fault> {
        match self.element()? {
            (tag, content) if tag == wanted => Ok(content),
            _ => Err(Fault::Form),
        }
    }

    /// The next element, an integer.
    pub fn integer(&mut self) -> Result<i64, Fault> {
        integer(self.expect(tag::INTEGER)?)
    }

    /// The elements within the next, a sequence.
    pub fn sequence(&mut self) -> Result<Reader<'a>, Fault> {
        self.expect(tag::SEQUENCE).map(Reader::new)
    }
}

/// X.690 section 8.1.3; lengths of more than four bytes and the indefinite form are not used.
fn length(bytes: &[u8]) -> Result<(usize, &[u8]), Fault> {
    let (&first, rest) = bytes.split_first().ok_or(Fault::Short)?;
    if first < 0x80 {
        return Ok((usize::from(first), rest));
    }
    let count = usize::from(first & 0x7f);
    if !(1..=4).contains(&count) {
        return Err(Fault::Form);
    }
    let (digits, rest) = rest.split_at_checked(count).ok_or(Fault::Short)?;
    let length = digits.iter().fold(0u32, |sum, digit| sum << 8 | u32::from(*digit));
    Ok((usize::try_from(length).map_err(|_| Fault::Form)?, rest))
}

/// A two's complement number of at most eight bytes; an empty one, which some agents send, is zero.
pub(super) fn integer(content: &[u8]) -> Result<i64, Fault> {
    if content.len() > 8 {
        return Err(Fault::Form);
    }
    let negative = content.first().is_some_and(|first| first & 0x80 != 0);
    let start = if negative { -1i64 } else { 0 };
    Ok(content.iter().fold(start, |sum, byte| sum << 8 | i64::from(*byte)))
}

/// The arcs of an object identifier's content (X.690 section 8.19); they end where an arc is cut or too large.
pub(super) fn arcs(content: &[u8]) -> impl Iterator<Item = u32> {
    let mut bytes = content.iter();
    let mut held = None;
    std::iter::from_fn(move || {
        if let Some(second) = held.take() {
            return Some(second);
        }
        let is_first = bytes.len() == content.len();
        let mut arc = 0u32;
        loop {
            let byte = *bytes.next()?;
            arc = arc.checked_mul(128)?.checked_add(u32::from(byte & 0x7f))?;
            if byte & 0x80 == 0 {
                break;
            }
        }
        if !is_first {
            return Some(arc);
        }
        // The first two arcs share one number.
        let first = (arc / 40).min(2);
        held = Some(arc - first * 40);
        Some(first)
    })
    .take(MAX_ARCS)
}

/// Writes an object identifier as numbers with dots.
pub(super) fn write_oid(content: &[u8], into: &mut String) {
    into.clear();
    for arc in arcs(content) {
        let dot = if into.is_empty() { "" } else { "." };
        let _ = write!(into, "{dot}{arc}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(content: &[u8]) -> String {
        let mut text = String::new();
        write_oid(content, &mut text);
        text
    }

    #[test]
    fn elements_are_read() {
        let mut reader = Reader::new(&[0x30, 0x81, 0x03, 0x02, 0x01, 0xff, 0x04, 0x00]);
        assert_eq!(reader.sequence().unwrap().integer(), Ok(-1));
        assert_eq!(reader.expect(tag::OCTETS), Ok(&[][..]));
        assert!(reader.is_empty());
        assert_eq!(reader.element(), Err(Fault::Short));
        assert_eq!(Reader::new(&[0x30, 0x80, 0, 0]).element(), Err(Fault::Form));
        assert_eq!(Reader::new(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]).element(), Err(Fault::Short));
        assert_eq!(Reader::new(&[0x1f, 0x01, 0x00]).element(), Err(Fault::Form));
    }

    #[test]
    fn object_identifiers_are_printed() {
        assert_eq!(text(&[0x2b, 6, 1, 2, 1, 1, 5, 0]), "1.3.6.1.2.1.1.5.0");
        assert_eq!(text(&[0x2b, 6, 1, 4, 1, 0xbf, 0x08]), "1.3.6.1.4.1.8072");
        // X.690 section 8.19.5.
        assert_eq!(text(&[0x88, 0x37, 0x03]), "2.999.3");
        assert_eq!(text(&[0x00]), "0.0");
        assert_eq!(text(&[]), "");
        assert_eq!(text(&[0x2b, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]), "1.3");
    }
}
