//! OPC UA with its binary encoding over TCP (OPC 10000-6, IEC 62541-6): what controllers, crane management systems and
//! historians of today talk to one another, on port 4840 or any other.
//!
//! [`chunk`] cuts and joins, [`flow`] pairs, [`request`] and [`response`] read services, [`session`] judges no user.

mod application;
mod chunk;
mod exchange;
mod flow;
pub mod names;
mod reader;
mod request;
mod response;
mod session;
pub mod status;
#[cfg(test)]
mod tests;

use quaywatch_model::Transport;
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

use chunk::{HEADER, Kind};

/// Protocol name in rows.
pub(crate) const PROTOCOL: &str = "opcua";

/// The registry entry.
pub struct OpcUa;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "OPC UA",
    tcp: &[4840],
    udp: &[],
    ethertypes: &[],
    spec: "OPC 10000-4 and 10000-6 (IEC 62541-4 and -6), binary encoding over TCP",
    found: "controllers, crane management systems, historians, gateways between makers, terminal operating systems",
    depth: Depth::Full,
    purpose: Purpose::Control,
    scope: "Hello to Close, chunks put together; all services with nodes and results, endpoints with policies and user tokens, \
            logins, certificates, build info, clocks. What a channel encrypts is counted as such; values read are not told.",
};

impl Protocol for OpcUa {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport == Transport::Tcp { probe(pdu.data) } else { Probe::No }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(flow::OpcUaFlow::default())
    }
}

fn probe(piece: &[u8]) -> Probe {
    let Some(header) = chunk::header(piece) else {
        return if piece.len() < HEADER && chunk::may_start(piece) { Probe::Unsure } else { Probe::No };
    };
    match header.kind {
        Kind::Acknowledge => Probe::YesFromServer,
        Kind::Open | Kind::Message | Kind::Close => match flow::type_id(header.kind, piece).and_then(names::asks) {
            Some(false) => Probe::YesFromServer,
            _ => Probe::Yes,
        },
        Kind::Hello | Kind::Error | Kind::ReverseHello => Probe::Yes,
    }
}
