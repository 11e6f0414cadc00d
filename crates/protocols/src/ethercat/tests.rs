use proptest::prelude::*;
use quaywatch_model::{Direction, Transport};

use super::*;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};

const UP: Direction = Direction::FromClient;

/// A frame of datagrams: command, index, address, data, working counter.
fn frame(datagrams: &[(u8, u8, u32, &[u8], u16)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (at, (command, index, address, data, working)) in datagrams.iter().enumerate() {
        let more = if at + 1 < datagrams.len() { 0x8000 } else { 0 };
        body.extend([*command, *index]);
        body.extend(address.to_le_bytes());
        body.extend((u16::try_from(data.len()).unwrap() | more).to_le_bytes());
        body.extend([0, 0]);
        body.extend(*data);
        body.extend(working.to_le_bytes());
    }
    let mut bytes = (u16::try_from(body.len()).unwrap() | 0x1000).to_le_bytes().to_vec();
    bytes.extend(body);
    bytes
}

/// Station and offset.
fn at(station: u32, offset: u32) -> u32 {
    offset << 16 | station
}

/// A mailbox message of a kind, padded to the mailbox's size.
fn mail(kind: u8, counter: u8, body: &str) -> Vec<u8> {
    let body = hex(body);
    let mut bytes = u16::try_from(body.len()).unwrap().to_le_bytes().to_vec();
    bytes.extend([0, 0, 0, kind | counter << 4]);
    bytes.extend(body);
    bytes.resize(64, 0);
    bytes
}

fn run(frames: &[Vec<u8>]) -> Recorder {
    let pieces: Vec<(Direction, &[u8])> = frames.iter().map(|bytes| (UP, bytes.as_slice())).collect();
    feed(&EtherCat, &flow(Transport::Link(ETHERTYPE), 0), &pieces)
}

fn samples() -> Vec<Vec<u8>> {
    vec![
        frame(&[(7, 1, at(2, 0x130), &[1, 0], 2)]),
        frame(&[(5, 2, at(0x1001, 0x120), &[2], 1)]),
        frame(&[(4, 3, at(0x1001, 0x130), &[2, 0], 1), (4, 4, at(0x1001, 0x130), &[0x12, 0], 1)]),
        frame(&[(5, 5, at(0x1001, 0x1800), &mail(3, 1, "0020 40 1810 01 00000000"), 1)]),
        frame(&[(4, 6, at(0x1001, 0x1c00), &mail(3, 1, "0030 43 1810 01 6a000000"), 1)]),
        frame(&[(5, 5, at(0x1001, 0x1800), &mail(3, 2, "0020 40 0810 00 00000000"), 1)]),
        frame(&[(4, 6, at(0x1001, 0x1c00), &mail(3, 2, "0030 41 0810 00 08000000 414b4431 5859"), 1)]),
        frame(&[(5, 5, at(0x1001, 0x1800), &mail(3, 3, "0020 60 0000 00 00000000"), 1)]),
        frame(&[(4, 6, at(0x1001, 0x1c00), &mail(3, 3, "0030 0b 5a5b 0000000000"), 1)]),
        frame(&[(5, 5, at(0x1001, 0x1800), &mail(3, 4, "0020 2f 131c 00 00000000"), 1)]),
        frame(&[(4, 6, at(0x1001, 0x1c00), &mail(3, 4, "0030 80 131c 00 02000106"), 1)]),
    ]
}

#[test]
fn states_and_objects_are_told() {
    let out = run(&samples());
    let rows = out.of("operation");
    let facts: Vec<_> = rows
        .iter()
        .map(|row| {
            let text = |key: &str| row[key].as_str().unwrap().to_owned();
            (text("name"), text("class"), text("object"))
        })
        .collect();
    let expected = [
        ("BRD", "diagnose", "AL status 0x0130 init"),
        ("FPWR", "control", "AL control 0x0120 pre-op"),
        ("FPRD", "diagnose", "AL status 0x0130 pre-op"),
        ("FPRD", "diagnose", "AL status 0x0130 pre-op"),
        ("SDO upload", "identify", "0x1018:1 identity"),
        ("SDO upload", "identify", "0x1008:0 manufacturer device name"),
        ("SDO download", "configure", "0x1c13:0 sync manager PDO assignment"),
    ];
    let expected: Vec<_> = expected.iter().map(|(a, b, c)| ((*a).into(), (*b).into(), (*c).into())).collect();
    assert_eq!(facts, expected);
    assert!(rows[3]["detail"].as_str().unwrap().contains("\"error\":true"));
    assert!(rows[4]["detail"].as_str().unwrap().contains("\"value\":106"));
    assert!(rows[5]["detail"].as_str().unwrap().contains("\"value\":\"AKD1XYZ["), "{}", rows[5]["detail"]);
    assert_eq!((&rows[6]["status"], &rows[6]["unit"]), (&0x0601_0002.into(), &0x1001.into()));
    assert!(out.marks.is_empty(), "{:?}", out.marks);
}

#[test]
fn the_eeprom_says_who_a_slave_is() {
    let read = |word: u8, data: &str| {
        [
            frame(&[(5, 1, at(0x1001, 0x502), &[0, 1, word, 0, 0, 0], 1)]),
            frame(&[(4, 2, at(0x1001, 0x508), &hex(data), 1)]),
        ]
    };
    let frames: Vec<Vec<u8>> =
        [read(8, "02000000"), read(10, "52304c04"), read(12, "00001100")].into_iter().flatten().collect();
    let rows = run(&frames).of("operation");
    let row = rows.iter().find(|row| row["name"] == "EEPROM identity").unwrap();
    assert_eq!((&row["object"], &row["class"]), (&"vendor 0x2 product 0x44c3052".into(), &"identify".into()));
    assert!(row["detail"].as_str().unwrap().contains("\"vendor\":\"Beckhoff\""));
}

/// As `ethercrab-twincat-akd-nc-mode.pcapng` frame 3250: control, address and data in one read, of which four bytes hold.
#[test]
fn an_eeprom_of_four_bytes_is_not_read_beyond() {
    let read = |word: u8, control: &str, data: &str| {
        frame(&[(1, 2, at(1, 0x502), &hex(&format!("{control} {word:02x}000000 {data}")), 1)])
    };
    let frames = [
        read(8, "0000", "6a000000 00000000"),
        read(10, "0020", "444b4100 00000000"),
        read(12, "0081", "ffffffff 00000000"),
        read(12, "0000", "02000000 00000000"),
    ];
    let rows = run(&frames).of("operation");
    let row = rows.iter().find(|row| row["name"] == "EEPROM identity").unwrap();
    let detail = row["detail"].as_str().unwrap();
    assert!(
        detail.contains("\"revision\":2") && detail.contains("Kollmorgen") && !detail.contains("serial"),
        "{detail}"
    );
}

#[test]
fn process_data_is_told_once_and_when_a_slave_is_lost() {
    let cycle = |working| frame(&[(12, 9, 0x0100_0000, &[1, 2, 3, 4], working)]);
    let rows = run(&[cycle(3), cycle(3), cycle(3), cycle(2), cycle(2)]).of("operation");
    let told: Vec<_> = rows.iter().map(|row| (row["class"].clone(), row["quantity"].clone())).collect();
    assert_eq!(told, [("cyclic".into(), 4.into()), ("cyclic".into(), 4.into()), ("cyclic".into(), 5.into())]);
}

#[test]
fn the_way_out_is_not_told() {
    let out = frame(&[(5, 2, at(0x1001, 0x120), &[2, 0], 0)]);
    let back = frame(&[(5, 2, at(0x1001, 0x120), &[2, 0], 1)]);
    assert_eq!(run(&[out.clone(), back.clone(), out, back]).of("operation").len(), 2);
}

#[test]
fn files_become_programs() {
    let frames = [
        frame(&[(5, 1, at(0x1001, 0x1800), &mail(4, 1, "0200 44332211 6669726d77617265"), 1)]),
        frame(&[(5, 2, at(0x1001, 0x1800), &mail(4, 2, "0300 01000000 0102030405060708"), 1)]),
        frame(&[(5, 3, at(0x1001, 0x1800), &mail(4, 3, "0300 02000000 09"), 1)]),
    ];
    let out = run(&frames);
    let program = &out.of("program")[0];
    assert_eq!((&program["name"], &program["size"]), (&"firmware".into(), &9.into()));
    assert_eq!((&program["transfer"], &program["complete"]), (&"download".into(), &true.into()));
    assert_eq!(out.of("credential")[0]["weakness"], "clear-text");
    assert!(!format!("{:?}", out.rows).contains("11223344"));
}

#[test]
fn truncations_do_not_panic() {
    let flow = flow(Transport::Link(ETHERTYPE), 0);
    for bytes in samples() {
        for end in 1..bytes.len() {
            let _ = EtherCat.probe(&pdu(&flow, 0, UP, &bytes[..end]));
            let out = feed_unprobed(&EtherCat, &flow, &[(UP, &bytes[..end])]);
            assert!(!out.marks.is_empty(), "cut at {end} is not told");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 1..200)) {
        let flow = flow(Transport::Link(ETHERTYPE), 0);
        feed_unprobed(&EtherCat, &flow, &[(UP, &bytes), (UP, &bytes)]);
        let framed = frame(&[(5, 1, at(1, 0x1800), &bytes, 1), (4, 1, at(1, 0x1c00), &bytes, 1)]);
        feed_unprobed(&EtherCat, &flow, &[(UP, &framed), (UP, &framed)]);
        for kind in [0, 2, 3, 4, 5] {
            let mut message = u16::try_from(bytes.len()).unwrap().to_le_bytes().to_vec();
            message.extend([0, 0, 0, kind]);
            message.extend(&bytes);
            let framed = frame(&[(5, 1, at(1, 0x1800), &message, 1), (4, 1, at(1, 0x1c00), &message, 1)]);
            feed_unprobed(&EtherCat, &flow, &[(UP, &framed), (UP, &framed)]);
        }
    }
}
