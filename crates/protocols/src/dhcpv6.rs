//! DHCPv6 (RFC 8415): who asks for IPv6 addresses, under which name, and what it is told.

use std::net::Ipv6Addr;

use quaywatch_model::{
    Address, Attribute, Endpoint, MacAddr, Mark, Name, NameKind, Observation, Request, Service, Sink, Transport, Weird,
};
use quaywatch_wire::{Flow, Pdu};

use super::dns::plain_name;
use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::bytes::{Cursor, device_text};
use crate::claims::Claims;
use crate::{Analyzer, Probe, Protocol};

/// Claims remembered per flow.
const MAX_CLAIMS: usize = 512;
/// Relay messages within relay messages (RFC 8415 section 7.6: HOP_COUNT_LIMIT).
const MAX_RELAYS: usize = 8;
/// Options within options: addresses stand within their association.
const MAX_DEPTH: usize = 2;
/// Options read of one message, and addresses kept.
const MAX_OPTIONS: usize = 128;
const MAX_ADDRESSES: usize = 8;
/// UDP ports of clients, and of servers and relays (RFC 8415 section 7.2).
const CLIENT_PORT: u16 = 546;
const SERVER_PORT: u16 = 547;

/// The protocol.
pub struct Dhcpv6;

static META: ProtocolMeta = ProtocolMeta {
    name: "dhcpv6",
    title: "DHCPv6",
    tcp: &[],
    udp: &[CLIENT_PORT, SERVER_PORT],
    ethertypes: &[],
    spec: "RFC 8415, RFC 4704, RFC 3646, RFC 5908",
    found: "Windows hosts ask for addresses wherever IPv6 was not turned off",
    depth: Depth::Partial,
    purpose: Purpose::Network,
    scope: "Every message as a request; client MAC from its DUID, name, vendor class, addresses given, DNS and time servers.",
};

impl Protocol for Dhcpv6 {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    /// The message has no mark of its own: the ports, a known type and options that fill it exactly make it one.
    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        let ports = [pdu.flow.client.port, pdu.flow.server.port];
        let is_usual = ports.iter().any(|port| matches!(*port, CLIENT_PORT | SERVER_PORT));
        if pdu.flow.transport != Transport::Udp || !is_usual {
            return Probe::No;
        }
        match Message::read(pdu.data) {
            Some(message) if message.is_reply() => Probe::YesFromServer,
            Some(_) => Probe::Yes,
            None if pdu.cut && matches!(pdu.data.first(), Some(1..=13)) => Probe::Unsure,
            None => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(Dhcpv6Analyzer { claims: Claims::with_limit(MAX_CLAIMS) })
    }
}

struct Dhcpv6Analyzer {
    claims: Claims,
}

/// A message, taken out of its relay envelopes.
#[derive(Default, Debug)]
struct Message {
    kind: u8,
    mac: Option<MacAddr>,
    fqdn: Option<String>,
    vendor_class: Option<String>,
    addresses: Vec<Ipv6Addr>,
    dns: Vec<Ipv6Addr>,
    time: Vec<Ipv6Addr>,
    domain: Option<String>,
}

impl Message {
    fn read(data: &[u8]) -> Option<Message> {
        let mut data = data;
        for _ in 0..MAX_RELAYS {
            match *data.first()? {
                12 | 13 => data = relayed(data.get(34..)?)?,
                kind @ 1..=11 => {
                    let mut message = Message { kind, ..Message::default() };
                    message.options(Cursor::new(data.get(4..)?), 0)?;
                    return Some(message);
                }
                _ => return None,
            }
        }
        None
    }

    /// Whether a server sends messages of this type.
    const fn is_reply(&self) -> bool {
        matches!(self.kind, 2 | 7 | 10)
    }

    fn options(&mut self, mut cursor: Cursor<'_>, depth: usize) -> Option<()> {
        for _ in 0..MAX_OPTIONS {
            if cursor.is_empty() {
                break;
            }
            let (code, length) = (cursor.be16()?, cursor.be16()?);
            let value = cursor.take(usize::from(length))?;
            match code {
                1 => self.mac = duid_mac(value),
                // IA_NA: id, two times, options; IA_TA has no times.
                3 if depth < MAX_DEPTH => self.options(Cursor::new(value.get(12..)?), depth + 1)?,
                4 if depth < MAX_DEPTH => self.options(Cursor::new(value.get(4..)?), depth + 1)?,
                5 => self.addresses.extend(list(value.get(..16)?)),
                16 => self.vendor_class = value.get(6..).and_then(device_text),
                23 => self.dns = list(value),
                24 => self.domain = plain_name(value),
                31 => self.time = list(value),
                39 => self.fqdn = name(value.get(1..)?),
                56 => self.time = ntp(value),
                _ => {}
            }
        }
        self.addresses.truncate(MAX_ADDRESSES);
        Some(())
    }

    const fn name(&self) -> &'static str {
        match self.kind {
            1 => "solicit",
            2 => "advertise",
            3 => "request",
            4 => "confirm",
            5 => "renew",
            6 => "rebind",
            7 => "reply",
            8 => "release",
            9 => "decline",
            10 => "reconfigure",
            _ => "information-request",
        }
    }
}

/// The message that a relay carries: option 9, RFC 8415 section 21.10.
fn relayed(options: &[u8]) -> Option<&[u8]> {
    let mut cursor = Cursor::new(options);
    for _ in 0..MAX_OPTIONS {
        let (code, length) = (cursor.be16()?, cursor.be16()?);
        let value = cursor.take(usize::from(length))?;
        if code == 9 {
            return Some(value);
        }
    }
    None
}

fn list(value: &[u8]) -> Vec<Ipv6Addr> {
    value.as_chunks::<16>().0.iter().take(MAX_ADDRESSES).map(|octets| Ipv6Addr::from(*octets)).collect()
}

/// A name that may be partial: without its root label.
fn name(value: &[u8]) -> Option<String> {
    plain_name(value).or_else(|| plain_name(&[value, &[0]].concat()))
}

/// Server addresses among the suboptions of option 56, RFC 5908 section 4.
fn ntp(value: &[u8]) -> Vec<Ipv6Addr> {
    let mut cursor = Cursor::new(value);
    let mut servers = Vec::new();
    while let (Some(code), Some(length)) = (cursor.be16(), cursor.be16()) {
        let Some(value) = cursor.take(usize::from(length)) else { break };
        if code == 1 && servers.len() < MAX_ADDRESSES {
            servers.extend(list(value));
        }
    }
    servers
}

/// DUID-LLT and DUID-LL of Ethernet hold a MAC address (RFC 8415 section 11); it may be of another interface of the client.
fn duid_mac(value: &[u8]) -> Option<MacAddr> {
    let mut cursor = Cursor::new(value);
    let (kind, hardware) = (cursor.be16()?, cursor.be16()?);
    match (kind, hardware) {
        (1, 1 | 6) => cursor.skip(4)?,
        (3, 1 | 6) => {}
        _ => return None,
    }
    let mac = MacAddr(*cursor.rest().first_chunk::<6>()?);
    Address::Mac(mac).is_host().then_some(mac)
}

impl Analyzer for Dhcpv6Analyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let Some(message) = Message::read(pdu.data) else {
            if !pdu.cut {
                malformed(pdu, out);
            }
            return;
        };
        request(&message, pdu, out);
        if message.is_reply() {
            self.reply(&message, pdu, out);
        } else {
            self.client(&message, pdu, out);
        }
    }
}

fn malformed(pdu: &Pdu<'_>, out: &mut dyn Sink) {
    let (detail, sender, receiver) = ("the options do not fill the message", pdu.sender(), pdu.receiver());
    let name = "dhcpv6_message_malformed";
    out.emit(pdu.at, Observation::Weird(Weird { name, protocol: "dhcpv6", detail, sender, receiver }));
    out.mark(Mark::Malformed("dhcpv6 options"));
}

fn request(message: &Message, pdu: &Pdu<'_>, out: &mut dyn Sink) {
    let (client, server) =
        if message.is_reply() { (pdu.receiver(), pdu.sender()) } else { (pdu.sender(), pdu.receiver()) };
    let word = if message.is_reply() { "assigned" } else { "requested" };
    let uri = message.addresses.first().map(|address| format!("{word} {address}")).unwrap_or_default();
    let request = Request {
        client,
        server,
        protocol: "dhcpv6",
        method: message.name(),
        host: message.fqdn.as_deref().unwrap_or(""),
        uri: &uri,
        user_agent: message.vendor_class.as_deref().unwrap_or(""),
        status: None,
    };
    out.emit(pdu.at, Observation::Request(request));
}

impl Dhcpv6Analyzer {
    fn client(&mut self, message: &Message, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        // A relay's datagram comes from the relay.
        let subject = if matches!(pdu.data.first(), Some(12 | 13)) { Address::None } else { pdu.sender().address };
        let subject = if subject.is_host() { subject } else { message.mac.map_or(Address::None, Address::Mac) };
        let mut say = |attribute, value: &str, method| {
            self.claims.identify(out, pdu.at, subject, (attribute, value, method));
        };
        if let Some(mac) = message.mac {
            say(Attribute::Mac, &mac.to_string(), "dhcpv6 client duid");
        }
        if let Some(class) = &message.vendor_class {
            say(Attribute::Software, class, "dhcpv6 vendor class");
            if class.starts_with("MSFT") {
                say(Attribute::Os, "Windows", "dhcpv6 vendor class");
            }
        }
        if let Some(name) = &message.fqdn {
            say(Attribute::HostName, name.split('.').next().unwrap_or(name), "dhcpv6 client fqdn");
            self.claims.name(out, pdu.at, Name { subject, name, kind: NameKind::Dhcp, asker: Address::None });
        }
    }

    fn reply(&mut self, message: &Message, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let server = Endpoint::new(pdu.sender().address, SERVER_PORT);
        let service = Service { server, transport: Transport::Udp, protocol: "dhcpv6", software: "", version: "" };
        self.claims.service(out, pdu.at, service);
        let subject = message.addresses.first().map_or(pdu.receiver().address, |address| Address::V6(*address));
        if message.kind == 7
            && let Some(mac) = message.mac
        {
            for address in &message.addresses {
                let claim = (Attribute::Ip, address.to_string(), "dhcpv6 reply");
                self.claims.identify(out, pdu.at, mac, (claim.0, &claim.1, claim.2));
            }
        }
        if !subject.is_host() {
            return;
        }
        for (addresses, word, method) in
            [(&message.dns, "dns server", "dhcpv6 dns option"), (&message.time, "time server", "dhcpv6 ntp option")]
        {
            for address in addresses {
                let value = format!("{word} {address}");
                self.claims.identify(out, pdu.at, subject, (Attribute::NetworkSetting, &value, method));
            }
        }
        let domain = message.domain.as_deref().unwrap_or("");
        self.claims.identify(out, pdu.at, subject, (Attribute::Domain, domain, "dhcpv6 domain list"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{feed, feed_unprobed, flow, hex};
    use proptest::prelude::*;
    use quaywatch_model::Direction::{FromClient, FromServer};

    // Solicit: DUID-LLT of 02:00:00:00:00:01, IA_NA, FQDN `plc`, vendor class `MSFT 5.0`.
    const SOLICIT: &str = "01 abcdef 0001 000e 0001 0001 1c38252d 020000000001 0003 000c 00000001 00000000 00000000
        0027 0005 00 03706c63 0010 000e 00000137 0008 4d53465420352e30";
    const REPLY: &str = "07 abcdef 0001 000e 0001 0001 1c38252d 020000000001
        0003 0028 00000001 00000000 00000000 0005 0018 20010db8000000000000000000000009 00000e10 00000e10
        0017 0010 20010db8000000000000000000000053";

    #[test]
    fn client_and_server_are_read() {
        let flow = flow(Transport::Udp, SERVER_PORT);
        let seen = feed(&Dhcpv6, &flow, &[(FromClient, &hex(SOLICIT)), (FromServer, &hex(REPLY))]);
        let said: Vec<_> = seen.of("identity").iter().map(|row| row["value"].as_str().unwrap().to_owned()).collect();
        assert_eq!(said, ["02:00:00:00:00:01", "MSFT 5.0", "Windows", "plc", "2001:db8::9", "dns server 2001:db8::53"]);
        assert_eq!(seen.of("request")[1]["uri"], "assigned 2001:db8::9");
        assert_eq!(seen.of("service").len(), 1);
    }

    #[test]
    fn truncations_are_malformed_or_shorter_messages() {
        let flow = flow(Transport::Udp, SERVER_PORT);
        let solicit = hex(SOLICIT);
        for length in 1..solicit.len() {
            feed_unprobed(&Dhcpv6, &flow, &[(FromClient, &solicit[..length])]);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(kind in 1u8..14, data in prop::collection::vec(any::<u8>(), 0..200)) {
            let data = [&[kind][..], &data].concat();
            feed_unprobed(&Dhcpv6, &flow(Transport::Udp, SERVER_PORT), &[(FromClient, &data)]);
        }
    }
}
