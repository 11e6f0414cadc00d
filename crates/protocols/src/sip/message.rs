//! A message taken apart (RFC 3261 section 7): its first line, the header fields that matter, its body.

use std::fmt::{self, Display, Write as _};

use quaywatch_model::OperationClass;

use super::VERSION;

/// Methods with what they do; the place in this list is the operation's code. RFC 3261, and after ACK, BYE, ... those of
/// RFC 6665, 3903, 6086, 3262, 3311, 3515 and 3428.
pub(super) static METHODS: &[(&str, OperationClass)] = &[
    ("REGISTER", OperationClass::Session),
    ("INVITE", OperationClass::Session),
    ("ACK", OperationClass::Session),
    ("BYE", OperationClass::Session),
    ("CANCEL", OperationClass::Session),
    ("OPTIONS", OperationClass::Identify),
    ("SUBSCRIBE", OperationClass::Session),
    ("NOTIFY", OperationClass::Session),
    ("PUBLISH", OperationClass::Write),
    ("INFO", OperationClass::Session),
    ("PRACK", OperationClass::Session),
    ("UPDATE", OperationClass::Session),
    ("REFER", OperationClass::Session),
    ("MESSAGE", OperationClass::Write),
];

/// The code of a method that is none of those.
pub(super) const UNKNOWN_METHOD: u32 = u32::MAX;

/// Code and class of a method.
pub(super) fn method(name: &[u8]) -> (u32, OperationClass) {
    (0..)
        .zip(METHODS)
        .find(|(_, known)| known.0.as_bytes() == name)
        .map_or((UNKNOWN_METHOD, OperationClass::Session), |(code, known)| (code, known.1))
}

/// The first line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Start<'a> {
    Request { method: &'a [u8], uri: &'a [u8] },
    Answer { status: u32, reason: &'a [u8] },
}

/// A message; of a repeated field the first is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    pub(super) start: Start<'a>,
    /// The branch parameter of the topmost Via: names the transaction.
    pub(super) branch: &'a [u8],
    /// How many Via stand in it: beyond one, others passed the message on.
    pub(super) hops: u32,
    pub(super) call_id: &'a [u8],
    /// Sequence number and method.
    pub(super) sequence: Option<(u32, &'a [u8])>,
    pub(super) from: &'a [u8],
    pub(super) to: &'a [u8],
    pub(super) contact: &'a [u8],
    pub(super) expires: &'a [u8],
    /// What a SUBSCRIBE, NOTIFY or PUBLISH is about (RFC 6665 section 8.2.1).
    pub(super) package: &'a [u8],
    pub(super) user_agent: &'a [u8],
    pub(super) server: &'a [u8],
    pub(super) authorization: &'a [u8],
    pub(super) proxy_authorization: &'a [u8],
    pub(super) challenge: &'a [u8],
    pub(super) content_type: &'a [u8],
    pub(super) content_length: Option<usize>,
    /// Content-Length is there and is no number.
    pub(super) bad_length: bool,
    pub(super) body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads a head, which may lack its blank line; `None` if its first line is neither request nor answer.
    pub(super) fn parse(head: &'a [u8], body: &'a [u8]) -> Option<Self> {
        let end = head.iter().position(|b| *b == b'\n').unwrap_or(head.len());
        let (first, fields) = head.split_at_checked(end)?;
        let mut message = Message {
            start: start(first.trim_ascii())?,
            branch: b"",
            hops: 0,
            call_id: b"",
            sequence: None,
            from: b"",
            to: b"",
            contact: b"",
            expires: b"",
            package: b"",
            user_agent: b"",
            server: b"",
            authorization: b"",
            proxy_authorization: b"",
            challenge: b"",
            content_type: b"",
            content_length: None,
            bad_length: false,
            body,
        };
        for (name, value) in (Fields { rest: fields.get(1..).unwrap_or_default() }) {
            message.field(name, value);
        }
        Some(message)
    }

    /// Takes one field, by its long or its compact name (RFC 3261 section 7.3.3).
    fn field(&mut self, name: &[u8], value: &'a [u8]) {
        let is = |long: &str| name.eq_ignore_ascii_case(long.as_bytes());
        let keep = |slot: &mut &'a [u8]| {
            if slot.is_empty() {
                *slot = value;
            }
        };
        let letter = match name {
            [letter] => letter.to_ascii_lowercase(),
            _ => 0,
        };
        // By length first: most fields of a message are of no interest.
        match name.len() {
            1 if letter == b'v' => self.via(value),
            1 if letter == b'f' => keep(&mut self.from),
            1 if letter == b't' => keep(&mut self.to),
            1 if letter == b'i' => keep(&mut self.call_id),
            1 if letter == b'm' => keep(&mut self.contact),
            1 if letter == b'o' => keep(&mut self.package),
            1 if letter == b'c' => keep(&mut self.content_type),
            1 if letter == b'l' => self.length(value),
            2 if is("to") => keep(&mut self.to),
            3 if is("via") => self.via(value),
            4 if is("from") => keep(&mut self.from),
            4 if is("cseq") && self.sequence.is_none() => self.sequence = sequence(value),
            5 if is("event") => keep(&mut self.package),
            6 if is("server") => keep(&mut self.server),
            7 if is("call-id") => keep(&mut self.call_id),
            7 if is("contact") => keep(&mut self.contact),
            7 if is("expires") => keep(&mut self.expires),
            10 if is("user-agent") => keep(&mut self.user_agent),
            12 if is("content-type") => keep(&mut self.content_type),
            13 if is("authorization") => keep(&mut self.authorization),
            14 if is("content-length") => self.length(value),
            16 if is("www-authenticate") => keep(&mut self.challenge),
            18 if is("proxy-authenticate") => keep(&mut self.challenge),
            19 if is("proxy-authorization") => keep(&mut self.proxy_authorization),
            _ => {}
        }
    }

    fn via(&mut self, value: &'a [u8]) {
        let listed = u32::try_from(value.split(|b| *b == b',').count()).unwrap_or(u32::MAX);
        if self.hops == 0 {
            let topmost = value.split(|b| *b == b',').next().unwrap_or_default();
            self.branch = parameter(topmost, "branch").unwrap_or_default();
        }
        self.hops = self.hops.saturating_add(listed);
    }

    fn length(&mut self, value: &[u8]) {
        match number(value) {
            Some(length) => self.content_length = self.content_length.or(Some(length)),
            None => self.bad_length = true,
        }
    }
}

fn start(line: &[u8]) -> Option<Start<'_>> {
    if let Some(rest) = line.strip_prefix(VERSION) {
        let (status, reason) = rest.strip_prefix(b" ")?.split_at_checked(3)?;
        let status = number(status)?;
        let status = u32::try_from(status).ok().filter(|status| (100..700).contains(status))?;
        return Some(Start::Answer { status, reason: reason.trim_ascii() });
    }
    let line = line.strip_suffix(VERSION)?.strip_suffix(b" ")?;
    let blank = line.iter().position(|b| *b == b' ')?;
    let (method, uri) = line.split_at_checked(blank)?;
    let uri = uri.trim_ascii();
    (!method.is_empty() && !uri.is_empty()).then_some(Start::Request { method, uri })
}

/// `4711 INVITE` (RFC 3261 section 20.16).
fn sequence(value: &[u8]) -> Option<(u32, &[u8])> {
    let digits = value.iter().position(|b| !b.is_ascii_digit())?;
    let (count, method) = value.split_at_checked(digits)?;
    let count = u32::try_from(number(count)?).ok()?;
    Some((count, method.trim_ascii())).filter(|(_, method)| !method.is_empty())
}

/// A decimal number and nothing else.
pub(super) fn number(text: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?;
    text.parse().ok()
}

/// The value of `;name=value` behind an address or Via.
pub(super) fn parameter<'a>(value: &'a [u8], name: &str) -> Option<&'a [u8]> {
    value.split(|b| *b == b';').skip(1).find_map(|part| {
        let equals = part.iter().position(|b| *b == b'=')?;
        let (key, value) = part.split_at_checked(equals)?;
        key.trim_ascii().eq_ignore_ascii_case(name.as_bytes()).then(|| value.get(1..).unwrap_or_default().trim_ascii())
    })
}

/// The header fields, those that are folded over several lines whole (RFC 3261 section 7.3.1).
struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let mut end = 0usize;
            loop {
                let Some(found) = self.rest.get(end..).unwrap_or_default().iter().position(|b| *b == b'\n') else {
                    end = self.rest.len();
                    break;
                };
                end = end.saturating_add(found).saturating_add(1);
                if !matches!(self.rest.get(end), Some(b' ' | b'\t')) {
                    break;
                }
            }
            let (line, rest) = self.rest.split_at_checked(end)?;
            self.rest = rest;
            if let Some(colon) = line.iter().position(|b| *b == b':') {
                let (name, value) = line.split_at_checked(colon)?;
                return Some((name.trim_ascii(), value.get(1..).unwrap_or_default().trim_ascii()));
            }
        }
        None
    }
}

/// Characters kept of one text.
const MAX_TEXT: usize = 256;

/// Bytes as printable text of bounded length, without an allocation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown<'a>(pub(super) &'a [u8]);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nearly all texts are short and plain.
        if self.0.len() <= MAX_TEXT
            && self.0.iter().all(|b| (0x20..0x7f).contains(b))
            && let Ok(text) = std::str::from_utf8(self.0)
        {
            return f.write_str(text);
        }
        let mut left = MAX_TEXT;
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars().filter(|c| !c.is_control()) {
                let Some(fewer) = left.checked_sub(1) else { return Ok(()) };
                left = fewer;
                f.write_char(c)?;
            }
            if !chunk.invalid().is_empty() {
                f.write_char(char::REPLACEMENT_CHARACTER)?;
            }
        }
        Ok(())
    }
}

/// Writes what is shown into a text that is used again.
pub(super) fn write(text: &mut String, shown: impl Display) {
    text.clear();
    // Writing to a string cannot fail.
    let _ = write!(text, "{shown}");
}
