//! CDP, Cisco's discovery protocol (Cisco "Cisco Discovery Protocol Configuration Guide"; the frame as Wireshark and Cisco's
//! "Frame Formats" page document it): who sits at the other end of a cable.

#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, Ipv6Addr};

use quaywatch_model::{Address, Attribute, Mark, Name, NameKind, Observation, Sink, Transport, Weird};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::bytes::{Cursor, device_text};
use crate::claims::Claims;
use crate::{Analyzer, Probe, Protocol, self_description};

/// SNAP protocol id under Cisco's OUI 00-00-0c.
const SNAP_ID: u16 = 0x2000;
/// Claims remembered per sending port.
const MAX_CLAIMS: usize = 128;
/// Elements read of one frame.
const MAX_TLVS: usize = 128;
/// Addresses kept of one element.
const MAX_ADDRESSES: usize = 16;

/// The protocol.
pub struct Cdp;

static META: ProtocolMeta = ProtocolMeta {
    name: "cdp",
    title: "CDP",
    tcp: &[],
    udp: &[],
    ethertypes: &[SNAP_ID],
    spec: "Cisco, CDP frame formats",
    found: "Cisco and some Rockwell, HP and VoIP equipment",
    depth: Depth::Partial,
    purpose: Purpose::Network,
    scope: "Device id, addresses, port, capabilities, software version, platform, VTP domain, native VLAN, system name and location; power and QoS are passed over.",
};

impl Protocol for Cdp {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    /// The protocol id is Cisco's; the version and a first element that fits are asked for, as others may use the number.
    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        let is_frame = matches!(pdu.data, [1 | 2, _, _, _, 0, 1..=0x1f, ..]);
        if pdu.flow.transport == Transport::Link(SNAP_ID) && is_frame { Probe::Yes } else { Probe::No }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(CdpAnalyzer { claims: Claims::with_limit(MAX_CLAIMS), last: Vec::new() })
    }
}

struct CdpAnalyzer {
    claims: Claims,
    /// The last frame without fault: senders repeat themselves every minute.
    last: Vec<u8>,
}

/// What a frame says.
#[derive(Default, Debug)]
struct Frame {
    device: Option<String>,
    addresses: Vec<Address>,
    port: Option<String>,
    capabilities: Option<u32>,
    software: Option<String>,
    platform: Option<String>,
    vtp_domain: Option<String>,
    native_vlan: Option<u16>,
    system_name: Option<String>,
    location: Option<String>,
    fault: Option<&'static str>,
}

impl Frame {
    fn read(data: &[u8]) -> Frame {
        let mut frame = Frame::default();
        let mut cursor = Cursor::new(data);
        // Version, time to live, checksum.
        if cursor.skip(4).is_none() {
            frame.fault = Some("the frame ends within its header");
            return frame;
        }
        for _ in 0..MAX_TLVS {
            if cursor.is_empty() {
                break;
            }
            let head = cursor.be16().zip(cursor.be16());
            // The length counts the four bytes of type and length.
            let value = head.and_then(|(_, length)| cursor.take(usize::from(length).checked_sub(4)?));
            let (Some((kind, _)), Some(value)) = (head, value) else {
                frame.fault = Some("an element is longer than the frame");
                break;
            };
            frame.element(kind, value);
        }
        frame
    }

    fn element(&mut self, kind: u16, value: &[u8]) {
        match kind {
            0x01 => self.device = device_text(value),
            0x02 | 0x16 => self.addresses.extend(addresses(value)),
            0x03 => self.port = device_text(value),
            0x04 => self.capabilities = Cursor::new(value).be32(),
            0x05 => self.software = device_text(value),
            0x06 => self.platform = device_text(value),
            0x09 => self.vtp_domain = device_text(value),
            0x0a => self.native_vlan = Cursor::new(value).be16(),
            0x14 => self.system_name = device_text(value),
            // A type byte and the text.
            0x17 => self.location = value.get(1..).and_then(device_text),
            _ => {}
        }
    }
}

/// A count, then protocol type, length and id, then length and address each.
fn addresses(value: &[u8]) -> Vec<Address> {
    let mut cursor = Cursor::new(value);
    let count = cursor.be32().unwrap_or(0);
    let mut found = Vec::new();
    for _ in 0..count.min(u32::try_from(MAX_ADDRESSES).unwrap_or(0)) {
        let Some((protocol, address)) = one_address(&mut cursor) else { break };
        match (protocol, address.len()) {
            ([0xcc], 4) => found.extend(Cursor::new(address).be32().map(|ip| Address::V4(Ipv4Addr::from(ip)))),
            // SNAP header and EtherType of IPv6.
            ([0xaa, 0xaa, 0x03, 0, 0, 0, 0x86, 0xdd], 16) => {
                found.extend(address.first_chunk::<16>().map(|octets| Address::V6(Ipv6Addr::from(*octets))));
            }
            _ => {}
        }
    }
    found
}

fn one_address<'a>(cursor: &mut Cursor<'a>) -> Option<(&'a [u8], &'a [u8])> {
    cursor.skip(1)?;
    let protocol_length = cursor.u8()?;
    let protocol = cursor.take(usize::from(protocol_length))?;
    let length = cursor.be16()?;
    Some((protocol, cursor.take(usize::from(length))?))
}

impl Analyzer for CdpAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if pdu.data == self.last {
            return;
        }
        let frame = Frame::read(pdu.data);
        self.frame(&frame, pdu, out);
        match frame.fault {
            Some(fault) if !pdu.cut => {
                let (sender, receiver) = (pdu.sender(), pdu.receiver());
                let weird = Weird { name: "cdp_frame_malformed", protocol: "cdp", detail: fault, sender, receiver };
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

impl CdpAnalyzer {
    fn frame(&mut self, frame: &Frame, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let address = frame.addresses.iter().copied().find(|address| address.is_host()).unwrap_or_default();
        let subject = pdu.source_mac.map_or(address, Address::Mac);
        let mut say = |attribute, value: &str, method| {
            self.claims.identify(out, pdu.at, subject, (attribute, value, method));
        };
        for address in frame.addresses.iter().filter(|address| address.is_host() && **address != subject) {
            say(Attribute::Ip, &address.to_string(), "cdp address");
        }
        for (value, attribute, method) in [
            (&frame.device, Attribute::HostName, "cdp device id"),
            (&frame.system_name, Attribute::HostName, "cdp system name"),
            (&frame.platform, Attribute::Model, "cdp platform"),
            (&frame.software, Attribute::Software, "cdp software version"),
            (&frame.location, Attribute::Location, "cdp location"),
        ] {
            say(attribute, value.as_deref().unwrap_or(""), method);
        }
        for (attribute, value) in frame.software.as_deref().into_iter().flat_map(self_description::parts) {
            say(attribute, value, "cdp software version");
        }
        for (word, value, method) in [
            ("port", &frame.port, "cdp port id"),
            ("native vlan", &frame.native_vlan.map(|vlan| vlan.to_string()), "cdp native vlan"),
            ("vtp domain", &frame.vtp_domain, "cdp vtp domain"),
        ] {
            if let Some(value) = value {
                say(Attribute::NetworkSetting, &format!("{word} {value}"), method);
            }
        }
        say(Attribute::Capability, &capabilities(frame.capabilities.unwrap_or(0)), "cdp capabilities");
        if let Some(name) = &frame.device {
            let claim = Name { subject, name, kind: NameKind::Cdp, asker: Address::None };
            self.claims.name(out, pdu.at, claim);
        }
    }
}

/// Names of the capability bits from bit 0.
const CAPABILITIES: [&str; 11] = [
    "router",
    "transparent bridge",
    "source route bridge",
    "switch",
    "host",
    "igmp capable",
    "repeater",
    "voip phone",
    "remotely managed device",
    "cast phone port",
    "two-port mac relay",
];

fn capabilities(set: u32) -> String {
    let names: Vec<&str> =
        CAPABILITIES.iter().enumerate().filter(|(bit, _)| set >> bit & 1 == 1).map(|(_, name)| *name).collect();
    names.join(", ")
}
