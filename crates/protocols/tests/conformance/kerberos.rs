//! Kerberos.

use crate::harness::{Field, Row, Table, compare, detail, number, well_formed};

/// Parts of the principals under these keys.
fn parts(row: &Row, keys: &[&str]) -> Vec<String> {
    let whole = keys.iter().flat_map(|key| detail(row, key));
    whole.flat_map(|name| name.split('/').map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn all(row: &Row, keys: &[&str]) -> Vec<String> {
    keys.iter().flat_map(|key| detail(row, key)).collect()
}

/// A request for a service's ticket carries an AP-REQ.
fn asked(row: &Row) -> Vec<String> {
    let mut kinds = number(row, "code");
    if !detail(row, "with_ticket").is_empty() {
        kinds.push("14".into());
    }
    kinds
}

#[test]
fn kerberos_agrees() {
    compare(&Table {
        name: "kerberos",
        protocols: &["kerberos"],
        kinds: &[],
        fields: &[
            Field::new("kerberos.msg_type").asked(asked).answered(|row| detail(row, "reply_code")),
            Field::new("kerberos.CNameString")
                .asked(|row| parts(row, &["client"]))
                .answered(|row| parts(row, &["reply_client"])),
            Field::new("kerberos.realm")
                .asked(|row| all(row, &["realm", "with_ticket_realm", "for_user_realm"]))
                .answered(|row| all(row, &["ticket_realm", "reply_realm"])),
            Field::new("kerberos.SNameString")
                .asked(|row| parts(row, &["service", "with_ticket"]))
                .answered(|row| parts(row, &["reply_service", "ticket_service"])),
        ],
        counts: well_formed,
        explained: &[],
        wanted: 995,
    });
}
