//! One direction of a TCP connection: where a message ends (RFC 3261 section 18.3).

use super::message::{Message, Start};
use super::recognise;
use crate::Probe;
use crate::http::head;

/// Bytes of a head.
const MAX_HEAD: usize = 16 * 1024;
/// Bytes of a message.
const MAX_MESSAGE: usize = 64 * 1024;

/// The bytes could not be framed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Lost;

/// What is known of the message at the front.
#[derive(Clone, Copy, Debug)]
enum Known {
    /// It is this long.
    Whole(usize),
    /// Its head does not end within this many bytes.
    Nothing(usize),
}

/// The part of a message that came so far.
#[derive(Debug)]
pub(super) struct Stream {
    held: Vec<u8>,
    known: Known,
    lost: bool,
}

impl Default for Stream {
    fn default() -> Self {
        Stream { held: Vec::new(), known: Known::Nothing(0), lost: false }
    }
}

impl Stream {
    /// Bytes were never captured.
    pub(super) fn gap(&mut self) {
        self.forget();
        self.lost = true;
    }

    fn forget(&mut self) {
        self.held.clear();
        self.known = Known::Nothing(0);
    }

    /// Takes the next piece and calls `each` for every message that it completes; line ends between messages, which keep
    /// a connection alive (RFC 5626 section 3.5.1), are passed over. False if it was passed over because the place in the stream is lost.
    ///
    /// # Errors
    /// [`Lost`] once, when the direction gets lost.
    pub(super) fn push(&mut self, piece: &[u8], mut each: impl FnMut(&[u8])) -> Result<bool, Lost> {
        if self.lost {
            if !matches!(recognise(piece), Probe::Yes | Probe::YesFromServer) {
                return Ok(false);
            }
            self.lost = false;
        }
        if self.held.is_empty() {
            let left = self.cut(piece, &mut each)?;
            self.held.extend_from_slice(left);
            return Ok(true);
        }
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(piece);
        let left = self.cut(&held, &mut each).map(<[u8]>::len);
        let used = held.len().saturating_sub(left.unwrap_or(0));
        held.copy_within(used.., 0);
        held.truncate(left.unwrap_or(0));
        self.held = held;
        left.map(|_| true)
    }

    /// Cuts whole messages off the front; returns what is left.
    fn cut<'b>(&mut self, mut bytes: &'b [u8], each: &mut impl FnMut(&[u8])) -> Result<&'b [u8], Lost> {
        loop {
            if matches!(self.known, Known::Nothing(0)) {
                let blank = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n' | 0)).unwrap_or(bytes.len());
                bytes = bytes.get(blank..).unwrap_or_default();
            }
            if bytes.is_empty() {
                return Ok(bytes);
            }
            match self.look(bytes) {
                Some(Known::Whole(length)) if length <= bytes.len() => {
                    let (message, rest) = bytes.split_at_checked(length).unwrap_or((bytes, b""));
                    self.known = Known::Nothing(0);
                    each(message);
                    bytes = rest;
                }
                Some(known) => {
                    self.known = known;
                    return Ok(bytes);
                }
                None => {
                    self.gap();
                    return Err(Lost);
                }
            }
        }
    }

    /// How long the message at the front is; `None` if it cannot be one.
    fn look(&self, bytes: &[u8]) -> Option<Known> {
        let searched = match self.known {
            Known::Whole(length) => return Some(Known::Whole(length)),
            Known::Nothing(searched) => searched,
        };
        if searched == 0 && !bytes.first().is_some_and(u8::is_ascii_uppercase) {
            return None;
        }
        let Some(end) = head::end(bytes, searched) else {
            return (bytes.len() <= MAX_HEAD).then_some(Known::Nothing(bytes.len()));
        };
        let (head, _) = bytes.split_at_checked(end).filter(|(head, _)| head.len() <= MAX_HEAD)?;
        let length = end.saturating_add(body(head)?);
        (length <= MAX_MESSAGE).then_some(Known::Whole(length))
    }
}

/// Bytes of the body that a head announces; without a word there is none.
fn body(head: &[u8]) -> Option<usize> {
    let message = Message::parse(head, b"")?;
    let ours = match message.start {
        Start::Request { method, .. } => method.iter().all(u8::is_ascii_uppercase),
        Start::Answer { .. } => true,
    };
    if ours && !message.bad_length { Some(message.content_length.unwrap_or(0)) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &[u8] = b"\r\n\r\nOPTIONS sip:a SIP/2.0\r\nl: 3\r\n\r\nabc\r\nSIP/2.0 200 OK\r\n\r\n";

    #[test]
    fn messages_are_the_same_however_the_stream_is_cut() {
        for step in 1..TWO.len() {
            let mut stream = Stream::default();
            let mut lengths = Vec::new();
            for piece in TWO.chunks(step) {
                assert_eq!(stream.push(piece, |message| lengths.push(message.len())), Ok(true), "step {step}");
            }
            assert_eq!(lengths, [34, 18], "step {step}");
            assert!(stream.held.is_empty());
        }
    }

    #[test]
    fn what_cannot_be_framed_is_passed_over() {
        let mut stream = Stream::default();
        let mut seen = 0;
        assert_eq!(stream.push(b"OPTIONS sip:a SIP/2.0\r\nl: x\r\n\r\n", |_| seen += 1), Err(Lost));
        assert_eq!(stream.push(b"l: 3\r\n\r\n", |_| seen += 1), Ok(false));
        assert_eq!(stream.push(TWO.get(4..).unwrap(), |_| seen += 1), Ok(true));
        assert_eq!(seen, 2);
        let long = [&b"OPTIONS sip:a SIP/2.0\r\nX: "[..], &[b'x'; MAX_HEAD]].concat();
        assert_eq!(stream.push(&long, |_| seen += 1), Err(Lost));
        let large = format!("OPTIONS sip:a SIP/2.0\r\nContent-Length: {MAX_MESSAGE}\r\n\r\n");
        let mut stream = Stream::default();
        assert_eq!(stream.push(large.as_bytes(), |_| seen += 1), Err(Lost));
        assert_eq!(seen, 2);
    }
}
