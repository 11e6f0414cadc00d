//! TCP segments, and the byte stream that they carry put back in order (RFC 9293).

use quaywatch_model::At;

use crate::layers::BadHeader;

/// Bytes kept of one direction while an earlier segment is missing.
pub const MAX_WAITING_BYTES: usize = 256 * 1024;
/// Segments kept of one direction while an earlier one is missing.
pub const MAX_WAITING_SEGMENTS: usize = 128;
/// Further segments awaited after the other end acknowledged bytes that the capture lacks, before they count as lost:
/// mirror ports deliver the two directions slightly out of order.
const PATIENCE: u8 = 3;

/// A TCP segment.
#[derive(Clone, Copy, Debug)]
pub struct TcpSegment<'a> {
    /// Source port.
    pub source: u16,
    /// Destination port.
    pub destination: u16,
    /// Sequence number of the first byte.
    pub sequence: u32,
    /// Acknowledgement number; meaningful if ACK is set.
    pub acknowledgement: u32,
    /// Flag bits: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32.
    pub flags: u8,
    /// The payload.
    pub payload: &'a [u8],
    /// Whether the capture lacks the payload's end.
    pub cut: bool,
}

impl<'a> TcpSegment<'a> {
    /// Reads the header (RFC 9293 section 3.1).
    ///
    /// # Errors
    /// [`BadHeader`] when the header is cut or its length is wrong.
    pub fn parse(bytes: &'a [u8], cut: bool) -> Result<Self, BadHeader> {
        let short = BadHeader { layer: "tcp", name: "tcp_header_cut", reason: "the frame ends inside this header" };
        let header: &[u8; 20] = bytes.first_chunk().ok_or(short)?;
        let [s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3, offset, flags, ..] = *header;
        let length = usize::from(offset >> 4) * 4;
        if length < 20 {
            let reason = "the data offset is below 5 words";
            return Err(BadHeader { layer: "tcp", name: "tcp_data_offset_wrong", reason });
        }
        Ok(TcpSegment {
            source: u16::from_be_bytes([s0, s1]),
            destination: u16::from_be_bytes([d0, d1]),
            sequence: u32::from_be_bytes([q0, q1, q2, q3]),
            acknowledgement: u32::from_be_bytes([a0, a1, a2, a3]),
            flags,
            payload: bytes.get(length..).ok_or(short)?,
            cut,
        })
    }

    /// Whether FIN is set.
    #[must_use]
    pub const fn fin(&self) -> bool {
        self.flags & 1 != 0
    }
    /// Whether SYN is set.
    #[must_use]
    pub const fn syn(&self) -> bool {
        self.flags & 2 != 0
    }
    /// Whether RST is set.
    #[must_use]
    pub const fn rst(&self) -> bool {
        self.flags & 4 != 0
    }
    /// Whether ACK is set.
    #[must_use]
    pub const fn ack(&self) -> bool {
        self.flags & 16 != 0
    }
}

/// What one segment gave to the stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    /// No payload.
    Empty,
    /// Its new bytes, from this offset of the payload on, are next in the stream: the caller has them at hand.
    InOrder(usize),
    /// Kept until the bytes before it come.
    Waiting,
    /// All of it was seen before.
    Seen,
}

/// What [`Half::ready`] hands out.
#[derive(Debug)]
pub enum Ready {
    /// Bytes that were never captured.
    Gap(u32),
    /// Bytes that waited, with the place and wire length of their packet.
    Bytes {
        /// Place of the packet that brought them.
        at: At,
        /// That packet's length on the wire.
        wire_length: u32,
        /// The bytes.
        bytes: Vec<u8>,
    },
}

struct Waiting {
    sequence: u32,
    at: At,
    wire_length: u32,
    bytes: Vec<u8>,
}

/// One direction of a connection.
#[derive(Default)]
pub struct Half {
    /// Next sequence number wanted; `None` before the first segment.
    next: Option<u32>,
    /// Sorted by sequence number.
    waiting: Vec<Waiting>,
    waiting_bytes: usize,
    /// Segments seen since the other end acknowledged bytes that are missing.
    overdue: u8,
    /// Sequence number after the FIN, once seen.
    finished: bool,
    /// Payload bytes delivered, each once.
    pub delivered: u64,
    /// Payload bytes never captured.
    pub missed: u64,
}

/// Signed distance from `from` to `to` in sequence space.
const fn distance(from: u32, to: u32) -> i32 {
    to.wrapping_sub(from).cast_signed()
}

impl Half {
    /// Takes a segment of this direction.
    pub fn take(&mut self, segment: &TcpSegment<'_>, at: At, wire_length: u32) -> Taken {
        let mut sequence = segment.sequence;
        if segment.syn() {
            sequence = sequence.wrapping_add(1);
            if self.next.is_none() {
                self.next = Some(sequence);
            }
        }
        let next = *self.next.get_or_insert(sequence);
        self.finished |= segment.fin();
        if segment.payload.is_empty() {
            return Taken::Empty;
        }
        let ahead = distance(next, sequence);
        let length = u32::try_from(segment.payload.len()).unwrap_or(u32::MAX);
        if ahead > 0 {
            return self.wait(sequence, segment.payload, at, wire_length);
        }
        let seen = ahead.unsigned_abs();
        if seen >= length {
            return Taken::Seen;
        }
        self.next = Some(sequence.wrapping_add(length));
        self.delivered += u64::from(length - seen);
        Taken::InOrder(seen as usize)
    }

    fn wait(&mut self, sequence: u32, payload: &[u8], at: At, wire_length: u32) -> Taken {
        let place = self.waiting.partition_point(|w| distance(w.sequence, sequence) > 0);
        let same = self.waiting.get(place).filter(|w| w.sequence == sequence);
        if same.is_some_and(|w| w.bytes.len() >= payload.len()) {
            return Taken::Seen;
        }
        self.overdue = self.overdue.saturating_add(u8::from(self.overdue > 0));
        self.waiting_bytes += payload.len();
        self.waiting.insert(place, Waiting { sequence, at, wire_length, bytes: payload.to_vec() });
        Taken::Waiting
    }

    /// Told the acknowledgement number of the other direction: bytes before it did arrive, even if the capture lacks them.
    pub fn acknowledged(&mut self, number: u32) {
        if let Some(next) = self.next
            && !self.waiting.is_empty()
            && distance(next, number) > 0
        {
            self.overdue = self.overdue.max(1);
        }
    }

    /// The next waiting bytes that can be delivered; a gap first where they will not come any more. `ending` gives up all hope.
    pub fn ready(&mut self, ending: bool) -> Option<Ready> {
        let next = self.next?;
        let ahead = distance(next, self.waiting.first()?.sequence);
        if ahead > 0 {
            let lost = ending
                || self.overdue > PATIENCE
                || self.waiting_bytes > MAX_WAITING_BYTES
                || self.waiting.len() > MAX_WAITING_SEGMENTS;
            if !lost {
                return None;
            }
            self.overdue = 0;
            self.next = Some(next.wrapping_add(ahead.unsigned_abs()));
            self.missed += u64::from(ahead.unsigned_abs());
            return Some(Ready::Gap(ahead.unsigned_abs()));
        }
        let Waiting { sequence, at, wire_length, mut bytes } = self.waiting.remove(0);
        self.waiting_bytes = self.waiting_bytes.saturating_sub(bytes.len());
        let seen = (ahead.unsigned_abs() as usize).min(bytes.len());
        bytes.drain(..seen);
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        if length > 0 {
            self.next = Some(sequence.wrapping_add(ahead.unsigned_abs()).wrapping_add(length));
            self.delivered += u64::from(length);
        }
        if self.waiting.is_empty() {
            self.overdue = 0;
        }
        Some(Ready::Bytes { at, wire_length, bytes })
    }

    /// Whether segments wait.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether this direction was closed by a FIN.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.finished
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quaywatch_model::Timestamp;

    use super::*;

    fn segment(sequence: u32, payload: &[u8]) -> TcpSegment<'_> {
        TcpSegment { source: 1, destination: 2, sequence, acknowledgement: 0, flags: 16, payload, cut: false }
    }

    /// Feeds segments as (start, end) of `stream` and returns what comes out, gaps as `None`.
    fn run(stream: &[u8], base: u32, parts: &[(usize, usize)], ending: bool) -> Vec<Option<u8>> {
        let mut half = Half::default();
        let mut out = Vec::new();
        let syn = TcpSegment { flags: 2, sequence: base.wrapping_sub(1), ..segment(0, &[]) };
        assert_eq!(half.take(&syn, At::default(), 0), Taken::Empty);
        let collect = |half: &mut Half, ending: bool, out: &mut Vec<Option<u8>>| {
            while let Some(ready) = half.ready(ending) {
                match ready {
                    Ready::Gap(count) => out.extend((0..count).map(|_| None)),
                    Ready::Bytes { bytes, .. } => out.extend(bytes.into_iter().map(Some)),
                }
            }
        };
        for (start, end) in parts {
            let payload = &stream[*start..*end];
            let sequence = base.wrapping_add(u32::try_from(*start).unwrap());
            if let Taken::InOrder(from) = half.take(&segment(sequence, payload), At::default(), 0) {
                out.extend(payload[from..].iter().copied().map(Some));
            }
            collect(&mut half, false, &mut out);
        }
        collect(&mut half, ending, &mut out);
        out
    }

    #[test]
    fn header_is_read() {
        let bytes = [0, 102, 0xc0, 0, 0, 0, 0, 9, 0, 0, 0, 7, 0x60, 0x12, 1, 0, 0, 0, 0, 0, 2, 4, 5, 0xb4, 0xaa];
        let segment = TcpSegment::parse(&bytes, false).unwrap();
        assert_eq!(
            (segment.source, segment.destination, segment.sequence, segment.acknowledgement),
            (102, 49152, 9, 7)
        );
        assert!(segment.syn() && segment.ack() && !segment.fin() && !segment.rst());
        assert_eq!(segment.payload, [0xaa]);
        for length in 0..24 {
            assert!(TcpSegment::parse(&bytes[..length], false).is_err());
        }
    }

    #[test]
    fn a_lost_segment_becomes_a_gap_once_acknowledged() {
        let mut half = Half::default();
        half.take(&TcpSegment { flags: 2, ..segment(99, &[]) }, At::default(), 0);
        assert_eq!(half.take(&segment(104, &[5, 6]), At::default(), 60), Taken::Waiting);
        assert!(half.ready(false).is_none());
        half.acknowledged(106);
        assert!(half.ready(false).is_none(), "the missing segment may come late");
        for step in 0..3 {
            half.take(&segment(106 + step, &[7]), At::default(), 60);
        }
        assert!(matches!(half.ready(false), Some(Ready::Gap(4))));
        let at = At { ts: Timestamp(0), ..At::default() };
        assert!(matches!(half.ready(false), Some(Ready::Bytes { at: a, bytes, .. }) if a == at && bytes == [5, 6]));
        assert_eq!(half.missed, 4);
    }

    #[test]
    fn waiting_is_bounded() {
        let mut half = Half::default();
        half.take(&TcpSegment { flags: 2, ..segment(99, &[]) }, At::default(), 0);
        let big = [0u8; 1400];
        for index in 0..10_000u32 {
            half.take(&segment(200 + index * 1400, &big), At::default(), 0);
            while half.ready(false).is_some() {}
            assert!(half.waiting_bytes <= MAX_WAITING_BYTES && half.waiting.len() <= MAX_WAITING_SEGMENTS);
        }
    }

    proptest! {
        #[test]
        fn any_cut_order_and_overlap_gives_the_stream(
            stream in prop::collection::vec(any::<u8>(), 1..200),
            base in any::<u32>(),
            cuts in prop::collection::vec((0usize..200, 1usize..60), 0..40),
            seed in any::<u64>(),
        ) {
            // Overlapping pieces, plus one covering set so that nothing is missing, in a shuffled order.
            let mut parts: Vec<(usize, usize)> = cuts
                .into_iter()
                .map(|(start, length)| (start % stream.len(), length))
                .map(|(start, length)| (start, (start + length).min(stream.len())))
                .collect();
            parts.extend((0..stream.len()).step_by(17).map(|s| (s, (s + 17).min(stream.len()))));
            let mut state = seed;
            for at in (1..parts.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                parts.swap(at, usize::try_from(state >> 33).unwrap() % (at + 1));
            }
            let expected: Vec<Option<u8>> = stream.iter().copied().map(Some).collect();
            prop_assert_eq!(run(&stream, base, &parts, false), expected);
        }

        #[test]
        fn lost_pieces_leave_gaps_of_the_right_size(
            stream in prop::collection::vec(any::<u8>(), 2..200),
            base in any::<u32>(),
            kept in prop::collection::vec(any::<bool>(), 20),
        ) {
            let parts: Vec<(usize, usize)> = (0..stream.len())
                .step_by(11)
                .zip(kept.iter().cycle())
                .filter(|(_, kept)| **kept)
                .map(|(s, _)| (s, (s + 11).min(stream.len())))
                .collect();
            let out = run(&stream, base, &parts, true);
            for (at, byte) in out.iter().enumerate() {
                if let Some(byte) = byte { prop_assert_eq!(*byte, stream[at]); }
            }
            let end = parts.last().map_or(0, |(_, end)| *end);
            prop_assert_eq!(out.len(), end);
        }
    }
}
