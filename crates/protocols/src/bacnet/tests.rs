//! PDUs by hand from the standard's annex F, and cut from captures.

use proptest::prelude::*;
use quaywatch_model::{Direction, Transport};
use serde_json::{Value, json};

use super::Bacnet;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

use Direction::{FromClient, FromServer};

/// Puts the link header in front of a network PDU.
fn link(npdu: &str) -> Vec<u8> {
    let npdu = hex(npdu);
    let mut bytes = vec![0x81, 0x0a];
    bytes.extend(u16::try_from(npdu.len() + 4).unwrap().to_be_bytes());
    bytes.extend(npdu);
    bytes
}

fn exchange(request: &str, reply: &str) -> Recorder {
    let (request, reply) = (link(request), link(reply));
    feed(&Bacnet, &flow(Transport::Udp, 47808), &[(FromClient, &request), (FromServer, &reply)])
}

fn operation(rows: &Recorder) -> Value {
    assert_eq!(rows.of("weird"), Vec::<Value>::new());
    let mut operations = rows.of("operation");
    assert_eq!(operations.len(), 1, "{operations:?}");
    let mut operation = operations.remove(0);
    let detail = operation["detail"].as_str().unwrap().to_owned();
    operation["detail"] = if detail.is_empty() { json!({}) } else { serde_json::from_str(&detail).unwrap() };
    operation
}

fn claims(rows: &Recorder) -> Vec<String> {
    let say = |row: &Value| format!("{}={}", row["attribute"].as_str().unwrap(), row["value"].as_str().unwrap());
    rows.of("identity").iter().map(say).collect()
}

// Annex F.3.5.
#[test]
fn a_property_is_read() {
    let row =
        operation(&exchange("0104 00 00 01 0c 0c00000005 1955", "0100 30 01 0c 0c00000005 1955 3e 44 4290999a 3f"));
    assert_eq!((&row["name"], &row["class"], &row["code"]), (&json!("ReadProperty"), &json!("read"), &json!(12)));
    assert_eq!(row["object"], "analog-input 5 present-value");
    assert_eq!(row["detail"], json!({"invoke_id": 1, "read": ["72.3"]}));
    assert_eq!((&row["status"], &row["latency"]), (&json!(0), &json!(1_000_000)));
}

// Annex F.3.7.
#[test]
fn several_properties_are_read_and_one_fails() {
    let rows = exchange(
        "0104 00 04 02 0e 0c00000021 1e 0955 1f 0c00000032 1e 0955 1f 0c00000023 1e 0955 1f",
        "0100 30 02 0e 0c00000021 1e 2955 4e 44 42293333 4f 1f 0c00000032 1e 2955 5e 9101 911f 5f 1f 0c00000023 1e 2955 4e 44 43d9d99a 4f 1f",
    );
    let row = operation(&rows);
    assert_eq!(
        row["object"],
        "analog-input 33 present-value; analog-input 50 present-value; analog-input 35 present-value"
    );
    assert_eq!(row["quantity"], 3);
    assert_eq!(
        row["detail"]["read"],
        json!([
            "analog-input 33 present-value = 42.3",
            "analog-input 50 present-value failed object: unknown-object",
            "analog-input 35 present-value = 435.7"
        ])
    );
    assert_eq!(row["detail"]["failed"], 1);
}

// Annex F.3.9, refused.
#[test]
fn a_write_is_told_with_value_priority_and_refusal() {
    let row =
        operation(&exchange("0104 00 04 59 0f 0c00800001 1955 3e 44 43340000 3f 4908", "0100 50 59 0f 9102 9128"));
    assert_eq!((&row["object"], &row["class"]), (&json!("analog-value 1 present-value"), &json!("write")));
    assert_eq!(row["detail"]["written"], json!(["180"]));
    assert_eq!((&row["detail"]["priority"], &row["status"]), (&json!(8), &json!(0x0102_0028)));
    assert_eq!(row["status_name"], "write-access-denied");
    let row = operation(&exchange("0104 00 04 59 0f 0c00800001 1955 3e 44 43340000 3f", "0100 60 59 09"));
    assert_eq!(row["status_name"], "reject: unrecognized-service");
    let row = operation(&exchange("0104 00 04 59 0f 0c00800001 1955 3e 44 43340000 3f", "0100 71 59 04"));
    assert_eq!(row["status_name"], "abort: segmentation-not-supported");
}

// Annex F.3.10.
#[test]
fn several_properties_are_written() {
    let row = operation(&exchange(
        "0104 00 04 01 10 0c00800005 1e 0955 2e 44 42860000 2f 1f 0c00800006 1e 0955 2e 44 42860000 2f 3908 1f",
        "0100 20 01 10",
    ));
    assert_eq!(row["object"], "analog-value 5 present-value; analog-value 6 present-value");
    assert_eq!((&row["detail"]["written"], &row["status"]), (&json!(["67", "67"]), &json!(0)));
}

// Annex F.4.1 and F.4.4, with the passwords of its examples.
#[test]
fn device_control_is_told_and_its_password_is_not() {
    let rows = exchange("0104 00 04 05 11 0905 1901 2d08 00 2365676264662 1".trim(), "0100 20 05 11");
    let row = operation(&rows);
    assert_eq!((&row["object"], &row["class"]), (&json!("disable"), &json!("control")));
    assert_eq!(row["detail"], json!({"invoke_id": 5, "minutes": 5, "with_password": true}));
    assert_eq!(rows.of("session")[0]["outcome"], "success");
    assert_eq!(rows.of("credential")[0]["weakness"], "clear-text");
    let rows = exchange("0104 00 04 02 14 0901 1d09 00 4162634445464748", "0100 50 02 14 9104 911a");
    let row = operation(&rows);
    assert_eq!((&row["object"], &row["class"]), (&json!("warmstart"), &json!("control")));
    assert_eq!(rows.of("session")[0]["outcome"], "failure");
    assert!(!rows.rows.iter().any(|(_, row)| row.to_string().contains("AbcDEFGH")));
    let row = operation(&exchange("0104 00 04 02 14 0904", "0100 20 02 14"));
    assert_eq!((&row["object"], &row["class"]), (&json!("start-restore"), &json!("program")));
}

// Annex F.2.1 and F.2.2, the file in two parts.
#[test]
fn a_file_that_is_read_to_its_end_is_a_program() {
    let parts = [
        link("0104 00 02 00 06 c402800001 0e 3100 2103 0f"),
        link("0100 30 00 06 10 0e 3100 63 414243 0f"),
        link("0104 00 02 01 06 c402800001 0e 3103 2103 0f"),
        link("0100 30 01 06 11 0e 3103 62 4445 0f"),
    ];
    let pieces: Vec<(Direction, &[u8])> =
        parts.iter().zip([FromClient, FromServer, FromClient, FromServer]).map(|(p, d)| (d, p.as_slice())).collect();
    let rows = feed(&Bacnet, &flow(Transport::Udp, 47808), &pieces);
    let program = &rows.of("program")[0];
    assert_eq!((&program["name"], &program["size"]), (&json!("file 1"), &json!(5)));
    assert_eq!((&program["complete"], &program["transfer"]), (&json!(true), &json!("upload")));
    let row = &rows.of("operation")[0];
    assert_eq!((&row["object"], &row["class"]), (&json!("file 1"), &json!("program")));
}

// Frames 2 and 7 of quickdraw-bacnet-test.pcap.
#[test]
fn who_is_is_answered_by_an_identity() {
    let (asked, told) =
        (hex("810b00120120ffff00ff10080a30391a3039"), hex("810b00190120ffff00ff1000c4020030392201e09103220104"));
    let rows = feed(&Bacnet, &flow(Transport::Udp, 47808), &[(FromClient, &asked), (FromServer, &told)]);
    let operations = rows.of("operation");
    assert_eq!((&operations[0]["name"], &operations[0]["object"]), (&json!("Who-Is"), &json!("device 12345-12345")));
    assert_eq!((&operations[1]["name"], &operations[1]["object"]), (&json!("I-Am"), &json!("device 12345")));
    assert_eq!(claims(&rows), ["capability=BACnet device 12345", "vendor=BACnet Stack at SourceForge"]);
    assert_eq!(rows.of("identity")[0]["subject"], "10.0.0.2");
}

#[test]
fn properties_of_the_device_are_claims_unless_it_is_behind_a_router() {
    let reply =
        "0c02000001 1e 2979 4e 75 04 00414243 4f 2946 4e 75 03 004d31 4f 292c 4e 75 04 00312e32 4f 2970 4e 9100 4f 1f";
    let asked = "0c02000001 1e 0979 0946 092c 0970 1f";
    let rows = exchange(&format!("0104 00 04 01 0e {asked}"), &format!("0100 30 01 0e {reply}"));
    assert_eq!(
        claims(&rows),
        ["vendor=ABC", "model=M1", "firmware=1.2", "state=operational", "capability=BACnet device 1"]
    );
    let rows =
        exchange(&format!("0124 0003 01 6c ff 00 04 01 0e {asked}"), &format!("0108 0003 01 6c 30 01 0e {reply}"));
    assert_eq!(claims(&rows), Vec::<String>::new());
    assert_eq!(operation(&rows)["unit"], 0x6c);
}

// Annex J.5.2.
#[test]
fn a_foreign_device_registers() {
    let (asked, told) = (hex("8105 0006 003c"), hex("8100 0006 0000"));
    let rows = feed(&Bacnet, &flow(Transport::Udp, 47808), &[(FromClient, &asked), (FromServer, &told)]);
    let row = operation(&rows);
    assert_eq!((&row["name"], &row["class"]), (&json!("Register-Foreign-Device"), &json!("session")));
    assert_eq!((&row["detail"], &row["status_name"]), (&json!({"lifetime_seconds": 60}), &json!("success")));
}

#[test]
fn the_first_sender_of_a_forwarded_pdu_is_told() {
    let told = hex("8104001fc0a8de80bac00120ffff00ff1000c4020030392201e09103220104");
    let rows = feed(&Bacnet, &flow(Transport::Udp, 47808), &[(FromClient, &told)]);
    assert_eq!(operation(&rows)["client"]["address"], "192.168.222.128");
    assert_eq!(rows.of("identity")[0]["subject"], "192.168.222.128");
}

#[test]
fn segments_are_put_together() {
    let pieces = [
        link("0104 02 04 07 0c 0c02000001 194c"),
        link("0100 3c 07 00 04 0c 0c02000001 194c 3e c402000001"),
        link("0100 40 07 00 04"),
        link("0100 38 07 01 04 0c c400000002 3f"),
    ];
    let directions = [FromClient, FromServer, FromClient, FromServer];
    let pieces: Vec<(Direction, &[u8])> = pieces.iter().zip(directions).map(|(p, d)| (d, p.as_slice())).collect();
    let row = operation(&feed(&Bacnet, &flow(Transport::Udp, 47808), &pieces));
    assert_eq!(row["detail"]["read"], json!(["device 1", "analog-input 2"]));
    assert_eq!(row["detail"]["reply_segments"], 2);
}

#[test]
fn routers_tell_their_networks() {
    let told = link("0180 01 0001 0002");
    let rows = feed(&Bacnet, &flow(Transport::Udp, 47808), &[(FromClient, &told)]);
    assert_eq!(operation(&rows)["object"], "network 1, 2");
    assert_eq!(claims(&rows), ["router=network 1, 2"]);
}

#[test]
fn changes_of_value_are_told_once_and_counted() {
    let told = link("0100 10 02 0912 1c02000001 2c00000001 3900 4e 0955 2e 44 42820000 2f 4f");
    let pieces = vec![(FromServer, told.as_slice()); 5];
    let rows = feed(&Bacnet, &flow(Transport::Udp, 47808), &pieces);
    let operations = rows.of("operation");
    assert_eq!(operations.len(), 2);
    assert_eq!(operations[0]["object"], "device 1; analog-input 1 present-value");
    assert_eq!(operations[1]["quantity"], 4);
}

#[test]
fn what_is_not_bacnet_is_refused() {
    let flow = flow(Transport::Udp, 5000);
    for bytes in [
        "",
        "81",
        "810a0004",
        "810a000501040005010c",
        "8100000600",
        "810a000801050005",
        "000102030405",
        "811000080104000501",
    ] {
        let bytes = hex(bytes);
        let answer = Bacnet.probe(&pdu(&flow, 0, FromClient, &bytes));
        assert_eq!(answer, Probe::No, "{bytes:02x?}");
    }
}

#[test]
fn an_everyday_frame_with_a_wrong_length_is_known() {
    // icsnpp-bacnet-example.pcap frame 588: a guess at a password, 24 bytes that say they are 17.
    let guess = hex("810a001101040005091409061d0a004272656c6f6f6d3230");
    let flow = flow(Transport::Udp, 5000);
    assert_eq!(Bacnet.probe(&pdu(&flow, 0, FromClient, &guess)), Probe::Yes);
}

#[test]
fn a_request_that_breaks_its_syntax_is_told() {
    let asked = link("0104 00 04 59 0f 0c00800001 1955 3e 44 4334");
    let rows = feed(&Bacnet, &flow(Transport::Udp, 47808), &[(FromClient, &asked)]);
    assert_eq!(rows.of("weird")[0]["name"], "bacnet_service_malformed");
    assert_eq!(rows.of("operation").len(), 1);
}

#[test]
fn truncations_do_not_panic() {
    for whole in [
        "0100 30 02 0e 0c00000021 1e 2955 4e 44 42293333 4f 1f 0c00000032 1e 2955 5e 9101 911f 5f 1f",
        "0104 00 04 01 10 0c00800005 1e 0955 2e 44 42860000 2f 1f",
        "0104 00 02 00 07 c402800001 0e 3100 63 414243 0f",
        "0120ffff00ff1000c4020030392201e09103220104",
        "0100 38 07 01 04 0c c400000002 3f",
        "0180 03 01 0001",
    ] {
        let bytes = hex(whole);
        for end in 0..bytes.len() {
            let mut cut = vec![0x81, 0x0a, 0, u8::try_from(end + 4).unwrap()];
            cut.extend(&bytes[..end]);
            let flow = flow(Transport::Udp, 47808);
            let _ = feed_unprobed(&Bacnet, &flow, &[(FromClient, &cut), (FromServer, &cut)]);
        }
    }
}

proptest! {
    #[test]
    fn any_bytes(pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 1..80)), 0..20)) {
        for transport in [Transport::Udp, Transport::Link(0x82)] {
            let flow = flow(transport, 47808);
            let pieces: Vec<(Direction, &[u8])> =
                pieces.iter().map(|(client, data)| (if *client { FromClient } else { FromServer }, data.as_slice())).collect();
            let _ = feed_unprobed(&Bacnet, &flow, &pieces);
        }
    }

    #[test]
    fn any_apdu(pieces in prop::collection::vec((any::<bool>(), 0u8..8, any::<u8>(), prop::collection::vec(any::<u8>(), 1..60)), 0..20)) {
        let flow = flow(Transport::Link(0x82), 0);
        let frames: Vec<(Direction, Vec<u8>)> = pieces
            .iter()
            .map(|(client, kind, flags, body)| {
                let mut frame = vec![1, 0, kind << 4 | flags & 15];
                frame.extend(body);
                (if *client { FromClient } else { FromServer }, frame)
            })
            .collect();
        let pieces: Vec<(Direction, &[u8])> = frames.iter().map(|(direction, data)| (*direction, data.as_slice())).collect();
        for row in feed_unprobed(&Bacnet, &flow, &pieces).of("operation") {
            let detail = row["detail"].as_str().unwrap();
            prop_assert!(detail.is_empty() || serde_json::from_str::<Value>(detail).is_ok(), "{detail}");
        }
    }
}
