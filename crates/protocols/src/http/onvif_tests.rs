use proptest::prelude::*;
use quaywatch_model::{Direction, Mark, Transport};
use serde_json::{Value, json};

use super::Http;
use crate::Protocol;
use crate::testing::{Recorder, feed, feed_unprobed, flow, pdu};

const ASK: Direction = Direction::FromClient;
const ANSWER: Direction = Direction::FromServer;

/// The digest of the ONVIF Application Programmer's Guide, section "WS-UsernameToken": of `userpassword`.
const DIGEST: &str = "<wsse:Password Type=\"http://docs.oasis-open.org/wss/2004/01/\
    oasis-200401-wss-username-token-profile-1.0#PasswordDigest\">tuOSpGlFlIXsozq4HFNeeGeFLEI=</wsse:Password>\
    <wsse:Nonce>LKqI6G/AikKCQrN0zqZFlg==</wsse:Nonce><wsu:Created>2010-09-16T07:50:45Z</wsu:Created>";
const TEXT: &str = "<wsse:Password Type=\"http://docs.oasis-open.org/wss/2004/01/\
    oasis-200401-wss-username-token-profile-1.0#PasswordText\">admin</wsse:Password>";

/// A request by the WSDL of the device service (Core Specification).
fn ask(account: &str, proof: &str, body: &str) -> (Direction, String) {
    let header = if proof.is_empty() {
        String::new()
    } else {
        format!(
            "<s:Header><wsse:Security xmlns:wsse=\"urn:wsse\"><wsse:UsernameToken><wsse:Username>{account}</wsse:Username>\
             {proof}</wsse:UsernameToken></wsse:Security></s:Header>"
        )
    };
    let document = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\">{header}\
         <s:Body xmlns:tds=\"http://www.onvif.org/ver10/device/wsdl\">{body}</s:Body></s:Envelope>"
    );
    let head = "POST /onvif/device_service HTTP/1.1\r\nHost: 10.0.0.2\r\nUser-Agent: vms 4.2\r\n\
        Content-Type: application/soap+xml; charset=utf-8\r\n";
    (ASK, format!("{head}Content-Length: {}\r\n\r\n{document}", document.len()))
}

fn answer(status: &str, body: &str) -> (Direction, String) {
    let document = format!(
        "<?xml version=\"1.0\"?><env:Envelope xmlns:env=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:tds=\"http://www.onvif.org/ver10/device/wsdl\" xmlns:tt=\"http://www.onvif.org/ver10/schema\">\
         <env:Body>{body}</env:Body></env:Envelope>"
    );
    let head = "Server: gSOAP/2.8\r\nContent-Type: application/soap+xml\r\n";
    (ANSWER, format!("HTTP/1.1 {status}\r\n{head}Content-Length: {}\r\n\r\n{document}", document.len()))
}

const INFORMATION: &str = "<tds:GetDeviceInformationResponse><tds:Manufacturer>Quay &amp; Sons</tds:Manufacturer>\
    <tds:Model>Cam 7</tds:Model><tds:FirmwareVersion>5.4.0 build 1</tds:FirmwareVersion>\
    <tds:SerialNumber>QC0007</tds:SerialNumber><tds:HardwareId>88</tds:HardwareId></tds:GetDeviceInformationResponse>";
const TIME: &str = "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType>\
    <tt:UTCDateTime><tt:Time><tt:Hour>0</tt:Hour><tt:Minute>1</tt:Minute><tt:Second>0</tt:Second></tt:Time>\
    <tt:Date><tt:Year>1970</tt:Year><tt:Month>1</tt:Month><tt:Day>1</tt:Day></tt:Date></tt:UTCDateTime>\
    <tt:LocalDateTime><tt:Time><tt:Hour>9</tt:Hour></tt:Time></tt:LocalDateTime></tds:SystemDateAndTime>\
    </tds:GetSystemDateAndTimeResponse>";
const USERS: &str = "<tds:GetUsersResponse><tds:User><tt:Username>admin</tt:Username>\
    <tt:UserLevel>Administrator</tt:UserLevel></tds:User><tds:User><tt:Username>view</tt:Username>\
    <tt:UserLevel>User</tt:UserLevel></tds:User></tds:GetUsersResponse>";
const NEW_USER: &str = "<tds:CreateUsers><tds:User><tt:Username>crane7</tt:Username><tt:Password>hunter2&amp;</tt:Password>\
    <tt:UserLevel>Administrator</tt:UserLevel></tds:User><tds:User><tt:Username>guest</tt:Username>\
    <tt:Password>guest</tt:Password><tt:UserLevel>User</tt:UserLevel></tds:User></tds:CreateUsers>";
/// Core Specification, generic faults.
const REFUSED: &str = "<env:Fault><env:Code><env:Value>env:Sender</env:Value><env:Subcode><env:Value>ter:NotAuthorized\
    </env:Value></env:Subcode></env:Code><env:Reason><env:Text xml:lang=\"en\">Sender Not Authorized</env:Text>\
    </env:Reason></env:Fault>";

fn run(pieces: &[(Direction, String)]) -> Recorder {
    let pieces: Vec<_> = pieces.iter().map(|(direction, text)| (*direction, text.as_bytes())).collect();
    feed(&Http, &flow(Transport::Tcp, 80), &pieces)
}

fn lines(out: &Recorder, kind: &str, keys: &[&str]) -> Vec<String> {
    let line = |row: &Value| {
        keys.iter().map(|key| row[*key].as_str().map_or(row[*key].to_string(), str::to_owned)).collect::<Vec<_>>()
    };
    out.of(kind).iter().map(|row| line(row).join(" ")).collect()
}

fn dialogue() -> Vec<(Direction, String)> {
    vec![
        ask("", "", "<tds:GetSystemDateAndTime/>"),
        answer("200 OK", TIME),
        ask("user", DIGEST, "<tds:GetDeviceInformation/>"),
        answer("200 OK", INFORMATION),
        ask("admin", TEXT, "<tds:GetUsers/>"),
        answer("400 Bad Request", REFUSED),
        ask("user", DIGEST, "<tds:GetUsers/>"),
        answer("200 OK", USERS),
        ask("user", DIGEST, NEW_USER),
        answer("200 OK", "<tds:CreateUsersResponse/>"),
        ask(
            "user",
            DIGEST,
            "<tds:SetSystemFactoryDefault><tds:FactoryDefault>Hard</tds:FactoryDefault></tds:SetSystemFactoryDefault>",
        ),
        answer("200 OK", "<tds:SetSystemFactoryDefaultResponse/>"),
        ask("user", DIGEST, "<tds:SystemReboot/>"),
    ]
}

#[test]
fn commands_are_told_with_what_they_do() {
    let out = run(&dialogue());
    assert_eq!(
        lines(&out, "operation", &["protocol", "name", "class", "object", "status", "status_name"]),
        [
            "onvif GetSystemDateAndTime read device 200 OK",
            "onvif GetDeviceInformation identify device 200 OK",
            "onvif GetUsers read device 400 NotAuthorized",
            "onvif GetUsers read device 200 OK",
            "onvif CreateUsers configure device 200 OK",
            "onvif SetSystemFactoryDefault configure device 200 OK",
            "onvif SystemReboot control device null ",
        ]
    );
    let rows = out.of("operation");
    assert_eq!((&rows[1]["request_frame"], &rows[1]["reply_frame"]), (&json!(3), &json!(4)));
    assert_eq!(rows[1]["latency"], 1_000_000);
    assert_eq!(rows[3]["detail"], r#"{"users":["admin (Administrator)","view (User)"]}"#);
    assert_eq!(rows[4]["detail"], r#"{"users":["crane7 (Administrator)","guest (User)"]}"#);
    assert_eq!(rows[5]["detail"], r#"{"factory_default":"Hard"}"#);
    assert_eq!(
        lines(&out, "request", &["protocol", "method", "uri", "status"])[0],
        "onvif POST /onvif/device_service 200"
    );
    assert!(out.of("weird").is_empty() && out.marks.is_empty(), "{:?}", out.marks);
}

#[test]
fn a_camera_says_what_it_is() {
    let out = run(&dialogue());
    let told = lines(&out, "identity", &["attribute", "value", "method"]);
    for wanted in [
        "vendor Quay & Sons onvif device information",
        "model Cam 7 onvif device information",
        "firmware 5.4.0 build 1 onvif device information",
        "serial QC0007 onvif device information",
        "hardware 88 onvif device information",
    ] {
        assert!(told.iter().any(|line| line == wanted), "{wanted}: {told:?}");
    }
    assert_eq!(lines(&out, "clock", &["method", "skew"]), ["onvif system date and time 59999000000"]);
    assert!(lines(&out, "service", &["protocol", "software"]).contains(&"onvif gSOAP/2.8".to_owned()));
    let scopes = "<tds:GetScopesResponse><tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef>\
        <tt:ScopeItem>onvif://www.onvif.org/location/quay%201</tt:ScopeItem></tds:Scopes></tds:GetScopesResponse>";
    let name = "<tds:GetHostnameResponse><tds:HostnameInformation><tt:FromDHCP>false</tt:FromDHCP>\
        <tt:Name>cam-7</tt:Name></tds:HostnameInformation></tds:GetHostnameResponse>";
    let interfaces = "<tds:GetNetworkInterfacesResponse><tds:NetworkInterfaces token=\"eth0\"><tt:Info>\
        <tt:Name>eth0</tt:Name><tt:HwAddress>02:00:00:00:00:07</tt:HwAddress></tt:Info></tds:NetworkInterfaces>\
        </tds:GetNetworkInterfacesResponse>";
    let mut pieces = Vec::new();
    for (command, body) in [("GetScopes", scopes), ("GetHostname", name), ("GetNetworkInterfaces", interfaces)] {
        pieces.extend([ask("user", DIGEST, &format!("<tds:{command}/>")), answer("200 OK", body)]);
    }
    let told = lines(&run(&pieces), "identity", &["attribute", "value"]);
    assert_eq!(told[2..], ["location quay 1", "host-name cam-7", "mac 02:00:00:00:00:07"]);
}

#[test]
fn logins_are_told_without_secrets() {
    let out = run(&dialogue());
    assert_eq!(
        lines(&out, "session", &["protocol", "user", "method", "outcome", "client_software"]),
        [
            "onvif user wsse-digest success vms 4.2",
            "onvif admin wsse-text failure vms 4.2",
            "onvif user wsse-digest unknown vms 4.2"
        ]
    );
    assert_eq!(
        lines(&out, "credential", &["account", "weakness", "rule"]),
        [
            "user weak-scheme WS-Security digest with SHA-1 and the client's nonce",
            "admin clear-text password sent unencrypted",
            "crane7 clear-text password sent unencrypted",
            "guest clear-text password sent unencrypted",
            "guest default password is a published factory default",
        ]
    );
    let all = format!("{:?}", out.rows);
    assert!(!all.contains("hunter2") && !all.contains("tuOSpGlF") && !all.contains("LKqI6G"));
}

#[test]
fn what_is_done_for_anyone_is_told() {
    let out = run(&[ask("", "", "<tds:SystemReboot/>"), answer("200 OK", "<tds:SystemRebootResponse/>")]);
    assert_eq!(lines(&out, "credential", &["weakness", "rule"]), ["anonymous command accepted without a login"]);
    // Refused, or asked with a login of HTTP, or what must be answered to all: nothing is wrong.
    let refused = [ask("", "", "<tds:SystemReboot/>"), answer("400 Bad Request", REFUSED)];
    let open = [ask("", "", "<tds:GetCapabilities/>"), answer("200 OK", "<tds:GetCapabilitiesResponse/>")];
    assert!(run(&refused).of("credential").is_empty() && run(&open).of("credential").is_empty());
    let (_, text) = ask("", "", "<tds:SystemReboot/>");
    let digest = "Authorization: Digest username=\"ops\", algorithm=SHA-256, response=\"00\"\r\nContent-Length";
    let by_http = [(ASK, text.replace("Content-Length", digest)), answer("200 OK", "<tds:SystemRebootResponse/>")];
    assert_eq!(lines(&run(&by_http), "credential", &["weakness"]), ["none"]);
    assert_eq!(lines(&run(&by_http), "session", &["protocol", "user", "method"]), ["onvif ops digest"]);
}

#[test]
fn an_answer_may_end_with_the_connection_or_come_in_chunks() {
    let asked = ask("user", DIGEST, "<tds:GetDeviceInformation/>");
    let (_, whole) = answer("200 OK", INFORMATION);
    let (head, document) = whole.split_once("\r\n\r\n").unwrap();
    let head = head.split_once("Content-Length").unwrap().0;
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{document}\r\n0\r\n\r\n", document.len());
    for text in [format!("{head}\r\n{document}"), chunked] {
        let out = run(&[asked.clone(), (ANSWER, text)]);
        assert!(lines(&out, "identity", &["value"]).contains(&"QC0007".to_owned()));
        assert_eq!(out.of("operation")[0]["status"], 200);
    }
}

#[test]
fn rows_are_the_same_however_the_stream_is_cut() {
    let rows = |out: &Recorder| {
        let strip = |mut row: Value| {
            for key in ["latency", "request_frame", "reply_frame"] {
                row[key] = Value::Null;
            }
            row.to_string()
        };
        ["operation", "identity", "session", "credential"]
            .iter()
            .flat_map(|kind| out.of(kind).into_iter().map(strip))
            .collect::<Vec<_>>()
    };
    let pieces = dialogue();
    let whole = rows(&run(&pieces));
    for step in [1, 2, 3, 7, 50, 777] {
        let pieces: Vec<_> =
            pieces.iter().flat_map(|(d, text)| text.as_bytes().chunks(step).map(|c| (*d, c))).collect();
        assert_eq!(rows(&feed_unprobed(&Http, &flow(Transport::Tcp, 80), &pieces)), whole, "step {step}");
    }
}

#[test]
fn lost_bytes_lose_the_document_and_not_the_command() {
    let flow = flow(Transport::Tcp, 80);
    let [(_, asked), (_, answered)] =
        [ask("user", DIGEST, "<tds:GetDeviceInformation/>"), answer("200 OK", INFORMATION)];
    let (front, _) = answered.split_at(answered.len() - 100);
    // A hole within the document; a hole up to its end; nothing more.
    for (missing, rest) in [(40, &answered[answered.len() - 60..]), (500, ""), (0, "")] {
        let mut analyzer = Http.open(&flow);
        let mut out = Recorder::default();
        analyzer.feed(&pdu(&flow, 0, ASK, asked.as_bytes()), &mut out);
        analyzer.feed(&pdu(&flow, 1, ANSWER, front.as_bytes()), &mut out);
        if missing > 0 {
            analyzer.gap(ANSWER, missing, &mut out);
        }
        if !rest.is_empty() {
            analyzer.feed(&pdu(&flow, 2, ANSWER, rest.as_bytes()), &mut out);
        }
        analyzer.close(&flow, &mut out);
        let row = &out.of("operation")[0];
        assert_eq!((&row["name"], &row["status"]), (&json!("GetDeviceInformation"), &json!(200)), "{missing}");
        assert!(!lines(&out, "identity", &["value"]).contains(&"QC0007".to_owned()));
        assert_eq!(out.of("request").len(), 1);
    }
}

#[test]
fn other_documents_are_no_commands() {
    // A web service that asks for WS-Security: its login is told, and it stays http.
    let (_, text) = ask("admin", TEXT, "<x:Book xmlns:x=\"urn:tos\"/>");
    let out = run(&[(ASK, text.replace("/onvif/device_service", "/tos")), answer("200 OK", "<x:BookResponse/>")]);
    assert!(out.of("operation").is_empty());
    assert_eq!(lines(&out, "session", &["protocol", "user", "method", "outcome"]), ["http admin wsse-text success"]);
    assert_eq!(lines(&out, "request", &["protocol", "status"]), ["http 200"]);
    // Subscriptions of others are left alone, those of devices are not.
    let renew = "<w:Renew xmlns:w=\"http://docs.oasis-open.org/wsn/b-2\"/>";
    assert_eq!(lines(&run(&[ask("a", DIGEST, renew)]), "operation", &["name", "class"]), ["Renew session"]);
    let (_, text) = ask("a", DIGEST, renew);
    assert!(run(&[(ASK, text.replace("/onvif/", "/bus/"))]).of("operation").is_empty());
    let unknown = run(&[ask("a", DIGEST, "<tds:Frobnicate/>"), answer("500 Internal Server Error", "")]);
    assert_eq!(unknown.marks, [Mark::Undecoded("command")]);
    assert_eq!(lines(&unknown, "operation", &["name", "status_name"]), ["Frobnicate server error"]);
}

#[test]
fn the_flow_bears_its_name() {
    let flow = flow(Transport::Tcp, 80);
    let mut analyzer = Http.open(&flow);
    let mut out = Recorder::default();
    let (_, text) = ask("", "", "<tds:GetServices/>");
    analyzer.feed(&pdu(&flow, 0, ASK, text.as_bytes()), &mut out);
    assert_eq!(analyzer.service(), Some("onvif"));
}

#[test]
fn limits_hold() {
    let users = "<tds:User><tt:Username>u</tt:Username><tt:Password>p</tt:Password></tds:User>".repeat(40);
    let out = run(&[ask("a", DIGEST, &format!("<tds:CreateUsers>{users}</tds:CreateUsers>"))]);
    let detail: Value = serde_json::from_str(out.of("operation")[0]["detail"].as_str().unwrap()).unwrap();
    assert_eq!(detail["users"].as_array().unwrap().len(), 16);
    let long = format!("<tds:GetUsersResponse>{}</tds:GetUsersResponse>", " ".repeat(super::onvif::MAX_DOCUMENT));
    let out = run(&[ask("a", DIGEST, "<tds:GetUsers/>"), answer("200 OK", &long)]);
    assert_eq!(out.of("operation")[0]["status"], 200);
}

#[test]
fn truncations_do_no_harm() {
    for (direction, text) in dialogue() {
        for end in 1..text.len() {
            let asked = ask("user", DIGEST, "<tds:GetUsers/>");
            let pieces = [(ASK, asked.1.as_bytes()), (direction, &text.as_bytes()[..end])];
            let out = feed_unprobed(&Http, &flow(Transport::Tcp, 80), &pieces);
            assert!(!out.of("operation").is_empty());
        }
    }
}

proptest! {
    #[test]
    fn damaged_dialogues_do_no_harm(which in 0usize..13, at in 0usize..1200, byte: u8, cut in 1..300usize) {
        let mut pieces: Vec<(Direction, Vec<u8>)> = dialogue().into_iter().map(|(d, text)| (d, text.into_bytes())).collect();
        let (_, bytes) = &mut pieces[which];
        let at = at % bytes.len();
        bytes[at] = byte;
        let pieces: Vec<_> = pieces.iter().flat_map(|(d, bytes)| bytes.chunks(cut).map(|c| (*d, c))).collect();
        feed_unprobed(&Http, &flow(Transport::Tcp, 80), &pieces);
    }
}
