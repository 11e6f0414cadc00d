//! One direction as lines, with messages in between: counted, or ended by a dot on a line of its own.

use super::mime::Message;

/// Longest line kept; SMTP and POP3 allow 512 bytes, SASL 12288 characters (RFC 4954 section 4).
pub(super) const MAX_LINE: usize = 16 * 1024;

/// One direction.
#[derive(Default)]
pub(super) struct Lines {
    held: Vec<u8>,
    /// Counted bytes still to come: a literal of IMAP, a chunk of SMTP.
    counted: u64,
    dotted: Option<Dotted>,
    /// What reads the content; without it content is passed over.
    pub(super) message: Option<Box<Message>>,
    /// Bytes of content seen since it began.
    pub(super) content: u64,
    /// The line at hand is too long, or its start was missed: wait for the next.
    lost: bool,
}

/// What stands next in a piece.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Step<'p> {
    /// Nothing that is whole.
    More,
    /// A line, without its end.
    Line,
    /// A part of a message.
    Content(&'p [u8]),
    /// A message ended with its dot.
    End,
}

/// Where a message is that ends with a dot (RFC 5321 section 4.5.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Dotted {
    LineStart,
    Dot,
    DotCr,
    Within,
}

impl Dotted {
    /// Takes from the front of a piece that is not empty: content, bytes used, and whether it is over.
    fn take<'p>(&mut self, piece: &'p [u8]) -> (&'p [u8], usize, bool) {
        match (*self, piece.first()) {
            (Dotted::LineStart, Some(b'.')) => *self = Dotted::Dot,
            (Dotted::Dot | Dotted::DotCr, Some(b'\n')) => return (b"", 1, true),
            (Dotted::Dot, Some(b'\r')) => *self = Dotted::DotCr,
            _ => {
                let end = piece.iter().position(|byte| *byte == b'\n');
                *self = if end.is_some() { Dotted::LineStart } else { Dotted::Within };
                let used = end.map_or(piece.len(), |end| end.saturating_add(1));
                return (piece.get(..used).unwrap_or(piece), used, false);
            }
        }
        (b"", 1, false)
    }
}

impl Lines {
    /// Takes from the front of `piece`; `line` gets a line that is whole.
    pub(super) fn next<'p>(&mut self, piece: &mut &'p [u8], line: &mut Vec<u8>) -> Step<'p> {
        if piece.is_empty() {
            return Step::More;
        }
        if self.counted > 0 {
            let count = usize::try_from(self.counted).unwrap_or(usize::MAX).min(piece.len());
            let (content, rest) = piece.split_at_checked(count).unwrap_or((piece, &[]));
            *piece = rest;
            self.counted = self.counted.saturating_sub(content.len() as u64);
            return self.counting(content);
        }
        if let Some(dotted) = &mut self.dotted {
            let (content, used, over) = dotted.take(piece);
            *piece = piece.get(used..).unwrap_or_default();
            if over {
                self.dotted = None;
                return Step::End;
            }
            return self.counting(content);
        }
        if self.line(piece, line) { Step::Line } else { Step::More }
    }

    const fn counting<'p>(&mut self, content: &'p [u8]) -> Step<'p> {
        self.content = self.content.saturating_add(content.len() as u64);
        Step::Content(content)
    }

    fn line(&mut self, piece: &mut &[u8], line: &mut Vec<u8>) -> bool {
        loop {
            let Some(end) = piece.iter().position(|byte| *byte == b'\n') else {
                if self.held.len().saturating_add(piece.len()) > MAX_LINE {
                    self.lost = true;
                    self.held.clear();
                }
                if !self.lost {
                    self.held.extend_from_slice(piece);
                }
                *piece = &[];
                return false;
            };
            let (now, rest) = piece.split_at_checked(end.saturating_add(1)).unwrap_or((piece, &[]));
            *piece = rest;
            if std::mem::replace(&mut self.lost, false) {
                self.held.clear();
                continue;
            }
            line.clear();
            line.append(&mut self.held);
            line.extend_from_slice(now);
            line.truncate(line.trim_ascii_end().len());
            return true;
        }
    }

    /// A message follows that ends with a dot.
    pub(super) fn begin_dotted(&mut self) {
        self.dotted = Some(Dotted::LineStart);
        self.content = 0;
        self.message = Some(Box::new(Message::whole()));
    }

    /// So many bytes follow.
    pub(super) const fn begin_counted(&mut self, count: u64) {
        self.counted = count;
    }

    /// The message does not come, or its end was missed.
    pub(super) fn end_content(&mut self) {
        self.counted = 0;
        self.dotted = None;
    }

    /// Whether a message is on its way that ends with a dot.
    pub(super) const fn is_dotted(&self) -> bool {
        self.dotted.is_some()
    }

    /// Whether a line may begin here.
    pub(super) const fn awaits_line(&self) -> bool {
        self.counted == 0 && self.dotted.is_none() && self.held.is_empty()
    }

    /// Bytes were missed.
    pub(super) fn lose(&mut self, missing: u32) {
        if let Some(message) = &mut self.message {
            message.gap();
        }
        self.held.clear();
        if u64::from(missing) < self.counted {
            self.counted = self.counted.saturating_sub(missing.into());
            return;
        }
        self.counted = 0;
        match &mut self.dotted {
            Some(dotted) => *dotted = Dotted::Within,
            None => self.lost = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut lines: Lines, pieces: &[&[u8]]) -> Vec<String> {
        let (mut found, mut line, mut content) = (Vec::new(), Vec::new(), Vec::new());
        for piece in pieces {
            let mut rest = *piece;
            loop {
                match lines.next(&mut rest, &mut line) {
                    Step::More => break,
                    Step::Line => found.push(String::from_utf8_lossy(&line).into_owned()),
                    Step::Content(bytes) => content.extend_from_slice(bytes),
                    Step::End => found.push("<end>".into()),
                }
            }
            assert!(rest.is_empty());
        }
        found.push(String::from_utf8_lossy(&content).into_owned());
        found
    }

    #[test]
    fn lines_come_in_pieces_and_counted_bytes_are_content() {
        assert_eq!(all(Lines::default(), &[b"US", b"ER a\r\nPA", b"SS b\n\r\n"]), ["USER a", "PASS b", "", ""]);
        let counted = Lines { counted: 5, ..Lines::default() };
        assert_eq!(all(counted, &[b"12", b"3\n4after\r\n"]), ["after", "123\n4"]);
        let long = vec![b'x'; MAX_LINE];
        assert_eq!(all(Lines::default(), &[&long, b"yy", b"\nnext\r\n"]), ["next", ""]);
    }

    #[test]
    fn a_dot_ends_a_message_and_two_begin_a_line_with_one() {
        let text = b"a\r\n..b\r\n.\n\r.\r\n.\r\nQUIT\r\n";
        for size in 1..text.len() {
            let mut lines = Lines::default();
            lines.begin_dotted();
            let pieces: Vec<&[u8]> = text.chunks(size).collect();
            assert_eq!(all(lines, &pieces)[0], "<end>", "{size}");
        }
        let mut lines = Lines::default();
        lines.begin_dotted();
        assert_eq!(all(lines, &[b"a\r\n..b\r\nc.\r\n.\r\nQUIT\r\n"]), ["<end>", "QUIT", "a\r\n.b\r\nc.\r\n"]);
    }
}
