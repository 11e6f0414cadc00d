//! Every protocol Quaywatch reads, one line each. Adding one: its module in `lib.rs`, its line here.

use crate::Protocol;

/// All protocols, sorted by name. Where two could claim a flow, the probes decide, not this order.
#[rustfmt::skip]
pub static PROTOCOLS: &[&dyn Protocol] = &[
    &crate::tls::Dtls,
    &crate::ftp::Ftp,
    &crate::http::Http,
    &crate::openvpn::OpenVpn,
    &crate::profinet_dcp::ProfinetDcp,
    &crate::s7comm::S7comm,
    &crate::smb::Smb,
    &crate::ssh::Ssh,
    &crate::telnet::Telnet,
    &crate::tls::Tls,
    &crate::vnc::Vnc,
    &crate::wireguard::WireGuard,
];
