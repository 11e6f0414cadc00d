//! MMS (ISO 9506), as IEC 61850 stations and their clients and, as TASE.2 (IEC 60870-6), control centres speak it.
//!
//! [`crate::cotp`] carries it; [`layers`] unwraps session, presentation and association control, [`conversation`] pairs.

mod association;
mod ber;
mod conversation;
mod exchange;
mod layers;
pub mod names;
mod request;
mod response;
#[cfg(test)]
mod tests;
mod transfer;

pub use conversation::Conversation;

use quaywatch_model::Transport;
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::cotp::{self, CotpFlow, Tpdu, UpperKind};
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

/// Protocol name in rows.
pub(crate) const PROTOCOL: &str = "mms";

/// The registry entry. Its TCP port, 102, stands with `s7comm`, which takes connects of all COTP.
pub struct Mms;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "MMS (IEC 61850, TASE.2)",
    tcp: &[],
    udp: &[],
    ethertypes: &[],
    spec: "ISO 9506-2, IEC 61850-8-1; ITU-T X.225, X.226, X.227",
    found: "protection relays and bay controllers of the substations that feed cranes and quays, shore power; TCP 102",
    depth: Depth::Full,
    purpose: Purpose::Control,
    scope: "Associations with authentication, all services by name with variables, lists, files and domains, controls of IEC 61850, \
            reports, identification, name plates. Values read or reported are not told.",
};

impl Protocol for Mms {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Tcp || !cotp::starts_packet(pdu.data) {
            return Probe::No;
        }
        match cotp::parse(pdu.data.get(4..).unwrap_or_default()) {
            Ok((Tpdu::Data { user, .. }, _)) if UpperKind::of(user) == Some(UpperKind::Mms) => {
                if UpperKind::Mms.from_server(user) { Probe::YesFromServer } else { Probe::Yes }
            }
            _ => Probe::No,
        }
    }

    fn open(&self, _flow: &Flow) -> Box<dyn Analyzer> {
        Box::new(CotpFlow::default())
    }
}
