use proptest::prelude::*;
use quaywatch_model::Direction::FromClient;

use super::*;
use crate::testing::{Recorder, feed, flow, hex};

const MAC: &str = "02:00:00:00:00:01";
// Chassis MAC, port `port-001.plc`, 20 s, name `plc`, description, capabilities station, address 10.0.0.9, PROFINET chassis, VLAN 7.
const FRAME: &str = "0207 04 020000000008 040d 07 706f72742d3030312e706c63 0602 0014 0a03 706c63
    0c20 5369656d656e732c2053372c2036455337203231322d31424534302d30584230
    0e04 0080 0080 100c 05 01 0a000009 02 00000001 00 fe0a 000ecf 05 020000000008 fe06 0080c2 01 0007 0000";

fn said(seen: &Recorder) -> Vec<String> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    seen.of("identity").iter().map(|row| format!("{} {}", text(&row["attribute"]), text(&row["value"]))).collect()
}

#[test]
fn a_neighbour_is_described() {
    let flow = flow(Transport::Link(ETHERTYPE), 0);
    let frame = hex(FRAME);
    let seen = feed(&Lldp, &flow, &[(FromClient, &frame), (FromClient, &frame)]);
    assert_eq!(
        said(&seen),
        [
            "mac 02:00:00:00:00:08",
            "network-setting port port-001.plc",
            "host-name plc",
            "mac 02:00:00:00:00:08",
            "network-setting port vlan 7",
            "host-name plc",
            "product Siemens, S7, 6ES7 212-1BE40-0XB0",
            "vendor Siemens",
            "order-number 6ES7 212-1BE40-0XB0",
            "capability station only",
            "ip 10.0.0.9",
        ]
    );
    assert!(seen.of("identity").iter().all(|row| row["subject"] == MAC));
    assert_eq!(seen.of("name").len(), 1);
    assert!(seen.marks.is_empty());
}

#[test]
fn an_inventory_is_read() {
    // LLDP-MED: firmware `1.2`, serial `S7`, manufacturer `Axis`, model `P32`.
    let frame = hex("0207 04 020000000001 0407 03 020000000001 0602 0014
        fe07 0012bb 06 312e32 fe06 0012bb 08 5337 fe08 0012bb 09 41786973 fe07 0012bb 0a 503332 0000");
    let seen = feed(&Lldp, &flow(Transport::Link(ETHERTYPE), 0), &[(FromClient, &frame)]);
    assert_eq!(said(&seen), ["firmware 1.2", "serial S7", "vendor Axis", "model P32"]);
}

#[test]
fn every_truncation_is_malformed() {
    let flow = flow(Transport::Link(ETHERTYPE), 0);
    let frame = hex(FRAME);
    for length in 1..frame.len() - 2 {
        let seen = feed(&Lldp, &flow, &[(FromClient, &frame[..length])]);
        assert_eq!(seen.marks.len(), 1, "{length}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_taken(frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 1..4)) {
        let pieces: Vec<_> = frames.iter().map(|frame| (FromClient, frame.as_slice())).collect();
        feed(&Lldp, &flow(Transport::Link(ETHERTYPE), 0), &pieces);
    }
}
