//! IKE version 1 and 2 (RFC 2409, RFC 7296) and what rides UDP port 4500 beside it (RFC 3948): VPNs of gateways.

use quaywatch_model::{
    At, Credential, Direction, Endpoint, Mark, Observation, Outcome, Session, Sink, Transport, Weakness, Weird,
};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::bytes::Cursor;
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::{Analyzer, Probe, Protocol};

const PROTOCOL: &str = "ike";
/// Header (RFC 7296 section 3.1).
const HEADER: usize = 28;
/// Payloads and transforms read of a message.
const MAX_PAYLOADS: usize = 32;

/// The registry entry.
pub struct Ike;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "IKE and IPsec over UDP",
    tcp: &[],
    udp: &[500, 4500],
    ethertypes: &[],
    spec: "RFC 7296, RFC 2408, RFC 2409, RFC 3948",
    found: "VPN gateways of terminals and makers' service",
    depth: Depth::Partial,
    purpose: Purpose::RemoteAccess,
    scope: "Negotiations with version, exchange and chosen algorithms; aggressive mode. What follows is encrypted.",
};

impl Protocol for Ike {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Udp {
            return Probe::No;
        }
        match message(pdu.data) {
            Some(header) if header.exact && header.responder == 0 => Probe::Yes,
            Some(header) if header.exact => {
                if header.is_from_responder() == Some(true) {
                    Probe::YesFromServer
                } else {
                    Probe::Yes
                }
            }
            // ESP looks like noise, a keep-alive is one byte: only the port tells.
            None if pdu.flow.server.port == 4500 || pdu.flow.client.port == 4500 => Probe::Unsure,
            _ => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(IkeFlow { claims: Claims::default(), detail: DetailJson::default(), line: String::new() })
    }
}

/// A header and the payloads behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Header<'a> {
    initiator: u64,
    responder: u64,
    next: u8,
    major: u8,
    exchange: u8,
    flags: u8,
    /// Whether length and datagram agree.
    exact: bool,
    payloads: &'a [u8],
}

impl Header<'_> {
    /// IKEv2 says who sent it (flag Response); IKEv1 does not.
    const fn is_from_responder(&self) -> Option<bool> {
        if self.major == 2 { Some(self.flags & 0x20 != 0) } else { None }
    }

    const fn exchange_name(&self) -> &'static str {
        match (self.major, self.exchange) {
            (1, 2) => "main mode",
            (1, 4) => "aggressive mode",
            (1, 5) => "informational (version 1)",
            (1, 32) => "quick mode",
            (2, 34) => "ike sa init",
            (2, 35) => "ike auth",
            (2, 36) => "create child sa",
            (2, 37) => "informational",
            _ => "other exchange",
        }
    }

    const fn encrypted(&self) -> bool {
        match self.major {
            1 => self.flags & 1 != 0,
            // The encrypted payload, or its fragment (RFC 7383).
            _ => matches!(self.next, 46 | 53),
        }
    }
}

/// A message, behind the non-ESP marker of port 4500 if that is there.
fn message(data: &[u8]) -> Option<Header<'_>> {
    let data = data.strip_prefix(&[0; 4]).filter(|rest| rest.len() >= HEADER).unwrap_or(data);
    let mut cursor = Cursor::new(data);
    let (initiator, responder) = (cursor.be64()?, cursor.be64()?);
    let (next, version, exchange, flags) = (cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?);
    cursor.skip(4)?;
    let length = usize::try_from(cursor.be32()?).ok()?;
    let known = match version {
        0x10 => matches!(exchange, 1..=6 | 32..=33) && flags & !7 == 0,
        0x20 => matches!(exchange, 34..=37 | 43) && flags & !0x38 == 0,
        _ => false,
    };
    let exact = length == data.len();
    (known && initiator != 0 && length >= HEADER).then_some(Header {
        initiator,
        responder,
        next,
        major: version >> 4,
        exchange,
        flags,
        exact,
        payloads: cursor.rest(),
    })
}

/// Calls `each` with type and content of the payloads (both versions have the same generic header).
fn payloads<'a>(header: &Header<'a>, mut each: impl FnMut(u8, &'a [u8])) {
    let (mut next, mut cursor) = (header.next, Cursor::new(header.payloads));
    for _ in 0..MAX_PAYLOADS {
        let (kind, following, length) = match (next, cursor.u8(), cursor.u8(), cursor.be16()) {
            (0, ..) => return,
            (kind, Some(following), Some(_), Some(length)) => (kind, following, usize::from(length)),
            _ => return,
        };
        let Some(body) = length.checked_sub(4).and_then(|length| cursor.take(length)) else { return };
        each(kind, body);
        next = following;
    }
}

/// Transforms of the first proposal of an IKEv2 security association (RFC 7296 section 3.3): type, id, key length.
fn transforms(body: &[u8], mut each: impl FnMut(u8, u16, Option<u16>)) -> Option<()> {
    let mut cursor = Cursor::new(body);
    cursor.skip(6)?;
    let spi = usize::from(cursor.u8()?);
    let count = usize::from(cursor.u8()?);
    cursor.skip(spi)?;
    for _ in 0..count.min(MAX_PAYLOADS) {
        cursor.skip(2)?;
        let length = usize::from(cursor.be16()?);
        let kind = cursor.u8()?;
        cursor.skip(1)?;
        let id = cursor.be16()?;
        let mut attributes = Cursor::new(cursor.take(length.checked_sub(8)?)?);
        // Attribute 14 in its short form is the key length.
        let key = attributes.be16().filter(|kind| *kind == 0x800e).and_then(|_| attributes.be16());
        each(kind, id, key);
    }
    Some(())
}

/// Algorithms by type and id (IANA, IKEv2 parameters).
const fn algorithm(kind: u8, id: u16) -> &'static str {
    match (kind, id) {
        (1, 2) => "des",
        (1, 3) => "3des",
        (1, 11) => "null",
        (1, 12) => "aes-cbc",
        (1, 13) => "aes-ctr",
        (1, 18..=20) => "aes-gcm",
        (1, 28) => "chacha20-poly1305",
        (2, 1) => "hmac-md5",
        (2, 2) => "hmac-sha1",
        (2, 5) => "hmac-sha2-256",
        (2, 6) => "hmac-sha2-384",
        (2, 7) => "hmac-sha2-512",
        (3, 0) => "none",
        (3, 1) => "hmac-md5-96",
        (3, 2) => "hmac-sha1-96",
        (3, 5) => "aes-xcbc-96",
        (3, 12) => "hmac-sha2-256-128",
        (3, 13) => "hmac-sha2-384-192",
        (3, 14) => "hmac-sha2-512-256",
        (4, 1) => "modp-768",
        (4, 2) => "modp-1024",
        (4, 5) => "modp-1536",
        (4, 14) => "modp-2048",
        (4, 15) => "modp-3072",
        (4, 16) => "modp-4096",
        (4, 19) => "ecp-256",
        (4, 20) => "ecp-384",
        (4, 21) => "ecp-521",
        (4, 31) => "curve25519",
        _ => "other",
    }
}

struct IkeFlow {
    claims: Claims,
    detail: DetailJson,
    line: String,
}

impl Analyzer for IkeFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some(header) = message(pdu.data) else {
            let usual = pdu.flow.server.port == 4500 || pdu.flow.client.port == 4500;
            return if usual { out.mark(Mark::Opaque("encrypted")) } else { self.weird("ike_header", pdu, out) };
        };
        if !header.exact && !pdu.cut {
            self.weird("ike_length", pdu, out);
        }
        if header.encrypted() {
            out.mark(Mark::Opaque("encrypted"));
        }
        match (header.major, header.exchange) {
            // The answer to the first message has what was chosen.
            (2, 34) if header.is_from_responder() == Some(true) => self.chosen(pdu, &header, out),
            (1, 2 | 4) if header.responder != 0 => self.version_1(pdu, &header, out),
            (1, 4) => self.aggressive(pdu, &header, out),
            _ => {}
        }
    }
}

impl IkeFlow {
    fn weird(&self, name: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let (sender, receiver) = (pdu.sender(), pdu.receiver());
        let detail = "header or length is not possible";
        out.emit(pdu.at, Observation::Weird(Weird { name, protocol: PROTOCOL, detail, sender, receiver }));
        out.mark(Mark::Malformed(detail));
    }

    fn chosen(&mut self, pdu: &Pdu<'_>, header: &Header<'_>, out: &mut dyn Sink) {
        self.detail.clear();
        let detail = &mut self.detail;
        payloads(header, |kind, body| {
            if kind != 33 {
                return;
            }
            let _ = transforms(body, |kind, id, key| {
                let name = algorithm(kind, id);
                match (kind, key) {
                    (1, Some(bits)) => detail.text("encryption", format_args!("{name}-{bits}")),
                    (1, None) => detail.text("encryption", name),
                    (2, _) => detail.text("prf", name),
                    (3, _) => detail.text("integrity", name),
                    (4, _) => detail.text("group", name),
                    _ => {}
                }
            });
        });
        self.session(pdu.at, (pdu.receiver(), pdu.sender()), "IKEv2", header, out);
    }

    fn version_1(&mut self, pdu: &Pdu<'_>, header: &Header<'_>, out: &mut dyn Sink) {
        self.detail.clear();
        let ends = (pdu.flow.sender(Direction::FromClient), pdu.flow.sender(Direction::FromServer));
        self.session(pdu.at, ends, "IKEv1", header, out);
    }

    /// One row a negotiation.
    fn session(
        &mut self,
        at: At,
        (client, server): (Endpoint, Endpoint),
        version: &'static str,
        header: &Header<'_>,
        out: &mut dyn Sink,
    ) {
        if !self.claims.first(("negotiation", header.initiator)) {
            return;
        }
        out.emit(
            at,
            Observation::Session(Session {
                client,
                server,
                protocol: PROTOCOL,
                version,
                user: "",
                method: header.exchange_name(),
                outcome: Outcome::Unknown,
                client_software: "",
                server_software: "",
                encrypted: true,
                detail: self.detail.object(&mut self.line),
            }),
        );
    }

    /// Aggressive mode sends identity and a hash of the shared key readable: it can be guessed offline.
    fn aggressive(&mut self, pdu: &Pdu<'_>, header: &Header<'_>, out: &mut dyn Sink) {
        let mut account = String::new();
        payloads(header, |kind, body| {
            // Identification: type, protocol, port, then a name (types 2, 3 and 11: host name, user at host, key id).
            if let (5, [2 | 3 | 11, _, _, _, name @ ..]) = (kind, body) {
                account = String::from_utf8_lossy(name.get(..name.len().min(128)).unwrap_or(name)).into_owned();
            }
        });
        let row = Credential {
            client: pdu.sender(),
            server: pdu.receiver(),
            protocol: PROTOCOL,
            account: &account,
            weakness: Weakness::WeakScheme,
            rule: "aggressive mode: identity readable, shared key can be guessed offline",
        };
        self.claims.credential(out, pdu.at, row);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quaywatch_model::Direction::{FromClient, FromServer};
    use serde_json::json;

    use super::*;
    use crate::testing::{feed, feed_unprobed, flow, hex, pdu};

    /// A message of these fields around payloads.
    fn ike(responder: u8, next: u8, version: u8, exchange: u8, flags: u8, payloads: &str) -> Vec<u8> {
        let payloads = hex(payloads);
        let length = u32::try_from(HEADER + payloads.len()).unwrap().to_be_bytes();
        [&[7; 8][..], &[responder; 8], &[next, version, exchange, flags, 0, 0, 0, 0], &length, &payloads].concat()
    }

    // A security association with AES-CBC-256, SHA-256 and group 14 (RFC 7296 section 3.3).
    const CHOSEN: &str = "0000 0030 0000 002c 01 01 00 04 0300000c 0100000c 800e0100 03000008 02000005 03000008 0300000c 00000008 0400000e";

    #[test]
    fn the_chosen_algorithms_are_told() {
        let rows = feed(
            &Ike,
            &flow(Transport::Udp, 500),
            &[(FromClient, &ike(0, 33, 0x20, 34, 8, CHOSEN)), (FromServer, &ike(9, 33, 0x20, 34, 0x20, CHOSEN))],
        );
        assert_eq!((rows.of("weird").len(), rows.marks.len()), (0, 0));
        let row = &rows.of("session")[0];
        assert_eq!((&row["version"], &row["method"]), (&json!("IKEv2"), &json!("ike sa init")));
        assert_eq!(
            row["detail"],
            r#"{"encryption":"aes-cbc-256","prf":"hmac-sha2-256","integrity":"hmac-sha2-256-128","group":"modp-2048"}"#
        );
    }

    #[test]
    fn aggressive_mode_is_weak_and_esp_is_encrypted() {
        let identity = "0000 000f 0b 00 0000 7669736974 6f72";
        let rows = feed(
            &Ike,
            &flow(Transport::Udp, 4500),
            &[
                (FromClient, &[&[0; 4][..], &ike(0, 5, 0x10, 4, 0, identity)].concat()),
                (FromClient, &hex("deadbeef00000001aabbccdd")),
                (FromClient, &[0xff]),
            ],
        );
        let row = &rows.of("credential")[0];
        assert_eq!((&row["account"], &row["weakness"]), (&json!("visitor"), &json!("weak-scheme")));
        assert_eq!(rows.marks, [Mark::Opaque("encrypted"), Mark::Opaque("encrypted")]);
    }

    #[test]
    fn other_datagrams_are_refused() {
        let udp = flow(Transport::Udp, 5000);
        let mut long = ike(0, 33, 0x20, 34, 8, CHOSEN);
        assert_eq!(Ike.probe(&pdu(&udp, 0, FromClient, &long)), Probe::Yes);
        long.push(0);
        assert_eq!(Ike.probe(&pdu(&udp, 0, FromClient, &long)), Probe::No);
        assert_eq!(Ike.probe(&pdu(&udp, 0, FromClient, &[0; 40])), Probe::No);
    }

    proptest! {
        #[test]
        fn anything_is_survived(data in prop::collection::vec(any::<u8>(), 1..120), cut in 1usize..80) {
            let whole = ike(9, 33, 0x20, 34, 0x20, CHOSEN);
            let cut = whole.get(..cut).unwrap_or(&whole);
            feed_unprobed(&Ike, &flow(Transport::Udp, 500), &[(FromClient, &data), (FromServer, cut)]);
            let body = ike(9, data[0], 0x20, 34, 0x20, &data.iter().map(|b| format!("{b:02x}")).collect::<String>());
            feed_unprobed(&Ike, &flow(Transport::Udp, 500), &[(FromServer, &body)]);
        }
    }
}
