//! Messages cut from `llrp/wireshark-wiki-llrp.pcap`, and written from the standard.

use proptest::prelude::*;
use quaywatch_model::{Direction, Mark, Transport};
use serde_json::{Value, json};

use super::{LIMIT, Llrp, TAG_LIMIT, WAITING_LIMIT};
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

use Direction::{FromClient, FromServer};

/// Frame 1: the reader takes the connection. Its clock counts from 1601.
const TAKEN: &str = "043f000000200000000000f600160080000c01c81d8e6f706ea0010000060000";
/// Frame 4: ADD_ROSPEC.
const ADD: &str = "04140000003e0000048f00b1003400000001000000b2001200b300050000b60009000000000000b700180001000100b80009\
                   000000100000ba0007000101";
/// Frame 5: its answer.
const ADDED: &str = "041e000000120000048f011f000800000000";
/// Frame 10 and 11: a request that is refused.
const ASKED: &str = "0402000000110000049200000000000000";
const REFUSED: &str = "04640000001f00000492011f0015006d000d556e6b6e6f776e206572726f72";
/// Frame 16, its first tag twice.
const REPORT: &str = "043d000000800000000400f0003b00f10012006000106031000000000000088189000000018e00008a000181000186008200\
                      0003cecee1f48884000000970dfdcab08802a500f0003b00f10012006000106031000000000000088189000000018e0000\
                      8a0001810001860082000003cecee1f48884000000970dfdcab08802a5";
const KEEPALIVE: &str = "043e0000000a00000001";
const KEEPALIVE_ACK: &str = "04480000000a00000001";

fn message(version: u8, kind: u16, id: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = (u16::from(version) << 10 | kind).to_be_bytes().to_vec();
    bytes.extend(u32::try_from(body.len() + 10).unwrap().to_be_bytes());
    bytes.extend(id.to_be_bytes());
    bytes.extend(body);
    bytes
}

fn tlv(kind: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = kind.to_be_bytes().to_vec();
    bytes.extend(u16::try_from(body.len() + 4).unwrap().to_be_bytes());
    bytes.extend(body);
    bytes
}

fn talk(pieces: &[(Direction, Vec<u8>)]) -> Recorder {
    let pieces: Vec<(Direction, &[u8])> =
        pieces.iter().map(|(direction, data)| (*direction, data.as_slice())).collect();
    feed(&Llrp, &flow(Transport::Tcp, 5084), &pieces)
}

fn details(row: &Value) -> Value {
    serde_json::from_str(row["detail"].as_str().unwrap()).unwrap()
}

fn claims(rows: &Recorder) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    rows.of("identity").iter().map(|row| (text(&row["attribute"]), text(&row["value"]))).collect()
}

#[test]
fn a_connection_is_taken_and_a_job_added() {
    let rows = talk(&[(FromServer, hex(TAKEN)), (FromClient, hex(ADD)), (FromServer, hex(ADDED))]);
    let session = &rows.of("session")[0];
    assert_eq!((&session["outcome"], &session["version"]), (&json!("success"), &json!("1.0.1")));
    assert_eq!(session["server"]["port"], 5084);
    let weirds = rows.of("weird");
    assert_eq!((weirds.len(), &weirds[0]["name"]), (1, &json!("llrp_timestamp")));
    let operations = rows.of("operation");
    assert_eq!(operations.len(), 2);
    assert_eq!(operations[0]["object"], "ConnectionAttemptEvent accepted");
    let add = &operations[1];
    assert_eq!((&add["name"], &add["class"]), (&json!("ADD_ROSPEC"), &json!("configure")));
    assert_eq!((&add["object"], &add["status_name"]), (&json!("rospec 1"), &json!("M_Success")));
    let detail = details(add);
    assert_eq!(detail["antennas"], json!([1]));
    assert_eq!((&detail["start_trigger"], &detail["stop_trigger"]), (&json!("none"), &json!("none")));
    assert_eq!(detail["parameters"].as_array().unwrap().len(), 7);
    assert_eq!(rows.of("service").len(), 1);
    assert_eq!(rows.marks, []);
}

#[test]
fn a_refusal_takes_the_place_of_the_answer() {
    let rows = talk(&[(FromClient, hex(ASKED)), (FromServer, hex(REFUSED))]);
    let row = &rows.of("operation")[0];
    assert_eq!((&row["name"], &row["object"]), (&json!("GET_READER_CONFIG"), &json!("all")));
    assert_eq!((&row["status"], &row["status_name"]), (&json!(109), &json!("M_UnsupportedMessage")));
    assert_eq!(details(row)["error"], "Unknown error");
    assert_eq!(details(row)["reply"], "ERROR_MESSAGE");
    assert_eq!(row["latency"], 1_000_000);
}

#[test]
fn tags_are_cargo_once() {
    let rows = talk(&[(FromServer, hex(REPORT)), (FromServer, hex(REPORT))]);
    let cargo = rows.of("cargo");
    assert_eq!(cargo.len(), 1);
    assert_eq!((&cargo[0]["id"], &cargo[0]["kind"]), (&json!("001060310000000000000881"), &json!("tag")));
    assert_eq!(cargo[0]["sender"]["port"], 5084);
    assert_eq!((&details(&cargo[0])["antenna"], &details(&cargo[0])["seen"]), (&json!(1), &json!(677)));
    let operations = rows.of("operation");
    assert_eq!(operations.len(), 2, "first sight and totals");
    assert_eq!((&operations[0]["quantity"], &operations[0]["class"]), (&json!(2), &json!("cyclic")));
    assert_eq!((&operations[1]["quantity"], &details(&operations[1])["reports"]), (&json!(4), &json!(2)));
}

#[test]
fn more_tags_than_are_remembered_are_counted() {
    let mut pieces = Vec::new();
    for number in 0..=u32::try_from(TAG_LIMIT).unwrap() {
        let mut epc = vec![0x8d];
        epc.extend([0x30; 8]);
        epc.extend(number.to_be_bytes());
        pieces.push((FromServer, message(1, 61, number, &tlv(240, &epc[..13]))));
    }
    let rows = talk(&pieces);
    assert_eq!(rows.of("cargo").len(), TAG_LIMIT);
    assert_eq!(details(&rows.of("cargo")[0])["scheme"], "sgtin-96");
    assert_eq!(details(rows.of("operation").last().unwrap())["reads_not_told"], 1);
}

#[test]
fn keepalives_are_told_once_and_counted() {
    let mut pieces = Vec::new();
    for _ in 0..3 {
        pieces.push((FromServer, hex(KEEPALIVE)));
        pieces.push((FromClient, hex(KEEPALIVE_ACK)));
    }
    pieces.push((FromServer, hex(KEEPALIVE)));
    let rows = talk(&pieces);
    let operations = rows.of("operation");
    assert_eq!(operations.len(), 3);
    assert_eq!((&operations[0]["request_frame"], &operations[0]["reply_frame"]), (&json!(1), &json!(2)));
    assert_eq!(operations[1]["status"], json!(null), "the one without answer");
    assert_eq!((&operations[2]["quantity"], &details(&operations[2])["answered"]), (&json!(4), &json!(3)));
}

#[test]
fn readers_say_who_they_are() {
    let firmware = b"6.4.1.240";
    let mut general = vec![0, 4, 0xc0, 0];
    general.extend(25_882u32.to_be_bytes());
    general.extend(2_001_002u32.to_be_bytes());
    general.extend([0, 9]);
    general.extend(firmware);
    general.extend(tlv(141, &[0, 4, 0, 4]));
    let ok = tlv(287, &[0, 0, 0, 0]);
    let capabilities = [ok.clone(), tlv(137, &general)].concat();
    let identification = [ok, tlv(218, &[0, 0, 8, 0, 0x16, 0x25, 0xff, 0xfe, 0x10, 0x20, 0x30])].concat();
    let rows = talk(&[
        (FromClient, message(2, 1, 7, &[0])),
        (FromServer, message(2, 11, 7, &capabilities)),
        (FromClient, message(2, 2, 8, &[0, 0, 1, 0, 0, 0, 0])),
        (FromServer, message(2, 12, 8, &identification)),
    ]);
    let told = claims(&rows);
    for (attribute, value) in [
        ("vendor", "Impinj"),
        ("model", "2001002"),
        ("product", "Speedway R420"),
        ("firmware", "6.4.1.240"),
        ("mac", "00:16:25:10:20:30"),
        ("capability", "RFID reader"),
    ] {
        assert!(told.contains(&(attribute.to_owned(), value.to_owned())), "{attribute} {value}: {told:?}");
    }
    assert_eq!(rows.of("weird"), Vec::<Value>::new());
    assert_eq!(rows.of("operation")[1]["object"], "identification");
    assert_eq!(details(&rows.of("operation")[0])["version"], "1.1");
    assert_eq!(details(&rows.of("operation")[0])["reply_parameters"][2], "GPIOCapabilities");
}

#[test]
fn orders_to_tags_are_told_without_their_passwords() {
    let kill = tlv(343, &[0, 1, 0xde, 0xad, 0xbe, 0xef]);
    let write = tlv(342, &[0, 2, 0, 0, 0, 0, 0x40, 0, 2, 0, 1, 0x12, 0x34]);
    let spec = tlv(338, &tlv(339, &[0x60, 0, 0x20, 0, 0, 0, 0]));
    let mut body = vec![0, 0, 0, 9, 0, 1, 1, 0, 0, 0, 0, 1];
    body.extend(tlv(208, &[0, 0, 0]));
    body.extend(tlv(209, &[spec, kill, write].concat()));
    let rows = talk(&[
        (FromClient, message(1, 40, 3, &tlv(207, &body))),
        (FromServer, message(1, 50, 3, &tlv(287, &[0, 0, 0, 0]))),
    ]);
    let row = &rows.of("operation")[0];
    assert_eq!(row["object"], "accessspec 9");
    assert_eq!(details(row)["tag_operations"], json!(["kill tag", "write tag"]));
    let credentials = rows.of("credential");
    assert_eq!(credentials.len(), 1, "a password of zero is none");
    assert_eq!(credentials[0]["rule"], "tag kill password sent unencrypted");
    assert!(!format!("{:?}", rows.rows).contains("deadbeef"));
}

#[test]
fn what_became_of_an_order_is_told() {
    let mut tag = vec![0x8d];
    tag.extend([0x30; 12]);
    tag.extend([0x90, 0, 0, 0, 9]);
    tag.extend(tlv(351, &[1, 0, 1]));
    let rows = talk(&[(FromServer, message(1, 61, 3, &tlv(240, &tag)))]);
    let row = &rows.of("operation")[0];
    assert_eq!((&row["name"], &row["status"]), (&json!("kill tag"), &json!(1)));
    assert_eq!((&row["status_name"], &row["class"]), (&json!("zero kill password"), &json!("write")));
}

#[test]
fn configuration_is_told_with_what_it_sets() {
    let mut body = vec![0x80];
    body.extend(tlv(220, &[1, 0, 0, 0x27, 0x10]));
    body.extend(tlv(222, &[vec![0, 2], tlv(224, &[0, 1, 0, 1, 0, 81])].concat()));
    body.extend(tlv(219, &[0, 3, 0x80]));
    let rows = talk(&[(FromClient, message(1, 3, 3, &body))]);
    let row = &rows.of("operation")[0];
    assert_eq!((&row["class"], &row["status"]), (&json!("configure"), &json!(null)));
    let detail = details(row);
    assert_eq!((&detail["factory_reset"], &detail["keepalive_ms"]), (&json!(true), &json!(10_000)));
    assert_eq!((&detail["antennas"], &detail["transmit_power_indexes"]), (&json!([2]), &json!([81])));
    assert_eq!((&detail["gpo_port"], &detail["gpo_high"]), (&json!(3), &json!(true)));
}

#[test]
fn a_reader_that_calls_is_still_the_server() {
    // The reader opened this connection: it is the flow's client.
    let rows = feed_unprobed(
        &Llrp,
        &flow(Transport::Tcp, 5084),
        &[(FromClient, &hex(TAKEN)), (FromServer, &message(1, 21, 1, &[0, 0, 0, 0]))],
    );
    let delete = &rows.of("operation")[1];
    assert_eq!(delete["object"], "all rospecs");
    assert_eq!(delete["server"]["address"], "10.0.0.1");
}

#[test]
fn deviations_are_told_and_reading_goes_on() {
    // A ROSpec that says it is longer than its message.
    let mut long = hex(ADD);
    long[13] = 0x99;
    let rows = feed_unprobed(&Llrp, &flow(Transport::Tcp, 5084), &[(FromClient, &long), (FromClient, &hex(ASKED))]);
    assert_eq!(rows.of("weird")[0]["name"], "llrp_parameter");
    assert_eq!(rows.of("operation").len(), 2);
    assert!(matches!(rows.marks[..], [Mark::Malformed(_)]));
    // Parameters within parameters for ever.
    let mut deep = vec![];
    for _ in 0..100 {
        deep = tlv(246, &deep);
    }
    let rows = feed_unprobed(&Llrp, &flow(Transport::Tcp, 5084), &[(FromServer, &message(1, 63, 1, &deep))]);
    assert_eq!(rows.of("weird")[0]["name"], "llrp_parameter");
    let rows =
        feed_unprobed(&Llrp, &flow(Transport::Tcp, 5084), &[(FromServer, &[0xff; 20]), (FromClient, &hex(ASKED))]);
    assert_eq!(rows.of("weird")[0]["name"], "llrp_header");
    assert_eq!(rows.of("operation").len(), 1);
    let version = message(3, 26, 1, &[]);
    let rows = feed_unprobed(&Llrp, &flow(Transport::Tcp, 5084), &[(FromClient, &version)]);
    assert_eq!(rows.of("weird")[0]["name"], "llrp_version");
}

#[test]
fn a_gap_settles_what_waits() {
    use crate::Analyzer;
    let flow = flow(Transport::Tcp, 5084);
    let mut analyzer: Box<dyn Analyzer> = Llrp.open(&flow);
    let mut rows = Recorder::default();
    analyzer.feed(&pdu(&flow, 0, FromClient, &hex(ASKED)), &mut rows);
    analyzer.feed(&pdu(&flow, 1, FromServer, &hex(REFUSED)[..12]), &mut rows);
    analyzer.gap(FromServer, 100, &mut rows);
    assert_eq!(rows.of("operation").len(), 1);
    analyzer.feed(&pdu(&flow, 2, FromServer, &[0x77; 40]), &mut rows);
    assert_eq!(rows.marks, [Mark::Undecoded("llrp after a gap")]);
    analyzer.feed(&pdu(&flow, 3, FromServer, &hex(ADDED)), &mut rows);
    assert_eq!(rows.of("operation")[1]["request_frame"], json!(null));
    for number in 0..=u32::try_from(WAITING_LIMIT).unwrap() {
        analyzer.feed(&pdu(&flow, 4, FromClient, &message(1, 26, number, &[])), &mut rows);
    }
    assert_eq!(rows.of("operation").len(), 3);
}

#[test]
fn makers_own_messages_are_named() {
    let enable = message(1, 1023, 5, &[0, 0, 0x65, 0x1a, 21, 0, 0, 0, 0]);
    let mut answer = vec![0, 0, 0x65, 0x1a, 22];
    answer.extend(tlv(287, &[0, 0, 0, 0]));
    let rows = talk(&[(FromClient, hex(ADD)), (FromClient, enable), (FromServer, message(1, 1023, 5, &answer))]);
    let row = &rows.of("operation")[0];
    assert_eq!((&row["name"], &row["object"]), (&json!("CUSTOM_MESSAGE"), &json!("Impinj subtype 21")));
    assert_eq!(row["reply_frame"], 3);
}

#[test]
fn only_messages_are_claimed() {
    let tcp = flow(Transport::Tcp, 1234);
    let probe = |data: &[u8]| Llrp.probe(&pdu(&tcp, 0, FromClient, data));
    assert_eq!(probe(&hex(TAKEN)), Probe::YesFromServer);
    assert_eq!(probe(&hex(ADD)), Probe::Yes);
    assert_eq!(probe(&hex(KEEPALIVE)), Probe::YesFromServer);
    assert_eq!(probe(&hex(KEEPALIVE_ACK)), Probe::Yes);
    assert_eq!(probe(&hex(ADD)[..20]), Probe::Yes);
    assert_eq!(probe(&hex(ADD)[..8]), Probe::Unsure);
    assert_eq!(probe(&[4]), Probe::Unsure);
    assert_eq!(probe(&[3, 0, 0, 22]), Probe::No);
    assert_eq!(probe(&hex("0414000000000000048f")), Probe::No);
    assert_eq!(probe(&message(1, 62, 1, &[0])), Probe::No);
    assert_eq!(probe(&message(1, 30, 1, &tlv(177, &[0; 6]))), Probe::No);
    assert_eq!(Llrp.probe(&pdu(&flow(Transport::Udp, 5084), 0, FromClient, &hex(ADD))), Probe::No);
}

#[test]
fn a_stream_may_be_cut_anywhere() {
    let stream = [hex(ADD), hex(ASKED), message(1, 26, 9, &[])].concat();
    for step in 1..stream.len() {
        let pieces: Vec<(Direction, Vec<u8>)> = stream.chunks(step).map(|piece| (FromClient, piece.to_vec())).collect();
        let rows = talk(&pieces);
        assert_eq!(rows.of("operation").len(), 3, "step {step}");
        assert_eq!(rows.of("weird"), Vec::<Value>::new());
    }
}

#[test]
fn truncated_messages_do_no_harm() {
    for text in [TAKEN, ADD, ADDED, ASKED, REFUSED, REPORT, KEEPALIVE, KEEPALIVE_ACK] {
        let whole = hex(text);
        for length in 0..whole.len() {
            let mut bytes = whole[..length].to_vec();
            let _ = feed_unprobed(&Llrp, &flow(Transport::Tcp, 5084), &[(FromServer, &bytes)]);
            let _ = Llrp.probe(&pdu(&flow(Transport::Tcp, 1), 0, FromClient, &bytes));
            // The same with a length that fits what is left.
            if let Some(place) = bytes.get_mut(2..6) {
                place.copy_from_slice(&u32::try_from(length).unwrap().to_be_bytes());
            }
            let _ = feed_unprobed(&Llrp, &flow(Transport::Tcp, 5084), &[(FromServer, &bytes), (FromClient, &bytes)]);
        }
    }
    let rows = feed_unprobed(&Llrp, &flow(Transport::Tcp, 5084), &[(FromServer, &vec![4; LIMIT + 10])]);
    assert_eq!(rows.of("weird")[0]["name"], "llrp_header");
}

proptest! {
    #[test]
    fn any_bytes(data in prop::collection::vec(any::<u8>(), 1..300), step in 1usize..40) {
        let pieces: Vec<(Direction, &[u8])> = data.chunks(step).map(|piece| (FromServer, piece)).collect();
        let _ = feed_unprobed(&Llrp, &flow(Transport::Tcp, 5084), &pieces);
    }

    #[test]
    fn any_body(kind in 0u16..1024, outer in 128u16..400, data in prop::collection::vec(any::<u8>(), 0..120)) {
        let flow = flow(Transport::Tcp, 5084);
        for body in [data.clone(), tlv(outer, &data), tlv(240, &data), tlv(246, &tlv(outer, &data))] {
            let bytes = message(1, kind, 1, &body);
            let _ = Llrp.probe(&pdu(&flow, 0, FromClient, &bytes));
            let _ = feed_unprobed(&Llrp, &flow, &[(FromClient, &bytes), (FromServer, &bytes)]);
        }
    }
}
