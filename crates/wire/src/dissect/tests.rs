//! Headers written by hand; whole captures are held against tshark in the conformance test.

use quaywatch_model::{SourceId, Timestamp};

use super::*;
use crate::packet::LinkType;

const UDP_HELLO: [u8; 33] = [
    0x45, 0, 0, 33, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, // IPv4
    0x30, 0x39, 0, 161, 0, 13, 0, 0, // UDP 12345 > 161
    b'h', b'e', b'l', b'l', b'o',
];

fn ethernet(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    frame.extend(ethertype.to_be_bytes());
    frame.extend(payload);
    frame
}

fn ip4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let total = u16::try_from(20 + payload.len()).unwrap().to_be_bytes();
    let mut packet = vec![0x45, 0, total[0], total[1], 0, 1, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
    packet.extend(payload);
    packet
}

fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + payload.len()).unwrap().to_be_bytes();
    let mut datagram = vec![0xc0, 0];
    datagram.extend(port.to_be_bytes());
    datagram.extend([length[0], length[1], 0, 0]);
    datagram.extend(payload);
    datagram
}

fn packet(link: LinkType, data: &[u8]) -> Packet<'_> {
    let wire_length = u32::try_from(data.len()).unwrap();
    Packet { ts: Timestamp(0), source: SourceId(0), frame: 1, interface: 0, link, wire_length, data }
}

/// Dissects and returns the UDP payload with VLAN and tunnels as text.
fn hello(link: LinkType, data: &[u8]) -> (Vec<u8>, Option<u16>, String) {
    let mut dissector = Dissector::default();
    let layers = dissector.dissect(&packet(link, data)).unwrap();
    let Network::Ip { segment: Segment::Udp { payload, destination: 161, cut: false, .. }, .. } = layers.network else {
        panic!("no UDP to port 161: {layers:?}");
    };
    (payload.to_vec(), layers.vlan, layers.tunnels.to_string())
}

#[test]
fn every_link_type_leads_to_ip() {
    let with = |front: &[u8]| [front, &UDP_HELLO].concat();
    let mut padded = ethernet(0x0800, &UDP_HELLO);
    padded.extend([0; 13]);
    let cases = [
        (LinkType::ETHERNET, padded),
        (LinkType::RAW, UDP_HELLO.to_vec()),
        (LinkType::IPV4, UDP_HELLO.to_vec()),
        (LinkType::NULL, with(&[2, 0, 0, 0])),
        (LinkType::NULL, with(&[0, 0, 0, 2])),
        (LinkType::LOOP, with(&[0, 0, 0, 2])),
        (LinkType::NULL, with(&[0x0f, 0, 8, 0])),
        (LinkType::PPP, with(&[0, 0x21])),
        (LinkType::PPP, with(&[0x21])),
        (LinkType::PPP_HDLC, with(&[0xff, 3, 0, 0x21])),
        (LinkType::C_HDLC, with(&[0x0f, 0, 8, 0])),
        (LinkType::LINUX_SLL, with(&[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0])),
        (LinkType::LINUX_SLL2, with(&[8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0])),
    ];
    for (link, data) in cases {
        assert_eq!(hello(link, &data), (b"hello".to_vec(), None, String::new()), "{link:?}");
    }
}

#[test]
fn tags_and_tunnels_are_taken_off_and_kept() {
    let inner = ethernet(0x0800, &UDP_HELLO);
    let gre = |protocol: u16, flags: u16, rest: &[u8]| {
        ethernet(0x0800, &ip4(47, &[&flags.to_be_bytes(), &protocol.to_be_bytes(), rest].concat()))
    };
    let outer = "192.0.2.1>192.0.2.2";
    let cases = [
        (ethernet(0x8100, &[&[0x20, 7, 8, 0], &UDP_HELLO[..]].concat()), Some(7), String::new()),
        (ethernet(0x88a8, &[&[0, 5, 0x81, 0, 0, 7, 8, 0], &UDP_HELLO[..]].concat()), Some(7), String::new()),
        (ethernet(0x8847, &[&[0, 1, 0, 64, 0, 0x2a, 0x11, 64], &UDP_HELLO[..]].concat()), None, "mpls id 673".into()),
        (ethernet(0x8864, &[&[0x11, 0, 0, 9, 0, 35, 0, 0x21], &UDP_HELLO[..]].concat()), None, "pppoe id 9".into()),
        // IEEE 802.11 data to the access point, marked as protected, decrypted by the card (frame 74 of a shared capture).
        (
            ethernet(
                0x2452,
                &[&[8, 0x41, 2, 1][..], &[0; 20], &[1, 2, 3, 0, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &UDP_HELLO].concat(),
            ),
            None,
            String::new(),
        ),
        (ethernet(0x892f, &[&[0, 50, 0, 1, 8, 0], &UDP_HELLO[..]].concat()), None, String::new()),
        (gre(0x0800, 0, &UDP_HELLO), None, format!("gre {outer}")),
        (gre(0x6558, 0x2000, &[&[0, 0, 0, 5], &inner[..]].concat()), None, format!("gre {outer} id 5")),
        (gre(0x88be, 0, &inner), None, format!("erspan1 {outer}")),
        (
            gre(0x88be, 0x1000, &[&[0, 0, 0, 1, 0x10, 1, 8, 9, 0, 0, 0, 0], &inner[..]].concat()),
            None,
            format!("erspan2 {outer} id 9"),
        ),
        (
            gre(0x22eb, 0x1000, &[&[0, 0, 0, 1, 0x20, 1, 0, 9], &[0; 8][..], &inner].concat()),
            None,
            format!("erspan3 {outer} id 9"),
        ),
        (
            ethernet(0x0800, &ip4(17, &udp(4789, &[&[8, 0, 0, 0, 0, 0, 42, 0], &inner[..]].concat()))),
            None,
            format!("vxlan {outer} id 42"),
        ),
        (
            ethernet(
                0x0800,
                &ip4(17, &udp(6081, &[&[1, 0, 0x65, 0x58, 0, 0, 42, 0, 1, 2, 3, 0], &inner[..]].concat())),
            ),
            None,
            format!("geneve {outer} id 42"),
        ),
        (ethernet(0x0800, &ip4(4, &UDP_HELLO)), None, format!("ipip {outer}")),
    ];
    for (data, vlan, tunnels) in cases {
        assert_eq!(hello(LinkType::ETHERNET, &data), (b"hello".to_vec(), vlan, tunnels));
    }
}

#[test]
fn wlan_data_is_read_and_protected_data_is_told() {
    let mut frame = vec![0x88, 0x01, 0, 0];
    frame.extend([2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0]);
    frame.extend([0xaa, 0xaa, 3, 0, 0, 0, 8, 0]);
    frame.extend(UDP_HELLO);
    assert_eq!(hello(LinkType::IEEE802_11, &frame).0, b"hello");
    let radiotap = [&[0, 0, 9, 0, 2, 0, 0, 0, 0x10], &frame[..], &[1, 2, 3, 4]].concat();
    assert_eq!(hello(LinkType::IEEE802_11_RADIOTAP, &radiotap).0, b"hello");
    let mut dissector = Dissector::default();
    let layers = dissector.dissect(&packet(LinkType::IEEE802_11, &frame)).unwrap();
    assert_eq!(layers.source_mac.unwrap().to_string(), "02:00:00:00:00:01");
    assert_eq!(layers.destination_mac.unwrap().to_string(), "02:00:00:00:00:02");
    frame[1] |= 0x40;
    let layers = dissector.dissect(&packet(LinkType::IEEE802_11, &frame)).unwrap();
    assert!(matches!(layers.network, Network::Nothing("802.11 encrypted")));
}

#[test]
fn fragments_of_both_versions_become_one_datagram() {
    let datagram = udp(161, &[7u8; 40]);
    let mut first = ip4(17, &datagram[..24]);
    first[6] = 0x20;
    let mut second = ip4(17, &datagram[24..]);
    second[7] = 3;
    let six = |offset: u16, more: u16, part: &[u8]| {
        let length = u16::try_from(8 + part.len()).unwrap().to_be_bytes();
        let mut packet = vec![0x60, 0, 0, 0, length[0], length[1], 44, 64];
        packet.extend([0xfe; 32]);
        packet.extend([17, 0]);
        packet.extend((offset | more).to_be_bytes());
        packet.extend([0, 0, 0, 1]);
        packet.extend(part);
        packet
    };
    let pairs = [(first, second), (six(0, 1, &datagram[..24]), six(24, 0, &datagram[24..]))];
    for (first, second) in pairs {
        let mut dissector = Dissector::default();
        let kept = dissector.dissect(&packet(LinkType::RAW, &first)).unwrap();
        assert!(matches!(kept.network, Network::FragmentKept));
        let whole = dissector.dissect(&packet(LinkType::RAW, &second)).unwrap();
        let Network::Ip { segment: Segment::Udp { payload, .. }, .. } = whole.network else { panic!("{whole:?}") };
        assert_eq!(payload, [7u8; 40]);
    }
}

#[test]
fn hostile_headers_are_refused_with_a_name() {
    let name = |data: &[u8]| Dissector::default().dissect(&packet(LinkType::ETHERNET, data)).unwrap_err().name;
    assert_eq!(name(&[0; 13]), "ethernet_header_cut");
    assert_eq!(name(&ethernet(0x0800, &[0x45])), "ip_header_cut");
    assert_eq!(name(&ethernet(0x0800, &[0x55; 40])), "ip_version_unknown");
    assert_eq!(name(&ethernet(0x0800, &[&[0x44], &UDP_HELLO[1..]].concat())), "ip_header_length_wrong");
    assert_eq!(name(&ethernet(0x0800, &ip4(17, &[0, 1, 0, 1, 0, 7, 0, 0]))), "udp_length_wrong");
    assert_eq!(name(&ethernet(0x8100, &[0x81, 0].repeat(200))), "headers_too_deep");
    let mut nested = UDP_HELLO.to_vec();
    for _ in 0..10 {
        nested = ip4(4, &nested);
    }
    assert_eq!(name(&ethernet(0x0800, &nested)), "tunnel_too_deep");
}

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(link in 0u32..300, bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..120)) {
        let mut dissector = Dissector::default();
        let _ = dissector.dissect(&packet(LinkType(link), &bytes));
        let _ = dissector.dissect(&packet(LinkType::ETHERNET, &ethernet(0x0800, &bytes)));
        let _ = dissector.dissect(&packet(LinkType::ETHERNET, &ethernet(0x86dd, &bytes)));
    }
}
