//! POP3 (RFC 1939) with SASL logins (RFC 5034) and STLS (RFC 2595).

use std::collections::VecDeque;

use quaywatch_model::{Direction, Outcome, Sink, Weakness};
use quaywatch_wire::Pdu;

use super::sasl;
use super::talk::{Dialect, Talk, mechanism, verb};
use crate::login::Secret;
use crate::{Probe, ProtocolMeta};

/// Commands that may wait for their replies (RFC 2449 section 6.6).
const MAX_WAITING: usize = 64;

const COMMANDS: &[&str] = &[
    "USER", "PASS", "APOP", "AUTH", "STLS", "CAPA", "STAT", "LIST", "RETR", "DELE", "NOOP", "RSET", "QUIT", "TOP",
    "UIDL", "UTF8", "LANG", "XTND",
];

/// Where one connection is.
#[derive(Default)]
pub(super) struct Pop3 {
    /// Commands, and whether the reply has several lines if it is positive.
    waiting: VecDeque<(&'static str, bool)>,
    /// Lines of a reply come until a dot stands alone; whether they are capabilities.
    several: Option<bool>,
}

/// The first bytes of a connection; `+OK` greets in other protocols too.
pub(super) fn probe(bytes: &[u8], usual: bool) -> Probe {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let whole = line.len() < bytes.len();
    let line = line.trim_ascii_end();
    if let Some(text) = line.strip_prefix(b"+OK") {
        let pop = stamp(text).is_some() || String::from_utf8_lossy(text).to_ascii_uppercase().contains("POP3");
        return match pop || usual && whole {
            true => Probe::YesFromServer,
            false => Probe::Unsure,
        };
    }
    if line.starts_with(b"-ERR") {
        return if usual && whole { Probe::YesFromServer } else { Probe::Unsure };
    }
    let (word, argument) = verb(line);
    match word.as_str() {
        "CAPA" | "STLS" if whole && argument.is_empty() => Probe::Yes,
        "APOP" if whole && argument.contains(&b' ') => Probe::Yes,
        known if usual && whole && COMMANDS.contains(&known) => Probe::Yes,
        _ => Probe::No,
    }
}

impl Dialect for Pop3 {
    const META: &'static ProtocolMeta = &super::POP3_META;

    fn client(&mut self, line: &[u8], talk: &mut Talk, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if talk.in_exchange(line, out) {
            return talk.response(line, pdu, out);
        }
        let (word, argument) = verb(line);
        let Some(verb) = COMMANDS.iter().copied().find(|known| *known == word) else {
            if !line.is_empty() {
                talk.unknown("pop3_command_unknown", pdu, out);
            }
            return;
        };
        match verb {
            "USER" => talk.begin_login("password", pdu.at, out).user = sasl::name(argument),
            "PASS" => {
                if talk.login().is_none() {
                    talk.begin_login("password", pdu.at, out);
                }
                if let Some(login) = talk.login() {
                    login.secret = Some(Secret::examine(&login.user, argument));
                }
            }
            "APOP" => {
                let login = talk.begin_login("apop", pdu.at, out);
                login.user = sasl::name(argument.split(|byte| *byte == b' ').next().unwrap_or_default());
                login.scheme = Some((Weakness::WeakScheme, "challenge-response with MD5"));
            }
            "AUTH" if !argument.is_empty() => {
                let (name, initial) = mechanism(argument);
                talk.begin_exchange(name, initial, pdu, out);
            }
            _ => {}
        }
        let several = match verb {
            "CAPA" | "RETR" | "TOP" => true,
            "LIST" | "UIDL" | "AUTH" | "LANG" => argument.is_empty(),
            _ => false,
        };
        if self.waiting.len() < MAX_WAITING {
            self.waiting.push_back((verb, several));
        }
    }

    fn server(&mut self, line: &[u8], talk: &mut Talk, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if let Some(capabilities) = self.several {
            match line {
                b"." => self.several = None,
                line if capabilities => capability(line, talk, pdu, out),
                _ => {}
            }
            return;
        }
        let accepted = match line {
            [b'+', b'O', b'K', ..] => true,
            [b'-', b'E', b'R', b'R', ..] => false,
            [b'+', rest @ ..] if talk.exchange.is_some() => return talk.challenge(rest.trim_ascii(), pdu, out),
            _ => return talk.unknown("pop3_reply_malformed", pdu, out),
        };
        let Some((verb, several)) = self.waiting.pop_front() else {
            let text = line.get(3..).unwrap_or_default().trim_ascii();
            if accepted {
                greeting(text, talk, pdu, out);
            }
            return;
        };
        match (verb, accepted) {
            ("PASS" | "APOP" | "AUTH", true) if !several => talk.end_login(Outcome::Success, out),
            ("USER" | "PASS" | "APOP" | "AUTH", false) => talk.end_login(Outcome::Failure, out),
            ("STLS", true) => talk.begin_tls(pdu),
            _ => {}
        }
        match verb {
            "RETR" | "TOP" if accepted => talk.server.begin_dotted(),
            _ if accepted && several => self.several = Some(verb == "CAPA"),
            _ => {}
        }
    }

    fn settle(&mut self, _over: bool, _: &mut Talk, _: &mut dyn Sink) {
        self.waiting.clear();
        self.several = None;
    }
}

/// The stamp of a greeting, `<process.clock@host>` (RFC 1939 section 7).
fn stamp(text: &[u8]) -> Option<&[u8]> {
    let start = text.iter().rposition(|byte| *byte == b'<')?;
    let inside = text.get(start.checked_add(1)?..)?.trim_ascii_end().strip_suffix(b">")?;
    (inside.contains(&b'@') && !inside.contains(&b' ')).then_some(inside)
}

/// The first reply; its stamp names the server.
fn greeting(text: &[u8], talk: &mut Talk, pdu: &Pdu<'_>, out: &mut dyn Sink) {
    if let Some(host) = stamp(text).and_then(|stamp| stamp.rsplit(|byte| *byte == b'@').next())
        && !talk.greeted
    {
        talk.host(&sasl::name(host), "pop3 greeting", Direction::FromServer, pdu, out);
    }
    talk.greeting(text, "pop3 greeting", pdu, out);
}

fn capability(line: &[u8], talk: &mut Talk, pdu: &Pdu<'_>, out: &mut dyn Sink) {
    let (word, argument) = verb(line);
    match word.as_str() {
        "STLS" => talk.fact("starttls_offered"),
        "IMPLEMENTATION" => talk.software(&sasl::name(argument), "pop3 capa implementation", pdu, out),
        "SASL" => {
            let mechanisms = String::from_utf8_lossy(argument).into_owned();
            talk.offers(mechanisms.split(' ').filter(|name| !name.is_empty()));
        }
        _ => {}
    }
}
