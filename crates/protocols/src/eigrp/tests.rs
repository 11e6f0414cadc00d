//! Packets of recorded routers and by hand (`fixtures/protocol/routing`, frame numbers given).

use proptest::prelude::*;
use quaywatch_model::Direction::{FromClient, FromServer};
use serde_json::{Value, json};

use super::*;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};

/// `arkime-mpls-basic.pcap` frame 3: hello of a Cisco router.
const HELLO: &str = "0205eea7000000000000000000000000 00000029 0001000c010001000000000f 000400080c010101";
/// `eigrp-by-hand.pcap` frame 1: MD5, stub.
const HELLO_MD5: &str = "0205ad17000000000000000000000000 00000029
    0002002800020010000000070000000000000000 00000000000102030405060708090a0b0c0d0e0f
    0001000c010001000000000f 0004000814000200 000600060003";
/// Frame 2: SHA-256.
const HELLO_SHA: &str = "0205f142000000000000000000000000 00000029
    0002003800030020000000090000000000000000 00000000000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
    0001000c010001000000000f 0004000817000200";
/// Frame 3: a router that leaves.
const LEAVING: &str = "0205f0a3000000000000000000000000 00000029 0001000cffffffffffff000f 000400080c040102";
/// Frame 12: a hello that orders the next packet.
const ORDER: &str = "0205d4bb000000000000000000000000 00000029 00030009040a090003 000500080000000c";
/// `eigrp.pcap` frame 8: the routes of a new neighbour.
const UPDATE: &str = "0201ff6d000000080000000200000001 00000029
    0102001c0000000000000a0000006400dc050000ff010000180a0d00 0102001d0000000000000a000000640000000100ff010000200aff0001";
/// `eigrp.pcap` frame 11.
const ACKNOWLEDGEMENT: &str = "0205f2a1000000000000000000000002 00000029 0001000c010001000000000f 0004000808040102";
/// `eigrp-by-hand.pcap` frame 6.
const QUERY: &str =
    "02030998000000000000000700000000 00000029 0102001c00000000ffffffff0003e9000005dc01ff010000180a1700";
/// Frame 10: wide metric, from another domain.
const WIDE: &str = "0201898e000000000000000b00000000 00000029
    0603003f000000010aff00010000ff010005dc0100003b9aca000000000f424000000001
    0a0900030aff00030000fde90000004d000000140000090010ac13";

fn ip() -> Flow {
    flow(Transport::Ip(IP_PROTOCOL), 0)
}

fn told(packets: &[&str]) -> Recorder {
    let packets: Vec<_> = packets.iter().map(|packet| hex(packet)).collect();
    let pieces: Vec<_> = packets.iter().map(|packet| (FromClient, packet.as_slice())).collect();
    feed(&Eigrp, &ip(), &pieces)
}

fn detail(row: &Value) -> Value {
    serde_json::from_str(row["detail"].as_str().unwrap()).unwrap()
}

fn weird(rows: &Recorder) -> Vec<Value> {
    rows.of("weird").iter().map(|row| row["name"].clone()).collect()
}

fn values(rows: &Recorder) -> Vec<Value> {
    rows.of("identity").iter().map(|row| row["value"].clone()).collect()
}

/// A packet of this code with these elements.
fn packet(code: u8, elements: &str) -> String {
    format!("02{code:02x}0000 00000000 00000001 00000000 00000029 {elements}")
}

#[test]
fn a_hello_is_told_at_first_and_on_change() {
    let rows = told(&[HELLO, HELLO, ORDER, ACKNOWLEDGEMENT, HELLO, LEAVING, LEAVING, HELLO]);
    let operations = rows.of("operation");
    assert_eq!(operations.len(), 3);
    assert_eq!((&operations[0]["name"], &operations[0]["object"]), (&json!("hello"), &json!("as 41")));
    let said = detail(&operations[0]);
    assert_eq!((&said["coefficients"], &said["hold_seconds"]), (&json!([1, 0, 1, 0, 0, 0]), &json!(15)));
    assert_eq!((&said["software_release"], &said["element_version"]), (&json!("12.1"), &json!("1.1")));
    assert_eq!(detail(&operations[1])["leaving"], true);
    assert_eq!(values(&rows), ["eigrp as 41", "EIGRP release 12.1, elements 1.1"]);
}

#[test]
fn how_routers_authenticate_is_told() {
    let weakness = |packet: &str| {
        let rows = told(&[packet]);
        assert!(weird(&rows).is_empty(), "{rows:?}");
        assert!(!format!("{rows:?}").contains("0001020304"));
        rows.of("credential").first().map(|row| row["weakness"].clone())
    };
    assert_eq!(weakness(HELLO), Some(json!("anonymous")));
    assert_eq!(weakness(HELLO_MD5), Some(json!("weak-scheme")));
    assert_eq!(weakness(HELLO_SHA), None);
    assert_eq!(weakness(LEAVING), None, "a farewell is not the rule");
    let rows = told(&[HELLO_MD5, &HELLO_MD5.replace("000102030405060708090a0b", "ffff02030405060708090a0b")]);
    assert_eq!(rows.of("operation").len(), 1, "another digest is no news");
    let said = detail(&rows.of("operation")[0]);
    assert_eq!((&said["authentication"], &said["key_id"]), (&json!("md5"), &json!(7)));
    assert_eq!(said["stub_names"], json!(["connected", "static"]));
    assert_eq!(values(&rows)[2], "stub router");
}

#[test]
fn updates_and_queries_tell_routes() {
    let rows = told(&[UPDATE, QUERY]);
    let operations = rows.of("operation");
    let said = detail(&operations[0]);
    assert_eq!(
        said["routes"],
        json!([
            "10.13.0.0/24 internal delay 2560 bandwidth 25600 mtu 14419200 hops 0",
            "10.255.0.1/32 internal delay 2560 bandwidth 25600 mtu 1 hops 0",
        ])
    );
    assert_eq!((&said["flag_names"], &said["sequence"]), (&json!(["end of table"]), &json!(2)));
    assert_eq!((&operations[1]["name"], &operations[1]["class"]), (&json!("query"), &json!("read")));
    let said = detail(&operations[1]);
    assert_eq!(
        said["routes"][0],
        "10.23.0.0/24 internal delay 4294967295 bandwidth 256256 mtu 1500 hops 1 unreachable"
    );
    assert_eq!(said["unreachable"], 1);
}

#[test]
fn several_destinations_share_a_metric_and_the_default_route_is_named() {
    let metric = "0000000000000b000003e9000005dc01ff010000";
    let rows = told(&[&packet(1, &format!("0102001f {metric} 10ac13 0eac14 00"))]);
    let said = detail(&rows.of("operation")[0]);
    let routes: Vec<_> = said["routes"].as_array().unwrap().iter().map(|r| r.as_str().unwrap()).collect();
    assert!(routes[0].starts_with("172.19.0.0/16 ") && routes[1].starts_with("172.20.0.0/14 "), "{routes:?}");
    assert!(routes[2].starts_with("0.0.0.0/0 ") && said["default_route"] == true);
    // The default route with a byte of nothing behind it.
    let rows = told(&[&packet(1, &format!("0102001a {metric} 0000"))]);
    assert_eq!(detail(&rows.of("operation")[0])["default_route"], true);
    assert!(weird(&rows).is_empty());
}

#[test]
fn wide_metrics_and_external_routes_are_read() {
    let said = detail(&told(&[WIDE]).of("operation")[0]);
    assert_eq!(
        said["routes"],
        json!([
            "172.19.0.0/16 external delay 1000000000 bandwidth 1000000 mtu 1500 hops 1 via 10.9.0.3 router 10.255.0.1 \
                from bgp at 10.255.0.3 as 65001 external-tag 77 external-metric 20"
        ])
    );
    // With extended attributes: an offset of four words, which are passed over.
    let rows = told(&[&packet(
        1,
        "06020034 00000001 0aff0001 0400ff01 0005dc01 00003b9aca00 0000000f4240 00000000 0203000000000007 00000000 180a0f00",
    )]);
    assert_eq!(
        detail(&rows.of("operation")[0])["routes"],
        json!(["10.15.0.0/24 internal delay 1000000000 bandwidth 1000000 mtu 1500 hops 1 router 10.255.0.1"])
    );
    assert!(weird(&rows).is_empty());
}

#[test]
fn what_is_not_read_is_counted() {
    // AppleTalk, IPX, and services (RFC 7868 section 6.9.1: family 16384).
    for element in ["02020004", "03020004", "0602 0010 0000 4000 0aff0001 00000000"] {
        let rows = told(&[&packet(1, element)]);
        assert_eq!(rows.marks, [Mark::Undecoded("routes of a family other than IP")]);
        assert!(weird(&rows).is_empty());
    }
}

#[test]
fn broken_elements_are_told_and_the_others_read() {
    for element in
        ["00010008 01000100", "0002000c 0002 0010 00000007", "0102 0008 00000000", "0001 0003", "0004 00ff 01"]
    {
        let rows = told(&[&packet(1, &format!("0102001c0000000000000a0000006400dc050000ff010000180a0d00 {element}"))]);
        assert_eq!(weird(&rows), ["eigrp_element_malformed"], "{element}");
        assert!(detail(&rows.of("operation")[0])["routes"][0].as_str().unwrap().starts_with("10.13.0.0/24"));
    }
    let rows = told(&[&packet(1, "0102001d0000000000000a0000006400dc050000ff010000 21 0a0d0000")]);
    assert_eq!(weird(&rows), ["eigrp_element_malformed"], "33 bits of IPv4");
}

#[test]
fn others_are_refused() {
    let hello = hex(HELLO);
    assert_eq!(Eigrp.probe(&pdu(&ip(), 0, FromClient, &hello)), Probe::Yes);
    assert_eq!(Eigrp.probe(&pdu(&flow(Transport::Ip(89), 0), 0, FromClient, &hello)), Probe::No);
    for (at, value) in [(0, 1), (1, 0), (1, 6), (1, 12)] {
        let mut other = hello.clone();
        other[at] = value;
        assert_eq!(Eigrp.probe(&pdu(&ip(), 0, FromClient, &other)), Probe::No);
    }
    assert_eq!(Eigrp.probe(&pdu(&ip(), 0, FromClient, &hello[..19])), Probe::No);
}

#[test]
fn a_packet_cut_anywhere_is_survived() {
    for text in [HELLO, HELLO_MD5, HELLO_SHA, LEAVING, ORDER, UPDATE, ACKNOWLEDGEMENT, QUERY, WIDE] {
        let whole = hex(text);
        for end in 1..whole.len() {
            feed_unprobed(&Eigrp, &ip(), &[(FromClient, &whole[..end]), (FromServer, &whole[..end])]);
            let flow = ip();
            let cut = Pdu { cut: true, ..pdu(&flow, 0, FromClient, &whole[..end]) };
            let mut recorder = Recorder::default();
            Eigrp.open(&flow).feed(&cut, &mut recorder);
            assert!(weird(&recorder).is_empty(), "{recorder:?}");
        }
        for at in 0..whole.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut forged = whole.clone();
                forged[at] = value;
                feed_unprobed(&Eigrp, &ip(), &[(FromClient, &forged)]);
            }
        }
    }
}

proptest! {
    #[test]
    fn anything_is_survived(data in prop::collection::vec(any::<u8>(), 1..200), code in 1_u8..12, kind in 0_u16..0x700) {
        let mut elements = hex(&packet(code, ""));
        elements.extend_from_slice(&kind.to_be_bytes());
        elements.extend_from_slice(&u16::try_from(data.len() + 4).unwrap().to_be_bytes());
        elements.extend_from_slice(&data);
        feed_unprobed(&Eigrp, &ip(), &[(FromClient, &data), (FromServer, &elements)]);
    }
}
