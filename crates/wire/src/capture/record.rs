//! What the readers of both formats share: a record found in the window, byte order, and errors.

use quaywatch_model::Timestamp;

use super::window::Window;
use crate::packet::{CaptureError, LinkType};

/// Bytes a packet may have: what libpcap (MAXIMUM_SNAPLEN) and Wireshark (WTAP_MAX_PACKET_SIZE_STANDARD) allow.
/// A larger number is damage, not a packet.
pub const MAX_PACKET: u32 = 262_144;

pub(super) const REMEDY_CUT: &str = "copy the file again after the capture has ended";
pub(super) const REMEDY_DAMAGED: &str = "copy the file again, or repair it with pcapfix or editcap";
pub(super) const REMEDY_VARIANT: &str = "have the capturing tool write pcapng version 1.0 or pcap version 2.4";

/// A packet found in a window; its bytes lie at `start..start + length` ahead of the window's cursor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub ts: Timestamp,
    pub frame: u64,
    pub interface: u32,
    pub link: LinkType,
    pub wire_length: u32,
    pub start: usize,
    pub length: usize,
}

/// The byte order of the capturing machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    pub(super) fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let field = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Order::Little => u16::from_le_bytes(field),
            Order::Big => u16::from_be_bytes(field),
        })
    }

    pub(super) fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let field = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Order::Little => u32::from_le_bytes(field),
            Order::Big => u32::from_be_bytes(field),
        })
    }

    pub(super) fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let field = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Order::Little => u64::from_le_bytes(field),
            Order::Big => u64::from_be_bytes(field),
        })
    }
}

/// The error for a capture that ends inside of something: cut short, or a compressed stream that broke off.
pub(super) fn ended(window: &Window, offset: u64, inside: &str) -> CaptureError {
    match window.failure() {
        Some(reason) => CaptureError {
            what: format!("cut short {inside}: {reason}"),
            offset: window.offset().saturating_add(window.ahead().len() as u64),
            remedy: REMEDY_DAMAGED,
        },
        None => CaptureError { what: format!("cut short {inside}"), offset, remedy: REMEDY_CUT },
    }
}

/// The error for a stream that failed exactly between two packets; `None` at the regular end.
pub(super) fn regular_end(window: &Window) -> Result<(), CaptureError> {
    match window.failure() {
        None => Ok(()),
        Some(_) => Err(ended(window, window.offset(), "between two packets")),
    }
}
