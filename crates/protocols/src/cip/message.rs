//! Requests and replies of the message router (CIP Networks Library Volume 1 chapter 2-4).

use super::names::UNCONNECTED_SEND;
use crate::bytes::Cursor;

/// The bit that tells a reply's service code from a request's.
pub const REPLY: u8 = 0x80;
/// Most services looked at in one Multiple Service Packet; each takes at least four bytes of a packet.
pub const SERVICES_LIMIT: usize = 512;

/// A request: service, path, data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request<'a> {
    /// Service code.
    pub service: u8,
    /// Padded EPATH.
    pub path: &'a [u8],
    /// What the service takes.
    pub data: &'a [u8],
}

impl<'a> Request<'a> {
    /// Reads a request.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Request<'a>> {
        let mut cursor = Cursor::new(bytes);
        let service = cursor.u8()?;
        let words = usize::from(cursor.u8()?);
        let path = cursor.take(words * 2)?;
        Some(Request { service, path, data: cursor.rest() })
    }

    /// Whether a reply with this service code can be of this request; an Unconnected Send is answered by the service that it carries.
    #[must_use]
    pub fn is_answered_by(&self, service: u8) -> bool {
        self.service == service
            || self.service == UNCONNECTED_SEND
                && unconnected_send(self.data).is_some_and(|(inner, _)| inner.first() == Some(&service))
    }
}

/// A reply: service, statuses, data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reply<'a> {
    /// Service code without the reply bit.
    pub service: u8,
    /// General status.
    pub status: u8,
    /// Additional status, words in little-endian.
    pub additional: &'a [u8],
    /// What the service returns.
    pub data: &'a [u8],
}

impl<'a> Reply<'a> {
    /// Reads a reply.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Reply<'a>> {
        let mut cursor = Cursor::new(bytes);
        let service = cursor.u8()? & !REPLY;
        cursor.skip(1)?;
        let status = cursor.u8()?;
        let words = usize::from(cursor.u8()?);
        let additional = cursor.take(words * 2)?;
        Some(Reply { service, status, additional, data: cursor.rest() })
    }

    /// Words of the additional status.
    pub fn additional_words(&self) -> impl Iterator<Item = u32> + 'a {
        self.additional
            .chunks_exact(2)
            .filter_map(|pair| pair.first_chunk().copied())
            .map(|pair| u32::from(u16::from_le_bytes(pair)))
    }
}

/// What an Unconnected Send carries: the request, and the path to where it is to go (Volume 1 chapter 3-5.5.4).
#[must_use]
pub fn unconnected_send(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut cursor = Cursor::new(data);
    // Priority and ticks: how long the requester waits.
    cursor.skip(2)?;
    let length = usize::from(cursor.le16()?);
    let request = cursor.take(length)?;
    if !length.is_multiple_of(2) {
        cursor.skip(1)?;
    }
    let words = usize::from(cursor.u8()?);
    cursor.skip(1)?;
    Some((request, cursor.take(words * 2)?))
}

/// Parts of a Multiple Service Packet, request or reply: a count, offsets from the count on, and the parts (Volume 1 appendix ).
pub fn parts(data: &[u8]) -> impl ExactSizeIterator<Item = Option<&[u8]>> {
    let mut cursor = Cursor::new(data);
    let count = usize::from(cursor.le16().unwrap_or(0)).min(SERVICES_LIMIT);
    let word = |at: usize| data.get(at..)?.first_chunk().copied().map(u16::from_le_bytes).map(usize::from);
    (0..count).map(move |index| {
        let start = word(2 + index * 2)?;
        let end = if index + 1 < count { word(4 + index * 2)? } else { data.len() };
        data.get(start..end)
    })
}
