//! LDAP.

use crate::harness::{Explained, Field, Row, Table, compare, detail, number, text, well_formed};

/// The response's own number: one more, but for a search's end and an extended result.
fn response(row: &Row) -> Vec<String> {
    let code = row["code"].as_u64().unwrap();
    vec![if code == 3 { 5 } else { code + 1 }.to_string()]
}

fn only(row: &Row, code: u64, values: Vec<String>) -> Vec<String> {
    if row["code"] == code { values } else { Vec::new() }
}

/// The table separates values by commas, and so cuts names into their parts.
fn values(row: &Row) -> Vec<String> {
    text(row, "object").iter().flat_map(|name| name.split(',').map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Binds with a security token have the account as their object.
fn bound(row: &Row) -> Vec<String> {
    if detail(row, "ntlm_user").is_empty() { only(row, 0, values(row)) } else { Vec::new() }
}

#[test]
fn ldap_agrees() {
    compare(&Table {
        name: "ldap",
        protocols: &["ldap"],
        kinds: &[],
        fields: &[
            Field::new("ldap.messageID").both(|row| detail(row, "message_id")),
            Field::new("ldap.protocolOp").asked(|row| number(row, "code")).answered(response),
            Field::new("ldap.name").asked(bound),
            Field::new("ldap.authentication").asked(|row| detail(row, "authentication")),
            Field::new("ldap.baseObject").asked(|row| only(row, 3, values(row))),
            Field::new("ldap.resultCode").answered(|row| number(row, "status")),
        ],
        counts: well_formed,
        explained: &[
            Explained {
                file: "ntlm/wireshark-wiki-ntlm-ldap.pcapng",
                column: "ldap.messageID",
                reason: "entries found by a search are counted, not told one by one",
            },
            Explained {
                file: "ntlm/wireshark-wiki-ntlm-ldap.pcapng",
                column: "ldap.protocolOp",
                reason: "entries found by a search are counted, not told one by one",
            },
        ],
        wanted: 995,
    });
}
