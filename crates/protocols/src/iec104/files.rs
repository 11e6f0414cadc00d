//! Files that move in sections and segments (IEC 60870-5-101 clause 7.4.11). Only digest and size are kept.

use quaywatch_model::{At, Endpoint, Observation, Program, Sink, Transfer};
use sha2::{Digest, Sha256};

use super::frame::Asdu;
use crate::bytes::Cursor;

/// Files under way in one flow; the oldest is told when there are more.
pub const MOVING_LIMIT: usize = 4;

/// Which file: common address, object address, name of file.
pub type Which = (u16, u32, u16);

#[derive(Debug)]
struct Moving {
    at: At,
    which: Which,
    client: Endpoint,
    server: Endpoint,
    way: Transfer,
    /// Octets announced by "file ready".
    total: Option<u32>,
    digest: Sha256,
    size: u64,
    unbroken: bool,
}

/// The files of one flow.
#[derive(Default, Debug)]
pub struct Files {
    moving: Vec<Moving>,
}

impl Files {
    /// Takes an ASDU of the file types, sent in this way between these ends.
    pub fn take(
        &mut self,
        at: At,
        (client, server): (Endpoint, Endpoint),
        way: Transfer,
        asdu: &Asdu<'_>,
        out: &mut dyn Sink,
    ) {
        let Some((address, bytes)) = asdu.each().next() else { return };
        let mut cursor = Cursor::new(bytes);
        let Some(name) = cursor.le16() else { return };
        let which = (asdu.common, address, name);
        let fresh = |total, unbroken| Moving {
            at,
            which,
            client,
            server,
            way,
            total,
            digest: Sha256::new(),
            size: 0,
            unbroken,
        };
        match asdu.code {
            120 => {
                self.finish(which, out);
                let total = cursor.le16().zip(cursor.u8()).map(|(low, high)| u32::from(high) << 16 | u32::from(low));
                self.push(fresh(total, true), out);
            }
            125 => {
                if !self.moving.iter().any(|moving| moving.which == which) {
                    self.push(fresh(None, false), out);
                }
                let Some(moving) = self.moving.iter_mut().find(|moving| moving.which == which) else { return };
                moving.at = at;
                // Name of section, length of segment.
                let length = cursor.skip(1).and_then(|()| cursor.u8()).map(usize::from);
                let data = length.and_then(|length| cursor.take(length)).unwrap_or_default();
                moving.digest.update(data);
                moving.size = moving.size.saturating_add(data.len() as u64);
            }
            // The last section of the file; 3 and 4 end a section only.
            123 if cursor.skip(1).and_then(|()| cursor.u8()).is_some_and(|qualifier| matches!(qualifier, 1 | 2)) => {
                self.finish(which, out);
            }
            _ => {}
        }
    }

    fn push(&mut self, moving: Moving, out: &mut dyn Sink) {
        self.moving.push(moving);
        if self.moving.len() > MOVING_LIMIT {
            let oldest = self.moving.remove(0);
            tell(oldest, out);
        }
    }

    fn finish(&mut self, which: Which, out: &mut dyn Sink) {
        if let Some(place) = self.moving.iter().position(|moving| moving.which == which) {
            tell(self.moving.remove(place), out);
        }
    }

    /// Notes that bytes were never captured.
    pub fn gap(&mut self) {
        self.moving.iter_mut().for_each(|moving| moving.unbroken = false);
    }

    /// Tells what has not ended.
    pub fn close(&mut self, out: &mut dyn Sink) {
        for moving in self.moving.drain(..) {
            tell(moving, out);
        }
    }
}

fn tell(moving: Moving, out: &mut dyn Sink) {
    if moving.size == 0 {
        return;
    }
    let (common, address, name) = moving.which;
    let name = format!("file {name} of {common}/{address}");
    let whole = moving.total.is_some_and(|total| u64::from(total) == moving.size);
    out.emit(
        moving.at,
        Observation::Program(Program {
            client: moving.client,
            server: moving.server,
            protocol: super::PROTOCOL,
            transfer: moving.way,
            name: &name,
            size: moving.size,
            sha256: Some(moving.digest.finalize().into()),
            complete: moving.unbroken && whole,
        }),
    );
}
