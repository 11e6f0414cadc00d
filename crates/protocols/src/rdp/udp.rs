//! The UDP transport ([MS-RDPEUDP]): recognised by its opening; its content is TLS or DTLS inside a transport of its own.

use quaywatch_model::{Direction, Mark, Observation, Outcome, Service, Session, Sink, Transport};
use quaywatch_wire::{Flow, Pdu};

use super::META;
use crate::bytes::Cursor;
use crate::{Analyzer, Probe};

const SYN: u16 = 0x0001;
const ACK: u16 = 0x0004;
/// The sender can do without retransmission: the lossy transport.
const SYN_LOSSY: u16 = 0x0200;
/// The payload that tells the version follows.
const SYN_EX: u16 = 0x1000;
/// Correlation id of 16 bytes and 16 reserved.
const CORRELATION: u16 = 0x0400;

/// The datagram that opens the transport (section 2.2.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Opening {
    answer: bool,
    lossy: bool,
    version: u16,
}

/// Headers are in network byte order. The sizes of datagrams agreed on are between 1132 and 1232 bytes (section 2.2.2.1).
fn opening(bytes: &[u8]) -> Option<Opening> {
    let mut cursor = Cursor::new(bytes);
    let acknowledged = cursor.be32()?;
    cursor.skip(2)?;
    let flags = cursor.be16()?;
    cursor.skip(4)?;
    let sizes = [cursor.be16()?, cursor.be16()?];
    let answer = flags & ACK != 0;
    let fits = flags & SYN != 0
        && flags & !0x1fff == 0
        && (answer || acknowledged == 0xffff_ffff)
        && sizes.iter().all(|size| (1132..=1232).contains(size))
        // The opening is filled with zeros to the size offered, or nearly so.
        && bytes.len() >= 1132;
    if !fits {
        return None;
    }
    if flags & CORRELATION != 0 {
        cursor.skip(32)?;
    }
    let version = if flags & SYN_EX != 0 && !answer { cursor.be32().map_or(1, |both| both & 0xffff) } else { 1 };
    Some(Opening { answer, lossy: flags & SYN_LOSSY != 0, version: u16::try_from(version).unwrap_or(1) })
}

pub(super) fn probe(bytes: &[u8]) -> Probe {
    match opening(bytes) {
        Some(Opening { answer: false, .. }) => Probe::Yes,
        Some(_) => Probe::YesFromServer,
        None => Probe::No,
    }
}

/// Reads one flow.
#[derive(Default)]
pub(super) struct UdpAnalyzer {
    lossy: bool,
    version: u16,
    told: bool,
}

impl Analyzer for UdpAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        match opening(pdu.data) {
            Some(opening) if !opening.answer => (self.lossy, self.version) = (opening.lossy, opening.version),
            Some(_) if pdu.direction == Direction::FromServer && !self.told => self.tell(pdu, out),
            Some(_) => {}
            None => out.mark(Mark::Opaque("encrypted")),
        }
    }

    fn close(&mut self, _: &Flow, _: &mut dyn Sink) {}
}

impl UdpAnalyzer {
    fn tell(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        self.told = true;
        let (client, server) = (pdu.flow.client, pdu.flow.server);
        let version = match self.version {
            0x0101 => "RDP-UDP 3",
            2 => "RDP-UDP 2",
            _ => "RDP-UDP 1",
        };
        let service = Service { server, transport: Transport::Udp, protocol: META.name, software: "", version };
        out.emit(pdu.at, Observation::Service(service));
        out.emit(
            pdu.at,
            Observation::Session(Session {
                client,
                server,
                protocol: META.name,
                version,
                user: "",
                method: if self.lossy { "dtls" } else { "tls" },
                outcome: Outcome::Unknown,
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
    use crate::testing::{feed_unprobed, flow, hex, pdu};

    fn padded(text: &str) -> Vec<u8> {
        let mut bytes = hex(text);
        bytes.resize(1232, 0);
        bytes
    }

    #[test]
    fn the_opening_is_recognised_and_told_when_answered() {
        let syn = padded("ffffffff 0040 1001 12345678 04d0 04d0 0001 0002");
        let answer = padded("12345678 0040 0005 87654321 04d0 04d0");
        let flow = flow(Transport::Udp, 3389);
        assert_eq!(probe(&syn), Probe::Yes);
        assert_eq!(probe(&answer), Probe::YesFromServer);
        for length in 0..1132 {
            assert_eq!(probe(&syn[..length]), Probe::No);
        }
        let pieces: [(Direction, &[u8]); 3] =
            [(Direction::FromClient, &syn), (Direction::FromServer, &answer), (Direction::FromClient, &[1; 30])];
        let rows = feed_unprobed(&super::super::Rdp, &flow, &pieces);
        assert_eq!(rows.of("session")[0]["version"], "RDP-UDP 2");
        assert_eq!(rows.marks, [Mark::Opaque("encrypted")]);
        let _ = pdu(&flow, 0, Direction::FromClient, &syn);
    }
}
