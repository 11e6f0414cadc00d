//! VNC: the Remote Framebuffer Protocol (RFC 6143). The handshake is decoded, the screen's content is not.

mod analyzer;
mod handshake;
mod names;
#[cfg(test)]
mod tests;

use quaywatch_model::Transport;
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

/// The protocol.
pub struct Vnc;

static META: ProtocolMeta = ProtocolMeta {
    name: "vnc",
    title: "VNC (RFB)",
    tcp: &[5900, 5901],
    udp: &[],
    ethertypes: &[],
    spec: "RFC 6143",
    found: "operator panels, crane management stations, remote support",
    depth: Depth::Partial,
    purpose: Purpose::RemoteAccess,
    scope: "Versions, security types offered and chosen, VeNCrypt and Tight inside, outcome, desktop name and size; not the \
            framebuffer, keys or pointer. Of RealVNC 5 the version only.",
};

impl Protocol for Vnc {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        match pdu.flow.transport {
            Transport::Tcp if is_version(pdu.data) => Probe::YesFromServer,
            Transport::Tcp if pdu.data.len() < 12 && b"RFB 00".starts_with(pdu.data.get(..6).unwrap_or(pdu.data)) => {
                Probe::Unsure
            }
            _ => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(analyzer::VncAnalyzer::default())
    }
}

/// `RFB xxx.yyy\n` (section 7.1.1).
fn is_version(data: &[u8]) -> bool {
    let [b'R', b'F', b'B', b' ', a, b, c, b'.', d, e, f, b'\n', ..] = data else { return false };
    [a, b, c, d, e, f].into_iter().all(u8::is_ascii_digit)
}
