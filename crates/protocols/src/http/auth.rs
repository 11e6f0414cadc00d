//! Credentials in header fields: Basic (RFC 7617), Digest (RFC 7616), Bearer (RFC 6750), NTLM and Negotiate ([MS-NTHT]).

use quaywatch_model::{Outcome, Weakness};

use super::base64;
use crate::login::{Secret, forget};
use crate::ntlm::{self, Message};

/// Characters kept of an account name or realm.
const MAX_NAME: usize = 256;

/// What a login showed that needs a credential row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shown {
    /// A readable secret.
    Secret(Secret),
    /// A readable key or token; it has no account.
    Token(&'static str),
    /// A proof that keeps the secret to itself, well or badly.
    Proof(Weakness, &'static str),
    /// An anonymous session, if it is accepted.
    Anonymous,
}

/// One attempt to log in, waiting for its answer.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) method: &'static str,
    pub(crate) account: String,
    pub(crate) realm: String,
    pub(crate) shown: Shown,
}

/// A header field read.
#[derive(Debug)]
pub(crate) enum Credentials {
    /// A login.
    Attempt(Attempt),
    /// An NTLM message that is not yet a login.
    Ntlm(Message),
    /// An NTLM login: the message tells of the client host too.
    NtlmAttempt(Message, Attempt),
}

/// Reads the value of Authorization or Proxy-Authorization. `None` if its scheme is not known or it is malformed.
pub(crate) fn read(value: &[u8], scratch: &mut Vec<u8>) -> Option<Credentials> {
    let blank = value.iter().position(|b| *b == b' ').unwrap_or(value.len());
    let (scheme, rest) = value.split_at_checked(blank)?;
    let rest = rest.trim_ascii();
    let is = |name: &str| scheme.eq_ignore_ascii_case(name.as_bytes());
    if is("basic") {
        basic(rest, scratch)
    } else if is("digest") {
        digest(rest)
    } else if is("bearer") || is("token") {
        let shown = Shown::Token("bearer token sent unencrypted");
        Some(attempt("bearer", String::new(), String::new(), shown))
    } else if is("ntlm") || is("negotiate") {
        negotiate(rest, scratch)
    } else if is("kerberos") {
        // WinRM's own name for a ticket without SPNEGO around it (MS-WSMV).
        Some(attempt("kerberos", String::new(), String::new(), Shown::Proof(Weakness::None, "kerberos ticket")))
    } else {
        None
    }
}

/// Reads a challenge that carries an NTLM message.
pub(crate) fn challenge(value: &[u8], scratch: &mut Vec<u8>) -> Option<Message> {
    let blank = value.iter().position(|b| *b == b' ')?;
    let (scheme, token) = value.split_at_checked(blank)?;
    if !scheme.eq_ignore_ascii_case(b"ntlm") && !scheme.eq_ignore_ascii_case(b"negotiate") {
        return None;
    }
    base64::decode(token.trim_ascii(), scratch).then(|| ntlm::find(scratch).and_then(ntlm::parse))?
}

/// The realm of a challenge.
pub(crate) fn realm(value: &[u8]) -> String {
    parameter(value, "realm").unwrap_or_default()
}

fn attempt(method: &'static str, account: String, realm: String, shown: Shown) -> Credentials {
    Credentials::Attempt(Attempt { method, account, realm, shown })
}

fn basic(token: &[u8], scratch: &mut Vec<u8>) -> Option<Credentials> {
    if !base64::decode(token, scratch) {
        return None;
    }
    let colon = scratch.iter().position(|b| *b == b':');
    let read = colon.map(|colon| {
        let (account, secret) = scratch.split_at_checked(colon).unwrap_or_default();
        let account = name(account);
        let secret = Secret::examine(&account, secret.get(1..).unwrap_or_default());
        attempt("basic", account, String::new(), Shown::Secret(secret))
    });
    forget(scratch);
    read
}

fn digest(parameters: &[u8]) -> Option<Credentials> {
    let account = parameter(parameters, "username")?;
    let algorithm = parameter(parameters, "algorithm").unwrap_or_default();
    let shown = if algorithm.is_empty() || algorithm.to_ascii_lowercase().starts_with("md5") {
        Shown::Proof(Weakness::WeakScheme, "digest with MD5")
    } else {
        Shown::Proof(Weakness::None, "digest")
    };
    Some(attempt("digest", account, realm(parameters), shown))
}

fn negotiate(token: &[u8], scratch: &mut Vec<u8>) -> Option<Credentials> {
    if !base64::decode(token, scratch) {
        return None;
    }
    let Some(bytes) = ntlm::find(scratch) else {
        // SPNEGO with a Kerberos ticket: the account is inside it, encrypted.
        let shown = Shown::Proof(Weakness::None, "kerberos ticket");
        return Some(attempt("negotiate", String::new(), String::new(), shown));
    };
    let message = ntlm::parse(bytes)?;
    let Message::Authenticate(authenticate) = &message else { return Some(Credentials::Ntlm(message)) };
    let shown = match authenticate.scheme {
        ntlm::Scheme::Anonymous => Shown::Anonymous,
        scheme if scheme.is_weak() => Shown::Proof(Weakness::WeakScheme, "NTLM version 1 or LAN Manager response"),
        _ => Shown::Proof(Weakness::None, "NTLM version 2 response"),
    };
    let account = authenticate.account();
    let attempt = Attempt { method: authenticate.scheme.method(), account, realm: String::new(), shown };
    Some(Credentials::NtlmAttempt(message, attempt))
}

/// How an attempt ended, by the status of the answer: 401 and 407 refuse, what was served was allowed.
pub(crate) fn outcome(status: u32) -> Outcome {
    match status {
        401 | 407 => Outcome::Failure,
        100..=399 => Outcome::Success,
        _ => Outcome::Unknown,
    }
}

/// The value of a parameter, unquoted.
fn parameter(parameters: &[u8], wanted: &str) -> Option<String> {
    let mut rest = parameters;
    loop {
        let equals = rest.iter().position(|b| *b == b'=')?;
        let (before, after) = rest.split_at_checked(equals)?;
        let key = before.rsplit(|b| matches!(b, b' ' | b',' | b'\t')).next().unwrap_or_default();
        let after = after.get(1..)?.trim_ascii_start();
        let (value, tail) = match after.strip_prefix(b"\"") {
            Some(quoted) => {
                let end = quoted.iter().position(|b| *b == b'"').unwrap_or(quoted.len());
                (quoted.get(..end)?, quoted.get(end + 1..).unwrap_or_default())
            }
            None => {
                let end = after.iter().position(|b| matches!(b, b',' | b' ')).unwrap_or(after.len());
                after.split_at_checked(end)?
            }
        };
        if key.eq_ignore_ascii_case(wanted.as_bytes()) {
            return Some(name(value));
        }
        rest = tail;
    }
}

fn name(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().filter(|c| !c.is_control()).take(MAX_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt_of(value: &str) -> Attempt {
        match read(value.as_bytes(), &mut Vec::new()) {
            Some(Credentials::Attempt(attempt) | Credentials::NtlmAttempt(_, attempt)) => attempt,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn basic_is_looked_at_and_forgotten() {
        // RFC 7617 section 2.
        let mut scratch = Vec::new();
        let Some(Credentials::Attempt(attempt)) = read(b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", &mut scratch) else {
            panic!()
        };
        assert_eq!((attempt.method, attempt.account.as_str()), ("basic", "Aladdin"));
        assert_eq!(attempt.shown, Shown::Secret(Secret::Readable));
        assert!(scratch.is_empty());
        // admin:admin and admin without secret.
        assert_eq!(attempt_of("basic YWRtaW46YWRtaW4=").shown, Shown::Secret(Secret::Default));
        assert_eq!(attempt_of("Basic YWRtaW46").shown, Shown::Secret(Secret::Empty));
    }

    #[test]
    fn digest_tells_its_algorithm() {
        // RFC 7616 section 3.9.1, shortened.
        let attempt =
            attempt_of(r#"Digest username="Mufasa", realm="http-auth@example.org", uri="/x", algorithm=SHA-256"#);
        assert_eq!((attempt.account.as_str(), attempt.realm.as_str()), ("Mufasa", "http-auth@example.org"));
        assert_eq!(attempt.shown, Shown::Proof(Weakness::None, "digest"));
        let attempt = attempt_of(r#"Digest realm="a, b=c", username="Mufasa""#);
        assert_eq!(attempt.realm, "a, b=c");
        assert!(matches!(attempt.shown, Shown::Proof(Weakness::WeakScheme, _)));
    }

    #[test]
    fn what_is_no_login_is_none() {
        for value in ["", "Basic", "Basic !!!", "Digest", "Unknown abc", "Digest realm=x", "NTLM TlRMTVNTUAAJ"] {
            assert!(read(value.as_bytes(), &mut Vec::new()).is_none(), "{value}");
        }
    }
}
