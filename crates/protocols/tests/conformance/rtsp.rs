//! RTSP: one operation a request, with its answer.

use crate::harness::{Field, Table, compare, number, text};

#[test]
fn rtsp_agrees() {
    compare(&Table {
        name: "rtsp",
        protocols: &["rtsp"],
        kinds: &["operation"],
        fields: &[
            Field::new("rtsp.method").asked(|row| text(row, "name")),
            Field::new("rtsp.url").asked(|row| text(row, "object")),
            Field::new("rtsp.status").answered(|row| number(row, "status")),
        ],
        counts: |_| true,
        explained: &[],
        wanted: 995,
    });
}
