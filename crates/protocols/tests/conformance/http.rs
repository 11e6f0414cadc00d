//! HTTP/1: one row a request, told when its reply came.

use crate::harness::{Field, Table, compare, text, well_formed};

#[test]
fn http_agrees() {
    compare(&Table {
        name: "http",
        protocols: &["http"],
        kinds: &["request"],
        fields: &[
            Field::new("http.request.method").told(|row| text(row, "method")),
            Field::new("http.host").told(|row| text(row, "host")),
        ],
        // Over UDP it is SSDP.
        counts: |line| well_formed(line) && !line["http.request.method"].is_empty() && line["udp.srcport"].is_empty(),
        explained: &[],
        wanted: 995,
    });
}
