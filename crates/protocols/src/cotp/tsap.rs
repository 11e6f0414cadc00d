//! Transport selectors: how they print, and what Siemens puts into them.

use std::fmt;

/// A transport selector as the field writes it: text where all of it is printable and it is longer than two bytes, else hexadecimal.
#[derive(Clone, Copy, Debug)]
pub struct Tsap<'a>(pub &'a [u8]);

impl fmt::Display for Tsap<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let printable = self.0.len() > 2 && self.0.iter().all(|b| b.is_ascii_graphic() || *b == b' ');
        match std::str::from_utf8(self.0) {
            Ok(text) if printable => f.write_str(text),
            _ => write!(f, "{}", crate::detail_json::Hex(self.0)),
        }
    }
}

/// What the called selector of an S7 connection addresses (Siemens, "S7 connections: TSAP" in SIMATIC NCM S7: first byte
/// connection resource, second byte rack and slot).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Kind of connection: 1 programming device, 2 operator panel, 3 basic; 0x10 and up configured ones.
    pub resource: u8,
    /// Rack number, 0 to 7.
    pub rack: u8,
    /// Slot number, 0 to 18.
    pub slot: u8,
}

impl Place {
    /// Reads a called selector; `None` if it is none of an S7 connection.
    #[must_use]
    pub fn of(called: &[u8]) -> Option<Place> {
        let [resource, place] = called else { return None };
        let (rack, slot) = (place >> 5, place & 0x1f);
        // Resources are 1..=3 and 0x10..=0xdf; two letters (`MW` of the S7-200) lie in the upper range with a slot that no rack has.
        let known = matches!(resource, 1..=3 | 0x10..=0xdf);
        (known && slot <= 18).then_some(Place { resource: *resource, rack, slot })
    }

    /// Rack and slot as one number: 32 times the rack plus the slot, the slot number itself in the central rack.
    #[must_use]
    pub fn unit(self) -> u32 {
        u32::from(self.rack) << 5 | u32::from(self.slot)
    }

    /// Kind of connection in words.
    #[must_use]
    pub const fn resource_name(self) -> &'static str {
        match self.resource {
            1 => "programming device",
            2 => "operator panel",
            3 => "basic",
            _ => "configured",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_print_and_place() {
        assert_eq!(Tsap(b"SIMATIC-ROOT-ES").to_string(), "SIMATIC-ROOT-ES");
        assert_eq!(Tsap(&[1, 2]).to_string(), "0x0102");
        assert_eq!(Place::of(&[1, 2]), Some(Place { resource: 1, rack: 0, slot: 2 }));
        assert_eq!(Place::of(&[2, 0x23]).map(Place::unit), Some(0x23));
        assert_eq!(Place::of(b"MW"), None);
        assert_eq!(Place::of(&[0, 1]), None);
        assert_eq!(Place::of(b"SIMATIC"), None);
    }
}
