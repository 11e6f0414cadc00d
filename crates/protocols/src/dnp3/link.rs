//! Link frames, their check sums, and the fragments that transport segments make (clauses 8 and 9).

use quaywatch_wire::Length;

/// Octets of the header with its check sum.
pub const HEADER: usize = 10;
/// Longest frame: a length octet of 255, with all its check sums.
pub const FRAME_LIMIT: usize = 292;
/// Octets between two check sums.
const BLOCK: usize = 16;
/// Longest application fragment that is put together; devices take 2048 by default.
pub const FRAGMENT_LIMIT: usize = 64 * 1024;
/// Fragments under way at the same time in one flow: masters poll stations of one line in turn.
pub const ASSEMBLY_LIMIT: usize = 16;

/// Check sum of the link layer: polynomial 0x3d65, reflected, inverted (clause 9.2.6).
#[must_use]
pub fn crc(bytes: &[u8]) -> u16 {
    let sum = bytes.iter().fold(0u16, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xa6bc } else { sum >> 1 })
    });
    !sum
}

/// Whether `bytes` are followed by their check sum.
fn checks(bytes: &[u8], sum: &[u8]) -> bool {
    sum == crc(bytes).to_le_bytes()
}

/// The header of a link frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Octets from the control octet on, without check sums.
    pub length: u8,
    /// Control octet.
    pub control: u8,
    /// Address it is for.
    pub destination: u16,
    /// Address it is from.
    pub source: u16,
    /// Whether the check sum fits.
    pub sound: bool,
}

impl Header {
    /// Reads it; `None` if it is cut short or does not start with 0x05 0x64.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (header, _) = bytes.split_first_chunk::<HEADER>()?;
        let [5, 0x64, length, control, d0, d1, s0, s1, c0, c1] = *header else { return None };
        if length < 5 {
            return None;
        }
        Some(Header {
            length,
            control,
            destination: u16::from_le_bytes([d0, d1]),
            source: u16::from_le_bytes([s0, s1]),
            sound: checks(header.get(..8)?, &[c0, c1]),
        })
    }

    /// Whether the sender asks, on the link layer.
    #[must_use]
    pub const fn is_primary(&self) -> bool {
        self.control & 0x40 != 0
    }

    /// Whether the sender says that it is a master.
    #[must_use]
    pub const fn is_from_master(&self) -> bool {
        self.control & 0x80 != 0
    }

    /// Function code of the link layer.
    #[must_use]
    pub const fn function(&self) -> u8 {
        self.control & 0x0f
    }

    /// Whether the frame carries user data.
    #[must_use]
    pub const fn has_user_data(&self) -> bool {
        self.is_primary() && matches!(self.function(), 3 | 4)
    }
}

/// Length of the frame at the front, check sums included.
#[must_use]
pub fn frame_length(bytes: &[u8]) -> Length {
    match bytes {
        [] | [5] | [5, 0x64] => Length::NeedMore,
        [5, 0x64, length, ..] if *length >= 5 => {
            let data = usize::from(*length) - 5;
            Length::Whole(HEADER + data + 2 * data.div_ceil(BLOCK))
        }
        _ => Length::Invalid,
    }
}

/// Appends the user data of a frame, check sums taken out. False if one does not fit.
pub fn user_data(frame: &[u8], into: &mut Vec<u8>) -> bool {
    let mut sound = true;
    for block in frame.get(HEADER..).unwrap_or_default().chunks(BLOCK + 2) {
        let Some((data, sum)) = block.split_last_chunk::<2>() else { return false };
        sound &= checks(data, sum);
        into.extend_from_slice(data);
    }
    sound
}

#[derive(Debug)]
struct Assembly {
    source: u16,
    destination: u16,
    next: u8,
    data: Vec<u8>,
}

/// What a segment did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The fragment is whole, and lies in the buffer given.
    Whole,
    /// Others must come.
    Waiting,
    /// It does not follow the one before; the fragment is dropped.
    OutOfOrder,
    /// The fragment is longer than any device takes.
    TooLong,
}

/// Puts transport segments together (clause 8.2).
#[derive(Default, Debug)]
pub struct Fragments {
    under_way: Vec<Assembly>,
    spare: Vec<u8>,
}

impl Fragments {
    /// Takes a segment with its transport octet first. When the fragment is whole it is put into `into`.
    pub fn take(&mut self, (source, destination): (u16, u16), segment: &[u8], into: &mut Vec<u8>) -> Step {
        let Some((&head, data)) = segment.split_first() else { return Step::OutOfOrder };
        let (last, first, sequence) = (head & 0x80 != 0, head & 0x40 != 0, head & 0x3f);
        let mine = |assembly: &Assembly| assembly.source == source && assembly.destination == destination;
        let place = self.under_way.iter().position(mine);
        let mut assembly = match (first, place) {
            (true, place) => {
                if let Some(place) = place {
                    self.recycle(place);
                }
                let mut data = std::mem::take(&mut self.spare);
                data.clear();
                Assembly { source, destination, next: sequence, data }
            }
            (false, Some(place)) => self.under_way.remove(place),
            (false, None) => return Step::OutOfOrder,
        };
        if sequence != assembly.next {
            self.spare = assembly.data;
            return Step::OutOfOrder;
        }
        if assembly.data.len() + data.len() > FRAGMENT_LIMIT {
            return Step::TooLong;
        }
        assembly.next = sequence.wrapping_add(1) & 0x3f;
        assembly.data.extend_from_slice(data);
        if last {
            into.clear();
            into.extend_from_slice(&assembly.data);
            self.spare = assembly.data;
            return Step::Whole;
        }
        self.under_way.push(assembly);
        if self.under_way.len() > ASSEMBLY_LIMIT {
            self.recycle(0);
        }
        Step::Waiting
    }

    fn recycle(&mut self, place: usize) {
        self.spare = self.under_way.remove(place).data;
    }

    /// Forgets what is under way: bytes were lost.
    pub fn clear(&mut self) {
        self.under_way.clear();
    }
}
