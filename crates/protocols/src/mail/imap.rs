//! IMAP (RFC 9051, RFC 3501).

use std::collections::VecDeque;

use quaywatch_model::{Outcome, Sink};
use quaywatch_wire::Pdu;

use super::mime::Message;
use super::sasl;
use super::talk::{Dialect, Talk, mechanism, verb};
use crate::login::{Secret, forget};
use crate::{Probe, ProtocolMeta};

/// Tagged commands that matter and may wait for their replies.
const MAX_WAITING: usize = 16;
/// Fields of an ID list looked at (RFC 2971 section 3.3).
const MAX_FIELDS: usize = 30;
/// Longest tag.
const MAX_TAG: usize = 32;

/// What a tagged command leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Awaited {
    Login,
    Tls,
    Literal,
}

/// Where one connection is.
#[derive(Default)]
pub(super) struct Imap {
    waiting: VecDeque<(Vec<u8>, Awaited)>,
    /// A LOGIN whose arguments come as literals: what of it was said.
    partial: Vec<u8>,
}

/// The first bytes of a connection.
pub(super) fn probe(bytes: &[u8], usual: bool) -> Probe {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let whole = line.len() < bytes.len();
    let line = line.trim_ascii_end();
    if line.starts_with(b"* OK") || line.starts_with(b"* PREAUTH") || line.starts_with(b"* BYE") {
        let upper = String::from_utf8_lossy(line).to_ascii_uppercase();
        let told = upper.contains("IMAP") || upper.contains("[CAPABILITY");
        return if told || usual && whole { Probe::YesFromServer } else { Probe::Unsure };
    }
    if line.starts_with(b"* CAPABILITY IMAP4") {
        return Probe::YesFromServer;
    }
    let Some((tag, rest)) = split_tag(line) else { return Probe::No };
    let (word, argument) = verb(rest);
    // Tags end in a digit with every client known; a word of prose does not.
    let tagged = whole && tag.last().is_some_and(u8::is_ascii_digit);
    match word.as_str() {
        "CAPABILITY" | "STARTTLS" if tagged && argument.is_empty() => Probe::Yes,
        "AUTHENTICATE" | "LOGIN" if tagged && !argument.is_empty() => Probe::Yes,
        // In the midst of a session the port must help.
        "SELECT" | "EXAMINE" | "FETCH" | "UID" | "IDLE" | "NOOP" | "LIST" | "LSUB" | "STATUS" | "LOGOUT"
            if tagged && usual =>
        {
            Probe::Yes
        }
        "OK" | "NO" | "BAD" if tagged && usual => Probe::YesFromServer,
        _ => Probe::No,
    }
}

fn split_tag(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = line.iter().position(|byte| *byte == b' ')?;
    let (tag, rest) = line.split_at_checked(end)?;
    let fits =
        (1..=MAX_TAG).contains(&tag.len()) && tag.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'.');
    fits.then_some((tag, rest.trim_ascii()))
}

/// The size of a literal that follows a line: `{310}`, or `{310+}` if the client does not wait for leave.
fn literal(line: &[u8]) -> Option<u64> {
    let inside = line.strip_suffix(b"}")?;
    let start = inside.iter().rposition(|byte| *byte == b'{')?.checked_add(1)?;
    let digits = inside.get(start..)?;
    std::str::from_utf8(digits.strip_suffix(b"+").unwrap_or(digits)).ok()?.parse().ok()
}

/// The next argument: quoted, or up to a blank. A literal reads as nothing.
fn argument(bytes: &[u8]) -> (Vec<u8>, &[u8]) {
    let Some(quoted) = bytes.strip_prefix(b"\"") else {
        let end = bytes.iter().position(|byte| *byte == b' ').unwrap_or(bytes.len());
        let (word, rest) = bytes.split_at_checked(end).unwrap_or((bytes, b""));
        return (word.to_vec(), rest.trim_ascii_start());
    };
    let mut text = Vec::new();
    let mut escaped = false;
    for (at, byte) in quoted.iter().enumerate() {
        match byte {
            b'\\' if !escaped => escaped = true,
            b'"' if !escaped => {
                return (text, quoted.get(at.saturating_add(1)..).unwrap_or_default().trim_ascii_start());
            }
            other => {
                text.push(*other);
                escaped = false;
            }
        }
    }
    (text, b"")
}

impl Dialect for Imap {
    const META: &'static ProtocolMeta = &super::IMAP_META;

    fn client(&mut self, line: &[u8], talk: &mut Talk, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if talk.in_exchange(line, out) {
            return talk.response(line, pdu, out);
        }
        if !self.partial.is_empty() {
            return self.continue_login(line, talk, pdu, out);
        }
        let Some((tag, rest)) = split_tag(line) else {
            // The end of a command with a literal, or DONE of IDLE.
            return;
        };
        let (word, after) = verb(rest);
        match word.as_str() {
            "LOGIN" => {
                self.wait(tag, Awaited::Login);
                match literal(after) {
                    // The arguments follow as lines of their own, near enough: no account has a line break.
                    Some(_) => self.partial = without_literal(after),
                    None => login(after, talk, pdu, out),
                }
            }
            "AUTHENTICATE" => {
                self.wait(tag, Awaited::Login);
                let (name, initial) = mechanism(after);
                talk.begin_exchange(name, initial, pdu, out);
            }
            "STARTTLS" => self.wait(tag, Awaited::Tls),
            "ID" => identify(after, "imap id", talk, pdu, out),
            word => {
                if let Some(size) = literal(line) {
                    self.wait(tag, Awaited::Literal);
                    talk.client.begin_counted(size);
                    talk.client.message = (word == "APPEND").then(|| Box::new(Message::whole()));
                }
            }
        }
    }

    fn server(&mut self, line: &[u8], talk: &mut Talk, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if let Some(size) = literal(line) {
            talk.server.begin_counted(size);
            talk.server.message = fetched(line);
        }
        match line {
            [b'*', b' ', rest @ ..] => untagged(rest, talk, pdu, out),
            [b'+', rest @ ..] if talk.exchange.is_some() => talk.challenge(rest.trim_ascii(), pdu, out),
            [b'+', ..] => {}
            _ => self.tagged(line, talk, pdu, out),
        }
    }

    fn settle(&mut self, _over: bool, _: &mut Talk, _: &mut dyn Sink) {
        self.waiting.clear();
        forget(&mut self.partial);
    }
}

impl Imap {
    fn wait(&mut self, tag: &[u8], awaited: Awaited) {
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back((tag.to_vec(), awaited));
    }

    /// A line of LOGIN after a literal was announced.
    fn continue_login(&mut self, line: &[u8], talk: &mut Talk, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if !self.partial.ends_with(b" ") {
            self.partial.push(b' ');
        }
        if self.partial.len().saturating_add(line.len()) > super::lines::MAX_LINE {
            return forget(&mut self.partial);
        }
        if literal(line).is_some() {
            self.partial.extend(without_literal(line));
            return;
        }
        self.partial.extend_from_slice(line);
        let mut whole = std::mem::take(&mut self.partial);
        login(whole.trim_ascii(), talk, pdu, out);
        forget(&mut whole);
    }

    fn tagged(&mut self, line: &[u8], talk: &mut Talk, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some((tag, rest)) = split_tag(line) else { return };
        let Some(at) = self.waiting.iter().position(|(waiting, _)| waiting == tag) else { return };
        let Some((_, awaited)) = self.waiting.remove(at) else { return };
        forget(&mut self.partial);
        let accepted = verb(rest).0 == "OK";
        match awaited {
            Awaited::Login => talk.end_login(if accepted { Outcome::Success } else { Outcome::Failure }, out),
            Awaited::Tls if accepted => talk.begin_tls(pdu),
            // A literal that was refused does not come.
            Awaited::Literal => talk.client.end_content(),
            Awaited::Tls => {}
        }
    }
}

/// An argument list up to the literal that ends it; never empty, as that would mean no login is open.
fn without_literal(bytes: &[u8]) -> Vec<u8> {
    let end = bytes.iter().rposition(|byte| *byte == b'{').unwrap_or(bytes.len());
    let mut kept = bytes.get(..end).unwrap_or_default().to_vec();
    kept.push(b' ');
    kept
}

/// What reads the literal behind a line: a message, or a part of one.
fn fetched(line: &[u8]) -> Option<Box<Message>> {
    let line = String::from_utf8_lossy(line).to_ascii_uppercase();
    // Headers, and their single fields, are no content.
    if line.contains("BODY[] {") || line.contains("RFC822 {") {
        Some(Box::new(Message::whole()))
    } else if line.contains("BODY[") && !line.contains("HEADER") && !line.contains(".MIME]") {
        Some(Box::new(Message::part()))
    } else {
        None
    }
}

/// The software in the list of an ID command or response (RFC 2971): field names and values in turn.
fn identify(list: &[u8], method: &'static str, talk: &mut Talk, pdu: &Pdu<'_>, out: &mut dyn Sink) {
    let Some(mut rest) = list.strip_prefix(b"(") else { return };
    let (mut name, mut version) = (String::new(), String::new());
    for _ in 0..MAX_FIELDS {
        let (field, after) = argument(rest);
        let (value, after) = argument(after);
        match field.to_ascii_lowercase().as_slice() {
            b"name" => name = sasl::name(&value),
            b"version" => version = sasl::name(value.strip_suffix(b")").unwrap_or(&value)),
            b"" => break,
            _ => {}
        }
        rest = after;
    }
    if !name.is_empty() {
        talk.software(format!("{name} {version}").trim_end(), method, pdu, out);
    }
}

fn login(arguments: &[u8], talk: &mut Talk, pdu: &Pdu<'_>, out: &mut dyn Sink) {
    let (user, rest) = argument(arguments);
    let (mut password, _) = argument(rest);
    let login = talk.begin_login("password", pdu.at, out);
    login.user = sasl::name(&user);
    login.secret = Some(Secret::examine(&login.user, &password));
    forget(&mut password);
}

fn untagged(rest: &[u8], talk: &mut Talk, pdu: &Pdu<'_>, out: &mut dyn Sink) {
    let (word, text) = verb(rest);
    match word.as_str() {
        "OK" | "PREAUTH" if !talk.greeted => {
            // A capability list in brackets stands before the words.
            let plain =
                text.strip_prefix(b"[").and_then(|list| list.split(|byte| *byte == b']').nth(1)).unwrap_or(text);
            talk.greeting(plain.trim_ascii(), "imap greeting", pdu, out);
            capabilities(text, talk);
            if word == "PREAUTH" {
                talk.begin_login("preauthenticated", pdu.at, out);
                talk.end_login(Outcome::Success, out);
            }
        }
        "CAPABILITY" => capabilities(text, talk),
        "ID" => identify(text, "imap id", talk, pdu, out),
        _ => {}
    }
}

fn capabilities(text: &[u8], talk: &mut Talk) {
    let text = String::from_utf8_lossy(text).to_ascii_uppercase();
    let words = || text.split([' ', '[', ']']);
    if words().any(|word| word == "STARTTLS") {
        talk.fact("starttls_offered");
    }
    if words().any(|word| word == "LOGINDISABLED") {
        talk.fact("login_disabled");
    }
    if words().any(|word| word.starts_with("AUTH=")) {
        talk.offers(words().filter_map(|word| word.strip_prefix("AUTH=")));
    }
}
