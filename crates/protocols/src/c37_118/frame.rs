//! The frame that all messages share (IEEE C37.118.2-2011 section 6.2), and the names of its types and commands.

use quaywatch_model::OperationClass;
use quaywatch_wire::Length;

use crate::bytes::Cursor;

/// First byte of every frame.
const SYNC: u8 = 0xaa;
/// Bytes before the body.
const HEADER: usize = 14;
/// Bytes behind it.
const CHECKSUM: usize = 2;
/// Longest frame: the size has 16 bits.
pub const FRAME_LIMIT: usize = 0xffff;

/// Frame types.
pub const DATA: u8 = 0;
/// Text about the unit.
pub const HEADER_FRAME: u8 = 1;
/// What the unit can measure.
pub const CONFIGURATION_1: u8 = 2;
/// What it sends.
pub const CONFIGURATION_2: u8 = 3;
/// Asks the unit for something.
pub const COMMAND: u8 = 4;
/// What it sends, extended.
pub const CONFIGURATION_3: u8 = 5;

/// Command that asks for data to stop.
pub const STOP: u16 = 1;
/// Command that asks for data to start.
pub const START: u16 = 2;
/// Command whose meaning the user gives.
pub const EXTENDED: u16 = 8;

/// One frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// Type.
    pub kind: u8,
    /// Version of the standard: 1 is 2005, 2 is 2011.
    pub version: u8,
    /// Bytes in all.
    pub size: u16,
    /// Identifier of the data stream; in commands of the stream that is asked.
    pub stream: u16,
    /// Seconds since 1970.
    pub seconds: u32,
    /// Fraction of the second, in units that the configuration gives.
    pub fraction: u32,
    /// Leap seconds and quality of the clock.
    pub quality: u8,
    /// What is between the header and the checksum.
    pub body: &'a [u8],
    /// Whether the checksum holds.
    pub sound: bool,
}

/// Type and version if the first two bytes may begin a frame.
const fn sync(first: u8, second: u8) -> Option<(u8, u8)> {
    let (kind, version) = (second >> 4, second & 0x0f);
    if first == SYNC && kind <= CONFIGURATION_3 && version >= 1 && version <= 3 { Some((kind, version)) } else { None }
}

/// Bytes of the frame at the front.
pub fn length(bytes: &[u8]) -> Length {
    match bytes {
        [] | [SYNC] => Length::NeedMore,
        [first, second, rest @ ..] if sync(*first, *second).is_some() => match rest {
            [high, low, ..] => {
                let size = usize::from(u16::from_be_bytes([*high, *low]));
                if size < HEADER + CHECKSUM { Length::Invalid } else { Length::Whole(size) }
            }
            _ => Length::NeedMore,
        },
        _ => Length::Invalid,
    }
}

impl<'a> Frame<'a> {
    /// Reads a whole frame; none if the header is not one or the size is another.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let (covered, sum) = bytes.split_last_chunk::<CHECKSUM>()?;
        let mut cursor = Cursor::new(covered);
        let (kind, version) = sync(cursor.u8()?, cursor.u8()?)?;
        let (size, stream) = (cursor.be16()?, cursor.be16()?);
        let (seconds, fraction) = (cursor.be32()?, cursor.be32()?);
        let sound = u16::from_be_bytes(*sum) == checksum(covered);
        let frame = Frame {
            kind,
            version,
            size,
            stream,
            seconds,
            fraction: fraction & 0x00ff_ffff,
            quality: fraction.to_be_bytes()[0],
            body: cursor.rest(),
            sound,
        };
        (usize::from(size) == bytes.len()).then_some(frame)
    }

    /// The command word.
    pub fn command(&self) -> Option<u16> {
        if self.kind == COMMAND { Cursor::new(self.body).be16() } else { None }
    }
}

/// CRC-CCITT, polynomial 0x1021 from 0xffff, not reflected (annex B).
pub fn checksum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |crc, byte| {
        (0..8).fold(
            crc ^ (u16::from(*byte) << 8),
            |crc, _| {
                if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
            },
        )
    })
}

/// Name and class of a command (table 15).
pub const fn command(code: u16) -> (&'static str, OperationClass) {
    match code {
        STOP => ("turn off transmission of data", OperationClass::Control),
        START => ("turn on transmission of data", OperationClass::Control),
        3 => ("send header frame", OperationClass::Identify),
        4 => ("send configuration frame 1", OperationClass::Identify),
        5 => ("send configuration frame 2", OperationClass::Identify),
        6 => ("send configuration frame 3", OperationClass::Identify),
        EXTENDED => ("extended frame", OperationClass::Control),
        _ => ("command of the user", OperationClass::Control),
    }
}

/// The command that frames of this type answer.
pub const fn answers(kind: u8) -> Option<u16> {
    match kind {
        HEADER_FRAME => Some(3),
        CONFIGURATION_1 => Some(4),
        CONFIGURATION_2 => Some(5),
        CONFIGURATION_3 => Some(6),
        _ => None,
    }
}
