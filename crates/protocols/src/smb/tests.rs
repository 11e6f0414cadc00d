//! Messages written by hand from MS-CIFS and MS-SMB2.

use proptest::prelude::*;
use quaywatch_model::{Direction, Transport};

use super::*;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};

const UP: Direction = Direction::FromClient;
const DOWN: Direction = Direction::FromServer;

fn framed(message: Vec<u8>) -> Vec<u8> {
    let mut bytes = u32::try_from(message.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend(message);
    bytes
}

/// SMB 2 message: command, reply, status, message number, tree, body.
fn two(command: u16, reply: bool, status: u32, number: u64, tree: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0xfe, b'S', b'M', b'B', 64, 0, 0, 0];
    bytes.extend(status.to_le_bytes());
    bytes.extend(command.to_le_bytes());
    bytes.extend([1, 0, u8::from(reply), 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend(number.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(tree.to_le_bytes());
    bytes.extend([9, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend([0; 16]);
    bytes.extend(body);
    framed(bytes)
}

/// SMB 1 message: command, reply, status, words, bytes.
fn one(command: u8, reply: bool, status: u32, words: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0xff, b'S', b'M', b'B', command];
    bytes.extend(status.to_le_bytes());
    bytes.extend([if reply { 0x80 } else { 0 }, 1, 0x40]);
    bytes.extend([0; 12]);
    bytes.extend([7, 0, 5, 0, 0, 0, 3, 0]);
    let words = hex(words);
    bytes.push(u8::try_from(words.len() / 2).unwrap());
    bytes.extend(words);
    bytes.extend(u16::try_from(data.len()).unwrap().to_le_bytes());
    bytes.extend(data);
    framed(bytes)
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn named(fixed: &str, name: &str) -> Vec<u8> {
    let mut body = hex(fixed);
    body.extend(wide(name));
    body
}

const FILE: &str = "11111111111111112222222222222222";

/// A session that opens `recipe.txt` of `\\FS1\C$`, reads it twice, and renames it.
fn file_session() -> Vec<(Direction, Vec<u8>)> {
    let negotiated = format!(
        "4100 0300 1103 0000 {} 40000000 {} {} {} 8000 0000 00000000",
        "aa".repeat(16),
        "00".repeat(12),
        "0080a80f3a5bdc01",
        "00".repeat(8)
    );
    let created = format!(
        "5900 0000 01000000 {} 0010000000000000 0500000000000000 20000000 00000000 {FILE} 00000000 00000000",
        "00".repeat(32)
    );
    let create = named(
        &format!(
            "3900 0000 02000000 {} 89001200 00000000 07000000 01000000 00000000 7800 1400 00000000 00000000",
            "00".repeat(16)
        ),
        "recipe.txt",
    );
    let read = hex(&format!("3100 5000 05000000 0000000000000000 {FILE} 00000000 00000000 00000000 0000 0000 00"));
    let data = hex("1100 5000 05000000 00000000 00000000 68656c6c6f");
    let rename = {
        let mut body =
            hex(&format!("2100 01 0a 28000000 6000 0000 00000000 {FILE} 00 00000000000000 0000000000000000 14000000"));
        body.extend(wide("gone.txt.x"));
        body
    };
    vec![
        (
            UP,
            two(
                0,
                false,
                0,
                0,
                0,
                &hex(&format!("2400 0200 0100 0000 00000000 {} 0000000000000000 1002 1103", "bb".repeat(16))),
            ),
        ),
        (DOWN, two(0, true, 0, 0, 0, &hex(&negotiated))),
        (UP, two(3, false, 0, 1, 0, &named("0900 0000 4800 1000", "\\\\FS1\\C$"))),
        (DOWN, two(3, true, 0, 1, 7, &hex("1000 01 00 00000000 00000000 ff011f00"))),
        (UP, two(5, false, 0, 2, 7, &create)),
        (DOWN, two(5, true, 0, 2, 7, &hex(&created))),
        (UP, two(8, false, 0, 3, 7, &read)),
        (DOWN, two(8, true, 0, 3, 7, &data)),
        (UP, two(8, false, 0, 4, 7, &read)),
        (DOWN, two(8, true, 0, 4, 7, &data)),
        (UP, two(17, false, 0, 5, 7, &rename)),
        (DOWN, two(17, true, 0xc000_0022, 5, 7, &hex("0900 0000 00000000 00"))),
        (UP, two(6, false, 0, 6, 7, &hex(&format!("1800 0000 00000000 {FILE}")))),
        (DOWN, two(6, true, 0, 6, 7, &hex(&format!("3c00 0000 {}", "00".repeat(56))))),
    ]
}

fn run(pieces: &[(Direction, Vec<u8>)]) -> Recorder {
    let pieces: Vec<(Direction, &[u8])> = pieces.iter().map(|(d, b)| (*d, b.as_slice())).collect();
    feed(&Smb, &flow(Transport::Tcp, 445), &pieces)
}

#[test]
fn files_are_followed() {
    let out = run(&file_session());
    assert!(out.marks.is_empty(), "{:?}", out.marks);
    assert_eq!(out.of("service")[0]["version"], "SMB 3.1.1");
    let rows = out.of("operation");
    let told: Vec<(&str, &str, &str)> = rows
        .iter()
        .map(|r| (r["name"].as_str().unwrap(), r["object"].as_str().unwrap(), r["status_name"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("negotiate", "", "success"),
            ("tree-connect", "\\\\FS1\\C$", "success"),
            ("create", "recipe.txt", "success"),
            ("read", "recipe.txt", "success"),
            ("rename", "recipe.txt", "access denied"),
            ("close", "recipe.txt", "success"),
            ("read", "", ""),
        ]
    );
    assert!(rows[1]["detail"].as_str().unwrap().contains("\"admin_share\":true"));
    assert!(rows[4]["detail"].as_str().unwrap().contains("\"new_name\":\"gone.txt.x\""));
    assert!(rows[5]["detail"].as_str().unwrap().contains("\"reads\":2,\"bytes_read\":10"));
    assert_eq!(rows[6]["quantity"], 1);
    assert_eq!(out.of("identity")[0]["value"], "FS1");
}

#[test]
fn readable_passwords_are_told_without_the_secret() {
    let mut setup = b"hunter2\0OPERATOR\0YARD\0Unix\0Samba\0".to_vec();
    let words = "ff00 0000 0004 0200 0100 00000000 0800 0000 00000000 00000000";
    let pieces = [
        (UP, one(0x72, false, 0, "", b"\x02NT LM 0.12\0")),
        // User level, passwords in clear, no signing, no tokens.
        (
            DOWN,
            one(
                0x72,
                true,
                0,
                "0000 01 3200 0100 04110000 00000100 00000000 00000000 0080a80f3a5bdc01 0000 00",
                b"YARD\0FS2\0",
            ),
        ),
        (UP, one(0x73, false, 0, words, &setup)),
        (DOWN, one(0x73, true, 0, "ff00 0000 0100", b"Windows 5.1\0Windows 2000 LAN Manager\0YARD\0")),
    ];
    let out = run(&pieces);
    let credentials = out.of("credential");
    assert_eq!(
        (&credentials[0]["account"], &credentials[0]["weakness"]),
        (&"YARD\\OPERATOR".into(), &"clear-text".into())
    );
    assert_eq!(credentials[1]["rule"], "guest session accepted");
    assert!(!serde_json::to_string(&out.rows).unwrap().contains("hunter2"));
    assert_eq!(out.of("session")[0]["outcome"], "success");
    assert_eq!(out.of("service")[0]["version"], "SMB 1");
    let os: Vec<_> = out.of("identity").iter().map(|i| i["value"].as_str().unwrap().to_owned()).collect();
    assert!(["Unix", "Samba", "Windows 5.1", "FS2"].iter().all(|wanted| os.iter().any(|value| value == wanted)));
    setup.clear();
}

#[test]
fn sealed_messages_are_opaque_and_names_of_sessions_read() {
    let mut request = vec![0x81, 0, 0, 0x44];
    for name in ["FS1             ", "HMI7            "] {
        request.push(0x20);
        request.extend(name.bytes().flat_map(|b| [b'A' + (b >> 4), b'A' + (b & 15)]));
        request.push(0);
    }
    let mut sealed = vec![0xfd, b'S', b'M', b'B'];
    sealed.resize(60, 1);
    let out = run(&[(UP, request), (DOWN, vec![0x82, 0, 0, 0]), (UP, framed(sealed))]);
    assert_eq!(out.marks, [Mark::Opaque("encrypted")]);
    assert_eq!(out.of("identity")[1]["value"], "HMI7");
}

#[test]
fn an_error_may_end_behind_the_header() {
    let mut bare = one(0x01, true, 0xc000_0002, "", b"");
    bare.truncate(36);
    bare[3] = 32;
    let out = run(&[(UP, one(0x01, false, 0, "", b"\x04dir1\0")), (DOWN, bare)]);
    assert_eq!(
        (&out.of("operation")[0]["object"], &out.of("operation")[0]["status_name"]),
        (&"dir1".into(), &"not implemented".into())
    );
    assert!(out.marks.is_empty());
}

#[test]
fn a_share_password_is_told_without_the_secret() {
    let out = run(&[
        (UP, one(0x70, false, 0, "", b"\x04\\\\FS1\\PLC\0\x04hunter2\0\x04A:\0")),
        (DOWN, one(0x70, true, 0, "0040 0100", b"")),
    ]);
    assert_eq!(out.of("operation")[0]["object"], "\\\\FS1\\PLC");
    assert_eq!(
        (&out.of("session")[0]["method"], &out.of("credential")[0]["weakness"]),
        (&"share password".into(), &"clear-text".into())
    );
    assert!(!serde_json::to_string(&out.rows).unwrap().contains("hunter2"));
}

#[test]
fn an_implant_s_sub_command_is_told() {
    let words = "0000 0000 0100 0000 00 00 0000 00000000 0000 0000 4e00 0000 4e00 01 00 0e00";
    let out = run(&[(UP, one(0x32, false, 0, words, &[0; 13]))]);
    assert_eq!(out.of("weird")[0]["name"], "smb_trans2_session_setup");
}

#[test]
fn truncations_do_not_panic() {
    let flow = flow(Transport::Tcp, 445);
    let mut samples = file_session();
    samples.push((
        UP,
        one(0x73, false, 0, "ff00 0000 0004 0200 0100 00000000 0800 0000 00000000 00000000", b"hunter2\0O\0Y\0U\0S\0"),
    ));
    samples.push((UP, one(0x25, false, 0, &"00".repeat(32), b"\\PIPE\\\0")));
    for (direction, bytes) in samples {
        for end in 1..bytes.len() {
            let _ = Smb.probe(&pdu(&flow, 0, direction, &bytes[..end]));
            feed_unprobed(&Smb, &flow, &[(direction, &bytes[..end])]);
            if end > 4 {
                feed_unprobed(&Smb, &flow, &[(direction, &framed(bytes[4..end].to_vec()))]);
            }
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bodies_do_not_panic(command in 0u16..20, old in any::<u8>(), words in 0u8..40, body in prop::collection::vec(any::<u8>(), 0..160), step in 1usize..50) {
        let flow = flow(Transport::Tcp, 445);
        for (direction, reply) in [(UP, false), (DOWN, true)] {
            let mut bytes = two(command, reply, 0, 1, 7, &body);
            let mut first = vec![0xff, b'S', b'M', b'B', old, 0, 0, 0, 0, if reply { 0x80 } else { 0 }, 1, 0xc0];
            first.resize(32, 0);
            first.push(words);
            first.extend(&body);
            bytes.extend(framed(first));
            let asked = two(command, false, 0, 1, 7, &body);
            let mut pieces: Vec<(Direction, &[u8])> = vec![(UP, &asked)];
            pieces.extend(bytes.chunks(step).map(|piece| (direction, piece)));
            feed_unprobed(&Smb, &flow, &pieces);
        }
    }
}
