//! PROFINET IO context management; alarms, which stand in the same table of tshark's, are compared with the real-time frames.

use serde_json::Value;

use crate::harness::{Explained, Field, Line, Row, Table, compare, detail, number, well_formed};

const WRITE: &str = "3";

fn texts(row: &Row, key: &str) -> Vec<String> {
    let Some(Value::Array(items)) = row.get("detail").and_then(|detail| detail.get(key)) else { return Vec::new() };
    items.iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

/// The index at the end of `slot.subslot 0xindex`.
fn indexes(row: &Row) -> Vec<String> {
    let hex = |record: &String| u32::from_str_radix(record.rsplit("0x").next().unwrap(), 16).unwrap().to_string();
    texts(row, "records").iter().map(hex).collect()
}

/// The submodule of `slot.subslot 0xmodule/0xsubmodule state 0x...`.
fn submodules(row: &Row, key: &str) -> Vec<String> {
    let submodule = |text: &String| {
        let text = text.split(" state").next().unwrap().split_once('/')?.1.trim_start_matches("0x").to_owned();
        Some(u32::from_str_radix(&text, 16).unwrap().to_string())
    };
    texts(row, key).iter().filter_map(submodule).collect()
}

/// A byte of the status of the call and, of a write, of each record.
fn status(row: &Row, shift: u32) -> Vec<String> {
    let Some(own) = row["status"].as_u64() else { return Vec::new() };
    let mut all = vec![own];
    if number(row, "code") == [WRITE] {
        let told = texts(row, "record_status");
        let codes = told.iter().map(|code| u64::from_str_radix(code.trim_start_matches("0x"), 16).unwrap());
        all.extend(codes);
        if told.is_empty() {
            all.extend(texts(row, "records").iter().map(|_| 0));
        }
    }
    all.iter().map(|status| (status >> shift & 0xff).to_string()).collect()
}

/// Calls that were sent or captured again before their answer; the first makes the row.
const REPEATED: &[(&str, &[&str])] = &[
    ("profinet/icsnpp-profinet-io-cm-connect.pcapng", &["73"]),
    ("profinet/icsnpp-profinet-io-cm-control.pcapng", &["110"]),
    ("profinet/icsnpp-profinet-io-cm-mixed-1.pcap", &["2", "6", "10", "14", "485", "522", "583"]),
    ("profinet/icsnpp-profinet-io-cm-release.pcapng", &["5"]),
    ("profinet/icsnpp-profinet-io-cm.pcapng", &["431", "435", "441"]),
];

/// Frames that hold a record with identifications of submodules.
const fn undecoded(file: &'static str) -> Explained {
    let reason = "contents of records other than I&M are not decoded";
    Explained { file, column: "pn_io.submodule_ident_number", reason }
}

fn asked(line: &Line) -> bool {
    let again =
        |(file, frames): &(&str, &[&str])| line["file"] == *file && frames.contains(&line["frame.number"].as_str());
    well_formed(line) && !line["pn_io.opnum"].is_empty() && !REPEATED.iter().any(again)
}

#[test]
fn profinet_io_cm_agrees() {
    compare(&Table {
        name: "profinet-io-cm",
        protocols: &["profinet-io-cm"],
        kinds: &[],
        fields: &[
            Field::new("pn_io.opnum").both(|row| number(row, "code")),
            Field::new("pn_io.cminitiator_station_name")
                .asked(|row| detail(row, "station"))
                .answered(|row| detail(row, "device_name")),
            Field::new("pn_io.index").both(indexes),
            Field::new("pn_io.submodule_ident_number")
                .asked(|row| [submodules(row, "expected"), submodules(row, "different")].concat())
                .answered(|row| submodules(row, "differs")),
            Field::new("pn_io.error_code").answered(|row| status(row, 24)),
            Field::new("pn_io.error_code1").answered(|row| status(row, 8)),
            Field::new("pn_io.error_code2").answered(|row| status(row, 0)),
        ],
        counts: asked,
        explained: &[
            undecoded("profinet/icsnpp-profinet-io-cm-read.pcapng"),
            undecoded("profinet/icsnpp-profinet-io-cm.pcapng"),
            undecoded("profinet/iti-profinet.pcap"),
        ],
        wanted: 995,
    });
}
