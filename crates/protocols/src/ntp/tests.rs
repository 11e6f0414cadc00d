use proptest::prelude::*;
use quaywatch_model::Direction::{FromClient, FromServer};

use super::*;
use crate::testing::{Recorder, feed, feed_unprobed, flow, hex, pdu};

/// A packet with this first byte, stratum and transmit timestamp, seconds after 1970.
fn packet(first: u8, stratum: u8, reference: u64, seconds: u64) -> Vec<u8> {
    let mut data = vec![first, stratum, 6, 0xec];
    data.extend([0; 8]);
    data.extend([10, 0, 0, 99]);
    data.extend((reference << 32).to_be_bytes());
    data.extend([0; 16]);
    data.extend((if seconds == 0 { 0 } else { (seconds + 2_208_988_800) << 32 }).to_be_bytes());
    data
}

fn clocks(seen: &Recorder) -> Vec<(String, i64)> {
    seen.of("clock")
        .iter()
        .map(|row| (row["subject"].as_str().unwrap().to_owned(), row["skew"].as_i64().unwrap() / 1_000_000_000))
        .collect()
}

#[test]
fn a_server_tells_service_stratum_and_time() {
    let flow = flow(Transport::Udp, 123);
    // The capture of the test flow starts at 1970-01-01.
    let seen = feed(&Ntp, &flow, &[(FromClient, &packet(0x23, 0, 0, 0)), (FromServer, &packet(0x24, 2, 1, 120))]);
    assert_eq!(clocks(&seen), [("10.0.0.2".into(), 119)]);
    assert_eq!(seen.of("service")[0]["version"], "v4");
    let said: Vec<_> = seen.of("identity").iter().map(|row| (row["subject"].clone(), row["value"].clone())).collect();
    assert_eq!(
        said,
        [
            ("10.0.0.1".into(), "time server 10.0.0.2".into()),
            ("10.0.0.2".into(), "ntp stratum 2 from 10.0.0.99".into())
        ]
    );
}

#[test]
fn a_clock_is_told_again_only_when_it_moved() {
    let flow = flow(Transport::Udp, 123);
    let pieces = [packet(0x24, 1, 1, 120), packet(0x24, 1, 1, 120), packet(0x24, 1, 1, 180)];
    let pieces: Vec<_> = pieces.iter().map(|data| (FromServer, data.as_slice())).collect();
    assert_eq!(clocks(&feed(&Ntp, &flow, &pieces)).len(), 2);
}

#[test]
fn random_client_times_are_no_clocks() {
    let flow = flow(Transport::Udp, 123);
    let run = |times: &[u64]| {
        let pieces: Vec<_> = times.iter().map(|time| packet(0x23, 0, 0, *time)).collect();
        let pieces: Vec<_> = pieces.iter().map(|data| (FromClient, data.as_slice())).collect();
        clocks(&feed(&Ntp, &flow, &pieces)).len()
    };
    assert_eq!(run(&[400_000_000, 900_000_000, 1_300_000_000]), 0);
    // A controller whose clock was never set runs on all the same.
    assert_eq!(run(&[400_000_000, 400_000_000]), 1);
    assert_eq!(run(&[5]), 1);
}

#[test]
fn control_and_private_modes_are_requests_and_identities() {
    let flow = flow(Transport::Udp, 123);
    let ask = hex("1602 0001 0000 0000 0000 0000");
    let version = b"version=\"ntpd 4.2.6\",system=\"Linux/3\"";
    let answer = [&hex("1682 0001 0000 0000 0000 0025")[..], version].concat();
    let monlist = hex("1700032a 00000000");
    let seen = feed(&Ntp, &flow, &[(FromClient, &ask), (FromServer, &answer), (FromClient, &monlist)]);
    let methods: Vec<_> = seen.of("request").iter().map(|row| row["method"].clone()).collect();
    assert_eq!(methods, ["control read-variables", "private monlist"]);
    let values: Vec<_> = seen.of("identity").iter().map(|row| row["value"].clone()).collect();
    assert_eq!(values, ["ntpd 4.2.6", "Linux/3"]);
}

#[test]
fn another_port_needs_a_likely_time() {
    let flow = flow(Transport::Udp, 4000);
    let probe = |data: &[u8]| Ntp.probe(&pdu(&flow, 0, FromServer, data));
    assert_eq!(probe(&packet(0x24, 2, 1, 120)), Probe::YesFromServer);
    assert_eq!(probe(&packet(0x24, 2, 1, 900_000_000)), Probe::No);
    assert_eq!(probe(&[0; 48]), Probe::No);
}

#[test]
fn truncations_are_malformed() {
    let flow = flow(Transport::Udp, 123);
    let whole = packet(0x24, 2, 1, 120);
    for length in 1..whole.len() {
        assert_eq!(feed_unprobed(&Ntp, &flow, &[(FromServer, &whole[..length])]).marks.len(), 1, "{length}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_taken(pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 1..80)), 1..6)) {
        let pieces: Vec<_> = pieces.iter()
            .map(|(client, data)| (if *client { FromClient } else { FromServer }, data.as_slice())).collect();
        feed_unprobed(&Ntp, &flow(Transport::Udp, 123), &pieces);
    }
}
