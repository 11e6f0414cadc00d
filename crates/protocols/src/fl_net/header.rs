//! The header of FL-net: 64 bytes, big-endian, in front of every frame.

use crate::bytes::Cursor;

/// What every frame begins with.
pub const MARK: [u8; 4] = *b"FACN";
/// Bytes of the header.
pub const HEADER: usize = 64;
/// Most bytes of a frame: header and 1024 bytes of data, with room for the longer header that the manuals allow.
const FRAME_LIMIT: usize = 1500;
/// Greatest node number.
const NODE_LIMIT: u32 = 255;

/// An area of the common memory that a node writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Area {
    /// First word.
    pub start: u16,
    /// Words.
    pub words: u16,
}

/// The header's fields, named as the manuals do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// TFL: bytes of header and data.
    pub length: u32,
    /// SNA: node that sends.
    pub from: u8,
    /// DNA: node that is meant; of a token the node that gets it; 255 all.
    pub to: u8,
    /// SEQ: number of the message.
    pub sequence: u32,
    /// ULS: state of the controller.
    pub upper_status: u16,
    /// M_SZ: size of a message's block in virtual memory.
    pub size: u16,
    /// M_ADD: where that block begins.
    pub address: u32,
    /// MFT: least time between frames, in 100 microseconds.
    pub frame_interval: u8,
    /// M_RLT: result in a response.
    pub result: u8,
    /// TCD: what the frame is.
    pub code: u16,
    /// C_AD1, C_SZ1 and C_AD2, C_SZ2.
    pub areas: [Area; 2],
    /// Protocol version.
    pub version: u8,
    /// CBN: which block this is, from 1.
    pub block: u8,
    /// TBN: how many blocks there are.
    pub blocks: u8,
    /// BSIZE: bytes of this block.
    pub block_size: u16,
    /// LKS: state of the link.
    pub link_status: u8,
    /// TW: token monitoring time in milliseconds.
    pub token_time: u8,
    /// RCT: allowed refresh cycle time in milliseconds.
    pub refresh_cycle: u16,
}

/// A node number: the manuals set the upper half to 1 or 2, whose meaning they do not give.
fn node(cursor: &mut Cursor<'_>) -> Option<u8> {
    let number = cursor.be32()? & 0xffff;
    if number > NODE_LIMIT { None } else { u8::try_from(number).ok() }
}

impl Header {
    /// Reads the header; none if the mark is missing, bytes are missing or a number is impossible.
    pub fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        if cursor.take(MARK.len())? != MARK {
            return None;
        }
        let length = cursor.be32()?;
        let (from, to) = (node(cursor)?, node(cursor)?);
        cursor.skip(4)?;
        let sequence = cursor.be32()?;
        cursor.skip(4)?;
        let (upper_status, size, address) = (cursor.be16()?, cursor.be16()?, cursor.be32()?);
        let (frame_interval, result) = (cursor.u8()?, cursor.u8()?);
        cursor.skip(2)?;
        let code = cursor.be16()?;
        cursor.skip(2)?;
        let first = Area { start: cursor.be16()?, words: cursor.be16()? };
        let second = Area { start: cursor.be16()?, words: cursor.be16()? };
        cursor.skip(2)?;
        let (version, _priority) = (cursor.u8()?, cursor.u8()?);
        let (block, blocks, block_size) = (cursor.u8()?, cursor.u8()?, cursor.be16()?);
        let (link_status, token_time, refresh_cycle) = (cursor.u8()?, cursor.u8()?, cursor.be16()?);
        Some(Header {
            length,
            from,
            to,
            sequence,
            upper_status,
            size,
            address,
            frame_interval,
            result,
            code,
            areas: [first, second],
            version,
            block,
            blocks,
            block_size,
            link_status,
            token_time,
            refresh_cycle,
        })
    }

    /// Whether the header's lengths fit a datagram of so many bytes.
    pub fn fits(&self, datagram: usize) -> bool {
        let whole = usize::try_from(self.length).unwrap_or(usize::MAX);
        let one = self.blocks <= 1 && datagram == whole;
        let part = usize::from(self.block_size) == datagram && self.block >= 1 && self.block <= self.blocks;
        datagram <= FRAME_LIMIT && (one || part)
    }
}
