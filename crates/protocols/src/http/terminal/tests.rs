//! Requests and answers written by hand, by the description (WSDL) of N4's services, the Java Web Start guide, the Java
//! Object Serialization Specification and the published advisories.

use std::io::Write;

use proptest::prelude::*;
use quaywatch_model::{Direction, Transport};
use serde_json::{Value, json};

use super::{Asked, asked};
use crate::Protocol;
use crate::http::Http;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};

const ASK: Direction = Direction::FromClient;
const ANSWER: Direction = Direction::FromServer;

const BASIC: &str = r#"<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:arg="http://www.navis.com/services/argobasicservice"><soapenv:Header/><soapenv:Body><arg:basicInvoke><arg:scopeCoordinateIds>OPR/CPX/FCY/YRD</arg:scopeCoordinateIds><arg:xmlDoc><![CDATA[<hpu><entities><units><unit-identity id="CSQU3054383" type="CONTAINERIZED"/><unit id="CSQU3054384"/></units></entities><flags><flag hold-perm-id="CUSTOMS" action="RELEASE_HOLD" note="x"/></flags></hpu>]]></arg:xmlDoc></arg:basicInvoke></soapenv:Body></soapenv:Envelope>"#;
const BASIC_DONE: &str = r#"<soapenv:Envelope><soapenv:Body><basicInvokeResponse xmlns="http://www.navis.com/services/argobasicservice"><basicInvokeResponse>&lt;argo-response status="0" status-id="OK"&gt;&lt;/argo-response&gt;</basicInvokeResponse></basicInvokeResponse></soapenv:Body></soapenv:Envelope>"#;
const GENERIC: &str = r#"<?xml version="1.0"?><s:Envelope><s:Body><arg:genericInvoke><arg:scopeCoordinateIdsWsType><!--Optional:--><v1:operatorId>OPR</v1:operatorId><v1:complexId>CPX</v1:complexId><v1:facilityId>FCY</v1:facilityId><v1:yardId>YRD</v1:yardId></arg:scopeCoordinateIdsWsType><arg:xmlDoc>&lt;gate&gt;&lt;process-truck&gt;&lt;gate-id&gt;MAIN&lt;/gate-id&gt;&lt;stage-id&gt;ingate&lt;/stage-id&gt;&lt;truck license-nbr="T1"/&gt;&lt;container eqid="MSKU6011672"/&gt;&lt;/process-truck&gt;&lt;/gate&gt;</arg:xmlDoc></arg:genericInvoke></s:Body></s:Envelope>"#;

fn post(path: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: n4.port.example:9080\r\nContent-Type: text/xml;charset=UTF-8\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn reply(status: &str, kind: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn run(asked: &[u8], answered: &[u8]) -> Recorder {
    let answer = (!answered.is_empty()).then_some((ANSWER, answered));
    feed(&Http, &flow(Transport::Tcp, 9080), &std::iter::once((ASK, asked)).chain(answer).collect::<Vec<_>>())
}

fn invoked(path: &str, document: &str) -> Value {
    let body =
        format!("<Envelope><Body><basicInvoke><xmlDoc><![CDATA[{document}]]></xmlDoc></basicInvoke></Body></Envelope>");
    run(post(path, &body).as_bytes(), b"").of("operation")[0].clone()
}

fn claims(recorder: &Recorder) -> Vec<String> {
    let line = |row: &Value| format!("{} {} {}", row["attribute"], row["value"], row["method"]).replace('"', "");
    recorder.of("identity").iter().map(line).collect()
}

#[test]
fn holds_released_by_the_basic_service_are_told() {
    let rows = run(
        post("/apex/services/argobasicservice", BASIC).as_bytes(),
        reply("200 OK", "text/xml", BASIC_DONE).as_bytes(),
    );
    let row = &rows.of("operation")[0];
    assert_eq!(
        (&row["protocol"], &row["name"], &row["class"], &row["object"]),
        (&json!("navis"), &json!("hpu"), &json!("write"), &json!("CSQU3054383 CSQU3054384"))
    );
    assert_eq!((&row["status"], &row["status_name"], &row["quantity"]), (&json!(0), &json!("OK"), &json!(2)));
    assert_eq!(
        (&row["request_frame"], &row["reply_frame"], &row["latency"]),
        (&json!(1), &json!(2), &json!(1_000_000))
    );
    let detail: Value = serde_json::from_str(row["detail"].as_str().unwrap()).unwrap();
    assert_eq!(
        detail,
        json!({"path": "/apex/services/argobasicservice", "service": "argobasicservice", "invoke": "basicInvoke",
            "scope": "OPR/CPX/FCY/YRD", "holds": ["CUSTOMS"], "actions": ["RELEASE_HOLD"]})
    );
    let cargo: Vec<_> = rows.of("cargo").iter().map(|row| (row["id"].clone(), row["check"].clone())).collect();
    assert_eq!(cargo, [(json!("CSQU3054383"), json!(true)), (json!("CSQU3054384"), json!(false))]);
    assert_eq!(claims(&rows), ["product Navis N4 navis path", "vendor Navis navis path"]);
    assert_eq!(rows.of("request")[0]["protocol"], "navis");
    assert_eq!(rows.of("service")[0]["protocol"], "navis");
    assert!(rows.of("weird").is_empty());
}

#[test]
fn documents_sent_as_text_are_read_and_refusals_told() {
    let refused = r#"<Envelope><Body><genericInvokeResponse><commonResponse><ns:Status>3</ns:Status></commonResponse><responsePayLoad>&lt;argo-response&gt;&lt;messages&gt;&lt;message message-id="ERROR_UNSUPPORTED_XML_ROOT"/&gt;&lt;/messages&gt;</responsePayLoad></genericInvokeResponse></Body></Envelope>"#;
    let rows = run(
        post("/apex/services/argoservice?wsdl", GENERIC).as_bytes(),
        reply("200 OK", "text/xml", refused).as_bytes(),
    );
    let row = &rows.of("operation")[0];
    assert_eq!(
        (&row["name"], &row["class"], &row["object"]),
        (&json!("gate process-truck"), &json!("write"), &json!("MSKU6011672"))
    );
    assert_eq!((&row["status"], &row["status_name"]), (&json!(3), &json!("ERRORS")));
    let detail: Value = serde_json::from_str(row["detail"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&detail["scope"], &detail["gate"], &detail["stage"], &detail["message"]),
        (&json!("OPR/CPX/FCY/YRD"), &json!("MAIN"), &json!("ingate"), &json!("ERROR_UNSUPPORTED_XML_ROOT"))
    );
}

#[test]
fn logins_in_the_envelope_are_told_without_their_secret() {
    let token = "<Header><Security><UsernameToken><Username>n4api</Username><Password>hunter2</Password></UsernameToken></Security></Header><Body>";
    let body = GENERIC.replace("<s:Body>", token).replace("</s:Body>", "</Body>");
    let rows = run(post("/apex/services/argoservice", &body).as_bytes(), reply("200 OK", "text/xml", "").as_bytes());
    let session = &rows.of("session")[0];
    assert_eq!(
        (&session["protocol"], &session["user"], &session["method"]),
        (&json!("navis"), &json!("n4api"), &json!("wsse-text"))
    );
    assert_eq!(rows.of("operation")[0]["name"], "gate process-truck");
    assert!(!format!("{:?}", rows.rows).contains("hunter2"));
}

#[test]
fn requests_are_classed_by_what_they_do() {
    let service = "/apex/services/argobasicservice";
    for (document, name, class, object) in [
        ("<query><entityName>User</entityName></query>", "query", "read", "User"),
        ("<gate><read-appointment/></gate>", "gate read-appointment", "read", ""),
        ("<gate><create-appointment/></gate>", "gate create-appointment", "write", ""),
        ("<gate/>", "gate", "write", ""),
        ("<argo:snx><icu><units/></icu><hpu/></argo:snx>", "snx icu hpu", "write", ""),
        ("<groovy class-location='database' class-name='PaidThru'/>", "groovy", "control", "PaidThru"),
        (
            "<custom class='Phase' type='extension'><update-vv-phase/></custom>",
            "custom update-vv-phase",
            "control",
            "Phase",
        ),
        ("", "basicInvoke", "write", ""),
    ] {
        let row = invoked(service, document);
        assert_eq!(
            (&row["name"], &row["class"], &row["object"]),
            (&json!(name), &json!(class), &json!(object)),
            "{document}"
        );
        assert_eq!((&row["status"], &row["reply_frame"]), (&Value::Null, &Value::Null));
    }
    // The REST service takes a document without an envelope.
    let rows = run(post("/apex/rest/xml/argoservice", "<hpu><units><unit id='A'/></units></hpu>").as_bytes(), b"");
    assert_eq!(rows.of("operation")[0]["name"], "hpu");
}

#[test]
fn stored_filters_and_code_are_told_with_their_scope() {
    let get =
        |target: &str| format!("GET {target} HTTP/1.1\r\nHost: n4\r\nAuthorization: Basic YWRtaW46YWRtaW4=\r\n\r\n");
    let scope = "operatorId=OPR&complexId=CPX&facilityId=FCY&yardId=YRD";
    let rows = run(
        get(&format!("/apex/api/query?filtername=REEFERS&PARM_X=1&{scope}")).as_bytes(),
        reply("200 OK", "text/xml", "<x/>").as_bytes(),
    );
    let row = &rows.of("operation")[0];
    assert_eq!((&row["name"], &row["class"], &row["object"]), (&json!("query"), &json!("read"), &json!("REEFERS")));
    assert_eq!(row["detail"], r#"{"path":"/apex/api/query","scope":"OPR/CPX/FCY/YRD"}"#);
    // The login of HTTP is the terminal operating system's.
    assert_eq!(rows.of("session")[0]["protocol"], "navis");
    assert_eq!(rows.of("credential")[0]["protocol"], "navis");
    let rows = run(get(&format!("/apex/api/codeextension?extensionname=Check&{scope}")).as_bytes(), b"");
    assert_eq!(rows.of("operation")[0]["class"], "control");
    let rows = run(get("/apex/services/argoservice?wsdl").as_bytes(), reply("401 No", "text/html", "").as_bytes());
    let row = &rows.of("operation")[0];
    assert_eq!(
        (&row["name"], &row["status"], &row["status_name"]),
        (&json!("describe"), &json!(401), &json!("http 401"))
    );
    assert!(claims(&rows).is_empty());
}

const LAUNCH: &str = r#"<?xml version="1.0"?><jnlp spec="1.0+" codebase="http://n4:9080/apex/"><information><title>N4 Client</title><vendor>Navis</vendor></information><security><all-permissions/></security><resources><j2se version="1.6+"/><jar href="client.jar" version="3.1"/></resources><application-desc main-class="x.Launcher"/></jnlp>"#;
const FETCH: &str = "GET /apex/n4.jnlp HTTP/1.1\r\nUser-Agent: JNLP/1.7.0 javaws/11.51.2.16 () Java/1.8.0_51\r\n\r\n";

#[test]
fn launch_files_tell_what_they_start() {
    let rows = run(FETCH.as_bytes(), reply("200 OK", "application/x-java-jnlp-file", LAUNCH).as_bytes());
    let row = &rows.of("operation")[0];
    assert_eq!(
        (&row["name"], &row["class"], &row["object"], &row["quantity"]),
        (&json!("jnlp"), &json!("read"), &json!("/apex/n4.jnlp"), &json!(1))
    );
    let detail: Value = serde_json::from_str(row["detail"].as_str().unwrap()).unwrap();
    assert_eq!(
        detail,
        json!({"title": "N4 Client", "vendor": "Navis", "codebase": "http://n4:9080/apex/", "main_class": "x.Launcher",
            "java": ["1.6+"], "jars": ["client.jar 3.1"], "all_permissions": true})
    );
    assert_eq!(
        claims(&rows)[1..],
        [
            "software Java 1.8.0_51 java user-agent",
            "product N4 Client jnlp title",
            "vendor Navis jnlp vendor",
            "software Web Start application for Java 1.6+ jnlp java version",
        ]
    );
}

#[test]
fn packed_launch_files_are_read_and_those_of_others_are_no_operations() {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(LAUNCH.as_bytes()).unwrap();
    let packed = packer.finish().unwrap();
    let mut answer =
        format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", packed.len()).into_bytes();
    answer.extend_from_slice(&packed);
    // Elsewhere than below `/apex/`: by its content.
    let rows = run(b"GET /start.jnlp HTTP/1.1\r\n\r\n", &answer);
    assert_eq!(rows.of("operation")[0]["protocol"], "navis");
    let other = "<jnlp codebase='http://bmc/'><information><title>Console</title><vendor>A</vendor></information><resources><j2se version='1.5+'/></resources></jnlp>";
    let rows =
        run(b"GET /start.jnlp HTTP/1.1\r\n\r\n", reply("200 OK", "application/x-java-jnlp-file", other).as_bytes());
    assert!(rows.of("operation").is_empty());
    assert_eq!(claims(&rows)[2], "software Web Start application for Java 1.5+ jnlp java version");
    assert_eq!(rows.of("request")[0]["protocol"], "http");
}

fn object() -> Vec<u8> {
    [&hex("aced0005 7372 0011")[..], b"java.util.HashMap", &hex("0507dac1c31660d1 03")].concat()
}

fn post_bytes(path: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

#[test]
fn the_ultra_light_client_is_told_once_and_java_objects_in_it() {
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(b"init request of the client, logging in").unwrap();
    let packed = packer.finish().unwrap();
    let mut asked = post_bytes("/apex/ulc", &packed);
    asked.extend(post_bytes("/apex/ulc", &packed));
    asked.extend(post_bytes("/apex/ulc", &object()));
    let answer = reply("200 OK", "application/octet-stream", "x").repeat(3);
    let rows = run(&asked, answer.as_bytes());
    let told: Vec<_> = rows.of("operation").iter().map(|row| (row["name"].clone(), row["class"].clone())).collect();
    assert_eq!(told, [(json!("ulc"), json!("session")), (json!("java-object"), json!("control"))]);
    assert_eq!(
        rows.of("operation")[0]["detail"],
        r#"{"path":"/apex/ulc","content_type":"application/octet-stream","coding":"zlib"}"#
    );
    assert_eq!(rows.of("operation")[1]["object"], "java.util.HashMap");
    let session = &rows.of("session")[0];
    assert_eq!(
        (&session["method"], &session["outcome"], &session["encrypted"]),
        (&json!("ulc"), &json!("success"), &json!(false))
    );
    assert_eq!(rows.of("session").len(), 1);
    assert_eq!(rows.of("weird").len(), 1);
    assert_eq!(rows.of("weird")[0]["name"], "http_java_serialized_object");
    assert_eq!(rows.of("weird")[0]["detail"], "a request carries Java objects, the first of class java.util.HashMap");
    assert_eq!(rows.of("request").len(), 3);
}

#[test]
fn java_objects_are_told_wherever_they_are_sent() {
    // To a service that expects XML.
    let rows = run(&post_bytes("/apex/services/argoservice", &object()), b"");
    assert_eq!(rows.of("operation")[0]["name"], "java-object");
    assert_eq!(rows.of("weird").len(), 1);
    // To another server; whole, in base64, in pieces, and cut by the end of the capture.
    let asked = post_bytes("/invoker", &object());
    for (size, length) in [(1, asked.len()), (3, asked.len()), (9999, asked.len()), (7, asked.len() - 9)] {
        let pieces: Vec<_> = asked[..length].chunks(size).map(|piece| (ASK, piece)).collect();
        let rows = feed_unprobed(&Http, &flow(Transport::Tcp, 80), &pieces);
        let weird = rows.of("weird");
        assert_eq!(weird.len(), 1, "{size}");
        assert_eq!(weird[0]["protocol"], "http");
        assert!(weird[0]["detail"].as_str().unwrap().ends_with("java.util.HashMap"), "{size}");
        assert!(rows.of("operation").is_empty());
    }
    let rows = run(&post_bytes("/x", b"rO0ABXNyABFqYXZhLnV0aWwuSGFzaE1hcA=="), b"");
    assert_eq!(rows.of("weird").len(), 1);
    let rows = run(&post_bytes("/x", b"rO0 is no stream of objects at all"), b"");
    assert!(rows.of("weird").is_empty());
}

#[test]
fn keys_of_notices_are_numbers() {
    let page = "<html>Copyright Navis, A Zebra Technologies Company. <b>Navis WebAccess</b> Version 2.3.1</html>";
    let rows = |target: &str| {
        run(format!("GET {target} HTTP/1.1\r\n\r\n").as_bytes(), reply("200 OK", "text/html", page).as_bytes())
    };
    let good = rows("/express/showNotice.do?report_type=1&GKEY=17");
    assert!(good.of("weird").is_empty());
    assert_eq!(
        claims(&good),
        [
            "product Navis WebAccess navis path",
            "vendor Navis navis path",
            "product Navis WebAccess navis page",
            "software Navis WebAccess 2.3.1 navis page",
        ]
    );
    assert_eq!(
        (&good.of("operation")[0]["name"], &good.of("operation")[0]["object"]),
        (&json!("webaccess"), &json!("showNotice.do"))
    );
    let bad = rows("/express/showNotice.do?report_type=1&GKEY=2%20AND%201=1");
    assert_eq!(bad.of("weird")[0]["name"], "navis_webaccess_key");
}

#[test]
fn targets_of_others_are_left_alone() {
    let ask = |target: &str| asked("POST", target.as_bytes(), false);
    assert_eq!(ask("/apex/services/argoservice"), Some(Asked::Service));
    assert_eq!(ask("http://n4:9080/apex/services/inventoryservice"), Some(Asked::Service));
    assert_eq!(ask("/APEX/N4.ULC;jsessionid=1?x"), Some(Asked::Ulc));
    assert_eq!(ask("/ulcservlet"), Some(Asked::Ulc));
    for other in [
        "/apex/f?p=100:1",
        "/apex/",
        "/inventoryservice",
        "/ulcer",
        "/a.ulcx",
        "/.ulc",
        "/express/shop.do",
        "/api/query?filtername=x",
        "/apex/api/query",
        "/showNotice.do",
        "*",
        "",
        "/.jnlp",
    ] {
        assert_eq!(ask(other), None, "{other}");
    }
    // Once known, the flow's pages are looked at for the product's version.
    assert_eq!(asked("GET", b"/apex/index.html", true), Some(Asked::Page));
    assert_eq!(asked("GET", b"/apex/logo.png", true), None);
}

#[test]
fn pages_name_the_product() {
    assert_eq!(
        super::tell::product(b"<title>Navis N4</title><p>Navis N4 - Version: <b>3.8.21.</b>"),
        Some(("Navis N4", "3.8.21".to_owned()))
    );
    assert_eq!(super::tell::product(b"Navis N4 copyright 2020"), Some(("Navis N4", String::new())));
    assert_eq!(super::tell::product(b"N4 1.2"), None);
}

fn dialogue() -> (Vec<u8>, Vec<u8>) {
    let mut asked = post("/apex/services/argobasicservice", BASIC).into_bytes();
    asked.extend_from_slice(FETCH.as_bytes());
    asked.extend(post_bytes("/apex/ulc", &object()));
    asked.extend_from_slice(post("/apex/services/argoservice", GENERIC).as_bytes());
    let mut answered = reply("200 OK", "text/xml", BASIC_DONE).into_bytes();
    answered.extend_from_slice(reply("200 OK", "application/x-java-jnlp-file", LAUNCH).as_bytes());
    answered.extend_from_slice(
        b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n<Fault>until the end",
    );
    (asked, answered)
}

fn in_pieces(asked: &[u8], answered: &[u8], size: usize) -> Recorder {
    let asked = asked.chunks(size).map(|piece| (ASK, piece));
    let pieces: Vec<_> = asked.chain(answered.chunks(size).map(|piece| (ANSWER, piece))).collect();
    feed_unprobed(&Http, &flow(Transport::Tcp, 9080), &pieces)
}

#[test]
fn rows_are_the_same_however_the_stream_is_cut() {
    let (asked, answered) = dialogue();
    let told = |rows: &Recorder| -> Vec<String> {
        let untimed = |(_, row): &(_, Value)| {
            let mut row = row.clone();
            if let Some(operation) = row.get_mut("operation").and_then(Value::as_object_mut) {
                for key in ["latency", "request_frame", "reply_frame"] {
                    operation.remove(key);
                }
            }
            row.to_string()
        };
        rows.rows.iter().map(untimed).collect()
    };
    let whole = in_pieces(&asked, &answered, 99_999);
    let names: Vec<_> = whole.of("operation").iter().map(|row| format!("{} {}", row["name"], row["status"])).collect();
    assert_eq!(names, ["\"hpu\" 0", "\"jnlp\" 0", "\"java-object\" 500", "\"gate process-truck\" 3"]);
    for size in [1, 2, 5, 64, 700] {
        assert_eq!(told(&in_pieces(&asked, &answered, size)), told(&whole), "{size}");
    }
}

#[test]
fn what_is_missing_leaves_the_rest() {
    let flow = flow(Transport::Tcp, 9080);
    let mut out = Recorder::default();
    let mut analyzer = Http.open(&flow);
    let asked = post("/apex/services/argobasicservice", BASIC);
    let (head, tail) = asked.split_at(asked.len() - 120);
    analyzer.feed(&pdu(&flow, 0, ASK, head.as_bytes()), &mut out);
    analyzer.gap(ASK, 100, &mut out);
    analyzer.feed(&pdu(&flow, 1, ASK, &tail.as_bytes()[100..]), &mut out);
    analyzer.feed(&pdu(&flow, 2, ANSWER, reply("200 OK", "text/xml", BASIC_DONE).as_bytes()), &mut out);
    let row = &out.of("operation")[0];
    assert_eq!((&row["name"], &row["status"]), (&json!("hpu"), &json!(0)));
    assert_eq!(out.of("cargo").len(), 2);
    // A gap in the answer: the status of HTTP is left.
    let mut out = Recorder::default();
    let mut analyzer = Http.open(&flow);
    analyzer.feed(&pdu(&flow, 0, ASK, asked.as_bytes()), &mut out);
    let answer = reply("200 OK", "text/xml", BASIC_DONE);
    analyzer.feed(&pdu(&flow, 1, ANSWER, &answer.as_bytes()[..120]), &mut out);
    analyzer.gap(ANSWER, 5000, &mut out);
    assert_eq!(
        (&out.of("operation")[0]["status"], &out.of("operation")[0]["status_name"]),
        (&json!(0), &json!("http 200"))
    );
    assert_eq!(analyzer.service(), Some("navis"));
}

#[test]
fn long_documents_are_read_as_far_as_they_are_kept() {
    let long = BASIC.replace("</units>", &format!("{}</units>", "<unit id=\"A\"/>".repeat(super::MAX_DOCUMENT / 8)));
    let rows = run(post("/apex/services/argobasicservice", &long).as_bytes(), b"");
    let row = &rows.of("operation")[0];
    assert_eq!(row["name"], "hpu");
    assert!(row["quantity"].as_u64().unwrap() < super::MAX_DOCUMENT as u64 / 10);
}

#[test]
fn truncations_do_no_harm() {
    let (asked, answered) = dialogue();
    for length in 1..asked.len() {
        in_pieces(&asked[..length], b"", 9999);
    }
    for length in 1..answered.len() {
        in_pieces(&asked, &answered[..length], 9999);
    }
}

proptest! {
    #[test]
    fn damaged_dialogues_do_no_harm(at in 0usize..2000, byte: u8, size in 1usize..200, other in 0usize..900, second: u8) {
        let (mut asked, mut answered) = dialogue();
        if let Some(place) = asked.get_mut(at) {
            *place = byte;
        }
        if let Some(place) = answered.get_mut(other) {
            *place = second;
        }
        in_pieces(&asked, &answered, size);
    }
}
