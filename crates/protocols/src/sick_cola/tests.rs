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
    assert_eq!(probe(&[2, 2, 2, 2, 0, 0, 0, 12, 0, 0, 0x59, 0xac]), Probe::No, "CoLa 2 is another protocol");
}

proptest! {
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
        ] {
            let cut = whole.get(..cut.min(whole.len())).unwrap();
            if !cut.is_empty() {
                feed_unprobed(&SickCola, &flow, &[(FromClient, cut), (FromServer, &whole)]);
            }
        }
    }
}
