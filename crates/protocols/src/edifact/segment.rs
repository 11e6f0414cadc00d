//! Segments of UN/EDIFACT syntax (ISO 9735): data elements and their components between service characters.

use quaywatch_wire::Length;

/// Longest segment taken.
pub const LIMIT: usize = 8 * 1024;

/// The service characters: of `UNA`, else the defaults of syntax level A and B that are in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Service {
    component: u8,
    element: u8,
    release: u8,
    terminator: u8,
}

impl Default for Service {
    fn default() -> Self {
        Service { component: b':', element: b'+', release: b'?', terminator: b'\'' }
    }
}

impl Service {
    /// The service characters that `UNA` sets: component, element, decimal mark, release, reserved, terminator.
    pub fn advice(bytes: &[u8]) -> Option<Self> {
        let [b'U', b'N', b'A', component, element, _, release, _, terminator, ..] = bytes else { return None };
        Some(Service { component: *component, element: *element, release: *release, terminator: *terminator })
    }

    /// Bytes of the segment at the front, with line ends before it.
    pub fn length(self, bytes: &[u8]) -> Length {
        match bytes {
            [b'U', b'N', b'A', rest @ ..] => return if rest.len() < 6 { Length::NeedMore } else { Length::Whole(9) },
            [b'\r' | b'\n' | b' ', ..] => return Length::Whole(1),
            _ => {}
        }
        let mut released = false;
        for (at, byte) in bytes.iter().enumerate() {
            if released {
                released = false;
            } else if *byte == self.release {
                released = true;
            } else if *byte == self.terminator {
                return Length::Whole(at + 1);
            }
        }
        Length::NeedMore
    }

    /// Component `place` of element `element` of a segment; its tag is element 0. Releases are taken off.
    pub fn component(self, segment: &[u8], element: usize, place: usize) -> String {
        let body = segment.strip_suffix(&[self.terminator]).unwrap_or(segment);
        let (mut at_element, mut at_place, mut released) = (0, 0, false);
        let mut found = Vec::new();
        for byte in body {
            if released {
                released = false;
            } else if *byte == self.release {
                released = true;
                continue;
            } else if *byte == self.element {
                (at_element, at_place) = (at_element + 1, 0);
                continue;
            } else if *byte == self.component {
                at_place += 1;
                continue;
            }
            if (at_element, at_place) == (element, place) {
                found.push(*byte);
            }
        }
        String::from_utf8_lossy(&found).trim().to_owned()
    }
}

/// Whether the check digit of a container number holds (ISO 6346 annex A); none if it is no container number: three letters of
/// the owner, one of the category, six digits and the check digit.
pub fn container(number: &str) -> Option<bool> {
    let bytes = number.as_bytes();
    let (head, check) = (bytes.get(..10)?, bytes.get(10)?);
    let form = head.iter().take(4).all(u8::is_ascii_uppercase)
        && matches!(head.get(3), Some(b'U' | b'J' | b'Z' | b'R'))
        && head.iter().skip(4).chain([check]).all(u8::is_ascii_digit);
    if bytes.len() != 11 || !form {
        return None;
    }
    // Letters count from 10 on, and multiples of 11 are left out: A is 10, B 12, L 23, V 34.
    let value = |byte: &u8| match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'A' => 10,
        b'B'..=b'K' => u32::from(byte - b'B') + 12,
        b'L'..=b'U' => u32::from(byte - b'L') + 23,
        _ => u32::from(byte - b'V') + 34,
    };
    let sum: u32 = head.iter().enumerate().map(|(place, byte)| value(byte) << place).sum();
    Some(sum % 11 % 10 == u32::from(check - b'0'))
}
