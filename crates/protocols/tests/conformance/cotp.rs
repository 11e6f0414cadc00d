//! COTP: connects and their confirmations, whatever the connection carries then.

use crate::harness::{Explained, Field, Line, Row, Table, compare, detail};

const MIRRORED: Explained = Explained {
    file: "mixed/agentcarter-teb.pcapng",
    column: "",
    reason: "mirrored twice: tshark repeats the duplicates, TCP reassembly takes each byte once",
};

fn connect(row: &Row, key: &str) -> Vec<String> {
    if row["name"] == "connect" { detail(row, key) } else { Vec::new() }
}

/// A connect that leads to remote desktop is told as a session of that, not as an operation.
fn is_of(line: &Line, kind: &str) -> bool {
    line["cotp.type"].split(',').all(|one| one == kind) && !line["file"].starts_with("rdp/")
}

#[test]
fn cotp_requests_agree() {
    compare(&Table {
        name: "cotp",
        protocols: &["cotp"],
        kinds: &[],
        fields: &[
            Field::new("cotp.srcref").asked(|row| connect(row, "source_ref")),
            Field::new("cotp.destref").asked(|row| connect(row, "destination_ref")),
            Field::new("cotp.class").asked(|row| connect(row, "class")),
            Field::new("cotp.tpdu_size").asked(|row| connect(row, "tpdu_size")),
            Field::new("cotp.src-tsap").asked(|row| connect(row, "calling_tsap")),
            Field::new("cotp.dst-tsap").asked(|row| connect(row, "called_tsap")),
        ],
        counts: |line| is_of(line, "0x0e"),
        explained: &[MIRRORED],
        wanted: 995,
    });
}

#[test]
fn cotp_confirmations_agree() {
    compare(&Table {
        name: "cotp",
        protocols: &["cotp"],
        kinds: &[],
        fields: &[
            Field::new("cotp.srcref").answered(|row| connect(row, "server_ref")),
            Field::new("cotp.class").answered(|row| connect(row, "confirmed_class")),
            Field::new("cotp.tpdu_size").answered(|row| connect(row, "confirmed_tpdu_size")),
        ],
        counts: |line| is_of(line, "0x0d"),
        explained: &[MIRRORED],
        wanted: 995,
    });
}
