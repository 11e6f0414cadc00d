//! FTP's data connection (RFC 959 section 3.2): no form of its own, known only by its announcement.

use quaywatch_model::{Direction, Mark, Sink};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, Purpose};
use crate::{Analyzer, Probe, Protocol, ProtocolMeta, edifact};

/// The protocol `ftp-data`.
pub struct FtpData;

/// Its name, for the announcement.
pub(super) const NAME: &str = "ftp-data";

static META: ProtocolMeta = ProtocolMeta {
    name: NAME,
    title: "FTP data",
    tcp: &[],
    udp: &[],
    ethertypes: &[],
    spec: "RFC 959, RFC 2428",
    found: "files of controllers, drives and HMIs; EDIFACT messages of terminal operating systems",
    depth: Depth::Named,
    purpose: Purpose::General,
    scope: "Told by the PASV, EPSV, PORT or EPRT of its control connection; names and outcome of transfers stand with ftp. \
            EDI interchanges are read as edifact, other contents are not.",
};

impl Protocol for FtpData {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, _: &Pdu<'_>) -> Probe {
        Probe::No
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(Contents::default())
    }
}

/// A file or listing; of a file that is an EDI interchange the messages are read.
#[derive(Default)]
struct Contents {
    begun: bool,
    interchange: Option<Box<edifact::Reader>>,
}

impl Analyzer for Contents {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if !std::mem::replace(&mut self.begun, true) && edifact::is_start(pdu.data) {
            self.interchange = Some(Box::default());
        }
        match &mut self.interchange {
            Some(interchange) => interchange.feed(pdu.at, pdu.sender(), pdu.receiver(), pdu.data, out),
            None => out.mark(Mark::Opaque("contents of a file or listing")),
        }
    }

    fn gap(&mut self, _: Direction, _missing: u32, _out: &mut dyn Sink) {
        if let Some(interchange) = &mut self.interchange {
            interchange.gap();
        }
    }
}
