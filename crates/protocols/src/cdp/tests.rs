use proptest::prelude::*;
use quaywatch_model::Direction::FromClient;

use super::*;
use crate::testing::{feed, feed_unprobed, flow, hex};

// Version 2: device `sw1`, address 10.0.0.2, port `Gi1`, switch, version, platform `cisco IE`, native VLAN 1.
const FRAME: &str = "02 b4 0000 0001 0007 737731 0002 0011 00000001 01 01 cc 0004 0a000002 0003 0007 476931
    0004 0008 00000008 0005 0016 436973636f20494f532c2056657273696f6e 0006 000c 636973636f204945 000a 0006 0001";

#[test]
fn a_neighbour_is_described() {
    let flow = flow(Transport::Link(SNAP_ID), 0);
    let frame = hex(FRAME);
    let seen = feed(&Cdp, &flow, &[(FromClient, &frame), (FromClient, &frame)]);
    let said: Vec<String> = seen
        .of("identity")
        .iter()
        .map(|row| format!("{} {}", row["attribute"].as_str().unwrap(), row["value"].as_str().unwrap()))
        .collect();
    assert_eq!(
        said,
        [
            "ip 10.0.0.2",
            "host-name sw1",
            "model cisco IE",
            "software Cisco IOS, Version",
            "os Cisco IOS",
            "vendor Cisco",
            "network-setting port Gi1",
            "network-setting native vlan 1",
            "capability switch",
        ]
    );
    assert_eq!(seen.of("name")[0]["kind"], "cdp");
    assert!(seen.marks.is_empty());
}

#[test]
fn truncations_do_not_panic() {
    let flow = flow(Transport::Link(SNAP_ID), 0);
    let frame = hex(FRAME);
    for length in 1..frame.len() {
        feed_unprobed(&Cdp, &flow, &[(FromClient, &frame[..length])]);
    }
    assert_eq!(feed_unprobed(&Cdp, &flow, &[(FromClient, &frame[..9])]).marks.len(), 1);
}

proptest! {
    #[test]
    fn any_bytes_are_taken(data in prop::collection::vec(any::<u8>(), 1..300)) {
        feed_unprobed(&Cdp, &flow(Transport::Link(SNAP_ID), 0), &[(FromClient, &data)]);
        let framed = [&[2, 180, 0, 0][..], &data].concat();
        feed_unprobed(&Cdp, &flow(Transport::Link(SNAP_ID), 0), &[(FromClient, &framed)]);
    }
}
