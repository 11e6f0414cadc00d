//! Binary packets before encryption (RFC 4253 section 6), and the offer of algorithms in them (section 7.1).

use std::fmt::Write as _;

use quaywatch_wire::framer::Length;
use sha2::{Digest, Sha256};

use crate::bytes::Cursor;

/// Longest packet that is taken for one; implementations need not take more than 35000 bytes (section 6.1).
pub(super) const MAX_PACKET: usize = 64 * 1024;
/// Longest list of algorithms that is read.
const MAX_LIST: usize = 8 * 1024;

/// Offer of algorithms.
pub(super) const KEXINIT: u8 = 20;
/// The sender encrypts from here on.
pub(super) const NEWKEYS: u8 = 21;
/// Replies that may carry the host key: of Diffie-Hellman, and of its group exchange.
pub(super) const KEX_REPLIES: [u8; 2] = [31, 33];
/// The first message of a key exchange: the client's.
pub(super) const KEX_INIT_BY_CLIENT: u8 = 30;

/// Framing of protocol 2: the length field does not count itself.
pub(super) fn length(bytes: &[u8]) -> Length {
    let mut cursor = Cursor::new(bytes);
    let Some(length) = cursor.be32().and_then(|length| usize::try_from(length).ok()) else { return Length::NeedMore };
    if !(6..=MAX_PACKET - 4).contains(&length) {
        return Length::Invalid;
    }
    match cursor.u8() {
        Some(padding) if !(4..length - 1).contains(&usize::from(padding)) => Length::Invalid,
        _ => Length::Whole(length + 4),
    }
}

/// Framing of protocol 1: length, padding to a multiple of eight, type, data, checksum.
pub(super) fn length_v1(bytes: &[u8]) -> Length {
    let Some(length) = Cursor::new(bytes).be32().and_then(|length| usize::try_from(length).ok()) else {
        return Length::NeedMore;
    };
    if !(5..=MAX_PACKET - 12).contains(&length) {
        return Length::Invalid;
    }
    Length::Whole(4 + length + (8 - length % 8))
}

/// The payload of a packet of protocol 2: its type and the rest.
pub(super) fn payload(packet: &[u8]) -> Option<(u8, &[u8])> {
    let mut cursor = Cursor::new(packet);
    let length = usize::try_from(cursor.be32()?).ok()?;
    let padding = usize::from(cursor.u8()?);
    let payload = cursor.take(length.checked_sub(padding + 1)?)?;
    payload.split_first().map(|(kind, rest)| (*kind, rest))
}

/// The type of a packet of protocol 1.
pub(super) fn kind_v1(packet: &[u8]) -> Option<u8> {
    let mut cursor = Cursor::new(packet);
    let length = usize::try_from(cursor.be32()?).ok()?;
    cursor.skip(8 - length % 8)?;
    cursor.u8()
}

/// The algorithms that one side offers, in its order of preference.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Offer {
    pub(super) kex: String,
    pub(super) host_key: String,
    pub(super) ciphers_to_server: String,
    pub(super) ciphers_to_client: String,
    pub(super) macs_to_server: String,
    pub(super) macs_to_client: String,
    pub(super) compression_to_server: String,
    pub(super) compression_to_client: String,
}

impl Offer {
    /// Reads the content of a KEXINIT message behind its type; `None` if it is cut short or holds what no name list may.
    pub(super) fn parse(content: &[u8]) -> Option<Offer> {
        let mut cursor = Cursor::new(content);
        // Random cookie.
        cursor.skip(16)?;
        Some(Offer {
            kex: names(&mut cursor)?,
            host_key: names(&mut cursor)?,
            ciphers_to_server: names(&mut cursor)?,
            ciphers_to_client: names(&mut cursor)?,
            macs_to_server: names(&mut cursor)?,
            macs_to_client: names(&mut cursor)?,
            compression_to_server: names(&mut cursor)?,
            compression_to_client: names(&mut cursor)?,
        })
    }

    /// Reads the offer of a whole packet, or of its front part up to the first list: for recognition.
    pub(super) fn of_packet(bytes: &[u8]) -> Option<()> {
        if !matches!(length(bytes), Length::Whole(_)) {
            return None;
        }
        let mut cursor = Cursor::new(bytes);
        cursor.skip(5)?;
        if cursor.u8()? != KEXINIT {
            return None;
        }
        cursor.skip(16)?;
        let kex = names(&mut cursor)?;
        ["diffie-hellman", "curve25519", "ecdh-", "sntrup", "mlkem"]
            .iter()
            .any(|known| kex.contains(known))
            .then_some(())
    }
}

fn names(cursor: &mut Cursor<'_>) -> Option<String> {
    let length = usize::try_from(cursor.be32()?).ok().filter(|length| *length <= MAX_LIST)?;
    let list = std::str::from_utf8(cursor.take(length)?).ok()?;
    list.bytes().all(|b| (0x21..0x7f).contains(&b)).then(|| list.to_owned())
}

/// The algorithm agreed on: the client's first that the server offers too (RFC 4253 section 7.1).
pub(super) fn agreed<'a>(client: &'a str, server: &str) -> &'a str {
    client.split(',').find(|name| !name.is_empty() && server.split(',').any(|other| other == *name)).unwrap_or_default()
}

/// Type and SHA-256 of the host key that a reply carries; `None` where the message holds something else.
pub(super) fn host_key(content: &[u8]) -> Option<(String, String)> {
    let mut cursor = Cursor::new(content);
    let length = usize::try_from(cursor.be32()?).ok()?;
    let key = cursor.take(length)?;
    let kind = names(&mut Cursor::new(key))?;
    if !["ssh-", "ecdsa-", "rsa-", "sk-", "x509v3-"].iter().any(|known| kind.starts_with(known)) {
        return None;
    }
    let mut print = String::with_capacity(64);
    for byte in Sha256::digest(key) {
        let _ = write!(print, "{byte:02x}");
    }
    Some((kind, print))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_first_that_the_server_knows_is_agreed() {
        assert_eq!(agreed("a,b,c", "c,b"), "b");
        assert_eq!(agreed("a", "b"), "");
        assert_eq!(agreed("", ""), "");
    }

    #[test]
    fn lengths_are_checked() {
        assert_eq!(length(&[0, 0, 0]), Length::NeedMore);
        assert_eq!(length(&[0, 0, 0, 12, 10]), Length::Whole(16));
        assert_eq!(length(&[0, 0, 0, 12, 11]), Length::Invalid);
        assert_eq!(length(&[0, 0, 0, 12, 3]), Length::Invalid);
        assert_eq!(length(b"SSH-"), Length::Invalid);
        assert_eq!(length_v1(&[0, 0, 0, 5]), Length::Whole(12));
        assert_eq!(length_v1(&[0, 0, 0, 8]), Length::Whole(20));
    }
}
