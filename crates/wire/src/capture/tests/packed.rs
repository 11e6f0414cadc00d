use std::io::{self, Read, Write};

use quaywatch_model::SourceId;

use super::build::Writer;
use super::{drain, read};
use crate::capture::record::Order;
use crate::capture::{Compression, FREE_EXPANSION, stream};

fn plain(packets: u32) -> Vec<u8> {
    let mut file = Writer::new(Order::Little);
    file.pcap(0xa1b2_c3d4, 1);
    for n in 0..packets {
        file.record(n, 0, 200, &n.to_le_bytes().repeat(25));
    }
    file.bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn zst(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

#[test]
fn packed_captures_read_like_plain_ones() {
    let plain = plain(5_000);
    let (expected, ..) = read(plain.clone());
    for (packed, compression) in [(gzip(&plain), Compression::Gzip), (zst(&plain), Compression::Zstd)] {
        let (packets, facts, error) = read(packed);
        assert_eq!((error, facts.compression), (None, compression));
        assert!(packets == expected);
    }
}

#[test]
fn several_members_make_one_capture() {
    let plain = plain(50);
    let (front, back) = plain.split_at(1_000);
    let (expected, ..) = read(plain.clone());
    let mut zst_skippable = b"\x50\x2a\x4d\x18\x04\0\0\0note".to_vec();
    zst_skippable.extend([zst(front), zst(back)].concat());
    for packed in [[gzip(front), gzip(back)].concat(), [zst(front), zst(back)].concat(), zst_skippable] {
        let (packets, _, error) = read(packed);
        assert_eq!((packets.len(), error), (50, None));
        assert!(packets == expected);
    }
}

#[test]
fn a_packed_capture_that_is_cut_short_keeps_what_was_unpacked() {
    let plain = plain(5_000);
    for packed in [gzip(&plain), zst(&plain)] {
        let (packets, facts, error) = read(packed[..packed.len() * 3 / 4].to_vec());
        let error = error.unwrap();
        assert!(error.what.starts_with("cut short"), "{error}");
        assert!(facts.early_end && !packets.is_empty() && packets.len() < 5_000, "{}", packets.len());
    }
}

#[test]
fn every_truncation_of_a_packed_capture_is_an_error() {
    for packed in [gzip(&plain(3)), zst(&plain(3))] {
        for length in 0..packed.len() {
            assert!(read(packed[..length].to_vec()).2.is_some(), "{length}");
        }
        assert_eq!(read(packed).0.len(), 3);
    }
}

#[test]
fn what_is_packed_but_no_capture_is_said_so() {
    let error = read(gzip(b"hello, world")).2.unwrap();
    assert_eq!(
        error.what,
        "what is packed in it with gzip is no capture: it starts with 68 65 6c 6c 6f 2c 20 77 (hello,.w)"
    );
}

#[test]
fn a_bomb_is_stopped() {
    // One block type that is skipped, announced to be huge: all its zeros are unpacked and thrown away.
    let mut head = Writer::new(Order::Little);
    head.section().u32(4).u32(0xffff_fff0);
    let zeros = io::repeat(0).take(FREE_EXPANSION + (64 << 20));
    let bomb = zstd::encode_all(head.bytes.as_slice().chain(zeros), 3).unwrap();
    assert!(bomb.len() < 20_000, "{}", bomb.len());
    let error = read(bomb).2.unwrap();
    assert!(error.what.contains("more than 2000 times"), "{error}");
}

#[test]
fn a_pipe_reads_like_a_file_and_is_hashed_on_the_way() {
    for bytes in [plain(5_000), gzip(&plain(5_000)), zst(&plain(5_000))] {
        let expected: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(&bytes).into();
        let mut source = stream(Box::new(io::Cursor::new(bytes.clone())), SourceId(7)).unwrap();
        assert_eq!(source.sha256(), None);
        let (packets, error) = drain(&mut source);
        assert_eq!((packets.len(), error), (5_000, None));
        assert_eq!(source.sha256(), Some(expected));
    }
    let Err(error) = stream(Box::new(io::empty()), SourceId(7)) else { panic!("empty") };
    assert_eq!(error.what, "the file is empty");
}
