//! Layout of AMS frames and ADS bodies (Beckhoff Information System, "AMS/TCP packet" and "ADS commands"). All little-endian.

use std::fmt;

use quaywatch_wire::Length;

use crate::bytes::Cursor;

/// AMS/TCP header: two reserved bytes and the length of what follows.
pub const TCP_HEADER: usize = 6;
/// AMS header.
pub const AMS_HEADER: usize = 32;
/// Longest frame that is read; longer ones break the stream's framing.
pub const FRAME_LIMIT: usize = 1 << 20;

/// AMS address: NetId and port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AmsAddress {
    net_id: [u8; 6],
    /// AMS port.
    pub port: u16,
}

impl AmsAddress {
    /// The next eight bytes.
    pub fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        let net_id = *cursor.take(6)?.first_chunk()?;
        Some(AmsAddress { net_id, port: cursor.le16()? })
    }
}

impl fmt::Display for AmsAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.net_id;
        write!(f, "{a}.{b}.{c}.{d}.{e}.{g}:{}", self.port)
    }
}

/// The AMS header.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// Who is addressed.
    pub target: AmsAddress,
    /// Who sends.
    pub source: AmsAddress,
    /// Command id.
    pub command: u16,
    /// State flags: bit 0 reply, bit 2 ADS command.
    pub flags: u16,
    /// Bytes of data behind the header.
    pub length: u32,
    /// AMS error.
    pub error: u32,
    /// What a reply is found by.
    pub invoke: u32,
}

impl Header {
    /// The next 32 bytes.
    pub fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        let mut front = *cursor;
        let header = Header {
            target: AmsAddress::read(&mut front)?,
            source: AmsAddress::read(&mut front)?,
            command: front.le16()?,
            flags: front.le16()?,
            length: front.le32()?,
            error: front.le32()?,
            invoke: front.le32()?,
        };
        *cursor = front;
        Some(header)
    }

    /// Whether it is a reply.
    #[must_use]
    pub const fn is_reply(&self) -> bool {
        self.flags & 1 != 0
    }
}

/// Length of the frame at the front of a stream.
#[must_use]
pub fn frame_length(bytes: &[u8]) -> Length {
    let mut cursor = Cursor::new(bytes);
    match (cursor.le16(), cursor.le32().map(usize::try_from)) {
        (Some(0) | None, None) => Length::NeedMore,
        (Some(0), Some(Ok(length))) if (AMS_HEADER..=FRAME_LIMIT).contains(&length) => {
            Length::Whole(length.saturating_add(TCP_HEADER))
        }
        _ => Length::Invalid,
    }
}

/// Numbers of a request or reply body; which of them there are depends on the command.
#[derive(Clone, Copy, Default, Debug)]
pub struct Body<'a> {
    /// Index group and offset.
    pub index: Option<(u32, u32)>,
    /// Bytes to read, or read.
    pub read: Option<u32>,
    /// Bytes to write.
    pub write: Option<u32>,
    /// ADS state and device state.
    pub state: Option<(u16, u16)>,
    /// Notification handle.
    pub handle: Option<u32>,
    /// Result of a reply.
    pub result: Option<u32>,
    /// Data at the end.
    pub data: &'a [u8],
}

/// Takes a request's body apart. `None` if it is too short.
#[must_use]
pub fn request<'a>(command: u16, bytes: &'a [u8]) -> Option<Body<'a>> {
    let mut c = Cursor::new(bytes);
    let mut body = Body::default();
    match command {
        2 | 3 | 6 | 9 => {
            body.index = Some((c.le32()?, c.le32()?));
            let length = c.le32()?;
            if command == 3 {
                body.write = Some(length)
            } else {
                body.read = Some(length)
            }
            if command == 9 {
                body.write = Some(c.le32()?);
            }
            if command == 6 {
                c.skip(28)?;
            }
        }
        5 => {
            body.state = Some((c.le16()?, c.le16()?));
            body.write = Some(c.le32()?);
        }
        7 => body.handle = Some(c.le32()?),
        _ => {}
    }
    if let Some(length) = body.write {
        body.data = c.take(usize::try_from(length).ok()?)?;
    }
    Some(body)
}

/// Takes a reply's body apart. `None` if it is too short.
#[must_use]
pub fn reply<'a>(command: u16, bytes: &'a [u8]) -> Option<Body<'a>> {
    let mut c = Cursor::new(bytes);
    let result = c.le32()?;
    let mut body = Body { result: Some(result), ..Body::default() };
    if result != 0 && c.is_empty() {
        return Some(body);
    }
    match command {
        1 => body.data = c.take(20)?,
        2 | 9 => {
            let length = c.le32()?;
            body.read = Some(length);
            body.data = c.take(usize::try_from(length).ok()?)?;
        }
        4 => body.state = Some((c.le16()?, c.le16()?)),
        6 => body.handle = Some(c.le32()?),
        _ => {}
    }
    Some(body)
}
