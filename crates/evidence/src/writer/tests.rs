//! Rows in, files out, read back with Parquet's own reader.

use std::fs::File;
use std::net::Ipv4Addr;

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use quaywatch_model::{Address, Attribute, Identity, MacAddr, Operation, OperationClass, SegmentId, Uid};
use serde_json::json;

use super::*;
use crate::Store;

fn evidence(folder: &Path, rows_per_file: usize) -> Evidence {
    let mut evidence = Evidence::create(folder, "port", Options { rows_per_file }).unwrap();
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
fn tables_stand_where_the_sink_looks_for_them() {
    for (index, name) in [
        (at::CONNECTIONS, "connections"),
        (at::OPERATIONS, "operations"),
        (at::IDENTITIES, "identities"),
        (at::NAMES, "names"),
        (at::SERVICES, "services"),
        (at::SESSIONS, "sessions"),
        (at::CREDENTIALS, "credentials"),
        (at::REQUESTS, "requests"),
        (at::PROGRAMS, "programs"),
        (at::POSITIONS, "positions"),
        (at::CLOCKS, "clocks"),
        (at::WEIRD, "weird"),
        (at::COVERAGE, "coverage"),
    ] {
        assert_eq!(TABLES[index].name, name);
    }
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
fn objects_fill_columns_by_name_and_misfits_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut evidence = evidence(folder.path(), 100);
    let account = json!({ "account": "admin", "enabled": true, "last_login": "2026-11-02T08:00:00Z" });
    evidence.push("accounts", Some(at(3, 1)), &account).unwrap();
    let told = |evidence: &mut Evidence, row: Value| evidence.push("accounts", None, &row).unwrap_err().to_string();
    assert!(told(&mut evidence, json!({ "acount": "x" })).contains("no column acount"));
    assert!(told(&mut evidence, json!({ "enabled": "yes" })).contains("column enabled cannot hold"));
    assert!(evidence.push("nothing", None, &json!({})).is_err());
    evidence.flush().unwrap();
    let rows = read(folder.path(), "accounts");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0][2..8], ["", "C00000000007", "b.pcap", "3", "", "admin"]);
    assert_eq!(rows[0].last().unwrap(), "2026-11-02T08:00:00Z");
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
