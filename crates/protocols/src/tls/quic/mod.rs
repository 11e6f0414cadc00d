//! QUIC (RFC 9000, 9001, 9369): whom a client wants to reach, read from the Initial packets that anyone can open.

mod keys;
mod packet;
#[cfg(test)]
mod tests;

use quaywatch_model::{
    At, Direction, Endpoint, Mark, Name, NameKind, Observation, Outcome, Service, Session, Sink, Transport,
};
use quaywatch_wire::{Flow, Pdu};

use super::analyzer::{describe_choice, describe_offer};
use super::hello::{Carrier, ClientHello, ServerHello};
use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::claims::Claims;
use crate::detail::Detail;
use crate::deviation::malformed_if_whole;
use crate::{Analyzer, Probe, Protocol};
use keys::{Keys, Version};
use packet::{Frame, Kind, Packet, Stream};

const PROTOCOL: &str = "quic";
/// Least size of a datagram with a client's Initial packet (RFC 9000 section 14.1).
const LEAST_INITIAL: usize = 1200;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;

/// The registry entry.
pub struct Quic;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "QUIC",
    tcp: &[],
    udp: &[443],
    ethertypes: &[],
    spec: "RFC 9000, RFC 9001, RFC 9369; drafts 23 to 34",
    found: "browsers on office and operator stations; cloud connections of cameras, gateways and remote tools; DNS and SMB over QUIC",
    depth: Depth::Partial,
    purpose: Purpose::General,
    scope: "Initial packets of both sides, opened: server name, JA4, ALPN, versions and cipher; retry, version negotiation, errors that end a \
            connection. All else is encrypted. Google's own QUIC before Q050 is named only.",
};

impl Protocol for Quic {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Udp {
            return Probe::No;
        }
        if google(pdu.data).is_some() {
            return Probe::Yes;
        }
        let Some(packet) = Packet::read(pdu.data) else { return Probe::No };
        match packet.kind {
            Kind::Initial { number_at } if pdu.data.len() >= LEAST_INITIAL && opens(&packet, number_at) => Probe::Yes,
            Kind::Negotiation if names_a_version(&packet) => Probe::YesFromServer,
            Kind::Foreign | Kind::Negotiation => Probe::No,
            _ => Probe::Unsure,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(QuicFlow::default())
    }
}

/// Whether an Initial packet opens with the keys that its own destination gives: a client's does.
fn opens(packet: &Packet<'_>, number_at: usize) -> bool {
    let keys = Version::of(packet.version).and_then(|version| keys::initial(version, packet.destination));
    keys.is_some_and(|(client, _)| client.open(packet.bytes, number_at).is_some())
}

/// Whether a version negotiation offers a version that is known, or one kept for practice (RFC 9000 section 15).
fn names_a_version(packet: &Packet<'_>) -> bool {
    let head = 7 + packet.destination.len() + packet.source.len();
    let versions = packet.bytes.get(head..).unwrap_or_default().as_chunks::<4>().0;
    versions
        .iter()
        .map(|version| u32::from_be_bytes(*version))
        .any(|version| Version::of(version).is_some() || version & 0x0f0f_0f0f == 0x0a0a_0a0a)
}

/// The version of Google's QUIC, `Q043` and the like, behind flags and an eight-byte connection id.
fn google(bytes: &[u8]) -> Option<&str> {
    let flags = *bytes.first()?;
    let version = bytes.get(9..13)?;
    let fits = flags & 0x09 == 0x09 && flags & 0x80 == 0 && version.starts_with(b"Q0");
    let digits = version.get(2..)?.iter().all(u8::is_ascii_digit);
    if fits && digits { std::str::from_utf8(version).ok() } else { None }
}

/// Reads one flow: a connection, or several one after the other.
#[derive(Default)]
struct QuicFlow {
    at: Option<At>,
    ends: Option<(Endpoint, Endpoint)>,
    version: Option<Version>,
    google: String,
    keys: Option<(Keys, Keys)>,
    streams: [Stream; 2],
    offer: Option<ClientHello>,
    choice: Option<ServerHello>,
    claims: Claims,
    detail: Detail,
    /// Encrypted packets came from client, from server.
    encrypted: [bool; 2],
    retried: bool,
    negotiated: bool,
    error: Option<u64>,
}

const fn side(direction: Direction) -> usize {
    match direction {
        Direction::FromClient => 0,
        Direction::FromServer => 1,
    }
}

impl Analyzer for QuicFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        self.at.get_or_insert(pdu.at);
        self.ends.get_or_insert((pdu.flow.client, pdu.flow.server));
        if let Some(version) = google(pdu.data) {
            version.clone_into(&mut self.google);
            return out.mark(Mark::Undecoded("google quic"));
        }
        let mut rest = pdu.data;
        while !rest.is_empty() {
            let long = rest.first().is_some_and(|first| first & 0x80 != 0);
            let Some(packet) = Packet::read(rest).filter(|_| long) else {
                if long && rest.len() == pdu.data.len() {
                    return malformed_if_whole(PROTOCOL, pdu, "quic_long_header", "long header is not possible", out);
                }
                // Some fill the datagram behind the last packet; a short header has its fixed bit set.
                let is_filling = rest.len() < pdu.data.len() && rest.first().is_some_and(|first| first & 0x40 == 0);
                if !is_filling {
                    self.opaque(pdu, out);
                }
                return;
            };
            rest = packet.rest;
            self.packet(pdu, &packet, out);
        }
    }

    fn close(&mut self, _: &Flow, out: &mut dyn Sink) {
        let (Some(at), Some((client, server))) = (self.at, self.ends) else { return };
        let known = self.version.map(|version| version.to_string());
        let version = known.as_deref().unwrap_or(&self.google);
        self.detail.begin();
        if let Some(hello) = &self.offer {
            describe_offer(hello, Carrier::Quic, &mut self.detail);
        }
        if let Some(hello) = &self.choice {
            describe_choice(hello, &mut self.detail);
        }
        if self.retried {
            self.detail.flag("retried", true);
        }
        if self.negotiated {
            self.detail.flag("version_negotiated", true);
        }
        if let Some(error) = self.error {
            self.detail.number("error", error);
        }
        let established = self.choice.is_some() && self.encrypted == [true, true] && self.error.is_none();
        let outcome = match self.error {
            Some(_) => Outcome::Failure,
            None if established => Outcome::Success,
            None => Outcome::Unknown,
        };
        let row = Session {
            client,
            server,
            protocol: PROTOCOL,
            version,
            user: "",
            method: "",
            outcome,
            client_software: "",
            server_software: "",
            encrypted: true,
            detail: self.detail.finish(),
        };
        out.emit(at, Observation::Session(row));
    }
}

impl QuicFlow {
    fn opaque(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if let Some(seen) = self.encrypted.get_mut(side(pdu.direction)) {
            *seen = true;
        }
        out.mark(Mark::Opaque("encrypted"));
    }

    fn packet(&mut self, pdu: &Pdu<'_>, packet: &Packet<'_>, out: &mut dyn Sink) {
        if let Some(version) = Version::of(packet.version) {
            self.version = Some(version);
        }
        match packet.kind {
            Kind::Initial { number_at } => self.initial(pdu, packet, number_at, out),
            Kind::Early | Kind::Handshake => self.opaque(pdu, out),
            Kind::Retry => self.retried = true,
            Kind::Negotiation => self.negotiated = true,
            Kind::Foreign => out.mark(Mark::Undecoded("version of quic")),
        }
    }

    fn initial(&mut self, pdu: &Pdu<'_>, packet: &Packet<'_>, number_at: usize, out: &mut dyn Sink) {
        let Some(payload) = self.payload(pdu.direction, packet, number_at) else { return self.opaque(pdu, out) };
        let Some(stream) = self.streams.get_mut(side(pdu.direction)) else { return };
        let mut error = None;
        let whole = packet::frames(&payload, |frame| match frame {
            Frame::Crypto { offset, data } => stream.take(offset, data),
            Frame::Close { error: code } => error = Some(code),
        });
        self.error = self.error.or(error);
        if !whole {
            malformed_if_whole(PROTOCOL, pdu, "quic_frame", "frame of an Initial packet is not possible", out);
        }
        self.hello(pdu, out);
    }

    /// The payload, by the keys in use or, of a client after a retry or on a new connection, by new ones.
    fn payload(&mut self, direction: Direction, packet: &Packet<'_>, number_at: usize) -> Option<Vec<u8>> {
        let own = |keys: &(Keys, Keys)| match direction {
            Direction::FromClient => keys.0.open(packet.bytes, number_at),
            Direction::FromServer => keys.1.open(packet.bytes, number_at),
        };
        if let Some(payload) = self.keys.as_ref().and_then(own) {
            return Some(payload);
        }
        let fresh = keys::initial(Version::of(packet.version)?, packet.destination)?;
        let payload = fresh.0.open(packet.bytes, number_at).filter(|_| direction == Direction::FromClient)?;
        self.keys = Some(fresh);
        self.streams = <[Stream; 2]>::default();
        Some(payload)
    }

    fn hello(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let [client, server] = &self.streams;
        let stream = if pdu.direction == Direction::FromClient { client } else { server };
        match stream.message() {
            Some((CLIENT_HELLO, body)) if self.offer.is_none() => {
                let Some(hello) = ClientHello::parse(body, Carrier::Quic) else {
                    return malformed_if_whole(PROTOCOL, pdu, "quic_client_hello", "client hello is cut short", out);
                };
                let (subject, asker) = (pdu.receiver().address, pdu.sender().address);
                let name = hello.server_name.to_ascii_lowercase();
                self.claims.name(out, pdu.at, Name { subject, name: &name, kind: NameKind::TlsSni, asker });
                self.offer = Some(hello);
            }
            Some((SERVER_HELLO, body)) if self.choice.is_none() => {
                let Some(hello) = ServerHello::parse(body) else {
                    return malformed_if_whole(PROTOCOL, pdu, "quic_server_hello", "server hello is cut short", out);
                };
                let version = self.version.map(|version| version.to_string()).unwrap_or_default();
                let (server, transport) = (pdu.sender(), Transport::Udp);
                let claim = Service { server, transport, protocol: PROTOCOL, software: "", version: &version };
                self.claims.service(out, pdu.at, claim);
                self.choice = Some(hello);
            }
            _ => {}
        }
    }
}
