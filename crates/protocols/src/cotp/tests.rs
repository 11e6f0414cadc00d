//! TPKT and COTP flows.

use proptest::prelude::*;
use quaywatch_model::Direction::{FromClient, FromServer};
use quaywatch_model::{Direction, Mark, Transport};

use super::*;
use crate::s7comm::S7comm;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Analyzer, Probe, Protocol};

/// Connection request of a programming device to rack 0 slot 2.
const CONNECT: &str = "03000016 11e00000 000100c0 010ac102 0100c202 0102";
/// Its confirmation.
const CONFIRM: &str = "03000016 11d00001 000300c0 010ac102 0100c202 0102";

fn probe(transport: Transport, port: u16, direction: Direction, bytes: &str) -> Probe {
    let flow = flow(transport, port);
    let bytes = hex(bytes);
    S7comm.probe(&pdu(&flow, 0, direction, &bytes))
}

fn data(user: &str) -> Vec<u8> {
    tpkt(0x80, &hex(user))
}

fn tpkt(mark: u8, user: &[u8]) -> Vec<u8> {
    let length = u16::try_from(user.len() + 7).unwrap();
    let mut packet = vec![3, 0];
    packet.extend_from_slice(&length.to_be_bytes());
    packet.extend_from_slice(&[2, 0xf0, mark]);
    packet.extend_from_slice(user);
    packet
}

#[test]
fn a_connection_is_one_operation() {
    let flow = flow(Transport::Tcp, 4102);
    let rows = feed(&S7comm, &flow, &[(FromClient, &hex(CONNECT)), (FromServer, &hex(CONFIRM))]);
    let operations = rows.of("operation");
    assert_eq!(operations.len(), 1);
    let connect = &operations[0];
    assert_eq!(connect["protocol"], "cotp");
    assert_eq!(connect["code"], 0xe0);
    assert_eq!(connect["object"], "0x0102");
    assert_eq!(connect["unit"], 2);
    assert_eq!(connect["status"], 0);
    assert_eq!(connect["request_frame"], 1);
    assert_eq!(connect["reply_frame"], 2);
    let detail: serde_json::Value = serde_json::from_str(connect["detail"].as_str().unwrap()).unwrap();
    assert_eq!(detail["calling_tsap"], "0x0100");
    assert_eq!(detail["resource"], "programming device");
    assert_eq!(detail["tpdu_size"], 1024);
    assert_eq!(detail["server_ref"], 3);
}

#[test]
fn a_refusal_is_no_success() {
    let flow = flow(Transport::Tcp, 102);
    let refusal = hex("0300000b 06800001 000000");
    let rows = feed(&S7comm, &flow, &[(FromClient, &hex(CONNECT)), (FromServer, &refusal)]);
    let connect = &rows.of("operation")[0];
    assert_eq!(connect["name"], "connect");
    assert_eq!(connect["status"], 0x8000);
    assert_eq!(connect["status_name"], "reason not specified");
}

#[test]
fn what_waits_is_told_at_the_end() {
    let flow = flow(Transport::Tcp, 102);
    let disconnect = hex("0300000b 06800003 000180");
    let rows = feed(&S7comm, &flow, &[(FromClient, &hex(CONNECT)), (FromClient, &disconnect)]);
    let operations = rows.of("operation");
    assert_eq!(operations.len(), 2);
    assert_eq!(operations[0]["name"], "connect");
    assert_eq!(operations[0]["status"], serde_json::Value::Null);
    assert_eq!(operations[1]["name"], "disconnect");
    assert!(operations[1]["detail"].as_str().unwrap().contains("normal disconnect"));
}

#[test]
fn probes_are_by_content() {
    let tcp = |bytes| probe(Transport::Tcp, 9999, FromClient, bytes);
    assert_eq!(tcp(CONNECT), Probe::Yes);
    assert_eq!(tcp(CONFIRM), Probe::YesFromServer);
    assert_eq!(tcp("03"), Probe::Unsure);
    assert_eq!(tcp("0300 0016"), Probe::Unsure);
    assert_eq!(tcp("0300 0007 02f080"), Probe::Unsure);
    assert_eq!(tcp("0300 0019 02f080 32010000020000080000f0000001000101e0"), Probe::Yes);
    assert_eq!(tcp("0300 001b 02f080 3203000002000008000000 00f0000001000100f0"), Probe::YesFromServer);
    // S7comm-plus has its own entry.
    assert_eq!(tcp("0300 001b 02f080 7201000f32"), Probe::No);
    // H.323 call signalling rides on TPKT too, but not on COTP.
    assert_eq!(tcp("0300 0010 0802 0001 05 0000000000000000"), Probe::No);
    assert_eq!(tcp("474554202f20485454502f312e31"), Probe::No);
    assert_eq!(tcp("0001000000060103"), Probe::No);
    assert_eq!(tcp("16030100"), Probe::No);
    assert_eq!(tcp("00"), Probe::No);
    assert_eq!(probe(Transport::Udp, 102, FromClient, CONNECT), Probe::No);
    // s7comm/wireshark-wiki-cotp-test.pcap frame 1, and a frame of active CLNP.
    let connect = "00 1fe100000001 42c2020102c102010 0c0010ac40101c60102 87020000c3027a09";
    assert_eq!(probe(Transport::Link(0xfe), 0, FromClient, connect), Probe::Yes);
    assert_eq!(probe(Transport::Link(0xfe), 0, FromClient, "8115010000"), Probe::No);
}

/// Remote desktop: TPKT, COTP, a cookie; then TLS.
#[test]
fn remote_desktop_is_named() {
    let cookie =
        hex("0300002c 27e00000 00000043 6f6f6b69 653a206d 73747368 6173683d 61646d69 6e0d0a01 00080003 000000");
    let mut whole = cookie.clone();
    whole.resize(0x2c, 0);
    let flow = flow(Transport::Tcp, 3389);
    // It has its own entry.
    assert_eq!(S7comm.probe(&pdu(&flow, 0, FromClient, &whole)), Probe::No);
    let mut analyzer = S7comm.open(&flow);
    let mut rows = Recorder::default();
    analyzer.feed(&pdu(&flow, 0, FromClient, &whole), &mut rows);
    assert_eq!(analyzer.service(), Some("rdp"));
    analyzer.feed(&pdu(&flow, 1, FromServer, &hex("03000013 0ed00000 12340002 00080001 000000")), &mut rows);
    analyzer.feed(&pdu(&flow, 2, FromClient, &hex("16030100050100000100")), &mut rows);
    analyzer.close(&flow, &mut rows);
    assert_eq!(rows.marks, [Mark::Undecoded("rdp")]);
    assert!(rows.of("weird").is_empty());
    // The cookie holds a user name: it is not ours to read, let alone to keep.
    assert!(!format!("{:?}", rows.rows).contains("admin"));
}

#[test]
fn other_layers_are_named_and_counted() {
    for (user, name) in [("7f658201be0401", "rdp"), ("0d0a050613010016010214", "iso-session")] {
        let flow = flow(Transport::Tcp, 102);
        let mut analyzer = S7comm.open(&flow);
        let mut rows = Recorder::default();
        analyzer.feed(&pdu(&flow, 0, FromClient, &data(user)), &mut rows);
        assert_eq!(analyzer.service(), Some(name));
        assert_eq!(rows.marks, [Mark::Undecoded(name)]);
    }
}

#[test]
fn messages_are_put_together() {
    // Setup communication in three data TPDUs, cut at odd places.
    let message = hex("32010000020000080000f0000001000101e0");
    let mut stream = tpkt(0, &message[..5]);
    stream.extend(tpkt(0, &message[5..6]));
    stream.extend(tpkt(0x80, &message[6..]));
    for step in 1..stream.len() {
        let pieces: Vec<(Direction, &[u8])> = stream.chunks(step).map(|piece| (FromClient, piece)).collect();
        let rows = feed_unprobed(&S7comm, &flow(Transport::Tcp, 102), &pieces);
        assert_eq!(rows.of("operation")[0]["name"], "setup communication", "step {step}");
        assert!(rows.marks.is_empty(), "step {step}");
    }
}

#[test]
fn long_messages_are_passed_over() {
    let part = tpkt(0, &vec![0x32; 60_000]);
    let last = tpkt(0x80, &[0x32]);
    let good = data("32010000020000080000f0000001000101e0");
    let pieces = [
        (FromClient, part.as_slice()),
        (FromClient, part.as_slice()),
        (FromClient, part.as_slice()),
        (FromClient, last.as_slice()),
        (FromClient, good.as_slice()),
    ];
    let rows = feed_unprobed(&S7comm, &flow(Transport::Tcp, 102), &pieces);
    assert_eq!(rows.of("weird").len(), 1);
    assert_eq!(rows.of("weird")[0]["name"], "cotp_message_too_long");
    assert_eq!(rows.of("operation")[0]["name"], "setup communication");
}

#[test]
fn decoding_goes_on_behind_a_gap() {
    let flow = flow(Transport::Tcp, 102);
    let mut analyzer = S7comm.open(&flow);
    let mut rows = Recorder::default();
    let good = data("32010000020000080000f0000001000101e0");
    analyzer.feed(&pdu(&flow, 0, FromClient, &good[..9]), &mut rows);
    analyzer.gap(FromClient, 100, &mut rows);
    analyzer.feed(&pdu(&flow, 1, FromClient, &hex("aabbcc")), &mut rows);
    assert_eq!(rows.marks, [Mark::Undecoded("after lost bytes")]);
    analyzer.feed(&pdu(&flow, 2, FromClient, &good), &mut rows);
    analyzer.close(&flow, &mut rows);
    assert_eq!(rows.of("operation").len(), 1);
    assert!(rows.of("weird").is_empty());
}

#[test]
fn other_protocols_are_given_back() {
    let rows = feed_unprobed(&S7comm, &flow(Transport::Tcp, 102), &[(FromClient, b"GET / HTTP/1.1\r\n")]);
    assert!(rows.marks.contains(&Mark::NotMine));
}

/// Extended numbers of class 4, a retransmission, an acknowledgement before data: `s7comm/wireshark-wiki-cotp-test.pcap`.
#[test]
fn class_4_frames_are_read() {
    let flow = flow(Transport::Link(0xfe), 0);
    let setup = "32010000000000080000f0000001000100f0";
    let first = hex(&format!("00 07f0520b80000000 {setup}"));
    let next = hex(&format!("00 0960520b00000001 0001 07f0520b80000001 {setup}"));
    let rows = feed(&S7comm, &flow, &[(FromClient, &first), (FromClient, &first), (FromClient, &next)]);
    assert_eq!(rows.of("operation").len(), 2);
    assert_eq!(rows.marks, [Mark::Opaque("retransmission")]);
}

#[test]
fn truncated_tpdus_do_not_panic() {
    for whole in [CONNECT, CONFIRM, "0300000b 06800003 000180", "03000007 02f080", "0300000b 06700001 02c100"] {
        let whole = hex(whole);
        for end in 1..whole.len() {
            feed_unprobed(&S7comm, &flow(Transport::Tcp, 102), &[(FromClient, &whole[..end])]);
            let _ = parse(&whole[4.min(end)..end]);
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_survived(
        pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 1..80)), 1..12),
        framed in any::<bool>(),
        link in any::<bool>(),
    ) {
        let flow = flow(if link { Transport::Link(0xfe) } else { Transport::Tcp }, 102);
        let mut analyzer = CotpFlow::default();
        let mut rows = Recorder::default();
        for (index, (client, bytes)) in (0..).zip(&pieces) {
            let direction = if *client { FromClient } else { FromServer };
            let bytes = if framed { tpkt(bytes[0] & 0x80, bytes) } else { bytes.clone() };
            let _ = S7comm.probe(&pdu(&flow, index, direction, &bytes));
            analyzer.feed(&pdu(&flow, index, direction, &bytes), &mut rows);
        }
        analyzer.gap(FromClient, 1, &mut rows);
        analyzer.close(&flow, &mut rows);
    }
}
