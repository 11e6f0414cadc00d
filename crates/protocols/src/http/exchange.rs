//! A request waiting for its answer, and the rows that the two make.

use quaywatch_model::{
    Address, At, Attribute, Clock, Credential, Identity, Name, NameKind, Observation, Outcome, Request, Service,
    Session, Sink, Transport, Weakness,
};

use super::auth::{self, Attempt, Shown};
use super::date;
use super::head::Head;
use super::onvif::{self, Call};
use super::terminal;
use super::winrm::{self, Undecided};
use crate::claims::Claims;
use crate::detail::Detail;
use crate::login::Ends;

/// Characters kept of a header field that is shown.
const MAX_SHOWN: usize = 256;
/// Bytes of the cause of a rejected form login that a redirect is searched for.
const REFUSING: &[&str] = &["login", "logon", "signin", "error", "fail", "denied", "invalid"];

/// A request. Its strings are used again by later ones.
#[derive(Default, Debug)]
pub(super) struct Exchange {
    pub(super) at: At,
    pub(super) serial: u64,
    pub(super) method: String,
    pub(super) host: String,
    pub(super) uri: String,
    pub(super) user_agent: String,
    pub(super) version: String,
    /// Its content is encrypted by the keys of a login.
    pub(super) encrypted: bool,
    /// It has content.
    pub(super) has_content: bool,
    /// At most one by header field, and one by form, query or document.
    pub(super) attempts: Vec<Attempt>,
    /// The command of ONVIF that it is.
    pub(super) call: Call,
    /// What is asked of a terminal operating system.
    pub(super) terminal: Option<Box<terminal::Call>>,
}

/// The answer to an exchange, as far as rows need it.
#[derive(Clone, Copy, Default)]
pub(super) struct Answer<'a> {
    pub(super) status: Option<u32>,
    pub(super) server_software: &'a str,
    pub(super) location: &'a [u8],
    pub(super) set_cookie: bool,
    pub(super) realm: &'a str,
    /// Place of its last byte, and its document: for commands of ONVIF.
    pub(super) at: Option<At>,
    pub(super) document: &'a [u8],
    /// It says in its document that the login was not accepted.
    pub(super) refused: bool,
}

/// What says rows for one flow.
#[derive(Default)]
pub(super) struct Speaker {
    pub(super) claims: Claims,
    pub(super) detail: Detail,
    undecided: Option<Undecided>,
}

/// Text of a header field: printable, limited.
pub(super) fn push_shown(shown: &mut String, bytes: &[u8]) {
    shown.clear();
    let bytes = bytes.get(..MAX_SHOWN).unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes);
    shown.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c }));
}

/// Host of a Host field or an authority, without port; `None` for an IP address, which names nothing.
fn host_name(host: &str) -> Option<&str> {
    if host.starts_with('[') {
        return None;
    }
    let name =
        host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(host, |(n, _)| n);
    let is_name = !name.is_empty()
        && name.parse::<std::net::IpAddr>().is_err()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
    is_name.then_some(name)
}

/// `Windows NT 6.1` out of a User-Agent.
fn platform(user_agent: &str) -> Option<&str> {
    let start = user_agent.find("Windows NT ")?;
    let rest = user_agent.get(start..)?;
    let end = rest.find([';', ')']).unwrap_or(rest.len());
    rest.get(..end.min(20))
}

impl Exchange {
    /// Without its old content, its strings kept.
    pub(super) fn cleared(mut self) -> Exchange {
        for text in [&mut self.method, &mut self.host, &mut self.uri, &mut self.user_agent] {
            text.clear();
        }
        self.attempts.clear();
        self.call.clear();
        self.terminal = None;
        (self.encrypted, self.has_content) = (false, false);
        self
    }
}

impl Speaker {
    /// What a request says of its client and of the host it asks for.
    pub(super) fn request(&mut self, exchange: &Exchange, proxied: bool, ends: Ends, out: &mut dyn Sink) {
        let at = exchange.at;
        let subject = ends.client.address;
        let user_agent = exchange.user_agent.as_str();
        let claim = |attribute, value, method| Identity { subject, attribute, value, method };
        self.claims.identity(out, at, claim(Attribute::Software, user_agent, "http user-agent"));
        if let Some(platform) = platform(user_agent) {
            self.claims.identity(out, at, claim(Attribute::Os, platform, "http user-agent platform"));
        }
        if let Some(name) = host_name(&exchange.host) {
            // A proxy is asked for hosts that it is not.
            let subject = if proxied { Address::None } else { ends.server.address };
            let name = name.to_ascii_lowercase();
            let asker = ends.client.address;
            self.claims.name(out, at, Name { subject, name: &name, kind: NameKind::HttpHost, asker });
        }
    }

    /// What an answer says of its server.
    pub(super) fn answer(
        &mut self,
        head: &Head<'_>,
        version: &str,
        software: &str,
        at: At,
        ends: Ends,
        out: &mut dyn Sink,
    ) {
        let server = ends.server;
        let claim = Service { server, transport: Transport::Tcp, protocol: ends.protocol, software, version };
        self.claims.service(out, at, claim);
        let subject = server.address;
        let claim = Identity { subject, attribute: Attribute::Software, value: software, method: "http server" };
        self.claims.identity(out, at, claim);
        if !head.aged
            && !head.date.is_empty()
            && let Some(device_time) = date::parse(head.date)
            && self.claims.first(("clock", subject))
        {
            let skew = device_time.since(at.ts);
            out.emit(at, Observation::Clock(Clock { subject, method: "http date", device_time, skew }));
        }
    }

    /// The rows of a request with its answer, or without one.
    pub(super) fn exchange(&mut self, exchange: &mut Exchange, answer: Answer<'_>, ends: Ends, out: &mut dyn Sink) {
        let Exchange { at, method, host, uri, user_agent, .. } = &*exchange;
        let row = Request {
            client: ends.client,
            server: ends.server,
            protocol: ends.protocol,
            method,
            host,
            uri,
            user_agent,
            status: answer.status,
        };
        out.emit(*at, Observation::Request(row));
        self.decide(exchange.encrypted, ends, out);
        let refused = exchange.call.is_some() && onvif::tell(exchange, answer, ends, &mut self.claims, out);
        let answer = Answer { refused, ..answer };
        let attempts = std::mem::take(&mut exchange.attempts);
        let accepted = |attempt: &Attempt| {
            matches!(attempt.shown, Shown::Proof(..)) && outcome_of(attempt, answer) == Outcome::Success
        };
        if ends.protocol == winrm::NAME && !exchange.has_content && attempts.iter().any(accepted) {
            let (status, server_software) = (answer.status, answer.server_software.to_owned());
            let exchange = Exchange { attempts, ..std::mem::take(exchange) };
            self.undecided = Some(Undecided { exchange, status, server_software });
            return;
        }
        for attempt in attempts {
            self.attempt(&attempt, exchange, answer, ends, out);
        }
    }

    /// Tells of a login that waited for the next request to show whether messages are encrypted.
    pub(super) fn decide(&mut self, encrypted: bool, ends: Ends, out: &mut dyn Sink) {
        let Some(Undecided { mut exchange, status, server_software }) = self.undecided.take() else { return };
        exchange.encrypted = encrypted;
        let answer = Answer { status, server_software: &server_software, ..Answer::default() };
        for attempt in std::mem::take(&mut exchange.attempts) {
            self.attempt(&attempt, &exchange, answer, ends, out);
        }
    }

    /// The rows of a login.
    pub(super) fn attempt(
        &mut self,
        attempt: &Attempt,
        exchange: &Exchange,
        answer: Answer<'_>,
        ends: Ends,
        out: &mut dyn Sink,
    ) {
        let at = exchange.at;
        let outcome = outcome_of(attempt, answer);
        let realm = if attempt.realm.is_empty() { answer.realm } else { &attempt.realm };
        let path = exchange.uri.split(['?', ';']).next().unwrap_or_default();
        let detail = self.detail.begin().text("realm", realm).text("path", path).finish();
        let session = Session {
            client: ends.client,
            server: ends.server,
            protocol: ends.protocol,
            version: &exchange.version,
            user: &attempt.account,
            method: attempt.method,
            outcome,
            client_software: &exchange.user_agent,
            server_software: answer.server_software,
            encrypted: exchange.encrypted,
            detail,
        };
        self.claims.session(out, at, session);
        let Ends { client, server, protocol } = ends;
        let mut credential = |weakness, rule| {
            let account = attempt.account.as_str();
            self.claims.credential(out, at, Credential { client, server, protocol, account, weakness, rule });
        };
        match attempt.shown {
            Shown::Secret(secret) => secret.report(&mut self.claims, out, at, ends, &attempt.account, outcome),
            Shown::Token(rule) => credential(Weakness::ClearText, rule),
            Shown::Proof(weakness, rule) => credential(weakness, rule),
            Shown::Anonymous if outcome == Outcome::Success => {
                credential(Weakness::Anonymous, "anonymous NTLM session")
            }
            Shown::Anonymous => {}
        }
    }
}

/// Logins by header field go by the status alone. A form that is answered with a page may have been refused on that
/// page; a redirect tells by where it leads.
fn outcome_of(attempt: &Attempt, answer: Answer<'_>) -> Outcome {
    let Some(status) = answer.status else { return Outcome::Unknown };
    if answer.refused {
        return Outcome::Failure;
    }
    if !matches!(attempt.method, "form" | "json" | "query") {
        return auth::outcome(status);
    }
    match status {
        400..=403 | 407 | 422 => Outcome::Failure,
        300..=399 => {
            let location = String::from_utf8_lossy(answer.location).to_ascii_lowercase();
            let refused = REFUSING.iter().any(|word| location.contains(word));
            if refused { Outcome::Failure } else { Outcome::Success }
        }
        200..=299 if answer.set_cookie => Outcome::Success,
        _ => Outcome::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_are_names() {
        assert_eq!(host_name("crane7.port.example:8080"), Some("crane7.port.example"));
        for host in ["10.0.0.2", "10.0.0.2:80", "[fe80::1]:80", "", "a b"] {
            assert_eq!(host_name(host), None, "{host}");
        }
    }

    #[test]
    fn platforms() {
        assert_eq!(platform("Mozilla/5.0 (Windows NT 6.3; WOW64)"), Some("Windows NT 6.3"));
        assert_eq!(platform("curl/7.81.0"), None);
    }
}
