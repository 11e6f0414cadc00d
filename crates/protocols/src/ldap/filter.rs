//! A search filter in the notation of RFC 4515, cut short where it is long. What is compared with a password is left out.

use std::fmt::Write as _;

use crate::ber::Reader;

/// Characters written of one filter.
const MAX_TEXT: usize = 512;
/// Filters within filters.
const MAX_DEPTH: usize = 12;
/// Operands read of one and / or.
const MAX_OPERANDS: usize = 64;

/// Text of a value; what is no printable UTF-8 in hexadecimal with a backslash each.
fn value(bytes: &[u8], into: &mut String) {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => into.push_str(text),
        _ => bytes.iter().take(32).for_each(|byte| {
            // Writing to a string cannot fail.
            let _ = write!(into, "\\{byte:02x}");
        }),
    }
}

/// Whether an attribute holds a secret (`userPassword`, `unicodePwd`, `ms-Mcs-AdmPwd`).
fn is_secret(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    [b"password".as_slice(), b"pwd", b"secret"].iter().any(|part| name.windows(part.len()).any(|w| w == *part))
}

/// Writes what an attribute is compared with.
fn compared(name: &[u8], bytes: &[u8], into: &mut String) {
    if is_secret(name) { into.push_str("...") } else { value(bytes, into) }
}

/// Writes the filter that is an element with this tag and content.
pub(super) fn write(tag: u8, content: &[u8], into: &mut String) {
    element(tag, content, 0, into);
    if into.len() > MAX_TEXT {
        let mut end = MAX_TEXT;
        while !into.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
        into.truncate(end);
        into.push_str("...");
    }
}

fn element(tag: u8, content: &[u8], depth: usize, into: &mut String) {
    if depth > MAX_DEPTH || into.len() > MAX_TEXT {
        return;
    }
    into.push('(');
    match tag {
        0xa0..=0xa2 => {
            into.push(match tag {
                0xa0 => '&',
                0xa1 => '|',
                _ => '!',
            });
            let mut operands = Reader::new(content);
            for _ in 0..MAX_OPERANDS {
                let Some((tag, content)) = operands.element() else { break };
                element(tag, content, depth.saturating_add(1), into);
            }
        }
        0xa3 => pair(content, "=", into),
        0xa5 => pair(content, ">=", into),
        0xa6 => pair(content, "<=", into),
        0xa8 => pair(content, "~=", into),
        0xa4 => substrings(content, into),
        0x87 => {
            value(content, into);
            into.push_str("=*");
        }
        0xa9 => extensible(content, into),
        _ => into.push('?'),
    }
    into.push(')');
}

fn pair(content: &[u8], sign: &str, into: &mut String) {
    let mut fields = Reader::new(content);
    let name = fields.element().map(|(_, name)| name).unwrap_or_default();
    value(name, into);
    into.push_str(sign);
    if let Some((_, wanted)) = fields.element() {
        compared(name, wanted, into);
    }
}

fn substrings(content: &[u8], into: &mut String) {
    let mut fields = Reader::new(content);
    let name = fields.element().map(|(_, name)| name).unwrap_or_default();
    value(name, into);
    into.push('=');
    let Some((_, parts)) = fields.element() else { return };
    let mut parts = Reader::new(parts);
    let mut last = 0x80;
    for _ in 0..MAX_OPERANDS {
        let Some((tag, part)) = parts.element() else { break };
        if tag != 0x80 {
            into.push('*');
        }
        compared(name, part, into);
        last = tag;
    }
    if last != 0x82 {
        into.push('*');
    }
}

fn extensible(content: &[u8], into: &mut String) {
    let fields = Reader::new(content);
    let name = fields.find(0x82).unwrap_or_default();
    value(name, into);
    if fields.find(0x84).is_some_and(|flag| flag != [0]) {
        into.push_str(":dn");
    }
    if let Some(rule) = fields.find(0x81) {
        into.push(':');
        value(rule, into);
    }
    into.push_str(":=");
    compared(name, fields.find(0x83).unwrap_or_default(), into);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    fn text(bytes: &[u8]) -> String {
        let mut text = String::new();
        let (tag, content) = Reader::new(bytes).element().unwrap();
        write(tag, content, &mut text);
        text
    }

    #[test]
    fn filters_are_written() {
        assert_eq!(text(&hex("87 0b 6f626a656374436c617373")), "(objectClass=*)");
        assert_eq!(text(&hex("a0 13 a307 0402636e 040161 a208 a406 0402636e 3000")), "(&(cn=a)(!(cn=*)))");
        assert_eq!(text(&hex("a4 0f 0402636e 3009 800161 810162 820163")), "(cn=a*b*c)");
        assert_eq!(text(&hex("a3 11 040c 7573657250617373776f7264 040178")), "(userPassword=...)");
        assert_eq!(text(&hex("a9 0a 8202636e 830161 8401ff")), "(cn:dn:=a)");
    }

    #[test]
    fn deep_filters_end() {
        let mut bytes = hex("8701 61");
        for _ in 0..30 {
            let mut outer = vec![0xa2, u8::try_from(bytes.len()).unwrap()];
            outer.extend(bytes);
            bytes = outer;
        }
        assert!(text(&bytes).len() < MAX_TEXT);
    }
}
