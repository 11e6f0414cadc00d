use proptest::prelude::*;
use quaywatch_model::{Direction, Mark, Transport};
use serde_json::{Value, json};

use super::Sip;
use crate::testing::{Recorder, feed, feed_unprobed, flow, pdu};
use crate::{Probe, Protocol};

const C: Direction = Direction::FromClient;
const S: Direction = Direction::FromServer;

/// RFC 3665 section 2.1, over UDP: a registration that is challenged first.
const REGISTER: &str = "REGISTER sip:ss2.biloxi.example.com SIP/2.0\r\n\
    Via: SIP/2.0/UDP client.biloxi.example.com:5060;branch=z9hG4bKnashds7\r\nMax-Forwards: 70\r\n\
    From: Bob <sip:bob@biloxi.example.com>;tag=a73kszlfl\r\nTo: Bob <sip:bob@biloxi.example.com>\r\n\
    Call-ID: 1j9FpLxk3uxtm8tn@biloxi.example.com\r\nCSeq: 1 REGISTER\r\n\
    Contact: <sip:bob@client.biloxi.example.com>\r\nUser-Agent: Yealink SIP-T46G 28.83.0.50\r\nContent-Length: 0\r\n\r\n";
const CHALLENGE: &str = "SIP/2.0 401 Unauthorized\r\n\
    Via: SIP/2.0/UDP client.biloxi.example.com:5060;branch=z9hG4bKnashds7\r\n ;received=192.0.2.201\r\n\
    From: Bob <sip:bob@biloxi.example.com>;tag=a73kszlfl\r\nTo: Bob <sip:bob@biloxi.example.com>;tag=1410948204\r\n\
    Call-ID: 1j9FpLxk3uxtm8tn@biloxi.example.com\r\nCSeq: 1 REGISTER\r\nServer: Asterisk PBX 13.18.3\r\n\
    WWW-Authenticate: Digest realm=\"atlanta.example.com\", qop=\"auth\", nonce=\"ea9c8e88df84f1cec4341ae6cbe5a359\", \
    opaque=\"\", stale=FALSE, algorithm=MD5\r\nContent-Length: 0\r\n\r\n";
const AGAIN: &str = "REGISTER sip:ss2.biloxi.example.com SIP/2.0\r\n\
    Via: SIP/2.0/UDP client.biloxi.example.com:5060;branch=z9hG4bKnashd92\r\nMax-Forwards: 70\r\n\
    From: Bob <sip:bob@biloxi.example.com>;tag=ja743ks76zlflH\r\nTo: Bob <sip:bob@biloxi.example.com>\r\n\
    Call-ID: 1j9FpLxk3uxtm8tn@biloxi.example.com\r\nCSeq: 2 REGISTER\r\n\
    Contact: <sip:bob@client.biloxi.example.com>\r\nUser-Agent: Yealink SIP-T46G 28.83.0.50\r\n\
    Authorization: Digest username=\"bob\", realm=\"atlanta.example.com\"\r\n nonce=\"ea9c8e88df84f1cec4341ae6cbe5a359\", \
    opaque=\"\", uri=\"sip:ss2.biloxi.example.com\", response=\"dfe56131d1958046689d83306477ecc\"\r\n\
    Content-Length: 0\r\n\r\n";
const REGISTERED: &str = "SIP/2.0 200 OK\r\n\
    Via: SIP/2.0/UDP client.biloxi.example.com:5060;branch=z9hG4bKnashd92;received=192.0.2.201\r\n\
    From: Bob <sip:bob@biloxi.example.com>;tag=ja743ks76zlflH\r\nTo: Bob <sip:bob@biloxi.example.com>;tag=37GkEhwl6\r\n\
    Call-ID: 1j9FpLxk3uxtm8tn@biloxi.example.com\r\nCSeq: 2 REGISTER\r\nServer: Asterisk PBX 13.18.3\r\n\
    Contact: <sip:bob@client.biloxi.example.com>;expires=3600\r\nContent-Length: 0\r\n\r\n";

/// RFC 3261 section 24.2, with the description of RFC 3665 section 3.1 and compact field names.
const INVITE: &str = "INVITE sip:bob@biloxi.com SIP/2.0\r\nv: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds8\r\n\
    Max-Forwards: 70\r\nt: Bob <sip:bob@biloxi.com>\r\nf: \"Cabin 7\" <sip:alice@atlanta.com>;tag=1928301774\r\n\
    i: a84b4c76e66710\r\nCSeq: 314159 INVITE\r\nm: <sip:alice@pc33.atlanta.com>\r\nc: application/sdp\r\nl: 151\r\n\r\n\
    v=0\r\no=alice 2890844526 2890844526 IN IP4 client.atlanta.example.com\r\ns=-\r\nc=IN IP4 192.0.2.101\r\nt=0 0\r\n\
    m=audio 49172 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

fn answer(status: &str, to_tag: &str, cseq: &str, more: &str) -> String {
    format!(
        "SIP/2.0 {status}\r\nVia: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds8;received=192.0.2.1\r\n\
         To: Bob <sip:bob@biloxi.com>{to_tag}\r\nFrom: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n\
         Call-ID: a84b4c76e66710\r\nCSeq: {cseq}\r\n{more}"
    )
}

fn answered() -> String {
    let body = "v=0\r\no=bob 2890844527 2890844527 IN IP4 client.biloxi.example.com\r\ns=-\r\nc=IN IP4 192.0.2.201\r\n\
        t=0 0\r\nm=audio 3456 RTP/AVP 0 8 18\r\n";
    let more = format!(
        "Contact: <sip:bob@10.0.0.2>\r\nServer: Commend ET908/2.1.4\r\nContent-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    answer("200 OK", ";tag=a6c85cf", "314159 INVITE", &more)
}

const ACK: &str = "ACK sip:bob@192.0.2.4 SIP/2.0\r\nVia: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds9\r\n\
    To: Bob <sip:bob@biloxi.com>;tag=a6c85cf\r\nFrom: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n\
    Call-ID: a84b4c76e66710\r\nCSeq: 314159 ACK\r\nContent-Length: 0\r\n\r\n";
/// The other end hangs up.
const BYE: &str = "BYE sip:alice@pc33.atlanta.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKnashds10\r\n\
    From: Bob <sip:bob@biloxi.com>;tag=a6c85cf\r\nTo: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n\
    Call-ID: a84b4c76e66710\r\nCSeq: 231 BYE\r\nContent-Length: 0\r\n\r\n";
const HUNG_UP: &str = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKnashds10\r\n\
    From: Bob <sip:bob@biloxi.com>;tag=a6c85cf\r\nTo: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n\
    Call-ID: a84b4c76e66710\r\nCSeq: 231 BYE\r\nContent-Length: 0\r\n\r\n";

fn dialogue() -> Vec<(Direction, String)> {
    let none = "Content-Length: 0\r\n\r\n";
    [
        (C, REGISTER.to_owned()),
        (S, CHALLENGE.to_owned()),
        (C, AGAIN.to_owned()),
        (S, REGISTERED.to_owned()),
        (C, INVITE.to_owned()),
        (S, answer("100 Trying", "", "314159 INVITE", none)),
        (S, answer("180 Ringing", ";tag=a6c85cf", "314159 INVITE", none)),
        (S, answered()),
        (C, ACK.to_owned()),
        (S, BYE.to_owned()),
        (C, HUNG_UP.to_owned()),
    ]
    .into()
}

fn run(transport: Transport, pieces: &[(Direction, String)]) -> Recorder {
    let pieces: Vec<_> = pieces.iter().map(|(direction, text)| (*direction, text.as_bytes())).collect();
    feed(&Sip, &flow(transport, 5060), &pieces)
}

fn detail(row: &Value) -> Value {
    serde_json::from_str(row["detail"].as_str().unwrap()).unwrap()
}

fn claims(out: &Recorder) -> Vec<String> {
    let line = |row: Value| format!("{} {} {}", row["subject"], row["attribute"], row["value"]).replace('"', "");
    out.of("identity").into_iter().map(line).collect()
}

#[test]
fn a_telephone_registers_and_calls() {
    let out = run(Transport::Udp, &dialogue());
    let rows = out.of("operation");
    let told: Vec<_> = rows.iter().map(|row| (row["name"].as_str().unwrap(), row["status"].as_u64())).collect();
    assert_eq!(
        told,
        [("REGISTER", Some(401)), ("REGISTER", Some(200)), ("INVITE", Some(200)), ("ACK", None), ("BYE", Some(200))]
    );
    assert_eq!((&rows[1]["object"], &rows[1]["code"]), (&json!("sip:ss2.biloxi.example.com"), &json!(0)));
    assert_eq!((&rows[2]["request_frame"], &rows[2]["reply_frame"]), (&json!(5), &json!(8)));
    assert_eq!(rows[2]["latency"], 3_000_000);
    assert_eq!(rows[4]["client"]["port"], 5060, "who hangs up asks");
    assert_eq!(
        detail(&rows[1]),
        json!({"from": "bob@biloxi.example.com", "from_name": "Bob", "to": "bob@biloxi.example.com", "to_name": "Bob",
            "call_id": "1j9FpLxk3uxtm8tn@biloxi.example.com", "cseq": 2, "contact": "bob@client.biloxi.example.com",
            "user_agent": "Yealink SIP-T46G 28.83.0.50", "granted": 3600, "server": "Asterisk PBX 13.18.3"})
    );
    assert_eq!(
        detail(&rows[2]),
        json!({"from": "alice@atlanta.com", "from_name": "Cabin 7", "to": "bob@biloxi.com", "to_name": "Bob",
            "call_id": "a84b4c76e66710", "cseq": 314159, "contact": "alice@pc33.atlanta.com",
            "offered_media": ["audio 49172 RTP/AVP"], "offered_codecs": ["PCMU/8000"], "offered_address": "192.0.2.101",
            "server": "Commend ET908/2.1.4", "media": ["audio 3456 RTP/AVP"],
            "codecs": ["PCMU/8000", "PCMA/8000", "G729/8000"], "address": "192.0.2.201", "provisional": [100, 180]})
    );
    assert!(out.of("weird").is_empty() && out.marks.is_empty());
}

#[test]
fn logins_are_told_without_secrets() {
    let out = run(Transport::Udp, &dialogue());
    let session = &out.of("session")[0];
    assert_eq!(
        (&session["user"], &session["method"], &session["outcome"]),
        (&json!("bob"), &json!("digest"), &json!("success"))
    );
    assert_eq!(session["client_software"], "Yealink SIP-T46G 28.83.0.50");
    assert_eq!(session["server_software"], "Asterisk PBX 13.18.3");
    assert_eq!(detail(session)["realm"], "atlanta.example.com");
    let credentials = out.of("credential");
    assert_eq!((credentials.len(), &credentials[0]["weakness"]), (1, &json!("weak-scheme")));
    let all = format!("{:?}", out.rows);
    assert!(!all.contains("dfe56131d195") && !all.contains("ea9c8e88df84"));
}

#[test]
fn software_is_told_of_who_speaks() {
    assert_eq!(
        claims(&run(Transport::Udp, &dialogue())),
        [
            "10.0.0.1 software Yealink SIP-T46G 28.83.0.50",
            "10.0.0.1 vendor Yealink",
            "10.0.0.1 model SIP-T46G",
            "10.0.0.1 firmware 28.83.0.50",
            "10.0.0.2 software Asterisk PBX 13.18.3",
            "10.0.0.2 product Asterisk PBX",
            "10.0.0.2 software Commend ET908/2.1.4",
            "10.0.0.2 vendor Commend",
            "10.0.0.2 model ET908",
            "10.0.0.2 firmware 2.1.4",
        ]
    );
    // Passed on by a proxy, in either direction: the software is of one behind it.
    let via = "v: SIP/2.0/UDP bigbox3.site3.atlanta.com;branch=z9hG4bK77ef4c2312983.1\r\nv: SIP/2.0/UDP pc33";
    let proxied = INVITE.replace("v: SIP/2.0/UDP pc33", via).replace("l: 151", "User-Agent: Yealink x 1.2\r\nl: 151");
    let from_behind = answered().replace("bob@10.0.0.2", "bob@192.0.2.4");
    let out = run(Transport::Udp, &[(C, proxied), (S, from_behind)]);
    assert!(claims(&out).is_empty(), "{:?}", claims(&out));
    assert_eq!(out.of("service")[0]["software"], "");
}

#[test]
fn a_registration_without_a_login_is_told() {
    let accepted = CHALLENGE.replace("401 Unauthorized", "200 OK");
    let out = run(Transport::Udp, &[(C, REGISTER.into()), (S, accepted.clone())]);
    let credential = &out.of("credential")[0];
    assert_eq!((&credential["account"], &credential["weakness"]), (&json!("bob"), &json!("anonymous")));
    assert_eq!((&out.of("session")[0]["user"], &out.of("session")[0]["method"]), (&json!("bob"), &json!("")));
    // Asking for what is registered, and going away, bind nothing.
    for contact in ["", "Contact: *\r\nExpires: 0\r\n", "Contact: <sip:bob@client.biloxi.example.com>;expires=0\r\n"] {
        let asked = REGISTER.replace("Contact: <sip:bob@client.biloxi.example.com>\r\n", contact);
        let out = run(Transport::Udp, &[(C, asked), (S, accepted.clone())]);
        assert!(out.of("credential").is_empty(), "{contact}");
    }
}

#[test]
fn refusals_are_told_from_proofs_out_of_date() {
    let outcome = |status: &str, challenge: &str| {
        let answer = REGISTERED.replace("200 OK", status).replace("Contact:", challenge);
        run(Transport::Udp, &[(C, AGAIN.into()), (S, answer)]).of("session")[0]["outcome"].as_str().unwrap().to_owned()
    };
    assert_eq!(outcome("401 Unauthorized", "Contact:"), "failure");
    assert_eq!(outcome("403 Forbidden", "Contact:"), "failure");
    assert_eq!(outcome("401 Unauthorized", "WWW-Authenticate: Digest realm=\"a\", stale=true, x="), "unknown");
    assert_eq!(outcome("500 Server Internal Error", "Contact:"), "unknown");
}

#[test]
fn passwords_in_addresses_are_looked_at_and_forgotten() {
    let invite = INVITE.replace("sip:bob@biloxi.com SIP", "sip:admin:admin@biloxi.com SIP");
    let out = run(Transport::Udp, &[(C, invite), (S, answered())]);
    assert_eq!(out.of("operation")[0]["object"], "sip:admin@biloxi.com");
    assert_eq!(out.of("session")[0]["method"], "address");
    let weaknesses: Vec<_> = out.of("credential").iter().map(|row| row["weakness"].clone()).collect();
    assert_eq!(weaknesses, ["clear-text", "default"]);
}

#[test]
fn keys_of_media_are_told_and_not_shown() {
    // RFC 4568 section 10.1.
    let crypto = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:32\r\n";
    let invite = INVITE.replace("l: 151", &format!("l: {}", 151 + crypto.len())) + crypto;
    let out = run(Transport::Udp, &[(C, invite)]);
    assert_eq!(out.of("credential")[0]["rule"], "media key in a session description sent unencrypted");
    assert!(!format!("{:?}", out.rows).contains("d0RmdmcmVCspeEc3"));
    assert!(out.of("weird").is_empty());
}

#[test]
fn what_is_sent_again_is_told_once() {
    let mut pieces = dialogue();
    let all = pieces.clone();
    // Every datagram twice, and the last answer with its acknowledgement a third time.
    pieces = pieces.into_iter().flat_map(|piece| [piece.clone(), piece]).collect();
    pieces.extend([all[7].clone(), all[8].clone()]);
    let out = run(Transport::Udp, &pieces);
    let rows = out.of("operation");
    assert_eq!(rows.len(), 5);
    assert_eq!(detail(&rows[2])["repeated"], 1);
    assert_eq!(out.of("weird").len(), 0);
}

#[test]
fn an_answer_alone_is_told() {
    let out = run(Transport::Udp, &[(S, answered())]);
    let row = &out.of("operation")[0];
    assert_eq!((&row["name"], &row["status"], &row["status_name"]), (&json!("INVITE"), &json!(200), &json!("OK")));
    assert_eq!((&row["request_frame"], &row["latency"]), (&Value::Null, &Value::Null));
    assert_eq!(detail(row)["to"], "bob@biloxi.com");
    assert_eq!(row["server"]["port"], 5060);
}

#[test]
fn a_telephone_told_to_start_again_is_controlled() {
    let notify = "NOTIFY sip:107@10.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:pbx@10.0.0.1>\r\n\
        To: <sip:107@10.0.0.2>\r\nCall-ID: 1\r\nCSeq: 1 NOTIFY\r\nEvent: check-sync;reboot=true\r\n\
        Subscription-State: terminated\r\n\r\n";
    let out =
        run(Transport::Udp, &[(C, notify.into()), (C, notify.replace("check-sync", "presence").replace(": 1", ": 2"))]);
    let rows = out.of("operation");
    assert_eq!((&rows[0]["class"], &rows[1]["class"]), (&json!("control"), &json!("session")));
    assert_eq!(detail(&rows[0])["package"], "check-sync;reboot=true");
}

#[test]
fn what_keeps_the_path_open_is_no_message() {
    let stun = b"\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl";
    let pieces = [(C, REGISTER.as_bytes()), (C, b"\r\n\r\n"), (C, b"\0\0\0\0"), (S, b"\r\n"), (C, stun)];
    let out = feed(&Sip, &flow(Transport::Udp, 5060), &pieces);
    assert_eq!((out.of("weird").len(), out.of("operation").len()), (0, 1));
    assert_eq!(out.marks, [Mark::Undecoded("stun")]);
}

#[test]
fn deviations_are_told() {
    let after = |text: &str| {
        let out = run(Transport::Udp, &[(C, REGISTER.to_owned()), (C, text.to_owned())]);
        out.of("weird").iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(after("hello, world\r\n\r\n"), ["sip_start_line_malformed"]);
    assert_eq!(after(&INVITE.replace("l: 151", "l: x")), ["sip_content_length_malformed"]);
    assert_eq!(after(&INVITE.replace("l: 151", "l: 152")), ["sip_body_short"]);
    assert_eq!(after(&INVITE.replace("314159 INVITE", "314159 BYE")), ["sip_cseq_mismatch"]);
    assert_eq!(after(&INVITE.replace("314159 INVITE", "INVITE")), ["sip_field_missing"]);
    assert_eq!(after(ACK.trim_end()), ["sip_head_malformed"]);
    assert!(after(&INVITE.replace("l: 151", "l: 3")).is_empty(), "what follows is thrown away");
    // Of a datagram that the capture cut nothing is wrong.
    let flow = flow(Transport::Udp, 5060);
    let mut analyzer = Sip.open(&flow);
    let mut out = Recorder::default();
    let cut = pdu(&flow, 0, C, &INVITE.as_bytes()[..INVITE.len() - 40]);
    analyzer.feed(&quaywatch_wire::Pdu { cut: true, ..cut }, &mut out);
    analyzer.close(&flow, &mut out);
    assert_eq!((out.of("weird").len(), out.of("operation").len()), (0, 1));
}

#[test]
fn a_connection_says_the_same_however_it_is_cut() {
    let rows = |out: &Recorder| {
        let strip = |mut row: Value| {
            for key in ["latency", "request_frame", "reply_frame"] {
                row[key] = Value::Null;
            }
            row.to_string()
        };
        out.of("operation").into_iter().map(strip).collect::<Vec<_>>()
    };
    let whole = run(Transport::Tcp, &dialogue());
    assert_eq!(rows(&whole).len(), 5);
    for step in [1, 2, 3, 7, 100, 701] {
        let pieces = dialogue();
        let pieces: Vec<_> =
            pieces.iter().flat_map(|(d, text)| text.as_bytes().chunks(step).map(|c| (*d, c))).collect();
        let out = feed_unprobed(&Sip, &flow(Transport::Tcp, 5060), &pieces);
        assert_eq!(rows(&out), rows(&whole), "step {step}");
        assert!(out.of("weird").is_empty());
    }
}

#[test]
fn a_connection_with_lost_bytes_is_taken_up_again() {
    let flow = flow(Transport::Tcp, 5060);
    let mut analyzer = Sip.open(&flow);
    let mut out = Recorder::default();
    analyzer.feed(&pdu(&flow, 0, C, REGISTER.as_bytes()), &mut out);
    analyzer.gap(S, 100, &mut out);
    assert_eq!(out.of("operation")[0]["status"], Value::Null);
    analyzer.feed(&pdu(&flow, 1, S, b"rest of an answer\r\n\r\n"), &mut out);
    analyzer.feed(&pdu(&flow, 2, C, AGAIN.as_bytes()), &mut out);
    analyzer.feed(&pdu(&flow, 3, S, REGISTERED.as_bytes()), &mut out);
    analyzer.close(&flow, &mut out);
    assert_eq!(out.of("operation")[1]["status"], 200);
    assert_eq!((out.marks.as_slice(), out.of("weird").len()), (&[Mark::Undecoded("sip after a gap")][..], 0));
}

#[test]
fn memory_is_bounded() {
    let pieces: Vec<_> = (0..500).map(|n| (C, INVITE.replace("314159", &n.to_string()))).collect();
    let flow = flow(Transport::Udp, 5060);
    let mut analyzer = Sip.open(&flow);
    let mut out = Recorder::default();
    for (index, (direction, text)) in (0..).zip(&pieces) {
        analyzer.feed(&pdu(&flow, index, *direction, text.as_bytes()), &mut out);
    }
    assert_eq!(out.of("operation").len(), 500 - 64, "the oldest are told without an answer");
}

#[test]
fn the_probe_is_strict() {
    let (udp, tcp) = (flow(Transport::Udp, 5060), flow(Transport::Tcp, 5060));
    let probe = |flow, text: &str| Sip.probe(&pdu(flow, 0, C, text.as_bytes()));
    for text in
        [REGISTER, INVITE, "OPTIONS sip:nm SIP/2.0\r\nVia", "REFER tel:+1-201-555-0123 SIP/2.0\n", "BYE x SIP/2.0\r\n"]
    {
        assert_eq!((probe(&udp, text), probe(&tcp, text)), (Probe::Yes, Probe::Yes), "{text}");
    }
    assert_eq!(probe(&udp, CHALLENGE), Probe::YesFromServer);
    for text in ["INV", "INVITE sip:bob", "SIP/2", "SIP/2.0 20"] {
        assert_eq!((probe(&udp, text), probe(&tcp, text)), (Probe::No, Probe::Unsure), "{text}");
    }
    for text in [
        "",
        "\r\n",
        "OPTIONS * HTTP/1.1\r\n\r\n",
        "OPTIONS rtsp://a/b RTSP/1.0\r\n\r\n",
        "NOTIFY * HTTP/1.1\r\n",
        "OPTIONS /index",
        "XYZ hello SIP/2.0\r\n",
        " SIP/2.0\r\n",
        "SIP/2.0 abc d",
        "SIP/3.0 200 OK\r\n",
        "USER bob\r\n",
    ] {
        assert_eq!((probe(&udp, text), probe(&tcp, text)), (Probe::No, Probe::No), "{text}");
    }
}

#[test]
fn truncations_do_no_harm() {
    for (direction, text) in dialogue() {
        for end in 1..text.len() {
            for transport in [Transport::Udp, Transport::Tcp] {
                feed_unprobed(&Sip, &flow(transport, 5060), &[(direction, &text.as_bytes()[..end])]);
            }
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_no_harm(data in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 1..64)), 0..16)) {
        let pieces: Vec<_> = data.iter().map(|(ask, piece)| (if *ask { C } else { S }, piece.as_slice())).collect();
        for transport in [Transport::Udp, Transport::Tcp] {
            feed_unprobed(&Sip, &flow(transport, 5060), &pieces);
        }
    }

    #[test]
    fn damaged_messages_do_no_harm(at in 0..INVITE.len(), byte: u8, cut in 1..80usize) {
        let mut stream = INVITE.as_bytes().to_vec();
        stream[at] = byte;
        feed_unprobed(&Sip, &flow(Transport::Udp, 5060), &[(C, &stream)]);
        let pieces: Vec<_> = stream.chunks(cut).map(|piece| (C, piece)).collect();
        feed_unprobed(&Sip, &flow(Transport::Tcp, 5060), &pieces);
    }
}
