//! Packets with long headers (RFC 9000 section 17.2), and the frames that Initial packets carry (section 19).

use super::keys::Version;
use crate::bytes::Cursor;

/// Longest connection id (RFC 9000 section 17.2).
const CONNECTION_LIMIT: usize = 20;

/// What a packet is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// First of a handshake; `number_at` is where its protected number begins.
    Initial { number_at: usize },
    /// Data of a client that was here before.
    Early,
    /// Further handshake, encrypted.
    Handshake,
    /// The server wants to see that the client's address is true.
    Retry,
    /// The server does not know the version.
    Negotiation,
    /// A version that cannot be read further.
    Foreign,
}

/// A packet with a long header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Packet<'a> {
    pub(super) kind: Kind,
    pub(super) version: u32,
    pub(super) destination: &'a [u8],
    pub(super) source: &'a [u8],
    /// The whole packet.
    pub(super) bytes: &'a [u8],
    /// What comes behind it in the datagram.
    pub(super) rest: &'a [u8],
}

impl<'a> Packet<'a> {
    /// The packet at the front of a datagram; `None` if it has no long header or its lengths are not possible.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let first = cursor.u8().filter(|first| first & 0x80 != 0)?;
        let version = cursor.be32()?;
        let mut connection = || {
            let length = usize::from(cursor.u8()?);
            if length > CONNECTION_LIMIT { None } else { cursor.take(length) }
        };
        let (destination, source) = (connection()?, connection()?);
        let whole = |kind| Packet { kind, version, destination, source, bytes, rest: &[] };
        if version == 0 {
            let left = cursor.left();
            return (left >= 4 && left.is_multiple_of(4)).then(|| whole(Kind::Negotiation));
        }
        let Some(known) = Version::of(version) else { return Some(whole(Kind::Foreign)) };
        // The fixed bit.
        if first & 0x40 == 0 {
            return None;
        }
        let place = if known == Version::Two { (first >> 4).wrapping_sub(1) & 0x03 } else { first >> 4 & 0x03 };
        if place == 3 {
            return Some(whole(Kind::Retry));
        }
        if place == 0 {
            let token = usize::try_from(number(&mut cursor)?).ok()?;
            cursor.skip(token)?;
        }
        let length = usize::try_from(number(&mut cursor)?).ok()?;
        let number_at = bytes.len().checked_sub(cursor.left())?;
        let (bytes, rest) = bytes.split_at_checked(number_at.checked_add(length)?)?;
        let kind = match place {
            0 => Kind::Initial { number_at },
            1 => Kind::Early,
            _ => Kind::Handshake,
        };
        Some(Packet { kind, version, destination, source, bytes, rest })
    }
}

/// A number of one, two, four or eight bytes (RFC 9000 section 16).
fn number(cursor: &mut Cursor<'_>) -> Option<u64> {
    let first = cursor.u8()?;
    let more = (1usize << (first >> 6)) - 1;
    cursor.take(more).map(|bytes| bytes.iter().fold(u64::from(first & 0x3f), |sum, byte| sum << 8 | u64::from(*byte)))
}

/// Frames of an Initial packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Frame<'a> {
    /// Bytes of the handshake at an offset.
    Crypto { offset: u64, data: &'a [u8] },
    /// The connection ends with this error.
    Close { error: u64 },
}

/// Calls `each` for what counts; whether all frames could be read.
pub(super) fn frames<'a>(payload: &'a [u8], mut each: impl FnMut(Frame<'a>)) -> bool {
    let mut cursor = Cursor::new(payload);
    while !cursor.is_empty() {
        match frame(&mut cursor) {
            Some(Some(frame)) => each(frame),
            Some(None) => {}
            None => return false,
        }
    }
    true
}

/// A frame; the inner `None` is one that says nothing here.
fn frame<'a>(cursor: &mut Cursor<'a>) -> Option<Option<Frame<'a>>> {
    let kind = number(cursor)?;
    match kind {
        0 | 1 => {}
        2 | 3 => {
            let (_largest, _delay, ranges, _first) =
                (number(cursor)?, number(cursor)?, number(cursor)?, number(cursor)?);
            for _ in 0..ranges {
                number(cursor)?;
                number(cursor)?;
            }
            for _ in 0..if kind == 3 { 3 } else { 0 } {
                number(cursor)?;
            }
        }
        6 => {
            let (offset, length) = (number(cursor)?, usize::try_from(number(cursor)?).ok()?);
            return Some(Some(Frame::Crypto { offset, data: cursor.take(length)? }));
        }
        0x1c | 0x1d => {
            let error = number(cursor)?;
            if kind == 0x1c {
                number(cursor)?;
            }
            let length = usize::try_from(number(cursor)?).ok()?;
            cursor.skip(length)?;
            return Some(Some(Frame::Close { error }));
        }
        _ => return None,
    }
    Some(None)
}

/// Bytes of the handshake put in order, bounded.
#[derive(Default)]
pub(super) struct Stream {
    ready: Vec<u8>,
    waiting: Vec<(usize, Vec<u8>)>,
}

/// Bytes kept of one side's handshake in Initial packets, and as many of pieces that wait: a hello with the largest keys in use has
/// some 2 KiB.
const STREAM_LIMIT: usize = 16 * 1024;

impl Stream {
    /// Takes a piece; whether there was room for it.
    pub(super) fn take(&mut self, offset: u64, data: &[u8]) -> bool {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let held: usize = self.waiting.iter().map(|(_, data)| data.len()).sum();
        // What fills the first hole is always taken, or those that wait for it would wait for ever.
        let must_wait = offset > self.ready.len();
        if offset.saturating_add(data.len()) > STREAM_LIMIT
            || must_wait && held.saturating_add(data.len()) > STREAM_LIMIT
        {
            return false;
        }
        if data.is_empty() {
            return true;
        }
        self.waiting.push((offset, data.to_vec()));
        while let Some(place) = self.waiting.iter().position(|(offset, _)| *offset <= self.ready.len()) {
            let (offset, data) = self.waiting.swap_remove(place);
            let known = self.ready.len().saturating_sub(offset);
            self.ready.extend_from_slice(data.get(known..).unwrap_or_default());
        }
        true
    }

    /// The first message's type and body once it is whole.
    pub(super) fn message(&self) -> Option<(u8, &[u8])> {
        let mut cursor = Cursor::new(&self.ready);
        let (kind, length) = (cursor.u8()?, usize::try_from(cursor.be24()?).ok()?);
        Some((kind, cursor.take(length)?))
    }
}
