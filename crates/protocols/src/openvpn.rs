//! OpenVPN: recognised by the reset messages that open its control channel (OpenVPN protocol documentation,
//! "Network protocol"); what follows is TLS inside it or encrypted data.

use quaywatch_model::{Direction, Mark, Observation, Outcome, Session, Sink, Transport};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

/// The protocol.
pub struct OpenVpn;

static META: ProtocolMeta = ProtocolMeta {
    name: "openvpn",
    title: "OpenVPN",
    tcp: &[1194],
    udp: &[1194],
    ethertypes: &[],
    spec: "OpenVPN protocol documentation, network protocol",
    found: "vendor gateways, cellular routers, engineering stations",
    depth: Depth::Named,
    purpose: Purpose::RemoteAccess,
    scope: "opening of the control channel; all content is encrypted",
};

const CLIENT_RESET_V2: u8 = 7;
const SERVER_RESET_V2: u8 = 8;
const CLIENT_RESET_V3: u8 = 10;

/// Lengths of a client's first message: plain; with an HMAC of 128, 160, 256 or 512 bits (`tls-auth`); wrapped by `tls-crypt`.
const RESET_LENGTHS: [usize; 6] = [14, 38, 42, 54, 62, 86];

/// Takes the two-byte length off that precedes each message on TCP.
fn message<'a>(pdu: &Pdu<'a>) -> Option<&'a [u8]> {
    match pdu.flow.transport {
        Transport::Udp => Some(pdu.data),
        Transport::Tcp => {
            let (length, rest) = pdu.data.split_first_chunk::<2>()?;
            rest.get(..usize::from(u16::from_be_bytes(*length)))
        }
        _ => None,
    }
}

/// The opcode of a reset message in the shape that a fresh session gives it.
fn reset(message: &[u8]) -> Option<u8> {
    let (first, rest) = message.split_first()?;
    // The key id in the low three bits is 0 when a session opens.
    if first & 7 != 0 || rest.get(..8).is_none_or(|session| session == [0; 8]) {
        return None;
    }
    let opcode = first >> 3;
    match opcode {
        CLIENT_RESET_V2 | SERVER_RESET_V2 => {
            let plain = message.len() == 14 && message.get(9..) == Some(&[0; 5]);
            let server = opcode == SERVER_RESET_V2 && (26..=98).contains(&message.len());
            (plain || server || (message.len() > 14 && RESET_LENGTHS.contains(&message.len()))).then_some(opcode)
        }
        CLIENT_RESET_V3 => (message.len() >= 54).then_some(opcode),
        _ => None,
    }
}

/// Whether a client's first message has behind its HMAC what `tls-auth` gives it: the first replay packet id, a time, no
/// acknowledgements and message id 0.
fn authenticated(message: &[u8], length: usize) -> bool {
    let tail = length.checked_sub(13).and_then(|from| message.get(from..));
    matches!(tail, Some([0, 0, 0, 1, _, _, _, _, 0, 0, 0, 0, 0]))
}

impl Protocol for OpenVpn {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        let usual = [pdu.flow.server.port, pdu.flow.client.port].contains(&1194);
        match message(pdu).map(|message| (reset(message), message.len())) {
            Some((Some(CLIENT_RESET_V2), 14)) => Probe::Yes,
            Some((Some(CLIENT_RESET_V2), length))
                if message(pdu).is_some_and(|message| authenticated(message, length)) =>
            {
                Probe::Yes
            }
            Some((Some(CLIENT_RESET_V2 | CLIENT_RESET_V3), _)) => Probe::Unsure,
            Some((Some(_), _)) if usual => Probe::YesFromServer,
            // Data packets of a session whose opening was not captured look like noise.
            Some((None, 20..)) if usual && matches!(pdu.data.first().map(|b| b >> 3), Some(4 | 5 | 6 | 9)) => {
                Probe::Unsure
            }
            _ => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(OpenVpnAnalyzer { told: false })
    }
}

struct OpenVpnAnalyzer {
    told: bool,
}

impl Analyzer for OpenVpnAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let answered = pdu.direction == Direction::FromServer;
        if answered && !std::mem::replace(&mut self.told, true) {
            out.emit(
                pdu.at,
                Observation::Session(Session {
                    client: pdu.flow.client,
                    server: pdu.flow.server,
                    protocol: META.name,
                    version: "",
                    user: "",
                    method: "tls",
                    outcome: Outcome::Unknown,
                    client_software: "",
                    server_software: "",
                    encrypted: true,
                    detail: "",
                }),
            );
        }
        if message(pdu).and_then(reset).is_none() {
            out.mark(Mark::Opaque("encrypted"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{feed, flow, hex, pdu};

    #[test]
    fn the_opening_is_recognised_on_any_port() {
        let client = hex("38 a1b2c3d4e5f60718 00 00000000");
        let server = hex("40 1122334455667788 01 00000000 a1b2c3d4e5f60718 00000000");
        let flow = flow(Transport::Udp, 443);
        let pieces: [(Direction, &[u8]); 2] = [(Direction::FromClient, &client), (Direction::FromServer, &server)];
        let recorder = feed(&OpenVpn, &flow, &pieces);
        assert_eq!(recorder.of("session").len(), 1);
        assert!(recorder.marks.is_empty());
    }

    #[test]
    fn tcp_has_a_length_before_each_message() {
        let client = hex("000e 38 a1b2c3d4e5f60718 00 00000000");
        let flow = flow(Transport::Tcp, 1194);
        assert_eq!(OpenVpn.probe(&pdu(&flow, 0, Direction::FromClient, &client)), Probe::Yes);
        for length in 0..client.len() {
            assert_eq!(OpenVpn.probe(&pdu(&flow, 0, Direction::FromClient, &client[..length])), Probe::No);
        }
    }
}
