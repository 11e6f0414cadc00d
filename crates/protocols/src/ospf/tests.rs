//! Packets of the recorded routers (`fixtures/protocol/routing/ospf.pcap`, frame numbers given) and by hand from the RFCs.

use proptest::prelude::*;
use quaywatch_model::Direction::{FromClient, FromServer};
use serde_json::{Value, json};

use super::*;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};

/// Frame 28: hello with the readable password.
const HELLO: &str =
    "020100300aff000100000000e6ba00017175617970617373 ffffff000003020100 00000c00000000000000000aff0003";
/// Frame 16: hello of version 3.
const HELLO_3: &str = "030100280aff000100000000e9330000 00000002010000130003000c00000000000000000aff0002";
/// Frame 40: update under a keyed digest.
const UPDATE: &str = "020400c40aff00030000000100000002000007106b04cf8a 00000005
    000208010aff00030aff000380000004f3f00030 030000020aff0003ffffffff030000000a170000ffffff000300000a
    00020003000000000aff000380000001272a001c 0000000000000001
    000200030a0900000aff00038000000192a2001c ffffff000000000a
    000200030a0d00000aff00038000000162ce001c ffffff000000000a
    00020207ac1400000aff000380000001d0d30024 fffc000080000014000000000000004d
    8563011986541cab215045c7a7444680";
/// Frame 128.
const DESCRIPTION: &str = "0202005c0aff0001000000001c4700000000000000000000 05dc42004002d23e
    000802010aff00010aff0001800000057558003c 00140205000000000aff000180000003e2d80024
    00140205ac1000000aff000180000001c5310024";
/// Frame 133.
const REQUEST: &str = "0203003c0aff0003000000001aa300000000000000000000
    000000010aff00010aff0001 00000005000000000aff0001 00000005ac1000000aff0001";
/// Frame 56: a prefix of another area withdrawn.
const WITHDRAWN: &str = "030400380aff00030000000186370000 00000001
    0e102003000000010aff000380000001a1430024 0000000a4000000020010db800130000";
/// Frame 58.
const ACKNOWLEDGEMENT: &str = "030500240aff000200000001d68e0000 0e102003000000010aff000380000001a1430024";

fn ip() -> Flow {
    flow(Transport::Ip(IP_PROTOCOL), 0)
}

fn told(packets: &[&[u8]]) -> Recorder {
    let pieces: Vec<_> = packets.iter().map(|packet| (FromClient, *packet)).collect();
    feed(&Ospf, &ip(), &pieces)
}

fn detail(row: &Value) -> Value {
    serde_json::from_str(row["detail"].as_str().unwrap()).unwrap()
}

fn weird(rows: &Recorder) -> Vec<Value> {
    rows.of("weird").iter().map(|row| row["name"].clone()).collect()
}

#[test]
fn a_hello_is_told_at_first_and_on_change() {
    let first = hex(HELLO);
    let mut lonely = first.clone();
    lonely.truncate(44);
    lonely[3] = 44;
    let rows = told(&[&first, &first, &lonely, &lonely]);
    let operations = rows.of("operation");
    assert_eq!(operations.len(), 2);
    assert_eq!(operations[0]["name"], "hello");
    assert_eq!(operations[0]["object"], "router 10.255.0.1 area 0.0.0.0");
    assert_eq!((&operations[0]["quantity"], &operations[1]["quantity"]), (&json!(1), &json!(0)));
    let said = detail(&operations[0]);
    assert_eq!(said["neighbours"], json!(["10.255.0.3"]));
    assert_eq!((&said["hello_seconds"], &said["dead_seconds"]), (&json!(3), &json!(12)));
    assert_eq!((&said["authentication"], &said["netmask"]), (&json!("password"), &json!("255.255.255.0")));
    assert_eq!(said["option_names"], json!(["external routes"]));
    let claims: Vec<_> = rows.of("identity").iter().map(|row| row["value"].clone()).collect();
    assert_eq!(claims, ["ospf router id 10.255.0.1 area 0.0.0.0", "netmask 255.255.255.0"]);
}

#[test]
fn how_routers_authenticate_is_told_without_the_secret() {
    let rows = told(&[&hex(HELLO)]);
    assert_eq!(rows.of("credential")[0]["weakness"], "clear-text");
    assert!(!format!("{rows:?}").contains("quaypass"));
    let weakness = |kind: u8, secret: [u8; 8], digest: &[u8]| {
        let mut packet = hex(HELLO);
        packet[15] = kind;
        packet[16..24].copy_from_slice(&secret);
        packet.extend_from_slice(digest);
        let rows = told(&[&packet]);
        assert!(weird(&rows).is_empty(), "{rows:?}");
        rows.of("credential").first().map(|row| row["weakness"].clone())
    };
    assert_eq!(weakness(0, [0; 8], &[]), Some(json!("anonymous")));
    assert_eq!(weakness(1, [0; 8], &[]), Some(json!("empty")));
    // RFC 2328 appendix D.3 with MD5, RFC 5709 with SHA-256.
    assert_eq!(weakness(2, [0, 0, 7, 16, 0, 0, 0, 1], &[9; 16]), Some(json!("weak-scheme")));
    assert_eq!(weakness(2, [0, 0, 7, 32, 0, 0, 0, 1], &[9; 32]), None);
    // IPsec may protect what version 3 says.
    assert!(told(&[&hex(HELLO_3)]).of("credential").is_empty());
}

#[test]
fn an_update_tells_routes_links_and_roles() {
    let rows = told(&[&hex(UPDATE)]);
    let operation = &rows.of("operation")[0];
    assert_eq!((&operation["name"], &operation["quantity"]), (&json!("link state update"), &json!(5)));
    let said = detail(operation);
    assert_eq!(
        said["routes"],
        json!([
            "10.255.0.3/32 stub network metric 0",
            "10.23.0.0/24 stub network metric 10",
            "0.0.0.0/0 summary metric 1",
            "10.9.0.0/24 summary metric 10",
            "10.13.0.0/24 summary metric 10",
            "172.20.0.0/14 external type 2 metric 20 tag 77",
        ])
    );
    assert_eq!((&said["default_route"], &said["key_id"]), (&json!(true), &json!(7)));
    assert_eq!(said["types"], json!([1, 3, 3, 3, 7]));
    assert_eq!(said["type_names"][4], "external of a not-so-stubby area");
    assert_eq!(said["ages"], json!([2, 2, 2, 2, 2]));
    assert_eq!(said["sequences"][0], 0x8000_0004_u32);
    let roles: Vec<_> = rows.of("identity").iter().map(|row| row["value"].clone()).collect();
    assert_eq!(roles, ["area border router", "boundary router to other routing domains"]);
    assert!(weird(&rows).is_empty());
}

#[test]
fn descriptions_requests_and_acknowledgements_name_advertisements() {
    let rows = told(&[&hex(DESCRIPTION), &hex(REQUEST), &hex(ACKNOWLEDGEMENT)]);
    let operations = rows.of("operation");
    let classes: Vec<_> = operations.iter().map(|row| row["class"].clone()).collect();
    assert_eq!(classes, ["session", "read", "session"]);
    let said = detail(&operations[0]);
    assert_eq!((&said["mtu"], &said["sequence"]), (&json!(1500), &json!(0x4002_d23e)));
    assert_eq!((&said["first"], &said["more"], &said["master"]), (&json!(false), &json!(false), &json!(false)));
    assert_eq!(said["link_state_ids"], json!(["10.255.0.1", "0.0.0.0", "172.16.0.0"]));
    assert_eq!(said["ages"], json!([8, 20, 20]));
    let said = detail(&operations[1]);
    assert_eq!((&said["types"], &said["ages"]), (&json!([1, 5, 5]), &Value::Null));
    assert_eq!(detail(&operations[2])["type_names"], json!(["inter-area prefix"]));
}

#[test]
fn a_withdrawn_route_is_told_as_such() {
    let said = detail(&told(&[&hex(WITHDRAWN)]).of("operation")[0]);
    assert_eq!(said["routes"], json!(["2001:db8:13::/64 summary metric 10 withdrawn"]));
    assert_eq!((&said["withdrawn"], &said["instance"]), (&json!(1), &json!(0)));
}

/// A packet of version 3 with these advertisements: type, body.
fn update_3(instance: u8, advertisements: &[(u16, &str)]) -> Vec<u8> {
    let mut packet = hex("0304 0000 0aff0003 00000000 0000");
    packet.extend_from_slice(&[instance, 0, 0, 0, 0, u8::try_from(advertisements.len()).unwrap()]);
    for (kind, body) in advertisements {
        let body = hex(body);
        packet.extend_from_slice(&[0, 1]);
        packet.extend_from_slice(&kind.to_be_bytes());
        packet.extend_from_slice(&hex("00000001 0aff0003 80000001 0000"));
        packet.extend_from_slice(&u16::try_from(body.len() + LSA_HEADER).unwrap().to_be_bytes());
        packet.extend_from_slice(&body);
    }
    let length = u16::try_from(packet.len()).unwrap().to_be_bytes();
    packet[2..4].copy_from_slice(&length);
    packet
}

#[test]
fn every_advertisement_of_version_3_is_read() {
    let packet = update_3(
        0,
        &[
            // RFC 5340 appendix A.4: router, network, prefix and router of another area, external with all options, link, prefixes.
            (0x2001, "02000013 0200000a 00000005 00000006 0aff0001"),
            (0x2002, "00000013 0aff0001 0aff0003"),
            (0x2003, "0000000a 40000000 20010db800130000"),
            (0x2004, "00000013 00000014 0aff0009"),
            (0x4005, "07000021 20000000 20010db8 fe800000000000000000000000000001 0000004d"),
            (0x0008, "01000013 fe800000000000004c4e08fffe32aaf3 00000001 40000000 20010db800090000"),
            (0x2009, "0001 2001 00000000 0aff0003 24000005 20010db8f0000000"),
            // An extended router advertisement (RFC 8362) is counted, not read.
            (0xa021, "00000000"),
        ],
    );
    let rows = told(&[&packet]);
    let said = detail(&rows.of("operation")[0]);
    assert_eq!(
        said["routes"],
        json!([
            "2001:db8:13::/64 summary metric 10",
            "2001:db8::/32 external type 2 metric 33 via fe80::1 tag 77",
            "2001:db8:9::/64 on the link",
            "2001:db8:f000::/36 network metric 5",
        ])
    );
    assert_eq!(
        said["links"],
        json!([
            "10.255.0.3 to network of designated router 10.255.0.1 metric 10",
            "10.255.0.3 to attached router 10.255.0.1",
            "10.255.0.3 to attached router 10.255.0.3",
            "10.255.0.3 to boundary router 10.255.0.9 metric 20",
        ])
    );
    assert_eq!(said["advertisement_options"], json!([0x13, 0x13, 0x13, 0x13]));
    assert!(weird(&rows).is_empty() && rows.marks.is_empty(), "{rows:?}");
    assert_eq!(rows.of("identity")[0]["value"], "boundary router to other routing domains");
}

#[test]
fn instances_of_ip4_tell_ip4_networks() {
    let said = detail(&told(&[&update_3(64, &[(0x4005, "06000001 08000000 0a000000 0a090001")])]).of("operation")[0]);
    assert_eq!(said["routes"], json!(["10.0.0.0/8 external type 2 metric 1 via 10.9.0.1"]));
}

#[test]
fn a_router_tells_its_host_name() {
    // RFC 7770 section 2.3: capabilities; RFC 5642: the name, padded.
    let packet = update_3(0, &[(0xa00c, "00010004 70000000 00070006 637431726f310000")]);
    let rows = told(&[&packet]);
    assert_eq!(rows.of("identity")[0]["value"], "ct1ro1");
    assert_eq!(detail(&rows.of("operation")[0])["host_name_of"], "10.255.0.3");
    // Passed on of another router, it is no claim about the sender.
    let mut other = packet;
    other[7] = 4;
    assert!(told(&[&other]).of("identity").is_empty());
}

#[test]
fn what_stands_behind_the_packet_is_known_or_told() {
    let mut hello = hex(HELLO_3);
    // Authentication trailer (RFC 7166 section 4.1): HMAC, 24 bytes, association 5; the hello announces it.
    hello[22] = 4;
    hello.extend_from_slice(&hex("0001 0018 0000 0005 0000000000000009 0102030405060708"));
    let rows = told(&[&hello]);
    let said = detail(&rows.of("operation")[0]);
    assert_eq!((&said["authentication"], &said["key_id"]), (&json!("trailer"), &json!(5)));
    assert!(weird(&rows).is_empty());
    // Link-local signaling (RFC 5613 section 2.1): three words with the extended options.
    let mut hello = hex(HELLO);
    hello.extend_from_slice(&hex("fff6 0003 0001 0004 00000001"));
    assert!(weird(&told(&[&hello])).is_empty());
    hello.push(0);
    assert_eq!(weird(&told(&[&hello])), ["ospf_trailing_bytes"]);
    let update = hex(UPDATE);
    assert_eq!(weird(&told(&[&update[..200]])), ["ospf_digest_missing"]);
}

#[test]
fn the_highest_sequence_number_is_told() {
    let mut packet = hex(WITHDRAWN);
    packet[32..36].copy_from_slice(&packet::MAX_SEQUENCE.to_be_bytes());
    assert!(weird(&told(&[&packet])).is_empty(), "a withdrawal at the end of the numbers is regular");
    packet[20..22].copy_from_slice(&[0, 1]);
    assert_eq!(weird(&told(&[&packet])), ["ospf_sequence_highest"]);
}

#[test]
fn others_are_refused() {
    let hello = hex(HELLO);
    assert_eq!(Ospf.probe(&pdu(&ip(), 0, FromClient, &hello)), Probe::Yes);
    assert_eq!(Ospf.probe(&pdu(&flow(Transport::Ip(88), 0), 0, FromClient, &hello)), Probe::No);
    for (at, value) in [(0, 4), (1, 6), (1, 0), (2, 9), (3, 8)] {
        let mut other = hello.clone();
        other[at] = value;
        assert_eq!(Ospf.probe(&pdu(&ip(), 0, FromClient, &other)), Probe::No, "{at}");
    }
}

fn sound() -> Vec<Vec<u8>> {
    let third = update_3(
        0,
        &[
            (0x2001, "02000013 0200000a 00000005 00000006 0aff0001"),
            (0x4005, "07000021 20000000 20010db8 fe800000000000000000000000000001 0000004d"),
            (0xa00c, "00010004 70000000 00070006 637431726f310000"),
        ],
    );
    let texts = [HELLO, HELLO_3, UPDATE, DESCRIPTION, REQUEST, WITHDRAWN, ACKNOWLEDGEMENT];
    texts.iter().map(|text| hex(text)).chain([third]).collect()
}

#[test]
fn a_packet_cut_anywhere_is_told_and_never_feared() {
    for packet in sound() {
        for end in 1..packet.len() {
            let rows = feed_unprobed(&Ospf, &ip(), &[(FromClient, &packet[..end])]);
            assert!(!weird(&rows).is_empty(), "{end} of {packet:02x?}");
            let flow = ip();
            let cut = Pdu { cut: true, ..pdu(&flow, 0, FromClient, &packet[..end]) };
            let mut recorder = Recorder::default();
            Ospf.open(&flow).feed(&cut, &mut recorder);
            assert!(weird(&recorder).is_empty(), "{recorder:?}");
        }
    }
}

#[test]
fn a_length_inside_the_packet_may_be_anything() {
    for packet in sound() {
        for at in 0..packet.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut forged = packet.clone();
                forged[at] = value;
                feed_unprobed(&Ospf, &ip(), &[(FromClient, &forged), (FromServer, &forged)]);
            }
        }
    }
}

proptest! {
    #[test]
    fn anything_is_survived(data in prop::collection::vec(any::<u8>(), 1..300), kind in 1_u8..6, version in 2_u8..4) {
        let length = u8::try_from(data.len() % 256).unwrap();
        let mut packet = vec![version, kind, 0, length];
        packet.extend_from_slice(&data);
        feed_unprobed(&Ospf, &ip(), &[(FromClient, &data), (FromServer, &packet)]);
    }
}
