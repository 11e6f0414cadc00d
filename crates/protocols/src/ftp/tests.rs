use proptest::prelude::*;
use quaywatch_model::{Direction, Mark, Transport};
use serde_json::{Value, json};

use super::Ftp;
use super::analyzer::{MAX_LINE, MAX_WAITING};
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

const CLIENT: Direction = Direction::FromClient;
const SERVER: Direction = Direction::FromServer;

fn run(pieces: &[(Direction, &str)]) -> Recorder {
    let flow = flow(Transport::Tcp, 21);
    let pieces: Vec<(Direction, &[u8])> = pieces.iter().map(|(d, text)| (*d, text.as_bytes())).collect();
    feed(&Ftp, &flow, &pieces)
}

fn weaknesses(recorder: &Recorder) -> Vec<Value> {
    recorder.of("credential").iter().map(|c| c["weakness"].clone()).collect()
}

// Worded as in shared capture ftp/suricata-ftp-download-active.pcap.
const LOGIN: &[(Direction, &str)] = &[
    (SERVER, "220 FTP Sandbox Ready.\r\n"),
    (CLIENT, "USER bob\r\n"),
    (SERVER, "331 Please specify the password.\r\n"),
    (CLIENT, "PASS hunter2\r\n"),
    (SERVER, "230 Login successful.\r\n"),
    (CLIENT, "SYST\r\nPWD\r\n"),
    (SERVER, "215 UNIX Type: L8\r\n257 \"/\" is current directory.\r\n"),
    (CLIENT, "RETR index.html\r\n"),
    (SERVER, "150 Opening BINARY mode data connection.\r\n226 Transfer complete.\r\n"),
    (CLIENT, "FEAT\r\n"),
    (SERVER, "211-Features:\r\n MDTM\r\n211 End\r\n"),
];

#[test]
fn a_login_and_transfers_are_read_however_they_are_cut() {
    let flow = flow(Transport::Tcp, 21);
    for step in [1, 3, 1000] {
        let pieces: Vec<_> =
            LOGIN.iter().flat_map(|(d, t)| t.as_bytes().chunks(step).map(|piece| (*d, piece))).collect();
        let recorder = feed_unprobed(&Ftp, &flow, &pieces);
        let rows: Vec<_> = recorder
            .of("request")
            .iter()
            .map(|r| (r["method"].clone(), r["uri"].clone(), r["status"].clone()))
            .collect();
        let row = |m: &str, u: &str, s: u32| (json!(m), json!(u), json!(s));
        assert_eq!(
            rows,
            [
                row("USER", "bob", 331),
                row("PASS", "", 230),
                row("SYST", "", 215),
                row("PWD", "/", 257),
                row("RETR", "index.html", 226),
                row("FEAT", "", 211),
            ]
        );
        let session = &recorder.of("session")[0];
        assert_eq!((&session["user"], &session["outcome"]), (&json!("bob"), &json!("success")));
        assert_eq!(session["server_software"], "FTP Sandbox Ready.");
        assert_eq!(weaknesses(&recorder), ["clear-text"]);
        assert_eq!(recorder.of("identity")[1]["value"], "UNIX Type: L8");
        assert!(!format!("{:?}", recorder.rows).contains("hunter2"));
        assert!(recorder.of("weird").is_empty());
    }
}

#[test]
fn outcomes_and_defaults() {
    let refused = run(&[
        (SERVER, "220 FTP\r\n"),
        (CLIENT, "USER USER\r\nPASS USER\r\n"),
        (SERVER, "331 x\r\n530 Login incorrect.\r\n"),
    ]);
    assert_eq!(refused.of("session")[0]["outcome"], "failure");
    assert_eq!(weaknesses(&refused), ["clear-text"]);
    let accepted =
        run(&[(SERVER, "220 FTP\r\n"), (CLIENT, "USER USER\r\nPASS USER\r\n"), (SERVER, "331 x\r\n230 ok\r\n")]);
    assert_eq!(weaknesses(&accepted), ["clear-text", "default"]);
    let without = run(&[(SERVER, "220 FTP\r\n"), (CLIENT, "USER plc\r\n"), (SERVER, "230 ok\r\n")]);
    assert_eq!(weaknesses(&without), ["empty"]);
    let anonymous =
        run(&[(SERVER, "220 FTP\r\n"), (CLIENT, "USER anonymous\r\nPASS a@b\r\n"), (SERVER, "331 x\r\n230 ok\r\n")]);
    assert_eq!(weaknesses(&anonymous), ["anonymous"]);
    let account = run(&[
        (SERVER, "220 FTP\r\n"),
        (CLIENT, "USER a\r\nPASS b\r\nACCT c\r\n"),
        (SERVER, "331 x\r\n332 account\r\n230 ok\r\n"),
    ]);
    assert_eq!(account.of("session").len(), 1);
    let unanswered = run(&[(SERVER, "220 FTP\r\n"), (CLIENT, "USER a\r\nPASS b\r\n")]);
    assert_eq!(unanswered.of("session")[0]["outcome"], "unknown");
    let none = run(&[(SERVER, "220 FTP\r\n"), (CLIENT, "QUIT\r\n")]);
    assert_eq!(none.of("session")[0]["user"], "");
}

#[test]
fn after_auth_tls_is_read() {
    // Server hello and client hello of TLS 1.2 without extensions.
    let mut hello = hex("16030300 2d 01 000029 0303");
    hello.extend([7; 32]);
    hello.extend(hex("00 0002 c02f 0100"));
    let flow = flow(Transport::Tcp, 21);
    let recorder = feed(
        &Ftp,
        &flow,
        &[
            (SERVER, b"220 FTP\r\n"),
            (CLIENT, b"AUTH TLS\r\n"),
            (SERVER, b"234 go\r\n"),
            (CLIENT, &hello),
            (SERVER, &hex("170303 0014 00000000000000000000 00000000000000000000")),
        ],
    );
    let protocols: Vec<_> =
        recorder.of("session").iter().map(|s| (s["protocol"].clone(), s["encrypted"].clone())).collect();
    assert_eq!(protocols, [(json!("ftp"), json!(true)), (json!("tls"), json!(true))]);
    assert_eq!(recorder.marks, [Mark::Opaque("encrypted")]);
    assert_eq!(recorder.of("request")[0]["status"], 234);
}

#[test]
fn a_bounce_is_told() {
    // Shared capture ftp/suricata-ftp-bounce.pcap, frame 27, seen from another client.
    let recorder =
        run(&[(CLIENT, "PORT 2,2,2,3,0,80\r\n"), (SERVER, "200 ok\r\n"), (CLIENT, "PORT 10,0,0,1,0,80\r\n")]);
    let weird = recorder.of("weird");
    assert_eq!((weird.len(), &weird[0]["name"]), (1, &json!("ftp_port_to_other_host")));
}

#[test]
fn secrets_in_site_commands_are_left_out() {
    let recorder = run(&[(CLIENT, "TYPE I\r\n"), (CLIENT, "SITE PSWD old new\r\n"), (CLIENT, "SITE CHMOD 777 a\r\n")]);
    let uris: Vec<_> = recorder.of("request").iter().map(|r| r["uri"].clone()).collect();
    assert_eq!(uris, ["I", "PSWD", "CHMOD 777 a"]);
}

#[test]
fn gaps_and_limits() {
    let flow = flow(Transport::Tcp, 21);
    let mut out = Recorder::default();
    let mut analyzer = Ftp.open(&flow);
    analyzer.feed(&pdu(&flow, 0, CLIENT, b"CWD a\r\nCWD"), &mut out);
    analyzer.gap(CLIENT, 10, &mut out);
    assert_eq!(out.of("request").len(), 1);
    analyzer.feed(&pdu(&flow, 1, CLIENT, b"tail\r\nCWD c\r\n"), &mut out);
    analyzer.feed(&pdu(&flow, 2, SERVER, b"250 ok\r\n"), &mut out);
    assert_eq!(out.of("request")[1]["uri"], "c");
    let many = "NOOP\r\n".repeat(MAX_WAITING + 3);
    analyzer.feed(&pdu(&flow, 3, CLIENT, many.as_bytes()), &mut out);
    assert_eq!(out.of("request").len(), 5);
    analyzer.feed(&pdu(&flow, 4, CLIENT, &vec![b'a'; MAX_LINE + 1]), &mut out);
    assert_eq!(out.of("weird")[0]["name"], "ftp_line_too_long");
    let recorder = feed_unprobed(&Ftp, &flow, &[(SERVER, "not ftp at all\r\n".repeat(20).as_bytes())]);
    assert_eq!(recorder.marks.last(), Some(&Mark::NotMine));
}

#[test]
fn the_probe_is_strict() {
    let usual = flow(Transport::Tcp, 21);
    assert_eq!(Ftp.probe(&pdu(&usual, 0, CLIENT, b"USER bob\r\n")), Probe::Yes);
    assert_eq!(Ftp.probe(&pdu(&usual, 0, SERVER, b"220 Operation successful\r\n")), Probe::YesFromServer);
    let flow = flow(Transport::Tcp, 4711);
    let probe = |text: &str| Ftp.probe(&pdu(&flow, 0, CLIENT, text.as_bytes()));
    assert_eq!(probe("220 ProFTPD 1.3.0a Server\r\n"), Probe::YesFromServer);
    assert_eq!(probe("220 Operation successful\r\n"), Probe::Unsure);
    assert_eq!(probe("PASV\r\n"), Probe::Yes);
    assert_eq!(probe("PASS x\r\n"), Probe::Unsure);
    assert_eq!(probe("227 Entering Passive Mode (1,2,3,4,5,6)\r\n"), Probe::YesFromServer);
    for other in
        ["220 mail ESMTP Postfix\r\n", "SSH-2.0-x\r\n", "GET / HTTP/1.1\r\n", "", "+OK POP3\r\n", "\u{16}\u{3}\u{1}"]
    {
        assert_eq!(probe(other), Probe::No, "{other}");
    }
}

proptest! {
    #[test]
    fn arbitrary_lines_do_no_harm(pieces in prop::collection::vec((any::<bool>(), "([A-Z0-9 \\-\"|,\r]{0,12}\n?){0,4}", any::<u8>()), 0..20)) {
        let flow = flow(Transport::Tcp, 21);
        let texts: Vec<_> = pieces.iter().map(|(ask, text, tail)| (if *ask { CLIENT } else { SERVER }, [text.as_bytes(), &[*tail]].concat())).collect();
        let pieces: Vec<_> = texts.iter().map(|(direction, data)| (*direction, data.as_slice())).collect();
        feed_unprobed(&Ftp, &flow, &pieces);
    }

    #[test]
    fn damaged_dialogues_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 1..60), at in 0..LOGIN.len()) {
        let flow = flow(Transport::Tcp, 21);
        let mut pieces: Vec<_> = LOGIN.iter().map(|(d, t)| (*d, t.as_bytes())).collect();
        pieces.insert(at, (CLIENT, &bytes));
        pieces.insert(at, (SERVER, &bytes));
        feed_unprobed(&Ftp, &flow, &pieces);
    }
}
