//! The CIP message in a packet.

use super::encapsulation::{CONNECTED_ADDRESS, CONNECTED_DATA, UNCONNECTED_DATA, items};
use crate::cip::message::REPLY;

/// A CIP message among the items of a packet.
#[derive(Clone, Copy)]
pub struct Explicit<'a> {
    /// Connection id.
    pub connection: Option<u32>,
    /// Sequence count of a connected message.
    pub sequence: Option<u16>,
    /// From the service code on.
    pub bytes: &'a [u8],
}

impl Explicit<'_> {
    /// Whether the service code has the reply bit.
    #[must_use]
    pub fn is_reply(&self) -> bool {
        self.bytes.first().is_some_and(|service| service & REPLY != 0)
    }
}

/// The CIP message among the items of a packet.
#[must_use]
pub fn explicit(packet: &[u8]) -> Option<Explicit<'_>> {
    let mut connection = None;
    for item in items(packet) {
        let item = item?;
        match item.kind {
            CONNECTED_ADDRESS => connection = item.data.first_chunk().copied().map(u32::from_le_bytes),
            CONNECTED_DATA => {
                let (sequence, bytes) = item.data.split_first_chunk()?;
                let sequence = Some(u16::from_le_bytes(*sequence));
                return (!bytes.is_empty()).then_some(Explicit { connection, sequence, bytes });
            }
            UNCONNECTED_DATA => {
                let bytes = item.data;
                return (!bytes.is_empty()).then_some(Explicit { connection: None, sequence: None, bytes });
            }
            _ => {}
        }
    }
    None
}
