//! Firmware, files and routines that move in and out of a device. Only digest and size are kept.

use quaywatch_model::{At, Endpoint, Observation, Program, Sink, Transfer};
use sha2::{Digest, Sha256};

use super::message::{Reply, Request};
use super::names::{FILE, FIRMWARE, ROUTINE};
use super::path::Target;
use crate::bytes::Cursor;

/// A transfer under way.
#[derive(Debug)]
struct Moving {
    at: At,
    client: Endpoint,
    server: Endpoint,
    way: Transfer,
    /// Class and instance that it goes to.
    target: (u32, u32),
    name: String,
    digest: Sha256,
    size: u64,
    /// Bytes announced.
    total: Option<u64>,
    /// Number of the last packet of a file.
    last_packet: Option<u8>,
    unbroken: bool,
}

/// An answered request that may move something.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// Place of the reply.
    pub at: At,
    /// The end that drives.
    pub client: Endpoint,
    /// The device.
    pub server: Endpoint,
    /// What is asked.
    pub request: Request<'a>,
    /// Whom.
    pub target: Target,
    /// The answer.
    pub reply: Reply<'a>,
    /// Text of the target.
    pub object: &'a str,
}

/// The transfer of one flow: devices take one at a time.
#[derive(Default, Debug)]
pub struct Transfers {
    moving: Option<Moving>,
}

impl Transfers {
    /// Takes an answered request.
    pub fn step(&mut self, step: &Step<'_>, out: &mut dyn Sink) {
        match step.target.class {
            Some(FIRMWARE) => self.firmware(step, out),
            Some(FILE) => self.file(step, out),
            Some(ROUTINE) if step.request.service == 0x4c => self.routine(step, out),
            _ => {}
        }
    }

    fn begin(&mut self, step: &Step<'_>, way: Transfer, total: Option<u64>, begun: bool, out: &mut dyn Sink) {
        self.finish(false, out);
        self.moving = Some(Moving {
            at: step.at,
            client: step.client,
            server: step.server,
            way,
            target: key(&step.target),
            name: step.object.to_owned(),
            digest: Sha256::new(),
            size: 0,
            total,
            last_packet: None,
            unbroken: begun,
        });
    }

    /// The transfer of this target, begun now if its beginning was not seen.
    fn current(&mut self, step: &Step<'_>, way: Transfer, out: &mut dyn Sink) -> Option<&mut Moving> {
        let same = self.moving.as_ref().is_some_and(|moving| moving.target == key(&step.target) && moving.way == way);
        if !same {
            self.begin(step, way, None, false, out);
        }
        let moving = self.moving.as_mut()?;
        moving.at = step.at;
        Some(moving)
    }

    /// Firmware of Rockwell devices: service 0x4b announces the size, 0x4d brings offset and bytes.
    fn firmware(&mut self, step: &Step<'_>, out: &mut dyn Sink) {
        if step.reply.status != 0 {
            return;
        }
        let mut cursor = Cursor::new(step.request.data);
        match step.request.service {
            0x4b => {
                let total = cursor.le32().map(u64::from);
                self.begin(step, Transfer::Download, total, true, out);
            }
            0x4d => {
                let Some(offset) = cursor.le32().map(u64::from) else { return };
                let Some(moving) = self.current(step, Transfer::Download, out) else { return };
                moving.block(offset, cursor.rest());
                if moving.total == Some(moving.size) {
                    self.finish(true, out);
                }
            }
            _ => {}
        }
    }

    /// File object (CIP Networks Library Volume 1 chapter 5-42).
    fn file(&mut self, step: &Step<'_>, out: &mut dyn Sink) {
        if step.reply.status != 0 {
            return;
        }
        let size = |data| Cursor::new(data).le32().map(u64::from);
        match step.request.service {
            0x4b => self.begin(step, Transfer::Upload, size(step.reply.data), true, out),
            0x4c => self.begin(step, Transfer::Download, size(step.request.data), true, out),
            0x4f => self.packet(step, Transfer::Upload, step.reply.data, out),
            0x50 => self.packet(step, Transfer::Download, step.request.data, out),
            _ => {}
        }
    }

    /// A packet of a file: number, kind, bytes; the last one ends with a checksum.
    fn packet(&mut self, step: &Step<'_>, way: Transfer, data: &[u8], out: &mut dyn Sink) {
        let Some((&[number, kind], bytes)) = data.split_first_chunk() else { return };
        let last = matches!(kind, 2 | 4);
        let bytes = if last { bytes.get(..bytes.len().saturating_sub(2)).unwrap_or(bytes) } else { bytes };
        let Some(moving) = self.current(step, way, out) else { return };
        if moving.last_packet != Some(number) {
            let follows = moving.last_packet.is_none_or(|last| last.wrapping_add(1) == number);
            moving.unbroken &= follows;
            moving.last_packet = Some(number);
            moving.add(bytes);
        }
        if last || kind == 3 {
            self.finish(last, out);
        }
    }

    /// A routine read out: partial replies until one that is whole.
    fn routine(&mut self, step: &Step<'_>, out: &mut dyn Sink) {
        const PARTIAL: u8 = 6;
        if !matches!(step.reply.status, 0 | PARTIAL) || step.reply.data.is_empty() {
            return;
        }
        let same = self.moving.as_ref().is_some_and(|moving| moving.target == key(&step.target));
        if !same {
            self.begin(step, Transfer::Upload, None, true, out);
        }
        if let Some(moving) = self.moving.as_mut() {
            moving.at = step.at;
            moving.add(step.reply.data);
        }
        if step.reply.status == 0 {
            self.finish(true, out);
        }
    }

    /// Bytes were never captured.
    pub fn gap(&mut self) {
        if let Some(moving) = &mut self.moving {
            moving.unbroken = false;
        }
    }

    /// Emits the transfer under way.
    pub fn finish(&mut self, ended: bool, out: &mut dyn Sink) {
        let Some(moving) = self.moving.take().filter(|moving| moving.size > 0) else { return };
        out.emit(
            moving.at,
            Observation::Program(Program {
                client: moving.client,
                server: moving.server,
                protocol: super::PROTOCOL,
                transfer: moving.way,
                name: &moving.name,
                size: moving.size,
                sha256: Some(moving.digest.finalize().into()),
                complete: moving.unbroken && ended,
            }),
        );
    }
}

fn key(target: &Target) -> (u32, u32) {
    (target.class.unwrap_or(0), target.instance.unwrap_or(0))
}

impl Moving {
    fn add(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.size = self.size.saturating_add(bytes.len() as u64);
    }

    /// A block at its offset; one that was taken already counts once.
    fn block(&mut self, offset: u64, bytes: &[u8]) {
        if offset < self.size {
            return;
        }
        self.unbroken &= offset == self.size;
        // What announced the size bounds it: the last block is padded.
        let wanted = self.total.map_or(bytes.len() as u64, |total| total.saturating_sub(self.size));
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX).min(bytes.len());
        self.add(bytes.get(..wanted).unwrap_or(bytes));
    }
}
