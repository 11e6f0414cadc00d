//! Addresses as evidence writes them, and which of them lie outside the site.

use std::net::{IpAddr, Ipv4Addr};

use quaywatch_model::{Address, MacAddr};

/// The address that a text of evidence stands for, if it is that of a host.
pub(crate) fn host(text: &str) -> Option<Address> {
    let address = match text.parse::<IpAddr>() {
        Ok(ip) => Address::from(ip.to_canonical()),
        Err(_) => Address::Mac(MacAddr::parse(text)?),
    };
    address.is_host().then_some(address)
}

/// The MAC address of a host.
pub(crate) fn host_mac(text: &str) -> Option<MacAddr> {
    MacAddr::parse(text).filter(|mac| !mac.is_group() && !mac.is_zero())
}

/// Whether an address lies outside any site.
///
/// The documentation ranges (RFC 5737) count as outside, as examples and tests use them for the internet; shared
/// (RFC 6598) and benchmark (RFC 2544) ranges do not.
pub(crate) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let benchmark = a == 198 && (b == 18 || b == 19);
            let reserved = a == 0 || a >= 240;
            !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_multicast())
                && !(shared || benchmark || reserved)
        }
        IpAddr::V6(ip) => ip.octets().first().is_some_and(|first| first & 0xe0 == 0x20),
    }
}

/// Whether an address is valid on its own link only, so that no router forwards it.
pub(crate) fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

/// The network that an address is most often on: /24 or /64. Used only to guess what is near.
pub(crate) fn neighbourhood(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            Ipv4Addr::new(a, b, c, 0).into()
        }
        IpAddr::V6(ip) => std::net::Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64)).into(),
    }
}

/// Whether the last octet is 255: the broadcast address of most networks in use.
pub(crate) fn looks_like_broadcast(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(ip) if ip.octets().last() == Some(&255))
}

/// Whether a TTL or hop limit shows that one to three routers passed the packet on: just below an initial value in
/// common use (64, 128, 255). 60 and the like are initial values of older stacks and show nothing.
pub(crate) fn was_forwarded(ttl: i64) -> bool {
    matches!(ttl, 61..=63 | 125..=127 | 252..=254)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses() {
        for (ip, public) in [
            ("8.8.8.8", true),
            ("203.0.113.9", true),
            ("192.0.2.1", true),
            ("198.51.100.1", true),
            ("10.1.1.1", false),
            ("172.31.0.1", false),
            ("100.64.0.1", false),
            ("169.254.1.1", false),
            ("2a00::1", true),
            ("fd00::1", false),
            ("fe80::1", false),
        ] {
            assert_eq!(is_public(ip.parse().unwrap()), public, "{ip}");
        }
    }

    #[test]
    fn groups_are_no_hosts() {
        for text in
            ["", "224.0.0.1", "255.255.255.255", "0.0.0.0", "ff02::1", "::", "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff"]
        {
            assert_eq!(host(text), None, "{text}");
        }
        assert_eq!(host("::ffff:10.0.0.1"), host("10.0.0.1"));
    }
}
