//! Keys of Initial packets: anyone who sees the first packet can make them (RFC 9001 section 5.2, RFC 9369 section 3.3).

use aes_gcm::Aes128Gcm;
use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::aes::Aes128;
use aes_gcm::aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use hkdf::Hkdf;
use sha2::Sha256;

/// Versions whose Initial packets can be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Version {
    /// RFC 9000.
    One,
    /// RFC 9369.
    Two,
    /// Drafts 29 to 34.
    Draft29(u8),
    /// Drafts 23 to 28.
    Draft23(u8),
}

impl Version {
    /// The version of this number.
    pub(super) const fn of(number: u32) -> Option<Self> {
        Some(match number {
            1 => Version::One,
            0x6b33_43cf => Version::Two,
            0xff00_001d..=0xff00_0022 => Version::Draft29((number & 0xff) as u8),
            0xff00_0017..=0xff00_001c => Version::Draft23((number & 0xff) as u8),
            _ => return None,
        })
    }

    const fn salt(self) -> [u8; 20] {
        match self {
            Version::One => [
                0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc,
                0xbb, 0x7f, 0x0a,
            ],
            Version::Two => [
                0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9,
                0xbd, 0x2e, 0xd9,
            ],
            Version::Draft29(_) => [
                0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43,
                0x90, 0xa8, 0x99,
            ],
            Version::Draft23(_) => [
                0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe,
                0xf9, 0xf5, 0x02,
            ],
        }
    }

    /// Labels of key, vector and header protection.
    const fn labels(self) -> [&'static str; 3] {
        match self {
            Version::Two => ["quicv2 key", "quicv2 iv", "quicv2 hp"],
            _ => ["quic key", "quic iv", "quic hp"],
        }
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Version::One => f.write_str("1"),
            Version::Two => f.write_str("2"),
            Version::Draft29(number) | Version::Draft23(number) => write!(f, "draft-{number}"),
        }
    }
}

/// Keys of one direction.
pub(super) struct Keys {
    packet: Aes128Gcm,
    header: Aes128,
    vector: [u8; 12],
}

/// Keys of client and server for the connection id that the client's first packet goes to.
pub(super) fn initial(version: Version, connection: &[u8]) -> Option<(Keys, Keys)> {
    let salt = version.salt();
    let secret = Hkdf::<Sha256>::new(Some(&salt), connection);
    Some((Keys::new(version, &secret, "client in")?, Keys::new(version, &secret, "server in")?))
}

/// HKDF-Expand-Label of TLS 1.3 with an empty context (RFC 8446 section 7.1).
fn expand(secret: &Hkdf<Sha256>, label: &str, into: &mut [u8]) -> Option<()> {
    let length = u16::try_from(into.len()).ok()?.to_be_bytes();
    let label_length = u8::try_from(label.len() + 6).ok()?;
    let info = [&length[..], &[label_length], b"tls13 ", label.as_bytes(), &[0]].concat();
    secret.expand(&info, into).ok()
}

impl Keys {
    fn new(version: Version, initial: &Hkdf<Sha256>, side: &str) -> Option<Self> {
        let mut secret = [0; 32];
        expand(initial, side, &mut secret)?;
        let secret = Hkdf::from_prk(&secret).ok()?;
        let ([mut key, mut header], mut vector) = ([[0; 16]; 2], [0; 12]);
        let [key_label, vector_label, header_label] = version.labels();
        expand(&secret, key_label, &mut key)?;
        expand(&secret, vector_label, &mut vector)?;
        expand(&secret, header_label, &mut header)?;
        Some(Keys { packet: Aes128Gcm::new(&key.into()), header: Aes128::new(&header.into()), vector })
    }

    /// The payload of a packet; `number_at` is where its number begins. `None` if these are not its keys.
    pub(super) fn open(&self, packet: &[u8], number_at: usize) -> Option<Vec<u8>> {
        let sample: [u8; 16] = packet.get(number_at.checked_add(4)?..)?.get(..16)?.try_into().ok()?;
        let mut mask = sample.into();
        self.header.encrypt_block(&mut mask);
        let first = packet.first()? ^ (mask.first()? & 0x0f);
        let length = usize::from(first & 0x03) + 1;
        let (head, body) = packet.split_at_checked(number_at.checked_add(length)?)?;
        let mut head = head.to_vec();
        *head.first_mut()? = first;
        let mut number = 0u64;
        for (byte, mask) in head.get_mut(number_at..)?.iter_mut().zip(mask.get(1..)?) {
            *byte ^= mask;
            number = number << 8 | u64::from(*byte);
        }
        let mut nonce = self.vector;
        for (byte, own) in nonce.iter_mut().skip(4).zip(number.to_be_bytes()) {
            *byte ^= own;
        }
        self.packet.decrypt(&nonce.into(), Payload { msg: body, aad: &head }).ok()
    }
}
