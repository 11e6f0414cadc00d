//! Messages of recorded routers (`fixtures/protocol/routing`, frame numbers given) and by hand from the RFCs.

use std::net::Ipv6Addr;

use proptest::prelude::*;
use quaywatch_model::Address;
use quaywatch_model::Direction::{FromClient, FromServer};
use serde_json::{Value, json};

use super::*;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};

/// `rip.pcap` frame 4, with a readable password.
const PASSWORD: &str = "02020000 ffff0002 71756179706173730000000000000000
    00020000 00000000 00000000 00000000 00000001 00020000 0a090000 ffffff00 00000000 00000001
    00020000 0aff0001 ffffffff 00000000 00000001 00020000 ac100000 ffff0000 00000000 00000001";
/// `rip.pcap` frame 11, with a keyed digest.
const DIGEST: &str = "02020000 ffff0003 0090011400000001 0000000000000000
    00020000 00000000 00000000 00000000 00000002 00020000 0a090000 ffffff00 00000000 00000001
    00020000 0a0d0000 ffffff00 00000000 00000002 00020000 0aff0001 ffffffff 00000000 00000002
    00020000 0aff0002 ffffffff 00000000 00000001 00020000 ac100000 ffff0000 00000000 00000002
    ffff0001 24db73bfe597e75069df8e3c6a9b3c98";
/// `wireshark-wiki-vlan.pcap` frame 283: version 1.
const FIRST: &str = "02010000 00020000 00000000 00000000 00000000 00000002";
/// RFC 2453 section 3.9.1: everything, please.
const ALL: &str = "01020000 00000000 00000000 00000000 00000000 00000010";
/// `ripng.pcap` frame 7.
const NG: &str = "02010000 00000000000000000000000000000000 00000001 20010db8000900000000000000000000 00004001
    20010db8001300000000000000000000 00004001 20010db8025500000000000000000001 00008001
    20010db8f00000000000000000000000 00002401";

fn udp() -> Flow {
    flow(Transport::Udp, PORT)
}

fn six() -> Flow {
    let mut flow = flow(Transport::Udp, PORT_NG);
    flow.client.address = Address::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1));
    flow.server.address = Address::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 9));
    flow
}

fn told(messages: &[&[u8]]) -> Recorder {
    let pieces: Vec<_> = messages.iter().map(|message| (FromClient, *message)).collect();
    feed(&Rip, &udp(), &pieces)
}

fn told_ng(messages: &[&[u8]]) -> Recorder {
    let pieces: Vec<_> = messages.iter().map(|message| (FromClient, *message)).collect();
    feed(&Ripng, &six(), &pieces)
}

fn detail(row: &Value) -> Value {
    serde_json::from_str(row["detail"].as_str().unwrap()).unwrap()
}

fn faults(rows: &Recorder) -> Vec<Value> {
    rows.of("weird").iter().map(|row| row["detail"].clone()).collect()
}

#[test]
fn responses_are_told_where_they_bring_news() {
    let first = hex(PASSWORD);
    let mut worse = first.clone();
    worse[63] = 16;
    let rows = told(&[&hex(ALL), &first, &first, &worse, &worse, &first]);
    let operations = rows.of("operation");
    assert_eq!(operations.len(), 4);
    assert_eq!((&operations[0]["class"], &operations[0]["object"]), (&json!("read"), &json!("all routes")));
    assert_eq!((&operations[1]["class"], &operations[1]["quantity"]), (&json!("cyclic"), &json!(4)));
    assert_eq!(operations[1]["object"], "0.0.0.0/0 and 3 more");
    let said = detail(&operations[1]);
    let routes =
        json!(["0.0.0.0/0 metric 1", "10.9.0.0/24 metric 1", "10.255.0.1/32 metric 1", "172.16.0.0/16 metric 1"]);
    assert_eq!((&said["routes"], &said["changed"], &said["default_route"]), (&routes, &json!(4), &json!(true)));
    let said = detail(&operations[2]);
    assert_eq!((&said["routes"][1], &said["changed"]), (&json!("10.9.0.0/24 metric 16 withdrawn"), &json!(1)));
    assert_eq!(said["withdrawn"], 1);
    assert_eq!(rows.of("identity")[0]["value"], "rip version 2");
}

#[test]
fn how_routers_authenticate_is_told_without_the_secret() {
    let weakness = |text: &str| {
        let rows = told(&[&hex(text)]);
        assert!(faults(&rows).is_empty(), "{rows:?}");
        assert!(!format!("{rows:?}").contains("quaypass"));
        rows.of("credential").first().map(|row| row["weakness"].clone())
    };
    assert_eq!(weakness(PASSWORD), Some(json!("clear-text")));
    assert_eq!(weakness(&PASSWORD.replace("7175617970617373", "0000000000000000")), Some(json!("empty")));
    assert_eq!(weakness(DIGEST), Some(json!("weak-scheme")));
    // RFC 4822 section 2.1: HMAC-SHA-256 has 32 bytes.
    assert_eq!(
        weakness(&format!("{DIGEST}00000000000000000000000000000000").replace("0090011400", "0090012000")),
        None
    );
    assert_eq!(weakness(FIRST), Some(json!("anonymous")));
    assert!(told_ng(&[&hex(NG)]).of("credential").is_empty(), "IPsec may protect it");
    let said = detail(&told(&[&hex(DIGEST)]).of("operation")[0]);
    assert_eq!((&said["authentication_type"], &said["key_id"]), (&json!(3), &json!(1)));
    assert_eq!(said["routes"].as_array().unwrap().len(), 6);
}

#[test]
fn version_1_has_no_masks() {
    let rows = told(&[&hex(FIRST), &hex("02010000 00020000 83970500 00000000 00000000 00000003")]);
    let operations = rows.of("operation");
    assert_eq!(detail(&operations[0])["routes"], json!(["0.0.0.0 metric 2"]));
    assert_eq!(detail(&operations[0])["default_route"], true);
    assert_eq!(detail(&operations[1])["routes"], json!(["131.151.5.0 metric 3"]));
}

#[test]
fn tags_next_hops_and_single_networks_are_read() {
    let response = hex("02020000 0002004d ac140000 fffc0000 0a090003 00000005");
    assert_eq!(
        detail(&told(&[&response]).of("operation")[0])["routes"],
        json!(["172.20.0.0/14 metric 5 via 10.9.0.3 tag 77"])
    );
    let request = hex("01020000 00020000 ac140000 fffc0000 00000000 00000000");
    let operation = &told(&[&request]).of("operation")[0];
    assert_eq!(
        (&operation["object"], &detail(operation)["networks"]),
        (&json!("172.20.0.0/14"), &json!(["172.20.0.0/14"]))
    );
}

#[test]
fn ripng_tells_networks_of_ip6() {
    let rows = told_ng(&[&hex(NG), &hex(NG), &hex("01010000 00000000000000000000000000000000 00000010")]);
    let operations = rows.of("operation");
    assert_eq!(operations.len(), 2);
    let routes = ["::/0", "2001:db8:9::/64", "2001:db8:13::/64", "2001:db8:255::1/128", "2001:db8:f000::/36"];
    assert_eq!(detail(&operations[0])["routes"], json!(routes.map(|route| format!("{route} metric 1"))));
    assert_eq!(operations[1]["object"], "all routes");
    assert_eq!(rows.of("identity")[0]["value"], "ripng version 1");
    // RFC 2080 section 2.1.1: a next hop for what follows, and its end.
    let via = hex("02010000 fe800000000000000000000000000007 000000ff 20010db8000900000000000000000000 00054002
        00000000000000000000000000000000 000000ff 20010db8001000000000000000000000 00004002");
    let said = detail(&told_ng(&[&via]).of("operation")[0]);
    assert_eq!(said["routes"], json!(["2001:db8:9::/64 metric 2 via fe80::7 tag 5", "2001:db8:10::/64 metric 2"]));
}

#[test]
fn faults_are_told_and_the_rest_is_read() {
    for (entry, fault) in [
        ("00020000 0a000000 ff00ff00 00000000 00000001", "a network mask with holes"),
        ("00020000 0a000000 ff000000 00000000 00000011", "a metric beyond 16"),
        ("00070000 0a000000 ff000000 00000000 00000001", "an entry of another address family"),
        ("0002", "the message does not end where an entry does"),
    ] {
        let rows = told(&[&hex(&format!("02020000 00020000 0a090000 ffff0000 00000000 00000001 {entry}"))]);
        assert_eq!(faults(&rows), [fault]);
        assert_eq!(detail(&rows.of("operation")[0])["routes"][0], "10.9.0.0/16 metric 1");
    }
    let short = hex(DIGEST);
    assert_eq!(faults(&told(&[&short[..short.len() - 20]])), ["the announced digest is not there"]);
    let rows = feed_unprobed(&Rip, &udp(), &[(FromClient, &hex("02030000"))]);
    assert_eq!(faults(&rows), ["header is not sound"]);
    let rows = feed_unprobed(&Ripng, &six(), &[(FromClient, &hex(&NG.replace("00008001", "00008101")))]);
    assert_eq!(faults(&rows), ["a prefix of more than 128 bits"]);
    // RFC 1058 section 3.1: trace on.
    assert_eq!(told(&[&hex("03010000")]).marks, [Mark::Undecoded("obsolete command")]);
}

#[test]
fn content_decides_and_doubt_goes_by_the_port() {
    let elsewhere = flow(Transport::Udp, 5000);
    for text in [PASSWORD, DIGEST, FIRST, ALL] {
        assert_eq!(Rip.probe(&pdu(&elsewhere, 0, FromClient, &hex(text))), Probe::Yes, "{text}");
        assert_eq!(Rip.probe(&pdu(&flow(Transport::Tcp, PORT), 0, FromClient, &hex(text))), Probe::No);
    }
    let odd = hex("02020000 00020000 0a000000 ff00ff00 00000000 00000001");
    assert_eq!(Rip.probe(&pdu(&elsewhere, 0, FromClient, &odd)), Probe::No);
    assert_eq!(Rip.probe(&pdu(&udp(), 0, FromClient, &odd)), Probe::Unsure);
    let mut elsewhere = six();
    elsewhere.server.port = 5000;
    assert_eq!(Ripng.probe(&pdu(&elsewhere, 0, FromClient, &hex(NG))), Probe::Yes);
    let stranger = hex("02010000 30313233343536373839303132333435 00004001");
    assert_eq!(Ripng.probe(&pdu(&elsewhere, 0, FromClient, &stranger)), Probe::No);
    assert_eq!(Ripng.probe(&pdu(&udp(), 0, FromClient, &hex(NG))), Probe::No);
    assert_eq!(Rip.probe(&pdu(&six(), 0, FromClient, &hex(FIRST))), Probe::No);
}

#[test]
fn what_is_remembered_of_a_sender_is_bounded() {
    let mut talk = Talk::new("rip", message::read, "rip response");
    let flow = udp();
    for index in 0..2000_u32 {
        let mut message = hex("02020000 00020000 00000000 ffffffff 00000000 00000001");
        message[8..12].copy_from_slice(&(0x0a00_0000 + index).to_be_bytes());
        talk.feed(&pdu(&flow, u64::from(index), FromClient, &message), &mut Recorder::default());
    }
    assert_eq!(talk.tables[0].len(), MAX_ROUTES);
}

#[test]
fn a_message_cut_anywhere_is_survived() {
    for text in [PASSWORD, DIGEST, FIRST, ALL, NG] {
        let whole = hex(text);
        for end in 1..whole.len() {
            feed_unprobed(&Rip, &udp(), &[(FromClient, &whole[..end])]);
            feed_unprobed(&Ripng, &six(), &[(FromServer, &whole[..end])]);
            let flow = udp();
            let cut = Pdu { cut: true, ..pdu(&flow, 0, FromClient, &whole[..end]) };
            let mut recorder = Recorder::default();
            Rip.open(&flow).feed(&cut, &mut recorder);
            assert!(faults(&recorder).is_empty(), "{recorder:?}");
        }
    }
}

proptest! {
    #[test]
    fn anything_is_survived(data in prop::collection::vec(any::<u8>(), 1..200), version in 1_u8..3, command in 1_u8..4) {
        let mut message = vec![command, version, 0, 0];
        message.extend_from_slice(&data);
        for bytes in [&data, &message] {
            feed_unprobed(&Rip, &udp(), &[(FromClient, bytes), (FromServer, bytes)]);
            feed_unprobed(&Ripng, &six(), &[(FromClient, bytes)]);
            Rip.probe(&pdu(&udp(), 0, FromClient, bytes));
            Ripng.probe(&pdu(&six(), 0, FromClient, bytes));
        }
    }
}
