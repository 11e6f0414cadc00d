//! Logins and registrations (RFC 3261 sections 10 and 22), and keys that cross the wire readable.

use quaywatch_model::{At, Credential, Endpoint, Outcome, Session, Sink, Weakness};

use super::asked::Asked;
use super::message::Message;
use crate::claims::Claims;
use crate::detail::Detail;
use crate::http::auth::{self, Attempt, Credentials, Shown};
use crate::login::{Ends, forget};

/// The final answer, as far as logins need it.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Told<'a> {
    pub(super) status: Option<u32>,
    /// The proof was right once and is out of date (RFC 3261 section 22.4): that is no refusal of the account.
    pub(super) stale: bool,
    pub(super) realm: &'a str,
    pub(super) server_software: &'a str,
}

/// Reads the logins of a request into `attempts`.
pub(super) fn read(message: &Message<'_>, scratch: &mut Vec<u8>, attempts: &mut Vec<Attempt>) {
    for value in [message.authorization, message.proxy_authorization] {
        // A first request may name its account and prove nothing (3GPP TS 24.229).
        if value.is_empty() || value.windows(11).any(|w| w.eq_ignore_ascii_case(b"response=\"\"")) {
            continue;
        }
        match auth::read(value, scratch) {
            Some(Credentials::Attempt(attempt) | Credentials::NtlmAttempt(_, attempt)) => attempts.push(attempt),
            Some(Credentials::Ntlm(_)) | None => {}
        }
        forget(scratch);
    }
}

/// Whether a challenge says that the proof before it was only out of date.
pub(super) fn is_stale(challenge: &[u8]) -> bool {
    let marks = [&b"stale=true"[..], b"stale=\"true\""];
    marks.iter().any(|mark| challenge.windows(mark.len()).any(|w| w.eq_ignore_ascii_case(mark)))
}

/// How a login ended.
fn outcome(told: Told<'_>, registers: bool) -> Outcome {
    match told.status {
        Some(401 | 407) if told.stale => Outcome::Unknown,
        Some(401 | 407) => Outcome::Failure,
        // Registrars refuse an account so; of other requests it is the call that is not allowed.
        Some(403) if registers => Outcome::Failure,
        Some(200..=299) => Outcome::Success,
        _ => Outcome::Unknown,
    }
}

/// Tells logins; they repeat themselves with every request.
#[derive(Default)]
pub(super) struct Logins {
    detail: Detail,
}

impl Logins {
    /// The rows of a request that was answered, or will not be.
    pub(super) fn tell(&mut self, asked: &Asked, told: Told<'_>, at: At, claims: &mut Claims, out: &mut dyn Sink) {
        let (client, server, protocol) = (asked.client, asked.server, "sip");
        let ends = Ends { client, server, protocol };
        let outcome = outcome(told, asked.registers);
        for attempt in &asked.attempts {
            let realm = if attempt.realm.is_empty() { told.realm } else { &attempt.realm };
            self.session(asked, (&attempt.account, attempt.method, realm), outcome, told, at, claims, out);
            let account = attempt.account.as_str();
            let mut credential = |weakness, rule| {
                claims.credential(out, at, Credential { client, server, protocol, account, weakness, rule });
            };
            match attempt.shown {
                Shown::Secret(secret) => secret.report(claims, out, at, ends, account, outcome),
                Shown::Proof(weakness, rule) => credential(weakness, rule),
                Shown::Token(rule) => credential(Weakness::ClearText, rule),
                Shown::Anonymous => {}
            }
        }
        if asked.binds && asked.attempts.is_empty() && outcome == Outcome::Success {
            self.session(asked, (&asked.account, "", ""), outcome, told, at, claims, out);
            let (account, weakness, rule) = (asked.account.as_str(), Weakness::Anonymous, "registered without a login");
            claims.credential(out, at, Credential { client, server, protocol, account, weakness, rule });
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one row")]
    fn session(
        &mut self,
        asked: &Asked,
        (user, method, realm): (&str, &str, &str),
        outcome: Outcome,
        told: Told<'_>,
        at: At,
        claims: &mut Claims,
        out: &mut dyn Sink,
    ) {
        let detail = self.detail.begin().text("realm", realm).text("request", &asked.name).finish();
        let session = Session {
            client: asked.client,
            server: asked.server,
            protocol: "sip",
            version: "SIP/2.0",
            user,
            method,
            outcome,
            client_software: &asked.user_agent,
            server_software: told.server_software,
            encrypted: false,
            detail,
        };
        claims.session(out, at, session);
    }
}

/// Tells that the keys of media were readable (RFC 4568 section 7.3 asks for a protected message).
pub(super) fn key(client: Endpoint, server: Endpoint, at: At, claims: &mut Claims, out: &mut dyn Sink) {
    let rule = "media key in a session description sent unencrypted";
    let row = Credential { client, server, protocol: "sip", account: "", weakness: Weakness::ClearText, rule };
    claims.credential(out, at, row);
}
