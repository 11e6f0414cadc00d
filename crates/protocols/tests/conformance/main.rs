//! What the analyzers say, held against tshark's tables, field by field, over every shared capture.
//!
//! One file per protocol names the fields; [`harness`] decodes the captures of the table and compares. A difference
//! that is right is named with its reason in the protocol's file and counted apart. `make conformance` prints the table.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failed expectation is a failed test, and the figures are its result"
)]

mod classification;
mod harness;

mod bacnet;
mod beckhoff_ads;
mod beckhoff_udp_48899;
mod bgp;
mod c37_118;
mod cip;
mod cotp;
mod dnp3;
mod eigrp;
mod ethercat;
mod ge_egd;
mod goose;
mod hart_ip;
mod http;
mod iec104;
mod kerberos;
mod ldap;
mod llrp;
mod mail;
mod mms;
mod modbus;
mod mqtt;
mod niagara_fox;
mod omron_fins;
mod opcua;
mod ospf;
mod powerlink;
mod pptp;
mod profinet_dcp;
mod profinet_io_cm;
mod profinet_rt;
mod profinet_whole;
mod ptp;
mod raw_melsec;
mod rdp;
mod remote;
mod rip;
mod rtsp;
mod s7comm;
mod s7comm_plus;
mod smb;
mod stp;
mod sv;
mod vnc;
