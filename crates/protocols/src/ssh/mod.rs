//! SSH (RFC 4253; protocol 1 after the draft of its author): who speaks, and what the two agree on. The rest is encrypted.

mod analyzer;
mod packet;
#[cfg(test)]
mod tests;

use quaywatch_model::Transport;
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

/// The protocol `ssh`.
pub struct Ssh;

static META: ProtocolMeta = ProtocolMeta {
    name: "ssh",
    title: "SSH",
    tcp: &[22, 2222],
    udp: &[],
    ethertypes: &[],
    spec: "RFC 4253, RFC 4250; draft-ylonen-ssh-protocol-00",
    found: "maintenance of switches, controllers, gateways and servers; file transfer to terminal operating systems",
    depth: Depth::Partial,
    purpose: Purpose::RemoteAccess,
    scope: "Banners, protocol version, algorithms agreed on, host key fingerprint. Logins are encrypted: their outcome is not seen.",
};

impl Protocol for Ssh {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Tcp {
            return Probe::No;
        }
        probe(pdu.data)
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(analyzer::SshAnalyzer::default())
    }
}

/// A banner, or the offer of algorithms that follows it.
fn probe(bytes: &[u8]) -> Probe {
    let prefix = b"SSH-";
    match bytes {
        [b'S', b'S', b'H', b'-', b'1' | b'2', b'.', ..] => Probe::Yes,
        _ if bytes.len() < 6 && (prefix.starts_with(bytes) || bytes.starts_with(prefix)) => {
            if bytes.is_empty() {
                Probe::No
            } else {
                Probe::Unsure
            }
        }
        _ if packet::Offer::of_packet(bytes).is_some() => Probe::Yes,
        _ => Probe::No,
    }
}
