//! VNC.

use crate::harness::{Field, Table, compare, detail, number, text};

#[test]
fn vnc_agrees() {
    compare(&Table {
        name: "vnc",
        protocols: &["vnc"],
        kinds: &[],
        fields: &[
            // The server speaks first: what it says stands in the first half of an exchange.
            Field::new("vnc.server_proto_ver").asked(|row| detail(row, "server_version")),
            Field::new("vnc.client_proto_ver").answered(|row| detail(row, "client_version")),
            Field::new("vnc.security_type").asked(|row| detail(row, "offered_types_id")),
            Field::new("vnc.client_security_type").answered(|row| detail(row, "chosen_type_id")),
            Field::new("vnc.auth_result")
                .answered(|row| if row["name"] == "authenticate" { number(row, "status") } else { Vec::new() }),
            Field::new("vnc.desktop_name")
                .answered(|row| if row["name"] == "initialise" { text(row, "object") } else { Vec::new() }),
        ],
        counts: |_| true,
        explained: &[],
        wanted: 995,
    });
}
