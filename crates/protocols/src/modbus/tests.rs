//! PDUs by hand from the specification's examples, and cut from captures.

use proptest::prelude::*;
use quaywatch_model::{Direction, Mark, Transport};
use serde_json::json;

use super::{Modbus, WAITING_LIMIT};
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

use Direction::{FromClient, FromServer};

fn exchange(request: &str, reply: &str) -> Recorder {
    let (request, reply) = (hex(request), hex(reply));
    feed(&Modbus, &flow(Transport::Tcp, 502), &[(FromClient, &request), (FromServer, &reply)])
}

fn operation(request: &str, reply: &str) -> serde_json::Value {
    let rows = exchange(request, reply);
    assert_eq!(rows.of("weird"), Vec::<serde_json::Value>::new());
    assert_eq!(rows.marks, []);
    let mut operations = rows.of("operation");
    assert_eq!(operations.len(), 1, "{operations:?}");
    let mut operation = operations.remove(0);
    let detail = operation["detail"].as_str().unwrap().to_owned();
    operation["detail"] = if detail.is_empty() { json!({}) } else { serde_json::from_str(&detail).unwrap() };
    operation
}

fn weirds(rows: &Recorder) -> Vec<String> {
    rows.of("weird").iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

// V1.1b3 section 6.3, example.
#[test]
fn registers_are_read() {
    let row = operation("0001 0000 0006 11 03 006b 0003", "0001 0000 0009 11 03 06 022b 0000 0064");
    assert_eq!(row["protocol"], "modbus");
    assert_eq!(row["unit"], 17);
    assert_eq!(row["code"], 3);
    assert_eq!(row["class"], "read");
    assert_eq!(row["object"], "holding-register 107-109");
    assert_eq!(row["quantity"], 3);
    assert_eq!(row["status"], 0);
    assert_eq!(row["detail"], json!({"read": [555, 0, 100]}));
    assert_eq!((row["request_frame"].clone(), row["reply_frame"].clone()), (json!(1), json!(2)));
    assert_eq!(row["latency"], 1_000_000);
    assert_eq!(row["client"]["address"], "10.0.0.1");
}

// Sections 6.1, 6.2, 6.4 and their examples.
#[test]
fn coils_and_inputs_are_read() {
    let row = operation("0001 0000 0006 01 01 0013 0013", "0001 0000 0006 01 01 03 cd6b05");
    assert_eq!((&row["object"], &row["detail"]), (&json!("coil 19-37"), &json!({"read_bits": "0xcd6b05"})));
    let row = operation("0001 0000 0006 01 02 00c4 0016", "0001 0000 0006 01 02 03 acdb35");
    assert_eq!((&row["object"], &row["quantity"]), (&json!("discrete-input 196-217"), &json!(22)));
    let row = operation("0001 0000 0006 01 04 0008 0001", "0001 0000 0005 01 04 02 000a");
    assert_eq!(row["object"], "input-register 8");
}

// Sections 6.5, 6.6, 6.11, 6.12, 6.16, 6.17.
#[test]
fn writes_are_told_with_their_values() {
    let row = operation("0001 0000 0006 01 05 00ac ff00", "0001 0000 0006 01 05 00ac ff00");
    assert_eq!(
        (&row["object"], &row["class"], &row["detail"]),
        (&json!("coil 172"), &json!("write"), &json!({"on": true}))
    );
    let row = operation("0001 0000 0006 01 06 0001 0003", "0001 0000 0006 01 06 0001 0003");
    assert_eq!((&row["object"], &row["detail"]), (&json!("holding-register 1"), &json!({"written": [3]})));
    let row = operation("0001 0000 0009 01 0f 0013 000a 02 cd01", "0001 0000 0006 01 0f 0013 000a");
    assert_eq!((&row["object"], &row["detail"]), (&json!("coil 19-28"), &json!({"written_bits": "0xcd01"})));
    let row = operation("0001 0000 000b 01 10 0001 0002 04 000a 0102", "0001 0000 0006 01 10 0001 0002");
    assert_eq!((&row["quantity"], &row["detail"]), (&json!(2), &json!({"written": [10, 258]})));
    let row = operation("0001 0000 0008 01 16 0004 00f2 0025", "0001 0000 0008 01 16 0004 00f2 0025");
    assert_eq!(
        (&row["object"], &row["detail"]),
        (&json!("holding-register 4"), &json!({"and_mask": 242, "or_mask": 37}))
    );
    let row = operation(
        "0001 0000 0011 01 17 0003 0006 000e 0003 06 00ff 00ff 00ff",
        "0001 0000 000f 01 17 0c 00fe 0acd 0001 0003 000d 00ff",
    );
    assert_eq!(
        (&row["object"], &row["quantity"], &row["class"]),
        (&json!("holding-register 14-16"), &json!(3), &json!("write"))
    );
    assert_eq!(
        row["detail"],
        json!({"read_object": "holding-register 3-8", "written": [255, 255, 255], "read": [254, 2765, 1, 3, 13, 255]})
    );
}

// Sections 6.14, 6.15, 6.18.
#[test]
fn files_and_queues() {
    let row = operation(
        "0001 0000 0011 01 14 0e 06 0004 0001 0002 06 0003 0009 0002",
        "0001 0000 000f 01 14 0c 05 06 0dfe 0020 05 06 33cd 0040",
    );
    assert_eq!((&row["object"], &row["quantity"]), (&json!("file 4 record 1-2, file 3 record 9-10"), &json!(4)));
    let write = "0001 0000 0010 01 15 0d 06 0004 0007 0003 06af 04be 100d";
    let row = operation(write, write);
    assert_eq!(
        (&row["object"], &row["detail"]),
        (&json!("file 4 record 7-9"), &json!({"written": [1711, 1214, 4109]}))
    );
    let row = operation("0001 0000 0004 01 18 04de", "0001 0000 000a 01 18 0006 0002 01b8 1284");
    assert_eq!(
        (&row["object"], &row["quantity"], &row["detail"]),
        (&json!("fifo 1246"), &json!(2), &json!({"read": [440, 4740]}))
    );
}

// Sections 6.7 to 6.10 and 6.13.
#[test]
fn diagnostics_bear_the_name_of_their_sub_function() {
    let row = operation("0001 0000 0006 01 08 0001 0000", "0001 0000 0006 01 08 0001 0000");
    assert_eq!((&row["name"], &row["class"]), (&json!("Restart Communications Option"), &json!("control")));
    let row = operation("0001 0000 0006 01 08 0000 a537", "0001 0000 0006 01 08 0000 a537");
    assert_eq!(row["detail"], json!({"sub_function": 0, "data": "0xa537", "returned": "0xa537"}));
    let listen = hex("0001 0000 0006 01 08 0004 0000");
    let rows = feed(&Modbus, &flow(Transport::Tcp, 502), &[(FromClient, &listen)]);
    assert_eq!(
        (&rows.of("operation")[0]["name"], &rows.of("operation")[0]["status"]),
        (&json!("Force Listen Only Mode"), &json!(null))
    );
    let row = operation("0001 0000 0006 01 08 000b 0000", "0001 0000 0006 01 08 000b 0042");
    assert_eq!(row["name"], "Return Bus Message Count");
    let rows = exchange("0001 0000 0002 01 07", "0001 0000 0003 01 07 6d");
    assert_eq!(rows.of("operation")[0]["detail"], "{\"exception_status\":109}");
    let rows = exchange("0001 0000 0002 01 0b", "0001 0000 0006 01 0b ffff 0108");
    assert_eq!(rows.of("operation")[0]["detail"], "{\"comm_status\":65535,\"comm_events\":264}");
    let rows = exchange("0001 0000 0002 01 0c", "0001 0000 000b 01 0c 08 0000 0108 0121 2000");
    assert_eq!(rows.of("operation")[0]["status"], 0);
}

// quickdraw-modbus-test-data-part1 frames 40 and 41.
#[test]
fn server_id_names_the_product() {
    let rows = exchange("0000 0000 0002 0a 11", "0000 0000 0015 0a 11 12 00 ff 57696e6770617468204c696d69746564");
    let identities = rows.of("identity");
    assert_eq!((&identities[0]["attribute"], &identities[0]["value"]), (&json!("product"), &json!("Wingpath Limited")));
    assert_eq!((&identities[1]["attribute"], &identities[1]["value"]), (&json!("state"), &json!("run")));
}

// icsnpp-modbus-example frames 92 and 94.
#[test]
fn device_identification_becomes_identities_once() {
    let ask = hex("0017 0000 0005 01 2b 0e 01 00");
    let reply = hex("0017 0000 003d 01 2b 0e 01 83 00 00 03 0010 5a65656b204d6f646275732054657374 \
         0118 50726f746f636f6c2050617273696e672069732066756e21 0207 312e322e332e36");
    let rows = feed(
        &Modbus,
        &flow(Transport::Tcp, 502),
        &[(FromClient, &ask), (FromServer, &reply), (FromClient, &ask), (FromServer, &reply)],
    );
    let claims: Vec<_> =
        rows.of("identity").iter().map(|row| (row["attribute"].clone(), row["value"].clone())).collect();
    assert_eq!(
        claims,
        [
            (json!("vendor"), json!("Zeek Modbus Test")),
            (json!("order-number"), json!("Protocol Parsing is fun!")),
            (json!("firmware"), json!("1.2.3.6")),
        ]
    );
    assert_eq!(rows.of("operation").len(), 2);
    assert_eq!(rows.of("operation")[0]["name"], "Read Device Identification");
}

#[test]
fn exceptions_are_statuses() {
    let row = operation("0001 0000 0006 01 01 04a1 0001", "0001 0000 0003 01 81 02");
    assert_eq!(
        (&row["status"], &row["status_name"], &row["code"]),
        (&json!(2), &json!("illegal data address"), &json!(1))
    );
}

#[test]
fn what_breaks_the_rules_is_told() {
    for (request, reply, weird) in [
        ("0001 0000 0006 01 03 0000 0000", "", "modbus_quantity"),
        ("0001 0000 0006 01 03 ffff 0002", "", "modbus_address_range"),
        ("0001 0000 0007 01 03 0000 0001 00", "", "modbus_pdu_length"),
        ("0001 0000 0004 01 03 0000", "", "modbus_pdu_length"),
        ("0001 0000 0006 01 05 0000 1234", "", "modbus_coil_value"),
        ("0001 0000 000b 01 10 0001 0002 05 000a 0102", "", "modbus_byte_count"),
        ("0001 0000 0002 01 63", "", "modbus_unknown_function"),
        ("0001 0000 0003 01 2b 01", "", "modbus_unknown_function"),
        ("0001 0000 000a 01 14 07 07 0004 0001 0002", "", "modbus_file_record"),
        ("0001 0000 0006 01 03 0000 0002", "0001 0000 0005 01 03 02 0001", "modbus_byte_count"),
        ("0001 0000 0006 01 06 0001 0003", "0001 0000 0006 01 06 0001 0004", "modbus_reply_mismatch"),
        ("0001 0000 0006 01 03 0000 0002", "0001 0000 0003 01 83 4d", "modbus_exception_code"),
        ("0001 0000 0006 01 03 0000 0001", "0002 0000 0005 01 03 02 0001", "modbus_reply_without_request"),
        ("0001 0001 0006 01 03 0000 0001", "", "modbus_protocol_id"),
        ("0001 0000 0001 01 03 0000 0001", "", "modbus_length"),
    ] {
        let (request, reply) = (hex(request), hex(reply));
        let flow = flow(Transport::Tcp, 502);
        let mut pieces: Vec<(Direction, &[u8])> = vec![(FromClient, &request)];
        if !reply.is_empty() {
            pieces.push((FromServer, &reply));
        }
        let rows = feed_unprobed(&Modbus, &flow, &pieces);
        assert!(weirds(&rows).iter().any(|name| name == weird), "{weird}: {:?}", weirds(&rows));
        assert!(rows.marks.iter().any(|mark| matches!(mark, Mark::Malformed(_))) || weird.ends_with("without_request"));
    }
}

#[test]
fn user_functions_are_named_and_kept() {
    let rows = feed_unprobed(&Modbus, &flow(Transport::Tcp, 502), &[(FromClient, &hex("0001 0000 0004 01 41 beef"))]);
    assert_eq!(weirds(&rows), Vec::<String>::new());
    let row = &rows.of("operation")[0];
    assert_eq!((&row["name"], &row["detail"]), (&json!("User-defined Function 65"), &json!("{\"data\":\"0xbeef\"}")));
    assert!(matches!(rows.marks[..], [Mark::Undecoded(_)]));
}

#[test]
fn a_client_that_asks_again_has_given_up() {
    let flow = flow(Transport::Tcp, 502);
    let (ask, reply) = (hex("0000 0000 0006 01 03 0000 0001"), hex("0000 0000 0005 01 03 02 0007"));
    let rows = feed(&Modbus, &flow, &[(FromClient, &ask), (FromClient, &ask), (FromServer, &reply)]);
    let frames: Vec<_> =
        rows.of("operation").iter().map(|row| (row["request_frame"].clone(), row["reply_frame"].clone())).collect();
    assert_eq!(frames, [(json!(1), json!(null)), (json!(2), json!(3))]);
}

#[test]
fn roles_follow_the_content() {
    // The flow was picked up in its middle and its ends are confused.
    let flow = flow(Transport::Tcp, 502);
    let (ask, reply) = (hex("0005 0000 0006 01 03 0000 0001"), hex("0005 0000 0005 01 03 02 0007"));
    let rows = feed(&Modbus, &flow, &[(FromServer, &ask), (FromClient, &reply)]);
    let row = &rows.of("operation")[0];
    assert_eq!((&row["client"]["address"], &row["status"]), (&json!("10.0.0.2"), &json!(0)));
}

#[test]
fn several_pdus_in_a_piece_and_a_pdu_in_several() {
    let flow = flow(Transport::Tcp, 502);
    let asks = hex("0001 0000 0006 01 03 0000 0001 0002 0000 0006 01 04 0000 0001");
    let replies = hex("0002 0000 0005 01 04 02 0008 0001 0000 0005 01 03 02 0007");
    let whole = feed(&Modbus, &flow, &[(FromClient, &asks), (FromServer, &replies)]);
    assert_eq!(whole.of("operation").len(), 2);
    let pieces: Vec<(Direction, &[u8])> =
        asks.chunks(1).map(|byte| (FromClient, byte)).chain(replies.chunks(1).map(|byte| (FromServer, byte))).collect();
    let cut = feed(&Modbus, &flow, &pieces);
    let names = |rows: &Recorder| rows.of("operation").iter().map(|row| row["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names(&cut), names(&whole));
}

#[test]
fn other_traffic_is_refused() {
    let flow = flow(Transport::Tcp, 8080);
    let refused = |data: &[u8]| Modbus.probe(&pdu(&flow, 0, FromClient, data)) == Probe::No;
    assert!(refused(b"GET / HTTP/1.1\r\n"));
    assert!(refused(&hex("0300 0016 11e0 0000 0001 00c1")));
    assert!(refused(&hex("1603 0100 c801 0000 c4")));
    assert!(refused(&hex("0001 0000 0006 01 03 0000 0001 ffff ffff ffff")));
    let reply = hex("0001 0000 0005 01 03 02 0007");
    assert_eq!(Modbus.probe(&pdu(&flow, 0, FromClient, &reply)), Probe::YesFromServer);
    assert_eq!(Modbus.probe(&pdu(&flow, 0, FromClient, &hex("0001 0000"))), Probe::Unsure);
}

#[test]
fn a_datagram_stands_alone() {
    let flow = flow(Transport::Udp, 502);
    let (ask, reply) = (hex("0001 0000 0006 01 03 0000 0001"), hex("0001 0000 0005 01 03 02 0007"));
    let rows = feed(&Modbus, &flow, &[(FromClient, &ask), (FromServer, &reply)]);
    assert_eq!(rows.of("operation")[0]["status"], 0);
    let rows = feed_unprobed(&Modbus, &flow, &[(FromClient, &ask[..10]), (FromClient, &ask)]);
    assert_eq!(weirds(&rows), ["modbus_length_mismatch"]);
    assert_eq!(rows.of("operation").len(), 1);
}

#[test]
fn waiting_requests_are_bounded() {
    let flow = flow(Transport::Tcp, 502);
    let asks: Vec<Vec<u8>> = (0..1000u16)
        .map(|number| {
            let mut ask = hex("0000 0000 0006 01 03 0000 0001");
            ask[..2].copy_from_slice(&number.to_be_bytes());
            ask
        })
        .collect();
    let mut recorder = Recorder::default();
    let mut analyzer = Modbus.open(&flow);
    for (index, ask) in (0..).zip(&asks) {
        analyzer.feed(&pdu(&flow, index, FromClient, ask), &mut recorder);
    }
    assert_eq!(recorder.of("operation").len(), 1000 - WAITING_LIMIT);
    analyzer.close(&flow, &mut recorder);
    assert_eq!(recorder.of("operation").len(), 1000);
}

#[test]
fn truncated_pdus_do_no_harm() {
    let flow = flow(Transport::Tcp, 502);
    for text in [
        "0001 0000 000f 01 17 0003 0002 000e 0002 04 00ff 00ff",
        "0001 0000 0010 01 15 0d 06 0004 0007 0003 06af 04be 100d",
        "0001 0000 000e 01 2b 0e 01 83 00 00 01 00 03 616263 00",
        "0001 0000 000a 01 18 0006 0002 01b8 1284",
        "0001 0000 0011 01 5a 0034 0001 0100 0400 01020304 00 00",
    ] {
        let whole = hex(text);
        for length in 1..whole.len() {
            let mut cut = whole[..length].to_vec();
            // Once with the length as announced, once with one that fits.
            let _ = feed_unprobed(&Modbus, &flow, &[(FromClient, &cut), (FromServer, &cut)]);
            let _ = Modbus.probe(&pdu(&flow, 0, FromClient, &cut));
            if let Some(counted) = cut.len().checked_sub(6).filter(|counted| *counted > 1) {
                cut[5] = u8::try_from(counted).unwrap();
                let _ = feed_unprobed(&Modbus, &flow, &[(FromClient, &cut), (FromServer, &cut)]);
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces(pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 1..80)), 0..20)) {
        let flow = flow(Transport::Tcp, 502);
        let pieces: Vec<(Direction, &[u8])> =
            pieces.iter().map(|(client, data)| (if *client { FromClient } else { FromServer }, data.as_slice())).collect();
        let _ = feed_unprobed(&Modbus, &flow, &pieces);
    }

    #[test]
    fn any_pdu_behind_a_sound_header(pdus in prop::collection::vec((any::<bool>(), 0u16..4, prop::collection::vec(any::<u8>(), 1..40)), 0..20)) {
        let flow = flow(Transport::Tcp, 502);
        let frames: Vec<(Direction, Vec<u8>)> = pdus
            .iter()
            .map(|(client, transaction, body)| {
                let mut frame = transaction.to_be_bytes().to_vec();
                frame.extend([0, 0, 0, u8::try_from(body.len() + 1).unwrap(), 1]);
                frame.extend(body);
                (if *client { FromClient } else { FromServer }, frame)
            })
            .collect();
        let pieces: Vec<(Direction, &[u8])> = frames.iter().map(|(direction, data)| (*direction, data.as_slice())).collect();
        let rows = feed_unprobed(&Modbus, &flow, &pieces);
        prop_assert!(rows.of("operation").len() <= frames.len());
        for row in rows.of("operation") {
            let detail = row["detail"].as_str().unwrap();
            prop_assert!(detail.is_empty() || serde_json::from_str::<serde_json::Value>(detail).is_ok(), "{}", detail);
        }
    }
}
