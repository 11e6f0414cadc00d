//! Reads both directions of a Telnet connection.

use std::fmt::Write as _;

use quaywatch_model::{
    Address, At, Attribute, Credential, Direction, Identity, Mark, Observation, Outcome, Service, Session, Sink,
    Transport, Weakness,
};
use quaywatch_wire::{Flow, Pdu};

use super::META;
use super::dialogue::{Dialogue, Step, Verdict};
use super::options::{self, Splitter, Token};
use crate::Analyzer;
use crate::bytes::device_text;
use crate::claims::Claims;
use crate::detail::Detail;
use crate::login::{Ends, Secret};

/// Commands that are listed in the detail of a session.
const MAX_LISTED: usize = 64;

/// One attempt to log in.
#[derive(Default, Debug)]
struct Attempt {
    at: At,
    user: String,
    secret: Option<Secret>,
}

/// Reads one flow.
#[derive(Default)]
pub(super) struct TelnetAnalyzer {
    client: Splitter,
    server: Splitter,
    dialogue: Dialogue,
    attempt: Option<Attempt>,
    /// Account named by environment or authentication option.
    named: String,
    terminal: String,
    /// `c253.3 s251.1`: sender, command, option.
    negotiation: String,
    listed: usize,
    encrypted: bool,
    told: bool,
    at: Option<At>,
    ends: Option<Ends>,
    claims: Claims,
    detail: Detail,
    /// Steps of the piece under way; the buffer is used again.
    steps: Vec<Step>,
}

impl Analyzer for TelnetAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if self.encrypted {
            out.mark(Mark::Opaque("encrypted"));
            return;
        }
        self.at.get_or_insert(pdu.at);
        let (client, server) = (pdu.flow.client, pdu.flow.server);
        self.ends = Some(Ends { client, server, protocol: META.name });
        match pdu.direction {
            Direction::FromClient => self.client_piece(pdu, out),
            Direction::FromServer => self.server_piece(pdu, out),
        }
        let mut steps = std::mem::take(&mut self.steps);
        for step in steps.drain(..) {
            self.step(step, pdu.at, out);
        }
        self.steps = steps;
    }

    fn gap(&mut self, direction: Direction, _missing: u32, _out: &mut dyn Sink) {
        match direction {
            Direction::FromClient => self.client.reset(),
            Direction::FromServer => self.server.reset(),
        }
        self.dialogue.lose();
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        self.offer(self.at.unwrap_or_default(), out);
        self.end_attempt(Outcome::Unknown, out);
        if !self.told {
            let attempt = Attempt { at: self.at.unwrap_or_default(), user: self.named.clone(), secret: None };
            self.session(&attempt, Outcome::Unknown, out);
        }
        self.dialogue.lose();
    }
}

impl TelnetAnalyzer {
    fn client_piece(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let mut splitter = std::mem::take(&mut self.client);
        for byte in pdu.data {
            splitter.take(*byte, |token| match token {
                Token::Text(byte) => {
                    let steps = &mut self.steps;
                    self.dialogue.client(byte, &mut |step| steps.push(step));
                }
                other => self.command('c', &other, pdu, out),
            });
        }
        self.client = splitter;
    }

    fn server_piece(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let mut splitter = std::mem::take(&mut self.server);
        for byte in pdu.data {
            splitter.take(*byte, |token| match token {
                Token::Text(byte) => {
                    let steps = &mut self.steps;
                    self.dialogue.server(byte, &mut |step| steps.push(step));
                }
                other => self.command('s', &other, pdu, out),
            });
        }
        self.server = splitter;
        let steps = &mut self.steps;
        self.dialogue.server_pauses(&mut |step| steps.push(step));
    }

    fn command(&mut self, sender: char, token: &Token<'_>, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        self.listed += 1;
        if self.listed <= MAX_LISTED {
            let blank = if self.negotiation.is_empty() { "" } else { " " };
            let text = &mut self.negotiation;
            let _ = match token {
                Token::Text(_) => Ok(()),
                Token::Negotiate { command, option } => write!(text, "{blank}{sender}{command}.{option}"),
                Token::Sub { option, .. } => write!(text, "{blank}{sender}250.{option}"),
                Token::Command(command) => write!(text, "{blank}{sender}{command}"),
            };
        }
        let Token::Sub { option, content } = token else { return };
        match (*option, *content) {
            (options::ENCRYPT, [3, ..]) => self.encrypted = true,
            _ if sender == 's' => {}
            (options::TERMINAL_TYPE, [0, name @ ..]) => self.terminal = device_text(name).unwrap_or_default(),
            (options::X_DISPLAY, [0, display @ ..]) => self.display(display, pdu, out),
            (options::AUTHENTICATION, [3, name @ ..]) => self.name(name),
            (options::NEW_ENVIRON | options::OLD_ENVIRON, content) => {
                for (name, value) in options::variables(content) {
                    match name {
                        b"USER" => self.name(value),
                        b"DISPLAY" => self.display(value, pdu, out),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn name(&mut self, account: &[u8]) {
        self.named = device_text(account).unwrap_or_default().chars().take(128).collect();
        self.dialogue.set_account(&self.named);
    }

    /// `host:0.0`: the client names itself.
    fn display(&mut self, display: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some(text) = device_text(display) else { return };
        let host = text.rsplit_once(':').map_or("", |(host, _)| host);
        if host.is_empty() || host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok() {
            return;
        }
        let subject = pdu.flow.client.address;
        let claim =
            Identity { subject, attribute: Attribute::HostName, value: host, method: "telnet x display location" };
        self.claims.identity(out, pdu.at, claim);
    }

    fn step(&mut self, step: Step, at: At, out: &mut dyn Sink) {
        match step {
            Step::Prompted => self.offer(at, out),
            Step::User(user) => {
                self.end_attempt(Outcome::Unknown, out);
                self.attempt = Some(Attempt { at, user, secret: None });
            }
            Step::Secret(secret) => {
                let named = &self.named;
                let attempt = self.attempt.get_or_insert_with(|| Attempt { at, user: named.clone(), secret: None });
                attempt.secret = Some(secret);
            }
            Step::Ended(Verdict::Accepted) => self.end_attempt(Outcome::Success, out),
            Step::Ended(Verdict::Refused) => self.end_attempt(Outcome::Failure, out),
            Step::System(system) => {
                let Some(subject) = self.server_address() else { return };
                let claim = Identity { subject, attribute: Attribute::Os, value: &system, method: "telnet text" };
                self.claims.identity(out, at, claim);
            }
        }
    }

    fn server_address(&self) -> Option<Address> {
        self.ends.map(|ends| ends.server.address)
    }

    /// Says the service, with the software that the text before the login names.
    fn offer(&mut self, at: At, out: &mut dyn Sink) {
        let Some(ends) = self.ends else { return };
        let (server, software) = (ends.server, self.dialogue.banner.as_str());
        let claim = Service { server, transport: Transport::Tcp, protocol: META.name, software, version: "" };
        self.claims.service(out, at, claim);
        let claim = Identity {
            subject: server.address,
            attribute: Attribute::Software,
            value: software,
            method: "telnet banner",
        };
        self.claims.identity(out, at, claim);
    }

    fn end_attempt(&mut self, outcome: Outcome, out: &mut dyn Sink) {
        let (Some(attempt), Some(ends)) = (self.attempt.take(), self.ends) else { return };
        self.session(&attempt, outcome, out);
        match attempt.secret {
            Some(secret) => secret.report(&mut self.claims, out, attempt.at, ends, &attempt.user, outcome),
            None if outcome == Outcome::Success => {
                let Ends { client, server, protocol } = ends;
                let (weakness, rule) = (Weakness::Empty, "login accepted without password");
                let account = attempt.user.as_str();
                let claim = Credential { client, server, protocol, account, weakness, rule };
                self.claims.credential(out, attempt.at, claim);
            }
            None => {}
        }
    }

    fn session(&mut self, attempt: &Attempt, outcome: Outcome, out: &mut dyn Sink) {
        let Some(Ends { client, server, protocol }) = self.ends else { return };
        self.told = true;
        let detail =
            self.detail.begin().text("terminal", &self.terminal).text("negotiation", &self.negotiation).finish();
        let row = Session {
            client,
            server,
            protocol,
            version: "",
            user: &attempt.user,
            method: if attempt.secret.is_some() { "password" } else { "" },
            outcome,
            client_software: "",
            server_software: &self.dialogue.banner,
            encrypted: self.encrypted,
            detail,
        };
        out.emit(attempt.at, Observation::Session(row));
    }
}
