//! SSL 2.0 to TLS 1.3 over TCP (RFC 8446, RFC 5246, RFC 6101), and DTLS over UDP (RFC 6347, RFC 9147).
//!
//! What is readable of a handshake is: the two hellos, the certificates before TLS 1.3, alerts. The rest is encrypted.

mod analyzer;
pub(crate) mod certificate;
mod ciphers;
mod dtls;
mod hello;
mod names;
pub mod quic;
mod side;
#[cfg(test)]
mod tests;

use quaywatch_model::Transport;
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

/// The protocol `tls`.
pub struct Tls;

/// The protocol `dtls`.
pub struct Dtls;

static TLS_META: ProtocolMeta = ProtocolMeta {
    name: "tls",
    title: "TLS",
    tcp: &[443, 8443, 636, 990, 992, 993, 995, 5061, 5085, 5986, 8883],
    udp: &[],
    ethertypes: &[],
    spec: "RFC 8446, RFC 5246, RFC 6101, RFC 6066, JA4",
    found: "web pages of devices, remote access, cloud connections of modems and gateways, secured OPC UA and MQTT",
    depth: Depth::Partial,
    purpose: Purpose::General,
    scope: "Hellos with server name, JA4, versions and cipher, certificate chains before TLS 1.3, alerts. Application data is \
            encrypted; sessions that turn to TLS midway (STARTTLS) are read only where their protocol hands them over.",
};

static DTLS_META: ProtocolMeta = ProtocolMeta {
    name: "dtls",
    title: "DTLS",
    tcp: &[],
    udp: &[4433, 5684, 4755],
    ethertypes: &[],
    spec: "RFC 6347, RFC 9147",
    found: "secured CoAP, VPNs of remote access products",
    depth: Depth::Named,
    purpose: Purpose::General,
    scope: "Recognised; of its handshake the hellos that lie in one record.",
};

impl Protocol for Tls {
    fn meta(&self) -> &'static ProtocolMeta {
        &TLS_META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport == Transport::Tcp { side::probe(pdu.data) } else { Probe::No }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(analyzer::TlsAnalyzer::default())
    }
}

impl Protocol for Dtls {
    fn meta(&self) -> &'static ProtocolMeta {
        &DTLS_META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport == Transport::Udp { dtls::probe(pdu.data) } else { Probe::No }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(dtls::DtlsAnalyzer::default())
    }
}
