//! Niagara Fox. tshark 4.0 has no dissector: held to its table is that every segment is in one operation, once, as request or as reply.

use crate::harness::{Field, Line, Table, compare, number};

#[test]
fn niagara_fox_agrees() {
    compare(&Table {
        name: "raw-niagara-fox",
        protocols: &["niagara-fox"],
        kinds: &[],
        fields: &[Field::new("frame.number")
            .asked(|row| number(row, "request_frame"))
            .answered(|row| number(row, "reply_frame"))],
        counts: |line: &Line| !line["tcp.payload"].is_empty(),
        explained: &[],
        wanted: 995,
    });
}
