use proptest::prelude::*;

use super::build::Writer;
use super::{Kept, read};
use crate::capture::record::Order;
use crate::capture::{Format, MAX_PACKET};

const MICROS: u32 = 0xa1b2_c3d4;
const NANOS: u32 = 0xa1b2_3c4d;

fn kept(nanos: i64, frame: u64, wire_length: u32, data: &[u8]) -> Kept {
    Kept { nanos, frame, interface: 0, link: 1, wire_length, data: data.to_vec() }
}

fn small(order: Order) -> Vec<u8> {
    let mut file = Writer::new(order);
    file.pcap(MICROS, 1).record(1, 2, 60, b"abc").record(3, 4, 5, b"defgh").record(5, 6, 0, b"");
    file.bytes
}

#[test]
fn the_bytes_of_the_draft() {
    // Written out by hand: draft-ietf-opsawg-pcap sections 4 and 5, little endian.
    let bytes = b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00\0\0\0\0\0\0\0\0\xff\xff\x00\x00\x01\x00\x00\x00\
                  \x01\0\0\0\x02\0\0\0\x03\0\0\0\x3c\0\0\0abc";
    let (packets, facts, error) = read(bytes.to_vec());
    assert_eq!((packets, error), (vec![kept(1_000_002_000, 1, 60, b"abc")], None));
    assert_eq!(facts.format, Some(Format::Pcap));
    assert_eq!((facts.packets, facts.captured_bytes, facts.wire_bytes, facts.sections), (1, 3, 60, 1));
    assert_eq!((facts.interfaces[0].snaplen, facts.dropped), (65_535, None));
}

#[test]
fn both_byte_orders() {
    let expected =
        [kept(1_000_002_000, 1, 60, b"abc"), kept(3_000_004_000, 2, 5, b"defgh"), kept(5_000_006_000, 3, 0, b"")];
    for order in [Order::Little, Order::Big] {
        let (packets, _, error) = read(small(order));
        assert_eq!((packets.as_slice(), error), (expected.as_slice(), None), "{order:?}");
    }
}

#[test]
fn nanoseconds_and_unsigned_seconds() {
    let mut file = Writer::new(Order::Big);
    file.pcap(NANOS, 1).record(1, 2, 1, b"a").record(u32::MAX, 0, 1, b"b");
    let (packets, facts, _) = read(file.bytes);
    assert_eq!((packets[0].nanos, packets[1].nanos), (1_000_000_002, i64::from(u32::MAX) * 1_000_000_000));
    assert_eq!(facts.format, Some(Format::PcapNanos));
}

#[test]
fn modified_and_ixia_headers() {
    let mut file = Writer::new(Order::Little);
    file.pcap(0xa1b2_cd34, 1).u32(1).u32(2).u32(1).u32(1).u32(3).u16(8).u16(0).raw(b"a");
    let (packets, facts, error) = read(file.bytes);
    assert_eq!(
        (packets, facts.format, error),
        (vec![kept(1_000_002_000, 1, 1, b"a")], Some(Format::PcapModified), None)
    );

    for (magic, nanos) in [(0x1c00_01ac, 1_000_000_002), (0x1c00_01ab, 1_000_002_000)] {
        let mut file = Writer::new(Order::Big);
        file.pcap(magic, 1).u32(17).record(1, 2, 1, b"a");
        assert_eq!(read(file.bytes).0, [kept(nanos, 1, 1, b"a")]);
    }
}

#[test]
fn old_versions_swap_the_lengths() {
    for (major, minor, first, second) in [(2, 2, 60, 3), (543, 0, 60, 3), (2, 3, 60, 3), (2, 3, 3, 60)] {
        let mut file = Writer::new(Order::Little);
        file.u32(MICROS).u16(major).u16(minor).u32(0).u32(0).u32(96).u32(1);
        file.u32(1).u32(2).u32(first).u32(second).raw(b"abc");
        assert_eq!(read(file.bytes).0, [kept(1_000_002_000, 1, 60, b"abc")], "{major}.{minor}");
    }
    let mut file = Writer::new(Order::Little);
    file.u32(MICROS).u16(1).u16(0).u32(0).u32(0).u32(96).u32(1);
    assert!(read(file.bytes).2.unwrap().what.contains("version 1.0"));
}

#[test]
fn the_upper_half_of_the_link_type_is_no_part_of_it() {
    let mut file = Writer::new(Order::Little);
    // Frame check sequence present, two times 16 bits.
    file.pcap(MICROS, 0x2400_0001).record(1, 2, 1, b"a");
    assert_eq!(read(file.bytes).0[0].link, 1);
}

#[test]
fn a_packet_larger_than_snaplen_is_kept_and_an_absurd_one_is_damage() {
    let mut file = Writer::new(Order::Little);
    file.u32(MICROS).u16(2).u16(4).u32(0).u32(0).u32(2).u32(1).record(1, 2, 3, b"abc");
    file.u32(3).u32(4).u32(MAX_PACKET + 1).u32(MAX_PACKET + 1).raw(&[0; 64]);
    let at = 24 + 16 + 3;
    let (packets, facts, error) = read(file.bytes);
    let error = error.unwrap();
    assert_eq!((packets.len(), error.offset, facts.early_end), (1, at, true));
    assert!(error.what.contains("262145 bytes"), "{error}");
}

#[test]
fn every_truncation_keeps_the_packets_before_it() {
    let whole = small(Order::Little);
    let ends = [24, 24 + 19, 24 + 19 + 21, 24 + 19 + 21 + 16];
    for length in 0..=whole.len() {
        let (packets, facts, error) = read(whole[..length].to_vec());
        let complete = ends.iter().filter(|end| **end <= length).count();
        assert_eq!(packets.len(), complete.saturating_sub(1), "{length}");
        let what = error.map(|error| error.what);
        match length {
            0 => assert_eq!(what.as_deref(), Some("the file is empty")),
            1..4 => assert!(what.unwrap().contains("no capture")),
            4..24 => assert_eq!(what.as_deref(), Some("cut short inside the file header")),
            _ if ends.contains(&length) => assert_eq!(what, None),
            _ => {
                assert_eq!(what.as_deref(), Some("cut short mid-packet"));
                assert!(facts.early_end);
            }
        }
    }
}

#[test]
fn a_clock_that_steps_back_is_counted() {
    let mut file = Writer::new(Order::Little);
    file.pcap(MICROS, 1).record(9, 0, 1, b"a").record(5, 0, 1, b"b").record(6, 0, 1, b"c").record(2, 0, 1, b"d");
    let (packets, facts, _) = read(file.bytes);
    assert_eq!(packets.iter().map(|p| p.nanos / 1_000_000_000).collect::<Vec<_>>(), [9, 5, 6, 2]);
    assert_eq!((facts.backwards, facts.first.unwrap().0, facts.last.unwrap().0), (2, 2_000_000_000, 9_000_000_000));
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        big in any::<bool>(),
        records in prop::collection::vec((any::<u32>(), 0u32..1_000_000, any::<u32>(), prop::collection::vec(any::<u8>(), 0..80)), 0..20),
    ) {
        let mut file = Writer::new(if big { Order::Big } else { Order::Little });
        file.pcap(MICROS, 1);
        for (seconds, micros, wire, data) in &records {
            file.record(*seconds, *micros, *wire, data);
        }
        let expected: Vec<Kept> = records.iter().zip(1..).map(|((seconds, micros, wire, data), frame)| {
            kept(i64::from(*seconds) * 1_000_000_000 + i64::from(*micros) * 1_000, frame, *wire, data)
        }).collect();
        let (packets, _, error) = read(file.bytes);
        prop_assert_eq!(packets, expected);
        prop_assert_eq!(error, None);
    }

    #[test]
    fn noise_after_the_header_never_panics(noise in prop::collection::vec(any::<u8>(), 0..400), magic in 0usize..5) {
        let mut file = Writer::new(Order::Little);
        file.pcap([MICROS, NANOS, 0xa1b2_cd34, 0x1c00_01ac, 0x1c00_01ab][magic], 1).raw(&noise);
        let (_, facts, error) = read(file.bytes);
        prop_assert!(facts.format.is_none() || facts.early_end == error.is_some());
    }
}
