//! Every protocol Quaywatch reads. Adding one takes two lines here: its module and its entry.

use crate::Protocol;

// One line a protocol, sorted by name.
#[path = "arp.rs"]
mod arp;
#[path = "cdp/mod.rs"]
mod cdp;
#[path = "dhcp/mod.rs"]
mod dhcp;
#[path = "dhcpv6.rs"]
mod dhcpv6;
#[path = "dns/mod.rs"]
mod dns;
#[path = "icmp.rs"]
mod icmp;
#[path = "lldp/mod.rs"]
mod lldp;
#[path = "nbdgm.rs"]
mod nbdgm;
#[path = "nbns/mod.rs"]
mod nbns;
#[path = "ntp/mod.rs"]
mod ntp;
#[path = "snmp/mod.rs"]
mod snmp;

/// All protocols, sorted by name. Where two could claim a flow, the probes decide, not this order.
pub static PROTOCOLS: &[&dyn Protocol] = &[
    // One line a protocol, sorted by name.
    &arp::Arp,
    &cdp::Cdp,
    &dhcp::Dhcp,
    &dhcpv6::Dhcpv6,
    &dns::Dns,
    &icmp::Icmp,
    &lldp::Lldp,
    &dns::Llmnr,
    &dns::Mdns,
    &nbdgm::Nbdgm,
    &nbns::Nbns,
    &ntp::Ntp,
    &snmp::Snmp,
];
