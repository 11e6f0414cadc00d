//! Frames by hand from IEC 60870-5-104 and -101, and cut from captures.

use proptest::prelude::*;
use quaywatch_model::{Direction, Transport};
use serde_json::{Value, json};

use super::Iec104;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

use Direction::{FromClient, FromServer};

/// A numbered frame around a data unit.
fn numbered(send: u16, asdu: &str) -> Vec<u8> {
    let asdu = hex(asdu);
    let mut bytes = vec![0x68, u8::try_from(asdu.len() + 4).unwrap()];
    bytes.extend((send << 1).to_le_bytes());
    bytes.extend([0, 0]);
    bytes.extend(asdu);
    bytes
}

fn run(pieces: &[(Direction, Vec<u8>)]) -> Recorder {
    let pieces: Vec<(Direction, &[u8])> = pieces.iter().map(|(way, piece)| (*way, piece.as_slice())).collect();
    feed(&Iec104, &flow(Transport::Tcp, 2404), &pieces)
}

fn operations(rows: &Recorder) -> Vec<Value> {
    let mut operations = rows.of("operation");
    for operation in &mut operations {
        let detail = operation["detail"].as_str().unwrap().to_owned();
        operation["detail"] = if detail.is_empty() { json!({}) } else { serde_json::from_str(&detail).unwrap() };
    }
    operations
}

fn exchange(asked: &str, replied: &str) -> Value {
    let rows = run(&[(FromClient, numbered(0, asked)), (FromServer, numbered(0, replied))]);
    assert_eq!(rows.of("weird"), Vec::<Value>::new());
    let mut operations = operations(&rows);
    assert_eq!(operations.len(), 1, "{operations:?}");
    operations.remove(0)
}

#[test]
fn a_single_command_is_confirmed_or_refused() {
    let row = exchange("2d 01 06 00 0100 d00700 01", "2d 01 07 00 0100 d00700 01");
    assert_eq!((&row["name"], &row["class"]), (&json!("C_SC_NA_1 single command"), &json!("control")));
    assert_eq!((&row["object"], &row["unit"], &row["code"]), (&json!("ioa 2000"), &json!(1), &json!(45)));
    assert_eq!(
        row["detail"],
        json!({"cause": "activation", "reply_cause": "activation-confirmation", "negative": false, "values": ["2000: on"]})
    );
    assert_eq!((&row["status"], &row["status_name"]), (&json!(0), &json!("confirmed")));
    let row = exchange("2d 01 06 00 0100 d00700 81", "2d 01 47 00 0100 d00700 81");
    assert_eq!(
        (&row["status"], &row["status_name"], &row["detail"]["select"]),
        (&json!(1), &json!("refused"), &json!(true))
    );
    let row = exchange("2d 01 06 00 0100 d00700 81", "2d 01 6f 00 0100 d00700 81");
    assert_eq!((&row["status"], &row["status_name"]), (&json!(47), &json!("unknown-object-address")));
}

#[test]
fn commands_have_their_values() {
    let values = |asked: &str| {
        let replied = asked.replacen(" 06 ", " 07 ", 1);
        let row = exchange(asked, &replied);
        (row["class"].clone(), row["detail"]["values"][0].clone(), row["detail"]["time"].clone())
    };
    assert_eq!(values("2e 01 06 00 0100 010000 02"), (json!("control"), json!("1: on"), Value::Null));
    assert_eq!(values("2f 01 06 00 0100 010000 01"), (json!("control"), json!("1: lower"), Value::Null));
    assert_eq!(values("30 01 06 00 0100 010000 0040 00"), (json!("write"), json!("1: 0.5"), Value::Null));
    assert_eq!(values("31 01 06 00 0100 010000 9cff 00"), (json!("write"), json!("1: -100"), Value::Null));
    assert_eq!(values("32 01 06 00 0100 010000 00004841 00"), (json!("write"), json!("1: 12.5"), Value::Null));
    assert_eq!(values("33 01 06 00 0100 010000 78563412"), (json!("write"), json!("1: 0x12345678"), Value::Null));
    assert_eq!(
        values("3a 01 06 00 0100 010000 01 e803 1e 0a 19 0a 13"),
        (json!("control"), json!("1: on"), json!("2019-10-25 10:30:01.000"))
    );
}

#[test]
fn system_commands_are_classed() {
    let row = exchange("64 01 06 00 0100 000000 14", "64 01 07 00 0100 000000 14");
    assert_eq!((&row["class"], &row["detail"]["qualifier"]), (&json!("read"), &json!(20)));
    let row = exchange("65 01 06 00 0100 000000 45", "65 01 07 00 0100 000000 45");
    assert_eq!(row["class"], "write");
    let row = exchange("67 01 06 00 0100 000000 e803 1e 0a 19 0a 13", "67 01 07 00 0100 000000 e803 1e 0a 19 0a 13");
    assert_eq!((&row["class"], &row["detail"]["time"]), (&json!("configure"), &json!("2019-10-25 10:30:01.000")));
    let row = exchange("69 01 06 00 0100 000000 01", "69 01 07 00 0100 000000 01");
    assert_eq!((&row["class"], &row["detail"]["reset"]), (&json!("control"), &json!("general-reset")));
}

#[test]
fn process_data_is_told_once_and_counted() {
    let mut two = numbered(0, "0d 02 03 00 0300 140500 0000803f 00 150500 00000040 00");
    two.extend(numbered(1, "0d 01 03 00 0300 140500 0000803f 00"));
    two.extend(numbered(2, "01 8a 14 00 0300 1a2700 00010001000100010001"));
    let rows = run(&[(FromServer, two)]);
    assert_eq!(rows.of("weird"), Vec::<Value>::new());
    let operations = operations(&rows);
    assert_eq!(operations[0]["object"], "ioa 1300, 1301");
    assert_eq!((&operations[1]["object"], &operations[1]["class"]), (&json!("ioa 10010-10019"), &json!("cyclic")));
    assert_eq!((&operations[2]["quantity"], &operations[2]["detail"]["repeated"]), (&json!(1), &json!(true)));
    assert_eq!(operations.len(), 3);
}

#[test]
fn the_connection_is_started_and_tested() {
    let rows = run(&[
        (FromClient, hex("680407000000")),
        (FromServer, hex("68040b000000")),
        (FromClient, hex("680443000000")),
        (FromServer, hex("680483000000")),
        (FromClient, hex("680443000000")),
        (FromServer, hex("680483000000")),
        (FromClient, hex("680401000600")),
    ]);
    let operations = operations(&rows);
    let names: Vec<&str> = operations.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["STARTDT", "TESTFR", "TESTFR"]);
    assert_eq!((&operations[0]["class"], &operations[0]["status"]), (&json!("session"), &json!(0)));
    assert_eq!(operations[2]["quantity"], 1);
}

#[test]
fn a_file_is_put_together() {
    let rows = run(&[
        (FromServer, numbered(0, "78 01 0d 00 0100 0a0000 0100 050000 00")),
        (FromServer, numbered(1, "7d 01 0d 00 0100 0a0000 0100 01 03 414243")),
        (FromServer, numbered(2, "7d 01 0d 00 0100 0a0000 0100 01 02 4445")),
        (FromServer, numbered(3, "7b 01 0d 00 0100 0a0000 0100 01 01 00")),
    ]);
    let program = &rows.of("program")[0];
    assert_eq!((&program["name"], &program["size"]), (&json!("file 1 of 1/10"), &json!(5)));
    assert_eq!((&program["complete"], &program["transfer"]), (&json!(true), &json!("upload")));
}

#[test]
fn breaks_are_told() {
    let names = |pieces: &[(Direction, Vec<u8>)]| -> Vec<String> {
        run(pieces).of("weird").iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    let sound = (FromServer, numbered(0, "01 01 03 00 0100 010000 01"));
    assert_eq!(names(&[sound.clone(), (FromServer, numbered(2, "01 01 03 00 0100 010000 01"))]), ["iec104_sequence"]);
    assert_eq!(
        names(&[sound.clone(), (FromServer, numbered(1, "01 02 03 00 0100 010000 01"))]),
        ["iec104_asdu_malformed"]
    );
    assert_eq!(
        names(&[sound.clone(), (FromServer, numbered(1, "c8 01 03 00 0100 010000 01"))]),
        ["iec104_type_unknown"]
    );
    assert_eq!(names(&[sound.clone(), (FromServer, hex("680405000000"))]), ["iec104_control"]);
    assert_eq!(names(&[sound, (FromServer, hex("aa"))]), ["iec104_framing"]);
}

#[test]
fn what_is_not_iec104_is_refused() {
    let flow = flow(Transport::Tcp, 2404);
    for (bytes, answer) in [
        ("68656c6c6f20776f726c64", Probe::No),
        ("6804", Probe::Unsure),
        ("680401000200", Probe::Unsure),
        ("680407000001", Probe::No),
        ("68040700000047", Probe::No),
        ("48", Probe::No),
    ] {
        assert_eq!(Iec104.probe(&pdu(&flow, 0, FromClient, &hex(bytes))), answer, "{bytes}");
    }
}

#[test]
fn truncations_do_not_panic() {
    for asdu in [
        "3a 01 06 00 0100 010000 01 e803 1e 0a 19 0a 13",
        "0d 02 03 00 0300 140500 0000803f 00 150500 00000040 00",
        "01 8a 14 00 0300 1a2700 00010001000100010001",
        "7d 01 0d 00 0100 0a0000 0100 01 03 414243",
        "78 01 0d 00 0100 0a0000 0100 050000 00",
    ] {
        let whole = hex(asdu);
        for end in 0..whole.len() {
            let mut frame = vec![0x68, u8::try_from(end + 4).unwrap(), 0, 0, 0, 0];
            frame.extend(&whole[..end]);
            let pieces = [(FromClient, frame.as_slice()), (FromServer, frame.as_slice())];
            let _ = feed_unprobed(&Iec104, &flow(Transport::Tcp, 2404), &pieces);
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces(pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 1..80)), 0..20)) {
        let flow = flow(Transport::Tcp, 2404);
        let pieces: Vec<(Direction, &[u8])> =
            pieces.iter().map(|(client, data)| (if *client { FromClient } else { FromServer }, data.as_slice())).collect();
        let _ = feed_unprobed(&Iec104, &flow, &pieces);
    }

    #[test]
    fn any_unit_in_sound_frames(
        units in prop::collection::vec((any::<bool>(), 0u8..128, any::<u8>(), 0u8..64, prop::collection::vec(any::<u8>(), 0..60)), 0..20),
    ) {
        let flow = flow(Transport::Tcp, 2404);
        let frames: Vec<(Direction, Vec<u8>)> = units
            .iter()
            .map(|(client, code, qualifier, cause, body)| {
                let mut frame = vec![0x68, u8::try_from(body.len() + 10).unwrap(), 0, 0, 0, 0, *code, *qualifier, *cause, 0, 1, 0];
                frame.extend(body);
                (if *client { FromClient } else { FromServer }, frame)
            })
            .collect();
        let pieces: Vec<(Direction, &[u8])> = frames.iter().map(|(way, data)| (*way, data.as_slice())).collect();
        for row in feed_unprobed(&Iec104, &flow, &pieces).of("operation") {
            prop_assert!(serde_json::from_str::<Value>(row["detail"].as_str().unwrap()).is_ok());
        }
    }
}
