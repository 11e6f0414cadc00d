//! CIP, the Common Industrial Protocol: explicit messages as [`crate::enip`] carries them. It has no registry entry of its own.
//!
//! Every request with its reply is one operation. A Multiple Service Packet becomes one operation a service in it, an Unconnected
//! Send the operation that it carries; `detail` says so in `via`.

pub mod connection;
pub mod identity;
mod logix;
pub mod message;
pub mod names;
pub mod path;
pub mod pccc;
mod talk;
mod transfer;
pub mod vendors;

#[cfg(test)]
mod tests;

pub use talk::{Exchange, Talk};

/// Protocol name in rows.
pub(crate) const PROTOCOL: &str = "cip";
