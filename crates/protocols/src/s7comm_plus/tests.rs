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
    let data = hex(STOP);
    for end in 1..data.len() {
        let cut: String = data[..end].iter().map(|byte| format!("{byte:02x}")).collect();
        talk(&[(FromClient, &framed(2, &cut, true))]);
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
