//! Messages by the SMDG manuals' rules.

use proptest::prelude::*;
use quaywatch_model::{Direction, Transport};
use serde_json::json;

use super::segment::container;
use super::{Edifact, is_start};
use crate::testing::{Recorder, feed, feed_unprobed, flow};

use Direction::{FromClient, FromServer};

/// A discharge report of two containers, one full.
const COARRI: &str = "UNB+UNOA:2+TERMINAL+LINE+261102:1400+REF77'\r\nUNH+1+COARRI:D:95B:UN:ITG14'BGM+44+99+9'\
    TDT+20+0042W+1++XYZ:172:20+++9V12345:103:ZZZ:EVER TEST'EQD+CN+CSQU3054383+22G1:102:5++3+5'LOC+147+0130284'\
    EQD+CN+MSKU1234560+45G1:102:5++3+4'CNT+16:2'UNT+8+1'UNZ+1+REF77'";

fn read(pieces: &[&[u8]]) -> Recorder {
    let pieces: Vec<(Direction, &[u8])> = pieces.iter().map(|piece| (FromClient, *piece)).collect();
    feed(&Edifact, &flow(Transport::Tcp, 5000), &pieces)
}

#[test]
fn containers_and_messages_are_told() {
    let rows = read(&[COARRI.as_bytes()]);
    let request = &rows.of("request")[0];
    assert_eq!(
        (&request["method"], &request["user_agent"], &request["host"], &request["uri"]),
        (&json!("COARRI"), &json!("TERMINAL"), &json!("LINE"), &json!("REF77/1"))
    );
    let cargo = rows.of("cargo");
    assert_eq!(
        (&cargo[0]["id"], &cargo[0]["check"], &cargo[0]["size_type"]),
        (&json!("CSQU3054383"), &json!(true), &json!("22G1"))
    );
    assert_eq!(cargo[0]["detail"], r#"{"vessel":"EVER TEST","voyage":"0042W","full":true}"#);
    assert_eq!(cargo[1]["check"], json!(false));
    let weird: Vec<_> = rows.of("weird").iter().map(|row| row["name"].clone()).collect();
    assert_eq!(weird, ["edifact_container_check_digit"]);
}

#[test]
fn pieces_may_be_cut_anywhere_and_characters_set() {
    let whole = read(&[COARRI.as_bytes()]).rows.len();
    for cut in 10..COARRI.len() {
        let (head, tail) = COARRI.as_bytes().split_at(cut);
        assert_eq!(read(&[head, tail]).rows.len(), whole, "cut at {cut}");
    }
    let other = format!("UNA:*.! ~{}", COARRI.replace('+', "*").replace('\'', "~"));
    // The interchange header of a probe has the usual characters; with others the advice alone tells.
    assert!(is_start(b"UNA:*.! ~"));
    for cut in 1..other.len() {
        let (head, tail) = other.as_bytes().split_at(cut);
        let rows = feed_unprobed(&Edifact, &flow(Transport::Tcp, 5000), &[(FromClient, head), (FromClient, tail)]);
        assert_eq!(rows.of("cargo").len(), 2, "cut at {cut}");
    }
}

#[test]
fn released_characters_belong_to_the_text() {
    let text = "UNB+UNOA:2+A?+B?'C+D+261102:1400+1'UNH+1+CODECO:D:95B:UN'UNT+2+1'";
    let rows = read(&[text.as_bytes()]);
    assert_eq!(rows.of("request")[0]["user_agent"], "A+B'C");
    assert_eq!(rows.of("weird").len(), 0);
    let wrong = text.replace("UNT+2", "UNT+9");
    assert_eq!(read(&[wrong.as_bytes()]).of("weird")[0]["name"], "edifact_segment_count");
}

// ISO 6346 annex A works CSQU3054383 as its example.
#[test]
fn check_digits_are_the_standards() {
    assert_eq!(container("CSQU3054383"), Some(true));
    assert_eq!(container("CSQU3054384"), Some(false));
    assert_eq!(container("MSKU6011672"), Some(true));
    for other in ["", "CSQU305438", "CSQX3054383", "csqu3054383", "CSQU30543833", "CSQUÄ54383"] {
        assert_eq!(container(other), None, "{other}");
    }
}

#[test]
fn other_text_is_not_taken() {
    assert!(is_start(b"UNB+UNOC:3+A+B"));
    for other in [&b"UNBELIEVABLE"[..], b"UNA", b"HTTP/1.1 200 OK", b"UNAUTHORISED"] {
        assert!(!is_start(other));
    }
}

proptest! {
    #[test]
    fn anything_is_survived(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..80), 0..8), cut in 1usize..300) {
        let mut fed: Vec<(Direction, &[u8])> = pieces.iter().map(|piece| (FromServer, piece.as_slice())).collect();
        fed.push((FromClient, COARRI.as_bytes().get(..cut).unwrap_or(COARRI.as_bytes())));
        feed_unprobed(&Edifact, &flow(Transport::Tcp, 5000), &fed);
    }
}
