//! What a capture says of itself, and what reading it showed.

use quaywatch_model::{SourceId, Timestamp};

use crate::packet::{CaptureError, LinkType};

/// The file format of a capture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// pcap (draft-ietf-opsawg-pcap) with time stamps in microseconds.
    Pcap,
    /// pcap with time stamps in nanoseconds.
    PcapNanos,
    /// pcap with the longer packet headers of Kuznetzov's patch.
    PcapModified,
    /// pcapng (draft-ietf-opsawg-pcapng).
    PcapNg,
}

impl Format {
    /// The name used on reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Format::Pcap => "pcap",
            Format::PcapNanos => "pcap, nanoseconds",
            Format::PcapModified => "pcap, modified",
            Format::PcapNg => "pcapng",
        }
    }
}

/// What a capture file is packed with.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Compression {
    /// Nothing.
    #[default]
    None,
    /// gzip (RFC 1952), one or several members.
    Gzip,
    /// Zstandard (RFC 8878), one or several frames.
    Zstd,
}

impl Compression {
    /// The name used on reports; empty for none.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Compression::None => "",
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
        }
    }
}

/// One capture interface of a pcapng file, or the only one of a pcap file.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Interface {
    /// Name on the capturing machine (if_name); empty if not stated.
    pub name: String,
    /// Description (if_description); empty if not stated.
    pub description: String,
    /// Type of the first header of its packets.
    pub link: LinkType,
    /// Bytes kept of a packet at most; 0 if not limited.
    pub snaplen: u32,
    /// Packets that the capturing machine says it lost here, if it says so.
    pub dropped: Option<u64>,
}

/// What is known of one capture: growing while it is read, complete after its last packet.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct CaptureFacts {
    /// File format; `None` if the first bytes were not understood or not read yet.
    pub format: Option<Format>,
    /// What the file is packed with.
    pub compression: Compression,
    /// Link types of its interfaces, each once, in order of appearance.
    pub links: Vec<LinkType>,
    /// Its interfaces; a packet's `interface` is an index into them.
    pub interfaces: Vec<Interface>,
    /// Packets delivered.
    pub packets: u64,
    /// Captured bytes of these packets.
    pub captured_bytes: u64,
    /// Their bytes on the wire.
    pub wire_bytes: u64,
    /// Earliest time of a packet, wherever in the file it stands.
    pub first: Option<Timestamp>,
    /// Latest time of a packet, wherever in the file it stands.
    pub last: Option<Timestamp>,
    /// Packets that the capturing machine says it lost; `None` if it says nothing.
    pub dropped: Option<u64>,
    /// Comments on packets, interfaces and sections; their text is not kept.
    pub comments: u64,
    /// Blocks that hold decryption secrets; their content is not read.
    pub secrets: u64,
    /// Sections of a pcapng file; 1 for pcap.
    pub sections: u64,
    /// Packets that carry no time of their own.
    pub untimed: u64,
    /// Packets with a time before that of the packet ahead of them.
    pub backwards: u64,
    /// Damaged blocks that were passed over.
    pub damaged: u64,
    /// The first of them.
    pub first_damage: Option<CaptureError>,
    /// Whether reading ended before the regular end.
    pub early_end: bool,
}

impl CaptureFacts {
    pub(super) fn note_interface(&mut self, interface: Interface) {
        if !self.links.contains(&interface.link) {
            self.links.push(interface.link);
        }
        self.interfaces.push(interface);
    }

    /// Counts a packet; `before` is the time of the packet ahead of it.
    pub(super) fn note_packet(&mut self, before: Option<Timestamp>, ts: Timestamp, captured: usize, wire_length: u32) {
        self.packets += 1;
        self.captured_bytes = self.captured_bytes.saturating_add(captured as u64);
        self.wire_bytes = self.wire_bytes.saturating_add(u64::from(wire_length));
        if before.is_some_and(|before| ts < before) {
            self.backwards += 1;
        }
        self.first = Some(self.first.map_or(ts, |first| first.min(ts)));
        self.last = Some(self.last.map_or(ts, |last| last.max(ts)));
    }

    pub(super) fn note_damage(&mut self, damage: CaptureError) {
        self.damaged += 1;
        self.first_damage.get_or_insert(damage);
    }
}

/// What became of one source of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceReport {
    /// Which input.
    pub id: SourceId,
    /// Its name, relative to the folder given.
    pub name: String,
    /// What is known of it.
    pub facts: CaptureFacts,
    /// Why reading ended before the regular end; the packets before it were delivered.
    pub error: Option<CaptureError>,
    /// SHA-256 of the file as it lies on disk; for a stream known after its regular end.
    pub sha256: Option<[u8; 32]>,
}
