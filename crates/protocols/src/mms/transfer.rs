//! Files and domains that move between the ends: only name, size and digest are kept.

use quaywatch_model::{At, Endpoint, Observation, Program, Sink, Transfer};
use sha2::{Digest, Sha256};

use super::PROTOCOL;

/// Transfers under way at once; the oldest makes room for a new one.
pub const TRANSFER_LIMIT: usize = 16;

/// What tells a transfer from others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Key {
    /// A file that this end reads, by the number that fileOpen gave.
    File(Endpoint, u32),
    /// A domain read out, by the number that initiateUploadSequence gave.
    Upload(u32),
    /// A domain read in, by its name.
    Download(String),
}

/// A transfer.
#[derive(Debug)]
struct Moving {
    key: Key,
    at: At,
    client: Endpoint,
    server: Endpoint,
    way: Transfer,
    name: String,
    digest: Sha256,
    size: u64,
    /// Size as announced, if it was.
    announced: Option<u64>,
    /// Whether no part was lost.
    unbroken: bool,
    /// Whether the last part was seen.
    whole: bool,
}

/// All transfers of one association.
#[derive(Default, Debug)]
pub struct Transfers {
    list: Vec<Moving>,
}

/// What is known of a transfer that begins.
#[derive(Clone, Copy, Debug)]
pub struct Begun<'a> {
    /// Where it was begun.
    pub at: At,
    /// The end that drives it, and the device.
    pub ends: (Endpoint, Endpoint),
    /// Which way it goes.
    pub way: Transfer,
    /// Name of the file or domain.
    pub name: &'a str,
    /// Size as announced.
    pub announced: Option<u64>,
}

impl Transfers {
    /// Begins a transfer; one of the same key that was left open ends.
    pub fn begin(&mut self, key: Key, begun: Begun<'_>, out: &mut dyn Sink) {
        self.end(&key, begun.at, false, out);
        if self.list.len() >= TRANSFER_LIMIT {
            self.list.remove(0).finish(false, out);
        }
        let Begun { at, ends: (client, server), way, name, announced } = begun;
        let (name, digest) = (name.to_owned(), Sha256::new());
        self.list.push(Moving {
            key,
            at,
            client,
            server,
            way,
            name,
            digest,
            size: 0,
            announced,
            unbroken: true,
            whole: false,
        });
    }

    /// Takes the next part.
    pub fn part(&mut self, key: &Key, at: At, data: &[u8], more: bool) {
        if let Some(moving) = self.list.iter_mut().find(|moving| moving.key == *key) {
            moving.at = at;
            moving.digest.update(data);
            moving.size = moving.size.saturating_add(data.len() as u64);
            moving.whole |= !more;
        }
    }

    /// A part was asked for and not given, or never seen.
    pub fn miss(&mut self, key: &Key) {
        if let Some(moving) = self.list.iter_mut().find(|moving| moving.key == *key) {
            moving.unbroken = false;
        }
    }

    /// Ends a transfer; `regular` says whether it was ended by its own service.
    pub fn end(&mut self, key: &Key, at: At, regular: bool, out: &mut dyn Sink) {
        if let Some(place) = self.list.iter().position(|moving| moving.key == *key) {
            let mut moving = self.list.remove(place);
            moving.at = at;
            moving.finish(regular, out);
        }
    }

    /// Bytes were never captured.
    pub fn gap(&mut self) {
        self.list.iter_mut().for_each(|moving| moving.unbroken = false);
    }

    /// The association ended.
    pub fn close(&mut self, out: &mut dyn Sink) {
        self.list.drain(..).for_each(|moving| moving.finish(false, out));
    }
}

impl Moving {
    fn finish(self, regular: bool, out: &mut dyn Sink) {
        if self.size == 0 {
            return;
        }
        let full = self.announced.is_none_or(|announced| announced == self.size);
        out.emit(
            self.at,
            Observation::Program(Program {
                client: self.client,
                server: self.server,
                protocol: PROTOCOL,
                transfer: self.way,
                name: &self.name,
                size: self.size,
                sha256: Some(self.digest.finalize().into()),
                complete: regular && self.unbroken && self.whole && full,
            }),
        );
    }
}
