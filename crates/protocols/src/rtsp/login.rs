//! Logins: those of HTTP (RFC 2326 section 14), and passwords written into addresses.

use quaywatch_model::Outcome;

use super::message::readable;
use crate::http::auth::{Attempt, Credentials, Shown, read};
use crate::login::Secret;

/// Reads an Authorization field.
pub(super) fn field(value: &[u8], scratch: &mut Vec<u8>) -> Option<Attempt> {
    match read(value, scratch)? {
        Credentials::Attempt(attempt) | Credentials::NtlmAttempt(_, attempt) => Some(attempt),
        Credentials::Ntlm(_) => None,
    }
}

/// Takes account and password out of an address `rtsp://account:password@host/`; returns the address without them.
pub(super) fn address(uri: &[u8]) -> (String, Option<Attempt>) {
    let Some(scheme) = uri.windows(3).position(|w| w == b"://").map(|at| at.saturating_add(3)) else {
        return (readable(uri), None);
    };
    let (front, rest) = uri.split_at_checked(scheme).unwrap_or_default();
    let authority = rest.iter().position(|b| *b == b'/').unwrap_or(rest.len());
    // A password may hold a slash, unescaped: better to lose a part of the path than to keep one of a password.
    let at = rest
        .iter()
        .rposition(|b| *b == b'@')
        .filter(|at| *at < authority || rest.get(..*at).is_some_and(|u| u.contains(&b':')));
    let Some(at) = at else { return (readable(uri), None) };
    let (user, host) = rest.split_at_checked(at).unwrap_or_default();
    let address = readable(front) + &readable(host.get(1..).unwrap_or_default());
    // Behind the first slash it may as well be a host with its port and a path with an `@`: that is no login to tell.
    (address, if at < authority { account_and_secret(user) } else { None })
}

fn account_and_secret(bytes: &[u8]) -> Option<Attempt> {
    let colon = bytes.iter().position(|b| *b == b':')?;
    let (account, secret) = bytes.split_at_checked(colon)?;
    let account = readable(account);
    let shown = Shown::Secret(Secret::examine(&account, secret.get(1..).unwrap_or_default()));
    Some(Attempt { method: "address", account, realm: String::new(), shown })
}

/// How an attempt ended (RFC 2326 section 11).
pub(super) const fn outcome(status: Option<u32>) -> Outcome {
    match status {
        Some(401 | 407) => Outcome::Failure,
        Some(200..=299) => Outcome::Success,
        _ => Outcome::Unknown,
    }
}
