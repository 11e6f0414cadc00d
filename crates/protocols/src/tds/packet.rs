//! Packets of TDS joined to messages, and the TLS that may lie around or inside them (MS-TDS 2.2.3.1).

use quaywatch_wire::Length;

/// Bytes of a packet's header.
pub const HEADER: usize = 8;
/// Largest packet (the length has two bytes).
pub const PACKET_LIMIT: usize = u16::MAX as usize;
/// Bytes kept of one message: logins and statements are shorter, results are read from their start and end.
pub const MESSAGE_LIMIT: usize = 32 * 1024;
/// Bytes of the last token of a result (MS-TDS 2.2.7.6).
pub const DONE: usize = 13;

/// Whether a TLS record starts here: encrypted sessions leave the packets behind after the handshake.
#[must_use]
pub const fn is_tls(bytes: &[u8]) -> bool {
    matches!(bytes, [0x14..=0x17, 3, 0..=4, ..])
}

/// Framing of a stream of packets or TLS records.
#[must_use]
pub fn length(bytes: &[u8]) -> Length {
    match bytes {
        [kind, ..] if !matches!(kind, 1..=4 | 6..=8 | 14 | 16..=18 | 0x14..=0x17) => Length::Invalid,
        [0x14..=0x17, version, ..] if *version != 3 => Length::Invalid,
        [0x14..=0x17, _, _, high, low, ..] => {
            Length::Whole(usize::from(u16::from_be_bytes([*high, *low])).saturating_add(5))
        }
        [1..=18, status, ..] if status & 0xe0 != 0 => Length::Invalid,
        [1..=18, _, high, low, ..] => match usize::from(u16::from_be_bytes([*high, *low])) {
            whole if whole >= HEADER => Length::Whole(whole),
            _ => Length::Invalid,
        },
        _ => Length::NeedMore,
    }
}

/// A message put together from its packets, with its middle left out if it is long.
#[derive(Default, Debug)]
pub struct Message {
    /// Packet type.
    pub kind: u8,
    /// Its first bytes.
    pub head: Vec<u8>,
    /// Its last bytes.
    pub tail: Vec<u8>,
    /// Bytes in all.
    pub size: u64,
}

impl Message {
    /// Adds a packet. True if it was the message's last.
    pub fn add(&mut self, packet: &[u8]) -> bool {
        let (Some(&kind), Some(&status)) = (packet.first(), packet.get(1)) else { return false };
        let data = packet.get(HEADER..).unwrap_or_default();
        if kind != self.kind {
            self.clear();
            self.kind = kind;
        }
        let room = MESSAGE_LIMIT.saturating_sub(self.head.len()).min(data.len());
        self.head.extend_from_slice(data.get(..room).unwrap_or_default());
        self.tail.extend_from_slice(data.get(data.len().saturating_sub(DONE)..).unwrap_or_default());
        let extra = self.tail.len().saturating_sub(DONE);
        self.tail.drain(..extra);
        self.size = self.size.saturating_add(u64::try_from(data.len()).unwrap_or(0));
        status & 1 != 0
    }

    /// Empties it; bytes that may hold a password are overwritten.
    pub fn clear(&mut self) {
        crate::login::forget(&mut self.head);
        crate::login::forget(&mut self.tail);
        self.size = 0;
        self.kind = 0;
    }
}
