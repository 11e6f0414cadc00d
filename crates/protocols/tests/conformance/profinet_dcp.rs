//! PROFINET DCP.

use crate::harness::{Field, Table, compare, detail, number, well_formed};

#[test]
fn profinet_dcp_agrees() {
    compare(&Table {
        name: "profinet-dcp",
        protocols: &["profinet-dcp"],
        kinds: &[],
        fields: &[
            Field::new("pn_dcp.service_id").both(|row| number(row, "code")),
            Field::new("pn_dcp.xid").both(|row| detail(row, "xid")),
            Field::new("pn_dcp.suboption_vendor_id").answered(|row| detail(row, "vendor_id")),
            Field::new("pn_dcp.suboption_device_id").answered(|row| detail(row, "device_id")),
        ],
        counts: well_formed,
        explained: &[],
        wanted: 995,
    });
}
