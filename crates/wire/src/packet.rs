//! A captured packet, and what yields packets.

use std::fmt;

use quaywatch_model::{SourceId, Timestamp};

/// The link-layer header type of a packet: a LINKTYPE_ value of the tcpdump.org registry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct LinkType(pub u32);

impl LinkType {
    /// BSD loopback, address family in the byte order of the capturing host.
    pub const NULL: LinkType = LinkType(0);
    /// Ethernet.
    pub const ETHERNET: LinkType = LinkType(1);
    /// PPP, possibly in HDLC-like framing.
    pub const PPP: LinkType = LinkType(9);
    /// PPP in HDLC-like framing with address and control field.
    pub const PPP_HDLC: LinkType = LinkType(50);
    /// Raw IP, version told by the first nibble.
    pub const RAW: LinkType = LinkType(101);
    /// Raw IP as some BSDs write it into files.
    pub const RAW_BSD: LinkType = LinkType(12);
    /// Raw IP as OpenBSD writes it into files.
    pub const RAW_OPENBSD: LinkType = LinkType(14);
    /// Cisco HDLC.
    pub const C_HDLC: LinkType = LinkType(104);
    /// IEEE 802.11.
    pub const IEEE802_11: LinkType = LinkType(105);
    /// OpenBSD loopback, address family in network byte order.
    pub const LOOP: LinkType = LinkType(108);
    /// Linux cooked capture v1.
    pub const LINUX_SLL: LinkType = LinkType(113);
    /// IEEE 802.11 with Prism header.
    pub const IEEE802_11_PRISM: LinkType = LinkType(119);
    /// IEEE 802.11 with radiotap header.
    pub const IEEE802_11_RADIOTAP: LinkType = LinkType(127);
    /// Raw IPv4.
    pub const IPV4: LinkType = LinkType(228);
    /// Raw IPv6.
    pub const IPV6: LinkType = LinkType(229);
    /// Linux cooked capture v2.
    pub const LINUX_SLL2: LinkType = LinkType(276);
}

/// One captured packet, borrowed from its source until the source is asked for the next.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// When it was captured.
    pub ts: Timestamp,
    /// Which input it is from.
    pub source: SourceId,
    /// Its number in that input, from 1, as Wireshark counts.
    pub frame: u64,
    /// Index of the capture interface inside the input (pcapng), 0 for pcap.
    pub interface: u32,
    /// Type of its first header.
    pub link: LinkType,
    /// Its length on the wire in bytes; `data` is shorter if the capture cut it.
    pub wire_length: u32,
    /// Its captured bytes.
    pub data: &'a [u8],
}

impl Packet<'_> {
    /// Whether the capture kept fewer bytes than were on the wire.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        (self.wire_length as usize) > self.data.len()
    }
}

/// Why reading a capture stopped before its regular end. What was read before stays valid.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaptureError {
    /// What is wrong, in words.
    pub what: String,
    /// Byte offset in the (decompressed) file.
    pub offset: u64,
    /// What the user can do about it.
    pub remedy: &'static str,
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}; {}", self.what, self.offset, self.remedy)
    }
}

impl std::error::Error for CaptureError {}

/// Yields packets in the order of a capture.
pub trait PacketSource {
    /// The next packet, or `None` at the regular end.
    ///
    /// # Errors
    /// A damaged capture; the source yields nothing after an error.
    fn next(&mut self) -> Result<Option<Packet<'_>>, CaptureError>;
}
