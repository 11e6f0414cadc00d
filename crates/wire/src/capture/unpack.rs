//! Compressed captures: gzip and Zstandard, read as a stream with bounded memory.

use std::io::{self, BufReader, Read};

use super::facts::Compression;

/// A stream may grow to this many times its packed size. Captures of idle cyclic traffic reach a few hundred; gzip
/// cannot exceed 1032 by construction (RFC 1951), so only a Zstandard bomb is stopped here.
pub const MAX_EXPANSION: u64 = 2_000;

/// Unpacked bytes that are free of the [`MAX_EXPANSION`] limit, since short inputs may well be all zeros.
pub const FREE_EXPANSION: u64 = 64 << 20;

/// Zstandard frames may ask for a window of 2 to this power bytes (8 MiB, what RFC 8878 section 3.1.1.1.2 recommends
/// that every reader grants).
pub const MAX_ZSTD_WINDOW_LOG: u32 = 23;

/// Packed bytes read at a time.
const PACKED_STEP: usize = 64 << 10;

/// The compression that `head` starts, by its magic number (RFC 1952 section 2.3.1, RFC 8878 section 3.1.1).
pub(super) fn sniff(head: &[u8]) -> Compression {
    match head {
        [0x1f, 0x8b, 8, ..] => Compression::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
        // A skippable frame may open a Zstandard file.
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
        _ => Compression::None,
    }
}

/// Unpacks `packed`.
///
/// # Errors
/// When the decoder cannot be set up.
pub(super) fn reader(compression: Compression, packed: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    let counted = Counted { inner: packed, count: 0 };
    let buffered = BufReader::with_capacity(PACKED_STEP, counted);
    Ok(match compression {
        Compression::None => Box::new(buffered),
        Compression::Gzip => Box::new(Limited::new(Gzip(flate2::bufread::MultiGzDecoder::new(buffered)))),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(buffered)?;
            decoder.window_log_max(MAX_ZSTD_WINDOW_LOG)?;
            Box::new(Limited::new(Zstd(decoder)))
        }
    })
}

struct Counted<R> {
    inner: R,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buf)?;
        self.count = self.count.saturating_add(read as u64);
        Ok(read)
    }
}

/// A decoder that knows how many packed bytes it took.
trait Decoder: Read {
    fn taken(&self) -> u64;
}

struct Gzip<R>(flate2::bufread::MultiGzDecoder<BufReader<Counted<R>>>);
struct Zstd<R: Read>(zstd::stream::read::Decoder<'static, BufReader<Counted<R>>>);

impl<R: Read> Read for Gzip<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl<R: Read> Decoder for Gzip<R> {
    fn taken(&self) -> u64 {
        self.0.get_ref().get_ref().count
    }
}

impl<R: Read> Decoder for Zstd<R> {
    fn taken(&self) -> u64 {
        self.0.get_ref().get_ref().count
    }
}

/// Stops a decompression bomb.
struct Limited<D> {
    decoder: D,
    unpacked: u64,
}

impl<D: Decoder> Limited<D> {
    fn new(decoder: D) -> Self {
        Limited { decoder, unpacked: 0 }
    }
}

impl<D: Decoder> Read for Limited<D> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.decoder.read(buf)?;
        self.unpacked = self.unpacked.saturating_add(read as u64);
        let allowed = self.decoder.taken().saturating_mul(MAX_EXPANSION).max(FREE_EXPANSION);
        if self.unpacked > allowed {
            return Err(io::Error::other(format!("the file unpacks to more than {MAX_EXPANSION} times its size")));
        }
        Ok(read)
    }
}

/// Reads at most `count` unpacked bytes from the front of a packed file, for recognising what is inside.
pub(super) fn head(compression: Compression, packed: Box<dyn Read + Send>, count: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(count);
    if let Ok(unpacked) = reader(compression, packed) {
        // What cannot be unpacked is no capture; the caller says so.
        let _ = unpacked.take(count as u64).read_to_end(&mut bytes);
    }
    bytes
}
