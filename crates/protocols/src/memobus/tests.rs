//! Messages by the manuals' tables; not yet seen in real traffic.

use proptest::prelude::*;
use quaywatch_model::{Direction, Transport};
use serde_json::json;

use super::Memobus;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

use Direction::{FromClient, FromServer};

/// A frame of this type and serial number around the bytes from the function code on.
fn frame(kind: u8, serial: u8, message: &str) -> Vec<u8> {
    let message = [vec![0x20], hex(message)].concat();
    let length = u16::try_from(message.len()).unwrap().to_le_bytes();
    let total = u16::try_from(message.len() + 14).unwrap().to_le_bytes();
    [&[kind, serial, 0, 0, 0, 0, total[0], total[1], 0, 0, 0, 0, length[0], length[1]][..], &message].concat()
}

fn talk(transport: Transport, pieces: &[(Direction, Vec<u8>)]) -> Recorder {
    let pieces: Vec<(Direction, &[u8])> = pieces.iter().map(|(d, bytes)| (*d, bytes.as_slice())).collect();
    feed(&Memobus, &flow(transport, 10001), &pieces)
}

#[test]
fn reads_and_writes_are_told_with_their_registers() {
    for transport in [Transport::Tcp, Transport::Udp] {
        let rows = talk(
            transport,
            &[
                (FromClient, frame(0x11, 1, "09 10 00 0a00 0300")),
                (FromServer, frame(0x19, 1, "09 01 00 0300 0100 0200 0300")),
                (FromClient, frame(0x11, 2, "03 10 000a 0003")),
                (FromServer, frame(0x19, 2, "03 01 0001 0002 0003")),
                (FromClient, frame(0x11, 3, "0b 10 00 6400 0100 ff00")),
                (FromServer, frame(0x19, 3, "8b 01 02")),
                (FromClient, frame(0x11, 4, "05 10 0007 ff00")),
            ],
        );
        assert_eq!((rows.of("weird").len(), rows.marks.len()), (0, 0));
        let told: Vec<String> = rows
            .of("operation")
            .iter()
            .map(|row| {
                format!("{} {} {} {}", row["class"], row["object"], row["status"], row["status_name"]).replace('"', "")
            })
            .collect();
        assert_eq!(
            told,
            [
                "read holding-register 10-12 0 success",
                "read holding-register 10-12 0 success",
                "write holding-register 100 2 address error",
                "write coil 7 null ",
            ]
        );
        assert_eq!(rows.of("operation")[0]["unit"], json!(1));
    }
}

#[test]
fn lengths_that_do_not_fit_are_told() {
    let mut broken = frame(0x11, 1, "09 10 00 0a00 0300");
    broken[12] += 1;
    let flow = flow(Transport::Tcp, 10001);
    assert_eq!(Memobus.probe(&pdu(&flow, 0, FromClient, &broken)), Probe::No);
    let next = frame(0x11, 2, "08 10");
    let rows =
        feed_unprobed(&Memobus, &flow, &[(FromClient, &broken), (FromClient, &hex("ffff")), (FromClient, &next)]);
    let names: Vec<_> = rows.of("weird").iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, ["memobus_message", "memobus_header"]);
    assert_eq!(rows.of("operation").len(), 1);
}

proptest! {
    #[test]
    fn hostile_bytes_do_no_harm(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..64), 0..12)) {
        for transport in [Transport::Tcp, Transport::Udp] {
            let flow = flow(transport, 10001);
            let pieces: Vec<(Direction, &[u8])> = pieces.iter().map(|bytes| (FromClient, bytes.as_slice())).collect();
            feed_unprobed(&Memobus, &flow, &pieces);
        }
    }

    #[test]
    fn truncated_frames_do_no_harm(cut in 1usize..30) {
        let whole = frame(0x19, 1, "09 01 00 0300 0100 0200 0300");
        feed_unprobed(&Memobus, &flow(Transport::Tcp, 1), &[(FromServer, whole.get(..cut.min(whole.len())).unwrap())]);
    }
}
