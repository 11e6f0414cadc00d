//! Frames by hand from IEEE 1815-2012, and cut from captures.

use proptest::prelude::*;
use quaywatch_model::{Direction, Transport};
use serde_json::{Value, json};

use super::Dnp3;
use super::link::crc;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

use Direction::{FromClient, FromServer};

/// A link frame around user data, with its check sums.
fn frame(control: u8, destination: u16, source: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![5, 0x64, u8::try_from(data.len() + 5).unwrap(), control];
    bytes.extend(destination.to_le_bytes());
    bytes.extend(source.to_le_bytes());
    bytes.extend(crc(&bytes).to_le_bytes());
    for block in data.chunks(16) {
        bytes.extend(block);
        bytes.extend(crc(block).to_le_bytes());
    }
    bytes
}

/// A request of master 1 to outstation 10, in one segment.
fn request(application: &str) -> Vec<u8> {
    let mut data = vec![0xc0];
    data.extend(hex(application));
    frame(0xc4, 10, 1, &data)
}

fn response(application: &str) -> Vec<u8> {
    let mut data = vec![0xc0];
    data.extend(hex(application));
    frame(0x44, 1, 10, &data)
}

fn exchange(asked: &str, replied: &str) -> Recorder {
    let (asked, replied) = (request(asked), response(replied));
    feed(&Dnp3, &flow(Transport::Tcp, 20000), &[(FromClient, &asked), (FromServer, &replied)])
}

fn operations(rows: &Recorder) -> Vec<Value> {
    let mut operations = rows.of("operation");
    for operation in &mut operations {
        let detail = operation["detail"].as_str().unwrap().to_owned();
        operation["detail"] = if detail.is_empty() { json!({}) } else { serde_json::from_str(&detail).unwrap() };
    }
    operations
}

fn operation(rows: &Recorder) -> Value {
    assert_eq!(rows.of("weird"), Vec::<Value>::new());
    let mut operations = operations(rows);
    assert_eq!(operations.len(), 1, "{operations:?}");
    operations.remove(0)
}

// Clause 9.2.6: the check sum of a header, as in every capture (05 64 05 c0 01 00 00 04 -> e9 21).
#[test]
fn check_sums_are_those_of_the_standard() {
    assert_eq!(crc(&hex("056405c001000004")).to_le_bytes(), [0xe9, 0x21]);
}

#[test]
fn classes_are_read() {
    let row = operation(&exchange(
        "c3 01 3c0206 3c0306 3c0406 3c0106",
        "c3 81 9000 0102 00 00 02 81 01 01 1402 00 00 01 01 0500 01 0700",
    ));
    assert_eq!((&row["name"], &row["class"], &row["unit"]), (&json!("Read"), &json!("read"), &json!(10)));
    assert_eq!(row["object"], "class-data g60v2; class-data g60v3; class-data g60v4; class-data g60v1");
    assert_eq!(row["detail"]["reply_objects"], json!(["binary-input g1v2 0-2", "counter g20v2 0-1"]));
    assert_eq!(row["detail"]["indications"], json!(["need-time", "device-restart"]));
    assert_eq!((&row["detail"]["iin"], &row["status"]), (&json!("0x9000"), &json!(0)));
}

#[test]
fn a_relay_is_operated_and_refused() {
    let block = "0c01 17 01 03 41 01 64000000 64000000";
    let row = operation(&exchange(&format!("c4 05 {block} 00"), &format!("c4 81 0000 {block} 07")));
    assert_eq!((&row["name"], &row["class"]), (&json!("Direct Operate"), &json!("control")));
    assert_eq!(row["object"], "binary-output-command g12v1 3");
    assert_eq!(row["detail"]["controls"], json!(["3: close, count 1, on 100 ms, off 100 ms"]));
    assert_eq!(row["detail"]["results"], json!(["3: local"]));
    assert_eq!((&row["status"], &row["status_name"]), (&json!(0x107), &json!("local")));
}

#[test]
fn a_setpoint_is_a_write() {
    let row = operation(&exchange("c4 03 2902 28 0100 0500 e803 00", "c4 81 0000 2902 28 0100 0500 e803 00"));
    assert_eq!(
        (&row["name"], &row["class"], &row["object"]),
        (&json!("Select"), &json!("write"), &json!("analog-output-command g41v2 5"))
    );
    assert_eq!((&row["detail"]["controls"], &row["status_name"]), (&json!(["5: 1000"]), &json!("ok")));
}

#[test]
fn restarts_and_refusals_are_told() {
    let row = operation(&exchange("c0 0d", "c0 81 8000 3402 07 01 1027"));
    assert_eq!((&row["name"], &row["class"]), (&json!("Cold Restart"), &json!("control")));
    let row = operation(&exchange("c0 12 5a01 5b 01 0200 4142", "c0 81 0001"));
    assert_eq!((&row["name"], &row["status_name"]), (&json!("Stop Application"), &json!("no-function-code-support")));
}

#[test]
fn unsolicited_responses_stand_alone() {
    let (told, confirmed) = (response("f2 82 0000 0201 17 01 05 81"), request("d2 00"));
    let rows = feed(&Dnp3, &flow(Transport::Tcp, 20000), &[(FromServer, &told), (FromClient, &confirmed)]);
    let row = operation(&rows);
    assert_eq!((&row["code"], &row["request_frame"]), (&json!(130), &Value::Null));
    assert_eq!(row["object"], "binary-input-change g2v1 5");
}

#[test]
fn attributes_are_claims() {
    let rows = exchange(
        "c1 01 00fe 00 00 00",
        "c1 81 0000 00fc 00 00 00 01 03 414243 00fa 00 00 00 01 02 4d31 00f2 00 00 00 01 03 312e32",
    );
    let said: Vec<String> = rows
        .of("identity")
        .iter()
        .map(|row| format!("{}={}", row["attribute"].as_str().unwrap(), row["value"].as_str().unwrap()))
        .collect();
    assert_eq!(said, ["vendor=ABC", "model=M1", "firmware=1.2"]);
    assert_eq!(operation(&rows)["class"], "identify");
}

#[test]
fn a_file_is_read_and_its_login_is_told_without_the_password() {
    let name = "61 2e 74";
    let pieces = [
        request("c0 1d 4602 5b 01 1800 0c00 0500 1100 0700 00000000 61646d696e 7365637265742e"),
        response("c0 81 0000 4602 5b 01 0c00 0000 0000 0000 0000 78563412"),
        request(&format!("c1 19 4603 5b 01 1d00 1a00 0300 000000000000 ffff 00000000 00000000 0100 0004 0100 {name}")),
        response("c1 81 0000 4604 5b 01 0d00 01000000 05000000 0004 0100 00"),
        request("c2 01 4605 5b 01 0800 01000000 00000000"),
        response("c2 81 0000 4605 5b 01 0b00 01000000 00000000 414243"),
        request("c3 01 4605 5b 01 0800 01000000 01000000"),
        response("c3 81 0000 4605 5b 01 0a00 01000000 01000080 4445"),
        request("c4 1a 4604 5b 01 0d00 01000000 00000000 0000 0200 00"),
        response("c4 81 0000 4604 5b 01 0d00 01000000 00000000 0000 0200 00"),
    ];
    let ways = [FromClient, FromServer].into_iter().cycle();
    let pieces: Vec<(Direction, &[u8])> = ways.zip(&pieces).map(|(way, piece)| (way, piece.as_slice())).collect();
    let rows = feed(&Dnp3, &flow(Transport::Tcp, 20000), &pieces);
    assert_eq!(rows.of("weird"), Vec::<Value>::new());
    let program = &rows.of("program")[0];
    assert_eq!((&program["name"], &program["size"], &program["complete"]), (&json!("a.t"), &json!(5), &json!(true)));
    let session = &rows.of("session")[0];
    assert_eq!((&session["user"], &session["outcome"]), (&json!("admin"), &json!("success")));
    assert_eq!(rows.of("credential")[0]["weakness"], "clear-text");
    assert!(!rows.rows.iter().any(|(_, row)| row.to_string().contains("secret")));
    assert_eq!(operations(&rows).len(), 5);
}

#[test]
fn link_functions_are_paired() {
    let (asked, told) = (frame(0xc9, 10, 1, &[]), frame(0x0b, 1, 10, &[]));
    let row = operation(&feed(&Dnp3, &flow(Transport::Tcp, 20000), &[(FromClient, &asked), (FromServer, &told)]));
    assert_eq!((&row["name"], &row["status_name"]), (&json!("Request Link Status"), &json!("link-status")));
}

#[test]
fn fragments_are_put_together_and_order_is_checked() {
    let flow = flow(Transport::Tcp, 20000);
    let parts = [frame(0xc4, 10, 1, &hex("40 c3 01 3c02")), frame(0xc4, 10, 1, &hex("81 06"))];
    let rows = feed(&Dnp3, &flow, &[(FromClient, &parts[0]), (FromClient, &parts[1])]);
    assert_eq!(operation(&rows)["object"], "class-data g60v2");
    let late = frame(0xc4, 10, 1, &hex("82 06"));
    let rows = feed(&Dnp3, &flow, &[(FromClient, &parts[0]), (FromClient, &late)]);
    assert_eq!(rows.of("weird")[0]["name"], "dnp3_transport");
}

#[test]
fn wrong_check_sums_are_told() {
    let mut asked = request("c3 01 3c0206");
    *asked.last_mut().unwrap() ^= 1;
    let rows = feed(&Dnp3, &flow(Transport::Tcp, 20000), &[(FromClient, &asked)]);
    assert_eq!(rows.of("weird")[0]["name"], "dnp3_crc");
    assert_eq!(rows.of("operation").len(), 0);
}

#[test]
fn what_is_not_dnp3_is_refused() {
    let flow = flow(Transport::Tcp, 5000);
    for bytes in ["ff", "0565", "056405c00100000400 00", "0564"] {
        let bytes = hex(bytes);
        let answer = Dnp3.probe(&pdu(&flow, 0, FromClient, &bytes));
        assert_eq!(answer, if bytes == [5, 0x64] { Probe::Unsure } else { Probe::No }, "{bytes:02x?}");
    }
}

#[test]
fn truncations_do_not_panic() {
    let whole = [
        "c0 81 0000 4604 5b 01 0d00 01000000 05000000 0004 0100 00",
        "c4 05 0c01 17 01 03 41 01 64000000 64000000 00",
        "c1 19 4603 5b 01 1d00 1a00 0300 000000000000 ffff 00000000 00000000 0100 0004 0100 612e74",
        "c1 81 0000 00fc 00 00 00 01 03 414243 1e01 01 0000 0100 01 11111111 01 22222222",
        "c0 1d 4602 5b 01 1800 0c00 0500 1100 0700 00000000 61646d696e 7365637265742e",
    ];
    for application in whole {
        let bytes = hex(application);
        for end in 0..bytes.len() {
            for control in [0xc4, 0x44] {
                let mut data = vec![0xc0];
                data.extend(&bytes[..end]);
                let frame = frame(control, 10, 1, &data);
                let _ =
                    feed_unprobed(&Dnp3, &flow(Transport::Tcp, 20000), &[(FromClient, &frame), (FromServer, &frame)]);
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces(pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 1..80)), 0..20)) {
        for transport in [Transport::Tcp, Transport::Udp] {
            let flow = flow(transport, 20000);
            let pieces: Vec<(Direction, &[u8])> =
                pieces.iter().map(|(client, data)| (if *client { FromClient } else { FromServer }, data.as_slice())).collect();
            let _ = feed_unprobed(&Dnp3, &flow, &pieces);
        }
    }

    #[test]
    fn any_fragment_in_sound_frames(
        pieces in prop::collection::vec((any::<bool>(), any::<u8>(), prop::collection::vec(any::<u8>(), 1..60)), 0..20),
        step in 1usize..40,
    ) {
        let flow = flow(Transport::Tcp, 20000);
        let mut rows = Recorder::default();
        let mut analyzer = Dnp3.open(&flow);
        for (client, function, body) in &pieces {
            let mut data = vec![0xc0, 0xc0, if *client { *function % 34 } else { 129 + *function % 3 }];
            data.extend(body);
            let frame = if *client { frame(0xc4, 10, 1, &data) } else { frame(0x44, 1, 10, &data) };
            for piece in frame.chunks(step) {
                analyzer.feed(&pdu(&flow, 0, if *client { FromClient } else { FromServer }, piece), &mut rows);
            }
        }
        analyzer.close(&flow, &mut rows);
        for row in rows.of("operation") {
            prop_assert!(serde_json::from_str::<Value>(row["detail"].as_str().unwrap()).is_ok());
        }
    }
}
