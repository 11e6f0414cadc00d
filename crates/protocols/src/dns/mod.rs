//! DNS (RFC 1035), multicast DNS with service discovery (RFC 6762, RFC 6763) and LLMNR (RFC 4795): one wire form, three uses.

mod announce;
mod message;
mod service_types;
#[cfg(test)]
mod tests;

use quaywatch_model::{
    Address, At, Attribute, Direction, Endpoint, Mark, Name, NameKind, Observation, Request, Service, Sink, Transport,
    Weird,
};
use quaywatch_wire::{Flow, Framer, Length, Pdu};

use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::bytes::device_text;
use crate::claims::Claims;
use crate::pairing::Pairing;
use crate::self_description::is_placeholder;
use crate::{Analyzer, Probe, Protocol};
use message::{CLASS_CHAOS, Entries, Entry, Fault, Header, Shape, kind, read_name, reverse_address, shape, texts};

/// Names, addresses and services remembered per flow: a resolver asks for many.
const MAX_CLAIMS: usize = 1024;
/// Questions that wait for an answer.
const MAX_WAITING: usize = 128;
/// Longest message over TCP: its length field has two bytes, which it does not count.
const MAX_TCP_MESSAGE: usize = 65_537;
/// Aliases followed of one answer.
const MAX_ALIASES: usize = 8;

/// Which of the three protocols a flow speaks; tells its port and the kind of its names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Flavour {
    Dns,
    Mdns,
    Llmnr,
}

impl Flavour {
    const fn meta(self) -> &'static ProtocolMeta {
        match self {
            Flavour::Dns => &DNS_META,
            Flavour::Mdns => &MDNS_META,
            Flavour::Llmnr => &LLMNR_META,
        }
    }

    const fn names(self) -> NameKind {
        match self {
            Flavour::Dns => NameKind::Dns,
            Flavour::Mdns => NameKind::Mdns,
            Flavour::Llmnr => NameKind::Llmnr,
        }
    }

    /// The kind of a name that nothing in the capture gives an address to.
    const fn unanswered(self) -> NameKind {
        match self {
            Flavour::Dns => NameKind::DnsQuery,
            other => other.names(),
        }
    }

    /// mDNS and LLMNR have the wire form of DNS: the port alone tells them apart.
    fn of(flow: &Flow) -> Flavour {
        let on = |port| flow.client.port == port || flow.server.port == port;
        match flow.transport {
            _ if on(5353) => Flavour::Mdns,
            _ if on(5355) => Flavour::Llmnr,
            _ => Flavour::Dns,
        }
    }
}

macro_rules! protocol {
    ($(#[$meta:meta])* $name:ident, $flavour:expr) => {
        $(#[$meta])*
        pub struct $name;

        impl Protocol for $name {
            fn meta(&self) -> &'static ProtocolMeta {
                $flavour.meta()
            }
            fn probe(&self, pdu: &Pdu<'_>) -> Probe {
                probe($flavour, pdu)
            }
            fn open(&self, flow: &Flow) -> Box<dyn Analyzer> {
                Box::new(DnsAnalyzer::new($flavour, flow))
            }
        }
    };
}

protocol!(
    /// The domain name system.
    Dns, Flavour::Dns
);
protocol!(
    /// Multicast DNS and DNS-based service discovery.
    Mdns, Flavour::Mdns
);
protocol!(
    /// Link-local multicast name resolution.
    Llmnr, Flavour::Llmnr
);

static DNS_META: ProtocolMeta = ProtocolMeta {
    name: "dns",
    title: "DNS",
    tcp: &[53],
    udp: &[53],
    ethertypes: &[],
    spec: "RFC 1035, RFC 2136, RFC 2782, RFC 3596",
    found: "office and server networks; on a crane only where something looks outside",
    depth: Depth::Partial,
    purpose: Purpose::Network,
    scope: "Names with their addresses, questions without an answer, dynamic updates, zone transfers, server version. DNSSEC and other record data are passed over.",
};

static MDNS_META: ProtocolMeta = ProtocolMeta {
    name: "mdns",
    title: "Multicast DNS",
    tcp: &[],
    udp: &[5353],
    ethertypes: &[],
    spec: "RFC 6762, RFC 6763",
    found: "cameras, printers, workstations and gateways that announce themselves",
    depth: Depth::Partial,
    purpose: Purpose::Network,
    scope: "Names with their addresses, announced services with port, model, serial and version from TXT records.",
};

static LLMNR_META: ProtocolMeta = ProtocolMeta {
    name: "llmnr",
    title: "LLMNR",
    tcp: &[5355],
    udp: &[5355],
    ethertypes: &[],
    spec: "RFC 4795",
    found: "Windows hosts on networks without a working DNS",
    depth: Depth::Full,
    purpose: Purpose::Network,
    scope: "Names asked for and names with their addresses.",
};

fn probe(flavour: Flavour, pdu: &Pdu<'_>) -> Probe {
    // NetBIOS names have the same frame; 137 is theirs.
    if Flavour::of(pdu.flow) != flavour || pdu.flow.client.port == 137 || pdu.flow.server.port == 137 {
        return Probe::No;
    }
    match pdu.flow.transport {
        Transport::Udp if flavour == Flavour::Dns && crate::nbns::is_message(pdu.data) => Probe::No,
        Transport::Udp => probe_message(flavour, pdu.data, pdu.cut, pdu.flow),
        Transport::Tcp => match pdu.data.split_first_chunk::<2>() {
            Some((length, rest)) => {
                let length = usize::from(u16::from_be_bytes(*length));
                let message = rest.get(..length).unwrap_or(rest);
                if length < 12 {
                    return Probe::No;
                }
                if rest.len() < 12 {
                    Probe::Unsure
                } else {
                    probe_message(flavour, message, rest.len() < length, pdu.flow)
                }
            }
            None => Probe::Unsure,
        },
        _ => Probe::No,
    }
}

fn probe_message(flavour: Flavour, message: &[u8], cut: bool, flow: &Flow) -> Probe {
    match shape(message, cut) {
        // Who answers in mDNS is no server of the flow: both ends are the group.
        Shape::Whole { response: true } if flavour != Flavour::Mdns => Probe::YesFromServer,
        Shape::Whole { .. } => Probe::Yes,
        Shape::Start => Probe::Unsure,
        Shape::Broken { likely } if flavour != Flavour::Dns || flow.server.port == 53 || flow.client.port == 53 => {
            // A damaged message on the usual port is to be told of, not passed over.
            if likely { Probe::Yes } else { Probe::Unsure }
        }
        Shape::Broken { .. } | Shape::Other => Probe::No,
    }
}

/// A question that waits for its answer.
struct Asked {
    at: At,
    asker: Endpoint,
    name: String,
}

struct DnsAnalyzer {
    flavour: Flavour,
    claims: Claims,
    waiting: Pairing<u16, Asked>,
    tcp: Option<[Framer; 2]>,
    /// Scratch: the question's name, the current owner, and aliases of the question.
    question: String,
    owner: String,
    aliases: Vec<String>,
}

impl DnsAnalyzer {
    fn new(flavour: Flavour, flow: &Flow) -> Self {
        let framers = || [Framer::new(MAX_TCP_MESSAGE), Framer::new(MAX_TCP_MESSAGE)];
        DnsAnalyzer {
            flavour,
            claims: Claims::with_limit(MAX_CLAIMS),
            waiting: Pairing::new(MAX_WAITING),
            tcp: (flow.transport == Transport::Tcp).then(framers),
            question: String::new(),
            owner: String::new(),
            aliases: Vec::new(),
        }
    }
}

/// RFC 1035 section 4.2.2.
fn tcp_length(bytes: &[u8]) -> Length {
    match bytes.first_chunk::<2>().map(|length| usize::from(u16::from_be_bytes(*length))) {
        Some(length) if length < 12 => Length::Invalid,
        Some(length) => Length::Whole(length + 2),
        None => Length::NeedMore,
    }
}

const fn side(direction: Direction) -> usize {
    match direction {
        Direction::FromClient => 0,
        Direction::FromServer => 1,
    }
}

impl Analyzer for DnsAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some(mut framers) = self.tcp.take() else { return self.message(pdu.data, pdu, out) };
        let pushed = framers.get_mut(side(pdu.direction)).map_or(Ok(()), |framer| {
            framer.push(pdu.data, tcp_length, |message| self.message(message.get(2..).unwrap_or_default(), pdu, out))
        });
        self.tcp = Some(framers);
        if pushed.is_err() {
            self.weird("dns_tcp_length", "the length before a message is shorter than its header", pdu, out);
            out.mark(Mark::Malformed("dns tcp length"));
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u32, _out: &mut dyn Sink) {
        if let Some(framer) = self.tcp.as_mut().and_then(|framers| framers.get_mut(side(direction))) {
            framer.reset();
        }
    }

    fn close(&mut self, _flow: &Flow, out: &mut dyn Sink) {
        let waiting: Vec<Asked> = self.waiting.drain().collect();
        for asked in waiting {
            self.unanswered(&asked, out);
        }
    }
}

impl DnsAnalyzer {
    fn message(&mut self, message: &[u8], pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some(header) = Header::read(message) else {
            return self.fault(Fault::Short, pdu, out);
        };
        let read = match (header.is_response(), header.opcode()) {
            (true, _) => self.response(message, header, pdu, out),
            (false, 5) => self.update(message, header, pdu, out),
            (false, _) => self.query(message, header, pdu, out),
        };
        if let Err(fault) = read {
            self.fault(fault, pdu, out);
        }
    }

    fn query(&mut self, message: &[u8], header: Header, pdu: &Pdu<'_>, out: &mut dyn Sink) -> Result<(), Fault> {
        let asker = pdu.sender();
        for entry in Entries::new(message, header) {
            let entry = entry?;
            // mDNS repeats known answers in its questions, which may be old (RFC 6762 section 7.1), and a host that is about to
            // take a name proposes its records as authorities (section 8.2).
            if entry.section > 0 {
                if entry.section == 2 && self.flavour == Flavour::Mdns {
                    self.entry(message, &entry, pdu, out)?;
                }
                continue;
            }
            read_name(message, entry.name, &mut self.question)?;
            match entry.kind {
                kind::AXFR | kind::IXFR => self.zone_request("axfr", pdu, out),
                _ if self.flavour == Flavour::Dns => {
                    let asked = Asked { at: pdu.at, asker, name: self.question.clone() };
                    if let Some(oldest) = self.waiting.ask(header.id, asked) {
                        self.unanswered(&oldest, out);
                    }
                }
                // The answer to a multicast question comes on another flow.
                _ => {
                    let name = std::mem::take(&mut self.question);
                    self.unanswered(&Asked { at: pdu.at, asker, name }, out);
                }
            }
        }
        Ok(())
    }

    fn response(&mut self, message: &[u8], header: Header, pdu: &Pdu<'_>, out: &mut dyn Sink) -> Result<(), Fault> {
        let asked = self.waiting.answer(&header.id);
        if self.flavour == Flavour::Dns && pdu.sender() == pdu.flow.server {
            let (server, transport) = (pdu.sender(), pdu.flow.transport);
            let service = Service { server, transport, protocol: "dns", software: "", version: "" };
            self.claims.service(out, pdu.at, service);
        }
        let (mut named, mut read) = (0, Ok(()));
        self.question.clear();
        self.aliases.clear();
        for entry in Entries::new(message, header) {
            match entry.and_then(|entry| self.entry(message, &entry, pdu, out)) {
                Ok(names) => named += names,
                Err(fault) => read = Err(fault),
            }
        }
        if self.flavour == Flavour::Mdns && read.is_ok() {
            announce::announce(message, header, &mut self.claims, pdu, out);
        }
        // A name that got no address here stands as a question: NXDOMAIN, another type, or an empty answer.
        if named == 0 && self.flavour != Flavour::Mdns {
            let name = asked.map_or_else(|| self.question.clone(), |asked| asked.name);
            self.unanswered(&Asked { at: pdu.at, asker: pdu.receiver(), name }, out);
        }
        read
    }

    /// Takes a question or record of a response; says how many names it gave an address to.
    fn entry(&mut self, message: &[u8], entry: &Entry<'_>, pdu: &Pdu<'_>, out: &mut dyn Sink) -> Result<usize, Fault> {
        if entry.section == 0 {
            return read_name(message, entry.name, &mut self.question).map(|()| 0);
        }
        match (entry.kind, entry.class()) {
            (kind::CNAME, _) if self.aliases.len() < MAX_ALIASES => {
                let mut alias = String::new();
                read_name(message, entry.name, &mut alias)?;
                self.aliases.push(alias);
                Ok(0)
            }
            (kind::A | kind::AAAA, _) => {
                read_name(message, entry.name, &mut self.owner)?;
                let answers = entry.section == 1;
                if let Some(address) = entry.address() {
                    self.named(address, answers, pdu, out);
                }
                Ok(usize::from(answers))
            }
            (kind::PTR, _) => {
                read_name(message, entry.name, &mut self.owner)?;
                let Some(address) = reverse_address(&self.owner) else { return Ok(0) };
                read_name(message, entry.data_at, &mut self.owner)?;
                self.name(address, &self.owner.to_ascii_lowercase(), pdu, out);
                Ok(1)
            }
            (kind::TXT, CLASS_CHAOS) => {
                let software = texts(entry.data).find_map(device_text).unwrap_or_default();
                let server = pdu.sender();
                self.claims.identify(out, pdu.at, server.address, (Attribute::Software, &software, "dns version.bind"));
                Ok(0)
            }
            _ => Ok(0),
        }
    }

    /// An address record: its owner, and the names that are aliases of it, stand for the address.
    fn named(&mut self, address: Address, answers: bool, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let owner = self.owner.to_ascii_lowercase();
        self.name(address, &owner, pdu, out);
        if answers {
            for alias in std::mem::take(&mut self.aliases) {
                self.name(address, &alias.to_ascii_lowercase(), pdu, out);
                self.aliases.push(alias);
            }
        }
        let host = message::strip_end(&self.owner, ".local").unwrap_or(&self.owner);
        let is_own = self.flavour != Flavour::Dns && address == pdu.sender().address;
        if is_own && !is_placeholder(host) && !host.contains("._") {
            let method = if self.flavour == Flavour::Mdns { "mdns address record" } else { "llmnr address record" };
            self.claims.identify(out, pdu.at, address, (Attribute::HostName, host, method));
        }
    }

    fn name(&mut self, subject: Address, name: &str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let asker = match self.flavour {
            Flavour::Mdns => Address::None,
            Flavour::Dns | Flavour::Llmnr => pdu.receiver().address,
        };
        let kind = self.flavour.names();
        self.claims.name(out, pdu.at, Name { subject, name, kind, asker });
    }

    fn unanswered(&mut self, asked: &Asked, out: &mut dyn Sink) {
        if asked.name.is_empty() || asked.name == "." {
            return;
        }
        let (name, kind) = (asked.name.to_ascii_lowercase(), self.flavour.unanswered());
        let claim = Name { subject: Address::None, name: &name, kind, asker: asked.asker.address };
        self.claims.name(out, asked.at, claim);
    }

    /// A dynamic update (RFC 2136): a host or a DHCP server registers names.
    fn update(&mut self, message: &[u8], header: Header, pdu: &Pdu<'_>, out: &mut dyn Sink) -> Result<(), Fault> {
        for entry in Entries::new(message, header) {
            let entry = entry?;
            match entry.section {
                0 => {
                    read_name(message, entry.name, &mut self.question)?;
                    self.zone_request("update", pdu, out);
                }
                // Class ANY and NONE delete (RFC 2136 section 2.5).
                2 if entry.class == 1 => {
                    self.aliases.clear();
                    let owner_is_sender = entry.address() == Some(pdu.sender().address);
                    self.entry(message, &entry, pdu, out)?;
                    if owner_is_sender {
                        let claim = (Attribute::HostName, self.owner.as_str(), "dns update");
                        self.claims.identify(out, pdu.at, pdu.sender().address, claim);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A question for or change of a whole zone; once per flow and zone.
    fn zone_request(&mut self, method: &'static str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if self.claims.first(("zone", method, &self.question)) {
            let (client, server, uri) = (pdu.sender(), pdu.receiver(), self.question.as_str());
            let protocol = self.flavour.meta().name;
            let request = Request { client, server, protocol, method, host: "", uri, user_agent: "", status: None };
            out.emit(pdu.at, Observation::Request(request));
        }
    }

    fn fault(&mut self, fault: Fault, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        if pdu.cut && fault == Fault::Short {
            return;
        }
        self.weird("dns_message_malformed", fault.words(), pdu, out);
        out.mark(Mark::Malformed("dns message malformed"));
    }

    fn weird(&self, name: &'static str, detail: &str, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let (protocol, sender, receiver) = (self.flavour.meta().name, pdu.sender(), pdu.receiver());
        out.emit(pdu.at, Observation::Weird(Weird { name, protocol, detail, sender, receiver }));
    }
}

/// Reads an uncompressed name as DHCP options hold them (RFC 3315 section 8); `None` if it is none.
pub(super) fn plain_name(bytes: &[u8]) -> Option<String> {
    let mut name = String::new();
    read_name(bytes, 0, &mut name).ok().filter(|()| name != ".")?;
    Some(name)
}
