//! Follows the opening of a remote desktop connection over TCP.

use quaywatch_model::{
    At, Attribute, Credential, Direction, Endpoint, Mark, Observation, Operation, OperationClass, Outcome, Service,
    Session, Sink, Timestamp, Transport, Weakness, Weird,
};
use quaywatch_wire::{Flow, Framer, Length, Pdu};

use super::core::{Client, Server};
use super::negotiation::{self, Answer, Request};
use super::{META, info, names};
use crate::claims::Claims;
use crate::cotp::{self, Tpdu};
use crate::detail_json::DetailJson;
use crate::login::{Ends, Secret};
use crate::ntlm::{self, Message};
use crate::{Analyzer, Protocol};

/// Longest packet: the length of a TPKT has 16 bits.
const MAX_PACKET: usize = 0xffff;
/// Bytes of header before the TPDU of a packet.
const TPKT: usize = 4;
/// Operation codes: the X.224 connect, and the T.125 connect (its application tag).
const CONNECT: u32 = 0xe0;
const MCS_CONNECT: u32 = 101;

/// What the bytes after the opening are.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
enum Rest {
    /// The opening is under way, or standard security whose packets stay readable in part.
    #[default]
    Packets,
    /// Framing was lost.
    Lost,
}

/// A request that waits for its answer.
#[derive(Clone, Copy)]
struct Waiting {
    at: At,
    code: u32,
    name: &'static str,
}

/// Reads one flow.
pub(super) struct RdpAnalyzer {
    client: Framer,
    server: Framer,
    rest: Rest,
    tls: Option<Box<dyn Analyzer>>,
    waiting: Option<Waiting>,
    request: Request,
    method: &'static str,
    version: &'static str,
    client_name: String,
    encrypted: bool,
    user: String,
    /// Place of the opening; the session row stands there.
    at: Option<At>,
    told: bool,
    ends: Option<Ends>,
    detail: DetailJson,
    /// What the session row tells; collected while the operations use `detail`.
    facts: DetailJson,
    line: String,
    claims: Claims,
}

impl Default for RdpAnalyzer {
    fn default() -> Self {
        RdpAnalyzer {
            client: Framer::new(MAX_PACKET),
            server: Framer::new(MAX_PACKET),
            rest: Rest::Packets,
            tls: None,
            waiting: None,
            request: Request::default(),
            method: "",
            version: "",
            client_name: String::new(),
            encrypted: false,
            user: String::new(),
            at: None,
            told: false,
            ends: None,
            detail: DetailJson::default(),
            facts: DetailJson::default(),
            line: String::new(),
            claims: Claims::default(),
        }
    }
}

/// Framing: TPKT, or the fast path whose first byte has 0 in its low bits (section 2.2.8.1.2).
fn length(bytes: &[u8]) -> Length {
    match *bytes {
        [3, 0, high, low, ..] => match u16::from_be_bytes([high, low]) {
            length @ 7.. => Length::Whole(length.into()),
            _ => Length::Invalid,
        },
        [3] | [3, 0] | [3, 0, _] => Length::NeedMore,
        [first, ..] if first & 3 != 0 => Length::Invalid,
        [_, short @ 2..=0x7f, ..] => Length::Whole(short.into()),
        [_, high, low, ..] if high & 0x80 != 0 => match u16::from_be_bytes([high & 0x7f, low]) {
            length @ 3.. => Length::Whole(length.into()),
            _ => Length::Invalid,
        },
        [_] => Length::NeedMore,
        [_, high] if high & 0x80 != 0 => Length::NeedMore,
        _ => Length::Invalid,
    }
}

impl Analyzer for RdpAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        self.at.get_or_insert(pdu.at);
        self.ends = Some(Ends { client: pdu.flow.client, server: pdu.flow.server, protocol: META.name });
        if self.at == Some(pdu.at) && pdu.flow.midstream && !pdu.data.starts_with(&[3]) {
            self.method = "tls";
            self.begin_tls(pdu.flow);
        }
        if let Some(tls) = &mut self.tls {
            return tls.feed(pdu, out);
        }
        match self.rest {
            Rest::Packets => self.packets(pdu, out),
            Rest::Lost => out.mark(Mark::Opaque("after the opening")),
        }
    }

    fn gap(&mut self, direction: Direction, missing: u32, out: &mut dyn Sink) {
        if let Some(tls) = &mut self.tls {
            return tls.gap(direction, missing, out);
        }
        self.framer(direction).reset();
        if self.rest == Rest::Packets {
            self.rest = Rest::Lost;
        }
    }

    fn close(&mut self, flow: &Flow, out: &mut dyn Sink) {
        if let Some(waiting) = self.waiting.take() {
            self.operation(waiting, None, out);
        }
        self.tell(Outcome::Unknown, out);
        if let Some(tls) = &mut self.tls {
            tls.close(flow, out);
        }
    }
}

impl RdpAnalyzer {
    const fn framer(&mut self, direction: Direction) -> &mut Framer {
        match direction {
            Direction::FromClient => &mut self.client,
            Direction::FromServer => &mut self.server,
        }
    }

    fn begin_tls(&mut self, flow: &Flow) {
        self.encrypted = true;
        self.tls = Some(crate::tls::Tls.open(flow));
    }

    fn packets(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if ntlm::find(pdu.data).is_some() && pdu.data.starts_with(&[0x30]) {
            return self.credssp(pdu, out);
        }
        let mut framer = std::mem::replace(self.framer(pdu.direction), Framer::new(0));
        let framed = framer.push(pdu.data, length, |packet| self.packet(packet, pdu, out));
        *self.framer(pdu.direction) = framer;
        if framed.is_err() {
            self.rest = Rest::Lost;
            self.weird("rdp_packet_broken", "bytes that start neither a TPKT nor a fast-path packet", pdu, out);
        }
    }

    fn packet(&mut self, packet: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if packet.first() != Some(&3) {
            // Flags of the fast path: 0x80 encrypted.
            let encrypted = packet.first().is_some_and(|first| first & 0x80 != 0);
            return out.mark(Mark::Opaque(if encrypted { "encrypted" } else { "screen, keys and pointer" }));
        }
        let tpdu = packet.get(TPKT..).unwrap_or_default();
        match cotp::parse(tpdu) {
            Ok((Tpdu::ConnectRequest(_), _)) => self.asked(tpdu, pdu, out),
            Ok((Tpdu::ConnectConfirm(_), _)) => self.answered(tpdu, pdu, out),
            Ok((Tpdu::Data { user, .. }, _)) => self.data(user, pdu, out),
            Ok(_) => {}
            Err(why) => self.weird("rdp_malformed_tpdu", why, pdu, out),
        }
    }

    fn asked(&mut self, tpdu: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if let Some(earlier) = self.waiting.take() {
            self.operation(earlier, None, out);
        }
        self.request = negotiation::request(negotiation::variable(tpdu).unwrap_or_default());
        self.user = self.request.user().to_owned();
        self.detail.clear();
        if !self.request.cookie.is_empty() {
            self.detail.text("cookie", self.request.cookie.strip_prefix("Cookie: ").unwrap_or(&self.request.cookie));
        }
        if !self.request.token().is_empty() {
            self.facts.text("routing_token", self.request.token());
        }
        if let Some(protocols) = self.request.protocols {
            self.detail.number("requested_protocols_id", protocols);
            self.detail.texts("requested_protocols", names::protocols(protocols));
            self.facts.texts("requested_protocols", names::protocols(protocols));
        }
        if self.request.flags & 1 != 0 {
            self.detail.flag("restricted_admin", true);
            self.facts.flag("restricted_admin", true);
        }
        self.waiting = Some(Waiting { at: pdu.at, code: CONNECT, name: "connect" });
    }

    fn answered(&mut self, tpdu: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let asked = self.waiting.take_if(|waiting| waiting.code == CONNECT);
        let request = asked.unwrap_or(Waiting { at: pdu.at, code: CONNECT, name: "connect" });
        match negotiation::answer(negotiation::variable(tpdu).unwrap_or_default()) {
            Answer::Refused(code) => {
                self.facts.text("failure", names::failure(code));
                // 0 would read as success.
                self.operation(request, Some((code.max(1), names::failure(code), pdu, asked.is_some())), out);
                self.tell(Outcome::Failure, out);
            }
            Answer::Selected { protocol, flags } => {
                self.method = names::protocol(protocol);
                self.detail.number("selected_protocol_id", protocol);
                self.detail.text("selected_protocol", self.method);
                self.detail.number("server_flags", flags);
                self.operation(request, Some((0, "connect confirmed", pdu, asked.is_some())), out);
                self.service(pdu, out);
                if protocol != 0 {
                    self.begin_tls(pdu.flow);
                    self.tell(Outcome::Unknown, out);
                }
            }
            Answer::Plain => {
                self.method = names::STANDARD;
                self.operation(request, Some((0, "connect confirmed", pdu, asked.is_some())), out);
                self.service(pdu, out);
            }
        }
    }

    fn service(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let (server, version) = (pdu.flow.server, self.version);
        let claim = Service { server, transport: Transport::Tcp, protocol: META.name, software: "", version };
        self.claims.service(out, pdu.at, claim);
    }

    fn data(&mut self, user: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if user.starts_with(&[0x7f, 0x65]) {
            return self.client_settings(user, pdu, out);
        }
        if user.starts_with(&[0x7f, 0x66]) {
            return self.server_settings(user, pdu, out);
        }
        match info::data(user, pdu.direction == Direction::FromClient) {
            Some(info::Data::Encrypted) => out.mark(Mark::Opaque("encrypted")),
            Some(info::Data::Logon(bytes)) if !self.encrypted => self.logon(bytes, pdu, out),
            // The header may be left out once the logon is over, so what it seems to say is not told.
            Some(_) => out.mark(Mark::Opaque("screen, keys and pointer")),
            // Domain, user and channel management of T.125.
            None => {}
        }
    }

    fn client_settings(&mut self, message: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if let Some(earlier) = self.waiting.take() {
            self.operation(earlier, None, out);
        }
        let Some(client) = Client::parse(message) else {
            return self.weird("rdp_client_settings_malformed", "client settings cannot be read", pdu, out);
        };
        self.detail.clear();
        client.describe(&mut self.detail);
        client.describe(&mut self.facts);
        self.version = names::version(client.version);
        let subject = pdu.flow.client.address;
        self.claims.identify(out, pdu.at, subject, (Attribute::HostName, &client.name, "rdp client name"));
        // Windows clients tell the build of their system; 0 and 419 are what other clients send.
        if client.build >= 2195 {
            let os = format!("Windows build {}", client.build);
            self.claims.identify(out, pdu.at, subject, (Attribute::Os, &os, "rdp client build"));
        }
        self.client_name = client.name;
        self.waiting = Some(Waiting { at: pdu.at, code: MCS_CONNECT, name: "mcs connect" });
    }

    fn server_settings(&mut self, message: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let asked = self.waiting.take_if(|waiting| waiting.code == MCS_CONNECT);
        let request = asked.unwrap_or(Waiting { at: pdu.at, code: MCS_CONNECT, name: "mcs connect" });
        let Some(server) = Server::parse(message) else {
            return self.weird("rdp_server_settings_malformed", "server settings cannot be read", pdu, out);
        };
        if asked.is_none() {
            self.detail.clear();
        }
        server.describe(&mut self.detail);
        server.describe(&mut self.facts);
        self.operation(request, Some((server.result, names::result(server.result), pdu, asked.is_some())), out);
        if self.method.is_empty() {
            self.method = names::STANDARD;
        }
        match server.encryption {
            _ if server.result != 0 => self.tell(Outcome::Failure, out),
            Some((method, level)) if method != 0 => {
                self.encrypted = true;
                self.weak(pdu.at, out);
                // At low level the server's own packets are not encrypted.
                self.facts.flag("server_encrypts", level > 1);
                self.tell(Outcome::Unknown, out);
            }
            // Nothing is encrypted: the logon data follow.
            _ => self.service(pdu, out),
        }
    }

    /// Standard security proves no server's identity: its key is signed with a published one, so anybody may sit between.
    fn weak(&mut self, at: At, out: &mut dyn Sink) {
        let Some(Ends { client, server, protocol }) = self.ends else { return };
        let (weakness, rule) = (Weakness::WeakScheme, "standard RDP security: RC4, and the server proves no identity");
        let claim = Credential { client, server, protocol, account: &self.user, weakness, rule };
        self.claims.credential(out, at, claim);
    }

    fn logon(&mut self, bytes: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some(logon) = info::logon(bytes) else {
            return self.weird("rdp_logon_malformed", "logon data cannot be read", pdu, out);
        };
        if !logon.user.is_empty() {
            self.user =
                if logon.domain.is_empty() { logon.user.clone() } else { format!("{}\\{}", logon.domain, logon.user) };
        }
        self.facts.flag("automatic_logon", logon.automatic);
        if !logon.shell.is_empty() {
            self.facts.text("program", &logon.shell);
        }
        let secret = examine(&logon);
        self.tell(Outcome::Unknown, out);
        if let (Some(secret), Some(ends)) = (secret, self.ends) {
            secret.report(&mut self.claims, out, pdu.at, ends, &self.user, Outcome::Unknown);
        }
    }

    /// CredSSP outside of TLS, as in captures that were decrypted.
    fn credssp(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some(message) = ntlm::find(pdu.data).and_then(ntlm::parse) else { return };
        ntlm::say(&message, &mut self.claims, out, pdu.at, pdu.sender().address);
        if let Message::Authenticate(message) = message {
            self.user = message.account();
            self.tell(Outcome::Unknown, out);
        }
    }

    /// Emits the session row, once.
    fn tell(&mut self, outcome: Outcome, out: &mut dyn Sink) {
        let (Some(Ends { client, server, protocol }), Some(at)) = (self.ends, self.at) else { return };
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        let row = Session {
            client,
            server,
            protocol,
            version: self.version,
            user: &self.user,
            method: self.method,
            outcome,
            client_software: "",
            server_software: "",
            encrypted: self.encrypted,
            detail: self.facts.object(&mut self.line),
        };
        out.emit(at, Observation::Session(row));
    }

    fn operation(&mut self, asked: Waiting, reply: Option<(u32, &str, &Pdu<'_>, bool)>, out: &mut dyn Sink) {
        let Some(Ends { client, server, protocol }) = self.ends else { return };
        let seen = reply.is_none_or(|(.., seen)| seen);
        let object = if asked.code == CONNECT { self.request.user() } else { &self.client_name };
        let row = Operation {
            protocol,
            client,
            server,
            unit: None,
            code: asked.code,
            name: asked.name,
            class: OperationClass::Session,
            object,
            quantity: None,
            status: reply.map(|(status, ..)| status),
            status_name: reply.map_or("", |(_, name, ..)| name),
            latency: reply.filter(|_| seen).map(|(_, _, pdu, _)| Timestamp::since(pdu.at.ts, asked.at.ts)),
            request_frame: seen.then_some(asked.at.frame),
            reply_frame: reply.map(|(_, _, pdu, _)| pdu.at.frame),
            detail: self.detail.object(&mut self.line),
        };
        out.emit(reply.map_or(asked.at, |(_, _, pdu, _)| pdu.at), Observation::Operation(row));
    }

    fn weird(&mut self, name: &'static str, detail: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let (sender, receiver): (Endpoint, Endpoint) = (pdu.sender(), pdu.receiver());
        out.emit(pdu.at, Observation::Weird(Weird { name, protocol: META.name, detail, sender, receiver }));
        out.mark(Mark::Malformed(detail));
    }
}

/// Looks at the password of readable logon data; `None` if it holds none, as when the user is to type it.
fn examine(logon: &info::Logon<'_>) -> Option<Secret> {
    if logon.password.is_empty() {
        return None;
    }
    if !logon.unicode {
        return Some(Secret::examine(&logon.user, logon.password));
    }
    let (pairs, _) = logon.password.as_chunks::<2>();
    let units = pairs.iter().map(|pair| u16::from_le_bytes(*pair));
    let mut plain: Vec<u8> = char::decode_utf16(units).map(|c| c.unwrap_or(' ')).collect::<String>().into_bytes();
    let found = Secret::examine(&logon.user, &plain);
    crate::login::forget(&mut plain);
    Some(found)
}
