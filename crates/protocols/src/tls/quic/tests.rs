//! Vectors of RFC 9001 and RFC 9369, a connection of aioquic, and hostile input.

use proptest::prelude::*;
use quaywatch_model::{Direction, Mark, Transport};

use super::Quic;
use super::keys::{Version, initial};
use super::packet::{Kind, Packet, Stream};
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

use Direction::{FromClient, FromServer};

/// RFC 9001 appendix A.3: the server's Initial packet to a client that wrote to 8394c8f03e515708.
const SERVER_INITIAL: &str = "
    cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf73c3ec2493a18
    39b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c27
    6456cbc42158407dd074ee";

/// The datagrams of a case, with their senders.
fn aioquic(case: &str) -> Vec<(Direction, Vec<u8>)> {
    let text = include_str!("../../../../../fixtures/protocol/quic-aioquic.hex");
    let datagrams = text.lines().filter_map(|line| line.strip_prefix(case)?.trim_start().split_once(' '));
    datagrams.map(|(sender, bytes)| (if sender == "client" { FromClient } else { FromServer }, hex(bytes))).collect()
}

/// Versions, server names and ciphers of the sessions told.
fn sessions(rows: &Recorder) -> Vec<String> {
    let told = rows.of("session").into_iter().map(|row| {
        let detail: serde_json::Value = serde_json::from_str(row["detail"].as_str().unwrap()).unwrap();
        format!("{} {} {} {}", row["version"], row["outcome"], detail["sni"], detail["cipher"]).replace('"', "")
    });
    told.collect()
}

fn talk(pieces: &[(Direction, Vec<u8>)]) -> Recorder {
    let pieces: Vec<(Direction, &[u8])> = pieces.iter().map(|(way, bytes)| (*way, bytes.as_slice())).collect();
    feed(&Quic, &flow(Transport::Udp, 443), &pieces)
}

#[test]
fn the_rfcs_server_initial_opens() {
    let (_, server) = initial(Version::One, &hex("8394c8f03e515708")).unwrap();
    let bytes = hex(SERVER_INITIAL);
    let packet = Packet::read(&bytes).unwrap();
    let Kind::Initial { number_at } = packet.kind else { panic!("{packet:?}") };
    let payload = server.open(packet.bytes, number_at).unwrap();
    assert!(payload.starts_with(&hex("02000000000600405a020000560303eefce7f7b37ba1d163")), "{payload:02x?}");
    assert!(initial(Version::Two, &hex("8394c8f03e515708")).unwrap().1.open(packet.bytes, number_at).is_none());
    assert!(initial(Version::One, &hex("8394c8f03e515709")).unwrap().1.open(packet.bytes, number_at).is_none());
}

#[test]
fn the_rfcs_client_initial_opens() {
    let text = include_str!("../../../../../fixtures/protocol/quic-rfc9001-a2.hex");
    let packet = hex(&text.lines().filter(|line| !line.starts_with('#')).collect::<String>());
    let protected = "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9b";
    assert!(packet.len() == 1200 && packet.starts_with(&hex(protected)));
    assert!(packet.ends_with(&hex("e221af44860018ab0856972e194cd934")));
    assert_eq!(Quic.probe(&pdu(&flow(Transport::Udp, 443), 0, FromClient, &packet)), Probe::Yes);
    assert_eq!(talk(&[(FromClient, packet)]).of("name")[0]["name"], "example.com");
}

#[test]
fn a_connection_of_aioquic() {
    let rows = talk(&aioquic("plain"));
    assert_eq!(rows.of("weird").len(), 0);
    assert_eq!(rows.of("name")[0]["name"], "tos.example");
    let session = &rows.of("session")[0];
    assert_eq!((&session["version"], &session["outcome"]), (&"1".into(), &"unknown".into()));
    let detail: serde_json::Value = serde_json::from_str(session["detail"].as_str().unwrap()).unwrap();
    assert_eq!((&detail["sni"], &detail["offered_alpn"][0]), (&"tos.example".into(), &"h3".into()));
    assert_eq!(detail["cipher"], "TLS_AES_256_GCM_SHA384");
    assert!(detail["ja4"].as_str().unwrap().starts_with("q13d03"), "{detail}");
    assert_eq!(rows.of("service")[0]["version"], "1");
    assert_eq!(rows.marks, [Mark::Opaque("encrypted"), Mark::Opaque("encrypted")], "the server's Handshake packets");
}

#[test]
fn a_server_may_go_on_in_another_version() {
    let rows = talk(&aioquic("compatible"));
    assert_eq!(sessions(&rows), ["2 success tos.example TLS_AES_256_GCM_SHA384"]);
    assert_eq!(rows.of("service")[0]["version"], "2");
    assert_eq!(rows.of("weird").len(), 0);
}

#[test]
fn a_retry_is_part_of_its_connection() {
    let rows = talk(&aioquic("retry"));
    assert_eq!(sessions(&rows), ["1 success tos.example TLS_AES_256_GCM_SHA384"]);
    assert!(rows.of("session")[0]["detail"].as_str().unwrap().contains("\"retried\":true"));
}

#[test]
fn a_second_connection_on_the_same_ports_has_its_own_row() {
    let rows = talk(&aioquic("twice"));
    let expected = ["1 success tos.example TLS_AES_256_GCM_SHA384", "1 unknown gate.example TLS_AES_256_GCM_SHA384"];
    assert_eq!(sessions(&rows), expected, "the second is cut off in its handshake");
    let names: Vec<_> = rows.of("name").iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, ["tos.example", "gate.example"]);
}

#[test]
fn what_fills_a_hole_has_room_and_what_is_too_far_is_refused() {
    let mut stream = Stream::default();
    assert!(stream.take(4, &[7; 16 * 1024 - 4]));
    assert!(!stream.take(5, &[7; 8]), "as much waits as may");
    assert!(!stream.take(16 * 1024, &[7; 1]));
    assert!(stream.take(0, &[1, 0, 0, 2]));
    assert_eq!(stream.message(), Some((1, &[7, 7][..])));
}

#[test]
fn a_broken_header_behind_a_good_packet_is_told() {
    let mut datagram = hex(SERVER_INITIAL);
    datagram.extend(hex("e0 00000001 ff"));
    let rows = feed_unprobed(&Quic, &flow(Transport::Udp, 443), &[(FromServer, &datagram)]);
    assert_eq!(rows.of("weird")[0]["name"], "quic_long_header");
}

#[test]
fn probes_open_what_they_take() {
    let flow = flow(Transport::Udp, 443);
    let (_, mut datagram) = aioquic("plain").remove(0);
    assert_eq!(Quic.probe(&pdu(&flow, 0, FromClient, &datagram)), Probe::Yes);
    datagram[100] ^= 1;
    assert_eq!(Quic.probe(&pdu(&flow, 0, FromClient, &datagram)), Probe::Unsure, "its seal is broken");
    assert_eq!(Quic.probe(&pdu(&flow, 0, FromServer, &hex(SERVER_INITIAL))), Probe::Unsure);
    // RFC 9000 section 17.2.1, with version 1 and one kept for practice.
    let negotiation = hex("80 00000000 04 01020304 00 0a1a2a3a 00000001");
    assert_eq!(Quic.probe(&pdu(&flow, 0, FromServer, &negotiation)), Probe::YesFromServer);
    assert_eq!(Quic.probe(&pdu(&flow, 0, FromServer, &hex("80 00000000 04 01020304 00 12345678"))), Probe::No);
    let google = hex("0d 8ba2de7d5d6c7b1a 51303433 01 a0");
    assert_eq!(Quic.probe(&pdu(&flow, 0, FromClient, &google)), Probe::Yes);
    assert_eq!(Quic.probe(&pdu(&flow, 0, FromClient, &hex("c0 00000005 00 00 00"))), Probe::No);
}

#[test]
fn googles_own_is_named() {
    let rows = talk(&[(FromClient, hex("0d 8ba2de7d5d6c7b1a 51303433 01 a0"))]);
    assert_eq!(rows.of("session")[0]["version"], "Q043");
    assert_eq!(rows.marks, [Mark::Undecoded("google quic")]);
    let rows = talk(&[(FromClient, hex("c3 51303436 50 8ba2de7d5d6c7b1a 00000001"))]);
    assert_eq!(rows.of("session")[0]["version"], "Q046");
}

#[test]
fn no_cut_is_too_much() {
    for (_, whole) in aioquic("plain") {
        for end in (0..whole.len()).step_by(7).chain(0..80) {
            feed_unprobed(
                &Quic,
                &flow(Transport::Udp, 443),
                &[(FromClient, &whole[..end]), (FromServer, &whole[..end])],
            );
        }
    }
}

proptest! {
    #[test]
    fn anything_may_come(pieces in prop::collection::vec((any::<bool>(), 0u8..4, prop::collection::vec(any::<u8>(), 0..120)), 0..8)) {
        let pieces: Vec<(Direction, Vec<u8>)> = pieces
            .into_iter()
            .map(|(client, kind, tail)| {
                let head = [0xc0 | kind << 4, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0];
                (if client { FromClient } else { FromServer }, [&head[..], &tail].concat())
            })
            .collect();
        let pieces: Vec<(Direction, &[u8])> = pieces.iter().map(|(way, bytes)| (*way, bytes.as_slice())).collect();
        feed_unprobed(&Quic, &flow(Transport::Udp, 443), &pieces);
    }

    #[test]
    fn frames_of_anything(payload in prop::collection::vec(any::<u8>(), 0..200)) {
        super::packet::frames(&payload, |_| ());
    }
}
