//! A frame that a manual prints, and others made from it.

use proptest::prelude::*;
use quaywatch_model::{Direction, Mark, Transport};
use serde_json::json;

use super::header::{Area, HEADER, Header};
use super::names::{self, Kind};
use super::{FlNet, MESSAGES};
use crate::bytes::Cursor;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

use Direction::{FromClient, FromServer};

/// Omron W440 appendix C: 192.168.250.11 port 55003 to broadcast port 55000.
fn printed() -> Vec<u8> {
    let mut bytes = hex("4641434e 000000c8 0001000b 00020001 00070700 00000000 01000000 8000 0000 00000000 0a00 0000 \
         fde8 0000 0028 0004 0280 0040 0000 80 00 01 01 00c8 61 32 0002 5b91 00000000 00005b91");
    bytes.resize(200, 0);
    bytes
}

/// A frame between two nodes: code, virtual address, size, result, data.
fn message(nodes: (u8, u8), code: u16, (address, size): (u32, u16), result: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(HEADER + data.len()).unwrap().to_be_bytes();
    let mut bytes = printed();
    bytes.truncate(HEADER);
    bytes[6..8].copy_from_slice(&length);
    bytes[11] = nodes.0;
    bytes[15] = nodes.1;
    bytes[30..32].copy_from_slice(&size.to_be_bytes());
    bytes[32..36].copy_from_slice(&address.to_be_bytes());
    bytes[37] = result;
    bytes[40..42].copy_from_slice(&code.to_be_bytes());
    bytes[58..60].copy_from_slice(&length);
    bytes.extend(data);
    bytes
}

fn talk(pieces: &[(Direction, Vec<u8>)]) -> Recorder {
    let pieces: Vec<(Direction, &[u8])> =
        pieces.iter().map(|(direction, bytes)| (*direction, bytes.as_slice())).collect();
    feed(&FlNet, &flow(Transport::Udp, MESSAGES), &pieces)
}

#[test]
fn the_manuals_frame_is_read() {
    let bytes = printed();
    let header = Header::read(&mut Cursor::new(&bytes)).unwrap();
    assert!(header.fits(bytes.len()));
    assert_eq!((header.from, header.to, header.code, header.version), (11, 1, 65000, 0x80));
    assert_eq!(header.areas, [Area { start: 40, words: 4 }, Area { start: 640, words: 64 }]);
    let words: usize = header.areas.iter().map(|area| usize::from(area.words)).sum();
    assert_eq!(bytes.len(), HEADER + words * 2, "the areas are what follows the header");
    assert_eq!((header.token_time, header.refresh_cycle, header.frame_interval), (50, 2, 10));
}

#[test]
fn cyclic_data_is_told_once_at_change_and_counted() {
    let running = printed();
    let mut stopped = running.clone();
    stopped[28..30].copy_from_slice(&[0x40, 0x12]);
    let mut without_token = running.clone();
    without_token[41] = 0xe9;
    let frames = [&running, &without_token, &running, &stopped, &stopped];
    let rows = talk(&frames.map(|bytes| (FromClient, bytes.clone())));
    let told: Vec<_> = rows.of("operation").iter().map(|row| (row["name"].clone(), row["quantity"].clone())).collect();
    let wanted = [("cyclic data", 1), ("cyclic data changed", 4), ("cyclic data counted", 5)];
    assert_eq!(told, wanted.map(|(name, count)| (json!(name), json!(count))));
    let row = &rows.of("operation")[1];
    assert_eq!((&row["object"], &row["unit"], &row["class"]), (&json!("node 11"), &json!(11), &json!("cyclic")));
    assert_eq!(row["server"]["address"], "10.0.0.1", "the node that sends is the server");
    let detail: serde_json::Value = serde_json::from_str(row["detail"].as_str().unwrap()).unwrap();
    assert_eq!((&detail["upper_layer"], &detail["error_code"]), (&json!("stop, alarm"), &json!(18)));
    assert_eq!(detail["link"], json!(["common memory set", "cyclic data valid"]));
    let identities: Vec<_> = rows.of("identity").iter().map(|row| row["value"].clone()).collect();
    assert_eq!(identities, ["FL-net node 11", "run", "stop, alarm"]);
}

#[test]
fn messages_have_classes_objects_and_results() {
    let rows = talk(&[
        (FromClient, message((1, 2), 65006, (0x1000, 2), 0, &[0, 1, 0, 2])),
        (FromServer, message((2, 1), 65206, (0x1000, 2), 0, &[])),
        (FromClient, message((1, 2), 65009, (0, 0), 0, &[])),
        (FromServer, message((2, 1), 65209, (0, 0), 2, &[])),
        (FromClient, message((1, 2), 65003, (4, 8), 0, &[])),
        (FromServer, message((2, 1), 65203, (0, 0), 0, &[0; 8])),
        (FromClient, message((1, 255), 65014, (0, 0), 0, &[])),
        (FromClient, message((1, 2), 700, (0, 0), 0, b"data")),
        (FromClient, message((1, 255), 65002, (0, 0), 0, &[])),
    ]);
    let told: Vec<String> = rows
        .of("operation")
        .iter()
        .map(|row| {
            format!(
                "{}|{}|{}|{}|{}|{}|{}",
                row["class"], row["name"], row["code"], row["unit"], row["object"], row["quantity"], row["status_name"]
            )
            .replace('"', "")
        })
        .collect();
    assert_eq!(
        told,
        [
            "write|write word block|65006|2|word 4096|2|normal",
            "control|stop command|65009|2||null|not supported",
            "read|read byte block|65003|2|byte 4|8|normal",
            "write|transparent message|700|2|transaction 700|null|",
            "session|participation request|65002|1|node 1|1|",
            "control|clear communication log|65014|255||null|",
        ]
    );
    let first = &rows.of("operation")[0];
    assert_eq!((&first["request_frame"], &first["reply_frame"]), (&json!(1), &json!(2)));
    assert_eq!(rows.marks, [Mark::Undecoded("message between programs")]);
}

#[test]
fn between_the_usual_ports_nothing_waits() {
    let mut flow = flow(Transport::Udp, MESSAGES);
    flow.client.port = 55003;
    let bytes = message((1, 2), 65010, (0, 0), 0, &[]);
    let mut out = Recorder::default();
    let mut analyzer = FlNet.open(&flow);
    analyzer.feed(&pdu(&flow, 0, FromClient, &bytes), &mut out);
    assert_eq!(out.of("operation")[0]["name"], "run command", "told before the flow ends");
}

#[test]
fn a_profile_names_the_device() {
    // As the manuals list it: names and values one behind the other.
    let mut profile = hex("1306"); // COMVER
    profile.extend(b"COMVER\x02\x01\x01\x13\x02ID\x13\x07SYSPARA\x13\x03REV\x02\x01\x01\x13\x07REVDATE");
    profile.extend(hex("300a 020207ce 020109 02011e"));
    profile.extend(b"\x13\x0aDVCATEGORY\x13\x03PLC\x13\x06VENDOR\x13\x04MSTC\x13\x07DVMODEL\x13\x03JOP");
    let whole = [&[0x30, u8::try_from(profile.len()).unwrap()][..], &profile].concat();
    let rows = talk(&[
        (FromClient, message((1, 2), 65011, (0, 0), 0, &[])),
        (FromServer, message((2, 1), 65211, (0, 0), 0, &whole)),
    ]);
    let identities: Vec<String> = rows
        .of("identity")
        .iter()
        .map(|row| format!("{} {} {}", row["subject"], row["attribute"], row["value"]).replace('"', ""))
        .collect();
    assert_eq!(identities, ["10.0.0.2 capability PLC", "10.0.0.2 vendor MSTC", "10.0.0.2 model JOP"]);
}

#[test]
fn damage_is_told() {
    let mut long = printed();
    long.push(0);
    for (bytes, name) in
        [(long, "fl_net_length"), (printed()[..40].to_vec(), "fl_net_header"), (vec![1; 64], "fl_net_header")]
    {
        let rows = feed_unprobed(&FlNet, &flow(Transport::Udp, 55000), &[(FromClient, &bytes)]);
        assert_eq!(rows.of("weird")[0]["name"], name);
    }
}

#[test]
fn codes_of_responses_are_those_of_requests_and_two_hundred() {
    for code in 65003..=65015u16 {
        let (name, kind, class) = names::transaction(code);
        if kind == Kind::Request {
            assert_eq!(names::transaction(code + names::RESPONSE), (name, Kind::Response, class));
        }
    }
    for reserved in [65016, 65202, 65212, 65216, 65535] {
        assert_eq!(names::transaction(reserved).1, Kind::Reserved);
    }
}

#[test]
fn the_probe_is_strict() {
    let flow = flow(Transport::Udp, 4000);
    let probe = |bytes: &[u8]| FlNet.probe(&pdu(&flow, 0, FromClient, bytes));
    assert_eq!(probe(&printed()), Probe::Yes);
    assert_eq!(probe(&message((2, 1), 65203, (0, 0), 0, &[])), Probe::YesFromServer);
    assert_eq!(probe(&message((2, 1), 65100, (0, 0), 0, &[])), Probe::No);
    assert_eq!(probe(&printed()[..199]), Probe::No);
    assert_eq!(probe(b"FACN and then a text that is long enough to hold a whole header of it"), Probe::No);
}

#[test]
fn truncations_do_not_panic() {
    let flow = flow(Transport::Udp, 55000);
    let bytes = message((2, 1), 65211, (0, 0), 0, &hex("300d 1306 56454e444f52 1303 414243"));
    for end in 1..bytes.len() {
        let _ = FlNet.probe(&pdu(&flow, 0, FromServer, &bytes[..end]));
        feed_unprobed(&FlNet, &flow, &[(FromServer, &bytes[..end])]);
        let cut = message((2, 1), 65211, (0, 0), 0, bytes.get(HEADER..end).unwrap_or_default());
        feed_unprobed(&FlNet, &flow, &[(FromServer, &cut)]);
    }
}

proptest! {
    #[test]
    fn any_bytes(code: u16, bytes in proptest::collection::vec(any::<u8>(), 1..140)) {
        let mut random = b"FACN".to_vec();
        random.extend(&bytes);
        let framed = message((1, 2), code, (1, 1), 0, &bytes);
        let pieces = [(FromClient, bytes.as_slice()), (FromServer, random.as_slice()), (FromServer, framed.as_slice())];
        feed_unprobed(&FlNet, &flow(Transport::Udp, 55000), &pieces);
    }
}
