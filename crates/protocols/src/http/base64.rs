//! Base64 (RFC 4648 section 4) as credentials are sent in, here and in mail.

/// Decodes `text` into `bytes`, which is emptied first; also takes the URL-safe alphabet. False if a character is of neither.
pub(crate) fn decode(text: &[u8], bytes: &mut Vec<u8>) -> bool {
    bytes.clear();
    let mut bits = 0u32;
    let mut have = 0u32;
    for character in text.iter().take_while(|c| **c != b'=') {
        let value = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return false,
        };
        bits = (bits << 6 | u32::from(value)) & 0x00ff_ffff;
        have += 6;
        if have >= 8 {
            have -= 8;
            bytes.push((bits >> have & 0xff) as u8);
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_rfc_4648() {
        for (text, wanted) in [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmFy", "foobar")] {
            let mut bytes = Vec::new();
            assert!(decode(text.as_bytes(), &mut bytes));
            assert_eq!(bytes, wanted.as_bytes());
        }
        assert!(!decode(b"a b", &mut Vec::new()));
    }
}
