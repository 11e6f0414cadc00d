//! Frames: preamble, length, message, checksum (RTCM 10403.3 section 4.1).

/// First byte of a frame.
pub(super) const PREAMBLE: u8 = 0xd3;
/// Bytes before the message.
const HEADER: usize = 3;
/// Bytes of the checksum.
const CHECKSUM: usize = 3;
/// Longest frame: a message has at most 1023 bytes.
pub(super) const FRAME_LIMIT: usize = HEADER + 1023 + CHECKSUM;

/// Generator of CRC-24Q.
const GENERATOR: u32 = 0x0186_4cfb;

#[expect(clippy::indexing_slicing, reason = "worked out by the compiler, which checks it")]
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = (byte as u32) << 16;
        let mut bit = 0;
        while bit < 8 {
            sum <<= 1;
            if sum & 0x0100_0000 != 0 {
                sum ^= GENERATOR;
            }
            bit += 1;
        }
        table[byte] = sum;
        byte += 1;
    }
    table
};

/// CRC-24Q, from zero on. It is zero over a frame with its checksum.
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |sum, byte| {
        let at = usize::from((sum >> 16) as u8 ^ byte);
        (sum << 8 & 0x00ff_ffff) ^ TABLE.get(at).copied().unwrap_or(0)
    })
}

/// What stands at the front of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Front {
    /// A frame of this length with a fitting checksum.
    Frame(usize),
    /// A frame of this length whose checksum does not fit.
    Broken(usize),
    /// The beginning of a frame.
    More,
    /// No frame.
    Other,
}

/// Looks at the front of some bytes, which are not empty.
pub(super) fn front(bytes: &[u8]) -> Front {
    match bytes {
        [PREAMBLE, high, low, ..] if high & 0xfc == 0 => {
            let length = HEADER + (usize::from(*high) << 8 | usize::from(*low)) + CHECKSUM;
            match bytes.get(..length) {
                Some(frame) if checksum(frame) == 0 => Front::Frame(length),
                Some(_) => Front::Broken(length),
                None => Front::More,
            }
        }
        [PREAMBLE, high] if high & 0xfc == 0 => Front::More,
        [PREAMBLE] => Front::More,
        _ => Front::Other,
    }
}

/// The message of a frame.
pub(super) fn message(frame: &[u8]) -> &[u8] {
    frame.get(HEADER..frame.len().saturating_sub(CHECKSUM)).unwrap_or_default()
}

/// The message number at the front of a message.
pub(super) fn number(message: &[u8]) -> Option<u32> {
    match message {
        [high, low, ..] => Some(u32::from(*high) << 4 | u32::from(*low) >> 4),
        _ => None,
    }
}
