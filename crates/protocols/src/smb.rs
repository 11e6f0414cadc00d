//! SMB over NetBIOS session service or direct TCP (MS-CIFS, MS-SMB2): the dialect agreed on. The rest is named only.

use quaywatch_model::{Direction, Mark, Observation, Service, Sink, Transport};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::Depth;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

/// The protocol.
pub struct Smb;

static META: ProtocolMeta = ProtocolMeta {
    name: "smb",
    title: "SMB / CIFS",
    tcp: &[445, 139],
    udp: &[],
    ethertypes: &[],
    spec: "MS-CIFS 2.2.4.52, MS-SMB2 2.2.4",
    found: "office and operator computers, historians, panels",
    depth: Depth::Partial,
    control: false,
    scope: "the dialect agreed on; neither logins nor files yet",
};

const SMB1: [u8; 4] = [0xff, b'S', b'M', b'B'];
const SMB2: [u8; 4] = [0xfe, b'S', b'M', b'B'];
/// SMB 3 encrypted message (MS-SMB2 2.2.41).
const SMB3_SEALED: [u8; 4] = [0xfd, b'S', b'M', b'B'];

/// The message behind the four-byte session header (RFC 1002 section 4.3.1; MS-SMB2 2.1).
fn message(data: &[u8]) -> Option<&[u8]> {
    match data {
        [0, _, _, _, rest @ ..] => Some(rest),
        _ => None,
    }
}

fn magic(message: &[u8]) -> Option<[u8; 4]> {
    message.first_chunk::<4>().copied().filter(|magic| [SMB1, SMB2, SMB3_SEALED].contains(magic))
}

/// The dialect that a negotiate response settles on.
fn dialect(message: &[u8]) -> Option<&'static str> {
    match magic(message)? {
        // Command 0x72, reply flag, and a dialect index that is not "none".
        SMB1 if message.get(4) == Some(&0x72) && message.get(9).is_some_and(|flags| flags & 0x80 != 0) => {
            let words = *message.get(32)?;
            (words > 0 && message.get(33..35)? != [0xff, 0xff]).then_some("SMB 1")
        }
        // Command 0, server-to-client flag; the dialect follows structure size and security mode.
        SMB2 if message.get(12..14)? == [0, 0] && message.get(16)? & 1 == 1 => match message.get(68..70)? {
            [0x02 | 0x10, 0x02] => Some("SMB 2"),
            [_, 0x03] => Some("SMB 3"),
            _ => None,
        },
        _ => None,
    }
}

impl Protocol for Smb {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Tcp {
            return Probe::No;
        }
        // A NetBIOS session request (RFC 1002 section 4.3.2) opens port 139.
        if matches!(pdu.data, [0x81, 0, 0, 0x44, ..]) && pdu.flow.server.port == 139 {
            return Probe::Unsure;
        }
        match message(pdu.data).and_then(magic) {
            Some(_) if dialect(pdu.data.get(4..).unwrap_or_default()).is_some() => Probe::YesFromServer,
            Some(_) => Probe::Yes,
            None => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(SmbAnalyzer { told: None })
    }
}

struct SmbAnalyzer {
    told: Option<&'static str>,
}

impl Analyzer for SmbAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let found = message(pdu.data).and_then(dialect).filter(|_| pdu.direction == Direction::FromServer);
        let Some(version) = found else {
            return out.mark(Mark::Undecoded("smb beyond negotiation"));
        };
        if self.told != Some(version) {
            self.told = Some(version);
            let server = pdu.flow.server;
            let service = Service { server, transport: Transport::Tcp, protocol: META.name, software: "", version };
            out.emit(pdu.at, Observation::Service(service));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{feed, flow, pdu};

    fn smb1_reply(index: u16) -> Vec<u8> {
        let mut data = vec![0, 0, 0, 40];
        data.extend(SMB1);
        data.extend([0x72, 0, 0, 0, 0, 0x98]);
        data.resize(4 + 32, 0);
        data.push(17);
        data.extend(index.to_le_bytes());
        data
    }

    fn smb2_reply(dialect: u16) -> Vec<u8> {
        let mut data = vec![0, 0, 0, 128];
        data.extend(SMB2);
        data.resize(4 + 16, 0);
        data.push(1);
        data.resize(4 + 68, 0);
        data.extend(dialect.to_le_bytes());
        data
    }

    #[test]
    fn the_agreed_dialect_is_told_once() {
        for (reply, version) in [
            (smb1_reply(0), Some("SMB 1")),
            (smb1_reply(0xffff), None),
            (smb2_reply(0x0210), Some("SMB 2")),
            (smb2_reply(0x0311), Some("SMB 3")),
            (smb2_reply(0x02ff), None),
        ] {
            let pieces: [(Direction, &[u8]); 2] = [(Direction::FromServer, &reply), (Direction::FromServer, &reply)];
            let recorder = feed(&Smb, &flow(Transport::Tcp, 445), &pieces);
            let told: Vec<_> =
                recorder.of("service").iter().map(|s| s["version"].as_str().unwrap().to_owned()).collect();
            assert_eq!(told, version.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn truncations_are_survived() {
        let flow = flow(Transport::Tcp, 445);
        for reply in [smb1_reply(0), smb2_reply(0x0311)] {
            for length in 0..reply.len() {
                let _ = Smb.probe(&pdu(&flow, 0, Direction::FromServer, &reply[..length]));
            }
        }
    }
}
