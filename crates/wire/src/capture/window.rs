//! A window that moves over a capture from front to end: over a mapped file, bytes in memory, or a stream.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

use super::mapping::Mapping;

/// Bytes asked of a stream at a time.
const STREAM_STEP: usize = 64 << 10;

/// Bytes of a mapped file hashed at a time: still in the processor's cache from reading them.
const HASH_STEP: usize = 64 << 10;

enum Backing {
    Mapped(Mapping),
    Bytes(Vec<u8>),
    Stream(Stream),
}

/// What is read of a stream and not consumed yet.
struct Stream {
    reader: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    ended: bool,
    failure: Option<String>,
}

/// The bytes ahead of a cursor.
pub(super) struct Window {
    backing: Backing,
    /// Index of the cursor in the backing's bytes.
    cursor: usize,
    /// Bytes of a stream that were dropped from the front of its buffer.
    dropped: u64,
    /// Hash of a mapped file from its front, and how many bytes are in it.
    hash: Option<(Sha256, usize)>,
}

impl Window {
    pub(super) fn mapped(mapping: Mapping) -> Self {
        Window { backing: Backing::Mapped(mapping), cursor: 0, dropped: 0, hash: None }
    }

    pub(super) fn bytes_of(bytes: Vec<u8>) -> Self {
        Window { backing: Backing::Bytes(bytes), cursor: 0, dropped: 0, hash: None }
    }

    pub(super) fn stream(reader: Box<dyn Read + Send>) -> Self {
        let stream = Stream { reader, buffer: Vec::new(), ended: false, failure: None };
        Window { backing: Backing::Stream(stream), cursor: 0, dropped: 0, hash: None }
    }

    /// Starts hashing, if this is a mapped file at its front.
    pub(super) fn hash_mapped(&mut self) {
        if matches!(self.backing, Backing::Mapped(_)) {
            self.hash = Some((Sha256::new(), 0));
        }
    }

    /// Hashes a mapped file up to `end`.
    fn hash_to(&mut self, end: usize) {
        if let (Backing::Mapped(mapping), Some((hash, done))) = (&self.backing, &mut self.hash)
            && let Some(bytes) = mapping.get(*done..end)
        {
            hash.update(bytes);
            *done = end;
        }
    }

    /// SHA-256 of the whole mapped file, also of what was not read; `None` if it was not asked for before.
    pub(super) fn digest(&mut self) -> Option<[u8; 32]> {
        let Backing::Mapped(mapping) = &self.backing else { return None };
        let whole = mapping.len();
        while self.hash.as_ref()?.1 < whole {
            let end = self.hash.as_ref()?.1.saturating_add(16 * HASH_STEP).min(whole);
            self.hash_to(end);
            if let Backing::Mapped(mapping) = &mut self.backing {
                mapping.release_before(end);
            }
        }
        self.hash.take().map(|(hash, _)| hash.finalize().into())
    }

    /// Offset of the cursor in the (decompressed) capture.
    pub(super) fn offset(&self) -> u64 {
        self.dropped.saturating_add(self.cursor as u64)
    }

    /// Why a stream ended before its regular end, if it did.
    pub(super) fn failure(&self) -> Option<&str> {
        match &self.backing {
            Backing::Stream(stream) => stream.failure.as_deref(),
            Backing::Mapped(_) | Backing::Bytes(_) => None,
        }
    }

    /// The bytes at hand from the cursor on.
    pub(super) fn ahead(&self) -> &[u8] {
        let whole = match &self.backing {
            Backing::Mapped(mapping) => mapping,
            Backing::Bytes(bytes) => bytes.as_slice(),
            Backing::Stream(stream) => stream.buffer.as_slice(),
        };
        whole.get(self.cursor..).unwrap_or(&[])
    }

    /// Tries to have `wanted` bytes at hand; returns the bytes at hand, fewer only at the end.
    pub(super) fn want(&mut self, wanted: usize) -> &[u8] {
        if let Backing::Stream(stream) = &mut self.backing
            && stream.buffer.len().saturating_sub(self.cursor) < wanted
            && !stream.ended
        {
            stream.buffer.drain(..self.cursor.min(stream.buffer.len()));
            self.dropped = self.dropped.saturating_add(self.cursor as u64);
            self.cursor = 0;
            stream.fill(wanted);
        }
        self.ahead()
    }

    /// Moves the cursor on by `count` bytes; past the end it stops there.
    pub(super) fn consume(&mut self, count: u64) {
        let mut rest = count;
        loop {
            let at_hand = self.ahead().len();
            let now = usize::try_from(rest).unwrap_or(usize::MAX).min(at_hand);
            self.cursor = self.cursor.saturating_add(now);
            rest = rest.saturating_sub(now as u64);
            if rest == 0 || self.want(1).is_empty() {
                break;
            }
        }
        if self.hash.as_ref().is_some_and(|(_, done)| self.cursor.saturating_sub(*done) >= HASH_STEP) {
            self.hash_to(self.cursor);
        }
        if let Backing::Mapped(mapping) = &mut self.backing {
            mapping.release_before(self.cursor);
        }
    }
}

impl Stream {
    fn fill(&mut self, wanted: usize) {
        while self.buffer.len() < wanted && !self.ended {
            let have = self.buffer.len();
            let step = (wanted - have).max(STREAM_STEP);
            self.buffer.resize(have.saturating_add(step), 0);
            let read = self.buffer.get_mut(have..).map_or(Ok(0), |space| self.reader.read(space));
            match read {
                Ok(0) => {
                    self.ended = true;
                    self.buffer.truncate(have);
                }
                Ok(count) => self.buffer.truncate(have.saturating_add(count)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => self.buffer.truncate(have),
                Err(error) => {
                    self.failure = Some(error.to_string());
                    self.ended = true;
                    self.buffer.truncate(have);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out `step` bytes a time, as a slow pipe does.
    struct Drip(Vec<u8>, usize, usize);

    impl Read for Drip {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let rest = &self.0[self.1..];
            let n = rest.len().min(self.2).min(buf.len());
            buf[..n].copy_from_slice(&rest[..n]);
            self.1 += n;
            Ok(n)
        }
    }

    #[test]
    fn a_stream_reads_like_bytes_in_memory() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for step in [1, 7, 300, 2000] {
            let mut window = Window::stream(Box::new(Drip(bytes.clone(), 0, step)));
            assert_eq!(window.want(10)[..10], bytes[..10]);
            window.consume(5);
            assert_eq!(window.want(300)[..300], bytes[5..305]);
            window.consume(600);
            assert_eq!(window.offset(), 605);
            assert_eq!(window.want(500), &bytes[605..]);
            window.consume(5000);
            assert_eq!((window.offset(), window.want(1).len()), (1000, 0));
            assert_eq!(window.failure(), None);
        }
    }
}
