//! Where a body ends (RFC 9112 sections 6 and 7.1), without keeping it.

/// Bytes of chunk extension or trailer that are read over before the framing counts as lost.
const MAX_CHUNK_TEXT: u32 = 16 * 1024;

/// A body being read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Body {
    /// This many bytes are left.
    Length(u64),
    /// In the chunked coding.
    Chunked(Chunk),
    /// Until the connection closes.
    UntilClose,
}

/// Where in the chunked coding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Chunk {
    /// In the size line: value and digits so far, and other bytes behind them.
    Size { value: u64, digits: u8, other: u32 },
    /// This many bytes of data are left.
    Data(u64),
    /// At the line end behind the data.
    DataEnd,
    /// In the trailer: bytes of this line, and of all lines.
    Trailer { line: u32, total: u32 },
}

impl Body {
    /// The start of the chunked coding.
    pub(crate) const CHUNKED: Body = Body::Chunked(Chunk::SIZE);
}

impl Chunk {
    const SIZE: Chunk = Chunk::Size { value: 0, digits: 0, other: 0 };
}

/// What was taken from a piece.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Taken<'a> {
    /// Content; empty where only framing was read.
    pub(crate) content: &'a [u8],
    /// Bytes of the piece used up, at least one.
    pub(crate) used: usize,
    /// How it stands now.
    pub(crate) now: Now,
}

/// How reading a body stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Now {
    /// More to come.
    Within,
    /// The body is complete.
    Done,
    /// The chunked coding is broken.
    Broken,
}

impl Body {
    /// Takes from the front of a piece that is not empty.
    pub(crate) fn take<'a>(&mut self, piece: &'a [u8]) -> Taken<'a> {
        match self {
            Body::UntilClose => Taken { content: piece, used: piece.len(), now: Now::Within },
            Body::Length(left) => {
                let content = front(piece, *left);
                *left -= content.len() as u64;
                let now = if *left == 0 { Now::Done } else { Now::Within };
                Taken { content, used: content.len(), now }
            }
            Body::Chunked(Chunk::Data(left)) => {
                let content = front(piece, *left);
                *left -= content.len() as u64;
                if *left == 0 {
                    *self = Body::Chunked(Chunk::DataEnd);
                }
                Taken { content, used: content.len(), now: Now::Within }
            }
            Body::Chunked(chunk) => {
                for (used, byte) in (1..).zip(piece) {
                    match chunk.step(*byte) {
                        Now::Within if matches!(chunk, Chunk::Data(_)) => {
                            return Taken { content: b"", used, now: Now::Within };
                        }
                        Now::Within => {}
                        now => return Taken { content: b"", used, now },
                    }
                }
                Taken { content: b"", used: piece.len(), now: Now::Within }
            }
        }
    }

    /// Bytes were never captured. Whether the place in the body is still known.
    pub(crate) fn skip(&mut self, missing: u64) -> bool {
        let left = match self {
            Body::UntilClose => return true,
            Body::Length(left) | Body::Chunked(Chunk::Data(left)) => left,
            Body::Chunked(_) => return false,
        };
        // A gap up to the very end would need the message closed here; the next head tells as well.
        if missing >= *left {
            return false;
        }
        *left -= missing;
        true
    }
}

fn front(piece: &[u8], left: u64) -> &[u8] {
    let count = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
    piece.get(..count).unwrap_or(piece)
}

impl Chunk {
    /// Takes one byte of framing.
    fn step(&mut self, byte: u8) -> Now {
        match *self {
            Chunk::Size { value, digits, other } => match (byte, char::from(byte).to_digit(16)) {
                (b'\n', _) if digits == 0 => return Now::Broken,
                (b'\n', _) if value == 0 => *self = Chunk::Trailer { line: 0, total: 0 },
                (b'\n', _) => *self = Chunk::Data(value),
                (_, Some(digit)) if other == 0 => {
                    if digits >= 15 {
                        return Now::Broken;
                    }
                    *self = Chunk::Size { value: value << 4 | u64::from(digit), digits: digits + 1, other };
                }
                (b'\r' | b' ' | b'\t' | b';', _) | (_, _) if digits > 0 && other < MAX_CHUNK_TEXT => {
                    if other == 0 && !matches!(byte, b'\r' | b' ' | b'\t' | b';') {
                        return Now::Broken;
                    }
                    *self = Chunk::Size { value, digits, other: other + 1 };
                }
                _ => return Now::Broken,
            },
            Chunk::DataEnd => match byte {
                b'\r' => {}
                b'\n' => *self = Chunk::SIZE,
                _ => return Now::Broken,
            },
            Chunk::Trailer { line, total } => match byte {
                b'\n' if line == 0 => return Now::Done,
                b'\n' => *self = Chunk::Trailer { line: 0, total: total + 1 },
                b'\r' => {}
                _ if total >= MAX_CHUNK_TEXT => return Now::Broken,
                _ => *self = Chunk::Trailer { line: line + 1, total: total + 1 },
            },
            Chunk::Data(_) => {}
        }
        Now::Within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut body: Body, stream: &[u8], step: usize) -> (Vec<u8>, usize, Now) {
        let (mut content, mut used) = (Vec::new(), 0);
        for mut piece in stream.chunks(step) {
            while !piece.is_empty() {
                let taken = body.take(piece);
                content.extend_from_slice(taken.content);
                used += taken.used;
                if taken.now != Now::Within {
                    return (content, used, taken.now);
                }
                piece = &piece[taken.used..];
            }
        }
        (content, used, Now::Within)
    }

    #[test]
    fn chunks_are_joined_however_they_are_cut() {
        let stream = b"4;x=y\r\nWiki\r\n5\r\npedia\r\n0\r\nTrailer: a\r\n\r\nGET";
        for step in 1..stream.len() {
            assert_eq!(
                read(Body::CHUNKED, stream, step),
                (b"Wikipedia".to_vec(), stream.len() - 3, Now::Done),
                "{step}"
            );
        }
    }

    #[test]
    fn broken_chunks_are_told() {
        for stream in [&b"x\r\n"[..], b"\r\n", b"4\r\nWikiX", b"4z\r\n", b"ffffffffffffffff\r\n"] {
            assert_eq!(read(Body::CHUNKED, stream, 99).2, Now::Broken, "{stream:?}");
        }
        let endless = vec![b'a'; MAX_CHUNK_TEXT as usize + 9];
        assert_eq!(read(Body::Chunked(Chunk::Trailer { line: 0, total: 0 }), &endless, 999).2, Now::Broken);
    }

    #[test]
    fn a_counted_body_ends_where_it_says() {
        assert_eq!(read(Body::Length(3), b"abcdef", 2), (b"abc".to_vec(), 3, Now::Done));
        let mut body = Body::Length(10);
        assert!(body.skip(4));
        assert_eq!(body, Body::Length(6));
        assert!(!body.skip(6));
    }
}
