//! Logins within PPP (RFC 1661): PAP (RFC 1334) and CHAP (RFC 1994), where no encryption is around the tunnel.

use quaywatch_model::{At, Credential, Direction, Mark, Observation, Outcome, Session, Sink, Weakness};

use crate::bytes::{Cursor, device_text};
use crate::claims::Claims;
use crate::login::{Ends, Secret};
use crate::pairing::Pairing;

/// Logins that may wait for their outcome.
const MAX_WAITING: usize = 16;

const PAP: u16 = 0xc023;
const CHAP: u16 = 0xc223;

/// A login waiting for its outcome.
struct Login {
    at: At,
    ends: Ends,
    user: String,
    method: &'static str,
    secret: Option<Secret>,
    scheme: Option<&'static str>,
}

/// The logins of a flow.
pub(super) struct Logins {
    waiting: Pairing<(u16, Direction, u8), Login>,
}

impl Default for Logins {
    fn default() -> Self {
        Logins { waiting: Pairing::new(MAX_WAITING) }
    }
}

/// Protocol number and content of a frame, with or without address and control and with a compressed number.
pub(super) fn frame(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let bytes = bytes.strip_prefix(&[0xff, 3]).unwrap_or(bytes);
    match bytes {
        [low, rest @ ..] if low & 1 == 1 => Some((u16::from(*low), rest)),
        [high, low, rest @ ..] if low & 1 == 1 => Some((u16::from_be_bytes([*high, *low]), rest)),
        _ => None,
    }
}

/// How much of a frame of this protocol number is understood.
pub(super) const fn mark(protocol: u16) -> Option<Mark> {
    match protocol {
        // Network control and link control protocols.
        0x8000..=0xffff => None,
        0x00fd | 0x0053 => Some(Mark::Opaque("compressed or encrypted")),
        _ => Some(Mark::Undecoded("traffic inside l2tp")),
    }
}

impl Logins {
    /// Takes a frame that `ends.client` sent in `direction`.
    pub(super) fn take(
        &mut self,
        (protocol, packet): (u16, &[u8]),
        direction: Direction,
        (at, ends): (At, Ends),
        claims: &mut Claims,
        out: &mut dyn Sink,
    ) {
        let [code, id, high, low, ..] = packet else { return };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some(body) = packet.get(4..length.min(packet.len())) else { return };
        let login = match (protocol, code) {
            (PAP, 1) => pap(body, at, ends),
            (CHAP, 2) => chap(body, at, ends),
            (PAP, 2 | 3) | (CHAP, 3 | 4) => {
                let accepted = matches!((protocol, code), (PAP, 2) | (CHAP, 3));
                let outcome = if accepted { Outcome::Success } else { Outcome::Failure };
                if let Some(login) = self.waiting.answer(&(protocol, direction.reverse(), *id)) {
                    tell(&login, outcome, claims, out);
                }
                return;
            }
            _ => return,
        };
        // Of a repeated request the last one is answered.
        let Some(login) = login else { return };
        let repeated = self.waiting.answer(&(protocol, direction, *id));
        drop(repeated);
        if let Some(lost) = self.waiting.ask((protocol, direction, *id), login) {
            tell(&lost, Outcome::Unknown, claims, out);
        }
    }

    /// No outcomes come any more.
    pub(super) fn settle(&mut self, claims: &mut Claims, out: &mut dyn Sink) {
        while let Some(login) = self.waiting.oldest() {
            tell(&login, Outcome::Unknown, claims, out);
        }
    }
}

/// Peer id and password, each with its length (RFC 1334 section 2.2.1).
fn pap(body: &[u8], at: At, ends: Ends) -> Option<Login> {
    let mut cursor = Cursor::new(body);
    let length = usize::from(cursor.u8()?);
    let user = device_text(cursor.take(length)?).unwrap_or_default();
    let length = usize::from(cursor.u8()?);
    let secret = Some(Secret::examine(&user, cursor.take(length)?));
    Some(Login { at, ends, user, method: "pap", secret, scheme: None })
}

/// The response's value, then the name (RFC 1994 section 4.1). MS-CHAP's value has 49 bytes (RFC 2433 section 4).
fn chap(body: &[u8], at: At, ends: Ends) -> Option<Login> {
    let mut cursor = Cursor::new(body);
    let length = usize::from(cursor.u8()?);
    cursor.skip(length)?;
    let user = device_text(cursor.rest()).unwrap_or_default();
    let (method, rule) = match length {
        49 => ("ms-chap", "MS-CHAP response"),
        _ => ("chap", "challenge-response with MD5"),
    };
    Some(Login { at, ends, user, method, secret: None, scheme: Some(rule) })
}

fn tell(login: &Login, outcome: Outcome, claims: &mut Claims, out: &mut dyn Sink) {
    let Login { at, ends, user, method, secret, scheme } = login;
    let Ends { client, server, protocol } = *ends;
    let row = Session {
        client,
        server,
        protocol,
        version: "",
        user,
        method,
        outcome,
        client_software: "",
        server_software: "",
        encrypted: false,
        detail: "",
    };
    out.emit(*at, Observation::Session(row));
    if let Some(secret) = secret {
        secret.report(claims, out, *at, *ends, user, outcome);
    }
    if let Some(rule) = scheme {
        let row = Credential { client, server, protocol, account: user, weakness: Weakness::WeakScheme, rule };
        claims.credential(out, *at, row);
    }
}
