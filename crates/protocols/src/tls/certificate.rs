//! What a certificate says (RFC 5280): whose it is, who issued it, until when, with which key.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};
use x509_parser::prelude::{ASN1Time, FromDer, GeneralName, X509Certificate};
use x509_parser::public_key::PublicKey;

use crate::bytes::Cursor;
use crate::detail::Detail;

/// Longest certificate that is read.
const MAX_CERTIFICATE: usize = 64 * 1024;
/// Certificates of a chain that are read.
pub(super) const MAX_CHAIN: usize = 8;
/// Alternative names kept of one certificate, and characters of each text.
const MAX_NAMES: usize = 32;
const MAX_TEXT: usize = 1024;

/// One certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Certificate {
    /// The subject's distinguished name.
    pub(crate) subject: String,
    /// All of it as a JSON object.
    pub(crate) detail: String,
}

/// The certificates in the body of a certificate message before TLS 1.3 (RFC 5246 section 7.4.2), first the sender's own.
/// The flag tells whether all could be read.
pub(super) fn chain(body: &[u8]) -> (Vec<Certificate>, bool) {
    let mut chain = Vec::new();
    let mut cursor = Cursor::new(body);
    let Some(mut list) = long_field(&mut cursor).map(Cursor::new) else { return (chain, false) };
    while !list.is_empty() {
        let Some(der) = long_field(&mut list) else { return (chain, false) };
        if chain.len() >= MAX_CHAIN {
            break;
        }
        match read(der) {
            Some(certificate) => chain.push(certificate),
            None => return (chain, false),
        }
    }
    (chain, true)
}

fn long_field<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let length = cursor.be24()?;
    cursor.take(usize::try_from(length).ok()?)
}

/// Reads one certificate in DER.
pub(crate) fn read(der: &[u8]) -> Option<Certificate> {
    if der.len() > MAX_CERTIFICATE {
        return None;
    }
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let subject = shortened(&certificate.subject().to_string());
    let issuer = shortened(&certificate.issuer().to_string());
    let names = alternative_names(&certificate);
    let validity = certificate.validity();
    let mut detail = Detail::default();
    detail
        .begin()
        .text("subject", &subject)
        .text("issuer", &issuer)
        .text("serial", &hex(certificate.raw_serial()))
        .text("not_before", &instant(&validity.not_before))
        .text("not_after", &instant(&validity.not_after))
        // Issuer and subject are one; the signature itself is not checked.
        .flag("self_signed", certificate.subject().as_raw() == certificate.issuer().as_raw())
        .text("key", &key(&certificate))
        .text("signature", &signature(&certificate.signature_algorithm.algorithm.to_id_string()))
        .list("names", names.iter().map(String::as_str))
        .text("sha256", &hex(&Sha256::digest(der)));
    let detail = detail.finish().to_owned();
    Some(Certificate { subject, detail })
}

fn alternative_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let text = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(shortened(name)),
        GeneralName::IPAddress(address) => match *address {
            [a, b, c, d] => Some(format!("{a}.{b}.{c}.{d}")),
            bytes => <[u8; 16]>::try_from(bytes).ok().map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()),
        },
        GeneralName::URI(uri) => Some(shortened(uri)),
        _ => None,
    };
    extension.value.general_names.iter().filter_map(text).take(MAX_NAMES).collect()
}

fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect()
}

/// RFC 3339 in UTC.
fn instant(time: &ASN1Time) -> String {
    let time = time.to_datetime();
    let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Kind of key and its size in bits, e.g. `RSA 2048`, `EC P-256`.
fn key(certificate: &X509Certificate<'_>) -> String {
    let info = certificate.public_key();
    match info.parsed() {
        Ok(PublicKey::RSA(rsa)) => format!("RSA {}", bits(rsa.modulus)),
        Ok(PublicKey::EC(point)) => {
            let parameters = info.algorithm.parameters.as_ref();
            let curve = parameters.and_then(|any| any.as_oid().ok()).map(|oid| oid.to_id_string()).unwrap_or_default();
            match curve.as_str() {
                "1.2.840.10045.3.1.1" => "EC P-192".to_owned(),
                "1.3.132.0.33" => "EC P-224".to_owned(),
                "1.2.840.10045.3.1.7" => "EC P-256".to_owned(),
                "1.3.132.0.34" => "EC P-384".to_owned(),
                "1.3.132.0.35" => "EC P-521".to_owned(),
                _ => format!("EC {}", point.key_size()),
            }
        }
        Ok(PublicKey::DSA(value)) => format!("DSA {}", bits(value)),
        _ => match info.algorithm.algorithm.to_id_string().as_str() {
            "1.3.101.112" => "Ed25519".to_owned(),
            "1.3.101.113" => "Ed448".to_owned(),
            other => other.to_owned(),
        },
    }
}

/// Bits of a number without leading zeros.
fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|b| **b == 0).count();
    let leading = number.get(zeros).map_or(0, |first| usize::try_from(first.leading_zeros()).unwrap_or(0));
    ((number.len() - zeros) * 8).saturating_sub(leading)
}

/// Name of a signature algorithm (RFC 8017, RFC 5758, RFC 8410); the identifier itself if it has none here.
fn signature(id: &str) -> String {
    match id {
        "1.2.840.113549.1.1.2" => "md2WithRSAEncryption",
        "1.2.840.113549.1.1.4" => "md5WithRSAEncryption",
        "1.2.840.113549.1.1.5" => "sha1WithRSAEncryption",
        "1.2.840.113549.1.1.10" => "rsassaPss",
        "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
        "1.2.840.113549.1.1.14" => "sha224WithRSAEncryption",
        "1.3.14.3.2.29" => "sha1WithRSAEncryption",
        "1.2.840.10040.4.3" => "dsa-with-sha1",
        "2.16.840.1.101.3.4.3.2" => "dsa-with-sha256",
        "1.2.840.10045.4.1" => "ecdsa-with-SHA1",
        "1.2.840.10045.4.3.1" => "ecdsa-with-SHA224",
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.3.101.112" => "Ed25519",
        "1.3.101.113" => "Ed448",
        other => other,
    }
    .to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(64).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_of_numbers() {
        assert_eq!(bits(&[0, 0x80, 0]), 16);
        assert_eq!(bits(&[0x01, 0]), 9);
        assert_eq!(bits(&[]), 0);
    }

    #[test]
    fn nonsense_is_no_certificate() {
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[0x30, 0x82, 0xff, 0xff, 1, 2, 3]), None);
        assert_eq!(chain(&[0, 0, 1, 0]), (Vec::new(), false));
        assert_eq!(chain(&[0, 0, 0]), (Vec::new(), true));
    }
}
