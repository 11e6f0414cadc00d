//! Sampled values: every frame of the one capture begins a stream.

use crate::harness::{Field, Table, compare, detail, well_formed};

#[test]
fn sv_agrees() {
    compare(&Table {
        name: "sv",
        protocols: &["sv"],
        kinds: &[],
        fields: &[
            Field::new("sv.appid").answered(|row| detail(row, "appid")),
            Field::new("sv.smpCnt").answered(|row| detail(row, "sample_counts")),
            Field::new("sv.noASDU").answered(|row| detail(row, "units")),
        ],
        counts: well_formed,
        explained: &[],
        wanted: 995,
    });
}
