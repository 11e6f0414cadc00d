//! Runs the documents under `fixtures/document/<kind>/<case>/` and compares what is read with `expected.json`.
//! With `QUAYWATCH_BLESS=1` in the environment the expectation is written anew: read the difference before keeping it.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use quaywatch_model::{At, DocumentRow, RowSink, SourceId};
use serde_json::{Value, json};

use crate::{DOCUMENTS, Document, DocumentReader, Reading, recognise};

/// Keeps rows as JSON.
#[derive(Default)]
struct Recorder(Vec<Value>);

impl RowSink for Recorder {
    fn row(&mut self, at: At, row: DocumentRow<'_>) {
        assert_eq!((at.source, at.segment.0, at.uid.0), (SourceId(3), 0, 0));
        let ts = if at.ts.0 == 0 { Value::Null } else { Value::from(at.ts.to_string()) };
        self.0.push(json!({ "table": row.table(), "frame": at.frame, "ts": ts, "row": row }));
    }
}

fn read(reader: &dyn DocumentReader, name: &str, bytes: &[u8]) -> Value {
    let mut rows = Recorder::default();
    let input = Document { name, source: SourceId(3), bytes };
    match reader.read(&input, &mut rows) {
        Ok(reading) => {
            assert_accounted(&reading);
            assert_eq!(reading.rows, rows.0.len() as u64);
            let rejections: Vec<Value> =
                reading.rejections.iter().map(|r| json!({ "line": r.line, "reason": r.reason })).collect();
            json!({
                "rows": rows.0,
                "lines": { "all": reading.lines, "taken": reading.taken, "understood": reading.understood,
                           "rejected": reading.rejected },
                "rejections": rejections,
                "notes": reading.notes,
            })
        }
        Err(error) => json!({ "error": error.to_string() }),
    }
}

fn assert_accounted(reading: &Reading) {
    assert_eq!(reading.taken + reading.understood + reading.rejected, reading.lines, "{reading:?}");
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir(parent).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}

/// The document of a case: the one file that is neither the expectation nor the note on its source.
fn document(case: &Path) -> PathBuf {
    let files = fs::read_dir(case).unwrap().map(|entry| entry.unwrap().path());
    let mut files = files.filter(|path| !path.ends_with("expected.json") && !path.ends_with("SOURCE.md"));
    let file = files.next().unwrap_or_else(|| panic!("{} holds no document", case.display()));
    assert_eq!(files.next(), None, "{} holds two documents", case.display());
    file
}

#[test]
fn every_fixture_reads_as_expected() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/document");
    let bless = std::env::var_os("QUAYWATCH_BLESS").is_some();
    let (mut wrong, mut kinds) = (Vec::new(), Vec::new());
    for kind in folders(&root) {
        let kind_name = kind.file_name().unwrap().to_string_lossy().into_owned();
        for case in folders(&kind) {
            let file = document(&case);
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            let bytes = fs::read(&file).unwrap();
            assert!(case.join("SOURCE.md").is_file(), "{} has no SOURCE.md", case.display());
            let reader = recognise(&bytes, &name).unwrap_or_else(|| panic!("{} is not recognised", file.display()));
            assert_eq!(reader.meta().kind, kind_name, "{}", file.display());
            let found = serde_json::to_string_pretty(&read(reader, &name, &bytes)).unwrap() + "\n";
            let expected = case.join("expected.json");
            if bless {
                fs::write(&expected, &found).unwrap();
            } else if fs::read_to_string(&expected).unwrap_or_default() != found {
                wrong.push(format!("{}:\n{found}", case.display()));
            }
        }
        kinds.push(kind_name);
    }
    assert!(wrong.is_empty(), "not as expected:\n{}", wrong.join("\n"));
    let known: Vec<&str> = DOCUMENTS.iter().map(|reader| reader.meta().kind).collect();
    assert_eq!(kinds, known, "a folder of fixtures for every kind");
}

/// Pieces of which odd documents are made.
const PIECES: [&str; 24] = [
    "system",
    "account",
    "password",
    "person",
    "left_on",
    "asset",
    "taken_at",
    "target",
    "scanned_at",
    ",",
    ";",
    "\t",
    "\"",
    "\n",
    "\r\n",
    "\r",
    "2026-11-02",
    "*filter\n",
    ":INPUT DROP [0:0]\n",
    "-A INPUT ",
    "-s 10.0.0.0/8 ",
    "! ",
    "COMMIT\n",
    "é",
];

proptest! {
    #[test]
    fn no_document_makes_a_reader_panic_or_lose_a_line(
        pieces in prop::collection::vec(0usize..PIECES.len(), 0..60),
        noise in prop::collection::vec(any::<u8>(), 0..10),
        at in any::<prop::sample::Index>(),
    ) {
        let mut bytes: Vec<u8> = pieces.iter().flat_map(|piece| PIECES[*piece].bytes()).collect();
        let at = at.index(bytes.len() + 1);
        bytes.splice(at..at, noise);
        for reader in DOCUMENTS {
            read(*reader, "x.csv", &bytes);
        }
        let _ = recognise(&bytes, "x.csv");
    }

    #[test]
    fn every_line_of_a_sheet_is_accounted_for(
        lines in prop::collection::vec(prop::sample::select(vec!["plc-1,2026-11-02", "", ",", "   ", "plc-1", "plc-1,soon", "\"a\nb\",2026-11-02", "a,b,c"]), 0..20),
        end in prop::sample::select(vec!["\n", "\r\n"]),
        finished in any::<bool>(),
    ) {
        let mut text = format!("# list{end}{end}asset,taken_at{end}");
        let mut expected = Vec::new();
        let mut number = 4;
        for line in &lines {
            if line.ends_with("2026-11-02") {
                expected.push(number);
            }
            number += 1 + line.matches('\n').count();
            text.push_str(line);
            text.push_str(end);
        }
        if !finished {
            text.truncate(text.len() - end.len());
        }
        let reader = recognise(text.as_bytes(), "x").unwrap();
        let found = read(reader, "x", text.as_bytes());
        let frames: Vec<usize> = found["rows"].as_array().unwrap().iter().map(|row| row["frame"].as_u64().unwrap() as usize).collect();
        prop_assert_eq!(frames, expected);
    }
}

#[test]
fn a_password_is_nowhere_in_what_is_read() {
    let secret = "Sw0rdf1sh";
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/document/accounts");
    let mut with_secret = 0;
    for case in folders(&cases) {
        let bytes = fs::read(document(&case)).unwrap();
        if String::from_utf8_lossy(&bytes).contains(secret) {
            with_secret += 1;
            let reader = recognise(&bytes, "accounts.csv").unwrap();
            let found = read(reader, "accounts.csv", &bytes).to_string();
            assert!(!found.contains(secret), "{}: {found}", case.display());
        }
    }
    assert_eq!(with_secret, 3);
}
