//! The header that all versions share: RFC 958, RFC 1059, RFC 1119, RFC 1305, RFC 5905 section 7.3; SNTP of RFC 4330.

use std::net::Ipv4Addr;

use quaywatch_model::Timestamp;

use crate::bytes::Cursor;

/// Longest packet taken for time: header, a few extension fields, digest.
const MAX_PACKET: usize = 1024;

/// Modes that carry time, RFC 5905 figure 10.
pub(super) mod mode {
    pub const ACTIVE: u8 = 1;
    pub const PASSIVE: u8 = 2;
    pub const CLIENT: u8 = 3;
    pub const SERVER: u8 = 4;
    pub const BROADCAST: u8 = 5;
    pub const CONTROL: u8 = 6;
    pub const PRIVATE: u8 = 7;
}

/// A packet of modes 0 to 5.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet {
    pub version: u8,
    pub mode: u8,
    pub leap: u8,
    pub stratum: u8,
    pub reference_id: [u8; 4],
    pub reference: u64,
    pub transmit: u64,
}

impl Packet {
    pub fn read(data: &[u8]) -> Option<Packet> {
        let mut cursor = Cursor::new(data);
        let (first, stratum) = (cursor.u8()?, cursor.u8()?);
        // Poll, precision, root delay and dispersion.
        cursor.skip(10)?;
        let reference_id = cursor.be32()?.to_be_bytes();
        let (reference, _origin, _receive) = (cursor.be64()?, cursor.be64()?, cursor.be64()?);
        let transmit = cursor.be64()?;
        let (leap, version, mode) = (first >> 6, first >> 3 & 7, first & 7);
        Some(Packet { version, mode, leap, stratum, reference_id, reference, transmit })
    }

    /// Whether the fields and length are such as real packets have.
    pub fn is_plausible(&self, length: usize) -> bool {
        // Mode 0 is what NTP version 1 had instead of modes.
        let is_mode = matches!(self.mode, 1..=5) || (self.mode == 0 && self.version == 1);
        matches!(self.version, 1..=4)
            && is_mode
            && self.stratum <= 16
            && length <= MAX_PACKET
            && length.is_multiple_of(4)
    }

    /// Whom the sender takes its time from: an address from stratum 2 on (of IPv6 only a hash), else a clock's name.
    pub fn reference_text(&self) -> Option<String> {
        match self.stratum {
            1 => {
                let text: String = self
                    .reference_id
                    .iter()
                    .take_while(|byte| byte.is_ascii_graphic())
                    .map(|b| char::from(*b))
                    .collect();
                (!text.is_empty()).then_some(text)
            }
            2..=15 => {
                let ip = Ipv4Addr::from(self.reference_id);
                (!ip.is_unspecified()).then(|| ip.to_string())
            }
            _ => None,
        }
    }
}

/// Seconds from 1900-01-01, where NTP counts from, to 1970-01-01.
const EPOCH: i64 = 2_208_988_800;
/// Seconds of one NTP era.
const ERA: i64 = 1 << 32;

/// The instant of an NTP timestamp; zero means unknown. The highest bit tells the era (RFC 4330 section 3): 1968 to 2036 or after.
pub(super) fn instant(timestamp: u64) -> Option<Timestamp> {
    if timestamp == 0 {
        return None;
    }
    let seconds = i64::try_from(timestamp >> 32).ok()?;
    let fraction = i64::try_from(((timestamp & 0xffff_ffff) * 1_000_000_000) >> 32).ok()?;
    let era = if seconds & 0x8000_0000 != 0 { 0 } else { ERA };
    Some(Timestamp::from_parts(seconds + era - EPOCH, fraction))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_instants_of_two_eras() {
        assert_eq!(instant(0), None);
        // 1970-01-01 plus half a second.
        assert_eq!(instant(2_208_988_800 << 32 | 0x8000_0000), Some(Timestamp(500_000_000)));
        // The second era starts 2036-02-07T06:28:16Z.
        assert_eq!(instant(1).unwrap().to_string(), "2036-02-07T06:28:16.000000Z");
    }
}
