//! NetBIOS names as NBT encodes them (RFC 1001 section 14.1, RFC 1002 section 4.1) and what their last byte means.

use crate::bytes::device_text;

/// A name of fifteen bytes and the type in the sixteenth.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct NetbiosName {
    /// The name without its padding; `*` for the wildcard.
    pub text: String,
    /// What bears the name, see [`role`].
    pub suffix: u8,
}

/// Reads an encoded name at `at`: a label of 32 letters, perhaps a scope, perhaps by a pointer. Says where it ends.
pub(crate) fn read(message: &[u8], at: usize) -> Option<(NetbiosName, usize)> {
    match *message.get(at)? {
        // A pointer leads to a name that is written out (RFC 1002 section 4.2.1.2 uses it for the question's name only).
        high @ 0xc0.. => {
            let to = usize::from(high & 0x3f) << 8 | usize::from(*message.get(at + 1)?);
            if to >= at || *message.get(to)? != 32 {
                return None;
            }
            read(message, to).map(|(name, _)| (name, at + 2))
        }
        32 => {
            let name = decode(message.get(at + 1..at + 33)?)?;
            let mut end = at + 33;
            // The scope: further labels up to the root.
            loop {
                match usize::from(*message.get(end)?) {
                    0 => return Some((name, end + 1)),
                    length @ 1..=63 => end += length + 1,
                    _ => return None,
                }
                if end - at > 255 {
                    return None;
                }
            }
        }
        _ => None,
    }
}

/// Each byte stands as two letters from `A`, high half first.
fn decode(letters: &[u8]) -> Option<NetbiosName> {
    let mut bytes = [0u8; 16];
    for (pair, byte) in letters.as_chunks::<2>().0.iter().zip(&mut bytes) {
        let [high, low] = pair.map(|letter| letter.wrapping_sub(b'A'));
        if high > 15 || low > 15 {
            return None;
        }
        *byte = high << 4 | low;
    }
    let [name @ .., suffix] = bytes;
    Some(plain(&name, suffix))
}

/// A name of fifteen bytes, padded with blanks or zeros.
pub(crate) fn plain(name: &[u8], suffix: u8) -> NetbiosName {
    // `\x01\x02__MSBROWSE__\x02` begins with control bytes, which are dropped as the padding is.
    NetbiosName { text: device_text(name).unwrap_or_default(), suffix }
}

/// What bears a name of this suffix (Microsoft "NetBIOS Suffixes", KB163409): words, and whether they are of the host.
pub(crate) const fn role(suffix: u8, is_group: bool) -> Option<&'static str> {
    Some(match (suffix, is_group) {
        (0x00 | 0x01, _) => "workstation",
        (0x03, _) => "messenger",
        (0x06, _) => "remote access server",
        (0x1b, false) => "domain master browser",
        (0x1c, true) => "domain controller",
        (0x1d, false) => "master browser",
        (0x1e, true) => "browser",
        (0x1f, _) => "network dde",
        (0x20, _) => "file server",
        (0x21, _) => "remote access client",
        (0xbe | 0xbf, _) => "network monitor",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rfc_example_is_decoded() {
        // RFC 1001 section 14.1: "FRED" padded with blanks.
        let message = b"\x20EGFCEFEECACACACACACACACACACACACA\x00";
        let (name, end) = read(message, 0).unwrap();
        assert_eq!((name.text.as_str(), name.suffix, end), ("FRED", 0x20, 34));
        assert_eq!(read(b"\x20EGFCEFEECACACACACACACACACACACAC!\x00", 0), None);
        assert_eq!(read(b"\xc0\x00", 0), None);
        for length in 0..message.len() {
            assert_eq!(read(&message[..length], 0), None);
        }
    }
}
