//! Commands and options (RFC 854, RFC 855): separates them from text.

/// Interpret as command.
pub(super) const IAC: u8 = 255;
/// Subnegotiation begins.
const SB: u8 = 250;
/// Subnegotiation ends.
const SE: u8 = 240;
/// Longest subnegotiation kept; the rest of a longer one is read over.
pub(super) const MAX_SUB: usize = 512;

/// Terminal type (RFC 1091).
pub(super) const TERMINAL_TYPE: u8 = 24;
/// X display location (RFC 1096).
pub(super) const X_DISPLAY: u8 = 35;
/// Environment, old and new (RFC 1408, RFC 1572).
pub(super) const OLD_ENVIRON: u8 = 36;
pub(super) const NEW_ENVIRON: u8 = 39;
/// Authentication (RFC 2941).
pub(super) const AUTHENTICATION: u8 = 37;
/// Encryption (RFC 2946).
pub(super) const ENCRYPT: u8 = 38;

/// Whether an option of this number exists (IANA registry "Telnet Options").
pub(super) const fn is_option(option: u8) -> bool {
    matches!(option, 0..=49 | 138..=140 | 255)
}

/// What is found in a piece of the stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Token<'a> {
    /// A byte of text.
    Text(u8),
    /// WILL, WONT, DO or DONT with its option.
    Negotiate { command: u8, option: u8 },
    /// A subnegotiation, without its frame.
    Sub { option: u8, content: &'a [u8] },
    /// Another command.
    Command(u8),
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Place {
    #[default]
    Text,
    Iac,
    Option(u8),
    Sub,
    SubIac,
}

/// Separates one direction.
#[derive(Default, Debug)]
pub(super) struct Splitter {
    place: Place,
    sub: Vec<u8>,
}

impl Splitter {
    /// Bytes are missing: a command under way is forgotten.
    pub(super) fn reset(&mut self) {
        self.place = Place::Text;
        self.sub.clear();
    }

    /// Takes one byte; calls `each` for what it completes.
    pub(super) fn take(&mut self, byte: u8, mut each: impl FnMut(Token<'_>)) {
        self.place = match (self.place, byte) {
            (Place::Text, IAC) => Place::Iac,
            (Place::Text, _) => {
                each(Token::Text(byte));
                Place::Text
            }
            (Place::Iac, IAC) => {
                each(Token::Text(IAC));
                Place::Text
            }
            (Place::Iac, SB) => {
                self.sub.clear();
                Place::Sub
            }
            (Place::Iac, 251..=254) => Place::Option(byte),
            (Place::Iac, _) => {
                each(Token::Command(byte));
                Place::Text
            }
            (Place::Option(command), option) => {
                each(Token::Negotiate { command, option });
                Place::Text
            }
            (Place::Sub, IAC) => Place::SubIac,
            (Place::SubIac, SE) => {
                if let Some((option, content)) = self.sub.split_first() {
                    each(Token::Sub { option: *option, content });
                }
                self.sub.clear();
                Place::Text
            }
            (Place::Sub | Place::SubIac, _) => {
                if self.sub.len() < MAX_SUB {
                    self.sub.push(byte);
                }
                Place::Sub
            }
        };
    }
}

/// Variables of an environment subnegotiation: name and value.
pub(super) fn variables(content: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    // IS or INFO, then VAR (0) or USERVAR (3) name, VALUE (1) value. The old option swapped VAR and VALUE in places:
    // both are tried by splitting at either.
    let body = match content {
        [0 | 2, body @ ..] => body,
        _ => b"",
    };
    body.split(|b| matches!(b, 0 | 3)).filter_map(|pair| {
        let at = pair.iter().position(|b| *b == 1)?;
        Some((pair.get(..at)?, pair.get(at + 1..)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(stream: &[u8]) -> Vec<String> {
        let mut splitter = Splitter::default();
        let mut all = Vec::new();
        for byte in stream {
            splitter.take(*byte, |token| all.push(format!("{token:?}")));
        }
        assert!(splitter.sub.len() <= MAX_SUB);
        all
    }

    #[test]
    fn commands_are_separated_from_text() {
        assert_eq!(
            tokens(&[b'a', 255, 253, 3, 255, 255, 255, 250, 31, 0, 80, 255, 255, 255, 240, 255, 244]),
            [
                "Text(97)",
                "Negotiate { command: 253, option: 3 }",
                "Text(255)",
                "Sub { option: 31, content: [0, 80, 255] }",
                "Command(244)"
            ]
        );
        tokens(&[&[255, 250][..], &[7; MAX_SUB * 2]].concat());
    }

    #[test]
    fn variables_are_split() {
        // Shared capture telnet/ndpi-telnet.pcap, frame 17.
        let content = b"\0\0DISPLAY\x01bam.zing.org:0.0";
        let all: Vec<_> = variables(content).collect();
        assert_eq!(all, [(&b"DISPLAY"[..], &b"bam.zing.org:0.0"[..])]);
        assert_eq!(variables(b"").count(), 0);
        assert_eq!(variables(b"\x01\0").count(), 0);
    }
}
