//! DNP3.

use quaywatch_protocols::dnp3::names;

use crate::harness::{Explained, Field, Line, Row, Table, compare, detail, number, well_formed};

fn function(row: &Row) -> Vec<String> {
    number(row, "code").into_iter().filter(|code| code.parse::<u64>().unwrap() < 0x100).collect()
}

fn replied(row: &Row) -> Vec<String> {
    let own = detail(row, "reply_function");
    match function(row).first() {
        None => Vec::new(),
        Some(_) if !own.is_empty() => own,
        Some(_) => vec!["129".to_owned()],
    }
}

fn link(row: &Row) -> Vec<String> {
    let code = row["code"].as_u64().unwrap();
    if code < 0x100 { Vec::new() } else { vec![(code & 0xff).to_string()] }
}

fn link_answer(row: &Row) -> Vec<String> {
    if link(row).is_empty() { Vec::new() } else { number(row, "status") }
}

/// Texts of the headers in one direction.
fn headers(row: &Row, answered: bool) -> Vec<String> {
    let own: Vec<String> = row["object"].as_str().unwrap().split("; ").map(str::to_owned).collect();
    match (answered, row["request_frame"].is_null()) {
        (false, _) | (true, true) => own,
        (true, false) => detail(row, "reply_objects"),
    }
}

/// Group and variation as one number.
fn objects(row: &Row, answered: bool) -> Vec<String> {
    let kind = |text: &String| {
        let word = text.split(' ').find(|word| word.starts_with('g') && word.contains('v') && !word.contains('-'))?;
        let (group, variation) = word[1..].split_once('v')?;
        Some((group.parse::<u32>().ok()? << 8 | variation.parse::<u32>().ok()?).to_string())
    };
    headers(row, answered).iter().filter_map(kind).collect()
}

fn span(row: &Row, answered: bool, last: bool) -> Vec<String> {
    let mut values = Vec::new();
    for text in headers(row, answered) {
        let Some(range) = text.split(' ').nth(2).filter(|range| !range.contains(',')) else { continue };
        match range.split_once('-') {
            Some((start, stop)) => values.push(if last { stop } else { start }.to_owned()),
            None => values.push(range.to_owned()),
        }
    }
    values
}

fn statuses(row: &Row) -> Vec<String> {
    let code = |text: String| {
        let name = text.split(": ").nth(1)?.to_owned();
        (0..=127u8).find(|code| names::control_status(*code) == name).map(|code| code.to_string())
    };
    detail(row, "results").into_iter().filter_map(code).collect()
}

/// Confirmations are no operations of their own; segments are told with the fragment that they make.
fn counts(line: &Line) -> bool {
    let functions = line["dnp3.al.func"].as_str();
    well_formed(line) && functions != "0" && (!functions.is_empty() || line["dnp3.tr.fir"].is_empty())
}

#[test]
fn dnp3_agrees() {
    compare(&Table {
        name: "dnp3",
        protocols: &["dnp3"],
        kinds: &[],
        fields: &[
            Field::new("dnp3.al.func").asked(function).answered(replied),
            Field::new("dnp3.al.seq").both(|row| detail(row, "sequence")),
            Field::new("dnp3.al.iin").answered(|row| detail(row, "iin")),
            Field::new("dnp3.al.obj").asked(|row| objects(row, false)).answered(|row| objects(row, true)),
            Field::new("dnp3.al.range.start")
                .asked(|row| span(row, false, false))
                .answered(|row| span(row, true, false)),
            Field::new("dnp3.al.range.stop").asked(|row| span(row, false, true)).answered(|row| span(row, true, true)),
            Field::new("dnp3.al.ctrlstatus")
                .asked(|row| vec!["0".to_owned(); detail(row, "controls").len()])
                .answered(statuses),
            Field::new("dnp3.dst").asked(|row| number(row, "unit")).answered(|row| detail(row, "master")),
            Field::new("dnp3.src").asked(|row| detail(row, "master")).answered(|row| number(row, "unit")),
            Field::new("dnp3.ctl.secfunc").answered(link_answer),
        ],
        counts,
        explained: EXPLAINED,
        wanted: 995,
    });
}

const ACKNOWLEDGED: &str = "acknowledgements of confirmed user data are no operations of their own";
const BACKWARDS: &str =
    "a range whose stop lies before its start is malformed; tshark reads on and takes what follows for objects";

const fn explained(file: &'static str, column: &'static str, reason: &'static str) -> Explained {
    Explained { file, column, reason }
}

const EXPLAINED: &[Explained] = &[
    explained("dnp3/iti-opendnp3-6-1-2.pcap", "dnp3.ctl.secfunc", ACKNOWLEDGED),
    explained("dnp3/iti-opendnp3-6-1-2.pcap", "dnp3.dst", ACKNOWLEDGED),
    explained("dnp3/iti-opendnp3-6-1-2.pcap", "dnp3.src", ACKNOWLEDGED),
    explained("dnp3/iti-dnp3-malformed.pcap", "dnp3.al.obj", BACKWARDS),
    explained("dnp3/iti-dnp3-malformed.pcap", "dnp3.al.range.start", BACKWARDS),
    explained("dnp3/iti-dnp3-malformed.pcap", "dnp3.al.range.stop", BACKWARDS),
];
