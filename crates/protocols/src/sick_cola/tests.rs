//! Telegrams as the maker's telegram listing prints them.

use proptest::prelude::*;
use quaywatch_model::{Direction, Mark, Transport};
use serde_json::json;

use super::SickCola;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

use Direction::{FromClient, FromServer};

fn ascii(text: &str) -> Vec<u8> {
    [b"\x02", text.as_bytes(), b"\x03"].concat()
}

/// Four STX, length, data, checksum.
fn binary(text: &str, values: &[u8]) -> Vec<u8> {
    let data = [text.as_bytes(), values].concat();
    let sum = data.iter().fold(0, |sum, byte| sum ^ byte);
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&[2, 2, 2, 2][..], &length, &data, &[sum]].concat()
}

fn talk(pieces: &[(Direction, Vec<u8>)]) -> Recorder {
    let pieces: Vec<(Direction, &[u8])> =
        pieces.iter().map(|(direction, bytes)| (*direction, bytes.as_slice())).collect();
    feed(&SickCola, &flow(Transport::Tcp, 2111), &pieces)
}

#[test]
fn a_device_says_what_it_is_in_both_dialects() {
    let name = "LMS10x_FieldEval";
    let version = "V1.36-21.10.2010";
    let text = ascii(&format!("sRA DeviceIdent 10 {name} 10 {version}"));
    let values = [&[0, 16][..], name.as_bytes(), &[0, 16], version.as_bytes()].concat();
    for (question, answer) in
        [(ascii("sRN DeviceIdent"), text), (binary("sRN DeviceIdent", &[]), binary("sRA DeviceIdent ", &values))]
    {
        let rows = talk(&[(FromClient, question), (FromServer, answer)]);
        assert_eq!(rows.of("weird"), Vec::<serde_json::Value>::new());
        let identities: Vec<String> =
            rows.of("identity").iter().map(|row| format!("{} {}", row["attribute"], row["value"])).collect();
        let wanted = ["\"vendor\" \"SICK\"", "\"model\" \"LMS10x_FieldEval\"", "\"firmware\" \"V1.36-21.10.2010\""];
        assert_eq!(identities, wanted);
        let row = &rows.of("operation")[0];
        assert_eq!((&row["name"], &row["class"]), (&json!("read by name"), &json!("identify")));
        assert_eq!((&row["object"], &row["status"]), (&json!("DeviceIdent"), &json!(0)));
        assert_eq!((&row["request_frame"], &row["reply_frame"]), (&json!(1), &json!(2)));
    }
}

// TiM781 manual, table 123: the telegram with its checksum.
#[test]
fn the_manuals_own_bytes_are_read() {
    let question = hex("02020202 00000011 73524e20 53436465766963657374617465 30");
    let answer = hex("02020202 00000013 73524120 53436465766963657374617465 20 01 1e");
    let rows = talk(&[(FromClient, question), (FromServer, answer)]);
    assert_eq!((rows.of("weird").len(), rows.marks.len()), (0, 0));
    let row = &rows.of("operation")[0];
    assert_eq!((&row["object"], &row["class"]), (&json!("SCdevicestate"), &json!("read")));
    assert_eq!(row["detail"], r#"{"dialect":"CoLa B","value":"01"}"#);
}

#[test]
fn a_login_with_the_makers_password_is_told_and_never_the_hash() {
    for (login, answer) in [
        (ascii("sMN SetAccessMode 03 F4724744"), ascii("sAN SetAccessMode 1")),
        (binary("sMN SetAccessMode ", &hex("03 f4724744")), binary("sAN SetAccessMode ", &[1])),
    ] {
        let rows = talk(&[(FromClient, login), (FromServer, answer)]);
        let session = &rows.of("session")[0];
        assert_eq!((&session["user"], &session["outcome"]), (&json!("authorized client"), &json!("success")));
        let weaknesses: Vec<_> = rows.of("credential").iter().map(|row| row["weakness"].clone()).collect();
        assert_eq!(weaknesses, ["clear-text", "default"]);
        assert!(!format!("{rows:?}").to_lowercase().contains("f4724744"));
        assert_eq!(rows.of("operation")[0]["class"], "session");
    }
    let refused =
        talk(&[(FromClient, ascii("sMN SetAccessMode 03 F4724744")), (FromServer, ascii("sAN SetAccessMode 0"))]);
    assert_eq!(refused.of("session")[0]["outcome"], "failure");
    assert_eq!(refused.of("credential").len(), 1, "a refused default says nothing of the account");
}

#[test]
fn writes_methods_errors_and_streams_have_their_classes() {
    let rows = talk(&[
        (FromClient, ascii("sWN EIIpAddr C0 A8 0 2")),
        (FromServer, ascii("sWA EIIpAddr")),
        (FromClient, ascii("sMN mSCreboot")),
        (FromServer, ascii("sFA 1")),
        (FromClient, ascii("sEN LMDscandata 1")),
        (FromServer, ascii("sEA LMDscandata 1")),
        (FromServer, ascii("sSN LMDscandata 1 1 89A27F")),
        (FromServer, ascii("sSN LMDscandata 1 1 89A280")),
        (FromClient, ascii("sMN mEEwriteall")),
    ]);
    let told: Vec<String> = rows
        .of("operation")
        .iter()
        .map(|row| {
            format!("{} {} {} {}", row["class"], row["object"], row["status"], row["status_name"]).replace('"', "")
        })
        .collect();
    assert_eq!(
        told,
        [
            "configure EIIpAddr 0 answered",
            "control mSCreboot 1 method access denied",
            "cyclic LMDscandata 0 answered",
            "cyclic LMDscandata 0 answered",
            "configure mEEwriteall null ",
        ]
    );
}

#[test]
fn damage_is_told_and_the_next_telegram_read() {
    let mut broken = binary("sRN DeviceIdent", &[]);
    *broken.last_mut().unwrap() ^= 1;
    let rows = talk(&[(FromClient, broken)]);
    assert_eq!(rows.of("weird")[0]["name"], "sick_cola_checksum");
    let rows = talk(&[
        (FromClient, ascii("sRN DeviceIdent")),
        (FromClient, b"noise".to_vec()),
        (FromClient, ascii("sRN SerialNumber")),
    ]);
    assert_eq!(rows.of("weird")[0]["name"], "sick_cola_framing");
    assert_eq!(rows.of("operation").len(), 2);
    assert!(rows.marks.contains(&Mark::Malformed("bytes between telegrams, or a length that is not possible")));
}

#[test]
fn the_probe_is_strict() {
    let flow = flow(Transport::Tcp, 5000);
    let probe = |bytes: &[u8]| SickCola.probe(&pdu(&flow, 0, FromClient, bytes));
    assert_eq!(probe(&ascii("sRN DeviceIdent")), Probe::Yes);
    assert_eq!(probe(&ascii("sRA DeviceIdent 1 A")), Probe::YesFromServer);
    assert_eq!(probe(b"\x02sXX foo\x03"), Probe::No);
    assert_eq!(probe(b"\x02s"), Probe::Unsure);
    assert_eq!(probe(b"\x02hello"), Probe::No);
    assert_eq!(probe(b"\x02sOA x\x03"), Probe::No, "only CoLa 2 has sessions");
    let created = hex(CREATE);
    assert_eq!(probe(&created), Probe::Yes);
    assert_eq!(probe(&created[..12]), Probe::Unsure);
    assert_eq!(probe(&hex(CREATED)), Probe::YesFromServer);
    assert_eq!(probe(&[2, 2, 2, 2, 0, 0, 0, 9, 0, 0]), Probe::No, "too short for a command");
    assert_eq!(probe(&[2, 2, 2, 2, 0, 0, 0, 12, 0, 0, 1, 2, 3, 4, 0, 1, b'R', b'X']), Probe::No);
    assert_eq!(probe(&[2, 2, 2, 2, 0, 0, 0, 12, 0x40]), Probe::No, "no hub counter");
}

/// Create a session with 30 seconds, and its answer: microScan3 (8022708), section 7.4.
const CREATE: &str = "02020202 0000000d 00 00 00000000 0001 4f58 1e0000";
const CREATED: &str = "02020202 0000000a 00 00 a09e8aab 0001 4f41";

/// A telegram of CoLa 2 in a session.
fn two(request: u8, kind: &[u8; 2], rest: &[u8]) -> Vec<u8> {
    let length = u32::try_from(10 + rest.len()).unwrap().to_be_bytes();
    [&[2, 2, 2, 2][..], &length, &[0, 0, 0x5a, 0x84, 0x91, 0xdd, 0, request], kind, rest].concat()
}

// The session that the manual prints, with its serial number from section 7.3.1.1.
#[test]
fn the_manuals_session_of_cola_2_is_read() {
    let pieces = [
        (FromClient, hex(CREATE)),
        (FromServer, hex(CREATED)),
        (FromClient, hex("02020202 0000000c 00 00 a09e8aab 0002 5249 0300")),
        (
            FromServer,
            hex("02020202 0000001f 00 00 a09e8aab 0002 5241 0300 1100 31363431 39303837 2f313634 30313633 38"),
        ),
        (FromClient, hex("02020202 0000000e 00 00 a09e8aab 0003 4d49 0e00 0500")),
        (FromServer, hex("02020202 0000000c 00 00 a09e8aab 0003 4149 0e00")),
        (FromClient, hex("02020202 0000000a 00 00 a09e8aab 0004 4358")),
        (FromServer, hex("02020202 0000000a 00 00 a09e8aab 0004 4341")),
    ];
    let rows = talk(&pieces);
    assert_eq!((rows.of("weird").len(), rows.marks.len()), (0, 0));
    let told: Vec<String> = rows
        .of("operation")
        .iter()
        .map(|row| format!("{}|{}|{}|{}", row["class"], row["name"], row["object"], row["status"]).replace('"', ""))
        .collect();
    let wanted = [
        "session|create session||0",
        "read|read by index|index 3|0",
        "control|method by index|index 14|0",
        "session|close session||0",
    ];
    assert_eq!(told, wanted);
    assert_eq!(rows.of("operation")[0]["detail"], r#"{"dialect":"CoLa 2","timeout_s":30}"#);
    let identities: Vec<_> = rows.of("identity").iter().map(|row| row["value"].clone()).collect();
    assert_eq!(identities, ["SICK", "16419087/16401638"]);
    assert!(!format!("{rows:?}").contains("a09e8aab"), "the number of a session is as good as its login");
}

#[test]
fn cola_2_logs_in_by_hash_or_by_proof() {
    for hash in ["f4724744", "444772f4"] {
        let login = [b" SetAccessMode \x03".to_vec(), hex(hash)].concat();
        let rows = talk(&[(FromClient, two(1, b"MN", &login)), (FromServer, two(1, b"AN", b" SetAccessMode \x01"))]);
        let session = &rows.of("session")[0];
        assert_eq!((&session["user"], &session["outcome"]), (&json!("authorized client"), &json!("success")));
        let weaknesses: Vec<_> = rows.of("credential").iter().map(|row| row["weakness"].clone()).collect();
        assert_eq!(weaknesses, ["clear-text", "default"]);
        assert!(!format!("{rows:?}").contains(hash));
    }
    let proof = [b" SetUserLevel ".to_vec(), vec![7; 32], vec![3]].concat();
    let rows = talk(&[(FromClient, two(1, b"MN", &proof)), (FromServer, two(1, b"AN", b" SetUserLevel \x02"))]);
    let session = &rows.of("session")[0];
    assert_eq!((&session["method"], &session["outcome"]), (&json!("challenge-response"), &json!("failure")));
    assert!(rows.of("credential").is_empty());
}

#[test]
fn cola_2_pairs_by_the_number_of_the_request() {
    let rows = talk(&[
        (FromClient, two(1, b"RI", &[179, 0])),
        (FromClient, two(2, b"WN", b" LocationName \x00\x02QC")),
        (FromServer, two(2, b"FA", &[10, 0])),
        (FromServer, two(1, b"RA", &[179, 0, 1, 2])),
        (FromServer, two(9, b"RA", &[4, 0, 3, 0, b'V', b'1', b'2'])),
    ]);
    let told: Vec<String> = rows
        .of("operation")
        .iter()
        .map(|row| {
            format!("{}|{}|{}|{}", row["name"], row["object"], row["status_name"], row["latency"]).replace('"', "")
        })
        .collect();
    let wanted = [
        "write by name|LocationName|variable write access denied|1000000",
        "read by index|index 179|answered|3000000",
        "read by index|index 4|answered|null",
    ];
    assert_eq!(told, wanted);
    assert_eq!(rows.of("identity")[1]["value"], "V12");
    let mut through_hubs = two(1, b"RI", &[3, 0]);
    through_hubs[9] = 1;
    let rows = talk(&[(FromClient, two(1, b"RI", &[3, 0])), (FromClient, through_hubs)]);
    assert_eq!(rows.marks, [Mark::Undecoded("CoLa 2 through hubs")]);
}

proptest! {
    #[test]
    fn any_cola_2_does_no_harm(first: u8, second: u8, bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let flow = flow(Transport::Tcp, 2122);
        let telegram = two(1, &[first, second], &bytes);
        let login = two(2, b"MN", &[&b" SetAccessMode "[..], &bytes].concat());
        feed_unprobed(&SickCola, &flow, &[(FromClient, &telegram), (FromServer, &telegram), (FromClient, &login)]);
    }

    #[test]
    fn hostile_bytes_do_no_harm(pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 1..64)), 0..12)) {
        let flow = flow(Transport::Tcp, 2111);
        let pieces: Vec<(Direction, &[u8])> =
            pieces.iter().map(|(from, bytes)| (if *from { FromClient } else { FromServer }, bytes.as_slice())).collect();
        feed_unprobed(&SickCola, &flow, &pieces);
    }

    #[test]
    fn truncated_telegrams_do_no_harm(cut in 0usize..64) {
        let flow = flow(Transport::Tcp, 2111);
        for whole in [
            ascii("sMN SetAccessMode 03 F4724744"),
            ascii("sRA DeviceIdent 10 LMS10x_FieldEval 10 V1.36-21.10.2010"),
            binary("sRA DeviceIdent ", &hex("0003 414243 0001 58")),
            binary("sFA", &[1]),
            hex(CREATE),
            two(1, b"RA", &[3, 0, 2, 0, 65, 66]),
            two(1, b"MN", b" SetAccessMode \x03\x00\x01\x02\x03"),
        ] {
            let cut = whole.get(..cut.min(whole.len())).unwrap();
            if !cut.is_empty() {
                feed_unprobed(&SickCola, &flow, &[(FromClient, cut), (FromServer, &whole)]);
            }
        }
    }
}
