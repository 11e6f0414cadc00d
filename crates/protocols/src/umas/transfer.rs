//! Programs ("strategies") that move between engineering station and PLC.

use quaywatch_model::{At, Endpoint, Observation, Program, Sink, Transfer};
use sha2::{Digest, Sha256};

use super::names;
use crate::bytes::Cursor;

/// A transfer under way. Only its digest and size are kept.
#[derive(Debug)]
pub struct Moving {
    at: At,
    client: Endpoint,
    server: Endpoint,
    way: Transfer,
    digest: Sha256,
    size: u64,
    /// Number of the last block taken.
    last_block: u16,
    /// Whether every block from the first on was seen.
    unbroken: bool,
}

/// A block of a strategy: its number and bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Block<'a> {
    /// From 1.
    pub number: u16,
    /// Its bytes.
    pub data: &'a [u8],
}

impl Moving {
    /// A transfer; `begun` says whether its start was seen.
    #[must_use]
    pub fn new(at: At, (client, server): (Endpoint, Endpoint), way: Transfer, begun: bool) -> Self {
        let digest = Sha256::new();
        Moving { at, client, server, way, digest, size: 0, last_block: 0, unbroken: begun }
    }

    /// Which way it goes.
    #[must_use]
    pub const fn way(&self) -> Transfer {
        self.way
    }

    /// Takes a block; one that is sent again counts once.
    pub fn take(&mut self, at: At, block: Block<'_>) {
        self.at = at;
        if block.number == self.last_block {
            return;
        }
        self.unbroken &= Some(block.number) == self.last_block.checked_add(1);
        self.last_block = block.number;
        self.digest.update(block.data);
        self.size = self.size.saturating_add(block.data.len() as u64);
    }

    /// Notes that bytes were never captured.
    pub const fn gap(&mut self) {
        self.unbroken = false;
    }

    /// Emits it; `ended` says whether its regular end was seen.
    pub fn finish(self, name: &str, ended: bool, out: &mut dyn Sink) {
        if self.size == 0 {
            return;
        }
        out.emit(
            self.at,
            Observation::Program(Program {
                client: self.client,
                server: self.server,
                protocol: super::PROTOCOL,
                transfer: self.way,
                name,
                size: self.size,
                sha256: Some(self.digest.finalize().into()),
                complete: self.unbroken && ended,
            }),
        );
    }
}

/// Which way the blocks of a transfer function go.
#[must_use]
pub const fn way(code: u8) -> Option<Transfer> {
    match code {
        names::BEGIN_INTO_PLC..=names::END_INTO_PLC => Some(Transfer::Download),
        names::BEGIN_OUT_OF_PLC..=names::END_OUT_OF_PLC => Some(Transfer::Upload),
        _ => None,
    }
}

/// The block number of a request of a transfer function: two bytes, then the number, little-endian.
#[must_use]
pub fn number(data: &[u8]) -> Option<u16> {
    let mut cursor = Cursor::new(data);
    cursor.skip(2)?;
    cursor.le16()
}

/// The block in a request into the PLC, or in the reply to a request out of it.
#[must_use]
pub fn block<'a>(code: u8, asked: &'a [u8], replied: &'a [u8]) -> Option<Block<'a>> {
    let number = number(asked)?;
    let data = match code {
        names::BLOCK_INTO_PLC => asked.get(4..)?,
        // Whether it is the last block, and a byte of unknown meaning.
        names::BLOCK_OUT_OF_PLC => replied.get(2..)?,
        _ => return None,
    };
    let mut cursor = Cursor::new(data);
    let length = usize::from(cursor.le16()?);
    Some(Block { number, data: cursor.take(length)? })
}
