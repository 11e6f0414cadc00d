//! Files that AtomicReadFile and AtomicWriteFile move: backups, programs, trend logs. Only digest and size are kept.

use quaywatch_model::{At, Endpoint, Observation, Program, Sink, Transfer};
use sha2::{Digest, Sha256};

use crate::bytes::Cursor;

use super::frame::Remote;
use super::service::Part;
use super::tag::{Object, Tag};

/// Transfers under way in one flow; the oldest is told when there are more.
pub const MOVING_LIMIT: usize = 8;

/// Which transfer a part belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Which {
    /// The end that drives.
    pub client: Endpoint,
    /// The device.
    pub server: Endpoint,
    /// The device behind it, if it is a router.
    pub remote: Option<Remote>,
    /// The file.
    pub file: Object,
    /// Which way.
    pub way: Transfer,
}

#[derive(Debug)]
struct Moving {
    at: At,
    which: Which,
    digest: Sha256,
    size: u64,
    /// Start of the part to come.
    next: i64,
    unbroken: bool,
}

/// The transfers of one flow.
#[derive(Default, Debug)]
pub struct Files {
    moving: Vec<Moving>,
}

impl Files {
    /// Takes a part that was acknowledged. `last` says that the file ends with it.
    pub fn part(&mut self, at: At, which: Which, part: &Part<'_>, last: bool, out: &mut dyn Sink) {
        let place = self.moving.iter().position(|moving| moving.which == which);
        let place = match place {
            // From the start again: another transfer.
            Some(place) if part.start == 0 => {
                tell(self.moving.remove(place), false, out);
                None
            }
            found => found,
        };
        let mut moving = match place {
            Some(place) => self.moving.remove(place),
            None => Moving { at, which, digest: Sha256::new(), size: 0, next: part.start, unbroken: part.start == 0 },
        };
        moving.at = at;
        moving.take(part);
        if last {
            return tell(moving, true, out);
        }
        self.moving.push(moving);
        if self.moving.len() > MOVING_LIMIT {
            tell(self.moving.remove(0), false, out);
        }
    }

    /// Tells what was written to a device: its restore ended.
    pub fn restored(&mut self, server: Endpoint, out: &mut dyn Sink) {
        while let Some(place) = self
            .moving
            .iter()
            .position(|moving| moving.which.server == server && moving.which.way == Transfer::Download)
        {
            tell(self.moving.remove(place), true, out);
        }
    }

    /// Tells what has not ended.
    pub fn close(&mut self, out: &mut dyn Sink) {
        for moving in self.moving.drain(..) {
            tell(moving, false, out);
        }
    }
}

impl Moving {
    fn take(&mut self, part: &Part<'_>) {
        if part.start < self.next {
            // Sent again.
            return;
        }
        self.unbroken &= part.start == self.next;
        let mut moved = 0i64;
        let mut cursor = Cursor::new(part.data);
        while let Some(tag) = Tag::read(&mut cursor).filter(|tag| tag.number == 6) {
            self.digest.update(tag.content);
            self.size = self.size.saturating_add(tag.content.len() as u64);
            let step = if part.records { 1 } else { i64::try_from(tag.content.len()).unwrap_or(0) };
            moved = moved.saturating_add(step);
        }
        self.next = part.start.saturating_add(moved);
    }
}

fn tell(moving: Moving, ended: bool, out: &mut dyn Sink) {
    if moving.size == 0 {
        return;
    }
    let name = moving.which.file.to_string();
    out.emit(
        moving.at,
        Observation::Program(Program {
            client: moving.which.client,
            server: moving.which.server,
            protocol: super::PROTOCOL,
            transfer: moving.which.way,
            name: &name,
            size: moving.size,
            sha256: Some(moving.digest.finalize().into()),
            complete: moving.unbroken && ended,
        }),
    );
}
