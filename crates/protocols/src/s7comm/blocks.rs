//! Block names, and the blocks that are being moved into and out of a device.

use std::fmt::Write;

use quaywatch_model::{At, Endpoint, Observation, Program, Sink, Transfer};
use sha2::{Digest, Sha256};

use crate::bytes::Cursor;

/// Transfers of one flow that are followed at the same time. A device has a handful of resources for them.
pub const TRANSFER_LIMIT: usize = 8;

/// Longest file name that is printed, in bytes. Blocks take nine, NC files up to 32.
const NAME_LIMIT: usize = 64;

/// Name of a block type by its two digits.
#[must_use]
pub const fn block_type(digits: &[u8]) -> Option<&'static str> {
    match digits {
        b"00" => Some("TYPE00"),
        b"08" => Some("OB"),
        b"09" => Some("CMOD"),
        b"0A" => Some("DB"),
        b"0B" => Some("SDB"),
        b"0C" => Some("FC"),
        b"0D" => Some("SFC"),
        b"0E" => Some("FB"),
        b"0F" => Some("SFB"),
        _ => None,
    }
}

/// Reads a block's file name `_0A00001P` (or without `_`): identifier, type, number, file system.
/// Prints `DB1` and gives the file system; `None` if it is not of this form.
pub fn block_name(file: &[u8], name: &mut String) -> Option<u8> {
    let block = file.strip_prefix(b"_").or_else(|| file.strip_prefix(b"$")).unwrap_or(file);
    let (digits, rest) = block.split_at_checked(2)?;
    let (number, rest) = rest.split_at_checked(5)?;
    let [system] = rest else { return None };
    let kind = block_type(digits)?;
    let number: u32 = std::str::from_utf8(number).ok()?.parse().ok()?;
    let _ = write!(name, "{kind}{number}");
    Some(*system)
}

/// Prints a file name: a block as `DB1`, anything else as it stands.
pub fn file_name(file: &[u8], name: &mut String) {
    let start = name.len();
    if block_name(file, name).is_none() {
        name.truncate(start);
        let shown = file.get(..NAME_LIMIT).unwrap_or(file);
        name.extend(shown.iter().map(|b| if b.is_ascii_graphic() { char::from(*b) } else { ' ' }));
    }
}

/// What tells one transfer from another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TransferId {
    /// Downloads go by the block's name.
    Download(String),
    /// Uploads go by a number that the device gave.
    Upload(u32),
}

/// A block that is being moved.
#[derive(Debug)]
struct Moving {
    id: TransferId,
    name: String,
    client: Endpoint,
    server: Endpoint,
    hash: Sha256,
    size: u64,
    /// Size that the device announced, if it did.
    announced: Option<u64>,
    /// Seen from its start and without loss.
    whole: bool,
    /// The last piece said that more follow.
    more: bool,
}

/// The blocks of one flow that are being moved.
#[derive(Default, Debug)]
pub struct Transfers {
    moving: Vec<Moving>,
}

/// The ends of a transfer.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// The programming device.
    pub client: Endpoint,
    /// The device.
    pub server: Endpoint,
}

impl Transfers {
    /// A transfer begins: an unfinished one of the same id ends.
    pub fn start(
        &mut self,
        id: TransferId,
        name: &str,
        ends: Ends,
        announced: Option<u64>,
        at: At,
        out: &mut dyn Sink,
    ) {
        self.finish(&id, false, at, out);
        self.open(id, name, ends, announced, true, at, out);
    }

    #[allow(clippy::too_many_arguments, reason = "one place that makes a transfer")]
    fn open(
        &mut self,
        id: TransferId,
        name: &str,
        ends: Ends,
        announced: Option<u64>,
        whole: bool,
        at: At,
        out: &mut dyn Sink,
    ) {
        if self.moving.len() >= TRANSFER_LIMIT {
            self.moving.remove(0).tell(false, at, out);
        }
        self.moving.push(Moving {
            id,
            name: name.to_owned(),
            client: ends.client,
            server: ends.server,
            hash: Sha256::new(),
            size: 0,
            announced,
            whole,
            more: false,
        });
    }

    /// Name of the block of an upload.
    #[must_use]
    pub fn upload_name(&self, number: u32) -> Option<&str> {
        self.moving.iter().find(|moving| moving.id == TransferId::Upload(number)).map(|moving| moving.name.as_str())
    }

    /// A piece of a block. A transfer whose start was not seen is opened, but will not count as complete.
    #[allow(clippy::too_many_arguments, reason = "a piece is what it is")]
    pub fn piece(
        &mut self,
        id: &TransferId,
        name: &str,
        ends: Ends,
        data: &[u8],
        more: bool,
        at: At,
        out: &mut dyn Sink,
    ) {
        if !self.moving.iter().any(|moving| moving.id == *id) {
            self.open(id.clone(), name, ends, None, false, at, out);
        }
        if let Some(moving) = self.moving.iter_mut().find(|moving| moving.id == *id) {
            moving.hash.update(data);
            moving.size = moving.size.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
            moving.more = more;
        }
    }

    /// A transfer ended.
    pub fn finish(&mut self, id: &TransferId, regular: bool, at: At, out: &mut dyn Sink) {
        if let Some(index) = self.moving.iter().position(|moving| moving.id == *id) {
            self.moving.remove(index).tell(regular, at, out);
        }
    }

    /// Bytes were lost: no open transfer is complete.
    pub fn gap(&mut self) {
        for moving in &mut self.moving {
            moving.whole = false;
        }
    }

    /// The flow ended at `at`.
    pub fn close(&mut self, at: At, out: &mut dyn Sink) {
        for moving in self.moving.drain(..) {
            moving.tell(false, at, out);
        }
    }
}

impl Moving {
    fn tell(self, regular: bool, at: At, out: &mut dyn Sink) {
        // The announced size settles it: a gap then fell between the pieces. Without one, no gap may have been.
        let whole = self.announced.map_or(self.whole, |announced| announced == self.size);
        out.emit(
            at,
            Observation::Program(Program {
                client: self.client,
                server: self.server,
                protocol: super::PROTOCOL,
                transfer: match self.id {
                    TransferId::Download(_) => Transfer::Download,
                    TransferId::Upload(_) => Transfer::Upload,
                },
                name: &self.name,
                size: self.size,
                sha256: (self.size > 0).then(|| self.hash.finalize().into()),
                complete: regular && whole && !self.more,
            }),
        );
    }
}

/// The block data in an answer to download or upload: length, a constant, the bytes.
#[must_use]
pub fn piece_of(data: &[u8]) -> Option<&[u8]> {
    let mut cursor = Cursor::new(data);
    let length = cursor.be16()?;
    cursor.skip(2)?;
    cursor.take(usize::from(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_names_are_read() {
        let mut name = String::new();
        assert_eq!(block_name(b"_0A00001P", &mut name), Some(b'P'));
        file_name(b"0B00000A", &mut name);
        file_name(b"/_N_MPF0", &mut name);
        assert_eq!(name, "DB1SDB0/_N_MPF0");
        assert_eq!(block_name(b"_0A0000", &mut String::new()), None);
        assert_eq!(block_name(b"", &mut String::new()), None);
    }
}
