use proptest::prelude::*;
use quaywatch_model::{Direction, Mark, Transport};
use serde_json::{Value, json};

use super::Telnet;
use super::dialogue::{MAX_LINE, MAX_TYPED};
use crate::testing::{Recorder, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

const CLIENT: Direction = Direction::FromClient;
const SERVER: Direction = Direction::FromServer;

/// Shared capture telnet/ndpi-telnet.pcap, from frame 4 on; the options are cut from it, the text is as in it.
fn openbsd() -> Vec<(Direction, Vec<u8>)> {
    let text = |direction, text: &str| (direction, text.as_bytes().to_vec());
    vec![
        (CLIENT, hex("fffd03fffb18fffb1ffffb20fffb21fffb22fffb27fffd05fffb23")),
        (SERVER, hex("fffd25")),
        (
            CLIENT,
            hex(
                "fffa2000393630302c39363030fff0fffa230062616d2e7a696e672e6f72673a302e30fff0fffa270000444953504c41590162616d2e7a696e672e6f72673a302e30fff0fffa1800787465726d2d636f6c6f72fff0",
            ),
        ),
        text(SERVER, "\r\nOpenBSD/i386 (oof) (ttyp2)\r\n\r\n"),
        text(SERVER, "login: "),
        text(CLIENT, "fake\r\n"),
        (SERVER, hex("fffb01")),
        text(SERVER, "Password:"),
        text(CLIENT, "user\r\n"),
        text(SERVER, "\r\n"),
        (SERVER, hex("fffc01")),
        text(SERVER, "Last login: Sat Nov 27 20:11:43 on ttyp2 from bam.zing.org\r\n"),
        text(SERVER, "OpenBSD 2.6-beta (OOF) #4: Tue Oct 12 20:42:32 CDT 1999\r\n\r\n$ "),
        text(CLIENT, "exit\r\n"),
    ]
}

fn run(pieces: &[(Direction, Vec<u8>)]) -> Recorder {
    let pieces: Vec<_> = pieces.iter().map(|(d, data)| (*d, data.as_slice())).collect();
    feed_unprobed(&Telnet, &flow(Transport::Tcp, 23), &pieces)
}

fn dialogue(pieces: &[(Direction, &str)]) -> Recorder {
    run(&pieces.iter().map(|(d, text)| (*d, text.as_bytes().to_vec())).collect::<Vec<_>>())
}

fn weaknesses(recorder: &Recorder) -> Vec<Value> {
    recorder.of("credential").iter().map(|c| c["weakness"].clone()).collect()
}

#[test]
fn a_login_is_followed_however_it_is_cut() {
    for step in [1, 4, 1000] {
        let pieces: Vec<_> = openbsd()
            .iter()
            .flat_map(|(d, data)| data.chunks(step).map(|piece| (*d, piece.to_vec())).collect::<Vec<_>>())
            .collect();
        let recorder = run(&pieces);
        let sessions = recorder.of("session");
        assert_eq!(sessions.len(), 1, "step {step}");
        let session = &sessions[0];
        assert_eq!(
            (&session["user"], &session["method"], &session["outcome"]),
            (&json!("fake"), &json!("password"), &json!("success"))
        );
        assert_eq!(session["server_software"], "OpenBSD/i386 (oof) (ttyp2)");
        let detail: Value = serde_json::from_str(session["detail"].as_str().unwrap()).unwrap();
        assert_eq!(detail["terminal"], "xterm-color");
        assert!(detail["negotiation"].as_str().unwrap().starts_with("c253.3 c251.24 "), "{detail}");
        assert_eq!(weaknesses(&recorder), ["clear-text"]);
        let identities: Vec<_> =
            recorder.of("identity").iter().map(|i| (i["attribute"].clone(), i["value"].clone())).collect();
        assert_eq!(
            identities,
            [
                (json!("host-name"), json!("bam.zing.org")),
                (json!("os"), json!("OpenBSD/i386 (oof) (ttyp2)")),
                (json!("software"), json!("OpenBSD/i386 (oof) (ttyp2)")),
                (json!("os"), json!("OpenBSD 2.6-beta (OOF) #4: Tue Oct 12 20:42:32 CDT 1999")),
            ]
        );
    }
}

#[test]
fn typed_in_characters_with_echo_and_corrections() {
    let mut pieces = vec![(SERVER, b"Moxa NPort 5110 V2.4\r\n\r\nUsername: ".to_vec())];
    for byte in b"adminn\x7f\r\0" {
        pieces.push((CLIENT, vec![*byte]));
        pieces.push((SERVER, vec![*byte]));
    }
    pieces.push((SERVER, b"\r\nPassword: ".to_vec()));
    for byte in b"moxa\r\0" {
        pieces.push((CLIENT, vec![*byte]));
        pieces.push((SERVER, b"*".to_vec()));
    }
    pieces.push((SERVER, b"\r\n\x1b[2J<< Main menu >>\r\nKey in your selection: ".to_vec()));
    let recorder = run(&pieces);
    let session = &recorder.of("session")[0];
    assert_eq!((&session["user"], &session["outcome"]), (&json!("admin"), &json!("success")));
    assert_eq!(weaknesses(&recorder), ["clear-text", "default"]);
    assert_eq!(recorder.of("service")[0]["software"], "Moxa NPort 5110 V2.4");
}

#[test]
fn refusals_are_failures() {
    for refusal in ["\r\nLogin incorrect\r\nlogin: ", "\r\nlogin: ", "\r\n% Bad passwords\r\n", "\r\nPassword: "] {
        let recorder = dialogue(&[
            (SERVER, "login: "),
            (CLIENT, "admin\r\n"),
            (SERVER, "admin\r\nPassword: "),
            (CLIENT, "admin\r\n"),
            (SERVER, refusal),
        ]);
        assert_eq!(recorder.of("session")[0]["outcome"], "failure", "{refusal}");
        assert_eq!(weaknesses(&recorder), ["clear-text"], "{refusal}");
    }
}

#[test]
fn logins_with_a_password_alone_and_without_any() {
    let recorder = dialogue(&[
        (SERVER, "\r\nUser Access Verification\r\n\r\nPassword: "),
        (CLIENT, "cisco\r\n"),
        (SERVER, "\r\nswitch>"),
    ]);
    assert_eq!(recorder.of("session")[0]["user"], "");
    assert_eq!(weaknesses(&recorder), ["clear-text", "default"]);
    let recorder = dialogue(&[(SERVER, "login: "), (CLIENT, "root\r\n"), (SERVER, "root\r\n# ")]);
    assert_eq!(recorder.of("session")[0]["outcome"], "success");
    assert_eq!(weaknesses(&recorder), ["empty"]);
    let recorder = dialogue(&[
        (SERVER, "login: "),
        (CLIENT, "root\r\n"),
        (SERVER, "root\r\nPassword: "),
        (CLIENT, "\r\n"),
        (SERVER, "\r\n# "),
    ]);
    assert_eq!(weaknesses(&recorder), ["empty"]);
}

#[test]
fn nothing_typed_is_kept_but_the_account() {
    let recorder = dialogue(&[
        (SERVER, "login: "),
        (CLIENT, "crane\r\n"),
        (SERVER, "Password: "),
        (CLIENT, "s3cr3t-one\r\n"),
        (SERVER, "\r\n$ "),
        (CLIENT, "su\r\n"),
        (SERVER, "su\r\nPassword: "),
        (CLIENT, "s3cr3t-two\r\n"),
        (SERVER, "\r\n# "),
        (CLIENT, "passwd\r\n"),
        (SERVER, "passwd\r\nNew password: "),
        (CLIENT, "s3cr3t-three\r\n"),
    ]);
    let text = format!("{:?}", recorder.rows);
    assert!(!text.contains("s3cr3t"), "{text}");
    assert_eq!(recorder.of("session").len(), 2);
}

#[test]
fn a_connection_without_login_is_told() {
    let recorder = dialogue(&[(SERVER, "Microsoft Windows XP [Version 5.1.2600]\r\n\r\nC:\\>"), (CLIENT, "dir\n")]);
    let session = &recorder.of("session")[0];
    assert_eq!((&session["outcome"], &session["method"]), (&json!("unknown"), &json!("")));
    assert_eq!(recorder.of("identity")[0]["attribute"], "os");
}

#[test]
fn encryption_ends_the_reading() {
    let recorder = run(&[(CLIENT, hex("fffb26fffa260301fff0")), (SERVER, vec![1, 2, 3])]);
    assert_eq!(recorder.marks, [Mark::Opaque("encrypted")]);
    assert_eq!(recorder.of("session")[0]["encrypted"], true);
}

#[test]
fn the_account_may_come_by_environment() {
    let recorder = run(&[
        (CLIENT, hex("fffa27000055534552 01 6f7073 fff0")),
        (SERVER, b"Password: ".to_vec()),
        (CLIENT, b"ops\r\n".to_vec()),
        (SERVER, b"\r\n$ ".to_vec()),
    ]);
    assert_eq!(recorder.of("session")[0]["user"], "ops");
    assert_eq!(weaknesses(&recorder), ["clear-text", "same-as-account"]);
}

#[test]
fn gaps_and_limits() {
    let flow = flow(Transport::Tcp, 23);
    let mut out = Recorder::default();
    let mut analyzer = Telnet.open(&flow);
    analyzer.feed(&pdu(&flow, 0, SERVER, b"login: "), &mut out);
    analyzer.gap(CLIENT, 5, &mut out);
    analyzer.feed(&pdu(&flow, 1, CLIENT, b"secret\r\n"), &mut out);
    analyzer.close(&flow, &mut out);
    assert_eq!(out.of("session")[0]["user"], "");
    let long = "x".repeat(MAX_LINE.max(MAX_TYPED) * 3);
    let recorder = dialogue(&[
        (SERVER, &long),
        (SERVER, "\r\nlogin: "),
        (CLIENT, &long),
        (CLIENT, "\r\n"),
        (SERVER, "Password: "),
        (CLIENT, &long),
        (CLIENT, "\r\n"),
    ]);
    assert_eq!(recorder.of("session")[0]["user"].as_str().unwrap().len(), MAX_TYPED);
}

#[test]
fn the_probe_is_strict() {
    let probe = |port, bytes: &[u8]| {
        let flow = flow(Transport::Tcp, port);
        Telnet.probe(&pdu(&flow, 0, SERVER, bytes))
    };
    assert_eq!(probe(4001, &hex("fffd25")), Probe::Yes);
    assert_eq!(probe(4001, &[255]), Probe::Unsure);
    assert_eq!(probe(4001, b"\r\nNPort\r\nlogin: "), Probe::YesFromServer);
    assert_eq!(probe(23, b"Microsoft Windows"), Probe::Unsure);
    for other in
        [&b""[..], b"Microsoft Windows", b"220 FTP ready\r\n", &hex("ffd8ffe0"), &hex("fffd9c"), &hex("00010000")]
    {
        assert_eq!(probe(4001, other), Probe::No, "{other:x?}");
    }
    assert_eq!(probe(23, &hex("16030100")), Probe::No);
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_no_harm(pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 1..80)), 0..20)) {
        run(&pieces.into_iter().map(|(ask, data)| (if ask { CLIENT } else { SERVER }, data)).collect::<Vec<_>>());
    }

    #[test]
    fn secrets_never_show(secret in "[a-zA-Z0-9]{9,20}", cut in 1..9usize) {
        let typed = format!("{secret}\r\n");
        let mut pieces = vec![(SERVER, b"login: ".to_vec()), (CLIENT, b"ops\r\n".to_vec()), (SERVER, b"Password: ".to_vec())];
        pieces.extend(typed.as_bytes().chunks(cut).map(|piece| (CLIENT, piece.to_vec())));
        pieces.push((SERVER, b"\r\n$ ".to_vec()));
        pieces.push((CLIENT, typed.into_bytes()));
        let text = format!("{:?}", run(&pieces).rows);
        prop_assert!(!text.contains(&secret), "{}", text);
    }
}
