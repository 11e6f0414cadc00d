//! The examples of the standard (sections 4.2 and 3.5.13), and messages put together from its tables.

use proptest::prelude::*;
use quaywatch_model::{Direction, Mark, Transport};
use serde_json::{Value, json};

use super::frame::{Front, checksum, front};
use super::{KINDS_LIMIT, Reader, Rtcm, STATIONS_LIMIT};
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

use Direction::{FromClient, FromServer};

/// Station 2003: X 1114104.5999 m, Y -4850729.7108 m, Z 3975521.4643 m.
const COORDINATES: &str = "d300133ed7d30202980edeef34b4bd62ac0941986f33360b98";
/// Station 23 says "UTF-8", "check" in Russian and "words" in German.
const TEXT: &str = "d300274050170084736e151e5554462d3820d0bfd180d0bed0b2d0b5d180d0bad0b02077c3b672746572eda33b";

/// A frame out of fields: value and number of bits.
fn packed(fields: &[(i64, usize)]) -> Vec<u8> {
    let mut bits: Vec<u8> = Vec::new();
    for (value, count) in fields {
        bits.extend((0..*count).rev().map(|at| u8::try_from(value >> at & 1).unwrap()));
    }
    bits.resize(bits.len().next_multiple_of(8), 0);
    let message: Vec<u8> = bits.chunks(8).map(|byte| byte.iter().fold(0, |value, bit| value << 1 | bit)).collect();
    framed(&message)
}

fn framed(message: &[u8]) -> Vec<u8> {
    let mut frame = vec![0xd3];
    frame.extend(u16::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend(message);
    let sum = checksum(&frame);
    frame.extend(sum.to_be_bytes().get(1..).unwrap());
    frame
}

/// 1006 of a station with its coordinates in ten-thousandths of a metre, its antenna 1.5 m above the mark.
fn station(id: i64, computed: i64, [x, y, z]: [i64; 3]) -> Vec<u8> {
    packed(&[
        (1006, 12),
        (id, 12),
        (0, 6),
        (7, 3),
        (computed, 1),
        (x, 38),
        (0, 2),
        (y, 38),
        (0, 2),
        (z, 38),
        (15_000, 16),
    ])
}

const HERE: [i64; 3] = [11_141_045_999, -48_507_297_108, 39_755_214_643];

fn text(text: &str) -> Vec<(i64, usize)> {
    let mut fields = vec![(i64::try_from(text.len()).unwrap(), 8)];
    fields.extend(text.bytes().map(|byte| (i64::from(byte), 8)));
    fields
}

fn talk(frames: &[Vec<u8>]) -> Recorder {
    let pieces: Vec<(Direction, &[u8])> = frames.iter().map(|frame| (FromServer, frame.as_slice())).collect();
    feed(&Rtcm, &flow(Transport::Tcp, 2102), &pieces)
}

fn details(row: &Value) -> Value {
    serde_json::from_str(row["detail"].as_str().unwrap()).unwrap()
}

#[test]
fn the_standard_s_own_station_is_placed() {
    let rows = talk(&[hex(COORDINATES), hex(COORDINATES)]);
    assert_eq!(rows.of("weird"), Vec::<Value>::new());
    let positions = rows.of("position");
    assert_eq!((positions.len(), &positions[0]["sentence"]), (1, &json!("RTCM 1005 station 2003")));
    let near = |value: &Value, wanted: f64| assert!((value.as_f64().unwrap() - wanted).abs() < 1e-9, "{value}");
    // By the closed formula of Bowring, computed apart.
    near(&positions[0]["latitude"], 38.804_759_430_4);
    near(&positions[0]["longitude"], -77.064_773_599_8);
    assert_eq!(positions[0]["receiver"]["port"], 2102);
    let operations = rows.of("operation");
    assert_eq!((operations.len(), &operations[0]["code"]), (2, &json!(1005)));
    assert_eq!(details(&operations[0]), json!({"height_m": "114.561", "computed": false}));
    assert_eq!((&operations[1]["quantity"], &operations[1]["reply_frame"]), (&json!(2), &json!(null)));
    assert_eq!(rows.of("identity")[0]["value"], "GNSS reference station");
}

#[test]
fn texts_are_read() {
    let rows = talk(&[hex(TEXT)]);
    let row = &rows.of("operation")[0];
    assert_eq!((&row["object"], &row["name"]), (&json!("station 23"), &json!("text")));
    assert_eq!(details(row)["text"], "UTF-8 проверка wörter");
}

#[test]
fn antenna_heights_are_read() {
    let rows = talk(&[hex("d300153ee7d30002980edeef34b4bd62ac0941986f333a98885063")]);
    assert_eq!(details(&rows.of("operation")[0])["antenna_height_m"], "1.5000");
    assert_eq!(rows.of("position").len(), 1);
    assert_eq!(rows.of("weird"), Vec::<Value>::new());
}

#[test]
fn a_base_that_moves_is_told() {
    let [x, y, z] = HERE;
    let rows = talk(&[station(7, 0, HERE), station(7, 0, [x + 30_000, y + 40_000, z]), station(7, 0, HERE)]);
    let weirds = rows.of("weird");
    assert_eq!(weirds.len(), 2);
    assert_eq!(weirds[0]["name"], "rtcm_base_moved");
    assert_eq!(weirds[0]["detail"], "reference station 7 moved by 5.0000 m");
    assert_eq!(rows.of("position").len(), 3);
    // A network computes a station beside each rover.
    let rows = talk(&[station(7, 1, HERE), station(7, 1, [x + 30_000, y, z])]);
    assert_eq!((rows.of("weird").len(), rows.of("position").len()), (0, 2));
}

#[test]
fn another_station_is_told() {
    let rows = talk(&[station(7, 0, HERE), station(8, 0, HERE), station(7, 0, HERE), station(8, 0, HERE)]);
    let weirds: Vec<Value> = rows.of("weird").iter().map(|row| row["detail"].clone()).collect();
    assert_eq!(weirds, ["reference station 8, before 7", "reference station 7, before 8"]);
}

#[test]
fn a_base_that_is_nowhere_is_told() {
    let rows = talk(&[station(7, 0, [0, 0, 0])]);
    assert_eq!(rows.of("weird")[0]["name"], "rtcm_base_position");
    assert_eq!(rows.of("position"), Vec::<Value>::new());
    // On the axis, above the north pole.
    let rows = talk(&[station(7, 0, [0, 0, 63_567_523_142])]);
    let latitude = rows.of("position")[0]["latitude"].as_f64().unwrap();
    assert!((latitude - 90.0).abs() < 1e-9);
}

#[test]
fn receivers_say_who_they_are() {
    let mut fields = vec![(1033, 12), (7, 12)];
    fields.extend(text("TRM57971.00     NONE"));
    fields.push((0, 8));
    for part in ["1440", "TRIMBLE NETR9", "5.45", "5049K72299"] {
        fields.extend(text(part));
    }
    let rows = talk(&[packed(&fields)]);
    let claims: Vec<(Value, Value)> =
        rows.of("identity").iter().map(|row| (row["attribute"].clone(), row["value"].clone())).collect();
    for (attribute, value) in [("model", "TRIMBLE NETR9"), ("firmware", "5.45"), ("serial", "5049K72299")] {
        assert!(claims.contains(&(json!(attribute), json!(value))), "{claims:?}");
    }
    let detail = details(&rows.of("operation")[0]);
    assert_eq!((&detail["antenna"], &detail["antenna_serial"]), (&json!("TRM57971.00     NONE"), &json!("1440")));
    let mut fields = vec![(1007, 12), (7, 12)];
    fields.extend(text("ADVNULLANTENNA"));
    fields.push((0, 8));
    assert_eq!(details(&talk(&[packed(&fields)]).of("operation")[0])["antenna"], "ADVNULLANTENNA");
}

#[test]
fn a_caster_is_not_the_station() {
    let mut reader = Reader::relayed();
    let mut rows = Recorder::default();
    let flow = flow(Transport::Tcp, 2101);
    let mut fields = vec![(1033, 12), (7, 12)];
    (0..5).for_each(|at| {
        fields.extend(text("X"));
        if at == 0 {
            fields.push((0, 8));
        }
    });
    let bytes = packed(&fields);
    let pdu = pdu(&flow, 0, FromServer, &bytes);
    let place = super::Place { at: pdu.at, sender: pdu.sender(), receiver: pdu.receiver() };
    reader.feed(place, &bytes, &mut rows);
    assert_eq!((rows.of("identity").len(), rows.of("operation").len()), (0, 1));
}

#[test]
fn heads_of_observations_are_read() {
    let msm = packed(&[(1077, 12), (7, 12), (0, 30), (0, 19), (0x70f0, 16), (0, 48), (0b11, 2), (0, 30), (0, 8)]);
    let row = talk(&[msm]).of("operation").remove(0);
    assert_eq!((&row["name"], &row["object"]), (&json!("GPS MSM"), &json!("station 7")));
    let detail = details(&row);
    assert_eq!(detail, json!({"msm": 7, "satellites": 7, "signals": 2}));
    let legacy = packed(&[(1004, 12), (7, 12), (0, 31), (9, 5), (0, 4)]);
    assert_eq!(details(&talk(&[legacy]).of("operation")[0])["satellites"], 9);
    let legacy = packed(&[(1012, 12), (7, 12), (0, 28), (8, 5), (0, 4)]);
    assert_eq!(details(&talk(&[legacy]).of("operation")[0])["satellites"], 8);
    let ephemeris = packed(&[(1019, 12), (31, 6), (0, 20)]);
    assert_eq!(details(&talk(&[ephemeris]).of("operation")[0])["satellite"], 31);
    let own = packed(&[(4072, 12), (0, 40)]);
    assert_eq!(talk(&[own]).of("operation")[0]["name"], "u-blox");
}

#[test]
fn a_stream_may_be_cut_anywhere() {
    let stream = [hex(COORDINATES), hex(TEXT), hex(COORDINATES)].concat();
    for step in 1..stream.len() {
        let pieces: Vec<(Direction, &[u8])> = stream.chunks(step).map(|piece| (FromServer, piece)).collect();
        let rows = feed_unprobed(&Rtcm, &flow(Transport::Tcp, 2102), &pieces);
        assert_eq!(rows.of("operation").len(), 3, "step {step}");
        assert_eq!(rows.of("weird").len(), 2, "only the change of stations, step {step}");
    }
}

#[test]
fn broken_frames_are_told_and_reading_goes_on() {
    let mut broken = hex(COORDINATES);
    broken[10] ^= 1;
    let rows = talk(&[hex(COORDINATES), broken, hex(TEXT)]);
    let names: Vec<Value> = rows.of("weird").iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, ["rtcm_checksum", "rtcm_station_changed"]);
    assert!(matches!(rows.marks[0], Mark::Malformed(_)));
    // A receiver that also writes sentences on this port.
    let mixed = [hex(COORDINATES), b"$GPGGA,,,,,,0,,,,,,,,*66\r\n".to_vec(), hex(COORDINATES)].concat();
    let rows = talk(&[mixed]);
    assert_eq!(rows.of("weird")[0]["name"], "rtcm_between_frames");
    assert_eq!(rows.of("operation").last().unwrap()["quantity"], 2);
    // A message that is too short for what it says it is.
    let rows = talk(&[packed(&[(1005, 12), (7, 12), (0, 40)])]);
    assert_eq!(rows.of("weird")[0]["name"], "rtcm_length");
    let rows = talk(&[packed(&[(900, 12), (0, 60)])].map(|odd| [hex(COORDINATES), odd].concat()));
    assert_eq!(rows.marks, [Mark::Undecoded("message number not known")]);
}

#[test]
fn a_gap_loses_one_frame() {
    let mut reader = Reader::default();
    let mut rows = Recorder::default();
    let flow = flow(Transport::Tcp, 2101);
    let pieces = [hex(COORDINATES)[..9].to_vec(), hex(COORDINATES)[15..].to_vec(), hex(COORDINATES)];
    for (index, bytes) in (0..).zip(&pieces) {
        let pdu = pdu(&flow, index, FromServer, bytes);
        let place = super::Place { at: pdu.at, sender: pdu.sender(), receiver: pdu.receiver() };
        if index == 1 {
            reader.gap();
        }
        reader.feed(place, bytes, &mut rows);
    }
    assert_eq!((rows.of("weird").len(), rows.of("position").len()), (0, 1));
}

#[test]
fn only_frames_are_claimed() {
    let probe = |data: &[u8]| Rtcm.probe(&pdu(&flow(Transport::Udp, 1), 0, FromClient, data));
    assert_eq!(probe(&hex(COORDINATES)), Probe::Yes);
    assert_eq!(probe(&hex(COORDINATES)[..20]), Probe::Unsure);
    assert_eq!(probe(&hex("d3")), Probe::No);
    assert_eq!(probe(&hex("d300")), Probe::Unsure);
    let mut broken = hex(COORDINATES);
    broken[10] ^= 1;
    assert_eq!(probe(&broken), Probe::No);
    assert_eq!(probe(&hex("d3001311111111")), Probe::No);
    assert_eq!(probe(&hex("d3401311111111")), Probe::No);
    assert_eq!(probe(b"GET / HTTP/1.1\r\n"), Probe::No);
    assert_eq!(Rtcm.probe(&pdu(&flow(Transport::Icmp, 1), 0, FromClient, &hex(COORDINATES))), Probe::No);
}

#[test]
fn memory_is_bounded() {
    let frames: Vec<Vec<u8>> = (0..200).map(|number| packed(&[(4001 + number % 95, 12), (0, 20)])).collect();
    assert!(talk(&frames).of("operation").iter().filter(|row| row["object"] == "all").count() <= KINDS_LIMIT);
    let stations = i64::try_from(STATIONS_LIMIT).unwrap() * 4;
    let frames: Vec<Vec<u8>> = (0..stations).map(|id| station(id, 0, HERE)).collect();
    assert_eq!(talk(&frames).of("position").len(), STATIONS_LIMIT * 4);
}

#[test]
fn truncated_messages_do_no_harm() {
    let mut descriptors = vec![(1033, 12), (7, 12)];
    (0..5).for_each(|_| descriptors.extend(text("ABCDEFGH")));
    for whole in [hex(COORDINATES), hex(TEXT), station(1, 0, HERE), packed(&descriptors)] {
        for length in 0..whole.len() {
            let cut = &whole[..length];
            let _ = feed_unprobed(&Rtcm, &flow(Transport::Udp, 2101), &[(FromServer, cut)]);
            if length > 3 {
                // The same in a frame that fits it.
                let shorter = framed(&cut[3..]);
                assert_eq!(front(&shorter), Front::Frame(shorter.len()));
                let _ = feed_unprobed(&Rtcm, &flow(Transport::Udp, 2101), &[(FromServer, &shorter)]);
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes(data in prop::collection::vec(any::<u8>(), 1..400), step in 1usize..60) {
        let pieces: Vec<(Direction, &[u8])> = data.chunks(step).map(|piece| (FromServer, piece)).collect();
        let _ = feed_unprobed(&Rtcm, &flow(Transport::Tcp, 2101), &pieces);
    }

    #[test]
    fn any_message(number in 1001i64..1240, rest in prop::collection::vec((any::<i64>(), 1usize..60), 0..20)) {
        let mut fields = vec![(number, 12)];
        fields.extend(rest);
        let rows = feed_unprobed(&Rtcm, &flow(Transport::Tcp, 2101), &[(FromServer, &packed(&fields))]);
        for row in rows.of("position") {
            prop_assert!(row["latitude"].as_f64().unwrap().abs() <= 90.0);
            prop_assert!(row["longitude"].as_f64().unwrap().abs() <= 180.0);
        }
    }
}
