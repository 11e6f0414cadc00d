//! Community ID v1 with seed 0: one flow hash that Zeek, Suricata and others share
//! (<https://github.com/corelight/community-id-spec>).

use std::net::IpAddr;

use base64::Engine as _;
use sha1::{Digest as _, Sha1};

/// Length of the text: `1:` and 28 characters of Base64.
pub const LENGTH: usize = 30;

/// The ICMP type of the reply to a request type, or the reverse: the two directions of one exchange.
const ICMP_PAIRS: [(u8, u8); 6] = [(8, 0), (13, 14), (15, 16), (17, 18), (10, 9), (37, 38)];
/// The same for ICMPv6: echo, router and neighbour discovery, multicast listener, who-are-you, home agent.
const ICMP6_PAIRS: [(u8, u8); 6] = [(128, 129), (133, 134), (135, 136), (130, 131), (139, 140), (144, 145)];

/// The second port of an ICMP flow and whether the flow has no direction of its own.
fn icmp_ports(protocol: u8, kind: u16, code: u16) -> (u16, u16, bool) {
    let pairs = if protocol == 1 { &ICMP_PAIRS } else { &ICMP6_PAIRS };
    for (ask, answer) in pairs {
        if kind == u16::from(*ask) {
            return (kind, u16::from(*answer), false);
        }
        if kind == u16::from(*answer) {
            return (kind, u16::from(*ask), false);
        }
    }
    (kind, code, true)
}

/// The Community ID of a flow. For ICMP the ports are type and code of a message from `source`.
#[must_use]
pub fn community_id(protocol: u8, source: (IpAddr, u16), destination: (IpAddr, u16)) -> String {
    let (mut from, mut to) = (source, destination);
    let mut one_way = false;
    if matches!(protocol, 1 | 58) {
        (from.1, to.1, one_way) = icmp_ports(protocol, source.1, destination.1);
    }
    if !one_way && (octets(from.0), from.1) > (octets(to.0), to.1) {
        std::mem::swap(&mut from, &mut to);
    }
    let mut hash = Sha1::new();
    hash.update([0, 0]);
    for address in [from.0, to.0] {
        match address {
            IpAddr::V4(ip) => hash.update(ip.octets()),
            IpAddr::V6(ip) => hash.update(ip.octets()),
        }
    }
    hash.update([protocol, 0]);
    if matches!(protocol, 1 | 6 | 17 | 58 | 132) {
        hash.update(from.1.to_be_bytes());
        hash.update(to.1.to_be_bytes());
    }
    let mut text = String::with_capacity(LENGTH);
    text.push_str("1:");
    base64::engine::general_purpose::STANDARD.encode_string(hash.finalize(), &mut text);
    text
}

fn octets(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => {
            let mut wide = [0; 16];
            if let Some(front) = wide.first_chunk_mut::<4>() {
                *front = ip.octets();
            }
            wide
        }
        IpAddr::V6(ip) => ip.octets(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(protocol: u8, source: &str, source_port: u16, destination: &str, destination_port: u16) -> String {
        community_id(protocol, (source.parse().unwrap(), source_port), (destination.parse().unwrap(), destination_port))
    }

    // Values of the specification's baseline files.
    #[test]
    fn baseline_values() {
        assert_eq!(id(6, "128.232.110.120", 34855, "66.35.250.204", 80), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
        assert_eq!(id(6, "66.35.250.204", 80, "128.232.110.120", 34855), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
        assert_eq!(id(17, "192.168.1.52", 54585, "8.8.8.8", 53), "1:d/FP5EW3wiY1vCndhwleRRKHowQ=");
        assert_eq!(id(1, "192.168.0.89", 8, "192.168.0.1", 0), "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
    }
}
