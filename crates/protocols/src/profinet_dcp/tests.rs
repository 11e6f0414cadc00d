//! PROFINET DCP frames, cut from captures or written by hand.

use proptest::prelude::*;
use quaywatch_model::Direction::{FromClient, FromServer};
use quaywatch_model::Transport;

use super::*;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};

/// `profinet/iti-changeipusingdcp.pcap` frame 1: who are you.
const IDENTIFY_ALL: &str = "fefe 0500 01000001 0001 0004 ffff0000";

/// An answer to it: name, type, ids, role, instance, IP.
const IDENTIFIED: &str = "feff 0501 01000001 0000 0052
    0202 0009 0000 65743230307370 00
    0201 0009 0000 45543230305350 00
    0203 0006 0000 002a 0313
    0204 0004 0000 01 00
    0207 0004 0000 00 01
    0205 0006 0000 0102 0201
    0102 000e 0001 c0a8010e ffffff00 c0a80101";

/// Frame 3: new IP parameters, kept over a restart.
const SET_IP: &str = "fefd 0400 01000001 0000 0012 0102 000e 0001 c0a8000a ffffff00 c0a80001";
const SET_DONE: &str = "fefd 0401 01000001 0000 0008 0504 0003 0102 00 00";

fn link() -> Flow {
    let mut flow = flow(Transport::Link(PROFINET), 0);
    flow.client = Endpoint::new(Address::Mac(flow.client_mac.unwrap()), 0);
    flow.server = Endpoint::new(Address::Mac(flow.server_mac.unwrap()), 0);
    flow
}

fn values(rows: &Recorder) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    rows.of("identity").iter().map(|row| (text(&row["attribute"]), text(&row["value"]))).collect()
}

fn detail(operation: &serde_json::Value) -> serde_json::Value {
    serde_json::from_str(operation["detail"].as_str().unwrap()).unwrap()
}

#[test]
fn a_station_tells_who_it_is() {
    let flow = link();
    let pieces = [(FromClient, &hex(IDENTIFY_ALL)[..]), (FromServer, &hex(IDENTIFIED)[..])];
    let rows = feed(&ProfinetDcp, &flow, &pieces);
    assert_eq!(rows.marks, []);
    let operations = rows.of("operation");
    assert_eq!(operations.len(), 1);
    assert_eq!(operations[0]["object"], "all");
    assert_eq!(operations[0]["class"], "identify");
    assert_eq!(operations[0]["request_frame"], 1);
    assert_eq!(operations[0]["reply_frame"], 2);
    let detail = detail(&operations[0]);
    assert_eq!(detail["xid"], 0x0100_0001);
    assert_eq!(detail["reply_blocks"], serde_json::json!(["2.2", "2.1", "2.3", "2.4", "2.7", "2.5", "1.2"]));
    assert_eq!(detail["info"], serde_json::json!([0, 0, 0, 0, 0, 0, 1]));
    assert_eq!(detail["device_options"], serde_json::json!(["1.2", "2.1"]));
    assert_eq!(detail["device_instance"], "0.1");
    let expected = [
        ("host-name", "et200sp"),
        ("model", "ET200SP"),
        ("vendor", "Siemens"),
        ("product", "PROFINET vendor 0x002a device 0x0313"),
        ("capability", "profinet io-device"),
        ("ip", "192.168.1.14"),
        ("network-setting", "netmask 255.255.255.0"),
        ("network-setting", "gateway 192.168.1.1"),
    ];
    assert_eq!(values(&rows), expected.map(|(a, v)| (a.to_owned(), v.to_owned())));
    assert_eq!(rows.of("name")[0]["kind"], "dcp");
    assert_eq!(rows.of("identity")[0]["subject"], "02:00:00:00:00:02");
}

#[test]
fn an_answer_alone_is_told_once_as_a_claim() {
    let flow = link();
    let answer = hex(IDENTIFIED);
    let rows = feed(&ProfinetDcp, &flow, &[(FromServer, &answer), (FromServer, &answer)]);
    let operations = rows.of("operation");
    assert_eq!(operations.len(), 2);
    assert_eq!(operations[0]["request_frame"], serde_json::Value::Null);
    assert_eq!(operations[0]["client"]["address"], "02:00:00:00:00:01");
    assert_eq!(operations[0]["server"]["address"], "02:00:00:00:00:02");
    assert_eq!(operations[0]["object"], "et200sp");
    assert_eq!(rows.of("identity").len(), 8);
}

#[test]
fn a_new_address_is_configuration() {
    let flow = link();
    let rows = feed(&ProfinetDcp, &flow, &[(FromClient, &hex(SET_IP)), (FromServer, &hex(SET_DONE))]);
    let set = &rows.of("operation")[0];
    assert_eq!(set["name"], "set ip parameter");
    assert_eq!(set["class"], "configure");
    assert_eq!(set["object"], "ip parameter = 192.168.0.10 netmask 255.255.255.0 gateway 192.168.0.1");
    assert_eq!(set["status"], 0);
    assert_eq!(detail(set)["qualifier"], serde_json::json!([1]));
    assert_eq!(detail(set)["results"], serde_json::json!([0]));
    assert_eq!(rows.of("identity")[0]["method"], "profinet-dcp set");
}

#[test]
fn a_refused_set_claims_nothing() {
    let refused = hex("fefd 0401 01000001 0000 0008 0504 0003 0102 06 00");
    let rows = feed(&ProfinetDcp, &link(), &[(FromClient, &hex(SET_IP)), (FromServer, &refused)]);
    let set = &rows.of("operation")[0];
    assert_eq!(set["status"], 6);
    assert_eq!(set["status_name"], "in operation, set not possible");
    assert!(rows.of("identity").is_empty());
    let unsupported = hex("fefd 0405 01000001 0000 0000");
    let rows = feed(&ProfinetDcp, &link(), &[(FromClient, &hex(SET_IP)), (FromServer, &unsupported)]);
    assert_eq!(rows.of("operation")[0]["status"], 0x105);
}

#[test]
fn resets_and_renames_are_named() {
    for (blocks, name, class) in [
        ("0506 0002 0004", "reset to factory", "configure"),
        ("0505 0002 0000", "reset factory settings", "configure"),
        ("0501 0002 0000 0202 0009 0001 6d616c6c6f7279 00 0502 0002 0000", "set name of station", "configure"),
        ("0503 0004 0000 0100", "signal", "diagnose"),
        ("0202 0003 0001 61 00 0102 000e 0001 c0a8000a ffffff00 c0a80001", "set", "configure"),
    ] {
        let blocks = hex(blocks);
        let mut frame = hex("fefd 0400 00000007 0000");
        frame.extend_from_slice(&u16::try_from(blocks.len()).unwrap().to_be_bytes());
        frame.extend_from_slice(&blocks);
        let rows = feed(&ProfinetDcp, &link(), &[(FromClient, &frame)]);
        let set = &rows.of("operation")[0];
        assert_eq!(set["name"], name);
        assert_eq!(set["class"], class);
        assert_eq!(set["status"], serde_json::Value::Null);
        assert!(rows.of("weird").is_empty(), "{name}");
    }
}

#[test]
fn a_get_asks_by_name_only() {
    let get = hex("fefd 0300 00000009 0000 0004 0202 0102");
    let got = hex("fefd 0301 00000009 0000 000c 0202 0007 0000 706e2d696f 00");
    let rows = feed(&ProfinetDcp, &link(), &[(FromClient, &get), (FromServer, &got)]);
    let operation = &rows.of("operation")[0];
    assert_eq!(operation["object"], "name of station; ip parameter");
    assert_eq!(operation["quantity"], 2);
    assert_eq!(values(&rows), [("host-name".to_owned(), "pn-io".to_owned())]);
}

#[test]
fn a_hello_is_a_claim() {
    let hello = hex("fefc 0600 00000001 0000 000c 0202 0008 0000 706c632d3031");
    let rows = feed(&ProfinetDcp, &link(), &[(FromClient, &hello)]);
    assert_eq!(rows.of("operation")[0]["name"], "hello");
    assert_eq!(rows.of("identity")[0]["subject"], "02:00:00:00:00:01");
    assert_eq!(rows.of("identity")[0]["value"], "plc-01");
}

#[test]
fn requests_to_all_do_not_wait() {
    let mut flow = link();
    flow.server_mac = Some(quaywatch_model::MacAddr([1, 0x0e, 0xcf, 0, 0, 0]));
    let request = hex(IDENTIFY_ALL);
    let mut analyzer = ProfinetDcp.open(&flow);
    let mut rows = Recorder::default();
    analyzer.feed(&pdu(&flow, 0, FromClient, &request), &mut rows);
    assert_eq!(rows.of("operation").len(), 1);
}

#[test]
fn other_frames_are_left() {
    let probe = |bytes: &str| ProfinetDcp.probe(&pdu(&link(), 0, FromClient, &hex(bytes)));
    assert_eq!(probe(IDENTIFY_ALL), Probe::Yes);
    assert_eq!(probe(IDENTIFIED), Probe::YesFromServer);
    assert_eq!(probe("8000 80808080"), Probe::No);
    assert_eq!(probe("fefe 0400 00000001 0000 0000"), Probe::No);
    assert_eq!(probe("fefe"), Probe::No);
}

#[test]
fn broken_lengths_are_weird() {
    let mut short = hex(IDENTIFIED);
    short.truncate(40);
    let rows = feed(&ProfinetDcp, &link(), &[(FromServer, &short)]);
    assert_eq!(rows.of("weird")[0]["name"], "profinet_dcp_length_mismatch");
    let long_block = hex("fefd 0400 01000001 0000 0006 0202 0040 6162");
    let rows = feed(&ProfinetDcp, &link(), &[(FromClient, &long_block)]);
    assert_eq!(rows.of("weird")[0]["name"], "profinet_dcp_block_truncated");
    assert_eq!(rows.of("operation").len(), 1);
}

#[test]
fn waiting_requests_are_bounded() {
    let flow = link();
    let mut analyzer = ProfinetDcp.open(&flow);
    let mut rows = Recorder::default();
    let waiting = u64::try_from(WAITING_LIMIT).unwrap();
    for index in 0..waiting + 5 {
        analyzer.feed(&pdu(&flow, index, FromClient, &hex(SET_IP)), &mut rows);
    }
    assert_eq!(rows.of("operation").len(), 5);
    analyzer.close(&flow, &mut rows);
    assert_eq!(rows.of("operation").len(), WAITING_LIMIT + 5);
}

#[test]
fn truncated_frames_do_not_panic() {
    for whole in [IDENTIFY_ALL, IDENTIFIED, SET_IP, SET_DONE] {
        let whole = hex(whole);
        for end in 1..whole.len() {
            feed_unprobed(&ProfinetDcp, &link(), &[(FromServer, &whole[..end])]);
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_frames_are_survived(
        frames in prop::collection::vec((0u8..4, 2u8..8, 0u8..6, prop::collection::vec(any::<u8>(), 0..120)), 1..8),
    ) {
        let flow = link();
        let mut analyzer = ProfinetDcp.open(&flow);
        let mut rows = Recorder::default();
        for (index, (id, service, kind, rest)) in (0..).zip(frames) {
            let mut frame = vec![0xfe, 0xfc + id, service, kind];
            frame.extend_from_slice(&rest);
            let direction = if kind == 0 { FromClient } else { FromServer };
            let _ = ProfinetDcp.probe(&pdu(&flow, index, direction, &frame));
            analyzer.feed(&pdu(&flow, index, direction, &frame), &mut rows);
        }
        analyzer.close(&flow, &mut rows);
        for row in rows.of("operation") {
            let text = row["detail"].as_str().unwrap();
            prop_assert!(serde_json::from_str::<serde_json::Value>(text).is_ok(), "{text}");
        }
    }
}
