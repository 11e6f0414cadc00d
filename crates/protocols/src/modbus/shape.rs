//! Tells Modbus from other traffic, and requests from replies, by the layout of a PDU.

use crate::bytes::Cursor;
use crate::modbus::names::{MEI_CANOPEN, MEI_DEVICE_ID, diagnostics, exception};
use crate::umas;

/// Bytes of the MBAP header up to and with the unit identifier (Modbus Messaging on TCP/IP V1.0b section 3.1.3).
pub const HEADER: usize = 7;
/// Bytes of the header that its length field does not count.
pub const UNCOUNTED: usize = 6;
/// Longest PDU of the specification (V1.1b3 section 4.1).
pub const PDU_LIMIT: usize = 253;
/// Longest frame taken: UMAS agrees on PDUs of about a kilobyte.
pub const FRAME_LIMIT: usize = 2048;

/// An MBAP header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Transaction identifier, repeated by the reply.
    pub transaction: u16,
    /// Protocol identifier, 0 for Modbus.
    pub protocol: u16,
    /// Bytes that follow the field, with the unit identifier.
    pub length: u16,
    /// Unit identifier.
    pub unit: u8,
}

impl Header {
    /// The header at the start of `frame`, and the PDU behind it.
    #[must_use]
    pub fn read(frame: &[u8]) -> Option<(Header, &[u8])> {
        let mut cursor = Cursor::new(frame);
        let header = Header {
            transaction: cursor.be16()?,
            protocol: cursor.be16()?,
            length: cursor.be16()?,
            unit: cursor.u8()?,
        };
        Some((header, cursor.rest()))
    }

    /// Whether a frame may have this length: unit and function code at least.
    #[must_use]
    pub const fn plausible_length(length: u16) -> bool {
        length >= 2 && (length as usize) <= FRAME_LIMIT - UNCOUNTED
    }
}

/// What a PDU can be by its layout.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// A request only.
    Request,
    /// A reply only.
    Reply,
    /// Both alike.
    Either,
    /// Neither, or a function without a known layout.
    Neither,
}

/// The shape of a PDU.
#[must_use]
pub fn shape(pdu: &[u8]) -> Shape {
    let Some((&code, body)) = pdu.split_first() else { return Shape::Neither };
    match (asks(code, body), replies(code, body)) {
        (true, true) => Shape::Either,
        (true, false) => Shape::Request,
        (false, true) => Shape::Reply,
        (false, false) => Shape::Neither,
    }
}

fn word(body: &[u8], at: usize) -> Option<u16> {
    body.get(at..)?.first_chunk().copied().map(u16::from_be_bytes)
}

/// Whether the byte at `at` counts what follows it.
fn counts(body: &[u8], at: usize) -> bool {
    body.get(at).is_some_and(|count| usize::from(*count) == body.len() - at - 1)
}

fn quantity_at(body: &[u8], at: usize, most: u16) -> bool {
    word(body, at).is_some_and(|quantity| quantity >= 1 && quantity <= most)
}

fn asks(code: u8, body: &[u8]) -> bool {
    match code {
        1 | 2 => body.len() == 4 && quantity_at(body, 2, 2000),
        3 | 4 => body.len() == 4 && quantity_at(body, 2, 125),
        5 => body.len() == 4 && matches!(word(body, 2), Some(0 | 0xff00)),
        6 => body.len() == 4,
        7 | 11 | 12 | 17 => body.is_empty(),
        8 => word(body, 0).and_then(diagnostics).is_some() && body.len() >= 4 && body.len().is_multiple_of(2),
        15 => quantity_at(body, 2, 1968) && counts(body, 4),
        16 => quantity_at(body, 2, 123) && counts(body, 4),
        20 => counts(body, 0) && body.len() > 1 && (body.len() - 1).is_multiple_of(7) && body.get(1) == Some(&6),
        21 => counts(body, 0) && body.get(1) == Some(&6),
        22 => body.len() == 6,
        23 => quantity_at(body, 2, 125) && quantity_at(body, 6, 121) && counts(body, 8),
        24 => body.len() == 2,
        43 => match body {
            [MEI_DEVICE_ID, code, _] => (1..=4).contains(code),
            [MEI_CANOPEN, ..] => true,
            _ => false,
        },
        90 => umas::is_request(body),
        _ => false,
    }
}

fn replies(code: u8, body: &[u8]) -> bool {
    match code {
        0x81.. => matches!(body, [code] if !exception(*code).is_empty()),
        1 | 2 => counts(body, 0) && body.len() > 1,
        3 | 4 | 23 => counts(body, 0) && body.len() > 1 && !body.len().is_multiple_of(2),
        5 => body.len() == 4 && matches!(word(body, 2), Some(0 | 0xff00)),
        6 => body.len() == 4,
        7 => body.len() == 1,
        8 => word(body, 0).and_then(diagnostics).is_some() && body.len() >= 4 && body.len().is_multiple_of(2),
        11 => body.len() == 4,
        12 => counts(body, 0) && body.len() >= 7,
        17 => counts(body, 0) && body.len() > 1,
        15 => body.len() == 4 && quantity_at(body, 2, 1968),
        16 => body.len() == 4 && quantity_at(body, 2, 123),
        20 => counts(body, 0) && body.len() > 2 && body.get(2) == Some(&6),
        21 => counts(body, 0) && body.get(1) == Some(&6),
        22 => body.len() == 6,
        24 => word(body, 0).is_some_and(|count| usize::from(count) == body.len() - 2),
        43 => match body {
            [MEI_DEVICE_ID, code, _, _, _, _, ..] => (1..=4).contains(code),
            [MEI_CANOPEN, ..] => true,
            _ => false,
        },
        90 => umas::is_reply(body),
        _ => false,
    }
}
