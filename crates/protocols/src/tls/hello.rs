//! The two hello messages (RFC 8446 sections 4.1.2 and 4.1.3; RFC 5246 section 7.4.1; SSL 2.0 form: RFC 5246 appendix E.2).

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::names::is_grease;
use crate::bytes::Cursor;

/// Cipher suites, extensions and signature algorithms read from a hello; more than any client offers.
const MAX_LIST: usize = 512;
/// Application protocols read.
const MAX_PROTOCOLS: usize = 16;
/// Characters kept of a server or protocol name.
const MAX_NAME: usize = 255;

/// SHA-256 of `HelloRetryRequest`: a server hello with this random asks for another client hello (RFC 8446 section 4.1.3).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

const SERVER_NAME: u16 = 0;
const SIGNATURE_ALGORITHMS: u16 = 13;
const ALPN: u16 = 16;
const SUPPORTED_VERSIONS: u16 = 43;

/// What a client offers.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct ClientHello {
    /// The version field; since TLS 1.3 frozen at TLS 1.2.
    pub(super) version: u16,
    pub(super) ciphers: Vec<u16>,
    pub(super) extensions: Vec<u16>,
    pub(super) signatures: Vec<u16>,
    /// Of the extension supported_versions.
    pub(super) versions: Vec<u16>,
    pub(super) server_name: String,
    pub(super) protocols: Vec<String>,
    /// Its extensions are cut short: those before were read.
    pub(super) cut: bool,
    /// First application protocol as sent, for the fingerprint.
    first_protocol: Vec<u8>,
}

/// What a server chose.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct ServerHello {
    /// The version field.
    pub(super) legacy_version: u16,
    /// The version chosen.
    pub(super) version: u16,
    pub(super) cipher: u16,
    pub(super) protocol: String,
    /// It only asks for another client hello.
    pub(super) retry: bool,
}

/// Whether a hello is of TLS, DTLS or QUIC; that of DTLS holds a cookie (RFC 6347 section 4.2.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Carrier {
    Tls,
    Dtls,
    Quic,
}

impl ClientHello {
    /// Reads the body of the message; `None` if it is cut short before its extensions.
    pub(super) fn parse(body: &[u8], carrier: Carrier) -> Option<ClientHello> {
        let mut cursor = Cursor::new(body);
        let mut hello = ClientHello { version: cursor.be16()?, ..ClientHello::default() };
        cursor.skip(32)?;
        short_field(&mut cursor)?;
        if carrier == Carrier::Dtls {
            short_field(&mut cursor)?;
        }
        hello.ciphers = numbers(long_field(&mut cursor)?);
        short_field(&mut cursor)?;
        if cursor.is_empty() {
            return Some(hello);
        }
        let length = cursor.be16().map_or(usize::MAX, usize::from);
        hello.cut = length > cursor.left();
        let mut extensions = Cursor::new(cursor.rest().get(..length).unwrap_or(cursor.rest()));
        while let Some(id) = extensions.be16() {
            let Some(content) = long_field(&mut extensions) else {
                hello.cut = true;
                break;
            };
            if hello.extensions.len() < MAX_LIST {
                hello.extensions.push(id);
            }
            hello.extension(id, content);
        }
        Some(hello)
    }

    /// Reads an SSL 2.0 client hello, as sent by clients that also speak SSL 3.0; `None` if it is cut short.
    pub(super) fn parse_v2(body: &[u8]) -> Option<ClientHello> {
        let mut cursor = Cursor::new(body);
        let version = cursor.be16()?;
        let ciphers = cursor.be16()?;
        cursor.skip(4)?;
        let (triples, _) = cursor.take(ciphers.into())?.as_chunks::<3>();
        // Suites of SSL 2.0 itself have a first byte that is not zero.
        let ciphers = triples.iter().filter(|[kind, ..]| *kind == 0).map(|[_, a, b]| u16::from_be_bytes([*a, *b]));
        Some(ClientHello { version, ciphers: ciphers.take(MAX_LIST).collect(), ..ClientHello::default() })
    }

    /// An extension that cannot be read is as good as empty.
    fn extension(&mut self, id: u16, content: &[u8]) {
        let mut cursor = Cursor::new(content);
        match id {
            SERVER_NAME => self.server_name = server_name(cursor).unwrap_or_default(),
            SIGNATURE_ALGORITHMS => self.signatures = long_field(&mut cursor).map(numbers).unwrap_or_default(),
            SUPPORTED_VERSIONS => self.versions = short_field(&mut cursor).map(numbers).unwrap_or_default(),
            ALPN => {
                let mut list = Cursor::new(long_field(&mut cursor).unwrap_or_default());
                while let Some(name) = short_field(&mut list).filter(|_| self.protocols.len() < MAX_PROTOCOLS) {
                    if self.protocols.is_empty() {
                        self.first_protocol = name.to_vec();
                    }
                    self.protocols.push(text(name));
                }
            }
            _ => {}
        }
    }

    /// The highest version offered.
    pub(super) fn highest_version(&self) -> u16 {
        self.versions.iter().copied().filter(|version| !is_grease(*version)).max().unwrap_or(self.version)
    }

    /// The JA4 fingerprint (FoxIO, "JA4: TLS Client Fingerprinting").
    pub(super) fn ja4(&self, carrier: Carrier) -> String {
        let mut ciphers: Vec<u16> = self.ciphers.iter().copied().filter(|suite| !is_grease(*suite)).collect();
        let mut extensions: Vec<u16> = self.extensions.iter().copied().filter(|id| !is_grease(*id)).collect();
        let mut ja4 = String::with_capacity(36);
        let _ = write!(
            ja4,
            "{}{}{}{:02}{:02}",
            match carrier {
                Carrier::Tls => 't',
                Carrier::Dtls => 'd',
                Carrier::Quic => 'q',
            },
            ja4_version(self.highest_version()),
            if extensions.contains(&SERVER_NAME) { 'd' } else { 'i' },
            ciphers.len().min(99),
            extensions.len().min(99),
        );
        self.push_ja4_protocol(&mut ja4);
        ja4.push('_');
        ciphers.sort_unstable();
        push_hash(&mut ja4, &list(&ciphers));
        ja4.push('_');
        extensions.retain(|id| *id != SERVER_NAME && *id != ALPN);
        extensions.sort_unstable();
        let mut text = list(&extensions);
        let signatures: Vec<u16> = self.signatures.iter().copied().filter(|id| !is_grease(*id)).collect();
        if !signatures.is_empty() && !text.is_empty() {
            text.push('_');
            text.push_str(&list(&signatures));
        }
        push_hash(&mut ja4, &text);
        ja4
    }

    /// First and last character of the first protocol; of its hexadecimal form if either is not alphanumeric.
    fn push_ja4_protocol(&self, ja4: &mut String) {
        match (self.first_protocol.first(), self.first_protocol.last()) {
            (Some(first), Some(last)) if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() => {
                ja4.push(char::from(*first));
                ja4.push(char::from(*last));
            }
            (Some(first), Some(last)) => {
                let _ = write!(ja4, "{:x}{:x}", first >> 4, last & 0x0f);
            }
            _ => ja4.push_str("00"),
        }
    }
}

impl ServerHello {
    /// Reads the body of the message; `None` if it is cut short.
    pub(super) fn parse(body: &[u8]) -> Option<ServerHello> {
        let mut cursor = Cursor::new(body);
        let version = cursor.be16()?;
        let retry = cursor.take(32)? == RETRY;
        short_field(&mut cursor)?;
        let cipher = cursor.be16()?;
        cursor.skip(1)?;
        let mut hello = ServerHello { legacy_version: version, version, cipher, protocol: String::new(), retry };
        let mut extensions = Cursor::new(long_field(&mut cursor).unwrap_or_default());
        while let Some(id) = extensions.be16() {
            let mut content = Cursor::new(long_field(&mut extensions)?);
            match id {
                SUPPORTED_VERSIONS => hello.version = content.be16().unwrap_or(version),
                ALPN => {
                    let mut list = Cursor::new(long_field(&mut content).unwrap_or_default());
                    hello.protocol = short_field(&mut list).map(text).unwrap_or_default();
                }
                _ => {}
            }
        }
        Some(hello)
    }
}

/// The host name of the extension server_name (RFC 6066 section 3).
fn server_name(mut cursor: Cursor<'_>) -> Option<String> {
    let mut list = Cursor::new(long_field(&mut cursor)?);
    while let Some(kind) = list.u8() {
        let name = long_field(&mut list)?;
        if kind == 0 {
            return Some(text(name));
        }
    }
    None
}

fn short_field<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let length = cursor.u8()?;
    cursor.take(length.into())
}

fn long_field<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let length = cursor.be16()?;
    cursor.take(length.into())
}

fn numbers(bytes: &[u8]) -> Vec<u16> {
    let (pairs, _) = bytes.as_chunks::<2>();
    pairs.iter().map(|pair| u16::from_be_bytes(*pair)).take(MAX_LIST).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().filter(|c| !c.is_control()).take(MAX_NAME).collect()
}

/// Four hexadecimal digits a value, between commas.
pub(super) fn list(values: &[u16]) -> String {
    let mut text = String::with_capacity(values.len() * 5);
    for value in values {
        if !text.is_empty() {
            text.push(',');
        }
        let _ = write!(text, "{value:04x}");
    }
    text
}

const fn ja4_version(version: u16) -> &'static str {
    match version {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        0xfeff => "d1",
        0xfefd => "d2",
        0xfefc => "d3",
        _ => "00",
    }
}

/// The first twelve hexadecimal digits of the SHA-256 of a list; zeros for an empty one.
fn push_hash(ja4: &mut String, list: &str) {
    if list.is_empty() {
        ja4.push_str("000000000000");
        return;
    }
    for byte in Sha256::digest(list.as_bytes()).iter().take(6) {
        let _ = write!(ja4, "{byte:02x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the published specification.
    fn published() -> ClientHello {
        ClientHello {
            version: 0x0303,
            ciphers: vec![
                0x0a0a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c,
                0x009d, 0x002f, 0x0035,
            ],
            extensions: vec![
                0x2a2a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b,
                0xff01, 0x000b, 0x000a, 0x0015,
            ],
            signatures: vec![0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601],
            versions: vec![0x3a3a, 0x0304, 0x0303],
            first_protocol: b"h2".to_vec(),
            ..ClientHello::default()
        }
    }

    #[test]
    fn ja4_of_the_published_example() {
        let mut hello = published();
        assert_eq!(hello.ja4(Carrier::Tls), "t13d1516h2_8daaf6152771_e5627efa2ab1");
        hello.signatures.clear();
        assert_eq!(hello.ja4(Carrier::Tls), "t13d1516h2_8daaf6152771_6d807ffa2a79");
        assert_eq!(ClientHello::default().ja4(Carrier::Dtls), "d00i000000_000000000000_000000000000");
    }

    #[test]
    fn ja4_of_protocols_that_are_not_alphanumeric() {
        for (protocol, wanted) in [
            (&[0xab][..], "ab"),
            (&[0xab, 0xcd], "ad"),
            (&[0x30, 0xab], "3b"),
            (&[0x30, 0x31, 0xab, 0xcd], "3d"),
            (&[0x30, 0xab, 0xcd, 0x31], "01"),
            (b"x", "xx"),
            (b"http/1.1", "h1"),
            (b"", "00"),
        ] {
            let hello = ClientHello { first_protocol: protocol.to_vec(), ..ClientHello::default() };
            let mut text = String::new();
            hello.push_ja4_protocol(&mut text);
            assert_eq!(text, wanted, "{protocol:x?}");
        }
    }

    #[test]
    fn grease_is_known() {
        assert!([0x0a0a, 0x1a1a, 0xfafa].into_iter().all(is_grease));
        assert!([0x0a1a, 0x0b0b, 0x1301, 0x0000].into_iter().all(|value| !is_grease(value)));
    }
}
