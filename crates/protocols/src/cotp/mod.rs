//! TPKT (RFC 1006) and COTP (ISO 8073 / X.224), the carrier of S7comm, S7comm-plus, MMS and remote desktop.
//!
//! It is no registry entry of its own: a flow of it belongs to the entry `s7comm`, which tells by content what rides on it.
//! [`UpperKind::open`] is where an analyzer of another upper layer plugs in.

mod flow;
#[cfg(test)]
mod tests;
mod tpdu;
mod transport;
mod tsap;
mod upper;

pub use flow::CotpFlow;
pub use tpdu::{Connect, Tpdu, parse, reason_name, tpkt_length};
pub use transport::{Arrived, MESSAGE_LIMIT, TransportLayer, after_bare_packets, inactive_network, starts_packet};
pub use tsap::{Place, Tsap};
pub use upper::{Message, Upper, UpperKind};
