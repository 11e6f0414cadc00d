//! One capture, whatever its format and packing.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex};

use quaywatch_model::{SourceId, Timestamp};
use sha2::{Digest, Sha256};

use super::facts::{CaptureFacts, Compression};
use super::mapping::Mapping;
use super::record::Record;
use super::window::Window;
use super::{pcap, pcapng, unpack};
use crate::packet::{CaptureError, Packet, PacketSource};

/// Bytes that tell what a file is.
pub(super) const HEAD: usize = 16;

const REMEDY_NO_CAPTURE: &str = "give a pcap or pcapng file, plain or packed with gzip or zstd";
const REMEDY_UNREADABLE: &str = "check the path and your permissions";

enum Reader {
    Pcap(pcap::Reader),
    PcapNg(pcapng::Reader),
    /// After the end or an error.
    Done,
}

/// A capture that is being read.
pub struct Source {
    id: SourceId,
    window: Window,
    reader: Reader,
    facts: CaptureFacts,
    /// Time of the packet handed out last.
    before: Option<Timestamp>,
    /// Bytes at the cursor that belong to the packet handed out last.
    held: u64,
    hash: Option<Arc<Mutex<Sha256>>>,
}

/// Opens the capture file at `path`; `-` is standard input.
///
/// # Errors
/// [`CaptureError`] when the path cannot be read, is a folder, or starts like no capture.
pub fn open(path: &Path, id: SourceId) -> Result<Source, CaptureError> {
    if path.as_os_str() == "-" {
        return stream(Box::new(io::stdin()), id);
    }
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(&error))?;
    if metadata.is_dir() {
        let what = "this is a folder, not a capture".to_owned();
        return Err(CaptureError { what, offset: 0, remedy: "give the files in it" });
    }
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    if !metadata.is_file() {
        return stream(Box::new(file), id);
    }
    let head = head_of_file(path)?;
    match unpack::sniff(&head) {
        Compression::None => match Mapping::of(&file) {
            Ok(mapping) => Source::new(Window::mapped(mapping), Compression::None, id),
            // Not every file system can map: read it instead.
            Err(_) => Source::new(Window::stream(Box::new(file)), Compression::None, id),
        },
        packed => Source::new(unpacked(packed, Box::new(file))?, packed, id),
    }
}

/// Reads a capture that lies in memory.
///
/// # Errors
/// [`CaptureError`] when the bytes start like no capture.
pub fn from_bytes(bytes: Vec<u8>, id: SourceId) -> Result<Source, CaptureError> {
    match unpack::sniff(&bytes) {
        Compression::None => Source::new(Window::bytes_of(bytes), Compression::None, id),
        packed => Source::new(unpacked(packed, Box::new(io::Cursor::new(bytes)))?, packed, id),
    }
}

/// Reads a capture from something that cannot seek, and computes its hash on the way.
///
/// # Errors
/// [`CaptureError`] when it starts like no capture.
pub fn stream(reader: Box<dyn Read + Send>, id: SourceId) -> Result<Source, CaptureError> {
    let hash = Arc::new(Mutex::new(Sha256::new()));
    let mut reader = Hashed { inner: reader, hash: Arc::clone(&hash) };
    let mut head = Vec::with_capacity(HEAD);
    reader.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(|error| unreadable(&error))?;
    let compression = unpack::sniff(&head);
    let whole = io::Cursor::new(head).chain(reader);
    let window = match compression {
        Compression::None => Window::stream(Box::new(whole)),
        packed => unpacked(packed, Box::new(whole))?,
    };
    let mut source = Source::new(window, compression, id)?;
    source.hash = Some(hash);
    Ok(source)
}

fn unpacked(compression: Compression, packed: Box<dyn Read + Send>) -> Result<Window, CaptureError> {
    unpack::reader(compression, packed).map(Window::stream).map_err(|error| unreadable(&error))
}

pub(super) fn unreadable(error: &io::Error) -> CaptureError {
    CaptureError { what: format!("it cannot be read: {error}"), offset: 0, remedy: REMEDY_UNREADABLE }
}

/// The first bytes of a file as it lies on disk.
pub(super) fn head_of_file(path: &Path) -> Result<Vec<u8>, CaptureError> {
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    let mut head = Vec::with_capacity(HEAD);
    file.take(HEAD as u64).read_to_end(&mut head).map_err(|error| unreadable(&error))?;
    Ok(head)
}

/// Why a file is not read as a capture.
pub(super) enum Refusal {
    NoCapture(CaptureError),
    Unreadable(CaptureError),
}

/// Whether the file at `path` starts like a capture.
pub(super) fn check(path: &Path) -> Result<(), Refusal> {
    let head = head_of_file(path).map_err(Refusal::Unreadable)?;
    let compression = unpack::sniff(&head);
    let head = match compression {
        Compression::None => head,
        packed => {
            let file = File::open(path).map_err(|error| Refusal::Unreadable(unreadable(&error)))?;
            unpack::head(packed, Box::new(file), HEAD)
        }
    };
    if pcap::sniff(&head) || pcapng::sniff(&head) {
        return Ok(());
    }
    Err(Refusal::NoCapture(no_capture(&head, compression)))
}

/// The error for something that starts like no capture.
fn no_capture(head: &[u8], compression: Compression) -> CaptureError {
    let packed = match compression {
        Compression::None => String::new(),
        packed => format!("what is packed in it with {} ", packed.name()),
    };
    let what = match head.get(..head.len().min(8)) {
        None | Some([]) if packed.is_empty() => "the file is empty".to_owned(),
        None | Some([]) => format!("{packed}is empty or damaged"),
        Some(first) => {
            let hex: Vec<String> = first.iter().map(|byte| format!("{byte:02x}")).collect();
            let text: String = first.iter().map(|b| if b.is_ascii_graphic() { char::from(*b) } else { '.' }).collect();
            format!("{packed}is no capture: it starts with {} ({text})", hex.join(" "))
        }
    };
    let what = if what.starts_with("is no capture") { format!("the file {what}") } else { what };
    CaptureError { what, offset: 0, remedy: REMEDY_NO_CAPTURE }
}

impl Source {
    fn new(mut window: Window, compression: Compression, id: SourceId) -> Result<Self, CaptureError> {
        let mut facts = CaptureFacts { compression, ..CaptureFacts::default() };
        let head = window.want(HEAD);
        let reader = if pcap::sniff(head) {
            Reader::Pcap(pcap::Reader::open(&mut window, &mut facts)?)
        } else if pcapng::sniff(head) {
            Reader::PcapNg(pcapng::Reader::open(&mut facts))
        } else {
            let head = head.get(..head.len().min(HEAD)).unwrap_or(head);
            return Err(no_capture(head, compression));
        };
        Ok(Source { id, window, reader, facts, before: None, held: 0, hash: None })
    }

    /// What is known of the capture so far; complete once it is read to its end.
    #[must_use]
    pub fn facts(&self) -> &CaptureFacts {
        &self.facts
    }

    /// Asks for the hash of a file that is mapped, to be made while it is read. Nothing may have been read yet.
    pub(super) fn hash_while_reading(&mut self) {
        self.window.hash_mapped();
    }

    /// SHA-256 of a mapped file, if it was asked for; of a stream as it came, known after its regular end.
    pub fn sha256(&mut self) -> Option<[u8; 32]> {
        if let Some(hash) = self.window.digest() {
            return Some(hash);
        }
        if !matches!(self.reader, Reader::Done) || self.facts.early_end {
            return None;
        }
        let hash = self.hash.as_ref()?.lock().ok()?;
        Some(hash.clone().finalize().into())
    }

    /// Finds the next packet; its bytes are lent out by [`Source::packet`] until the next call.
    pub(super) fn advance(&mut self) -> Result<Option<Record>, CaptureError> {
        self.window.consume(std::mem::take(&mut self.held));
        let found = match &mut self.reader {
            Reader::Pcap(reader) => reader.next(&mut self.window),
            Reader::PcapNg(reader) => reader.next(&mut self.window, &mut self.facts),
            Reader::Done => Ok(None),
        };
        match found {
            Ok(Some((record, taken))) => {
                self.held = taken;
                self.facts.note_packet(self.before.replace(record.ts), record.ts, record.length, record.wire_length);
                Ok(Some(record))
            }
            Ok(None) => {
                self.reader = Reader::Done;
                Ok(None)
            }
            Err(error) => {
                self.reader = Reader::Done;
                self.facts.early_end = true;
                Err(error)
            }
        }
    }

    /// The packet that `record`, the last one found, stands for.
    pub(super) fn packet(&self, record: &Record) -> Packet<'_> {
        let end = record.start.saturating_add(record.length);
        Packet {
            ts: record.ts,
            source: self.id,
            frame: record.frame,
            interface: record.interface,
            link: record.link,
            wire_length: record.wire_length,
            data: self.window.ahead().get(record.start..end).unwrap_or(&[]),
        }
    }
}

impl PacketSource for Source {
    fn next(&mut self) -> Result<Option<Packet<'_>>, CaptureError> {
        let Some(record) = self.advance()? else { return Ok(None) };
        Ok(Some(self.packet(&record)))
    }
}

/// Computes the hash of what passes.
struct Hashed<R> {
    inner: R,
    hash: Arc<Mutex<Sha256>>,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buf)?;
        if let (Some(bytes), Ok(mut hash)) = (buf.get(..read), self.hash.lock()) {
            hash.update(bytes);
        }
        Ok(read)
    }
}
