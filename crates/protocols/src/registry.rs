//! Every protocol Quaywatch reads, one line each. Adding one: its module in `lib.rs`, its line here.

use crate::Protocol;
use crate::analyzer::Purpose;

/// A protocol inside another, which the other's analyzer tells under its own name.
#[derive(Clone, Copy, Debug)]
pub struct Carried {
    /// Name used in tables.
    pub name: &'static str,
    /// Name as the field writes it.
    pub title: &'static str,
    /// Name of the protocol that it is read inside of.
    pub within: &'static str,
    /// What it is for.
    pub purpose: Purpose,
}

/// What analyzers tell under names that have no line of their own below.
pub const CARRIED: &[Carried] = &[
    Carried { name: "anydesk", title: "AnyDesk", within: "tls", purpose: Purpose::RemoteAccess },
    Carried { name: "ais", title: "AIS", within: "nmea", purpose: Purpose::Field },
    Carried { name: "cip", title: "CIP", within: "enip", purpose: Purpose::Control },
    Carried { name: "cotp", title: "ISO transport (COTP)", within: "s7comm", purpose: Purpose::Control },
    Carried { name: "navis", title: "Navis N4", within: "http", purpose: Purpose::Field },
    Carried { name: "onvif", title: "ONVIF", within: "http", purpose: Purpose::Field },
    Carried { name: "umas", title: "UMAS", within: "modbus", purpose: Purpose::Control },
];

/// All protocols, sorted by name. Where two could claim a flow, the probes decide, not this order.
#[rustfmt::skip]
pub static PROTOCOLS: &[&dyn Protocol] = &[
    &crate::ads::Ads,
    &crate::ads::discovery::AdsDiscovery,
    &crate::arp::Arp,
    &crate::bacnet::Bacnet,
    &crate::bgp::Bgp,
    &crate::c37_118::C37118,
    &crate::cdp::Cdp,
    &crate::codesys::v2::CodesysV2,
    &crate::codesys::CodesysV3,
    &crate::dhcp::Dhcp,
    &crate::dhcpv6::Dhcpv6,
    &crate::dnp3::Dnp3,
    &crate::dns::Dns,
    &crate::tls::Dtls,
    &crate::edifact::Edifact,
    &crate::eigrp::Eigrp,
    &crate::enip::Enip,
    &crate::ethercat::EtherCat,
    &crate::fl_net::FlNet,
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
    &crate::mail::Imap,
    &crate::kerberos::Kerberos,
    &crate::l2tp::L2tp,
    &crate::ldap::Ldap,
    &crate::lldp::Lldp,
    &crate::dns::Llmnr,
    &crate::llrp::Llrp,
    &crate::dns::Mdns,
    &crate::melsec::Melsec,
    &crate::melsec::melsoft::Melsoft,
    &crate::memobus::Memobus,
    &crate::mms::Mms,
    &crate::modbus::Modbus,
    &crate::modbus::ModbusRtu,
    &crate::mqtt::Mqtt,
    &crate::mrp::Mrp,
    &crate::msrpc::Msrpc,
    &crate::nbdgm::Nbdgm,
    &crate::nbns::Nbns,
    &crate::niagara_fox::NiagaraFox,
    &crate::nmea::Nmea,
    &crate::ntp::Ntp,
    &crate::fins::OmronFins,
    &crate::ntrip::Ntrip,
    &crate::opcua::OpcUa,
    &crate::openvpn::OpenVpn,
    &crate::ospf::Ospf,
    &crate::pcom::Pcom,
    &crate::mail::Pop3,
    &crate::powerlink::Powerlink,
    &crate::pptp::Pptp,
    &crate::profinet_dcp::ProfinetDcp,
    &crate::profinet_cm::ProfinetCm,
    &crate::profinet_rt::ProfinetPtcp,
    &crate::profinet_rt::ProfinetRt,
    &crate::ptp::Ptp,
    &crate::tls::quic::Quic,
    &crate::radius::Radius,
    &crate::rdp::Rdp,
    &crate::rip::Rip,
    &crate::rip::Ripng,
    &crate::rtcm::Rtcm,
    &crate::rtsp::Rtsp,
    &crate::s7comm::S7comm,
    &crate::s7comm_plus::S7commPlus,
    &crate::sick_cola::SickCola,
    &crate::sip::Sip,
    &crate::smb::Smb,
    &crate::mail::Smtp,
    &crate::snmp::Snmp,
    &crate::socks::Socks,
    &crate::ssdp::Ssdp,
    &crate::ssh::Ssh,
    &crate::tds::browser::SqlBrowser,
    &crate::stp::Stp,
    &crate::sv::Sv,
    &crate::syslog::Syslog,
    &crate::tacacs::Tacacs,
    &crate::tds::Tds,
    &crate::teamviewer::TeamViewer,
    &crate::telnet::Telnet,
    &crate::tftp::Tftp,
    &crate::tftp::TftpData,
    &crate::tls::Tls,
    &crate::tristation::TriStation,
    &crate::vnc::Vnc,
    &crate::vrrp::Vrrp,
    &crate::http::Winrm,
    &crate::wireguard::WireGuard,
    &crate::ws_discovery::WsDiscovery,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_protocol_has_one_line() {
        let mut names: Vec<&str> = PROTOCOLS.iter().map(|protocol| protocol.meta().name).collect();
        names.extend(CARRIED.iter().map(|carried| carried.name));
        names.sort_unstable();
        let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(twice.is_empty(), "{twice:?}");
        assert!(CARRIED.iter().all(|carried| names.contains(&carried.within)));
    }
}
