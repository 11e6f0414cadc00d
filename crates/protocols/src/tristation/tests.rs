//! Datagrams written by hand after the published analyses; none was captured.

use proptest::prelude::*;
use quaywatch_model::{Direction, Transport};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::frame::crc16;
use super::{PORT, TriStation};
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

use Direction::{FromClient, FromServer};

fn framed(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_le_bytes();
    let mut bytes = [&[kind, 0][..], &length, body].concat();
    let crc = crc16(&bytes);
    bytes.extend(crc.to_le_bytes());
    bytes
}

fn execution(reply: bool, code: u8, sequence: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len() + 10).unwrap().to_le_bytes();
    framed(5, &[&[u8::from(reply), 0, code, sequence, 0, 0, 0, 0][..], &length, data].concat())
}

fn part(id: u8, total: u8, offset: u8, data: &[u8]) -> Vec<u8> {
    let blocks = u8::try_from(data.len() / 4).unwrap();
    [&[id, 0, id + 1, 0, total, 0, offset, 0, blocks, 0][..], data].concat()
}

fn program_status(key: u8, run: u8) -> Vec<u8> {
    let mut data = vec![0, 1, 0, 0, 13, 0, 1, key, run];
    data.resize(58, 0);
    data.extend(hex("0300 0100 4fb6e15a"));
    data.extend(b"QUAY7\0\0\0\0\0");
    data.resize(186, 0);
    data
}

fn talk(pieces: &[(Direction, Vec<u8>)]) -> Recorder {
    let pieces: Vec<(Direction, &[u8])> =
        pieces.iter().map(|(direction, bytes)| (*direction, bytes.as_slice())).collect();
    feed(&TriStation, &flow(Transport::Udp, PORT), &pieces)
}

fn told(rows: &Recorder) -> Vec<String> {
    let line = |row: &serde_json::Value| {
        format!("{}|{}|{}|{}|{}", row["class"], row["name"], row["object"], row["status"], row["status_name"])
            .replace('"', "")
    };
    rows.of("operation").iter().map(line).collect()
}

// The connection reply that tricotools prints and the ping known of the malware: their CRCs are not of our making.
#[test]
fn printed_datagrams_are_read() {
    let (request, reply, ping) = (hex("01000000 01fc"), hex("02000000 01b8"), hex("06000000 0088"));
    let rows = talk(&[(FromClient, request), (FromServer, reply), (FromClient, ping.clone()), (FromServer, ping)]);
    assert!(rows.marks.is_empty());
    assert_eq!(told(&rows), ["session|connection request||0|connection reply", "session|ping||0|ping"]);
    let ping = &rows.of("operation")[1];
    assert_eq!((&ping["code"], &ping["request_frame"], &ping["reply_frame"]), (&json!(262), &json!(3), &json!(4)));
}

#[test]
fn commands_have_classes_and_refusals_their_reason() {
    let rows = talk(&[
        (FromClient, execution(false, 13, 0, &[])),
        (FromServer, execution(true, 106, 0, &hex("0300330a0400"))),
        (FromClient, execution(false, 21, 1, &[])),
        (FromServer, execution(true, 100, 1, &[212, 0])),
        (FromClient, execution(false, 20, 2, &[])),
        (FromServer, execution(true, 109, 2, &[])),
        (FromClient, execution(false, 27, 3, &[1, 2])),
        (FromServer, execution(true, 239, 3, &[])),
        (FromClient, execution(false, 29, 4, &[0x17, 0xff, 0, 0])),
        (FromClient, framed(4, &[])),
        (FromServer, framed(8, &[])),
    ]);
    assert_eq!(
        told(&rows),
        [
            "session|attach to controller||0|controller attached",
            "control|halt program||212|key setting prohibits this operation",
            "control|run program||0|program is running",
            "write|set I/O point values||239|variable is write protected",
            "diagnose|get main processor status||264|not connected",
            "session|disconnect request||null|",
        ]
    );
    let told = rows.of("operation");
    assert_eq!(told[4]["detail"], r#"{"channel":0,"sequence":4,"arguments":"0x17ff0000"}"#);
    let identities: Vec<_> = rows.of("identity").iter().map(|row| row["value"].clone()).collect();
    assert_eq!(identities, ["Triconex", "Tricon v10.4"]);
}

#[test]
fn key_position_run_state_and_project_are_told() {
    let rows = talk(&[
        (FromClient, execution(false, 19, 9, &[])),
        (FromServer, execution(true, 108, 9, &program_status(1, 0))),
        (FromClient, execution(false, 19, 10, &[])),
        (FromServer, execution(true, 108, 10, &program_status(3, 1))),
    ]);
    let identities: Vec<String> = rows
        .of("identity")
        .iter()
        .map(|row| format!("{} {}", row["attribute"], row["value"]).replace('"', ""))
        .collect();
    let wanted =
        ["vendor Triconex", "state running", "state key program", "project QUAY7", "state halted", "state key remote"];
    assert_eq!(identities, wanted);
    let detail: serde_json::Value = serde_json::from_str(rows.of("operation")[0]["detail"].as_str().unwrap()).unwrap();
    assert_eq!((&detail["key_position"], &detail["project_version"]), (&json!("program"), &json!("1.3")));
    assert_eq!((&detail["program_valid"], &detail["load_state"]), (&json!(true), &json!(13)));
}

#[test]
fn modules_are_told() {
    let mut versions = vec![0, 0xff];
    versions.extend(hex("ff00 0100 0200 0300"));
    versions.resize(2 + 8, 0);
    versions.extend(hex("3700 0500 0600 0700"));
    versions.resize(2 + 128 + 320, 0);
    versions.extend(b"7400123  A00012345");
    let mut chassis = hex("0200 ff 00 0200 0400 0300 00000000 c8000000 c9000000 00000000000000000000");
    chassis.extend(b"FIRSTPROJ\0");
    chassis.resize(166, 0);
    for kind in [0xf0, 0xf0, 0xf0, 55] {
        chassis.extend([5, 0x21, kind, 1]);
        chassis.resize(chassis.len() + 28, 0);
    }
    chassis.resize(166 + 16 * 32, 0);
    let rows =
        talk(&[(FromServer, execution(true, 151, 1, &versions)), (FromServer, execution(true, 119, 2, &chassis))]);
    let modules: Vec<_> = rows
        .of("operation")
        .iter()
        .map(|row| {
            serde_json::from_str::<serde_json::Value>(row["detail"].as_str().unwrap()).unwrap()["modules"].clone()
        })
        .collect();
    assert_eq!(modules[0], "0: 3008 main processor firmware 1/2/3, 1: 4329 NCM firmware 5/6/7");
    assert_eq!(modules[1], "0: main processor, 1: main processor, 2: main processor, 3: 4329 NCM");
    assert_eq!(told(&rows)[0], "identify|get module versions||0|module versions");
    let serial = rows.of("identity").iter().any(|row| row["attribute"] == "serial" && row["value"] == "A0001234");
    assert!(serial, "{:?}", rows.of("identity"));
}

#[test]
fn programs_are_put_together() {
    let (first, last) = ([1u8; 16], [2u8; 8]);
    let rows = talk(&[
        (FromClient, execution(false, 1, 0, &[])),
        (FromServer, execution(true, 102, 0, &[])),
        (FromClient, execution(false, 55, 1, &part(4, 6, 0, &first))),
        (FromServer, execution(true, 153, 1, &[])),
        (FromClient, execution(false, 55, 2, &part(4, 6, 4, &last))),
        (FromServer, execution(true, 153, 2, &[])),
        (FromClient, execution(false, 11, 3, &[])),
        (FromServer, execution(true, 103, 3, &[])),
        (FromClient, execution(false, 65, 4, &[4, 0, 0, 0, 0, 0, 0, 0])),
        (FromServer, execution(true, 162, 4, &part(4, 6, 0, &first))),
        (FromClient, execution(false, 56, 5, &part(9, 2, 0, &last))),
        (FromServer, execution(true, 100, 5, &[207, 0])),
    ]);
    let moved: Vec<String> = rows
        .of("program")
        .iter()
        .map(|row| format!("{} {} {} {}", row["transfer"], row["name"], row["size"], row["complete"]).replace('"', ""))
        .collect();
    assert_eq!(moved, ["download program 4 24 true", "upload program 4 16 false"]);
    let digest: Vec<u8> = Sha256::digest([&first[..], &last].concat()).to_vec();
    assert_eq!(rows.of("program")[0]["sha256"], json!(digest));
    assert_eq!(told(&rows)[1], "program|allocate program|program 4|0|program allocated");
    assert_eq!(told(&rows)[5], "program|allocate function|function 9|207|not loading a control program");
}

#[test]
fn damage_is_told_by_name() {
    let whole = execution(false, 19, 0, &[]);
    let mut crc = whole.clone();
    *crc.last_mut().unwrap() ^= 1;
    let mut inner = whole.clone();
    inner[12] = 11;
    let fixed = crc16(&inner[..14]).to_le_bytes();
    inner[14..].copy_from_slice(&fixed);
    let cases = [
        (crc, "tristation_crc"),
        (whole[..9].to_vec(), "tristation_length"),
        (framed(12, &[]), "tristation_type"),
        (inner, "tristation_execution"),
        (execution(false, 55, 0, &[1, 2]), "tristation_part"),
    ];
    for (bytes, name) in cases {
        let rows =
            feed_unprobed(&TriStation, &flow(Transport::Udp, PORT), &[(FromClient, &bytes), (FromClient, &whole)]);
        assert_eq!(rows.of("weird")[0]["name"], name);
        assert_eq!(rows.of("operation").len(), 1, "what follows is read");
    }
}

#[test]
fn the_probe_is_strict() {
    let flow = flow(Transport::Udp, 4000);
    let probe = |bytes: &[u8]| TriStation.probe(&pdu(&flow, 0, FromClient, bytes));
    assert_eq!(probe(&execution(false, 19, 0, &[])), Probe::Yes);
    assert_eq!(probe(&execution(true, 108, 0, &[])), Probe::YesFromServer);
    assert_eq!(probe(&framed(2, &[])), Probe::YesFromServer);
    assert_eq!(probe(&[0; 6]), Probe::No, "zeros have a fitting CRC");
    assert_eq!(probe(&framed(1, &[1])), Probe::No);
    let mut broken = framed(1, &[]);
    broken[5] ^= 1;
    assert_eq!(probe(&broken), Probe::No);
}

#[test]
fn truncations_do_not_panic() {
    let flow = flow(Transport::Udp, PORT);
    let replies =
        [(106, hex("0300330a0400")), (108, program_status(1, 1)), (119, vec![1; 700]), (151, vec![0xff; 480])];
    for (code, data) in replies {
        for end in 0..data.len() {
            let bytes = execution(true, code, 0, &data[..end]);
            feed(&TriStation, &flow, &[(FromServer, &bytes)]);
        }
    }
    let bytes = execution(false, 55, 1, &part(4, 6, 0, &[1; 16]));
    for end in 1..bytes.len() {
        let _ = TriStation.probe(&pdu(&flow, 0, FromClient, &bytes[..end]));
        feed_unprobed(&TriStation, &flow, &[(FromClient, &bytes[..end])]);
    }
}

proptest! {
    #[test]
    fn any_bytes(kind in 0u8..13, reply: bool, code: u8, bytes in proptest::collection::vec(any::<u8>(), 1..120)) {
        let pieces = [framed(kind, &bytes), execution(reply, code, 1, &bytes), execution(!reply, code, 1, &bytes)];
        let flow = flow(Transport::Udp, PORT);
        feed_unprobed(&TriStation, &flow, &[(FromClient, &bytes), (FromServer, &pieces[0]), (FromClient, &pieces[1]), (FromServer, &pieces[2])]);
    }
}
