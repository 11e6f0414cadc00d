use proptest::prelude::*;
use quaywatch_model::{Direction, Transport};

use super::*;
use crate::testing::{feed, feed_unprobed, flow, hex, pdu};

const UP: Direction = Direction::FromClient;
const DOWN: Direction = Direction::FromServer;
const ENDS: &str = "050d75600101 2103 c0a801c70101 0380";
const BACK: &str = "c0a801c70101 0380 050d75600101 2103";

/// A frame of these ends, command, flags and body.
fn frame(ends: &str, command: u16, flags: u16, body: &str) -> Vec<u8> {
    let body = hex(body);
    let mut bytes = vec![0, 0];
    bytes.extend(u32::try_from(body.len() + AMS_HEADER).unwrap().to_le_bytes());
    bytes.extend(hex(ends));
    bytes.extend(command.to_le_bytes());
    bytes.extend(flags.to_le_bytes());
    bytes.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
    bytes.extend([0, 0, 0, 0, 12, 0, 0, 0]);
    bytes.extend(body);
    bytes
}

fn samples() -> Vec<(Direction, Vec<u8>)> {
    vec![
        (UP, frame(ENDS, 1, 4, "")),
        (DOWN, frame(BACK, 1, 5, "00000000 03 01 b80f 5477696e434154205345525645520000")),
        (UP, frame(ENDS, 5, 4, "0600 0000 00000000")),
        (DOWN, frame(BACK, 5, 5, "23070000")),
        (UP, frame(ENDS, 9, 4, "03f00000 00000000 04000000 05000000 4d41494e00")),
        (DOWN, frame(BACK, 9, 5, "00000000 04000000 01000000")),
        (
            UP,
            frame(ENDS, 6, 4, "20400000 00000000 04000000 04000000 00000000 00000000 00000000000000000000000000000000"),
        ),
        (DOWN, frame(BACK, 6, 5, "00000000 07000000")),
    ]
}

#[test]
fn commands_are_paired_and_named() {
    let flow = flow(Transport::Tcp, 48898);
    let samples = samples();
    let pieces: Vec<(Direction, &[u8])> = samples.iter().map(|(d, b)| (*d, b.as_slice())).collect();
    let out = feed(&Ads, &flow, &pieces);
    let rows = out.of("operation");
    assert_eq!(rows.len(), 4);
    assert_eq!((&rows[0]["name"], &rows[0]["class"]), (&"ReadDeviceInfo".into(), &"identify".into()));
    assert_eq!((&rows[1]["class"], &rows[1]["object"]), (&"control".into(), &"stop".into()));
    assert_eq!(rows[1]["status_name"], "access denied");
    assert_eq!((&rows[2]["class"], &rows[2]["object"]), (&"read".into(), &"symbol-handle-by-name MAIN".into()));
    assert_eq!(rows[3]["object"], "plc-memory-bytes 0x4020:0x0");
    assert_eq!(out.of("identity")[1]["value"], "TwinCAT SERVER 3.1.4024");
    assert!(out.marks.is_empty());
}

#[test]
fn truncations_do_not_panic() {
    let flow = flow(Transport::Tcp, 48898);
    for (direction, bytes) in samples() {
        for end in 1..bytes.len() {
            Ads.probe(&pdu(&flow, 0, direction, &bytes[..end]));
            feed_unprobed(&Ads, &flow, &[(direction, &bytes[..end])]);
        }
    }
    for end in 0..80 {
        for command in 0..12 {
            let body = "07".repeat(end);
            feed_unprobed(
                &Ads,
                &flow,
                &[(UP, &frame(ENDS, command, 4, &body)), (DOWN, &frame(BACK, command, 5, &body))],
            );
        }
    }
}

#[test]
fn others_are_refused() {
    let flow = flow(Transport::Tcp, 48898);
    for other in ["000100000006010300000001", "0300001611e00000001400c1020100c2020102c0010a", "16030100"] {
        assert_eq!(Ads.probe(&pdu(&flow, 0, UP, &hex(other))), Probe::No);
    }
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces(bytes in proptest::collection::vec(any::<u8>(), 1..300), step in 1_usize..50) {
        let flow = flow(Transport::Tcp, 48898);
        let pieces: Vec<(Direction, &[u8])> = bytes.chunks(step).map(|piece| (UP, piece)).collect();
        feed_unprobed(&Ads, &flow, &pieces);
    }
}
