//! PDUs written by hand from ISO 9506-2, and frames cut from captures.

use proptest::prelude::*;
use quaywatch_model::Direction::{self, FromClient, FromServer};
use quaywatch_model::{Mark, Transport};
use serde_json::{Value, json};

use super::*;
use crate::s7comm::S7comm;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};

/// A TPKT with one data TPDU, the last of its message.
fn tpkt(user: &[u8]) -> Vec<u8> {
    let length = u16::try_from(user.len() + 7).unwrap();
    let mut packet = vec![3, 0];
    packet.extend(length.to_be_bytes());
    packet.extend([2, 0xf0, 0x80]);
    packet.extend(user);
    packet
}

/// An element with this tag.
fn element(tag: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = hex(tag);
    if content.len() > 127 {
        bytes.push(0x82);
        bytes.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
    } else {
        bytes.push(u8::try_from(content.len()).unwrap());
    }
    bytes.extend(content);
    bytes
}

fn text(tag: &str, text: &str) -> Vec<u8> {
    element(tag, text.as_bytes())
}

/// In presentation user data under context 3, behind session data transfer.
fn wrapped(pdu: &[u8]) -> Vec<u8> {
    let list = element("30", &[hex("020103"), element("a0", pdu)].concat());
    [hex("01000100"), element("61", &list)].concat()
}

fn request(invoke: u8, service: &[u8]) -> Vec<u8> {
    tpkt(&wrapped(&element("a0", &[vec![2, 1, invoke], service.to_vec()].concat())))
}

fn reply(invoke: u8, service: &[u8]) -> Vec<u8> {
    tpkt(&wrapped(&element("a1", &[vec![2, 1, invoke], service.to_vec()].concat())))
}

fn name(domain: &str, item: &str) -> Vec<u8> {
    element("a1", &[text("1a", domain), text("1a", item)].concat())
}

/// A list of variables.
fn list(names: &[(&str, &str)]) -> Vec<u8> {
    let variables: Vec<u8> =
        names.iter().flat_map(|(domain, item)| element("30", &element("a0", &name(domain, item)))).collect();
    element("a0", &variables)
}

fn read(names: &[(&str, &str)]) -> Vec<u8> {
    element("a4", &element("a1", &list(names)))
}

fn write(names: &[(&str, &str)], values: &str) -> Vec<u8> {
    element("a5", &[list(names), element("a0", &hex(values))].concat())
}

fn talk(turns: &[(Direction, Vec<u8>)]) -> Recorder {
    let pieces: Vec<(Direction, &[u8])> = turns.iter().map(|(way, bytes)| (*way, bytes.as_slice())).collect();
    feed(&Mms, &flow(Transport::Tcp, 102), &pieces)
}

fn detail(row: &Value) -> Value {
    serde_json::from_str(row["detail"].as_str().unwrap()).unwrap()
}

/// As `iec61850/iti-8d7c7db0-9804-012b-b2a6-0016cb8cea27.pcap` frames 11 and 14, with other parts left out: session connect, presentation,
/// ACSE, initiate. `authentication` stands behind the titles.
fn associate(authentication: &[u8]) -> Vec<u8> {
    let initiate = hex("a825 8002 7d00 8101 14 8201 14 8301 04 a416 800101 810305fb00 820c036e1d000000000064000198");
    let user = element("be", &element("28", &[hex("06025101 020103"), element("a0", &initiate)].concat()));
    let titles = hex("a107060528ca220203 a206060429018767 a303020117");
    let acse = element("60", &[titles, authentication.to_vec(), user].concat());
    let data = element("61", &element("30", &[hex("020101"), element("a0", &acse)].concat()));
    let presentation =
        element("31", &[hex("a003800101"), element("a2", &[hex("8104 00000001"), data].concat())].concat());
    spdu(0x0d, &presentation)
}

fn associated(result: u8, initiate: &[u8]) -> Vec<u8> {
    let mut fields = [hex("a107060528ca220203"), vec![0xa2, 3, 2, 1, result], hex("a305a103020100")].concat();
    if !initiate.is_empty() {
        fields.extend(element("be", &element("28", &[hex("06025101 020103"), element("a0", initiate)].concat())));
    }
    let data = element("61", &element("30", &[hex("020101"), element("a0", &element("61", &fields))].concat()));
    spdu(0x0e, &element("31", &[hex("a003800101"), element("a2", &data)].concat()))
}

fn spdu(kind: u8, user: &[u8]) -> Vec<u8> {
    let parameter = |code: u8, value: &[u8]| {
        [vec![code, 0xff], u16::try_from(value.len()).unwrap().to_be_bytes().to_vec(), value.to_vec()].concat()
    };
    // Protocol options and version, then user data.
    let parameters = [hex("0506 130100 160102"), parameter(193, user)].concat();
    tpkt(&parameter(kind, &parameters))
}

fn agreed() -> Vec<u8> {
    hex("a918 8002 1770 8101 0a 8201 0a 8301 05 a409 800101 8104 05f10000")
}

#[test]
fn an_association_is_one_operation() {
    let turns = [(FromClient, associate(&[])), (FromServer, associated(0, &agreed()))];
    let rows = talk(&turns);
    let operation = &rows.of("operation")[0];
    assert_eq!(
        (&operation["name"], &operation["class"], &operation["status"]),
        (&json!("initiate"), &json!("session"), &json!(0))
    );
    assert_eq!(operation["object"], "1.1.1.999");
    let told = detail(operation);
    assert_eq!(
        (&told["max_pdu"], &told["server_max_pdu"], &told["called_qualifier"]),
        (&json!(32000), &json!(6000), &json!("23"))
    );
    assert!(told["services"].as_array().unwrap().contains(&json!("informationReport")));
    assert_eq!(rows.of("session")[0]["method"], "none");
    assert_eq!(rows.of("credential")[0]["weakness"], "anonymous");
    assert_eq!(rows.of("service")[0]["protocol"], "mms");
    assert!(rows.marks.is_empty() && rows.of("weird").is_empty());
}

#[test]
fn passwords_are_judged_and_not_kept() {
    let password = [hex("8a0207 80 8b03520301"), element("ac", &text("80", "Sw0rdfish"))].concat();
    let rows = talk(&[(FromClient, associate(&password)), (FromServer, associated(0, &agreed()))]);
    assert_eq!(rows.of("session")[0]["method"], "password");
    assert_eq!(rows.of("credential")[0]["weakness"], "clear-text");
    assert!(!format!("{:?}", rows.rows).contains("Sw0rdfish"));
    let token = [hex("8b03520309"), element("ac", &text("a2", "x"))].concat();
    let rows = talk(&[(FromClient, associate(&token)), (FromServer, associated(0, &agreed()))]);
    assert_eq!(
        (&rows.of("session")[0]["method"], &rows.of("credential")[0]["weakness"]),
        (&json!("2.2.3.9"), &json!("none"))
    );
}

#[test]
fn a_refused_association_has_failed() {
    let rows = talk(&[(FromClient, associate(&[])), (FromServer, associated(1, &[]))]);
    let operation = &rows.of("operation")[0];
    assert_eq!((&operation["status_name"], &operation["status"]), (&json!("rejected permanently"), &json!(0x2_0100)));
    assert_eq!(rows.of("session")[0]["outcome"], "failure");
    assert!(rows.of("credential").is_empty());
}

#[test]
fn controls_are_controls() {
    let rows = talk(&[
        (FromClient, request(1, &read(&[("BAY1", "CSWI1$CO$Pos$SBO")]))),
        (FromServer, reply(1, &element("a4", &element("a1", &text("8a", "BAY1/CSWI1$CO$Pos$SBO"))))),
        (FromClient, request(2, &write(&[("BAY1", "CSWI1$CO$Pos$Oper")], "a206 830101 860105"))),
        (FromServer, reply(2, &hex("a502 8100"))),
        (FromClient, request(3, &write(&[("BAY1", "CSWI1$CO$Pos$Oper")], "a203 830100"))),
        (FromServer, reply(3, &hex("a503 800103"))),
        (FromClient, request(4, &write(&[("BAY1", "LLN0$BR$rcb01$RptEna")], "830101"))),
        (FromServer, reply(4, &hex("a502 8100"))),
        (FromClient, request(5, &write(&[("BAY1", "Limit")], "85 01 f0"))),
        (FromServer, reply(5, &hex("a502 8100"))),
    ]);
    let told: Vec<_> = rows
        .of("operation")
        .iter()
        .map(|row| json!([row["name"], row["class"], row["status_name"], detail(row)["control"]]))
        .collect();
    assert_eq!(
        told,
        [
            json!(["read", "control", "success", "select"]),
            json!(["write", "control", "success", "operate"]),
            json!(["write", "control", "object-access-denied", "operate"]),
            json!(["write", "configure", "success", null]),
            json!(["write", "write", "success", null]),
        ]
    );
    let operations = rows.of("operation");
    assert_eq!(operations[1]["object"], "BAY1/CSWI1$CO$Pos$Oper");
    assert_eq!(detail(&operations[1])["values"], json!(["true, ..."]));
    assert_eq!(detail(&operations[4])["values"], json!(["-16"]));
    assert_eq!(operations[2]["status"], 0x3_0003);
    assert!(rows.marks.is_empty());
}

#[test]
fn several_variables_are_listed_with_their_results() {
    let names = [("D", "a"), ("D", "b"), ("E", "LPHD1$DC$PhyNam$serNum")];
    let values = [hex("80010a 830101"), text("8a", "SN 4711")].concat();
    let rows = talk(&[
        (FromClient, request(9, &read(&names))),
        (FromServer, reply(9, &element("a4", &element("a1", &values)))),
    ]);
    let operation = &rows.of("operation")[0];
    assert_eq!((&operation["quantity"], &operation["status"]), (&json!(3), &json!(0)));
    let told = detail(operation);
    assert_eq!(told["variables"], json!(["D/a", "D/b", "E/LPHD1$DC$PhyNam$serNum"]));
    assert_eq!(told["results"], json!(["object-non-existent", "success", "success"]));
    let claim = &rows.of("identity")[0];
    assert_eq!((&claim["attribute"], &claim["value"]), (&json!("serial"), &json!("SN 4711")));
}

/// `iec61850/iti-8d7c7db0-9804-012b-b2a6-0016cb8cea27.pcap` frames 23 and 26.
#[test]
fn a_server_says_who_it_is() {
    let rows = talk(&[
        (FromClient, tpkt(&hex("01000100610e300c020103a007a0050201018200"))),
        (
            FromServer,
            tpkt(&hex(
                "0100010061393037020103a032a130020101a22b8015415245564120542644 20436f72706f726174696f6e810b652d7465727261636f6d6d8205322e332e31",
            )),
        ),
    ]);
    let claims: Vec<_> = rows.of("identity").iter().map(|row| json!([row["attribute"], row["value"]])).collect();
    assert_eq!(
        claims,
        [json!(["vendor", "AREVA T&D Corporation"]), json!(["model", "e-terracomm"]), json!(["firmware", "2.3.1"])]
    );
    assert_eq!(rows.of("operation")[0]["class"], "identify");
}

#[test]
fn names_are_listed() {
    let rows = talk(&[
        (FromClient, request(1, &hex("a111 a003800109 a10a 8108 4b49524b4c414e44"))),
        (
            FromServer,
            reply(
                1,
                &element(
                    "a1",
                    &[element("a0", &[text("1a", "LD0"), text("1a", "LD1")].concat()), hex("810100")].concat(),
                ),
            ),
        ),
    ]);
    let operation = &rows.of("operation")[0];
    assert_eq!(
        (&operation["name"], &operation["object"], &operation["quantity"]),
        (&json!("getNameList"), &json!("KIRKLAND"), &json!(2))
    );
    let told = detail(operation);
    assert_eq!(
        (&told["names"], &told["more"], &told["object_class"]),
        (&json!(["LD0", "LD1"]), &json!(false), &json!("domains"))
    );
}

#[test]
fn a_file_read_is_an_upload_with_its_hash() {
    let opened = hex("bf4806 800107 a103 800103");
    let turns = |last: &str| {
        vec![
            (
                FromClient,
                request(1, &element("bf48", &[element("a0", &text("19", "COMTRADE/1.cfg")), hex("810100")].concat())),
            ),
            (FromServer, reply(1, &opened)),
            (FromClient, request(2, &hex("9f490107"))),
            (FromServer, reply(2, &hex("bf4904 80026162"))),
            (FromClient, request(3, &hex("9f490107"))),
            (FromServer, reply(3, &hex(last))),
            (FromClient, request(4, &hex("9f4a0107"))),
            (FromServer, reply(4, &hex("9f4a00"))),
        ]
    };
    let rows = talk(&turns("bf4906 800163 810100"));
    let program = &rows.of("program")[0];
    assert_eq!(
        (&program["name"], &program["transfer"], &program["size"]),
        (&json!("COMTRADE/1.cfg"), &json!("upload"), &json!(3))
    );
    assert_eq!(program["complete"], true);
    // SHA-256 of "abc" (FIPS 180-2 appendix B.1).
    assert_eq!((&program["sha256"][0], &program["sha256"][31]), (&json!(0xba), &json!(0xad)));
    // More was to come.
    assert_eq!(talk(&turns("bf4903 800163")).of("program")[0]["complete"], false);
}

#[test]
fn a_domain_loaded_is_a_download() {
    let rows = talk(&[
        (FromClient, request(1, &element("ba", &[text("80", "PROG"), hex("a100 820100")].concat()))),
        (FromServer, reply(1, &hex("9a00"))),
        // The device asks for what it loads.
        (FromServer, request(50, &text("9b", "PROG"))),
        (FromClient, reply(50, &hex("bb06 800161 810100"))),
        (FromServer, request(51, &element("bc", &text("80", "PROG")))),
        (FromClient, reply(51, &hex("9c00"))),
    ]);
    let program = &rows.of("program")[0];
    assert_eq!(
        (&program["name"], &program["transfer"], &program["complete"]),
        (&json!("PROG"), &json!("download"), &json!(true))
    );
    assert_eq!(program["server"], rows.of("operation")[0]["server"]);
    assert_eq!(rows.of("operation")[0]["class"], "program");
}

/// `iec61850/iti-mms-stoprequest.pcap` frames 8, 12 and 16: straight on COTP, and services numbered beyond 30.
#[test]
fn program_invocations_start_and_stop() {
    let rows = talk(&[
        (FromClient, tpkt(&hex("a8268002001f81010382010383020808a416800101810305e800820c03ffffffffffffffffffffff"))),
        (FromClient, tpkt(&hex("a021020101bf281b8017523339353032343339374170706c69636174696f6e5f318100"))),
        (FromClient, tpkt(&hex("a01f020101bf29198017523339353032343339374170706c69636174696f6e5f31"))),
        (FromServer, tpkt(&hex("a1060201009f2900"))),
        (FromClient, tpkt(&hex("8b00"))),
        (FromServer, tpkt(&hex("8c00"))),
    ]);
    let told: Vec<_> = rows
        .of("operation")
        .iter()
        .map(|row| json!([row["name"], row["class"], row["request_frame"], row["reply_frame"]]))
        .collect();
    assert_eq!(
        told,
        [
            // Invoke id 0 was never asked: the reply stands alone.
            json!(["stop", "control", null, 4]),
            json!(["conclude", "session", 5, 6]),
            json!(["initiate", "session", 1, null]),
            json!(["start", "control", 2, null]),
            json!(["stop", "control", 3, null]),
        ]
    );
    assert_eq!(rows.of("operation")[3]["object"], "R395024397Application_1");
}

#[test]
fn errors_and_rejects_are_told() {
    let error = wrapped(&hex("a20a 800101 a205 a003 870102"));
    let reject = wrapped(&hex("a406 800102 810101"));
    let rows = talk(&[
        (FromClient, request(1, &hex("bf4c05 19036c6f67"))),
        (FromServer, tpkt(&error)),
        (FromClient, request(2, &hex("8200"))),
        (FromServer, tpkt(&reject)),
    ]);
    let told: Vec<_> = rows
        .of("operation")
        .iter()
        .map(|row| json!([row["name"], row["object"], row["status"], row["status_name"]]))
        .collect();
    assert_eq!(
        told,
        [
            json!(["fileDelete", "log", 0x1_0702, "object-non-existent"]),
            json!(["identify", "", 0x2_0101, "rejected: confirmed request"]),
        ]
    );
}

#[test]
fn reports_are_told_by_their_lists() {
    let results =
        [text("8a", "BAY1/LLN0$BR$rcb01"), hex("8403068000"), text("8a", "BAY1/LLN0$ds1"), hex("830101")].concat();
    let report = element("a3", &element("a0", &[hex("a105 8003 525054"), element("a0", &results)].concat()));
    let rows = talk(&[(FromServer, tpkt(&wrapped(&report)))]);
    let operation = &rows.of("operation")[0];
    assert_eq!(
        (&operation["name"], &operation["class"], &operation["object"]),
        (&json!("informationReport"), &json!("cyclic"), &json!("RPT"))
    );
    let told = detail(operation);
    assert_eq!((&told["report"], &told["data_set"]), (&json!("BAY1/LLN0$BR$rcb01"), &json!("BAY1/LLN0$ds1")));
    assert_eq!((&operation["request_frame"], &operation["reply_frame"]), (&Value::Null, &json!(1)));
}

#[test]
fn probes_are_by_content() {
    let flow = flow(Transport::Tcp, 40000);
    let probe = |bytes: &[u8]| Mms.probe(&pdu(&flow, 0, FromClient, bytes));
    assert_eq!(probe(&request(1, &hex("8200"))), Probe::Yes);
    assert_eq!(probe(&reply(1, &hex("a503 800103"))), Probe::YesFromServer);
    assert_eq!(probe(&associate(&[])), Probe::Yes);
    assert_eq!(probe(&associated(0, &agreed())), Probe::YesFromServer);
    // S7comm's setup communication; a connect request, which could be anyone's.
    assert_eq!(probe(&hex("0300 0019 02f080 32010000020000080000f0000001000101e0")), Probe::No);
    assert_eq!(probe(&hex("03000016 11e00000 000100c0 010ac102 0100c202 0102")), Probe::No);
    assert_eq!(probe(b"GET / HTTP/1.1\r\n"), Probe::No);
}

/// One message in three data TPDUs, cut anywhere.
#[test]
fn segments_are_put_together() {
    let whole = wrapped(&element("a0", &[vec![2, 1, 1], read(&[("D", "a"), ("D", "b")])].concat()));
    let part = |last: u8, bytes: &[u8]| {
        let mut packet = tpkt(bytes);
        packet[6] = last;
        packet
    };
    let stream = [part(0, &whole[..9]), part(0, &whole[9..20]), part(0x80, &whole[20..])].concat();
    for step in 1..stream.len() {
        let pieces: Vec<(Direction, &[u8])> = stream.chunks(step).map(|piece| (FromClient, piece)).collect();
        let rows = feed_unprobed(&S7comm, &flow(Transport::Tcp, 102), &pieces);
        assert_eq!(rows.of("operation")[0]["quantity"], 2, "step {step}");
        assert!(rows.marks.is_empty(), "step {step}");
    }
}

#[test]
fn malformed_pdus_are_told_and_reading_goes_on() {
    // As `iec61850/iti-mms-confirmedrequestpdu.pcap` frame 12: a request without a service.
    let rows = talk(&[(FromClient, tpkt(&wrapped(&hex("a003020101")))), (FromClient, request(2, &hex("8200")))]);
    assert_eq!(rows.of("weird")[0]["name"], "mms_malformed_pdu");
    assert_eq!(rows.marks.len(), 1);
    assert!(matches!(rows.marks[0], Mark::Malformed(_)));
    assert_eq!(rows.of("operation")[0]["name"], "identify");
}

fn samples() -> Vec<Vec<u8>> {
    let file = element("bf48", &[element("a0", &text("19", "f")), hex("810100")].concat());
    vec![
        associate(&[hex("8b03520301"), element("ac", &text("80", "x"))].concat()),
        associated(0, &agreed()),
        request(1, &read(&[("D", "a"), ("D", "b")])),
        request(1, &write(&[("BAY1", "CSWI1$CO$Pos$Oper")], "a206 830101 860105")),
        request(1, &file),
        reply(1, &hex("a506 800103 800103")),
        reply(1, &hex("bf4806 800107 a103 800103")),
        tpkt(&wrapped(&hex("a20a 800101 a205 a003 870102"))),
        tpkt(&wrapped(&hex("a406 800102 810101"))),
    ]
}

/// Cut short with the packet's length mended, so that the layers above meet the cut.
#[test]
fn every_truncation_is_survived() {
    let flow = flow(Transport::Tcp, 102);
    for whole in samples() {
        for end in 8..whole.len() {
            let cut = tpkt(&whole[7..end]);
            feed_unprobed(&S7comm, &flow, &[(FromClient, &cut), (FromServer, &cut)]);
        }
    }
}

/// Every service with content of any length.
#[test]
fn every_service_survives_any_content() {
    let flow = flow(Transport::Tcp, 102);
    for number in 0..90u8 {
        for content in ["", "00", "800101", "a003800101", "a1021a00", "3003800101", "a0053003a0018000", "a2a2a2a2"] {
            let tag = if number < 31 { format!("{:02x}", 0xa0 | number) } else { format!("bf{number:02x}") };
            let service = element(&tag, &hex(content));
            let (ask, answer) = (request(1, &service), reply(1, &service));
            let rows = feed_unprobed(&S7comm, &flow, &[(FromClient, &ask), (FromServer, &answer)]);
            assert_eq!(rows.of("operation").len(), 1, "{number} {content}");
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_survived(
        pieces in prop::collection::vec((any::<bool>(), 0u8..4, prop::collection::vec(any::<u8>(), 1..80)), 1..12),
    ) {
        let flow = flow(Transport::Tcp, 102);
        let mut analyzer = Mms.open(&flow);
        let mut rows = Recorder::default();
        for (index, (client, wrap, bytes)) in (0..).zip(&pieces) {
            let direction = if *client { FromClient } else { FromServer };
            let bytes = match wrap {
                0 => bytes.clone(),
                1 => tpkt(bytes),
                2 => tpkt(&wrapped(bytes)),
                _ if *client => request(1, bytes),
                _ => reply(1, bytes),
            };
            let _ = Mms.probe(&pdu(&flow, index, direction, &bytes));
            analyzer.feed(&pdu(&flow, index, direction, &bytes), &mut rows);
        }
        analyzer.gap(FromClient, 1, &mut rows);
        analyzer.close(&flow, &mut rows);
    }
}
