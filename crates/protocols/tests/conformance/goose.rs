//! GOOSE: frames that change the state or are a capture's first; repetitions are counted, not told.

use crate::harness::{Field, Table, compare, detail, text};

#[test]
fn goose_agrees() {
    compare(&Table {
        name: "goose",
        protocols: &["goose"],
        kinds: &[],
        fields: &[
            Field::new("goose.appid").answered(|row| detail(row, "appid")),
            Field::new("goose.gocbRef").answered(|row| text(row, "object")),
            Field::new("goose.datSet").answered(|row| detail(row, "data_set")),
            Field::new("goose.goID").answered(|row| detail(row, "go_id")),
            Field::new("goose.timeAllowedtoLive").answered(|row| detail(row, "time_allowed_to_live")),
            Field::new("goose.stNum").answered(|row| detail(row, "state_number")),
            Field::new("goose.sqNum").answered(|row| detail(row, "sequence_number")),
            Field::new("goose.confRev").answered(|row| detail(row, "configuration_revision")),
            Field::new("goose.numDatSetEntries").answered(|row| detail(row, "entries")),
        ],
        counts: |line| line["goose.sqNum"] == "0" || line["frame.number"] == "1",
        explained: &[],
        wanted: 995,
    });
}
