//! Calls cut from `profinet` captures, and others by the standard's tables.

use proptest::prelude::*;
use quaywatch_model::{Direction, Mark, Transport};

use super::ProfinetCm;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

use Direction::{FromClient, FromServer};

/// A packet around a body: kind, flags, call, number of the fragment; big-endian, device 0x0a06 of Siemens.
fn packet(kind: u8, flags: u8, call: u8, fragment: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    let head = format!(
        "04{kind:02x}{flags:02x}00 00000000 dea000006c9711d1827100010a06002a dea000016c9711d1827100a02442df7d \
         40f2ef227baf1a1aadd6e0dca08fbc04 00000000 00000001 00000007 00{call:02x} ffff ffff"
    );
    [hex(&head), length.to_vec(), vec![0, fragment, 0, 0], body.to_vec()].concat()
}

/// Arguments around blocks; of an answer with a status in front.
fn arguments(status: Option<&str>, blocks: &str) -> Vec<u8> {
    let blocks = hex(blocks);
    let length = u32::try_from(blocks.len()).unwrap().to_be_bytes();
    let first = status.map_or(length.to_vec(), hex);
    [&first[..], &length, &length, &[0; 4], &length, &blocks].concat()
}

fn ask(call: u8, blocks: &str) -> Vec<u8> {
    packet(0, 0x20, call, 0, &arguments(None, blocks))
}

fn answer(call: u8, status: &str, blocks: &str) -> Vec<u8> {
    packet(2, 0x0a, call, 0, &arguments(Some(status), blocks))
}

const RELATION: &str = "f704e875979451478b829aa2ba29ee12";

/// A block of version 1.0 around a body.
fn block(kind: &str, body: &str) -> String {
    format!("{kind} {:04x} 0100 {body}", hex(body).len() + 2)
}

/// Relation, an input and a slot with two submodules, as in agentcarter-1.pcapng, frame 146.
fn connect() -> String {
    let relation = format!(
        "0001 {RELATION} 4d70 e0dca08fbc04 dea000006c9711d182710064010d002a 40000011 00c8 8892 000a 70726f6d6f74696f6e31"
    );
    let input = "0001 0001 8892 00000000 0028 8000 0020 0001 0001 0000 ffffffff 0003 0003 c000 000000000000 0000";
    let expected = "0001 00000000 0000 00000031 0000 0002 \
                    0001 00010001 0000 0001 0000 01 01 8001 10000002 0003 0001 0000 01 01 0002 0000 01 01";
    [block("0101", &relation), block("0102", input), block("0104", expected)].concat()
}

/// A record's head: block type, slot, subslot, index, length.
fn record(kind: &str, subslot: &str, index: &str, length: &str, tail: &str) -> String {
    format!("{kind} 003c 0100 0001 {RELATION} 00000000 0000 {subslot} 0000 {index} {length} {tail}")
}

const PADDING: &str = "000000000000000000000000000000000000000000000000";

fn talk(pieces: &[(Direction, Vec<u8>)]) -> Recorder {
    let pieces: Vec<(Direction, &[u8])> = pieces.iter().map(|(way, bytes)| (*way, bytes.as_slice())).collect();
    feed(&ProfinetCm, &flow(Transport::Udp, 34964), &pieces)
}

fn told(rows: &Recorder) -> Vec<String> {
    rows.of("operation")
        .iter()
        .map(|row| {
            let text = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
            format!(
                "{} {} [{}] {} {}",
                text("class"),
                text("name"),
                text("object"),
                row["quantity"],
                text("status_name")
            )
        })
        .collect()
}

fn detail(rows: &Recorder, place: usize) -> serde_json::Value {
    serde_json::from_str(rows.of("operation")[place]["detail"].as_str().unwrap()).unwrap()
}

#[test]
fn a_connect_names_controller_and_submodules() {
    let granted = [
        block("8101", &format!("0001 {RELATION} 4d70 d4f52721488e 8892")),
        block("8102", "0001 0001 8001"),
        block("8104", "0001 00000000 0001 0001 00000031 0000 0001 8001 00000000 0001"),
        block("8106", "0004 69642d31"),
    ]
    .concat();
    let rows = talk(&[(FromClient, ask(0, &connect())), (FromServer, answer(0, "00000000", &granted))]);
    assert_eq!(rows.of("weird").len(), 0, "{:?}", rows.rows);
    assert_eq!(told(&rows), ["session connect [as promotion1] 2 success"]);
    let detail = detail(&rows, 0);
    assert_eq!(detail["expected"], serde_json::json!(["0.1 0x00000031/0x00010001", "0.32769 0x00000031/0x10000002"]));
    assert_eq!((&detail["cyclic"][0], &detail["granted"][0]), (&"input 0x8000".into(), &"input 0x8001".into()));
    assert_eq!(detail["differs"], serde_json::json!(["1.32769 0x00000031/0x00000000 state 0x0001"]));
    assert_eq!(detail["relation_kind"], "io controller");
    let said: Vec<String> = rows
        .of("identity")
        .iter()
        .map(|row| format!("{} {}", row["attribute"], row["value"]).replace('"', ""))
        .collect();
    assert_eq!(
        said,
        ["vendor Siemens", "host-name promotion1", "mac e0:dc:a0:8f:bc:04", "mac d4:f5:27:21:48:8e", "host-name id-1"]
    );
}

#[test]
fn identification_is_claimed_of_the_device_itself() {
    let im0 = "0020 0038 0100 002a 3645533731353520202020202020202020202020 532d3132333435202020202020202020 000b 56020904 0001 0000 0005 0101 001e";
    for (subslot, claims) in [("0001", 5), ("8001", 0)] {
        let ask = ask(2, &record("0009", subslot, "aff0", "00000040", PADDING));
        let reply = format!("{} {im0}", record("8009", subslot, "aff0", "0000003c", PADDING));
        let rows = talk(&[(FromClient, ask), (FromServer, answer(2, "00000000", &reply))]);
        let place = if subslot == "0001" { 1 } else { 32769 };
        assert_eq!(told(&rows), [format!("identify read [0.{place} 0xaff0 I&M0 identification] 64 success")]);
        assert_eq!(detail(&rows, 0)["software"], "V2.9.4");
        let said = rows.of("identity");
        let of_record: Vec<_> = said.iter().filter(|row| row["method"] == "profinet-io-cm i&m0").collect();
        assert_eq!(of_record.len(), claims);
    }
}

#[test]
fn several_records_are_written_and_one_is_refused() {
    let writes = format!(
        "{} {} 0a000000 {} 01020304",
        record("0008", "ffff", "e040", "00000088", PADDING),
        record("0008", "0001", "0004", "00000001", PADDING),
        record("0008", "8000", "8051", "00000004", PADDING),
    );
    let good = "0000 0000 00000000 00000000000000000000000000000000";
    let bad = "0000 0000 df80b200 00000000000000000000000000000000";
    let reply = format!(
        "{} {} {}",
        record("8008", "ffff", "e040", "00000088", good),
        record("8008", "0001", "0004", "00000001", good),
        record("8008", "8000", "8051", "00000004", bad),
    );
    let rows = talk(&[(FromClient, ask(3, &writes)), (FromServer, answer(3, "00000000", &reply))]);
    assert_eq!(rows.of("weird").len(), 0, "{:?}", rows.rows);
    assert_eq!(told(&rows), ["configure write [2 records] 2 success"]);
    let detail = detail(&rows, 0);
    assert_eq!(detail["records"], serde_json::json!(["0.65535 0xe040", "0.1 0x0004", "0.32768 0x8051"]));
    assert_eq!(detail["refused"], serde_json::json!(["0.32768 0x8051: write refused: invalid slot or subslot"]));
}

#[test]
fn commands_and_refusals_have_names() {
    let control = format!("0110 001c 0100 0000 {RELATION} 4d70 0000 0001 0000");
    let rows = talk(&[(FromClient, ask(4, &control)), (FromServer, answer(4, "dd814005", ""))]);
    assert_eq!(told(&rows), ["session control [parameter end] null control refused: CMRPC, AR UUID unknown"]);
    let rows = talk(&[(FromClient, ask(4, &control)), (FromServer, packet(6, 0, 4, 0, &[0; 4]))]);
    assert_eq!(told(&rows), ["session control [parameter end] null refused by the runtime"]);
}

#[test]
fn fragments_are_put_together_in_their_order() {
    let whole = arguments(None, &connect());
    let (first, second) = whole.split_at(60);
    let pieces = [(FromClient, packet(0, 0x24, 0, 0, first)), (FromClient, packet(0, 0x26, 0, 1, second))];
    assert_eq!(told(&talk(&pieces)), ["session connect [as promotion1] 2 "]);
    let rows = talk(&[pieces[1].clone()]);
    assert_eq!(
        (rows.of("operation").len(), &rows.marks[..]),
        (0, &[Mark::Undecoded("call whose fragments are not all there")][..])
    );
}

#[test]
fn probes_are_strict_and_a_call_sent_again_is_one_call() {
    let flow = flow(Transport::Udp, 34964);
    let call = ask(0, &connect());
    assert_eq!(ProfinetCm.probe(&pdu(&flow, 0, FromClient, &call)), Probe::Yes);
    assert_eq!(ProfinetCm.probe(&pdu(&flow, 0, FromServer, &answer(0, "00000000", ""))), Probe::YesFromServer);
    let mut other = call.clone();
    other[24 + 2] ^= 1;
    assert_eq!(ProfinetCm.probe(&pdu(&flow, 0, FromClient, &other)), Probe::No);
    let rows = talk(&[(FromClient, call.clone()), (FromClient, call)]);
    assert_eq!(rows.of("operation").len(), 1);
}

#[test]
fn no_cut_is_too_much() {
    let calls = [ask(0, &connect()), ask(2, &record("0009", "0001", "aff0", "00000040", PADDING))];
    for whole in calls {
        for end in 0..whole.len() {
            feed_unprobed(&ProfinetCm, &flow(Transport::Udp, 34964), &[(FromClient, &whole[..end])]);
        }
    }
    let rows = talk(&[(FromClient, ask(0, "0101 ffff 0100"))]);
    assert_eq!(rows.of("weird")[0]["name"], "profinet_cm_block");
}

proptest! {
    #[test]
    fn anything_may_come(pieces in prop::collection::vec((0u8..11, any::<u8>(), 0u8..6, 0u8..3, prop::collection::vec(any::<u8>(), 0..120)), 0..10)) {
        let pieces: Vec<(Direction, Vec<u8>)> = pieces
            .into_iter()
            .map(|(kind, flags, call, fragment, body)| {
                (if kind == 2 { FromServer } else { FromClient }, packet(kind, flags, call, fragment, &body))
            })
            .collect();
        let pieces: Vec<(Direction, &[u8])> = pieces.iter().map(|(way, bytes)| (*way, bytes.as_slice())).collect();
        feed_unprobed(&ProfinetCm, &flow(Transport::Udp, 34964), &pieces);
    }
}
