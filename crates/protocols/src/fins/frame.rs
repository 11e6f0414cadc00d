//! FINS frames, and the header that carries them over TCP.

use quaywatch_wire::Length;

use crate::bytes::Cursor;

/// Bytes of a FINS header, up to the service id.
const HEADER: usize = 10;
/// Bytes of the TCP header before its length counts: magic and length.
const TCP_HEAD: usize = 8;
/// Longest frame: 10 bytes of header, 2 of command, 2000 of text, with room for file reads.
pub const FRAME_LIMIT: usize = 4096;
/// First bytes of each message over TCP.
const MAGIC: &[u8; 4] = b"FINS";

/// Where a frame goes or comes from (W342 section 5-1-2): network 0 is the local one, unit 0 the CPU.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Node {
    /// Network, 0 to 127.
    pub network: u8,
    /// Node; 255 is all.
    pub node: u8,
    /// Unit: 0 CPU, 0x10 to 0x1f CPU bus units, 0xe1 inner board, 0xfe communications unit.
    pub unit: u8,
}

impl Node {
    /// Whether it says nothing beyond "the machine at this address".
    #[must_use]
    pub const fn is_plain(self) -> bool {
        self.network == 0 && self.node == 0 && self.unit == 0
    }
}

impl std::fmt::Display for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.network, self.node, self.unit)
    }
}

/// A frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// It answers another.
    pub response: bool,
    /// No answer is wanted.
    pub unanswered: bool,
    /// Where to.
    pub to: Node,
    /// Where from.
    pub from: Node,
    /// Number that the answer repeats.
    pub service_id: u8,
    /// Main and sub request code.
    pub command: u16,
    /// What follows; of a response, from the end code on.
    pub text: &'a [u8],
}

impl<'a> Frame<'a> {
    /// A frame by W342 section 5-1: `None` if its header is not possible.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let (control, reserved, gateways) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
        let mut node = || Some(Node { network: cursor.u8()?, node: cursor.u8()?, unit: cursor.u8()? });
        let (to, from) = (node()?, node()?);
        let service_id = cursor.u8()?;
        let command = cursor.be16()?;
        let possible =
            control & 0x3e == 0 && reserved == 0 && gateways <= 7 && to.network < 0x80 && from.network < 0x80;
        possible.then_some(Frame {
            response: control & 0x40 != 0,
            unanswered: control & 0x01 != 0,
            to,
            from,
            service_id,
            command,
            text: cursor.rest(),
        })
    }
}

/// A message over TCP (W421 section 7-4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TcpMessage<'a> {
    /// 0 and 1 exchange node numbers, 2 carries a frame, 3 tells an error, 6 asks whether the connection lives.
    pub command: u32,
    /// Error; 0 is none.
    pub error: u32,
    /// What the command carries.
    pub body: &'a [u8],
}

impl<'a> TcpMessage<'a> {
    /// A whole message; `None` if it is none.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes.strip_prefix(MAGIC)?);
        cursor.skip(4)?;
        Some(TcpMessage { command: cursor.be32()?, error: cursor.be32()?, body: cursor.rest() })
    }
}

/// Length of the TCP message at the front.
#[must_use]
pub fn tcp_length(bytes: &[u8]) -> Length {
    let seen = bytes.len().min(MAGIC.len());
    if bytes.get(..seen) != MAGIC.get(..seen) {
        return Length::Invalid;
    }
    let Some(length) = bytes.get(4..TCP_HEAD).and_then(|field| Cursor::new(field).be32()) else {
        return Length::NeedMore;
    };
    match usize::try_from(length) {
        Ok(length) if (8..=FRAME_LIMIT).contains(&length) => Length::Whole(TCP_HEAD.saturating_add(length)),
        _ => Length::Invalid,
    }
}

/// Whether bytes are long enough for a frame.
#[must_use]
pub const fn is_whole(bytes: &[u8]) -> bool {
    bytes.len() >= HEADER + 2
}
