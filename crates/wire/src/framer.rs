//! Cuts a byte stream into PDUs and keeps only what is partial.

/// What a protocol's framing says of the bytes at hand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Length {
    /// The PDU at the front has this many bytes in all (at least 1).
    Whole(usize),
    /// More bytes are needed to tell.
    NeedMore,
    /// These bytes cannot start a PDU.
    Invalid,
}

/// Why a [`Framer`] gave up; it is empty again afterwards.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FramingError {
    /// The length function said [`Length::Invalid`], after this many good bytes of the piece.
    Invalid,
    /// A PDU longer than the limit was announced.
    TooLong(usize),
}

/// Cuts one direction of a stream into PDUs without copying those that lie whole in one piece.
///
/// It holds at most `limit` bytes. After a gap call [`Framer::reset`].
#[derive(Debug)]
pub struct Framer {
    partial: Vec<u8>,
    limit: usize,
}

impl Framer {
    /// A framer for PDUs of at most `limit` bytes.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Framer { partial: Vec::new(), limit }
    }

    /// Forgets a partial PDU.
    pub fn reset(&mut self) {
        self.partial.clear();
    }

    /// Bytes held of a partial PDU.
    #[must_use]
    pub fn held(&self) -> usize {
        self.partial.len()
    }

    /// Bytes held of a partial PDU, for a flow that ends in the middle of one.
    #[must_use]
    pub fn partial(&self) -> &[u8] {
        &self.partial
    }

    /// Takes the next piece of the stream and calls `each` for every PDU that it completes.
    ///
    /// # Errors
    /// [`FramingError`] when the bytes cannot be framed; the PDUs before them were delivered.
    pub fn push(
        &mut self,
        mut piece: &[u8],
        length: impl Fn(&[u8]) -> Length,
        mut each: impl FnMut(&[u8]),
    ) -> Result<(), FramingError> {
        while !self.partial.is_empty() && !piece.is_empty() {
            piece = self.complete_partial(piece, &length, &mut each)?;
        }
        while !piece.is_empty() {
            match self.check(length(piece))? {
                Length::Whole(whole) if whole <= piece.len() => {
                    let (pdu, rest) = piece.split_at(whole);
                    each(pdu);
                    piece = rest;
                }
                _ => {
                    if piece.len() > self.limit {
                        return Err(FramingError::TooLong(piece.len()));
                    }
                    self.partial.extend_from_slice(piece);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Adds to the partial PDU just what it lacks and returns the rest of the piece.
    fn complete_partial<'p>(
        &mut self,
        piece: &'p [u8],
        length: &impl Fn(&[u8]) -> Length,
        each: &mut impl FnMut(&[u8]),
    ) -> Result<&'p [u8], FramingError> {
        let wanted = match self.check(length(&self.partial))? {
            Length::Whole(whole) => whole.saturating_sub(self.partial.len()),
            // The length is not known yet: grow in small steps, headers are short.
            _ => 1,
        };
        let (now, rest) = piece.split_at(wanted.min(piece.len()));
        if self.partial.len() + now.len() > self.limit {
            let announced = self.partial.len() + now.len();
            self.partial.clear();
            return Err(FramingError::TooLong(announced));
        }
        self.partial.extend_from_slice(now);
        if let Length::Whole(whole) = self.check(length(&self.partial))?
            && whole <= self.partial.len()
        {
            let pdu = std::mem::take(&mut self.partial);
            each(pdu.get(..whole).unwrap_or(&pdu));
            // Reuse the allocation; a length that shrank as more bytes came leaves a tail.
            let tail = pdu.len() - whole.min(pdu.len());
            self.partial = pdu;
            let held = self.partial.len();
            self.partial.copy_within(held - tail.., 0);
            self.partial.truncate(tail);
        }
        Ok(rest)
    }

    fn check(&mut self, length: Length) -> Result<Length, FramingError> {
        match length {
            Length::Invalid | Length::Whole(0) => {
                self.partial.clear();
                Err(FramingError::Invalid)
            }
            Length::Whole(whole) if whole > self.limit => {
                self.partial.clear();
                Err(FramingError::TooLong(whole))
            }
            other => Ok(other),
        }
    }
}

/// Framing of text lines: a PDU ends with `\n`.
#[must_use]
pub fn line(bytes: &[u8]) -> Length {
    bytes.iter().position(|b| *b == b'\n').map_or(Length::NeedMore, |at| Length::Whole(at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First byte is the length of the whole PDU.
    fn counted(bytes: &[u8]) -> Length {
        bytes.first().map_or(Length::NeedMore, |n| Length::Whole(usize::from(*n)))
    }

    fn cut(stream: &[u8], step: usize) -> Vec<Vec<u8>> {
        let mut framer = Framer::new(64);
        let mut pdus = Vec::new();
        for piece in stream.chunks(step) {
            framer.push(piece, counted, |pdu| pdus.push(pdu.to_vec())).unwrap();
        }
        assert_eq!(framer.held(), 0);
        pdus
    }

    #[test]
    fn pdus_are_the_same_however_the_stream_is_cut() {
        let stream = [3, 1, 2, 1, 5, 9, 9, 9, 9, 2, 7];
        let whole = cut(&stream, stream.len());
        assert_eq!(whole, [vec![3, 1, 2], vec![1], vec![5, 9, 9, 9, 9], vec![2, 7]]);
        for step in 1..stream.len() {
            assert_eq!(cut(&stream, step), whole, "step {step}");
        }
    }

    #[test]
    fn nonsense_is_refused_and_forgotten() {
        let mut framer = Framer::new(64);
        let mut seen = 0;
        assert_eq!(framer.push(&[2, 1, 0, 0], counted, |_| seen += 1), Err(FramingError::Invalid));
        assert_eq!(seen, 1);
        assert_eq!(framer.push(&[200], counted, |_| ()), Err(FramingError::TooLong(200)));
        assert_eq!(framer.held(), 0);
    }

    #[test]
    fn lines_may_come_in_pieces() {
        let mut framer = Framer::new(64);
        let mut lines = Vec::new();
        for piece in ["US", "ER a\r\nPA", "SS b\r\n"] {
            framer.push(piece.as_bytes(), line, |l| lines.push(String::from_utf8_lossy(l).into_owned())).unwrap();
        }
        assert_eq!(lines, ["USER a\r\n", "PASS b\r\n"]);
    }
}
