//! Whether a flow's protocol is found by what the flow says: all captures once more with every TCP and UDP port moved
//! to a number that tells nothing, and the service of each flow held against the tables that tshark names it in.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use quaywatch_model::{At, Observation, SegmentId, Sink};
use quaywatch_protocols::PROTOCOLS;
use quaywatch_protocols::engine::{Engine, Options};
use quaywatch_wire::capture::{self, Merged};
use quaywatch_wire::{LinkType, Packet};

use crate::harness::{Line, read, shared, well_formed};

/// tshark's table, and the services of ours that mean the same.
const SAME: &[(&str, &[&str])] = &[
    ("bacnet", &["bacnet"]),
    ("beckhoff-ads", &["ads"]),
    ("beckhoff-udp-48899", &["ads-discovery"]),
    ("dhcp", &["dhcp"]),
    ("dnp3", &["dnp3"]),
    ("dns", &["dns", "mdns", "llmnr"]),
    ("enip-cip", &["enip", "cip-io"]),
    ("ftp", &["ftp"]),
    ("http", &["http"]),
    ("iec104", &["iec104"]),
    ("kerberos", &["kerberos"]),
    ("ldap", &["ldap"]),
    ("llrp", &["llrp"]),
    ("mms", &["mms"]),
    ("modbus", &["modbus", "umas"]),
    ("mqtt", &["mqtt"]),
    ("nbns", &["nbns"]),
    ("ntp", &["ntp"]),
    ("opcua", &["opcua"]),
    ("rdp", &["rdp"]),
    ("s7comm", &["s7comm"]),
    ("s7comm-plus", &["s7comm-plus"]),
    ("smb", &["smb", "nbdgm"]),
    ("snmp", &["snmp"]),
    ("ssh", &["ssh"]),
    ("telnet", &["telnet"]),
    ("tls", &["tls", "dtls", "openvpn"]),
    ("vnc", &["vnc"]),
];

/// Flows that tshark names by their port and that are something else, or cannot be known from what was captured: capture, table,
/// how many, why.
const EXPLAINED: &[(&str, &str, usize, &str)] = &[
    (
        "dns/wireshark-wiki-dns-remoteshell.pcap",
        "telnet",
        1,
        "a Windows shell behind port 23, without one Telnet command",
    ),
    (
        "dns/wireshark-wiki-dns-remoteshell.pcap",
        "tls",
        1,
        "802.11 behind an Ethernet header: its ports are not moved, so the flow is not found again",
    ),
    (
        "dns/wireshark-wiki-dns-remoteshell.pcap",
        "http",
        1,
        "802.11 behind an Ethernet header: its ports are not moved, so the flow is not found again",
    ),
    ("ftp/pcapplusplus-ftp.pcap", "ftp", 1, "single lines out of the middle of a session, which mail has too"),
    (
        "modbus/arkime-modbus.pcap",
        "modbus",
        1,
        "one request that breaks the layout of its function, and nothing else in the flow",
    ),
    (
        "modbus/quickdraw-modbus-test-data-part1.pcap",
        "modbus",
        1,
        "one request that breaks the layout of its function, and nothing else in the flow",
    ),
    (
        "modbus/suricata-modbus.pcap",
        "modbus",
        1,
        "one request that breaks the layout of its function, and nothing else in the flow",
    ),
    (
        "modbus/iti-fuzz-72.pcap",
        "modbus",
        1,
        "fuzzed from the first byte on: protocol identifiers and lengths do not hold",
    ),
];

/// A flow by its two ends, in order, as `address port`.
type Ends = [(String, u16); 2];

fn ends(mut ends: Ends) -> Ends {
    ends.sort();
    ends
}

/// Moves a port. An odd factor modulo 2^16 makes a permutation, so that flows stay apart.
fn moved(port: u16) -> u16 {
    // The outer headers of VXLAN and GENEVE are known by nothing but the port.
    if matches!(port, 4789 | 6081) { port } else { port.wrapping_mul(31_337).wrapping_add(4_243) }
}

/// Where the IP header begins.
fn ip_offset(link: LinkType, data: &[u8]) -> Option<usize> {
    let mut at = match link {
        LinkType::ETHERNET => 12,
        LinkType::LINUX_SLL => 14,
        LinkType::LINUX_SLL2 => return Some(20),
        LinkType::NULL | LinkType::LOOP => return Some(4),
        LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD | LinkType::IPV4 | LinkType::IPV6 => return Some(0),
        _ => return None,
    };
    while matches!(data.get(at..at + 2)?, [0x81, 0] | [0x88, 0xa8]) {
        at += 4;
    }
    if data.get(at..at + 2)? == [0x88, 0x47] {
        at += 2;
        while data.get(at + 2)? & 1 == 0 {
            at += 4;
        }
        return Some(at + 4);
    }
    matches!(data.get(at..at + 2)?, [0x08, 0] | [0x86, 0xdd]).then_some(at + 2)
}

/// Where the ports stand.
fn ports_offset(link: LinkType, data: &[u8]) -> Option<usize> {
    let ip = ip_offset(link, data)?;
    let header = data.get(ip..)?;
    let (protocol, length) = match header.first()? >> 4 {
        4 if u16::from_be_bytes([*header.get(6)?, *header.get(7)?]) & 0x1fff == 0 => {
            (*header.get(9)?, usize::from(header.first()? & 15) * 4)
        }
        6 => (*header.get(6)?, 40),
        _ => return None,
    };
    (matches!(protocol, 6 | 17) && header.len() >= length + 4).then_some(ip + length)
}

fn with_moved_ports(link: LinkType, data: &[u8]) -> Cow<'_, [u8]> {
    let Some(at) = ports_offset(link, data) else { return Cow::Borrowed(data) };
    let mut data = data.to_vec();
    for at in [at, at + 2] {
        let port = moved(u16::from_be_bytes([data[at], data[at + 1]])).to_be_bytes();
        data[at..at + 2].copy_from_slice(&port);
    }
    Cow::Owned(data)
}

/// The services found in each flow.
#[derive(Default)]
struct Services(BTreeMap<Ends, BTreeSet<String>>);

impl Sink for Services {
    fn emit(&mut self, _: At, observation: Observation<'_>) {
        if let Observation::Connection(c) = observation {
            let end = |end: quaywatch_model::Endpoint| (end.address.to_string(), end.port);
            self.0.entry(ends([end(c.client), end(c.server)])).or_default().insert(c.service.to_owned());
        }
    }
}

fn services(file: &std::path::Path) -> Services {
    let inputs = capture::expand(&[file.to_owned()]);
    let mut merged = Merged::open(&inputs.list, capture::Options::default());
    let mut engine = Engine::new(PROTOCOLS, Options::default());
    let mut services = Services::default();
    while let Some(packet) = merged.next() {
        let data = with_moved_ports(packet.link, packet.data);
        engine.packet(&Packet { data: &data, ..packet }, SegmentId(0), &mut services);
    }
    engine.finish(&mut services);
    services
}

/// Whether the frame has headers around the flow's own that the mover leaves alone.
fn is_wrapped(line: &Line) -> bool {
    !line["ip.src"].is_empty() && !line["ipv6.src"].is_empty()
}

/// The flow of a line, as it is after the ports were moved; none for what rides something else than one TCP or UDP flow.
fn flow(line: &Line) -> Option<Ends> {
    if is_wrapped(line) {
        return None;
    }
    let cell = |names: &[&str]| -> Option<String> {
        names.iter().filter_map(|name| line.get(*name)).find(|cell| !cell.is_empty()).cloned()
    };
    let end = |address: &[&str], port: &[&str]| -> Option<(String, u16)> {
        let address: std::net::IpAddr = cell(address)?.parse().ok()?;
        Some((address.to_string(), moved(cell(port)?.parse().ok()?)))
    };
    Some(ends([
        end(&["ip.src", "ipv6.src"], &["tcp.srcport", "udp.srcport"])?,
        end(&["ip.dst", "ipv6.dst"], &["tcp.dstport", "udp.dstport"])?,
    ]))
}

#[test]
fn protocols_are_found_without_the_help_of_ports() {
    let Some(captures) = shared() else { return };
    // By capture and flow: the tables that name it.
    let mut named: BTreeMap<String, BTreeMap<Ends, BTreeSet<usize>>> = BTreeMap::new();
    for (number, (table, _)) in SAME.iter().enumerate() {
        // What tshark calls HTTP over UDP is SSDP.
        let counts = |line: &&Line| well_formed(line) && (*table != "http" || line["udp.srcport"].is_empty());
        for line in read(&captures, table).iter().filter(counts) {
            if let Some(flow) = flow(line) {
                named.entry(line["file"].clone()).or_default().entry(flow).or_default().insert(number);
            }
        }
    }
    let mut figures: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let (mut flows, mut agree, mut apart) = (0, 0, 0);
    for (file, wanted) in named {
        let found = services(&captures.join(&file));
        for (flow, tables) in wanted {
            let ours = found.0.get(&flow).cloned().unwrap_or_default();
            let same = tables.iter().any(|table| SAME[*table].1.iter().any(|name| ours.contains(*name)));
            let names: Vec<&str> = tables.iter().map(|table| SAME[*table].0).collect();
            if !same && EXPLAINED.iter().any(|(f, table, ..)| *f == file && names.contains(table)) {
                apart += 1;
                continue;
            }
            flows += 1;
            agree += usize::from(same);
            for name in &names {
                let figure = figures.entry(name).or_default();
                figure.0 += 1;
                figure.1 += usize::from(same);
            }
            if !same {
                println!("  {file} {flow:?}: tshark {names:?}, ours {ours:?}");
            }
        }
    }
    for (table, (flows, agree)) in figures {
        println!("  by content {table:<16} {agree:>5} of {flows:>5} flows");
    }
    for (file, table, _, reason) in EXPLAINED {
        println!("  apart: {file} {table}: {reason}");
    }
    println!(
        "conformance classification   {flows:>8} flows, ports moved: {agree} agree, {apart} apart for a named reason"
    );
    let explained: usize = EXPLAINED.iter().map(|(_, _, flows, _)| flows).sum();
    assert_eq!(apart, explained, "a named reason stands for these flows and no others");
    assert!(flows > 0 && agree * 100 >= flows * 99, "{agree} of {flows}");
}
