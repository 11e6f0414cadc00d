//! Addresses: `"Cabin 7" <sip:107@pbx.port.example;transport=tcp>;tag=1` (RFC 3261 sections 19.1 and 20.10), without passwords.

use std::fmt::{self, Display};

use super::message::{Shown, number, parameter};
use crate::http::auth;
use crate::login::Secret;

/// A URI. A password in it is kept apart, to be looked at once and never shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Uri<'a> {
    scheme: &'a [u8],
    pub(super) user: &'a [u8],
    secret: Option<&'a [u8]>,
    /// Host with port, and parameters.
    rest: &'a [u8],
}

impl<'a> Uri<'a> {
    /// Takes a URI apart. What it asks a caller to put into header fields (`?subject=...`) is left out.
    pub(super) fn parse(uri: &'a [u8]) -> Self {
        let colon = uri.iter().position(|b| *b == b':').unwrap_or(0);
        let (scheme, rest) = uri.split_at_checked(colon).unwrap_or_default();
        let rest = rest.strip_prefix(b":").unwrap_or(rest);
        // A password may hold an `@`, unescaped: better to take a part of the parameters for one than to show one.
        let at = rest.iter().rposition(|b| *b == b'@');
        let (login, host) = at.and_then(|at| rest.split_at_checked(at)).unwrap_or((b"", rest));
        let host = host.strip_prefix(b"@").unwrap_or(host);
        let host = host.split(|b| *b == b'?').next().unwrap_or_default();
        let colon = login.iter().position(|b| *b == b':');
        let (user, secret) = match colon.and_then(|colon| login.split_at_checked(colon)) {
            Some((user, secret)) => (user, secret.get(1..)),
            None => (login, None),
        };
        Uri { scheme, user, secret, rest: host }
    }

    /// Host without port and parameters.
    pub(super) fn host(&self) -> &'a [u8] {
        let end = self.rest.iter().position(|b| matches!(b, b';' | b'>')).unwrap_or(self.rest.len());
        let host = self.rest.get(..end).unwrap_or_default();
        if let Some(bracketed) = host.strip_prefix(b"[") {
            return bracketed.split(|b| *b == b']').next().unwrap_or_default();
        }
        host.split(|b| *b == b':').next().unwrap_or_default()
    }

    /// The login that a password in the URI is.
    pub(super) fn login(&self) -> Option<auth::Attempt> {
        let secret = self.secret.filter(|secret| !self.user.is_empty() && !secret.contains(&b'@'))?;
        let account = Shown(self.user).to_string();
        let shown = auth::Shown::Secret(Secret::examine(&account, secret));
        Some(auth::Attempt { method: "address", account, realm: String::new(), shown })
    }

    /// `user@host`, which stands for the one who is called.
    pub(super) const fn person(self) -> Person<'a> {
        Person(self)
    }
}

impl Display for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.scheme.is_empty() {
            write!(f, "{}:", Shown(self.scheme))?;
        }
        if !self.user.is_empty() {
            write!(f, "{}@", Shown(self.user))?;
        }
        Shown(self.rest).fmt(f)
    }
}

/// The part of a URI that stays the same from call to call: no parameters, and of `sip:` and `sips:` no scheme.
#[derive(Clone, Copy, Debug)]
pub(super) struct Person<'a>(Uri<'a>);

impl Display for Person<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Uri { scheme, user, rest, .. } = self.0;
        let rest = rest.split(|b| *b == b';').next().unwrap_or_default();
        let ours = scheme.eq_ignore_ascii_case(b"sip") || scheme.eq_ignore_ascii_case(b"sips");
        Uri { scheme: if ours { b"" } else { scheme }, user, secret: None, rest }.fmt(f)
    }
}

/// The value of From, To or Contact; of several the first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Party<'a> {
    /// The name shown to people; may be empty.
    pub(super) name: &'a [u8],
    pub(super) uri: Uri<'a>,
    /// Seconds for which a registered address is to hold.
    pub(super) expires: Option<usize>,
}

impl<'a> Party<'a> {
    /// Takes an address apart; `None` for an empty one and for `*`.
    pub(super) fn parse(value: &'a [u8]) -> Option<Self> {
        let value = value.trim_ascii();
        if value.is_empty() || value == b"*" {
            return None;
        }
        let (name, value) = match value.strip_prefix(b"\"") {
            Some(quoted) => unquoted(quoted),
            None => (&b""[..], value),
        };
        let Some(open) = value.iter().position(|b| *b == b'<') else {
            // Without brackets parameters are the field's, not the URI's.
            let uri = value.split(|b| matches!(b, b';' | b',')).next().unwrap_or_default();
            return Some(Party { name, uri: Uri::parse(uri.trim_ascii()), expires: expires(value) });
        };
        let (before, rest) = value.split_at_checked(open)?;
        let rest = rest.get(1..)?;
        let close = rest.iter().position(|b| *b == b'>').unwrap_or(rest.len());
        let (uri, after) = rest.split_at_checked(close)?;
        let after = after.split(|b| *b == b',').next().unwrap_or_default();
        let name = if name.is_empty() { before.trim_ascii() } else { name };
        Some(Party { name, uri: Uri::parse(uri.trim_ascii()), expires: expires(after) })
    }
}

fn expires(parameters: &[u8]) -> Option<usize> {
    parameter(parameters, "expires").and_then(number)
}

/// The text up to its closing quote, and what follows it.
fn unquoted(quoted: &[u8]) -> (&[u8], &[u8]) {
    let mut escaped = false;
    let end = quoted.iter().position(|b| match b {
        _ if escaped => {
            escaped = false;
            false
        }
        b'\\' => {
            escaped = true;
            false
        }
        b => *b == b'"',
    });
    let end = end.unwrap_or(quoted.len());
    let (name, rest) = quoted.split_at_checked(end).unwrap_or_default();
    (name, rest.get(1..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &str) -> [String; 3] {
        let party = Party::parse(value.as_bytes()).unwrap();
        [Shown(party.name).to_string(), party.uri.person().to_string(), party.uri.to_string()]
    }

    #[test]
    fn forms_of_rfc_3261_are_read() {
        // Section 20.10, 20.20, 20.39 and 19.1.3.
        assert_eq!(
            shown(r#""Mr. Watson" <sip:watson@worcester.bell-telephone.com>;q=0.7; expires=3600, "x" <mailto:w@b>"#),
            ["Mr. Watson", "watson@worcester.bell-telephone.com", "sip:watson@worcester.bell-telephone.com"]
        );
        assert_eq!(shown(r#""A. G. Bell" <sip:agb@bell-telephone.com> ;tag=a48s"#)[0], "A. G. Bell");
        assert_eq!(shown("sip:+12125551212@server.phone2net.com;tag=887s")[2], "sip:+12125551212@server.phone2net.com");
        assert_eq!(shown("Anonymous <sip:c8oqz84zk7z@privacy.org>;tag=hyh8")[0], "Anonymous");
        assert_eq!(shown("<sip:alice;day=tuesday@atlanta.com>")[1], "alice;day=tuesday@atlanta.com");
        assert_eq!(
            shown("<sips:1212@gateway.com;transport=tcp?subject=x>")[1..],
            ["1212@gateway.com", "sips:1212@gateway.com;transport=tcp"]
        );
        assert_eq!(shown("<tel:+1-201-555-0123>")[1], "tel:+1-201-555-0123");
        assert_eq!(shown(r#""a \"b\" <c>" <sip:d@e>"#)[1], "d@e");
        assert_eq!(Party::parse(b"<sip:a@b>;expires=60").unwrap().expires, Some(60));
        assert!(Party::parse(b"*").is_none() && Party::parse(b" ").is_none());
    }

    #[test]
    fn hosts_are_found() {
        for (uri, host) in
            [("sip:a@10.0.0.1:5062;x", "10.0.0.1"), ("sip:[2001:db8::9:1]:5060", "2001:db8::9:1"), ("sip:pbx", "pbx")]
        {
            assert_eq!(Uri::parse(uri.as_bytes()).host(), host.as_bytes(), "{uri}");
        }
    }

    #[test]
    fn passwords_are_never_shown() {
        // Section 19.1.3 has the first as its example.
        for uri in ["sip:alice:secretword@atlanta.com;transport=tcp", "sip:alice:secret@word@atlanta.com"] {
            let uri = Uri::parse(uri.as_bytes());
            assert!(!format!("{uri} {}", uri.person()).contains("word"), "{uri}");
        }
        let login = Uri::parse(b"sip:admin:admin@pbx").login().unwrap();
        assert_eq!((login.account.as_str(), login.shown), ("admin", auth::Shown::Secret(Secret::Default)));
        assert!(Uri::parse(b"sip:pbx:5060").login().is_none());
    }
}
