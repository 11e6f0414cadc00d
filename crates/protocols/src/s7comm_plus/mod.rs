//! S7comm-plus, what S7-1200 and S7-1500 speak with TIA Portal and HMIs: protocol id 0x72 on COTP.
//!
//! It is not published; written from T. Wiens' public description and checked on whole captures. [`crate::cotp`] carries it.

mod conversation;
mod frame;
mod items;
mod names;
mod notification;
mod reply;
mod request;
#[cfg(test)]
mod tests;
mod value;

pub use conversation::Conversation;

use quaywatch_model::Transport;
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::cotp::{self, CotpFlow, Tpdu, UpperKind};
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

/// Protocol name in rows.
pub(crate) const PROTOCOL: &str = "s7comm-plus";

/// The registry entry. Its TCP port, 102, stands with `s7comm`, which takes all other COTP.
pub struct S7commPlus;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "S7comm-plus",
    tcp: &[],
    udp: &[],
    ethertypes: &[],
    spec: "not published (Siemens); public description by T. Wiens, s7commwireshark and S7CommPlusDriver",
    found: "PLCs of newer cranes (SIMATIC S7-1200/1500) with their HMIs and TIA Portal; TCP 102",
    depth: Depth::Partial,
    purpose: Purpose::Control,
    scope: "Framing of V1 to V3, requests paired with responses, sessions, identification, RUN / STOP, program blocks downloaded. \
            Values of tags read, written and notified; blocks uploaded. Sessions over TLS are opaque.",
};

impl Protocol for S7commPlus {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        let piece = cotp::after_bare_packets(pdu.data);
        if pdu.flow.transport != Transport::Tcp || !cotp::starts_packet(piece) {
            return Probe::No;
        }
        match cotp::parse(piece.get(4..).unwrap_or_default()) {
            Ok((Tpdu::Data { user, .. }, _)) if UpperKind::of(user) == Some(UpperKind::S7commPlus) => {
                if UpperKind::S7commPlus.from_server(user) {
                    Probe::YesFromServer
                } else {
                    Probe::Yes
                }
            }
            _ => Probe::No,
        }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(CotpFlow::default())
    }
}
