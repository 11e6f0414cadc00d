//! Message chunks (OPC 10000-6 sections 6.7.2 and 7.1.2): their header, their framing, and messages put together from them.

use quaywatch_wire::Length;

use crate::bytes::Cursor;

/// Bytes of the header: message type, chunk type, size.
pub const HEADER: usize = 8;
/// Largest chunk that is read, in bytes. Peers agree on their buffers in Hello and Acknowledge, commonly 64 KiB.
pub const CHUNK_LIMIT: usize = 1 << 20;
/// Largest message that is put together, in bytes.
pub const MESSAGE_LIMIT: usize = 4 << 20;
/// Messages of one direction that may be partial at once; chunks of several seldom mix.
pub const PARTIAL_LIMIT: usize = 4;

/// What a chunk is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// HEL.
    Hello,
    /// ACK.
    Acknowledge,
    /// ERR.
    Error,
    /// RHE: a server behind a firewall opens the connection and asks to be talked to.
    ReverseHello,
    /// OPN.
    Open,
    /// MSG.
    Message,
    /// CLO.
    Close,
}

/// Whether more chunks of the message follow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Finality {
    /// The last one.
    Final,
    /// More follow.
    More,
    /// The sender gave the message up.
    Abort,
}

const KINDS: [(&[u8; 3], Kind); 7] = [
    (b"MSG", Kind::Message),
    (b"OPN", Kind::Open),
    (b"CLO", Kind::Close),
    (b"HEL", Kind::Hello),
    (b"ACK", Kind::Acknowledge),
    (b"ERR", Kind::Error),
    (b"RHE", Kind::ReverseHello),
];

/// The header of a chunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// What it is.
    pub kind: Kind,
    /// Whether it is the last of its message.
    pub finality: Finality,
    /// Bytes of the chunk with its header.
    pub size: usize,
}

/// Reads a header; `None` if there is none or its size cannot be.
#[must_use]
pub fn header(bytes: &[u8]) -> Option<Header> {
    let mut cursor = Cursor::new(bytes);
    let name = cursor.take(3)?;
    let (_, kind) = KINDS.iter().find(|(known, _)| known.as_slice() == name)?;
    let finality = match cursor.u8()? {
        b'F' => Finality::Final,
        b'C' => Finality::More,
        b'A' => Finality::Abort,
        _ => return None,
    };
    let size = usize::try_from(cursor.le32()?).ok()?;
    // Only messages may come in several chunks.
    let single = finality == Finality::Final || matches!(kind, Kind::Message | Kind::Open | Kind::Close);
    (single && size >= least(*kind) && size <= CHUNK_LIMIT).then_some(Header { kind: *kind, finality, size })
}

/// Bytes that a chunk of this kind has at least.
const fn least(kind: Kind) -> usize {
    match kind {
        // Five numbers; the first adds a text.
        Kind::Hello => 32,
        Kind::Acknowledge => 28,
        // A number and a text; two texts.
        Kind::Error | Kind::ReverseHello => 16,
        // Channel, three texts, sequence header.
        Kind::Open => 32,
        // Channel, token, sequence header.
        Kind::Message | Kind::Close => 24,
    }
}

/// Framing.
#[must_use]
pub fn length(bytes: &[u8]) -> Length {
    match header(bytes) {
        Some(header) => Length::Whole(header.size),
        None if bytes.len() < HEADER && may_start(bytes) => Length::NeedMore,
        None => Length::Invalid,
    }
}

/// Whether fewer bytes than a header can be the start of one.
#[must_use]
pub fn may_start(bytes: &[u8]) -> bool {
    let (name, rest) = bytes.split_at(bytes.len().min(3));
    KINDS.iter().any(|(known, _)| known.starts_with(name)) && matches!(rest.first(), None | Some(b'F' | b'C' | b'A'))
}

/// Where in a piece of a stream a chunk seems to begin.
#[must_use]
pub fn find(piece: &[u8]) -> Option<usize> {
    (0..piece.len()).find(|at| piece.get(*at..).and_then(header).is_some())
}

/// Messages of one direction whose last chunk has not come.
#[derive(Default, Debug)]
pub struct Partials {
    list: Vec<(u32, Vec<u8>)>,
}

impl Partials {
    /// Whether a message of this request id was begun.
    #[must_use]
    pub fn has(&self, request: u32) -> bool {
        self.list.iter().any(|(known, _)| *known == request)
    }

    /// Adds to a message; says whether it stays within the limits. One that does not is forgotten.
    pub fn add(&mut self, request: u32, body: &[u8]) -> bool {
        let at = match self.list.iter().position(|(known, _)| *known == request) {
            Some(at) => at,
            None if self.list.len() >= PARTIAL_LIMIT => return false,
            None => {
                self.list.push((request, Vec::new()));
                self.list.len().saturating_sub(1)
            }
        };
        let Some((_, bytes)) = self.list.get_mut(at) else { return false };
        if bytes.len().saturating_add(body.len()) > MESSAGE_LIMIT {
            self.list.remove(at);
            return false;
        }
        bytes.extend_from_slice(body);
        true
    }

    /// Takes out what there is of a message.
    pub fn take(&mut self, request: u32) -> Option<Vec<u8>> {
        let at = self.list.iter().position(|(known, _)| *known == request)?;
        Some(self.list.swap_remove(at).1)
    }

    /// Forgets all: bytes were lost.
    pub fn clear(&mut self) {
        self.list.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_strict() {
        let hello = b"HELF\x38\0\0\0";
        assert_eq!(header(hello), Some(Header { kind: Kind::Hello, finality: Finality::Final, size: 56 }));
        for nonsense in
            [&b"HELO mail.example"[..], b"HELC\x38\0\0\0", b"MSGF\x08\0\0\0", b"MSGF\0\0\0\x40", b"MSGX\x40\0\0\0"]
        {
            assert_eq!(length(nonsense), Length::Invalid);
        }
        assert_eq!(length(b"HELF\x38"), Length::NeedMore);
        assert_eq!(length(b"H"), Length::NeedMore);
        assert_eq!(length(b"HEX"), Length::Invalid);
        assert_eq!(find(b"\0\0MSGMSGF\x40\0\0\0"), Some(5));
    }

    #[test]
    fn partial_messages_are_bounded() {
        let mut partials = Partials::default();
        for request in 0..4 {
            assert!(partials.add(request, b"x"));
        }
        assert!(!partials.add(4, b"x"));
        assert!(!partials.add(0, &vec![0; MESSAGE_LIMIT]));
        assert!(!partials.has(0) && partials.has(1));
        assert!(partials.add(1, b"y"));
        assert_eq!(partials.take(1).as_deref(), Some(&b"xy"[..]));
    }
}
