use proptest::prelude::*;
use quaywatch_model::{Direction, Transport};

use super::*;
use crate::testing::{feed, feed_unprobed, flow, hex, pdu};

const UP: Direction = Direction::FromClient;
const DOWN: Direction = Direction::FromServer;
const SVCCTL: &str = "81bb7a364498f135ad3298f038001003 0200 0000";

/// A packet of this type, call 2, with this body.
fn packet(kind: u8, body: &str) -> Vec<u8> {
    let body = hex(body);
    let mut bytes = vec![5, 0, kind, 3, 0x10, 0, 0, 0];
    bytes.extend(u16::try_from(body.len() + HEADER).unwrap().to_le_bytes());
    bytes.extend([0, 0, 2, 0, 0, 0]);
    bytes.extend(body);
    bytes
}

fn samples() -> Vec<(Direction, Vec<u8>)> {
    let transfer = "045d888aeb1cc9119fe808002b104860 02000000";
    vec![
        (UP, packet(11, &format!("d016d01600000000 01000000 0000 01 00 {SVCCTL} {transfer}"))),
        (DOWN, packet(12, &format!("d016d01601000000 0400 313335 00 0000 01000000 00000000 {transfer}"))),
        (UP, packet(0, "10000000 0000 1300 00000000000000000000000000000000")),
        (DOWN, packet(3, "20000000 0000 0000 05000000 00000000")),
        (UP, packet(0, "10000000 0000 1300 00000000000000000000000000000000")),
        (DOWN, packet(2, "04000000 0000 0000 00000000")),
        (UP, packet(0, "10000000 0000 1300 00000000000000000000000000000000")),
        (DOWN, packet(2, "04000000 0000 0000 00000000")),
    ]
}

#[test]
fn a_service_is_started() {
    let samples = samples();
    let pieces: Vec<(Direction, &[u8])> = samples.iter().map(|(d, b)| (*d, b.as_slice())).collect();
    let out = feed(&Msrpc, &flow(Transport::Tcp, 49667), &pieces);
    let rows = out.of("operation");
    assert_eq!((&rows[0]["name"], &rows[0]["object"]), (&"bind".into(), &"svcctl".into()));
    assert_eq!(rows[0]["status_name"], "accepted");
    assert_eq!((&rows[1]["name"], &rows[1]["class"]), (&"StartServiceW".into(), &"control".into()));
    assert_eq!(rows[1]["status_name"], "access denied");
    assert_eq!(rows[2]["status"], 0);
    // The same again is counted.
    assert_eq!((rows.len(), &rows[3]["quantity"]), (4, &1.into()));
    assert_eq!(out.of("service").len(), 1);
    assert!(out.marks.is_empty());
}

#[test]
fn the_endpoint_mapper_is_read() {
    let mut stub = hex("0500 1300 0d 354251e3064bd111ab0400c04fc2dcd2 0400 0200 0000");
    stub.extend(hex("1300 0d 045d888aeb1cc9119fe808002b104860 0200 0200 0000"));
    stub.extend(hex("0100 0b 0200 0000 0100 07 0200 c203 0100 09 0400 0a00000a"));
    let tower = packet::tower(&stub).unwrap();
    assert_eq!((tower.port, tower.address), (Some(49667), Some([10, 0, 0, 10])));
    assert_eq!(tower.interface.to_string(), "e3514235-4b06-11d1-ab04-00c04fc2dcd2");
    for end in 0..stub.len() {
        let _ = packet::tower(&stub[..end]);
    }
}

#[test]
fn truncations_do_not_panic() {
    let flow = flow(Transport::Tcp, 135);
    for (direction, bytes) in samples() {
        for end in 1..bytes.len() {
            let _ = Msrpc.probe(&pdu(&flow, 0, direction, &bytes[..end]));
            feed_unprobed(&Msrpc, &flow, &[(direction, &bytes[..end])]);
        }
        for cut in 0..bytes.len().saturating_sub(HEADER) {
            let mut short = bytes[..bytes.len() - cut].to_vec();
            let length = u16::try_from(short.len()).unwrap().to_le_bytes();
            short[8..10].copy_from_slice(&length);
            feed_unprobed(&Msrpc, &flow, &[(direction, &short)]);
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_not_panic(kind in 0u8..20, auth in 0u8..40, body in prop::collection::vec(any::<u8>(), 8..200), step in 1usize..40) {
        let flow = flow(Transport::Tcp, 135);
        let mut bytes = packet(kind, "");
        bytes[10] = auth;
        bytes.extend(body);
        let length = u16::try_from(bytes.len()).unwrap().to_le_bytes();
        bytes[8..10].copy_from_slice(&length);
        for direction in [UP, DOWN] {
            let pieces: Vec<(Direction, &[u8])> = bytes.chunks(step).map(|piece| (direction, piece)).collect();
            feed_unprobed(&Msrpc, &flow, &pieces);
        }
    }
}
