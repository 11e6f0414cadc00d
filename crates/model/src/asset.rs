//! What the inventory says of one machine: its addresses, its attributes with where each was learned, its role and why.

use serde::Serialize;

use crate::observation::{Attribute, named};
use crate::place::Timestamp;

named! {
    /// What a machine is for.
    Role {
        /// Runs the control program of a machine.
        Controller = "controller",
        /// Controller that carries safety functions.
        SafetyController = "safety-controller",
        /// Operator panel or crane management station.
        Hmi = "hmi",
        /// Programs and configures controllers.
        EngineeringStation = "engineering-station",
        /// Drive or frequency converter.
        Drive = "drive",
        /// Remote I/O, sensor or encoder.
        IoDevice = "io-device",
        /// Keeps process values over time.
        Historian = "historian",
        /// Terminal operating system.
        TosServer = "tos-server",
        /// Satellite navigation receiver.
        GnssReceiver = "gnss-receiver",
        /// RFID reader.
        RfidReader = "rfid-reader",
        /// Camera or recorder.
        Camera = "camera",
        /// Network switch or access point.
        Switch = "switch",
        /// Forwards packets between networks.
        Router = "router",
        /// Forwards packets between networks by rules.
        Firewall = "firewall",
        /// Cellular modem or cellular router.
        Modem = "modem",
        /// Server of another kind.
        Server = "server",
        /// Office or operator computer.
        Workstation = "workstation",
        /// Holds the accounts of a Windows domain.
        DomainController = "domain-controller",
        /// Printer.
        Printer = "printer",
        /// Nothing tells.
        Unknown = "unknown",
    }
}

impl Role {
    /// Whether a machine of this role takes part in moving the crane.
    #[must_use]
    pub const fn is_control(self) -> bool {
        matches!(self, Role::Controller | Role::SafetyController | Role::Drive | Role::IoDevice)
    }

    /// Whether a machine of this role forwards packets of others.
    #[must_use]
    pub const fn is_network(self) -> bool {
        matches!(self, Role::Switch | Role::Router | Role::Firewall | Role::Modem)
    }
}

/// One reason to give a machine a role.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct RoleClaim {
    /// The role.
    pub role: Role,
    /// How much it counts, 0 to 1.
    pub weight: f64,
    /// Why, in words.
    pub reason: String,
}

/// One value of one attribute, as learned in one way.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct AttributeValue {
    /// What is claimed.
    pub attribute: Attribute,
    /// The value as the device wrote it.
    pub value: String,
    /// How far it is believed, 0 to 1; from the method alone.
    pub confidence: f64,
    /// How it was learned: protocol and field.
    pub method: String,
    /// Input of the first claim; empty where no packet made it (site model, registry of MAC addresses).
    pub source: String,
    /// Frame of the first claim.
    pub frame: Option<i64>,
    /// Segment of the first claim.
    pub segment: String,
    /// Instant of the first claim.
    pub ts: Option<Timestamp>,
    /// Instant of the last claim.
    pub last_ts: Option<Timestamp>,
    /// How many observations support it.
    pub claims: u64,
    /// Whether this value stands in the asset's own fields.
    pub chosen: bool,
}

/// One address of an asset.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Interface {
    /// IP address, or the MAC address where no IP address is known with it.
    pub address: String,
    /// MAC address seen with it on the same segment; empty if none.
    pub mac: String,
    /// Segment it was seen on.
    pub segment: String,
    /// Zone id; empty if in none.
    pub zone: String,
}

/// One machine of the site.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Asset {
    /// `segment/address`, stable over runs.
    pub id: String,
    /// Home segment.
    pub segment: String,
    /// Main address: the lowest IPv4 address, else IPv6, else the MAC address.
    pub address: String,
    /// MAC address; empty if only seen behind a router.
    pub mac: String,
    /// Best name.
    pub name: String,
    /// Role.
    pub role: Role,
    /// Why this role.
    pub role_reason: String,
    /// All reasons for this and other roles, strongest first.
    pub role_claims: Vec<RoleClaim>,
    /// Maker.
    pub vendor: String,
    /// Product or order number.
    pub model: String,
    /// Firmware version.
    pub firmware: String,
    /// Serial number.
    pub serial: String,
    /// Operating system.
    pub os: String,
    /// Crane id; empty if on none.
    pub crane: String,
    /// System id; empty if in none.
    pub system: String,
    /// Zone id; empty if in none.
    pub zone: String,
    /// Kind of that zone; empty if in none.
    pub zone_kind: String,
    /// Declared critical in the site model.
    pub critical: bool,
    /// Named in the site model.
    pub declared: bool,
    /// Seen in traffic.
    pub seen: bool,
    /// Has a public address: talks with the site but is not part of it.
    pub external: bool,
    /// First seen.
    pub first_ts: Option<Timestamp>,
    /// Last seen.
    pub last_ts: Option<Timestamp>,
    /// Everything claimed of it.
    pub attributes: Vec<AttributeValue>,
    /// Its addresses.
    pub interfaces: Vec<Interface>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_names_round_trip() {
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(*role));
        }
        assert_eq!(Role::from_name("plc"), None);
    }
}
