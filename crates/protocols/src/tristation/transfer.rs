//! Programs and functions that move in parts of 4-byte blocks.

use quaywatch_model::{At, Endpoint, Observation, Program, Sink, Transfer};
use sha2::{Digest as _, Sha256};

use crate::bytes::Cursor;

/// Bytes of a block.
const BLOCK: usize = 4;

/// A part of a program or function: what a download's request or an upload's reply says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    way: Transfer,
    kind: &'static str,
    id: u16,
    /// Blocks of the whole.
    total: u16,
    /// Blocks before this part.
    offset: u16,
    data: Vec<u8>,
}

/// What a code moves, and which way; `code` is that of the message with the data.
const fn moved(code: u8) -> Option<(Transfer, &'static str)> {
    Some(match code {
        55 => (Transfer::Download, "program"),
        56 => (Transfer::Download, "function"),
        162 => (Transfer::Upload, "program"),
        163 => (Transfer::Upload, "function"),
        _ => return None,
    })
}

impl Part {
    /// Reads id, next id, blocks of the whole, offset, blocks here, data.
    pub fn read(code: u8, data: &[u8]) -> Option<Self> {
        let (way, kind) = moved(code)?;
        let mut cursor = Cursor::new(data);
        let (id, _next) = (cursor.le16()?, cursor.le16()?);
        let (total, offset, blocks) = (cursor.le16()?, cursor.le16()?, cursor.le16()?);
        let data = cursor.take(usize::from(blocks).saturating_mul(BLOCK))?.to_vec();
        Some(Part { way, kind, id, total, offset, data })
    }

    /// Whether messages of this code carry parts.
    pub const fn is_carried(code: u8) -> bool {
        moved(code).is_some()
    }

    /// What is moved, as tables name it.
    pub fn name(&self) -> String {
        format!("{} {}", self.kind, self.id)
    }

    /// Bytes of this part.
    pub const fn size(&self) -> usize {
        self.data.len()
    }

    fn end(&self) -> u32 {
        let blocks = self.data.len().checked_div(BLOCK).unwrap_or(0);
        u32::from(self.offset).saturating_add(u32::try_from(blocks).unwrap_or(u32::MAX))
    }
}

/// What moves now, if anything. Only its digest and size are kept.
#[derive(Debug, Default)]
pub struct Moving {
    now: Option<Whole>,
}

#[derive(Debug)]
struct Whole {
    at: At,
    ends: (Endpoint, Endpoint),
    way: Transfer,
    kind: &'static str,
    id: u16,
    digest: Sha256,
    size: u64,
    /// Block that comes next if nothing is missing.
    next: u32,
    unbroken: bool,
}

impl Moving {
    /// Takes a part that was carried out, between client and server.
    pub fn take(&mut self, at: At, ends: (Endpoint, Endpoint), part: &Part, out: &mut dyn Sink) {
        let same = |now: &Whole| (now.way, now.kind, now.id) == (part.way, part.kind, part.id);
        if !self.now.as_ref().is_some_and(|now| same(now) && part.offset != 0) {
            self.finish(false, out);
        }
        let now = self.now.get_or_insert_with(|| Whole {
            at,
            ends,
            way: part.way,
            kind: part.kind,
            id: part.id,
            digest: Sha256::new(),
            size: 0,
            next: 0,
            unbroken: true,
        });
        if part.offset != 0 && part.end() <= now.next {
            // Sent once more.
            return;
        }
        now.at = at;
        now.unbroken &= now.next == u32::from(part.offset);
        now.next = part.end();
        now.digest.update(&part.data);
        now.size = now.size.saturating_add(part.data.len() as u64);
        if part.end() >= u32::from(part.total) {
            self.finish(true, out);
        }
    }

    /// Tells what moved; `ended` says whether its last part was seen.
    pub fn finish(&mut self, ended: bool, out: &mut dyn Sink) {
        let Some(whole) = self.now.take().filter(|whole| whole.size > 0) else { return };
        out.emit(
            whole.at,
            Observation::Program(Program {
                client: whole.ends.0,
                server: whole.ends.1,
                protocol: super::PROTOCOL,
                transfer: whole.way,
                name: &format!("{} {}", whole.kind, whole.id),
                size: whole.size,
                sha256: Some(whole.digest.finalize().into()),
                complete: whole.unbroken && ended,
            }),
        );
    }
}
