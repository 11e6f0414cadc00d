//! Pairs commands with replies and follows logins.

use std::collections::VecDeque;

use quaywatch_model::{
    Address, At, Attribute, Credential, Direction, Endpoint, Identity, Mark, Observation, Outcome, Request, Service,
    Session, Sink, Transport, Weakness, Weird,
};
use quaywatch_wire::framer::line;
use quaywatch_wire::{Flow, Framer, Pdu};

use super::reply::{self, Line};
use super::{META, data};
use crate::bytes::device_text;
use crate::claims::Claims;
use crate::login::{Ends, Secret};
use crate::{Analyzer, Protocol};

/// Longest line.
pub(super) const MAX_LINE: usize = 4 * 1024;
/// Commands that may wait for their replies.
pub(super) const MAX_WAITING: usize = 32;
/// Characters kept of an argument.
const MAX_ARGUMENT: usize = 1024;
/// Lines that are neither command nor reply before the flow is held to be something else.
const MAX_UNKNOWN: u32 = 8;

/// A command waiting for its final reply.
#[derive(Debug)]
struct Command {
    at: At,
    verb: String,
    argument: String,
    /// What a look at the secret of PASS or ACCT showed.
    secret: Option<Secret>,
}

/// One login under way: from USER to the reply that ends it.
#[derive(Default, Debug)]
struct Login {
    user: String,
    at: At,
    /// The password's, once it was sent.
    secret: Option<Secret>,
}

/// One direction's lines.
struct Lines {
    framer: Framer,
    /// Bytes were missed or a line was too long: wait for the next line.
    lost: bool,
}

impl Default for Lines {
    fn default() -> Self {
        Lines { framer: Framer::new(MAX_LINE), lost: false }
    }
}

/// Reads one flow.
#[derive(Default)]
pub(super) struct FtpAnalyzer {
    client: Lines,
    server: Lines,
    waiting: VecDeque<Command>,
    /// Code of a reply whose last line has not come, and its first text.
    open: Option<(u32, Vec<u8>)>,
    login: Option<Login>,
    told_session: bool,
    greeted: bool,
    software: String,
    client_software: String,
    unknown: u32,
    claims: Claims,
    ends: Option<Ends>,
    at: Option<At>,
    /// Reads what follows AUTH.
    tls: Option<Box<dyn Analyzer>>,
}

impl Analyzer for FtpAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if let Some(tls) = &mut self.tls {
            return tls.feed(pdu, out);
        }
        self.at.get_or_insert(pdu.at);
        let (client, server) = (pdu.flow.client, pdu.flow.server);
        self.ends = Some(Ends { client, server, protocol: META.name });
        let mut lines = std::mem::take(self.lines(pdu.direction));
        let mut piece = pdu.data;
        if lines.lost && starts_line(piece, pdu.direction) {
            lines.lost = false;
        }
        if lines.lost {
            match piece.iter().position(|b| *b == b'\n') {
                Some(at) => {
                    piece = piece.get(at + 1..).unwrap_or_default();
                    lines.lost = false;
                }
                None => piece = b"",
            }
        }
        let framed = lines.framer.push(piece, line, |whole| self.line(whole.trim_ascii_end(), pdu, out));
        if framed.is_err() {
            lines.framer.reset();
            lines.lost = true;
            self.weird("ftp_line_too_long", "line is longer than the limit", pdu, out);
        }
        *self.lines(pdu.direction) = lines;
        if self.unknown > MAX_UNKNOWN {
            out.mark(Mark::NotMine);
        }
    }

    fn gap(&mut self, direction: Direction, missing: u32, out: &mut dyn Sink) {
        if let Some(tls) = &mut self.tls {
            return tls.gap(direction, missing, out);
        }
        let lines = self.lines(direction);
        lines.framer.reset();
        lines.lost = true;
        self.open = None;
        self.settle_all(out);
    }

    fn close(&mut self, flow: &Flow, out: &mut dyn Sink) {
        self.settle_all(out);
        self.end_login(Outcome::Unknown, out);
        if !self.told_session && self.greeted {
            let at = self.at.unwrap_or_default();
            self.session("", "", Outcome::Unknown, self.tls.is_some(), at, out);
        }
        if let Some(tls) = &mut self.tls {
            tls.close(flow, out);
        }
    }

    fn service(&self) -> Option<&'static str> {
        Some(META.name)
    }
}

impl FtpAnalyzer {
    const fn lines(&mut self, direction: Direction) -> &mut Lines {
        match direction {
            Direction::FromClient => &mut self.client,
            Direction::FromServer => &mut self.server,
        }
    }

    fn line(&mut self, line: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        match pdu.direction {
            Direction::FromClient => self.command(line, pdu, out),
            Direction::FromServer => self.reply_line(line, pdu, out),
        }
    }

    fn command(&mut self, line: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        // Telnet's interrupt may stand before ABOR.
        let line = line.iter().position(|b| b.is_ascii_alphabetic()).and_then(|at| line.get(at..)).unwrap_or_default();
        let end = line.iter().position(|b| *b == b' ').unwrap_or(line.len());
        let (verb, argument) = line.split_at_checked(end).unwrap_or((line, b""));
        if verb.is_empty() || verb.len() > 8 || !verb.iter().all(|b| b.is_ascii_alphanumeric()) {
            if !line.is_empty() {
                self.unknown += 1;
                self.weird("ftp_command_malformed", "line is no command", pdu, out);
            }
            return;
        }
        let verb = String::from_utf8_lossy(verb).to_ascii_uppercase();
        let argument = argument.get(1..).unwrap_or_default();
        let mut command = Command { at: pdu.at, verb, argument: String::new(), secret: None };
        match command.verb.as_str() {
            "PASS" | "ACCT" => command.secret = Some(self.look_at_secret(argument, pdu.at)),
            // Security data of RFC 2228, and passwords that some servers let users change.
            "ADAT" | "MIC" | "CONF" | "ENC" => {}
            "SITE" if sets_password(argument) => command.argument = "PSWD".to_owned(),
            _ => command.argument = text(argument),
        }
        match command.verb.as_str() {
            "USER" => self.begin_login(&command.argument, pdu.at, out),
            "CLNT" => self.client_names_itself(&command.argument, pdu, out),
            "PORT" | "EPRT" => self.check_data_address(&command, pdu, out),
            _ => {}
        }
        self.waiting.push_back(command);
        if self.waiting.len() > MAX_WAITING
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.request(&oldest, None, out);
        }
    }

    fn begin_login(&mut self, user: &str, at: At, out: &mut dyn Sink) {
        self.end_login(Outcome::Unknown, out);
        self.login = Some(Login { user: user.to_owned(), at, secret: None });
    }

    fn look_at_secret(&mut self, secret: &[u8], at: At) -> Secret {
        // A login whose USER was not captured has no account to compare with.
        let login = self.login.get_or_insert_with(|| Login { at, ..Login::default() });
        // A hyphen before the password asks for terse replies.
        let plain = secret.strip_prefix(b"-").unwrap_or(secret);
        let found = Secret::examine(&login.user, plain);
        login.secret.get_or_insert(found);
        found
    }

    fn client_names_itself(&mut self, software: &str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        self.client_software = software.to_owned();
        let subject = pdu.flow.client.address;
        let claim = Identity { subject, attribute: Attribute::Software, value: software, method: "ftp clnt" };
        self.claims.identity(out, pdu.at, claim);
    }

    /// A client that directs data to another host uses the server to reach it (RFC 2577 section 3).
    fn check_data_address(&mut self, command: &Command, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let address = reply::data_address(&command.verb, &command.argument);
        let Some((address, port)) = address else { return };
        out.expect(Endpoint::new(address.into(), port), data::NAME);
        if let Some(client) = pdu.flow.client.address.ip()
            && address != client
            && address.is_ipv4() == client.is_ipv4()
        {
            self.weird("ftp_port_to_other_host", &format!("data connection asked for {address}"), pdu, out);
        }
    }

    fn reply_line(&mut self, line: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        match reply::read(line, self.open.as_ref().map(|(code, _)| *code)) {
            Line::First { code, text } => self.open = Some((code, text.to_vec())),
            Line::Within => {}
            Line::Last { code, text } => {
                let first = self.open.take().map(|(_, text)| text);
                self.reply(code, first.as_deref().unwrap_or(text), pdu, out);
            }
            Line::Unknown if line.is_empty() => {}
            Line::Unknown => {
                self.unknown += 1;
                self.weird("ftp_reply_malformed", "line is no reply", pdu, out);
            }
        }
    }

    fn reply(&mut self, code: u32, text: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if self.waiting.is_empty() && code == 220 && !self.greeted {
            self.greeting(text, pdu, out);
            return;
        }
        // 1xx: another reply follows; 120 before the greeting likewise.
        if (100..200).contains(&code) {
            return;
        }
        let Some(mut command) = self.waiting.pop_front() else {
            let alone = Command { at: pdu.at, verb: String::new(), argument: String::new(), secret: None };
            // Idle servers close with 421 by themselves: it is told like any reply without its command.
            return self.request(&alone, Some(code), out);
        };
        match (command.verb.as_str(), code) {
            ("USER" | "PASS" | "ACCT", _) => self.login_reply(&command, code, out),
            ("PASV" | "EPSV", 227 | 229) => listens(code, text, pdu, out),
            ("SYST", 215) => self.say(Attribute::Os, text, "ftp syst", pdu, out),
            ("PWD" | "XPWD", 257) => command.argument = reply::quoted_path(text).unwrap_or_default(),
            ("AUTH", 234) => self.tls = Some(crate::tls::Tls.open(pdu.flow)),
            _ => {}
        }
        self.request(&command, Some(code), out);
    }

    fn greeting(&mut self, text: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        self.greeted = true;
        self.software = device_text(text).unwrap_or_default().chars().take(256).collect();
        let (server, software) = (pdu.flow.server, self.software.as_str());
        let claim = Service { server, transport: Transport::Tcp, protocol: META.name, software, version: "" };
        self.claims.service(out, pdu.at, claim);
        self.say(Attribute::Software, text, "ftp greeting", pdu, out);
    }

    fn say(&mut self, attribute: Attribute, text: &[u8], method: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let subject = pdu.flow.server.address;
        if let Some(value) = device_text(text) {
            self.claims.identity(out, pdu.at, Identity { subject, attribute, value: &value, method });
        }
    }

    /// 230 and 202 accept, 331 and 332 ask for more, 4xx and 5xx refuse (RFC 959 section 5.4).
    fn login_reply(&mut self, command: &Command, code: u32, out: &mut dyn Sink) {
        match code {
            230 | 232 | 202 => self.end_login(Outcome::Success, out),
            400.. if command.verb != "USER" || code != 500 => self.end_login(Outcome::Failure, out),
            _ => {}
        }
    }

    fn end_login(&mut self, outcome: Outcome, out: &mut dyn Sink) {
        let (Some(login), Some(ends)) = (self.login.take(), self.ends) else { return };
        let anonymous = ["anonymous", "ftp"].iter().any(|name| login.user.eq_ignore_ascii_case(name));
        let method = if login.secret.is_some() { "password" } else { "" };
        self.session(&login.user, method, outcome, false, login.at, out);
        let Ends { client, server, protocol } = ends;
        let mut credential = |weakness, rule| {
            let account = login.user.as_str();
            self.claims.credential(out, login.at, Credential { client, server, protocol, account, weakness, rule });
        };
        match login.secret {
            _ if anonymous && outcome == Outcome::Success => {
                credential(Weakness::Anonymous, "anonymous login accepted")
            }
            // Anonymous users send their address for a password: no secret.
            _ if anonymous => {}
            Some(secret) => secret.report(&mut self.claims, out, login.at, ends, &login.user, outcome),
            None if outcome == Outcome::Success => credential(Weakness::Empty, "login accepted without password"),
            None => {}
        }
    }

    fn session(&mut self, user: &str, method: &str, outcome: Outcome, encrypted: bool, at: At, out: &mut dyn Sink) {
        let Some(Ends { client, server, protocol }) = self.ends else { return };
        self.told_session = true;
        let row = Session {
            client,
            server,
            protocol,
            version: "",
            user,
            method,
            outcome,
            client_software: &self.client_software,
            server_software: &self.software,
            encrypted,
            detail: "",
        };
        out.emit(at, Observation::Session(row));
    }

    fn request(&mut self, command: &Command, status: Option<u32>, out: &mut dyn Sink) {
        let Some(Ends { client, server, protocol }) = self.ends else { return };
        let row = Request {
            client,
            server,
            protocol,
            method: &command.verb,
            host: "",
            uri: &command.argument,
            user_agent: &self.client_software,
            status,
        };
        out.emit(command.at, Observation::Request(row));
    }

    fn settle_all(&mut self, out: &mut dyn Sink) {
        while let Some(command) = self.waiting.pop_front() {
            self.request(&command, None, out);
        }
    }

    fn weird(&mut self, name: &'static str, detail: &str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let (sender, receiver): (Endpoint, Endpoint) = (pdu.sender(), pdu.receiver());
        out.emit(pdu.at, Observation::Weird(Weird { name, protocol: META.name, detail, sender, receiver }));
        if name.ends_with("malformed") || name.ends_with("too_long") {
            out.mark(Mark::Malformed("line is no command or reply"));
        }
    }
}

/// Whether a piece behind a gap starts with a reply or a command rather than within one.
fn starts_line(piece: &[u8], direction: Direction) -> bool {
    match (direction, piece) {
        (Direction::FromServer, [b'1'..=b'5', b'0'..=b'5', b'0'..=b'9', b' ' | b'-', ..]) => true,
        (Direction::FromServer, _) => false,
        (Direction::FromClient, piece) => {
            let verb = piece.iter().take_while(|b| b.is_ascii_uppercase()).count();
            (3..=4).contains(&verb) && matches!(piece.get(verb), Some(b' ' | b'\r'))
        }
    }
}

/// `SITE PSWD old new` and the like.
fn sets_password(argument: &[u8]) -> bool {
    let word = argument.split(|b| *b == b' ').next().unwrap_or_default();
    ["PSWD", "PASS", "PASSWD", "PASSWORD", "CHPASS", "CPWD"]
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}

fn text(argument: &[u8]) -> String {
    String::from_utf8_lossy(argument).chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_ARGUMENT).collect()
}

/// Announces the data connection that the server waits for. Behind address translation the address that it names is not the
/// one on this wire, so the control connection's counts as well.
fn listens(code: u32, text: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
    let Some((address, port)) = reply::passive_address(code, &String::from_utf8_lossy(text)) else { return };
    let here = pdu.flow.server.address;
    out.expect(Endpoint::new(here, port), data::NAME);
    if let Some(address) = address.map(Address::from).filter(|address| *address != here) {
        out.expect(Endpoint::new(address, port), data::NAME);
    }
}
