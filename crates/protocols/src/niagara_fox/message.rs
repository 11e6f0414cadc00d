//! Messages of Fox: a line that says what it is, then fields in braces, all text but for blobs.

/// What every message begins with.
pub const START: &[u8] = b"fox ";
/// What every message ends with.
pub const END: &[u8] = b"\n};;\n";
/// Messages within messages that are followed.
const DEPTH_LIMIT: usize = 4;

/// The first line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head<'a> {
    /// `a` asynchronous, `s` synchronous, `r` reply, `e` error, `k` keep-alive, `n` empty.
    pub kind: u8,
    /// Number of the message.
    pub sequence: i64,
    /// Number of the message that it answers; -1 if none.
    pub answers: i64,
    /// Part of the framework that it is for.
    pub channel: &'a str,
    /// What that part is to do.
    pub command: &'a str,
}

impl<'a> Head<'a> {
    /// Reads a whole first line, without its line end.
    pub fn read(line: &'a [u8]) -> Option<Self> {
        let line = std::str::from_utf8(line.strip_prefix(START)?).ok()?;
        let mut words = line.splitn(5, ' ');
        let kind = match words.next()?.as_bytes() {
            [kind @ (b'a' | b's' | b'r' | b'e' | b'k' | b'n')] => *kind,
            _ => return None,
        };
        let (sequence, answers) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let (channel, command) = (words.next()?, words.next()?);
        let readable = |word: &str| !word.is_empty() && word.len() <= 64 && !word.contains(char::is_control);
        (readable(channel) && readable(command)).then_some(Head { kind, sequence, answers, channel, command })
    }
}

/// Head and fields of a whole message, its end included.
pub fn read(bytes: &[u8]) -> Option<(Head<'_>, Fields<'_>)> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = bytes.split_at_checked(end)?;
    let fields = rest.strip_prefix(b"\n{\n")?;
    Some((Head::read(line)?, Fields { rest: fields, depth: 0 }))
}

/// The fields of a message one by one, those of messages within it, too. Blobs and objects are passed over.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
    depth: usize,
}

impl<'a> Fields<'a> {
    /// The next bytes up to `until`, which is passed over.
    fn up_to(&mut self, until: u8) -> Option<&'a [u8]> {
        let at = self.rest.iter().position(|byte| *byte == until)?;
        let taken = self.rest.get(..at)?;
        self.rest = self.rest.get(at.checked_add(1)?..)?;
        Some(taken)
    }

    /// Passes over `length[bytes]` and the line end.
    fn skip_counted(&mut self) -> Option<()> {
        let length = std::str::from_utf8(self.up_to(b'[')?).ok()?;
        // An object has its type in front of the length.
        let length: usize = length.rsplit(' ').next()?.parse().ok()?;
        self.rest = self.rest.get(length..)?.strip_prefix(b"]\n")?;
        Some(())
    }

    /// The next text or number by its name.
    pub fn next_text(&mut self) -> Option<(&'a str, &'a str)> {
        loop {
            if let Some(rest) = self.rest.strip_prefix(b"}\n") {
                self.depth = self.depth.checked_sub(1)?;
                self.rest = rest;
                continue;
            }
            let name = std::str::from_utf8(self.up_to(b'=')?).ok()?;
            let kind = self.up_to(b':')?;
            match kind {
                b"b" | b"o" => self.skip_counted()?,
                b"m" => {
                    self.rest = self.rest.strip_prefix(b"{\n")?;
                    self.depth = self.depth.checked_add(1).filter(|depth| *depth <= DEPTH_LIMIT)?;
                }
                _ => return Some((name, std::str::from_utf8(self.up_to(b'\n')?).ok()?)),
            }
        }
    }

    /// The first text of this name.
    pub fn find(mut self, wanted: &str) -> Option<&'a str> {
        std::iter::from_fn(|| self.next_text()).find(|(name, _)| *name == wanted).map(|(_, value)| value)
    }
}
