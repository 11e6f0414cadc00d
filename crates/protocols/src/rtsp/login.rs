//! Logins: Basic and Digest (RFC 2326 section 14), and passwords written into addresses.

use quaywatch_model::{Outcome, Weakness};

use super::message::readable;
use crate::login::{Secret, forget};

/// What was shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shown {
    Secret(Secret),
    Proof(Weakness, &'static str),
}

/// A login that waits for its answer.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) method: &'static str,
    pub(super) account: String,
    pub(super) shown: Shown,
}

/// Reads an Authorization field.
pub(super) fn read(value: &[u8], scratch: &mut Vec<u8>) -> Option<Attempt> {
    let blank = value.iter().position(|b| *b == b' ')?;
    let (scheme, rest) = value.split_at_checked(blank)?;
    if scheme.eq_ignore_ascii_case(b"basic") {
        decode(rest.trim_ascii(), scratch);
        let read = account_and_secret("basic", scratch);
        forget(scratch);
        return read;
    }
    if !scheme.eq_ignore_ascii_case(b"digest") {
        return None;
    }
    let account = quoted(rest, b"username=")?;
    let algorithm = quoted(rest, b"algorithm=").unwrap_or_default().to_ascii_lowercase();
    let shown = if algorithm.is_empty() || algorithm.starts_with("md5") {
        Shown::Proof(Weakness::WeakScheme, "digest with MD5")
    } else {
        Shown::Proof(Weakness::None, "digest")
    };
    Some(Attempt { method: "digest", account, shown })
}

fn account_and_secret(method: &'static str, bytes: &[u8]) -> Option<Attempt> {
    let colon = bytes.iter().position(|b| *b == b':')?;
    let (account, secret) = bytes.split_at_checked(colon)?;
    let account = readable(account);
    let shown = Shown::Secret(Secret::examine(&account, secret.get(1..).unwrap_or_default()));
    Some(Attempt { method, account, shown })
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
    (address, account_and_secret("address", user))
}

/// The value of a parameter, unquoted.
fn quoted(parameters: &[u8], key: &[u8]) -> Option<String> {
    let at = parameters.windows(key.len()).position(|w| w.eq_ignore_ascii_case(key))?.saturating_add(key.len());
    let value = parameters.get(at..)?;
    let (value, stop): (&[u8], &[u8]) =
        value.strip_prefix(b"\"").map_or((value, b", ".as_slice()), |inner| (inner, b"\"".as_slice()));
    let end = value.iter().position(|b| stop.contains(b)).unwrap_or(value.len());
    value.get(..end).map(readable)
}

/// Base64 (RFC 4648 section 4) as far as it goes.
fn decode(text: &[u8], into: &mut Vec<u8>) {
    into.clear();
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte.wrapping_sub(b'A'),
            b'a'..=b'z' => byte.wrapping_sub(b'a').wrapping_add(26),
            b'0'..=b'9' => byte.wrapping_sub(b'0').wrapping_add(52),
            b'+' => 62,
            b'/' => 63,
            _ => break,
        };
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        held = held.wrapping_add(6);
        if held >= 8 {
            held = held.wrapping_sub(8);
            into.extend(u8::try_from((bits >> held) & 0xff));
        }
    }
}

/// How an attempt ended (RFC 2326 section 11).
pub(super) const fn outcome(status: Option<u32>) -> Outcome {
    match status {
        Some(401 | 407) => Outcome::Failure,
        Some(200..=299) => Outcome::Success,
        _ => Outcome::Unknown,
    }
}
