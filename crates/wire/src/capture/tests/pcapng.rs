use proptest::prelude::*;

use super::build::Writer;
use super::read;
use crate::capture::Format;
use crate::capture::record::Order;

fn file(order: Order) -> Writer {
    let mut file = Writer::new(order);
    file.section().interface(1, |_| ());
    file
}

#[test]
fn the_bytes_of_the_draft() {
    // Written out by hand: section header, interface description, enhanced packet, all little endian.
    let bytes = b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x1c\0\0\0\
                  \x01\0\0\0\x14\0\0\0\x01\0\0\0\0\0\x04\0\x14\0\0\0\
                  \x06\0\0\0\x24\0\0\0\0\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x3c\0\0\0abc\0\x24\0\0\0";
    let (packets, facts, error) = read(bytes.to_vec());
    assert_eq!(error, None);
    assert_eq!(packets.len(), 1);
    assert_eq!((packets[0].nanos, packets[0].frame, packets[0].wire_length), (((1 << 32) + 2) * 1_000, 1, 60));
    assert_eq!(packets[0].data, b"abc");
    assert_eq!((facts.format, facts.sections, facts.interfaces[0].snaplen), (Some(Format::PcapNg), 1, 262_144));
}

#[test]
fn both_byte_orders_even_in_one_file() {
    let mut whole = Vec::new();
    for order in [Order::Big, Order::Little, Order::Big] {
        whole.extend(file(order).packet(0, 5, b"abcde").bytes.clone());
    }
    let (packets, facts, error) = read(whole);
    assert_eq!((error, facts.sections, facts.interfaces.len()), (None, 3, 3));
    let seen: Vec<_> = packets.iter().map(|p| (p.nanos, p.frame, p.interface, p.data.as_slice())).collect();
    assert_eq!(seen, [(5_000, 1, 0, &b"abcde"[..]), (5_000, 2, 1, b"abcde"), (5_000, 3, 2, b"abcde")]);
}

#[test]
fn interfaces_have_names_clocks_and_links_of_their_own() {
    let mut file = Writer::new(Order::Little);
    file.section();
    file.interface(1, |b| {
        b.option(2, b"eth0").option(3, b"crane 1 switch, mirror port").option(9, &[9]).option(0, b"");
    });
    file.interface(113, |b| {
        b.option(9, &[0x80 | 10]).option(14, &100u64.to_le_bytes());
    });
    file.packet(0, 7, b"a").packet(1, 2_048, b"b");
    let (packets, facts, error) = read(file.bytes);
    assert_eq!(error, None);
    assert_eq!((packets[0].nanos, packets[0].link), (7, 1));
    assert_eq!((packets[1].nanos, packets[1].link, packets[1].interface), (102_000_000_000, 113, 1));
    assert_eq!(facts.links.iter().map(|l| l.0).collect::<Vec<_>>(), [1, 113]);
    assert_eq!((facts.interfaces[0].name.as_str(), facts.interfaces[1].name.as_str()), ("eth0", ""));
    assert_eq!(facts.interfaces[0].description, "crane 1 switch, mirror port");
}

#[test]
fn simple_and_obsolete_packets() {
    let mut file = Writer::new(Order::Big);
    file.section().block(1, |b| {
        b.u16(1).u16(0).u32(4);
    });
    file.packet(0, 5, b"abcd");
    file.block(3, |b| {
        b.u32(60).raw(b"cut!");
    });
    file.block(3, |b| {
        b.u32(2).raw(b"ab");
    });
    file.block(2, |b| {
        b.u16(0).u16(3).u32(0).u32(9).u32(3).u32(70).raw(b"old");
    });
    let (packets, facts, error) = read(file.bytes);
    assert_eq!((error, facts.untimed, facts.dropped), (None, 2, Some(3)));
    let seen: Vec<_> = packets.iter().map(|p| (p.nanos, p.frame, p.wire_length, p.data.as_slice())).collect();
    let expected = [(5_000, 1, 4, &b"abcd"[..]), (5_000, 2, 60, b"cut!"), (5_000, 3, 2, b"ab"), (9_000, 4, 70, b"old")];
    assert_eq!(seen, expected);
}

#[test]
fn statistics_comments_secrets_and_unknown_blocks_are_facts() {
    let mut file = Writer::new(Order::Little);
    file.block(0x0a0d_0d0a, |b| {
        b.u32(0x1a2b_3c4d).u16(1).u16(2).u64(u64::MAX).option(1, b"shift change").option(0, b"");
    });
    file.interface(1, |b| {
        b.option(1, b"north quay");
    });
    file.interface(1, |_| ());
    // Name resolution, decryption secrets, custom, and a type nobody knows.
    for kind in [4, 10, 0xbad, 0x1234_5678] {
        file.block(kind, |b| {
            b.raw(b"0123456789ab");
        });
    }
    file.packet_with(0, 5, b"abc", |b| {
        b.option(1, b"odd").option(1, b"very odd").option(4, &9u64.to_le_bytes()).option(0, b"");
    });
    for (interface, dropped) in [(0u32, 2u64), (0, 5), (1, 10)] {
        file.block(5, |b| {
            b.u32(interface).u64(0).option(4, &100u64.to_le_bytes()).option(5, &dropped.to_le_bytes());
        });
    }
    let (packets, facts, error) = read(file.bytes);
    assert_eq!((packets.len(), error, facts.damaged), (1, None, 0));
    assert_eq!(packets[0].frame, 2, "Wireshark numbers the custom block, too");
    assert_eq!((facts.comments, facts.secrets), (4, 1));
    // Totals per interface; the packet's own count of 9 is no addition to them.
    assert_eq!((facts.dropped, facts.interfaces[0].dropped), (Some(15), Some(5)));
}

#[test]
fn a_damaged_block_is_passed_over_where_the_chain_is_sound() {
    let mut file = file(Order::Little);
    // Too many bytes announced, an interface that is not there, a block too short, options that overrun.
    file.block(6, |b| {
        b.u32(0).u32(0).u32(1).u32(999).u32(999).raw(b"abc");
    });
    file.packet(4, 2, b"abc");
    file.block(6, |b| {
        b.u32(0);
    });
    file.packet_with(0, 3, b"abc", |b| {
        b.u16(1).u16(400);
    });
    file.packet(0, 4, b"good");
    let (packets, facts, error) = read(file.bytes);
    assert_eq!((error, facts.damaged, facts.packets), (None, 4, 2));
    assert_eq!(packets.iter().map(|p| p.frame).collect::<Vec<_>>(), [4, 5], "a damaged packet keeps its number");
    let first = facts.first_damage.unwrap();
    assert_eq!((first.offset, first.what.as_str()), (48, "a packet of 999 bytes in a block with room for 4"));
}

#[test]
fn a_chain_with_unequal_lengths_is_trusted_only_if_it_leads_to_a_sound_block() {
    let mut sound = file(Order::Little);
    sound.packet(0, 1, b"abcd");
    let end = sound.bytes.len();
    sound.packet(0, 2, b"efgh");
    sound.bytes[end - 4] ^= 0xff;
    let (packets, facts, error) = read(sound.bytes);
    assert_eq!((packets.len(), facts.damaged, error), (1, 1, None));
    assert_eq!(packets[0].frame, 2);

    let mut unsound = file(Order::Little);
    unsound.packet(0, 1, b"abcd");
    let start = unsound.bytes.len();
    unsound.packet(0, 2, b"efgh").packet(0, 3, b"ijkl");
    unsound.bytes[start + 4] = 32;
    let (packets, facts, error) = read(unsound.bytes);
    assert_eq!((packets.len(), facts.damaged), (1, 0));
    let error = error.unwrap();
    assert_eq!(error.offset, start as u64);
    assert!(error.what.contains("two lengths of a block differ"), "{error}");
}

#[test]
fn early_writers_stated_lengths_without_padding() {
    let mut file = file(Order::Little);
    for data in [&b"abcde"[..], b"f"] {
        file.u32(2).u32(12 + 20 + data.len() as u32).u16(0).u16(0).u64(0).u32(data.len() as u32).u32(60).raw(data);
        file.pad().u32(12 + 20 + data.len() as u32);
    }
    let (packets, facts, error) = read(file.bytes);
    assert_eq!((packets.len(), facts.damaged, error), (2, 0, None));
    assert_eq!((packets[0].data.as_slice(), packets[1].data.as_slice()), (&b"abcde"[..], &b"f"[..]));
}

#[test]
fn impossible_headers_say_what_is_wrong() {
    for (bytes, wanted) in [
        (Writer::new(Order::Little).section().u32(1).u32(11).u32(0).bytes.clone(), "impossible length 11"),
        (Writer::new(Order::Little).section().u32(6).u32(0xffff_fff0).u32(0).bytes.clone(), "more than the"),
        (
            Writer::new(Order::Little)
                .block(0x0a0d_0d0a, |b| {
                    b.u32(0x1a2b_3c4d).u16(2).u16(0).u64(0);
                })
                .bytes
                .clone(),
            "version 2.0",
        ),
        (
            Writer::new(Order::Little)
                .block(0x0a0d_0d0a, |b| {
                    b.u32(0x1a2b_3c4d);
                })
                .bytes
                .clone(),
            "too short",
        ),
        (
            Writer::new(Order::Little)
                .block(0x0a0d_0d0a, |b| {
                    b.u32(0xdead_beef);
                })
                .bytes
                .clone(),
            "no capture",
        ),
    ] {
        let (packets, _, error) = read(bytes);
        let error = error.unwrap();
        assert!(packets.is_empty() && error.what.contains(wanted), "{error}");
    }
}

#[test]
fn every_truncation_keeps_the_packets_before_it() {
    let mut whole = file(Order::Big);
    let mut ends = vec![28, 48];
    for data in [&b"a"[..], b"bcdef"] {
        whole.packet_with(0, 1, data, |b| {
            b.option(1, b"comment").option(0, b"");
        });
        ends.push(whole.bytes.len());
    }
    whole.block(5, |b| {
        b.u32(0).u64(0);
    });
    ends.push(whole.bytes.len());
    whole.block(4, |b| {
        b.raw(&[0; 40]);
    });
    ends.push(whole.bytes.len());
    for length in 12..=whole.bytes.len() {
        let (packets, facts, error) = read(whole.bytes[..length].to_vec());
        assert_eq!(packets.len(), ends[2..4].iter().filter(|end| **end <= length).count(), "{length}");
        assert_eq!(facts.early_end, error.is_some());
        match error {
            None => assert!(ends.contains(&length), "{length}"),
            Some(error) => assert!(!ends.contains(&length) && error.what.starts_with("cut short"), "{length}: {error}"),
        }
    }
    for length in 0..12 {
        assert!(read(whole.bytes[..length].to_vec()).2.is_some());
    }
}

proptest! {
    #[test]
    fn any_single_damage_never_panics_and_never_invents_packets(at in 0usize..400, value in any::<u8>(), cut in 0usize..400) {
        let mut whole = file(Order::Little);
        for n in 0..5u64 {
            whole.packet_with(0, n, b"0123456789", |b| { b.option(1, b"note").option(0, b""); });
        }
        whole.block(5, |b| { b.u32(0).u64(0).option(5, &1u64.to_le_bytes()); });
        let mut bytes = whole.bytes;
        let at = at % bytes.len();
        bytes[at] = value;
        bytes.truncate(bytes.len().max(1).min(cut + 100));
        let (packets, facts, _) = read(bytes);
        prop_assert!(packets.len() <= 5);
        prop_assert_eq!(facts.packets, packets.len() as u64);
    }

    #[test]
    fn noise_after_the_section_header_never_panics(noise in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut whole = file(Order::Little);
        whole.raw(&noise);
        read(whole.bytes);
    }

    #[test]
    fn blocks_of_noise_never_panic(blocks in prop::collection::vec((0u32..12, prop::collection::vec(any::<u8>(), 0..60)), 0..20)) {
        let mut whole = file(Order::Big);
        for (kind, body) in &blocks {
            whole.block(*kind, |b| { b.raw(body); });
        }
        let (_, _, error) = read(whole.bytes);
        prop_assert!(error.is_none(), "the chain is sound");
    }
}
