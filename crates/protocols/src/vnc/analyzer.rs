//! Follows the handshake of one connection.

use quaywatch_model::{
    At, Attribute, Credential, Direction, Mark, Observation, Operation, OperationClass, Outcome, Service, Session,
    Sink, Timestamp, Transport, Weakness, Weird,
};
use quaywatch_wire::{Flow, Pdu};

use super::handshake::{self, Step};
use super::{META, names};
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::login::{Ends, Secret, forget};
use crate::{Analyzer, Protocol};

/// Bytes of a direction held while a message is not whole: no message of the handshake is longer by right.
const MAX_HELD: usize = 4096;

/// Operations: an exchange of the handshake each. The protocol has no numbers for them.
const VERSION: (u32, &str) = (1, "version");
const SECURITY: (u32, &str) = (2, "security");
const AUTHENTICATE: (u32, &str) = (3, "authenticate");
const INITIALISE: (u32, &str) = (4, "initialise");

/// The first half of an exchange.
#[derive(Clone, Copy)]
struct Opened {
    at: At,
    what: (u32, &'static str),
}

/// Reads one flow.
#[derive(Default)]
pub(super) struct VncAnalyzer {
    client: Vec<u8>,
    server: Vec<u8>,
    step: Step,
    version: String,
    minor: u8,
    security: u32,
    /// Authentication within Tight or VeNCrypt; 0 if there is none.
    inner: u32,
    method: &'static str,
    user: String,
    secret: Option<Secret>,
    outcome: Option<Outcome>,
    encrypted: bool,
    opened: Option<Opened>,
    detail: DetailJson,
    facts: DetailJson,
    line: String,
    told: bool,
    tls: Option<Box<dyn Analyzer>>,
    claims: Claims,
    ends: Option<Ends>,
    at: At,
}

impl Analyzer for VncAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        self.ends = Some(Ends { client: pdu.flow.client, server: pdu.flow.server, protocol: META.name });
        if let Some(tls) = &mut self.tls {
            return tls.feed(pdu, out);
        }
        if self.step == Step::Over {
            return out.mark(self.rest());
        }
        self.held(pdu.direction).extend_from_slice(pdu.data);
        self.advance(pdu, out);
        let too_long = self.held(pdu.direction).len() > MAX_HELD;
        match self.step {
            Step::Tls => self.begin_tls(pdu, out),
            Step::Over => self.end(out),
            _ if too_long => {
                self.weird("vnc_handshake_broken", "a handshake message of impossible length", pdu, out);
                self.end(out);
            }
            _ => {}
        }
    }

    fn gap(&mut self, direction: Direction, missing: u32, out: &mut dyn Sink) {
        match &mut self.tls {
            Some(tls) => tls.gap(direction, missing, out),
            None => self.end(out),
        }
    }

    fn close(&mut self, flow: &Flow, out: &mut dyn Sink) {
        self.end(out);
        if let Some(tls) = &mut self.tls {
            tls.close(flow, out);
        }
    }
}

impl VncAnalyzer {
    const fn held(&mut self, direction: Direction) -> &mut Vec<u8> {
        match direction {
            Direction::FromClient => &mut self.client,
            Direction::FromServer => &mut self.server,
        }
    }

    const fn rest(&self) -> Mark {
        Mark::Opaque(if self.encrypted { "encrypted" } else { "screen, keys and pointer" })
    }

    /// Takes messages as long as the awaited one is whole.
    fn advance(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        while !matches!(self.step, Step::Tls | Step::Over) {
            let direction = if self.step.is_from_server() { Direction::FromServer } else { Direction::FromClient };
            let (step, minor) = (self.step, self.minor);
            let held = self.held(direction);
            let Some(length) = step.length(minor, held).filter(|length| *length <= held.len() && *length > 0) else {
                return;
            };
            let mut message: Vec<u8> = held.drain(..length).collect();
            self.at = pdu.at;
            self.message(&message, pdu, out);
            forget(&mut message);
        }
    }

    fn message(&mut self, message: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        self.step = match self.step {
            Step::ServerVersion => self.server_version(message, pdu, out),
            Step::ClientVersion => self.client_version(message, pdu, out),
            Step::Offer => self.offer(message, out),
            Step::Choice => {
                self.choose(message.first().copied().unwrap_or(0).into());
                self.close_exchange(None, 0, out);
                handshake::after_choice(self.security, self.minor)
            }
            Step::Reason => {
                self.facts.text("reason", handshake::reason(message));
                Step::Over
            }
            Step::Challenge => Step::Response,
            Step::Response => self.answered(Step::Result),
            Step::Sealed(_) => self.answered(Step::Result),
            Step::TightTunnels if message.len() > 4 => Step::TightTunnelChoice,
            Step::TightTunnels | Step::TightTunnelChoice => Step::TightOffer,
            Step::TightOffer => self.tight_offer(message),
            Step::TightChoice => self.tight_choice(message),
            Step::VencryptServerVersion => Step::VencryptClientVersion,
            Step::VencryptClientVersion => Step::VencryptAck,
            Step::VencryptAck if message == [0] => Step::VencryptOffer,
            Step::VencryptAck => Step::Over,
            Step::VencryptOffer => {
                let subtypes = handshake::vencrypt_offer(message);
                self.facts.texts("offered_subtypes", subtypes.iter().map(|code| names::subtype(*code)));
                if subtypes.is_empty() { Step::Over } else { Step::VencryptChoice }
            }
            Step::VencryptChoice => self.vencrypt_choice(message),
            Step::VencryptStart if message == [1] => Step::Tls,
            Step::VencryptStart => Step::Over,
            Step::Plain => self.plain(message),
            // The client seals account and password, 64 bytes each, and adds its public key.
            Step::AppleKey => Step::Sealed(message.len().saturating_sub(4) / 2 + 128),
            // Public key, account, password.
            Step::UltraKey => Step::Sealed(8 + 256 + 64),
            Step::Result => self.result(message, out),
            Step::ClientInit => {
                self.detail.flag("shared", message != [0]);
                self.open_exchange(INITIALISE);
                Step::ServerInit
            }
            Step::ServerInit => self.screen(message, pdu, out),
            over @ (Step::Tls | Step::Over) => over,
        };
    }

    fn server_version(&mut self, message: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) -> Step {
        let text = String::from_utf8_lossy(message.get(4..11).unwrap_or_default()).into_owned();
        self.version = plain_version(&text);
        let claim = Service {
            server: pdu.flow.server,
            transport: Transport::Tcp,
            protocol: META.name,
            software: "",
            version: &self.version,
        };
        self.claims.service(out, pdu.at, claim);
        self.detail.text("server_version", &text);
        self.open_exchange(VERSION);
        if text.starts_with("003") {
            return Step::ClientVersion;
        }
        // From 4 on it is RealVNC's own, which is not published.
        self.method = "realvnc";
        Step::Over
    }

    fn client_version(&mut self, message: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) -> Step {
        if !super::is_version(message) {
            self.weird("vnc_handshake_broken", "the client answers with no version", pdu, out);
            return Step::Over;
        }
        // The client's version is the one spoken (section 7.1.1); it is one of 3, 7 and 8.
        self.minor = message.get(10).map_or(8, |digit| digit.wrapping_sub(b'0'));
        let text = String::from_utf8_lossy(message.get(4..11).unwrap_or_default()).into_owned();
        self.detail.text("client_version", &text);
        self.version = plain_version(&text);
        let version = self.version.clone();
        self.close_exchange(Some(&version), 0, out);
        Step::Offer
    }

    fn offer(&mut self, message: &[u8], out: &mut dyn Sink) -> Step {
        let offered = handshake::offer(self.minor, message);
        self.detail.numbers("offered_types_id", offered.iter().copied());
        self.detail.texts("offered_types", offered.iter().map(|code| names::security(*code)));
        self.facts.texts("offered_types", offered.iter().map(|code| names::security(*code)));
        self.open_exchange(SECURITY);
        match offered.first() {
            None => {
                self.outcome = Some(Outcome::Failure);
                self.close_exchange(None, 1, out);
                Step::Reason
            }
            Some(kind) if self.minor < 7 => {
                self.choose(*kind);
                self.close_exchange(None, 0, out);
                handshake::after_choice(self.security, self.minor)
            }
            Some(_) => Step::Choice,
        }
    }

    fn choose(&mut self, security: u32) {
        self.security = security;
        self.method = names::security(security);
        self.encrypted = names::encrypts(security);
        self.detail.number("chosen_type_id", security);
        self.detail.text("chosen_type", self.method);
        // Without a result to come, a screen handed out is the success.
        if handshake::after_choice(security, self.minor) == Step::ClientInit {
            self.outcome = Some(Outcome::Success);
        }
    }

    fn tight_offer(&mut self, message: &[u8]) -> Step {
        let offered = handshake::capabilities(message);
        if offered.is_empty() {
            // Nothing to choose from means no authentication.
            self.inner = names::NONE;
            return handshake::after_tight(names::NONE, self.minor);
        }
        self.facts.texts("offered_tight", offered.iter().map(|code| names::tight(*code)));
        Step::TightChoice
    }

    fn tight_choice(&mut self, message: &[u8]) -> Step {
        self.inner = crate::bytes::Cursor::new(message).be32().unwrap_or(0);
        self.facts.text("tight_authentication", names::tight(self.inner));
        handshake::after_tight(self.inner, self.minor)
    }

    fn vencrypt_choice(&mut self, message: &[u8]) -> Step {
        self.inner = crate::bytes::Cursor::new(message).be32().unwrap_or(0);
        self.facts.text("chosen_subtype", names::subtype(self.inner));
        self.encrypted = self.inner > names::PLAIN;
        if self.inner == names::PLAIN { Step::Plain } else { Step::VencryptStart }
    }

    fn plain(&mut self, message: &[u8]) -> Step {
        if let Some((user, password)) = handshake::plain(message) {
            self.secret = Some(Secret::examine(&user, password));
            self.user = user;
        }
        self.answered(Step::Result)
    }

    /// The client has answered the authentication.
    fn answered(&mut self, next: Step) -> Step {
        self.open_exchange(AUTHENTICATE);
        next
    }

    fn result(&mut self, message: &[u8], out: &mut dyn Sink) -> Step {
        let result = crate::bytes::Cursor::new(message).be32().unwrap_or(1);
        let method = self.method;
        if self.opened.is_none() {
            self.open_exchange(AUTHENTICATE);
        }
        self.close_exchange(Some(method), result, out);
        self.outcome = Some(if result == 0 { Outcome::Success } else { Outcome::Failure });
        match result {
            0 => Step::ClientInit,
            // Since version 3.8 the reason follows.
            _ if self.minor >= 8 => Step::Reason,
            _ => Step::Over,
        }
    }

    fn screen(&mut self, message: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) -> Step {
        if let Some(screen) = handshake::screen(message) {
            self.detail.number("width", screen.width);
            self.detail.number("height", screen.height);
            self.facts.text("desktop_name", &screen.name);
            self.facts.number("width", screen.width);
            self.facts.number("height", screen.height);
            if let Some(host) = handshake::host_name(&screen.name) {
                let claim = (Attribute::HostName, host, "vnc desktop name");
                self.claims.identify(out, pdu.at, pdu.flow.server.address, claim);
            }
            self.close_exchange(Some(&screen.name), 0, out);
        }
        Step::Over
    }

    fn begin_tls(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        self.encrypted = true;
        self.end(out);
        let mut tls = crate::tls::Tls.open(pdu.flow);
        for direction in [Direction::FromServer, Direction::FromClient] {
            let early = std::mem::take(self.held(direction));
            if !early.is_empty() {
                tls.feed(&Pdu { data: &early, direction, ..*pdu }, out);
            }
        }
        self.tls = Some(tls);
    }

    /// The handshake is over, or what remains of it cannot be read: tells the session.
    fn end(&mut self, out: &mut dyn Sink) {
        if !matches!(self.step, Step::Tls) {
            self.step = Step::Over;
            self.client = Vec::new();
            self.server = Vec::new();
        }
        if self.opened.is_some() {
            self.emit_exchange(None, None, out);
        }
        let (Some(ends), false) = (self.ends, std::mem::replace(&mut self.told, true)) else { return };
        let Ends { client, server, protocol } = ends;
        let outcome = self.outcome.unwrap_or(Outcome::Unknown);
        let row = Session {
            client,
            server,
            protocol,
            version: &self.version,
            user: &self.user,
            method: self.method,
            outcome,
            client_software: "",
            server_software: "",
            encrypted: self.encrypted,
            detail: self.facts.object(&mut self.line),
        };
        out.emit(self.at, Observation::Session(row));
        if let Some(secret) = self.secret {
            secret.report(&mut self.claims, out, self.at, ends, &self.user, outcome);
        }
        let kind = if self.security == names::TIGHT { self.inner } else { self.security };
        let (weakness, rule) = match kind {
            names::NONE if outcome == Outcome::Success => {
                (Weakness::Empty, "the screen was handed out without any password")
            }
            names::VNC => (Weakness::WeakScheme, "DES challenge-response over at most eight characters"),
            _ => return,
        };
        out.emit(
            self.at,
            Observation::Credential(Credential { client, server, protocol, account: "", weakness, rule }),
        );
    }

    const fn open_exchange(&mut self, what: (u32, &'static str)) {
        self.opened = Some(Opened { at: self.at, what });
    }

    fn close_exchange(&mut self, object: Option<&str>, status: u32, out: &mut dyn Sink) {
        self.emit_exchange(object, Some(status), out);
    }

    /// Emits an exchange of the handshake. Whoever speaks first, the client is the end that connected.
    fn emit_exchange(&mut self, object: Option<&str>, status: Option<u32>, out: &mut dyn Sink) {
        let (Some(Opened { at, what: (code, name) }), Some(ends)) = (self.opened.take(), self.ends) else { return };
        let row = Operation {
            protocol: ends.protocol,
            client: ends.client,
            server: ends.server,
            unit: None,
            code,
            name,
            class: OperationClass::Session,
            object: object.unwrap_or(self.method),
            quantity: None,
            status,
            status_name: status.map_or("", names::result),
            latency: status.map(|_| Timestamp::since(self.at.ts, at.ts)),
            request_frame: Some(at.frame),
            reply_frame: status.map(|_| self.at.frame),
            detail: self.detail.object(&mut self.line),
        };
        out.emit(self.at, Observation::Operation(row));
        self.detail.clear();
    }

    fn weird(&mut self, name: &'static str, detail: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let (sender, receiver) = (pdu.sender(), pdu.receiver());
        out.emit(pdu.at, Observation::Weird(Weird { name, protocol: META.name, detail, sender, receiver }));
        out.mark(Mark::Malformed(detail));
    }
}

/// `003.008` as `3.8`.
fn plain_version(text: &str) -> String {
    let number = |part: &str| part.trim_start_matches('0').to_owned();
    let (major, minor) = text.split_once('.').unwrap_or((text, ""));
    let minor = number(minor);
    format!("{}.{}", number(major), if minor.is_empty() { "0" } else { &minor })
}
