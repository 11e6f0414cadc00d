//! Commands as in `icsnpp-c37-118-2pmusinsync-tcp.pcap`; the other frames written by hand from the standard.

use proptest::prelude::*;
use quaywatch_model::{Direction, Transport};
use serde_json::json;

use super::C37118;
use super::configuration::Configuration;
use super::frame::{Frame, checksum};
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

use Direction::{FromClient, FromServer};

fn framed(kind: u8, fraction: u32, body: &[u8]) -> Vec<u8> {
    let size = u16::try_from(16 + body.len()).unwrap();
    let mut bytes = vec![0xaa, kind << 4 | 1];
    bytes.extend(size.to_be_bytes());
    bytes.extend(60u16.to_be_bytes());
    bytes.extend(2u32.to_be_bytes());
    bytes.extend(fraction.to_be_bytes());
    bytes.extend(body);
    let sum = checksum(&bytes);
    bytes.extend(sum.to_be_bytes());
    bytes
}

fn command(code: u16) -> Vec<u8> {
    framed(4, 0, &code.to_be_bytes())
}

/// One unit with one phasor of floating point numbers and one digital word.
fn configuration() -> Vec<u8> {
    let mut body = hex("000f4240 0001");
    body.extend(b"SHORE POWER 3   ");
    body.extend(hex("003d 0003 0001 0000 0001"));
    body.extend([b' '; 17 * 16]);
    body.extend(hex("00000000 00000000 0001 0002 0032"));
    body
}

fn data(status: u16, quality: u8) -> Vec<u8> {
    let body = [&status.to_be_bytes()[..], &[0; 14]].concat();
    framed(0, u32::from(quality) << 24 | 500_000, &body)
}

fn talk(pieces: &[(Direction, Vec<u8>)]) -> Recorder {
    let pieces: Vec<(Direction, &[u8])> =
        pieces.iter().map(|(direction, bytes)| (*direction, bytes.as_slice())).collect();
    feed(&C37118, &flow(Transport::Tcp, 4712), &pieces)
}

// Annex B of the standard: the checksum of `123456789` is 29b1.
#[test]
fn the_checksum_is_the_standards() {
    assert_eq!(checksum(b"123456789"), 0x29b1);
}

#[test]
fn commands_are_answered_by_their_frames() {
    let rows = talk(&[
        (FromClient, command(1)),
        (FromClient, command(5)),
        (FromServer, framed(3, 0, &configuration())),
        (FromClient, command(3)),
        (FromServer, framed(1, 0, b"Relay in bay 4")),
        (FromClient, command(6)),
        (FromClient, command(2)),
    ]);
    let told: Vec<String> = rows
        .of("operation")
        .iter()
        .map(|row| format!("{}|{}|{}|{}", row["class"], row["name"], row["object"], row["status"]).replace('"', ""))
        .collect();
    let wanted = [
        "control|turn off transmission of data||null",
        "identify|send configuration frame 2|SHORE POWER 3|0",
        "identify|send header frame||0",
        "control|turn on transmission of data||null",
        "identify|send configuration frame 3||null",
    ];
    assert_eq!(told, wanted);
    let detail: serde_json::Value = serde_json::from_str(rows.of("operation")[1]["detail"].as_str().unwrap()).unwrap();
    assert_eq!((&detail["units"], &detail["rate"], &detail["nominal_hz"]), (&json!(1), &json!(50), &json!([50])));
    assert_eq!((&detail["phasors"], &detail["unit_ids"]), (&json!([1]), &json!([61])));
    assert_eq!(rows.of("identity")[0]["value"], "SHORE POWER 3");
    assert!(rows.of("operation")[2]["detail"].as_str().unwrap().contains("Relay in bay 4"));
}

#[test]
fn data_is_told_once_at_change_and_counted() {
    let rows = talk(&[
        (FromServer, framed(3, 0, &configuration())),
        (FromServer, [data(0, 0), data(0x0005, 0)].concat()),
        (FromServer, data(0x2000, 0x0f)),
        (FromServer, data(0x2000, 0x0f)),
    ]);
    let told: Vec<_> = rows
        .of("operation")
        .iter()
        .filter(|row| row["class"] == "cyclic")
        .map(|row| (row["name"].clone(), row["quantity"].clone()))
        .collect();
    let wanted = [("data", 1), ("data changed", 3), ("data counted", 4)];
    assert_eq!(told, wanted.map(|(name, count)| (json!(name), json!(count))));
    let changed: serde_json::Value = serde_json::from_str(rows.of("operation")[2]["detail"].as_str().unwrap()).unwrap();
    assert_eq!((&changed["status"], &changed["clock_quality"]), (&json!(["clock not synchronised"]), &json!(15)));
    let clock = &rows.of("clock")[0];
    assert_eq!(clock["device_time"], json!(2_500_000_000_i64));
    assert_eq!(rows.of("clock").len(), 1);
}

#[test]
fn the_layout_of_data_is_the_configurations() {
    let configuration = Configuration::read(&configuration()).unwrap();
    let frame = data(0x4000, 0);
    assert_eq!(configuration.units[0].bytes, 16);
    assert_eq!(configuration.status(Frame::read(&frame).unwrap().body), Some(0x4000));
    assert_eq!(configuration.status(&[0; 15]), None);
}

#[test]
fn damage_is_told_and_the_next_frame_read() {
    let mut broken = command(1);
    broken[17] ^= 1;
    let short = framed(3, 0, &configuration()[..60]);
    let flow = flow(Transport::Tcp, 4712);
    for (bytes, name) in [
        (broken, "c37_118_checksum"),
        (b"noise".to_vec(), "c37_118_framing"),
        (short, "c37_118_configuration"),
        (framed(4, 0, &[1]), "c37_118_command"),
    ] {
        let rows = feed_unprobed(&C37118, &flow, &[(FromClient, &bytes), (FromClient, &command(2))]);
        assert_eq!(rows.of("weird")[0]["name"], name);
        assert_eq!(rows.of("operation").last().unwrap()["code"], 2);
    }
}

#[test]
fn the_probe_is_strict() {
    let tcp = flow(Transport::Tcp, 5000);
    let probe = |bytes: &[u8]| C37118.probe(&pdu(&tcp, 0, FromClient, bytes));
    assert_eq!(probe(&command(5)), Probe::Yes);
    assert_eq!(probe(&data(0, 0)), Probe::YesFromServer);
    assert_eq!(probe(&command(5)[..10]), Probe::Unsure);
    assert_eq!(probe(&hex("aa71 0012")), Probe::No);
    let mut broken = command(5);
    broken[16] ^= 1;
    assert_eq!(probe(&broken), Probe::No);
    let udp = flow(Transport::Udp, 5000);
    let long = [command(5), vec![0]].concat();
    assert_eq!(C37118.probe(&pdu(&udp, 0, FromClient, &long)), Probe::No);
}

proptest! {
    #[test]
    fn any_bytes(kind in 0u8..8, bytes in prop::collection::vec(any::<u8>(), 0..80), cut in 1usize..300) {
        let configured = framed(3, 0, &configuration());
        let cut = &configured[..cut.min(configured.len())];
        let random = framed(kind, 7, &bytes);
        let shortened = framed(3, 0, &configuration()[..cut.len().min(300)]);
        for transport in [Transport::Tcp, Transport::Udp] {
            let flow = flow(transport, 4712);
            let _ = C37118.probe(&pdu(&flow, 0, FromServer, cut));
            let pieces = [(FromServer, configured.as_slice()), (FromServer, &random), (FromClient, &random), (FromServer, &shortened), (FromServer, cut)];
            feed_unprobed(&C37118, &flow, &pieces);
            if !bytes.is_empty() {
                feed_unprobed(&C37118, &flow, &[(FromClient, &bytes)]);
            }
        }
    }
}
