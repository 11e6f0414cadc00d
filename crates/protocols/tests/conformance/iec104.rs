//! IEC 60870-5-104.

use quaywatch_protocols::iec104::{UNNUMBERED_CODE, names};

use crate::harness::{Field, Line, Row, Table, compare, detail, number, well_formed};

fn code(row: &Row) -> Option<u64> {
    row["code"].as_u64().filter(|code| *code < u64::from(UNNUMBERED_CODE))
}

fn kind(row: &Row) -> Vec<String> {
    code(row).map(|code| code.to_string()).into_iter().collect()
}

fn cause(row: &Row, key: &str) -> Vec<String> {
    let told = detail(row, key);
    // What is told alone by the controlled station has its cause as its own.
    let told = if told.is_empty() && key == "reply_cause" { detail(row, "cause") } else { told };
    let code = |name: String| (1..64u8).find(|code| names::cause(*code) == name).map(|code| code.to_string());
    told.into_iter().filter_map(code).collect()
}

fn addresses(row: &Row) -> Vec<String> {
    let object = row["object"].as_str().unwrap().trim_start_matches("ioa ");
    match object.split_once('-') {
        Some((low, high)) => (low.parse::<u32>().unwrap()..=high.parse().unwrap()).map(|at| at.to_string()).collect(),
        None => object.split(", ").map(str::to_owned).collect(),
    }
}

/// Types that a line has.
fn types(line: &Line) -> impl Iterator<Item = u32> + '_ {
    line["iec60870_asdu.typeid"].split(',').filter_map(|code| code.parse().ok())
}

/// Process data is told once a kind: lines of commands, parameters, files and restarts are compared.
fn counts(line: &Line) -> bool {
    well_formed(line) && types(line).next().is_some() && types(line).all(|code| code >= 45)
}

#[test]
fn iec104_agrees() {
    compare(&Table {
        name: "iec104",
        protocols: &["iec104"],
        kinds: &[],
        fields: &[
            Field::new("iec60870_asdu.typeid").both(kind),
            Field::new("iec60870_asdu.causetx")
                .asked(|row| cause(row, "cause"))
                .answered(|row| cause(row, "reply_cause")),
            Field::new("iec60870_asdu.addr").both(|row| number(row, "unit")),
            Field::new("iec60870_asdu.numix").both(|row| number(row, "quantity")),
            Field::new("iec60870_asdu.ioa").both(addresses),
            Field::new("iec60870_asdu.nega").asked(|_| vec!["0".to_owned()]).answered(|row| {
                if row["request_frame"].is_null() && detail(row, "negative").is_empty() {
                    vec!["0".to_owned()]
                } else {
                    detail(row, "negative")
                }
            }),
            Field::new("iec60870_asdu.oa").both(|row| {
                let told = detail(row, "originator");
                if told.is_empty() { vec!["0".to_owned()] } else { told }
            }),
        ],
        counts,
        explained: &[],
        wanted: 995,
    });
}
