//! S7comm, the S7 communication of SIMATIC S7-300 and S7-400 and of everything that still talks like them.
//!
//! The entry takes every TPKT / COTP flow (and ISO 8073 class 4 frames on LLC SAP 0xfe); [`crate::cotp`] tells what rides on it
//! hands `s7comm-plus` and `mms` to their own readers and names what is not decoded: `rdp`.

mod blocks;
mod clock;
mod conversation;
mod errors;
mod header;
mod items;
mod jobs;
mod names;
mod pi;
mod request;
mod szl;
#[cfg(test)]
mod tests;
mod userdata;

pub use conversation::Conversation;

use quaywatch_model::{Direction, Transport};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::cotp::{self, Connect, CotpFlow, Tpdu, UpperKind};
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

/// Protocol name in rows.
pub(crate) const PROTOCOL: &str = "s7comm";

/// The registry entry.
pub struct S7comm;

/// IEEE 802.2 LLC SAP of the ISO network layer.
const ISO_SAP: u16 = 0xfe;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "S7comm",
    tcp: &[102],
    udp: &[],
    ethertypes: &[ISO_SAP],
    spec: "RFC 1006, ISO 8073; S7comm itself is not published (Siemens system functions manuals, snap7, libnodave)",
    found: "PLCs of cranes (SIMATIC S7-300/400, and S7-1200/1500 with PUT/GET), HMIs, engineering stations, CMS",
    depth: Depth::Full,
    purpose: Purpose::Control,
    scope: "COTP connections; S7comm jobs, acknowledgements and userdata with addresses, blocks, identification, clock, passwords. \
            S7comm-plus, MMS and remote desktop on COTP have their own entries.",
};

impl Protocol for S7comm {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        match pdu.flow.transport {
            Transport::Tcp => probe_stream(pdu.data),
            Transport::Link(ISO_SAP) => cotp::inactive_network(pdu.data).map_or(Probe::No, probe_tpdu),
            _ => Probe::No,
        }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(CotpFlow::default())
    }
}

/// The first piece of a stream may be the first bytes of a packet only.
fn probe_stream(piece: &[u8]) -> Probe {
    let piece = cotp::after_bare_packets(piece);
    if !cotp::starts_packet(piece) {
        let whole = piece.len() >= 6 || !b"\x03\x00".starts_with(piece.get(..2).unwrap_or(piece));
        return if whole { Probe::No } else { Probe::Unsure };
    }
    probe_tpdu(piece.get(4..).unwrap_or_default())
}

fn probe_tpdu(packet: &[u8]) -> Probe {
    match cotp::parse(packet) {
        Ok((Tpdu::ConnectRequest(connect), _)) => told(&connect, Direction::FromClient),
        Ok((Tpdu::ConnectConfirm(connect), _)) => told(&connect, Direction::FromServer),
        Ok((Tpdu::Data { user, .. }, _)) => match UpperKind::of(user) {
            None => Probe::Unsure,
            // Its own entry claims it.
            Some(UpperKind::S7commPlus | UpperKind::Rdp) => Probe::No,
            Some(kind) if kind.from_server(user) => Probe::YesFromServer,
            Some(_) => Probe::Yes,
        },
        Ok(_) => Probe::Unsure,
        // A header that is cut short by the end of the piece.
        Err(_) if packet.len() < 2 => Probe::Unsure,
        Err(_) if usize::from(packet.first().copied().unwrap_or(0)) >= packet.len() => Probe::Unsure,
        Err(_) => Probe::No,
    }
}

/// A connect that names the called transport selector is ISO's; one with a cookie or negotiation is remote desktop's, which has its
/// own entry. Without either, what follows must tell.
const fn told(connect: &Connect<'_>, direction: Direction) -> Probe {
    match (connect.called.is_some(), direction) {
        _ if connect.rdp => Probe::No,
        (true, Direction::FromClient) => Probe::Yes,
        (true, Direction::FromServer) => Probe::YesFromServer,
        (false, _) => Probe::Unsure,
    }
}
