//! SMB 1, 2 and 3.

use crate::harness::{Explained, Field, Line, Row, Table, compare, detail, number};

fn is_one(row: &Row) -> bool {
    detail(row, "smb") == ["1"]
}

/// Commands of SMB 1; 255 ends a chain.
fn one(row: &Row, end: &str) -> Vec<String> {
    let mut codes = if is_one(row) { number(row, "code") } else { Vec::new() };
    codes.extend(detail(row, end));
    codes
}

/// A negotiation begun in SMB 1 and answered in SMB 2.
fn crossed(row: &Row) -> bool {
    is_one(row) && !detail(row, "dialect").is_empty()
}

fn two(row: &Row) -> Vec<String> {
    if is_one(row) { Vec::new() } else { number(row, "code") }
}

/// SMB in datagrams and over NetBEUI is read elsewhere or not at all.
fn counts(line: &Line) -> bool {
    !line["tcp.srcport"].is_empty()
}

fn share(row: &Row) -> Vec<String> {
    if row["name"] == "tree-connect" && !is_one(row) {
        crate::harness::text(row, "object")
    } else {
        detail(row, "share")
    }
}

#[test]
fn smb_agrees() {
    compare(&Table {
        name: "smb",
        protocols: &["smb"],
        kinds: &[],
        fields: &[
            Field::new("smb.cmd")
                .asked(|row| one(row, "next_command"))
                .answered(|row| if crossed(row) { Vec::new() } else { one(row, "reply_next_command") }),
            Field::new("smb.dialect.name").asked(|row| detail(row, "dialect_names")),
            Field::new("smb.native_os").asked(|row| detail(row, "native_os")).answered(|row| detail(row, "server_os")),
            Field::new("smb.native_lanman")
                .asked(|row| detail(row, "native_lanman"))
                .answered(|row| detail(row, "server_lanman")),
            Field::new("smb.account").asked(|row| detail(row, "account")),
            Field::new("smb2.cmd").asked(two).answered(|row| if crossed(row) { vec!["0".into()] } else { two(row) }),
            Field::new("smb2.dialect").asked(|row| detail(row, "dialects")).answered(|row| detail(row, "dialect")),
            Field::new("smb2.nt_status")
                .answered(|row| if is_one(row) && !crossed(row) { Vec::new() } else { number(row, "status") }),
            Field::new("smb2.tree").both(share),
            Field::new("smb2.filename").both(|row| {
                if is_one(row) || row["name"] == "tree-connect" {
                    Vec::new()
                } else {
                    crate::harness::text(row, "object")
                }
            }),
        ],
        counts,
        explained: EXPLAINED,
        wanted: 995,
    });
}

const EXPLAINED: &[Explained] = &[
    Explained {
        file: "smb/wireshark-wiki-smb-on-windows-10.pcapng",
        column: "smb.cmd",
        reason: "a transaction like one before is counted, not told again",
    },
    UNFLAGGED,
];

const UNFLAGGED: Explained = Explained {
    file: "ntlm/arkime-ntlm-synthetic.pcap",
    column: "",
    reason: "SMB messages of the server lack the reply flag in this made capture: told as malformed",
};

/// HTTP is compared in its own table.
fn is_not_web(line: &Line) -> bool {
    line["tcp.srcport"] != "80" && line["tcp.dstport"] != "80"
}

/// tshark prints an empty field of an authenticate message as NULL.
fn or_null(row: &Row, key: &str) -> Vec<String> {
    let value = detail(row, key);
    if value.is_empty() && detail(row, "ntlm_message") == ["3"] { vec!["NULL".into()] } else { value }
}

#[test]
fn ntlmssp_agrees() {
    compare(&Table {
        name: "ntlmssp",
        protocols: &["smb", "ldap", "tds", "msrpc"],
        kinds: &[],
        fields: &[
            Field::new("ntlmssp.messagetype")
                .asked(|row| detail(row, "ntlm_message"))
                .answered(|row| detail(row, "ntlm_reply")),
            Field::new("ntlmssp.auth.domain").asked(|row| or_null(row, "ntlm_domain")),
            Field::new("ntlmssp.auth.username").asked(|row| or_null(row, "ntlm_user")),
            Field::new("ntlmssp.auth.hostname").asked(|row| or_null(row, "ntlm_workstation")),
            Field::new("ntlmssp.challenge.target_name").answered(|row| detail(row, "ntlm_target")),
        ],
        counts: is_not_web,
        explained: &[
            Explained { column: "ntlmssp.messagetype", ..UNFLAGGED },
            Explained { column: "ntlmssp.challenge.target_name", ..UNFLAGGED },
        ],
        wanted: 995,
    });
}
