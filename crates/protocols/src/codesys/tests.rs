use proptest::prelude::*;

use super::v2::CodesysV2;
use super::*;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};

const UP: Direction = Direction::FromClient;
const DOWN: Direction = Direction::FromServer;

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

/// A datagram of a service, with one word of address at either end.
fn datagram(service: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![MAGIC, 0x6b, 0x40, service, 0, 0x11, 0, 2, 0, 1, 0, 0];
    bytes.extend(body);
    bytes
}

fn block(service: u8, body: &[u8]) -> Vec<u8> {
    let datagram = datagram(service, body);
    let mut bytes = BLOCK_MAGIC.to_vec();
    bytes.extend(u32::try_from(datagram.len() + BLOCK_HEADER).unwrap().to_le_bytes());
    bytes.extend(datagram);
    bytes
}

fn identification() -> Vec<u8> {
    let mut body =
        hex("80c2 0004 78563412 0400 01 00 0000 0500 0700 0400 01100000 01000000 40051103 00000000 04 00 05 00");
    body.extend([0; 8]);
    for text in ["RTG07", "CTRL-X7", "ACME"] {
        body.extend(wide(text));
    }
    body.extend(b"1234\0");
    body
}

/// A service in the first block of a channel.
fn service(group: u16, code: u16) -> Vec<u8> {
    let mut body = hex("01 81 0100 02000000 01000000 14000000 00000000 55cd 1000");
    body.extend(group.to_le_bytes());
    body.extend(code.to_le_bytes());
    body.extend(hex("11000000 00000000 00000000"));
    block(0x40, &body)
}

/// The first is `emreekin-59.pcap` frame 8; the others are written from the sources.
fn datagrams() -> Vec<(Direction, Vec<u8>)> {
    vec![
        (UP, hex("c50b400100100014")),
        (UP, datagram(3, &hex("02c2 0004 78563412"))),
        (DOWN, datagram(4, &identification())),
    ]
}

fn stream() -> Vec<(Direction, Vec<u8>)> {
    vec![
        (UP, block(0x40, &hex("c300 0101 00000000"))),
        (DOWN, block(0x40, &hex("8300 0101 00000000"))),
        (UP, service(1, 2)),
        (DOWN, service(0x81, 2)),
        (UP, service(2, 0x11)),
        (DOWN, service(0x82, 0x11)),
    ]
}

fn information() -> Vec<u8> {
    let mut bytes = hex("bbbb a4000000 01");
    bytes.resize(6 + 0xa4, 0);
    for (at, text) in [(65, "Nucleus PLUS"), (97, "1.14"), (129, "750-841")] {
        bytes[at..at + text.len()].copy_from_slice(text.as_bytes());
    }
    bytes
}

fn run(protocol: &dyn Protocol, flow: &Flow, samples: &[(Direction, Vec<u8>)]) -> Recorder {
    let pieces: Vec<(Direction, &[u8])> = samples.iter().map(|(d, b)| (*d, b.as_slice())).collect();
    feed(protocol, flow, &pieces)
}

fn values(out: &Recorder) -> Vec<String> {
    out.of("identity").iter().map(|row| row["value"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_runtime_says_who_it_is() {
    let out = run(&CodesysV3, &flow(Transport::Udp, 1740), &datagrams());
    assert_eq!(values(&out), ["CODESYS V3 node", "RTG07", "CTRL-X7", "ACME", "1234", "3.17.5.64"]);
    let names: Vec<_> = out.of("operation").iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, ["address service request", "resolve address"]);
    assert!(out.marks.is_empty(), "{:?}", out.marks);
}

#[test]
fn services_are_named_by_component() {
    let out = run(&CodesysV3, &flow(Transport::Tcp, 11740), &stream());
    let facts: Vec<_> =
        out.of("operation").iter().map(|r| format!("{} {} {}", r["class"], r["name"], r["object"])).collect();
    let expected = [
        r#""session" "open channel" """#,
        r#""session" "device login" "CmpDevice 0x1""#,
        r#""control" "stop application" "CmpApp 0x2""#,
    ];
    assert_eq!(facts, expected);
    assert_eq!(out.of("session")[0]["method"], "device login");
    assert!(out.marks.is_empty(), "{:?}", out.marks);
}

/// Status and channel stand behind the number of the message that is answered.
#[test]
fn a_channel_refused_is_told() {
    let refusal = hex("8300 0101 00000000 78563412 0a00 ffff 00401f00 04000000");
    let samples =
        [(UP, block(0x40, &hex("c300 0101 00000000 78563412 00401f00 05000000"))), (DOWN, block(0x40, &refusal))];
    let out = run(&CodesysV3, &flow(Transport::Tcp, 11740), &samples);
    assert_eq!(out.of("operation")[0]["status"], 10);
    assert_eq!(out.of("operation")[0]["status_name"], "refused");
}

#[test]
fn version_2_is_recognised_and_says_who_it_is() {
    let samples = [(UP, hex("bbbb 01000000 01")), (DOWN, information())];
    let out = run(&CodesysV2, &flow(Transport::Tcp, 2455), &samples);
    assert_eq!(values(&out), ["Nucleus PLUS 1.14", "750-841"]);
    let big = run(&CodesysV2, &flow(Transport::Tcp, 2455), &[(UP, hex("bbbb 00000001 01"))]);
    assert_eq!(big.of("operation")[0]["class"], "identify");
}

#[test]
fn truncations_do_not_panic() {
    for (protocol, transport, port, samples) in [
        (&CodesysV3 as &dyn Protocol, Transport::Udp, 1740, datagrams()),
        (&CodesysV3, Transport::Tcp, 11740, stream()),
        (&CodesysV2, Transport::Tcp, 2455, vec![(DOWN, information())]),
    ] {
        let flow = flow(transport, port);
        for (direction, bytes) in samples {
            for end in 1..bytes.len() {
                let _ = protocol.probe(&pdu(&flow, 0, direction, &bytes[..end]));
                feed_unprobed(protocol, &flow, &[(direction, &bytes[..end])]);
            }
        }
    }
}

#[test]
fn others_are_refused() {
    let (tcp, udp) = (flow(Transport::Tcp, 11740), flow(Transport::Udp, 1740));
    for other in ["000100000006010300000001", "0300001611e00000001400c1020100c2020102c0010a", "16030100", "bb"] {
        assert_eq!(CodesysV3.probe(&pdu(&tcp, 0, UP, &hex(other))), Probe::No);
        assert_eq!(CodesysV3.probe(&pdu(&udp, 0, UP, &hex(other))), Probe::No);
    }
    assert_eq!(CodesysV2.probe(&pdu(&tcp, 0, UP, &hex("bbbb000000000000"))), Probe::No);
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces(bytes in proptest::collection::vec(any::<u8>(), 1..300), step in 1_usize..50) {
        for front in ["", "c50b4001", "c50b4004001100010002 80c20004", "bbbb20000000"] {
            let mut stream = hex(front);
            stream.extend(&bytes);
            let pieces: Vec<(Direction, &[u8])> = stream.chunks(step).map(|piece| (UP, piece)).collect();
            for protocol in [&CodesysV3 as &dyn Protocol, &CodesysV2] {
                feed_unprobed(protocol, &flow(Transport::Tcp, 11740), &pieces);
            }
            feed_unprobed(&CodesysV3, &flow(Transport::Udp, 1740), &[(UP, &stream), (DOWN, &stream)]);
            for service in [3, 4, 0x40] {
                let framed = block(service, &bytes);
                feed_unprobed(&CodesysV3, &flow(Transport::Tcp, 11740), &[(UP, &framed), (DOWN, &framed)]);
            }
        }
    }
}
