//! Messages cut from captures and made by hand.

use proptest::prelude::*;
use quaywatch_model::{Direction, Mark, Timestamp, Transport};
use serde_json::{Value, json};

use super::{CYCLIC_LIMIT, Enip, REQUEST_LIMIT, WAITING_LIMIT};
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

use Direction::{FromClient, FromServer};

/// A message of the encapsulation.
fn message(command: u16, session: u32, status: u32, context: u64, body: &[u8]) -> Vec<u8> {
    let mut message = command.to_le_bytes().to_vec();
    message.extend(u16::try_from(body.len()).unwrap().to_le_bytes());
    message.extend(session.to_le_bytes());
    message.extend(status.to_le_bytes());
    message.extend(context.to_le_bytes());
    message.extend([0; 4]);
    message.extend(body);
    message
}

fn unconnected(context: u64, cip: &str) -> Vec<u8> {
    let cip = hex(cip);
    let mut body = hex("00000000 0500 0200 0000 0000 b200");
    body.extend(u16::try_from(cip.len()).unwrap().to_le_bytes());
    body.extend(cip);
    message(0x6f, 1, 0, context, &body)
}

fn connected(connection: u32, sequence: u16, cip: &str) -> Vec<u8> {
    let cip = hex(cip);
    let mut body = hex("00000000 0000 0200 a100 0400");
    body.extend(connection.to_le_bytes());
    body.extend(hex("b100"));
    body.extend(u16::try_from(cip.len() + 2).unwrap().to_le_bytes());
    body.extend(sequence.to_le_bytes());
    body.extend(cip);
    message(0x70, 1, 0, 0, &body)
}

fn talk(turns: &[(Direction, Vec<u8>)]) -> Recorder {
    let pieces: Vec<(Direction, &[u8])> = turns.iter().map(|(direction, data)| (*direction, data.as_slice())).collect();
    feed(&Enip, &flow(Transport::Tcp, 44818), &pieces)
}

/// Asks and answers without a connection.
fn ask(request: &str, reply: &str) -> Recorder {
    talk(&[(FromClient, unconnected(1, request)), (FromServer, unconnected(1, reply))])
}

fn detail(row: &Value) -> Value {
    let text = row["detail"].as_str().unwrap();
    if text.is_empty() { json!({}) } else { serde_json::from_str(text).unwrap() }
}

fn weirds(rows: &Recorder) -> Vec<String> {
    rows.of("weird").iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

fn claims(rows: &Recorder) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    rows.of("identity").iter().map(|row| (text(&row["attribute"]), text(&row["value"]))).collect()
}

// quickdraw-enip-test frames 6 and 7.
#[test]
fn list_identity_tells_the_device() {
    let flow = flow(Transport::Tcp, 44818);
    let ask = hex("63000000000000000000000000000000c1debed100000000");
    let reply = hex(
        "63003300000000000000000000000000c1debed10000000001000c002d0001000002af120a0101a4000000000000000001000c003a000403\
         30008e4d52000b313735362d454e42542f4103",
    );
    let rows = feed(&Enip, &flow, &[(FromClient, &ask), (FromServer, &reply)]);
    let row = &rows.of("operation")[0];
    assert_eq!(
        (&row["protocol"], &row["name"], &row["class"]),
        (&json!("enip"), &json!("List Identity"), &json!("identify"))
    );
    assert_eq!(
        (&row["code"], &row["status"], &row["request_frame"], &row["reply_frame"]),
        (&json!(0x63), &json!(0), &json!(1), &json!(2))
    );
    let detail = detail(row);
    assert_eq!((&detail["vendor_id"], &detail["product_code"], &detail["state"]), (&json!(1), &json!(58), &json!(3)));
    for claim in [
        ("vendor", "Rockwell Automation/Allen-Bradley"),
        ("capability", "Communications Adapter"),
        ("firmware", "4.3"),
        ("serial", "00524D8E"),
        ("product", "1756-ENBT/A"),
        ("state", "operational"),
        ("ip", "10.1.1.164"),
    ] {
        assert!(claims(&rows).contains(&(claim.0.into(), claim.1.into())), "{claim:?}");
    }
    for length in 0..reply.len() {
        let _ = feed_unprobed(&Enip, &flow, &[(FromClient, &ask), (FromServer, &reply[..length])]);
    }
}

#[test]
fn sessions_are_registered() {
    let rows = talk(&[
        (FromClient, message(0x65, 0, 0, 7, &hex("0100 0000"))),
        (FromServer, message(0x65, 0x1234, 0, 7, &hex("0100 0000"))),
        (FromClient, message(0x66, 0x1234, 0, 7, &[])),
    ]);
    let operations = rows.of("operation");
    assert_eq!(
        (&operations[0]["name"], &operations[0]["status_name"]),
        (&json!("Register Session"), &json!("success"))
    );
    assert_eq!(detail(&operations[0]), json!({"session": 0x1234}));
    assert_eq!((&operations[1]["name"], &operations[1]["status"]), (&json!("Unregister Session"), &json!(null)));
    // ListServices of quickdraw-cl5000eip-firmware-change frame 10677.
    let reply = hex("01000001140001002001436f6d6d756e69636174696f6e730000");
    let rows = talk(&[(FromClient, message(4, 0, 0, 0, &[])), (FromServer, message(4, 0, 0, 0, &reply))]);
    assert_eq!(detail(&rows.of("operation")[0]), json!({"service": "Communications", "capability": "0x0120"}));
}

// iti-cip-start-plc, iti-cip-stop-plc and iti-cip-unlock-cpu, frame 1 each.
#[test]
fn start_stop_and_unlock_are_controls() {
    for (frame, name, object) in [
        (
            "70001c0001002a00000000000000000000000000000000000000000001000200a1000400224095ffb1000800e7000602208e2401",
            "Start",
            "class 0x8e instance 1",
        ),
        (
            "70001c0001002a00000000000000000000000000000000000000000001000200a1000400224095ffb100080006010702208e2401",
            "Stop",
            "class 0x8e instance 1",
        ),
        (
            "7000200000010212000000000000000000000000000000000000000001000200a1000400016b0700b1000c004c1c4c04208e240120742401",
            "Unlock Controller",
            "class 0x8e instance 1 class 0x74 instance 1",
        ),
    ] {
        let rows = feed(&Enip, &flow(Transport::Tcp, 44818), &[(FromClient, &hex(frame))]);
        let row = &rows.of("operation")[0];
        assert_eq!(
            (&row["protocol"], &row["name"], &row["class"], &row["object"]),
            (&json!("cip"), &json!(name), &json!("control"), &json!(object))
        );
        assert_eq!((&row["status"], &row["request_frame"]), (&json!(null), &json!(1)));
    }
}

// quickdraw-cl5000eip-reboot-or-restart frames 21 and 22, then a message on the connection.
#[test]
fn connected_messages_find_their_replies() {
    let open = "54 02 2006 2401 07f9 14000080 1300fe80 1400 4d00 f32b9532 00000000 00127a00 f443 00127a00 f443 a3 03 01 00 2002 2401";
    let opened = "d4 00 00 00 01037900 1300fe80 1400 4d00 f32b9532 00127a00 00127a00 00 00";
    let rows = talk(&[
        (FromClient, unconnected(1, open)),
        (FromServer, unconnected(1, opened)),
        (FromClient, connected(0x0079_0301, 1, "07 02 20 8e 24 01")),
        (FromClient, connected(0x0079_0301, 2, "06 02 20 8e 24 01")),
        (FromServer, connected(0x80fe_0013, 2, "86 00 10 00")),
        (FromServer, connected(0x80fe_0013, 1, "87 00 00 00")),
    ]);
    assert_eq!(weirds(&rows), Vec::<String>::new());
    let operations = rows.of("operation");
    let told = detail(&operations[0]);
    assert_eq!((&told["connection_path"], &told["connection_route"]), (&json!("class 0x02 instance 1"), &json!("1/0")));
    assert_eq!((&told["originator_vendor"], &told["to_target_id"]), (&json!(77), &json!("0x00790301")));
    assert_eq!(
        (&operations[1]["name"], &operations[1]["status_name"]),
        (&json!("Start"), &json!("device state conflict"))
    );
    assert_eq!(
        (&operations[2]["name"], &operations[2]["status"], &operations[2]["unit"]),
        (&json!("Stop"), &json!(0), &json!(0))
    );
    assert_eq!(operations[2]["request_frame"], 3);
}

#[test]
fn services_in_services_are_operations_of_their_own() {
    // Get_Attribute_List of the identity and a tag read in a packet, sent through slot 3.
    let packet = "0a 02 2002 2401 0200 0600 1000 03 02 2001 2401 0100 0700 4c 02 91 02 4142 0100";
    let inner = hex(packet);
    let send = format!("52 02 2006 2401 05f7 {:02x}00 {packet} 01 00 01 03", inner.len());
    let reply = "8a 00 1e 00 0200 0600 1300 83 00 00 00 0100 0700 0000 02 4142 cc 00 05 00";
    let rows = ask(&send, reply);
    assert_eq!(weirds(&rows), Vec::<String>::new());
    let operations = rows.of("operation");
    assert_eq!(operations.len(), 2);
    assert_eq!(
        (&operations[0]["name"], &operations[0]["unit"], &operations[0]["quantity"]),
        (&json!("Get Attribute List"), &json!(3), &json!(1))
    );
    assert_eq!(
        detail(&operations[0]),
        json!({
            "class": 1, "instance": 1, "class_name": "Identity", "routed": true, "route": "1/3", "service": 1, "services": 2,
            "session": 1, "attributes": ["7"], "attributes_answered": ["7"],
        })
    );
    assert_eq!(
        (&operations[1]["object"], &operations[1]["status_name"]),
        (&json!("AB"), &json!("path destination unknown"))
    );
    assert_eq!(claims(&rows), [("product".to_owned(), "AB".to_owned())]);
    assert_eq!(rows.of("identity")[0]["method"], "cip identity product name of a routed module");
    // The way there failed: the status is that of the service inside.
    let rows = ask(&send, "d2 00 01 01 0402");
    assert_eq!(rows.of("operation").len(), 2);
    assert_eq!(rows.of("operation")[0]["status_name"], "connection failure");
    assert_eq!(detail(&rows.of("operation")[0])["extended_status"], json!([0x0204]));
}

#[test]
fn tags_are_read_and_written() {
    let rows = ask("4d 03 91 03 546167 00 c400 0200 01000000 02000000", "cd 00 00 00");
    let row = &rows.of("operation")[0];
    assert_eq!(
        (&row["name"], &row["class"], &row["object"], &row["quantity"]),
        (&json!("Write Tag"), &json!("write"), &json!("Tag"), &json!(2))
    );
    assert_eq!(detail(row), json!({"session": 1, "data_type": "DINT", "data": "0x0100000002000000"}));
    let rows = ask("53 03 91 03 546167 00 a002 1234 0100 10000000 ff", "d3 00 00 00");
    assert_eq!(
        detail(&rows.of("operation")[0]),
        json!({"session": 1, "data_type": "STRUCT", "offset": 16, "data": "0xff"})
    );
    let rows = ask("4c 03 91 03 546167 00 0a00", "cc 00 04 00");
    assert_eq!((&rows.of("operation")[0]["quantity"], &rows.of("operation")[0]["status"]), (&json!(10), &json!(4)));
}

#[test]
fn passwords_of_objects_are_not_kept() {
    let rows = ask("10 03 2061 2401 3005 736563726574", "90 00 00 00");
    assert_eq!(rows.of("operation")[0]["class"], "configure");
    assert!(!format!("{rows:?}").contains("736563726574"));
    let rows = ask("10 03 2004 2464 3003 0102", "90 00 00 00");
    assert_eq!(detail(&rows.of("operation")[0])["data"], "0x0102");
}

// As quickdraw-cl5000eip-firmware-change frames 29 to 34, with short blocks.
#[test]
fn firmware_is_a_download_with_its_hash() {
    let rows = talk(&[
        (FromClient, unconnected(1, "4b 02 20a1 2401 03000000 00000000")),
        (FromServer, unconnected(1, "cb 00 00 00")),
        (FromClient, unconnected(2, "4d 02 20a1 2401 00000000 6162")),
        (FromServer, unconnected(2, "cd 00 00 00")),
        // Sent again, then the last block with its padding.
        (FromClient, unconnected(3, "4d 02 20a1 2401 00000000 6162")),
        (FromServer, unconnected(3, "cd 00 00 00")),
        (FromClient, unconnected(4, "4d 02 20a1 2401 02000000 63ff")),
        (FromServer, unconnected(4, "cd 00 00 00")),
    ]);
    let program = &rows.of("program")[0];
    assert_eq!(
        (&program["transfer"], &program["size"], &program["complete"]),
        (&json!("download"), &json!(3), &json!(true))
    );
    // SHA-256 of "abc" (FIPS 180-2 appendix B.1).
    assert_eq!((&program["sha256"][0], &program["sha256"][31]), (&json!(0xba), &json!(0xad)));
    assert_eq!(rows.of("operation")[1]["class"], "configure");
}

// As emreekin-enip frames 381 to 387: a file of two packets.
#[test]
fn files_are_hashed() {
    let rows = talk(&[
        (FromClient, unconnected(1, "4b 02 2037 24c8 ff")),
        (FromServer, unconnected(1, "cb 00 00 00 03000000 02")),
        (FromClient, unconnected(2, "4f 02 2037 24c8 00")),
        (FromServer, unconnected(2, "cf 00 00 00 00 00 6162")),
        (FromClient, unconnected(3, "4f 02 2037 24c8 01")),
        (FromServer, unconnected(3, "cf 00 00 00 01 02 63 beef")),
    ]);
    let program = &rows.of("program")[0];
    assert_eq!(
        (&program["name"], &program["size"], &program["complete"]),
        (&json!("class 0x37 instance 200"), &json!(3), &json!(true))
    );
    assert_eq!(program["sha256"][0], 0xba);
}

// quickdraw-cl5000eip-software-upload frame 51; iti-eip-changedateattempt has the clock.
#[test]
fn controllers_tell_their_name_and_time() {
    let name = ask("03 02 2064 2401 0100 0100", "83 00 00 00 0100 0100 0000 0f00 4e69667479436f6e74726f6c6c6572");
    assert_eq!(claims(&name), [("project".to_owned(), "NiftyController".to_owned())]);
    let clock = ask("03 02 208b 2401 0100 0600", "83 00 00 00 0100 0600 0000 c058722208 5a0400");
    assert_eq!(clock.of("clock")[0]["device_time"], 0x0004_5a08_2272_58c0i64 * 1_000);
    assert!(Timestamp(0x0004_5a08_2272_58c0 * 1_000).to_string().starts_with("2008-10-24T23:28:11"));
    let host = ask("0e 03 20f5 2401 3006", "8e 00 00 00 0300 706c63 00");
    assert_eq!(claims(&host), [("host-name".to_owned(), "plc".to_owned())]);
    let mac = ask("0e 03 20f6 2401 3003", "8e 00 00 00 0000bc010203");
    assert_eq!(claims(&mac), [("mac".to_owned(), "00:00:bc:01:02:03".to_owned())]);
}

// icsnpp-enip-cip-example frame 377 in its layout.
#[test]
fn cyclic_io_is_told_once_a_connection() {
    let flow = flow(Transport::Udp, 2222);
    let io = |connection: u32, sequence: u32| {
        let mut datagram = hex("0200 0280 0800");
        datagram.extend(connection.to_le_bytes());
        datagram.extend(sequence.to_le_bytes());
        datagram.extend(hex("b100 0600 0100 aabbccdd"));
        datagram
    };
    let datagrams: Vec<Vec<u8>> =
        [(0x004b_0603, 1), (0x004b_0603, 2), (0x004b_1209, 1)].map(|(id, seq)| io(id, seq)).into();
    let pieces: Vec<(Direction, &[u8])> = datagrams.iter().map(|datagram| (FromClient, datagram.as_slice())).collect();
    let rows = feed(&Enip, &flow, &pieces);
    let operations = rows.of("operation");
    assert_eq!(operations.len(), 2);
    assert_eq!(
        (&operations[0]["class"], &operations[0]["object"], &operations[0]["quantity"]),
        (&json!("cyclic"), &json!("connection 0x004b0603"), &json!(6))
    );
    assert_eq!(rows.marks, [Mark::Opaque("cyclic io"); 3]);
    let many: Vec<Vec<u8>> = (0..1000).map(|id| io(id, 1)).collect();
    let pieces: Vec<(Direction, &[u8])> = many.iter().map(|datagram| (FromClient, datagram.as_slice())).collect();
    assert_eq!(feed(&Enip, &flow, &pieces).of("operation").len(), CYCLIC_LIMIT);
}

#[test]
fn what_breaks_the_rules_is_told() {
    let get = unconnected(1, "0e 03 2001 2401 3007");
    let with = |at: usize, value: u8| {
        let mut message = get.clone();
        message[at] = value;
        message
    };
    for (name, data) in [
        ("enip_unknown_command", with(0, 0x99)),
        ("enip_options", with(20, 1)),
        ("enip_cpf_length", with(38, 0xff)),
        ("cip_length", unconnected(1, "0e 09 2001")),
        ("cip_path", unconnected(1, "0e 01 e001")),
        ("cip_reply_without_request", unconnected(1, "8e 00 00 00")),
        ("enip_length", message(0x6f, 1, 0, 0, &[0; 3])),
        ("enip_cpf_length", message(0x6f, 1, 0, 0, &hex("00000000 0000 0000"))),
    ] {
        let rows = feed_unprobed(&Enip, &flow(Transport::Tcp, 44818), &[(FromClient, &data)]);
        assert_eq!(weirds(&rows), [name], "{name}");
    }
    let udp = flow(Transport::Udp, 44818);
    let rows = feed_unprobed(&Enip, &udp, &[(FromClient, &get[..30])]);
    assert_eq!(weirds(&rows), ["enip_length"]);
    // The encapsulation refuses.
    let refused = message(0x6f, 1, 0x64, 1, &[]);
    let rows = talk(&[(FromClient, get), (FromServer, refused)]);
    assert_eq!(
        (&rows.of("operation")[0]["status"], &rows.of("operation")[0]["status_name"]),
        (&json!(0x64), &json!("invalid session handle"))
    );
}

#[test]
fn a_reply_skips_requests_that_it_cannot_be_of() {
    let rows = talk(&[
        (FromClient, unconnected(9, "0e 03 2001 2401 3007")),
        (FromClient, unconnected(9, "01 02 20f5 2401")),
        (FromServer, unconnected(9, "81 00 08 00")),
    ]);
    let operations = rows.of("operation");
    assert_eq!((&operations[0]["name"], &operations[0]["status"]), (&json!("Get Attribute Single"), &json!(null)));
    assert_eq!(
        (&operations[1]["name"], &operations[1]["status_name"]),
        (&json!("Get Attributes All"), &json!("service not supported"))
    );
}

#[test]
fn a_stream_may_be_cut_anywhere() {
    let flow = flow(Transport::Tcp, 44818);
    let request = [unconnected(1, "0e 03 2001 2401 3007"), unconnected(2, "0e 03 2001 2401 3001")].concat();
    let reply = [unconnected(1, "8e 00 00 00 02 4142"), unconnected(2, "8e 00 00 00 2f00")].concat();
    for step in 1..request.len() {
        let mut pieces: Vec<(Direction, &[u8])> = request.chunks(step).map(|piece| (FromClient, piece)).collect();
        pieces.extend(reply.chunks(step).map(|piece| (FromServer, piece)));
        let rows = feed(&Enip, &flow, &pieces);
        assert_eq!(
            claims(&rows),
            [("product".into(), "AB".into()), ("vendor".into(), "Omron Corporation".into())],
            "step {step}"
        );
    }
}

#[test]
fn other_traffic_is_refused() {
    let tcp = flow(Transport::Tcp, 44818);
    let probe = |data: &[u8]| Enip.probe(&pdu(&tcp, 0, FromClient, data));
    assert_eq!(probe(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), Probe::No);
    assert_eq!(probe(&[0; 64]), Probe::Unsure);
    assert_eq!(probe(&hex("0001 0000 0006 01 03 0000 0001")), Probe::No);
    assert_eq!(probe(&unconnected(1, "0e 03 2001 2401 3007")), Probe::Yes);
    assert_eq!(probe(&unconnected(1, "8e 00 00 00")), Probe::YesFromServer);
    assert_eq!(probe(&unconnected(1, "8e 00 00 00")[..30]), Probe::Unsure);
    assert_eq!(probe(&unconnected(1, "8e 00 00 00")[..10]), Probe::Unsure);
    let udp = flow(Transport::Udp, 2222);
    assert_eq!(
        Enip.probe(&pdu(&udp, 0, FromClient, &hex("0200 0280 0800 01000000 01000000 b100 0200 0100 ff"))),
        Probe::No
    );
}

#[test]
fn memory_is_bounded() {
    let flow = flow(Transport::Tcp, 44818);
    let mut analyzer = Enip.open(&flow);
    let mut recorder = Recorder::default();
    for index in 0..1000u16 {
        analyzer.feed(
            &pdu(&flow, u64::from(index), FromClient, &connected(5, index, "0e 03 2001 2401 3007")),
            &mut recorder,
        );
    }
    assert_eq!(recorder.of("operation").len(), 1000 - WAITING_LIMIT);
    analyzer.close(&flow, &mut recorder);
    assert_eq!(recorder.of("operation").len(), 1000);
    let long = format!("4d 03 91 03 546167 00 c200 ffff {}", "00".repeat(REQUEST_LIMIT * 2));
    let rows = ask(&long, "cd 00 00 00");
    assert_eq!(rows.of("operation")[0]["quantity"], 0xffff);
}

#[test]
fn truncated_messages_do_no_harm() {
    let flow = flow(Transport::Tcp, 44818);
    let bodies = [
        "52 02 2006 2401 05f7 0e00 0a 02 2002 2401 0100 0400 0e 01 2001 01 00 01 03",
        "54 02 2006 2401 07f9 14000080 1300fe80 1400 4d00 f32b9532 00000000 00127a00 f443 00127a00 f443 a3 03 01 00 2002 2401",
        "4d 03 91 03 546167 00 a002 1234 0200 01000000 02000000",
        "0a 02 2002 2401 0200 0600 0c00 03 02 2001 2401 4c 02 91 02 4142 0100",
        "4b 02 2067 2401 07 4d00 12345678 0f 00 0100 a2 02 07 89 00 00",
        "83 00 00 00 0100 0700 0000 02 4142",
        "8a 00 1e 00 0200 0600 0a00 83 00 00 00 cc 00 05 00",
    ];
    for body in bodies {
        let whole = hex(body);
        for length in 1..whole.len() {
            let cut: String = whole[..length].iter().map(|byte| format!("{byte:02x}")).collect();
            for other in bodies {
                let (asked, replied) = (unconnected(1, other), unconnected(1, &cut));
                let _ = feed_unprobed(&Enip, &flow, &[(FromClient, &asked), (FromServer, &replied)]);
            }
            let (asked, replied) = (unconnected(1, &cut), unconnected(1, "d2 00 00 00 01"));
            let _ = feed_unprobed(
                &Enip,
                &flow,
                &[(FromClient, &asked), (FromServer, &replied), (FromClient, &asked[..length])],
            );
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces(pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 1..80)), 0..20)) {
        let pieces: Vec<(Direction, &[u8])> =
            pieces.iter().map(|(client, data)| (if *client { FromClient } else { FromServer }, data.as_slice())).collect();
        let _ = feed_unprobed(&Enip, &flow(Transport::Tcp, 44818), &pieces);
        let _ = feed_unprobed(&Enip, &flow(Transport::Udp, 2222), &pieces);
    }

    #[test]
    fn any_cip_in_a_sound_message(turns in prop::collection::vec((any::<bool>(), 0u64..3, prop::collection::vec(any::<u8>(), 1..60)), 0..20)) {
        let messages: Vec<(Direction, Vec<u8>)> = turns
            .iter()
            .map(|(client, context, cip)| {
                let text: String = cip.iter().map(|byte| format!("{byte:02x}")).collect();
                (if *client { FromClient } else { FromServer }, unconnected(*context, &text))
            })
            .collect();
        let pieces: Vec<(Direction, &[u8])> = messages.iter().map(|(direction, data)| (*direction, data.as_slice())).collect();
        let rows = feed_unprobed(&Enip, &flow(Transport::Tcp, 44818), &pieces);
        for row in rows.of("operation") {
            let detail = row["detail"].as_str().unwrap();
            prop_assert!(detail.is_empty() || serde_json::from_str::<Value>(detail).is_ok(), "{}", detail);
        }
    }
}
