//! One folder or file per protocol: its analyzer, its table of names, its tests.
//!
//! [`registry::PROTOCOLS`] lists them. An analyzer is fed PDUs, never fails and never judges:
//! what breaks the protocol's rules becomes a `weird` row and decoding goes on.

#![forbid(unsafe_code)]

pub mod analyzer;
pub mod bytes;
pub mod cip;
pub mod claims;
pub mod detail_json;
pub mod engine;
pub mod enip;
pub mod modbus;
pub mod nmea;
pub mod pairing;
pub mod registry;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod umas;

pub use analyzer::{Analyzer, Probe, Protocol, ProtocolMeta};
pub use registry::PROTOCOLS;
