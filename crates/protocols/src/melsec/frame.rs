//! Layout of SLMP frames, 3E and 4E, binary and ASCII (SH-080956ENG chapter 4).

use quaywatch_wire::Length;

use crate::bytes::Cursor;

/// Longest frame that is read: 960 points of words in ASCII fit well.
pub const FRAME_LIMIT: usize = 16 * 1024;

/// Reads numbers that are little-endian in binary frames and hexadecimal digits in ASCII frames.
#[derive(Clone, Copy, Debug)]
pub struct Numbers<'a> {
    cursor: Cursor<'a>,
    /// Whether the frame is ASCII.
    pub ascii: bool,
}

impl<'a> Numbers<'a> {
    /// Numbers of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8], ascii: bool) -> Self {
        Numbers { cursor: Cursor::new(bytes), ascii }
    }

    /// What has not been read.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.cursor.rest()
    }

    /// The next `count` characters or bytes as they are.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        self.cursor.take(count)
    }

    /// The next number of `bytes` bytes (twice as many digits).
    pub fn number(&mut self, bytes: usize) -> Option<u32> {
        if self.ascii {
            let digits = self.cursor.take(bytes.checked_mul(2)?)?;
            return digits
                .iter()
                .try_fold(0_u32, |number, digit| Some(number.wrapping_shl(4) | char::from(*digit).to_digit(16)?));
        }
        let bytes = self.cursor.take(bytes)?;
        Some(bytes.iter().rev().fold(0, |number, byte| number.wrapping_shl(8) | u32::from(*byte)))
    }

    /// The next word.
    pub fn word(&mut self) -> Option<u16> {
        self.number(2).and_then(|number| u16::try_from(number).ok())
    }
}

/// The front of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Front {
    /// Whether it is a reply.
    pub reply: bool,
    /// Whether it is ASCII.
    pub ascii: bool,
    /// Serial number of a 4E frame.
    pub serial: Option<u16>,
    /// Network and station.
    pub target: (u8, u8),
    /// Module within the station: 0x03ff is the CPU.
    pub module: u16,
    /// Bytes before what the length counts.
    pub header: usize,
    /// Bytes or characters behind the length field.
    pub length: usize,
}

/// What the front says; `Err(true)` if more bytes are needed.
pub fn front(bytes: &[u8]) -> Result<Front, bool> {
    let (reply, ascii, four) = match bytes {
        [0x50, 0x00, ..] => (false, false, false),
        [0xd0, 0x00, ..] => (true, false, false),
        [0x54, 0x00, ..] => (false, false, true),
        [0xd4, 0x00, ..] => (true, false, true),
        [b'5', b'0', b'0', b'0', ..] => (false, true, false),
        [b'D', b'0', b'0', b'0', ..] => (true, true, false),
        [b'5', b'4', b'0', b'0', ..] => (false, true, true),
        [b'D', b'4', b'0', b'0', ..] => (true, true, true),
        _ => {
            let shorter = [&b"\x50\x00"[..], b"\xd0\x00", b"\x54\x00", b"\xd4\x00", b"5000", b"D000", b"5400", b"D400"];
            return Err(shorter.iter().any(|front| front.starts_with(bytes)));
        }
    };
    let mut n = Numbers::new(bytes.get(if ascii { 4 } else { 2 }..).unwrap_or_default(), ascii);
    let mut read = || {
        let serial = if four { Some((n.word()?, n.word()?)) } else { None };
        let target = (n.number(1)?, n.number(1)?);
        let (module, drop, length) = (n.word()?, n.number(1)?, n.word()?);
        Some((serial, target, module, drop, length))
    };
    let needed = (if four { 13 } else { 9 }) * if ascii { 2 } else { 1 };
    let Some((serial, (network, station), module, drop, length)) = read() else {
        // In ASCII a character that is no digit ends it for good.
        let digits = bytes.iter().take(needed).all(u8::is_ascii_hexdigit);
        return Err(bytes.len() < needed && (!ascii || digits));
    };
    let least = (if reply { 2 } else { 6 }) * if ascii { 2 } else { 1 };
    let known = matches!(module, 0x0000..=0x01ff | 0x03d0..=0x03d3 | 0x03e0..=0x03e3 | 0x03ff);
    let length = usize::from(length);
    if !known || drop > 0x1f || length < least || serial.is_some_and(|(_, zero)| zero != 0) {
        return Err(false);
    }
    let target = (u8::try_from(network).unwrap_or(0), u8::try_from(station).unwrap_or(0));
    Ok(Front { reply, ascii, serial: serial.map(|(serial, _)| serial), target, module, header: needed, length })
}

/// Length of the frame at the front of a stream.
#[must_use]
pub fn frame_length(bytes: &[u8]) -> Length {
    match front(bytes) {
        Ok(front) => Length::Whole(front.header.saturating_add(front.length)),
        Err(true) => Length::NeedMore,
        Err(false) => Length::Invalid,
    }
}
