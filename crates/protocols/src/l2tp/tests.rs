use proptest::prelude::*;
use quaywatch_model::Direction::{FromClient as C, FromServer as S};
use quaywatch_model::{Direction, Mark, Transport};
use serde_json::Value;

use super::L2tp;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let head = 0x8000 | u16::try_from(value.len() + 6).unwrap();
    [&head.to_be_bytes()[..], &[0, 0], &kind.to_be_bytes(), value].concat()
}

fn control(version: u8, ids: &str, ns: u16, attributes: &[Vec<u8>]) -> Vec<u8> {
    let attributes = attributes.concat();
    let length = u16::try_from(attributes.len() + 12).unwrap().to_be_bytes();
    [&[0xc8, version][..], &length, &hex(ids), &ns.to_be_bytes(), &[0, 0], &attributes].concat()
}

fn kind(number: u8) -> Vec<u8> {
    attribute(0, &[0, number])
}

fn data(session: u8, frame: &str) -> Vec<u8> {
    [&hex("0002 0009")[..], &[0, session], &hex(frame)].concat()
}

fn borrowed(pieces: &[(Direction, Vec<u8>)]) -> Vec<(Direction, &[u8])> {
    pieces.iter().map(|(direction, bytes)| (*direction, bytes.as_slice())).collect()
}

fn run(pieces: &[(Direction, Vec<u8>)]) -> Recorder {
    feed(&L2tp, &flow(Transport::Udp, 1701), &borrowed(pieces))
}

fn told(rows: &Recorder) -> Vec<String> {
    let line = |row: &Value| {
        format!("{} {} {} {} {}", row["name"], row["object"], row["status"], row["status_name"], row["quantity"])
            .replace('"', "")
    };
    rows.of("operation").iter().map(line).collect()
}

fn logins(rows: &Recorder) -> Vec<String> {
    let line = |row: &Value| {
        format!("{} {} {} {}", row["version"], row["user"], row["method"], row["outcome"]).replace('"', "")
    };
    rows.of("session").iter().map(line).collect()
}

/// A tunnel of version 2 with one call in which somebody logs in by PAP.
fn dialogue() -> Vec<(Direction, Vec<u8>)> {
    let opening = [
        kind(1),
        attribute(2, &[1, 0]),
        attribute(7, b"rtg12-lte"),
        attribute(8, b"xelerance.com"),
        attribute(9, &[0, 5]),
    ];
    let accepted = [
        kind(2),
        attribute(2, &[1, 0]),
        attribute(7, b"office-lns"),
        attribute(8, b"Cisco Systems, Inc."),
        attribute(9, &[0, 9]),
        attribute(11, &[7; 16]),
    ];
    vec![
        (C, control(2, "0000 0000", 0, &opening)),
        (S, control(2, "0005 0000", 0, &accepted)),
        (C, control(2, "0009 0000", 1, &[kind(3)])),
        (C, control(2, "0009 0000", 2, &[kind(10), attribute(14, &[0, 3]), attribute(21, b"112")])),
        (S, control(2, "0005 0003", 1, &[kind(11), attribute(14, &[0, 8])])),
        // Sent again, as the acknowledgement was lost.
        (S, control(2, "0005 0003", 1, &[kind(11), attribute(14, &[0, 8])])),
        (C, control(2, "0009 0008", 3, &[kind(12), attribute(24, &[0, 0, 0xfa, 0])])),
        (S, control(2, "0005 0000", 2, &[])),
        (C, data(8, "ff03 c023 01 01 0010 05 61646d696e 05 61646d696e")),
        (S, data(3, "ff03 c023 02 01 0005 00")),
        (C, data(8, "0021 4500")),
        (C, data(8, "ff03 00fd 9000")),
        (C, control(2, "0009 0000", 4, &[kind(6)])),
        (C, control(2, "0009 0000", 5, &[kind(6)])),
        (C, control(2, "0009 0008", 6, &[kind(14), attribute(1, &[0, 3]), attribute(14, &[0, 3])])),
        (C, control(2, "0009 0000", 7, &[kind(4), attribute(1, &[0, 6]), attribute(9, &[0, 5])])),
    ]
}

#[test]
fn a_tunnel_with_a_call_is_told() {
    let rows = run(&dialogue());
    assert_eq!(
        told(&rows),
        [
            "start-control-connection rtg12-lte 0 ok null",
            "start-control-connection-connected  null  null",
            "incoming-call session 3 112 0 ok null",
            "incoming-call-connected session 8 null  null",
            "data tunnel 9 session 8 null  null",
            "data tunnel 9 session 3 null  null",
            "hello  null  null",
            "call-disconnect-notify session 8 0 administrative reasons null",
            "stop-control-connection  0 requester shuts down null",
            "hello  null  2",
            "data tunnel 9 session 8 null  3",
            "data tunnel 9 session 3 null  1",
        ]
    );
    assert_eq!(logins(&rows), ["2  shared secret success", " admin pap success"]);
    let session = &rows.of("session")[0];
    assert_eq!(
        (session["client_software"].as_str(), session["server_software"].as_str()),
        (Some("xelerance.com"), Some("Cisco Systems, Inc."))
    );
    assert_eq!(session["detail"], r#"{"client_host":"rtg12-lte","server_host":"office-lns"}"#);
    let weak: Vec<_> = rows.of("credential").iter().map(|row| row["weakness"].clone()).collect();
    assert_eq!(weak, ["clear-text", "default"]);
    assert_eq!(rows.of("identity").len(), 4);
    assert!(rows.of("weird").is_empty());
    assert_eq!(rows.marks, [Mark::Undecoded("traffic inside l2tp"), Mark::Opaque("compressed or encrypted")]);
}

/// The server sees the client's answer to its challenge only with the confirmation, and may then still end the tunnel.
#[test]
fn a_wrong_secret_is_no_success() {
    let mut pieces = dialogue();
    pieces.truncate(3);
    assert_eq!(logins(&run(&pieces)), ["2  shared secret unknown"]);
    pieces.push((S, control(2, "0005 0000", 1, &[kind(4), attribute(1, &[0, 4]), attribute(9, &[0, 9])])));
    assert_eq!(logins(&run(&pieces)), ["2  shared secret failure"]);
}

#[test]
fn refusals_and_other_logins() {
    let opening = [kind(1), attribute(7, b"a"), attribute(9, &[0, 5])];
    let refused = [kind(4), attribute(1, &[&[0, 4, 0, 0][..], b"go away"].concat()), attribute(9, &[0, 9])];
    let caller = [kind(12), attribute(29, &[0, 3]), attribute(30, b"crane"), attribute(33, b"crane")];
    let mut challenge = hex("ff03 c223 02 07 003f 31");
    challenge.extend([1; 49]);
    challenge.extend(b"CRANE\\hmi");
    let chap = [&hex("0002 0009 0008")[..], &challenge].concat();
    let rows = run(&[
        (C, control(2, "0000 0000", 0, &opening)),
        (S, control(2, "0005 0000", 0, &refused)),
        (C, control(2, "0009 0008", 9, &caller)),
        (C, chap),
        (S, data(3, "ff03 c223 04 07 0004")),
    ]);
    assert_eq!(told(&rows)[0], "start-control-connection a 4 requester not authorised null");
    assert_eq!(
        rows.of("operation")[0]["detail"],
        r#"{"host_name":"a","assigned_tunnel":5,"reply":{"message":"go away","assigned_tunnel":9,"result_code":4}}"#
    );
    assert_eq!(logins(&rows), ["2  none failure", " crane pap unknown", r" CRANE\\hmi ms-chap failure"]);
    let weak: Vec<_> = rows.of("credential").iter().map(|row| row["weakness"].clone()).collect();
    assert_eq!(weak, ["clear-text", "same-as-account", "weak-scheme"]);
}

#[test]
fn version_3_over_udp_and_ip() {
    let opening = [kind(1), attribute(7, b"pe1"), attribute(61, &[0, 0, 0, 5])];
    let accepted = [kind(2), attribute(7, b"pe2"), attribute(61, &[0, 0, 0, 9])];
    let call = [
        kind(10),
        attribute(63, &[0, 0, 0, 3]),
        attribute(64, &[0; 4]),
        attribute(66, b"crane-net"),
        attribute(68, &[0, 5]),
    ];
    let taken = [kind(11), attribute(63, &[0, 0, 0, 8]), attribute(64, &[0, 0, 0, 3])];
    let control = [
        (C, control(3, "00000000", 0, &opening)),
        (S, control(3, "00000005", 0, &accepted)),
        (C, control(3, "00000009", 1, &[kind(3)])),
        (C, control(3, "00000009", 2, &call)),
        (S, control(3, "00000005", 1, &taken)),
    ];
    let wanted = [
        "start-control-connection pe1 0 ok null",
        "start-control-connection-connected  null  null",
        "incoming-call session 3 crane-net 0 ok null",
        "data session 8 null  null",
        "data session 8 null  1",
    ];
    let mut over_udp = control.to_vec();
    over_udp.push((C, hex("0003 0000 00000008 ffffffffffff")));
    assert_eq!(told(&run(&over_udp)), wanted);
    let mut over_ip: Vec<_> =
        control.iter().map(|(direction, bytes)| (*direction, [&[0; 4], &bytes[..]].concat())).collect();
    over_ip.push((C, hex("00000008 ffffffffffff")));
    let rows = feed(&L2tp, &flow(Transport::Ip(115), 0), &borrowed(&over_ip));
    assert_eq!(told(&rows), wanted);
    assert_eq!(rows.marks, [Mark::Undecoded("pseudowire inside l2tp")]);
    assert_eq!(logins(&rows), ["3  none success"]);
}

#[test]
fn others_are_not_taken_and_damage_is_told() {
    let other = flow(Transport::Udp, 4711);
    let opening = control(2, "0000 0000", 0, &[kind(1), attribute(7, b"a")]);
    assert_eq!(L2tp.probe(&pdu(&other, 0, C, &opening)), Probe::Yes);
    for length in 0..opening.len() {
        assert_eq!(L2tp.probe(&pdu(&other, 0, C, &opening[..length])), Probe::No, "{length}");
    }
    assert_eq!(L2tp.probe(&pdu(&other, 0, C, &control(2, "0005 0000", 3, &[]))), Probe::Unsure);
    assert_eq!(L2tp.probe(&pdu(&other, 0, C, &data(8, "ff03 c021"))), Probe::No);
    assert_eq!(L2tp.probe(&pdu(&flow(Transport::Udp, 1701), 0, C, &data(8, "ff03 c021"))), Probe::Unsure);
    let mut broken = control(2, "0009 0000", 1, &[kind(6), attribute(7, b"abc")]);
    broken[21] = 99;
    let rows =
        run(&[(C, opening), (C, broken), (C, control(2, "0009 0000", 2, &[attribute(7, b"a")])), (C, vec![1, 2, 3])]);
    let names: Vec<_> = rows.of("weird").iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, ["l2tp_attribute_malformed", "l2tp_message_type_missing", "l2tp_header_malformed"]);
}

#[test]
fn every_cut_is_survived() {
    for (_, whole) in dialogue() {
        for length in 0..whole.len() {
            let mut short = whole[..length].to_vec();
            if let (0xc8, Some(byte)) = (whole[0], short.get_mut(3)) {
                *byte = u8::try_from(length).unwrap();
            }
            feed_unprobed(&L2tp, &flow(Transport::Udp, 1701), &[(C, &short), (S, &whole)]);
            feed_unprobed(&L2tp, &flow(Transport::Ip(115), 0), &[(C, &short)]);
        }
    }
}

proptest! {
    #[test]
    fn anything_is_survived(pieces in prop::collection::vec((any::<bool>(), 0u8..4, prop::collection::vec(prop_oneof![0u8..20, any::<u8>()], 1..60)), 0..12)) {
        let pieces: Vec<(Direction, Vec<u8>)> = pieces
            .into_iter()
            .map(|(client, shape, bytes)| {
                let whole = match shape {
                    0 => bytes,
                    1 => control(2, "0005 0003", 1, &[kind(bytes[0]), attribute(u16::from(bytes[0]), &bytes)]),
                    2 => control(3, "00000005", 1, &[kind(bytes[0]), bytes]),
                    _ => [&hex("0002 0009 0008 ff03 c0")[..], &bytes].concat(),
                };
                (if client { C } else { S }, whole)
            })
            .collect();
        feed_unprobed(&L2tp, &flow(Transport::Udp, 1701), &borrowed(&pieces));
        feed_unprobed(&L2tp, &flow(Transport::Ip(115), 0), &borrowed(&pieces));
    }
}
