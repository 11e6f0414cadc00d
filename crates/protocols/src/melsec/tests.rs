use proptest::prelude::*;

use super::melsoft::Melsoft;
use super::*;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};

const UP: Direction = Direction::FromClient;
const DOWN: Direction = Direction::FromServer;

fn tcp() -> Flow {
    flow(Transport::Tcp, 5007)
}

/// Requests and replies written by hand from SH-080956ENG.
fn samples() -> Vec<(Direction, Vec<u8>)> {
    vec![
        (UP, hex("5000 00 ff ff03 00 0c00 1000 0104 0000 640000 a8 0300")),
        (DOWN, hex("d000 00 ff ff03 00 0800 0000 3412 0200 ef1d")),
        (UP, hex("5400 3412 0000 00 ff ff03 00 0d00 1000 0114 0100 1f0000 9c 0100 10")),
        (DOWN, hex("d400 3412 0000 00 ff ff03 00 0b00 51c0 00 ff ff03 00 0114 0100")),
        (UP, hex("5000 00 ff ff03 00 0600 1000 0101 0000")),
        (DOWN, hex("d000 00 ff ff03 00 1400 0000 51303355444543505520202020202020 6802")),
        (UP, hex("5000 00 ff ff03 00 0a00 1000 0210 0000 0100 0000")),
        (DOWN, hex("d000 00 ff ff03 00 0200 0000")),
        (UP, hex("5000 00 ff ff03 00 0e00 1000 3016 0000 0600 68756e746572")),
        (DOWN, hex("d000 00 ff ff03 00 0200 00c2")),
    ]
}

fn run(protocol: &dyn Protocol, flow: &Flow, samples: &[(Direction, Vec<u8>)]) -> Recorder {
    let pieces: Vec<(Direction, &[u8])> = samples.iter().map(|(d, b)| (*d, b.as_slice())).collect();
    feed(protocol, flow, &pieces)
}

#[test]
fn commands_are_paired_and_named() {
    let out = run(&Melsec, &tcp(), &samples());
    let rows = out.of("operation");
    let facts: Vec<_> =
        rows.iter().map(|row| format!("{} {} {}", row["class"], row["object"], row["status"])).collect();
    let expected = [
        r#""read" "D100" 0"#,
        r#""write" "X1F" 49233"#,
        r#""identify" "" 0"#,
        r#""control" "not forced" 0"#,
        r#""session" "" 49664"#,
    ];
    assert_eq!(facts, expected);
    assert_eq!(out.of("identity")[1]["value"], "Q03UDECPU");
    assert_eq!(out.of("session")[0]["outcome"], "failure");
    assert_eq!(out.of("credential")[0]["weakness"], "clear-text");
    assert!(!format!("{:?}", out.rows).contains("hunter"));
    assert!(out.marks.is_empty(), "{:?}", out.marks);
}

#[test]
fn ascii_is_read_alike() {
    let frames = [
        (UP, b"500000FF03FF000018001004010000D*0001000003".to_vec()),
        (DOWN, b"D00000FF03FF0000100000123400021DEF".to_vec()),
        (UP, b"540012340000 00FF03FF".iter().filter(|b| **b != b' ').copied().collect()),
    ];
    let out = run(&Melsec, &tcp(), &frames);
    let row = &out.of("operation")[0];
    assert_eq!((&row["object"], &row["quantity"], &row["status"]), (&"D100".into(), &3.into(), &0.into()));
    assert!(row["detail"].as_str().unwrap().contains("ASCII"));
}

/// From `iti-melsoft-udp-clean-1.pcap`: frames 13 and 14 (type name), 255 and 256 (remote stop), 305 (close file), and by hand
/// a file of four bytes in the form of frames 301 to 306.
fn melsoft_samples() -> Vec<(Direction, Vec<u8>)> {
    let frame = |reply: bool, body: &str| {
        let body = hex(body);
        let front =
            if reply { "d70100000011117f000000a80300ffff030000" } else { "57010000001111070000ffff030000fe030000" };
        let kind = if reply { "9c0a1814" } else { "1c0a1614" };
        let mut bytes = hex(front);
        bytes.extend(u16::try_from(body.len() + 24).unwrap().to_le_bytes());
        bytes.extend(hex(kind));
        bytes.extend([0; 20]);
        bytes.extend(body);
        (if reply { DOWN } else { UP }, bytes)
    };
    vec![
        frame(false, "0121 0100 0000 0001"),
        frame(true, "0000 0121 0100 0000 465835552d33324d542f455300000000 294a 000800000000"),
        frame(false, "1002 0b00 0000 0100"),
        frame(true, "0000 1002 0b00 0000"),
        frame(false, "1867 2000 0000 000000000000 0104 04000000 0a00 2400 4100 2e00 4200 0000"),
        frame(true, "0000 1867 2000 0000 0100"),
        frame(false, "1869 2100 0000 0100 00000000 0400 01020304"),
        frame(true, "0000 1869 2100 0000 0400"),
        frame(false, "186a 2200 0000 0100 0000"),
        frame(true, "0000 186a 2200 0000"),
    ]
}

#[test]
fn melsoft_tells_type_stop_and_files() {
    let mut samples = melsoft_samples();
    samples.push((UP, hex("5a000001")));
    samples.push((DOWN, hex("da0000011400c0a80365c0a80365")));
    let out = run(&Melsoft, &flow(Transport::Udp, 5560), &samples);
    let rows = out.of("operation");
    let facts: Vec<_> = rows.iter().map(|row| format!("{} {} {}", row["class"], row["name"], row["object"])).collect();
    assert_eq!(facts[0], r#""identify" "read type name" """#);
    assert_eq!(facts[1], r#""control" "Remote Stop" """#);
    assert_eq!(facts[3], r#""program" "write file" "$A.B""#);
    assert_eq!(facts[5], r#""session" "connection set-up" """#);
    assert_eq!(out.of("identity")[1]["value"], "FX5U-32MT/ES");
    let program = &out.of("program")[0];
    assert_eq!((&program["name"], &program["size"]), (&"$A.B".into(), &4.into()));
    assert_eq!((&program["transfer"], &program["complete"]), (&"download".into(), &true.into()));
}

#[test]
fn truncations_do_not_panic() {
    for (direction, bytes) in samples() {
        for end in 1..bytes.len() {
            let _ = Melsec.probe(&pdu(&tcp(), 0, direction, &bytes[..end]));
            feed_unprobed(&Melsec, &tcp(), &[(direction, &bytes[..end])]);
            feed_unprobed(&Melsec, &flow(Transport::Udp, 5006), &[(direction, &bytes[..end])]);
        }
    }
    for (direction, bytes) in melsoft_samples() {
        for end in 1..bytes.len() {
            let _ = Melsoft.probe(&pdu(&tcp(), 0, direction, &bytes[..end]));
            feed_unprobed(&Melsoft, &tcp(), &[(direction, &bytes[..end])]);
            feed_unprobed(&Melsoft, &flow(Transport::Udp, 5560), &[(direction, &bytes[..end])]);
        }
    }
}

#[test]
fn the_cut_of_a_stream_changes_nothing() {
    for (protocol, samples) in [(&Melsec as &dyn Protocol, samples()), (&Melsoft, melsoft_samples())] {
        let whole = run(protocol, &tcp(), &samples).of("operation");
        for step in [1, 7, 20] {
            let pieces: Vec<(Direction, &[u8])> =
                samples.iter().flat_map(|(d, b)| b.chunks(step).map(|piece| (*d, piece))).collect();
            let cut = feed_unprobed(protocol, &tcp(), &pieces).of("operation");
            assert_eq!(cut.len(), whole.len());
        }
    }
}

#[test]
fn others_are_refused() {
    for other in ["000100000006010300000001", "0300001611e00000001400c1020100c2020102c0010a", "16030100", "50004854"] {
        let no = |protocol: &dyn Protocol| protocol.probe(&pdu(&tcp(), 0, UP, &hex(other)));
        assert_ne!(no(&Melsec), Probe::Yes);
        assert_eq!(no(&Melsoft), Probe::No);
    }
    assert_eq!(Melsec.probe(&pdu(&tcp(), 0, UP, b"POST / HTTP/1.1\r\n")), Probe::No);
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces(bytes in proptest::collection::vec(any::<u8>(), 1..300), step in 1_usize..50) {
        for front in ["", "5000", "d000", "5400", "35303030", "57000000001111", "d7010000001111"] {
            let mut stream = hex(front);
            stream.extend(&bytes);
            let pieces: Vec<(Direction, &[u8])> = stream.chunks(step).map(|piece| (UP, piece)).collect();
            for protocol in [&Melsec as &dyn Protocol, &Melsoft] {
                feed_unprobed(protocol, &tcp(), &pieces);
                feed_unprobed(protocol, &flow(Transport::Udp, 5006), &[(UP, &stream), (DOWN, &stream)]);
            }
        }
    }
}
