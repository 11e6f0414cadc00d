//! Puts IP fragments together (RFC 791 section 3.2, RFC 8200 section 4.5) within fixed limits.

use std::net::IpAddr;

use quaywatch_model::Timestamp;

use crate::layers::{Fragment, IpPacket};

/// Datagrams under reassembly at one time; the oldest gives way.
pub const MAX_DATAGRAMS: usize = 256;
/// Fragments kept for one datagram.
pub const MAX_FRAGMENTS: usize = 64;
/// Largest datagram (RFC 791 section 3.1).
pub const MAX_DATAGRAM: usize = 65_535;
/// How long fragments wait for the rest (RFC 8200 section 4.5), nanoseconds.
pub const TIMEOUT: i64 = 60 * Timestamp::SECOND;

#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    id: u32,
}

struct Piece {
    offset: usize,
    bytes: Vec<u8>,
}

struct Datagram {
    key: Key,
    first_seen: Timestamp,
    ttl: u8,
    /// Length, known once the last fragment came.
    total: Option<usize>,
    pieces: Vec<Piece>,
    cut: bool,
}

impl Datagram {
    /// Copies the pieces into `whole` if there is no hole. Where pieces overlap the first to come stands, as most hosts do.
    fn assemble(&self, whole: &mut Vec<u8>) -> bool {
        let Some(total) = self.total else { return false };
        let mut order: Vec<&Piece> = self.pieces.iter().collect();
        order.sort_by_key(|piece| piece.offset);
        let mut covered = 0;
        for piece in &order {
            if piece.offset > covered {
                return false;
            }
            covered = covered.max(piece.offset + piece.bytes.len());
        }
        if covered < total {
            return false;
        }
        whole.clear();
        whole.resize(total, 0);
        for piece in self.pieces.iter().rev() {
            let end = (piece.offset + piece.bytes.len()).min(total);
            let Some(length) = end.checked_sub(piece.offset) else { continue };
            if let (Some(slot), Some(bytes)) = (whole.get_mut(piece.offset..end), piece.bytes.get(..length)) {
                slot.copy_from_slice(bytes);
            }
        }
        true
    }
}

/// Holds fragments until their datagram is whole.
#[derive(Default)]
pub struct Defragmenter {
    datagrams: Vec<Datagram>,
    whole: Vec<u8>,
    dropped: u64,
}

impl Defragmenter {
    /// Fragments dropped: their datagram never became whole, or they broke a limit.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Takes a fragment; returns the datagram when it is whole. `cut` says that the capture cut this fragment.
    pub fn add<'a>(&'a mut self, now: Timestamp, ip: &IpPacket<'_>, cut: bool) -> Option<IpPacket<'a>> {
        let fragment = ip.fragment?;
        self.expire(now);
        let key = Key { source: ip.source, destination: ip.destination, protocol: ip.protocol, id: fragment.id };
        let at = self.slot(key, now, ip.ttl);
        let datagram = self.datagrams.get_mut(at)?;
        datagram.cut |= cut || ip.cut;
        if !keep(datagram, &fragment, ip.payload) {
            self.dropped += 1;
            return None;
        }
        if !datagram.assemble(&mut self.whole) {
            return None;
        }
        let datagram = self.datagrams.swap_remove(at);
        Some(IpPacket {
            source: key.source,
            destination: key.destination,
            protocol: key.protocol,
            ttl: datagram.ttl,
            fragment: None,
            payload: &self.whole,
            cut: datagram.cut,
        })
    }

    fn slot(&mut self, key: Key, now: Timestamp, ttl: u8) -> usize {
        if let Some(at) = self.datagrams.iter().position(|datagram| datagram.key == key) {
            return at;
        }
        if self.datagrams.len() >= MAX_DATAGRAMS
            && let Some(oldest) =
                (0..self.datagrams.len()).min_by_key(|at| self.datagrams.get(*at).map(|d| d.first_seen))
        {
            self.dropped += self.datagrams.swap_remove(oldest).pieces.len() as u64;
        }
        self.datagrams.push(Datagram { key, first_seen: now, ttl, total: None, pieces: Vec::new(), cut: false });
        self.datagrams.len() - 1
    }

    fn expire(&mut self, now: Timestamp) {
        let dropped = &mut self.dropped;
        self.datagrams.retain(|datagram| {
            let keep = now.since(datagram.first_seen) <= TIMEOUT;
            if !keep {
                *dropped += datagram.pieces.len() as u64;
            }
            keep
        });
    }
}

fn keep(datagram: &mut Datagram, fragment: &Fragment, payload: &[u8]) -> bool {
    let offset = fragment.offset as usize;
    let end = offset + payload.len();
    if end > MAX_DATAGRAM || datagram.pieces.len() >= MAX_FRAGMENTS {
        return false;
    }
    if !fragment.more && datagram.total.is_none() {
        datagram.total = Some(end);
    }
    datagram.pieces.push(Piece { offset, bytes: payload.to_vec() });
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragment(id: u32, offset: u32, more: bool, payload: &[u8]) -> IpPacket<'_> {
        let address = |last| IpAddr::from([10, 0, 0, last]);
        IpPacket {
            source: address(1),
            destination: address(2),
            protocol: 17,
            ttl: 64,
            fragment: Some(Fragment { id, offset, more }),
            payload,
            cut: false,
        }
    }

    #[test]
    fn any_order_gives_the_datagram() {
        let data: Vec<u8> = (0..40).collect();
        let parts = [(0, true, 0..16), (16, true, 16..32), (32, false, 32..40)];
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
            let mut defragmenter = Defragmenter::default();
            for (turn, index) in order.iter().enumerate() {
                let (offset, more, range) = parts[*index].clone();
                let whole = defragmenter.add(Timestamp(0), &fragment(7, offset, more, &data[range]), false);
                assert_eq!(whole.is_some(), turn == 2);
                if let Some(ip) = whole {
                    assert_eq!(ip.payload, data);
                }
            }
        }
    }

    #[test]
    fn the_first_copy_of_overlapping_bytes_stands() {
        let mut defragmenter = Defragmenter::default();
        assert!(defragmenter.add(Timestamp(0), &fragment(1, 0, true, &[1; 16]), false).is_none());
        assert!(defragmenter.add(Timestamp(0), &fragment(1, 8, true, &[2; 16]), false).is_none());
        let whole = defragmenter.add(Timestamp(0), &fragment(1, 24, false, &[3; 2]), false).unwrap();
        assert_eq!(whole.payload, [[1u8; 16].as_slice(), &[2; 8], &[3; 2]].concat());
    }

    #[test]
    fn limits_hold_under_a_flood() {
        let mut defragmenter = Defragmenter::default();
        for id in 0..10_000 {
            assert!(defragmenter.add(Timestamp(0), &fragment(id, 8, true, &[0; 8]), false).is_none());
        }
        assert_eq!(defragmenter.datagrams.len(), MAX_DATAGRAMS);
        assert_eq!(defragmenter.dropped(), 10_000 - MAX_DATAGRAMS as u64);
        for offset in 0..200 {
            assert!(defragmenter.add(Timestamp(1), &fragment(9_999, 8 + offset * 8, true, &[0; 8]), false).is_none());
        }
        let longest = defragmenter.datagrams.iter().map(|d| d.pieces.len()).max();
        assert_eq!(longest, Some(MAX_FRAGMENTS));
        assert!(defragmenter.add(Timestamp(TIMEOUT + 2), &fragment(0, 8, true, &[0; 8]), false).is_none());
        assert_eq!(defragmenter.datagrams.len(), 1);
    }

    #[test]
    fn a_datagram_longer_than_ip_allows_is_refused() {
        let mut defragmenter = Defragmenter::default();
        assert!(defragmenter.add(Timestamp(0), &fragment(1, 65_528, false, &[0; 64]), false).is_none());
        assert_eq!(defragmenter.dropped(), 1);
    }
}
