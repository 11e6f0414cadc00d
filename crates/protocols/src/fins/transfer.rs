//! Programs and files that move in parts.

use quaywatch_model::{At, Endpoint, Observation, Program, Sink, Transfer};
use sha2::{Digest as _, Sha256};

use super::object::FILE_NAME;
use crate::bytes::{Cursor, device_text};

/// Set in the length of a program's last part.
const LAST: u16 = 0x8000;

/// A part of a program or file: what its request says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    way: Transfer,
    name: String,
    /// Where it begins: bytes of a file or of a program.
    start: u32,
    last: bool,
    /// What is written; empty of a read.
    data: Vec<u8>,
}

impl Part {
    /// The part that a request reads or writes.
    pub fn asked(command: u16, text: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(text);
        let way = if matches!(command, 0x0307 | 0x2203) { Transfer::Download } else { Transfer::Upload };
        match command {
            0x0306 | 0x0307 => {
                let (number, start, length) = (cursor.be16()?, cursor.be32()?, cursor.be16()?);
                let data = if way == Transfer::Download { cursor.rest().to_vec() } else { Vec::new() };
                Some(Part { way, name: format!("program {number}"), start, last: length & LAST != 0, data })
            }
            0x2202 | 0x2203 => {
                cursor.skip(if way == Transfer::Download { 4 } else { 2 })?;
                let name = device_text(cursor.take(FILE_NAME)?)?;
                let (start, length) = (cursor.be32()?, cursor.be16()?);
                let data =
                    if way == Transfer::Download { cursor.take(usize::from(length))?.to_vec() } else { Vec::new() };
                Some(Part { way, name, start, last: false, data })
            }
            _ => None,
        }
    }

    /// The same with what the reply, behind its end code, brings: bytes, and whether they are the last.
    fn answered(mut self, command: u16, reply: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(reply);
        match command {
            0x0306 => {
                cursor.skip(6)?;
                self.last = cursor.be16()? & LAST != 0;
                self.data = cursor.rest().to_vec();
            }
            0x2202 => {
                let (capacity, start, length) = (cursor.be32()?, cursor.be32()?, cursor.be16()?);
                self.start = start;
                self.data = cursor.take(usize::from(length))?.to_vec();
                self.last = start.checked_add(u32::from(length)) == Some(capacity);
            }
            _ => {}
        }
        Some(self)
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
    name: String,
    digest: Sha256,
    size: u64,
    /// Where the next part begins if nothing is missing.
    next: u32,
    unbroken: bool,
}

impl Moving {
    /// Takes a part that was carried out, with the reply behind its end code.
    pub fn take(
        &mut self,
        at: At,
        ends: (Endpoint, Endpoint),
        command: u16,
        asked: &Part,
        reply: &[u8],
        out: &mut dyn Sink,
    ) {
        let Some(part) = asked.clone().answered(command, reply) else { return };
        let goes_on =
            self.now.as_ref().is_some_and(|now| now.way == part.way && now.name == part.name && part.start != 0);
        if !goes_on {
            self.finish(false, out);
        }
        let now = self.now.get_or_insert_with(|| Whole {
            at,
            ends,
            way: part.way,
            name: part.name,
            digest: Sha256::new(),
            size: 0,
            next: 0,
            unbroken: true,
        });
        now.at = at;
        now.unbroken &= now.next == part.start;
        now.next = part.start.saturating_add(u32::try_from(part.data.len()).unwrap_or(u32::MAX));
        now.digest.update(&part.data);
        now.size = now.size.saturating_add(part.data.len() as u64);
        if part.last {
            self.finish(true, out);
        }
    }

    /// Notes that bytes were never captured.
    pub fn gap(&mut self) {
        if let Some(now) = &mut self.now {
            now.unbroken = false;
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
                name: &whole.name,
                size: whole.size,
                sha256: Some(whole.digest.finalize().into()),
                complete: whole.unbroken && ended,
            }),
        );
    }
}
