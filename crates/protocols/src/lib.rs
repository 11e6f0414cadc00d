//! One folder or file per protocol: its analyzer, its table of names, its tests.
//!
//! [`registry::PROTOCOLS`] lists them. An analyzer is fed PDUs, never fails and never judges:
//! what breaks the protocol's rules becomes a `weird` row and decoding goes on.

#![forbid(unsafe_code)]

pub mod ads;
pub mod analyzer;
pub mod arp;
pub mod bacnet;
mod ber;
pub mod bytes;
pub mod cdp;
pub mod cip;
pub mod claims;
pub mod codesys;
pub mod cotp;
pub mod default_credentials;
pub mod detail;
pub mod detail_json;
mod deviation;
pub mod dhcp;
pub mod dhcpv6;
pub mod dnp3;
pub mod dns;
pub mod edifact;
pub mod engine;
pub mod enip;
pub mod ethercat;
pub mod fins;
mod framers;
pub mod ftp;
pub mod ge_egd;
pub mod ge_srtp;
pub mod goose;
pub mod gss;
pub mod hart_ip;
pub mod http;
pub mod icmp;
pub mod iec104;
mod iec61850;
pub mod ike;
pub mod kerberos;
pub mod ldap;
pub mod lldp;
pub mod login;
pub mod melsec;
pub mod memobus;
pub mod mms;
pub mod modbus;
pub mod mqtt;
pub mod msrpc;
pub mod nbdgm;
pub mod nbns;
pub mod nmea;
pub mod ntlm;
pub mod ntp;
mod object_dictionary;
pub mod opcua;
pub mod openvpn;
pub mod pairing;
pub mod pcom;
pub mod powerlink;
pub mod profinet_dcp;
pub mod ptp;
pub mod radius;
pub mod rdp;
#[cfg(any(test, feature = "testing"))]
pub mod recording;
pub mod registry;
mod resync;
pub mod rtsp;
pub mod s7comm;
pub mod s7comm_plus;
mod self_description;
pub mod sick_cola;
pub mod smb;
pub mod snmp;
pub mod ssdp;
pub mod ssh;
pub mod stp;
pub mod sv;
pub mod syslog;
pub mod tacacs;
pub mod tds;
pub mod telnet;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod tftp;
pub mod tls;
pub mod umas;
pub mod vnc;
pub mod vrrp;
pub mod wireguard;
pub mod ws_discovery;

pub use analyzer::{Analyzer, Probe, Protocol, ProtocolMeta};
pub use registry::{CARRIED, Carried, PROTOCOLS};
