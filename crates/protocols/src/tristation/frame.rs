//! The frame of TriStation: type, channel, length, body, CRC-16; and the execution layer inside type 5.

use crate::bytes::Cursor;

/// Bytes before the body: type, channel, length (little-endian).
pub const HEADER: usize = 4;
/// Bytes of the checksum behind the body.
const CHECKSUM: usize = 2;
/// Bytes of the execution layer's header.
pub const EXECUTION_HEADER: usize = 10;
/// Message type that carries the execution layer.
pub const EXECUTION: u8 = 5;

/// One datagram.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// Message type of the connection layer.
    pub kind: u8,
    /// Channel.
    pub channel: u8,
    /// The execution layer of type 5.
    pub execution: Option<Execution<'a>>,
}

/// The execution layer: one command or its reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Execution<'a> {
    /// Sent by the controller.
    pub reply: bool,
    /// Connection number.
    pub connection: u8,
    /// Function code.
    pub code: u8,
    /// Counts commands.
    pub sequence: u8,
    /// What follows the header.
    pub data: &'a [u8],
}

/// Why a datagram is no frame: name of the deviation and reason.
pub type Fault = (&'static str, &'static str);

impl<'a> Frame<'a> {
    /// Reads a whole datagram.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Fault> {
        const SHORT: Fault = ("tristation_length", "datagram is shorter than a header and its CRC");
        let mut cursor = Cursor::new(bytes);
        let (kind, channel) = (cursor.u8().ok_or(SHORT)?, cursor.u8().ok_or(SHORT)?);
        let length = usize::from(cursor.le16().ok_or(SHORT)?);
        if kind == 0 || super::names::message(kind).is_none() {
            return Err(("tristation_type", "message type is not known"));
        }
        if cursor.left() != length.saturating_add(CHECKSUM) {
            return Err(("tristation_length", "length does not fit the datagram"));
        }
        let body = cursor.take(length).ok_or(SHORT)?;
        let covered = bytes.get(..HEADER.saturating_add(length)).unwrap_or_default();
        if cursor.le16() != Some(crc16(covered)) {
            return Err(("tristation_crc", "CRC-16 does not fit the datagram"));
        }
        let execution = match kind {
            EXECUTION => Some(Execution::read(body)?),
            _ => None,
        };
        Ok(Frame { kind, channel, execution })
    }
}

impl<'a> Execution<'a> {
    fn read(body: &'a [u8]) -> Result<Self, Fault> {
        const SHORT: Fault = ("tristation_execution", "execution layer is cut short");
        let mut cursor = Cursor::new(body);
        let direction = cursor.u8().ok_or(SHORT)?;
        let (connection, code) = (cursor.u8().ok_or(SHORT)?, cursor.u8().ok_or(SHORT)?);
        let sequence = cursor.u8().ok_or(SHORT)?;
        // A field without known meaning, and a sum of bytes whose extent the sources tell differently: the CRC covers both.
        cursor.skip(4).ok_or(SHORT)?;
        let length = usize::from(cursor.le16().ok_or(SHORT)?);
        if direction > 1 {
            return Err(("tristation_execution", "direction is neither workstation nor controller"));
        }
        if length != body.len() {
            return Err(("tristation_execution", "length of the execution layer does not fit the frame's"));
        }
        Ok(Execution { reply: direction == 1, connection, code, sequence, data: cursor.rest() })
    }
}

/// CRC-16 with polynomial 0x8005, reflected, from zero ("ARC"); sent low byte first.
pub fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xa001 } else { crc >> 1 })
    })
}
