//! What rides in MCS data: the security header and, where it is not encrypted, the client's logon data
//! ([MS-RDPBCGR] sections 2.2.8.1.1.2 and 2.2.1.11).

use super::core::utf16;
use crate::bytes::{Cursor, device_text};

/// Flags of the security header.
const SEC_ENCRYPT: u16 = 0x0008;
const SEC_INFO_PKT: u16 = 0x0040;
/// Flags of the logon data: logon without asking, text in UTF-16.
const INFO_AUTOLOGON: u32 = 0x0008;
const INFO_UNICODE: u32 = 0x0010;

/// A piece of MCS data (T.125 sections 11.32 and 11.33, packed).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Data<'a> {
    /// Its security header says that it is encrypted.
    Encrypted,
    /// The client's logon data, readable.
    Logon(&'a [u8]),
    /// Something else, readable.
    Other,
}

/// The client's logon data.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Logon<'a> {
    pub(super) domain: String,
    pub(super) user: String,
    /// As it stands on the wire; to be looked at once.
    pub(super) password: &'a [u8],
    pub(super) unicode: bool,
    pub(super) automatic: bool,
    /// Program that is to start in place of the desktop.
    pub(super) shell: String,
}

/// Reads the user data of SendDataRequest (from the client) or SendDataIndication; `None` for other messages.
pub(super) fn data<'a>(message: &'a [u8], from_client: bool) -> Option<Data<'a>> {
    let mut cursor = Cursor::new(message);
    let wanted = if from_client { 0x64 } else { 0x68 };
    (cursor.u8()? == wanted).then_some(())?;
    // Initiator, channel, priority and segmentation.
    cursor.skip(5)?;
    let first = cursor.u8()?;
    if first & 0x80 != 0 {
        cursor.skip(1)?;
    }
    let body = cursor.rest();
    let flags = cursor.le16().unwrap_or(0);
    cursor.skip(2);
    Some(match flags {
        _ if flags & SEC_ENCRYPT != 0 => Data::Encrypted,
        _ if flags & SEC_INFO_PKT != 0 && from_client && body.len() > 22 => Data::Logon(cursor.rest()),
        _ => Data::Other,
    })
}

/// Reads TS_INFO_PACKET.
pub(super) fn logon(bytes: &[u8]) -> Option<Logon<'_>> {
    let mut cursor = Cursor::new(bytes);
    cursor.skip(4)?;
    let flags = cursor.le32()?;
    let unicode = flags & INFO_UNICODE != 0;
    let lengths = [cursor.le16()?, cursor.le16()?, cursor.le16()?, cursor.le16()?, cursor.le16()?];
    // The lengths leave out the terminating zero, which is there all the same.
    let zero = if unicode { 2 } else { 1 };
    let mut field = |length: u16| {
        let text = cursor.take(length.into())?;
        cursor.skip(zero)?;
        Some(text)
    };
    let [domain, user, password, shell, _] = lengths;
    let (domain, user, password) = (field(domain)?, field(user)?, field(password)?);
    let shell = field(shell).unwrap_or_default();
    let text = |bytes: &[u8]| if unicode { utf16(bytes) } else { device_text(bytes).unwrap_or_default() };
    Some(Logon {
        domain: text(domain),
        user: text(user),
        password,
        unicode,
        automatic: flags & INFO_AUTOLOGON != 0,
        shell: text(shell),
    })
}
