//! Beckhoff ADS discovery. tshark 4.0 has no dissector: held to its table is that every datagram is in one operation, once,
//! as request or as reply.

use crate::harness::{Field, Table, compare, number};

#[test]
fn beckhoff_discovery_agrees() {
    compare(&Table {
        name: "beckhoff-udp-48899",
        protocols: &["ads-discovery"],
        kinds: &[],
        fields: &[Field::new("frame.number")
            .asked(|row| number(row, "request_frame"))
            .answered(|row| number(row, "reply_frame"))],
        counts: |_| true,
        explained: &[],
        wanted: 1000,
    });
}
