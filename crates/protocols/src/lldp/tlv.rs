//! The type-length-value elements of a frame: IEEE 802.1AB section 8, and those of IEEE 802.1, 802.3, LLDP-MED and PROFINET.

use std::net::{Ipv4Addr, Ipv6Addr};

use quaywatch_model::{Address, MacAddr};

use crate::bytes::{Cursor, device_text};

/// Elements read of one frame.
const MAX_TLVS: usize = 128;
/// Management addresses kept.
const MAX_ADDRESSES: usize = 8;

/// A chassis or port id: a subtype and its value.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) enum Id {
    /// None was stated, or one of no use.
    #[default]
    None,
    /// A MAC address.
    Mac(MacAddr),
    /// A network address.
    Ip(Address),
    /// An interface name, alias, component or a text of the maker's own.
    Text(String),
}

/// Texts of an inventory TLV of LLDP-MED (ANSI/TIA-1057 section 10.2.6), by subtype from 5.
pub(super) const MED_INVENTORY: std::ops::RangeInclusive<u8> = 5..=11;

/// What a frame says.
#[derive(Default, Debug)]
pub(super) struct Frame {
    pub chassis: Id,
    pub port: Id,
    /// Seconds for which the frame holds; 0 takes it back.
    pub ttl: Option<u16>,
    pub port_description: Option<String>,
    pub system_name: Option<String>,
    pub system_description: Option<String>,
    /// Capabilities and those enabled.
    pub capabilities: Option<(u16, u16)>,
    pub addresses: Vec<Address>,
    pub port_vlan: Option<u16>,
    pub profinet_chassis: Option<MacAddr>,
    pub profinet_alias: Option<String>,
    /// Inventory texts by subtype.
    pub inventory: Vec<(u8, String)>,
    /// What broke the rules.
    pub fault: Option<&'static str>,
}

impl Frame {
    pub fn read(data: &[u8]) -> Frame {
        let mut frame = Frame::default();
        let mut cursor = Cursor::new(data);
        for index in 0..MAX_TLVS {
            let Some(head) = cursor.be16() else {
                frame.fault = Some("the frame ends without an end element");
                break;
            };
            let (kind, length) = (head >> 9, usize::from(head & 0x1ff));
            if kind == 0 {
                break;
            }
            let Some(value) = cursor.take(length) else {
                frame.fault = Some("an element is longer than the frame");
                break;
            };
            if index < 3 && usize::from(kind) != index + 1 {
                frame.fault = Some("chassis, port and time to live do not come first");
            }
            frame.element(kind, value);
        }
        if frame.ttl.is_none() && frame.fault.is_none() {
            frame.fault = Some("chassis, port and time to live do not come first");
        }
        frame
    }

    fn element(&mut self, kind: u16, value: &[u8]) {
        match kind {
            1 => self.chassis = id(value, 4, 5),
            2 => self.port = id(value, 3, 4),
            3 => self.ttl = Cursor::new(value).be16(),
            4 => self.port_description = device_text(value),
            5 => self.system_name = device_text(value),
            6 => self.system_description = device_text(value),
            7 => {
                let mut cursor = Cursor::new(value);
                self.capabilities = cursor.be16().zip(cursor.be16());
            }
            8 if self.addresses.len() < MAX_ADDRESSES => self.addresses.extend(management(value)),
            127 => self.organisation(value),
            _ => {}
        }
    }

    fn organisation(&mut self, value: &[u8]) {
        let Some((&[a, b, c, subtype], value)) = value.split_first_chunk::<4>() else { return };
        match ([a, b, c], subtype) {
            // IEEE 802.1 port VLAN id.
            ([0x00, 0x80, 0xc2], 1) => self.port_vlan = Cursor::new(value).be16(),
            ([0x00, 0x12, 0xbb], subtype) if MED_INVENTORY.contains(&subtype) => {
                self.inventory.extend(device_text(value).map(|text| (subtype, text)));
            }
            // PROFINET (IEC 61158-6-10): alias, chassis MAC address.
            ([0x00, 0x0e, 0xcf], 3) => self.profinet_alias = device_text(value),
            ([0x00, 0x0e, 0xcf], 5) => self.profinet_chassis = value.first_chunk::<6>().map(|octets| MacAddr(*octets)),
            _ => {}
        }
    }
}

/// A subtype and its value; the numbers of the subtypes for MAC and network address differ between chassis and port.
fn id(value: &[u8], mac: u8, network: u8) -> Id {
    let Some((&subtype, value)) = value.split_first() else { return Id::None };
    if subtype == mac {
        return value.first_chunk::<6>().map_or(Id::None, |octets| Id::Mac(MacAddr(*octets)));
    }
    if subtype == network {
        return value.split_first().and_then(|(family, value)| address(*family, value)).map_or(Id::None, Id::Ip);
    }
    device_text(value).map_or(Id::None, Id::Text)
}

/// An address by its IANA family number: 1 IPv4, 2 IPv6.
fn address(family: u8, value: &[u8]) -> Option<Address> {
    match family {
        1 => value.first_chunk::<4>().map(|octets| Address::V4(Ipv4Addr::from(*octets))),
        2 => value.first_chunk::<16>().map(|octets| Address::V6(Ipv6Addr::from(*octets))),
        _ => None,
    }
}

/// A length that counts the family, the family and the address (IEEE 802.1AB section 8.5.9).
fn management(value: &[u8]) -> Option<Address> {
    let mut cursor = Cursor::new(value);
    let length = usize::from(cursor.u8()?);
    let (family, value) = cursor.take(length)?.split_first()?;
    address(*family, value)
}
