//! Networks as routing protocols tell them: an address and how many of its bits count.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address prefix, printed as `10.0.0.0/8`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Prefix {
    address: IpAddr,
    length: u8,
}

impl Prefix {
    /// An IPv4 network by its mask; a mask with holes counts its set bits.
    pub(crate) fn masked(address: Ipv4Addr, mask: Ipv4Addr) -> Self {
        // At most 32 bits are set.
        let length = u8::try_from(mask.to_bits().count_ones()).unwrap_or(32);
        Prefix { address: address.into(), length }
    }

    /// An IPv4 network of which only the first bytes are sent; `None` if they are not as many as the length asks for.
    pub(crate) fn four(length: u8, bytes: &[u8]) -> Option<Self> {
        let mut octets = [0; 4];
        fill(&mut octets, length, bytes)?;
        Some(Prefix { address: Ipv4Addr::from(octets).into(), length })
    }

    /// An IPv6 network of which only the first bytes are sent; `None` if they are not as many as the length asks for.
    pub(crate) fn six(length: u8, bytes: &[u8]) -> Option<Self> {
        let mut octets = [0; 16];
        fill(&mut octets, length, bytes)?;
        Some(Prefix { address: Ipv6Addr::from(octets).into(), length })
    }

    /// Whether it stands for every destination.
    pub(crate) const fn is_default(&self) -> bool {
        self.length == 0 && self.address.is_unspecified()
    }
}

fn fill(octets: &mut [u8], length: u8, bytes: &[u8]) -> Option<()> {
    let needed = usize::from(length).div_ceil(8);
    let taken = bytes.get(..needed)?;
    octets.get_mut(..needed)?.copy_from_slice(taken);
    Some(())
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_print_as_the_field_writes_them() {
        let masked = Prefix::masked(Ipv4Addr::new(10, 9, 0, 0), Ipv4Addr::new(255, 255, 252, 0));
        assert_eq!(masked.to_string(), "10.9.0.0/22");
        assert!(Prefix::masked(Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED).is_default());
        assert!(!Prefix::masked(Ipv4Addr::new(10, 0, 0, 0), Ipv4Addr::UNSPECIFIED).is_default());
        assert_eq!(Prefix::four(12, &[172, 16, 9]).unwrap().to_string(), "172.16.0.0/12");
        assert_eq!(Prefix::six(36, &[0x20, 1, 0x0d, 0xb8, 0xf0]).unwrap().to_string(), "2001:db8:f000::/36");
        assert_eq!(Prefix::six(36, &[0x20, 1, 0x0d, 0xb8]), None);
        assert_eq!(Prefix::four(33, &[0; 5]), None);
    }
}
