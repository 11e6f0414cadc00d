//! GE EGD: the first datagram of an exchange and, in its count, the last; those between are counted.

use crate::harness::{Field, Table, compare, detail, number};

#[test]
fn ge_egd_agrees() {
    compare(&Table {
        name: "ge-egd",
        protocols: &["ge-egd"],
        kinds: &[],
        fields: &[
            Field::new("egd.type").answered(|row| number(row, "code")),
            Field::new("egd.rid").answered(|row| detail(row, "request_id")),
            Field::new("egd.pid").answered(|row| detail(row, "producer")),
            Field::new("egd.exid").answered(|row| detail(row, "exchange")),
            Field::new("egd.stat").answered(|row| detail(row, "production_status")),
            Field::new("egd.csig").answered(|row| detail(row, "configuration_signature")),
        ],
        counts: |line| matches!(line["frame.number"].as_str(), "1" | "5"),
        explained: &[],
        wanted: 1000,
    });
}
