//! NTLMSSP messages ([MS-NLMP] section 2.2.1): who the two hosts say they are, and how the client proves its password.
//!
//! NTLM travels inside others (HTTP, SMB, LDAP, RPC, RDP); their analyzers hand the bytes to [`find`] and [`parse`],
//! and what the hosts say of themselves to [`say`].

use std::fmt;

use quaywatch_model::{Address, At, Attribute, Clock, Identity, Observation, Sink, Timestamp};

use crate::bytes::Cursor;
use crate::claims::Claims;

/// Every message starts so.
pub const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";

/// `NTLMSSP_NEGOTIATE_UNICODE`: strings are UTF-16LE, else of the OEM code page.
const UNICODE: u32 = 0x0000_0001;
/// `NTLMSSP_NEGOTIATE_VERSION`: the version field holds the sender's operating system version.
const HAS_VERSION: u32 = 0x0200_0000;
/// Bytes of a string that are read; names are far shorter.
const MAX_STRING: usize = 1024;
/// Seconds from 1601-01-01, the epoch of FILETIME, to 1970-01-01.
const FILETIME_EPOCH: i64 = 11_644_473_600;

/// Operating system version of the sender ([MS-NLMP] section 2.2.2.10).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Version {
    /// Major version, e.g. 10.
    pub major: u8,
    /// Minor version, e.g. 0.
    pub minor: u8,
    /// Build number, e.g. 19041; 0 from Samba and others that are no Windows.
    pub build: u16,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Windows {}.{} build {}", self.major, self.minor, self.build)
    }
}

/// The client opens (type 1).
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Negotiate {
    /// Domain of the client host, if it supplied one.
    pub domain: String,
    /// Name of the client host, if it supplied one.
    pub workstation: String,
    /// Operating system of the client.
    pub version: Option<Version>,
}

/// The server challenges (type 2).
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Challenge {
    /// Domain or server that the account is sought in.
    pub target: String,
    /// NetBIOS name of the server.
    pub netbios_computer: String,
    /// NetBIOS name of its domain.
    pub netbios_domain: String,
    /// Fully qualified name of the server.
    pub dns_computer: String,
    /// Fully qualified name of its domain.
    pub dns_domain: String,
    /// The server's clock.
    pub time: Option<Timestamp>,
    /// Operating system of the server.
    pub version: Option<Version>,
}

/// How the client proves the password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scheme {
    /// Not at all: an anonymous session.
    Anonymous,
    /// LAN Manager response alone.
    Lm,
    /// NTLM version 1, with or without extended session security.
    V1,
    /// NTLM version 2.
    V2,
}

impl Scheme {
    /// The method named in session rows.
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Scheme::Anonymous => "ntlm anonymous",
            Scheme::Lm => "lm",
            Scheme::V1 => "ntlmv1",
            Scheme::V2 => "ntlmv2",
        }
    }

    /// Whether the response gives the password away to an eavesdropper with today's means.
    #[must_use]
    pub const fn is_weak(self) -> bool {
        matches!(self, Scheme::Lm | Scheme::V1)
    }
}

/// The client answers (type 3).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Authenticate {
    /// Domain of the account.
    pub domain: String,
    /// The account.
    pub user: String,
    /// Name of the client host.
    pub workstation: String,
    /// Operating system of the client.
    pub version: Option<Version>,
    /// How the password is proven.
    pub scheme: Scheme,
}

impl Authenticate {
    /// The account with its domain, `DOMAIN\user`; without domain the account alone.
    #[must_use]
    pub fn account(&self) -> String {
        if self.domain.is_empty() { self.user.clone() } else { format!("{}\\{}", self.domain, self.user) }
    }
}

/// One NTLMSSP message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// Type 1.
    Negotiate(Negotiate),
    /// Type 2.
    Challenge(Challenge),
    /// Type 3.
    Authenticate(Authenticate),
}

/// The part of `bytes` that starts with the signature: NTLMSSP inside SPNEGO or another wrapping.
#[must_use]
pub fn find(bytes: &[u8]) -> Option<&[u8]> {
    let at = bytes.windows(SIGNATURE.len()).position(|window| window == SIGNATURE)?;
    bytes.get(at..)
}

/// Reads one message, from its signature on. Bytes after it do no harm.
///
/// `None` if it is no NTLMSSP message or its fixed part is cut short. A string that lies outside reads as empty.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<Message> {
    let mut cursor = Cursor::new(bytes);
    if cursor.take(SIGNATURE.len())? != SIGNATURE {
        return None;
    }
    match cursor.le32()? {
        1 => negotiate(bytes, cursor).map(Message::Negotiate),
        2 => challenge(bytes, cursor).map(Message::Challenge),
        3 => authenticate(bytes, cursor).map(Message::Authenticate),
        _ => None,
    }
}

fn negotiate(whole: &[u8], mut cursor: Cursor<'_>) -> Option<Negotiate> {
    let flags = cursor.le32()?;
    // Older clients send nothing but the flags.
    let domain = field(whole, &mut cursor).map(|bytes| text(bytes, 0)).unwrap_or_default();
    let workstation = field(whole, &mut cursor).map(|bytes| text(bytes, 0)).unwrap_or_default();
    Some(Negotiate { domain, workstation, version: version(flags, &mut cursor) })
}

fn challenge(whole: &[u8], mut cursor: Cursor<'_>) -> Option<Challenge> {
    let target = field(whole, &mut cursor)?;
    let flags = cursor.le32()?;
    // Server challenge and reserved.
    cursor.skip(16)?;
    let mut message = Challenge { target: text(target, flags), ..Challenge::default() };
    if let Some(info) = field(whole, &mut cursor) {
        target_info(info, &mut message);
    }
    message.version = version(flags, &mut cursor);
    Some(message)
}

/// Attribute-value pairs ([MS-NLMP] section 2.2.2.1).
fn target_info(info: &[u8], message: &mut Challenge) {
    let mut cursor = Cursor::new(info);
    while let (Some(id), Some(length)) = (cursor.le16(), cursor.le16()) {
        let Some(value) = cursor.take(length.into()) else { return };
        let name = || text(value, UNICODE);
        match id {
            0 => return,
            1 => message.netbios_computer = name(),
            2 => message.netbios_domain = name(),
            3 => message.dns_computer = name(),
            4 => message.dns_domain = name(),
            7 => message.time = Cursor::new(value).le64().and_then(filetime),
            _ => {}
        }
    }
}

fn authenticate(whole: &[u8], mut cursor: Cursor<'_>) -> Option<Authenticate> {
    let lm = field(whole, &mut cursor)?;
    let nt = field(whole, &mut cursor)?;
    let domain = field(whole, &mut cursor)?;
    let user = field(whole, &mut cursor)?;
    let workstation = field(whole, &mut cursor)?;
    // Before NTLM version 2 the message may end here, its strings in Unicode by custom.
    let _session_key = field(whole, &mut cursor);
    let flags = cursor.le32().unwrap_or(UNICODE);
    let scheme = match (nt.len(), lm.len()) {
        (0, 0 | 1) => Scheme::Anonymous,
        (0, _) => Scheme::Lm,
        (1..=24, _) => Scheme::V1,
        _ => Scheme::V2,
    };
    Some(Authenticate {
        domain: text(domain, flags),
        user: text(user, flags),
        workstation: text(workstation, flags),
        version: version(flags, &mut cursor),
        scheme,
    })
}

/// The bytes that a length, maximum and offset point to; empty if they lie outside.
fn field<'a>(whole: &'a [u8], cursor: &mut Cursor<'_>) -> Option<&'a [u8]> {
    let length = usize::from(cursor.le16()?);
    let _maximum = cursor.le16()?;
    let offset = usize::try_from(cursor.le32()?).ok()?;
    let end = offset.saturating_add(length);
    Some(whole.get(offset..end).unwrap_or_default())
}

fn text(bytes: &[u8], flags: u32) -> String {
    let bytes = bytes.get(..MAX_STRING).unwrap_or(bytes);
    if flags & UNICODE == 0 {
        return crate::bytes::device_text(bytes).unwrap_or_default();
    }
    let (pairs, _) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| u16::from_le_bytes(*pair));
    let text: String = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    text.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned()
}

fn version(flags: u32, cursor: &mut Cursor<'_>) -> Option<Version> {
    if flags & HAS_VERSION == 0 {
        return None;
    }
    let version = Version { major: cursor.u8()?, minor: cursor.u8()?, build: cursor.le16()? };
    (version.major != 0).then_some(version)
}

/// 100 ns steps since 1601.
fn filetime(steps: u64) -> Option<Timestamp> {
    let steps = i64::try_from(steps).ok().filter(|steps| *steps > 0)?;
    let seconds = steps / 10_000_000 - FILETIME_EPOCH;
    Some(Timestamp::from_parts(seconds, steps % 10_000_000 * 100))
}

/// Emits what the sender of a message says of itself: host name, domain, operating system, clock.
pub fn say(message: &Message, claims: &mut Claims, out: &mut dyn Sink, at: At, sender: Address) {
    let mut claim = |attribute, value: &str, method| {
        claims.identity(out, at, Identity { subject: sender, attribute, value, method });
    };
    let os = |version: Option<Version>| version.filter(|v| v.build != 0).map(|v| v.to_string()).unwrap_or_default();
    match message {
        Message::Negotiate(message) => {
            claim(Attribute::HostName, &message.workstation, "ntlm negotiate workstation");
            claim(Attribute::Domain, &message.domain, "ntlm negotiate domain");
            claim(Attribute::Os, &os(message.version), "ntlm negotiate version");
        }
        Message::Challenge(message) => {
            claim(Attribute::HostName, &message.netbios_computer, "ntlm challenge computer name");
            claim(Attribute::HostName, &message.dns_computer, "ntlm challenge dns computer name");
            claim(Attribute::Domain, &message.netbios_domain, "ntlm challenge domain name");
            claim(Attribute::Domain, &message.dns_domain, "ntlm challenge dns domain name");
            claim(Attribute::Os, &os(message.version), "ntlm challenge version");
            if let Some(device_time) = message.time.filter(|_| claims.first(("ntlm clock", sender))) {
                let clock = Clock {
                    subject: sender,
                    method: "ntlm challenge timestamp",
                    device_time,
                    skew: device_time.since(at.ts),
                };
                out.emit(at, Observation::Clock(clock));
            }
        }
        Message::Authenticate(message) => {
            claim(Attribute::HostName, &message.workstation, "ntlm authenticate workstation");
            claim(Attribute::Os, &os(message.version), "ntlm authenticate version");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;
    use proptest::prelude::*;

    // Cut from shared capture ntlm/wireshark-wiki-ntlm.pcap is in the HTTP tests; these are written from the specification.

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn authenticate_message(nt_length: u16) -> Vec<u8> {
        let (domain, user, host) = (utf16("PORT"), utf16("crane"), utf16("HMI7"));
        let mut message = hex("4e544c4d5353500003000000");
        let base = 72u32;
        let mut offset = base;
        let mut body = Vec::new();
        let nt = vec![0xaa; nt_length.into()];
        for part in [&vec![0; 24], &nt, &domain, &user, &host, &Vec::new()] {
            let length = u16::try_from(part.len()).unwrap();
            message.extend(length.to_le_bytes());
            message.extend(length.to_le_bytes());
            message.extend(offset.to_le_bytes());
            offset += u32::from(length);
            body.extend_from_slice(part);
        }
        message.extend((UNICODE | HAS_VERSION).to_le_bytes());
        message.extend(hex("0a00614a0000000f"));
        assert_eq!(message.len(), 72);
        message.extend(body);
        message
    }

    #[test]
    fn an_authenticate_message_names_account_and_scheme() {
        let Some(Message::Authenticate(message)) = parse(&authenticate_message(24)) else { panic!("type 3") };
        assert_eq!(message.account(), "PORT\\crane");
        assert_eq!(message.workstation, "HMI7");
        assert_eq!(message.scheme, Scheme::V1);
        assert_eq!(message.version.map(|v| v.to_string()).as_deref(), Some("Windows 10.0 build 19041"));
        let Some(Message::Authenticate(message)) = parse(&authenticate_message(200)) else { panic!("type 3") };
        assert_eq!(message.scheme, Scheme::V2);
    }

    #[test]
    fn a_challenge_tells_names_and_clock() {
        let mut info = Vec::new();
        for (id, value) in
            [(1u16, utf16("SRV")), (3, utf16("srv.port.local")), (7, 0x01d0_0000_0000_0000u64.to_le_bytes().to_vec())]
        {
            info.extend(id.to_le_bytes());
            info.extend(u16::try_from(value.len()).unwrap().to_le_bytes());
            info.extend(value);
        }
        info.extend([0; 4]);
        let mut message = hex("4e544c4d5353500002000000 0000000000000000 01000002 0102030405060708 0000000000000000");
        let length = u16::try_from(info.len()).unwrap();
        message.extend(length.to_le_bytes());
        message.extend(length.to_le_bytes());
        message.extend(56u32.to_le_bytes());
        message.extend(hex("0603801d0000000f"));
        message.extend(info);
        let Some(Message::Challenge(challenge)) = parse(&message) else { panic!("type 2") };
        assert_eq!(challenge.netbios_computer, "SRV");
        assert_eq!(challenge.dns_computer, "srv.port.local");
        assert_eq!(challenge.version, Some(Version { major: 6, minor: 3, build: 7552 }));
        assert!(challenge.time.is_some());
    }

    #[test]
    fn truncated_messages_do_no_harm() {
        let whole = authenticate_message(100);
        for length in 0..whole.len() {
            let _ = parse(&whole[..length]);
        }
        assert_eq!(parse(b"NTLMSSP\0\x09\0\0\0"), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_no_harm(kind in 1u32..4, bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut message = SIGNATURE.to_vec();
            message.extend(kind.to_le_bytes());
            message.extend(bytes);
            let _ = find(&message).and_then(parse);
        }
    }
}
