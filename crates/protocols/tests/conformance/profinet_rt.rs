//! PROFINET RT and PTCP. Streams are told at first sight, at changes and at their end, so only these frames are compared.

use crate::harness::{Field, Table, compare_told, detail, number, well_formed};

#[test]
fn profinet_rt_agrees() {
    compare_told(&Table {
        name: "profinet-rt",
        protocols: &["profinet-rt", "profinet-ptcp"],
        kinds: &[],
        fields: &[
            Field::new("pn_rt.frame_id").both(|row| number(row, "code")),
            Field::new("pn_rt.cycle_counter").both(|row| detail(row, "cycle_counter")),
            Field::new("pn_rt.ds").both(|row| detail(row, "data_status")),
            Field::new("pn_rt.transfer_status").both(|row| detail(row, "transfer_status")),
        ],
        counts: well_formed,
        explained: &[],
        wanted: 995,
    });
}
