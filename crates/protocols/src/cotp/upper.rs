//! What rides on COTP, told by its first bytes, and the seam where an analyzer for it plugs in.

use quaywatch_model::{At, Direction, Endpoint, Sink, Transport};
use quaywatch_wire::Flow;

/// One whole transport service data unit with its place and its ends.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Place of the packet that completed it.
    pub at: At,
    /// Which way it went.
    pub direction: Direction,
    /// Who sent it.
    pub sender: Endpoint,
    /// Whom it was sent to.
    pub receiver: Endpoint,
    /// What carries COTP.
    pub transport: Transport,
    /// Rack and slot addressed by the connection request, as [`Place::unit`](super::Place::unit).
    pub unit: Option<u32>,
    /// The user data; never empty.
    pub data: &'a [u8],
}

/// Reads the messages of one upper layer of one flow.
pub trait Upper: Send {
    /// Takes the next message.
    fn message(&mut self, message: &Message<'_>, out: &mut dyn Sink);

    /// Told when data of one direction was lost.
    fn gap(&mut self, direction: Direction, out: &mut dyn Sink) {
        let _ = (direction, out);
    }

    /// Told when the flow ended.
    fn close(&mut self, flow: &Flow, out: &mut dyn Sink) {
        let _ = (flow, out);
    }
}

/// The upper layers that are known by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UpperKind {
    /// S7 communication of S7-300, S7-400 and, for data access, of their successors.
    S7comm,
    /// S7 communication of S7-1200 and S7-1500.
    S7commPlus,
    /// ISO 9506, used by IEC 61850 and IEC 60870-6 (TASE.2), over ISO session and presentation.
    Mms,
    /// ISO session (X.225) with something else on top.
    IsoSession,
    /// T.125 as used by remote desktop (MS-RDPBCGR).
    Rdp,
}

impl UpperKind {
    /// Protocol name for the connection's `service` and the coverage account.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            UpperKind::S7comm => "s7comm",
            UpperKind::S7commPlus => "s7comm-plus",
            UpperKind::Mms => "mms",
            UpperKind::IsoSession => "iso-session",
            UpperKind::Rdp => "rdp",
        }
    }

    /// An analyzer for it, where there is one. A layer without one is named and counted as undecoded.
    ///
    /// To add an analyzer: implement [`Upper`] and answer with it here.
    #[must_use]
    pub fn open(self) -> Option<Box<dyn Upper>> {
        match self {
            UpperKind::S7comm => Some(Box::new(crate::s7comm::Conversation::default())),
            UpperKind::S7commPlus => Some(Box::new(crate::s7comm_plus::Conversation::default())),
            UpperKind::Mms => Some(Box::new(crate::mms::Conversation::default())),
            UpperKind::IsoSession | UpperKind::Rdp => None,
        }
    }

    /// Whether there is an analyzer for it.
    #[must_use]
    pub const fn is_read(self) -> bool {
        matches!(self, UpperKind::S7comm | UpperKind::S7commPlus | UpperKind::Mms)
    }

    /// Tells an upper layer by the first bytes of a message.
    #[must_use]
    pub fn of(message: &[u8]) -> Option<UpperKind> {
        match message {
            // Protocol id, ROSCTR, redundancy identification (always zero).
            [0x32, 1 | 2 | 3 | 7, 0, 0, ..] => Some(UpperKind::S7comm),
            // Protocol id, version; 0xfe in keep-alives, 0xff in system events.
            [0x72, 1..=3 | 0xfe | 0xff, ..] => Some(UpperKind::S7commPlus),
            // Give tokens and data transfer (X.225 section 8.3.13), then presentation user data (X.226 fully encoded).
            [1, 0, 1, 0, 0x61, ..] => Some(UpperKind::Mms),
            // Connect, accept (sections 8.3.1 and 8.3.4), whose user data name the application context.
            [0x0d | 0x0e, length, _, ..] if *length > 1 => Some(session(message)),
            // MMS straight on the transport layer: initiate request and response (ISO 9506-2 tags 8 and 9).
            [0xa8, _, 0x80 | 0x81, ..] | [0xa9, _, 0x80 | 0x81, ..] => Some(UpperKind::Mms),
            // T.125 Connect-Initial and Connect-Response (BER application tags 101 and 102).
            [0x7f, 0x65 | 0x66, ..] => Some(UpperKind::Rdp),
            _ => None,
        }
    }

    /// Whether the message was sent by the server: a reply or an indication.
    #[must_use]
    pub fn from_server(self, message: &[u8]) -> bool {
        match self {
            UpperKind::S7comm => match message {
                [_, 2 | 3, ..] => true,
                // Userdata: type of the parameter block, 8 for a response, 0 for an indication.
                [_, 7, ..] => message.get(15).is_some_and(|kind| matches!(kind >> 4, 0 | 8)),
                _ => false,
            },
            // Opcode: response or notification.
            UpperKind::S7commPlus => {
                let opcode = match message {
                    [_, 3, _, _, digest, ..] => 5usize.saturating_add((*digest).into()),
                    _ => 4,
                };
                matches!(message.get(opcode), Some(0x32 | 0x33))
            }
            UpperKind::IsoSession => message.first() == Some(&0x0e),
            UpperKind::Mms => match message {
                [0x0e | 0xa9, ..] => true,
                // Presentation: user data, one PDV with context id, then the MMS PDU: confirmed response 1, error 2, unconfirmed 3.
                _ => mms_pdu(message).is_some_and(|tag| matches!(tag, 0xa1..=0xa3)),
            },
            UpperKind::Rdp => message.get(1) == Some(&0x66),
        }
    }
}

/// MMS stands as abstract syntax 1.0.9506.2.1 in the presentation contexts.
fn session(message: &[u8]) -> UpperKind {
    if message.windows(3).any(|oid| oid == [0x28, 0xca, 0x22]) { UpperKind::Mms } else { UpperKind::IsoSession }
}

/// First byte of the MMS PDU within `01 00 01 00 61 L 30 L 02 01 cc a0 L`, short or long lengths.
fn mms_pdu(message: &[u8]) -> Option<u8> {
    let mut cursor = crate::bytes::Cursor::new(message.get(4..)?);
    for expected in [0x61, 0x30] {
        (cursor.u8()? == expected).then_some(())?;
        ber_length(&mut cursor)?;
    }
    (cursor.u8()? == 2).then_some(())?;
    let context = ber_length(&mut cursor)?;
    cursor.skip(context)?;
    (cursor.u8()? == 0xa0).then_some(())?;
    ber_length(&mut cursor)?;
    cursor.u8()
}

fn ber_length(cursor: &mut crate::bytes::Cursor<'_>) -> Option<usize> {
    match cursor.u8()? {
        short @ 0..=0x7f => Some(usize::from(short)),
        0x81 => cursor.u8().map(usize::from),
        0x82 => cursor.be16().map(usize::from),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    #[test]
    fn upper_layers_are_told_apart() {
        for (bytes, kind) in [
            ("32010000", Some(UpperKind::S7comm)),
            ("32050000", None),
            ("7201000f", Some(UpperKind::S7commPlus)),
            ("0100010061", Some(UpperKind::Mms)),
            ("7f658201", Some(UpperKind::Rdp)),
            ("0d0a0506130100", Some(UpperKind::IsoSession)),
            ("0d0a050628ca220201", Some(UpperKind::Mms)),
            ("", None),
        ] {
            assert_eq!(UpperKind::of(&hex(bytes)), kind, "{bytes}");
        }
        assert!(UpperKind::S7comm.from_server(&hex("32030000")));
        // Confirmed-ResponsePDU and -RequestPDU behind session and presentation.
        assert!(UpperKind::Mms.from_server(&hex("01000100610f300d020103a008a106020101a40180")));
        assert!(!UpperKind::Mms.from_server(&hex("01000100610f300d020103a008a006020101a40180")));
    }
}
