//! Bytes of a document to text. The formats are UTF-8; what spreadsheets write instead is understood, and noted.

use std::borrow::Cow;

/// Characters of Windows-1252 from 0x80 to 0x9f; the others are those of Latin-1 (WHATWG Encoding, index-windows-1252).
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The text of `bytes`, and what is odd about its encoding.
pub(crate) fn decode(bytes: &[u8]) -> (Cow<'_, str>, Option<&'static str>) {
    let (text, note) = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        [0xff, 0xfe, rest @ ..] => (utf16(rest, u16::from_le_bytes), Some("read as UTF-16, not UTF-8")),
        [0xfe, 0xff, rest @ ..] => (utf16(rest, u16::from_be_bytes), Some("read as UTF-16, not UTF-8")),
        _ => utf8(bytes),
    };
    if text.contains('\r') && !text.contains('\n') {
        return (Cow::Owned(text.replace('\r', "\n")), note);
    }
    (text, note)
}

fn utf8(bytes: &[u8]) -> (Cow<'_, str>, Option<&'static str>) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (Cow::Borrowed(text), None),
        Err(_) => (Cow::Owned(bytes.iter().map(windows_1252).collect()), Some("read as Windows-1252, not UTF-8")),
    }
}

fn windows_1252(byte: &u8) -> char {
    let special = byte.checked_sub(0x80).and_then(|index| WINDOWS_1252.get(usize::from(index)));
    special.copied().unwrap_or(char::from(*byte))
}

fn utf16(bytes: &[u8], order: fn([u8; 2]) -> u16) -> Cow<'_, str> {
    let units: Vec<u16> = bytes.as_chunks().0.iter().map(|pair| order(*pair)).collect();
    Cow::Owned(String::from_utf16_lossy(&units))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_of_spreadsheets() {
        assert_eq!(decode("Kran ü".as_bytes()), (Cow::Borrowed("Kran ü"), None));
        assert_eq!(decode(b"\xef\xbb\xbfKran"), (Cow::Borrowed("Kran"), None));
        assert_eq!(decode(b"Kran \xfc \x80").0, "Kran ü €");
        assert_eq!(decode(b"\xff\xfeK\0r\0\xfc\0").0, "Krü");
        assert_eq!(decode(b"\xfe\xff\0K\0r\0\xfc").0, "Krü");
        assert_eq!(decode(b"a\rb\r").0, "a\nb\n");
        assert_eq!(decode(b"a\r\nb").0, "a\r\nb");
    }
}
