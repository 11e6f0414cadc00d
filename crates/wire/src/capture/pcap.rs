//! Reads pcap files: draft-ietf-opsawg-pcap, and the variants that are still met.
//!
//! Beyond the draft it knows the packet headers of Kuznetzov's patch (magic `a1b2cd34`, 24 bytes), the file headers of
//! Ixia (magic `1c0001ac` in nanoseconds, `1c0001ab` in microseconds, 28 bytes), and the swapped lengths of files
//! older than version 2.4.

use quaywatch_model::Timestamp;

use super::facts::{CaptureFacts, Format, Interface};
use super::record::{self, MAX_PACKET, Order, Record};
use super::window::Window;
use crate::packet::{CaptureError, LinkType};

/// File header, draft section 4.
const FILE_HEADER: usize = 24;
/// Packet record header, draft section 5.
const RECORD_HEADER: usize = 16;
/// Record header of the modified format: interface index, protocol, packet type and padding follow the draft's fields.
const MODIFIED_RECORD_HEADER: usize = 24;
/// Ixia adds the length of all records to the file header.
const IXIA_FILE_HEADER: usize = 28;

/// What a magic number says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Variant {
    order: Order,
    format: Format,
    file_header: usize,
}

/// Where the two lengths of a packet record stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lengths {
    /// Captured, then original (version 2.4).
    AsSpecified,
    /// The other way round (before version 2.3, and DG/UX's 543.0).
    Swapped,
    /// Version 2.3 was written both ways: the smaller is the captured one.
    Either,
}

/// Reads the records of a pcap file.
#[derive(Debug)]
pub(super) struct Reader {
    variant: Variant,
    lengths: Lengths,
    link: LinkType,
    frame: u64,
}

fn variant(head: &[u8]) -> Option<Variant> {
    let from_magic = |order: Order| {
        let (format, file_header) = match order.u32(head, 0)? {
            0xa1b2_c3d4 => (Format::Pcap, FILE_HEADER),
            0xa1b2_3c4d => (Format::PcapNanos, FILE_HEADER),
            0xa1b2_cd34 => (Format::PcapModified, FILE_HEADER),
            0x1c00_01ac => (Format::PcapNanos, IXIA_FILE_HEADER),
            0x1c00_01ab => (Format::Pcap, IXIA_FILE_HEADER),
            _ => return None,
        };
        Some(Variant { order, format, file_header })
    };
    from_magic(Order::Little).or_else(|| from_magic(Order::Big))
}

/// Whether `head` starts with the magic number of a pcap file.
pub(super) fn sniff(head: &[u8]) -> bool {
    variant(head).is_some()
}

impl Reader {
    /// Reads the file header; the window must stand at a magic number that [`sniff`] knows.
    pub(super) fn open(window: &mut Window, facts: &mut CaptureFacts) -> Result<Self, CaptureError> {
        let too_short = |window: &Window| record::ended(window, 0, "inside the file header");
        let Some(variant) = variant(window.want(4)) else { return Err(too_short(window)) };
        facts.format = Some(variant.format);
        let header = window.want(variant.file_header);
        let order = variant.order;
        let fields = (order.u16(header, 4), order.u16(header, 6), order.u32(header, 16), order.u32(header, 20));
        let (Some(major), Some(minor), Some(snaplen), Some(link)) = fields else { return Err(too_short(window)) };
        if header.len() < variant.file_header {
            return Err(too_short(window));
        }
        let lengths = match (major, minor) {
            (2, 0..=2) | (543, _) => Lengths::Swapped,
            (2, 3) => Lengths::Either,
            (2, _) => Lengths::AsSpecified,
            _ => {
                let what = format!("pcap version {major}.{minor} is not known");
                return Err(CaptureError { what, offset: 4, remedy: record::REMEDY_VARIANT });
            }
        };
        // The upper half of the field holds the length of the frame check sequence (draft section 4).
        let link = LinkType(link & 0xffff);
        facts.note_interface(Interface { link, snaplen, ..Interface::default() });
        facts.sections = 1;
        window.consume(variant.file_header as u64);
        Ok(Reader { variant, lengths, link, frame: 0 })
    }

    /// The record at the cursor and the bytes it takes in the file; `None` at the regular end.
    pub(super) fn next(&mut self, window: &mut Window) -> Result<Option<(Record, u64)>, CaptureError> {
        let start = match self.variant.format {
            Format::PcapModified => MODIFIED_RECORD_HEADER,
            _ => RECORD_HEADER,
        };
        let header = window.want(start);
        if header.is_empty() {
            record::regular_end(window)?;
            return Ok(None);
        }
        let order = self.variant.order;
        let fields = (order.u32(header, 0), order.u32(header, 4), order.u32(header, 8), order.u32(header, 12));
        let (Some(seconds), Some(fraction), Some(first), Some(second)) = fields else {
            return Err(record::ended(window, window.offset(), "mid-packet"));
        };
        let (captured, wire_length) = self.in_order(first, second);
        if captured > MAX_PACKET {
            return Err(CaptureError {
                what: format!(
                    "a packet of {captured} bytes is announced, more than the {MAX_PACKET} a packet may have"
                ),
                offset: window.offset(),
                remedy: record::REMEDY_DAMAGED,
            });
        }
        let length = captured as usize;
        if window.want(start + length).len() < start + length {
            return Err(record::ended(window, window.offset(), "mid-packet"));
        }
        self.frame += 1;
        let ts = self.instant(seconds, fraction);
        let frame = self.frame;
        let record = Record { ts, frame, interface: 0, link: self.link, wire_length, start, length };
        Ok(Some((record, (start + length) as u64)))
    }

    /// The captured and the original length.
    fn in_order(&self, first: u32, second: u32) -> (u32, u32) {
        match self.lengths {
            Lengths::AsSpecified => (first, second),
            Lengths::Swapped => (second, first),
            Lengths::Either => (first.min(second), first.max(second)),
        }
    }

    /// Seconds are unsigned (draft section 5); a fraction above one second counts on, as in Wireshark.
    fn instant(&self, seconds: u32, fraction: u32) -> Timestamp {
        let nanos = match self.variant.format {
            Format::PcapNanos => i64::from(fraction),
            _ => i64::from(fraction) * 1_000,
        };
        Timestamp::from_parts(i64::from(seconds), nanos)
    }
}
