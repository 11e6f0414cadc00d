//! Omron FINS.

use crate::harness::{Field, Row, Table, compare, detail, number, well_formed};

/// A command of FINS; the exchange of node numbers has none.
fn command(row: &Row) -> Vec<String> {
    number(row, "code").into_iter().filter(|code| code.len() > 1).collect()
}

/// The end code of a frame; that of an error of the TCP layer stands in another column.
fn end_code(row: &Row) -> Vec<String> {
    if command(row).is_empty() { Vec::new() } else { number(row, "status") }
}

/// A part of the first of these members of `detail` that is there; all are absent when every part is zero.
fn part(row: &Row, keys: &[&str], place: usize) -> Vec<String> {
    if command(row).is_empty() {
        return Vec::new();
    }
    let node = keys.iter().find_map(|key| detail(row, key).pop()).unwrap_or_else(|| "0.0.0".to_owned());
    node.split('.').nth(place).map(str::to_owned).into_iter().collect()
}

fn service_id(row: &Row) -> Vec<String> {
    if command(row).is_empty() {
        Vec::new()
    } else {
        vec![detail(row, "service_id").pop().unwrap_or_else(|| "0".to_owned())]
    }
}

#[test]
fn omron_fins_agrees() {
    compare(&Table {
        name: "omron-fins",
        protocols: &["omron-fins"],
        kinds: &[],
        fields: &[
            Field::new("omron.command").both(command),
            Field::new("omron.response.code").answered(end_code),
            Field::new("omron.dna")
                .asked(|row| part(row, &["to"], 0))
                .answered(|row| part(row, &["answered_to", "from"], 0)),
            Field::new("omron.da1")
                .asked(|row| part(row, &["to"], 1))
                .answered(|row| part(row, &["answered_to", "from"], 1)),
            Field::new("omron.da2")
                .asked(|row| part(row, &["to"], 2))
                .answered(|row| part(row, &["answered_to", "from"], 2)),
            Field::new("omron.sna")
                .asked(|row| part(row, &["from"], 0))
                .answered(|row| part(row, &["answered_by", "to"], 0)),
            Field::new("omron.sa1")
                .asked(|row| part(row, &["from"], 1))
                .answered(|row| part(row, &["answered_by", "to"], 1)),
            Field::new("omron.sa2")
                .asked(|row| part(row, &["from"], 2))
                .answered(|row| part(row, &["answered_by", "to"], 2)),
            Field::new("omron.sid").both(service_id),
            Field::new("omron.controller.model").answered(|row| detail(row, "model")),
            Field::new("omron.controller.version").answered(|row| detail(row, "version")),
            Field::new("omron.tcp.server_node_address").answered(|row| detail(row, "server_node")),
        ],
        counts: well_formed,
        explained: &[],
        wanted: 995,
    });
}
