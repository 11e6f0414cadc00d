//! NetBIOS name service (RFC 1001, RFC 1002 section 4.2): which host claims and asks for which name.

pub(crate) mod name;
#[cfg(test)]
mod tests;

use std::net::Ipv4Addr;

use quaywatch_model::{
    Address, Attribute, MacAddr, Mark, Name, NameKind, Observation, Service, Sink, Transport, Weird,
};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::bytes::Cursor;
use crate::claims::Claims;
use crate::{Analyzer, Probe, Protocol};
use name::{NetbiosName, plain, read, role};

/// Claims remembered per flow: a flow to the broadcast address holds all that a host asks for.
const MAX_CLAIMS: usize = 512;
/// Records and names read of one message.
const MAX_RECORDS: usize = 64;
/// Record types NB and NBSTAT (RFC 1002 section 4.2.1.3).
const NB: u16 = 0x20;
const NBSTAT: u16 = 0x21;
/// Bit G of a name's flags: a group name (RFC 1002 section 4.2.1.3).
const GROUP: u16 = 0x8000;

/// The protocol.
pub struct Nbns;

static META: ProtocolMeta = ProtocolMeta {
    name: "nbns",
    title: "NetBIOS name service",
    tcp: &[],
    udp: &[137],
    ethertypes: &[],
    spec: "RFC 1001, RFC 1002",
    found: "Windows hosts: panels, engineering stations, servers",
    depth: Depth::Full,
    purpose: Purpose::Network,
    scope: "Names registered, asked for and answered with their types, node status with names and MAC address.",
};

impl Protocol for Nbns {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Udp {
            return Probe::No;
        }
        match Message::read(pdu.data) {
            Some(message) if message.is_response => Probe::YesFromServer,
            Some(_) => Probe::Yes,
            None => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(NbnsAnalyzer { claims: Claims::with_limit(MAX_CLAIMS) })
    }
}

struct NbnsAnalyzer {
    claims: Claims,
}

/// Whether a datagram has the frame of DNS around a name in the encoding of NetBIOS: then it is not DNS.
#[must_use]
pub fn is_message(data: &[u8]) -> bool {
    Message::read(data).is_some()
}

/// A message up to its first name: of the question, or of the answer if there is no question.
struct Message<'a> {
    is_response: bool,
    opcode: u16,
    name: NetbiosName,
    kind: u16,
    questions: u16,
    /// Answers, authorities and additional records.
    records: usize,
    data: &'a [u8],
    /// Where the records start.
    records_at: usize,
}

impl Message<'_> {
    fn read(data: &[u8]) -> Option<Message<'_>> {
        let mut cursor = Cursor::new(data);
        cursor.skip(2)?;
        let flags = cursor.be16()?;
        let counts = [cursor.be16()?, cursor.be16()?, cursor.be16()?, cursor.be16()?];
        let [questions, others @ ..] = counts;
        if questions > 1 || others.iter().any(|count| *count > 32) {
            return None;
        }
        let (name, end) = read(data, 12)?;
        let mut after = Cursor::new(data.get(end..)?);
        let (kind, class) = (after.be16()?, after.be16()?);
        let opcode = flags >> 11 & 15;
        let is_known = matches!(kind, NB | NBSTAT | 0x0a | 1 | 2) && class == 1 && matches!(opcode, 0 | 5..=9 | 15);
        let records = others.iter().map(|count| usize::from(*count)).sum();
        let records_at = if questions == 1 { end + 4 } else { 12 };
        let is_response = flags & 0x8000 != 0;
        is_known.then_some(Message { is_response, opcode, name, kind, questions, records, data, records_at })
    }

    /// Calls `each` with name, type and data of the records; `None` if one ends beyond the message.
    fn records(&self, mut each: impl FnMut(&NetbiosName, u16, &[u8])) -> Option<()> {
        let mut at = self.records_at;
        for _ in 0..self.records.min(MAX_RECORDS) {
            let (name, end) = read(self.data, at)?;
            let mut cursor = Cursor::new(self.data.get(end..)?);
            let kind = cursor.be16()?;
            cursor.skip(6)?;
            let length = usize::from(cursor.be16()?);
            each(&name, kind, cursor.take(length)?);
            at = end + 10 + length;
        }
        Some(())
    }
}

impl Analyzer for NbnsAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some(message) = Message::read(pdu.data) else {
            return malformed("no name in its encoding follows the header", pdu, out);
        };
        let read = match (message.is_response, message.opcode) {
            (true, 0) => self.answer(&message, pdu, out),
            // Registration, refresh and multi-homed registration: the sender, or one it speaks for, claims a name.
            (false, 5 | 8 | 9 | 15) => self.claim(&message, pdu, out),
            (false, 0) => {
                self.question(&message, pdu, out);
                Some(())
            }
            // Releases, and answers to registrations, which repeat them.
            _ => Some(()),
        };
        if read.is_none() {
            malformed("a record ends beyond the message", pdu, out);
        }
    }
}

fn malformed(detail: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
    if !pdu.cut {
        let (sender, receiver) = (pdu.sender(), pdu.receiver());
        let name = "nbns_message_malformed";
        out.emit(pdu.at, Observation::Weird(Weird { name, protocol: "nbns", detail, sender, receiver }));
        out.mark(Mark::Malformed(detail));
    }
}

impl NbnsAnalyzer {
    /// The answer often comes on another flow, from the host itself.
    fn question(&mut self, message: &Message<'_>, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if message.kind == NB && message.questions == 1 {
            self.name(Address::None, &message.name, pdu.sender().address, pdu, out);
        }
    }

    fn claim(&mut self, message: &Message<'_>, pdu: &Pdu<'_>, out: &mut dyn Sink) -> Option<()> {
        message.records(|_, kind, data| {
            if kind == NB {
                for (flags, address) in addresses(data) {
                    self.bears(address, &message.name, flags & GROUP != 0, "nbns registration", pdu, out);
                }
            }
        })
    }

    fn answer(&mut self, message: &Message<'_>, pdu: &Pdu<'_>, out: &mut dyn Sink) -> Option<()> {
        let (server, transport) = (pdu.sender(), Transport::Udp);
        let service = Service { server, transport, protocol: "nbns", software: "", version: "" };
        self.claims.service(out, pdu.at, service);
        let mut answered = false;
        let read = message.records(|name, kind, data| match kind {
            NB => {
                for (flags, address) in addresses(data) {
                    answered = true;
                    self.bears(address, name, flags & GROUP != 0, "nbns response", pdu, out);
                }
            }
            NBSTAT => {
                answered = true;
                self.node_status(data, pdu, out);
            }
            _ => {}
        });
        if !answered && message.kind == NB {
            self.name(Address::None, &message.name, pdu.receiver().address, pdu, out);
        }
        read
    }

    /// RFC 1002 section 4.2.18: a count, names with flags, then statistics that begin with the MAC address.
    fn node_status(&mut self, data: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let mut cursor = Cursor::new(data);
        let subject = pdu.sender().address;
        for _ in 0..cursor.u8().unwrap_or(0) {
            let (Some(name), Some(suffix), Some(flags)) = (cursor.take(15), cursor.u8(), cursor.be16()) else { return };
            self.bears(subject, &plain(name, suffix), flags & GROUP != 0, "nbns node status", pdu, out);
        }
        if let Some(mac) = cursor.rest().first_chunk::<6>().map(|octets| MacAddr(*octets))
            && Address::Mac(mac).is_host()
        {
            self.claims.identify(out, pdu.at, subject, (Attribute::Mac, &mac.to_string(), "nbns node status"));
        }
    }

    /// A host bears a name. A group's name is its domain's or workgroup's, not its own.
    fn bears(
        &mut self,
        subject: Address,
        name: &NetbiosName,
        is_group: bool,
        method: &'static str,
        pdu: &Pdu<'_>,
        out: &mut dyn Sink,
    ) {
        if !subject.is_host() || name.text.is_empty() {
            return;
        }
        match (name.suffix, is_group) {
            (0x00 | 0x20, false) => {
                let asker = if pdu.sender().address == subject { Address::None } else { pdu.receiver().address };
                self.name(subject, name, asker, pdu, out);
                self.claims.identify(out, pdu.at, subject, (Attribute::HostName, &name.text, method));
            }
            (0x00 | 0x1c | 0x1e, true) | (0x1b | 0x1d, false) => {
                self.claims.identify(out, pdu.at, subject, (Attribute::Domain, &name.text, method));
            }
            _ => {}
        }
        // Every Windows host is a workstation and may be a browser: neither tells anything.
        if let Some(role) = role(name.suffix, is_group).filter(|_| matches!(name.suffix, 0x06 | 0x1b..=0x1d | 0x20)) {
            self.claims.identify(out, pdu.at, subject, (Attribute::Capability, role, method));
        }
    }

    fn name(&mut self, subject: Address, name: &NetbiosName, asker: Address, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let name = name.text.as_str();
        self.claims.name(out, pdu.at, Name { subject, name, kind: NameKind::Nbns, asker });
    }
}

/// Flags and addresses of NB data.
fn addresses(data: &[u8]) -> impl Iterator<Item = (u16, Address)> {
    data.as_chunks::<6>()
        .0
        .iter()
        .take(MAX_RECORDS)
        .map(|[f, g, a, b, c, d]| (u16::from_be_bytes([*f, *g]), Address::V4(Ipv4Addr::new(*a, *b, *c, *d))))
}
