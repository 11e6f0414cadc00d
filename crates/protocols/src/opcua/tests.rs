//! Messages written by hand from OPC 10000-6 section 5.2 and 6.7, and frames cut from captures.

use proptest::prelude::*;
use quaywatch_model::Direction::{self, FromClient, FromServer};
use quaywatch_model::{Mark, Transport};
use serde_json::{Value, json};

use super::*;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};

/// A chunk of this type.
fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes = kind.to_vec();
    bytes.extend(u32::try_from(body.len() + 8).unwrap().to_le_bytes());
    bytes.extend(body);
    bytes
}

fn string(text: &str) -> Vec<u8> {
    let mut bytes = u32::try_from(text.len()).unwrap().to_le_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}

const NULL: [u8; 4] = [0xff; 4];

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Channel 7, token 1, sequence number and request id alike; then the type id.
fn message(kind: &[u8; 4], request: u32, id: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = words(&[7, 1, request, request]);
    bytes.extend([1, 0]);
    bytes.extend(id.to_le_bytes());
    bytes.extend(body);
    chunk(kind, &bytes)
}

/// Token, time 2020-01-01, handle 5, no diagnostics, no audit entry, no timeout, no further header.
fn asking(body: &[u8]) -> Vec<u8> {
    let mut bytes = hex("0000 0000056936c0d501 05000000 00000000 ffffffff 00000000 000000");
    bytes.extend(body);
    bytes
}

fn answering(result: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = hex("0000056936c0d501 05000000");
    bytes.extend(result.to_le_bytes());
    bytes.extend(hex("00 ffffffff 000000"));
    bytes.extend(body);
    bytes
}

fn hello() -> Vec<u8> {
    let mut body = words(&[0, 65535, 65535, 0, 0]);
    body.extend(string("opc.tcp://crane7:4840"));
    chunk(b"HELF", &body)
}

fn acknowledge() -> Vec<u8> {
    chunk(b"ACKF", &words(&[0, 8192, 8192, 0, 0]))
}

/// `open` with a policy of this name; a channel, no certificates, sequence header, then the rest.
fn open(policy: &str, rest: &[u8]) -> Vec<u8> {
    let mut body = words(&[7]);
    body.extend(string(&format!("{}{policy}", names::POLICY_URI)));
    body.extend([NULL, NULL].concat());
    body.extend(rest);
    chunk(b"OPNF", &body)
}

fn open_request() -> Vec<u8> {
    let mut rest = words(&[1, 1]);
    rest.extend(hex("0100be01"));
    rest.extend(asking(&words(&[0, 0, 1, u32::MAX, 3_600_000])));
    open("None", &rest)
}

fn open_response() -> Vec<u8> {
    let mut rest = words(&[1, 1]);
    rest.extend(hex("0100c101"));
    rest.extend(answering(0, &[words(&[0, 7, 1]), vec![0; 8], words(&[3_600_000, u32::MAX])].concat()));
    open("None", &rest)
}

/// ActivateSession: no signature, certificates, locales; a token of this kind.
fn activate(request: u32, kind: u16, token: &[u8]) -> Vec<u8> {
    let mut body = [NULL; 4].concat();
    body.extend([1, 0]);
    body.extend(kind.to_le_bytes());
    body.push(1);
    body.extend(u32::try_from(token.len()).unwrap().to_le_bytes());
    body.extend(token);
    body.extend([NULL; 2].concat());
    message(b"MSGF", request, 467, &asking(&body))
}

fn user(name: &str, password: &str, algorithm: &str) -> Vec<u8> {
    [string("policy"), string(name), string(password), string(algorithm)].concat()
}

fn activated(request: u32, result: u32) -> Vec<u8> {
    let body = if result == 0 { [NULL; 3].concat() } else { Vec::new() };
    message(b"MSGF", request, if result == 0 { 470 } else { 397 }, &answering(result, &body))
}

fn talk(turns: &[(Direction, Vec<u8>)]) -> Recorder {
    let pieces: Vec<(Direction, &[u8])> = turns.iter().map(|(way, bytes)| (*way, bytes.as_slice())).collect();
    feed(&OpcUa, &flow(Transport::Tcp, 4840), &pieces)
}

fn detail(row: &Value) -> Value {
    serde_json::from_str(row["detail"].as_str().unwrap()).unwrap()
}

fn channel() -> Vec<(Direction, Vec<u8>)> {
    vec![
        (FromClient, hello()),
        (FromServer, acknowledge()),
        (FromClient, open_request()),
        (FromServer, open_response()),
    ]
}

#[test]
fn a_channel_opens() {
    let rows = talk(&channel());
    let operations = rows.of("operation");
    assert_eq!(operations.len(), 2);
    assert_eq!((&operations[0]["name"], &operations[0]["object"]), (&json!("Hello"), &json!("opc.tcp://crane7:4840")));
    assert_eq!(operations[1]["name"], "OpenSecureChannel");
    assert_eq!((&operations[1]["request_frame"], &operations[1]["reply_frame"]), (&json!(3), &json!(4)));
    let told = detail(&operations[1]);
    assert_eq!(
        (&told["security_policy"], &told["security_mode"], &told["opened_channel"]),
        (&json!("None"), &json!("None"), &json!(7))
    );
    assert_eq!(rows.of("service")[0]["protocol"], "opcua");
    // Both ends tell their clocks: 2020-01-01 in a capture of 1970.
    let clocks = rows.of("clock");
    assert_eq!(clocks.len(), 2);
    assert_eq!(clocks[0]["device_time"], 1_577_836_800_000_000_000_i64);
    assert!(rows.marks.is_empty() && rows.of("weird").is_empty());
}

#[test]
fn users_log_in_and_no_secret_is_kept() {
    let mut turns = channel();
    turns.push((FromClient, activate(2, 324, &user("crane", "Tr0ub4dor", ""))));
    turns.push((FromServer, activated(2, 0)));
    turns.push((FromClient, activate(3, 324, &user("admin", "admin", ""))));
    turns.push((FromServer, activated(3, 0x801f_0000)));
    turns.push((
        FromClient,
        activate(4, 324, &user("maint", "ciphertext", "http://www.w3.org/2001/04/xmlenc#rsa-oaep")),
    ));
    turns.push((FromServer, activated(4, 0)));
    turns.push((FromClient, activate(5, 321, &string("anonymous"))));
    turns.push((FromServer, activated(5, 0)));
    let rows = talk(&turns);
    let sessions: Vec<_> =
        rows.of("session").iter().map(|row| json!([row["user"], row["method"], row["outcome"]])).collect();
    assert_eq!(
        sessions,
        [
            json!(["crane", "username", "success"]),
            json!(["admin", "username", "failure"]),
            json!(["maint", "username", "success"]),
            json!(["", "anonymous", "success"]),
        ]
    );
    let credentials: Vec<_> =
        rows.of("credential").iter().map(|row| [row["account"].clone(), row["weakness"].clone()]).collect();
    // The refused guess is readable, and says nothing of the account.
    assert_eq!(
        json!(credentials),
        json!([["crane", "clear-text"], ["admin", "clear-text"], ["maint", "none"], ["", "anonymous"]])
    );
    let told = format!("{:?}", rows.rows);
    assert!(!told.contains("Tr0ub4dor") && !told.contains("ciphertext"));
    assert_eq!(detail(&rows.of("operation")[4])["password_encryption"], "rsa-oaep");
    assert_eq!(rows.of("operation")[3]["status_name"], "BadUserAccessDenied");
    assert_eq!(detail(&rows.of("operation")[3])["fault"], true);
}

#[test]
fn default_passwords_are_told() {
    let mut turns = channel();
    turns.push((FromClient, activate(2, 324, &user("admin", "admin", ""))));
    turns.push((FromServer, activated(2, 0)));
    let weaknesses: Vec<_> = talk(&turns).of("credential").iter().map(|row| row["weakness"].clone()).collect();
    assert_eq!(weaknesses, ["clear-text", "default"]);
}

/// Reads ManufacturerName, ProductName, SoftwareVersion and a crane's own node.
fn read_request() -> Vec<u8> {
    let mut body = vec![0; 12];
    body.extend(words(&[4]));
    for node in ["0100d708", "0100d508", "0100d808", "030200 05000000 486f697374"] {
        body.extend(hex(node));
        body.extend(words(&[13, u32::MAX]));
        body.extend([0, 0]);
        body.extend(NULL);
    }
    message(b"MSGF", 2, 631, &asking(&body))
}

fn read_response() -> Vec<u8> {
    let mut body = words(&[4]);
    for text in ["Acme", "Crane OPC", "V2.9"] {
        body.extend([1, 12]);
        body.extend(string(text));
    }
    body.extend(hex("02 00003480"));
    body.extend(NULL);
    message(b"MSGF", 2, 634, &answering(0, &body))
}

#[test]
fn a_server_says_who_it_is() {
    let rows = talk(&[(FromClient, read_request()), (FromServer, read_response())]);
    let read = &rows.of("operation")[0];
    assert_eq!((&read["class"], &read["quantity"]), (&json!("read"), &json!(4)));
    assert_eq!(read["object"], "i=2263, i=2261, i=2264, ns=2;s=Hoist");
    assert_eq!(detail(read)["results"], json!(["Good", "Good", "Good", "BadNodeIdUnknown"]));
    let claims: Vec<_> =
        rows.of("identity").iter().map(|row| [row["attribute"].clone(), row["value"].clone()]).collect();
    assert_eq!(json!(claims), json!([["vendor", "Acme"], ["product", "Crane OPC"], ["software", "Crane OPC V2.9"]]));
}

#[test]
fn writes_and_calls_are_told_with_their_nodes() {
    let mut write = words(&[1]);
    write.extend(hex("0102 0700 0d000000 ffffffff 01 06 2a000000"));
    let written = [words(&[1, 0]), NULL.to_vec()].concat();
    let mut call = words(&[1]);
    call.extend(hex("0102 0800 0102 0900 01000000 01 01"));
    let called = [words(&[1, 0x8075_0000]), NULL.repeat(3), NULL.to_vec()].concat();
    let rows = talk(&[
        (FromClient, message(b"MSGF", 2, 673, &asking(&write))),
        (FromServer, message(b"MSGF", 2, 676, &answering(0, &written))),
        (FromClient, message(b"MSGF", 3, 712, &asking(&call))),
        (FromServer, message(b"MSGF", 3, 715, &answering(0, &called))),
    ]);
    let operations = rows.of("operation");
    assert_eq!((&operations[0]["class"], &operations[0]["object"]), (&json!("write"), &json!("ns=2;i=7")));
    assert_eq!(
        (&detail(&operations[0])["values"], &detail(&operations[0])["results"]),
        (&json!(["42"]), &json!(["Good"]))
    );
    assert_eq!(
        (&operations[1]["class"], &operations[1]["object"]),
        (&json!("control"), &json!("ns=2;i=8 method ns=2;i=9"))
    );
    // The service went well, what it was to do did not.
    assert_eq!(detail(&operations[1])["results"], json!(["BadMethodInvalid"]));
    assert_eq!((&operations[0]["status"], &operations[1]["status_name"]), (&json!(0), &json!("BadMethodInvalid")));
    assert_eq!(detail(&operations[1])["service_result"], "Good");
    assert!(rows.marks.is_empty(), "{:?}", rows.marks);
}

fn application() -> Vec<u8> {
    let mut bytes =
        [string("urn:plc:server"), string("http://acme.example/opc"), vec![2], string("PLC 7"), words(&[0])].concat();
    bytes.extend([NULL, NULL, NULL].concat());
    bytes
}

#[test]
fn endpoints_are_listed() {
    let mut body = words(&[1]);
    body.extend(string("opc.tcp://plc7:4840"));
    body.extend(application());
    body.extend(NULL);
    body.extend(words(&[1]));
    body.extend(string("http://opcfoundation.org/UA/SecurityPolicy#None"));
    body.extend(words(&[2]));
    body.extend([string("a"), words(&[0]), NULL.repeat(3)].concat());
    body.extend([string("b"), words(&[1]), NULL.repeat(2)].concat());
    body.extend(string("http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256"));
    body.extend(NULL);
    body.push(0);
    let asks = [string("opc.tcp://10.0.0.2:4840"), NULL.repeat(2)].concat();
    let rows = talk(&[
        (FromClient, message(b"MSGF", 2, 428, &asking(&asks))),
        (FromServer, message(b"MSGF", 2, 431, &answering(0, &body))),
    ]);
    let operation = &rows.of("operation")[0];
    assert_eq!((&operation["class"], &operation["quantity"]), (&json!("identify"), &json!(1)));
    let endpoint = &detail(operation)["endpoints"][0];
    assert_eq!((&endpoint["security_policy"], &endpoint["security_mode"]), (&json!("None"), &json!("None")));
    assert_eq!(endpoint["user_tokens"], json!(["anonymous", "username Basic256Sha256"]));
    let claims: Vec<_> = rows.of("identity").iter().map(|row| row["value"].clone()).collect();
    assert_eq!(claims, ["PLC 7", "urn:plc:server", "http://acme.example/opc", "plc7"]);
    assert!(rows.marks.is_empty());
}

#[test]
fn chunks_are_put_together() {
    let whole = read_request();
    let body = &whole[24..];
    let part = |kind: &[u8; 4], bytes: &[u8]| chunk(kind, &[words(&[7, 1, 2, 2]), bytes.to_vec()].concat());
    let stream = [part(b"MSGC", &body[..30]), part(b"MSGC", &body[30..31]), part(b"MSGF", &body[31..])].concat();
    for step in 1..stream.len() {
        let pieces: Vec<(Direction, &[u8])> = stream.chunks(step).map(|piece| (FromClient, piece)).collect();
        let rows = feed_unprobed(&OpcUa, &flow(Transport::Tcp, 4840), &pieces);
        assert_eq!(rows.of("operation")[0]["quantity"], 4, "step {step}");
        assert!(rows.marks.is_empty(), "step {step}");
    }
}

#[test]
fn a_message_given_up_ends_its_request() {
    let abort = chunk(b"MSGA", &[words(&[7, 1, 2, 2, 0x80b8_0000]), string("too large")].concat());
    let rows = talk(&[(FromClient, read_request()), (FromServer, abort)]);
    let row = &rows.of("operation")[0];
    assert_eq!((&row["name"], &row["status_name"]), (&json!("Read"), &json!("BadRequestTooLarge")));
    assert_eq!(detail(row)["reason"], "too large");
}

#[test]
fn a_signed_channel_is_read() {
    let mut signed = read_request();
    signed.extend([0xaa; 32]);
    let size = u32::try_from(signed.len()).unwrap();
    signed[4..8].copy_from_slice(&size.to_le_bytes());
    let rows = talk(&[
        (FromClient, hello()),
        (FromServer, acknowledge()),
        (FromClient, open("Basic256Sha256", &[0x5a; 256])),
        (FromServer, open("Basic256Sha256", &[0xa5; 256])),
        (FromClient, signed),
    ]);
    let operations = rows.of("operation");
    assert_eq!(
        (&operations[1]["name"], &operations[1]["status_name"]),
        (&json!("OpenSecureChannel"), &json!("encrypted"))
    );
    assert_eq!(operations[2]["name"], "Read");
}

#[test]
fn an_encrypted_channel_is_one_session() {
    let secret = chunk(b"MSGF", &[words(&[7, 1]), vec![0x5a; 64]].concat());
    let rows = talk(&[
        (FromClient, open("Basic256Sha256", &[0x5a; 256])),
        (FromServer, open("Basic256Sha256", &[0xa5; 256])),
        (FromClient, secret.clone()),
        (FromServer, secret),
    ]);
    let sessions = rows.of("session");
    assert_eq!(sessions.len(), 1);
    assert_eq!((&sessions[0]["encrypted"], &sessions[0]["outcome"]), (&json!(true), &json!("unknown")));
    assert_eq!(rows.marks, [Mark::Opaque("encrypted"); 4]);
}

#[test]
fn a_reverse_hello_turns_the_ends_round() {
    let reverse = chunk(b"RHEF", &[string("urn:plc"), string("opc.tcp://plc:4840")].concat());
    let rows = talk(&[
        (FromClient, reverse),
        (FromServer, hello()),
        (FromClient, acknowledge()),
        (FromServer, read_request()),
        (FromClient, read_response()),
    ]);
    let operations = rows.of("operation");
    let names: Vec<_> = operations.iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, ["ReverseHello", "Hello", "Read"]);
    for operation in &operations {
        assert_eq!(operation["server"], operations[0]["server"]);
    }
    assert_eq!(rows.of("identity")[0]["subject"], "10.0.0.1");
}

#[test]
fn refusals_are_told() {
    let error = chunk(b"ERRF", &[words(&[0x8083_0000]), string("no such endpoint")].concat());
    let rows = talk(&[(FromClient, hello()), (FromServer, error)]);
    let row = &rows.of("operation")[0];
    assert_eq!((&row["name"], &row["status_name"]), (&json!("Hello"), &json!("BadTcpEndpointUrlInvalid")));
    assert_eq!(detail(row)["reason"], "no such endpoint");
}

#[test]
fn probes_are_by_content() {
    let flow = flow(Transport::Tcp, 50000);
    let probe = |bytes: &[u8]| OpcUa.probe(&pdu(&flow, 0, FromClient, bytes));
    assert_eq!(probe(&hello()), Probe::Yes);
    assert_eq!(probe(&acknowledge()), Probe::YesFromServer);
    assert_eq!(probe(&read_request()), Probe::Yes);
    assert_eq!(probe(&read_response()), Probe::YesFromServer);
    assert_eq!(probe(&open_request()), Probe::Yes);
    assert_eq!(probe(&open_response()), Probe::YesFromServer);
    assert_eq!(probe(b"HEL"), Probe::Unsure);
    assert_eq!(probe(b"HELO mail.example.org\r\n"), Probe::No);
    assert_eq!(probe(b"MSGFxxxxyyyy"), Probe::No);
    assert_eq!(probe(b"GET / HTTP/1.1\r\n"), Probe::No);
}

#[test]
fn reading_goes_on_behind_a_gap() {
    let flow = flow(Transport::Tcp, 4840);
    let mut analyzer = OpcUa.open(&flow);
    let mut rows = Recorder::default();
    let (ask, reply) = (read_request(), read_response());
    analyzer.feed(&pdu(&flow, 0, FromClient, &ask[..40]), &mut rows);
    analyzer.gap(FromClient, 100, &mut rows);
    analyzer.feed(&pdu(&flow, 1, FromClient, b"rest of something"), &mut rows);
    assert_eq!(rows.marks, [Mark::Undecoded("after lost bytes")]);
    let behind = [&b"tail of something"[..], &ask].concat();
    analyzer.feed(&pdu(&flow, 2, FromClient, &behind), &mut rows);
    analyzer.feed(&pdu(&flow, 3, FromServer, &reply), &mut rows);
    analyzer.close(&flow, &mut rows);
    let operation = &rows.of("operation")[0];
    assert_eq!((&operation["request_frame"], &operation["reply_frame"]), (&json!(3), &json!(4)));
}

#[test]
fn short_messages_are_malformed() {
    let mut short = read_request();
    short.truncate(60);
    short[4] = 60;
    let rows = talk(&[(FromClient, short), (FromServer, read_response())]);
    assert_eq!(rows.of("weird")[0]["name"], "opcua_malformed_message");
    // The exchange is told all the same.
    assert_eq!(rows.of("operation")[0]["reply_frame"], 2);
}

fn samples() -> Vec<Vec<u8>> {
    vec![
        hello(),
        acknowledge(),
        open_request(),
        open_response(),
        read_request(),
        read_response(),
        activate(2, 324, &user("u", "p", "")),
        activate(2, 327, &[string("x"), string("no certificate")].concat()),
        activated(2, 0),
        chunk(b"ERRF", &[words(&[0x8083_0000]), string("no")].concat()),
        chunk(b"RHEF", &[string("urn:plc"), string("opc.tcp://plc:4840")].concat()),
    ]
}

/// Cut short with its size as it was (an unfinished stream) and with its size mended (a broken message).
#[test]
fn every_truncation_is_survived() {
    let flow = flow(Transport::Tcp, 4840);
    for whole in samples() {
        for end in 1..whole.len() {
            let mut cut = whole[..end].to_vec();
            feed_unprobed(&OpcUa, &flow, &[(FromClient, &cut)]);
            if end > 8 {
                cut[4..8].copy_from_slice(&u32::try_from(end).unwrap().to_le_bytes());
                feed_unprobed(&OpcUa, &flow, &[(FromClient, &cut), (FromServer, &cut)]);
            }
        }
    }
}

/// Every service, request and response, with bodies cut anywhere.
#[test]
fn every_service_survives_any_length() {
    let flow = flow(Transport::Tcp, 4840);
    for service in names::SERVICES {
        for length in 0..48 {
            for fill in [0u8, 1, 0xff] {
                let body = vec![fill; length];
                let (id, answer) = (u16::try_from(service.request).unwrap(), u16::try_from(service.response).unwrap());
                let ask = message(b"MSGF", 2, id, &asking(&body));
                let reply = message(b"MSGF", 2, answer, &answering(0, &body));
                let rows = feed_unprobed(&OpcUa, &flow, &[(FromClient, &ask), (FromServer, &reply)]);
                assert!(rows.of("operation").iter().all(|row| row["name"] == service.name));
            }
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_survived(
        pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 1..80)), 1..12),
        id in prop::sample::select(names::SERVICES),
        framed in any::<bool>(),
    ) {
        let flow = flow(Transport::Tcp, 4840);
        let mut analyzer = OpcUa.open(&flow);
        let mut rows = Recorder::default();
        for (index, (client, bytes)) in (0..).zip(&pieces) {
            let direction = if *client { FromClient } else { FromServer };
            let id = if *client { id.request } else { id.response };
            let bytes = if framed { message(b"MSGF", 1, u16::try_from(id).unwrap(), bytes) } else { bytes.clone() };
            let _ = OpcUa.probe(&pdu(&flow, index, direction, &bytes));
            analyzer.feed(&pdu(&flow, index, direction, &bytes), &mut rows);
        }
        analyzer.gap(FromServer, 1, &mut rows);
        analyzer.close(&flow, &mut rows);
    }

    #[test]
    fn bodies_of_any_content_are_survived(body in prop::collection::vec(any::<u8>(), 0..200), at in 0..names::SERVICES.len()) {
        let service = names::SERVICES[at];
        let ask = message(b"MSGF", 2, u16::try_from(service.request).unwrap(), &asking(&body));
        let reply = message(b"MSGF", 2, u16::try_from(service.response).unwrap(), &answering(0, &body));
        feed_unprobed(&OpcUa, &flow(Transport::Tcp, 4840), &[(FromClient, &ask), (FromServer, &reply)]);
    }
}
