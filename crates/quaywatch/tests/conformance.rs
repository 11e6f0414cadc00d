//! Decoded operations held against tshark's tables, field by field, over every shared capture.
//!
//! For each frame and field the values that tshark prints are compared as a multiset with ours. Every disagreement is
//! printed; captures in which the two differ for a reason are listed with it in [`EXPLAINED`] and counted apart.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a failed expectation is a failed test, and the figures are its result"
)]

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Least share of values that agree, in per mille.
const WANTED: usize = 990;
/// Disagreements printed per protocol.
const PRINTED: usize = 60;

/// Captures, or the fields of them, in which a difference is right, and why.
const EXPLAINED: &[(&str, &str, &str)] = &[
    (
        "mixed/agentcarter-teb.pcapng",
        "",
        "mirrored twice: tshark repeats the duplicates, TCP reassembly takes each byte once",
    ),
    ("modbus/iti-fuzz-72.pcap", "", "fuzzed: what follows a broken length is framed differently"),
];

type Operation = serde_json::Map<String, Value>;

/// Operations by input and frame: those asked in it and those answered in it.
#[derive(Default)]
struct Frame<'a> {
    asked: Vec<&'a Operation>,
    answered: Vec<&'a Operation>,
}

/// A field: tshark's column, and our value of an operation in the frame that asked or answered it.
struct Field {
    column: &'static str,
    asked: fn(&Operation) -> Vec<String>,
    answered: fn(&Operation) -> Vec<String>,
}

fn shared() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures");
    if folder.join("oracle").is_dir() {
        return Some(folder);
    }
    println!("skipped: the shared captures are not beside this checkout");
    None
}

fn table(captures: &Path, name: &str) -> Vec<BTreeMap<String, String>> {
    let file = std::fs::File::open(captures.join(format!("oracle/{name}.tsv.gz"))).unwrap();
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(file).read_to_end(&mut text).unwrap();
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split('\t').collect();
    let row = |line: &str| header.iter().map(|h| (*h).to_owned()).zip(line.split('\t').map(str::to_owned)).collect();
    lines.map(row).collect()
}

/// Operations of these captures' folders, decoded by the binary.
fn operations(captures: &Path, protocols: &str) -> Vec<Operation> {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let binary = env!("CARGO_BIN_EXE_quaywatch");
    let decoded =
        Command::new(binary).args(["decode", "-q", "-r"]).arg(captures).arg("-o").arg(&store).output().unwrap();
    assert_eq!(decoded.status.code(), Some(3));
    let sql = format!(
        "SELECT source, protocol, unit, code, name, class, object, quantity, status, request_frame, reply_frame, detail \
         FROM operations WHERE protocol IN ({protocols})"
    );
    let answer = Command::new(binary).arg("query").arg(&store).arg(sql).args(["--format", "json"]).output().unwrap();
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    let mut rows: Vec<Operation> = serde_json::from_slice(&answer.stdout).unwrap();
    for row in &mut rows {
        let detail =
            row["detail"].as_str().filter(|text| !text.is_empty()).map(|text| serde_json::from_str(text).unwrap());
        row.insert("detail".to_owned(), detail.unwrap_or_default());
    }
    rows
}

fn by_frame(operations: &[Operation]) -> BTreeMap<(&str, u64), Frame<'_>> {
    let mut frames: BTreeMap<(&str, u64), Frame<'_>> = BTreeMap::new();
    for operation in operations {
        let source = operation["source"].as_str().unwrap();
        if let Some(frame) = operation["request_frame"].as_u64() {
            frames.entry((source, frame)).or_default().asked.push(operation);
        }
        if let Some(frame) = operation["reply_frame"].as_u64() {
            frames.entry((source, frame)).or_default().answered.push(operation);
        }
    }
    frames
}

/// tshark's numbers are decimal or hexadecimal by field; both become decimal, text stays.
fn plain(value: &str) -> String {
    let value = value.trim();
    match value.strip_prefix("0x").and_then(|hex| u64::from_str_radix(hex, 16).ok()) {
        Some(number) => number.to_string(),
        None => value.to_owned(),
    }
}

fn none(_: &Operation) -> Vec<String> {
    Vec::new()
}

fn number(operation: &Operation, key: &str) -> Vec<String> {
    operation[key].as_u64().map(|number| number.to_string()).into_iter().collect()
}

fn detail(operation: &Operation, key: &str) -> Vec<String> {
    match &operation["detail"][key] {
        Value::Number(number) => vec![number.to_string()],
        Value::String(text) => vec![plain(text)],
        _ => Vec::new(),
    }
}

/// Compares a table and prints what differs; the share that agrees must reach [`WANTED`].
fn compare(
    captures: &Path,
    name: &str,
    protocols: &str,
    fields: &[Field],
    counts: fn(&BTreeMap<String, String>) -> bool,
) {
    let operations = operations(captures, protocols);
    let frames = by_frame(&operations);
    let nothing = Frame::default();
    let (mut total, mut agree, mut apart) = (0, 0, 0);
    let mut wrong: Vec<String> = Vec::new();
    for row in table(captures, name).iter().filter(|row| counts(row)) {
        let (file, frame) = (row["file"].as_str(), row["frame.number"].parse::<u64>().unwrap());
        let ours = frames.get(&(file, frame)).unwrap_or(&nothing);
        for field in fields {
            let mut mine: Vec<String> = ours.asked.iter().flat_map(|operation| (field.asked)(operation)).collect();
            mine.extend(ours.answered.iter().flat_map(|operation| (field.answered)(operation)));
            let cell = row.get(field.column).map_or("", String::as_str);
            for value in cell.split(',').filter(|value| !value.is_empty()).map(plain) {
                let found = mine.iter().position(|candidate| *candidate == value);
                if let Some(at) = found {
                    mine.swap_remove(at);
                } else if EXPLAINED
                    .iter()
                    .any(|(f, column, _)| *f == file && (column.is_empty() || *column == field.column))
                {
                    apart += 1;
                    continue;
                } else {
                    wrong.push(format!("{file} frame {frame}: {} {value}, ours {mine:?}", field.column));
                }
                total += 1;
                agree += usize::from(found.is_some());
            }
        }
    }
    for line in wrong.iter().take(PRINTED) {
        println!("{line}");
    }
    let mut by_kind: BTreeMap<(String, String), usize> = BTreeMap::new();
    for line in &wrong {
        let (file, rest) = line.split_once(" frame ").unwrap();
        let column = rest.split(' ').nth(1).unwrap_or_default();
        *by_kind.entry((file.to_owned(), column.to_owned())).or_default() += 1;
    }
    println!("{name}: {by_kind:#?}");
    println!(
        "{name}: {agree} of {total} values agree, {} differ, {apart} differ for a reason named in EXPLAINED",
        wrong.len()
    );
    assert!(total > 0 && agree * 1000 >= total * WANTED, "{name}: {agree} of {total} values agree");
}

/// The first number in a text such as `holding-register 100-109`.
fn first_number(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_ascii_digit()).find(|part| !part.is_empty()).map(str::to_owned).into_iter().collect()
}

fn modbus_code(operation: &Operation) -> Vec<String> {
    if operation["protocol"] == "umas" { vec!["90".to_owned()] } else { number(operation, "code") }
}

#[test]
fn modbus_agrees() {
    let Some(captures) = shared() else { return };
    let fields = [
        Field { column: "modbus.func_code", asked: modbus_code, answered: modbus_code },
        Field { column: "mbtcp.unit_id", asked: |o| number(o, "unit"), answered: |o| number(o, "unit") },
        Field { column: "modbus.exception_code", asked: none, answered: |o| number(o, "status") },
        Field {
            column: "modbus.reference_num",
            asked: |o| first_number(o["object"].as_str().unwrap()),
            answered: |o| first_number(o["object"].as_str().unwrap()),
        },
        Field { column: "modbus.word_cnt", asked: |o| number(o, "quantity"), answered: |o| number(o, "quantity") },
        Field { column: "modbus.bit_cnt", asked: |o| number(o, "quantity"), answered: |o| number(o, "quantity") },
    ];
    compare(&captures, "modbus", "'modbus', 'umas'", &fields, |row| row["_ws.malformed"].is_empty());
}

#[test]
fn s7comm_agrees() {
    let Some(captures) = shared() else { return };
    fn function(operation: &Operation) -> Vec<String> {
        number(operation, "code").into_iter().filter(|code| code.parse::<u64>().unwrap() < 0x100).collect()
    }
    fn userdata(operation: &Operation, shift: u32) -> Vec<String> {
        let code = operation["code"].as_u64().unwrap();
        if code < 0x70000 {
            Vec::new()
        } else {
            vec![(code >> shift & if shift == 8 { 0x0f } else { 0xff }).to_string()]
        }
    }
    let fields = [
        Field { column: "s7comm.param.func", asked: function, answered: function },
        Field { column: "s7comm.header.pduref", asked: |o| detail(o, "pdu_ref"), answered: |o| detail(o, "pdu_ref") },
        Field { column: "s7comm.param.userdata.funcgroup", asked: |o| userdata(o, 8), answered: |o| userdata(o, 8) },
        Field { column: "s7comm.param.userdata.subfunc", asked: |o| userdata(o, 0), answered: |o| userdata(o, 0) },
        Field { column: "s7comm.param.pistart.servicename", asked: |o| detail(o, "service"), answered: none },
    ];
    compare(&captures, "s7comm", "'s7comm'", &fields, |row| row["_ws.malformed"].is_empty());
}

#[test]
fn profinet_dcp_agrees() {
    let Some(captures) = shared() else { return };
    let fields = [
        Field { column: "pn_dcp.service_id", asked: |o| number(o, "code"), answered: |o| number(o, "code") },
        Field { column: "pn_dcp.xid", asked: |o| detail(o, "xid"), answered: |o| detail(o, "xid") },
        Field { column: "pn_dcp.suboption_vendor_id", asked: none, answered: |o| detail(o, "vendor_id") },
        Field { column: "pn_dcp.suboption_device_id", asked: none, answered: |o| detail(o, "device_id") },
    ];
    compare(&captures, "profinet-dcp", "'profinet-dcp'", &fields, |row| row["_ws.malformed"].is_empty());
}

#[test]
fn cip_agrees() {
    let Some(captures) = shared() else { return };
    // tshark also prints the packets around a service: the Multiple Service Packet (0x0a to class 2 instance 1) that it is
    // a part of, and the Unconnected Send (0x52 to class 6 instance 1) that carries a request.
    fn first_part(operation: &Operation) -> bool {
        operation["detail"]["service"] == 1
    }
    fn around(operation: &Operation, part: &str, routed: &str, asked: bool) -> Vec<String> {
        let carried = asked
            && operation["detail"]["routed"] == true
            && (first_part(operation) || operation["detail"]["service"].is_null());
        let around = [first_part(operation).then_some(part), carried.then_some(routed)];
        around.into_iter().flatten().map(str::to_owned).collect()
    }
    fn service(operation: &Operation, asked: bool) -> Vec<String> {
        if operation["protocol"] == "cip" {
            [number(operation, "code"), around(operation, "10", "82", asked)].concat()
        } else {
            Vec::new()
        }
    }
    fn status(operation: &Operation) -> Vec<String> {
        if operation["protocol"] == "cip" {
            [number(operation, "status"), around(operation, "0", "", false)].concat()
        } else {
            Vec::new()
        }
    }
    fn attributes(operation: &Operation) -> Vec<String> {
        let list = operation["detail"]["attributes"].as_array().cloned().unwrap_or_default();
        // tshark takes the value of Get Attributes All apart and prints each attribute in it.
        let all = operation["code"] == 1 && operation["class"] == "identify";
        let within: Vec<String> = if all { (1..=7).map(|n: u8| n.to_string()).collect() } else { Vec::new() };
        [within, detail(operation, "attribute"), list.iter().map(|a| a.as_str().unwrap().to_owned()).collect()].concat()
    }
    fn path(operation: &Operation, key: &str, part: &str, routed: &str, asked: bool) -> Vec<String> {
        // tshark repeats in each message what its connection was opened to; in these captures that is the message router.
        let connected = operation["detail"]["connection"].is_number()
            && (operation["detail"]["service"].is_null() || first_part(operation));
        let router = connected.then(|| part.to_owned());
        let connection = detail(operation, &format!("connection_{key}")).into_iter().chain(router).collect();
        [detail(operation, key), connection, around(operation, part, routed, asked)].concat()
    }
    fn sessions(operation: &Operation) -> Vec<String> {
        let one = operation["detail"]["service"].is_null() || first_part(operation);
        if one { detail(operation, "session") } else { Vec::new() }
    }
    let fields = [
        Field { column: "cip.sc", asked: |o| service(o, true), answered: |o| service(o, false) },
        Field { column: "cip.genstat", asked: none, answered: status },
        Field {
            column: "cip.class",
            asked: |o| path(o, "class", "2", "6", true),
            answered: |o| path(o, "class", "2", "6", true),
        },
        Field {
            column: "cip.instance",
            asked: |o| path(o, "instance", "1", "1", true),
            answered: |o| path(o, "instance", "1", "1", true),
        },
        Field { column: "cip.attribute", asked: attributes, answered: attributes },
        Field { column: "enip.session", asked: sessions, answered: sessions },
    ];
    // Implicit I/O has no explicit message.
    compare(&captures, "enip-cip", "'cip', 'enip'", &fields, |row| {
        row["_ws.malformed"].is_empty() && !row["cip.sc"].is_empty()
    });
}
