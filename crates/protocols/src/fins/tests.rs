//! Frames cut from `omron-fins` captures, and others by W342's formats.

use proptest::prelude::*;
use quaywatch_model::{Direction, Mark, Transport};

use super::OmronFins;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

use Direction::{FromClient, FromServer};

const ASK: &str = "800002 000000 006300 ef";
const ANSWER: &str = "c00002 006300 00c800 ef";
/// icsnpp-omron-test.pcap, frame 18, to the end of the version.
const CONTROLLER: &str =
    "c0000200630000c800ef 0501 0000 4350314c2d454c323044522d4400000020202020 30312e3030000000000030312e3036000000 0000";

fn udp(pieces: &[(Direction, String)]) -> Recorder {
    let pieces: Vec<(Direction, Vec<u8>)> = pieces.iter().map(|(way, text)| (*way, hex(text))).collect();
    let pieces: Vec<(Direction, &[u8])> = pieces.iter().map(|(way, bytes)| (*way, bytes.as_slice())).collect();
    feed(&OmronFins, &flow(Transport::Udp, 9600), &pieces)
}

fn one(ask: &str, answer: &str) -> Recorder {
    udp(&[(FromClient, format!("{ASK}{ask}")), (FromServer, format!("{ANSWER}{answer}"))])
}

fn told(rows: &Recorder) -> Vec<String> {
    rows.of("operation")
        .iter()
        .map(|row| {
            let text = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
            format!(
                "{} {} [{}] {} {}",
                text("class"),
                text("name"),
                text("object"),
                row["quantity"],
                text("status_name")
            )
        })
        .collect()
}

/// A message over TCP around a body.
fn tcp(command: u32, error: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 8).unwrap();
    [b"FINS", &length.to_be_bytes()[..], &command.to_be_bytes()[..], &error.to_be_bytes()[..], body].concat()
}

#[test]
fn a_controller_says_what_it_is() {
    let rows = udp(&[(FromClient, format!("{ASK}0501 00")), (FromServer, CONTROLLER.to_owned())]);
    assert_eq!(told(&rows), ["identify controller data read [] null normal completion"]);
    let said: Vec<String> = rows
        .of("identity")
        .iter()
        .map(|row| format!("{} {}", row["attribute"], row["value"]).replace('"', ""))
        .collect();
    assert_eq!(said, ["model CP1L-EL20DR-D", "firmware 01.00", "vendor Omron"]);
    assert_eq!(rows.of("operation")[0]["request_frame"], 1);
}

#[test]
fn requests_name_what_they_touch() {
    let cases = [
        ("0101 82 0064 00 000a", "0101 0000 0001", "read memory area read [D 100-109] 10 normal completion"),
        ("0102 30 0005 07 0001 01", "0102 0000", "write memory area write [CIO 5.07] 1 normal completion"),
        ("0104 80ffff00 820001 00", "0104 0000", "read multiple memory area read [CIO 65535, D 1] 2 normal completion"),
        ("0105 82 0001 00 b1 0002 00 0003", "0105 1101", "write memory area transfer [D 1-3 to W 2-4] 3 no such area"),
        ("0202 8010 0000 0002 0001", "0202 0000", "configure parameter area write [PLC setup 0] 2 normal completion"),
        ("0401 ffff 04", "0401 0000", "control run [mode run] null normal completion"),
        ("0402", "0402 2002", "control stop [] null protected"),
        ("0702 26 11 23 20 15", "0702 0000", "configure clock write [26-11-23 20:15] null normal completion"),
        ("0c01 0000", "0c01 3001", "session access right acquire [program 0] null access right held by another device"),
        (
            "2207 0000 66696c656e616d652e737263 0000 66696c656e616d652e647374",
            "2207 0000",
            "configure file copy [filename.src to filename.dst] null normal completion",
        ),
        (
            "2301 0001 8000 30 0000 01",
            "2301 0000",
            "control forced set or reset [CIO 0.01 release to off] 1 normal completion",
        ),
    ];
    for (ask, answer, expected) in cases {
        let rows = one(ask, answer);
        assert_eq!(told(&rows), [expected], "{ask}");
        assert_eq!(rows.of("weird").len(), 0, "{ask}");
    }
}

#[test]
fn state_and_errors_of_the_cpu_are_told() {
    let rows = one("0601", "0601 0040 01 04 0000 0000 0000");
    let row = &rows.of("operation")[0];
    let detail: serde_json::Value = serde_json::from_str(row["detail"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&detail["state"], &detail["mode"], &detail["cpu_error"]),
        (&"run".into(), &"run".into(), &"non-fatal".into())
    );
    assert_eq!(row["status"], 0, "the flag of an error is no refusal");
}

#[test]
fn a_program_that_moves_is_hashed() {
    let mut pieces = Vec::new();
    for (start, length, data) in [("00000000", "0004", "01020304"), ("00000004", "8002", "0506")] {
        pieces.push((FromClient, format!("{ASK} 0307 0000 {start} {length} {data}")));
        pieces.push((FromServer, format!("{ANSWER} 0307 0000 0000 {start} {length}")));
    }
    pieces.push((FromClient, format!("{ASK} 0306 0000 00000000 8006")));
    pieces.push((FromServer, format!("{ANSWER} 0306 0000 0000 00000000 8006 010203040506")));
    let rows = udp(&pieces);
    let programs = rows.of("program");
    assert_eq!(programs.len(), 2);
    for (row, way) in programs.iter().zip(["download", "upload"]) {
        assert_eq!((&row["transfer"], &row["name"]), (&way.into(), &"program 0".into()));
        assert_eq!((&row["size"], &row["complete"]), (&6.into(), &true.into()));
    }
    assert_eq!(programs[0]["sha256"], programs[1]["sha256"], "what was written is what was read");
}

#[test]
fn a_file_is_known_by_its_name() {
    // iTTi's layout of W342 section 5-3-33: disk, name, position, length; then capacity, position, length, bytes.
    let rows = one("2202 0000 50524f4752414d2e4f424a20 00000000 0010", "2202 0000 00000003 00000000 0003 aabbcc");
    let program = &rows.of("program")[0];
    assert_eq!(
        (&program["name"], &program["size"], &program["complete"]),
        (&"PROGRAM.OBJ".into(), &3.into(), &true.into())
    );
}

#[test]
fn a_password_is_looked_at_and_not_kept() {
    let rows = one("0305 0000 00 00000000 ffffffff 50415353", "0305 0000");
    let credential = &rows.of("credential")[0];
    assert_eq!((&credential["weakness"], &credential["account"]), (&"clear-text".into(), &"".into()));
    assert!(!format!("{:?}", rows.rows).contains("PASS"));
}

#[test]
fn node_numbers_and_errors_over_tcp() {
    let frames: [(Direction, Vec<u8>); 5] = [
        (FromClient, tcp(0, 0, &[0, 0, 0, 0])),
        (FromServer, tcp(1, 0, &hex("000000fb 000000c8"))),
        (FromClient, tcp(2, 0, &hex(&format!("{ASK}0402")))),
        (FromServer, tcp(2, 0, &hex(&format!("{ANSWER}0402 0000")))),
        (FromServer, tcp(3, 0x20, &[])),
    ];
    let pieces: Vec<(Direction, &[u8])> = frames.iter().map(|(way, bytes)| (*way, bytes.as_slice())).collect();
    let rows = feed(&OmronFins, &flow(Transport::Tcp, 9600), &pieces);
    assert_eq!(
        told(&rows),
        [
            "session exchange node numbers [] null normal",
            "control stop [] null normal completion",
            "session frame refused [] null all connections in use"
        ]
    );
    let first = &rows.of("operation")[0];
    assert_eq!(first["detail"], "{\"client_node\":251,\"server_node\":200}");
}

#[test]
fn probes_are_strict() {
    let flow_udp = flow(Transport::Udp, 9600);
    let probe = |text: &str| OmronFins.probe(&pdu(&flow_udp, 0, FromClient, &hex(text)));
    assert_eq!(probe(&format!("{ASK}0101 82 0064 00 000a")), Probe::Yes);
    assert_eq!(probe(&format!("{ANSWER}0101 0000")), Probe::YesFromServer);
    assert_eq!(probe(&format!("{ANSWER}0101")), Probe::No);
    assert_eq!(probe(&format!("{ASK}0199")), Probe::No);
    assert_eq!(probe("800102 000000 006300 ef 0101"), Probe::No);
    let flow_tcp = flow(Transport::Tcp, 9600);
    let probe = |bytes: &[u8]| OmronFins.probe(&pdu(&flow_tcp, 0, FromClient, bytes));
    assert_eq!(probe(b"FI"), Probe::Unsure);
    assert_eq!(probe(b"FINISHED"), Probe::No);
    assert_eq!(probe(&tcp(0, 0, &[0; 4])), Probe::Yes);
    assert_eq!(probe(&tcp(1, 0, &[0; 8])), Probe::YesFromServer);
}

#[test]
fn what_is_cut_short_is_told() {
    let rows = udp(&[(FromClient, format!("{ASK}0101 82 0064"))]);
    assert_eq!(rows.of("weird")[0]["name"], "omron_fins_request");
    assert!(matches!(rows.marks[0], Mark::Malformed(_)));
    let whole = hex(&format!("{ASK}2301 0001 8000 30 0000 01"));
    for end in 0..whole.len() {
        feed_unprobed(&OmronFins, &flow(Transport::Udp, 9600), &[(FromClient, &whole[..end])]);
    }
}

proptest! {
    #[test]
    fn anything_may_come(pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..80)), 0..12), over_tcp: bool) {
        let transport = if over_tcp { Transport::Tcp } else { Transport::Udp };
        let pieces: Vec<(Direction, Vec<u8>)> = pieces
            .into_iter()
            .map(|(client, tail)| {
                let head = if client { hex("800002000000000000 01") } else { hex("c00002000000000000 01") };
                let frame = [head, tail].concat();
                (if client { FromClient } else { FromServer }, if over_tcp { tcp(2, 0, &frame) } else { frame })
            })
            .collect();
        let pieces: Vec<(Direction, &[u8])> = pieces.iter().map(|(way, bytes)| (*way, bytes.as_slice())).collect();
        feed_unprobed(&OmronFins, &flow(transport, 9600), &pieces);
    }
}
