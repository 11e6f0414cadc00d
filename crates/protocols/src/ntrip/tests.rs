//! Talks put together after the examples of the standard (RTCM 10410.0 and 10410.1) and of casters' manuals.

use proptest::prelude::*;
use quaywatch_model::{Direction, Mark, Transport};
use serde_json::{Value, json};

use super::Ntrip;
use super::session::HEAD_LIMIT;
use super::source_table::RECORD_LIMIT;
use crate::http::Http;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

use Direction::{FromClient, FromServer};

/// 1005 of station 2003, the example of RTCM 10403.1.
const FRAME: &str = "d300133ed7d30202980edeef34b4bd62ac0941986f33360b98";
/// The account of RFC 7617, Aladdin.
const GET: &str = "GET /BRUS0 HTTP/1.0\r\nUser-Agent: NTRIP ExampleClient/1.2\r\n\
                   Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n";
const GGA: &str = "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n";

fn talk(pieces: &[(Direction, &[u8])]) -> Recorder {
    feed(&Ntrip, &flow(Transport::Tcp, 2101), pieces)
}

fn joined(text: &str, bytes: &[u8]) -> Vec<u8> {
    [text.as_bytes(), bytes].concat()
}

fn details(row: &Value) -> Value {
    serde_json::from_str(row["detail"].as_str().unwrap()).unwrap()
}

fn weaknesses(rows: &Recorder) -> Vec<Value> {
    rows.of("credential").iter().map(|row| row["weakness"].clone()).collect()
}

#[test]
fn a_client_logs_in_and_gets_corrections() {
    for answer in ["ICY 200 OK\r\n\r\n", "ICY 200 OK\r\n", "ICY 200 OK\r\nServer: NTRIP Caster 2.0\r\n\r\n"] {
        let down = joined(answer, &hex(FRAME));
        let rows = talk(&[(FromClient, GET.as_bytes()), (FromServer, &down), (FromClient, GGA.as_bytes())]);
        assert_eq!(rows.of("weird"), Vec::<Value>::new(), "{answer}");
        let request = &rows.of("request")[0];
        assert_eq!((&request["method"], &request["uri"]), (&json!("GET"), &json!("/BRUS0")));
        assert_eq!((&request["status"], &request["protocol"]), (&json!(200), &json!("ntrip")));
        let session = &rows.of("session")[0];
        assert_eq!((&session["user"], &session["method"]), (&json!("Aladdin"), &json!("basic")));
        assert_eq!((&session["outcome"], &session["version"]), (&json!("success"), &json!("1.0")));
        assert_eq!(details(session), json!({"mountpoint": "BRUS0", "role": "client"}));
        assert_eq!(weaknesses(&rows), ["clear-text"]);
        let positions = rows.of("position");
        assert_eq!((&positions[0]["protocol"], &positions[0]["receiver"]["port"]), (&json!("rtcm"), &json!(2101)));
        assert_eq!((&positions[1]["sentence"], &positions[1]["receiver"]["port"]), (&json!("GPGGA"), &json!(49152)));
        assert_eq!(rows.marks, []);
        assert!(!format!("{:?}", rows.rows).contains("sesame"));
    }
}

#[test]
fn version_two_has_chunks() {
    let get = "GET /VRS HTTP/1.1\r\nHost: caster:2101\r\nNtrip-Version: Ntrip/2.0\r\nUser-Agent: NTRIP x/1\r\n\r\n";
    let mut down = joined(
        "HTTP/1.1 200 OK\r\nServer: NtripCaster/2.0.15\r\nContent-Type: gnss/data\r\nTransfer-Encoding: chunked\r\n\r\n19\r\n",
        &hex(FRAME),
    );
    down.extend(b"\r\n0\r\n\r\n");
    for step in [1, 7, down.len()] {
        let mut pieces: Vec<(Direction, &[u8])> = vec![(FromClient, get.as_bytes())];
        pieces.extend(down.chunks(step).map(|piece| (FromServer, piece)));
        let rows = talk(&pieces);
        assert_eq!(rows.of("weird"), Vec::<Value>::new(), "step {step}");
        assert_eq!(rows.of("position").len(), 1);
        assert_eq!(rows.of("session")[0]["method"], "none");
        assert_eq!(rows.of("session")[0]["version"], "2.0");
        assert_eq!(weaknesses(&rows), ["anonymous"]);
        assert_eq!(rows.of("service")[0]["software"], "NtripCaster/2.0.15");
        assert_eq!(rows.of("session")[0]["server_software"], "NtripCaster/2.0.15");
        // What the caster passes on is not about the caster.
        assert!(rows.of("identity").iter().all(|row| row["value"] != "GNSS reference station"));
    }
}

#[test]
fn a_refused_client_is_told() {
    let refusal = "HTTP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"/BRUS0\"\r\nContent-Length: 0\r\n\r\n";
    let rows = talk(&[(FromClient, GET.as_bytes()), (FromServer, refusal.as_bytes())]);
    assert_eq!(rows.of("session")[0]["outcome"], "failure");
    assert_eq!(rows.of("request")[0]["status"], 401);
    // Nobody answered.
    let rows = talk(&[(FromClient, GET.as_bytes())]);
    assert_eq!(
        (&rows.of("session")[0]["outcome"], &rows.of("request")[0]["status"]),
        (&json!("unknown"), &json!(null))
    );
}

#[test]
fn a_source_logs_in_and_delivers() {
    let login = "SOURCE letmein /CRANE\r\nSource-Agent: NTRIP NtripServerCMD/1.0\r\nSTR: \r\n\r\n";
    for answer in ["ICY 200 OK\r\n\r\n", "OK\r\n"] {
        let rows = talk(&[
            (FromClient, login.as_bytes()),
            (FromServer, answer.as_bytes()),
            (FromClient, &hex(FRAME)),
            (FromClient, &hex(FRAME)),
        ]);
        assert_eq!(rows.of("weird"), Vec::<Value>::new(), "{answer}");
        let session = &rows.of("session")[0];
        assert_eq!((&session["method"], &session["outcome"]), (&json!("source password"), &json!("success")));
        assert_eq!(details(session), json!({"mountpoint": "CRANE", "role": "source"}));
        assert_eq!(session["client_software"], "NTRIP NtripServerCMD/1.0");
        assert_eq!(rows.of("request")[0]["uri"], "/CRANE");
        assert_eq!(rows.of("position").len(), 1);
        assert!(rows.of("identity").iter().any(|row| row["value"] == "GNSS reference station"));
        assert!(!format!("{:?}", rows.rows).contains("letmein"));
    }
    let rows = talk(&[(FromClient, login.as_bytes()), (FromServer, b"ERROR - Bad Password\r\n")]);
    let session = &rows.of("session")[0];
    assert_eq!((&session["outcome"], &details(session)["error"]), (&json!("failure"), &json!("ERROR - Bad Password")));
    // Without a password.
    let open = "SOURCE  /CRANE\r\nSource-Agent: NTRIP x\r\n\r\n";
    let rows = talk(&[(FromClient, open.as_bytes()), (FromServer, b"ICY 200 OK\r\n")]);
    assert_eq!(weaknesses(&rows), ["empty"]);
}

#[test]
fn a_source_of_version_two_tries_again() {
    let post = |login: &str| {
        format!(
            "POST /CRANE HTTP/1.1\r\nHost: c\r\nNtrip-Version: Ntrip/2.0\r\nUser-Agent: NTRIP s\r\n{login}Content-Type: gnss/data\r\n\r\n"
        )
    };
    let again = joined(&post("Authorization: Basic YWRtaW46YWRtaW4=\r\n"), &hex(FRAME));
    let rows = talk(&[
        (FromClient, post("").as_bytes()),
        (FromServer, b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno"),
        (FromClient, &again),
        (FromServer, b"HTTP/1.1 200 OK\r\n\r\n"),
    ]);
    assert_eq!(rows.of("weird"), Vec::<Value>::new());
    let statuses: Vec<Value> = rows.of("request").iter().map(|row| row["status"].clone()).collect();
    assert_eq!(statuses, [401, 200]);
    assert_eq!((rows.of("session").len(), rows.of("position").len()), (1, 1));
    assert_eq!(weaknesses(&rows), ["clear-text", "default"]);
}

const TABLE: &str = "SOURCETABLE 200 OK\r\nServer: NTRIP Caster/1.5\r\nContent-Type: text/plain\r\nContent-Length: 262\r\n\r\n\
    CAS;129.217.182.51;80;EUREF;BKG;0;DEU;51.5;7.5;http://igs.ifag.de/\r\n\
    NET;GREF;BKG;B;N;http://igs.ifag.de/;none;none;none\r\n\
    STR;BRUS0;Brussels;RTCM2.0;1(1),3(60),16;0;GPS;Misc;BEL;50.80;4.36;0;0;Ashtech UZ-12;none;B;N;500;ROB\r\n\
    ENDSOURCETABLE\r\n";

#[test]
fn source_tables_are_read() {
    let get = "GET / HTTP/1.0\r\nUser-Agent: NTRIP client\r\nAccept: */*\r\n\r\n";
    for step in [1, 50, TABLE.len()] {
        let mut pieces: Vec<(Direction, &[u8])> = vec![(FromClient, get.as_bytes())];
        pieces.extend(TABLE.as_bytes().chunks(step).map(|piece| (FromServer, piece)));
        let rows = talk(&pieces);
        assert_eq!(rows.of("weird"), Vec::<Value>::new());
        let operations = rows.of("operation");
        let names: Vec<Value> = operations.iter().map(|row| row["name"].clone()).collect();
        assert_eq!(names, ["caster", "network", "stream", "source table"], "step {step}");
        assert_eq!(operations[2]["object"], "BRUS0");
        let detail = details(&operations[2]);
        assert_eq!((&detail["generator"], &detail["authentication"]), (&json!("Ashtech UZ-12"), &json!("B")));
        assert_eq!((&detail["latitude"], &detail["format"]), (&json!("50.80"), &json!("RTCM2.0")));
        assert_eq!(operations[3]["quantity"], 3);
        assert_eq!((rows.of("session").len(), rows.of("credential").len()), (0, 0));
    }
    // Asked for what there is not: the table comes in its place, and nobody logged in.
    let get = "GET /NONE HTTP/1.0\r\nUser-Agent: NTRIP client\r\n\r\n";
    let rows = talk(&[(FromClient, get.as_bytes()), (FromServer, TABLE.as_bytes())]);
    assert_eq!((rows.of("session").len(), rows.of("credential").len()), (0, 0));
}

#[test]
fn deviations_are_told() {
    let table = "SOURCETABLE 200 OK\r\n\r\nSTR;A\r\nnonsense\r\n";
    let get = "GET / HTTP/1.0\r\nUser-Agent: NTRIP client\r\n\r\n";
    let weird = |pieces: &[(Direction, &[u8])]| {
        let rows = feed_unprobed(&Ntrip, &flow(Transport::Tcp, 2101), pieces);
        assert!(rows.marks.iter().any(|mark| matches!(mark, Mark::Malformed(_))));
        rows.of("weird")[0]["name"].clone()
    };
    assert_eq!(weird(&[(FromClient, get.as_bytes()), (FromServer, table.as_bytes())]), "ntrip_source_table");
    assert_eq!(weird(&[(FromClient, b"nonsense\r\n\r\n")]), "ntrip_request");
    assert_eq!(weird(&[(FromServer, b"nonsense\r\n\r\n")]), "ntrip_answer");
    assert_eq!(weird(&[(FromServer, GET.as_bytes())]), "ntrip_answer");
    assert_eq!(weird(&[(FromClient, &vec![b'G'; HEAD_LIMIT + 1])]), "ntrip_head_too_long");
    let chunks = b"HTTP/1.1 200 OK\r\nContent-Type: gnss/data\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n";
    assert_eq!(weird(&[(FromClient, GET.as_bytes()), (FromServer, chunks)]), "ntrip_chunk");
}

#[test]
fn a_gap_in_the_corrections_does_no_harm() {
    use crate::Analyzer;
    let flow = flow(Transport::Tcp, 2101);
    let mut analyzer: Box<dyn Analyzer> = Ntrip.open(&flow);
    let mut rows = Recorder::default();
    let down = joined("ICY 200 OK\r\n\r\n", &hex(FRAME)[..9]);
    analyzer.feed(&pdu(&flow, 0, FromClient, GET.as_bytes()), &mut rows);
    analyzer.feed(&pdu(&flow, 1, FromServer, &down), &mut rows);
    analyzer.gap(FromServer, 7, &mut rows);
    analyzer.feed(&pdu(&flow, 2, FromServer, &joined("abc", &hex(FRAME))), &mut rows);
    analyzer.gap(FromClient, 7, &mut rows);
    analyzer.feed(&pdu(&flow, 3, FromClient, b"rest"), &mut rows);
    analyzer.close(&flow, &mut rows);
    assert_eq!((rows.of("weird").len(), rows.of("position").len()), (0, 1));
    assert_eq!(rows.marks, [Mark::Undecoded("ntrip after a gap")]);
}

#[test]
fn only_ntrip_is_claimed_and_the_rest_is_http() {
    let tcp = flow(Transport::Tcp, 80);
    let both = |data: &[u8]| {
        let pdu = pdu(&tcp, 0, FromClient, data);
        (Ntrip.probe(&pdu), Http.probe(&pdu))
    };
    assert_eq!(both(GET.as_bytes()), (Probe::Yes, Probe::No));
    assert_eq!(both(b"POST /A HTTP/1.1\r\nNtrip-Version: Ntrip/2.0\r\n\r\n"), (Probe::Yes, Probe::No));
    assert_eq!(both(b"ICY 200 OK\r\n\r\n"), (Probe::YesFromServer, Probe::No));
    assert_eq!(both(b"SOURCETABLE 200 OK\r\n"), (Probe::YesFromServer, Probe::No));
    assert_eq!(both(b"SOURCE pw /A\r\nSource-Agent: NTRIP x\r\n\r\n"), (Probe::Yes, Probe::No));
    assert_eq!(both(b"SOURCE pw /A\r\nSource-Ag").0, Probe::Unsure);
    // A radio station, and a source of one.
    assert_eq!(both(b"ICY 200 OK\r\nicy-notice1: x\r\n\r\n").0, Probe::No);
    assert_eq!(both(b"SOURCE /live HTTP/1.0\r\n\r\n"), (Probe::No, Probe::Yes));
    assert_eq!(both(b"GET / HTTP/1.1\r\nUser-Agent: curl\r\n\r\n"), (Probe::No, Probe::Yes));
    assert_eq!(both(b"GET / HTTP/1.1\r\n\r\nUser-Agent: NTRIP\r\n").0, Probe::No);
    assert_eq!(both(&hex(FRAME)).0, Probe::No);
}

#[test]
fn memory_is_bounded() {
    let mut table = "SOURCETABLE 200 OK\r\n\r\n".to_owned();
    for number in 0..RECORD_LIMIT + 50 {
        table.push_str(&format!("STR;M{number};x\r\n"));
    }
    table.push_str("ENDSOURCETABLE\r\n");
    let rows = talk(&[(FromServer, table.as_bytes())]);
    assert_eq!(rows.of("operation").len(), RECORD_LIMIT + 1);
    assert_eq!(rows.of("operation").last().unwrap()["quantity"], RECORD_LIMIT + 50);
}

#[test]
fn a_talk_may_be_cut_anywhere() {
    let down = joined("ICY 200 OK\r\nServer: x\r\n\r\n", &hex(FRAME));
    for step in 1..GET.len() {
        let mut pieces: Vec<(Direction, &[u8])> =
            GET.as_bytes().chunks(step).map(|piece| (FromClient, piece)).collect();
        pieces.extend(down.chunks(step).map(|piece| (FromServer, piece)));
        let rows = feed_unprobed(&Ntrip, &flow(Transport::Tcp, 2101), &pieces);
        assert_eq!((rows.of("weird").len(), rows.of("position").len()), (0, 1), "step {step}");
        assert_eq!(rows.of("session")[0]["outcome"], "success");
    }
    for length in 0..GET.len() {
        let _ = feed_unprobed(&Ntrip, &flow(Transport::Tcp, 2101), &[(FromClient, &GET.as_bytes()[..length])]);
        let _ = Ntrip.probe(&pdu(&flow(Transport::Tcp, 1), 0, FromClient, &GET.as_bytes()[..length]));
    }
    for length in 0..TABLE.len() {
        let _ = feed_unprobed(&Ntrip, &flow(Transport::Tcp, 2101), &[(FromServer, &TABLE.as_bytes()[..length])]);
    }
}

proptest! {
    #[test]
    fn any_bytes(data in prop::collection::vec(any::<u8>(), 1..300), step in 1usize..40, from_client in any::<bool>()) {
        let direction = if from_client { FromClient } else { FromServer };
        let pieces: Vec<(Direction, &[u8])> = data.chunks(step).map(|piece| (direction, piece)).collect();
        let _ = feed_unprobed(&Ntrip, &flow(Transport::Tcp, 2101), &pieces);
        let mut after: Vec<(Direction, &[u8])> = vec![(FromClient, GET.as_bytes()), (FromServer, b"ICY 200 OK\r\n")];
        after.extend(pieces);
        let _ = feed_unprobed(&Ntrip, &flow(Transport::Tcp, 2101), &after);
    }

    #[test]
    fn any_head(
        lines in prop::collection::vec(
            "(GET /A HTTP/1.0|SOURCE a /b|POST /A HTTP/1.1|ICY 200 OK|HTTP/1.1 200 OK|SOURCETABLE 200 OK|OK|ERROR|STR;a|Content-Length: [0-9]{1,3}|Transfer-Encoding: chunked|[0-9a-f]{1,2}|User-Agent: NTRIP|)",
            0..16,
        ),
        turns in any::<u16>(),
    ) {
        let pieces: Vec<(Direction, Vec<u8>)> = (0..).zip(&lines)
            .map(|(at, line)| (if turns >> at & 1 == 1 { FromClient } else { FromServer }, format!("{line}\r\n").into_bytes()))
            .collect();
        let pieces: Vec<(Direction, &[u8])> = pieces.iter().map(|(direction, line)| (*direction, line.as_slice())).collect();
        let _ = feed_unprobed(&Ntrip, &flow(Transport::Tcp, 2101), &pieces);
    }
}
