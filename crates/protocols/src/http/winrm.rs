//! WinRM (MS-WSMV): the remote shell of Windows. It is HTTP for `/wsman`, read by the same analyzer and told under its own name.

use quaywatch_model::Transport;
use quaywatch_wire::{Flow, Pdu};

use super::analyzer::HttpAnalyzer;
use super::exchange::Exchange;
use crate::analyzer::{Depth, Purpose};
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

/// The protocol `winrm`.
pub struct Winrm;

static META: ProtocolMeta = ProtocolMeta {
    name: "winrm",
    title: "WinRM",
    tcp: &[5985, 47001],
    udp: &[],
    ethertypes: &[],
    spec: "MS-WSMV, DMTF DSP0226, MS-PSRP; over HTTP as in RFC 9110",
    found: "Windows servers of crane management and terminal operating systems; remote administration, lateral movement",
    depth: Depth::Partial,
    purpose: Purpose::RemoteAccess,
    scope: "Logins with method and outcome, software, whether messages are encrypted. Shells and commands are not read.",
};

/// Its name, for rows.
pub(super) const NAME: &str = META.name;

impl Protocol for Winrm {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Tcp || super::probe(pdu.data) != Probe::Yes {
            return Probe::No;
        }
        // Method, blank, target.
        let target = pdu.data.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        if is_asked_for(target) { Probe::Yes } else { Probe::No }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(HttpAnalyzer::default())
    }
}

/// Whether a request's target is the service's: the default URL prefix (MS-WSMV), with or without a host before it.
pub(super) fn is_asked_for(target: &[u8]) -> bool {
    let path = match target.strip_prefix(b"http://") {
        Some(rest) => rest.iter().position(|byte| *byte == b'/').and_then(|at| rest.get(at..)).unwrap_or_default(),
        None => target,
    };
    let Some((prefix, rest)) = path.split_at_checked(6) else { return false };
    prefix.eq_ignore_ascii_case(b"/wsman") && matches!(rest.first(), None | Some(b'/' | b'?' | b'-'))
}

/// Whether a message is encrypted by the authentication's keys (MS-WSMV, encrypted messages).
pub(super) fn is_encrypted(content_type: &[u8]) -> bool {
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    essence.eq_ignore_ascii_case(b"multipart/encrypted") || essence.eq_ignore_ascii_case(b"multipart/x-multi-encrypted")
}

/// A login whose request had no content: whether what it opens is encrypted, the next request tells.
#[derive(Debug)]
pub(super) struct Undecided {
    pub(super) exchange: Exchange,
    pub(super) status: Option<u32>,
    pub(super) server_software: String,
}
