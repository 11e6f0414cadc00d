//! Sentences that others have published with what they mean (gpsd's collection, the examples of M.1371), and hand-made ones.

use proptest::prelude::*;
use quaywatch_model::{Direction, Mark, Transport};
use serde_json::{Value, json};

use super::STATION_LIMIT;
use crate::nmea::Nmea;
use crate::testing::{Recorder, feed, feed_unprobed, flow};

use Direction::FromClient;

/// Adds checksum and line end.
fn sealed(content: &str) -> String {
    let sum = content.bytes().fold(0, |sum, byte| sum ^ byte);
    format!("!{content}*{sum:02X}\r\n")
}

fn lines(text: &str) -> Recorder {
    feed_unprobed(&Nmea, &flow(Transport::Udp, 10110), &[(FromClient, text.as_bytes())])
}

/// A message of one received sentence.
fn heard(payload: &str, fill: u8) -> Recorder {
    let rows = lines(&sealed(&format!("AIVDM,1,1,,A,{payload},{fill}")));
    assert_eq!(rows.of("weird"), Vec::<Value>::new(), "{payload}");
    assert_eq!(rows.marks, []);
    rows
}

/// The operation of the message itself; that before it names the sentence.
fn told(rows: &Recorder) -> Value {
    let operations = rows.of("operation");
    assert_eq!((operations.len(), &operations[1]["protocol"]), (2, &json!("ais")));
    operations[1].clone()
}

fn details(row: &Value) -> Value {
    serde_json::from_str(row["detail"].as_str().unwrap()).unwrap()
}

fn at(rows: &Recorder, latitude: f64, longitude: f64) -> Value {
    let row = rows.of("position").remove(0);
    let near = |value: &Value, wanted: f64| (value.as_f64().unwrap() - wanted).abs() < 2e-6;
    assert!(near(&row["latitude"], latitude) && near(&row["longitude"], longitude), "{row}");
    row
}

#[test]
fn ships_are_placed() {
    let rows = lines("!AIVDM,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,0*5C\r\n");
    assert_eq!(rows.of("weird"), Vec::<Value>::new());
    let row = at(&rows, 47.582_833, -122.345_833);
    assert_eq!((&row["sentence"], &row["speed"]), (&json!("AIVDM 1 477553000"), &json!(0.0)));
    let operation = told(&rows);
    assert_eq!((&operation["object"], &operation["class"]), (&json!("477553000"), &json!("cyclic")));
    let detail = details(&operation);
    assert_eq!((&detail["status"], &detail["station"]), (&json!("moored"), &json!("ship")));
    assert_eq!((&detail["course"], &detail["heading"]), (&json!("51.0"), &json!(181)));
    assert!(rows.of("identity").iter().all(|row| row["attribute"] == "capability"), "who hears is not who is heard");
}

#[test]
fn each_kind_of_position_is_read() {
    at(&heard("403OviQuMGCqWrRO9>E6fE700@GO", 0), 36.883_767, -76.352_362);
    let aircraft = heard("91b55wi;hbOS@OdQAC062Ch2089h", 0);
    let row = at(&aircraft, 58.144, -6.278_843);
    assert!((row["speed"].as_f64().unwrap() - 42.0 * 1852.0 / 3600.0).abs() < 1e-9);
    assert_eq!(details(&told(&aircraft))["course"], "154.5");
    let boat = heard("B52K>;h00Fc>jpUlNV@ikwpUoP06", 0);
    at(&boat, 40.684_54, -74.072_132);
    assert_eq!(details(&told(&boat))["course"], "79.6");
    let far = heard("KC5E2b@U19PFdLbMuc5=ROv62<7m", 0);
    let row = at(&far, 4.84, 137.023_333);
    assert!((row["speed"].as_f64().unwrap() - 57.0 * 1852.0 / 3600.0).abs() < 1e-9);
    assert_eq!(details(&told(&far))["status"], "not under command");
}

#[test]
fn voyages_come_in_two_sentences() {
    let first = "!AIVDM,2,1,3,B,55P5TL01VIaAL@7WKO@mBplU@<PDhh000000001S;AJ::4A80?4i@E53,0*3E\r\n";
    let second = "!AIVDM,2,2,3,B,1@0000000000000,2*55\r\n";
    let rows = lines(&format!("{first}{second}"));
    assert_eq!(rows.of("weird"), Vec::<Value>::new());
    let operation = told(&rows);
    assert_eq!((&operation["object"], &operation["code"]), (&json!("369190000"), &json!(5)));
    let detail = details(&operation);
    assert_eq!(
        detail,
        json!({"station": "ship", "name": "MT.MITCHELL", "call_sign": "WDA9674", "imo": 6_710_932, "ship_type": 99,
               "ship": "other", "length_m": 180, "beam_m": 20, "draught_m": "6.0", "destination": "SEATTLE",
               "eta": "01-02T08:00Z"})
    );
    let rows = lines(second);
    assert_eq!(rows.of("weird")[0]["name"], "ais_part_missing");
    // Sentences of two messages, mixed.
    let mixed = sealed("AIVDM,2,1,4,A,55P5TL01VIaAL@7WKO@mBplU@<PDhh000000001S;AJ::4A80?4i@E53,0");
    let rows = lines(&format!("{first}{mixed}{second}"));
    assert_eq!(rows.of("weird"), Vec::<Value>::new());
    assert_eq!(details(&told(&rows))["name"], "MT.MITCHELL");
}

#[test]
fn small_craft_say_who_they_are() {
    let rows = heard("C5N3SRgPEnJGEBT>NhWAwwo862PaLELTBJ:V00000000S0D:R220", 0);
    at(&rows, 29.543_695, -88.810_392);
    let detail = details(&told(&rows));
    assert_eq!((&detail["name"], &detail["ship_type"]), (&json!("CAPT.J.RIMES"), &json!(70)));
    assert_eq!((&detail["length_m"], &detail["beam_m"]), (&json!(26), &json!(8)));
    assert_eq!(details(&told(&heard("H42O55i18tMET00000000000000", 2)))["name"], "PROGUY");
    let detail = details(&told(&heard("H42O55lti4hhhilD3nink000?050", 0)));
    assert_eq!((&detail["call_sign"], &detail["vendor"]), (&json!("TC6163"), &json!("1D0")));
    assert_eq!((&detail["length_m"], &detail["beam_m"]), (&json!(15), &json!(5)));
}

#[test]
fn aids_to_navigation_are_read_with_long_names() {
    let rows = lines(
        &(sealed("AIVDM,2,1,5,B,E1c2;q@b44ah4ah0h:2ab@70VRpU<Bgpm4:gP50HH`Th`QF5,0")
            + &sealed("AIVDM,2,2,5,B,1CQ1A83PCAH0,0")),
    );
    assert_eq!(rows.of("weird"), Vec::<Value>::new());
    at(&rows, -38.220_167, 145.181);
    let detail = details(&told(&rows));
    assert_eq!(detail["name"], "THIS IS A TEST NAME1EXTENDED NAME");
    assert_eq!((&detail["aid"], &detail["virtual"]), (&json!("reference point"), &json!(false)));
}

#[test]
fn own_reports_name_the_sender() {
    let text = sealed("AIVDO,1,1,,A,H42O55i18tMET00000000000000,2");
    let rows = lines(&text);
    let claims: Vec<(Value, Value)> =
        rows.of("identity").iter().map(|row| (row["attribute"].clone(), row["value"].clone())).collect();
    assert!(claims.contains(&(json!("host-name"), json!("PROGUY"))), "{claims:?}");
    assert!(claims.contains(&(json!("capability"), json!("AIS station 271041815"))), "{claims:?}");
    // Every own position is a fix.
    let fix = sealed("AIVDO,1,1,,A,177KQJ5000G?tO`K>RA1wUbN0TKH,0");
    assert_eq!(lines(&(fix.clone() + &fix)).of("position").len(), 2);
    let fix = sealed("AIVDM,1,1,,A,177KQJ5000G?tO`K>RA1wUbN0TKH,0");
    assert_eq!(lines(&(fix.clone() + &fix)).of("position").len(), 1);
}

/// A message out of fields: value and number of bits.
fn packed(fields: &[(i64, usize)]) -> (String, u8) {
    let mut bits: Vec<u8> = Vec::new();
    for (value, count) in fields {
        bits.extend((0..*count).rev().map(|at| u8::try_from(value >> at & 1).unwrap()));
    }
    let fill = bits.len().next_multiple_of(6) - bits.len();
    bits.extend(vec![0; fill]);
    let character = |six: &[u8]| {
        let value = six.iter().fold(0, |value, bit| value << 1 | bit);
        char::from(if value < 40 { value + 48 } else { value + 56 })
    };
    (bits.chunks(6).map(character).collect(), u8::try_from(fill).unwrap())
}

fn report(mmsi: i64, status: i64, longitude: i64, latitude: i64) -> String {
    let (payload, fill) = packed(&[
        (1, 6),
        (0, 2),
        (mmsi, 30),
        (status, 4),
        (-128, 8),
        (1023, 10),
        (0, 1),
        (longitude, 28),
        (latitude, 27),
        (3600, 12),
        (511, 9),
        (60, 6),
        (0, 25),
    ]);
    sealed(&format!("AIVDM,1,1,,A,{payload},{fill}"))
}

#[test]
fn only_news_are_told_again() {
    let text = report(211_000_001, 0, 600_000, 600_000)
        + &report(211_000_001, 0, 600_500, 600_000)
        + &report(211_000_001, 1, 610_000, 600_000);
    let rows = lines(&text);
    assert_eq!(rows.of("position").len(), 2, "moved by a hundredth of a degree");
    assert_eq!(rows.of("operation").len(), 3, "the sentence, the ship, the ship at anchor");
    let detail = details(&rows.of("operation")[1]);
    assert_eq!((&detail["course"], &detail["heading"]), (&json!(null), &json!(null)));
    assert_eq!(rows.of("position")[0]["speed"], json!(null));
}

#[test]
fn deviations_are_told() {
    let of = |text: &str| -> String {
        let rows = lines(text);
        assert!(rows.marks.iter().any(|mark| matches!(mark, Mark::Malformed(_))), "{text}");
        rows.of("weird")[0]["name"].as_str().unwrap().to_owned()
    };
    assert_eq!(of(&report(211_000_001, 0, 181 * 600_000 + 1, 0)), "ais_position");
    assert_eq!(of(&report(1_000_000_000, 0, 0, 0)), "ais_mmsi");
    assert_eq!(of(&sealed("AIVDM,1,1,,A,177KQJ5000G?tO`K,0")), "ais_length");
    assert_eq!(of(&sealed("AIVDM,1,1,,A,1,0")), "ais_length");
    assert_eq!(of(&sealed("AIVDM,1,1,,A,w77KQJ5000G?tO`K,0")), "ais_message_type");
    assert_eq!(of(&sealed("AIVDM,1,1,,A,177KQJ5000G?tO`K>RA1wUbN0TK~,0")), "ais_payload");
    assert_eq!(of(&sealed("AIVDM,1,2,,A,177KQJ5000G?tO`K>RA1wUbN0TKH,0")), "ais_field");
    assert_eq!(of(&sealed("AIVDM,1,1,,A,177KQJ5000G?tO`K>RA1wUbN0TKH,7")), "ais_field");
    let none = lines(&report(211_000_001, 0, 181 * 600_000, 91 * 600_000));
    assert_eq!((none.of("weird").len(), none.of("position").len()), (0, 0));
}

#[test]
fn memory_is_bounded() {
    let count = i64::try_from(STATION_LIMIT).unwrap() + 10;
    let text: String = (0..count).map(|number| report(211_000_000 + number, 0, 0, 0)).collect();
    assert_eq!(lines(&text).of("position").len(), STATION_LIMIT + 10);
    // Beginnings of messages that never end.
    let text: String = (0..100)
        .map(|number| sealed(&format!("AIVDM,9,1,{},{},0000,0", number % 10, char::from(b'A' + number % 26))))
        .collect();
    let _ = lines(&text);
    let long = sealed(&format!("AIVDM,1,1,,A,{},0", "0".repeat(400)));
    assert_eq!(lines(&long).of("weird")[0]["name"], "ais_payload");
}

#[test]
fn a_flow_of_ais_alone_is_called_so() {
    use crate::{Analyzer, Protocol};
    let flow = flow(Transport::Udp, 10110);
    let mut analyzer: Box<dyn Analyzer> = Nmea.open(&flow);
    let mut rows = Recorder::default();
    let line = report(211_000_001, 0, 0, 0);
    analyzer.feed(&crate::testing::pdu(&flow, 0, FromClient, line.as_bytes()), &mut rows);
    assert_eq!(analyzer.service(), Some("ais"));
    let line = b"$GPGLL,5858.344,N,01217.461,E,225239.784,A*37\r\n";
    analyzer.feed(&crate::testing::pdu(&flow, 1, FromClient, line), &mut rows);
    assert_eq!(analyzer.service(), None);
}

#[test]
fn a_stream_may_be_cut_anywhere() {
    let flow = flow(Transport::Tcp, 10110);
    let text = report(211_000_001, 0, 0, 0) + &report(211_000_002, 0, 0, 0);
    for step in 1..text.len() {
        let pieces: Vec<(Direction, &[u8])> = text.as_bytes().chunks(step).map(|piece| (FromClient, piece)).collect();
        assert_eq!(feed(&Nmea, &flow, &pieces).of("position").len(), 2, "step {step}");
    }
}

#[test]
fn truncated_messages_do_no_harm() {
    for payload in [
        "177KQJ5000G?tO`K>RA1wUbN0TKH",
        "55P5TL01VIaAL@7WKO@mBplU@<PDhh000000001S;AJ::4A80?4i@E531@0000000000000",
        "C5N3SRgPEnJGEBT>NhWAwwo862PaLELTBJ:V00000000S0D:R220",
        "E1c2;q@b44ah4ah0h:2ab@70VRpU<Bgpm4:gP50HH`Th`QF51CQ1A83PCAH0",
        "H42O55lti4hhhilD3nink000?050",
        "KC5E2b@U19PFdLbMuc5=ROv62<7m",
        ">5?Per18=HB1U:1@E=B0m<L",
    ] {
        for length in 0..payload.len() {
            for formatter in ["VDM", "VDO"] {
                let _ = lines(&sealed(&format!("AI{formatter},1,1,,A,{},0", &payload[..length])));
            }
        }
    }
}

proptest! {
    #[test]
    fn any_payload(payload in "[0-W`-w]{0,90}", fill in 0u8..6, own in any::<bool>()) {
        let formatter = if own { "VDO" } else { "VDM" };
        let rows = lines(&sealed(&format!("AI{formatter},1,1,,A,{payload},{fill}")));
        for row in rows.of("position") {
            prop_assert!(row["latitude"].as_f64().unwrap().abs() <= 90.0);
            prop_assert!(row["longitude"].as_f64().unwrap().abs() <= 180.0);
        }
    }

    #[test]
    fn any_fields(parts in prop::collection::vec("[0-9]{0,2},[0-9]{0,2},[0-9]{0,1},[AB]{0,2},[0-w]{0,20},[0-9]{0,2}", 1..12)) {
        let _ = lines(&parts.iter().map(|part| sealed(&format!("AIVDM,{part}"))).collect::<String>());
    }
}
