//! Transport protocol data units (ISO 8073 / ITU-T X.224 section 13) and their wrapping in TPKT (RFC 1006 section 6).

use quaywatch_wire::Length;

use crate::bytes::Cursor;

/// Bytes of a TPKT header.
pub const TPKT_HEADER: usize = 4;

/// Framing of TPKT: version 3, a reserved byte, the length of the whole packet.
#[must_use]
pub fn tpkt_length(bytes: &[u8]) -> Length {
    let mut cursor = Cursor::new(bytes);
    match (cursor.u8(), cursor.u8(), cursor.be16()) {
        (Some(3), Some(0), Some(length)) if usize::from(length) > TPKT_HEADER => Length::Whole(usize::from(length)),
        (Some(3), Some(0) | None, None) => Length::NeedMore,
        _ => Length::Invalid,
    }
}

/// A connection request or confirmation.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Connect<'a> {
    /// Reference chosen by the receiver; 0 in a request.
    pub destination_reference: u16,
    /// Reference chosen by the sender.
    pub source_reference: u16,
    /// Transport class, 0 to 4.
    pub class: u8,
    /// Largest TPDU in bytes, if stated.
    pub tpdu_size: Option<u32>,
    /// Calling transport selector, if stated.
    pub calling: Option<&'a [u8]>,
    /// Called transport selector, if stated.
    pub called: Option<&'a [u8]>,
    /// Whether the variable part is RDP's (a cookie or negotiation, MS-RDPBCGR sections 2.2.1.1 and 2.2.1.2).
    pub rdp: bool,
}

/// A transport protocol data unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tpdu<'a> {
    /// CR.
    ConnectRequest(Connect<'a>),
    /// CC.
    ConnectConfirm(Connect<'a>),
    /// DR, with its reason code (section 13.5.3).
    DisconnectRequest(u8),
    /// DC.
    DisconnectConfirm,
    /// DT.
    Data {
        /// End of the transport service data unit.
        last: bool,
        /// Number of the TPDU, in classes 2 to 4.
        sequence: Option<u32>,
        /// User data.
        user: &'a [u8],
    },
    /// AK, EA or RJ: acknowledges and refuses, says nothing of the user data.
    Acknowledge,
    /// ED: expedited user data.
    Expedited(&'a [u8]),
    /// ER: the peer refused a TPDU, with its reject cause.
    Error(u8),
}

/// Reads the TPDU at the front and says what follows it (section 4.6: acknowledgements may be concatenated; what carries data ends the packet).
///
/// # Errors
/// The rule that the bytes break.
pub fn parse(bytes: &[u8]) -> Result<(Tpdu<'_>, &[u8]), &'static str> {
    let (length, rest) = bytes.split_first().ok_or("empty TPDU")?;
    let (header, user) = rest.split_at_checked(usize::from(*length)).ok_or("TPDU header longer than its packet")?;
    let mut cursor = Cursor::new(header);
    let code = cursor.u8().ok_or("TPDU without code")?;
    let short = "TPDU header too short for its code";
    let tpdu = match code & 0xf0 {
        0xe0 => Tpdu::ConnectRequest(connect(cursor).ok_or(short)?),
        0xd0 => Tpdu::ConnectConfirm(connect(cursor).ok_or(short)?),
        0x80 => Tpdu::DisconnectRequest(reason(cursor).ok_or(short)?),
        0xc0 => Tpdu::DisconnectConfirm,
        0xf0 => {
            let (last, sequence) = data(cursor).ok_or(short)?;
            return Ok((Tpdu::Data { last, sequence, user }, &[]));
        }
        0x10 => return Ok((Tpdu::Expedited(user), &[])),
        0x60 | 0x20 | 0x50 => return Ok((Tpdu::Acknowledge, user)),
        0x70 => Tpdu::Error(error(cursor).ok_or(short)?),
        _ => return Err("unknown TPDU code"),
    };
    Ok((tpdu, &[]))
}

/// End mark and number: at once after the code in classes 0 and 1, after the destination reference in the others.
///
/// Whether the number has 7 or 31 bits was agreed at connect; the header's length tells as well: 3 or 6 bytes, and 4 more with a checksum.
fn data(mut cursor: Cursor<'_>) -> Option<(bool, Option<u32>)> {
    let left = cursor.left();
    if left == 1 {
        return Some((cursor.u8()? & 0x80 != 0, None));
    }
    cursor.skip(2)?;
    if matches!(left, 3 | 7) {
        let mark = cursor.u8()?;
        return Some((mark & 0x80 != 0, Some(u32::from(mark & 0x7f))));
    }
    let mark = cursor.be32()?;
    Some((mark & 0x8000_0000 != 0, Some(mark & 0x7fff_ffff)))
}

fn reason(mut cursor: Cursor<'_>) -> Option<u8> {
    cursor.skip(4)?;
    cursor.u8()
}

fn error(mut cursor: Cursor<'_>) -> Option<u8> {
    cursor.skip(2)?;
    cursor.u8()
}

fn connect(mut cursor: Cursor<'_>) -> Option<Connect<'_>> {
    let mut connect = Connect {
        destination_reference: cursor.be16()?,
        source_reference: cursor.be16()?,
        class: cursor.u8()? >> 4,
        ..Connect::default()
    };
    connect.rdp = is_rdp(cursor.rest());
    if connect.rdp {
        return Some(connect);
    }
    // A parameter that is cut short ends the list: what was read before it still holds.
    while let (Some(code), Some(length)) = (cursor.u8(), cursor.u8()) {
        let Some(value) = cursor.take(usize::from(length)) else { break };
        match code {
            // Section 13.3.4 b: the binary logarithm of the size.
            0xc0 => {
                connect.tpdu_size =
                    value.first().filter(|power| (7..=16).contains(*power)).map(|power| 1u32 << u32::from(*power));
            }
            0xc1 => connect.calling = Some(value),
            0xc2 => connect.called = Some(value),
            _ => {}
        }
    }
    Some(connect)
}

/// RDP puts a routing token or cookie, or an 8-byte negotiation structure of type 1, 2 or 3, where parameters belong.
fn is_rdp(variable: &[u8]) -> bool {
    // Parameter codes of ISO 8073 lie above 3, so the structure cannot be a parameter.
    variable.starts_with(b"Cookie: mst") || variable.starts_with(b"tsv://") || matches!(variable, [1..=3, _, 8, 0, ..])
}

/// Name of a disconnect reason (section 13.5.3 d).
#[must_use]
pub const fn reason_name(reason: u8) -> &'static str {
    match reason {
        0 => "reason not specified",
        1 => "congestion at TSAP",
        2 => "session entity not attached to TSAP",
        3 => "address unknown",
        128 => "normal disconnect",
        129 => "remote transport entity congestion",
        130 => "connection negotiation failed",
        131 => "duplicate source reference",
        132 => "mismatched references",
        133 => "protocol error",
        135 => "reference overflow",
        136 => "connection request refused",
        138 => "header or parameter length invalid",
        _ => "unknown reason",
    }
}
