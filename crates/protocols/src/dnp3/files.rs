//! Files that move between master and outstation (group 70). Only digest and size are kept.

use quaywatch_model::{At, Endpoint, Observation, Program, Sink, Transfer};
use sha2::{Digest, Sha256};

use crate::bytes::{Cursor, device_text};

/// Files under way in one flow; the oldest is told when there are more.
pub const MOVING_LIMIT: usize = 8;

/// A file command (variation 3): what is asked of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// Name.
    pub name: String,
    /// Size in octets.
    pub size: u32,
    /// 0 none (delete), 1 read, 2 write, 3 append.
    pub mode: u16,
}

impl Command {
    /// Reads it.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let (offset, length) = (cursor.le16()?, cursor.le16()?);
        // Time of creation, permissions, authentication key: the key is a secret.
        cursor.skip(6 + 2 + 4)?;
        let size = cursor.le32()?;
        let mode = cursor.le16()?;
        let name = text(bytes, offset, length)?;
        Some(Command { name, size, mode })
    }
}

/// A string at an offset from the start of the object.
#[must_use]
pub fn text(bytes: &[u8], offset: u16, length: u16) -> Option<String> {
    let start = usize::from(offset);
    device_text(bytes.get(start..start + usize::from(length))?)
}

/// What an outstation says of a file (variation 4): handle, size, status.
#[must_use]
pub fn status(bytes: &[u8]) -> Option<(u32, u32, u8)> {
    let mut cursor = Cursor::new(bytes);
    let (handle, size) = (cursor.le32()?, cursor.le32()?);
    // Largest block, request id.
    cursor.skip(4)?;
    Some((handle, size, cursor.u8()?))
}

/// A block of a file (variation 5): handle, number, whether it is the last, data.
#[must_use]
pub fn block(bytes: &[u8]) -> Option<(u32, u32, bool, &[u8])> {
    let mut cursor = Cursor::new(bytes);
    let (handle, number) = (cursor.le32()?, cursor.le32()?);
    Some((handle, number & 0x7fff_ffff, number & 0x8000_0000 != 0, cursor.rest()))
}

#[derive(Debug)]
struct Moving {
    at: At,
    handle: u32,
    name: String,
    way: Transfer,
    digest: Sha256,
    size: u64,
    next: u32,
    unbroken: bool,
    ended: bool,
}

/// The files of one flow.
#[derive(Default, Debug)]
pub struct Files {
    moving: Vec<Moving>,
    client: Endpoint,
    server: Endpoint,
}

impl Files {
    /// Notes an opened file.
    pub fn open(&mut self, at: At, handle: u32, command: Command, out: &mut dyn Sink) {
        let way = match command.mode {
            1 => Transfer::Upload,
            2 | 3 => Transfer::Download,
            _ => return,
        };
        self.close_one(handle, out);
        self.push(Moving { name: command.name, ..fresh(at, handle, way, true) }, out);
    }

    fn push(&mut self, moving: Moving, out: &mut dyn Sink) {
        self.moving.push(moving);
        if self.moving.len() > MOVING_LIMIT {
            let oldest = self.moving.remove(0);
            self.tell(oldest, out);
        }
    }

    /// Takes a block that the device sent, or took.
    pub fn block(
        &mut self,
        at: At,
        (client, server): (Endpoint, Endpoint),
        way: Transfer,
        bytes: &[u8],
        out: &mut dyn Sink,
    ) {
        (self.client, self.server) = (client, server);
        let Some((handle, number, last, data)) = block(bytes) else { return };
        if !self.moving.iter().any(|moving| moving.handle == handle && moving.way == way) {
            self.push(fresh(at, handle, way, false), out);
        }
        let Some(moving) = self.moving.iter_mut().find(|moving| moving.handle == handle && moving.way == way) else {
            return;
        };
        moving.at = at;
        if number.checked_add(1) == Some(moving.next) {
            // Sent again.
            return;
        }
        moving.unbroken &= number == moving.next;
        moving.next = number.saturating_add(1);
        moving.ended = last;
        moving.digest.update(data);
        moving.size = moving.size.saturating_add(data.len() as u64);
    }

    /// Tells the file of a handle, which is closed.
    pub fn close_one(&mut self, handle: u32, out: &mut dyn Sink) {
        if let Some(place) = self.moving.iter().position(|moving| moving.handle == handle) {
            let moving = self.moving.remove(place);
            self.tell(moving, out);
        }
    }

    /// Tells all.
    pub fn close(&mut self, out: &mut dyn Sink) {
        for moving in std::mem::take(&mut self.moving) {
            self.tell(moving, out);
        }
    }

    fn tell(&self, moving: Moving, out: &mut dyn Sink) {
        if moving.size == 0 {
            return;
        }
        out.emit(
            moving.at,
            Observation::Program(Program {
                client: self.client,
                server: self.server,
                protocol: super::PROTOCOL,
                transfer: moving.way,
                name: &moving.name,
                size: moving.size,
                sha256: Some(moving.digest.finalize().into()),
                complete: moving.unbroken && moving.ended,
            }),
        );
    }
}

fn fresh(at: At, handle: u32, way: Transfer, begun: bool) -> Moving {
    Moving {
        at,
        handle,
        name: String::new(),
        way,
        digest: Sha256::new(),
        size: 0,
        next: 0,
        unbroken: begun,
        ended: false,
    }
}
