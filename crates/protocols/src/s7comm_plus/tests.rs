//! S7comm-plus conversations, with PDUs cut from captures.

use proptest::prelude::*;
use quaywatch_model::Direction::{FromClient, FromServer};
use quaywatch_model::{Direction, Mark, Transport};

use super::value::{Value, value, vlq};
use super::*;
use crate::bytes::Cursor;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex};

/// iti-s7-1511-db3-var1-hmi.pcap frame 12: an OPC server creates a session.
const CREATE: &str = "720100e431000004ca0000000100000120360000011d00040000000000a1000000d3821f0000a3816900151653657276\
657253657373696f6e5f3130303030303241a38221001512303a3a3acccccccccccccccccccccccc3a3aa3822800150f53375f56657262696e64756e67\
5f31a3822900151753494d41544943204e455420504320536f667477617265a3822a0015163a3a3a224f5043205365727665725f31223a3a564d2fa382\
2b000402a3822c00121000002aa3822d00150131a1000000d3817f0000a38169001515537562736372697074696f6e436f6e7461696e6572a2a2000000\
0072010000";
/// The same, frame 13: the CPU's answer.
const CREATED: &str = "720100c832000004ca0000000136000287088709a100000120821f0100a38169001500a3822b00048280808000a3822d001510\
4f4d53502e52454c2e353034312e3233a3822f10021482090f4f38a8aa0b93dd69b088a316e857aa2ff2a3823200170000013a823b00048240823c0004\
8240823d000484818040823e000484818040823f00151a313b36455337203531312d31414b30302d304142303b56312e30824000151a313b3645533720\
3531312d31414b30302d304142303b56312e3082410003000300a20000000072010000";
/// agentcarter-offline-download-yeni.pcapng frame 28, its data in a V2 frame: the CPU is to stop.
const STOP: &str =
    "31000004f2000000280000039234000000340190770008010000 04e88969001200000000896a001300896b00040000000400000000";
/// Its answer, frame 29.
const STOPPED: &str = "32000004f2000000283400 2c00000000";

/// icsnpp-s7comm-plus.pcap frames 190, 191 and 2, data without their integrity part: a tag is written; four are reported.
const SET: &str = "31000005420000833370000e4d3400000000010588dbd6a75e88d0b88005029376710100010100000004e88969001200000000896a00\
    1300896b0004000084eb3b00000000";
const SET_DONE: &str = "32000005420000833334000086f16e00000000";
const REPORT: &str = "3370000e51040000000000c98ec148019200000005000e41aa70aa9200000019000e417e538e920000001a000e41467956920000001b\
    000e4193eb850000000000";
/// iti-v13-1200-tp1200sim ... frames 32, 33 (its head) and 35: an HMI subscribes to two words of markers; both are reported.
const SUBSCRIBE: &str = "31000004ca000000040000039834000003af00040000000000a17fffc00187690000a38169001517537562736372697074696f\
    6e5f32313437343637323635a3883a000200a3876a00030000a3876b000900a38810000205a38811000101a38818200411888084800000028880\
    9080028fffffff7e00528ae28fb7009d180988809080028fffffff7f00528a8ee5ef369d180aa3881900048768a3881a000400a3881b000200a3\
    881c000200a3881d00070003a3881e0003ffffa200000000";
const SUBSCRIBED: &str = "32000004ca0000000434000181808080 6a 0000000000";
const WORDS: &str = "331000006a040000000000010192ffffffff000703e992fffffffe000700020000000000";

fn detail(row: &serde_json::Value) -> serde_json::Value {
    serde_json::from_str(row["detail"].as_str().unwrap()).unwrap()
}

#[test]
fn values_written_and_reported_are_told() {
    let rows = talk(&[
        (FromClient, &framed(3, SET, true)),
        (FromServer, &framed(3, SET_DONE, true)),
        (FromServer, &framed(3, REPORT, true)),
    ]);
    let [set, report] = &rows.of("operation")[..] else { panic!("two operations") };
    assert_eq!((set["object"].as_str(), set["class"].as_str()), (Some("DB5.113"), Some("write")));
    assert_eq!(detail(set)["values"], serde_json::json!(["1"]));
    let said = ["#5=21.305011749267578", "#19=15.89539909362793", "#1a=12.404623031616211", "#1b=18.489999771118164"];
    assert_eq!(detail(report)["values"], serde_json::json!(said));
    assert_eq!(detail(report)["sequence"], 237_768);
    assert!(rows.marks.is_empty());
}

#[test]
fn reports_name_what_was_subscribed() {
    let rows = talk(&[
        (FromClient, &framed(2, SUBSCRIBE, true)),
        (FromServer, &framed(2, SUBSCRIBED, true)),
        (FromServer, &framed(2, WORDS, true)),
    ]);
    let [made, report] = &rows.of("operation")[..] else { panic!("two operations") };
    assert_eq!(detail(made)["subscribed"], serde_json::json!(["MArea.9", "MArea.10"]));
    assert_eq!(report["object"], "subscription 0x1000006a");
    assert_eq!(detail(report)["values"], serde_json::json!(["MArea.10=1001", "MArea.9=2"]));
}

#[test]
fn a_read_tells_values_of_tags_and_withholds_texts_of_others() {
    let answer = "320000054c00000001340001001503 4d4d4d 02000807 00 03 8501 00 00000000";
    for (linked, wanted) in
        [("00000000 02 04 00 8a8e8001 02 00 09 00 52 02 00 0a", "MMM"), ("00000032 02 01 02", "withheld")]
    {
        let request = format!("310000054c0000000100000392 34 {linked} 000004e8 00000000");
        let rows = talk(&[(FromClient, &framed(2, &request, true)), (FromServer, &framed(2, answer, true))]);
        let said = detail(&rows.of("operation")[0]);
        assert_eq!(said["values"], serde_json::json!([wanted, "7"]));
        assert_eq!(said["failed"], serde_json::json!([3]));
    }
}

#[test]
fn a_block_read_out_is_an_upload() {
    let block = "a1 8a320001 9457 20 00 a3 8169 0015 04 4d61696e a3 9311 0014 00 04 01020304 a2";
    let answer = format!("32000004bb0000000136 00 00000003 {block} 0000000000");
    let rows = talk(&[
        (FromClient, &framed(2, "31000004bb0000000100000392 34 00000003 0001000100 00000000", true)),
        (FromServer, &framed(2, &answer, true)),
    ]);
    let program = &rows.of("program")[0];
    assert_eq!((program["name"].as_str(), program["transfer"].as_str()), (Some("OB1 Main"), Some("upload")));
}

#[test]
fn a_password_proven_is_a_login() {
    let proof = "31000004f2000000280000039234 00000392 01 8230 0014 00 02 beef 000004e8 00000000";
    for (answer, outcome) in
        [("32000004f20000002834 00 00000000", "success"), ("32000004f20000002834 83ff74 00000000", "failure")]
    {
        let rows = talk(&[(FromClient, &framed(2, proof, true)), (FromServer, &framed(2, answer, true))]);
        assert_eq!(rows.of("operation")[0]["name"], "legitimate");
        assert!(!rows.of("operation")[0]["detail"].as_str().unwrap().contains("beef"));
        assert_eq!(rows.of("session")[0]["method"], "password");
        assert_eq!(rows.of("session")[0]["outcome"], outcome);
    }
}

fn tpkt(user: &[u8]) -> Vec<u8> {
    let mut packet = vec![3, 0];
    packet.extend_from_slice(&u16::try_from(user.len() + 7).unwrap().to_be_bytes());
    packet.extend_from_slice(&[2, 0xf0, 0x80]);
    packet.extend_from_slice(user);
    packet
}

fn framed(version: u8, data: &str, last: bool) -> Vec<u8> {
    let mut body = hex(data);
    if version == 3 {
        let mut signed = vec![0x20];
        signed.extend_from_slice(&[0xdd; 32]);
        signed.extend_from_slice(&body);
        body = signed;
    }
    let mut frame = vec![0x72, version];
    frame.extend_from_slice(&u16::try_from(body.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(&body);
    if last {
        frame.extend_from_slice(&[0x72, version, 0, 0]);
    }
    tpkt(&frame)
}

fn talk(pieces: &[(Direction, &[u8])]) -> Recorder {
    feed(&S7commPlus, &flow(Transport::Tcp, 102), pieces)
}

#[test]
fn a_session_tells_who_both_are() {
    let rows = talk(&[(FromClient, &tpkt(&hex(CREATE))), (FromServer, &tpkt(&hex(CREATED)))]);
    let operation = &rows.of("operation")[0];
    assert_eq!(operation["name"], "create object");
    assert_eq!(operation["class"], "session");
    assert_eq!(operation["status"], 0);
    assert_eq!(operation["reply_frame"], 2);
    let detail: serde_json::Value = serde_json::from_str(operation["detail"].as_str().unwrap()).unwrap();
    assert_eq!(detail["created"], serde_json::json!([0x388, 0x389]));
    let identities = rows.of("identity");
    let said: Vec<_> = identities.iter().map(|row| row["value"].as_str().unwrap()).collect();
    assert_eq!(said, ["6ES7 511-1AK00-0AB0", "V1.0"]);
    let session = &rows.of("session")[0];
    assert_eq!(session["client_software"], "SIMATIC NET PC Software");
    assert_eq!(session["user"], "S7_Verbindung_1");
    assert_eq!(session["outcome"], "success");
}

#[test]
fn stop_is_control_in_every_version() {
    for version in 1..=3 {
        let rows = talk(&[(FromClient, &framed(version, STOP, true)), (FromServer, &framed(version, STOPPED, true))]);
        let stop = &rows.of("operation")[0];
        assert_eq!(stop["name"], "stop");
        assert_eq!(stop["class"], "control");
        assert_eq!(stop["object"], "CPUexecUnit");
        assert_eq!(stop["status"], 0);
        assert!(rows.marks.is_empty());
    }
}

#[test]
fn fragments_are_put_together() {
    let clean: String = STOP.chars().filter(|c| !c.is_whitespace()).collect();
    let (front, back) = clean.split_at(40);
    let rows = talk(&[(FromClient, &framed(3, front, false)), (FromClient, &framed(3, back, true))]);
    assert_eq!(rows.of("operation")[0]["name"], "stop");
    assert_eq!(rows.of("operation")[0]["request_frame"], 2);
    assert_eq!(rows.of("operation")[0]["status"], serde_json::Value::Null);
}

#[test]
fn a_block_is_a_program() {
    // A data block with a name and a blob, into the program (object 3).
    let data = "31000004ca0000000100000392 36 00000003 0004 00 00000000 16 a1 8a0e0001 940e 20 00 \
                a3 8169 0015 03 4d4d41 a3 9311 0014 00 04 01020304 a2 00000000";
    let reply = "32000004ca0000000134 00 00 3800000000";
    let rows = talk(&[(FromClient, &framed(2, data, true)), (FromServer, &framed(2, reply, true))]);
    assert_eq!(rows.of("operation")[0]["class"], "program");
    let program = &rows.of("program")[0];
    assert_eq!(program["name"], "DB1 MMA");
    assert_eq!(program["transfer"], "download");
    assert_eq!(program["complete"], true);
}

#[test]
fn tls_is_opaque_and_nonsense_is_malformed() {
    let records = tpkt(&hex("1703030020"));
    let rows = talk(&[(FromClient, &framed(1, STOP, true)), (FromClient, &records)]);
    assert_eq!(rows.marks, [Mark::Opaque("encrypted")]);
    let rows = talk(&[(FromClient, &tpkt(&hex("7201000f31"))), (FromClient, &tpkt(&hex("7201000131 55")))]);
    assert_eq!(rows.of("weird").len(), 2);
}

#[test]
fn numbers_of_variable_length() {
    let number = |bytes: &str| vlq(&mut Cursor::new(&hex(bytes)));
    assert_eq!(number("9077"), Some(2167));
    assert_eq!(number("ffffffffffffffffff"), Some(u64::MAX));
    assert_eq!(number("80"), None);
    let signed = |bytes: &[u8]| value(&mut Cursor::new(bytes), 0, &mut |_, _| ()) == Some(Value::Signed(-1));
    assert!(signed(&hex("00087f")));
    assert!(!signed(&hex("000803")));
}

#[test]
fn every_truncation_is_survived() {
    for pdu in [CREATE, CREATED] {
        let whole = hex(pdu);
        for end in 1..whole.len() {
            feed_unprobed(&S7commPlus, &flow(Transport::Tcp, 102), &[(FromClient, &tpkt(&whole[..end]))]);
        }
    }
    for (direction, data) in
        [(FromClient, STOP), (FromClient, SET), (FromClient, SUBSCRIBE), (FromServer, REPORT), (FromServer, WORDS)]
    {
        let data = hex(data);
        for end in 1..data.len() {
            let cut: String = data[..end].iter().map(|byte| format!("{byte:02x}")).collect();
            talk(&[(direction, &framed(2, &cut, true))]);
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bodies_do_not_panic(function in 0x04b0u16..0x05b4, reply: bool, body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut data = vec![if reply { 0x32 } else { 0x31 }, 0, 0];
        data.extend_from_slice(&function.to_be_bytes());
        data.extend_from_slice(&body);
        let text: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
        let direction = if reply { FromServer } else { FromClient };
        talk(&[(direction, &framed(2, &text, true))]);
    }
}
