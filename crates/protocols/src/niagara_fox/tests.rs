//! Greetings as in `quickdraw-fox-info.pcap` frames 4, 6 and 9; the rest written by hand.

use proptest::prelude::*;
use quaywatch_model::{Direction, Transport};
use serde_json::json;

use super::message::{self, Head};
use super::{MESSAGE_LIMIT, NiagaraFox};
use crate::testing::{Recorder, feed, feed_unprobed, flow, pdu};
use crate::{Probe, Protocol};

use Direction::{FromClient, FromServer};

const ASKED: &[u8] = b"fox a 1 -1 fox hello\n{\nfox.version=s:1.0\nid=i:1\nhostName=s:xpvm-0omdc01xmy\n\
hostAddress=s:192.168.1.125\napp.name=s:Workbench\napp.version=s:3.7.44\nvm.name=s:Java HotSpot(TM) Server VM\n\
vm.version=s:20.4-b02\nos.name=s:Windows XP\nos.version=s:5.1\nlang=s:en\nbrandId=s:vykon\n};;\n";
const ANSWERED: &[u8] = b"fox a 0 -1 fox hello\n{\nfox.version=s:1.0\nid=i:2\nhostName=s:192.168.2.15\n\
hostAddress=s:192.168.2.15\napp.name=s:Station\napp.version=s:3.5.41.1\nvm.name=s:J9\nvm.version=s:2.3\nos.name=s:QNX\n\
os.version=s:6.3.2\nstation.name=s:Legion_HQ_V4\nlang=s:en\ntimeZone=s:Australia/Perth;28800000;0;null;null\n\
hostId=s:Qnx-NPM6-0000-1490-C30C\nbrandId=s:vykon\nsysInfo=o:bog 61[<bog version=\"1.0\">\n\
<p m=\"b=baja\" t=\"b:Facets\" v=\"\"/>\n</bog>\n]\n};;\n";
const CHALLENGE: &[u8] = b"fox a 1 -1 fox challenge\n{\nmethod=s:digest-md5\nnonce=b:4[\x00=:\n]\n};;\n";

fn talk(pieces: &[(Direction, &[u8])]) -> Recorder {
    feed(&NiagaraFox, &flow(Transport::Tcp, 1911), pieces)
}

fn told(rows: &Recorder) -> Vec<String> {
    let line = |row: &serde_json::Value| format!("{}|{}|{}", row["class"], row["name"], row["status"]).replace('"', "");
    rows.of("operation").iter().map(line).collect()
}

#[test]
fn greetings_say_who_the_sides_are() {
    let rows = talk(&[(FromClient, ASKED), (FromServer, ANSWERED), (FromServer, CHALLENGE)]);
    assert_eq!((rows.of("weird").len(), rows.marks.len()), (0, 0));
    let identities: Vec<String> = rows
        .of("identity")
        .iter()
        .filter(|row| row["subject"] == "10.0.0.2")
        .map(|row| format!("{} {}", row["attribute"], row["value"]).replace('"', ""))
        .collect();
    let wanted = [
        "host-name 192.168.2.15",
        "project Legion_HQ_V4",
        "vendor vykon",
        "serial Qnx-NPM6-0000-1490-C30C",
        "software Station 3.5.41.1",
        "os QNX 6.3.2",
        "software J9 2.3",
    ];
    assert_eq!(identities, wanted);
    let client = rows.of("identity").into_iter().filter(|row| row["subject"] == "10.0.0.1");
    assert!(client.clone().any(|row| row["value"] == "Workbench 3.7.44"));
    assert!(client.clone().any(|row| row["value"] == "Windows XP 5.1"));
    let service = &rows.of("service")[0];
    assert_eq!((&service["software"], &service["version"]), (&json!("Station 3.5.41.1"), &json!("1.0")));
    assert_eq!(told(&rows), ["session|fox hello|0", "session|fox challenge|null"]);
    let hello = &rows.of("operation")[0];
    assert_eq!((&hello["request_frame"], &hello["reply_frame"]), (&json!(1), &json!(2)));
    let detail: serde_json::Value = serde_json::from_str(hello["detail"].as_str().unwrap()).unwrap();
    assert_eq!(detail, json!({"host_address": "192.168.2.15", "time_zone": "Australia/Perth", "language": "en"}));
}

#[test]
fn logins_are_told_without_their_secret() {
    let login = b"fox a 2 -1 fox login\n{\nusername=s:operator\nhash=s:0123456789abcdef\n};;\n";
    for (answer, outcome, status) in
        [("welcome", "success", json!(0)), ("rejected", "failure", json!(1)), ("other", "unknown", json!(null))]
    {
        let answer = format!("fox a 2 -1 fox {answer}\n{{\n}};;\n");
        let rows = talk(&[(FromServer, CHALLENGE), (FromClient, login), (FromServer, answer.as_bytes())]);
        let session = &rows.of("session")[0];
        assert_eq!((&session["user"], &session["method"]), (&json!("operator"), &json!("digest-md5")));
        assert_eq!(session["outcome"], outcome);
        assert_eq!(rows.of("credential")[0]["weakness"], "weak-scheme");
        assert_eq!(rows.of("operation").last().unwrap()["status"], status);
        assert!(!format!("{rows:?}").contains("0123456789abcdef"));
    }
}

#[test]
fn requests_are_paired_by_number() {
    let rows = talk(&[
        (FromClient, b"fox s 5 -1 station invoke\n{\nwhat=m:{\nhandle=s:1f\n}\nlast=z:t\n};;\nfox s 6 -1 crypto keystore.getCertificates\n{\n};;\n"),
        (FromServer, b"fox e 7 6 crypto keystore.getCertificates\n{\n};;\n"),
        (FromServer, b"fox r 8 5 station invoke\n{\n};;\nfox k 9 -1 x y\n{\n};;\n"),
        (FromServer, b"fox a 10 -1 station event\n{\n};;\n"),
        (FromServer, b"fox a 11 -1 station event\n{\n};;\n"),
        (FromClient, b"fox s 12 -1 sys set\n{\n};;\n"),
    ]);
    let wanted = [
        "read|crypto keystore.getCertificates|1",
        "control|station invoke|0",
        "diagnose|station event|null",
        "write|sys set|null",
    ];
    assert_eq!(told(&rows), wanted);
}

#[test]
fn fields_within_messages_are_found() {
    let (head, fields) = message::read(b"fox s 5 -1 a b\n{\nx=m:{\ny=s:1\nz=b:3[};;]\n}\nw=s:2\n};;\n").unwrap();
    assert_eq!(head, Head { kind: b's', sequence: 5, answers: -1, channel: "a", command: "b" });
    assert_eq!((fields.find("y"), fields.find("w"), fields.find("v")), (Some("1"), Some("2"), None));
}

#[test]
fn damage_is_told_and_the_next_message_read() {
    let flow = flow(Transport::Tcp, 1911);
    let rows = feed_unprobed(&NiagaraFox, &flow, &[(FromClient, b"noise"), (FromClient, ASKED)]);
    assert_eq!(rows.of("weird")[0]["name"], "niagara_fox_framing");
    assert_eq!(rows.of("operation").len(), 1);
    let rows =
        feed_unprobed(&NiagaraFox, &flow, &[(FromClient, b"fox q 1 -1 fox hello\n{\n};;\n"), (FromClient, ASKED)]);
    assert_eq!(rows.of("weird")[0]["name"], "niagara_fox_message");
    assert_eq!(rows.of("operation").len(), 1);
    let endless = [b"fox a 1 -1 fox hello\n{\nx=s:".to_vec(), vec![b'x'; MESSAGE_LIMIT]].concat();
    let rows = feed_unprobed(&NiagaraFox, &flow, &[(FromClient, &endless), (FromClient, ASKED)]);
    assert_eq!(rows.of("weird").len(), 1);
}

#[test]
fn the_probe_is_strict() {
    let flow = flow(Transport::Tcp, 8080);
    let probe = |bytes: &[u8]| NiagaraFox.probe(&pdu(&flow, 0, FromClient, bytes));
    assert_eq!(probe(ASKED), Probe::Yes);
    assert_eq!(probe(ANSWERED), Probe::YesFromServer);
    assert_eq!(probe(CHALLENGE), Probe::YesFromServer);
    assert_eq!(probe(b"fo"), Probe::Unsure);
    assert_eq!(probe(b"fox a 1 -1 fox"), Probe::Unsure);
    assert_eq!(probe(b"fox hunting is a sport\n"), Probe::No);
    assert_eq!(probe(b"fox a 1 -1 fox hello\nx"), Probe::No);
    assert_eq!(probe(b"GET / HTTP/1.1\r\n"), Probe::No);
}

proptest! {
    #[test]
    fn any_pieces_give_the_same_rows(cuts in prop::collection::vec(1usize..60, 1..20)) {
        let flow = flow(Transport::Tcp, 1911);
        let stream = [ANSWERED, CHALLENGE].concat();
        let whole = feed_unprobed(&NiagaraFox, &flow, &[(FromServer, &stream)]);
        let mut pieces = Vec::new();
        let mut rest = stream.as_slice();
        for cut in cuts {
            let (piece, left) = rest.split_at(cut.min(rest.len()));
            if !piece.is_empty() {
                pieces.push((FromServer, piece));
            }
            rest = left;
        }
        if !rest.is_empty() {
            pieces.push((FromServer, rest));
        }
        let cut = feed_unprobed(&NiagaraFox, &flow, &pieces);
        prop_assert_eq!(whole.of("identity"), cut.of("identity"));
        prop_assert_eq!(told(&whole), told(&cut));
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 1..80), cut in 1usize..200) {
        let flow = flow(Transport::Tcp, 1911);
        let framed = [&b"fox s 1 -1 a b\n{\n"[..], &bytes, b"\n};;\n"].concat();
        let cut = &ANSWERED[..cut.min(ANSWERED.len())];
        let _ = NiagaraFox.probe(&pdu(&flow, 0, FromServer, cut));
        feed_unprobed(&NiagaraFox, &flow, &[(FromClient, &bytes), (FromClient, &framed), (FromServer, cut), (FromServer, &framed)]);
    }
}
