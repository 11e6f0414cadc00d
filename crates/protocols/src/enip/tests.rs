//! Messages written by hand after the ODVA volumes.

use quaywatch_model::Direction;

use super::*;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};

const C: Direction = Direction::FromClient;
const S: Direction = Direction::FromServer;

fn message(command: u16, context: u64, data: &[u8]) -> Vec<u8> {
    let mut bytes = command.to_le_bytes().to_vec();
    bytes.extend(u16::try_from(data.len()).unwrap().to_le_bytes());
    bytes.extend(7u32.to_le_bytes());
    bytes.extend(0u32.to_le_bytes());
    bytes.extend(context.to_le_bytes());
    bytes.extend(0u32.to_le_bytes());
    bytes.extend(data);
    bytes
}

/// SendRRData with one unconnected data item.
fn unconnected(context: u64, cip: &[u8]) -> Vec<u8> {
    let mut data = hex("00000000 0000 0200 0000 0000 b200");
    data.extend(u16::try_from(cip.len()).unwrap().to_le_bytes());
    data.extend(cip);
    message(0x6f, context, &data)
}

/// SendUnitData with one connected data item.
fn connected(connection: u32, sequence: u16, cip: &[u8]) -> Vec<u8> {
    let mut data = hex("00000000 0000 0200 a100 0400");
    data.extend(connection.to_le_bytes());
    data.extend(hex("b100"));
    data.extend(u16::try_from(cip.len() + 2).unwrap().to_le_bytes());
    data.extend(sequence.to_le_bytes());
    data.extend(cip);
    message(0x70, 0, &data)
}

fn run(pieces: &[(Direction, &[u8])]) -> Recorder {
    feed(&Enip, &flow(Transport::Tcp, 44818), pieces)
}

#[test]
fn the_identity_object_names_the_device() {
    let ask = unconnected(1, &hex("01 02 20 01 24 01"));
    let tell =
        unconnected(1, &[&hex("81 00 00 00 0100 0e00 3700 14 0b 6000 78563412 0b")[..], b"1756-L71/B "].concat());
    let recorder = run(&[(C, &ask), (S, &tell)]);
    let operation = &recorder.of("operation")[0];
    assert_eq!(operation["name"], "Get Attributes All");
    assert_eq!(operation["class"], "identify");
    assert_eq!(operation["object"], "Identity instance 1");
    assert_eq!(
        (&operation["status"], &operation["request_frame"], &operation["reply_frame"]),
        (&0.into(), &1.into(), &2.into())
    );
    let claims: Vec<(String, String)> = recorder
        .of("identity")
        .iter()
        .map(|i| (i["attribute"].as_str().unwrap().to_owned(), i["value"].as_str().unwrap().to_owned()))
        .collect();
    let claim = |a: &str, v: &str| (a.to_owned(), v.to_owned());
    assert_eq!(
        claims,
        [
            claim("vendor", "Rockwell Automation/Allen-Bradley"),
            claim("capability", "programmable logic controller"),
            claim("product", "1756-L71/B"),
            claim("firmware", "20.11"),
            claim("serial", "12345678"),
        ]
    );
}

#[test]
fn list_identity_over_udp_is_read_without_its_broadcast() {
    let mut item = hex("0100 0002 af12 c0a80001 0000000000000000 0100 0c00 a600 05 02 3000 01020304 04");
    item.extend(b"ENBT\x03");
    let mut data = hex("0100 0c00");
    data.extend(u16::try_from(item.len()).unwrap().to_le_bytes());
    data.extend(item);
    let recorder = feed(&Enip, &flow(Transport::Udp, 44818), &[(S, &message(0x63, 0, &data))]);
    assert_eq!(recorder.of("operation")[0]["name"], "ListIdentity");
    assert_eq!(recorder.of("operation")[0]["server"]["address"], "10.0.0.2");
    let product = recorder.of("identity").into_iter().find(|i| i["attribute"] == "product").unwrap();
    assert_eq!((&product["value"], &product["subject"]), (&"ENBT".into(), &"10.0.0.2".into()));
}

#[test]
fn connected_tag_services_pair_by_sequence_count() {
    let read = connected(0x11, 1, &[&hex("4c 04 91 05")[..], b"Motor\0", &hex("0100")].concat());
    let write = connected(0x11, 2, &[&hex("4d 04 91 05")[..], b"Motor\0", &hex("c300 0100 0700")].concat());
    let written = connected(0x22, 2, &hex("cd 00 00 00"));
    let refused = connected(0x22, 1, &hex("cc 00 05 00"));
    let recorder = run(&[(C, &read), (C, &write), (S, &written), (S, &refused)]);
    let operations = recorder.of("operation");
    assert_eq!((&operations[0]["name"], &operations[0]["class"]), (&"Write Tag".into(), &"write".into()));
    assert_eq!((&operations[0]["object"], &operations[0]["quantity"]), (&"Motor".into(), &1.into()));
    assert_eq!(
        (&operations[1]["name"], &operations[1]["status_name"]),
        (&"Read Tag".into(), &"path destination unknown".into())
    );
}

#[test]
fn each_part_of_a_multiple_service_packet_is_an_operation() {
    // Two parts: Get Attribute Single of identity attribute 7, Stop of the controller mode object.
    let ask = unconnected(9, &hex("0a 02 20 02 24 01 0200 0600 0e00 0e 03 20 01 24 01 30 07 07 02 20 8e 24 01"));
    let tell = unconnected(9, &hex("8a 00 1e 00 0200 0600 0e00 8e 00 00 00 03 414243 87 00 10 00"));
    let recorder = run(&[(C, &ask), (S, &tell)]);
    let operations = recorder.of("operation");
    assert_eq!(operations.len(), 2);
    assert_eq!((&operations[0]["name"], &operations[0]["status"]), (&"Get Attribute Single".into(), &0.into()));
    assert_eq!((&operations[1]["name"], &operations[1]["class"]), (&"Stop".into(), &"control".into()));
    assert_eq!(operations[1]["status_name"], "device state conflict");
    assert!(recorder.of("identity").iter().any(|i| i["value"] == "ABC"));
}

#[test]
fn an_unconnected_send_is_unwrapped_and_its_route_is_the_unit() {
    // Reset of the identity object, routed through the backplane to slot 3.
    let ask = unconnected(4, &hex("52 02 20 06 24 01 0a f0 0600 05 02 20 01 24 01 01 00 01 03"));
    let tell = unconnected(4, &hex("85 00 00 00"));
    let operations = run(&[(C, &ask), (S, &tell)]).of("operation");
    assert_eq!((&operations[0]["name"], &operations[0]["unit"]), (&"Reset".into(), &3.into()));
    assert_eq!(operations[0]["class"], "control");
}

#[test]
fn what_has_no_reply_is_told_when_the_flow_ends() {
    let register = message(0x65, 5, &hex("0100 0000"));
    let stop = unconnected(6, &hex("07 02 20 8e 24 01"));
    let recorder = run(&[(C, &register), (S, &register), (C, &stop)]);
    let operations = recorder.of("operation");
    assert_eq!((&operations[0]["name"], &operations[0]["protocol"]), (&"RegisterSession".into(), &"enip".into()));
    assert_eq!((&operations[1]["name"], &operations[1]["status"]), (&"Stop".into(), &serde_json::Value::Null));
    assert_eq!(operations[1]["protocol"], "cip");
}

#[test]
fn tcp_may_cut_anywhere_and_truncations_are_survived() {
    let ask = unconnected(1, &hex("01 02 20 01 24 01"));
    for cut in 1..ask.len() {
        let (a, b) = ask.split_at(cut);
        let operations = feed_unprobed(&Enip, &flow(Transport::Tcp, 44818), &[(C, a), (C, b)]).of("operation");
        assert_eq!(operations.len(), 1, "cut at {cut}");
        let _ = feed_unprobed(&Enip, &flow(Transport::Udp, 44818), &[(C, a)]);
    }
    let other = flow(Transport::Tcp, 44818);
    assert_eq!(Enip.probe(&pdu(&other, 0, C, b"GET / HTTP/1.1\r\nHost: a\r\n")), Probe::No);
    assert_eq!(Enip.probe(&pdu(&other, 0, C, &[0; 40])), Probe::No);
}

proptest::proptest! {
    #[test]
    fn hostile_cip_is_survived(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..80), reply in proptest::bool::ANY) {
        let data = unconnected(1, &bytes);
        let direction = if reply { S } else { C };
        let _ = feed_unprobed(&Enip, &flow(Transport::Tcp, 44818), &[(C, &data), (direction, &data), (direction, &bytes)].map(|(d, b)| (d, if b.is_empty() { &[0u8][..] } else { b })));
    }
}
