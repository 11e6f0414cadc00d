//! S7comm messages, cut from captures or written by hand.

use proptest::prelude::*;
use quaywatch_model::Direction::{self, FromClient, FromServer};
use quaywatch_model::{Mark, Transport};
use serde_json::{Value, json};

use super::*;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};

/// Wraps a message in TPKT and COTP.
fn wrap(message: &str) -> Vec<u8> {
    let message = hex(message);
    let mut packet = vec![3, 0];
    packet.extend_from_slice(&u16::try_from(message.len() + 7).unwrap().to_be_bytes());
    packet.extend_from_slice(&[2, 0xf0, 0x80]);
    packet.extend_from_slice(&message);
    packet
}

fn run(messages: &[(Direction, &str)]) -> Recorder {
    let packets: Vec<(Direction, Vec<u8>)> = messages.iter().map(|(way, text)| (*way, wrap(text))).collect();
    let pieces: Vec<(Direction, &[u8])> = packets.iter().map(|(way, bytes)| (*way, bytes.as_slice())).collect();
    feed(&S7comm, &flow(Transport::Tcp, 102), &pieces)
}

fn detail(operation: &Value) -> Value {
    serde_json::from_str(operation["detail"].as_str().unwrap()).unwrap()
}

fn claims(rows: &Recorder) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    rows.of("identity").iter().map(|row| (text(&row["attribute"]), text(&row["value"]))).collect()
}

fn claim(attribute: &str, value: &str) -> (String, String) {
    (attribute.to_owned(), value.to_owned())
}

#[test]
fn setup_is_a_session() {
    let rows = run(&[
        (FromClient, "32010000020000080000f0000001000101e0"),
        (FromServer, "32030000020000080000 0000 f0000001000100f0"),
    ]);
    let setup = &rows.of("operation")[0];
    assert_eq!(setup["class"], "session");
    assert_eq!(setup["quantity"], 240);
    assert_eq!(detail(setup)["pdu_length"], 480);
    assert_eq!(detail(setup)["agreed_pdu_length"], 240);
    assert_eq!(setup["latency"], 1_000_000);
    assert_eq!(rows.of("service")[0]["protocol"], "s7comm");
}

/// `s7comm/icsnpp-s7ident.pcap` frames 31 and 32: five items, none of which exists.
#[test]
fn items_and_their_results_are_told() {
    let rows = run(&[
        (
            FromClient,
            "320100000a00003e0000 0405 120a10020010000083000000 120a10020010000184000008 120a10020010000082000003
             120a101d000800001d000000 120a101c000800001c000005",
        ),
        (FromServer, "320300000a0000020014 0000 0405 0a000004 0a000004 0a000004 0a000004 0a000004"),
    ]);
    let read = &rows.of("operation")[0];
    assert_eq!(read["class"], "read");
    assert_eq!(read["object"], "M0.0 BYTE 16; DB1.DBX1.0 BYTE 16; Q0.3 BYTE 16; T0 TIMER 8; C5 COUNTER 8");
    assert_eq!(read["quantity"], 64);
    assert_eq!(read["status"], 10);
    assert_eq!(read["status_name"], "object does not exist");
    assert_eq!(detail(read)["items"], 5);
    assert_eq!(detail(read)["results"], json!([10, 10, 10, 10, 10]));
}

#[test]
fn read_data_of_odd_length_are_skipped_rightly() {
    let rows = run(&[
        (FromClient, "320100000a00001a0000 0402 120a10010001000083000000 120a10020001000083000008"),
        (FromServer, "320300000a000002000b 0000 0402 ff030001 01 00 ff040008 aa"),
    ]);
    let read = &rows.of("operation")[0];
    assert_eq!(read["status"], 0);
    assert_eq!(read["object"], "M0.0 BIT 1; M1.0 BYTE 1");
    assert!(rows.of("weird").is_empty());
}

#[test]
fn writes_keep_numbers_and_not_texts() {
    let rows = run(&[
        (
            FromClient,
            "320100000b00001a0014 0502 120a10010001000082000003 120a10020010000184000000
             00030001 01 00 00040050 6f70656e73657361 6d65",
        ),
        (FromServer, "320300000b0000020002 0000 0502 ff05"),
    ]);
    let write = &rows.of("operation")[0];
    assert_eq!(write["class"], "write");
    assert_eq!(write["status"], 5);
    assert_eq!(detail(write)["values"], json!(["0x01", "10 bytes"]));
    assert_eq!(detail(write)["results"], json!([255, 5]));
}

#[test]
fn every_address_syntax_prints() {
    for (item, object) in [
        ("120a10060002000585000010", "DI5.DIX2.0 DWORD 2"),
        ("120a1002000100000300 0f18", "SYSINFO483.0 BYTE 1"),
        ("1207b001040001000a", "DB1.DBX10.0 BYTE 4 (DBREAD)"),
        ("1212b2ff8a0e0001deadbeef200000098000000100", "SYM DB1 9.1 crc deadbeef"),
        ("1208824100010002 7f01", "NCK C1 module 0x7f column 1 row 2 rows 1"),
        ("120aa2000000000003c20001", "DRIVE p962[1]"),
        ("1206130000000005", "R_ID 0x00000005"),
        ("120399aabb", "syntax 0x99"),
        ("120a10990002000083000000", "M0.0 type 0x99 2"),
    ] {
        let item = hex(item);
        let mut object_text = String::new();
        let mut cursor = crate::bytes::Cursor::new(&item);
        items::describe(&mut cursor, 1, &mut object_text).unwrap();
        assert_eq!(object_text, object);
    }
}

#[test]
fn objects_are_bounded() {
    // 250 items of 49 ranges each.
    let mut item = vec![0x12, 247, 0xb0, 49];
    item.extend([1, 0, 1, 0, 1].repeat(49));
    let bytes: Vec<u8> = item.iter().copied().chain([0]).collect::<Vec<_>>().repeat(250);
    let mut object = String::new();
    items::describe(&mut crate::bytes::Cursor::new(&bytes), 250, &mut object).unwrap();
    assert!(object.len() <= items::OBJECT_LIMIT + 3);
    assert!(object.ends_with("..."));
}

/// `s7comm/iti-step7-s300-download.pcap` frames 87 to 94, the block shortened.
#[test]
fn a_download_is_followed() {
    let rows = run(&[
        (FromClient, "320100008300002000001a00010000000000095f304130303030 31500d31303030303036303030303838"),
        (FromServer, "320300008300000100000000 1a"),
        (FromServer, "32010000650100120000 1b00000000000000095f3041303030303150"),
        (FromClient, "3203000065010002000a00001b00 000600fb 70700101050a"),
        (FromServer, "32010000670100120000 1c00000000000000095f3041303030303150"),
        (FromClient, "320300006701000100000000 1c"),
        (FromClient, "320100008400001a0000 28000000000000fd000a01003041303030303150055f494e5345"),
        (FromServer, "320300008400000100000000 28"),
    ]);
    assert!(rows.marks.is_empty(), "{:?}", rows.marks);
    let names: Vec<String> =
        rows.of("operation").iter().map(|row| format!("{} {}", row["name"], row["object"]).replace('"', "")).collect();
    assert_eq!(
        names,
        ["request download DB1", "download block DB1", "download ended DB1", "PI service _INSE: activate block DB1"]
    );
    for row in rows.of("operation") {
        assert_eq!(row["class"], "program");
        assert_eq!(row["client"]["address"], "10.0.0.1", "the programming device drives the download");
    }
    let program = &rows.of("program")[0];
    assert_eq!(program["name"], "DB1");
    assert_eq!(program["transfer"], "download");
    assert_eq!(program["size"], 6);
    assert_eq!(program["complete"], true);
    assert_eq!(program["client"]["address"], "10.0.0.1");
    let operation = &rows.of("operation")[3];
    assert_eq!(detail(operation)["service"], "_INSE");
    assert_eq!(detail(operation)["files"], json!(["0A00001P"]));
}

/// `s7comm/icsnpp-snap7.pcap` frames 17 to 22, the block shortened, in two pieces.
#[test]
fn an_upload_is_followed() {
    let start = [
        (FromClient, "320100000800001200001d00000000000000095f3042303030303041"),
        (FromServer, "3203000008000010000000001d000100000000070730303030303036"),
        (FromClient, "320100000900000800001e00000000000007"),
        (FromServer, "320300000900000200080000 1e01 000400fb 70700302"),
        (FromClient, "320100000a00000800001e00000000000007"),
        (FromServer, "320300000a00000200060000 1e00 000200fb 070b"),
    ];
    let end = [(FromClient, "320100000b00000800001f00000000000007"), (FromServer, "320300000b0000010000 0000 1f")];
    let rows = run(&[&start[..], &end[..]].concat());
    let program = &rows.of("program")[0];
    assert_eq!(program["name"], "SDB0");
    assert_eq!(program["transfer"], "upload");
    assert_eq!(program["size"], 6);
    assert_eq!(program["complete"], true);
    assert!(!program["sha256"].is_null());
    assert_eq!(rows.of("operation")[1]["object"], "SDB0");

    let rows = run(&start);
    assert_eq!(rows.of("program")[0]["complete"], false, "it has no end");
}

#[test]
fn transfers_are_bounded() {
    let pieces: Vec<String> =
        (0..20u8).map(|n| format!("3203000009{n:02x}000200080000 1e01 000400fb 70700302")).collect();
    let messages: Vec<(Direction, String)> = (0..20u8)
        .zip(pieces)
        .flat_map(|(n, piece)| {
            [(FromClient, format!("3201000009{n:02x}000800001e000000000000{n:02x}")), (FromServer, piece)]
        })
        .collect();
    let messages: Vec<(Direction, &str)> = messages.iter().map(|(way, text)| (*way, text.as_str())).collect();
    let rows = run(&messages);
    assert_eq!(rows.of("program").len(), 20);
    assert!(rows.of("program").iter().all(|row| row["complete"] == false));
    // The twentieth answer is frame 40, where the last eviction falls and the flow ends.
    let early = rows.rows.iter().filter(|(at, row)| row.get("program").is_some() && at.frame < 40).count();
    assert_eq!(early, 19 - blocks::TRANSFER_LIMIT);
}

#[test]
fn stop_and_start_are_control() {
    let rows = run(&[
        (FromClient, "320100003500001000002900000000000009505f50524f4752414d"),
        (FromServer, "320300003500000100000000 29"),
        (FromClient, "320100001f000016000028000000000000fd0002432009505f50524f4752414d"),
        (FromServer, "320200001f0000000000 8104"),
    ]);
    let operations = rows.of("operation");
    assert_eq!(operations[0]["name"], "PLC stop");
    assert_eq!(operations[0]["class"], "control");
    assert_eq!(operations[1]["name"], "PI service P_PROGRAM: start CPU");
    assert_eq!(operations[1]["object"], "cold restart");
    assert_eq!(operations[1]["status"], 0x8104);
    assert_eq!(operations[1]["status_name"], "service not implemented or frame error");
}

/// `s7comm/icsnpp-s7ident.pcap` frames 10 to 13, the second list shortened and in two fragments.
#[test]
fn partial_lists_identify() {
    let rows = run(&[
        (FromClient, "320700000100000800080001120411440100ff09000400110000"),
        (
            FromServer,
            "320700000100000c007c000112081284010000000000ff09007800110000001c0004
             000136455337203331352d32454831342d304142302000c000040001
             000636455337203331352d32454831342d304142302000c000040001
             0007202020202020202020202020202020202020202000c056030206
             0081426f6f74204c6f61646572202020202020202020000041200909",
        ),
        (FromClient, "320700000200000800080001120411440100ff090004001c0000"),
        (
            FromServer,
            "320700000200000c002e0001120812840100d6010000ff09002a001c000000220002
             00054c4f424f20202020202020202020202020202020202020202020202020202020",
        ),
        (FromClient, "320700000300000800040001120411440100 0a000000"),
        (
            FromServer,
            "320700000300000c00260001120812840100d6000000ff090022
             0007435055203331352d3220504e2f445000000000000000000000000000000000 00",
        ),
    ]);
    assert_eq!(
        claims(&rows),
        [
            claim("order-number", "6ES7 315-2EH14-0AB0"),
            claim("hardware", "4"),
            claim("firmware", "V3.2.6"),
            claim("bootloader", "A9.9"),
            claim("serial", "LOBO"),
            claim("model", "CPU 315-2 PN/DP"),
        ]
    );
    let operations = rows.of("operation");
    assert_eq!(operations[0]["code"], 0x7_0401);
    assert_eq!(operations[0]["class"], "identify");
    assert_eq!(operations[0]["object"], "SZL 0x0011 index 0x0000: module identification");
    assert_eq!(operations[2]["class"], "identify");
    assert_eq!(operations[2]["object"], "SZL 0x001c index 0x0000: component identification");
}

#[test]
fn a_last_fragment_alone_is_no_list() {
    let rows = run(&[(
        FromServer,
        "320700000300000c001e0001120812840100d6000000ff09001a 00110000 0012 0001 00013645533700000000000000000000",
    )]);
    assert!(rows.of("identity").is_empty());
}

/// `s7comm/icsnpp-s7ident.pcap` frame 17; then a mode transition as in `s7comm/iti-step7-s300-stop.pcap` frame 4.
#[test]
fn states_are_told_as_they_change() {
    let running =
        "320700000400000c0020000112081284010000000000ff09001c04240000001400015144ff0800000000000000002410042124250005";
    let rows = run(&[
        (FromServer, running),
        (FromServer, running),
        (FromServer, "3207000000000008000000011010000000 00"),
        (FromServer, running),
    ]);
    assert_eq!(claims(&rows), [claim("state", "RUN"), claim("state", "STOP"), claim("state", "RUN")]);
    let transition = &rows.of("operation")[2];
    assert_eq!(transition["name"], "mode transition");
    assert_eq!(transition["object"], "STOP");
    assert_eq!(transition["request_frame"], Value::Null);
    assert_eq!(transition["server"]["address"], "10.0.0.2");
}

/// `s7comm/icsnpp-snap7.pcap` frames 45 to 48.
#[test]
fn clocks_are_read_and_set() {
    let rows = run(&[
        (FromClient, "3207000016000008000400011204114701000a000000"),
        (FromServer, "320700001600000c000e000112081287010000000000ff09000a00191602081451379162"),
        (FromClient, "3207000017000008000e0001120411470200ff09000a00191602082308100002"),
        (FromServer, "320700001700000c00040001120812870202000000000a000000"),
    ]);
    assert_eq!(rows.of("clock")[0]["device_time"], 1_454_943_097_916_000_000i64);
    let set = &rows.of("operation")[1];
    assert_eq!(set["class"], "configure");
    assert_eq!(set["status"], 0);
    assert_eq!(set["object"], "2016-02-08T23:08:10.000000Z");
}

/// A password is told of, never told: "geheim12" and blanks, hidden as snap7 hides them.
#[test]
fn passwords_are_told_of_and_not_kept() {
    let plain = b"geheim12";
    let mut hidden = Vec::new();
    for (index, byte) in plain.iter().enumerate() {
        let before = index.checked_sub(2).map_or(0, |at| hidden[at]);
        hidden.push(byte ^ 0x55 ^ before);
    }
    let hidden: String = hidden.iter().map(|byte| format!("{byte:02x}")).collect();
    let request = format!("3207000018000008000c0001120411450100ff090008{hidden}");
    let refused = "320700001800000c000400011208128501000000d6020a000000";
    let rows = run(&[(FromClient, &request), (FromServer, refused)]);
    assert_eq!(rows.of("credential").len(), 1);
    assert_eq!(rows.of("credential")[0]["weakness"], "clear-text");
    assert_eq!(rows.of("session")[0]["outcome"], "failure");
    assert_eq!(rows.of("operation")[0]["status_name"], "incorrect password");
    let all = format!("{:?}", rows.rows);
    assert!(!all.contains("geheim") && !all.contains(&hidden));

    let accepted = "320700001800000c00040001120812850100000000000a000000";
    let rows =
        run(&[(FromClient, "3207000018000008000c0001120411450100ff0900087575000075750000"), (FromServer, accepted)]);
    assert_eq!(rows.of("credential")[1]["weakness"], "empty");
    assert_eq!(rows.of("session")[0]["outcome"], "success");
}

#[test]
fn nc_logins_keep_no_parameters() {
    // PI service _N_LOGIN_ with the parameters "SUNRISE".
    let rows =
        run(&[(FromClient, "320100001f00001c0000 28000000000000fd 0008 0753554e52495345 09 5f4e5f4c4f47494e5f")]);
    assert!(!format!("{:?}", rows.rows).contains("SUNRISE"));
    assert_eq!(rows.of("operation")[0]["class"], "session");
    assert_eq!(rows.of("session")[0]["outcome"], "unknown");
    assert_eq!(rows.of("credential").len(), 1);
}

/// Block information of SFC 0: `s7comm/wireshark-wiki-cotp-test.pcap`.
#[test]
fn block_information_is_told() {
    let rows = run(&[
        (FromClient, "3207000012000008000c0001120411430300ff0900083044303030303041"),
        (
            FromServer,
            "320700001200000c00520001120812830302000000 00ff09004e 0100004a42007070 0009010d0000
             0000005a00000000 02c1aac80f76 02c1aac80f76 000c00040000 0002 53494d4154494300 434c4b5f46554e43 5345545f434c4b00
             1000000000000000000000 00",
        ),
    ]);
    let info = &rows.of("operation")[0];
    assert_eq!(info["object"], "SFC0");
    assert_eq!(info["quantity"], 90);
    let detail = detail(info);
    assert_eq!(detail["author"], "SIMATIC");
    assert_eq!(detail["family"], "CLK_FUNC");
    assert_eq!(detail["block_name"], "SET_CLK");
    assert_eq!(detail["language"], "STL");
    assert_eq!(detail["version"], "1.0");
    assert_eq!(detail["code_time"], "1994-11-02T12:50:46.600000Z");
}

#[test]
fn block_lists_are_counted() {
    // `s7comm/icsnpp-snap7.pcap` frame 16.
    let rows = run(&[
        (FromClient, "3207000007000008000400011204114301000a000000"),
        (
            FromServer,
            "320700000700000c0020000112081283010000000000ff09001c30380001304500013043000030410002304200083044004d3046000f",
        ),
    ]);
    let list = &rows.of("operation")[0];
    assert_eq!(list["quantity"], 104);
    assert_eq!(detail(list)["SFC"], 77);
}

#[test]
fn messages_and_alarms_are_named() {
    let rows = run(&[
        // `s7comm/iti-wincc-s300-setup-alarm-read-2.pcap` frames 3 and 10.
        (FromClient, "3207000000010008000e0001120411440200ff09000a0100486d6952746d2020"),
        (FromClient, "320700000002000800100001120411441300ff09000c000112081a00013400000004"),
        // `s7comm/iti-step7-s300-stop.pcap` frame 3.
        (FromServer, "320700000000000800180001120411040300ff0900144304ff8400000000000000009401092153421521"),
        // `s7comm/iti-step7-s300-readvartab.pcap` frame 1, as a request.
        (
            FromClient,
            "3207000000030008002a0001120411410200ff0900260014000e0000000100000012000100010001000100010000000201060000000011010000 0008",
        ),
    ]);
    assert!(rows.marks.is_empty(), "{:?}", rows.marks);
    let operations = rows.of("operation");
    assert_eq!(operations[0]["object"], "event 0x4304: STOP by a programming device or by SFB 20");
    assert_eq!(detail(&operations[0])["time"], "1994-01-09T21:53:42.152000Z");
    assert_eq!(detail(&operations[1])["subscriber"], "HmiRtm");
    assert_eq!(operations[2]["object"], "alarms of type ALARM_S");
    assert_eq!(operations[3]["object"], "MB0 x6; IB8 x1");
    assert_eq!(operations[3]["class"], "read");
}

#[test]
fn cyclic_reads_print_their_items() {
    let rows =
        run(&[(FromClient, "320700000004000800140001120411420100ff090010 0001 01 05 120a100200040001840000 00")]);
    let cyclic = &rows.of("operation")[0];
    assert_eq!(cyclic["class"], "cyclic");
    assert_eq!(cyclic["object"], "DB1.DBX0.0 BYTE 4");
    assert_eq!(detail(cyclic)["interval_ms"], 5_000);
}

#[test]
fn an_answer_without_its_request_is_told() {
    let rows = run(&[(FromServer, "320300000a0000020005 0000 0401 ff040008 aa")]);
    let read = &rows.of("operation")[0];
    assert_eq!(read["name"], "read var");
    assert_eq!(read["request_frame"], Value::Null);
    assert_eq!(read["latency"], Value::Null);
    assert_eq!(read["client"]["address"], "10.0.0.1");
    assert_eq!(detail(read)["items"], 1);
}

#[test]
fn an_answer_of_another_function_is_weird() {
    let rows = run(&[
        (FromClient, "320100000a00000e0000 0401 120a10010001000083000000"),
        (FromServer, "320300000a0000010000 0000 29"),
    ]);
    assert_eq!(rows.of("weird")[0]["name"], "s7comm_answer_mismatch");
    assert_eq!(rows.of("operation").len(), 2);
}

#[test]
fn requests_that_wait_are_bounded() {
    let flow = flow(Transport::Tcp, 102);
    let mut analyzer = S7comm.open(&flow);
    let mut rows = Recorder::default();
    let packet = wrap("320100000a00000e0000 0401 120a10010001000083000000");
    let limit = u64::try_from(conversation::WAITING_LIMIT).unwrap();
    for index in 0..limit + 7 {
        analyzer.feed(&pdu(&flow, index, FromClient, &packet), &mut rows);
    }
    assert_eq!(rows.of("operation").len(), 7);
    analyzer.close(&flow, &mut rows);
    assert_eq!(rows.of("operation").len(), conversation::WAITING_LIMIT + 7);
}

#[test]
fn claims_are_bounded() {
    let mut claims = request::Claims::default();
    let mut rows = Recorder::default();
    let subject = flow(Transport::Tcp, 102).server;
    for index in 0..request::CLAIM_LIMIT + 10 {
        let value = index.to_string();
        for _ in 0..2 {
            let claim = (quaywatch_model::Attribute::Serial, value.as_str(), "test");
            claims.tell(subject, claim, quaywatch_model::At::default(), &mut rows);
        }
    }
    assert_eq!(rows.of("identity").len(), request::CLAIM_LIMIT + 10);
}

#[test]
fn fragments_are_bounded() {
    let mut list = szl::Assembly::default();
    let part = vec![0; szl::LIST_LIMIT / 2 + 1];
    assert!(list.push(1, true, &part, "").is_none());
    assert!(list.push(1, true, &part, "").is_none());
    assert_eq!(list.object(), "");
    assert!(!list.identifies());
}

#[test]
fn broken_messages_are_weird() {
    for (message, name) in [
        ("3201000002000008000 0f00000", "s7comm_malformed_header"),
        ("32010000020000000000", "s7comm_malformed_job"),
        ("32010000020000020000 0405", "s7comm_malformed_job"),
        ("32070000020000040000 00011204", "s7comm_malformed_userdata"),
        ("32010000020000080000f0000001000101e0ff", "s7comm_trailing_bytes"),
    ] {
        let rows = run(&[(FromClient, message)]);
        assert_eq!(rows.of("weird")[0]["name"], name);
        assert!(rows.marks.iter().any(|mark| matches!(mark, Mark::Malformed(_))), "{name}");
    }
}

#[test]
fn unknown_functions_are_counted() {
    let rows = run(&[(FromClient, "32010000020000010000 77")]);
    assert_eq!(rows.marks, [Mark::Undecoded("unknown job function")]);
    assert_eq!(rows.of("operation")[0]["code"], 0x77);
}

/// Every message of these tests cut at every length, with the lengths in its header as they were and made to fit.
#[test]
fn truncated_messages_do_not_panic() {
    for whole in [
        "320100000a00003e0000 0405 120a10020010000083000000 120a10020010000184000008 1212b2ff8a0e0001deadbeef2000000980000001",
        "320100008300002000001a00010000000000095f30413030303031500d31303030303036303030303838",
        "320100008400001a0000 28000000000000fd000a01003041303030303150055f494e5345",
        "3203000008000010000000001d000100000000070730303030303036",
        "320700000100000c007c000112081284010000000000ff09007800110000001c0004000136455337203331352d32454831342d30414230",
        "320700000200000c002e0001120812840100d6000000ff09002a00370000003000010000c0a80001ffffff00c0a800fe001b1b000001",
        "320700001200000c00520001120812830302000000 00ff09004e0100004a420070700009010d00000000005a0000000002c1aac80f76",
        "320700000004000800140001120411420100ff0900100001 01 05 120a10020004000184000000",
        "3207000000030008002a0001120411410200ff0900260014000e00000001000000120001000100010001000100000002010600000000",
    ] {
        let whole = hex(whole);
        for end in 1..whole.len() {
            let mut message = whole[..end].to_vec();
            for fitted in [false, true] {
                if fitted && message.len() > 12 {
                    let rest = u16::try_from(message.len() - 10).unwrap();
                    let parameters = rest.min(u16::from(message[7]));
                    message[6..8].copy_from_slice(&parameters.to_be_bytes());
                    message[8..10].copy_from_slice(&(rest - parameters).to_be_bytes());
                }
                let text: String = message.iter().map(|byte| format!("{byte:02x}")).collect();
                for way in [FromClient, FromServer] {
                    feed_unprobed(&S7comm, &flow(Transport::Tcp, 102), &[(way, &wrap(&text))]);
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_messages_are_survived(
        messages in prop::collection::vec(
            (
                any::<bool>(),
                prop::sample::select(vec![1u8, 2, 3, 7]),
                0u8..3,
                prop::sample::select(vec![0u8, 4, 5, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x28, 0x29, 0xf0]),
                prop::sample::select(vec![0x00u8, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x4f, 0x81, 0x83, 0x84, 0x87]),
                prop::collection::vec(any::<u8>(), 0..40),
                prop::collection::vec(any::<u8>(), 0..60),
            ),
            1..16,
        ),
    ) {
        let flow = flow(Transport::Tcp, 102);
        let mut analyzer = S7comm.open(&flow);
        let mut rows = Recorder::default();
        for (index, (client, kind, reference, function, group, parameters, data)) in (0..).zip(messages) {
            let mut block = if kind == 7 { vec![0, 1, 0x12, 8, 0x11, group] } else { vec![function] };
            block.extend_from_slice(&parameters);
            let mut message = vec![0x32, kind, 0, 0, 0, reference];
            message.extend_from_slice(&u16::try_from(block.len()).unwrap().to_be_bytes());
            message.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
            if kind == 2 || kind == 3 {
                message.extend_from_slice(&[0, 0]);
            }
            message.extend_from_slice(&block);
            message.extend_from_slice(&data);
            let text: String = message.iter().map(|byte| format!("{byte:02x}")).collect();
            let direction = if client { FromClient } else { FromServer };
            analyzer.feed(&pdu(&flow, index, direction, &wrap(&text)), &mut rows);
        }
        analyzer.close(&flow, &mut rows);
        for row in rows.of("operation") {
            let text = row["detail"].as_str().unwrap();
            prop_assert!(serde_json::from_str::<Value>(text).is_ok(), "{text}");
        }
    }
}
