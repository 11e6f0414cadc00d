//! Every protocol Quaywatch reads, one line each. Adding one: its module in `lib.rs`, its line here.

use crate::Protocol;

/// All protocols, sorted by name. Where two could claim a flow, the probes decide, not this order.
#[rustfmt::skip]
pub static PROTOCOLS: &[&dyn Protocol] = &[
    &crate::ads::Ads,
    &crate::ads::discovery::AdsDiscovery,
    &crate::arp::Arp,
    &crate::cdp::Cdp,
    &crate::dhcp::Dhcp,
    &crate::dhcpv6::Dhcpv6,
    &crate::dns::Dns,
    &crate::tls::Dtls,
    &crate::enip::Enip,
    &crate::ethercat::EtherCat,
    &crate::ftp::Ftp,
    &crate::ftp::FtpData,
    &crate::goose::Goose,
    &crate::http::Http,
    &crate::icmp::Icmp,
    &crate::lldp::Lldp,
    &crate::dns::Llmnr,
    &crate::dns::Mdns,
    &crate::modbus::Modbus,
    &crate::mqtt::Mqtt,
    &crate::nbdgm::Nbdgm,
    &crate::nbns::Nbns,
    &crate::nmea::Nmea,
    &crate::ntp::Ntp,
    &crate::openvpn::OpenVpn,
    &crate::profinet_dcp::ProfinetDcp,
    &crate::s7comm::S7comm,
    &crate::s7comm_plus::S7commPlus,
    &crate::smb::Smb,
    &crate::snmp::Snmp,
    &crate::ssh::Ssh,
    &crate::sv::Sv,
    &crate::telnet::Telnet,
    &crate::tls::Tls,
    &crate::vnc::Vnc,
    &crate::wireguard::WireGuard,
];
