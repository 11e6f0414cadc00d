//! FTP's data connection (RFC 959 section 3.2): no form of its own, known only by its announcement.

use quaywatch_model::{Mark, Sink};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::Depth;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

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
    control: false,
    scope: "Told by the PASV, EPSV, PORT or EPRT of its control connection; names and outcome of transfers stand with ftp, \
            contents that another analyzer knows with that.",
};

impl Protocol for FtpData {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, _: &Pdu<'_>) -> Probe {
        Probe::No
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(Contents)
    }
}

struct Contents;

impl Analyzer for Contents {
    fn feed(&mut self, _: &Pdu<'_>, out: &mut dyn Sink) {
        out.mark(Mark::Opaque("contents of a file or listing"));
    }
}
