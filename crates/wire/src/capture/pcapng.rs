//! Reads pcapng files: draft-ietf-opsawg-pcapng.
//!
//! A file is a chain of blocks, each with its length in front and at the end. Where both lengths agree the chain is
//! sound, and a block whose content is damaged is passed over. Where they disagree the chain is trusted on only if
//! the announced length leads to another block that is sound itself; else reading ends there.

use quaywatch_model::Timestamp;

use super::facts::{CaptureFacts, Format, Interface};
use super::options;
use super::record::{self, MAX_PACKET, Order, Record};
use super::window::Window;
use crate::packet::{CaptureError, LinkType};

mod blocks;
mod clock;

use clock::Clock;

/// A block of which the content is read may have this many bytes: the largest packet and 64 KiB for each of its options.
pub const MAX_READ_BLOCK: u32 = 16 << 20;

/// Interfaces that a file may describe; each takes memory until the file is read.
pub const MAX_INTERFACES: usize = 65_536;

/// Bytes of an interface's name or description that are kept.
pub const MAX_NAME: usize = 256;

/// Type, total length, trailing total length (draft section 3.1).
const BLOCK_OVERHEAD: u32 = 12;

/// Block types, draft section 11.1.
mod kind {
    pub const SECTION: u32 = 0x0a0d_0d0a;
    pub const INTERFACE: u32 = 1;
    pub const PACKET: u32 = 2;
    pub const SIMPLE_PACKET: u32 = 3;
    pub const STATISTICS: u32 = 5;
    pub const ENHANCED_PACKET: u32 = 6;
    pub const JOURNAL: u32 = 9;
    pub const SECRETS: u32 = 10;
    pub const CUSTOM: u32 = 0x0bad;
    pub const CUSTOM_NOT_COPIED: u32 = 0x4000_0bad;
}

/// What is kept of an interface for reading its packets.
#[derive(Clone, Copy, Debug)]
struct Described {
    link: LinkType,
    snaplen: u32,
    clock: Clock,
}

/// Reads the blocks of a pcapng file.
#[derive(Debug)]
pub(super) struct Reader {
    order: Order,
    /// Of all sections, in order.
    interfaces: Vec<Described>,
    /// Where those of this section start.
    section_start: usize,
    frame: u64,
    last_ts: Timestamp,
    /// Packets lost as packets say (epb_dropcount), used where no statistics block says it.
    packet_drops: Option<u64>,
    /// Packets lost as statistics blocks say, over all interfaces.
    interface_drops: Option<u64>,
}

/// A block whose place in the chain is known.
#[derive(Clone, Copy, Debug)]
struct Block {
    kind: u32,
    /// Its length as stated at both ends.
    stated: u32,
    /// Bytes it takes: the stated length, rounded up to a multiple of four. Early writers left out the padding of the
    /// packet in the stated length, but not in the file.
    size: u32,
}

impl Block {
    /// A block of a possible length.
    fn of(kind: u32, stated: u32) -> Option<Self> {
        let size = stated.checked_next_multiple_of(4)?;
        (stated >= BLOCK_OVERHEAD).then_some(Block { kind, stated, size })
    }
}

/// Whether `head` starts a section header block with a byte-order magic.
pub(super) fn sniff(head: &[u8]) -> bool {
    head.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) && order_of(head).is_some()
}

/// Byte order of the section header block at the front of `block` (draft section 4.1).
fn order_of(block: &[u8]) -> Option<Order> {
    match block.get(8..12)? {
        [0x4d, 0x3c, 0x2b, 0x1a] => Some(Order::Little),
        [0x1a, 0x2b, 0x3c, 0x4d] => Some(Order::Big),
        _ => None,
    }
}

impl Reader {
    pub(super) fn open(facts: &mut CaptureFacts) -> Self {
        facts.format = Some(Format::PcapNg);
        Reader {
            order: Order::Little,
            interfaces: Vec::new(),
            section_start: 0,
            frame: 0,
            last_ts: Timestamp::default(),
            packet_drops: None,
            interface_drops: None,
        }
    }

    /// The next packet from the cursor on and the bytes its block takes; `None` at the regular end.
    /// Blocks without a packet are consumed on the way.
    pub(super) fn next(
        &mut self,
        window: &mut Window,
        facts: &mut CaptureFacts,
    ) -> Result<Option<(Record, u64)>, CaptureError> {
        while let Some(block) = self.block(window, facts)? {
            if let Some(record) = self.content(block, window, facts)? {
                return Ok(Some((record, u64::from(block.size))));
            }
            window.consume(u64::from(block.size));
        }
        Ok(None)
    }

    /// The block at the cursor, of which all bytes are at hand if its content is of interest.
    /// Blocks of no interest and damaged ones are consumed on the way.
    fn block(&mut self, window: &mut Window, facts: &mut CaptureFacts) -> Result<Option<Block>, CaptureError> {
        loop {
            let head = window.want(BLOCK_OVERHEAD as usize);
            if head.is_empty() {
                record::regular_end(window)?;
                return Ok(None);
            }
            let block = self.block_head(window)?;
            if !is_read(block.kind) {
                match block.kind {
                    kind::SECRETS => facts.secrets += 1,
                    // Wireshark (4.0) gives these a frame number of their own though they are no packets.
                    kind::JOURNAL | kind::CUSTOM | kind::CUSTOM_NOT_COPIED => self.frame += 1,
                    _ => {}
                }
                self.skip(block, window)?;
                continue;
            }
            if block.size > MAX_READ_BLOCK {
                let what =
                    format!("a block of {} bytes is announced, more than the {MAX_READ_BLOCK} it may have", block.size);
                return Err(damaged(window, what));
            }
            let size = block.size as usize;
            let bytes = window.want(size);
            if bytes.len() < size {
                return Err(record::ended(window, window.offset(), inside(block.kind)));
            }
            let trailing = self.order.u32(bytes, size - 4).unwrap_or_default();
            if trailing == block.stated {
                return Ok(Some(block));
            }
            let damage = damaged(window, unequal(block, trailing));
            if !self.sound_block_at(size, window) {
                return Err(damage);
            }
            if is_packet(block.kind) {
                self.frame += 1;
            }
            facts.note_damage(damage);
            window.consume(u64::from(block.size));
        }
    }

    /// Type and length of the block at the cursor; sets the byte order at a section header.
    fn block_head(&mut self, window: &mut Window) -> Result<Block, CaptureError> {
        let head = window.ahead();
        let cut = || record::ended(window, window.offset(), "inside a block header");
        let kind = self.order.u32(head, 0).ok_or_else(cut)?;
        if kind == kind::SECTION {
            if head.len() < BLOCK_OVERHEAD as usize {
                return Err(cut());
            }
            let Some(order) = order_of(head) else {
                return Err(damaged(window, "a section header has no byte-order magic".to_owned()));
            };
            self.order = order;
        }
        let stated = self.order.u32(head, 4).ok_or_else(cut)?;
        Block::of(kind, stated)
            .ok_or_else(|| damaged(window, format!("a block of type {kind:#x} has the impossible length {stated}")))
    }

    /// Passes over a block of which the content is of no interest, however long.
    fn skip(&self, block: Block, window: &mut Window) -> Result<(), CaptureError> {
        let start = window.offset();
        window.consume(u64::from(block.size - 4));
        let Some(trailing) = self.order.u32(window.want(4), 0) else {
            return Err(record::ended(window, start, inside(block.kind)));
        };
        if trailing != block.stated && !self.sound_block_at(4, window) {
            let what = unequal(block, trailing);
            return Err(CaptureError { what, offset: start, remedy: record::REMEDY_DAMAGED });
        }
        window.consume(4);
        Ok(())
    }

    /// Whether `ahead` bytes after the cursor the file ends, or a block starts whose two lengths agree.
    fn sound_block_at(&self, ahead: usize, window: &mut Window) -> bool {
        let Some(head) = window.want(ahead + BLOCK_OVERHEAD as usize).get(ahead..) else { return false };
        if head.is_empty() {
            return true;
        }
        let order = if self.order.u32(head, 0) == Some(kind::SECTION) { order_of(head) } else { Some(self.order) };
        let Some(order) = order else { return false };
        let Some(block) = order.u32(head, 4).and_then(|stated| Block::of(0, stated)) else { return false };
        if block.size > MAX_READ_BLOCK {
            return false;
        }
        let end = ahead + block.size as usize;
        order.u32(window.want(end), end - 4) == Some(block.stated)
    }
}

/// Whether the content of such blocks is read.
const fn is_read(kind: u32) -> bool {
    is_packet(kind) || matches!(kind, kind::SECTION | kind::INTERFACE | kind::STATISTICS)
}

const fn is_packet(kind: u32) -> bool {
    matches!(kind, kind::PACKET | kind::SIMPLE_PACKET | kind::ENHANCED_PACKET)
}

const fn inside(kind: u32) -> &'static str {
    if is_packet(kind) { "mid-packet" } else { "mid-block" }
}

fn unequal(block: Block, trailing: u32) -> String {
    format!("the two lengths of a block differ: {} in front, {trailing} at its end", block.stated)
}

fn damaged(window: &Window, what: String) -> CaptureError {
    CaptureError { what, offset: window.offset(), remedy: record::REMEDY_DAMAGED }
}
