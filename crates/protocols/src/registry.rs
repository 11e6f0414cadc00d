//! Every protocol Quaywatch reads, one line each. Adding one: its module in `lib.rs`, its line here.

use crate::Protocol;

/// A protocol inside another, which the other's analyzer tells under its own name.
#[derive(Clone, Copy, Debug)]
pub struct Carried {
    /// Name used in tables.
    pub name: &'static str,
    /// Name as the field writes it.
    pub title: &'static str,
    /// Name of the protocol that it is read inside of.
    pub within: &'static str,
}

/// What analyzers tell under names that have no line of their own below.
pub const CARRIED: &[Carried] = &[
    Carried { name: "cip", title: "CIP", within: "enip" },
    Carried { name: "cotp", title: "ISO transport (COTP)", within: "s7comm" },
    Carried { name: "umas", title: "UMAS", within: "modbus" },
];

/// All protocols, sorted by name. Where two could claim a flow, the probes decide, not this order.
#[rustfmt::skip]
pub static PROTOCOLS: &[&dyn Protocol] = &[
    &crate::ads::Ads,
    &crate::ads::discovery::AdsDiscovery,
    &crate::arp::Arp,
    &crate::bacnet::Bacnet,
    &crate::cdp::Cdp,
    &crate::codesys::v2::CodesysV2,
    &crate::codesys::CodesysV3,
    &crate::dhcp::Dhcp,
    &crate::dhcpv6::Dhcpv6,
    &crate::dnp3::Dnp3,
    &crate::dns::Dns,
    &crate::tls::Dtls,
    &crate::edifact::Edifact,
    &crate::enip::Enip,
    &crate::ethercat::EtherCat,
    &crate::ftp::Ftp,
    &crate::ftp::FtpData,
    &crate::ge_egd::GeEgd,
    &crate::ge_srtp::GeSrtp,
    &crate::goose::Goose,
    &crate::hart_ip::HartIp,
    &crate::vrrp::Hsrp,
    &crate::http::Http,
    &crate::icmp::Icmp,
    &crate::iec104::Iec104,
    &crate::ike::Ike,
    &crate::kerberos::Kerberos,
    &crate::ldap::Ldap,
    &crate::lldp::Lldp,
    &crate::dns::Llmnr,
    &crate::dns::Mdns,
    &crate::melsec::Melsec,
    &crate::melsec::melsoft::Melsoft,
    &crate::memobus::Memobus,
    &crate::mms::Mms,
    &crate::modbus::Modbus,
    &crate::modbus::ModbusRtu,
    &crate::mqtt::Mqtt,
    &crate::msrpc::Msrpc,
    &crate::nbdgm::Nbdgm,
    &crate::nbns::Nbns,
    &crate::nmea::Nmea,
    &crate::ntp::Ntp,
    &crate::fins::OmronFins,
    &crate::opcua::OpcUa,
    &crate::fins::OmronFins,
    &crate::openvpn::OpenVpn,
    &crate::pcom::Pcom,
    &crate::powerlink::Powerlink,
    &crate::profinet_dcp::ProfinetDcp,
    &crate::ptp::Ptp,
    &crate::radius::Radius,
    &crate::rdp::Rdp,
    &crate::rtsp::Rtsp,
    &crate::s7comm::S7comm,
    &crate::s7comm_plus::S7commPlus,
    &crate::sick_cola::SickCola,
    &crate::smb::Smb,
    &crate::snmp::Snmp,
    &crate::ssdp::Ssdp,
    &crate::ssh::Ssh,
    &crate::tds::browser::SqlBrowser,
    &crate::stp::Stp,
    &crate::sv::Sv,
    &crate::syslog::Syslog,
    &crate::tacacs::Tacacs,
    &crate::tds::Tds,
    &crate::telnet::Telnet,
    &crate::tftp::Tftp,
    &crate::tftp::TftpData,
    &crate::tls::Tls,
    &crate::vnc::Vnc,
    &crate::vrrp::Vrrp,
    &crate::wireguard::WireGuard,
    &crate::ws_discovery::WsDiscovery,
];
