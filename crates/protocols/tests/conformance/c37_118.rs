//! IEEE C37.118: commands and configurations field by field; data frames by their number in each capture.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::harness::{Field, Line, Table, compare, decode, detail, number, read, shared};

/// Data frames that tshark reads from segments that are not in the byte stream: capture, how many, why.
const NOT_IN_THE_STREAM: &[(&str, u64, &str)] = &[(
    "c37-118/icsnpp-c37-pmu-clean.pcap",
    1,
    "frame 13 lies one byte beyond the stream's end, and frame 15 then fills the same bytes otherwise",
)];

/// Frames that are not data: those are counted, not told one by one.
fn no_data(line: &Line) -> bool {
    !line["synphasor.frtype"].split(',').any(|kind| kind == "0x0000")
}

fn is_command(row: &crate::harness::Row) -> bool {
    row["class"] != "cyclic"
}

fn table() -> Table<'static> {
    const FIELDS: &[Field] = &[
        Field::new("synphasor.command").asked(|row| if is_command(row) { number(row, "code") } else { Vec::new() }),
        Field::new("synphasor.idcode_stream_source")
            .both(|row| if is_command(row) { number(row, "unit") } else { Vec::new() }),
        Field::new("synphasor.version").both(|row| if is_command(row) { detail(row, "version") } else { Vec::new() }),
        Field::new("synphasor.conf.numpmu").answered(|row| detail_of_command(row, "units")),
        Field::new("synphasor.idcode_data_source").answered(|row| detail_of_command(row, "unit_ids")),
    ];
    Table {
        name: "c37-118",
        protocols: &["c37-118"],
        kinds: &[],
        fields: FIELDS,
        counts: no_data,
        explained: &[],
        wanted: 995,
    }
}

fn detail_of_command(row: &crate::harness::Row, key: &str) -> Vec<String> {
    if is_command(row) { detail(row, key) } else { Vec::new() }
}

#[test]
fn commands_and_configurations_agree() {
    compare(&table());
}

#[test]
fn every_data_frame_is_counted() {
    let Some(captures) = shared() else { return };
    let mut wanted: BTreeMap<String, u64> = BTreeMap::new();
    for line in read(&captures, "c37-118") {
        let data = line["synphasor.frtype"].split(',').filter(|kind| *kind == "0x0000").count();
        *wanted.entry(line["file"].clone()).or_default() += u64::try_from(data).unwrap();
    }
    let (mut all, mut told) = (0, 0);
    for (file, wanted) in wanted {
        let rows = decode(&captures, &file, &table());
        let streams = rows.iter().filter(|(_, row)| row["class"] == "cyclic");
        told += streams.clone().count();
        // The last row of a stream has its count: a row at the end, or the only one.
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for (_, row) in streams {
            let key = format!("{} {} {} {}", row["client"], row["server"], row["unit"], row["request_frame"]);
            let count = row.get("quantity").and_then(Value::as_u64).unwrap_or(0);
            let most = counts.entry(key).or_default();
            *most = count.max(*most);
        }
        let counted: u64 = counts.values().sum();
        println!("{file}: {counted} data frames counted, {wanted} in the table");
        let apart =
            NOT_IN_THE_STREAM.iter().filter(|(name, _, _)| *name == file).map(|(_, frames, _)| frames).sum::<u64>();
        assert_eq!(counted + apart, wanted, "{file}");
        all += counted;
    }
    println!("c37-118: {all} data frames in {told} rows");
    assert!(told < 200, "streams are not told frame by frame");
}
