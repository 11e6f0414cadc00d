use proptest::prelude::*;
use quaywatch_model::Direction::{FromClient, FromServer};

use super::*;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex};

/// A name as it stands on the wire.
fn encoded(text: &str, suffix: u8) -> Vec<u8> {
    let mut name = [b' '; 16];
    name[..text.len()].copy_from_slice(text.as_bytes());
    name[15] = suffix;
    let letters = name.iter().flat_map(|byte| [b'A' + (byte >> 4), b'A' + (byte & 15)]);
    std::iter::once(32).chain(letters).chain([0]).collect()
}

fn registration(text: &str, suffix: u8, flags: &str) -> Vec<u8> {
    [
        hex("1234 2910 0001 0000 0000 0001"),
        encoded(text, suffix),
        hex("0020 0001 c00c 0020 0001 00000000 0006"),
        hex(flags),
        hex("0a000001"),
    ]
    .concat()
}

fn query(text: &str, suffix: u8) -> Vec<u8> {
    [hex("1234 0110 0001 0000 0000 0000"), encoded(text, suffix), hex("0020 0001")].concat()
}

fn said(seen: &Recorder) -> Vec<String> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    seen.of("identity")
        .iter()
        .map(|row| format!("{} {} {}", text(&row["subject"]), text(&row["attribute"]), text(&row["value"])))
        .collect()
}

#[test]
fn registrations_name_host_and_domain() {
    let flow = flow(Transport::Udp, 137);
    let pieces = [
        registration("HMI1", 0x20, "0000"),
        registration("HMI1", 0, "0000"),
        registration("CRANE", 0, "8000"),
        registration("CRANE", 0x1c, "8000"),
    ];
    let pieces: Vec<_> = pieces.iter().map(|data| (FromClient, data.as_slice())).collect();
    let seen = feed(&Nbns, &flow, &pieces);
    assert_eq!(
        said(&seen),
        [
            "10.0.0.1 host-name HMI1",
            "10.0.0.1 capability file server",
            "10.0.0.1 domain CRANE",
            "10.0.0.1 capability domain controller",
        ]
    );
    let names = seen.of("name");
    assert_eq!(names.len(), 1);
    assert_eq!(names[0], serde_json::json!({"subject": "10.0.0.1", "name": "HMI1", "kind": "nbns", "asker": ""}));
}

#[test]
fn a_question_is_a_name_without_subject() {
    let flow = flow(Transport::Udp, 137);
    let seen = feed(&Nbns, &flow, &[(FromClient, &query("WPAD", 0)), (FromClient, &query("WPAD", 0))]);
    assert_eq!(
        seen.of("name"),
        [serde_json::json!({"subject": "", "name": "WPAD", "kind": "nbns", "asker": "10.0.0.1"})]
    );
}

#[test]
fn answers_and_node_status_describe_the_host() {
    let flow = flow(Transport::Udp, 137);
    let answer =
        [hex("1234 8500 0000 0001 0000 0000"), encoded("SRV", 0x20), hex("0020 0001 00000e10 0006 6000 0a000002")]
            .concat();
    let status = [
        hex("1234 8400 0000 0001 0000 0000"),
        encoded("*", 0),
        hex("0021 0001 00000000 002b 02"),
        b"SRV            \x00\x04\x00".to_vec(),
        b"CRANE          \x00\x84\x00".to_vec(),
        hex("020000000002"),
    ]
    .concat();
    let seen = feed(&Nbns, &flow, &[(FromServer, &answer), (FromServer, &status)]);
    assert_eq!(
        said(&seen),
        [
            "10.0.0.2 host-name SRV",
            "10.0.0.2 capability file server",
            "10.0.0.2 host-name SRV",
            "10.0.0.2 domain CRANE",
            "10.0.0.2 mac 02:00:00:00:00:02",
        ]
    );
    assert_eq!(seen.of("service").len(), 1);
}

#[test]
fn truncations_are_malformed() {
    let flow = flow(Transport::Udp, 137);
    let whole = registration("HMI1", 0x20, "0000");
    for length in 1..whole.len() {
        let seen = feed_unprobed(&Nbns, &flow, &[(FromClient, &whole[..length])]);
        assert_eq!(seen.marks.len(), 1, "{length}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_taken(data in prop::collection::vec(any::<u8>(), 1..200), opcode in 0u8..16, response in any::<bool>()) {
        let flow = flow(Transport::Udp, 137);
        feed_unprobed(&Nbns, &flow, &[(FromClient, &data)]);
        let flags = [u8::from(response) << 7 | opcode << 3, 0];
        let front = [&[1, 2][..], &flags, &[0, 1, 0, 2, 0, 0, 0, 1], &encoded("X", 0), &[0, 0x20, 0, 1], &data].concat();
        feed_unprobed(&Nbns, &flow, &[(FromServer, &front)]);
    }
}
