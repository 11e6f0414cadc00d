//! A toy protocol driven through the engine with hand-made TCP and UDP packets.

use quaywatch_model::{Identity, SourceId, Timestamp};
use quaywatch_wire::{Flow, LinkType};

use super::*;
use crate::analyzer::{Depth, Purpose};
use crate::testing::Recorder;
use crate::{Analyzer, Probe, ProtocolMeta};

/// Client pieces start with `?`, server pieces with `!`; `?` alone is unsure.
struct Toy;

static META: ProtocolMeta = ProtocolMeta {
    name: "toy",
    title: "Toy",
    tcp: &[7777],
    udp: &[7777],
    ethertypes: &[],
    spec: "none",
    found: "tests",
    depth: Depth::Full,
    purpose: Purpose::General,
    scope: "all of it",
};

impl Protocol for Toy {
    fn meta(&self) -> &'static ProtocolMeta {
        &META
    }
    fn probe(&self, pdu: &Pdu<'_>) -> Probe {
        match pdu.data {
            [b'?'] => Probe::Unsure,
            [b'?', ..] => Probe::Yes,
            [b'!', ..] => Probe::YesFromServer,
            _ => Probe::No,
        }
    }
    fn open(&self, _: &Flow) -> Box<dyn Analyzer> {
        Box::new(Echo)
    }
}

/// Emits what it is fed as an identity of the sender.
struct Echo;

impl Echo {
    fn say(pdu: &Pdu<'_>, value: &str, out: &mut dyn Sink) {
        let subject = pdu.sender().address;
        let attribute = quaywatch_model::Attribute::Software;
        out.emit(pdu.at, Observation::Identity(Identity { subject, attribute, value, method: "toy" }));
    }
}

impl Analyzer for Echo {
    fn feed(&mut self, pdu: &Pdu<'_>, out: &mut dyn Sink) {
        Echo::say(pdu, &String::from_utf8_lossy(pdu.data), out);
        match pdu.data.last() {
            Some(b'x') => out.mark(Mark::Malformed("ends with x")),
            Some(b'e') => out.mark(Mark::Opaque("encrypted")),
            Some(b'q') => out.mark(Mark::NotMine),
            _ => {}
        }
    }
    fn gap(&mut self, _: Direction, missing: u32, out: &mut dyn Sink) {
        let value = format!("gap {missing}");
        let identity = Identity {
            subject: Address::None,
            attribute: quaywatch_model::Attribute::Software,
            value: &value,
            method: "toy",
        };
        out.emit(At::default(), Observation::Identity(identity));
    }
}

static TOYS: &[&dyn Protocol] = &[&Toy];

struct Bench {
    engine: Engine,
    recorder: Recorder,
    frame: u64,
}

impl Bench {
    fn new() -> Self {
        Bench::of(TOYS)
    }

    fn of(protocols: &'static [&'static dyn Protocol]) -> Self {
        Bench { engine: Engine::new(protocols, Options::default()), recorder: Recorder::default(), frame: 0 }
    }

    fn send(&mut self, protocol: u8, from: (u8, u16), to: (u8, u16), header: &[u8], payload: &[u8]) {
        let total = u16::try_from(20 + 4 + header.len() + payload.len()).unwrap().to_be_bytes();
        let mut data =
            vec![0x45, 0, total[0], total[1], 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, from.0, 10, 0, 0, to.0];
        data.extend(from.1.to_be_bytes());
        data.extend(to.1.to_be_bytes());
        data.extend(header);
        data.extend(payload);
        self.frame += 1;
        let wire_length = u32::try_from(data.len()).unwrap();
        let ts = Timestamp(i64::try_from(self.frame).unwrap() * 1_000_000);
        let packet = Packet {
            ts,
            source: SourceId(0),
            frame: self.frame,
            interface: 0,
            link: LinkType::RAW,
            wire_length,
            data: &data,
        };
        self.engine.packet(&packet, SegmentId(0), &mut self.recorder);
    }

    fn tcp(&mut self, from: (u8, u16), to: (u8, u16), flags: u8, sequence: u32, acknowledgement: u32, payload: &[u8]) {
        let mut header = Vec::new();
        header.extend(sequence.to_be_bytes());
        header.extend(acknowledgement.to_be_bytes());
        header.extend([0x50, flags, 0, 0, 0, 0, 0, 0]);
        self.send(6, from, to, &header, payload);
    }

    fn udp(&mut self, from: (u8, u16), to: (u8, u16), payload: &[u8]) {
        let length = u16::try_from(8 + payload.len()).unwrap().to_be_bytes();
        self.send(17, from, to, &[length[0], length[1], 0, 0], payload);
    }

    /// Ends everything and returns what analyzers said, and coverage as `disposition protocol reason: packets`.
    fn finish(&mut self) -> (Vec<String>, Vec<String>) {
        self.engine.finish(&mut self.recorder);
        let said = self.recorder.of("identity").iter().map(|v| v["value"].as_str().unwrap().to_owned()).collect();
        let line = |v: &serde_json::Value| {
            let text = |key: &str| v[key].as_str().unwrap().to_owned();
            format!("{} {} {}: {}", text("disposition"), text("protocol"), text("reason"), v["packets"])
        };
        let mut coverage: Vec<String> = self.recorder.of("coverage").iter().map(line).collect();
        coverage.sort();
        (said, coverage)
    }
}

const CLIENT: (u8, u16) = (1, 50_000);
const SERVER: (u8, u16) = (2, 7777);

#[test]
fn a_connection_is_read_in_order_and_counted_packet_by_packet() {
    let mut bench = Bench::new();
    bench.tcp(CLIENT, SERVER, 2, 99, 0, b"");
    bench.tcp(SERVER, CLIENT, 18, 499, 100, b"");
    bench.tcp(CLIENT, SERVER, 24, 103, 500, b"two");
    bench.tcp(CLIENT, SERVER, 24, 100, 500, b"?ab");
    bench.tcp(CLIENT, SERVER, 24, 100, 500, b"?ab");
    bench.tcp(SERVER, CLIENT, 24, 500, 106, b"!secrete");
    bench.tcp(CLIENT, SERVER, 17, 106, 508, b"");
    bench.tcp(SERVER, CLIENT, 17, 508, 107, b"");
    let (said, coverage) = bench.finish();
    assert_eq!(said, ["?ab", "two", "!secrete"]);
    let expected = [
        "decoded toy : 2",
        // The handshake came before the protocol was known by content.
        "without-payload tcp tcp without data: 2",
        "without-payload toy encrypted: 1",
        "without-payload toy tcp retransmission: 1",
        "without-payload toy tcp without data: 2",
    ];
    assert_eq!(coverage, expected);
    let connection = &bench.recorder.of("connection")[0];
    assert_eq!(connection["state"], "SF");
    assert_eq!(connection["service"], "toy");
    assert_eq!(connection["client_bytes"], 6);
    assert_eq!(connection["server_bytes"], 8);
    assert_eq!(connection["client_packets"], 5);
}

#[test]
fn a_reply_seen_first_turns_the_flow_round() {
    let mut bench = Bench::new();
    bench.udp((2, 40_000), CLIENT, b"!hello");
    bench.udp(CLIENT, (2, 40_000), b"?more");
    bench.finish();
    let connection = &bench.recorder.of("connection")[0];
    assert_eq!(connection["client"]["address"], "10.0.0.1");
    assert_eq!((&connection["client_packets"], &connection["server_packets"]), (&1.into(), &1.into()));
}

#[test]
fn what_waits_behind_a_turn_comes_in_its_turn() {
    let mut bench = Bench::new();
    let server = (2, 60_000);
    bench.tcp(server, CLIENT, 0x10, 100, 500, b"");
    bench.tcp(server, CLIENT, 0x18, 104, 500, b"bbb");
    bench.tcp(server, CLIENT, 0x18, 100, 500, b"!aaa");
    // Without an acknowledgement, which would call for what waits, too.
    bench.tcp(CLIENT, server, 0x08, 500, 0, b"?more");
    let (said, _) = bench.finish();
    assert_eq!(said, ["!aaa", "bbb", "?more"]);
    assert_eq!(bench.recorder.of("connection")[0]["client"]["address"], "10.0.0.1");
}

#[test]
fn an_unsure_piece_waits_for_the_next() {
    let mut bench = Bench::new();
    bench.tcp(CLIENT, SERVER, 2, 99, 0, b"");
    bench.tcp(CLIENT, SERVER, 24, 100, 0, b"?");
    bench.tcp(CLIENT, SERVER, 24, 101, 0, b"now");
    let (said, coverage) = bench.finish();
    assert_eq!(said, ["?", "now"]);
    assert!(coverage.contains(&"decoded toy : 2".to_owned()), "{coverage:?}");
}

#[test]
fn an_unsure_piece_at_the_end_is_the_usual_ports() {
    let mut bench = Bench::new();
    bench.udp(CLIENT, SERVER, b"?");
    bench.udp(CLIENT, (2, 9999), b"?");
    let (said, coverage) = bench.finish();
    assert_eq!(said, ["?"]);
    assert!(coverage.contains(&"undecoded udp no analyzer; named by its number only: 1".to_owned()), "{coverage:?}");
}

#[test]
fn a_data_connection_is_known_by_its_announcement() {
    let (control, data, other) = ((2, 21), (2, 1025), (2, 1026));
    let mut bench = Bench::of(crate::PROTOCOLS);
    let replies: [&[u8]; 3] =
        [b"220 ready\r\n", b"227 Entering Passive Mode (192,0,2,1,4,1).\r\n", b"229 Extended (|||1026|)\r\n"];
    let mut sequence = 1;
    for (reply, ask) in replies.into_iter().zip([&b"PASV\r\n"[..], b"EPSV\r\n", b"QUIT\r\n"]) {
        bench.tcp(control, CLIENT, 24, sequence, 1, reply);
        sequence += u32::try_from(reply.len()).unwrap();
        bench.tcp(CLIENT, control, 24, 1 + 6 * u32::try_from(bench.frame / 2).unwrap(), sequence, ask);
    }
    for server in [data, other, (2, 1027)] {
        bench.tcp(CLIENT, server, 2, 9, 0, b"");
        bench.tcp(server, CLIENT, 24, 1, 10, b"\x01\x02\x03 block of a drive");
    }
    bench.finish();
    let connections = bench.recorder.of("connection");
    let service = |port: u16| {
        let row = connections.iter().find(|row| row["server"]["port"] == port);
        row.unwrap()["service"].as_str().unwrap().to_owned()
    };
    assert_eq!([service(21), service(1025), service(1026), service(1027)], ["ftp", "ftp-data", "ftp-data", ""]);
}

#[test]
fn lost_bytes_are_told_and_the_rest_is_read() {
    let mut bench = Bench::new();
    bench.tcp(CLIENT, SERVER, 2, 99, 0, b"");
    bench.tcp(CLIENT, SERVER, 24, 100, 0, b"?uno");
    bench.tcp(CLIENT, SERVER, 24, 110, 0, b"tres");
    let (said, coverage) = bench.finish();
    assert_eq!(said, ["?uno", "gap 6", "tres"]);
    assert!(coverage.contains(&"decoded toy : 2".to_owned()), "{coverage:?}");
    assert_eq!(bench.recorder.of("connection")[0]["missed_bytes"], 6);
}

#[test]
fn every_packet_ends_in_exactly_one_line() {
    let mut bench = Bench::new();
    bench.udp(CLIENT, SERVER, b"?x");
    bench.udp(CLIENT, SERVER, b"?quitq");
    bench.udp(CLIENT, SERVER, b"?after");
    for _ in 0..12 {
        bench.udp(CLIENT, (3, 47_808), b"unknown");
    }
    bench.udp(CLIENT, (3, 9), b"");
    bench.udp(CLIENT, (4, 9999), b"?");
    bench.send(17, CLIENT, SERVER, &[0, 1, 0, 0], b"");
    bench.send(2, CLIENT, SERVER, &[], b"igmp");
    let (_, coverage) = bench.finish();
    let expected = [
        "malformed toy ends with x: 1",
        "malformed udp the UDP length is below the header's: 1",
        "undecoded bacnet no analyzer; named by its number only: 12",
        "undecoded igmp no analyzer; named by its number only: 1",
        "undecoded udp no analyzer; named by its number only: 3",
        "without-payload udp datagram without data: 1",
    ];
    assert_eq!(coverage, expected);
    let sum: u64 = bench.recorder.of("coverage").iter().map(|v| v["packets"].as_u64().unwrap()).sum();
    assert_eq!(sum, bench.frame);
}

#[test]
fn a_flow_that_nobody_recognises_is_described_and_one_that_is_recognised_late_is_not() {
    let mut bench = Bench::new();
    for n in 0..12u8 {
        bench.udp((1, 5000), (2, 6000), &[0xab, 0xcd, n]);
    }
    bench.udp((1, 5001), (2, 6001), b"noise");
    bench.udp((1, 5001), (2, 6001), b"?late");
    bench.finish();
    let rows = bench.recorder.of("unrecognised");
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((&rows[0]["pieces"], &rows[0]["prefix"]), (&12.into(), &"abcd".into()));
}

/// An FTP control connection that announces 10.0.0.2:50000, then a connection to it that says `first`: its service.
fn announced(first: &[u8]) -> String {
    let mut bench = Bench::of(crate::PROTOCOLS);
    let (client, control) = ((1, 40000), (2, 21));
    bench.tcp(client, control, 0x02, 10, 0, b"");
    bench.tcp(control, client, 0x12, 20, 11, b"");
    let greeting = b"220 FTP server ready\r\n";
    bench.tcp(control, client, 0x18, 21, 11, greeting);
    bench.tcp(client, control, 0x18, 11, 21 + 22, b"PASV\r\n");
    bench.tcp(control, client, 0x18, 21 + 22, 17, b"227 Entering Passive Mode (10,0,0,2,195,80)\r\n");
    bench.tcp((1, 40001), (2, 50000), 0x02, 100, 0, b"");
    bench.tcp((2, 50000), (1, 40001), 0x12, 200, 101, b"");
    bench.tcp((1, 40001), (2, 50000), 0x18, 101, 201, first);
    bench.finish();
    let connections = bench.recorder.of("connection");
    let data = connections.iter().find(|row| row["server"]["port"] == 50000).unwrap();
    data["service"].as_str().unwrap().to_owned()
}

#[test]
fn what_was_announced_is_that_unless_it_speaks_to_a_machine() {
    assert_eq!(announced(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "ftp-data", "a file may look like anything");
    let read_registers = [0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 2];
    assert_eq!(announced(&read_registers), "modbus", "a bounce to a controller is seen");
}

#[test]
fn a_tftp_transfer_is_found_behind_its_request() {
    let mut bench = Bench::of(crate::PROTOCOLS);
    bench.udp((1, 40000), (2, 69), b"\0\x01a.cfg\0octet\0");
    bench.udp((2, 50000), (1, 40000), b"\0\x03\0\x01hello");
    bench.finish();
    let program = &bench.recorder.of("program")[0];
    assert_eq!((&program["size"], &program["complete"]), (&5.into(), &true.into()));
    assert_eq!(program["server"]["address"], "10.0.0.2");
}

#[test]
fn a_byte_of_a_keep_alive_does_not_cost_the_flow() {
    let mut bench = Bench::of(crate::PROTOCOLS);
    // Picked up in the middle: one byte, then a packet of agentcarter-s71200-goofline-hwcompiledownload.pcapng (frame 17).
    let packet = crate::testing::hex("0300001b02f08072fe00100000000000001f360000000000000000");
    bench.tcp((1, 40000), (2, 30000), 0x10, 99, 200, &[0]);
    bench.tcp((2, 30000), (1, 40000), 0x18, 200, 100, &packet);
    bench.finish();
    assert_eq!(bench.recorder.of("connection")[0]["service"], "s7comm-plus");
}
