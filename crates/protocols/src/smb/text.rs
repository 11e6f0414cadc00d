//! Strings of SMB: UTF-16 little-endian, or of the OEM code page ending with a zero byte.

/// Characters kept of a path or name.
const MAX_CHARACTERS: usize = 512;

/// UTF-16 as printed; control characters are left out.
pub(super) fn utf16(bytes: &[u8]) -> String {
    let (pairs, _) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).take_while(|unit| *unit != 0);
    char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .filter(|c| !c.is_control())
        .take(MAX_CHARACTERS)
        .collect()
}

/// OEM text as printed: ISO 8859-1 stands for the code page, which is not told.
pub(super) fn oem(bytes: &[u8]) -> String {
    let text = bytes.iter().take_while(|byte| **byte != 0).map(|byte| char::from(*byte));
    text.filter(|c| !c.is_control()).take(MAX_CHARACTERS).collect()
}

/// Reads strings one behind the other, in an area of a message.
pub(super) struct Strings<'a> {
    rest: &'a [u8],
    /// Where `rest` starts, counted from the message's start: UTF-16 lies at even places.
    at: usize,
    unicode: bool,
}

impl<'a> Strings<'a> {
    pub(super) const fn new(rest: &'a [u8], at: usize, unicode: bool) -> Self {
        Strings { rest, at, unicode }
    }

    fn pass(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
        self.at = self.at.saturating_add(count);
    }

    /// The next string up to its zero, or to the end.
    pub(super) fn next(&mut self) -> String {
        if !self.unicode {
            return self.next_oem();
        }
        if self.at % 2 == 1 {
            self.pass(1);
        }
        let (pairs, _) = self.rest.as_chunks::<2>();
        let units = pairs.iter().position(|pair| *pair == [0, 0]).unwrap_or(pairs.len());
        let text = utf16(self.rest);
        self.pass(units.saturating_add(1).saturating_mul(2));
        text
    }

    /// The next string of one byte a character.
    pub(super) fn next_oem(&mut self) -> String {
        let text = oem(self.rest);
        let end = self.rest.iter().position(|byte| *byte == 0).unwrap_or(self.rest.len());
        self.pass(end.saturating_add(1));
        text
    }

    /// Passes over the buffer format byte before a string (MS-CIFS 2.2.1.3), if it stands there.
    pub(super) fn format(&mut self, format: u8) {
        if self.rest.first() == Some(&format) {
            self.pass(1);
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}
