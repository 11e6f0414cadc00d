//! RADIUS (RFC 2865, RFC 2866, RFC 5176): who asks whom to let whom in.

use quaywatch_model::{
    At, Attribute, Credential, Endpoint, Mark, Observation, Outcome, Session, Sink, Transport, Weakness, Weird,
};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::bytes::Cursor;
use crate::claims::Claims;
use crate::detail_json::DetailJson;
use crate::pairing::Pairing;
use crate::{Analyzer, Probe, Protocol};

const PROTOCOL: &str = "radius";
/// Requests that wait for answers at the same time: the identifier has one byte.
const WAITING_LIMIT: usize = 256;
/// Code, identifier, length, authenticator (RFC 2865 section 3).
const HEADER: usize = 20;
/// Longest packet.
const LONGEST: usize = 4096;

/// The registry entry.
pub struct Radius;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "RADIUS",
    tcp: &[],
    udp: &[1812, 1813, 1645, 1646, 3799],
    ethertypes: &[],
    spec: "RFC 2865, RFC 2866, RFC 2869, RFC 3579, RFC 5176",
    found: "switches, wireless access points and VPN gateways that ask a central server",
    depth: Depth::Partial,
    purpose: Purpose::Network,
    scope: "Logins with user, access device, method and outcome; accounting and disconnect messages are counted. \
            Passwords are hidden by MD5 with the shared secret and not read.",
};

impl Protocol for Radius {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Udp {
            return Probe::No;
        }
        match Packet::read(pdu.data) {
            // A packet without attributes has too little to be told by.
            Some(packet) if packet.attributes.is_empty() => Probe::Unsure,
            Some(packet) if packet.asks() => Probe::Yes,
            Some(_) => Probe::YesFromServer,
            None => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(RadiusFlow {
            waiting: Pairing::new(WAITING_LIMIT),
            claims: Claims::default(),
            detail: DetailJson::default(),
            line: String::new(),
        })
    }
}

/// A packet whose attributes fill it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Packet<'a> {
    code: u8,
    id: u8,
    attributes: &'a [u8],
}

impl<'a> Packet<'a> {
    fn read(data: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(data);
        let (code, id, length) = (cursor.u8()?, cursor.u8()?, usize::from(cursor.be16()?));
        let known = matches!(code, 1..=5 | 11..=13 | 40..=45);
        if !known || !(HEADER..=LONGEST).contains(&length) {
            return None;
        }
        let attributes = data.get(HEADER..length)?;
        let packet = Packet { code, id, attributes };
        packet.each(|_, _| ()).then_some(packet)
    }

    /// Calls `each` with type and value; whether they fill the packet.
    fn each(&self, mut each: impl FnMut(u8, &'a [u8])) -> bool {
        let mut cursor = Cursor::new(self.attributes);
        while let Some(kind) = cursor.u8() {
            let length = cursor.u8().and_then(|length| usize::from(length).checked_sub(2));
            let Some(value) = length.and_then(|length| cursor.take(length)) else { return false };
            each(kind, value);
        }
        true
    }

    const fn asks(&self) -> bool {
        matches!(self.code, 1 | 4 | 12 | 40 | 43)
    }
}

/// What an access request says.
#[derive(Debug, Default)]
struct Login {
    user: String,
    method: &'static str,
    access_device: String,
    station: String,
}

impl Login {
    fn read(packet: &Packet<'_>) -> Self {
        let mut login = Login { method: "none", ..Login::default() };
        packet.each(|kind, value| {
            let text = || String::from_utf8_lossy(value.get(..value.len().min(128)).unwrap_or(value)).into_owned();
            match kind {
                1 => login.user = text(),
                2 => login.method = "pap",
                3 => login.method = "chap",
                // Microsoft's MS-CHAP in a vendor attribute (RFC 2548: vendor 311, types 1 and 25).
                26 if value.starts_with(&[0, 0, 1, 0x37]) && matches!(value.get(4), Some(1 | 25)) => {
                    login.method = "ms-chap";
                }
                31 => login.station = text(),
                32 => login.access_device = text(),
                79 => login.method = "eap",
                _ => {}
            }
        });
        login
    }
}

#[derive(Debug)]
struct Ask {
    at: At,
    client: Endpoint,
    server: Endpoint,
    login: Login,
}

struct RadiusFlow {
    waiting: Pairing<u8, Ask>,
    claims: Claims,
    detail: DetailJson,
    line: String,
}

impl Analyzer for RadiusFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some(packet) = Packet::read(pdu.data) else {
            if !pdu.cut {
                let (sender, receiver) = (pdu.sender(), pdu.receiver());
                let detail = "code, length or attributes are not possible";
                let weird = Weird { name: "radius_packet", protocol: PROTOCOL, detail, sender, receiver };
                out.emit(pdu.at, Observation::Weird(weird));
                out.mark(Mark::Malformed(detail));
            }
            return;
        };
        match packet.code {
            1 => {
                let ask = Ask { at: pdu.at, client: pdu.sender(), server: pdu.receiver(), login: Login::read(&packet) };
                let subject = pdu.sender().address;
                self.claims.identify(
                    out,
                    pdu.at,
                    subject,
                    (Attribute::HostName, &ask.login.access_device, "radius nas identifier"),
                );
                if let Some(lost) = self.waiting.ask(packet.id, ask) {
                    self.tell(&lost, lost.at, Outcome::Unknown, out);
                }
            }
            2 | 3 => {
                if let Some(ask) = self.waiting.answer(&packet.id) {
                    let outcome = if packet.code == 2 { Outcome::Success } else { Outcome::Failure };
                    self.tell(&ask, pdu.at, outcome, out);
                }
            }
            // A challenge goes on with another request.
            11 => drop(self.waiting.answer(&packet.id)),
            _ => {}
        }
    }

    fn close(&mut self, _: &Flow, out: &mut dyn Sink) {
        while let Some(ask) = self.waiting.oldest() {
            self.tell(&ask, ask.at, Outcome::Unknown, out);
        }
    }
}

impl RadiusFlow {
    fn tell(&mut self, ask: &Ask, at: At, outcome: Outcome, out: &mut dyn Sink) {
        let Ask { client, server, login: Login { user, method, access_device, station }, .. } = ask;
        let (client, server) = (*client, *server);
        self.detail.clear();
        if !access_device.is_empty() {
            self.detail.text("nas_identifier", access_device);
        }
        if !station.is_empty() {
            self.detail.text("calling_station", station);
        }
        out.emit(
            at,
            Observation::Session(Session {
                client,
                server,
                protocol: PROTOCOL,
                version: "",
                user,
                method,
                outcome,
                client_software: "",
                server_software: "",
                encrypted: false,
                detail: self.detail.object(&mut self.line),
            }),
        );
        let rule = match *method {
            "pap" => "password hidden by MD5 with the shared secret only",
            "chap" | "ms-chap" => "challenge-response that can be guessed offline",
            _ => return,
        };
        let row =
            Credential { client, server, protocol: PROTOCOL, account: user, weakness: Weakness::WeakScheme, rule };
        self.claims.credential(out, at, row);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quaywatch_model::Direction::{FromClient, FromServer};
    use serde_json::json;

    use super::*;
    use crate::testing::{feed, feed_unprobed, flow, hex, pdu};

    fn packet(code: u8, id: u8, attributes: &[(u8, &[u8])]) -> Vec<u8> {
        let mut data = vec![code, id, 0, 0];
        data.extend([9; 16]);
        for (kind, value) in attributes {
            data.extend([*kind, u8::try_from(value.len() + 2).unwrap()]);
            data.extend(*value);
        }
        let length = u16::try_from(data.len()).unwrap().to_be_bytes();
        data[2..4].copy_from_slice(&length);
        data
    }

    #[test]
    fn a_login_has_its_user_device_and_outcome() {
        let ask = packet(1, 7, &[(1, b"nemo"), (2, &[1; 16]), (32, b"quay-switch-3")]);
        let rows = feed(
            &Radius,
            &flow(Transport::Udp, 1812),
            &[
                (FromClient, &ask),
                (FromServer, &packet(2, 7, &[(18, b"hello")])),
                (FromClient, &packet(1, 8, &[(1, b"nemo"), (79, &hex("02000005"))])),
                (FromServer, &packet(3, 8, &[])),
                (FromClient, &packet(1, 9, &[(1, b"last"), (3, &[1; 17])])),
            ],
        );
        let told: Vec<_> = rows
            .of("session")
            .iter()
            .map(|row| format!("{} {} {}", row["user"], row["method"], row["outcome"]).replace('"', ""))
            .collect();
        assert_eq!(told, ["nemo pap success", "nemo eap failure", "last chap unknown"]);
        assert_eq!(rows.of("session")[0]["detail"], r#"{"nas_identifier":"quay-switch-3"}"#);
        assert_eq!(rows.of("identity")[0]["value"], json!("quay-switch-3"));
        assert_eq!(rows.of("credential").len(), 2);
    }

    #[test]
    fn what_does_not_fit_is_refused_or_told() {
        let udp = flow(Transport::Udp, 1812);
        let good = packet(1, 7, &[(1, b"nemo")]);
        assert_eq!(Radius.probe(&pdu(&udp, 0, FromClient, &good)), Probe::Yes);
        assert_eq!(Radius.probe(&pdu(&udp, 0, FromClient, &packet(5, 7, &[]))), Probe::Unsure);
        // A byte behind the last attribute, counted by the length.
        let mut loose = packet(1, 7, &[(1, b"nemo"), (32, b"x")]);
        loose.push(1);
        loose[3] += 1;
        assert_eq!(Radius.probe(&pdu(&udp, 0, FromClient, &loose)), Probe::No);
        let mut bad = good.clone();
        bad[21] = 9;
        assert_eq!(Radius.probe(&pdu(&udp, 0, FromClient, &bad)), Probe::No);
        let rows = feed_unprobed(&Radius, &udp, &[(FromClient, &bad)]);
        assert_eq!(rows.of("weird")[0]["name"], "radius_packet");
    }

    proptest! {
        #[test]
        fn anything_is_survived(data in prop::collection::vec(any::<u8>(), 1..200), cut in 1usize..60) {
            let whole = packet(1, 7, &[(1, b"nemo"), (26, &hex("00000137190a")), (32, b"x")]);
            let cut = whole.get(..cut).unwrap_or(&whole);
            feed_unprobed(&Radius, &flow(Transport::Udp, 1812), &[(FromClient, &data), (FromClient, cut)]);
        }
    }
}
