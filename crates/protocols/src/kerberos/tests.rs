use proptest::prelude::*;
use quaywatch_model::{Direction, Transport};

use super::*;
use crate::testing::{feed, feed_unprobed, flow, hex, pdu};

const UP: Direction = Direction::FromClient;
const DOWN: Direction = Direction::FromServer;

fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let mut bytes = vec![tag];
    if content.len() < 128 {
        bytes.push(length[1])
    } else {
        bytes.extend([0x82, length[0], length[1]])
    }
    bytes.extend_from_slice(content);
    bytes
}

fn all(parts: &[Vec<u8>]) -> Vec<u8> {
    parts.concat()
}

fn name(tag: u8, parts: &[&str]) -> Vec<u8> {
    let parts: Vec<Vec<u8>> = parts.iter().map(|part| wrap(0x1b, part.as_bytes())).collect();
    wrap(tag, &wrap(0x30, &all(&[hex("a003020101"), wrap(0xa1, &wrap(0x30, &all(&parts)))])))
}

fn realm(tag: u8) -> Vec<u8> {
    wrap(tag, &wrap(0x1b, b"PORT.LOCAL"))
}

/// AS-REQ of `crane` for `krbtgt/PORT.LOCAL`, with this pre-authentication data.
fn as_req(padata: &[Vec<u8>]) -> Vec<u8> {
    let body = all(&[
        hex("a007030500 40810010"),
        name(0xa1, &["crane"]),
        realm(0xa2),
        name(0xa3, &["krbtgt", "PORT.LOCAL"]),
        hex("a8083006 020112 020117"),
    ]);
    let fields =
        all(&[hex("a103020105 a20302010a"), wrap(0xa3, &wrap(0x30, &all(padata))), wrap(0xa4, &wrap(0x30, &body))]);
    wrap(0x6a, &wrap(0x30, &fields))
}

/// AS-REP with a ticket of this encryption type.
fn as_rep(encryption: u8) -> Vec<u8> {
    let sealed = wrap(0x30, &all(&[wrap(0xa0, &[2, 1, encryption]), hex("a2040402beef")]));
    let ticket = all(&[hex("a003020105"), realm(0xa1), name(0xa2, &["krbtgt", "PORT.LOCAL"]), wrap(0xa3, &sealed)]);
    let fields = all(&[
        hex("a003020105 a10302010b"),
        realm(0xa3),
        name(0xa4, &["crane"]),
        wrap(0xa5, &wrap(0x61, &wrap(0x30, &ticket))),
        wrap(0xa6, &sealed),
    ]);
    wrap(0x6b, &wrap(0x30, &fields))
}

fn error(code: u8) -> Vec<u8> {
    let fields = all(&[
        hex("a003020105 a10302011e"),
        wrap(0xa4, &wrap(0x18, b"20260301120000Z")),
        hex("a505020301e240"),
        wrap(0xa6, &[2, 1, code]),
        realm(0xa9),
        name(0xaa, &["krbtgt", "PORT.LOCAL"]),
    ]);
    wrap(0x7e, &wrap(0x30, &fields))
}

fn timestamp(encryption: u8) -> Vec<u8> {
    let value = wrap(0x30, &all(&[wrap(0xa0, &[2, 1, encryption]), hex("a2040402beef")]));
    wrap(0x30, &all(&[hex("a103020102"), wrap(0xa2, &wrap(0x04, &value))]))
}

#[test]
fn a_login_is_told_once_settled() {
    let exchange = [(UP, as_req(&[])), (DOWN, error(25)), (UP, as_req(&[timestamp(18)])), (DOWN, as_rep(18))];
    let pieces: Vec<(Direction, &[u8])> = exchange.iter().map(|(d, b)| (*d, b.as_slice())).collect();
    let out = feed(&Kerberos, &flow(Transport::Udp, 88), &pieces);
    let rows = out.of("operation");
    assert_eq!((&rows[0]["name"], &rows[0]["status_name"]), (&"AS-REQ".into(), &"pre-authentication required".into()));
    assert_eq!(rows[1]["object"], "krbtgt/PORT.LOCAL");
    let sessions = out.of("session");
    assert_eq!(sessions.len(), 1);
    assert_eq!((&sessions[0]["user"], &sessions[0]["outcome"]), (&"crane@PORT.LOCAL".into(), &"success".into()));
    assert_eq!(sessions[0]["method"], "kerberos encrypted timestamp");
    assert!(out.of("credential").is_empty() && out.marks.is_empty());
    assert_eq!(out.of("clock").len(), 1);
    assert_eq!(out.of("identity")[0]["value"], "PORT.LOCAL");
}

#[test]
fn weak_tickets_and_failures_are_told() {
    let flow = flow(Transport::Udp, 88);
    let (open, weak) = (as_req(&[]), as_rep(23));
    let out = feed(&Kerberos, &flow, &[(UP, &open), (DOWN, &weak)]);
    let rules: Vec<String> = out.of("credential").iter().map(|c| c["rule"].as_str().unwrap().to_owned()).collect();
    assert_eq!(
        rules,
        ["Kerberos ticket encrypted with RC4 or DES", "Kerberos ticket given without pre-authentication"]
    );
    let (guess, refused) = (as_req(&[timestamp(23)]), error(24));
    let out = feed(&Kerberos, &flow, &[(UP, &guess), (DOWN, &refused)]);
    assert_eq!(out.of("session")[0]["outcome"], "failure");
    assert_eq!(out.of("credential")[0]["rule"], "Kerberos pre-authentication with RC4 or DES");
}

#[test]
fn records_may_come_in_pieces_and_truncations_do_not_panic() {
    let tcp = flow(Transport::Tcp, 88);
    let mut stream = u32::try_from(as_req(&[]).len()).unwrap().to_be_bytes().to_vec();
    stream.extend(as_req(&[]));
    let pieces: Vec<(Direction, &[u8])> = stream.chunks(7).map(|piece| (UP, piece)).collect();
    assert_eq!(feed_unprobed(&Kerberos, &tcp, &pieces).of("operation").len(), 1);
    assert_eq!(Kerberos.probe(&pdu(&tcp, 0, UP, &stream)), Probe::Yes);
    let udp = flow(Transport::Udp, 88);
    for (direction, bytes) in [(UP, as_req(&[timestamp(18)])), (DOWN, as_rep(18)), (DOWN, error(6))] {
        for end in 1..bytes.len() {
            let _ = Kerberos.probe(&pdu(&udp, 0, direction, &bytes[..end]));
            feed_unprobed(&Kerberos, &udp, &[(direction, &bytes[..end])]);
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_not_panic(kind in 0u8..32, bytes in prop::collection::vec(any::<u8>(), 1..120)) {
        let version = if matches!(kind, 10 | 12) { "a103020105a2030201" } else { "a003020105a1030201" };
        let message = wrap(0x60 + kind, &wrap(0x30, &all(&[hex(version), vec![kind], bytes])));
        for direction in [UP, DOWN] {
            feed_unprobed(&Kerberos, &flow(Transport::Udp, 88), &[(direction, &message)]);
            feed_unprobed(&Kerberos, &flow(Transport::Tcp, 88), &[(direction, &message)]);
        }
    }
}
