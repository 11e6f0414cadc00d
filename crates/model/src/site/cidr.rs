//! IP networks in CIDR notation (RFC 4632).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An IP network, or a single address as a network of full prefix length.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Cidr {
    network: IpAddr,
    prefix: u8,
}

impl Cidr {
    /// The network of `prefix` bits that holds `address`; `None` if the prefix is longer than the address.
    #[must_use]
    pub fn new(address: IpAddr, prefix: u8) -> Option<Cidr> {
        let width = width(address);
        (prefix <= width).then(|| Cidr { network: mask(address, prefix), prefix })
    }

    /// Reads `10.1.0.0/16`, `fd00::/8`, or an address alone. Bits beyond the prefix must be zero, as the
    /// writer of `10.1.2.3/16` may have meant either.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str) -> Result<Cidr, String> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let Ok(ip) = address.parse::<IpAddr>() else {
            return Err(format!("`{text}` is no IP network; expected e.g. 10.1.0.0/16"));
        };
        let prefix = match prefix {
            None => width(ip),
            Some(digits) => digits
                .parse::<u8>()
                .ok()
                .filter(|prefix| *prefix <= width(ip))
                .ok_or_else(|| format!("`{text}` has no prefix length from 0 to {}", width(ip)))?,
        };
        let cidr = Cidr { network: mask(ip, prefix), prefix };
        if cidr.network != ip {
            return Err(format!("`{text}` has bits set beyond its prefix; expected {cidr}, or {ip} for one address"));
        }
        Ok(cidr)
    }

    /// Whether the address is in the network.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        width(address) == width(self.network) && mask(address, self.prefix) == self.network
    }

    /// Number of bits of the network part.
    #[must_use]
    pub const fn prefix(&self) -> u8 {
        self.prefix
    }

    /// First address of the network.
    #[must_use]
    pub const fn network(&self) -> IpAddr {
        self.network
    }

    /// The address, if the network is a single one.
    #[must_use]
    pub fn single(&self) -> Option<IpAddr> {
        (self.prefix == width(self.network)).then_some(self.network)
    }
}

const fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn mask(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(ip) => {
            let bits = u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0);
            Ipv4Addr::from_bits(ip.to_bits() & bits).into()
        }
        IpAddr::V6(ip) => {
            let bits = u128::MAX.checked_shl(128 - u32::from(prefix.min(128))).unwrap_or(0);
            Ipv6Addr::from_bits(ip.to_bits() & bits).into()
        }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.single() {
            Some(ip) => ip.fmt(f),
            None => write!(f, "{}/{}", self.network, self.prefix),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_their_addresses() {
        let net = Cidr::parse("10.1.0.0/16").unwrap();
        assert!(net.contains("10.1.255.1".parse().unwrap()));
        assert!(!net.contains("10.2.0.1".parse().unwrap()));
        assert!(!net.contains("::1".parse().unwrap()));
        assert!(Cidr::parse("0.0.0.0/0").unwrap().contains("8.8.8.8".parse().unwrap()));
        assert!(Cidr::parse("::/0").unwrap().contains("fd00::1".parse().unwrap()));
        assert_eq!(Cidr::parse("10.0.0.7").unwrap().to_string(), "10.0.0.7");
        assert_eq!(Cidr::parse("fd00::/8").unwrap().to_string(), "fd00::/8");
    }

    #[test]
    fn mistakes_are_explained() {
        assert!(Cidr::parse("10.1.2.3/16").unwrap_err().contains("expected 10.1.0.0/16"));
        assert!(Cidr::parse("10.1.0.0/33").unwrap_err().contains("0 to 32"));
        assert!(Cidr::parse("crane").unwrap_err().contains("no IP network"));
    }
}
