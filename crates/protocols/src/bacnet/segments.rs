//! Puts segmented requests and answers together (clause 5.2).

use quaywatch_model::Endpoint;

use super::frame::{Remote, Segment};

/// Segmented PDUs under way in one flow; the oldest is dropped when there are more.
pub const ASSEMBLY_LIMIT: usize = 4;
/// Octets of one PDU that are kept: some forty full segments.
pub const ASSEMBLED_LIMIT: usize = 64 * 1024;

/// Whose segments they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Source {
    /// The end that sends.
    pub sender: Endpoint,
    /// The device behind it.
    pub remote: Option<Remote>,
    /// Invoke id.
    pub invoke: u8,
    /// Whether they make a request.
    pub asks: bool,
}

#[derive(Debug)]
struct Assembly {
    source: Source,
    next: u8,
    count: u32,
    data: Vec<u8>,
    broken: bool,
}

/// A PDU whose last segment came.
#[derive(Debug)]
pub struct Assembled {
    /// Its service parameters; as far as they were seen in order.
    pub data: Vec<u8>,
    /// How many segments it had.
    pub count: u32,
    /// Whether a segment is missing or the limit was passed.
    pub broken: bool,
}

/// The segmented PDUs of one flow.
#[derive(Default, Debug)]
pub struct Segments {
    under_way: Vec<Assembly>,
}

impl Segments {
    /// Takes a segment; gives the PDU when it was the last.
    pub fn take(&mut self, source: Source, segment: Segment, body: &[u8]) -> Option<Assembled> {
        let place = self.under_way.iter().position(|assembly| assembly.source == source);
        let mut assembly = match place.map(|place| self.under_way.remove(place)) {
            Some(assembly) if segment.sequence != 0 || assembly.next == 0 || assembly.count == 1 => assembly,
            // Number 0 far from the wrap: a new PDU.
            _ => Assembly { source, next: 0, count: 0, data: Vec::new(), broken: segment.sequence != 0 },
        };
        if segment.sequence == assembly.next {
            assembly.next = assembly.next.wrapping_add(1);
            assembly.count += 1;
            if assembly.data.len() + body.len() > ASSEMBLED_LIMIT {
                assembly.broken = true;
            }
            if !assembly.broken {
                assembly.data.extend_from_slice(body);
            }
        } else if segment.sequence != assembly.next.wrapping_sub(1) {
            assembly.broken = true;
            assembly.next = segment.sequence.wrapping_add(1);
            assembly.count += 1;
        }
        if segment.more {
            self.under_way.push(assembly);
            if self.under_way.len() > ASSEMBLY_LIMIT {
                self.under_way.remove(0);
            }
            return None;
        }
        let Assembly { data, count, broken, .. } = assembly;
        Some(Assembled { data, count, broken })
    }
}
