use proptest::prelude::*;
use quaywatch_model::{Direction, Mark, Transport};
use serde_json::Value;

use super::Vnc;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

const C: Direction = Direction::FromClient;
const S: Direction = Direction::FromServer;
const V38: &[u8] = b"RFB 003.008\n";
/// Shared capture vnc/suricata-00-vnc-openwall-3-7.pcap, frame 14: screen of 1024 x 768 with its name.
const SCREEN: &str = "050003202018000100ff00ff00ff1008000000000000001e616e6561676c6573406c6f63616c686f\
    73742e6c6f63616c646f6d61696e";

fn run(pieces: &[(Direction, &[u8])]) -> Recorder {
    feed(&Vnc, &flow(Transport::Tcp, 5900), pieces)
}

fn detail(row: &Value) -> Value {
    serde_json::from_str(row["detail"].as_str().unwrap()).unwrap()
}

#[test]
fn no_password_is_told() {
    let rows = run(&[(S, V38), (C, V38), (S, &[2, 1, 2]), (C, &[1]), (S, &[0, 0, 0, 0]), (C, &[1]), (S, &hex(SCREEN))]);
    let session = &rows.of("session")[0];
    assert_eq!(session["version"], "3.8");
    assert_eq!((&session["method"], &session["outcome"]), (&"none".into(), &"success".into()));
    assert_eq!(detail(session)["offered_types"], serde_json::json!(["none", "vnc challenge-response"]));
    assert_eq!(detail(session)["desktop_name"], "aneagles@localhost.localdomain");
    assert_eq!(rows.of("credential")[0]["weakness"], "empty");
    let names: Vec<_> = rows.of("operation").iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, ["version", "security", "authenticate", "initialise"]);
    // The desktop of a user is no host.
    assert!(rows.of("identity").is_empty());
}

#[test]
fn challenge_response_and_its_refusal_are_told_and_the_response_is_not_kept() {
    let reason = b"\0\0\0\x16Authentication failure";
    let rows = run(&[
        (S, V38),
        (C, V38),
        (S, &[1, 2]),
        (C, &[2]),
        (S, &[0xaa; 16]),
        (C, &[0xbb; 16]),
        (S, &[0, 0, 0, 1]),
        (S, reason),
        (S, &[1, 2, 3]),
    ]);
    let session = &rows.of("session")[0];
    assert_eq!(session["outcome"], "failure");
    assert_eq!(detail(session)["reason"], "Authentication failure");
    assert_eq!(rows.of("credential")[0]["weakness"], "weak-scheme");
    assert!(!format!("{:?}", rows.rows).contains("187"));
    assert_eq!(rows.marks, [Mark::Opaque("screen, keys and pointer")]);
}

#[test]
fn version_three_three_lets_the_server_decide() {
    let rows = run(&[(S, b"RFB 003.003\n"), (C, b"RFB 003.003\n"), (S, &[0, 0, 0, 1]), (C, &[0])]);
    let session = &rows.of("session")[0];
    assert_eq!((&session["method"], &session["outcome"]), (&"none".into(), &"success".into()));
    let rows = run(&[(S, b"RFB 003.003\n"), (C, b"RFB 003.003\n"), (S, &[0, 0, 0, 0]), (S, b"\0\0\0\x04busy")]);
    assert_eq!(rows.of("session")[0]["outcome"], "failure");
    assert_eq!(detail(&rows.of("session")[0])["reason"], "busy");
}

#[test]
fn vencrypt_with_tls_is_handed_on() {
    let hello = hex("16030100050100000100");
    let rows = run(&[
        (S, V38),
        (C, V38),
        (S, &[1, 19]),
        (C, &[19]),
        (S, &[0, 2]),
        (C, &[0, 2]),
        (S, &[0]),
        (S, &[2, 0, 0, 1, 4, 0, 0, 1, 0]),
        (C, &[0, 0, 1, 4]),
        (S, &[1]),
        (C, &hello),
    ]);
    let session = rows.of("session").into_iter().find(|row| row["protocol"] == "vnc").unwrap();
    assert_eq!((&session["method"], &session["encrypted"]), (&"vencrypt".into(), &true.into()));
    assert_eq!(detail(&session)["chosen_subtype"], "x509, none");
    assert!(rows.of("credential").is_empty());
}

#[test]
fn a_password_in_clear_is_told_and_forgotten() {
    let mut login = vec![0, 0, 0, 5, 0, 0, 0, 7];
    login.extend(b"cranesecret7");
    let rows = run(&[
        (S, V38),
        (C, V38),
        (S, &[1, 16]),
        (C, &[16]),
        (S, &[0, 0, 0, 0]),
        (S, &hex("00000001 00000081 54474854 554c474e41555448")),
        (C, &[0, 0, 0, 129]),
        (C, &login),
        (S, &[0, 0, 0, 0]),
    ]);
    let session = &rows.of("session")[0];
    assert_eq!((&session["user"], &session["outcome"]), (&"crane".into(), &"success".into()));
    assert_eq!(detail(session)["tight_authentication"], "unix login");
    assert_eq!(rows.of("credential")[0]["weakness"], "clear-text");
    assert!(!format!("{:?}", rows.rows).contains("secret7"));
}

#[test]
fn sealed_logins_are_passed_over_to_their_result() {
    let mut key = vec![0, 2, 0, 4];
    key.extend([7; 8]);
    let apple: [(Direction, &[u8]); 7] =
        [(S, V38), (C, V38), (S, &[1, 30]), (C, &[30]), (S, &key), (C, &[9; 132]), (S, &[0, 0, 0, 0])];
    assert_eq!(run(&apple).of("session")[0]["outcome"], "success");
    let ultra: [(Direction, &[u8]); 7] =
        [(S, V38), (C, V38), (S, &[1, 113]), (C, &[113]), (S, &[7; 24]), (C, &[9; 328]), (S, &[0, 0, 0, 1])];
    assert_eq!(run(&ultra).of("session")[0]["outcome"], "failure");
}

#[test]
fn realvnc_five_is_named() {
    let rows = run(&[(S, b"RFB 005.000\n"), (C, b"RFB 005.000\nx"), (S, &[1, 2, 3])]);
    let session = &rows.of("session")[0];
    assert_eq!((&session["version"], &session["method"]), (&"5.0".into(), &"realvnc".into()));
}

#[test]
fn the_handshake_may_be_cut_anywhere() {
    let screen = hex(SCREEN);
    let parts: [(Direction, &[u8]); 8] = [
        (S, V38),
        (C, V38),
        (S, &[2, 18, 2]),
        (C, &[2]),
        (S, &[0xaa; 16]),
        (C, &[0xbb; 16]),
        (S, &[0, 0, 0, 0]),
        (C, &[1]),
    ];
    let mut bytes: Vec<(Direction, &[u8])> = Vec::new();
    for (direction, part) in parts {
        bytes.extend(part.chunks(1).map(|piece| (direction, piece)));
    }
    bytes.extend(screen.chunks(1).map(|piece| (S, piece)));
    let rows = run(&bytes);
    assert_eq!(detail(&rows.of("session")[0])["desktop_name"], "aneagles@localhost.localdomain");
    assert_eq!(rows.of("operation").len(), 4);
    for length in 0..bytes.len() {
        feed_unprobed(&Vnc, &flow(Transport::Tcp, 5900), &bytes[..length]);
    }
}

#[test]
fn others_are_not_taken() {
    let flow = flow(Transport::Tcp, 5900);
    for data in [&b"RFB 00x.008\n"[..], b"SSH-2.0-x\r\n", b"RFC 003.008\n"] {
        assert_eq!(Vnc.probe(&pdu(&flow, 0, S, data)), Probe::No);
    }
    assert_eq!(Vnc.probe(&pdu(&flow, 0, S, b"RFB 003")), Probe::Unsure);
}

proptest! {
    #[test]
    fn anything_after_the_version_is_survived(
        kind in 0u8..=255,
        pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 1..40)), 0..20),
    ) {
        let offer = [1, kind];
        let mut all: Vec<(Direction, &[u8])> = vec![(S, V38), (C, V38), (S, &offer), (C, &offer[1..])];
        all.extend(pieces.iter().map(|(client, bytes)| (if *client { C } else { S }, bytes.as_slice())));
        let rows = run(&all);
        prop_assert!(rows.of("session").iter().filter(|row| row["protocol"] == "vnc").count() == 1);
    }
}
