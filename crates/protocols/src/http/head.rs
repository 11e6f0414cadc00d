//! The head of a message: start line and the header fields that matter (RFC 9112 sections 2 to 6).

/// The start line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Start<'a> {
    /// Method, target, version.
    Request { method: &'a str, target: &'a [u8], version: &'a str },
    /// Status and version.
    Response { status: u32, version: &'a str },
}

/// A head, its fields borrowed from it. Of a repeated field the first is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'a> {
    pub(crate) start: Start<'a>,
    pub(crate) host: &'a [u8],
    pub(crate) user_agent: &'a [u8],
    pub(crate) server: &'a [u8],
    pub(crate) date: &'a [u8],
    /// The response came out of a cache: its date is not the server's clock.
    pub(crate) aged: bool,
    pub(crate) content_length: Option<u64>,
    /// Content-Length is not a number, or two of them differ.
    pub(crate) bad_length: bool,
    pub(crate) chunked: bool,
    pub(crate) content_type: &'a [u8],
    pub(crate) content_encoding: &'a [u8],
    pub(crate) authorization: &'a [u8],
    pub(crate) proxy_authorization: &'a [u8],
    /// Challenge for NTLM and Negotiate: the one that carries a token.
    pub(crate) challenge: &'a [u8],
    /// A key or token in a header field of its own.
    pub(crate) api_key: bool,
    pub(crate) location: &'a [u8],
    pub(crate) set_cookie: bool,
    pub(crate) upgrade: &'a [u8],
}

/// The offset behind the blank line that ends a head; `from` bytes are known to hold none.
pub(crate) fn end(bytes: &[u8], from: usize) -> Option<usize> {
    // The line end before `from` may belong to the blank line.
    let mut at = from.saturating_sub(3);
    loop {
        let found = bytes.get(at..)?.iter().position(|b| *b == b'\n')?;
        at += found + 1;
        match bytes.get(at..)? {
            [b'\n', ..] => return Some(at + 1),
            [b'\r', b'\n', ..] => return Some(at + 2),
            _ => {}
        }
    }
}

/// Whether a head may start so: a method, which is in capitals, and a blank, or a status line.
pub(crate) fn may_start(bytes: &[u8]) -> bool {
    let is_method = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    let token = bytes.iter().position(|b| !is_method(b)).unwrap_or(bytes.len());
    match bytes.get(token) {
        None => token <= MAX_METHOD,
        Some(b' ') => (1..=MAX_METHOD).contains(&token),
        Some(b'/') => bytes.starts_with(b"HTTP/"),
        _ => false,
    }
}

/// Longest method taken for one; `UPDATEREDIRECTREF` is the longest registered.
const MAX_METHOD: usize = 24;

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'!' | b'#' | b'$' | b'*' | b'.')
}

/// Reads a status line: `HTTP/1.1 200 OK`. NTRIP casters answer `ICY 200 OK` and `SOURCETABLE 200 OK` (RTCM 10410.0).
fn status_line(line: &str) -> Option<Start<'_>> {
    let (version, rest) = line.split_once(' ')?;
    if !version.starts_with("HTTP/") && version != "ICY" && version != "SOURCETABLE" {
        return None;
    }
    let status = rest.trim_start().get(..3)?;
    if !status.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(Start::Response { status: status.parse().ok()?, version })
}

fn request_line(line: &[u8]) -> Option<Start<'_>> {
    let method_end = line.iter().position(|b| *b == b' ')?;
    let (method, rest) = line.split_at_checked(method_end)?;
    let rest = rest.trim_ascii();
    let version_start = rest.iter().rposition(|b| *b == b' ')?;
    let (target, version) = rest.split_at_checked(version_start)?;
    let version = std::str::from_utf8(version.trim_ascii()).ok()?;
    if !version.starts_with("HTTP/") || method.is_empty() || !method.iter().copied().all(is_token) {
        return None;
    }
    Some(Start::Request { method: std::str::from_utf8(method).ok()?, target: target.trim_ascii(), version })
}

impl<'a> Head<'a> {
    /// Reads a head; `None` if its first line is neither request nor status line.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Head<'a>> {
        let mut lines = bytes.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let first = lines.next()?;
        let status = first.get(..first.len().min(64)).and_then(|line| {
            // The reason phrase may be of any encoding.
            std::str::from_utf8(line).ok().or_else(|| std::str::from_utf8(line.get(..12)?).ok()).and_then(status_line)
        });
        let start = status.or_else(|| request_line(first))?;
        let mut head = Head {
            start,
            host: b"",
            user_agent: b"",
            server: b"",
            date: b"",
            aged: false,
            content_length: None,
            bad_length: false,
            chunked: false,
            content_type: b"",
            content_encoding: b"",
            authorization: b"",
            proxy_authorization: b"",
            challenge: b"",
            api_key: false,
            location: b"",
            set_cookie: false,
            upgrade: b"",
        };
        for line in lines {
            let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
            let Some((name, value)) = line.split_at_checked(colon) else { continue };
            head.field(name, value.get(1..).unwrap_or_default().trim_ascii());
        }
        Some(head)
    }

    /// The Host field; without one, the authority of the target.
    pub(super) fn host_of(&self, target: &'a [u8]) -> &'a [u8] {
        if !self.host.is_empty() {
            return self.host;
        }
        let Some(rest) = target.strip_prefix(b"http://") else { return b"" };
        let authority = rest.split(|b| *b == b'/').next().unwrap_or_default();
        authority.rsplit(|b| *b == b'@').next().unwrap_or_default()
    }

    fn field(&mut self, name: &[u8], value: &'a [u8]) {
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted.as_bytes());
        let keep = |slot: &mut &'a [u8]| {
            if slot.is_empty() {
                *slot = value;
            }
        };
        // By length first: most fields of a message are of no interest.
        match name.len() {
            3 if is("age") => self.aged = true,
            4 if is("host") => keep(&mut self.host),
            4 if is("date") => keep(&mut self.date),
            6 if is("server") => keep(&mut self.server),
            6 if is("apikey") => self.api_key = true,
            7 if is("upgrade") => keep(&mut self.upgrade),
            7 if is("api-key") => self.api_key = true,
            8 if is("location") => keep(&mut self.location),
            9 if is("x-api-key") => self.api_key = true,
            10 if is("user-agent") => keep(&mut self.user_agent),
            10 if is("set-cookie") => self.set_cookie = true,
            12 if is("content-type") => keep(&mut self.content_type),
            12 if is("x-auth-token") => self.api_key = true,
            13 if is("authorization") => keep(&mut self.authorization),
            14 if is("content-length") => self.length(value),
            14 if is("x-access-token") => self.api_key = true,
            16 if is("content-encoding") => keep(&mut self.content_encoding),
            16 if is("www-authenticate") => self.challenge(value),
            17 if is("transfer-encoding") => self.chunked = self.chunked || last_is_chunked(value),
            18 if is("proxy-authenticate") => self.challenge(value),
            19 if is("proxy-authorization") => keep(&mut self.proxy_authorization),
            _ => {}
        }
    }

    fn length(&mut self, value: &[u8]) {
        let number = std::str::from_utf8(value)
            .ok()
            .filter(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|text| text.parse().ok());
        if number.is_none() || self.content_length.is_some_and(|known| Some(known) != number) {
            self.bad_length = true;
        }
        self.content_length = self.content_length.or(number);
    }

    /// Of several challenges the one that carries an NTLM or Negotiate token is kept, else the first.
    fn challenge(&mut self, value: &'a [u8]) {
        let carries_token = |value: &[u8]| {
            let scheme = value.split(|b| *b == b' ').next().unwrap_or_default();
            (scheme.eq_ignore_ascii_case(b"ntlm") || scheme.eq_ignore_ascii_case(b"negotiate"))
                && value.len() > scheme.len()
        };
        if self.challenge.is_empty() || (carries_token(value) && !carries_token(self.challenge)) {
            self.challenge = value;
        }
    }
}

fn last_is_chunked(value: &[u8]) -> bool {
    value.rsplit(|b| *b == b',').next().is_some_and(|last| last.trim_ascii().eq_ignore_ascii_case(b"chunked"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_found_however_lines_end() {
        assert_eq!(end(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nbody", 0), Some(27));
        assert_eq!(end(b"GET / HTTP/1.1\nHost: a\n\nbody", 0), Some(24));
        assert_eq!(end(b"GET / HTTP/1.1\r\n\r\n", 16), Some(18));
        assert_eq!(end(b"GET / HTTP/1.1\r\n\r", 0), None);
    }

    #[test]
    fn heads_are_read() {
        let head = Head::parse(b"GET /a b HTTP/1.1\r\nHOST: crane \r\nContent-Length: 5\r\n\r\n").unwrap();
        assert_eq!(head.start, Start::Request { method: "GET", target: b"/a b", version: "HTTP/1.1" });
        assert_eq!((head.host, head.content_length, head.bad_length), (&b"crane"[..], Some(5), false));
        let head = Head::parse(b"HTTP/1.0 404 Nicht gef\xfcnden\r\nTransfer-Encoding: gzip, chunked\r\n\r\n").unwrap();
        assert_eq!(head.start, Start::Response { status: 404, version: "HTTP/1.0" });
        assert!(head.chunked);
        assert!(Head::parse(b"OPTIONS rtsp://a RTSP/1.0\r\n\r\n").is_none());
        assert!(Head::parse(b"").is_none());
    }

    #[test]
    fn two_lengths_that_differ_are_bad() {
        let head = Head::parse(b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n").unwrap();
        assert!(head.bad_length);
    }
}
