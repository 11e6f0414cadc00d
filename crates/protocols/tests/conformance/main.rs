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

mod harness;

mod beckhoff_ads;
mod beckhoff_udp_48899;
mod cip;
mod ethercat;
mod ge_egd;
mod goose;
mod http;
mod modbus;
mod powerlink;
mod profinet_dcp;
mod ptp;
mod raw_melsec;
mod s7comm;
mod s7comm_plus;
mod sv;
