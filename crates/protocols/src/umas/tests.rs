//! Frames cut from the quickdraw-modicon-test capture, and hand-made ones.

use quaywatch_model::{Direction, Transport};
use serde_json::json;

use crate::modbus::Modbus;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex};

use Direction::{FromClient, FromServer};

fn talk(turns: &[&str]) -> Recorder {
    let frames: Vec<Vec<u8>> = (0u16..)
        .zip(turns)
        .map(|(index, body)| {
            let body = hex(body);
            let mut frame = (index / 2).to_be_bytes().to_vec();
            frame.extend([0, 0]);
            frame.extend(u16::try_from(body.len() + 2).unwrap().to_be_bytes());
            frame.extend([0, 0x5a]);
            frame.extend(body);
            frame
        })
        .collect();
    let pieces: Vec<(Direction, &[u8])> =
        [FromClient, FromServer].into_iter().cycle().zip(frames.iter().map(Vec::as_slice)).collect();
    feed(&Modbus, &flow(Transport::Tcp, 502), &pieces)
}

// Frames 4, 6, 11 and 12.
#[test]
fn the_plc_says_who_it_is() {
    let rows = talk(&[
        "0002",
        "00fe10ff5a010100000070020000270009000800000000000e3134302043505520333131203130010101000000001100",
        "000300",
        "00fe020500009888010000020500009888010000020c3b0c0e01de07020c3b0c0e01de07080000000850726f6a65637400",
    ]);
    let claims: Vec<_> =
        rows.of("identity").iter().map(|row| (row["attribute"].clone(), row["value"].clone())).collect();
    assert_eq!(
        claims,
        [
            (json!("vendor"), json!("Schneider Electric")),
            (json!("model"), json!("140 CPU 311 10")),
            (json!("firmware"), json!("2.70")),
            (json!("project"), json!("Project")),
        ]
    );
    let operations = rows.of("operation");
    assert_eq!((&operations[0]["protocol"], &operations[0]["name"]), (&json!("umas"), &json!("Read ID")));
    assert_eq!(
        (&operations[0]["code"], &operations[0]["class"], &operations[0]["status"]),
        (&json!(2), &json!("identify"), &json!(0))
    );
    assert_eq!(rows.marks, []);
}

// Frames 49 and 50.
#[test]
fn a_reservation_names_its_owner() {
    let rows = talk(&["0010434c00000f555345522d37313445373446323142", "00fe01"]);
    assert_eq!(rows.of("operation")[0]["class"], "control");
    assert_eq!(rows.of("session")[0]["detail"], "{\"owner\":\"USER-714E74F21B\"}");
    let host = rows.of("identity").into_iter().find(|row| row["attribute"] == "host-name").unwrap();
    assert_eq!((&host["subject"], &host["value"]), (&json!("10.0.0.1"), &json!("USER-714E74F21B")));
}

#[test]
fn start_and_stop_are_controls() {
    let rows = talk(&["0140ff00", "01fe", "0141ff00", "01fd0180"]);
    let operations = rows.of("operation");
    assert_eq!((&operations[0]["name"], &operations[0]["class"]), (&json!("Start PLC"), &json!("control")));
    assert_eq!((&operations[1]["name"], &operations[1]["status_name"]), (&json!("Stop PLC"), &json!("refused")));
    assert_eq!(operations[1]["detail"], "{\"error\":\"0x0180\"}");
}

// As frames 76 to 79 and 183 to 187, with short blocks.
#[test]
fn a_program_read_out_is_an_upload_with_its_hash() {
    let rows = talk(&[
        "01330001fb00",
        "01fe000104000000",
        "013400010100",
        "01fe00000200 6162",
        "013400010200",
        "01fe01000100 63",
        "013500010200",
        "01fe",
    ]);
    let program = &rows.of("program")[0];
    assert_eq!(
        (&program["transfer"], &program["size"], &program["complete"]),
        (&json!("upload"), &json!(3), &json!(true))
    );
    // SHA-256 of "abc" (FIPS 180-2 appendix B.1).
    assert_eq!(program["sha256"][0], 0xba);
    assert_eq!(program["sha256"][31], 0xad);
    assert_eq!(rows.of("operation")[1]["object"], "strategy block 1");
    assert_eq!(rows.of("operation")[1]["quantity"], 2);
}

#[test]
fn a_program_written_is_a_download() {
    let rows = talk(&[
        "0130000104000000",
        "01fe0001",
        "0131000101000200 6162",
        "01fe",
        // Sent again: counts once.
        "0131000101000200 6162",
        "01fe",
        "0131000103000100 63",
        "01fe",
    ]);
    let program = &rows.of("program")[0];
    // Block 2 and the end are missing.
    assert_eq!(
        (&program["transfer"], &program["size"], &program["complete"]),
        (&json!("download"), &json!(3), &json!(false))
    );
}

#[test]
fn memory_is_read_and_variables_are_written() {
    let rows = talk(&["00200013006400 00009c00", "00fe009c00", "0123 01020304", "01fe"]);
    let operations = rows.of("operation");
    assert_eq!(
        (&operations[0]["object"], &operations[0]["quantity"]),
        (&json!("memory block 19 offset 100"), &json!(156))
    );
    assert_eq!(
        (&operations[1]["class"], &operations[1]["detail"]),
        (&json!("write"), &json!("{\"data\":\"0x01020304\"}"))
    );
}

// arkime-modbus frames 347 and 348: a fuzzer's request, refused by Modbus.
#[test]
fn unknown_functions_are_told() {
    let (ask, reply) = (hex("0000 0000 0006 01 5a 00000000"), hex("0000 0000 0003 01 da 01"));
    let rows = feed_unprobed(&Modbus, &flow(Transport::Tcp, 502), &[(FromClient, &ask), (FromServer, &reply)]);
    assert_eq!(rows.of("weird")[0]["name"], "umas_unknown_function");
    let row = &rows.of("operation")[0];
    assert_eq!(
        (&row["status"], &row["status_name"], &row["name"]),
        (&json!(1), &json!("illegal function"), &json!("Unknown Function 0x00"))
    );
}

#[test]
fn truncated_frames_do_no_harm() {
    for body in [
        "00fe10ff5a010100000070020000270009000800000000000e3134302043505520333131203130",
        "0010434c00000f555345522d37313445373446323142",
        "0131000101000200 6162",
        "00200013006400 00009c00",
        "01fe00000200 6162",
    ] {
        let whole = hex(body);
        for length in 0..whole.len() {
            for asked in ["0002", "0003 00", "0010434c00", "0034 0001 0100", "0031 0001 0100 0000", "00"] {
                let mut frames = Vec::new();
                for body in [&hex(asked)[..], &whole[..length]] {
                    let mut frame = hex("0001 0000 0000 00 5a");
                    frame[5] = u8::try_from(body.len() + 2).unwrap();
                    frame.extend(body);
                    frames.push(frame);
                }
                let _ = feed_unprobed(
                    &Modbus,
                    &flow(Transport::Tcp, 502),
                    &[(FromClient, &frames[0]), (FromServer, &frames[1])],
                );
                let _ = feed_unprobed(&Modbus, &flow(Transport::Tcp, 502), &[(FromClient, &frames[1])]);
            }
        }
    }
}
