//! DHCP and BOOTP (RFC 2131, RFC 2132, RFC 951): who asks for an address, under which name, and what it is told.

mod names;
mod options;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use quaywatch_model::{
    Address, Attribute, Endpoint, MacAddr, Mark, Name, NameKind, Observation, Request, Service, Sink, Transport, Weird,
};
use quaywatch_wire::{Flow, Pdu};

use crate::analyzer::{Depth, ProtocolMeta, Purpose};
use crate::claims::Claims;
use crate::self_description::is_placeholder;
use crate::{Analyzer, Probe, Protocol};
use options::{Fault, Message};

/// Claims remembered per flow: all clients of a segment that have no address yet share one.
const MAX_CLAIMS: usize = 1024;
/// UDP port of servers and relays (RFC 2131 section 4.1).
const SERVER_PORT: u16 = 67;
/// UDP port of clients.
const CLIENT_PORT: u16 = 68;

/// The protocol.
pub struct Dhcp;

static META: ProtocolMeta = ProtocolMeta {
    name: "dhcp",
    title: "DHCP and BOOTP",
    tcp: &[],
    udp: &[SERVER_PORT, CLIENT_PORT],
    ethertypes: &[],
    spec: "RFC 951, RFC 2131, RFC 2132, RFC 4702, RFC 3046",
    found: "office networks, switches and gateways at start; cellular routers hand out addresses with it",
    depth: Depth::Full,
    purpose: Purpose::Network,
    scope: "Every message as a request; names, vendor class, addresses and what a client is told to use as router, DNS and time server.",
};

impl Protocol for Dhcp {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }

    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        if pdu.flow.transport != Transport::Udp {
            return Probe::No;
        }
        match options::looks(pdu.data) {
            Some(options::Look::Dhcp { reply: true }) => Probe::YesFromServer,
            Some(options::Look::Dhcp { reply: false }) => Probe::Yes,
            Some(options::Look::Bootp)
                if pdu.flow.server.port == SERVER_PORT || pdu.flow.client.port == SERVER_PORT =>
            {
                Probe::Unsure
            }
            _ => Probe::No,
        }
    }

    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(DhcpAnalyzer { claims: Claims::with_limit(MAX_CLAIMS), text: String::new() })
    }
}

struct DhcpAnalyzer {
    claims: Claims,
    /// Scratch for values.
    text: String,
}

/// Where claims of one message go.
struct Says<'a, 'p> {
    claims: &'a mut Claims,
    pdu: &'a Pdu<'p>,
    out: &'a mut dyn Sink,
}

impl Says<'_, '_> {
    fn identity(&mut self, subject: Address, attribute: Attribute, value: &str, method: &'static str) {
        self.claims.identify(self.out, self.pdu.at, subject, (attribute, value, method));
    }

    fn name(&mut self, subject: Address, name: &str) {
        let claim = Name { subject, name, kind: NameKind::Dhcp, asker: Address::None };
        self.claims.name(self.out, self.pdu.at, claim);
    }
}

impl Analyzer for DhcpAnalyzer {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        match Message::read(pdu.data) {
            Ok(message) => {
                self.request(&message, pdu, out);
                let mut says = Says { claims: &mut self.claims, pdu, out };
                if message.is_reply {
                    reply(&message, &mut self.text, &mut says);
                } else {
                    client(&message, &mut says);
                }
                if let Some(fault) = message.fault.filter(|_| !pdu.cut) {
                    weird(fault, pdu, out);
                }
            }
            Err(_) if pdu.cut => {}
            Err(fault) => weird(fault, pdu, out),
        }
    }
}

fn weird(fault: Fault, pdu: &Pdu<'_>, out: &mut dyn Sink) {
    let (name, detail) = match fault {
        Fault::Short => ("dhcp_message_short", "the message ends before its options"),
        Fault::Options => ("dhcp_options_malformed", "an option is longer than the message"),
    };
    let (sender, receiver) = (pdu.sender(), pdu.receiver());
    out.emit(pdu.at, Observation::Weird(Weird { name, protocol: "dhcp", detail, sender, receiver }));
    out.mark(Mark::Malformed(detail));
}

/// The client as it can be named: by its MAC address, else by the address it has.
fn client_address(message: &Message) -> Address {
    match (message.client_mac, message.client_ip) {
        (Some(mac), _) => Address::Mac(mac),
        (None, ip) if !ip.is_unspecified() => Address::V4(ip),
        (None, _) => Address::None,
    }
}

impl DhcpAnalyzer {
    /// One row a message: client and server seldom share a flow, so that they cannot be paired.
    fn request(&mut self, message: &Message, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        let client = Endpoint::new(client_address(message), CLIENT_PORT);
        let end = if message.is_reply { pdu.sender() } else { pdu.receiver() };
        let server = message.options.server_id.map_or(end, |ip| Endpoint::new(Address::V4(ip), SERVER_PORT));
        self.text.clear();
        for (word, ip) in [
            ("requested", message.options.requested_ip),
            ("assigned", Some(message.your_ip).filter(|ip| !ip.is_unspecified())),
            ("has", Some(message.client_ip).filter(|ip| !ip.is_unspecified())),
        ] {
            if let Some(ip) = ip {
                let gap = if self.text.is_empty() { "" } else { " " };
                let _ = write!(self.text, "{gap}{word} {ip}");
            }
        }
        let request = Request {
            client,
            server,
            protocol: "dhcp",
            method: names::message_type(message.options.message_type, message.is_reply),
            host: message.options.host_name.as_deref().unwrap_or(""),
            uri: &self.text,
            user_agent: message.options.vendor_class.as_deref().unwrap_or(""),
            status: None,
        };
        out.emit(pdu.at, Observation::Request(request));
    }
}

/// What a client says of itself. Before it has an address only its MAC address names it.
fn client(message: &Message, says: &mut Says<'_, '_>) {
    let address = Some(Address::V4(message.client_ip)).filter(|address| address.is_host());
    let mac = message.client_mac.map(Address::Mac);
    if let (Some(mac), Some(address)) = (mac, address) {
        says.identity(mac, Attribute::Ip, &address.to_string(), "dhcp client address");
    }
    for subject in mac.into_iter().chain(address) {
        own_names(message, subject, says);
        if let Some(class) = &message.options.vendor_class {
            says.identity(subject, Attribute::Software, class, "dhcp vendor class");
            for (attribute, value) in names::vendor_class(class) {
                says.identity(subject, attribute, value, "dhcp vendor class");
            }
        }
    }
    if let (Some(mac), Some(id)) = (mac, message.options.client_id_mac)
        && Address::Mac(id) != mac
    {
        says.identity(mac, Attribute::Mac, &id.to_string(), "dhcp client identifier");
    }
    relay(message, says);
}

/// Host name (option 12) and fully qualified name (option 81, RFC 4702).
fn own_names(message: &Message, subject: Address, says: &mut Says<'_, '_>) {
    if let Some(name) = message.options.host_name.as_ref().filter(|name| !is_placeholder(name)) {
        says.identity(subject, Attribute::HostName, name, "dhcp host name");
        says.name(subject, name);
    }
    if let Some(name) = &message.options.client_fqdn {
        let (host, domain) = name.split_once('.').unwrap_or((name, ""));
        says.identity(subject, Attribute::HostName, host, "dhcp client fqdn");
        says.identity(subject, Attribute::Domain, domain, "dhcp client fqdn");
        says.name(subject, name);
    }
}

/// What a server tells a client. An offer may be declined, so it claims no address, but a router offered is a router.
fn reply(message: &Message, text: &mut String, says: &mut Says<'_, '_>) {
    let server = message.options.server_id.map_or(says.pdu.sender().address, Address::V4);
    if server.is_host() {
        let server = Endpoint::new(server, SERVER_PORT);
        let service = Service { server, transport: Transport::Udp, protocol: "dhcp", software: "", version: "" };
        says.claims.service(says.out, says.pdu.at, service);
    }
    relay(message, says);
    let kind = message.options.message_type;
    if kind == Some(names::NAK) {
        return;
    }
    let is_settled = matches!(kind, None | Some(names::ACK));
    let given = if message.your_ip.is_unspecified() { message.client_ip } else { message.your_ip };
    let given = Some(Address::V4(given)).filter(|address| address.is_host() && is_settled);
    let mac = message.client_mac.map(Address::Mac);
    if let (Some(mac), Some(given)) = (mac, given) {
        says.identity(mac, Attribute::Ip, &given.to_string(), "dhcp ack");
        says.identity(given, Attribute::Mac, &mac.to_string(), "dhcp ack");
    }
    if let Some(subject) = given {
        own_names(message, subject, says);
    }
    if let Some(subject) = given.or(mac) {
        settings(message, subject, text, says);
    }
}

/// What the client is to use: routers, servers, netmask, domain, lease.
fn settings(message: &Message, subject: Address, text: &mut String, says: &mut Says<'_, '_>) {
    let options = &message.options;
    let lists: [(&[Ipv4Addr], &str, &'static str); 7] = [
        (&options.routers, "router", "dhcp router option"),
        (&options.dns, "dns server", "dhcp dns option"),
        (&options.ntp, "time server", "dhcp ntp option"),
        (&options.log, "log server", "dhcp log server option"),
        (&options.wins, "name server", "dhcp netbios name server option"),
        (options.netmask.as_slice(), "netmask", "dhcp subnet mask option"),
        (options.server_id.as_slice(), "dhcp server", "dhcp server identifier"),
    ];
    for (addresses, word, method) in lists {
        for address in addresses {
            text.clear();
            let _ = write!(text, "{word} {address}");
            says.identity(subject, Attribute::NetworkSetting, text, method);
        }
    }
    if let Some(lease) = options.lease {
        text.clear();
        let _ = write!(text, "lease {lease} s");
        says.identity(subject, Attribute::NetworkSetting, text, "dhcp lease time");
    }
    if let Some(domain) = &options.domain {
        says.identity(subject, Attribute::Domain, domain, "dhcp domain name");
    }
    for (value, word, method) in [
        (&options.boot_server, "boot server", "dhcp tftp server name"),
        (&options.boot_file, "boot file", "dhcp boot file"),
    ] {
        if let Some(value) = value {
            text.clear();
            let _ = write!(text, "{word} {value}");
            says.identity(subject, Attribute::NetworkSetting, text, method);
        }
    }
}

/// A relay agent puts its own address into the message (RFC 2131 section 2, RFC 3046).
fn relay(message: &Message, says: &mut Says<'_, '_>) {
    let relay = Address::V4(message.relay_ip);
    if relay.is_host() {
        says.identity(relay, Attribute::Capability, "dhcp relay", "dhcp relay address");
    }
}

/// The MAC address of Ethernet-like hardware (RFC 1700: types 1 and 6), if it names one interface.
fn hardware_mac(kind: u8, octets: &[u8]) -> Option<MacAddr> {
    let mac = MacAddr(*octets.first_chunk::<6>()?);
    (matches!(kind, 1 | 6) && Address::Mac(mac).is_host()).then_some(mac)
}
