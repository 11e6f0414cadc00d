//! Remote desktop.

use crate::harness::{Field, Table, compare, detail};

fn cookie(row: &crate::harness::Row) -> Vec<String> {
    detail(row, "cookie").into_iter().map(|cookie| format!("Cookie: {cookie}")).collect()
}

#[test]
fn rdp_agrees() {
    compare(&Table {
        name: "rdp",
        protocols: &["rdp"],
        kinds: &[],
        fields: &[
            Field::new("rdp.rt_cookie").asked(cookie),
            Field::new("rdp.negReq.requestedProtocols").asked(|row| detail(row, "requested_protocols_id")),
            Field::new("rdp.negReq.selectedProtocol").answered(|row| detail(row, "selected_protocol_id")),
            Field::new("rdp.client.name").asked(|row| detail(row, "client_name")),
            // tshark reads the lower half of the version first and calls it the major version.
            Field::new("rdp.version.major")
                .asked(|row| detail(row, "client_version_minor"))
                .answered(|row| detail(row, "server_version_minor")),
            Field::new("rdp.version.minor")
                .asked(|row| detail(row, "client_version_major"))
                .answered(|row| detail(row, "server_version_major")),
        ],
        counts: |_| true,
        explained: &[],
        wanted: 995,
    });
}
