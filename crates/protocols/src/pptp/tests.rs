use proptest::prelude::*;
use quaywatch_model::Direction::{FromClient as C, FromServer as S};
use quaywatch_model::{Direction, Transport};
use serde_json::Value;

use super::Pptp;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

fn message(kind: u8, body: &[u8], length: usize) -> Vec<u8> {
    let mut bytes = vec![0, u8::try_from(length).unwrap(), 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, kind, 0, 0];
    bytes.extend(body);
    bytes.resize(length, 0);
    bytes
}

fn padded(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(64, 0);
    bytes
}

fn start(kind: u8, result: &str, host: &str, vendor: &str) -> Vec<u8> {
    let head = hex(&format!("0100 {result} 00000003 00000003 ffff 0001"));
    message(kind, &[head, padded(host), padded(vendor)].concat(), 156)
}

/// A tunnel from its start to its end, as the RFC's section 1.2 has it.
fn dialogue() -> Vec<(Direction, Vec<u8>)> {
    let mut phone = hex("0007 0001 00000960 00989680 00000003 00000003 0040 0000 0003 0000");
    phone.extend(padded("112"));
    vec![
        (C, start(1, "0000", "sts7-gw", "linux")),
        (S, start(2, "0100", "office", "MikroTik")),
        (C, message(7, &phone, 168)),
        (S, message(8, &hex("0018 0007 01 00 0000 05f5e100 0040 0000 00000000"), 32)),
        (C, message(15, &hex("0018 0000 ffffffff ffffffff"), 24)),
        (C, message(5, &hex("00000001"), 16)),
        (S, message(6, &hex("00000001 01 00 0000"), 20)),
        (C, message(5, &hex("00000002"), 16)),
        (S, message(6, &hex("00000002 01 00 0000"), 20)),
        (C, message(12, &hex("0007 0000"), 16)),
        (S, message(13, &hex("0018 04 00 0000 0000"), 148)),
        (C, message(3, &hex("03 00 0000"), 16)),
        (S, message(4, &hex("01 00 0000"), 16)),
    ]
}

fn borrowed(pieces: &[(Direction, Vec<u8>)]) -> Vec<(Direction, &[u8])> {
    pieces.iter().map(|(direction, bytes)| (*direction, bytes.as_slice())).collect()
}

fn told(rows: &Recorder) -> Vec<String> {
    let line = |row: &Value| {
        format!("{} {} {} {} {}", row["name"], row["object"], row["status"], row["status_name"], row["quantity"])
            .replace('"', "")
    };
    rows.of("operation").iter().map(line).collect()
}

#[test]
fn a_tunnel_is_told() {
    let pieces = dialogue();
    let rows = feed(&Pptp, &flow(Transport::Tcp, 4711), &borrowed(&pieces));
    assert_eq!(
        told(&rows),
        [
            "start-control-connection sts7-gw 0 established null",
            "outgoing-call call 7 0 connected null",
            "set-link-info call 24 null  null",
            "echo  0 ok null",
            "call-clear call 7 0 requested null",
            "stop-control-connection  0 ok null",
            "echo  null  2",
        ]
    );
    let call: Value = serde_json::from_str(rows.of("operation")[1]["detail"].as_str().unwrap()).unwrap();
    assert_eq!(
        (call["phone_number"].as_str(), call["reply"]["connect_speed"].as_u64()),
        (Some("112"), Some(100_000_000))
    );
    let session = &rows.of("session")[0];
    assert_eq!((session["version"].as_str(), session["outcome"].as_str()), (Some("1.0"), Some("success")));
    assert_eq!(
        (session["client_software"].as_str(), session["server_software"].as_str()),
        (Some("linux"), Some("MikroTik"))
    );
    assert_eq!(session["detail"], r#"{"client_host":"sts7-gw","server_host":"office"}"#);
    assert_eq!(rows.of("identity").len(), 4);
    assert!(rows.of("weird").is_empty() && rows.marks.is_empty());
}

#[test]
fn a_refusal_a_lost_reply_and_damage_are_told() {
    let refused = [(C, start(1, "0000", "a", "linux")), (S, start(2, "0400", "", "x")), (S, message(14, &[0; 20], 32))];
    let rows = feed(&Pptp, &flow(Transport::Tcp, 1723), &borrowed(&refused));
    assert_eq!(told(&rows), ["start-control-connection a 4 requester not authorised null"]);
    assert_eq!(rows.of("session")[0]["outcome"], "failure");
    let names: Vec<_> = rows.of("weird").iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, ["pptp_length_mismatch", "pptp_message_cut"]);
    let rows =
        feed(&Pptp, &flow(Transport::Tcp, 1723), &[(C, &start(1, "0000", "a", "linux")), (C, b"GET / HTTP/1.1")]);
    assert_eq!(rows.of("session")[0]["outcome"], "unknown");
    assert_eq!(rows.of("weird")[0]["name"], "pptp_header_malformed");
    assert_eq!(told(&rows), ["start-control-connection a null  null"]);
    // Only the server's direction.
    let rows = feed(&Pptp, &flow(Transport::Tcp, 1723), &[(S, &start(2, "0100", "office", "x"))]);
    assert_eq!(told(&rows), ["start-control-connection-reply  0 established null"]);
}

#[test]
fn recognised_by_the_cookie() {
    let other = flow(Transport::Tcp, 4711);
    let request = start(1, "0000", "a", "b");
    assert_eq!(Pptp.probe(&pdu(&other, 0, C, &request)), Probe::Yes);
    assert_eq!(Pptp.probe(&pdu(&other, 0, C, &start(2, "0100", "a", "b"))), Probe::YesFromServer);
    assert_eq!(Pptp.probe(&pdu(&other, 0, C, &request[..6])), Probe::Unsure);
    let mut wrong = request;
    wrong[7] = 0;
    assert_eq!(Pptp.probe(&pdu(&other, 0, C, &wrong)), Probe::No);
}

#[test]
fn every_cut_is_survived() {
    for (_, whole) in dialogue() {
        for length in 0..whole.len() {
            feed_unprobed(&Pptp, &flow(Transport::Tcp, 1723), &[(C, &whole[..length]), (S, &whole)]);
            // A message that says it is as short as it is.
            let mut short = whole[..length].to_vec();
            if let Some(byte) = short.get_mut(1) {
                *byte = u8::try_from(length).unwrap();
            }
            feed_unprobed(&Pptp, &flow(Transport::Tcp, 1723), &[(C, &short)]);
        }
    }
    let whole = dialogue();
    let bytes: Vec<(Direction, &[u8])> =
        whole.iter().flat_map(|(direction, bytes)| bytes.chunks(5).map(|part| (*direction, part))).collect();
    assert_eq!(feed_unprobed(&Pptp, &flow(Transport::Tcp, 1723), &bytes).of("operation").len(), 7);
}

proptest! {
    #[test]
    fn anything_is_survived(pieces in prop::collection::vec((any::<bool>(), 0u8..20, prop::collection::vec(any::<u8>(), 0..200), 12usize..250), 0..12)) {
        let pieces: Vec<(Direction, Vec<u8>)> = pieces
            .into_iter()
            .map(|(client, kind, body, length)| (if client { C } else { S }, if kind < 16 { message(kind, &body, length) } else { [&[1], &body[..]].concat() }))
            .collect();
        feed_unprobed(&Pptp, &flow(Transport::Tcp, 1723), &borrowed(&pieces));
    }
}
