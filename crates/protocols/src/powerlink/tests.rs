use proptest::prelude::*;
use quaywatch_model::Direction;

use super::*;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};

const UP: Direction = Direction::FromClient;
const DOWN: Direction = Direction::FromServer;

fn run(transport: Transport, frames: &[(Direction, Vec<u8>)]) -> Recorder {
    let pieces: Vec<(Direction, &[u8])> = frames.iter().map(|(d, b)| (*d, b.as_slice())).collect();
    feed(&Powerlink, &flow(transport, UDP_PORT), &pieces)
}

/// `wireshark-wiki-epl.pcap` frame 6, without its padding.
fn ident() -> Vec<u8> {
    let mut bytes = hex("06ff1101 0800 1d00 2000 c7000000 dc05 0001 0001 d0070000 0000 91010701 6c000001 371e0000");
    bytes.extend(hex("00000000 ffffffff 0000000000000000 00000000000000000000000000000000"));
    bytes.extend(hex("1164a8c0 00ffffff fe64a8c0 45504c5f303334"));
    bytes.resize(144, 0);
    bytes
}

fn cycle() -> Vec<(Direction, Vec<u8>)> {
    let response = |state: u8| (UP, vec![4, 255, 17, state, 0, 0, 0, 0, 0, 0]);
    vec![
        (UP, hex("05fff01d 0000 0111 02 00")),
        (UP, ident()),
        response(0x6d),
        response(0x6d),
        response(0xfd),
        (UP, hex("0611f004 2200")),
    ]
}

/// From `wireshark-wiki-epl-sdo-udp.pcap`: frames 8 to 13, 51 and 52; frame 42's text shortened.
fn access() -> Vec<(Direction, Vec<u8>)> {
    vec![
        (UP, hex("06000005 0001 0000")),
        (DOWN, hex("06000005 0101 0000 0000000000000000")),
        (UP, hex("06000005 0206 0000 00000002 0400 0000 08100000")),
        (DOWN, hex("06000005 0606 0000 00008002 0800 0000 5359532054454300")),
        (UP, hex("06000005 0206 0000 00050001 0800 0000 00100000 ff000000")),
        (DOWN, hex("06000005 0606 0000 0005c000 0400 0000 02000106")),
        (DOWN, hex("06000005 0606 0000 0000000000000000")),
        (DOWN, hex("06000005 0000 0000")),
    ]
}

#[test]
fn states_ident_and_commands_are_told() {
    let out = run(Transport::Link(ETHERTYPE), &cycle());
    let rows = out.of("operation");
    let facts: Vec<_> = rows.iter().map(|r| format!("{} {} {}", r["class"], r["name"], r["object"])).collect();
    let expected = [
        r#""cyclic" "SoA" "node 240 pre-operational 1, ident of node 17""#,
        r#""identify" "ident response" "vendor 0x100006c product 0x1e37""#,
        r#""cyclic" "PRes" "node 17 ready to operate""#,
        r#""cyclic" "PRes" "node 17 operational""#,
        r#""control" "stop node" "node 17""#,
        r#""cyclic" "PRes" "node 17 operational""#,
    ];
    assert_eq!(facts, expected);
    let values: Vec<_> = out.of("identity").iter().map(|row| row["value"].clone()).collect();
    assert_eq!(values, ["EPL_034", "192.168.100.17", "gateway 192.168.100.254"]);
    assert!(out.marks.is_empty());
}

#[test]
fn objects_are_read_and_written() {
    let out = run(Transport::Udp, &access());
    let rows = out.of("operation");
    let facts: Vec<_> = rows.iter().map(|r| format!("{} {} {}", r["class"], r["object"], r["status"])).collect();
    let expected = [
        r#""session" "" 0"#,
        r#""identify" "0x1008:0 manufacturer device name" 0"#,
        r#""configure" "0x1000:0 device type" 100728834"#,
        r#""session" "" null"#,
    ];
    assert_eq!(facts, expected);
    assert_eq!(out.of("identity")[0]["value"], "SYS TEC");
    assert!(out.marks.is_empty());
}

#[test]
fn truncations_do_not_panic() {
    for (transport, samples) in [(Transport::Link(ETHERTYPE), cycle()), (Transport::Udp, access())] {
        let flow = flow(transport, UDP_PORT);
        for (direction, bytes) in samples {
            for end in 1..bytes.len() {
                let _ = Powerlink.probe(&pdu(&flow, 0, direction, &bytes[..end]));
                feed_unprobed(&Powerlink, &flow, &[(direction, &bytes[..end])]);
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 1..200)) {
        for front in ["", "04ff11", "05fff0", "06ff1101", "06ff1102", "06ff1104", "06000005"] {
            let mut frame = hex(front);
            frame.extend(&bytes);
            for transport in [Transport::Link(ETHERTYPE), Transport::Udp] {
                feed_unprobed(&Powerlink, &flow(transport, UDP_PORT), &[(UP, &frame), (DOWN, &frame)]);
            }
        }
    }
}
