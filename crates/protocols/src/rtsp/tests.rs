use proptest::prelude::*;
use quaywatch_model::{Direction, Transport};

use super::Rtsp;
use crate::testing::{Recorder, feed, feed_unprobed, flow, pdu};
use crate::{Probe, Protocol};

const C: Direction = Direction::FromClient;
const S: Direction = Direction::FromServer;

/// After RFC 2326 section 14.1, with a camera's answers.
const DESCRIBE: &[u8] = b"DESCRIBE rtsp://admin:admin@10.0.0.2/s1 RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: vms 1\r\n\r\n";
const REFUSED: &[u8] = b"RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\nServer: cam 2.0\r\n\r\n";
const AGAIN: &[u8] =
    b"DESCRIBE rtsp://10.0.0.2/s1 RTSP/1.0\r\nCSeq: 2\r\nAuthorization: Basic YWRtaW46YWRtaW4=\r\n\r\n";
const DESCRIBED: &[u8] = b"RTSP/1.0 200 OK\r\ncseq: 2\r\ncontent-length: 50\r\n\r\n\
    v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n";
const SETUP: &[u8] =
    b"SETUP rtsp://10.0.0.2/s1 RTSP/1.0\r\nCSeq: 3\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\
    Authorization: Digest username=\"crane7\", realm=\"x\", nonce=\"00\", response=\"11\"\r\n\r\n";
const SET_UP: &[u8] = b"RTSP/1.0 200 OK\r\nCSeq: 3\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n";
const MEDIA: &[u8] = b"$\x00\x00\x03abc\r\n";

fn pieces() -> Vec<(Direction, &'static [u8])> {
    vec![(C, DESCRIBE), (S, REFUSED), (C, AGAIN), (S, DESCRIBED), (C, SETUP), (S, SET_UP), (S, MEDIA)]
}

#[test]
fn a_camera_is_asked_for_its_stream() {
    let out = feed(&Rtsp, &flow(Transport::Tcp, 554), &pieces());
    let rows = out.of("operation");
    let names: Vec<_> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["DESCRIBE", "DESCRIBE", "SETUP", "interleaved media"]);
    assert_eq!(rows[0]["object"], "rtsp://10.0.0.2/s1");
    assert_eq!(rows[0]["status"], 401);
    assert!(rows[1]["detail"].as_str().unwrap().contains(r#""codecs":["96 H264/90000"]"#), "{}", rows[1]);
    assert!(rows[2]["detail"].as_str().unwrap().contains(r#""interleaved":"0-1""#), "{}", rows[2]);
    assert_eq!(rows[3]["quantity"], 1);
    let found: Vec<_> = out.of("credential").iter().map(|row| row["weakness"].as_str().unwrap().to_owned()).collect();
    // The refused address told clear text already; it is not told anew for the same account.
    assert_eq!(found, ["clear-text", "default", "weak-scheme"]);
    assert!(out.of("weird").is_empty());
    assert!(!format!("{:?}", out.rows).contains("YWRtaW46"));
}

#[test]
fn playing_without_a_login_is_told() {
    let play = b"PLAY rtsp://10.0.0.2/s1 RTSP/1.0\r\nCSeq: 4\r\n\r\n";
    let out = feed(&Rtsp, &flow(Transport::Tcp, 554), &[(C, play), (S, b"RTSP/1.0 200 OK\r\nCSeq: 4\r\n\r\n")]);
    assert_eq!(out.of("credential")[0]["weakness"], "anonymous");
}

#[test]
fn a_path_with_an_at_sign_is_no_login() {
    let play = b"PLAY rtsp://10.0.0.2:554/user@cam RTSP/1.0\r\nCSeq: 4\r\n\r\n";
    let out =
        feed(&Rtsp, &flow(Transport::Tcp, 554), &[(C, play), (S, b"RTSP/1.0 401 Unauthorized\r\nCSeq: 4\r\n\r\n")]);
    assert_eq!((out.of("session").len(), out.of("credential").len()), (0, 0));
}

#[test]
fn media_after_lost_bytes_is_undecoded_until_a_frame_fits() {
    let flow = flow(Transport::Tcp, 554);
    let mut analyzer = Rtsp.open(&flow);
    let mut out = Recorder::default();
    analyzer.feed(&pdu(&flow, 0, S, MEDIA), &mut out);
    analyzer.gap(S, 100, &mut out);
    for piece in [&b"rest of a frame"[..], b"$\x00\x00\x09cut", MEDIA, b"$\x00\x00\x01a$\x01\x00\x01b"] {
        analyzer.feed(&pdu(&flow, 1, S, piece), &mut out);
    }
    analyzer.close(&flow, &mut out);
    assert_eq!(out.of("weird").len(), 0);
    assert_eq!(out.of("operation").last().unwrap()["quantity"], 3, "those before and behind, none of the cut ones");
}

#[test]
fn others_are_refused() {
    let flow = flow(Transport::Tcp, 554);
    for data in [&b"OPTIONS * HTTP/1.1\r\n\r\n"[..], b"GET / HTTP/1.1\r\n", b"$\0\0\x01a", b"OPTIONS sip:a SIP/2.0\r\n"]
    {
        assert_eq!(Rtsp.probe(&pdu(&flow, 0, C, data)), Probe::No);
    }
}

#[test]
fn a_cut_message_does_no_harm() {
    for (direction, bytes) in pieces() {
        for end in 1..bytes.len() {
            feed_unprobed(&Rtsp, &flow(Transport::Tcp, 554), &[(direction, &bytes[..end])]);
        }
    }
}

#[test]
fn pieces_of_one_byte_say_the_same() {
    let flow = flow(Transport::Tcp, 554);
    let small: Vec<_> = pieces().into_iter().flat_map(|(d, b)| b.chunks(1).map(move |c| (d, c))).collect();
    let count = |out: &Recorder| out.of("operation").len();
    assert_eq!(count(&feed_unprobed(&Rtsp, &flow, &small)), count(&feed(&Rtsp, &flow, &pieces())));
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_no_harm(data in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..64), 0..16)) {
        let pieces: Vec<_> = data.iter().map(|piece| (C, piece.as_slice())).collect();
        feed_unprobed(&Rtsp, &flow(Transport::Tcp, 554), &pieces);
    }
}
