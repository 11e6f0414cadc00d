//! Replies (RFC 959 section 4.2): three digits and text, over several lines if a hyphen follows the digits.

use std::net::IpAddr;

/// What a line of the server is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Line<'a> {
    /// A whole reply, or the last line of one.
    Last { code: u32, text: &'a [u8] },
    /// The first line of several.
    First { code: u32, text: &'a [u8] },
    /// A line in between.
    Within,
    /// No reply.
    Unknown,
}

/// Reads a line without its end. `open` is the code of a reply whose last line has not come.
pub(super) fn read(line: &[u8], open: Option<u32>) -> Line<'_> {
    let Some((digits, rest)) = line.split_first_chunk::<3>() else {
        return if open.is_some() { Line::Within } else { Line::Unknown };
    };
    let code = digits.iter().try_fold(0, |code, digit| char::from(*digit).to_digit(10).map(|d| code * 10 + d));
    let text = rest.get(1..).unwrap_or_default();
    match (code, rest.first(), open) {
        (Some(code), Some(b' ') | None, Some(wanted)) if code == wanted => Line::Last { code, text },
        (_, _, Some(_)) => Line::Within,
        (Some(code), Some(b' ') | None, None) => Line::Last { code, text },
        (Some(code), Some(b'-'), None) => Line::First { code, text },
        _ => Line::Unknown,
    }
}

/// The path between quotes in a reply to PWD, with doubled quotes halved (RFC 959 appendix II).
pub(super) fn quoted_path(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let inside = text.split_once('"')?.1;
    let mut path = String::new();
    let mut rest = inside.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '"' if rest.peek() == Some(&'"') => {
                rest.next();
                path.push('"');
            }
            '"' => return Some(path),
            other => path.push(other),
        }
    }
    None
}

/// Address and port in the argument of PORT (`10,0,0,1,4,1`) or EPRT (`|1|10.0.0.1|1025|`).
pub(super) fn data_address(command: &str, argument: &str) -> Option<(IpAddr, u16)> {
    if command == "PORT" {
        return host_port(argument);
    }
    let delimiter = argument.chars().next()?;
    let mut parts = argument.split(delimiter).skip(2);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Where the server will listen: the text of reply 227 (`... (10,0,0,1,4,1)`, RFC 959) or 229 (`... (|||1025|)`, RFC 2428), which
/// names the port only.
pub(super) fn passive_address(code: u32, text: &str) -> Option<(Option<IpAddr>, u16)> {
    if code == 229 {
        let inside = text.split_once('(')?.1;
        let delimiter = inside.chars().next()?;
        return Some((None, inside.split(delimiter).nth(3)?.parse().ok()?));
    }
    // The parentheses are custom only (RFC 1123 section 4.1.2.6): the first digit counts.
    let from = text.find(|c: char| c.is_ascii_digit())?;
    let numbers = text.get(from..)?.trim_end_matches(|c: char| !c.is_ascii_digit());
    host_port(numbers).map(|(address, port)| (Some(address), port))
}

/// `h1,h2,h3,h4,p1,p2`.
fn host_port(numbers: &str) -> Option<(IpAddr, u16)> {
    let mut numbers = numbers.split(',').map(|number| number.trim().parse::<u8>().ok());
    let octets = [numbers.next()??, numbers.next()??, numbers.next()??, numbers.next()??];
    Some((octets.into(), u16::from_be_bytes([numbers.next()??, numbers.next()??])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_of_several_lines_end_with_their_own_code() {
        assert_eq!(read(b"220 hello", None), Line::Last { code: 220, text: b"hello" });
        assert_eq!(read(b"220", None), Line::Last { code: 220, text: b"" });
        assert_eq!(read(b"211-Features:", None), Line::First { code: 211, text: b"Features:" });
        assert_eq!(read(b" MDTM", Some(211)), Line::Within);
        assert_eq!(read(b"220 no end", Some(211)), Line::Within);
        assert_eq!(read(b"211 End", Some(211)), Line::Last { code: 211, text: b"End" });
        assert_eq!(read(b"what", None), Line::Unknown);
        assert_eq!(read(b"", None), Line::Unknown);
    }

    #[test]
    fn paths_and_addresses() {
        assert_eq!(quoted_path(b"\"/a \"\"b\"\"\" is current"), Some("/a \"b\"".into()));
        assert_eq!(quoted_path(b"\"/a"), None);
        assert_eq!(data_address("PORT", "10,0,0,1,4,1"), Some(([10, 0, 0, 1].into(), 1025)));
        assert_eq!(data_address("EPRT", "|2|fe80::1|1025|"), Some(("fe80::1".parse().unwrap(), 1025)));
        assert_eq!(data_address("PORT", "10,0,0"), None);
        assert_eq!(data_address("EPRT", ""), None);
        let told = passive_address(227, "Entering Passive Mode (10,0,0,1,4,1).");
        assert_eq!(told, Some((Some([10, 0, 0, 1].into()), 1025)));
        assert_eq!(passive_address(229, "Entering Extended Passive Mode (|||6446|)"), Some((None, 6446)));
        assert_eq!(passive_address(229, "(|||x|)"), None);
    }
}
