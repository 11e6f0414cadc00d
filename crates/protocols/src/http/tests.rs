use proptest::prelude::*;
use quaywatch_model::{Direction, Mark, Transport};
use serde_json::json;

use super::Http;
use super::analyzer::MAX_WAITING;
use super::reader::{MAX_FORM, MAX_HEAD};
use crate::testing::{Recorder, feed, feed_unprobed, flow, pdu};
use crate::{Analyzer, Probe, Protocol};

const ASK: Direction = Direction::FromClient;
const ANSWER: Direction = Direction::FromServer;

fn run(pieces: &[(Direction, &str)]) -> Recorder {
    let flow = flow(Transport::Tcp, 80);
    let pieces: Vec<(Direction, &[u8])> = pieces.iter().map(|(d, text)| (*d, text.as_bytes())).collect();
    feed(&Http, &flow, &pieces)
}

const NTLM_1: &str = "TlRMTVNTUAABAAAABwIAAgcABwAoAAAACAAIAC8AAAAKAGFKAAAAD1NNVFBET01TTVRQSE9TVA==";
const NTLM_3: &str = "TlRMTVNTUAADAAAAGAAYAFgAAAAYABgAcAAAAA4ADgCIAAAACAAIAJYAAAAQABAAngAAABAAEACuAAAABQIAAgoAYUoAAAAPAAAAAAAAAAAAAAAAAAAAAExMTExMTExMTExMTExMTExMTExMTExMTE5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTlMATQBUAFAARABPAE0AagBhAGMAawBTAE0AVABQAEgATwBTAFQAS0tLS0tLS0tLS0tLS0tLSw==";

fn winrm(authorization: &str, content: &str) -> (Direction, Vec<u8>) {
    let kind = if content == "sealed" {
        "multipart/encrypted;protocol=\"application/HTTP-SPNEGO-session-encrypted\""
    } else {
        "text/xml"
    };
    let length = content.len();
    let field = if authorization.is_empty() { String::new() } else { format!("Authorization: {authorization}\r\n") };
    let head = "POST /wsman?PSVersion=5.1 HTTP/1.1\r\nUser-Agent: Microsoft WinRM Client\r\n";
    (ASK, format!("{head}{field}Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{content}").into_bytes())
}

fn winrm_sessions(pieces: &[(Direction, Vec<u8>)]) -> (Recorder, Vec<String>) {
    let pieces: Vec<(Direction, &[u8])> =
        pieces.iter().map(|(direction, bytes)| (*direction, bytes.as_slice())).collect();
    let rows = feed(&super::Winrm, &flow(Transport::Tcp, 5985), &pieces);
    let line = |row: &serde_json::Value| {
        let (protocol, user, method) = (&row["protocol"], &row["user"], &row["method"]);
        format!("{protocol} {user} {method} {} {}", row["outcome"], row["encrypted"]).replace('"', "")
    };
    let sessions = rows.of("session").iter().map(line).collect();
    (rows, sessions)
}

#[test]
fn winrm_is_told_under_its_own_name() {
    let answer = |text: &str| {
        (ANSWER, format!("HTTP/1.1 {text}\r\nServer: Microsoft-HTTPAPI/2.0\r\nContent-Length: 0\r\n\r\n").into_bytes())
    };
    // NTLM, whose last message comes with the first sealed content. The message is that of shared capture
    // ntlm/arkime-ntlm-synthetic.pcap, frame 139 on, where it logs in to SMTP.
    let (rows, sessions) = winrm_sessions(&[
        winrm(&format!("Negotiate {NTLM_1}"), ""),
        answer("401 Unauthorized"),
        winrm(&format!("Negotiate {NTLM_3}"), "sealed"),
        answer("200 OK"),
    ]);
    assert_eq!(sessions, [r"winrm SMTPDOM\\jack ntlmv1 success true"]);
    assert_eq!(rows.of("service")[0]["protocol"], "winrm");
    assert_eq!(rows.of("service")[0]["software"], "Microsoft-HTTPAPI/2.0");
    // Kerberos logs in first: the request after it tells whether content is sealed.
    let ticket = winrm("Kerberos YIIB", "");
    assert_eq!(
        winrm_sessions(&[ticket, answer("200 OK"), winrm("", "sealed"), answer("200 OK")]).1,
        ["winrm  kerberos success true"]
    );
    let ticket = winrm("Negotiate YIIB", "");
    assert_eq!(
        winrm_sessions(&[ticket, answer("200 OK"), winrm("", "<s:E/>"), answer("200 OK")]).1,
        ["winrm  negotiate success false"]
    );
    let ticket = winrm("Negotiate YIIB", "");
    assert_eq!(winrm_sessions(&[ticket, answer("200 OK")]).1, ["winrm  negotiate success false"]);
    // Basic, in the clear.
    let (rows, sessions) = winrm_sessions(&[winrm("Basic YWRtaW46YWRtaW4=", "<s:E/>"), answer("200 OK")]);
    assert_eq!(sessions, ["winrm admin basic success false"]);
    assert!(rows.of("credential").iter().all(|row| row["protocol"] == "winrm"));
    assert_eq!(rows.of("credential")[0]["weakness"], "clear-text");
}

#[test]
fn winrm_is_known_by_its_target() {
    let flow = flow(Transport::Tcp, 8080);
    let probe = |text: &str| super::Winrm.probe(&pdu(&flow, 0, ASK, text.as_bytes()));
    assert_eq!(probe("POST /wsman HTTP/1.1\r\n"), Probe::Yes);
    assert_eq!(probe("POST /WSMAN-anon/identify HTTP/1.1\r\n"), Probe::Yes);
    assert_eq!(probe("POST http://cms:5985/wsman HTTP/1.1\r\n"), Probe::Yes);
    assert_eq!(probe("GET /wsmanual HTTP/1.1\r\n"), Probe::No);
    assert_eq!(probe("HTTP/1.1 200 OK\r\n"), Probe::No);
}

/// A dialogue with everything that leaves rows, for cutting up.
const REQUESTS: &str = "GET /a?password=hunter2 HTTP/1.1\r\nHost: crane7.example\r\nUser-Agent: Mozilla/5.0 (Windows NT 6.1)\r\n\
    Authorization: Basic YWRtaW46YWRtaW4=\r\n\r\n\
    POST /login HTTP/1.1\r\nHost: crane7.example\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 23\r\n\r\n\
    user=bob&password=bob42HEAD /x HTTP/1.1\r\n\r\n";
const ANSWERS: &str = "HTTP/1.1 200 OK\r\nServer: GoAhead-Webs\r\nDate: Thu, 01 Jan 1970 00:01:00 GMT\r\nTransfer-Encoding: chunked\r\n\r\n\
    4\r\nabcd\r\n0\r\n\r\nHTTP/1.1 302 Found\r\nLocation: /home\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 404 Not Found\r\nContent-Length: 99\r\n\r\n";

fn requests(recorder: &Recorder) -> Vec<(String, String, Option<u64>)> {
    let text = |row: &serde_json::Value, key: &str| row[key].as_str().unwrap().to_owned();
    recorder.of("request").iter().map(|r| (text(r, "method"), text(r, "uri"), r["status"].as_u64())).collect()
}

#[test]
fn requests_are_paired_with_answers_in_order() {
    let recorder = run(&[(ASK, REQUESTS), (ANSWER, ANSWERS)]);
    let row = |m: &str, u: &str, s| (m.to_owned(), u.to_owned(), Some(s));
    assert_eq!(
        requests(&recorder),
        [row("GET", "/a?password=***", 200), row("POST", "/login", 302), row("HEAD", "/x", 404)]
    );
    let sessions: Vec<_> = recorder
        .of("session")
        .iter()
        .map(|s| (s["user"].clone(), s["method"].clone(), s["outcome"].clone(), s["server_software"].clone()))
        .collect();
    assert_eq!(
        sessions,
        [
            (json!(""), json!("query"), json!("unknown"), json!("GoAhead-Webs")),
            (json!("admin"), json!("basic"), json!("success"), json!("GoAhead-Webs")),
            (json!("bob"), json!("form"), json!("success"), json!("")),
        ]
    );
    let weaknesses: Vec<_> =
        recorder.of("credential").iter().map(|c| (c["account"].clone(), c["weakness"].clone())).collect();
    assert_eq!(
        weaknesses,
        [
            (json!(""), json!("clear-text")),
            (json!("admin"), json!("clear-text")),
            (json!("admin"), json!("default")),
            (json!("bob"), json!("clear-text")),
        ]
    );
    assert_eq!(recorder.of("clock")[0]["skew"], json!(59_999_000_000i64));
    assert_eq!(recorder.of("name")[0]["name"], "crane7.example");
    let software: Vec<_> = recorder.of("identity").iter().map(|i| i["value"].clone()).collect();
    assert_eq!(software, ["Mozilla/5.0 (Windows NT 6.1)", "Windows NT 6.1", "GoAhead-Webs"]);
    assert_eq!(recorder.of("service")[0]["software"], "GoAhead-Webs");
    assert!(recorder.of("weird").is_empty());
    assert!(!format!("{:?}", recorder.rows).contains("hunter2"));
    assert!(!format!("{:?}", recorder.rows).contains("bob42"));
}

#[test]
fn rows_are_the_same_however_the_stream_is_cut() {
    let rows = |recorder: &Recorder| recorder.rows.iter().map(|(_, row)| row.to_string()).collect::<Vec<_>>();
    let strip = |rows: Vec<String>| rows.into_iter().filter(|row| !row.contains("\"clock\"")).collect::<Vec<_>>();
    let whole = strip(rows(&run(&[(ASK, REQUESTS), (ANSWER, ANSWERS)])));
    for step in [1, 2, 3, 7, 50] {
        let flow = flow(Transport::Tcp, 80);
        let asked = REQUESTS.as_bytes().chunks(step).map(|piece| (ASK, piece));
        let answered = ANSWERS.as_bytes().chunks(step).map(|piece| (ANSWER, piece));
        let pieces: Vec<_> = asked.chain(answered).collect();
        assert_eq!(strip(rows(&feed_unprobed(&Http, &flow, &pieces))), whole, "step {step}");
    }
}

#[test]
fn a_refused_login_is_a_failure_and_no_default() {
    // Shared capture http-basic-auth/arkime-http-basicauth.pcap shows the same dialogue.
    let recorder = run(&[
        (ASK, "GET / HTTP/1.1\r\nHost: 10.0.0.2\r\nAuthorization: Basic YWRtaW46YWRtaW4=\r\n\r\n"),
        (ANSWER, "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"Drive 3\"\r\nContent-Length: 0\r\n\r\n"),
    ]);
    let session = &recorder.of("session")[0];
    assert_eq!((&session["outcome"], &session["user"]), (&json!("failure"), &json!("admin")));
    assert_eq!(session["detail"], "{\"realm\":\"Drive 3\",\"path\":\"/\"}");
    assert_eq!(recorder.of("credential").len(), 1);
    assert!(recorder.of("name").is_empty());
}

#[test]
fn tokens_have_no_account() {
    let recorder = run(&[(ASK, "GET /api HTTP/1.1\r\nAuthorization: Bearer abc.def\r\nX-API-Key: 1\r\n\r\n")]);
    let methods: Vec<_> = recorder.of("session").iter().map(|s| s["method"].clone()).collect();
    assert_eq!(methods, ["api-key", "bearer"]);
    assert!(recorder.of("credential").iter().all(|c| c["account"] == "" && c["weakness"] == "clear-text"));
    assert!(!format!("{:?}", recorder.rows).contains("abc.def"));
}

#[test]
fn upgrades_and_tunnels_end_the_reading() {
    for (asked, answered, what) in [
        (
            "GET /w HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
            "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n",
            "websocket",
        ),
        ("CONNECT a:443 HTTP/1.1\r\n\r\n", "HTTP/1.1 200 Established\r\n\r\n", "tunnel"),
    ] {
        let recorder = run(&[(ASK, asked), (ANSWER, answered), (ASK, "\x01\x02\x03"), (ANSWER, "\u{0}\u{0}")]);
        assert_eq!(recorder.marks, [Mark::Opaque(what); 2]);
        assert_eq!(requests(&recorder).len(), 1);
    }
}

#[test]
fn bodies_are_opaque_and_gaps_in_them_do_no_harm() {
    let flow = flow(Transport::Tcp, 80);
    let mut out = Recorder::default();
    let mut analyzer = Http.open(&flow);
    let mut at = 0;
    let mut say = |analyzer: &mut Box<dyn Analyzer>, out: &mut Recorder, direction, text: &str| {
        at += 1;
        analyzer.feed(&pdu(&flow, at, direction, text.as_bytes()), out);
    };
    say(&mut analyzer, &mut out, ASK, "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
    say(&mut analyzer, &mut out, ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
    assert!(out.marks.is_empty());
    analyzer.gap(ANSWER, 4, &mut out);
    say(&mut analyzer, &mut out, ANSWER, "567890");
    assert_eq!(out.marks, [Mark::Opaque("http body")]);
    say(&mut analyzer, &mut out, ANSWER, "HTTP/1.1 204 No Content\r\n\r\n");
    assert_eq!(requests(&out).len(), 2);
    say(&mut analyzer, &mut out, ASK, "GET /3 HTTP/1.1\r\n\r\n");
    analyzer.gap(ANSWER, 4, &mut out);
    assert_eq!(requests(&out)[2].2, None);
    say(&mut analyzer, &mut out, ANSWER, "of an old body");
    assert_eq!(out.marks.last(), Some(&Mark::Undecoded("http after a gap")));
    say(&mut analyzer, &mut out, ANSWER, "HTTP/1.1 500 Oops\r\n\r\n");
    assert_eq!(requests(&out)[3], (String::new(), String::new(), Some(500)));
}

#[test]
fn a_head_cut_by_the_capture_is_read_as_far_as_it_goes() {
    let recorder = run(&[(ASK, "GET /1 HTTP/1.1\r\nHost: plc7\r\nUser-Ag")]);
    assert_eq!(requests(&recorder), [("GET".to_owned(), "/1".to_owned(), None)]);
    assert_eq!(recorder.of("name")[0]["name"], "plc7");
    let flow = flow(Transport::Tcp, 80);
    let mut out = Recorder::default();
    let mut analyzer = Http.open(&flow);
    analyzer.feed(&pdu(&flow, 0, ASK, b"GET /1 HTTP/1.1\r\n\r\n"), &mut out);
    analyzer.feed(&pdu(&flow, 1, ANSWER, b"HTTP/1.1 200 OK\r\nServer: x\r\nDa"), &mut out);
    analyzer.gap(ANSWER, 100, &mut out);
    analyzer.feed(&pdu(&flow, 2, ANSWER, b"rest of a body"), &mut out);
    assert_eq!(requests(&out), [("GET".to_owned(), "/1".to_owned(), Some(200))]);
    assert_eq!(out.of("service")[0]["software"], "x");
}

#[test]
fn a_flow_met_within_a_body_is_not_malformed() {
    let mut flow = flow(Transport::Tcp, 80);
    flow.midstream = true;
    let recorder = feed(&Http, &flow, &[(ASK, b"GET / HTTP/1.1\r\n\r\n"), (ANSWER, b"mation (for support)")]);
    assert_eq!(recorder.marks, [Mark::Undecoded("http after a gap")]);
}

#[test]
fn limits_hold() {
    let long = format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(MAX_HEAD));
    let recorder = run(&[(ASK, &long)]);
    assert_eq!(recorder.of("weird")[0]["name"], "http_head_too_long");
    let many = "GET / HTTP/1.1\r\n\r\n".repeat(MAX_WAITING + 5);
    let flow = flow(Transport::Tcp, 80);
    let mut out = Recorder::default();
    let mut analyzer = Http.open(&flow);
    analyzer.feed(&pdu(&flow, 0, ASK, many.as_bytes()), &mut out);
    assert_eq!(out.of("request").len(), 5);
    let body = format!("user=a&password=b&x={}", "y".repeat(MAX_FORM));
    let head =
        "POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n";
    let recorder = run(&[(ASK, head), (ASK, &format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()))]);
    assert!(recorder.of("session").is_empty());
}

#[test]
fn roles_go_by_content() {
    let recorder = run(&[(ANSWER, "GET / HTTP/1.1\r\n\r\n"), (ASK, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")]);
    let request = &recorder.of("request")[0];
    assert_eq!((&request["status"], &request["client"]["port"]), (&json!(200), &json!(80)));
}

#[test]
fn the_probe_is_strict() {
    let probe = |text: &str| {
        let flow = flow(Transport::Tcp, 80);
        Http.probe(&pdu(&flow, 0, ASK, text.as_bytes()))
    };
    assert_eq!(probe("GET / HTTP/1.1\r\n"), Probe::Yes);
    assert_eq!(probe("HTTP/1.0 200 OK"), Probe::YesFromServer);
    assert_eq!(probe("GE"), Probe::Unsure);
    assert_eq!(probe("GET /very/long"), Probe::Unsure);
    for other in [
        "OPTIONS rtsp://a/b RTSP/1.0\r\n",
        "INVITE sip:a SIP/2.0\r\n",
        "USER bob\r\n",
        "SSH-2.0-x\r\n",
        "",
        "\x16\x03\x01",
    ] {
        assert_eq!(probe(other), Probe::No, "{other}");
    }
    let udp = flow(Transport::Udp, 1900);
    assert_eq!(Http.probe(&pdu(&udp, 0, ASK, b"M-SEARCH * HTTP/1.1\r\n")), Probe::No);
}

#[test]
fn truncations_do_no_harm() {
    let flow = flow(Transport::Tcp, 80);
    for (direction, text) in [(ASK, REQUESTS), (ANSWER, ANSWERS)] {
        for length in 1..text.len() {
            feed_unprobed(&Http, &flow, &[(direction, &text.as_bytes()[..length])]);
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_no_harm(pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 1..80)), 0..20)) {
        let flow = flow(Transport::Tcp, 80);
        let pieces: Vec<_> = pieces.iter().map(|(ask, data)| (if *ask { ASK } else { ANSWER }, data.as_slice())).collect();
        feed_unprobed(&Http, &flow, &pieces);
    }

    #[test]
    fn damaged_dialogues_do_no_harm(at in 0..REQUESTS.len(), byte: u8, cut in 1..40usize) {
        let flow = flow(Transport::Tcp, 80);
        let mut stream = REQUESTS.as_bytes().to_vec();
        stream[at] = byte;
        let pieces: Vec<_> = stream.chunks(cut).map(|piece| (ASK, piece)).collect();
        feed_unprobed(&Http, &flow, &pieces);
    }
}

#[test]
fn an_edi_interchange_in_a_body_is_read() {
    let message = "UNB+UNOA:2+A+B+261102:1400+1'UNH+1+CODECO:D:95B:UN'EQD+CN+CSQU3054383+22G1'UNT+3+1'UNZ+1+1'";
    let request = format!("POST /edi HTTP/1.1\r\nHost: tos\r\nContent-Length: {}\r\n\r\n{message}", message.len());
    let next = b"POST /edi HTTP/1.1\r\nHost: tos\r\nContent-Length: 5\r\n\r\nhello";
    let (head, tail) = request.as_bytes().split_at(request.len() - 40);
    let rows = feed(
        &Http,
        &flow(Transport::Tcp, 80),
        &[(Direction::FromClient, head), (Direction::FromClient, tail), (Direction::FromClient, next)],
    );
    assert_eq!(rows.of("cargo").len(), 1);
    assert_eq!(rows.of("cargo")[0]["id"], "CSQU3054383");
    assert_eq!(rows.of("request").iter().filter(|row| row["protocol"] == "http").count(), 2);
}

/// Feeds a request with this body, in pieces of `size`, and one behind it.
fn edi(head: &str, body: &[u8], size: usize) -> Recorder {
    let mut request = format!("POST /edi HTTP/1.1\r\n{head}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    request.extend_from_slice(body);
    request.extend_from_slice(b"GET /next HTTP/1.1\r\n\r\n");
    let pieces: Vec<_> = request.chunks(size).map(|piece| (ASK, piece)).collect();
    feed_unprobed(&Http, &flow(Transport::Tcp, 80), &pieces)
}

/// A gate report with the example container of ISO 6346.
const CODECO: &str = "UNB+UNOA:2+A+B+261102:1400+1'UNH+1+CODECO:D:95B:UN'EQD+CN+CSQU3054383+22G1'UNT+3+1'UNZ+1+1'";

#[test]
fn edi_interchanges_are_read_in_bodies_of_every_kind() {
    let base64 = "VU5CK1VOT0E6MitBK0IrMjYxMTAyOjE0MDArMSdVTkgrMStDT0RFQ086RDo5NUI6VU4nRVFEK0NO\r\n\
        K0NTUVUzMDU0MzgzKzIyRzEnVU5UKzMrMSdVTlorMSsxJw==\r\n";
    let parts = |kind: &str, header: &str, content: &str| {
        (
            format!("AS2-Version: 1.2\r\nContent-Type: {kind}; boundary=\"--=b 1\"\r\n"),
            format!(
                "preamble, isn't it\r\n----=b 1\r\n{header}\r\n\r\n{content}\r\n----=b 1\r\nContent-Type: application/pkcs7-signature\r\n\r\nMIIB\r\n----=b 1--\r\n"
            ),
        )
    };
    let kind = |name: &str| format!("Content-Type: {name}\r\n");
    let lines = CODECO.replace('\'', "'\r\n");
    for (head, body) in [
        (kind("text/plain"), CODECO.to_owned()),
        (kind("application/edifact"), format!("\r\n UNA:+.? '\r\n{lines}")),
        (kind("application/EDIFACT; charset=iso-8859-1"), base64.to_owned()),
        (kind("application/octet-stream"), lines.clone()),
        (String::new(), CODECO.to_owned()),
        // RFC 4130: signed, the interchange as it stands or in base64.
        parts(
            "multipart/signed; protocol=\"application/pkcs7-signature\"",
            "Content-Type: application/EDIFACT",
            CODECO,
        ),
        parts("multipart/signed", "Content-Type: application/EDIFACT\r\nContent-Transfer-Encoding: binary", &lines),
        parts("Multipart/Signed", "Content-Type: application/EDIFACT\r\nContent-Transfer-Encoding: base64", base64),
        // RFC 7578: a file in a form.
        parts("multipart/form-data", "Content-Disposition: form-data; name=\"f\"; filename=\"x.edi\"", &lines),
    ] {
        for size in [1, 2, 7, 30, 100, 9999] {
            let rows = edi(&head, body.as_bytes(), size);
            let cargo = rows.of("cargo");
            assert_eq!(cargo.len(), 1, "{size} {head}{body}");
            assert_eq!(
                (&cargo[0]["id"], &cargo[0]["message"], &cargo[0]["check"]),
                (&json!("CSQU3054383"), &json!("CODECO"), &json!(true))
            );
            assert!(rows.of("weird").is_empty(), "{size} {head}{body} {:?}", rows.of("weird"));
            assert_eq!(rows.of("request").iter().filter(|row| row["protocol"] == "http").count(), 2);
            assert!(!rows.marks.contains(&Mark::Opaque("http body")) || size < 60 || head.contains("ultipart"));
        }
    }
    // The pictures of a camera are not looked through.
    let (head, body) = parts("multipart/x-mixed-replace", "Content-Type: image/jpeg", CODECO);
    assert!(edi(&head, body.as_bytes(), 9999).of("cargo").is_empty());
    for other in ["hello, UNB+UNOA:2+A", "UNBELIEVABLE as it is, it is no interchange", "VU5C", "UN", "   "] {
        assert!(edi("", other.as_bytes(), 3).of("cargo").is_empty());
    }
}

#[test]
fn edi_interchanges_are_read_in_answers_and_across_gaps() {
    let many = format!("{}{}", CODECO.replace("UNT+3+1'UNZ+1+1'", ""), "EQD+CN+CSQU3054383+22G1'".repeat(20));
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/edifact\r\nContent-Length: {}\r\n\r\n", many.len());
    let flow = flow(Transport::Tcp, 80);
    let mut out = Recorder::default();
    let mut analyzer = Http.open(&flow);
    analyzer.feed(&pdu(&flow, 0, ASK, b"GET /edi/1 HTTP/1.1\r\n\r\n"), &mut out);
    let (start, rest) = many.split_at(200);
    analyzer.feed(&pdu(&flow, 1, ANSWER, head.as_bytes()), &mut out);
    analyzer.feed(&pdu(&flow, 2, ANSWER, start.as_bytes()), &mut out);
    analyzer.gap(ANSWER, 30, &mut out);
    analyzer.feed(&pdu(&flow, 3, ANSWER, &rest.as_bytes()[30..]), &mut out);
    let cargo = out.of("cargo");
    assert!((17..21).contains(&cargo.len()), "{}", cargo.len());
    assert_eq!(cargo[0]["sender"]["port"], 80);
}
