//! Beckhoff ADS.

use crate::harness::{Field, Line, Table, compare, detail, number, well_formed};

/// Notifications are cyclic: the first of a flow is told, so their frames are not compared.
fn counts(line: &Line) -> bool {
    well_formed(line) && !line["ams.cmdid"].split(',').any(|command| command == "8")
}

#[test]
fn beckhoff_ads_agrees() {
    compare(&Table {
        name: "beckhoff-ads",
        protocols: &["ads"],
        kinds: &[],
        fields: &[
            Field::new("ams.cmdid").both(|row| number(row, "code")),
            Field::new("ams.invokeid").both(|row| detail(row, "invoke_id")),
            Field::new("ams.ads_indexgroup").asked(|row| detail(row, "index_group")),
            Field::new("ams.ads_indexoffset").asked(|row| detail(row, "index_offset")),
            Field::new("ams.ads_cbwritelength").asked(|row| detail(row, "write_length")),
            Field::new("ams.adsresult").answered(|row| number(row, "status")),
            Field::new("ams.ads_state")
                .asked(|row| detail(row, "wanted_state"))
                .answered(|row| detail(row, "ads_state")),
        ],
        counts,
        explained: &[],
        wanted: 995,
    });
}
