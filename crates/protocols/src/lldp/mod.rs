//! LLDP (IEEE 802.1AB) with the elements of IEEE 802.1, LLDP-MED and PROFINET: who sits at the other end of a cable.

#[cfg(test)]
mod tests;
mod tlv;

use quaywatch_model::{Address, Attribute, MacAddr, Mark, Name, NameKind, Observation, Sink, Transport, Weird};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::claims::Claims;
use crate::{Analyzer, Probe, Protocol, self_description};
use tlv::{Frame, Id};

/// EtherType of LLDP.
const ETHERTYPE: u16 = 0x88cc;
/// Claims remembered per sending port.
const MAX_CLAIMS: usize = 128;

/// The protocol.
pub struct Lldp;

static META: ProtocolMeta = ProtocolMeta {
    name: "lldp",
    title: "LLDP",
    tcp: &[],
    udp: &[],
    ethertypes: &[ETHERTYPE],
    spec: "IEEE 802.1AB, ANSI/TIA-1057 (LLDP-MED), IEC 61158-6-10 (PROFINET)",
    found: "every managed switch, PROFINET device and many workstations",
    depth: Depth::Partial,
    purpose: Purpose::Network,
    scope: "Chassis, port, system name and description, capabilities, management addresses, port VLAN, LLDP-MED inventory, PROFINET chassis and alias; link aggregation, power and time delays are passed over.",
};

impl Protocol for Lldp {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    /// The EtherType leaves no doubt.
    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport == Transport::Link(ETHERTYPE) { Probe::Yes } else { Probe::No }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(LldpAnalyzer { claims: Claims::with_limit(MAX_CLAIMS), last: Vec::new() })
    }
}

struct LldpAnalyzer {
    claims: Claims,
    /// The last frame without fault: senders repeat themselves every half minute.
    last: Vec<u8>,
}

impl Analyzer for LldpAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if pdu.data == self.last {
            return;
        }
        let frame = Frame::read(pdu.data);
        self.frame(&frame, pdu, out);
        match frame.fault {
            Some(fault) if !pdu.cut => {
                let (sender, receiver) = (pdu.sender(), pdu.receiver());
                let weird = Weird { name: "lldp_frame_malformed", protocol: "lldp", detail: fault, sender, receiver };
                out.emit(pdu.at, Observation::Weird(weird));
                out.mark(Mark::Malformed(fault));
            }
            Some(_) => {}
            None => {
                self.last.clear();
                self.last.extend_from_slice(pdu.data);
            }
        }
    }
}

/// Where claims of one frame go.
struct Says<'a, 'p> {
    claims: &'a mut Claims,
    pdu: &'a Pdu<'p>,
    out: &'a mut dyn Sink,
    subject: Address,
}

impl Says<'_, '_> {
    fn identity(&mut self, attribute: Attribute, value: &str, method: &'static str) {
        self.claims.identify(self.out, self.pdu.at, self.subject, (attribute, value, method));
    }

    fn text(&mut self, attribute: Attribute, value: Option<&String>, method: &'static str) {
        if let Some(value) = value {
            self.identity(attribute, value, method);
        }
    }

    fn mac(&mut self, mac: MacAddr, method: &'static str) {
        if self.subject != Address::Mac(mac) && Address::Mac(mac).is_host() {
            self.identity(Attribute::Mac, &mac.to_string(), method);
        }
    }

    fn address(&mut self, address: Address, method: &'static str) {
        if address.is_host() {
            self.identity(Attribute::Ip, &address.to_string(), method);
        }
    }
}

impl LldpAnalyzer {
    fn frame(&mut self, frame: &Frame, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let chassis = match frame.chassis {
            Id::Mac(mac) => Address::Mac(mac),
            _ => Address::None,
        };
        // The port that sent the frame is what other traffic shows; the chassis may be another of the device's addresses.
        let subject = pdu.source_mac.map_or(chassis, Address::Mac);
        let mut says = Says { claims: &mut self.claims, pdu, out, subject };
        chassis_and_port(frame, &mut says);
        system(frame, &mut says);
        for (subtype, text) in &frame.inventory {
            let (attribute, method) = inventory(*subtype);
            says.identity(attribute, text, method);
        }
        for address in &frame.addresses {
            says.address(*address, "lldp management address");
        }
    }
}

fn chassis_and_port(frame: &Frame, says: &mut Says<'_, '_>) {
    match &frame.chassis {
        Id::Mac(mac) => says.mac(*mac, "lldp chassis id"),
        Id::Ip(address) => says.address(*address, "lldp chassis id"),
        // PROFINET devices put their station name here, newer ones type and order number (IEC 61158-6-10).
        Id::Text(text) if text.contains(' ') => {
            says.identity(Attribute::Product, text, "lldp chassis id");
            describe(text, says);
        }
        Id::Text(text) => says.identity(Attribute::HostName, text, "lldp chassis id"),
        Id::None => {}
    }
    match &frame.port {
        Id::Mac(mac) => says.mac(*mac, "lldp port id"),
        Id::Ip(address) => says.address(*address, "lldp port id"),
        Id::Text(text) => {
            says.identity(Attribute::NetworkSetting, &format!("port {text}"), "lldp port id");
            if let Some(station) = station_of_port(text) {
                says.identity(Attribute::HostName, station, "lldp port id");
            }
        }
        Id::None => {}
    }
    if let Some(mac) = frame.profinet_chassis {
        says.mac(mac, "lldp profinet chassis mac");
    }
    says.text(Attribute::HostName, frame.profinet_alias.as_ref(), "lldp profinet alias");
    if let Some(text) = &frame.port_description {
        says.identity(Attribute::NetworkSetting, &format!("port description {text}"), "lldp port description");
    }
    if let Some(vlan) = frame.port_vlan {
        says.identity(Attribute::NetworkSetting, &format!("port vlan {vlan}"), "lldp port vlan id");
    }
}

/// `port-001.station` or `port-001-00002.station`: PROFINET since version 2.3 puts the station's name behind the port.
fn station_of_port(port: &str) -> Option<&str> {
    let (front, station) = port.split_once('.')?;
    let number = front.strip_prefix("port-")?;
    (number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') && !station.is_empty()).then_some(station)
}

fn system(frame: &Frame, says: &mut Says<'_, '_>) {
    if let Some(name) = &frame.system_name {
        // The name is told as it was written; a placeholder claims no identity.
        if !self_description::is_placeholder(name) {
            says.identity(Attribute::HostName, name, "lldp system name");
        }
        let (subject, kind) = (says.subject, NameKind::Lldp);
        says.claims.name(says.out, says.pdu.at, Name { subject, name, kind, asker: Address::None });
    }
    if let Some(text) = &frame.system_description {
        says.identity(Attribute::Product, text, "lldp system description");
        describe(text, says);
    }
    if let Some((able, enabled)) = frame.capabilities {
        // What is enabled counts; a device that states none enabled is told by what it could do.
        let (set, method) = match enabled {
            0 => (able, "lldp capabilities"),
            enabled => (enabled, "lldp enabled capabilities"),
        };
        let names: Vec<&str> =
            CAPABILITIES.iter().enumerate().filter(|(bit, _)| set >> bit & 1 == 1).map(|(_, name)| *name).collect();
        says.identity(Attribute::Capability, &names.join(", "), method);
    }
}

fn describe(text: &str, says: &mut Says<'_, '_>) {
    for (attribute, value) in self_description::parts(text) {
        says.identity(attribute, value, "lldp system description");
    }
}

/// Names of the capability bits from bit 0, IEEE 802.1AB table 8-4.
const CAPABILITIES: [&str; 11] = [
    "other",
    "repeater",
    "bridge",
    "wlan access point",
    "router",
    "telephone",
    "docsis cable device",
    "station only",
    "c-vlan component",
    "s-vlan component",
    "two-port mac relay",
];

/// What an inventory element of LLDP-MED tells.
const fn inventory(subtype: u8) -> (Attribute, &'static str) {
    match subtype {
        5 => (Attribute::Hardware, "lldp med hardware revision"),
        6 => (Attribute::Firmware, "lldp med firmware revision"),
        7 => (Attribute::Software, "lldp med software revision"),
        8 => (Attribute::Serial, "lldp med serial number"),
        9 => (Attribute::Vendor, "lldp med manufacturer"),
        10 => (Attribute::Model, "lldp med model"),
        _ => (Attribute::Project, "lldp med asset id"),
    }
}
