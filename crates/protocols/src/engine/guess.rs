//! What unrecognised traffic probably is, by its numbers: for the coverage account and the first guess at roles, never for decoding.

use quaywatch_model::{Endpoint, Transport};
use quaywatch_wire::flow_table::Opening;

use crate::{PROTOCOLS, Protocol};

/// Reason given in the account for what no analyzer takes.
pub(super) const REASON: &str = "no analyzer; named by its number only";

/// Ports that protocols without an analyzer of ours usually have (IANA, and the vendors' manuals).
const PORTS: &[(u16, &str)] = &[
    (111, "sunrpc"),
    (139, "nbss"),
    (1153, "c1222"),
    (1521, "oracle-tns"),
    (1911, "niagara-fox"),
    (2222, "cip-io"),
    (3671, "knxip"),
    (4059, "dlms"),
    (4500, "ipsec-nat"),
    (4712, "c37-118"),
    (4713, "c37-118"),
    (4880, "hislip"),
    (5050, "ether-sbus"),
    (5060, "sip"),
    (5683, "coap"),
    (6568, "anydesk"),
    (7070, "anydesk"),
];

/// EtherTypes, SNAP protocol ids and LLC DSAPs of protocols without an analyzer of ours.
const ETHERTYPES: &[(u16, &str)] = &[
    (0x00e0, "ipx"),
    (0x00f0, "netbios"),
    (0x00fe, "iso"),
    (0x0111, "udld"),
    (0x010b, "pvst"),
    (0x2003, "vtp"),
    (0x2004, "dtp"),
    (0x8035, "rarp"),
    (0x809b, "appletalk"),
    (0x80f3, "aarp"),
    (0x8137, "ipx"),
    (0x8808, "ethernet-flow-control"),
    (0x8809, "lacp"),
    (0x8863, "pppoe-discovery"),
    (0x8874, "realtek-loop-detection"),
    (0x888e, "eapol"),
    (0x8892, "profinet"),
    (0x88b9, "gse"),
    (0x88cd, "sercos"),
    (0x88e1, "homeplug"),
    (0x88e3, "mrp"),
    (0x88fb, "prp"),
    (0x890f, "cc-link-ie"),
    (0x9000, "ethernet-loopback"),
];

/// IP protocols (IANA).
const IP_PROTOCOLS: &[(u8, &str)] = &[
    (2, "igmp"),
    (8, "egp"),
    (9, "igrp"),
    (46, "rsvp"),
    (51, "ipsec-ah"),
    (88, "eigrp"),
    (89, "ospf"),
    (103, "pim"),
    (132, "sctp"),
];

fn lookup<K: PartialEq + Copy>(table: &[(K, &'static str)], key: K) -> Option<&'static str> {
    table.iter().find(|(candidate, _)| *candidate == key).map(|(_, name)| *name)
}

/// The protocol that usually has this TCP or UDP port, whether or not we decode it.
#[must_use]
pub fn known_port(transport: Transport, port: u16) -> Option<&'static str> {
    let registered = PROTOCOLS.iter().map(|protocol| protocol.meta()).find(|meta| match transport {
        Transport::Tcp => meta.tcp.contains(&port),
        Transport::Udp => meta.udp.contains(&port),
        _ => false,
    });
    registered.map(|meta| meta.name).or_else(|| lookup(PORTS, port))
}

/// The best guess at an unrecognised flow between these ends.
pub(super) fn name(transport: Transport, client_port: u16, server_port: u16) -> &'static str {
    match transport {
        Transport::Tcp | Transport::Udp => [server_port, client_port]
            .into_iter()
            .find_map(|port| known_port(transport, port))
            .unwrap_or(if transport == Transport::Tcp { "tcp" } else { "udp" }),
        Transport::Icmp => "icmp",
        Transport::Ip(protocol) => lookup(IP_PROTOCOLS, protocol).unwrap_or("ip"),
        Transport::Link(ethertype) => lookup(ETHERTYPES, ethertype).unwrap_or("link"),
    }
}

/// Index of the protocol whose usual port or EtherType one of these is; the server's port counts first.
pub(super) fn hint(
    protocols: &[&dyn Protocol],
    transport: Transport,
    client_port: u16,
    server_port: u16,
) -> Option<usize> {
    let by = |fits: &dyn Fn(&crate::ProtocolMeta) -> bool| protocols.iter().position(|protocol| fits(protocol.meta()));
    match transport {
        Transport::Tcp => {
            by(&|meta| meta.tcp.contains(&server_port)).or_else(|| by(&|meta| meta.tcp.contains(&client_port)))
        }
        Transport::Udp => {
            by(&|meta| meta.udp.contains(&server_port)).or_else(|| by(&|meta| meta.udp.contains(&client_port)))
        }
        Transport::Link(ethertype) => by(&|meta| meta.ethertypes.contains(&ethertype)),
        Transport::Icmp | Transport::Ip(_) => None,
    }
}

/// Who probably opened a flow whose opening was not seen: the end that does not have the service's port.
pub(super) fn opening(transport: Transport, source: Endpoint, destination: Endpoint) -> Opening {
    if !matches!(transport, Transport::Tcp | Transport::Udp) || source.port == destination.port {
        return Opening::MaybeBySender;
    }
    let known = |port| known_port(transport, port).is_some();
    match (known(source.port), known(destination.port)) {
        (true, false) => Opening::MaybeByReceiver,
        (false, true) => Opening::MaybeBySender,
        // Neither or both: in mid-stream the lower port is more often the service's; a datagram's first sender is the asker.
        _ if transport == Transport::Tcp && source.port < destination.port => Opening::MaybeByReceiver,
        _ => Opening::MaybeBySender,
    }
}
