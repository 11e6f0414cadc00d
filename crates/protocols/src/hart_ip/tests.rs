//! Messages cut from `hart-ip` captures, and others by the specifications' formats.

use proptest::prelude::*;
use quaywatch_model::{Direction, Transport};

use super::HartIp;
use super::frame::packed_text;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

use Direction::{FromClient, FromServer};

/// icsnpp-hart-ip-publish-and-keepalive.pcapng, frames 4, 6, 8, 10, 12, 14 and 56.
const INITIATE: &str = "010000000000000d0100015f90";
const INITIATED: &str = "010100000000000d0100015f90";
const WHO: &str = "010003000001000d0280000082";
const I_AM: &str = "010103000001002506c000180010fef9fd000702324e0095266f000300010100f900f941d3";
const LONG_TAG: &str = "010003000002001182b9fd95266f14000e";
const TAGGED: &str =
    "010103000002003386f9fd95266f1422001062382d32372d65622d39352d32362d366600000000000000000000000000000055";
const PUBLISHED: &str =
    "01020300000100308140fd95266f091f00100100004b46386e3dc001002742a7f42c4002003d0000000000a39f5ec285";

fn talk(transport: Transport, pieces: &[(Direction, &str)]) -> Recorder {
    let pieces: Vec<(Direction, Vec<u8>)> = pieces.iter().map(|(way, text)| (*way, hex(text))).collect();
    let pieces: Vec<(Direction, &[u8])> = pieces.iter().map(|(way, bytes)| (*way, bytes.as_slice())).collect();
    feed(&HartIp, &flow(transport, 5094), &pieces)
}

/// A message of a frame from these bytes, with its check byte put behind.
fn framed(kind: u8, sequence: u8, frame: &str) -> Vec<u8> {
    let mut frame = hex(frame);
    frame.push(frame.iter().fold(0, |sum, byte| sum ^ byte));
    let length = u8::try_from(frame.len() + 8).unwrap();
    [&[1, kind, 3, 0, 0, sequence, 0, length][..], &frame].concat()
}

fn told(rows: &Recorder) -> Vec<String> {
    rows.of("operation")
        .iter()
        .map(|row| {
            let text = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
            format!("{} {} [{}] {}", text("class"), text("name"), text("object"), text("status_name"))
        })
        .collect()
}

#[test]
fn a_session_and_what_the_device_says_of_itself() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let rows = talk(
            transport,
            &[
                (FromClient, INITIATE),
                (FromServer, INITIATED),
                (FromClient, WHO),
                (FromServer, I_AM),
                (FromClient, LONG_TAG),
                (FromServer, TAGGED),
            ],
        );
        assert_eq!(
            told(&rows),
            [
                "session session initiate [primary master, 90 s] success",
                "identify read unique identifier [device 0] success",
                "identify read long tag [device 39fd95266f] success"
            ]
        );
        let said: Vec<String> = rows
            .of("identity")
            .iter()
            .map(|row| format!("{} {}", row["attribute"], row["value"]).replace('"', ""))
            .collect();
        assert_eq!(said, ["product HART device type 0xf9fd", "firmware 50", "serial 95266f", "vendor FieldComm Group"]);
        let detail = |place: usize| -> serde_json::Value {
            serde_json::from_str(rows.of("operation")[place]["detail"].as_str().unwrap()).unwrap()
        };
        assert_eq!(detail(1)["device_says"], serde_json::json!(["more status available"]));
        assert_eq!(detail(2)["long_tag"], "b8-27-eb-95-26-6f");
    }
}

#[test]
fn published_values_make_two_rows_however_many_they_are() {
    let mut pieces = vec![(FromClient, INITIATE), (FromServer, INITIATED)];
    pieces.extend([(FromServer, PUBLISHED); 5]);
    let rows = talk(Transport::Udp, &pieces);
    let counts: Vec<serde_json::Value> =
        rows.of("operation").iter().skip(1).map(|row| row["quantity"].clone()).collect();
    assert_eq!(counts, [1, 5]);
    assert_eq!(told(&rows)[1], "cyclic publish [device 00fd95266f] ");
}

#[test]
fn writes_and_refusals() {
    let cases = [
        (
            "82 a6 95eb27b8 06 02 0500",
            "86 a6 95eb27b8 06 04 0700 0500",
            "configure write polling address [device 2695eb27b8, polling address 5] write protected",
        ),
        (
            "82 a6 95eb27b8 2a 00",
            "86 a6 95eb27b8 2a 02 0000",
            "control perform device reset [device 2695eb27b8] success",
        ),
        (
            "82 a6 95eb27b8 4f 08 00 00fa00000000 00",
            "86 a6 95eb27b8 4f 02 4000",
            "write write device variable [device 2695eb27b8, variable 0] command not implemented",
        ),
        (
            "82 a6 95eb27b8 1f 02 0203",
            "86 a6 95eb27b8 1f 04 0000 0203",
            "control command of the maker [device 2695eb27b8] success",
        ),
    ];
    for (ask, answer, expected) in cases {
        let (ask, answer) = (framed(0, 9, ask), framed(1, 9, answer));
        let rows = feed(&HartIp, &flow(Transport::Udp, 5094), &[(FromClient, &ask), (FromServer, &answer)]);
        assert_eq!(told(&rows), [expected]);
        assert_eq!(rows.of("weird").len(), 0);
    }
}

#[test]
fn letters_are_packed_in_six_bits() {
    // A is 1, C 3, a blank 0x20, the digit 1 0x31.
    assert_eq!(packed_text(&hex("0420e0 c6d620")), "ABC 1-X");
}

#[test]
fn a_wrong_check_byte_is_told() {
    let mut bytes = hex(LONG_TAG);
    *bytes.last_mut().unwrap() ^= 1;
    let rows = feed_unprobed(&HartIp, &flow(Transport::Udp, 5094), &[(FromClient, &bytes)]);
    assert_eq!(rows.of("weird")[0]["name"], "hart_ip_check");
}

#[test]
fn probes_are_strict() {
    let flow = flow(Transport::Udp, 5094);
    let probe = |text: &str| HartIp.probe(&pdu(&flow, 0, FromClient, &hex(text)));
    assert_eq!(probe(INITIATE), Probe::Yes);
    assert_eq!(probe(I_AM), Probe::YesFromServer);
    assert_eq!(probe("0100020000020008"), Probe::Unsure);
    assert_eq!(probe("0100020000020009"), Probe::No);
    assert_eq!(probe("010003000002001182b9fd95266f14000f"), Probe::No, "check byte");
    assert_eq!(probe("0300020000020008"), Probe::No);
}

#[test]
fn no_cut_is_too_much() {
    for text in [INITIATE, WHO, I_AM, LONG_TAG, TAGGED, PUBLISHED] {
        let whole = hex(text);
        for end in 0..whole.len() {
            for transport in [Transport::Udp, Transport::Tcp] {
                feed_unprobed(
                    &HartIp,
                    &flow(transport, 5094),
                    &[(FromClient, &whole[..end]), (FromServer, &whole[..end])],
                );
            }
        }
    }
}

proptest! {
    #[test]
    fn anything_may_come(pieces in prop::collection::vec((0u8..4, 0u8..6, prop::collection::vec(any::<u8>(), 0..60)), 0..12), over_tcp: bool) {
        let transport = if over_tcp { Transport::Tcp } else { Transport::Udp };
        let pieces: Vec<(Direction, Vec<u8>)> = pieces
            .into_iter()
            .map(|(kind, id, body)| {
                let head = [1, kind, id, 0, 0, 1, 0, u8::try_from(body.len() + 8).unwrap()];
                (if kind == 0 { FromClient } else { FromServer }, [&head[..], &body].concat())
            })
            .collect();
        let pieces: Vec<(Direction, &[u8])> = pieces.iter().map(|(way, bytes)| (*way, bytes.as_slice())).collect();
        feed_unprobed(&HartIp, &flow(transport, 5094), &pieces);
    }
}
