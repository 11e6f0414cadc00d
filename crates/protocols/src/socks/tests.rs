use proptest::prelude::*;
use quaywatch_model::Direction::{FromClient as C, FromServer as S};
use quaywatch_model::{Direction, Mark, Transport};
use serde_json::Value;

use super::Socks;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

fn login(rows: &Recorder) -> Vec<String> {
    let line = |row: &Value| {
        format!("{} {} {} {}", row["version"], row["user"], row["method"], row["outcome"]).replace('"', "")
    };
    rows.of("session").iter().map(line).collect()
}

fn asked(rows: &Recorder) -> Vec<String> {
    let line = |row: &Value| {
        format!("{} {} {} {}", row["name"], row["object"], row["status"], row["status_name"]).replace('"', "")
    };
    rows.of("operation").iter().filter(|row| row["protocol"] == "socks").map(line).collect()
}

const MODBUS: &str = "0001 0000 0006 01 03 0000 0002";
const ANSWER: &str = "0001 0000 0007 01 03 04 0001 0002";

#[test]
fn version_5_passes_on_what_is_told_as_its_own_protocol() {
    let pieces = [
        (C, hex("05 02 00 02")),
        (S, hex("05 00")),
        (C, hex("05 01 00 01 0a010203 01f6")),
        (S, hex("05 00 00 01 0a000002 c000")),
        (C, hex(MODBUS)),
        (S, hex(ANSWER)),
    ];
    let pieces: Vec<(Direction, &[u8])> =
        pieces.iter().map(|(direction, bytes)| (*direction, bytes.as_slice())).collect();
    for port in [1080, 4711] {
        let rows = feed(&Socks, &flow(Transport::Tcp, port), &pieces);
        assert_eq!(login(&rows), ["5  none success"]);
        assert_eq!(rows.of("credential")[0]["weakness"], "anonymous");
        assert_eq!(asked(&rows), ["connect 10.1.2.3:502 0 succeeded"]);
        let inner: Vec<_> = rows.of("operation").into_iter().filter(|row| row["protocol"] == "modbus").collect();
        assert_eq!(inner.len(), 1);
        assert_eq!(
            (inner[0]["server"]["address"].as_str(), inner[0]["server"]["port"].as_u64()),
            (Some("10.1.2.3"), Some(502))
        );
        assert_eq!(inner[0]["client"]["address"], "10.0.0.1");
        assert!(rows.of("weird").is_empty() && rows.marks.is_empty());
    }
    // However it is cut.
    let whole: Vec<(Direction, &[u8])> =
        pieces.iter().flat_map(|(direction, bytes)| bytes.chunks(1).map(|byte| (*direction, byte))).collect();
    let rows = feed_unprobed(&Socks, &flow(Transport::Tcp, 1080), &whole);
    assert_eq!(rows.of("operation").len(), 2);
    for length in 0..whole.len() {
        feed_unprobed(&Socks, &flow(Transport::Tcp, 1080), &whole[..length]);
    }
}

#[test]
fn logins_are_told_without_the_password() {
    let run = |status: &str| {
        let pieces = [
            (C, hex("05 01 02")),
            (S, hex("05 02")),
            (C, [&[1, 5][..], b"admin", &[5], b"admin"].concat()),
            (S, hex(status)),
            (C, [&hex("05 01 00 03 0b")[..], b"hmi.example", &hex("0d3d")].concat()),
            (S, hex("05 05 00 01 00000000 0000")),
        ];
        let pieces: Vec<(Direction, &[u8])> =
            pieces.iter().map(|(direction, bytes)| (*direction, bytes.as_slice())).collect();
        feed(&Socks, &flow(Transport::Tcp, 1080), &pieces)
    };
    let rows = run("01 00");
    assert_eq!(login(&rows), ["5 admin password success"]);
    let weak: Vec<_> = rows.of("credential").iter().map(|row| row["weakness"].clone()).collect();
    assert_eq!(weak, ["clear-text", "default"]);
    assert_eq!(asked(&rows), ["connect hmi.example:3389 5 connection refused"]);
    let refused = run("01 01");
    assert_eq!(login(&refused), ["5 admin password failure"]);
    assert!(asked(&refused).is_empty());
    assert_eq!(refused.marks.last(), Some(&Mark::Opaque("refused")));
}

#[test]
fn version_4_and_4a() {
    let pieces = [
        (C, [&hex("04 01 0050 0a010203")[..], b"crane\0"].concat()),
        (S, hex("00 5a 0050 0a010203")),
        (C, b"GET / HTTP/1.1\r\nHost: hmi\r\n\r\n".to_vec()),
    ];
    let pieces: Vec<(Direction, &[u8])> =
        pieces.iter().map(|(direction, bytes)| (*direction, bytes.as_slice())).collect();
    let rows = feed(&Socks, &flow(Transport::Tcp, 4711), &pieces);
    assert_eq!(login(&rows), ["4 crane user id success"]);
    assert_eq!(asked(&rows), ["connect 10.1.2.3:80 0 granted"]);
    assert_eq!(rows.of("request")[0]["server"]["address"], "10.1.2.3");
    let named = [&hex("04 01 0016 00000001 00")[..], b"plc.example\0"].concat();
    let rows = feed(&Socks, &flow(Transport::Tcp, 4711), &[(C, &named), (S, &hex("00 5b 0000 00000000"))]);
    assert_eq!(login(&rows), ["4a  none failure"]);
    assert_eq!(asked(&rows), ["connect plc.example:22 91 rejected or failed"]);
    assert!(rows.of("credential").is_empty());
}

#[test]
fn bind_has_two_replies() {
    let pieces = [
        (C, hex("05 01 00")),
        (S, hex("05 00")),
        (C, hex("05 02 00 01 0a010203 0014")),
        (S, hex("05 00 00 01 0a000002 c000")),
        (S, hex("05 00 00 01 0a010203 0014")),
    ];
    let pieces: Vec<(Direction, &[u8])> =
        pieces.iter().map(|(direction, bytes)| (*direction, bytes.as_slice())).collect();
    let rows = feed(&Socks, &flow(Transport::Tcp, 1080), &pieces);
    let details: Vec<_> = rows.of("operation").iter().map(|row| row["detail"].clone()).collect();
    assert_eq!(details, [r#"{"bound":"10.0.0.2:49152"}"#, r#"{"connected_from":"10.1.2.3:20"}"#]);
}

#[test]
fn what_cannot_be_is_told() {
    let rows = feed(&Socks, &flow(Transport::Tcp, 1080), &[(C, &hex("05 01 00")), (S, b"HTTP/1.1 400")]);
    assert_eq!(rows.of("weird")[0]["name"], "socks_message_malformed");
    assert_eq!(login(&rows), ["5   unknown"]);
}

#[test]
fn others_are_not_taken() {
    let other = flow(Transport::Tcp, 4711);
    for text in [
        "05 00 0b 03",
        "04 01 00 00 0a010203 00",
        "04 03 0050 0a010203 00",
        "05 01 0a",
        "05",
        "00 5a 0000 00000000",
        "",
    ] {
        assert_eq!(Socks.probe(&pdu(&other, 0, C, &hex(text))), Probe::No, "{text}");
    }
    assert_eq!(Socks.probe(&pdu(&other, 0, C, &hex("05 01 00"))), Probe::Unsure);
    assert_eq!(Socks.probe(&pdu(&other, 0, C, &hex("05 01 00 05 01 00 01 0a010203 01f6"))), Probe::Yes);
    assert_eq!(Socks.probe(&pdu(&other, 0, C, &hex("05 01 00 ff"))), Probe::No);
    assert_eq!(Socks.probe(&pdu(&other, 0, S, &hex("05 00 05 00 00 01 0a010203 01f6"))), Probe::YesFromServer);
}

proptest! {
    #[test]
    fn anything_is_survived(pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(prop_oneof![0u8..6, any::<u8>()], 1..40)), 0..12)) {
        let pieces: Vec<(Direction, &[u8])> =
            pieces.iter().map(|(client, bytes)| (if *client { C } else { S }, bytes.as_slice())).collect();
        feed_unprobed(&Socks, &flow(Transport::Tcp, 1080), &pieces);
        let opened = hex("05 01 00");
        let begun: Vec<(Direction, &[u8])> = [(C, opened.as_slice())].into_iter().chain(pieces).collect();
        feed_unprobed(&Socks, &flow(Transport::Tcp, 1080), &begun);
    }
}
