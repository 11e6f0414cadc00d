use proptest::prelude::*;
use quaywatch_model::{Direction, Mark, Transport};
use serde_json::Value;

use super::{Imap, Pop3, Smtp};
use crate::testing::{Recorder, feed, feed_unprobed, flow, pdu};
use crate::{Probe, Protocol};

const C: Direction = Direction::FromClient;
const S: Direction = Direction::FromServer;

/// `> ` is the client's line, `< ` the server's.
fn pieces(dialogue: &str) -> Vec<(Direction, Vec<u8>)> {
    let line = |line: &str| {
        let (who, text) = line.trim_start().split_at(2);
        (if who == "> " { C } else { S }, format!("{text}\r\n").into_bytes())
    };
    dialogue.lines().filter(|text| text.trim_start().len() >= 2).map(line).collect()
}

fn run(protocol: &dyn Protocol, port: u16, dialogue: &str) -> Recorder {
    let pieces = pieces(dialogue);
    let pieces: Vec<(Direction, &[u8])> = pieces.iter().map(|(d, bytes)| (*d, bytes.as_slice())).collect();
    feed(protocol, &flow(Transport::Tcp, port), &pieces)
}

fn login(rows: &Recorder) -> Vec<(String, String, String)> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    rows.of("session").iter().map(|row| (text(row, "user"), text(row, "method"), text(row, "outcome"))).collect()
}

fn weaknesses(rows: &Recorder) -> Vec<String> {
    rows.of("credential").iter().map(|row| row["weakness"].as_str().unwrap().to_owned()).collect()
}

fn one(user: &str, method: &str, outcome: &str) -> Vec<(String, String, String)> {
    vec![(user.to_owned(), method.to_owned(), outcome.to_owned())]
}

const SUBMISSION: &str = "
    < 220 mail.port.example ESMTP Postfix (Debian)
    > EHLO sts7-hmi.port.example
    < 250-mail.port.example
    < 250-STARTTLS
    < 250 AUTH PLAIN LOGIN
    > AUTH LOGIN
    < 334 VXNlcm5hbWU6
    > YWxhcm1z
    < 334 UGFzc3dvcmQ6
    > c2VjcmV0Nw==
    < 235 2.7.0 ok
    > MAIL FROM:<alarms.sts7@port.example> SIZE=400
    < 250 ok
    > RCPT TO:<jane.doe@vendor.example>
    < 250 ok
    > DATA
    < 354 go on
    > Subject: QUIT
    > AUTH PLAIN AGEAYg==
    > .
    < 250 queued
    > QUIT
    < 221 bye
";

#[test]
fn smtp_tells_login_and_domains_but_no_mailbox() {
    let rows = run(&Smtp, 2600, SUBMISSION);
    assert_eq!(login(&rows), one("alarms", "sasl login", "success"));
    assert_eq!(weaknesses(&rows), ["clear-text"]);
    let said: Vec<_> = rows.of("identity").iter().map(|row| row["value"].as_str().unwrap().to_owned()).collect();
    assert_eq!(said, ["mail.port.example", "ESMTP Postfix (Debian)", "sts7-hmi.port.example"]);
    let requests: Vec<_> =
        rows.of("request").iter().map(|row| format!("{} {} {}", row["method"], row["uri"], row["status"])).collect();
    assert_eq!(requests[2], "\"MAIL\" \"@port.example\" 250");
    assert_eq!(requests[3], "\"RCPT\" \"@vendor.example\" 250");
    assert_eq!(requests.len(), 6);
    let mail = &rows.of("operation")[0];
    assert_eq!((mail["name"].as_str(), mail["class"].as_str()), (Some("mail"), Some("session")));
    assert_eq!((mail["status"].as_u64(), mail["quantity"].as_u64()), (Some(0), Some(36)));
    let told: Value = serde_json::from_str(mail["detail"].as_str().unwrap()).unwrap();
    let wanted =
        serde_json::json!({"from": "@port.example", "to": ["@vendor.example"], "recipients": 1, "reply_code": 250});
    assert_eq!(told, wanted);
    let all = format!("{:?}", rows.rows);
    assert!(
        !all.contains("jane") && !all.contains("alarms.sts7") && !all.contains("secret7") && !all.contains("Subject")
    );
    assert_eq!(rows.of("session")[0]["encrypted"], false);
    let detail: Value = serde_json::from_str(rows.of("session")[0]["detail"].as_str().unwrap()).unwrap();
    assert_eq!(detail, serde_json::json!({"starttls_offered": true, "offered_mechanisms": ["plain", "login"]}));
    assert!(rows.marks.iter().all(|mark| *mark == Mark::Opaque("mail content")));
    assert!(rows.of("weird").is_empty());
}

#[test]
fn smtp_hands_tls_on_and_tells_a_session_without_login() {
    let rows = run(&Smtp, 25, "< 220 relay ready\n> EHLO [10.0.0.1]\n< 250 STARTTLS\n> STARTTLS\n< 220 go\n> \u{16}");
    assert_eq!(rows.of("session")[0]["encrypted"], true);
    assert_eq!(rows.of("identity").len(), 1);
}

#[test]
fn tls_is_seen_though_the_reply_was_missed() {
    let hello = [&[0x16, 3, 1, 0, 4][..], &[1, 0, 0, 0]].concat();
    let pieces = [(S, &b"220 a ESMTP\r\n"[..]), (C, b"STARTTLS\r\n"), (C, &hello)];
    let rows = feed(&Smtp, &flow(Transport::Tcp, 25), &pieces);
    assert_eq!(rows.of("session")[0]["encrypted"], true);
    assert!(rows.of("weird").is_empty() || rows.of("weird")[0]["protocol"] == "tls");
}

const INTERCHANGE: &str = "UNB+UNOA:1+L+T+260101:0900+7'
    UNH+1+COPRAR:D:95B:UN:SMDG16'
    EQD+CN+CSQU3054383+45G1+++4'
    UNT+3+1'
    UNZ+1+7'";

fn cargo(rows: &Recorder) -> Vec<(String, String)> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    rows.of("cargo").iter().map(|row| (text(row, "id"), text(&row["sender"], "address"))).collect()
}

#[test]
fn smtp_messages_carry_interchanges() {
    let said =
        |lines: &str, who: &str| lines.lines().map(|line| format!("{who} {}\n", line.trim())).collect::<String>();
    let dialogue = format!(
        "< 220 a ESMTP\n> EHLO b\n< 250 a\n> MAIL FROM:<x@line.example>\n< 250 ok\n> RCPT TO:<y@port.example>\n< 250 ok\n\
         > DATA\n< 354 go\n> Subject: x\n>  \n{}> .\n< 250 ok\n> QUIT\n< 221 bye",
        said(INTERCHANGE, ">")
    );
    let rows = run(&Smtp, 25, &dialogue);
    assert_eq!(cargo(&rows), [("CSQU3054383".to_owned(), "10.0.0.1".to_owned())]);
    let detail: Value = serde_json::from_str(rows.of("operation")[0]["detail"].as_str().unwrap()).unwrap();
    assert_eq!(detail["edifact_interchanges"], 1);
    assert!(rows.of("weird").is_empty());
    // In chunks.
    let text = format!("Subject: x\r\n\r\n{}\r\n", INTERCHANGE.replace("\n    ", "\r\n"));
    let (one, two) = text.split_at(70);
    let first = format!("BDAT {}\r\n{one}BDAT {} LAST\r\n{two}QUIT\r\n", one.len(), two.len());
    let pieces = [
        (S, &b"220 a ESMTP\r\n"[..]),
        (C, b"EHLO b\r\nMAIL FROM:<x@line.example>\r\nRCPT TO:<y@port.example>\r\n"),
        (S, b"250 a\r\n250 ok\r\n250 ok\r\n"),
        (C, first.as_bytes()),
        (S, b"250 ok\r\n250 ok\r\n221 bye\r\n"),
    ];
    let rows = feed(&Smtp, &flow(Transport::Tcp, 25), &pieces);
    assert_eq!(cargo(&rows).len(), 1);
    assert_eq!(rows.of("operation").len(), 1);
    assert_eq!(rows.of("operation")[0]["quantity"], u64::try_from(text.len()).unwrap());
    let detail: Value = serde_json::from_str(rows.of("operation")[0]["detail"].as_str().unwrap()).unwrap();
    assert_eq!(detail["edifact_interchanges"], 1);
}

#[test]
fn a_message_that_is_not_taken_is_told_with_the_reason() {
    let rows = run(
        &Smtp,
        25,
        "< 220 a ESMTP\n> EHLO b\n< 250 a\n> MAIL FROM:<x@a.example>\n< 250 ok\n> RCPT TO:<y@b.example>\n< 550 no relaying\n\
         > RSET\n< 250 ok\n> MAIL FROM:<>\n< 250 ok\n> RCPT TO:<y@a.example>\n< 250 ok\n> DATA\n< 452 full\n> QUIT\n< 221 bye",
    );
    let told: Vec<_> = rows.of("operation").iter().map(|row| (row["status"].as_u64(), row["object"].clone())).collect();
    assert_eq!(told, [(Some(550), Value::from("@a.example to @b.example")), (Some(452), Value::from("to @a.example"))]);
    assert!(rows.of("weird").is_empty());
}

#[test]
fn one_direction_alone_is_understood() {
    let rows = run(
        &Smtp,
        25,
        "> EHLO b\n> AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm\n> MAIL FROM:<x@a.example>\n> RCPT TO:<y@b.example>\n> DATA\n\
         > Subject: no command\n> .\n> QUIT",
    );
    assert_eq!(login(&rows), one("tim", "sasl plain", "unknown"));
    assert_eq!(rows.of("operation").len(), 1);
    assert!(rows.of("weird").is_empty());
}

#[test]
fn interchanges_are_found_in_mailboxes() {
    let text = format!("Subject: x\r\n\r\n{}\r\n", INTERCHANGE.replace("\n    ", "\r\n"));
    let reply = format!("+OK follows\r\n{text}.\r\n");
    let pieces = [
        (S, &b"+OK POP3 ready <1.2@mail.port.example>\r\n"[..]),
        (C, b"RETR 1\r\n"),
        (S, reply.as_bytes()),
        (C, b"QUIT\r\n"),
        (S, b"+OK\r\n"),
    ];
    let rows = feed(&Pop3, &flow(Transport::Tcp, 110), &pieces);
    assert_eq!(cargo(&rows), [("CSQU3054383".to_owned(), "10.0.0.2".to_owned())]);
    assert_eq!(rows.of("identity")[0]["value"], "mail.port.example");
    assert_eq!(rows.of("service")[0]["software"], "POP3 ready");
    let reply = format!("* 1 FETCH (BODY[] {{{}}}\r\n{text})\r\na1 OK done\r\n", text.len());
    let append = format!("{text}\r\n");
    let begin = format!("a2 APPEND INBOX {{{}}}\r\n", text.len());
    let pieces = [
        (S, &b"* OK IMAP4 ready\r\n"[..]),
        (C, b"a0 ID (\"name\" \"Mutt\" \"version\" \"2.1\")\r\na1 FETCH 1 BODY[]\r\n"),
        (S, b"* ID (\"name\" \"Dovecot\")\r\na0 OK\r\n"),
        (S, reply.as_bytes()),
        (C, begin.as_bytes()),
        (S, b"+ go\r\n"),
        (C, append.as_bytes()),
        (C, b"a3 LOGOUT\r\n"),
    ];
    let rows = feed(&Imap, &flow(Transport::Tcp, 143), &pieces);
    let senders: Vec<String> = cargo(&rows).into_iter().map(|(_, sender)| sender).collect();
    assert_eq!(senders, ["10.0.0.2", "10.0.0.1"]);
    let said: Vec<_> = rows.of("identity").iter().map(|row| row["value"].as_str().unwrap().to_owned()).collect();
    assert_eq!(said, ["IMAP4 ready", "Mutt 2.1", "Dovecot"]);
    assert_eq!(rows.of("session")[0]["client_software"], "Mutt 2.1");
}

#[test]
fn a_refused_default_password_is_no_default() {
    // admin, admin.
    let rows = run(&Smtp, 25, "< 220 x ESMTP\n> EHLO a\n< 250 x\n> AUTH PLAIN AGFkbWluAGFkbWlu\n< 535 no");
    assert_eq!(login(&rows), one("admin", "sasl plain", "failure"));
    assert_eq!(weaknesses(&rows), ["clear-text"]);
}

#[test]
fn pop3_logins() {
    let rows = run(
        &Pop3,
        1100,
        "< +OK POP3 ready <1.2@h>
         > CAPA
         < +OK
         < STLS
         < SASL PLAIN
         < .
         > USER admin
         < +OK
         > PASS admin
         < +OK
         > RETR 1
         < +OK 120 octets
         < -ERR in a message
         < .
         > QUIT
         < +OK",
    );
    assert_eq!(login(&rows), one("admin", "password", "success"));
    assert_eq!(weaknesses(&rows), ["clear-text", "default"]);
    assert!(rows.of("weird").is_empty());
    let rows = run(&Pop3, 110, "< +OK <1.2@h>\n> APOP crane c4c9334bac560ecc979e58001b3e22fb\n< -ERR no");
    assert_eq!(login(&rows), one("crane", "apop", "failure"));
    assert_eq!(weaknesses(&rows), ["weak-scheme"]);
}

#[test]
fn imap_logins() {
    let rows = run(
        &Imap,
        1430,
        "< * OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] Dovecot ready.
         > a1 LOGIN \"crane \\\"7\\\"\" secret7
         < a1 NO failed
         > a2 AUTHENTICATE PLAIN
         < +
         > AHRpbQB0YW5zdGFhZnRhbnN0YWFm
         < a2 OK done
         > a3 FETCH 1 BODY[]
         < * 1 FETCH (BODY[] {21}
         < a3 OK not this line)
         < )
         < a3 OK done",
    );
    let sessions = login(&rows);
    assert_eq!(sessions[0], ("crane \"7\"".into(), "password".into(), "failure".into()));
    assert_eq!(sessions[1], ("tim".into(), "sasl plain".into(), "success".into()));
    assert_eq!(rows.of("service")[0]["software"], "Dovecot ready.");
    assert!(!format!("{:?}", rows.rows).contains("secret7"));
}

#[test]
fn imap_logins_with_literals() {
    let rows = run(
        &Imap,
        143,
        "< * OK IMAP4 ready\n> x1 LOGIN {5}\n< + go\n> crane {7}\n< + go\n> secret7\n< x1 OK done\n> x2 LOGOUT",
    );
    assert_eq!(login(&rows), one("crane", "password", "success"));
    assert_eq!(weaknesses(&rows), ["clear-text"]);
}

#[test]
fn others_are_not_taken() {
    let all: [&dyn Protocol; 3] = [&Smtp, &Pop3, &Imap];
    let flow = flow(Transport::Tcp, 21);
    for text in [
        "220 (vsFTPd 3.0.3)\r\n",
        "220 ProFTPD server ready\r\n",
        "GET / HTTP/1.1\r\n",
        "SSH-2.0-x\r\n",
        "USER a\r\n",
        "* item\r\n",
    ] {
        for protocol in all {
            assert_eq!(protocol.probe(&pdu(&flow, 0, S, text.as_bytes())), Probe::No, "{text}");
        }
    }
    assert_eq!(Smtp.probe(&pdu(&flow, 0, S, b"220 a ESMTP b\r\n")), Probe::YesFromServer);
    assert_eq!(Pop3.probe(&pdu(&flow, 0, S, b"+OK\r\n")), Probe::Unsure);
    assert_eq!(Imap.probe(&pdu(&flow, 0, C, b"a001 CAPABILITY\r\n")), Probe::Yes);
}

#[test]
fn dialogues_may_be_cut_anywhere() {
    let parts = pieces(SUBMISSION);
    let bytes: Vec<(Direction, &[u8])> =
        parts.iter().flat_map(|(direction, line)| line.chunks(1).map(|byte| (*direction, byte))).collect();
    let rows = feed_unprobed(&Smtp, &flow(Transport::Tcp, 25), &bytes);
    assert_eq!(rows.of("request").len(), 6);
    assert_eq!(login(&rows), one("alarms", "sasl login", "success"));
    assert_eq!(rows.of("operation").len(), 1);
    for length in (0..bytes.len()).step_by(3) {
        feed_unprobed(&Smtp, &flow(Transport::Tcp, 25), &bytes[..length]);
    }
}

proptest! {
    #[test]
    fn arbitrary_lines_do_no_harm(lines in prop::collection::vec((any::<bool>(), "(AUTH|a1 LOGIN|USER|PASS|\\+OK|\\* OK|334|250-|BDAT|a1 OK|STLS)? ?[ -~]{0,30}(\\{[0-9]{1,20}\\+?\\})?\r?\n?"), 0..30)) {
        let pieces: Vec<(Direction, &[u8])> =
            lines.iter().filter(|(_, text)| !text.is_empty()).map(|(client, text)| (if *client { C } else { S }, text.as_bytes())).collect();
        for protocol in [&Smtp as &dyn Protocol, &Pop3, &Imap] {
            feed_unprobed(protocol, &flow(Transport::Tcp, 25), &pieces);
        }
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 1..60)), 0..12)) {
        let pieces: Vec<(Direction, &[u8])> =
            pieces.iter().map(|(client, bytes)| (if *client { C } else { S }, bytes.as_slice())).collect();
        for protocol in [&Smtp as &dyn Protocol, &Pop3, &Imap] {
            feed_unprobed(protocol, &flow(Transport::Tcp, 25), &pieces);
        }
    }
}
