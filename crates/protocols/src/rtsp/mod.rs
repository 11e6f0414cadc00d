//! RTSP (RFC 2326, RFC 7826): how cameras and recorders are asked for their streams. Media sent inside it are passed over.

mod analyzer;
mod login;
mod message;
#[cfg(test)]
mod tests;

use quaywatch_model::Transport;
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

/// The protocol.
pub struct Rtsp;

static META: ProtocolMeta = ProtocolMeta {
    name: "rtsp",
    title: "RTSP",
    tcp: &[554, 8554],
    udp: &[],
    ethertypes: &[],
    spec: "RFC 2326, RFC 7826, RFC 8866",
    found: "cameras on cranes, gates and lanes, video recorders, OCR portals",
    depth: Depth::Partial,
    purpose: Purpose::Field,
    scope: "Every request with its answer, software, logins, the media of descriptions, transports and ports; \
            interleaved media are counted, not decoded.",
};

impl Protocol for Rtsp {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport == Transport::Tcp { recognise(pdu.data) } else { Probe::No }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(analyzer::RtspAnalyzer::default())
    }
}

/// A first line names the protocol: a status line in front, a request line at its end.
fn recognise(data: &[u8]) -> Probe {
    if data.starts_with(b"RTSP/1.0 ") || data.starts_with(b"RTSP/2.0 ") {
        return Probe::YesFromServer;
    }
    let end = data.iter().position(|b| *b == b'\n');
    let line = data.get(..end.unwrap_or(data.len())).unwrap_or(data);
    let Some(method) = message::METHODS.iter().find(|method| line.starts_with(method.0.as_bytes())) else {
        return Probe::No;
    };
    let rest = line.get(method.0.len()..).unwrap_or_default();
    if end.is_some() {
        let line = line.trim_ascii_end();
        let ours = rest.starts_with(b" ") && (line.ends_with(b" RTSP/1.0") || line.ends_with(b" RTSP/2.0"));
        return if ours { Probe::Yes } else { Probe::No };
    }
    if rest.starts_with(b" rtsp://") || rest.starts_with(b" rtsps://") { Probe::Unsure } else { Probe::No }
}
