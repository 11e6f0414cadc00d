//! Messages written by hand from RFC 4511.

use proptest::prelude::*;

use super::*;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};

const UP: Direction = Direction::FromClient;
const DOWN: Direction = Direction::FromServer;

fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag, u8::try_from(content.len()).unwrap()];
    bytes.extend_from_slice(content);
    bytes
}

fn octets(text: &str) -> Vec<u8> {
    wrap(0x04, text.as_bytes())
}

fn message(id: u8, tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let mut content = vec![2, 1, id];
    content.extend(wrap(tag, &parts.concat()));
    wrap(0x30, &content)
}

fn result(id: u8, tag: u8, code: u8) -> Vec<u8> {
    message(id, tag, &[vec![0x0a, 1, code], octets(""), octets("")])
}

fn bind(id: u8, name: &str, secret: &str) -> Vec<u8> {
    message(id, 0x60, &[vec![2, 1, 3], octets(name), wrap(0x80, secret.as_bytes())])
}

fn search(id: u8, base: &str, scope: u8) -> Vec<u8> {
    let filter = wrap(0xa3, &[octets("cn"), octets("crane*7")].concat());
    let attributes = wrap(0x30, &octets("memberOf"));
    message(id, 0x63, &[octets(base), vec![0x0a, 1, scope], hex("0a0100 020100 020100 010100"), filter, attributes])
}

fn samples() -> Vec<(Direction, Vec<u8>)> {
    let change = wrap(
        0x30,
        &[vec![0x0a, 1, 2], wrap(0x30, &[octets("unicodePwd"), wrap(0x31, &octets("s3cret!"))].concat())].concat(),
    );
    let entry = wrap(0x30, &wrap(0x30, &[octets("dnsHostName"), wrap(0x31, &octets("dc1.port.local"))].concat()));
    vec![
        (UP, bind(1, "cn=crane,dc=port", "hunter2")),
        (DOWN, result(1, 0x61, 0)),
        (UP, search(2, "", 0)),
        (DOWN, message(2, 0x64, &[octets(""), entry])),
        (DOWN, result(2, 0x65, 0)),
        (UP, search(3, "dc=port", 2)),
        (DOWN, result(3, 0x65, 32)),
        (UP, message(4, 0x66, &[octets("cn=crane,dc=port"), wrap(0x30, &change)])),
        (DOWN, result(4, 0x67, 50)),
        (UP, message(5, 0x42, &[])),
    ]
}

fn run(pieces: &[(Direction, Vec<u8>)]) -> Recorder {
    let pieces: Vec<(Direction, &[u8])> = pieces.iter().map(|(d, b)| (*d, b.as_slice())).collect();
    feed(&Ldap, &flow(Transport::Tcp, 389), &pieces)
}

#[test]
fn operations_are_paired_and_secrets_are_not_kept() {
    let out = run(&samples());
    let rows = out.of("operation");
    let told: Vec<_> = rows.iter().map(|r| (r["name"].as_str().unwrap(), r["status_name"].as_str().unwrap())).collect();
    assert_eq!(
        told,
        [
            ("bind", "success"),
            ("search", "success"),
            ("search", "no such object"),
            ("modify", "insufficient access rights"),
            ("unbind", "")
        ]
    );
    assert!(rows[2]["detail"].as_str().unwrap().contains("(cn=crane*7)"));
    assert!(rows[3]["detail"].as_str().unwrap().contains("replace unicodePwd"));
    assert_eq!(out.of("credential")[0]["weakness"], "clear-text");
    assert_eq!(out.of("identity")[0]["value"], "dc1.port.local");
    let all = serde_json::to_string(&out.rows).unwrap();
    assert!(!all.contains("hunter2") && !all.contains("s3cret"));
    assert!(out.marks.is_empty());
}

#[test]
fn anonymous_and_refused_binds_are_told() {
    let out = run(&[
        (UP, bind(1, "", "")),
        (DOWN, result(1, 0x61, 0)),
        (UP, bind(2, "admin", "admin")),
        (DOWN, result(2, 0x61, 49)),
    ]);
    let credentials = out.of("credential");
    assert_eq!(credentials[0]["weakness"], "anonymous");
    assert_eq!((credentials.len(), &credentials[1]["weakness"]), (2, &"clear-text".into()));
    assert_eq!(out.of("session")[1]["outcome"], "failure");
}

#[test]
fn tls_and_wrapped_messages_follow() {
    let start = message(1, 0x77, &[wrap(0x80, b"1.3.6.1.4.1.1466.20037")]);
    let hello = hex("160301 0005 0100000100");
    let out = run(&[(UP, start), (DOWN, result(1, 0x78, 0)), (UP, hello)]);
    assert_eq!(out.of("operation")[0]["name"], "start-tls");
    let out = run(&[(UP, bind(1, "", "")), (DOWN, result(1, 0x61, 0)), (UP, hex("00000004 01000000"))]);
    assert_eq!(out.marks, [Mark::Opaque("sealed")]);
    // Signed by NTLM alone, the message is readable.
    let mut wrapped = hex("00000034 01000000 aaaaaaaaaaaaaaaa 00000000");
    wrapped.extend(search(3, "dc=port", 2));
    wrapped[3] = u8::try_from(wrapped.len() - 4).unwrap();
    let out = run(&[(UP, bind(1, "", "")), (DOWN, result(1, 0x61, 0)), (UP, wrapped)]);
    assert_eq!(out.of("operation")[1]["object"], "dc=port");
}

#[test]
fn other_asn1_protocols_are_refused() {
    let flow = flow(Transport::Udp, 161);
    let snmp = hex("3026 020101 0406 7075626c6963 a019 02047f000001 020100 020100 300b 3009 06052b06010201 0500");
    assert_eq!(Ldap.probe(&pdu(&flow, 0, UP, &snmp)), Probe::No);
}

#[test]
fn truncations_do_not_panic() {
    for transport in [Transport::Tcp, Transport::Udp] {
        let flow = flow(transport, 389);
        for (direction, bytes) in samples() {
            for end in 1..bytes.len() {
                let _ = Ldap.probe(&pdu(&flow, 0, direction, &bytes[..end]));
                feed_unprobed(&Ldap, &flow, &[(direction, &bytes[..end])]);
            }
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_contents_do_not_panic(tag in 0x40u8..0x80, body in prop::collection::vec(any::<u8>(), 0..100), step in 1usize..30) {
        let bytes = message(1, tag, &[body]);
        for direction in [UP, DOWN] {
            let first = bind(1, "a", "b");
            let mut pieces: Vec<(Direction, &[u8])> = vec![(UP, &first)];
            pieces.extend(bytes.chunks(step).map(|piece| (direction, piece)));
            feed_unprobed(&Ldap, &flow(Transport::Tcp, 389), &pieces);
        }
    }
}
