//! What the three protocols share: lines, content, the login at hand, the switch to TLS, and the rows.

use quaywatch_model::{
    At, Attribute, Credential, Direction, Mark, Observation, Outcome, Request, Service, Session, Sink, Transport,
    Weakness, Weird,
};
use quaywatch_wire::{Flow, Pdu};

use super::lines::{Lines, Step};
use super::sasl::{self, Exchange, Login, Mechanism};
use crate::bytes::device_text;
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::login::{Ends, forget};
use crate::ntlm;
use crate::{Analyzer, Protocol, ProtocolMeta};

/// Bytes kept of a greeting.
const MAX_SOFTWARE: usize = 256;
/// Lines that are neither command nor reply before the flow is held to be something else.
const MAX_UNKNOWN: u32 = 8;

/// The commands and replies of one of the protocols.
pub(super) trait Dialect: Default + Send {
    /// Facts about it.
    const META: &'static ProtocolMeta;

    /// Takes a line of the client.
    fn client(&mut self, line: &[u8], talk: &mut Talk, pdu: &Pdu<'_>, out: &mut dyn Sink);

    /// Takes a line of the server.
    fn server(&mut self, line: &[u8], talk: &mut Talk, pdu: &Pdu<'_>, out: &mut dyn Sink);

    /// A message of the client ended with its dot.
    fn content_ended(&mut self, talk: &mut Talk, pdu: &Pdu<'_>) {
        let _ = (talk, pdu);
    }

    /// Bytes were missed, or the flow is over: what waits for a reply has none.
    fn settle(&mut self, over: bool, talk: &mut Talk, out: &mut dyn Sink);
}

/// Reads one flow.
#[derive(Default)]
pub(super) struct MailAnalyzer<D> {
    talk: Talk,
    dialect: D,
    line: Vec<u8>,
}

/// The state that dialects work on.
#[derive(Default)]
pub(super) struct Talk {
    pub(super) client: Lines,
    pub(super) server: Lines,
    login: Option<(Login, At)>,
    pub(super) exchange: Option<Exchange>,
    software: String,
    client_software: String,
    pub(super) greeted: bool,
    told: bool,
    unknown: u32,
    tls: Option<Box<dyn Analyzer>>,
    claims: Claims,
    ends: Option<Ends>,
    at: Option<At>,
    facts: DetailJson,
    text: String,
}

impl<D: Dialect> Analyzer for MailAnalyzer<D> {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let talk = &mut self.talk;
        if let Some(tls) = &mut talk.tls {
            return tls.feed(pdu, out);
        }
        talk.at.get_or_insert(pdu.at);
        talk.ends = Some(Ends { client: pdu.flow.client, server: pdu.flow.server, protocol: D::META.name });
        if talk.agreed_to_tls(pdu) {
            talk.begin_tls(pdu);
            return talk.tls.iter_mut().for_each(|tls| tls.feed(pdu, out));
        }
        let mut piece = pdu.data;
        let mut passed_over = false;
        // What stands behind the change to TLS in one piece is of no use to either.
        while talk.tls.is_none() {
            let lines = talk.lines(pdu.direction);
            match (lines.next(&mut piece, &mut self.line), pdu.direction) {
                (Step::More, _) => break,
                (Step::Line, Direction::FromClient) => self.dialect.client(&self.line, talk, pdu, out),
                (Step::Line, Direction::FromServer) => self.dialect.server(&self.line, talk, pdu, out),
                (Step::Content(bytes), _) => {
                    if let Some(message) = &mut lines.message {
                        message.feed(bytes, pdu, out);
                    }
                    passed_over |= !bytes.is_empty() && lines.message.as_ref().is_none_or(|message| !message.is_read());
                }
                (Step::End, direction) => {
                    if let Some(message) = &mut lines.message {
                        message.end(pdu, out);
                    }
                    if direction == Direction::FromClient {
                        self.dialect.content_ended(talk, pdu);
                    }
                }
            }
        }
        forget(&mut self.line);
        if passed_over {
            out.mark(Mark::Opaque("mail content"));
        }
        if talk.unknown > MAX_UNKNOWN {
            out.mark(Mark::NotMine);
        }
    }

    fn gap(&mut self, direction: Direction, missing: u32, out: &mut dyn Sink) {
        if let Some(tls) = &mut self.talk.tls {
            return tls.gap(direction, missing, out);
        }
        self.talk.lines(direction).lose(missing);
        self.talk.end_login(Outcome::Unknown, out);
        self.dialect.settle(false, &mut self.talk, out);
    }

    fn close(&mut self, flow: &Flow, out: &mut dyn Sink) {
        self.dialect.settle(true, &mut self.talk, out);
        self.talk.close(out);
        if let Some(tls) = &mut self.talk.tls {
            tls.close(flow, out);
        }
    }

    fn service(&self) -> Option<&'static str> {
        Some(D::META.name)
    }
}

impl Talk {
    pub(super) const fn lines(&mut self, direction: Direction) -> &mut Lines {
        match direction {
            Direction::FromClient => &mut self.client,
            Direction::FromServer => &mut self.server,
        }
    }

    /// The server greets: its text is software.
    pub(super) fn greeting(&mut self, text: &[u8], method: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if std::mem::replace(&mut self.greeted, true) {
            return;
        }
        self.software = software_of(text);
        let (server, software) = (pdu.flow.server, self.software.as_str());
        let protocol = self.ends.map_or("", |ends| ends.protocol);
        let claim = Service { server, transport: Transport::Tcp, protocol, software, version: "" };
        self.claims.service(out, pdu.at, claim);
        self.claims.identify(out, pdu.at, server.address, (Attribute::Software, software, method));
    }

    /// A name that an end gives itself; not an address in brackets. Whether it is a name.
    pub(super) fn host(
        &mut self,
        name: &str,
        method: &'static str,
        from: Direction,
        pdu: &Pdu<'_>,
        out: &mut dyn Sink,
    ) -> bool {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let is_name =
            name.chars().all(plain) && name.chars().any(|c| c.is_ascii_alphabetic()) && !name.starts_with("localhost");
        if is_name {
            let subject = pdu.flow.sender(from).address;
            self.claims.identify(out, pdu.at, subject, (Attribute::HostName, name, method));
        }
        is_name
    }

    /// Software that the sender of this piece says it is.
    pub(super) fn software(&mut self, software: &str, method: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if pdu.direction == Direction::FromClient {
            software.clone_into(&mut self.client_software);
        }
        self.claims.identify(out, pdu.at, pdu.sender().address, (Attribute::Software, software, method));
    }

    /// Something the session row shall tell, once.
    pub(super) fn fact(&mut self, key: &'static str) {
        if self.claims.first(("fact", key)) {
            self.facts.flag(key, true);
        }
    }

    /// The mechanisms that the server offers.
    pub(super) fn offers<'n>(&mut self, mechanisms: impl Iterator<Item = &'n str>) {
        if self.claims.first("mechanisms") {
            self.facts.texts("offered_mechanisms", mechanisms.map(str::to_ascii_lowercase));
        }
    }

    /// A login begins; one under way had no answer.
    pub(super) fn begin_login(&mut self, method: &'static str, at: At, out: &mut dyn Sink) -> &mut Login {
        self.end_login(Outcome::Unknown, out);
        let (login, _) = self.login.insert((Login { method, ..Login::default() }, at));
        login
    }

    /// The login under way.
    pub(super) fn login(&mut self) -> Option<&mut Login> {
        self.login.as_mut().map(|(login, _)| login)
    }

    /// A SASL exchange begins.
    pub(super) fn begin_exchange(
        &mut self,
        mechanism: &[u8],
        initial: Option<&[u8]>,
        pdu: &Pdu<'_>,
        out: &mut dyn Sink,
    ) {
        let mechanism = Mechanism::of(mechanism);
        self.begin_login(mechanism.name(), pdu.at, out);
        self.exchange = Some(Exchange::new(mechanism));
        if let Some(initial) = initial {
            self.response(initial, pdu, out);
        }
    }

    /// Whether a line of the client answers within an exchange. No answer has a blank (RFC 4648): a line that has one is a
    /// command, and the end of the exchange was missed.
    pub(super) fn in_exchange(&mut self, line: &[u8], out: &mut dyn Sink) -> bool {
        if self.exchange.is_some() && line.contains(&b' ') {
            self.end_login(Outcome::Unknown, out);
        }
        self.exchange.is_some()
    }

    /// The client answers within the exchange.
    pub(super) fn response(&mut self, text: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if let (Some(exchange), Some((login, _))) = (&mut self.exchange, &mut self.login)
            && let Some(message) = exchange.response(text, login)
        {
            ntlm::say(&message, &mut self.claims, out, pdu.at, pdu.sender().address);
        }
    }

    /// The server asks for more within the exchange.
    pub(super) fn challenge(&mut self, text: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if let Some(message) = sasl::challenge(text) {
            ntlm::say(&message, &mut self.claims, out, pdu.at, pdu.sender().address);
        }
    }

    /// The login under way ended so.
    pub(super) fn end_login(&mut self, outcome: Outcome, out: &mut dyn Sink) {
        self.exchange = None;
        let (Some((login, at)), Some(ends)) = (self.login.take(), self.ends) else { return };
        self.session(&login, outcome, at, out);
        if let Some(secret) = login.secret {
            secret.report(&mut self.claims, out, at, ends, &login.user, outcome);
        }
        if let Some((weakness, rule)) = login.scheme
            && (weakness != Weakness::Anonymous || outcome == Outcome::Success)
        {
            let Ends { client, server, protocol } = ends;
            let claim = Credential { client, server, protocol, account: &login.user, weakness, rule };
            self.claims.credential(out, at, claim);
        }
    }

    fn session(&mut self, login: &Login, outcome: Outcome, at: At, out: &mut dyn Sink) {
        let Some(Ends { client, server, protocol }) = self.ends else { return };
        self.told = true;
        let row = Session {
            client,
            server,
            protocol,
            version: "",
            user: &login.user,
            method: login.method,
            outcome,
            client_software: &self.client_software,
            server_software: &self.software,
            encrypted: self.tls.is_some(),
            detail: self.facts.object(&mut self.text),
        };
        out.emit(at, Observation::Session(row));
    }

    /// The two ends, once a piece was seen.
    pub(super) const fn ends(&self) -> Option<Ends> {
        self.ends
    }

    /// A command with its reply.
    pub(super) fn request(
        &mut self,
        at: At,
        (method, argument): (&str, &str),
        status: Option<u32>,
        out: &mut dyn Sink,
    ) {
        let Some(Ends { client, server, protocol }) = self.ends else { return };
        let row = Request { client, server, protocol, method, host: "", uri: argument, user_agent: "", status };
        out.emit(at, Observation::Request(row));
    }

    /// Whether the client begins a handshake of TLS though no agreement was seen: its reply was missed.
    fn agreed_to_tls(&self, pdu: &Pdu<'_>) -> bool {
        pdu.direction == Direction::FromClient && self.client.awaits_line() && pdu.data.starts_with(&[0x16, 3])
    }

    /// The client asked for TLS and the server agreed.
    pub(super) fn begin_tls(&mut self, pdu: &Pdu<'_>) {
        self.fact("starttls");
        self.tls = Some(crate::tls::Tls.open(pdu.flow));
    }

    /// A line that is neither command nor reply.
    pub(super) fn unknown(&mut self, name: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        self.unknown = self.unknown.saturating_add(1);
        let (sender, receiver) = (pdu.sender(), pdu.receiver());
        let protocol = self.ends.map_or("", |ends| ends.protocol);
        let detail = "line is no command or reply";
        out.emit(pdu.at, Observation::Weird(Weird { name, protocol, detail, sender, receiver }));
        out.mark(Mark::Malformed(detail));
    }

    fn close(&mut self, out: &mut dyn Sink) {
        self.end_login(Outcome::Unknown, out);
        if !self.told && (self.greeted || self.tls.is_some()) {
            let at = self.at.unwrap_or_default();
            self.session(&Login::default(), Outcome::Unknown, at, out);
        }
    }
}

/// The first word of a line in upper case, and what follows it.
pub(super) fn verb(line: &[u8]) -> (String, &[u8]) {
    let end = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
    let (verb, rest) = line.split_at_checked(end).unwrap_or((line, b""));
    (String::from_utf8_lossy(verb).to_ascii_uppercase(), rest.trim_ascii())
}

/// The first two words of what follows AUTH or AUTHENTICATE: mechanism and initial response.
pub(super) fn mechanism(argument: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut words = argument.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    (words.next().unwrap_or_default(), words.next())
}

/// The words of a greeting that tell software: without the stamp of POP3 (RFC 1939 section 7) or a date, which differ each time.
fn software_of(text: &[u8]) -> String {
    const DAYS: [&str; 7] = ["Mon,", "Tue,", "Wed,", "Thu,", "Fri,", "Sat,", "Sun,"];
    let text = device_text(text).unwrap_or_default();
    let mut software = String::new();
    for word in text.split(' ').filter(|word| !word.is_empty() && !word.starts_with('<')) {
        if DAYS.contains(&word) || software.len() + word.len() > MAX_SOFTWARE {
            break;
        }
        if !software.is_empty() {
            software.push(' ');
        }
        software.push_str(word);
    }
    software.truncate(software.trim_end_matches(&[';', ',', ' '][..]).len());
    software
}
