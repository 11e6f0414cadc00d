use proptest::prelude::*;
use quaywatch_model::Direction::{FromClient, FromServer};
use quaywatch_model::{Direction, Mark, Transport};

use super::Rdp;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

/// Shared capture rdp/suricata-rdp-003.pcap, frame 4: cookie, no negotiation.
const COOKIE: &str = "030000241fe00000000000436f6f6b69653a206d737473686173683d4137303036370d0a";
/// Frame 6: confirm.
const CONFIRM: &str = "0300000b06d00000123400";
/// Frame 7: client settings.
const CLIENT: &str = "\
    0300019c02f0807f658201900401010401010101ff30190201220201020201000201010201000201010202ffff0201023019020101020101\
    02010102010102010002010102020420020102301c0202ffff0202fc170202ffff0201010201000201010202ffff0201020482012f000500\
    147c00018126000800100001c00044756361811801c0d400040008008004600301ca03aa09040000280a000049005300440032002d004b00\
    4d0038003400310037003800000000000000000004000000000000000c000000000000000000000000000000000000000000000000000000\
    0000000000000000000000000000000000000000000000000000000000000000000000000000000001ca0100000000000f00070001003500\
    35003200370034002d004f0045004d002d0030003000310031003900300033002d0030003000310030003700000000000000000000000000\
    000000000000000004c00c00090000000000000002c00c000b0000000000000003c02c0003000000726470647200000000008080636c6970\
    726472000000a0c0726470736e640000000000c0";
/// Frame 8: server settings.
const SERVER: &str = "\
    0300014d02f0807f668201410a0100020100301a020122020103020100020101020100020101020300fff80201020482011b000500147c00\
    012a14760a01010001c0004d63446e8104010c080004000800030c1000eb030300ec03ed03ee030000020cec000800000002000000200000\
    00b8000000778e84ed14edf1083d361284c28dcd52da72301be1dc7fdf62accd22660b337201000000010000000100000006005c00525341\
    3148000000000200003f0000000100010083f6d4ca7c05975a72cb0b5ca0ece59d468470e83ac0589091a00c9119bcab88efc96b261a6290\
    e8a9385b5aa4198f5f29caa6c62c91439003bda0a2e9b8a6c90000000000000000080048001b0c7249c4782f8c7d4c9fc6182f3164c66099\
    979fa4f292683db067cfc711a7237512767a01199ca613beaf0647dd0120a94e54066f6a61018e57e725ee0f3f0000000000000000";
/// Frame 24: encrypted logon data.
const LOGON: &str = "\
    0300016502f08064000603eb7081564800000005f2c1b049eb8d134a6cf3a988c8d002c69bd7d172c11f20f3b1e8e67dbdcd2a74b3fb48e5\
    20eda0a57c44f99b6e129e86798ddd8068f67e6f47a04bd68c20dc35f688cf192369a1de711c8756c69e5ed12a9919266655e2c2d35ff157\
    cdd47c64c73666bbc498ea22d0f3477315f3b4f92b947c1ec811689e5755f113722c90749163fd211d22f37406e96c2c28db1dca46fef4ae\
    5dc7e611dbc708da5a5eb5cfdc6c6a8a9fa2992dc5d95ad5146f6100dc6bf67bbf5071c840bcf4f6a6d3a43fe1bda8c25eb4c23408107973\
    f64f5633f277c5c73448dc52807e28af43d22edee7be6cf42ea093b153423ff62eab9f24985b3b7e87c408d86f5eefab08124d0625dc2045\
    a5171287d8de474ea942bc3378182a838f09bcc2941065bfc44e801278684e4fc35c9a260c308c6dfc2de881a3bcc5cf38721678713d3dfb\
    31c15e4289bb0f2178860bb7d1cd5e0a2f0c0c33a9";
/// Frame 37: fast path, encrypted.
const FAST: &str = "90161886fb4828856af49f84c21a9374b3ce75025f56";

fn standard() -> Recorder {
    let parts: Vec<(Direction, Vec<u8>)> = vec![
        (FromClient, hex(COOKIE)),
        (FromServer, hex(CONFIRM)),
        (FromClient, hex(CLIENT)),
        (FromServer, hex(SERVER)),
        (FromClient, hex(LOGON)),
        (FromClient, hex(FAST)),
    ];
    let pieces: Vec<(Direction, &[u8])> = parts.iter().map(|(d, bytes)| (*d, bytes.as_slice())).collect();
    feed(&Rdp, &flow(Transport::Tcp, 3389), &pieces)
}

#[test]
fn standard_security_tells_settings_of_both_sides() {
    let rows = standard();
    assert!(rows.of("weird").is_empty(), "{:?}", rows.of("weird"));
    let operations = rows.of("operation");
    assert_eq!(operations.len(), 2);
    assert_eq!((operations[0]["object"].as_str(), operations[0]["status"].as_u64()), (Some("A70067"), Some(0)));
    let detail: serde_json::Value = serde_json::from_str(operations[1]["detail"].as_str().unwrap()).unwrap();
    assert_eq!(detail["client_name"], "ISD2-KM84178");
    assert_eq!(detail["client_build"], 2600);
    assert_eq!(detail["product_id"], "55274-OEM-0011903-00107");
    assert_eq!((&detail["screen_width"], &detail["screen_height"]), (&1152.into(), &864.into()));
    assert_eq!(detail["encryption_method"], "56-bit rc4");
    assert_eq!(detail["encryption_level"], "client compatible");
    assert_eq!(detail["channels"], serde_json::json!(["rdpdr", "cliprdr", "rdpsnd"]));
    let sessions = rows.of("session");
    assert_eq!(sessions.len(), 1);
    assert_eq!((&sessions[0]["method"], &sessions[0]["user"]), (&"standard".into(), &"A70067".into()));
    assert_eq!(sessions[0]["encrypted"], true);
    assert_eq!(rows.of("credential")[0]["weakness"], "weak-scheme");
    let names: Vec<_> = rows.of("identity").iter().map(|row| row["value"].clone()).collect();
    assert_eq!(names, ["ISD2-KM84178", "Windows build 2600"]);
    assert_eq!(rows.marks, [Mark::Opaque("encrypted"), Mark::Opaque("encrypted")]);
}

#[test]
fn a_stream_may_be_cut_anywhere() {
    let whole = standard();
    for step in [1, 3, 7, 50] {
        let mut parts: Vec<(Direction, Vec<u8>)> = Vec::new();
        for (direction, text) in [
            (FromClient, COOKIE),
            (FromServer, CONFIRM),
            (FromClient, CLIENT),
            (FromServer, SERVER),
            (FromClient, LOGON),
        ] {
            parts.extend(hex(text).chunks(step).map(|piece| (direction, piece.to_vec())));
        }
        let pieces: Vec<(Direction, &[u8])> = parts.iter().map(|(d, bytes)| (*d, bytes.as_slice())).collect();
        let rows = feed_unprobed(&Rdp, &flow(Transport::Tcp, 3389), &pieces);
        assert_eq!(rows.of("session")[0]["detail"], whole.of("session")[0]["detail"], "step {step}");
    }
}

#[test]
fn credssp_is_followed_by_tls() {
    let mut request = hex("03000028 23e00000000000");
    request.extend(b"Cookie: mstshash=bb\r\n");
    request.extend(hex("0100080003000000"));
    assert_eq!(request.len(), 0x28);
    let confirm = hex("03000013 0ed00000123400 021f080002000000");
    let hello = hex("16030100050100000100");
    let pieces: [(Direction, &[u8]); 3] = [(FromClient, &request), (FromServer, &confirm), (FromClient, &hello)];
    let rows = feed(&Rdp, &flow(Transport::Tcp, 4000), &pieces);
    let session = &rows.of("session")[0];
    assert_eq!((&session["method"], &session["user"]), (&"credssp".into(), &"bb".into()));
    assert_eq!(session["encrypted"], true);
    assert!(rows.of("credential").is_empty());
    // What follows is TLS's own row.
    assert!(rows.of("weird").iter().all(|row| row["protocol"] == "tls"));
}

#[test]
fn a_refusal_is_told() {
    let request = hex("03000013 0ee00000000000 0100080000000000");
    let refusal = hex("03000013 0ed00000123400 0300080005000000");
    let rows = feed(&Rdp, &flow(Transport::Tcp, 3389), &[(FromClient, &request), (FromServer, &refusal)]);
    assert_eq!(rows.of("session")[0]["outcome"], "failure");
    let operation = &rows.of("operation")[0];
    assert_eq!(operation["status_name"], "network level authentication required by server");
    let detail = rows.of("session")[0]["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("\"requested_protocols\":[\"standard\"]"), "{detail}");
}

/// Server settings that choose no encryption; then the client's logon data are readable.
#[test]
fn a_readable_logon_is_told_without_its_password() {
    let server = hex("\
        03000058 02f080 7f66 4e 0a0100 020100 301a020122020103020100020101020100020101020300fff8020102\
        042a 000500147c00012a14760a01010001c0004d63446e 14 010c0800 04000800 020c0c00 0000000000000000");
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let mut body = hex("4000 0000 00000000 18000000");
    let texts = [utf16("PORT"), utf16("crane"), utf16("crane"), Vec::new(), Vec::new()];
    for text in &texts {
        body.extend(u16::try_from(text.len()).unwrap().to_le_bytes());
    }
    for text in &texts {
        body.extend(text);
        body.extend([0, 0]);
    }
    let mut logon = hex("02f080 64000603eb70");
    logon.push(u8::try_from(body.len()).unwrap());
    logon.extend(body);
    let mut packet = vec![3, 0, 0, u8::try_from(logon.len() + 4).unwrap()];
    packet.extend(logon);
    assert_eq!(server.len(), 0x58);
    let rows = feed(&Rdp, &flow(Transport::Tcp, 3389), &[(FromServer, &server), (FromClient, &packet)]);
    let session = &rows.of("session")[0];
    assert_eq!((&session["user"], &session["encrypted"]), (&"PORT\\crane".into(), &false.into()));
    let weaknesses: Vec<_> = rows.of("credential").iter().map(|row| row["weakness"].clone()).collect();
    assert_eq!(weaknesses, ["clear-text", "same-as-account"]);
    assert!(rows.of("weird").is_empty());
}

#[test]
fn others_are_not_taken() {
    let flow = flow(Transport::Tcp, 102);
    let probe = |text: &str| Rdp.probe(&pdu(&flow, 0, FromClient, &hex(text)));
    // S7comm: connect with transport selectors, and a job.
    assert_eq!(probe("0300001611e00000000100c0010ac1020100c2020102"), Probe::No);
    assert_eq!(probe("0300 0019 02f080 32010000020000080000f0000001000101e0"), Probe::No);
    assert_eq!(probe("160301000501000001"), Probe::No);
    assert_eq!(probe(COOKIE), Probe::Yes);
    assert_eq!(probe(CLIENT), Probe::Yes);
    assert_eq!(probe(SERVER), Probe::YesFromServer);
    assert_eq!(probe(CONFIRM), Probe::Unsure);
    assert_eq!(probe("03"), Probe::Unsure);
}

#[test]
fn truncated_packets_do_no_harm() {
    for text in [COOKIE, CONFIRM, CLIENT, SERVER, LOGON, FAST] {
        let whole = hex(text);
        for length in 1..whole.len() {
            let mut cut = whole[..length].to_vec();
            let flow = flow(Transport::Tcp, 3389);
            feed_unprobed(&Rdp, &flow, &[(FromClient, &cut), (FromServer, &cut)]);
            // As a whole packet that is too short inside.
            if cut.len() > 7 && cut[0] == 3 {
                cut[2..4].copy_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
                feed_unprobed(&Rdp, &flow, &[(FromClient, &cut), (FromServer, &cut)]);
            }
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_no_harm(pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 1..60)), 0..12)) {
        let mut all = vec![(FromClient, hex(COOKIE))];
        all.extend(pieces.into_iter().map(|(client, bytes)| (if client { FromClient } else { FromServer }, bytes)));
        let pieces: Vec<(Direction, &[u8])> = all.iter().map(|(d, bytes)| (*d, bytes.as_slice())).collect();
        let rows = feed_unprobed(&Rdp, &flow(Transport::Tcp, 3389), &pieces);
        prop_assert!(rows.of("session").len() <= 1);
    }

    #[test]
    fn arbitrary_settings_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300), at in 0usize..400) {
        for text in [CLIENT, SERVER] {
            let mut message = hex(text)[7..].to_vec();
            let from = at.min(message.len());
            let to = (from + bytes.len()).min(message.len());
            message[from..to].copy_from_slice(&bytes[..to - from]);
            let _ = super::core::Client::parse(&message);
            let _ = super::core::Server::parse(&message);
        }
        let _ = super::info::logon(&bytes);
    }
}
