//! Spanning tree: the first configuration of each port and every change.

use crate::harness::{Explained, Field, Table, compare_told, detail};

const EXPLAINED: &[Explained] = &[];

#[test]
fn stp_agrees() {
    compare_told(&Table {
        name: "stp",
        protocols: &["stp"],
        kinds: &[],
        fields: &[
            Field::new("stp.version").asked(|row| detail(row, "version")),
            Field::new("stp.type").asked(|row| detail(row, "type")),
            Field::new("stp.root.prio").asked(|row| detail(row, "root_priority")),
            Field::new("stp.root.hw").asked(|row| detail(row, "root")),
            Field::new("stp.root.cost").asked(|row| detail(row, "cost")),
            Field::new("stp.bridge.prio").asked(|row| detail(row, "bridge_priority")),
            Field::new("stp.bridge.hw").asked(|row| detail(row, "bridge")),
            Field::new("stp.port").asked(|row| detail(row, "port")),
        ],
        counts: |_| true,
        explained: EXPLAINED,
        wanted: 995,
    });
}
