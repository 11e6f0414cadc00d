//! Objects that tell who a device is: RFC 3418 (system), RFC 2863 (interfaces), RFC 4293 (ip), RFC 6933 (entity), RFC 3805 (printer).

use std::net::Ipv4Addr;

use quaywatch_model::{Address, Attribute, MacAddr};

use super::ber::{arcs, tag};

/// `1.3.6.1.2.1` as it stands on the wire.
const MIB_2: &[u8] = &[0x2b, 6, 1, 2, 1];
/// `1.3.6.1.4.1`.
const ENTERPRISES: &[u8] = &[0x2b, 6, 1, 4, 1];
/// `usmStats`, `1.3.6.1.6.3.15.1.1`.
const USM_STATS: &[u8] = &[0x2b, 6, 1, 6, 3, 15, 1, 1];

/// What a value tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tells<'a> {
    /// A text of the device.
    Text(Attribute, &'static str, &'a [u8]),
    /// Its description in its own words.
    Description(&'a [u8]),
    /// The enterprise number in its sysObjectID.
    Enterprise(u32),
    /// A MAC address of an interface.
    Mac(MacAddr),
    /// An IPv4 address of an interface.
    Ip(Address),
    /// Another host's address and MAC address, from the device's ARP table.
    Neighbour(Address, MacAddr),
    /// A text of one physical part, by the part's index.
    Part(Attribute, &'static str, u32, &'a [u8]),
    /// Nothing of use.
    Nothing,
}

/// What the value of an object tells of the device that has it.
pub(super) fn tells<'a>(name: &[u8], value_tag: u8, value: &'a [u8]) -> Tells<'a> {
    let Some(object) = name.strip_prefix(MIB_2) else { return Tells::Nothing };
    match (object, value_tag) {
        ([1, 1, 0], tag::OCTETS) => Tells::Description(value),
        ([1, 2, 0], tag::OID) => enterprise_of(value).map_or(Tells::Nothing, Tells::Enterprise),
        ([1, 5, 0], tag::OCTETS) => Tells::Text(Attribute::HostName, "snmp sysName", value),
        ([1, 6, 0], tag::OCTETS) => Tells::Text(Attribute::Location, "snmp sysLocation", value),
        ([2, 2, 1, 6, ..], tag::OCTETS) => mac(value).map_or(Tells::Nothing, Tells::Mac),
        ([4, 20, 1, 1, ..], tag::IP_ADDRESS) => ip(value).map_or(Tells::Nothing, Tells::Ip),
        ([4, 22, 1, 2, index @ ..], tag::OCTETS) => neighbour(index, value),
        ([43, 5, 1, 1, 17, ..], tag::OCTETS) => Tells::Text(Attribute::Serial, "snmp prtGeneralSerialNumber", value),
        ([47, 1, 1, 1, 1, column, index @ ..], tag::OCTETS) => part(*column, index, value),
        _ => Tells::Nothing,
    }
}

/// Columns of entPhysicalTable, RFC 6933 section 2.
fn part<'a>(column: u8, index: &[u8], value: &'a [u8]) -> Tells<'a> {
    let (attribute, method) = match column {
        2 => (Attribute::Product, "snmp entPhysicalDescr"),
        8 => (Attribute::Hardware, "snmp entPhysicalHardwareRev"),
        9 => (Attribute::Firmware, "snmp entPhysicalFirmwareRev"),
        10 => (Attribute::Software, "snmp entPhysicalSoftwareRev"),
        11 => (Attribute::Serial, "snmp entPhysicalSerialNum"),
        12 => (Attribute::Vendor, "snmp entPhysicalMfgName"),
        13 => (Attribute::Model, "snmp entPhysicalModelName"),
        _ => return Tells::Nothing,
    };
    let index = number(index).unwrap_or(0);
    Tells::Part(attribute, method, index, value)
}

/// An index of one arc that is not the first of an object identifier.
fn number(content: &[u8]) -> Option<u32> {
    content.iter().try_fold(0u32, |sum, byte| sum.checked_mul(128)?.checked_add(u32::from(byte & 0x7f)))
}

fn mac(value: &[u8]) -> Option<MacAddr> {
    let octets: [u8; 6] = value.try_into().ok()?;
    let mac = MacAddr(octets);
    Address::Mac(mac).is_host().then_some(mac)
}

fn ip(value: &[u8]) -> Option<Address> {
    let octets: [u8; 4] = value.try_into().ok()?;
    let address = Address::V4(Ipv4Addr::from(octets));
    address.is_host().then_some(address)
}

/// ipNetToMediaPhysAddress: the index is the interface and the four bytes of the address, each an arc of its own.
fn neighbour<'a>(index: &[u8], value: &'a [u8]) -> Tells<'a> {
    let mut parts = [0u32; 4];
    let mut arc = 0u32;
    for byte in index {
        arc = arc.wrapping_shl(7) | u32::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            parts.rotate_left(1);
            if let Some(last) = parts.last_mut() {
                *last = std::mem::take(&mut arc);
            }
        }
    }
    let octets = parts.map(|part| u8::try_from(part).unwrap_or(0));
    match (ip(&octets), mac(value)) {
        (Some(address), Some(mac)) => Tells::Neighbour(address, mac),
        _ => Tells::Nothing,
    }
}

/// The enterprise number of an object identifier below `1.3.6.1.4.1`.
pub(super) fn enterprise_of(content: &[u8]) -> Option<u32> {
    content.starts_with(ENTERPRISES).then(|| arcs(content).nth(6)).flatten()
}

/// The enterprise number in an engine id (RFC 3411 section 5, SnmpEngineID), whose first bit tells the newer form.
pub(super) fn enterprise_of_engine(engine: &[u8]) -> Option<u32> {
    let number = u32::from_be_bytes(*engine.first_chunk::<4>()?) & 0x7fff_ffff;
    (engine.len() >= 5 && number > 0).then_some(number)
}

/// The MAC address in an engine id of format 3.
pub(super) fn mac_of_engine(engine: &[u8]) -> Option<MacAddr> {
    match engine {
        [first, _, _, _, 3, octets @ ..] if first & 0x80 != 0 => mac(octets),
        _ => None,
    }
}

/// The address in an engine id of format 1.
pub(super) fn ip_of_engine(engine: &[u8]) -> Option<Address> {
    match engine {
        [first, _, _, _, 1, octets @ ..] if first & 0x80 != 0 => ip(octets),
        _ => None,
    }
}

/// Which user-based-model counter a report names, RFC 3414 section 5 (`usmStats`): 3 unknown user, 5 wrong digest, ...
pub(super) fn usm_counter(name: &[u8]) -> Option<u8> {
    name.strip_prefix(USM_STATS).and_then(|rest| rest.first().copied())
}

/// How many arcs of a name are told in a request row: a MIB table or scalar, or three below the enterprises.
pub(super) fn told_arcs(name: &[u8]) -> usize {
    if name.starts_with(ENTERPRISES) { 9 } else { 8 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_tell_who_a_device_is() {
        let mib_2 = |rest: &[u8]| [MIB_2, rest].concat();
        assert_eq!(
            tells(&mib_2(&[1, 5, 0]), tag::OCTETS, b"sw1"),
            Tells::Text(Attribute::HostName, "snmp sysName", b"sw1")
        );
        let siemens = [0x2b, 6, 1, 4, 1, 0xa0, 0x64, 1];
        assert_eq!(tells(&mib_2(&[1, 2, 0]), tag::OID, &siemens), Tells::Enterprise(4196));
        // Interface 300, address 10.0.200.9: arcs of two bytes.
        let index = [4, 22, 1, 2, 0x82, 0x2c, 10, 0, 0x81, 0x48, 9];
        assert_eq!(
            tells(&mib_2(&index), tag::OCTETS, &[2, 0, 0, 0, 0, 9]),
            Tells::Neighbour(Address::V4([10, 0, 200, 9].into()), MacAddr([2, 0, 0, 0, 0, 9]))
        );
        assert_eq!(
            tells(&mib_2(&[47, 1, 1, 1, 1, 11, 0x87, 0x69]), tag::OCTETS, b"FOC1"),
            Tells::Part(Attribute::Serial, "snmp entPhysicalSerialNum", 1001, b"FOC1")
        );
        assert_eq!(tells(&mib_2(&[1, 3, 0]), 0x43, &[1]), Tells::Nothing);
    }

    #[test]
    fn engine_ids_are_read() {
        assert_eq!(enterprise_of_engine(&[0x80, 0, 0x1f, 0x88, 4, b'x']), Some(8072));
        assert_eq!(mac_of_engine(&[0x80, 0, 0, 9, 3, 2, 0, 0, 0, 0, 1]), Some(MacAddr([2, 0, 0, 0, 0, 1])));
        assert_eq!(enterprise_of_engine(&[]), None);
    }
}
