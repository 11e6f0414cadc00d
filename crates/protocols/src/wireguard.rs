//! WireGuard (protocol paper of 2020, section 5.4): recognised by the fixed shape of its handshake; its content is encrypted.

use quaywatch_model::{Direction, Mark, Observation, Outcome, Session, Sink, Transport};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

/// The protocol.
pub struct WireGuard;

static META: ProtocolMeta = ProtocolMeta {
    name: "wireguard",
    title: "WireGuard",
    tcp: &[],
    udp: &[51820],
    ethertypes: &[],
    spec: "WireGuard: Next Generation Kernel Network Tunnel, section 5.4",
    found: "vendor tunnels, cellular routers",
    depth: Depth::Named,
    purpose: Purpose::RemoteAccess,
    scope: "handshake and its outcome; all content is encrypted",
};

/// Lengths of handshake initiation, handshake response and cookie reply; data messages are padded to 16 bytes.
const INITIATION: usize = 148;
const RESPONSE: usize = 92;
const COOKIE: usize = 64;

impl Protocol for WireGuard {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Udp {
            return Probe::No;
        }
        match (pdu.data, pdu.data.len()) {
            ([1, 0, 0, 0, ..], INITIATION) => Probe::Yes,
            ([2, 0, 0, 0, ..], RESPONSE) => Probe::YesFromServer,
            ([4, 0, 0, 0, ..], 32..) if pdu.data.len().is_multiple_of(16) => Probe::Unsure,
            _ => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(WireGuardAnalyzer { told: false })
    }
}

struct WireGuardAnalyzer {
    told: bool,
}

impl Analyzer for WireGuardAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        match (pdu.data, pdu.data.len()) {
            ([1, 0, 0, 0, ..], INITIATION) | ([3, 0, 0, 0, ..], COOKIE) => {}
            ([2, 0, 0, 0, ..], RESPONSE) => self.tell(pdu, Outcome::Success, out),
            ([4, 0, 0, 0, ..], 32..) if pdu.data.len().is_multiple_of(16) => {
                self.tell(pdu, Outcome::Unknown, out);
                out.mark(Mark::Opaque("encrypted"));
            }
            _ => out.mark(Mark::Malformed("no wireguard message")),
        }
    }
}

impl WireGuardAnalyzer {
    fn tell(&mut self, pdu: &Pdu<'_>, outcome: Outcome, out: &mut dyn Sink) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        // The responder answers whoever initiated: either end may rekey later.
        let (client, server) = match (outcome, pdu.direction) {
            (Outcome::Success, Direction::FromClient) => (pdu.flow.server, pdu.flow.client),
            _ => (pdu.flow.client, pdu.flow.server),
        };
        out.emit(
            pdu.at,
            Observation::Session(Session {
                client,
                server,
                protocol: META.name,
                version: "1",
                user: "",
                method: "public key",
                outcome,
                client_software: "",
                server_software: "",
                encrypted: true,
                detail: "",
            }),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{feed, flow, pdu};

    #[test]
    fn a_handshake_makes_one_session() {
        let mut initiation = [0u8; INITIATION];
        initiation[0] = 1;
        let mut response = [0u8; RESPONSE];
        response[0] = 2;
        let mut data = [7u8; 48];
        data[..4].copy_from_slice(&[4, 0, 0, 0]);
        let pieces: [(Direction, &[u8]); 3] =
            [(Direction::FromClient, &initiation), (Direction::FromServer, &response), (Direction::FromClient, &data)];
        let recorder = feed(&WireGuard, &flow(Transport::Udp, 51820), &pieces);
        assert_eq!(recorder.of("session").len(), 1);
        assert_eq!(recorder.of("session")[0]["outcome"], "success");
        assert_eq!(recorder.marks, [Mark::Opaque("encrypted")]);
    }

    #[test]
    fn other_datagrams_are_not_taken() {
        let flow = flow(Transport::Udp, 51820);
        for data in [&[1u8, 0, 0, 0][..], &[1; INITIATION], &[4, 0, 0, 0, 1]] {
            assert_eq!(WireGuard.probe(&pdu(&flow, 0, Direction::FromClient, data)), Probe::No);
        }
    }
}
