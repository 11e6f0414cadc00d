//! Puts transport service data units together again: from a byte stream of TPKTs (RFC 1006) or from
//! frames of ISO 8073 class 4 over the inactive network layer (Industrial Ethernet "H1", LLC SAP 0xfe).

use quaywatch_model::Direction;
use quaywatch_wire::Framer;

use super::tpdu::{self, TPKT_HEADER, Tpdu, tpkt_length};

/// Longest transport service data unit that is put together, in bytes. S7comm stays below 1 KiB, MMS below 64 KiB.
pub const MESSAGE_LIMIT: usize = 128 * 1024;

/// Longest TPKT: its length field has 16 bits.
const TPKT_LIMIT: usize = 0xffff;

/// What the transport layer says while it is fed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrived<'a> {
    /// A TPDU other than data.
    Control(Tpdu<'a>),
    /// The user data of a message so far; more is to come.
    Partial(&'a [u8]),
    /// A whole message; may be empty (some clients send an empty one as a sign of life).
    Message(&'a [u8]),
    /// A data TPDU that was seen before (class 4 retransmission).
    Repeated,
    /// Bytes that were passed over because their beginning was lost.
    Skipped,
    /// A broken rule: name of the weird row, and what exactly.
    Broken(&'static str, &'static str),
}

/// One direction.
#[derive(Debug)]
struct Side {
    framer: Framer,
    assembly: Assembly,
    /// Set after a gap or a framing error, until a piece starts with a packet again.
    lost: bool,
    /// Whether a packet was ever read.
    understood: bool,
    /// Whether bytes were ever refused.
    refused: bool,
}

#[derive(Default, Debug)]
struct Assembly {
    message: Vec<u8>,
    /// The message being put together is beyond the limit: pass over the rest.
    overflow: bool,
    /// Number of the last class 4 data TPDU.
    sequence: Option<u32>,
}

/// Both directions of one transport connection.
#[derive(Debug)]
pub struct TransportLayer {
    client: Side,
    server: Side,
}

impl Default for TransportLayer {
    fn default() -> Self {
        TransportLayer { client: Side::new(), server: Side::new() }
    }
}

impl TransportLayer {
    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::FromClient => &mut self.client,
            Direction::FromServer => &mut self.server,
        }
    }

    /// Whether bytes were refused and no packet was ever read: the flow is of another protocol.
    #[must_use]
    pub const fn is_foreign(&self) -> bool {
        (self.client.refused || self.server.refused) && !self.client.understood && !self.server.understood
    }

    /// Takes the next piece of a TCP stream.
    pub fn stream(&mut self, direction: Direction, piece: &[u8], mut each: impl FnMut(Arrived<'_>)) {
        let Side { framer, assembly, lost, understood, refused } = self.side(direction);
        if *lost {
            if !starts_packet(piece) {
                return each(Arrived::Skipped);
            }
            *lost = false;
        }
        let framed = framer.push(piece, tpkt_length, |packet| {
            *understood |= assembly.packet(packet.get(TPKT_HEADER..).unwrap_or_default(), &mut each);
        });
        if framed.is_err() {
            assembly.restart();
            (*lost, *refused) = (true, true);
            each(Arrived::Broken("cotp_no_tpkt", "bytes that start no TPKT"));
        }
    }

    /// Takes the body of a frame: an inactive network layer header and one TPDU or several.
    pub fn frame(&mut self, direction: Direction, body: &[u8], mut each: impl FnMut(Arrived<'_>)) {
        let side = self.side(direction);
        match inactive_network(body) {
            Some(packet) => side.understood |= side.assembly.packet(packet, &mut each),
            None => {
                side.refused = true;
                each(Arrived::Broken("cotp_no_tpkt", "network layer protocol that is not the inactive one"));
            }
        }
    }

    /// Forgets what is partial in one direction: bytes were lost.
    pub fn gap(&mut self, direction: Direction) {
        let side = self.side(direction);
        side.framer.reset();
        side.assembly.restart();
        side.lost = true;
    }
}

impl Side {
    const fn new() -> Self {
        let assembly = Assembly { message: Vec::new(), overflow: false, sequence: None };
        Side { framer: Framer::new(TPKT_LIMIT), assembly, lost: false, understood: false, refused: false }
    }
}

impl Assembly {
    fn restart(&mut self) {
        self.message.clear();
        self.overflow = false;
    }

    /// Reads the TPDUs of one packet; says whether the first was understood.
    fn packet(&mut self, mut packet: &[u8], each: &mut impl FnMut(Arrived<'_>)) -> bool {
        let mut understood = false;
        loop {
            match tpdu::parse(packet) {
                Ok((tpdu, rest)) => {
                    understood = true;
                    self.tpdu(tpdu, each);
                    packet = rest;
                }
                Err(why) => {
                    each(Arrived::Broken("cotp_malformed_tpdu", why));
                    return understood;
                }
            }
            if packet.is_empty() {
                return understood;
            }
        }
    }

    fn tpdu(&mut self, tpdu: Tpdu<'_>, each: &mut impl FnMut(Arrived<'_>)) {
        match tpdu {
            Tpdu::Data { sequence, .. } if sequence.is_some() && sequence == self.sequence => each(Arrived::Repeated),
            Tpdu::Data { last, sequence, user } => {
                self.sequence = sequence;
                self.data(last, user, each);
            }
            Tpdu::ConnectRequest(_) | Tpdu::ConnectConfirm(_) => {
                self.sequence = None;
                self.restart();
                each(Arrived::Control(tpdu));
            }
            _ => each(Arrived::Control(tpdu)),
        }
    }

    fn data(&mut self, last: bool, user: &[u8], each: &mut impl FnMut(Arrived<'_>)) {
        if last && self.message.is_empty() && !self.overflow {
            return each(Arrived::Message(user));
        }
        if !self.overflow && self.message.len().saturating_add(user.len()) > MESSAGE_LIMIT {
            self.message.clear();
            self.overflow = true;
            each(Arrived::Broken("cotp_message_too_long", "message longer than is put together"));
        } else if !self.overflow {
            self.message.extend_from_slice(user);
            each(if last { Arrived::Message(&self.message) } else { Arrived::Partial(&self.message) });
        } else {
            each(Arrived::Skipped);
        }
        if last {
            self.restart();
        }
    }
}

/// Whether a piece of a stream begins with a TPKT that holds a TPDU of a known code whose header fits into the packet.
#[must_use]
pub fn starts_packet(piece: &[u8]) -> bool {
    let [3, 0, high, low, header, code, ..] = piece else { return false };
    let packet = usize::from(u16::from_be_bytes([*high, *low]));
    let known = matches!(code & 0xf0, 0xe0 | 0xd0 | 0x80 | 0xc0 | 0xf0 | 0x10 | 0x60 | 0x20 | 0x50 | 0x70);
    known && *header >= 2 && packet > TPKT_HEADER.saturating_add(usize::from(*header))
}

/// The piece from its first packet that is not bare: a data TPDU without data only acknowledges, and tells nothing.
#[must_use]
pub fn after_bare_packets(mut piece: &[u8]) -> &[u8] {
    while let [3, 0, 0, 7, 2, 0xf0, _, rest @ ..] = piece {
        if rest.is_empty() {
            break;
        }
        piece = rest;
    }
    piece
}

/// The TPDUs behind the one-byte header of the inactive subset of ISO 8473 (section 8.2), with or without the LLC control byte (UI).
#[must_use]
pub const fn inactive_network(body: &[u8]) -> Option<&[u8]> {
    match body {
        [0, rest @ ..] | [3, 0, rest @ ..] => Some(rest),
        _ => None,
    }
}
