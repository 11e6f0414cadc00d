//! Puts the two directions of a TLS connection together.

use std::fmt::Write as _;

use quaywatch_model::{
    At, Attribute, Direction, Endpoint, Identity, Mark, Name, NameKind, Observation, Outcome, Service, Session, Sink,
    Transport, Weird,
};
use quaywatch_wire::{Flow, Pdu};

use super::certificate::{self, Certificate};
use super::hello::{self, Carrier, ClientHello, ServerHello};
use super::side::{Part, Side};
use super::{TLS_META, ciphers, names};
use crate::Analyzer;
use crate::claims::Claims;
use crate::detail::Detail;

/// Handshake messages and alerts that are listed in the detail of a session.
const MAX_LISTED: usize = 48;
/// Cipher suites listed of an offer.
const MAX_OFFERED: usize = 200;

/// A remote-access tool that shows itself by its ALPN or its certificate.
const ANYDESK: &str = "anydesk";

const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;

/// Everything learned of one connection.
#[derive(Default)]
struct Facts {
    /// Place of the first hello; the session row stands there.
    at: Option<At>,
    hello: Option<ClientHello>,
    record_version: u16,
    server: Option<ServerHello>,
    server_chain: Vec<Certificate>,
    client_chain: Vec<Certificate>,
    /// `c1 s2 s11 s14 c16`: sender and type of each handshake message.
    messages: String,
    listed: usize,
    /// `s2.40`: sender, level and description.
    alerts: String,
    refused: bool,
    /// Version of the first record that could not be read.
    seen_version: u16,
}

/// Reads one flow.
#[derive(Default)]
pub(super) struct TlsAnalyzer {
    client: Side,
    server: Side,
    facts: Facts,
    claims: Claims,
    detail: Detail,
    /// Which direction the client sends in; by content, as a flow picked up midway may be turned round.
    from_client: Option<Direction>,
    told: bool,
    /// What shows itself to use the connection.
    carries: Option<&'static str>,
    ends: Option<(Endpoint, Endpoint)>,
}

impl Analyzer for TlsAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let mut side = std::mem::take(self.side(pdu.direction));
        let was_lost = side.lost;
        let mut readable = false;
        let mut broken = false;
        side.take(pdu.data, |part| {
            match part {
                Part::Encrypted { .. } => {}
                Part::NoRecord => broken = true,
                _ => readable = true,
            }
            self.part(part, pdu, out)
        });
        let lost = was_lost && side.lost && !broken;
        *self.side(pdu.direction) = side;
        self.ends = Some(self.ends_of(pdu.flow));
        if !self.told && self.is_established() {
            self.tell(Outcome::Success, pdu.at, out);
        }
        if lost {
            out.mark(Mark::Undecoded("tls after a gap"));
        } else if !readable && !broken && !self.in_handshake(pdu.direction) {
            out.mark(Mark::Opaque("encrypted"));
        }
    }

    fn service(&self) -> Option<&'static str> {
        self.carries
    }

    fn gap(&mut self, direction: Direction, _missing: u32, _out: &mut dyn Sink) {
        self.side(direction).lose();
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        if !self.told {
            let outcome = if self.facts.refused { Outcome::Failure } else { Outcome::Unknown };
            self.tell(outcome, At::default(), out);
        }
    }
}

impl TlsAnalyzer {
    const fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::FromClient => &mut self.client,
            Direction::FromServer => &mut self.server,
        }
    }

    fn ends_of(&self, flow: &Flow) -> (Endpoint, Endpoint) {
        let direction = self.from_client.unwrap_or(Direction::FromClient);
        (flow.sender(direction), flow.receiver(direction))
    }

    /// Whether a piece without a whole part belongs to a handshake that is still readable.
    const fn in_handshake(&self, direction: Direction) -> bool {
        let side = match direction {
            Direction::FromClient => &self.client,
            Direction::FromServer => &self.server,
        };
        !side.encrypted && side.encrypted_records == 0
    }

    /// Both directions send what cannot be read, after a server hello was seen.
    fn is_established(&self) -> bool {
        self.facts.server.is_some() && self.client.encrypted_records > 0 && self.server.encrypted_records > 0
    }

    /// Takes a part; says whether its direction is encrypted from here on.
    fn part(&mut self, part: Part<'_>, pdu: &Pdu<'_>, out: &mut dyn Sink) -> bool {
        match part {
            Part::Message { kind, body, record_version } => self.message(kind, body, record_version, pdu, out),
            Part::V2 { kind, body } => return self.v2(kind, body, pdu, out),
            Part::Alert { level, description } => self.alert(level, description, pdu),
            // TLS 1.3 sends it for the sake of middleboxes only, and may go on in clear.
            Part::ChangeCipherSpec => return self.facts.server.as_ref().is_none_or(|hello| hello.version < 0x0304),
            Part::HeartbeatOverread => {
                self.weird("tls_heartbeat_overread", "heartbeat asks for more than it sends", pdu, out);
            }
            Part::Encrypted { record_version, .. } => {
                self.facts.at.get_or_insert(pdu.at);
                if self.facts.seen_version == 0 {
                    self.facts.seen_version = record_version;
                }
            }
            Part::NoRecord => {
                self.weird("tls_record_malformed", "no TLS record where one must start", pdu, out);
                out.mark(Mark::Malformed("no TLS record where one must start"));
            }
        }
        false
    }

    fn message(&mut self, kind: u8, body: &[u8], record_version: u16, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        self.list(kind, pdu);
        let read = match kind {
            CLIENT_HELLO => ClientHello::parse(body, Carrier::Tls).and_then(|hello| {
                self.facts.record_version = record_version;
                let cut = hello.cut;
                self.client_hello(hello, pdu, out);
                (!cut).then_some(())
            }),
            SERVER_HELLO => ServerHello::parse(body).map(|hello| self.server_hello(hello, pdu, out)),
            CERTIFICATE => {
                let (chain, whole) = certificate::chain(body);
                self.certificates(chain, pdu, out);
                whole.then_some(())
            }
            _ => Some(()),
        };
        if read.is_none() {
            let (name, reason) = match kind {
                CERTIFICATE => ("tls_certificate_malformed", "certificate cannot be read"),
                _ => ("tls_hello_malformed", "hello message is cut short"),
            };
            self.weird(name, reason, pdu, out);
            out.mark(Mark::Malformed(reason));
        }
    }

    fn v2(&mut self, kind: u8, body: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) -> bool {
        self.list(kind, pdu);
        match kind {
            1 => {
                if let Some(hello) = ClientHello::parse_v2(body) {
                    self.facts.record_version = 0x0002;
                    self.client_hello(hello, pdu, out);
                }
                false
            }
            // SSL 2.0 server hello: session id hit, certificate type, version. What follows is not read.
            4 => {
                self.server_hello(
                    ServerHello { version: 0x0002, legacy_version: 0x0002, ..ServerHello::default() },
                    pdu,
                    out,
                );
                true
            }
            _ => true,
        }
    }

    fn list(&mut self, kind: u8, pdu: &Pdu<'_>) {
        self.facts.at.get_or_insert(pdu.at);
        // Until a hello tells, the first sender counts as what its message says.
        if self.from_client.is_none() {
            self.from_client = match kind {
                SERVER_HELLO => Some(pdu.direction.reverse()),
                CLIENT_HELLO => Some(pdu.direction),
                _ => None,
            };
        }
        self.facts.listed += 1;
        if self.facts.listed <= MAX_LISTED {
            let sender = self.sender(pdu);
            let blank = if self.facts.messages.is_empty() { "" } else { " " };
            let _ = write!(self.facts.messages, "{blank}{sender}{kind}");
        }
    }

    fn sender(&self, pdu: &Pdu<'_>) -> char {
        if self.from_client.unwrap_or(Direction::FromClient) == pdu.direction { 'c' } else { 's' }
    }

    fn client_hello(&mut self, hello: ClientHello, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let (client, server) = self.ends_of(pdu.flow);
        let name = hello.server_name.to_ascii_lowercase();
        let claim = Name { subject: server.address, name: &name, kind: NameKind::TlsSni, asker: client.address };
        self.claims.name(out, pdu.at, claim);
        for program in hello.protocols.iter().filter(|protocol| protocol.starts_with("anydesk/")) {
            self.carry(ANYDESK, pdu, out);
            let (subject, attribute) = (client.address, Attribute::Software);
            self.claims.identity(out, pdu.at, Identity { subject, attribute, value: program, method: "tls alpn" });
        }
        // After a retry request the first hello is told: it is what the client offered by itself.
        self.facts.hello.get_or_insert(hello);
    }

    fn server_hello(&mut self, hello: ServerHello, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if !hello.retry {
            let (_, server) = self.ends_of(pdu.flow);
            let version = names::version(hello.version);
            let claim =
                Service { server, transport: Transport::Tcp, protocol: TLS_META.name, software: "", version: &version };
            self.claims.service(out, pdu.at, claim);
        }
        self.facts.server = Some(hello);
    }

    fn certificates(&mut self, chain: Vec<Certificate>, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let method = if self.sender(pdu) == 'c' { "tls client certificate" } else { "tls certificate" };
        // AnyDesk's clients and relays sign their own certificates, under these names.
        if chain.iter().any(|own| own.subject.contains("AnyDesk Client") || own.subject.contains("AnyNet ")) {
            self.carry(ANYDESK, pdu, out);
        }
        if let Some(own) = chain.first() {
            let subject = pdu.sender().address;
            let claim = Identity { subject, attribute: Attribute::Certificate, value: &own.subject, method };
            self.claims.identity(out, pdu.at, claim);
        }
        if self.sender(pdu) == 'c' {
            self.facts.client_chain = chain;
        } else {
            self.facts.server_chain = chain;
        }
    }

    /// Notes what uses the connection, and tells its service.
    fn carry(&mut self, protocol: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        self.carries = Some(protocol);
        let (_, server) = self.ends_of(pdu.flow);
        let claim = Service { server, transport: Transport::Tcp, protocol, software: "", version: "" };
        self.claims.service(out, pdu.at, claim);
    }

    fn alert(&mut self, level: u8, description: u8, pdu: &Pdu<'_>) {
        self.facts.at.get_or_insert(pdu.at);
        self.facts.refused |= level == 2;
        self.facts.listed += 1;
        if self.facts.listed <= MAX_LISTED {
            let sender = self.sender(pdu);
            let blank = if self.facts.alerts.is_empty() { "" } else { " " };
            let _ = write!(self.facts.alerts, "{blank}{sender}:{}", names::alert(description));
        }
    }

    /// Emits the session row.
    fn tell(&mut self, outcome: Outcome, at: At, out: &mut dyn Sink) {
        let Some((client, server)) = self.ends else { return };
        if self.facts.at.is_none() && !self.client.encrypted && !self.server.encrypted {
            return;
        }
        self.told = true;
        let facts = &self.facts;
        let version = facts.server.as_ref().map(|hello| names::version(hello.version));
        let detail = describe(facts, &mut self.detail);
        let row = Session {
            client,
            server,
            protocol: TLS_META.name,
            version: version.as_deref().unwrap_or_default(),
            // A client certificate names a machine or a product as often as a person: it stands in the detail.
            user: "",
            method: if facts.client_chain.is_empty() { "" } else { "certificate" },
            outcome,
            client_software: "",
            server_software: "",
            encrypted: self.client.encrypted_records > 0 || self.server.encrypted_records > 0,
            detail,
        };
        let at = facts.at.unwrap_or(at);
        out.emit(at, Observation::Session(row));
        if let Some(protocol) = self.carries {
            out.emit(at, Observation::Session(Session { protocol, version: "", detail: "", ..row }));
        }
    }

    fn weird(&mut self, name: &'static str, detail: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let (sender, receiver) = (pdu.sender(), pdu.receiver());
        out.emit(pdu.at, Observation::Weird(Weird { name, protocol: TLS_META.name, detail, sender, receiver }));
    }
}

/// Writes the detail of a session.
fn describe<'d>(facts: &Facts, detail: &'d mut Detail) -> &'d str {
    detail.begin();
    if let Some(hello) = &facts.hello {
        describe_offer(hello, Carrier::Tls, detail);
        detail.text("record_version", &format!("0x{:04x}", facts.record_version));
    } else if facts.seen_version != 0 {
        detail.text("record_version", &format!("0x{:04x}", facts.seen_version));
    }
    if let Some(hello) = &facts.server {
        describe_choice(hello, detail);
    }
    let rest = |chain: &'_ [Certificate]| chain.iter().skip(1).map(|c| c.detail.clone()).collect::<Vec<_>>();
    let (server_rest, client_rest) = (rest(&facts.server_chain), rest(&facts.client_chain));
    detail
        .object("certificate", facts.server_chain.first().map_or("", |own| &own.detail))
        .objects("chain", server_rest.iter().map(String::as_str))
        .object("client_certificate", facts.client_chain.first().map_or("", |own| &own.detail))
        .objects("client_chain", client_rest.iter().map(String::as_str))
        .text("handshake", &facts.messages)
        .text("alerts", &facts.alerts)
        .finish()
}

/// What the client offers.
pub(super) fn describe_offer(hello: &ClientHello, carrier: Carrier, detail: &mut Detail) {
    let offered = hello.ciphers.get(..MAX_OFFERED).unwrap_or(&hello.ciphers);
    detail
        .text("sni", &hello.server_name)
        .text("ja4", &hello.ja4(carrier))
        .text("offered_version", &names::version(hello.highest_version()))
        .text("hello_version", &format!("0x{:04x}", hello.version))
        .list("offered_alpn", hello.protocols.iter().map(String::as_str))
        .text("offered_ciphers", &hello::list(offered));
}

/// What the server chose.
pub(super) fn describe_choice(hello: &ServerHello, detail: &mut Detail) {
    let unnamed = format!("0x{:04x}", hello.cipher);
    let cipher = if hello.version == 0x0002 { "" } else { ciphers::name(hello.cipher).unwrap_or(&unnamed) };
    detail
        .text("cipher", cipher)
        .number("cipher_id", hello.cipher.into())
        .text("server_hello_version", &format!("0x{:04x}", hello.legacy_version))
        .text("alpn", &hello.protocol);
}
