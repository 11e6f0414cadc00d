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
            connection. All else is encrypted. Google's own QUIC is named only.",
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

/// The version of Google's QUIC, `Q043` and the like: behind flags and an eight-byte connection id, since Q046 behind the flags.
fn google(bytes: &[u8]) -> Option<&str> {
    let flags = *bytes.first()?;
    let long = flags & 0x80 != 0;
    let version = if long { bytes.get(1..5)? } else { bytes.get(9..13)? };
    let fits = (long || flags & 0x09 == 0x09) && version.starts_with(b"Q0");
    let digits = version.get(2..)?.iter().all(u8::is_ascii_digit);
    if fits && digits { std::str::from_utf8(version).ok() } else { None }
}

/// Keys of Initial packets, and what they were made from.
struct Initials {
    version: Version,
    /// The connection id that the client's first packet went to.
    connection: Vec<u8>,
    client: Keys,
    server: Keys,
}

impl Initials {
    fn new(version: Version, connection: &[u8]) -> Option<Self> {
        let (client, server) = keys::initial(version, connection)?;
        Some(Initials { version, connection: connection.to_vec(), client, server })
    }

    const fn of(&self, direction: Direction) -> &Keys {
        match direction {
            Direction::FromClient => &self.client,
            Direction::FromServer => &self.server,
        }
    }
}

/// What is known of one connection.
#[derive(Default)]
struct Connection {
    at: Option<At>,
    version: Option<Version>,
    google: String,
    keys: Option<Initials>,
    streams: [Stream; 2],
    offer: Option<ClientHello>,
    choice: Option<ServerHello>,
    /// Encrypted packets came from client, from server.
    encrypted: [bool; 2],
    retried: bool,
    negotiated: bool,
    error: Option<u64>,
}

/// Reads one flow: a connection, or several one after the other.
#[derive(Default)]
struct QuicFlow {
    ends: Option<(Endpoint, Endpoint)>,
    now: Connection,
    claims: Claims,
    detail: Detail,
}

const fn side(direction: Direction) -> usize {
    match direction {
        Direction::FromClient => 0,
        Direction::FromServer => 1,
    }
}

impl Analyzer for QuicFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        self.ends.get_or_insert((pdu.flow.client, pdu.flow.server));
        if let Some(version) = google(pdu.data) {
            self.now.at.get_or_insert(pdu.at);
            version.clone_into(&mut self.now.google);
            return out.mark(Mark::Undecoded("google quic"));
        }
        let mut rest = pdu.data;
        while let Some(first) = rest.first() {
            if first & 0x80 == 0 {
                // Some fill the datagram behind the last packet; a short header has its fixed bit set.
                let is_filling = rest.len() < pdu.data.len() && first & 0x40 == 0;
                if !is_filling {
                    self.opaque(pdu, out);
                }
                return;
            }
            let Some(packet) = Packet::read(rest) else {
                return malformed_if_whole(PROTOCOL, pdu, "quic_long_header", "long header is not possible", out);
            };
            rest = packet.rest;
            self.packet(pdu, &packet, out);
        }
    }

    fn close(&mut self, _: &Flow, out: &mut dyn Sink) {
        self.tell(out);
    }
}

impl QuicFlow {
    /// Tells the connection at hand.
    fn tell(&mut self, out: &mut dyn Sink) {
        let now = std::mem::take(&mut self.now);
        let (Some(at), Some((client, server))) = (now.at, self.ends) else { return };
        let known = now.version.map(|version| version.to_string());
        let version = known.as_deref().unwrap_or(&now.google);
        // Error 0 is the regular end (RFC 9000 section 20.1).
        let failed = now.error.is_some_and(|error| error != 0);
        let established = now.choice.is_some() && now.encrypted == [true, true];
        let row = Session {
            client,
            server,
            protocol: PROTOCOL,
            version,
            user: "",
            method: "",
            outcome: match (failed, established) {
                (true, _) => Outcome::Failure,
                (false, true) => Outcome::Success,
                (false, false) => Outcome::Unknown,
            },
            client_software: "",
            server_software: "",
            encrypted: true,
            detail: describe(&now, &mut self.detail),
        };
        out.emit(at, Observation::Session(row));
    }

    fn opaque(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        self.now.at.get_or_insert(pdu.at);
        if let Some(seen) = self.now.encrypted.get_mut(side(pdu.direction)) {
            *seen = true;
        }
        out.mark(Mark::Opaque("encrypted"));
    }

    fn packet(&mut self, pdu: &Pdu<'_>, packet: &Packet<'_>, out: &mut dyn Sink) {
        match packet.kind {
            Kind::Initial { number_at } => self.initial(pdu, packet, number_at, out),
            Kind::Early | Kind::Handshake => self.opaque(pdu, out),
            Kind::Retry => self.now.retried = true,
            Kind::Negotiation => self.now.negotiated = true,
            Kind::Foreign => out.mark(Mark::Undecoded("version of quic")),
        }
        self.now.at.get_or_insert(pdu.at);
        self.now.version = Version::of(packet.version).or(self.now.version);
    }

    fn initial(&mut self, pdu: &Pdu<'_>, packet: &Packet<'_>, number_at: usize, out: &mut dyn Sink) {
        let Some(payload) = self.payload(pdu.direction, packet, number_at, out) else { return self.opaque(pdu, out) };
        let Some(stream) = self.now.streams.get_mut(side(pdu.direction)) else { return };
        let (mut error, mut room) = (None, true);
        let whole = packet::frames(&payload, |frame| match frame {
            Frame::Crypto { offset, data } => room &= stream.take(offset, data),
            Frame::Close { error: code } => error = Some(code),
        });
        self.now.error = self.now.error.or(error);
        if !room {
            out.mark(Mark::Undecoded("more of a handshake than is kept"));
        }
        if !whole {
            malformed_if_whole(PROTOCOL, pdu, "quic_frame", "frame of an Initial packet is not possible", out);
        }
        self.hello(pdu, out);
    }

    /// The payload: by the keys in use, by those of the same connection in another version (RFC 9368), or, of a client after a retry or
    /// on a new connection, by those of the packet's own destination.
    fn payload(
        &mut self,
        direction: Direction,
        packet: &Packet<'_>,
        number_at: usize,
        out: &mut dyn Sink,
    ) -> Option<Vec<u8>> {
        let version = Version::of(packet.version)?;
        let open = |keys: &Initials| keys.of(direction).open(packet.bytes, number_at);
        if let Some(keys) = &self.now.keys {
            if keys.version == version
                && let Some(payload) = open(keys)
            {
                return Some(payload);
            }
            if keys.version != version
                && let Some(keys) = Initials::new(version, &keys.connection)
                && let Some(payload) = open(&keys)
            {
                self.now.keys = Some(keys);
                return Some(payload);
            }
        }
        if direction == Direction::FromServer {
            return None;
        }
        let fresh = Initials::new(version, packet.destination)?;
        let payload = open(&fresh)?;
        if self.now.keys.is_some() && !self.now.retried {
            self.tell(out);
        }
        self.now.keys = Some(fresh);
        self.now.streams = <[Stream; 2]>::default();
        Some(payload)
    }

    fn hello(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let [client, server] = &self.now.streams;
        let stream = if pdu.direction == Direction::FromClient { client } else { server };
        match stream.message() {
            Some((CLIENT_HELLO, body)) if self.now.offer.is_none() => {
                let Some(hello) = ClientHello::parse(body, Carrier::Quic) else {
                    return malformed_if_whole(PROTOCOL, pdu, "quic_client_hello", "client hello is cut short", out);
                };
                let (subject, asker) = (pdu.receiver().address, pdu.sender().address);
                let name = hello.server_name.to_ascii_lowercase();
                self.claims.name(out, pdu.at, Name { subject, name: &name, kind: NameKind::TlsSni, asker });
                self.now.offer = Some(hello);
            }
            Some((SERVER_HELLO, body)) if self.now.choice.is_none() => {
                let Some(hello) = ServerHello::parse(body) else {
                    return malformed_if_whole(PROTOCOL, pdu, "quic_server_hello", "server hello is cut short", out);
                };
                let version = self.now.keys.as_ref().map(|keys| keys.version.to_string()).unwrap_or_default();
                let (server, transport) = (pdu.sender(), Transport::Udp);
                let claim = Service { server, transport, protocol: PROTOCOL, software: "", version: &version };
                self.claims.service(out, pdu.at, claim);
                self.now.choice = Some(hello);
            }
            _ => {}
        }
    }
}

fn describe<'d>(now: &Connection, detail: &'d mut Detail) -> &'d str {
    detail.begin();
    if let Some(hello) = &now.offer {
        describe_offer(hello, Carrier::Quic, detail);
    }
    if let Some(hello) = &now.choice {
        describe_choice(hello, detail);
    }
    for (key, was) in [("retried", now.retried), ("version_negotiated", now.negotiated)] {
        if was {
            detail.flag(key, true);
        }
    }
    if let Some(error) = now.error {
        detail.number("error", error);
    }
    detail.finish()
}
