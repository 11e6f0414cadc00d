//! PROFINET RT and PTCP frames, cut from captures or written by hand.

use proptest::prelude::*;
use quaywatch_model::Direction::{FromClient, FromServer};

use super::*;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};

/// `profinet/icsnpp-profinet-io-cm-mixed-1.pcap`: the device breaks off as it is released.
const ABORT: &str = "fe01 8001 8001 14 01 ffff fffe 0004 cf81fd0f";
/// The same capture: a port asks its neighbour for the delay.
const DELAY_REQUEST: &str = "ff40 000000000000000000000000 001c 0000 00000000 0c06 00099143e068 0000";
/// By hand, from the standard: channel 2 of slot 3 has a broken wire.
const ALARM: &str = "fe01 0001 0002 11 11 0000 ffff 0022
    0002 001e 01 00 0001 00000000 0003 0001 00000020 00000001 2805
    8000 0002 0800 0006";
const ALARM_TAKEN: &str = "fe01 0002 0001 11 11 0000 0000 0016
    8002 0012 01 00 0001 00000000 0003 0001 0005 00000000";
/// By hand: a sync frame of a master with its subdomain.
const SYNC: &str = "0080 0000000000000000 00000001 0007 05 00 00000002
    0216 020000000001 000102030405060708090a0b0c0d0e0f
    0806 0001 1a 21 0000 0000";

fn link() -> Flow {
    let mut flow = flow(Transport::Link(PROFINET), 0);
    flow.client = Endpoint::new(Address::Mac(flow.client_mac.unwrap()), 0);
    flow.server = Endpoint::new(Address::Mac(flow.server_mac.unwrap()), 0);
    flow
}

fn cyclic(cycle: u16, status: u8) -> Vec<u8> {
    let mut frame = hex("8000");
    frame.extend([0x80; 40]);
    frame.extend(cycle.to_be_bytes());
    frame.extend([status, 0]);
    frame
}

fn detail(operation: &serde_json::Value) -> serde_json::Value {
    serde_json::from_str(operation["detail"].as_str().unwrap()).unwrap()
}

#[test]
fn a_stream_is_told_at_first_sight_at_changes_and_at_its_end() {
    let frames = [cyclic(512, 0x35), cyclic(1024, 0x35), cyclic(1536, 0x25), cyclic(2048, 0x25)];
    let pieces: Vec<_> = frames.iter().map(|frame| (FromServer, &frame[..])).collect();
    let rows = feed(&ProfinetRt, &link(), &pieces);
    let operations = rows.of("operation");
    let names: Vec<_> = operations.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["cyclic data", "cyclic data status change", "cyclic data exchanged"]);
    assert_eq!(operations[1]["quantity"], 3);
    let changed = detail(&operations[1]);
    assert_eq!(changed["provider"], "stop");
    assert_eq!(changed["data_status_before"], "0x35");
    assert_eq!(changed["interval_us"], 16000);
    assert_eq!(operations[2]["quantity"], 4);
    assert_eq!(operations[0]["server"]["address"], "02:00:00:00:00:02");
    assert!(rows.of("weird").is_empty());
}

#[test]
fn a_counter_that_runs_backwards_is_weird_once() {
    let frames = [cyclic(5120, 0x35), cyclic(512, 0x35), cyclic(5632, 0x35), cyclic(1024, 0x35)];
    let pieces: Vec<_> = frames.iter().map(|frame| (FromServer, &frame[..])).collect();
    let rows = feed(&ProfinetRt, &link(), &pieces);
    assert_eq!(rows.of("weird").len(), 1);
    assert_eq!(rows.of("weird")[0]["name"], "profinet_rt_cycle_counter_went_back");
}

#[test]
fn an_alarm_waits_for_its_acknowledgement() {
    let (alarm, taken) = (hex(ALARM), hex(ALARM_TAKEN));
    let rows = feed(&ProfinetRt, &link(), &[(FromServer, &alarm), (FromClient, &taken)]);
    assert_eq!(rows.marks, []);
    let operation = &rows.of("operation")[0];
    assert_eq!(operation["name"], "alarm (low)");
    assert_eq!(operation["class"], "diagnose");
    assert_eq!(operation["object"], "diagnosis of slot 3 subslot 0x0001, channel 2: line break");
    assert_eq!(operation["unit"], 3);
    assert_eq!(operation["status"], 0);
    assert_eq!(operation["client"]["address"], "02:00:00:00:00:02");
    assert_eq!(operation["request_frame"], 1);
    assert_eq!(operation["reply_frame"], 2);
    let detail = detail(operation);
    assert_eq!(detail["alarm_sequence"], 5);
    assert_eq!(detail["channel_diagnosis"], true);
    assert_eq!(detail["submodule_diagnosis"], true);
    assert_eq!(detail["module_ident"], "0x00000020");
}

#[test]
fn alarms_without_the_other_half_are_told() {
    let rows = feed(&ProfinetRt, &link(), &[(FromServer, &hex(ALARM))]);
    assert_eq!(rows.of("operation")[0]["status"], serde_json::Value::Null);
    let rows = feed(&ProfinetRt, &link(), &[(FromClient, &hex(ALARM_TAKEN))]);
    assert_eq!(rows.of("operation")[0]["request_frame"], serde_json::Value::Null);
}

#[test]
fn an_abort_says_why() {
    let rows = feed(&ProfinetRt, &link(), &[(FromServer, &hex(ABORT))]);
    let operation = &rows.of("operation")[0];
    assert_eq!(operation["name"], "abort (ERR-RTA)");
    assert_eq!(operation["status"], 0xcf81_fd0f_u32);
    assert_eq!(operation["status_name"], "aborted: released");
}

#[test]
fn neighbours_and_masters_are_told_once() {
    let (delay, sync) = (hex(DELAY_REQUEST), hex(SYNC));
    let rows = feed(&ProfinetPtcp, &link(), &[(FromClient, &delay), (FromClient, &delay)]);
    assert_eq!(rows.marks, []);
    assert_eq!(rows.of("operation").len(), 2);
    assert_eq!(rows.of("operation")[0]["name"], "delay request");
    assert_eq!(rows.of("operation")[0]["object"], "00:09:91:43:e0:68");
    assert_eq!(rows.of("operation")[1]["quantity"], 2);
    let mut other = sync.clone();
    other[29] = 2;
    let rows = feed(&ProfinetPtcp, &link(), &[(FromClient, &sync), (FromClient, &sync), (FromClient, &other)]);
    assert_eq!(rows.marks, []);
    let names: Vec<_> = rows.of("operation").iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["sync (clock)", "sync master changed", "sync (clock)"]);
    let detail = detail(&rows.of("operation")[0]);
    assert_eq!(detail["delay_ns"], 17);
    assert_eq!(detail["priority1"], 0);
    assert_eq!(detail["clock_class"], 26);
    assert_eq!(rows.of("identity").len(), 2);
}

#[test]
fn one_flow_may_carry_all() {
    let identify = hex("fefe 0500 01000001 0001 0004 ffff0000");
    let flow = link();
    let mut station = profinet_dcp::ProfinetDcp.open(&flow);
    let mut rows = Recorder::default();
    let mut services = Vec::new();
    for (index, frame) in (0..).zip([identify, cyclic(1, 0x35), cyclic(2, 0x35), hex(DELAY_REQUEST)]) {
        station.feed(&pdu(&flow, index, FromClient, &frame), &mut rows);
        services.extend(station.service());
    }
    station.close(&flow, &mut rows);
    assert_eq!(services, [DCP, PROTOCOL, PROTOCOL, PTCP]);
    assert_eq!(station.service(), Some(PROTOCOL));
}

#[test]
fn probes_do_not_overlap() {
    let flow = link();
    for id in 0..=u16::MAX {
        let mut frame = id.to_be_bytes().to_vec();
        frame.extend(hex("0500 01000001 0001 0000 00000000 0000 0000 0000"));
        let yes = [&ProfinetRt as &dyn Protocol, &ProfinetPtcp, &profinet_dcp::ProfinetDcp]
            .iter()
            .filter(|protocol| protocol.probe(&pdu(&flow, 0, FromClient, &frame)) != Probe::No)
            .count();
        assert!(yes <= 1, "{id:#06x}");
    }
}

#[test]
fn fragments_and_reserved_ids_are_counted() {
    let fragment = hex("ff83 07 05 ccfc000000020001");
    let rows = feed(&ProfinetRt, &link(), &[(FromClient, &fragment), (FromClient, &fragment)]);
    assert_eq!(rows.of("operation")[1]["quantity"], 2);
    assert_eq!(rows.marks[0], Mark::Undecoded("fragment of a larger frame"));
    let rows = feed_unprobed(&ProfinetRt, &link(), &[(FromClient, &hex("ff90 0000"))]);
    assert_eq!(rows.marks, [Mark::Undecoded("reserved frame id")]);
}

#[test]
fn streams_are_bounded() {
    let flow = link();
    let mut station = ProfinetRt.open(&flow);
    let mut rows = Recorder::default();
    for id in 0..200u16 {
        let mut frame = cyclic(0, 0x35);
        frame[..2].copy_from_slice(&(0x8000 + id).to_be_bytes());
        station.feed(&pdu(&flow, id.into(), FromClient, &frame), &mut rows);
    }
    assert_eq!(rows.of("operation").len(), STREAM_LIMIT);
}

#[test]
fn truncated_frames_do_not_panic() {
    for whole in [ABORT, DELAY_REQUEST, ALARM, ALARM_TAKEN, SYNC] {
        let whole = hex(whole);
        for end in 1..whole.len() {
            feed_unprobed(&ProfinetRt, &link(), &[(FromServer, &whole[..end])]);
        }
    }
    let short = hex(&ALARM.replace("0022", "0040"));
    let rows = feed_unprobed(&ProfinetRt, &link(), &[(FromServer, &short)]);
    assert_eq!(rows.of("weird")[0]["name"], "profinet_rt_malformed_alarm");
}

proptest! {
    #[test]
    fn arbitrary_frames_are_survived(
        frames in prop::collection::vec(
            (prop::sample::select(vec![0x0080u16, 0x8000, 0xfc01, 0xfe01, 0xfefe, 0xff00, 0xff20, 0xff40, 0xff80]),
             prop::collection::vec(any::<u8>(), 0..80)),
            1..8,
        ),
    ) {
        let flow = link();
        let mut station = ProfinetRt.open(&flow);
        let mut rows = Recorder::default();
        for (index, (id, rest)) in (0..).zip(frames) {
            let mut frame = id.to_be_bytes().to_vec();
            frame.extend(rest);
            let _ = ProfinetRt.probe(&pdu(&flow, index, FromClient, &frame));
            station.feed(&pdu(&flow, index, FromClient, &frame), &mut rows);
        }
        station.close(&flow, &mut rows);
        for row in rows.of("operation") {
            let text = row["detail"].as_str().unwrap();
            prop_assert!(text.is_empty() || serde_json::from_str::<serde_json::Value>(text).is_ok(), "{text}");
        }
    }
}
