use proptest::prelude::*;
use quaywatch_model::{Direction, Mark, Transport};
use serde_json::{Value, json};

use super::side::MAX_MESSAGE;
use super::{Dtls, Tls};
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

const CLIENT: Direction = Direction::FromClient;
const SERVER: Direction = Direction::FromServer;

// A whole TLS 1.2 handshake: shared capture tls/suricata-ja4-tls.pcap, frames 4, 6, 8, 9.

/// Frame 4: client hello.
const CLIENT_HELLO: &str = "\
    16030100af010000ab0303942d1fef575d770207c29dbe2401ccf05dcde1d2a5869c4a3eee38db551ad9bc000024c02bc02f009ec00a\
    c009c013c014c007c011003300320039009c002f0035000a000500040100005eff01000100000a00080006001700180019000b000201\
    00002300003374000000100014001208737064792f332e3108687474702f312e317550000000050005010000000000120000000d0012\
    001004010501020104030503020304020202\
    ";

/// Frame 6: server hello, certificate, key exchange, done.
const SERVER_FLIGHT: &str = "\
    160303003d02000039030354f9fc1577e433d32da82e9d38897d5a2628bfb09851dad9bd03f8afa209a4f000c02f000011ff01000100\
    000b0004030001020023000016030303790b00037500037200036f3082036b30820253a00302010202090097e647098eeac9b4300d06\
    092a864886f70d0101050500304c310b3009060355040613024652310c300a06035504080c03494446310e300c06035504070c055061\
    726973310f300d060355040a0c065374616d7573310e300c06035504030c0553454c4b53301e170d3135303231323138303732375a17\
    0d3235303230393138303732375a304c310b3009060355040613024652310c300a06035504080c03494446310e300c06035504070c05\
    5061726973310f300d060355040a0c065374616d7573310e300c06035504030c0553454c4b5330820122300d06092a864886f70d0101\
    0105000382010f003082010a0282010100a682bee856936d61f74fc94777cde53c7c8d0dba1534f5ae1e85a8d6da336d5ffd6253fa45\
    f05d847427877132643c96fff394bfbf0250a58477588e35cdf0f3246994e77b93d8357adab2f94e0f24be0109e3f2f64beee593992c\
    770cb4edf555dfdab2ea578abdf230f392cbe3976752c2bc21392e5dc9173bf7d633ed613f085b41344a4fb690aa8e97895b75128336\
    19800d7b7f7aae32d15fdd6b47ea5a4150041785c4c79d754587a974b326f965011df086014ebe30a576d4e845768f5e737cfe77a57e\
    62f4043c340e4bf5eff69a9128bf02d46e02ffe5652d90707a72fda704549202e2880798275936f9983ed947eb137edafa122a1c8536\
    460c030203010001a350304e301d0603551d0e041604146acee6879acf3897fd81a8e279958f1adeab2222301f0603551d2304183016\
    80146acee6879acf3897fd81a8e279958f1adeab2222300c0603551d13040530030101ff300d06092a864886f70d0101050500038201\
    0100568deb00d5f0323b21de5b0f20fba93eeae856215479f7bab353d1f6f659e1ca00fac523dfa698ac483023d6c346a956d10b8e4d\
    47741e858764bdf44cb57444a0a8e16ca3c303c28099c1ce8960bda4b6f145b998d5b201d24570dc12c8175ff2ee0003c0bf0be29feb\
    9be33c43aba9590b44a8ff92f2b238e6232bd42604899637954ec1f1bc8e6e05eff12eb7ef6a2c0fbfb0d3d2f9eee2f3130333fa52f6\
    bcb2e594f91fdc1ed5aaacef0bc5bfecf91456693975458dd1fda46f1da260e9609460b8cc1487f1384a0cf3096ca301ce03fe0e1746\
    72b581f3d11b502498d480e6709e1d84380ffc4efc953b7690728b530b3da5b92dcd6dc4a94bd6c3a845160303014d0c000149030017\
    4104c7762bf06c2cb7834f948d61d559364bdd45e4461d30461eff3159e6f19c0b297bfc31ff7bd08be3d80a148e6f706a455db1eb49\
    145f2e675aefa4a657ed9e1d04010100122c126ea0965828057bea326ec89113aea4f15ce88c94349a9813438c5252d18e0249d757e8\
    75dd38c881098ef499ace1f4ce123db2776146a53effa6d790c571a0d71c9c0058ef389066d7546683af1a3af543b8fc51c2e2658ff8\
    e3218897eab149acb2eacee1f9badf6b4f0ad4851817fe203f08b258e73cd43095d94a4224bb963c01152e472a03743399e6f18a1feb\
    b050cb0bb299a1145cbd8fb70d00ca2385a1d00d6e33168c65bb368fb3fbb22797887d78e144e9f49c31258f980245fa7b19d38666f6\
    3f178157d61f23cfa636628dce4707cd4fd4041c5b1e7567393d15b1ef367788f6d6262ea3f4b8c64e5b0b8f6231074ee600b23e8283\
    51c716030300040e000000\
    ";

/// Frame 8: key exchange, change of ciphers, finished.
const CLIENT_FLIGHT: &str = "\
    1603030046100000424104e2445f4798648f0c2cc855ff1621f2b5d17d052ed258aab5de767446ca0a60df4cb6c59a94fe510fc2a891\
    114f226a3d6e2dc2e68652c203f0359585237f94e314030300010116030300280000000000000000a4d9e428978bdca7c3fd67ec50a8\
    49677368847fa075880f0905e81789c19c90\
    ";

/// Frame 9: ticket, change of ciphers, finished.
const SERVER_FINISHED: &str = "\
    16030300ba040000b60000012c00b0ef14f3a85ef91e3a40aa0b2b5aa0ac73912f3fd00aac67a8fb76a4aede32317bb52d8ef6a6b3c6\
    1fbbc3a9a5a5a4ca36c6d0c21b42883e5c40e02481f38f939d0c80bcceba1af2b785c9d334c26e82c7667f7eda93639d632e1540cf90\
    2c850dd1802b6b9ab275bfe2f1ad41f83fc95e7120d5814915d5065c413d06f730f2d4f3e2b9bfb35d3a8894af0ca2f66d91cc79fd0c\
    f5f6c1784471fe84fc1c0e8e8ab5121e7be74e1660c99dfbc41daa0da414030300010116030300287f95d76d670e41ea089316584ec4\
    68854925259fd7ca9636539fc21368a3614ca12f6a05e6cbd7e6\
    ";

fn detail(session: &Value) -> Value {
    serde_json::from_str(session["detail"].as_str().unwrap()).unwrap()
}

fn handshake(step: usize) -> Recorder {
    let flow = flow(Transport::Tcp, 443);
    let flights: Vec<(Direction, Vec<u8>)> =
        [(CLIENT, CLIENT_HELLO), (SERVER, SERVER_FLIGHT), (CLIENT, CLIENT_FLIGHT), (SERVER, SERVER_FINISHED)]
            .map(|(direction, text)| (direction, hex(text)))
            .to_vec();
    let pieces: Vec<_> = flights.iter().flat_map(|(d, data)| data.chunks(step).map(|piece| (*d, piece))).collect();
    feed(&Tls, &flow, &pieces)
}

#[test]
fn a_handshake_is_read_however_it_is_cut() {
    for step in [1, 5, 6, 100, 2000] {
        let recorder = handshake(step);
        let sessions = recorder.of("session");
        assert_eq!(sessions.len(), 1, "step {step}");
        let session = &sessions[0];
        assert_eq!(session["version"], "TLS 1.2");
        assert_eq!(session["outcome"], "success");
        assert_eq!(session["encrypted"], true);
        let detail = detail(session);
        // The fingerprint that Suricata's own test of this capture expects.
        assert_eq!(detail["ja4"], "t12i1810s1_27d4652c4487_06a4338d0495");
        assert_eq!(detail["cipher"], "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
        assert_eq!(detail["offered_alpn"], json!(["spdy/3.1", "http/1.1"]));
        assert_eq!(detail["handshake"], "c1 s2 s11 s12 s14 c16 s4");
        let certificate = &detail["certificate"];
        assert_eq!(certificate["subject"], "C=FR, ST=IDF, L=Paris, O=Stamus, CN=SELKS");
        assert_eq!(certificate["key"], "RSA 2048");
        assert_eq!(certificate["signature"], "sha1WithRSAEncryption");
        assert_eq!(certificate["self_signed"], true);
        assert_eq!(certificate["not_before"], "2015-02-12T18:07:27Z");
        assert_eq!(recorder.of("service")[0]["version"], "TLS 1.2");
        assert_eq!(recorder.of("identity")[0]["value"], "C=FR, ST=IDF, L=Paris, O=Stamus, CN=SELKS");
        assert!(recorder.of("weird").is_empty());
    }
}

/// A client hello with server name `plc.port` and TLS 1.3, written by hand.
fn hello_13() -> Vec<u8> {
    let extensions = "0000000d000b000008706c632e706f7274 002b0003020304";
    let mut body = hex("0303");
    body.extend([7; 32]);
    body.extend(hex("00 0004 13011302 0100"));
    let extensions = hex(extensions);
    body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    body.extend(extensions);
    record(22, &message(1, &body))
}

fn server_hello_13() -> Vec<u8> {
    let mut body = hex("0303");
    body.extend([9; 32]);
    body.extend(hex("00 1301 00 0006 002b00020304"));
    record(22, &message(2, &body))
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind], &length[1..], body].concat()
}

fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[kind, 3, 3], &length[..], content].concat()
}

#[test]
fn tls_13_is_told_by_its_extension() {
    let flow = flow(Transport::Tcp, 443);
    let (client, server) = (hello_13(), server_hello_13());
    let ccs = record(20, &[1]);
    let data = record(23, &[0; 40]);
    let recorder = feed(
        &Tls,
        &flow,
        &[
            (CLIENT, &client),
            (SERVER, &server),
            (SERVER, &ccs),
            (SERVER, &data),
            (CLIENT, &ccs),
            (CLIENT, &data),
            (SERVER, &data),
        ],
    );
    let session = &recorder.of("session")[0];
    assert_eq!((&session["version"], &session["outcome"]), (&json!("TLS 1.3"), &json!("success")));
    assert_eq!(
        recorder.of("name")[0],
        json!({"subject": "10.0.0.2", "name": "plc.port", "kind": "tls-sni", "asker": "10.0.0.1"})
    );
    assert_eq!(recorder.marks, [Mark::Opaque("encrypted"); 3]);
}

#[test]
fn a_fatal_alert_is_a_failure() {
    let flow = flow(Transport::Tcp, 443);
    let (client, alert) = (hello_13(), record(21, &[2, 70]));
    let recorder = feed(&Tls, &flow, &[(CLIENT, &client), (SERVER, &alert)]);
    let session = &recorder.of("session")[0];
    assert_eq!((&session["outcome"], &session["encrypted"]), (&json!("failure"), &json!(false)));
    assert_eq!(detail(session)["alerts"], "s:protocol_version");
}

#[test]
fn an_ssl_2_hello_is_read() {
    // Version 3.0, one SSL 2.0 suite and one of SSL 3.0, challenge of 16 bytes.
    let mut hello = hex("801f 01 0300 0006 0000 0010 010080 00000a");
    hello.extend([5; 16]);
    let flow = flow(Transport::Tcp, 443);
    // SSL 2.0 server hello.
    let server = hex("8003 04 00 01");
    let recorder = feed(&Tls, &flow, &[(CLIENT, &hello), (SERVER, &server), (CLIENT, &[0x80, 1, 7])]);
    let session = &recorder.of("session")[0];
    assert_eq!(session["version"], "SSL 2.0");
    let detail = detail(session);
    assert_eq!((&detail["offered_version"], &detail["offered_ciphers"]), (&json!("SSL 3.0"), &json!("000a")));
}

#[test]
fn a_connection_met_midway_is_recognised() {
    let flow = flow(Transport::Tcp, 443);
    let data = record(23, &[0; 64]);
    let recorder = feed(&Tls, &flow, &[(SERVER, &data), (CLIENT, &data)]);
    assert_eq!(recorder.marks, [Mark::Opaque("encrypted"); 2]);
    assert_eq!(recorder.of("session")[0]["version"], "");
}

#[test]
fn after_a_gap_reading_goes_on_at_a_record() {
    let flow = flow(Transport::Tcp, 443);
    let mut out = Recorder::default();
    let mut analyzer = Tls.open(&flow);
    let (client, data) = (hello_13(), record(23, &[0; 64]));
    analyzer.feed(&pdu(&flow, 0, CLIENT, &client), &mut out);
    analyzer.gap(CLIENT, 100, &mut out);
    analyzer.feed(&pdu(&flow, 1, CLIENT, &[1, 2, 3]), &mut out);
    analyzer.feed(&pdu(&flow, 2, CLIENT, &data), &mut out);
    assert_eq!(out.marks, [Mark::Undecoded("tls after a gap"), Mark::Opaque("encrypted")]);
}

#[test]
fn what_breaks_the_rules_is_told() {
    let flow = flow(Transport::Tcp, 443);
    let client = hello_13();
    let recorder = feed(&Tls, &flow, &[(CLIENT, &client), (CLIENT, b"GET / HTTP/1.1")]);
    assert_eq!(recorder.of("weird")[0]["name"], "tls_record_malformed");
    let overread = record(24, &hex("01 4000"));
    let recorder = feed(&Tls, &flow, &[(CLIENT, &client), (CLIENT, &overread)]);
    assert_eq!(recorder.of("weird")[0]["name"], "tls_heartbeat_overread");
    let short = record(22, &message(2, &[3, 3, 0]));
    let recorder = feed(&Tls, &flow, &[(CLIENT, &client), (SERVER, &short)]);
    assert_eq!(recorder.of("weird")[0]["name"], "tls_hello_malformed");
}

#[test]
fn an_overlong_message_is_read_over() {
    let flow = flow(Transport::Tcp, 443);
    let mut stream = message(11, &vec![0; MAX_MESSAGE + 1000]);
    stream.extend(message(2, &server_hello_13()[9..]));
    let mut out = Recorder::default();
    let mut analyzer = Tls.open(&flow);
    for content in stream.chunks(16_000) {
        analyzer.feed(&pdu(&flow, 0, SERVER, &record(22, content)), &mut out);
    }
    assert_eq!(out.of("service")[0]["version"], "TLS 1.3");
}

#[test]
fn the_probe_is_strict() {
    let flow = flow(Transport::Tcp, 4711);
    let probe = |bytes: &[u8]| Tls.probe(&pdu(&flow, 0, CLIENT, bytes));
    assert_eq!(probe(&hello_13()), Probe::Yes);
    assert_eq!(probe(&server_hello_13()), Probe::YesFromServer);
    assert_eq!(probe(&[22]), Probe::Unsure);
    for other in [
        &b"GET / HTTP/1.1"[..],
        b"SSH-2.0-x",
        b"",
        &[22, 3, 9, 0, 9, 1],
        &[23, 3, 3, 0xff, 0xff, 1],
        &[0x80, 1, 1, 3, 0],
    ] {
        assert_eq!(probe(other), Probe::No, "{other:x?}");
    }
}

#[test]
fn dtls_hellos_are_read() {
    // Client hello of TLS 1.3 above, as DTLS: record and message headers with sequence numbers, and an empty cookie.
    let flow = flow(Transport::Udp, 4433);
    let mut body = hex("fefd");
    body.extend([7; 32]);
    body.extend(hex("00 00 0002 c02b 0100"));
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    let content = [&[1u8], &length[1..], &[0, 0, 0, 0, 0], &length[1..], &body].concat();
    let size = u16::try_from(content.len()).unwrap().to_be_bytes();
    let datagram = [&hex("16 fefd 0000 000000000000")[..], &size, &content].concat();
    let encrypted = hex("17 fefd 0001 000000000000 0003 010203");
    let recorder = feed(&Dtls, &flow, &[(CLIENT, &datagram), (CLIENT, &encrypted)]);
    let session = &recorder.of("session")[0];
    assert_eq!(detail(session)["ja4"].as_str().unwrap().split('_').next(), Some("dd2i010000"));
    assert_eq!(recorder.marks, [Mark::Opaque("encrypted")]);
    for length in 0..datagram.len() {
        assert_eq!(Dtls.probe(&pdu(&flow, 0, CLIENT, &datagram[..length])), Probe::No);
        feed_unprobed(&Dtls, &flow, &[(CLIENT, &datagram[..length])]);
    }
}

#[test]
fn truncations_do_no_harm() {
    let flow = flow(Transport::Tcp, 443);
    for (direction, text) in [(CLIENT, CLIENT_HELLO), (SERVER, SERVER_FLIGHT), (SERVER, SERVER_FINISHED)] {
        let whole = hex(text);
        for length in 1..whole.len() {
            feed_unprobed(&Tls, &flow, &[(direction, &whole[..length])]);
        }
        // The lengths of the messages made to fit.
        for length in 4..whole.len().min(1000) {
            feed_unprobed(
                &Tls,
                &flow,
                &[(direction, &record(22, &message(whole[5], &whole[9..9 + length.min(whole.len() - 9)])))],
            );
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_no_harm(pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 1..80)), 0..20)) {
        let pieces: Vec<_> = pieces.iter().map(|(ask, data)| (if *ask { CLIENT } else { SERVER }, data.as_slice())).collect();
        feed_unprobed(&Tls, &flow(Transport::Tcp, 443), &pieces);
        feed_unprobed(&Dtls, &flow(Transport::Udp, 443), &pieces);
    }

    #[test]
    fn damaged_flights_do_no_harm(at in 0..1000usize, byte: u8, cut in 1..400usize) {
        let mut stream = hex(SERVER_FLIGHT);
        stream[at] = byte;
        let pieces: Vec<_> = stream.chunks(cut).map(|piece| (SERVER, piece)).collect();
        feed_unprobed(&Tls, &flow(Transport::Tcp, 443), &pieces);
    }
}
