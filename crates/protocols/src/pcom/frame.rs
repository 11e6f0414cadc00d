//! Frames of PCOM over TCP: a header of six bytes, then an ASCII or a binary message with its checksums.

use quaywatch_wire::Length;

use crate::bytes::Cursor;

/// Transaction, mode, reserved byte, length.
pub const HEADER: usize = 6;
/// Longest message taken: data tables come in pieces of about a kilobyte.
pub const LIMIT: usize = 4096;
const ASCII: u8 = 101;
const BINARY: u8 = 102;
/// A binary message up to its header's checksum.
const BINARY_HEADER: usize = 24;

/// Bytes of the frame at the front.
pub fn length(bytes: &[u8]) -> Length {
    match bytes {
        [_, _, ASCII | BINARY, 0, low, high, ..] => {
            let length = usize::from(u16::from_le_bytes([*low, *high]));
            if (4..=LIMIT).contains(&length) { Length::Whole(HEADER + length) } else { Length::Invalid }
        }
        [_, _, ASCII | BINARY, 0 | 1, ..] | [_, _, ASCII | BINARY] | [_, _] | [_] | [] => Length::NeedMore,
        _ => Length::Invalid,
    }
}

/// One message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message<'a> {
    /// Repeated by the reply.
    pub transaction: u16,
    /// Unit id (network id).
    pub unit: u8,
    /// What it says.
    pub body: Body<'a>,
    /// Whether its checksums hold.
    pub sound: bool,
}

/// Command and data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Body<'a> {
    /// Text behind the unit id, without checksum; and whether it opens as replies do.
    Ascii { text: &'a str, reply: bool },
    /// Command with its reply bit, and data.
    Binary { command: u8, data: &'a [u8] },
}

impl<'a> Message<'a> {
    /// Reads a whole frame; none if it is no message.
    pub fn read(frame: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(frame);
        let (transaction, mode) = (cursor.le16()?, cursor.u8()?);
        cursor.skip(3)?;
        if mode == ASCII { ascii(transaction, cursor.rest()) } else { binary(transaction, cursor.rest()) }
    }

    /// Whether it is a reply.
    pub const fn is_reply(&self) -> bool {
        match self.body {
            Body::Ascii { reply, .. } => reply,
            Body::Binary { command, .. } => command & 0x80 != 0,
        }
    }
}

/// `/` unit command ... checksum CR; a reply has an `A` behind the slash.
fn ascii(transaction: u16, message: &[u8]) -> Option<Message<'_>> {
    let text = std::str::from_utf8(message).ok()?.strip_prefix('/')?.strip_suffix('\r')?;
    let (content, sum) = text.split_at_checked(text.len().checked_sub(2)?)?;
    // Unit ids end at 7f, so that nothing but the mark of a reply is an A. It is no part of the sum.
    let (content, reply) = content.strip_prefix('A').map_or((content, false), |content| (content, true));
    let wanted = content.bytes().fold(0u8, u8::wrapping_add);
    let sound = u8::from_str_radix(sum, 16).ok() == Some(wanted);
    let (unit, text) = content.split_at_checked(2)?;
    let unit = u8::from_str_radix(unit, 16).ok()?;
    Some(Message { transaction, unit, body: Body::Ascii { text, reply }, sound })
}

/// Two's complement of the sum, 16 bits.
fn complement(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0u16, |sum, byte| sum.wrapping_add(u16::from(*byte))).wrapping_neg()
}

fn binary(transaction: u16, message: &[u8]) -> Option<Message<'_>> {
    let mut cursor = Cursor::new(message.strip_prefix(b"/_OPLC")?);
    // Receiver and sender; the controller's number is where the master's fe is not.
    let (receiver, sender) = (cursor.u8()?, cursor.u8()?);
    cursor.skip(4)?;
    let command = cursor.u8()?;
    let unit = if command & 0x80 == 0 { receiver } else { sender };
    cursor.skip(7)?;
    let length = usize::from(cursor.le16()?);
    let header_sum = cursor.le16()?;
    let data = cursor.take(length)?;
    let data_sum = cursor.le16()?;
    let sound = complement(message.get(..BINARY_HEADER - 2)?) == header_sum
        && (length == 0 || complement(data) == data_sum)
        && cursor.rest() == b"\\";
    Some(Message { transaction, unit, body: Body::Binary { command, data }, sound })
}

/// Model code (6 characters), hardware revision and operating system of the reply to `ID`.
pub fn identity(text: &str) -> Option<(&str, &str, String)> {
    let text = text.strip_prefix("ID")?;
    let (model, rest) = text.split_at_checked(6)?;
    let (hardware, rest) = rest.split_at_checked(1)?;
    let version = match (rest.get(..3), rest.get(3..6), rest.get(6..8)) {
        (Some(major), Some(minor), Some(build)) => format!("{}.{} ({build})", plain(major), plain(minor)),
        _ => String::new(),
    };
    Some((model.trim(), hardware.trim(), version))
}

/// Leading zeros off.
fn plain(digits: &str) -> &str {
    let plain = digits.trim_start_matches('0');
    if plain.is_empty() { "0" } else { plain }
}
