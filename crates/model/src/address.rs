//! Addresses of the things that talk: MAC, IPv4, IPv6, and an address with a port.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Serialize, Serializer};

/// An IEEE 802 MAC address (EUI-48), in transmission order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct MacAddr(pub [u8; 6]);

impl MacAddr {
    /// The broadcast address `ff:ff:ff:ff:ff:ff`.
    pub const BROADCAST: MacAddr = MacAddr([0xff; 6]);

    /// Whether the group bit is set (IEEE 802-2014 section 8.2.2): multicast or broadcast.
    #[must_use]
    pub const fn is_group(self) -> bool {
        self.0[0] & 1 == 1
    }

    /// Whether the address is locally administered, so that its first octets name no vendor.
    #[must_use]
    pub const fn is_local(self) -> bool {
        self.0[0] & 2 == 2
    }

    /// Whether all six octets are zero, as in a DHCP relay or an unset field.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0 == [0; 6]
    }

    /// Reads `aa:bb:cc:dd:ee:ff` or `aa-bb-cc-dd-ee-ff`, in either case.
    #[must_use]
    pub fn parse(text: &str) -> Option<MacAddr> {
        let mut octets = [0u8; 6];
        let mut parts = text.split([':', '-']);
        for octet in &mut octets {
            let part = parts.next()?;
            if part.is_empty() || part.len() > 2 {
                return None;
            }
            *octet = u8::from_str_radix(part, 16).ok()?;
        }
        parts.next().is_none().then_some(MacAddr(octets))
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for MacAddr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The address of one end of a flow at the highest layer that has one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Debug)]
pub enum Address {
    /// No address is known.
    #[default]
    None,
    /// A layer-2 address: for PROFINET DCP, LLDP and other protocols without IP.
    Mac(MacAddr),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address.
    V6(Ipv6Addr),
}

impl Address {
    /// Whether an address is known.
    #[must_use]
    pub const fn is_known(self) -> bool {
        !matches!(self, Address::None)
    }

    /// The IP address, if this is one.
    #[must_use]
    pub const fn ip(self) -> Option<IpAddr> {
        match self {
            Address::V4(ip) => Some(IpAddr::V4(ip)),
            Address::V6(ip) => Some(IpAddr::V6(ip)),
            Address::None | Address::Mac(_) => None,
        }
    }

    /// Whether this names one host: no group, broadcast, unspecified or missing address.
    #[must_use]
    pub fn is_host(self) -> bool {
        match self {
            Address::None => false,
            Address::Mac(mac) => !mac.is_group() && !mac.is_zero(),
            Address::V4(ip) => !ip.is_multicast() && !ip.is_broadcast() && !ip.is_unspecified() && !ip.is_loopback(),
            Address::V6(ip) => !ip.is_multicast() && !ip.is_unspecified() && !ip.is_loopback(),
        }
    }
}

impl From<IpAddr> for Address {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Address::V4(ip),
            IpAddr::V6(ip) => Address::V6(ip),
        }
    }
}

impl From<MacAddr> for Address {
    fn from(mac: MacAddr) -> Self {
        Address::Mac(mac)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::None => Ok(()),
            Address::Mac(mac) => mac.fmt(f),
            Address::V4(ip) => ip.fmt(f),
            Address::V6(ip) => ip.fmt(f),
        }
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An address and a TCP or UDP port; port 0 where the transport has none.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Debug, Serialize)]
pub struct Endpoint {
    /// The address.
    pub address: Address,
    /// The TCP or UDP port, 0 for other transports.
    pub port: u16,
}

impl Endpoint {
    /// An endpoint of `address` and `port`.
    #[must_use]
    pub const fn new(address: Address, port: u16) -> Self {
        Endpoint { address, port }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.address, self.port) {
            (address, 0) => address.fmt(f),
            (Address::V6(ip), port) => write!(f, "[{ip}]:{port}"),
            (address, port) => write!(f, "{address}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mac_text_round_trips() {
        let mac = MacAddr::parse("00:1B-1b:aa:0C:ff").unwrap();
        assert_eq!(mac.to_string(), "00:1b:1b:aa:0c:ff");
        assert_eq!(MacAddr::parse("00:1b:1b:aa:0c"), None);
        assert_eq!(MacAddr::parse("00:1b:1b:aa:0c:ff:00"), None);
        assert_eq!(MacAddr::parse("00:1b:1b:aa:0c:1ff"), None);
    }

    #[test]
    fn hosts_are_told_from_groups() {
        assert!(Address::from(IpAddr::from([10, 0, 0, 1])).is_host());
        assert!(!Address::from(IpAddr::from([224, 0, 0, 1])).is_host());
        assert!(!Address::Mac(MacAddr::BROADCAST).is_host());
        assert!(!Address::None.is_host());
    }

    #[test]
    fn endpoints_print_as_the_field_writes_them() {
        let v6 = Address::V6("fe80::1".parse().unwrap());
        assert_eq!(Endpoint::new(v6, 80).to_string(), "[fe80::1]:80");
        assert_eq!(Endpoint::new(v6, 0).to_string(), "fe80::1");
    }
}
