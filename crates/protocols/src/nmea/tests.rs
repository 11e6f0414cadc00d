//! Sentences as in the standard's examples, and whatever else may come on the port.

use quaywatch_model::Direction;

use super::*;
use crate::testing::{Recorder, feed, feed_unprobed, flow, pdu};

const C: Direction = Direction::FromClient;

/// A sentence with its checksum.
fn sentence(body: &str) -> String {
    let sum = body.bytes().fold(0u8, |sum, byte| sum ^ byte);
    format!("${body}*{sum:02X}\r\n")
}

fn udp(text: &str) -> Recorder {
    feed(&Nmea, &flow(Transport::Udp, 10110), &[(C, text.as_bytes())])
}

#[test]
fn a_fix_is_told_with_its_quality() {
    // The checksum is that of the standard's own example.
    let recorder = udp("$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n");
    let position = &recorder.of("position")[0];
    assert_eq!(position["sentence"], "GPGGA");
    assert!((position["latitude"].as_f64().unwrap() - 48.1173).abs() < 1e-6);
    assert!((position["longitude"].as_f64().unwrap() - 11.516_666).abs() < 1e-5);
    assert_eq!((&position["quality"], &position["satellites"]), (&1.into(), &8.into()));
    assert_eq!(position["receiver"]["address"], "10.0.0.1");
    assert!(recorder.marks.is_empty());
}

#[test]
fn southern_and_western_positions_are_negative_and_a_lost_fix_has_none() {
    let recorder =
        udp(&[sentence("GNRMC,081836,V,,,,,,,130998,011.3,E"), sentence("GPGLL,3751.65,S,14507.36,W,081836,A")]
            .concat());
    let positions = recorder.of("position");
    assert_eq!((&positions[0]["quality"], &positions[0]["latitude"]), (&0.into(), &serde_json::Value::Null));
    assert!(positions[1]["latitude"].as_f64().unwrap() < -37.0);
    assert!(positions[1]["longitude"].as_f64().unwrap() < -145.0);
}

#[test]
fn the_receivers_clock_needs_a_date() {
    let dated = udp(&sentence("GPRMC,000010.50,A,4807.038,N,01131.000,E,022.4,084.4,010120,,"));
    let clock = &dated.of("clock")[0];
    assert_eq!(clock["device_time"], 1_577_836_810_500_000_000i64);
    let speed = dated.of("position")[0]["speed"].as_f64().unwrap();
    assert!((speed - 11.52).abs() < 0.01, "22.4 knots are {speed} m/s");
    assert!(udp(&sentence("GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,,M,,M,,")).of("clock").is_empty());
}

#[test]
fn datagrams_of_iec_61162_450_may_hold_tag_blocks_and_several_sentences() {
    let text = format!(
        "UdPbC\0\\s:GN0001,n:1*00\\{}\\s:GN0001,n:2*00\\{}",
        sentence("GNGNS,112257.00,3844.24,N,00908.43,W,AN,03,10.5,,,,"),
        sentence("HEHDT,12.3,T")
    );
    let recorder = udp(&text);
    assert_eq!(recorder.of("position").len(), 1);
    assert_eq!(recorder.of("position")[0]["quality"], 1);
    assert!(recorder.marks.is_empty());
}

#[test]
fn faults_are_told_and_the_next_sentence_is_read() {
    let good = sentence("GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,,M,,M,,");
    let recorder = udp(&format!("$GPGGA,1,2,3*00\r\nnoise\r\n$GPGLL,1,2\r\n{good}"));
    let names: Vec<String> = recorder.of("weird").iter().map(|w| w["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["nmea_bad_checksum", "nmea_not_a_sentence", "nmea_checksum_missing"]);
    assert_eq!(recorder.of("position").len(), 1);
}

#[test]
fn tcp_may_cut_anywhere() {
    let text = sentence("GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,,M,,M,,").repeat(2);
    for cut in 1..text.len() {
        let (a, b) = text.as_bytes().split_at(cut);
        let recorder = feed_unprobed(&Nmea, &flow(Transport::Tcp, 10110), &[(C, a), (C, b)]);
        assert_eq!(recorder.of("position").len(), 2, "cut at {cut}");
    }
}

#[test]
fn other_text_is_not_taken() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let flow = flow(transport, 10110);
        for text in ["GET / HTTP/1.1\r\n", "$", "$5.00 each", "!", "", "$GP*00", "USER a\r\n"] {
            if !text.is_empty() {
                assert_eq!(Nmea.probe(&pdu(&flow, 0, C, text.as_bytes())), Probe::No, "{text}");
            }
        }
    }
}

proptest::proptest! {
    #[test]
    fn anything_is_survived(text in "[$!A-Z0-9,.*\\\\\r\n]{0,200}", bytes in proptest::collection::vec(proptest::num::u8::ANY, 1..200)) {
        for data in [text.as_bytes(), bytes.as_slice()] {
            if !data.is_empty() {
                let _ = feed_unprobed(&Nmea, &flow(Transport::Udp, 10110), &[(C, data)]);
                let _ = feed_unprobed(&Nmea, &flow(Transport::Tcp, 10110), &[(C, data)]);
            }
        }
    }
}
