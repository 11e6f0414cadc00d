//! Bytes to PDUs: capture files, link layers, tunnels, IP, TCP reassembly.
//!
//! The crate knows nothing of application protocols. It hands out [`Pdu`]s that belong to a
//! [`Flow`], and says of every packet that yields none why it does not.

#![deny(unsafe_code)]

pub mod capture;
pub mod community;
pub mod defragment;
pub mod dissect;
pub mod flow;
pub mod flow_table;
pub mod framer;
pub mod layers;
pub mod packet;
pub mod tcp;

pub use flow::{Flow, Pdu};
pub use framer::{Framer, Length};
pub use packet::{CaptureError, LinkType, Packet, PacketSource};
