//! One direction of an SMB connection cut into session packets, with the data of large reads and writes passed over.

use std::mem;

/// Bytes kept of one session packet: its header, names and tokens, and whole small transfers; file contents beyond are passed over.
pub const KEEP: usize = 64 * 1024;
/// Bytes of the session header (RFC 1002 section 4.3.1; MS-SMB2 2.1).
const HEADER: usize = 4;

/// Session packet types (RFC 1002 section 4.3.1).
pub const MESSAGE: u8 = 0x00;

/// The bytes cannot start a session packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotFramed;

/// One direction.
#[derive(Default, Debug)]
pub struct Side {
    partial: Vec<u8>,
    skip: usize,
    lost: bool,
}

/// Type of the packet and bytes of its body.
fn header(bytes: &[u8]) -> Option<Option<(u8, usize)>> {
    let Some([kind, a, b, c]) = bytes.first_chunk::<HEADER>().copied() else { return Some(None) };
    let known = matches!(kind, MESSAGE | 0x81..=0x85);
    known.then_some(Some((kind, usize::try_from(u32::from_be_bytes([0, a, b, c])).ok()?)))
}

/// Whether an SMB message of any version starts behind a session header.
pub fn starts_message(bytes: &[u8]) -> bool {
    matches!(bytes, [MESSAGE, _, _, _, 0xfc..=0xff, b'S', b'M', b'B', ..])
}

impl Side {
    /// Takes the next piece and calls `each` with type, kept body, and whole length of every packet.
    ///
    /// # Errors
    /// [`NotFramed`]; the side waits for a piece that starts with a message.
    pub fn push(&mut self, mut piece: &[u8], mut each: impl FnMut(u8, &[u8], usize)) -> Result<(), NotFramed> {
        if self.lost {
            if !starts_message(piece) {
                return Ok(());
            }
            self.lost = false;
        }
        while !piece.is_empty() {
            if self.skip > 0 {
                let (passed, rest) = piece.split_at(self.skip.min(piece.len()));
                self.skip = self.skip.saturating_sub(passed.len());
                piece = rest;
                continue;
            }
            piece = if self.partial.is_empty() { self.fresh(piece, &mut each)? } else { self.more(piece, &mut each)? };
        }
        Ok(())
    }

    /// A packet starts with this piece.
    fn fresh<'p>(&mut self, piece: &'p [u8], each: &mut impl FnMut(u8, &[u8], usize)) -> Result<&'p [u8], NotFramed> {
        let Some(header) = header(piece) else {
            self.lost = true;
            return Err(NotFramed);
        };
        if let Some((kind, length)) = header {
            let whole = HEADER.saturating_add(length);
            if let (Some(body), Some(rest)) = (piece.get(HEADER..whole), piece.get(whole..)) {
                each(kind, body.get(..KEEP).unwrap_or(body), length);
                return Ok(rest);
            }
        }
        let kept = piece.len().min(HEADER);
        let (now, rest) = piece.split_at(kept);
        self.partial.extend_from_slice(now);
        Ok(rest)
    }

    /// Adds to a packet begun.
    fn more<'p>(&mut self, piece: &'p [u8], each: &mut impl FnMut(u8, &[u8], usize)) -> Result<&'p [u8], NotFramed> {
        let wanted = match header(&self.partial) {
            Some(Some((_, length))) => HEADER.saturating_add(length.min(KEEP)),
            _ => HEADER,
        };
        let lacks = wanted.saturating_sub(self.partial.len());
        let (now, rest) = piece.split_at(lacks.min(piece.len()));
        self.partial.extend_from_slice(now);
        match header(&self.partial) {
            None => {
                self.partial.clear();
                self.lost = true;
                Err(NotFramed)
            }
            Some(Some((kind, length))) if self.partial.len() >= HEADER.saturating_add(length.min(KEEP)) => {
                let packet = mem::take(&mut self.partial);
                each(kind, packet.get(HEADER..).unwrap_or_default(), length);
                self.partial = packet;
                self.partial.clear();
                self.skip = length.saturating_sub(KEEP);
                Ok(rest)
            }
            Some(_) => Ok(rest),
        }
    }

    /// Bytes were never captured.
    pub fn gap(&mut self, missing: usize) {
        if missing <= self.skip && missing > 0 {
            self.skip = self.skip.saturating_sub(missing);
        } else {
            self.partial.clear();
            self.skip = 0;
            self.lost = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_the_same_however_the_stream_is_cut() {
        let mut stream = vec![0x85, 0, 0, 0];
        let large = KEEP + 70_000;
        stream.extend([0, 2, 0x11, 0x70]);
        assert_eq!(large, 0x02_1170);
        stream.resize(stream.len() + large, 7);
        stream.extend([0, 0, 0, 2, 1, 2]);
        for step in [1, 3, 5, 1460, 70_000, stream.len()] {
            let mut side = Side::default();
            let mut seen = Vec::new();
            for piece in stream.chunks(step) {
                side.push(piece, |kind, body, whole| seen.push((kind, body.len(), whole))).unwrap();
            }
            assert_eq!(seen, [(0x85, 0, 0), (0, KEEP, large), (0, 2, 2)], "step {step}");
        }
    }

    #[test]
    fn a_lost_side_finds_the_next_message() {
        let mut side = Side::default();
        assert_eq!(side.push(b"junk", |_, _, _| ()), Err(NotFramed));
        let mut seen = 0;
        side.push(&[0, 0, 0, 1, 9], |_, _, _| seen += 1).unwrap();
        side.push(&[0, 0, 0, 4, 0xfe, b'S', b'M', b'B'], |_, _, _| seen += 1).unwrap();
        assert_eq!(seen, 1);
    }
}
