//! Blocks of IO-CM: relation, cyclic connections, expected submodules, records, control commands (IEC 61158-6-10, "Coding of the block
//! structure").

use crate::bytes::{Cursor, device_text};

use super::rpc::Uuid;

/// Submodules read of one call; a station has room for some hundred.
pub const SUBMODULE_LIMIT: usize = 256;
/// Records of one multiple write that are read.
pub const RECORD_LIMIT: usize = 256;

/// A block: its type and what follows its header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Block<'a> {
    /// Type.
    pub kind: u16,
    /// Behind the version.
    pub body: &'a [u8],
}

/// Blocks one behind the other; those of a multiple write and the data of records are left where they are.
pub struct Blocks<'a> {
    cursor: Cursor<'a>,
    /// A block is longer than what is left.
    pub broken: bool,
}

impl<'a> Blocks<'a> {
    /// The blocks in `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Blocks { cursor: Cursor::new(bytes), broken: false }
    }

    fn read(&mut self) -> Option<Block<'a>> {
        let (kind, length) = (self.cursor.be16()?, usize::from(self.cursor.be16()?));
        let body = self.cursor.take(length)?;
        Some(Block { kind, body: body.get(2..)? })
    }

    /// What follows the blocks read so far.
    pub const fn rest(&self) -> &'a [u8] {
        self.cursor.rest()
    }
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Block<'a>;

    fn next(&mut self) -> Option<Block<'a>> {
        if self.cursor.is_empty() || self.broken {
            return None;
        }
        let block = self.read();
        self.broken = block.is_none();
        block
    }
}

/// The relation that a connect asks for, or an answer grants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Relation {
    pub kind: u16,
    pub id: Uuid,
    /// Of the side that speaks.
    pub mac: [u8; 6],
    /// Name of the controller's station, of a request.
    pub station: Option<String>,
}

impl Relation {
    pub fn asked(body: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(body);
        let mut relation = Self::granted(body)?;
        // Kind, id, session key, address, object, properties, timeout factor, port.
        cursor.skip(2 + 16 + 2 + 6 + 16 + 4 + 2 + 2)?;
        relation.station = station(cursor.rest());
        Some(relation)
    }

    pub fn granted(body: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(body);
        let kind = cursor.be16()?;
        let id = Uuid(cursor.take(16)?.try_into().ok()?);
        cursor.skip(2)?;
        Some(Relation { kind, id, mac: cursor.take(6)?.try_into().ok()?, station: None })
    }
}

/// A station's name behind its length.
pub fn station(body: &[u8]) -> Option<String> {
    let mut cursor = Cursor::new(body);
    let length = usize::from(cursor.be16()?);
    cursor.take(length).and_then(device_text)
}

/// A cyclic connection: direction and frame id (of a request, what the controller proposes).
pub fn cyclic(body: &[u8], granted: bool) -> Option<(u16, u16)> {
    let mut cursor = Cursor::new(body);
    let kind = cursor.be16()?;
    // Of a request also EtherType, properties and data length stand before the frame id.
    cursor.skip(if granted { 2 } else { 2 + 2 + 4 + 2 })?;
    Some((kind, cursor.be16()?))
}

/// A submodule that the controller expects, or that the device says differs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Submodule {
    pub slot: u16,
    pub subslot: u16,
    pub module: u32,
    /// Absent of a module that is not there at all.
    pub submodule: Option<u32>,
    /// State of a difference.
    pub state: Option<u16>,
}

/// Submodules of an expected submodule block.
pub fn expected(body: &[u8], into: &mut Vec<Submodule>) -> Option<()> {
    let mut cursor = Cursor::new(body);
    for _ in 0..cursor.be16()? {
        cursor.skip(4)?;
        let (slot, module) = (cursor.be16()?, cursor.be32()?);
        cursor.skip(2)?;
        for _ in 0..cursor.be16()? {
            let (subslot, submodule) = (cursor.be16()?, cursor.be32()?);
            // Inputs and outputs are described apart.
            let descriptions = if cursor.be16()? & 0x03 == 0x03 { 2 } else { 1 };
            cursor.skip(6 * descriptions)?;
            push(into, Submodule { slot, subslot, module, submodule: Some(submodule), state: None });
        }
    }
    Some(())
}

/// Submodules of a module difference block.
pub fn different(body: &[u8], into: &mut Vec<Submodule>) -> Option<()> {
    let mut cursor = Cursor::new(body);
    for _ in 0..cursor.be16()? {
        cursor.skip(4)?;
        for _ in 0..cursor.be16()? {
            let (slot, module, state) = (cursor.be16()?, cursor.be32()?, cursor.be16()?);
            let count = cursor.be16()?;
            if count == 0 {
                push(into, Submodule { slot, subslot: 0, module, submodule: None, state: Some(state) });
            }
            for _ in 0..count {
                let (subslot, submodule, state) = (cursor.be16()?, cursor.be32()?, cursor.be16()?);
                push(into, Submodule { slot, subslot, module, submodule: Some(submodule), state: Some(state) });
            }
        }
    }
    Some(())
}

fn push(into: &mut Vec<Submodule>, submodule: Submodule) {
    if into.len() < SUBMODULE_LIMIT {
        into.push(submodule);
    }
}

/// The head of a record that is read or written, or of the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record<'a> {
    pub relation: Uuid,
    pub slot: u16,
    pub subslot: u16,
    pub index: u16,
    /// Bytes of data that follow the head, or are wanted.
    pub length: u32,
    /// Of the answer to a write.
    pub status: Option<[u8; 4]>,
    /// Bytes behind the length, within the block.
    rest: &'a [u8],
}

impl<'a> Record<'a> {
    pub fn read(block: Block<'a>) -> Option<Self> {
        let mut cursor = Cursor::new(block.body);
        cursor.skip(2)?;
        let relation = Uuid(cursor.take(16)?.try_into().ok()?);
        cursor.skip(4)?;
        let (slot, subslot) = (cursor.be16()?, cursor.be16()?);
        cursor.skip(2)?;
        let (index, length) = (cursor.be16()?, cursor.be32()?);
        let mut record = Record { relation, slot, subslot, index, length, status: None, rest: cursor.rest() };
        if block.kind == 0x8008 {
            // Two additional values stand before the status.
            record.status = record.rest.get(4..8).and_then(|status| status.try_into().ok());
        }
        Some(record)
    }
}

/// The place of an object within a container of combined objects.
pub fn contained(block: Block<'_>) -> Option<super::call::Place> {
    let mut cursor = Cursor::new(block.body);
    cursor.skip(2 + 4)?;
    let (slot, subslot) = (cursor.be16()?, cursor.be16()?);
    cursor.skip(2)?;
    let index = cursor.be16()?;
    let length = u32::try_from(cursor.left()).unwrap_or(u32::MAX);
    Some(super::call::Place { slot, subslot, index, length, status: None })
}

/// The records of a multiple write: heads with their data behind them, each filled up to four bytes.
pub fn records(data: &[u8], with_data: bool, mut each: impl FnMut(Record<'_>, &[u8])) -> Option<()> {
    let mut blocks = Blocks::new(data);
    let mut taken = 0;
    while let Some(block) = blocks.next() {
        let record = Record::read(block)?;
        let length = if with_data { usize::try_from(record.length).ok()? } else { 0 };
        let rest = blocks.rest();
        each(record, rest.get(..length)?);
        let padded = length.next_multiple_of(4).min(rest.len());
        blocks = Blocks::new(rest.get(padded..)?);
        taken += 1;
        if taken == RECORD_LIMIT {
            return Some(());
        }
    }
    (!blocks.broken).then_some(())
}

/// The relation, its command and what the block is for, of a control or release block.
pub fn control(body: &[u8]) -> Option<(Uuid, u16)> {
    let mut cursor = Cursor::new(body);
    cursor.skip(2)?;
    let id = Uuid(cursor.take(16)?.try_into().ok()?);
    cursor.skip(4)?;
    Some((id, cursor.be16()?))
}

/// I&M0 (IEC 61158-6-10, "I&M0").
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identification {
    pub vendor: u16,
    pub order: Option<String>,
    pub serial: Option<String>,
    pub hardware: u16,
    /// Prefix and three numbers, e.g. `V2.9.4`.
    pub software: String,
}

impl Identification {
    pub fn read(body: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(body);
        let vendor = cursor.be16()?;
        let (order, serial) = (device_text(cursor.take(20)?), device_text(cursor.take(16)?));
        let hardware = cursor.be16()?;
        let (prefix, functional, fix, change) = (cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?);
        let prefix = if prefix.is_ascii_alphabetic() { char::from(prefix).to_string() } else { String::new() };
        Some(Identification {
            vendor,
            order,
            serial,
            hardware,
            software: format!("{prefix}{functional}.{fix}.{change}"),
        })
    }
}
