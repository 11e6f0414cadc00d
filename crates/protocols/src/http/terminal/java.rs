//! Streams of serialized Java objects (Java Object Serialization Specification, chapter 6), packed or not.

use std::io::Read;

use super::{Content, MAX_DOCUMENT, MAX_JAVA, shown};
use crate::bytes::Cursor;
use crate::http::base64;

/// `STREAM_MAGIC` and `STREAM_VERSION`.
const MAGIC: &[u8] = &[0xac, 0xed, 0, 5];
/// The same in base64, up to the bits that belong to what follows.
const MAGIC_BASE64: &[u8] = b"rO0ABX";
/// Elements looked at before the first object: block data, resets.
const MAX_ELEMENTS: u32 = 16;
/// Longest class name taken for one.
const MAX_NAME: usize = 200;

/// Whether bytes begin such a stream, as it stands or in base64.
pub(in crate::http) fn is_start(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC) || bytes.starts_with(MAGIC_BASE64)
}

/// Class of the first object of a stream; empty if none is named in what is there; `None` if it is no such stream.
pub(super) fn first_class(bytes: &[u8]) -> Option<String> {
    let mut decoded = Vec::new();
    let bytes = if bytes.starts_with(MAGIC_BASE64) {
        let text = bytes.get(..MAX_JAVA).unwrap_or(bytes);
        // Characters behind the text end it: what was decoded so far stands.
        base64::decode(text, &mut decoded);
        decoded.as_slice()
    } else {
        bytes
    };
    let mut cursor = Cursor::new(bytes.strip_prefix(MAGIC)?);
    Some(class(&mut cursor).unwrap_or_default())
}

fn class(cursor: &mut Cursor<'_>) -> Option<String> {
    for _ in 0..MAX_ELEMENTS {
        match cursor.u8()? {
            // TC_NULL, TC_RESET, TC_ENDBLOCKDATA.
            0x70 | 0x79 | 0x78 => {}
            // TC_REFERENCE.
            0x71 => cursor.skip(4)?,
            // TC_CLASSDESC: its name first.
            0x72 => return name(cursor),
            // TC_OBJECT, TC_ARRAY, TC_CLASS, TC_ENUM: a class description follows.
            0x73 | 0x75 | 0x76 | 0x7e => {}
            // TC_STRING, TC_LONGSTRING.
            0x74 | 0x7c => return Some("java.lang.String".to_owned()),
            // TC_BLOCKDATA, TC_BLOCKDATALONG.
            0x77 => {
                let length = cursor.u8()?;
                cursor.skip(length.into())?;
            }
            0x7a => {
                let length = cursor.be32()?;
                cursor.skip(usize::try_from(length).ok()?)?;
            }
            // TC_PROXYCLASSDESC: number of interfaces, their names.
            0x7d => {
                cursor.be32().filter(|count| *count > 0)?;
                return Some(format!("proxy of {}", name(cursor)?));
            }
            _ => return None,
        }
    }
    None
}

/// A length of two bytes and that many of modified UTF-8.
fn name(cursor: &mut Cursor<'_>) -> Option<String> {
    let length = usize::from(cursor.be16()?);
    let name = cursor.take(length).filter(|name| !name.is_empty() && name.len() <= MAX_NAME)?;
    let is_name = |byte: &u8| byte.is_ascii_graphic() || *byte >= 0x80;
    name.iter().all(is_name).then(|| shown(name))
}

/// What the content of a request is.
pub(super) fn content(body: &[u8]) -> Content {
    let zlib = match body {
        // RFC 1950: deflate, and the two bytes are a multiple of 31.
        [first, second, ..] => {
            first & 0x0f == 8 && first >> 4 <= 7 && (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0
        }
        _ => false,
    };
    let (coding, class) = if is_start(body) {
        ("java", first_class(body))
    } else if zlib {
        ("zlib", first_class(&unpacked(flate2::read::ZlibDecoder::new(body), MAX_JAVA)))
    } else if body.starts_with(&[0x1f, 0x8b]) {
        ("gzip", first_class(&unpacked(flate2::read::GzDecoder::new(body), MAX_JAVA)))
    } else {
        ("other", None)
    };
    Content { coding, class }
}

/// Unpacks the content of an answer, up to the length of a document that is kept.
pub(super) fn gunzip(body: &[u8]) -> Vec<u8> {
    unpacked(flate2::read::GzDecoder::new(body), MAX_DOCUMENT)
}

/// What a decoder gives until its end, the first error, or the limit.
fn unpacked(decoder: impl Read, limit: usize) -> Vec<u8> {
    let mut plain = Vec::new();
    // A stream that is cut or broken leaves what came before.
    let _ = decoder.take(limit as u64).read_to_end(&mut plain);
    plain
}

/// `1.8.0_202` out of the User-Agent of Java: `JNLP/1.7.0 javaws/11.202.2.08 (internal) Java/1.8.0_202`.
pub(super) fn version(user_agent: &[u8]) -> String {
    let text = String::from_utf8_lossy(user_agent);
    let Some(at) = text.find("Java/") else { return String::new() };
    let version = text.get(at + 5..).unwrap_or_default();
    let end = version.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '_' | '-' | '+'));
    let version = version.get(..end.unwrap_or(version.len()).min(24)).unwrap_or_default();
    if version.starts_with(|c: char| c.is_ascii_digit()) { version.to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::testing::hex;

    /// `new java.util.HashMap()`, its first bytes as the specification's grammar has them.
    fn hash_map() -> Vec<u8> {
        let mut stream = hex("aced0005 7372 0011");
        stream.extend_from_slice(b"java.util.HashMap");
        stream.extend_from_slice(&hex("0507dac1c31660d1 03 0002"));
        stream
    }

    #[test]
    fn the_first_class_is_named() {
        assert_eq!(first_class(&hash_map()).as_deref(), Some("java.util.HashMap"));
        let mut framed = hex("aced0005 77 03 010203 79");
        framed.extend_from_slice(hash_map().get(4..).unwrap());
        assert_eq!(first_class(&framed).as_deref(), Some("java.util.HashMap"));
        let proxy = [&hex("aced0005 73 7d 00000001 000d")[..], b"java.util.Map"].concat();
        assert_eq!(first_class(&proxy).as_deref(), Some("proxy of java.util.Map"));
        assert_eq!(first_class(&hex("aced0005 74 0001 41")).as_deref(), Some("java.lang.String"));
        for cut in 4..24 {
            assert_eq!(first_class(&hash_map()[..cut]).as_deref(), Some(""), "{cut}");
        }
        assert_eq!(first_class(b"rO0ABXNyABFqYXZhLnV0aWwuSGFzaE1hcA==").as_deref(), Some("java.util.HashMap"));
        assert_eq!(first_class(b"<xml/>"), None);
    }

    #[test]
    fn packed_streams_are_looked_into_and_the_limit_holds() {
        let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(&hash_map()).unwrap();
        let content = content(&packer.finish().unwrap());
        assert_eq!((content.coding, content.class.as_deref()), ("zlib", Some("java.util.HashMap")));
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(&vec![b'a'; MAX_DOCUMENT * 4]).unwrap();
        let packed = packer.finish().unwrap();
        assert_eq!(gunzip(&packed).len(), MAX_DOCUMENT);
        for cut in 0..packed.len() {
            gunzip(&packed[..cut]);
        }
        assert_eq!(super::content(b"hello").coding, "other");
    }

    #[test]
    fn versions_of_clients_are_read() {
        assert_eq!(version(b"JNLP/1.7.0 javaws/11.202.2.08 (internal) Java/1.8.0_202"), "1.8.0_202");
        assert_eq!(version(b"Mozilla/4.0 (Windows 10 10.0) Java/11.0.2;x"), "11.0.2");
        assert_eq!(version(b"JavaScript/x Java/"), "");
    }
}
