//! SMTP (RFC 5321) with logins (RFC 4954), STARTTLS (RFC 3207) and chunks (RFC 3030).

use std::collections::VecDeque;

use quaywatch_model::{At, Direction, Observation, Operation, OperationClass, Outcome, Sink};
use quaywatch_wire::Pdu;

use super::mime::Message;
use super::talk::{Dialect, Talk, mechanism, verb};
use crate::bytes::device_text;
use crate::detail_json::DetailJson;
use crate::login::Ends;
use crate::{Probe, ProtocolMeta};

/// Commands that may wait for their replies (RFC 2920).
const MAX_WAITING: usize = 64;
/// Characters kept of an argument.
const MAX_ARGUMENT: usize = 255;
/// Domains of recipients listed of a message.
const MAX_DOMAINS: usize = 16;

/// The operation of a message handed over; the protocol has no numbers.
const MAIL: u32 = 1;

/// Commands of the protocol and its usual extensions.
const COMMANDS: &[&str] = &[
    "EHLO", "HELO", "LHLO", "MAIL", "RCPT", "DATA", "BDAT", "RSET", "VRFY", "EXPN", "HELP", "NOOP", "QUIT", "AUTH",
    "STARTTLS", "TURN", "ETRN", "SEND", "SOML", "SAML", "XCLIENT", "XFORWARD", "BURL", "ATRN",
];

/// A command waiting for its reply.
struct Command {
    at: At,
    verb: &'static str,
    argument: String,
    /// The message that the reply is about.
    transaction: Option<Box<Transaction>>,
}

/// A message being handed over (RFC 5321 section 3.3).
struct Transaction {
    at: At,
    from: String,
    to: Vec<String>,
    recipients: u32,
    size: u64,
    interchanges: u32,
    /// Code of the last refusal of sender, recipient or content.
    refused: Option<u32>,
}

/// Where one connection is.
#[derive(Default)]
pub(super) struct Smtp {
    waiting: VecDeque<Command>,
    transaction: Option<Box<Transaction>>,
    detail: DetailJson,
    object: String,
    line: String,
}

/// The first bytes of a connection. FTP greets alike, so a greeting must say SMTP, or the port must.
pub(super) fn probe(bytes: &[u8], usual: bool) -> Probe {
    let text = bytes.get(..bytes.len().min(1024)).unwrap_or(bytes);
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let whole = line.len() < text.len();
    if text.starts_with(b"220 ") || text.starts_with(b"220-") {
        let upper = String::from_utf8_lossy(text).to_ascii_uppercase();
        return match (upper.contains("SMTP"), upper.contains("FTP ") || upper.contains("FTPD"), whole && usual) {
            (true, _, _) => Probe::YesFromServer,
            (false, false, true) => Probe::YesFromServer,
            (false, false, false) if usual => Probe::Unsure,
            _ => Probe::No,
        };
    }
    let (word, argument) = verb(line.trim_ascii_end());
    match word.as_str() {
        "EHLO" | "HELO" | "LHLO" if whole && !argument.is_empty() => Probe::Yes,
        "MAIL" if argument.get(..5).is_some_and(|from| from.eq_ignore_ascii_case(b"FROM:")) => Probe::Yes,
        "RCPT" if argument.get(..3).is_some_and(|to| to.eq_ignore_ascii_case(b"TO:")) => Probe::Yes,
        "EHLO" | "HELO" if !whole => Probe::Unsure,
        // A server that refuses to talk, or replies in the midst of a session.
        _ if usual && whole && matches!(line, [b'2'..=b'5', b'0'..=b'5', b'0'..=b'9', b' ' | b'-', ..]) => {
            Probe::YesFromServer
        }
        _ => Probe::No,
    }
}

impl Dialect for Smtp {
    const META: &'static ProtocolMeta = &super::SMTP_META;

    fn client(&mut self, line: &[u8], talk: &mut Talk, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if talk.in_exchange(line, out) {
            return talk.response(line, pdu, out);
        }
        let (word, argument) = verb(line);
        let Some(verb) = COMMANDS.iter().copied().find(|known| *known == word) else {
            if !line.is_empty() {
                talk.unknown("smtp_command_unknown", pdu, out);
            }
            return;
        };
        if matches!(verb, "EHLO" | "HELO" | "LHLO" | "MAIL" | "RSET" | "QUIT" | "STARTTLS") {
            self.abandon(talk, out);
        }
        let mut command = Command { at: pdu.at, verb, argument: String::new(), transaction: None };
        match verb {
            "EHLO" | "HELO" | "LHLO" => {
                command.argument = text(argument);
                talk.host(&command.argument, "smtp ehlo", Direction::FromClient, pdu, out);
            }
            "MAIL" => {
                command.argument = domain(argument);
                self.transaction = Some(Box::new(Transaction::new(pdu.at, &command.argument)));
            }
            "RCPT" => {
                command.argument = domain(argument);
                let transaction = self.transaction.get_or_insert_with(|| Box::new(Transaction::new(pdu.at, "")));
                transaction.recipient(&command.argument);
            }
            "AUTH" => {
                let (name, initial) = mechanism(argument);
                talk.begin_exchange(name, initial, pdu, out);
                command.argument = text(name);
            }
            // The message follows when the server agrees; its agreement may not have been captured.
            "DATA" => talk.client.begin_dotted(),
            "BDAT" => self.chunk(&mut command, &text(argument), talk),
            _ => {}
        }
        self.push(command, talk, out);
    }

    fn server(&mut self, line: &[u8], talk: &mut Talk, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let (code, last, text) = match line {
            [a @ b'2'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] => {
                let code = [a, b, c].into_iter().fold(0u32, |code, digit| code * 10 + u32::from(digit & 0x0f));
                (code, rest.first() != Some(&b'-'), rest.get(1..).unwrap_or_default())
            }
            _ => return talk.unknown("smtp_reply_malformed", pdu, out),
        };
        let greets = code == 220 || code == 554 && !pdu.flow.midstream;
        if greets && self.waiting.is_empty() && !talk.client.is_dotted() {
            return greeting(code, text, talk, pdu, out);
        }
        if code == 250 {
            capability(text, talk);
        }
        if last {
            self.reply(code, text, talk, pdu, out);
        }
    }

    fn content_ended(&mut self, talk: &mut Talk, pdu: &Pdu<'_>) {
        let mut transaction = self.transaction.take();
        if let Some(transaction) = &mut transaction {
            transaction.size = talk.client.content;
            transaction.interchanges = talk.client.message.take().map_or(0, |message| message.interchanges);
        }
        talk.client.message = None;
        // The reply to the message itself comes when it is over.
        self.waiting.push_back(Command { at: pdu.at, verb: ".", argument: String::new(), transaction });
    }

    fn settle(&mut self, over: bool, talk: &mut Talk, out: &mut dyn Sink) {
        while let Some(command) = self.waiting.pop_front() {
            self.tell(command, None, None, talk, out);
        }
        // A message may go on behind what was missed.
        if over || !talk.client.is_dotted() {
            self.abandon(talk, out);
        }
    }
}

impl Smtp {
    fn push(&mut self, command: Command, talk: &mut Talk, out: &mut dyn Sink) {
        self.waiting.push_back(command);
        if self.waiting.len() > MAX_WAITING
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.tell(oldest, None, None, talk, out);
        }
    }

    /// A chunk of the message follows at once (RFC 3030 section 2).
    fn chunk(&mut self, command: &mut Command, argument: &str, talk: &mut Talk) {
        let mut words = argument.split(' ');
        let size = words.next().and_then(|size| size.parse().ok()).unwrap_or(0);
        talk.client.begin_counted(size);
        talk.client.message.get_or_insert_with(|| Box::new(Message::whole()));
        if let Some(transaction) = &mut self.transaction {
            transaction.size = transaction.size.saturating_add(size);
        }
        if words.next().is_some_and(|word| word.eq_ignore_ascii_case("LAST")) {
            command.transaction = self.transaction.take();
        }
    }

    fn reply(&mut self, code: u32, text: &[u8], talk: &mut Talk, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if code == 334 {
            return talk.challenge(text, pdu, out);
        }
        if self.waiting.is_empty() && talk.client.is_dotted() {
            // The dot was missed.
            talk.client.end_content();
            self.content_ended(talk, pdu);
        }
        let Some(mut command) = self.waiting.pop_front() else { return };
        match (command.verb, code) {
            ("AUTH", 235) => talk.end_login(Outcome::Success, out),
            ("AUTH", 400..) => talk.end_login(Outcome::Failure, out),
            ("STARTTLS", 220) => talk.begin_tls(pdu),
            ("DATA", 354) => {}
            ("DATA", _) => {
                talk.client.end_content();
                talk.client.message = None;
            }
            ("BDAT", _) if command.transaction.is_some() => {
                let message = talk.client.message.take().map(|mut message| {
                    message.end(pdu, out);
                    message.interchanges
                });
                if let Some(transaction) = &mut command.transaction {
                    transaction.interchanges = message.unwrap_or(0);
                }
            }
            _ => {}
        }
        if let (Some(transaction), "MAIL" | "RCPT" | "DATA" | "BDAT", 400..) =
            (&mut self.transaction, command.verb, code)
        {
            transaction.refused = Some(code);
        }
        self.tell(command, Some(code), Some(pdu.at), talk, out);
    }

    /// The rows of a command, with its reply or without one.
    fn tell(&mut self, command: Command, code: Option<u32>, reply: Option<At>, talk: &mut Talk, out: &mut dyn Sink) {
        let Command { at, verb, argument, transaction } = command;
        if verb != "." {
            talk.request(at, (verb, &argument), code, out);
        }
        if let Some(transaction) = transaction {
            self.message(&transaction, code, Some(at), reply, talk, out);
        }
    }

    /// The message at hand is not handed over.
    fn abandon(&mut self, talk: &mut Talk, out: &mut dyn Sink) {
        if let Some(transaction) = self.transaction.take() {
            self.message(&transaction, transaction.refused, None, None, talk, out);
            talk.client.message = None;
        }
    }

    /// Tells of a message: who hands what to whom, by their domains.
    fn message(
        &mut self,
        transaction: &Transaction,
        code: Option<u32>,
        sent: Option<At>,
        reply: Option<At>,
        talk: &Talk,
        out: &mut dyn Sink,
    ) {
        let Some(Ends { client, server, protocol }) = talk.ends() else { return };
        let Transaction { at, from, to, recipients, size, interchanges, .. } = transaction;
        self.detail.clear();
        self.detail.text("from", from);
        self.detail.texts("to", to);
        self.detail.number("recipients", *recipients);
        if let Some(code) = code {
            self.detail.number("reply_code", code);
        }
        if *interchanges > 0 {
            self.detail.number("edifact_interchanges", *interchanges);
        }
        self.object.clear();
        for part in [from.as_str(), " to ", to.first().map_or("", String::as_str)] {
            self.object.push_str(part);
        }
        let row = Operation {
            protocol,
            client,
            server,
            unit: None,
            code: MAIL,
            name: "mail",
            // It changes nothing at the server itself.
            class: OperationClass::Session,
            object: self.object.trim(),
            quantity: sent.map(|_| *size),
            status: code.map(|code| if code < 400 { 0 } else { code }),
            status_name: code.map_or("", |code| if code < 400 { "accepted" } else { "refused" }),
            latency: sent.zip(reply).map(|(sent, reply)| reply.ts.since(sent.ts)),
            request_frame: Some(sent.unwrap_or(*at).frame),
            reply_frame: reply.map(|reply| reply.frame),
            detail: self.detail.object(&mut self.line),
        };
        out.emit(sent.unwrap_or(*at), Observation::Operation(row));
    }
}

impl Transaction {
    fn new(at: At, from: &str) -> Self {
        let from = from.to_owned();
        Transaction { at, from, to: Vec::new(), recipients: 0, size: 0, interchanges: 0, refused: None }
    }

    fn recipient(&mut self, domain: &str) {
        self.recipients = self.recipients.saturating_add(1);
        if self.to.len() < MAX_DOMAINS && !self.to.iter().any(|known| known == domain) {
            self.to.push(domain.to_owned());
        }
    }
}

/// The server's first words: its name, then what it is.
fn greeting(code: u32, text: &[u8], talk: &mut Talk, pdu: &Pdu<'_>, out: &mut dyn Sink) {
    if talk.greeted {
        return;
    }
    if code == 554 {
        talk.fact("refuses_all");
    }
    let (first, rest) =
        text.split_at_checked(text.iter().position(|byte| *byte == b' ').unwrap_or(text.len())).unwrap_or_default();
    let name = String::from_utf8_lossy(first).into_owned();
    // The first word is the server's domain by right (RFC 5321 section 4.2); devices leave it out.
    let nameless = name.starts_with("localhost") || name.starts_with('[');
    let named = nameless || name.contains('.') && talk.host(&name, "smtp greeting", Direction::FromServer, pdu, out);
    talk.greeting(if named { rest } else { text }, "smtp greeting", pdu, out);
}

/// A line of the reply to EHLO.
fn capability(text: &[u8], talk: &mut Talk) {
    let (word, argument) = verb(text);
    match word.as_str() {
        "STARTTLS" => talk.fact("starttls_offered"),
        "AUTH" => {
            let mechanisms = String::from_utf8_lossy(argument).into_owned();
            talk.offers(mechanisms.split(' ').filter(|name| !name.is_empty()));
        }
        _ => {}
    }
}

fn text(bytes: &[u8]) -> String {
    device_text(bytes).unwrap_or_default().chars().take(MAX_ARGUMENT).collect()
}

/// The domain of the address in `FROM:<...>` or `TO:<...>`, behind an `@`; who the mailbox belongs to is nobody's business.
fn domain(argument: &[u8]) -> String {
    let path = argument.split(|byte| *byte == b'>').next().unwrap_or_default();
    let at = path.iter().rposition(|byte| *byte == b'@');
    let domain = at.and_then(|at| path.get(at..)).unwrap_or_default();
    text(domain.split(|byte| *byte == b' ').next().unwrap_or_default())
}
