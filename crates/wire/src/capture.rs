//! Capture files and streams: what was given is expanded to captures, and these are read as one run of packets.
//!
//! [`expand`] turns paths into a list of [`Input`]s, [`Merged`] reads all captures among them in the order of time,
//! and a [`SourceReport`] says of each what it holds and why reading it ended. A single capture is read with [`open`].
//!
//! Formats: pcap and pcapng, plain or packed with gzip or Zstandard, from files, pipes or standard input.

mod facts;
pub mod inputs;
mod mapping;
pub mod merge;
mod options;
mod pcap;
mod pcapng;
mod record;
mod source;
mod unpack;
mod walk;
mod window;

#[cfg(test)]
mod tests;

pub use facts::{CaptureFacts, Compression, Format, Interface, SourceReport};
pub use inputs::{Content, Input, Inputs, expand, sha256_of};
pub use merge::{Merged, Options};
pub use pcapng::{MAX_INTERFACES, MAX_NAME, MAX_READ_BLOCK};
pub use record::MAX_PACKET;
pub use source::{Source, from_bytes, open, stream};
pub use unpack::{FREE_EXPANSION, MAX_EXPANSION, MAX_ZSTD_WINDOW_LOG};
