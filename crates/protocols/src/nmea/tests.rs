//! Sentences from the standard's examples and from captures.

use proptest::prelude::*;
use quaywatch_model::{Direction, Mark, Timestamp, Transport};
use serde_json::{Value, json};

use super::fix;
use super::sentence::{LINE_LIMIT, line};
use super::{CLAIMS_LIMIT, Nmea};
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};
use crate::{Probe, Protocol};

use Direction::FromClient;

/// Adds checksum and line end.
fn sealed(content: &str) -> String {
    let sum = content.bytes().fold(0, |sum, byte| sum ^ byte);
    format!("${content}*{sum:02X}\r\n")
}

fn datagram(text: &str) -> Recorder {
    feed_unprobed(&Nmea, &flow(Transport::Udp, 10110), &[(FromClient, text.as_bytes())])
}

fn position(content: &str) -> Value {
    let rows = datagram(&sealed(content));
    assert_eq!(rows.of("weird"), Vec::<Value>::new(), "{content}");
    rows.of("position").remove(0)
}

fn near(value: &Value, wanted: f64) {
    assert!((value.as_f64().unwrap() - wanted).abs() < 1e-6, "{value} is not {wanted}");
}

#[test]
fn fixes_are_positions() {
    let row = position("GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,");
    near(&row["latitude"], 48.1173);
    near(&row["longitude"], 11.516_666_7);
    assert_eq!((&row["quality"], &row["satellites"], &row["hdop"]), (&json!(1), &json!(8), &json!(0.9)));
    assert_eq!((&row["sentence"], &row["receiver"]["address"]), (&json!("GPGGA"), &json!("10.0.0.1")));
    let row = position("GNGNS,014035.00,4332.69262,S,17235.48549,W,RR,13,0.9,25.63,11.24,,");
    near(&row["latitude"], -43.544_877);
    near(&row["longitude"], -172.591_424_8);
    assert_eq!(row["quality"], 4);
    let row = position("GPGLL,4916.45,N,12311.12,W,225444,V");
    assert_eq!(row["quality"], 0);
    let row = position("GPRMC,123519.25,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W");
    near(&row["speed"], 11.523_555_6);
    assert_eq!(row["receiver_time"], Timestamp::parse_rfc3339("1994-03-23T12:35:19.25Z").unwrap().0);
    near(&position("GPVTG,054.7,T,034.4,M,005.5,N,010.2,K")["speed"], 2.829_444_4);
    near(&position("GPVTG,054.7,T,,M,,N,036.0,K")["speed"], 10.0);
    let row = position("GPGSA,A,3,04,05,,09,12,,,24,,,,,2.5,1.3,2.1");
    assert_eq!((&row["satellites"], &row["hdop"], &row["quality"]), (&json!(5), &json!(1.3), &json!(null)));
}

#[test]
fn receivers_without_a_fix_say_so() {
    let row = position("GPGGA,123519,,,,,0,00,,,,,,,");
    assert_eq!((&row["latitude"], &row["quality"], &row["satellites"]), (&json!(null), &json!(0), &json!(0)));
}

#[test]
fn clocks_are_told_when_they_move() {
    let flow = flow(Transport::Udp, 10110);
    let lines: Vec<String> = [("080000.00", 1), ("080000.10", 1), ("080009.00", 1)]
        .iter()
        .map(|(time, day)| sealed(&format!("GPZDA,{time},{day:02},11,2026,00,00")))
        .collect();
    let pieces: Vec<(Direction, &[u8])> = lines.iter().map(|line| (FromClient, line.as_bytes())).collect();
    let rows = feed(&Nmea, &flow, &pieces);
    let clocks = rows.of("clock");
    assert_eq!(clocks.len(), 2);
    assert_eq!(clocks[0]["device_time"], Timestamp::parse_rfc3339("2026-11-01T08:00:00Z").unwrap().0);
    assert_eq!(clocks[0]["subject"], "10.0.0.1");
    // A receiver without a fix does not vouch for its time.
    assert_eq!(datagram(&sealed("GPRMC,000006,V,,,,,0.0,0.0,010200,1.1,E")).of("clock"), Vec::<Value>::new());
}

// fkie-iec-61162-450-nmea-multisentence frame 1, its first two lines.
#[test]
fn tag_blocks_name_source_and_time() {
    let text = "UdPbC\0\\s:IN0001,n:881,c:1683881316755*4D\\$INGLL,5416.4774,N,01201.8283,E,084836.75,A,A*7F\r\n\
                \\s:IN0001,n:882,c:1683881316755*4E\\$INHCR,,A,V,*49\r\n";
    let flow = flow(Transport::Udp, 60004);
    let rows = feed(&Nmea, &flow, &[(FromClient, text.as_bytes())]);
    assert_eq!(rows.of("weird"), Vec::<Value>::new());
    assert_eq!(rows.of("position").len(), 1);
    assert_eq!(rows.of("clock")[0]["device_time"], 1_683_881_316_755_000_000i64);
    assert!(rows.of("identity").iter().any(|row| row["value"] == "IN0001"));
    let objects: Vec<Value> = rows.of("operation").iter().map(|row| row["object"].clone()).collect();
    assert_eq!(objects, [json!("INGLL"), json!("INHCR")]);
    assert_eq!(rows.marks, []);
}

// fkie-iec-61162-450-nmea-wrong-tag-chcksm frame 1.
#[test]
fn wrong_checksums_are_told_and_not_believed() {
    let rows = datagram("UdPbC\0\\s:HE0001*AA\\$HEROT,+000.05,A*35\r\n");
    assert_eq!(rows.of("weird")[0]["name"], "nmea_tag_block_checksum");
    assert!(rows.of("identity").iter().all(|row| row["value"] != "HE0001"));
    let rows = datagram("$GPGLL,5858.344,N,01217.461,E,225239.784,A*38\r\n");
    assert_eq!(rows.of("weird")[0]["name"], "nmea_checksum");
    assert_eq!(rows.of("position"), Vec::<Value>::new());
    assert!(matches!(rows.marks[..], [Mark::Malformed(_)]));
    let rows = datagram("$GPGLL,5858.344,N,01217.461,E,225239.784,A\r\n$GPGLL,5858.344,N,01217.461,E,225240.784,A\r\n");
    assert_eq!(rows.of("weird").len(), 1, "a missing checksum is told once");
    assert_eq!(rows.of("position").len(), 2);
}

// kmpm-nmea-simulator frame 1: the latitude is lost.
#[test]
fn fields_that_cannot_be_are_told() {
    let rows = datagram("$GPGGA,225239.784,2,N,01217.461,E,,5,3.5,,,,,,*42\r\n");
    assert_eq!(rows.of("weird")[0]["name"], "nmea_field");
    assert_eq!((&rows.of("position")[0]["latitude"], &rows.of("position")[0]["satellites"]), (&json!(null), &json!(5)));
    for content in [
        "GPGLL,9100.0,N,00000.0,E,000000,A",
        "GPGLL,4560.0,N,00000.0,E,000000,A",
        "GPGLL,4500.0,X,00000.0,E,000000,A",
        "GPGLL,inf,N,nan,E,000000,A",
        "GPRMC,123519,A,4807.038,N,01131.000,E,1e5,084.4,230394,,",
        "GPRMC,123519,A,4807.038,N,01131.000,E,1,084.4,310294x,,",
        "GPZDA,250000.00,14,11,2015,00,00",
        "GPZDA,000000.00,14,13,2015,00,00",
    ] {
        let rows = datagram(&sealed(content));
        assert_eq!(rows.of("weird").len(), 1, "{content}");
    }
}

#[test]
fn devices_say_who_they_are() {
    let text = sealed("YXVER,1,1,YX,ACM,,SN-77,WX-200,3.1.4,B,0")
        + &sealed("PUBX,00,1")
        + &sealed("GPTXT,01,01,02,ROM CORE 3.01");
    let rows = datagram(&text);
    let claims: Vec<(Value, Value)> =
        rows.of("identity").iter().map(|row| (row["attribute"].clone(), row["value"].clone())).collect();
    for (attribute, value) in [
        ("vendor", "ACM"),
        ("serial", "SN-77"),
        ("model", "WX-200"),
        ("firmware", "3.1.4"),
        ("hardware", "B"),
        ("vendor", "u-blox"),
        ("software", "ROM CORE 3.01"),
        ("capability", "GPS receiver"),
    ] {
        assert!(claims.contains(&(json!(attribute), json!(value))), "{attribute} {value}: {claims:?}");
    }
}

#[test]
fn a_stream_may_be_cut_anywhere() {
    let flow = flow(Transport::Tcp, 10110);
    let text = sealed("GPGLL,4916.45,N,12311.12,W,225444,A") + &sealed("GPGLL,4916.46,N,12311.12,W,225445,A");
    for step in 1..text.len() {
        let pieces: Vec<(Direction, &[u8])> = text.as_bytes().chunks(step).map(|piece| (FromClient, piece)).collect();
        let rows = feed(&Nmea, &flow, &pieces);
        assert_eq!(rows.of("position").len(), 2, "step {step}");
        assert_eq!(rows.of("weird"), Vec::<Value>::new());
    }
}

#[test]
fn only_sentences_are_claimed() {
    let udp = flow(Transport::Udp, 2000);
    let tcp = flow(Transport::Tcp, 2000);
    let probe = |data: &[u8]| Nmea.probe(&pdu(&udp, 0, FromClient, data));
    assert_eq!(probe(b"$GPGLL,5858.344,N,01217.461,E,225239.784,A*37\r\n"), Probe::Yes);
    assert_eq!(probe(b"\0$PLWRTEST,COMPORTTEST*6D\r\n"), Probe::Yes);
    assert_eq!(probe(b"$GPGLL,5858.344,N,01217.461,E,225239.784,A\r\n"), Probe::Unsure);
    assert_eq!(probe(b"UdPbC\0"), Probe::Yes);
    // fkie-br24-reg-data frame 1: a radar's.
    assert_eq!(probe(&hex("a0c1")), Probe::No);
    assert_eq!(probe(b"$ echo hello"), Probe::No);
    assert_eq!(probe(b"GET /$GPGLL,1*00 HTTP/1.1\r\n"), Probe::No);
    assert_eq!(Nmea.probe(&pdu(&tcp, 0, FromClient, b"$GPG")), Probe::Unsure);
    assert_eq!(Nmea.probe(&pdu(&tcp, 0, FromClient, b"\x16\x03\x01")), Probe::No);
}

#[test]
fn memory_is_bounded() {
    let tcp = flow(Transport::Tcp, 10110);
    let long = vec![b'$'; LINE_LIMIT + 1];
    let rows = feed_unprobed(&Nmea, &tcp, &[(FromClient, &long)]);
    assert_eq!(rows.of("weird")[0]["name"], "nmea_line_length");
    // More kinds of sentences than are remembered: they are told again, no more.
    let text: String = (0..CLAIMS_LIMIT * 2).map(|number| sealed(&format!("P{number:04}A,1"))).collect();
    assert_eq!(datagram(&text).of("operation").len(), CLAIMS_LIMIT * 2);
}

#[test]
fn truncated_sentences_do_no_harm() {
    let text = "UdPbC\0\\s:IN0001,c:1683881316755*4D\\$GPRMC,123519.25,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*44\r\n";
    for length in 0..text.len() {
        let _ = datagram(&text[..length]);
        let _ = Nmea.probe(&pdu(&flow(Transport::Udp, 1), 0, FromClient, &text.as_bytes()[..length]));
    }
    for content in ["RMC", "GGA", "GNS", "GLL", "VTG", "GSA", "ZDA"] {
        for field in ["", ",", "é", "-", ".", "1", "99999999999999999999", "-1.5", "0000000000000"] {
            let fields = vec![field; 25].join(",");
            let _ = fix::read(content, fields.split(','));
        }
    }
}

proptest! {
    #[test]
    fn any_bytes(data in prop::collection::vec(any::<u8>(), 1..300)) {
        let _ = line(&data);
        let _ = feed_unprobed(&Nmea, &flow(Transport::Udp, 10110), &[(FromClient, &data)]);
        let pieces: Vec<(Direction, &[u8])> = data.chunks(7).map(|piece| (FromClient, piece)).collect();
        let _ = feed_unprobed(&Nmea, &flow(Transport::Tcp, 10110), &pieces);
    }

    #[test]
    fn any_fields(kind in "(GGA|GNS|GLL|RMC|VTG|GSA|ZDA|VER|TXT)", fields in "[-0-9.,ANSEWV]{0,60}") {
        let rows = datagram(&sealed(&format!("GP{kind},{fields}")));
        for row in rows.of("position") {
            let sound = |value: &Value, most: f64| value.as_f64().is_none_or(|value| value.abs() <= most);
            prop_assert!(sound(&row["latitude"], 90.0) && sound(&row["longitude"], 180.0));
        }
    }
}
