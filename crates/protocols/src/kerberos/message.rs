//! Kerberos messages taken apart (RFC 4120 sections 5.3 to 5.9).

use quaywatch_model::Timestamp;

use crate::ber::{Reader, integer, tag};

/// Items read of any list in a message.
const MAX_ITEMS: usize = 32;
/// Bytes kept of a name or realm.
const MAX_NAME: usize = 256;

/// Pre-authentication data types in use (RFC 4120 section 7.5.2; MS-SFU 2.2.1; RFC 4556).
pub(super) mod padata {
    pub(in crate::kerberos) const TGS_REQ: i64 = 1;
    pub(in crate::kerberos) const ENC_TIMESTAMP: i64 = 2;
    pub(in crate::kerberos) const PK_AS_REQ: i64 = 16;
    pub(in crate::kerberos) const FOR_USER: i64 = 129;
    pub(in crate::kerberos) const ENCRYPTED_CHALLENGE: i64 = 138;
}

/// A ticket's readable part (RFC 4120 section 5.3).
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Ticket {
    /// Realm that issued it.
    pub realm: String,
    /// Service it is for, its parts joined by `/`.
    pub service: String,
    /// Encryption type of its sealed part.
    pub encryption: Option<i64>,
}

/// A message. What a kind lacks is empty.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Message {
    /// Message type: 10 AS-REQ to 30 KRB-ERROR.
    pub kind: u8,
    /// Types of the pre-authentication data.
    pub padata: Vec<i64>,
    /// Encryption type of the encrypted timestamp.
    pub timestamp_encryption: Option<i64>,
    /// Client principal, its parts joined by `/`.
    pub client: String,
    /// Realm asked, or of the client in replies.
    pub realm: String,
    /// Service principal asked for.
    pub service: String,
    /// Encryption types offered, best first.
    pub offered: Vec<i64>,
    /// NetBIOS name among the client's addresses.
    pub netbios: String,
    /// Ticket of a reply, or of the AP-REQ inside a TGS-REQ.
    pub ticket: Option<Ticket>,
    /// User and realm on whose behalf a service asks (MS-SFU 2.2.1).
    pub for_user: Option<(String, String)>,
    /// Encryption type of a reply's own sealed part.
    pub encryption: Option<i64>,
    /// Error code.
    pub error: Option<i64>,
    /// Text of the error.
    pub text: String,
    /// The server's clock, in errors.
    pub server_time: Option<Timestamp>,
    /// Options of a request, first option in the highest bit.
    pub options: u32,
}

/// Number of a context tag `[n]`.
const fn context(number: u8) -> u8 {
    0xa0 | number
}

fn text(bytes: &[u8]) -> String {
    let bytes = bytes.get(..MAX_NAME).unwrap_or(bytes);
    String::from_utf8_lossy(bytes).chars().filter(|c| !c.is_control()).collect()
}

/// A string inside `[n]`.
fn string(content: &[u8]) -> String {
    Reader::new(content).element().map(|(_, bytes)| text(bytes)).unwrap_or_default()
}

fn number(content: &[u8]) -> Option<i64> {
    Reader::new(content).number()
}

fn sequence(content: &[u8]) -> Option<Reader<'_>> {
    Reader::new(content).optional(tag::SEQUENCE).map(Reader::new)
}

/// `PrincipalName` (RFC 4120 section 5.2.2): the parts of its name-string.
fn principal(content: &[u8]) -> String {
    let parts = sequence(content).and_then(|fields| fields.find(context(1))).and_then(sequence);
    let mut name = String::new();
    let Some(mut parts) = parts else { return name };
    for _ in 0..MAX_ITEMS {
        let Some((_, part)) = parts.element() else { break };
        if !name.is_empty() {
            name.push('/');
        }
        name.push_str(&text(part));
    }
    name
}

/// `EncryptedData` (RFC 4120 section 5.2.9): its type.
fn encryption(content: &[u8]) -> Option<i64> {
    sequence(content)?.find(context(0)).and_then(number)
}

/// `KerberosTime` (RFC 4120 section 5.2.3): `YYYYMMDDhhmmssZ`.
fn time(content: &[u8]) -> Option<Timestamp> {
    let (_, digits) = Reader::new(content).element()?;
    let digits = std::str::from_utf8(digits).ok()?;
    let part = |from: usize, to: usize| digits.get(from..to)?.parse::<u32>().ok();
    Timestamp::from_civil(part(0, 4)?.into(), part(4, 6)?, part(6, 8)?, part(8, 10)?, part(10, 12)?, part(12, 14)?)
}

impl Ticket {
    /// Reads a ticket, from its tag on.
    fn read(content: &[u8]) -> Option<Self> {
        let mut fields = sequence(Reader::new(content).optional(0x61)?)?;
        let mut ticket = Ticket::default();
        while let Some((tag, content)) = fields.element() {
            match tag {
                0xa1 => ticket.realm = string(content),
                0xa2 => ticket.service = principal(content),
                0xa3 => ticket.encryption = encryption(content),
                _ => {}
            }
        }
        Some(ticket)
    }

    /// The ticket inside an AP-REQ (RFC 4120 section 5.5.1), from its tag on.
    #[must_use]
    pub fn of_ap_req(bytes: &[u8]) -> Option<Self> {
        sequence(Reader::new(bytes).optional(0x6e)?)?.find(context(3)).and_then(Ticket::read)
    }
}

impl Message {
    /// Reads a message, from its application tag on. `None` if it is no Kerberos message.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (tag, content) = Reader::new(bytes).element()?;
        let kind = tag.checked_sub(0x60).filter(|kind| matches!(kind, 10..=15 | 20..=22 | 30))?;
        let fields = sequence(content)?;
        // Requests number their version [1] and type [2], all others [0] and [1].
        let first = u8::from(matches!(kind, 10 | 12));
        if fields.find(context(first)).and_then(number) != Some(5)
            || fields.find(context(first + 1)).and_then(number) != Some(kind.into())
        {
            return None;
        }
        let mut message = Message { kind, ..Message::default() };
        match kind {
            10 | 12 => message.request(fields),
            11 | 13 => message.reply(fields),
            14 => message.ticket = Ticket::of_ap_req(bytes),
            30 => message.failure(fields),
            _ => {}
        }
        Some(message)
    }

    fn request(&mut self, mut fields: Reader<'_>) {
        while let Some((tag, content)) = fields.element() {
            match tag {
                0xa3 => self.preauthentication(content),
                0xa4 => self.body(content),
                _ => {}
            }
        }
    }

    fn preauthentication(&mut self, content: &[u8]) {
        let Some(mut list) = sequence(content) else { return };
        for _ in 0..MAX_ITEMS {
            let Some((_, item)) = list.element() else { return };
            let item = Reader::new(item);
            let Some(kind) = item.find(context(1)).and_then(number) else { continue };
            self.padata.push(kind);
            let Some((_, value)) = item.find(context(2)).and_then(|value| Reader::new(value).element()) else {
                continue;
            };
            match kind {
                padata::TGS_REQ => self.ticket = Ticket::of_ap_req(value),
                padata::ENC_TIMESTAMP => self.timestamp_encryption = encryption(value),
                padata::FOR_USER => self.for_user = for_user(value),
                _ => {}
            }
        }
    }

    /// `KDC-REQ-BODY` (RFC 4120 section 5.4.1).
    fn body(&mut self, content: &[u8]) {
        let Some(mut fields) = sequence(content) else { return };
        while let Some((tag, content)) = fields.element() {
            match tag {
                0xa0 => self.options = options(content).unwrap_or(0),
                0xa1 => self.client = principal(content),
                0xa2 => self.realm = string(content),
                0xa3 => self.service = principal(content),
                0xa8 => self.offered = numbers(content),
                0xa9 => self.netbios = netbios(content).unwrap_or_default(),
                _ => {}
            }
        }
    }

    fn reply(&mut self, mut fields: Reader<'_>) {
        while let Some((tag, content)) = fields.element() {
            match tag {
                0xa3 => self.realm = string(content),
                0xa4 => self.client = principal(content),
                0xa5 => self.ticket = Ticket::read(content),
                0xa6 => self.encryption = encryption(content),
                _ => {}
            }
        }
    }

    fn failure(&mut self, mut fields: Reader<'_>) {
        while let Some((tag, content)) = fields.element() {
            match tag {
                0xa4 => self.server_time = time(content),
                0xa6 => self.error = number(content),
                0xa8 => self.client = principal(content),
                0xa9 => self.realm = string(content),
                0xaa => self.service = principal(content),
                0xab => self.text = string(content),
                _ => {}
            }
        }
    }
}

fn numbers(content: &[u8]) -> Vec<i64> {
    let Some(mut list) = sequence(content) else { return Vec::new() };
    std::iter::from_fn(|| list.element()).filter_map(|(_, value)| integer(value)).take(MAX_ITEMS).collect()
}

fn options(content: &[u8]) -> Option<u32> {
    // A bit string: count of unused bits, then the bits.
    let (_, bits) = Reader::new(content).element()?;
    bits.get(1..5)?.first_chunk().map(|bits| u32::from_be_bytes(*bits))
}

/// The NetBIOS name among host addresses (RFC 4120 section 7.5.3: type 20); its last character is the service.
fn netbios(content: &[u8]) -> Option<String> {
    let mut list = sequence(content)?;
    for _ in 0..MAX_ITEMS {
        let (_, item) = list.element()?;
        let item = Reader::new(item);
        if item.find(context(0)).and_then(number) == Some(20) {
            let (_, name) = Reader::new(item.find(context(1))?).element()?;
            return Some(text(name.get(..15).unwrap_or(name)).trim().to_owned());
        }
    }
    None
}

/// `PA-FOR-USER` (MS-SFU 2.2.1).
fn for_user(value: &[u8]) -> Option<(String, String)> {
    let fields = sequence(value)?;
    let user = fields.find(context(0)).map(principal)?;
    Some((user, fields.find(context(1)).map(string).unwrap_or_default()))
}
