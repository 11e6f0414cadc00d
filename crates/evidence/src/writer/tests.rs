//! Rows in, files out, read back with Parquet's own reader.

use std::fs::File;
use std::net::Ipv4Addr;

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use quaywatch_model::{Address, Attribute, Endpoint, Identity, MacAddr, Operation, OperationClass, Uid};
use serde_json::json;

use super::*;

mod every_kind;
mod objects;

fn evidence(folder: &Path, rows_per_file: usize) -> Evidence {
    let mut evidence = Evidence::create(folder, "port", Options { rows_per_file, ..Options::default() }).unwrap();
    evidence.set_sources(vec!["a.pcap".into(), "b.pcap".into()]);
    evidence.set_segments(vec!["crane-1".into()]);
    evidence
}

/// All rows of a table as text, a row a line.
fn read(folder: &Path, table: &str) -> Vec<Vec<String>> {
    let store = Store::open(folder).unwrap();
    let mut rows = Vec::new();
    for path in store.files(Table::find(table).unwrap()).unwrap() {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
        for batch in reader {
            let batch: RecordBatch = batch.unwrap();
            let options = FormatOptions::default();
            let columns: Vec<_> =
                batch.columns().iter().map(|c| ArrayFormatter::try_new(c.as_ref(), &options).unwrap()).collect();
            rows.extend((0..batch.num_rows()).map(|row| columns.iter().map(|c| c.value(row).to_string()).collect()));
        }
    }
    rows
}

fn at(frame: u64, source: u32) -> At {
    At { ts: Timestamp(1_000_000_000), source: SourceId(source), segment: SegmentId(0), frame, uid: Uid(7) }
}

fn operation(frame: u64) -> (At, Operation<'static>) {
    let end = |last, port| Endpoint::new(Address::V4(Ipv4Addr::new(10, 0, 0, last)), port);
    let operation = Operation {
        protocol: "modbus",
        client: end(1, 50_000),
        server: end(2, 502),
        unit: Some(1),
        code: 6,
        name: "Write Single Register",
        class: OperationClass::Write,
        object: "holding-register 100",
        quantity: Some(1),
        status: None,
        status_name: "",
        latency: None,
        request_frame: Some(frame),
        reply_frame: None,
        detail: "{\"value\":7}",
    };
    (at(frame, 0), operation)
}

#[test]
fn rows_come_back_in_order_over_several_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut evidence = evidence(folder.path(), 3);
    for frame in 1..=7 {
        let (at, operation) = operation(frame);
        evidence.emit(at, Observation::Operation(operation));
    }
    evidence.flush().unwrap();
    let rows = read(folder.path(), "operations");
    let frames: Vec<&str> = rows.iter().map(|row| row[5].as_str()).collect();
    assert_eq!(frames, ["1", "2", "3", "4", "5", "6", "7"]);
    let first: Vec<&str> = rows[0].iter().map(String::as_str).collect();
    assert_eq!(
        first,
        [
            "1970-01-01T00:00:01Z",
            "port",
            "crane-1",
            "C00000000007",
            "a.pcap",
            "1",
            "modbus",
            "10.0.0.1",
            "50000",
            "10.0.0.2",
            "502",
            "1",
            "6",
            "Write Single Register",
            "write",
            "holding-register 100",
            "1",
            "",
            "",
            "",
            "1",
            "",
            "{\"value\":7}",
        ]
    );
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.files(Table::find("operations").unwrap()).unwrap().len(), 3);
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let write = || {
        let folder = tempfile::tempdir().unwrap();
        let mut evidence = evidence(folder.path(), 100);
        for frame in 0..50 {
            let subject = Address::Mac(MacAddr([2, 0, 0, 0, 0, u8::try_from(frame % 5).unwrap()]));
            let identity = Identity { subject, attribute: Attribute::Vendor, value: "V", method: "test" };
            evidence.emit(at(frame, u32::try_from(frame % 2).unwrap()), Observation::Identity(identity));
        }
        evidence.flush().unwrap();
        fs::read(folder.path().join("evidence/identities/000000.parquet")).unwrap()
    };
    assert_eq!(write(), write());
}

#[test]
fn a_folder_that_cannot_be_written_is_named_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("case");
    fs::write(&file, "in the way").unwrap();
    let told = Evidence::create(&file, "s", Options::default()).err().unwrap().to_string();
    assert!(told.contains("case") && told.contains("-o"), "{told}");
    assert!(matches!(Store::open(folder.path()), Err(EvidenceError::NoStore(_))));
    assert!(matches!(Store::open(&folder.path().join("none")), Err(EvidenceError::Read { .. })));
}

fn identity(value: &'static str) -> Observation<'static> {
    Observation::Identity(Identity { subject: Address::None, attribute: Attribute::Vendor, value, method: "test" })
}

fn column(rows: &[Vec<String>], index: usize) -> Vec<&str> {
    rows.iter().map(|row| row[index].as_str()).collect()
}

const SEGMENT: usize = 2;
const SOURCE: usize = 4;

#[test]
fn inputs_and_segments_may_be_named_while_rows_come() {
    let folder = tempfile::tempdir().unwrap();
    let mut evidence = Evidence::create(folder.path(), "port", Options::default()).unwrap();
    evidence.emit(At::default(), identity("before any name"));
    let first = evidence.add_source("a.pcap");
    let quay = evidence.add_segment("quay");
    evidence.emit(At { source: first, segment: quay, ..At::default() }, identity("one name"));
    let second = evidence.add_source("b.pcap");
    assert_eq!(evidence.add_segment("quay"), quay);
    evidence.emit(At { source: second, segment: quay, ..At::default() }, identity("two names"));
    evidence.set_sources(vec!["c.pcap".into()]);
    evidence.emit(At { source: first, segment: quay, ..At::default() }, identity("renamed"));
    let counts = evidence.finish().unwrap();
    assert_eq!(counts.iter().find(|(table, _)| table.name == "identities").unwrap().1, 4);
    let rows = read(folder.path(), "identities");
    assert_eq!(column(&rows, SOURCE), ["", "a.pcap", "b.pcap", "c.pcap"]);
    assert_eq!(column(&rows, SEGMENT), ["", "quay", "quay", "quay"]);
}

#[test]
fn evidence_is_not_written_over_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let mut old = evidence(folder.path(), 1);
    for frame in 1..=3 {
        old.emit(at(frame, 0), identity("old"));
    }
    old.finish().unwrap();
    let told = Evidence::create(folder.path(), "port", Options::default()).err().unwrap();
    assert!(matches!(told, EvidenceError::Exists(_)) && told.to_string().contains("-o"), "{told}");

    let leftover = folder.path().join("evidence/weird/000000.parquet.tmp");
    fs::create_dir_all(leftover.parent().unwrap()).unwrap();
    fs::write(&leftover, "half").unwrap();
    let mut new = Evidence::create(folder.path(), "port", Options { replace: true, ..Options::default() }).unwrap();
    new.emit(at(1, 0), identity("new"));
    new.finish().unwrap();
    assert_eq!(column(&read(folder.path(), "identities"), 8), ["new"]);
    assert!(!leftover.exists());
}

#[test]
fn a_store_is_gone_on_with_and_its_derived_tables_are_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = evidence(folder.path(), 1);
    for (frame, asset) in [(1, "s/1"), (2, "s/2")] {
        first.emit(at(frame, 0), identity("first"));
        first.push("assets", None, &json!({ "asset": asset })).unwrap();
    }
    first.finish().unwrap();

    let mut second = Evidence::reopen(folder.path(), "port", Options::default()).unwrap();
    second.push("assets", None, &json!({ "asset": "forgotten" })).unwrap();
    second.drop_derived().unwrap();
    second.push("assets", None, &json!({ "asset": "s/3" })).unwrap();
    second.emit(at(3, 0), identity("second"));
    second.finish().unwrap();
    assert_eq!(column(&read(folder.path(), "assets"), 6), ["s/3"]);
    assert_eq!(column(&read(folder.path(), "identities"), 8), ["first", "first", "second"]);
    let tables = Store::open(folder.path()).unwrap().tables().unwrap();
    let tables: Vec<_> = tables.iter().map(|(table, files)| (table.name, files.len())).collect();
    assert_eq!(tables, [("identities", 3), ("assets", 1)]);
    assert!(Evidence::reopen(&folder.path().join("none"), "port", Options::default()).is_err());
}

#[test]
fn long_texts_flush_before_many_rows_do() {
    let folder = tempfile::tempdir().unwrap();
    let mut evidence = evidence(folder.path(), 1_000_000);
    for number in 0..60 {
        let method = format!("{number}{}", "x".repeat(1024 * 1024));
        evidence.push("clocks", None, &json!({ "method": method })).unwrap();
    }
    evidence.finish().unwrap();
    let files = Store::open(folder.path()).unwrap().files(Table::find("clocks").unwrap()).unwrap();
    assert_eq!(files.len(), 2);
}

#[test]
fn a_failure_to_write_stays_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut evidence = evidence(folder.path(), 1);
    fs::write(folder.path().join("evidence/identities"), "in the way").unwrap();
    evidence.emit(at(1, 0), identity("lost"));
    assert!(evidence.failed().is_some());
    assert!(evidence.push("accounts", None, &json!({})).is_err());
    for _ in 0..2 {
        let told = evidence.flush().unwrap_err().to_string();
        assert!(told.contains("identities") && told.contains("-o"), "{told}");
    }
}
