//! LDAP version 2 and 3 (RFC 4511) over TCP, and its connectionless ping (MS-ADTS 6.3.3) over UDP: who binds how, what is sought
//! and changed in the directory.

mod filter;
mod names;
mod netlogon;
mod talk;
#[cfg(test)]
mod tests;

use quaywatch_model::{Direction, Mark, Sink, Transport};
use quaywatch_wire::{Flow, Length, Pdu};

use self::talk::Talk;
use crate::analyzer::{Depth, Purpose};
use crate::ber::{self, Reader, tag};
use crate::deviation::malformed;
use crate::resync::Resync;
use crate::{Analyzer, Probe, Protocol, ProtocolMeta};

const PROTOCOL: &str = "ldap";
/// Largest message read: search results with photographs and certificates stay below.
pub const MESSAGE_LIMIT: usize = 1 << 20;
/// Bytes of the length before a signed or sealed message (RFC 4422 section 3.7).
const WRAPPING: usize = 4;

/// The registry entry.
pub struct Ldap;

static META: ProtocolMeta = ProtocolMeta {
    name: PROTOCOL,
    title: "LDAP",
    tcp: &[389, 3268],
    udp: &[389],
    ethertypes: &[],
    spec: "RFC 4511, RFC 4513, RFC 4515, MS-ADTS 5.1.1, 6.3",
    found: "domain controllers; servers, firewalls, switches and web applications that ask them who may log in",
    depth: Depth::Partial,
    purpose: Purpose::Office,
    scope: "Binds with outcome; base, scope and filter of searches; names of changed entries and attributes; identity of the server. \
            Values are not read",
};

/// Framing: a message, or one that a security layer wrapped.
fn frame(bytes: &[u8]) -> Length {
    match bytes.first_chunk::<WRAPPING>() {
        Some(length @ [0, ..]) => match usize::try_from(u32::from_be_bytes(*length)) {
            Ok(length) if length > 0 && length <= MESSAGE_LIMIT => Length::Whole(length.saturating_add(WRAPPING)),
            _ => Length::Invalid,
        },
        None if bytes.first() == Some(&0) => Length::NeedMore,
        _ => ber::frame(bytes, tag::SEQUENCE),
    }
}

/// Message number, operation tag and content, and the controls behind.
struct Message<'a> {
    id: i64,
    tag: u8,
    content: &'a [u8],
    rest: Reader<'a>,
}

impl<'a> Message<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = Reader::new(Reader::new(bytes).optional(tag::SEQUENCE)?);
        let id = rest.number().filter(|id| (0..=0x7fff_ffff).contains(id))?;
        let (tag, content) = rest.element()?;
        (tag & 0xc0 == 0x40).then_some(Message { id, tag, content, rest })
    }
}

/// Whether these are the first bytes of a message: sequence, number, application tag of an operation; and its tag.
fn starts(bytes: &[u8]) -> Option<u8> {
    let length = match *bytes.get(1)? {
        short if short & 0x80 == 0 => 0,
        long if long <= 0x84 => usize::from(long & 0x7f),
        _ => return None,
    };
    let number = bytes.get(length.checked_add(2)?..)?;
    let [0x02, size @ 1..=4, ..] = number else { return None };
    let tag = *number.get(usize::from(*size).checked_add(2)?)?;
    let known = matches!(tag, 0x60..=0x61 | 0x42 | 0x63..=0x69 | 0x4a | 0x6b..=0x6f | 0x50 | 0x73 | 0x77..=0x79);
    (known && bytes.first() == Some(&tag::SEQUENCE)).then_some(tag)
}

/// What the operation's content must begin with: a bind's version, a search's base, a result's code.
fn fits(bytes: &[u8]) -> bool {
    // SNMP shares sequence and number, but no application tag; other ASN.1 protocols fail here.
    let Some(message) = Message::read(bytes) else { return true };
    let first = message.content.first();
    match message.tag {
        0x60 => first == Some(&tag::INTEGER),
        0x61 | 0x65 | 0x67 | 0x69 | 0x6b | 0x6d | 0x6f | 0x78 => first == Some(&tag::ENUMERATED),
        0x42 => message.content.is_empty(),
        0x77 => first == Some(&0x80),
        _ => true,
    }
}

impl Protocol for Ldap {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if !matches!(pdu.flow.transport, Transport::Tcp | Transport::Udp) {
            return Probe::No;
        }
        let Some(tag) = starts(pdu.data) else { return Probe::No };
        let whole = match ber::frame(pdu.data, tag::SEQUENCE) {
            Length::Whole(whole) => whole,
            _ => return Probe::No,
        };
        if whole > MESSAGE_LIMIT || !fits(pdu.data) || pdu.flow.transport == Transport::Udp && whole > pdu.data.len() {
            return Probe::No;
        }
        match tag {
            0x61 | 0x64 | 0x65 | 0x67 | 0x69 | 0x6b | 0x6d | 0x6f | 0x73 | 0x78 | 0x79 => Probe::YesFromServer,
            _ => Probe::Yes,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(LdapFlow {
            from_client: Resync::new(MESSAGE_LIMIT + WRAPPING),
            from_server: Resync::new(MESSAGE_LIMIT + WRAPPING),
            talk: Talk::default(),
            tls: None,
        })
    }
}

struct LdapFlow {
    from_client: Resync,
    from_server: Resync,
    talk: Talk,
    /// Reads the rest of the flow once StartTLS was granted.
    tls: Option<Box<dyn Analyzer>>,
}

impl Analyzer for LdapFlow {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if let Some(tls) = &mut self.tls {
            return tls.feed(pdu, out);
        }
        let LdapFlow { from_client, from_server, talk, .. } = self;
        if pdu.flow.transport == Transport::Udp {
            return datagram(talk, pdu, out);
        }
        let framer = if pdu.direction == Direction::FromClient { from_client } else { from_server };
        let begins = |piece: &[u8]| starts(piece).is_some();
        match framer.push(pdu.data, begins, frame, |bytes| message(talk, pdu, bytes, out)) {
            Ok(true) => {}
            Ok(false) => out.mark(Mark::Undecoded("behind a gap")),
            Err(_) => malformed(PROTOCOL, pdu, "ldap_framing", "no LDAP message starts where one should", out),
        }
        if talk.starts_tls {
            self.tls = Some(crate::tls::Tls.open(pdu.flow));
        }
    }

    fn gap(&mut self, direction: Direction, missing: u32, out: &mut dyn Sink) {
        if let Some(tls) = &mut self.tls {
            return tls.gap(direction, missing, out);
        }
        let framer = if direction == Direction::FromClient { &mut self.from_client } else { &mut self.from_server };
        framer.gap();
    }

    fn close(&mut self, flow: &Flow, out: &mut dyn Sink) {
        self.talk.finish(flow, out);
        if let Some(tls) = &mut self.tls {
            tls.close(flow, out);
        }
    }
}

/// A datagram holds one or more messages (a search entry with its end).
fn datagram(talk: &mut Talk, pdu: &Pdu<'_>, out: &mut dyn Sink) {
    let mut rest = pdu.data;
    while !rest.is_empty() {
        let Length::Whole(whole) = ber::frame(rest, tag::SEQUENCE) else {
            return malformed(PROTOCOL, pdu, "ldap_framing", "no LDAP message starts where one should", out);
        };
        let Some((bytes, behind)) = rest.split_at_checked(whole) else {
            return malformed(PROTOCOL, pdu, "ldap_message", "a message ends beyond its datagram", out);
        };
        message(talk, pdu, bytes, out);
        rest = behind;
    }
}

/// The message inside a wrapping that only signs it: NTLM (MS-NLMP 2.2.2.9), Kerberos (RFC 1964 section 1.2.2, RFC 4121
/// section 4.2.6.2). Each puts the message behind a header and check sums of known lengths.
fn signed(bytes: &[u8]) -> Option<&[u8]> {
    let behind = match bytes {
        [1, 0, 0, 0, ..] => 16,
        // Sealed is the second of its flags; a rotation moves the check sum to the front.
        [5, 4, flags, 0xff, _, _, high, low, ..] if flags & 2 == 0 => {
            usize::from(u16::from_be_bytes([*high, *low])).checked_add(16)?
        }
        [0x60, ..] => {
            let mark = bytes.windows(6).take(32).position(|w| matches!(w, [2, 1, _, 0, 0xff, 0xff]))?;
            mark.checked_add(32)?
        }
        _ => return None,
    };
    let inner = bytes.get(behind..)?;
    (starts(inner).is_some() && Message::read(inner).is_some()).then_some(inner)
}

fn message(talk: &mut Talk, pdu: &Pdu<'_>, bytes: &[u8], out: &mut dyn Sink) {
    if bytes.first() == Some(&0) {
        return match signed(bytes.get(WRAPPING..).unwrap_or_default()) {
            Some(inner) => message(talk, pdu, inner, out),
            None => out.mark(Mark::Opaque("sealed")),
        };
    }
    match Message::read(bytes) {
        Some(message) => {
            if talk.message(pdu, &message, out).is_none() {
                malformed(PROTOCOL, pdu, "ldap_operation", "an operation lacks fields", out);
            }
        }
        None => malformed(PROTOCOL, pdu, "ldap_message", "no LDAP message", out),
    }
}
