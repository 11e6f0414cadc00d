//! The layers below the application: virtual link control (clauses J.2 and U.2) and network layer (clause 6.2).

use std::net::{Ipv4Addr, Ipv6Addr};

use quaywatch_model::{Address, Endpoint};

use crate::bytes::Cursor;

/// Type octet of BACnet/IP.
pub const BVLC_V4: u8 = 0x81;
/// Type octet of BACnet/IPv6.
pub const BVLC_V6: u8 = 0x82;

/// Function of a link frame, the IPv4 and IPv6 codes brought together; numbers are those of IPv4 where it has the function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carries<'a> {
    /// A network PDU of the sender.
    Network(&'a [u8]),
    /// A network PDU that the sender passes on for this device.
    Forwarded(Endpoint, &'a [u8]),
    /// A function of the link itself, with its body.
    Link(&'a [u8]),
    /// A secured frame.
    Secured,
}

/// A link frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// Function code as sent.
    pub function: u8,
    /// Whether it is of BACnet/IPv6.
    pub v6: bool,
    /// Length by its header.
    pub length: u16,
    /// What it holds.
    pub carries: Carries<'a>,
}

impl<'a> Frame<'a> {
    /// Reads a datagram; `None` if the header is not of BACnet or the frame lacks what its function needs.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let v6 = match cursor.u8()? {
            BVLC_V4 => false,
            BVLC_V6 => true,
            _ => return None,
        };
        let function = cursor.u8()?;
        let length = cursor.be16()?;
        // A wrong length is told by the caller; the datagram's own end is the better one.
        let mut body = cursor;
        let carries = if v6 { carries_v6(function, &mut body)? } else { carries_v4(function, &mut body)? };
        Some(Frame { function, v6, length, carries })
    }
}

fn carries_v4<'a>(function: u8, body: &mut Cursor<'a>) -> Option<Carries<'a>> {
    Some(match function {
        4 => {
            let origin = device_v4(body)?;
            Carries::Forwarded(origin, body.rest())
        }
        9..=11 => Carries::Network(body.rest()),
        0..=8 => Carries::Link(body.rest()),
        12 => Carries::Secured,
        _ => return None,
    })
}

/// BACnet/IPv6 puts virtual addresses of three octets first (clause U.2).
fn carries_v6<'a>(function: u8, body: &mut Cursor<'a>) -> Option<Carries<'a>> {
    body.skip(3)?;
    Some(match function {
        1 => {
            body.skip(3)?;
            Carries::Network(body.rest())
        }
        2 | 12 => Carries::Network(body.rest()),
        8 => {
            let origin = device_v6(body)?;
            Carries::Forwarded(origin, body.rest())
        }
        0 | 3..=7 | 9 | 10 => Carries::Link(body.rest()),
        11 => Carries::Secured,
        _ => return None,
    })
}

/// A B/IP address: IPv4 address and port (clause J.1.2).
pub fn device_v4(cursor: &mut Cursor<'_>) -> Option<Endpoint> {
    let address = Ipv4Addr::from(cursor.be32()?);
    Some(Endpoint::new(Address::V4(address), cursor.be16()?))
}

fn device_v6(cursor: &mut Cursor<'_>) -> Option<Endpoint> {
    let octets: [u8; 16] = cursor.take(16)?.try_into().ok()?;
    Some(Endpoint::new(Address::V6(Ipv6Addr::from(octets)), cursor.be16()?))
}

/// Longest address of a station: that of a device with an IPv6 address and a port. Those of MS/TP and ARCNET have one octet.
pub const STATION_LIMIT: usize = 18;

/// A device behind a router: its network and its address there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Remote {
    /// Network number; 0xffff is all networks.
    pub network: u16,
    length: u8,
    octets: [u8; STATION_LIMIT],
}

impl Remote {
    /// Address in the network; empty is a broadcast.
    #[must_use]
    pub fn station(&self) -> &[u8] {
        self.octets.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// The station's number, where its address is one octet.
    #[must_use]
    pub fn number(&self) -> Option<u32> {
        match self.station() {
            [number] => Some(u32::from(*number)),
            _ => None,
        }
    }
}

/// What the network layer carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Content<'a> {
    /// An application PDU.
    Application(&'a [u8]),
    /// A message of the network layer, with its body.
    Message(u8, &'a [u8]),
}

/// A network PDU.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Npdu<'a> {
    /// Control octet (clause 6.2.2).
    pub control: u8,
    /// Whom it is for, if not the receiver.
    pub destination: Option<Remote>,
    /// Who sent it, if not the sender.
    pub source: Option<Remote>,
    /// What it carries.
    pub content: Content<'a>,
}

impl<'a> Npdu<'a> {
    /// Reads it; `None` if it breaks the layout.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        if cursor.u8()? != 1 {
            return None;
        }
        let control = cursor.u8()?;
        if control & 0x50 != 0 {
            return None;
        }
        let destination = if control & 0x20 == 0 { None } else { Some(remote(&mut cursor)?) };
        let source = if control & 0x08 == 0 { None } else { Some(remote(&mut cursor)?) };
        if destination.is_some() {
            // Hop count.
            cursor.skip(1)?;
        }
        let content = if control & 0x80 == 0 {
            Content::Application(cursor.rest())
        } else {
            Content::Message(cursor.u8()?, cursor.rest())
        };
        Some(Npdu { control, destination, source, content })
    }
}

fn remote(cursor: &mut Cursor<'_>) -> Option<Remote> {
    let network = cursor.be16()?;
    let length = cursor.u8()?;
    let mut octets = [0; STATION_LIMIT];
    octets.get_mut(..usize::from(length))?.copy_from_slice(cursor.take(usize::from(length))?);
    Some(Remote { network, length, octets })
}

/// An application PDU (clause 20.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Apdu<'a> {
    /// Asks for a confirmed service.
    Request { invoke: u8, service: u8, segment: Option<Segment>, body: &'a [u8] },
    /// An unconfirmed service.
    Unconfirmed { service: u8, body: &'a [u8] },
    /// Done, nothing to tell.
    Done { invoke: u8, service: u8 },
    /// Done, with an answer.
    Answer { invoke: u8, service: u8, segment: Option<Segment>, body: &'a [u8] },
    /// Acknowledges segments.
    SegmentAck { invoke: u8, sequence: u8, negative: bool },
    /// The service failed.
    Error { invoke: u8, service: u8, body: &'a [u8] },
    /// The request broke the protocol.
    Reject { invoke: u8, reason: u8 },
    /// The transaction is given up; by the server or by the client.
    Abort { invoke: u8, reason: u8, by_server: bool },
}

/// Place of a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment {
    /// Its number, modulo 256.
    pub sequence: u8,
    /// Whether others follow.
    pub more: bool,
}

impl<'a> Apdu<'a> {
    /// Reads it; `None` if it breaks the layout.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let first = cursor.u8()?;
        Some(match first >> 4 {
            0 => {
                // Sizes that the client takes.
                cursor.skip(1)?;
                let (invoke, segment, service) = head(first, &mut cursor)?;
                Apdu::Request { invoke, service, segment, body: cursor.rest() }
            }
            1 => Apdu::Unconfirmed { service: cursor.u8()?, body: cursor.rest() },
            2 => Apdu::Done { invoke: cursor.u8()?, service: cursor.u8()? },
            3 => {
                let (invoke, segment, service) = head(first, &mut cursor)?;
                Apdu::Answer { invoke, service, segment, body: cursor.rest() }
            }
            4 => Apdu::SegmentAck { invoke: cursor.u8()?, sequence: cursor.u8()?, negative: first & 2 != 0 },
            5 => Apdu::Error { invoke: cursor.u8()?, service: cursor.u8()?, body: cursor.rest() },
            6 => Apdu::Reject { invoke: cursor.u8()?, reason: cursor.u8()? },
            7 => Apdu::Abort { invoke: cursor.u8()?, reason: cursor.u8()?, by_server: first & 1 != 0 },
            _ => return None,
        })
    }
}

fn head(first: u8, cursor: &mut Cursor<'_>) -> Option<(u8, Option<Segment>, u8)> {
    let invoke = cursor.u8()?;
    let segment = if first & 8 == 0 {
        None
    } else {
        let sequence = cursor.u8()?;
        // Proposed window size.
        cursor.skip(1)?;
        Some(Segment { sequence, more: first & 4 != 0 })
    };
    Some((invoke, segment, cursor.u8()?))
}
