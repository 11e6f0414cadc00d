//! The site model: what a terminal's owner says of the site (`site.toml`).
//!
//! Written by a person, or drafted from traffic and then corrected by a person. Reading it reports every
//! mistake with its line, column and key. Nothing here opens files.

mod check;
mod cidr;
mod document;
mod matching;
mod place_in_text;
#[cfg(test)]
mod tests;
mod write;

use std::fmt;

use serde::Serialize;

use crate::address::{Address, MacAddr};
use crate::asset::Role;
use crate::observation::{OperationClass, named};
use crate::place::Timestamp;

pub use cidr::Cidr;
pub use matching::{Subject, glob_matches};

named! {
    /// What a zone is for.
    ZoneKind {
        /// The networks on one crane.
        Crane = "crane",
        /// Other operational technology.
        Ot = "ot",
        /// Office and business networks.
        It = "it",
        /// Between IT and OT.
        Dmz = "dmz",
        /// Vendors, VPN clients and other sites.
        Remote = "remote",
        /// Public addresses.
        Internet = "internet",
    }
}

impl ZoneKind {
    /// Whether machines are controlled from here.
    #[must_use]
    pub const fn is_ot(self) -> bool {
        matches!(self, ZoneKind::Crane | ZoneKind::Ot)
    }
}

named! {
    /// Kind of a crane or other moving machine.
    CraneKind {
        /// Ship-to-shore crane.
        Sts = "sts",
        /// Rubber-tyred gantry crane.
        Rtg = "rtg",
        /// Rail-mounted gantry crane.
        Rmg = "rmg",
        /// Automatic stacking crane.
        Asc = "asc",
        /// Mobile harbour crane.
        Mhc = "mhc",
        /// Straddle carrier.
        Straddle = "straddle",
        /// Automated guided vehicle or terminal tractor.
        Vehicle = "vehicle",
        /// Ship loader or unloader.
        Unloader = "unloader",
        /// Another machine.
        Other = "other",
    }
}

named! {
    /// What a system other than a crane does.
    SystemKind {
        /// Terminal operating system.
        TerminalOperatingSystem = "terminal-operating-system",
        /// Positioning.
        Positioning = "positioning",
        /// Cargo tracking: RFID, OCR, seals.
        CargoTracking = "cargo-tracking",
        /// Gate and access control.
        Gate = "gate",
        /// Video surveillance.
        Cctv = "cctv",
        /// Business systems.
        Enterprise = "enterprise",
        /// Remote access.
        RemoteAccess = "remote-access",
        /// The network itself.
        Network = "network",
    }
}

/// The site as a whole.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Site {
    /// Short id, used in every row of evidence.
    pub id: String,
    /// Name for reports.
    pub name: String,
    /// The instant an assessment speaks of, if it is not that of the last packet.
    pub as_of: Option<Timestamp>,
}

/// A capture point's broadcast domain.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Segment {
    /// Segment id.
    pub id: String,
    /// Patterns (`*`, `?`) on the file names of captures taken on it.
    pub captures: Vec<String>,
}

/// A zone (IEC 62443): assets with the same protection needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Zone {
    /// Zone id.
    pub id: String,
    /// What it is for.
    pub kind: ZoneKind,
    /// Purdue level, 0 to 5.
    pub level: Option<u8>,
    /// Segments it is found on; empty for any.
    pub segments: Vec<String>,
    /// Networks in it.
    pub cidrs: Vec<Cidr>,
    /// VLAN ids in it.
    pub vlans: Vec<u16>,
    /// Single machines by MAC address.
    pub macs: Vec<MacAddr>,
    /// Patterns (`*`, `?`) on machine names.
    pub names: Vec<String>,
}

/// Traffic that is allowed between two zones.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conduit {
    /// Conduit id.
    pub id: String,
    /// Zone of the clients.
    pub from: String,
    /// Zone of the servers.
    pub to: String,
    /// Protocol names as `quaywatch protocols` lists them, or `tcp/8443`, `udp/5000`, `icmp`; empty for any.
    pub protocols: Vec<String>,
    /// Classes of operation; empty for any.
    pub classes: Vec<OperationClass>,
}

/// Which assets of a segment are meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Members {
    /// One address.
    Address(Address),
    /// A network.
    Network(Cidr),
    /// All that are seen on it with their own MAC address.
    All,
}

/// A member of a crane or system: `SEGMENT/ADDRESS`, `SEGMENT/NETWORK` or `SEGMENT/*`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// Segment id.
    pub segment: String,
    /// Which assets of it.
    pub which: Members,
}

/// A crane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Crane {
    /// Crane id.
    pub id: String,
    /// What crane it is.
    pub kind: CraneKind,
    /// Maker.
    pub maker: String,
    /// Model.
    pub model: String,
    /// Year it was built.
    pub year: Option<u32>,
    /// Made abroad.
    pub foreign: Option<bool>,
    /// Assets on it.
    pub members: Vec<Member>,
    /// Zones whose assets are all on it.
    pub zones: Vec<String>,
    /// Cranes of the same build.
    pub sisters: Vec<String>,
}

/// A system other than a crane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct System {
    /// System id.
    pub id: String,
    /// What it does.
    pub kind: SystemKind,
    /// Assets of it.
    pub members: Vec<Member>,
    /// Zones whose assets are all of it.
    pub zones: Vec<String>,
}

/// An asset that the owner names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeclaredAsset {
    /// Segment id.
    pub segment: String,
    /// IP or MAC address.
    pub address: Address,
    /// Name; empty if none is given.
    pub name: String,
    /// Role, if the owner says.
    pub role: Option<Role>,
    /// Whether operations depend on it.
    pub critical: bool,
}

/// A gateway or network that remote sessions may come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RemoteAccess {
    /// Id.
    pub id: String,
    /// Address or network.
    pub address: Cidr,
    /// Who comes through it.
    pub vendor: String,
}

/// A time in which changes to a crane or system are planned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MaintenanceWindow {
    /// Crane or system id.
    pub system: String,
    /// Start.
    pub from: Timestamp,
    /// End.
    pub to: Timestamp,
}

/// How old things may be, in days, as the owner's plan says. Absent ones are judged by [`Intervals::DEFAULT`].
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Intervals {
    /// Vulnerability scan.
    pub scan_days: Option<u32>,
    /// Backup.
    pub backup_days: Option<u32>,
    /// Review of accounts.
    pub review_days: Option<u32>,
    /// Restore test.
    pub restore_test_days: Option<u32>,
}

impl Intervals {
    /// What is assumed where the site model says nothing. These are this project's choice, not a rule's.
    pub const DEFAULT: Intervals =
        Intervals { scan_days: Some(90), backup_days: Some(30), review_days: Some(90), restore_test_days: Some(365) };

    /// These intervals, with the defaults where one is absent.
    #[must_use]
    pub fn or_default(self) -> Intervals {
        Intervals {
            scan_days: self.scan_days.or(Self::DEFAULT.scan_days),
            backup_days: self.backup_days.or(Self::DEFAULT.backup_days),
            review_days: self.review_days.or(Self::DEFAULT.review_days),
            restore_test_days: self.restore_test_days.or(Self::DEFAULT.restore_test_days),
        }
    }
}

/// The site model.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct SiteModel {
    /// The site as a whole.
    pub site: Site,
    /// Segments.
    pub segments: Vec<Segment>,
    /// Zones.
    pub zones: Vec<Zone>,
    /// Conduits.
    pub conduits: Vec<Conduit>,
    /// Cranes.
    pub cranes: Vec<Crane>,
    /// Other systems.
    pub systems: Vec<System>,
    /// Assets the owner names.
    pub assets: Vec<DeclaredAsset>,
    /// Where remote sessions may come from.
    pub remote_access: Vec<RemoteAccess>,
    /// When changes are planned.
    pub maintenance_windows: Vec<MaintenanceWindow>,
    /// How old things may be.
    pub intervals: Intervals,
}

impl SiteModel {
    /// Reads a `site.toml`.
    ///
    /// # Errors
    /// All mistakes found, each with its place: a syntax error or an unknown key stops the reading and is told
    /// alone; wrong values are told together.
    pub fn parse(text: &str) -> Result<SiteModel, SiteError> {
        let document = document::read(text)?;
        check::check(text, document)
    }

    /// Writes it as a `site.toml` with comments for the person who will edit it. [`SiteModel::parse`] reads it back unchanged.
    #[must_use]
    pub fn to_toml(&self) -> String {
        write::write(self)
    }
}

/// What is wrong with a `site.toml`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SiteError {
    /// Every mistake, in the order of the text; never empty.
    pub problems: Vec<Problem>,
}

/// One mistake in a `site.toml`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Table and key, e.g. `zone.kind`; empty where the text ends outside any.
    pub key: String,
    /// What is wrong and what was expected.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

impl fmt::Display for SiteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for SiteError {}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.which {
            Members::Address(address) => write!(f, "{}/{address}", self.segment),
            Members::Network(network) => write!(f, "{}/{network}", self.segment),
            Members::All => write!(f, "{}/*", self.segment),
        }
    }
}
