//! Packets written by hand from MS-TDS.

use proptest::prelude::*;

use super::*;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};

const UP: Direction = Direction::FromClient;
const DOWN: Direction = Direction::FromServer;

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind, 1];
    bytes.extend(u16::try_from(body.len() + HEADER).unwrap().to_be_bytes());
    bytes.extend([0, 0, 1, 0]);
    bytes.extend(body);
    bytes
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Version 15.0.2000 or so, and encryption.
fn prelogin(encryption: u8) -> Vec<u8> {
    let mut body = hex("00 000b 0006 01 0011 0001 ff 0f 00 07d0 0000");
    body.push(encryption);
    body
}

fn login(user: &str, password: &str) -> Vec<u8> {
    let scrambled: Vec<u8> = wide(password).iter().map(|byte| byte.rotate_left(4) ^ 0xa5).collect();
    let fields = [
        wide("HMI7"),
        wide(user),
        scrambled,
        wide("CraneView"),
        wide("tosdb"),
        vec![],
        wide("ODBC"),
        vec![],
        wide("cranes"),
    ];
    let mut fixed = hex("04000074 00100000 00000007 64000000 00000000 e0 03 00 00 00000000 09040000");
    let mut data = Vec::new();
    let mut place = |bytes: &[u8]| {
        fixed.extend(u16::try_from(94 + data.len()).unwrap().to_le_bytes());
        fixed.extend(u16::try_from(bytes.len() / 2).unwrap().to_le_bytes());
        data.extend_from_slice(bytes);
    };
    fields.iter().for_each(|field| place(field));
    fixed.extend([0; 6]);
    fixed.extend(hex("5e000000 5e000000 5e000000 00000000"));
    assert_eq!(fixed.len() + 4, 94);
    let mut body = u32::try_from(94 + data.len()).unwrap().to_le_bytes().to_vec();
    body.extend(fixed);
    body.extend(data);
    body
}

/// Login acknowledgement and the end of the answer.
fn granted() -> Vec<u8> {
    let name = wide("Microsoft SQL Server");
    let mut token = hex("01 74000004 14");
    token.extend(name);
    token.extend(hex("0f 00 07d0"));
    let mut body = vec![0xad];
    body.extend(u16::try_from(token.len()).unwrap().to_le_bytes());
    body.extend(token);
    body.extend(hex("fd 0000 0000 0000000000000000"));
    body
}

fn refused() -> Vec<u8> {
    let mut token = 18456u32.to_le_bytes().to_vec();
    token.extend([1, 14, 4, 0]);
    token.extend(wide("no!!"));
    token.push(5);
    token.extend(wide("TOSDB"));
    token.extend([0, 1, 0, 0, 0]);
    let mut body = vec![0xaa];
    body.extend(u16::try_from(token.len()).unwrap().to_le_bytes());
    body.extend(token);
    body.extend(hex("fd 0200 0000 0000000000000000"));
    body
}

fn batch(text: &str) -> Vec<u8> {
    let mut body = hex("16000000 12000000 0200 0000000000000000 01000000");
    body.extend(wide(text));
    packet(1, &body)
}

fn samples() -> Vec<(Direction, Vec<u8>)> {
    vec![
        (UP, packet(18, &prelogin(2))),
        (DOWN, packet(4, &prelogin(2))),
        (UP, packet(16, &login("sa", "Hunter2"))),
        (DOWN, packet(4, &granted())),
        (UP, batch("  select * from moves where secret = 'xyzzy'")),
        (DOWN, packet(4, &hex("81 0100 ffff fd 1000 c100 0300000000000000"))),
        (UP, batch("exec master..xp_cmdshell 'whoami'")),
        (DOWN, packet(4, &hex("fd 0000 0000 0000000000000000"))),
        (UP, packet(3, &hex("16000000 12000000 0200 0000000000000000 01000000 ffff 0a00 0000"))),
        (DOWN, packet(4, &hex("fe 0000 0000 0000000000000000"))),
        (UP, batch("SELECT 1")),
        (DOWN, packet(4, &hex("fd 0000 0000 0000000000000000"))),
    ]
}

fn run(pieces: &[(Direction, Vec<u8>)]) -> Recorder {
    let pieces: Vec<(Direction, &[u8])> = pieces.iter().map(|(d, b)| (*d, b.as_slice())).collect();
    feed(&Tds, &flow(Transport::Tcp, 1433), &pieces)
}

#[test]
fn a_session_is_told_without_secrets_and_texts() {
    let out = run(&samples());
    let rows = out.of("operation");
    let told: Vec<_> = rows
        .iter()
        .map(|r| (r["name"].as_str().unwrap(), r["object"].as_str().unwrap(), r["class"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("prelogin", "", "session"),
            ("login7", "cranes", "session"),
            ("sql-batch", "SELECT", "read"),
            ("sql-batch", "EXEC master..xp_cmdshell", "control"),
            ("rpc", "sp_executesql", "read"),
            ("sql-batch", "", "read"),
        ]
    );
    assert_eq!((&rows[2]["quantity"], &rows[5]["quantity"]), (&3.into(), &1.into()));
    let session = &out.of("session")[0];
    assert_eq!(
        (&session["user"], &session["outcome"], &session["version"]),
        (&"sa".into(), &"success".into(), &"7.4".into())
    );
    assert_eq!(session["client_software"], "CraneView");
    assert_eq!(out.of("credential")[0]["weakness"], "clear-text");
    assert_eq!(out.of("service")[0]["software"], "Microsoft SQL Server 15.0.2000");
    let all = serde_json::to_string(&out.rows).unwrap();
    assert!(!all.contains("Hunter2") && !all.contains("xyzzy") && !all.contains("whoami"));
    assert!(out.marks.is_empty());
}

#[test]
fn refusals_and_empty_passwords_are_told() {
    let out = run(&[(UP, packet(16, &login("sa", "guess"))), (DOWN, packet(4, &refused()))]);
    assert_eq!(out.of("operation")[0]["status_name"], "login failed");
    assert_eq!(out.of("session")[0]["outcome"], "failure");
    assert!(out.of("identity").iter().any(|i| i["value"] == "TOSDB"));
    let out = run(&[(UP, packet(16, &login("sa", ""))), (DOWN, packet(4, &granted()))]);
    assert_eq!(out.of("credential")[0]["weakness"], "empty");
}

#[test]
fn messages_span_packets_and_tls_is_opaque() {
    let whole = login("sa", "sa");
    let (one, two) = whole.split_at(50);
    let mut first = packet(16, one);
    first[1] = 0;
    first.extend(packet(16, two));
    let out = run(&[
        (UP, packet(18, &prelogin(1))),
        (DOWN, packet(4, &prelogin(1))),
        (UP, first),
        (DOWN, packet(4, &granted())),
        (UP, hex("170303 0003 010203")),
    ]);
    assert_eq!(out.of("credential")[1]["rule"], "password equals the account name");
    assert_eq!(out.marks, [Mark::Opaque("encrypted")]);
}

#[test]
fn truncations_do_not_panic() {
    let flow = flow(Transport::Tcp, 1433);
    for (direction, bytes) in samples() {
        for end in 1..bytes.len() {
            let _ = Tds.probe(&pdu(&flow, 0, direction, &bytes[..end]));
            feed_unprobed(&Tds, &flow, &[(direction, &bytes[..end])]);
            if end > HEADER {
                feed_unprobed(&Tds, &flow, &[(direction, &packet(bytes[0], &bytes[HEADER..end]))]);
            }
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bodies_do_not_panic(kind in 1u8..19, body in prop::collection::vec(any::<u8>(), 0..150), step in 1usize..40) {
        let bytes = packet(kind, &body);
        for direction in [UP, DOWN] {
            let asked = packet(16, &login("a", "b"));
            let mut pieces: Vec<(Direction, &[u8])> = vec![(UP, &asked)];
            pieces.extend(bytes.chunks(step).map(|piece| (direction, piece)));
            feed_unprobed(&Tds, &flow(Transport::Tcp, 1433), &pieces);
        }
    }
}
