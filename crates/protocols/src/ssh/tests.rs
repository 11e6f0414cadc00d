use proptest::prelude::*;
use quaywatch_model::{Direction, Mark, Transport};
use serde_json::{Value, json};

use super::Ssh;
use super::analyzer::{Banner, MAX_BANNER};
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

const CLIENT: Direction = Direction::FromClient;
const SERVER: Direction = Direction::FromServer;

fn packet(kind: u8, content: &[u8]) -> Vec<u8> {
    let padding = 4 + (8 - (content.len() + 10) % 8) % 8;
    let length = u32::try_from(content.len() + padding + 2).unwrap();
    let mut packet = length.to_be_bytes().to_vec();
    packet.push(u8::try_from(padding).unwrap());
    packet.push(kind);
    packet.extend_from_slice(content);
    packet.resize(packet.len() + padding, 0);
    packet
}

fn kexinit(lists: [&str; 10]) -> Vec<u8> {
    let mut content = vec![0x55; 16];
    for list in lists {
        content.extend(u32::try_from(list.len()).unwrap().to_be_bytes());
        content.extend(list.as_bytes());
    }
    content.extend([0; 5]);
    packet(20, &content)
}

fn client_stream() -> Vec<u8> {
    let offer = kexinit([
        "curve25519-sha256,diffie-hellman-group14-sha1",
        "ssh-ed25519,ssh-rsa",
        "chacha20-poly1305@openssh.com,aes128-ctr",
        "3des-cbc,aes128-ctr",
        "hmac-sha1",
        "hmac-md5,hmac-sha1",
        "none",
        "none,zlib",
        "",
        "",
    ]);
    // Key exchange init and the change of keys: shared capture ssh/suricata-ssh-hassh.pcap, frames 16 and 18.
    let init = hex("0000002c061e00000020141b9df02c8e721b1acb10a4cc156555ea5111df71cab477edf9dc4af1ff9a58000000000000");
    let keys = hex("0000000c0a1500000000000000000000");
    [&b"SSH-2.0-PuTTY_Release_0.78\r\n"[..], &offer, &init, &keys, &[0xee; 44]].concat()
}

fn server_stream() -> Vec<u8> {
    let offer = kexinit([
        "diffie-hellman-group14-sha1",
        "ssh-rsa",
        "aes128-ctr,aes256-ctr",
        "3des-cbc",
        "hmac-sha1",
        "hmac-sha1",
        "none",
        "none",
        "",
        "",
    ]);
    let mut key = vec![0, 0, 0, 7];
    key.extend(b"ssh-rsa");
    key.extend([1; 20]);
    let mut reply = u32::try_from(key.len()).unwrap().to_be_bytes().to_vec();
    reply.extend(key);
    reply.extend([0; 30]);
    let greeting = &b"Welcome to crane 7\r\nSSH-1.99-OpenSSH_6.7p1 Raspbian-5+deb8u3\r\n"[..];
    [greeting, &offer, &packet(31, &reply), &packet(21, &[]), &[0xdd; 44]].concat()
}

fn detail(session: &Value) -> Value {
    serde_json::from_str(session["detail"].as_str().unwrap()).unwrap()
}

fn run(step: usize) -> Recorder {
    let flow = flow(Transport::Tcp, 22);
    let (client, server) = (client_stream(), server_stream());
    let pieces: Vec<_> =
        client.chunks(step).map(|p| (CLIENT, p)).chain(server.chunks(step).map(|p| (SERVER, p))).collect();
    feed_unprobed(&Ssh, &flow, &pieces)
}

#[test]
fn the_agreement_is_read_however_it_is_cut() {
    for step in [1, 7, 100, 5000] {
        let recorder = run(step);
        let sessions = recorder.of("session");
        assert_eq!(sessions.len(), 1, "step {step}");
        let session = &sessions[0];
        assert_eq!((&session["version"], &session["outcome"]), (&json!("SSH-2.0"), &json!("unknown")));
        assert_eq!(session["client_software"], "PuTTY_Release_0.78");
        assert_eq!(session["server_software"], "OpenSSH_6.7p1 Raspbian-5+deb8u3");
        assert_eq!(session["encrypted"], true);
        let detail = detail(session);
        assert_eq!(detail["kex"], "diffie-hellman-group14-sha1");
        assert_eq!(detail["cipher"], "aes128-ctr");
        assert_eq!(detail["cipher_to_client"], "3des-cbc");
        assert_eq!(detail["mac_to_client"], "hmac-sha1");
        assert_eq!(detail["host_key_type"], "ssh-rsa");
        assert_eq!(detail["messages"], "c20 c30 c21 s20 s31 s21");
        assert_eq!(recorder.of("service")[0]["version"], "SSH-1.99");
        let values: Vec<_> = recorder.of("identity").iter().map(|i| i["value"].clone()).collect();
        assert_eq!(values, ["PuTTY_Release_0.78", "OpenSSH_6.7p1 Raspbian-5+deb8u3", "Raspbian-5+deb8u3"]);
        assert!(recorder.of("weird").is_empty());
        assert!(recorder.marks.iter().all(|mark| *mark == Mark::Opaque("encrypted")), "{:?}", recorder.marks);
    }
}

#[test]
fn protocol_1_is_told() {
    let flow = flow(Transport::Tcp, 22);
    // Server key (type 2) and session key (type 3), with length, padding, type and checksum.
    let server_key = hex("00000006 0000 02 00 00000000");
    let session_key = hex("00000006 0000 03 00 00000000");
    let recorder = feed(
        &Ssh,
        &flow,
        &[
            (SERVER, b"SSH-1.5-Cisco-1.25\n"),
            (CLIENT, b"SSH-1.5-OpenSSH_3.9p1\n"),
            (SERVER, &server_key),
            (CLIENT, &session_key),
            (CLIENT, &[9; 16]),
        ],
    );
    let session = &recorder.of("session")[0];
    assert_eq!((&session["version"], &session["encrypted"]), (&json!("SSH-1.5"), &json!(true)));
    assert_eq!(detail(session)["messages"], "s2 c3");
    assert_eq!(recorder.marks, [Mark::Opaque("encrypted")]);
}

#[test]
fn banners_alone_make_a_session() {
    let flow = flow(Transport::Tcp, 22);
    let recorder = feed(&Ssh, &flow, &[(SERVER, b"SSH-2.0-OpenSSH_for_Windows_7.7\r\n")]);
    let session = &recorder.of("session")[0];
    assert_eq!((&session["encrypted"], &session["client_software"]), (&json!(false), &json!("")));
    assert_eq!(recorder.of("identity")[1]["value"], "Windows");
}

#[test]
fn what_breaks_the_rules_is_told() {
    let flow = flow(Transport::Tcp, 22);
    let recorder = feed(&Ssh, &flow, &[(CLIENT, b"SSH-2.0-x\r\n"), (CLIENT, b"GET / HTTP/1.1\r\n")]);
    assert_eq!(recorder.of("weird")[0]["name"], "ssh_packet_malformed");
    let long = vec![b'a'; 20 * 1024];
    let recorder = feed_unprobed(&Ssh, &flow, &[(CLIENT, &long)]);
    assert_eq!(recorder.of("weird")[0]["name"], "ssh_banner_malformed");
    assert_eq!(Banner::parse(&[b"SSH-2.0-", &[b'x'; MAX_BANNER][..]].concat()).unwrap().software.len(), MAX_BANNER);
}

#[test]
fn the_probe_is_strict() {
    let flow = flow(Transport::Tcp, 22);
    let probe = |bytes: &[u8]| Ssh.probe(&pdu(&flow, 0, CLIENT, bytes));
    assert_eq!(probe(b"SSH-2.0-x\r\n"), Probe::Yes);
    assert_eq!(probe(b"SS"), Probe::Unsure);
    assert_eq!(probe(&kexinit(["ecdh-sha2-nistp256", "", "", "", "", "", "", "", "", ""])), Probe::Yes);
    for other in [&b""[..], b"SSH-9", b"SIP/2.0 200", &[0, 0, 0, 12, 10, 21], b"220 ssh"] {
        let wanted = if other == b"SSH-9" { Probe::Unsure } else { Probe::No };
        assert_eq!(probe(other), wanted, "{other:?}");
    }
}

#[test]
fn truncations_do_no_harm() {
    let flow = flow(Transport::Tcp, 22);
    for (direction, stream) in [(CLIENT, client_stream()), (SERVER, server_stream())] {
        for length in 1..stream.len() {
            feed_unprobed(&Ssh, &flow, &[(direction, &stream[..length])]);
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_no_harm(banner: bool, pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 1..80)), 0..20)) {
        let flow = flow(Transport::Tcp, 22);
        let start = [(CLIENT, &b"SSH-2.0-a\r\n"[..]), (SERVER, b"SSH-2.0-b\r\n")];
        let pieces = pieces.iter().map(|(ask, data)| (if *ask { CLIENT } else { SERVER }, data.as_slice()));
        let pieces: Vec<_> = start.into_iter().filter(|_| banner).chain(pieces).collect();
        feed_unprobed(&Ssh, &flow, &pieces);
    }

    #[test]
    fn damaged_streams_do_no_harm(at in 0..370usize, byte: u8, cut in 1..90usize) {
        let mut stream = client_stream();
        stream[at] = byte;
        let pieces: Vec<_> = stream.chunks(cut).map(|piece| (CLIENT, piece)).collect();
        feed_unprobed(&Ssh, &flow(Transport::Tcp, 22), &pieces);
    }
}
