//! Remote Desktop Protocol ([MS-RDPBCGR]) over TPKT and X.224, and its UDP transport ([MS-RDPEUDP]).
//!
//! The opening is readable: who asks, which security is asked for and chosen. With TLS or CredSSP the rest lies inside TLS; with the
//! old "standard RDP security" the settings of both sides are readable, and what follows is RC4 or nothing at all.

mod analyzer;
mod core;
mod info;
mod names;
mod negotiation;
#[cfg(test)]
mod tests;
mod udp;

use quaywatch_model::Transport;
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::cotp::{self, Tpdu, UpperKind};
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

/// The protocol.
pub struct Rdp;

/// Usual port, TCP and UDP.
const PORT: u16 = 3389;
/// Packets of a piece that a probe looks at.
const PROBED_PACKETS: usize = 4;

static META: ProtocolMeta = ProtocolMeta {
    name: "rdp",
    title: "RDP (remote desktop)",
    tcp: &[PORT],
    udp: &[PORT],
    ethertypes: &[],
    spec: "MS-RDPBCGR, MS-RDPEUDP, MS-CSSP",
    found: "crane management stations, HMIs, historians, jump hosts, remote support by vendors",
    depth: Depth::Partial,
    purpose: Purpose::RemoteAccess,
    scope: "Connection request and confirm with cookie and security protocol, client and server settings of standard security, \
            logon data that is not encrypted; TLS inside is read as tls. Screen, keyboard and channels are not read.",
};

impl Protocol for Rdp {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        match pdu.flow.transport {
            Transport::Tcp => probe_stream(pdu),
            Transport::Udp => udp::probe(pdu.data),
            _ => Probe::No,
        }
    }

    fn open(&self, flow: &Flow) -> Box<dyn Analyzer> {
        match flow.transport {
            Transport::Udp => Box::new(udp::UdpAnalyzer::default()),
            _ => Box::new(analyzer::RdpAnalyzer::default()),
        }
    }
}

fn probe_stream(pdu: &Pdu<'_>) -> Probe {
    // A flow picked up after its opening, on the usual port: the TLS in it is remote desktop's.
    if pdu.flow.midstream && pdu.flow.server.port == PORT && !pdu.data.starts_with(&[3]) {
        return crate::tls::Tls.probe(pdu);
    }
    let mut rest = pdu.data;
    let mut answer = Probe::No;
    for _ in 0..PROBED_PACKETS {
        if !cotp::starts_packet(rest) {
            break;
        }
        match probe_packet(rest.get(4..).unwrap_or_default()) {
            Probe::No => break,
            Probe::Unsure => answer = Probe::Unsure,
            sure => return sure,
        }
        let length =
            rest.get(2..4).and_then(|l| l.first_chunk::<2>()).map_or(0, |l| usize::from(u16::from_be_bytes(*l)));
        rest = rest.get(length..).unwrap_or_default();
    }
    if pdu.data.len() < 6 && b"\x03\x00".starts_with(pdu.data.get(..2).unwrap_or(pdu.data)) {
        return Probe::Unsure;
    }
    answer
}

/// A connect with a cookie or a negotiation, or a message of T.125, is remote desktop's. A bare connect may be.
fn probe_packet(packet: &[u8]) -> Probe {
    match cotp::parse(packet) {
        Ok((Tpdu::ConnectRequest(connect), _)) if connect.rdp => Probe::Yes,
        Ok((Tpdu::ConnectConfirm(connect), _)) if connect.rdp => Probe::YesFromServer,
        Ok((Tpdu::ConnectRequest(connect) | Tpdu::ConnectConfirm(connect), _)) if connect.called.is_none() => {
            Probe::Unsure
        }
        Ok((Tpdu::Data { user, .. }, _)) if UpperKind::of(user) == Some(UpperKind::Rdp) => {
            if UpperKind::Rdp.from_server(user) { Probe::YesFromServer } else { Probe::Yes }
        }
        Err(_) if usize::from(packet.first().copied().unwrap_or(0)) >= packet.len() => Probe::Unsure,
        _ => Probe::No,
    }
}
