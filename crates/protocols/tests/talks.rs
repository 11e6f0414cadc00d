//! What the analyzers say of the lab's talks, held against what their clients and servers said they said.
//!
//! `lab/talks/captures/NAME.json` lists rows in the order in which they were said; each has to be found in the capture
//! beside it, in that order for its kind, and no deviation may be told that the talk did not mean.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a failed expectation is a failed test, and the figures are its result"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use quaywatch_model::{At, Observation, SegmentId, Sink};
use quaywatch_protocols::PROTOCOLS;
use quaywatch_protocols::engine::{Engine, Options};
use quaywatch_wire::capture::{self, Merged};
use serde::Deserialize;
use serde_json::Value;

type Row = serde_json::Map<String, Value>;

#[derive(Deserialize)]
struct Talk {
    stack: String,
    weird: BTreeSet<String>,
    rows: Vec<Row>,
}

/// Keeps every row, with its kind.
#[derive(Default)]
struct Keep(Vec<Row>);

impl Sink for Keep {
    fn emit(&mut self, _: At, observation: Observation<'_>) {
        let Value::Object(outer) = serde_json::to_value(observation).unwrap() else { return };
        let Some((kind, Value::Object(mut row))) = outer.into_iter().next() else { return };
        if let Some(detail) = row.get("detail").and_then(Value::as_str)
            && let Ok(parsed) = serde_json::from_str(detail)
        {
            row.insert("detail".to_owned(), parsed);
        }
        row.insert("kind".to_owned(), Value::String(kind));
        self.0.push(row);
    }
}

fn decode(file: &Path) -> Vec<Row> {
    let inputs = capture::expand(&[file.to_owned()]);
    let mut merged = Merged::open(&inputs.list, capture::Options::default());
    let mut engine = Engine::new(PROTOCOLS, Options::default());
    let mut keep = Keep::default();
    while let Some(packet) = merged.next() {
        engine.packet(&packet, SegmentId(0), &mut keep);
    }
    engine.finish(&mut keep);
    keep.0
}

/// The member of a row; `detail.x` is looked for inside the detail.
fn member<'r>(row: &'r Row, name: &str) -> Option<&'r Value> {
    match name.split_once('.') {
        Some((outer, inner)) => row.get(outer)?.get(inner),
        None => row.get(name),
    }
}

fn fits(row: &Row, wanted: &Row) -> bool {
    wanted.iter().all(|(name, value)| member(row, name) == Some(value))
}

/// Looks for each wanted row after the last one found of its kind.
fn missing(talk: &Talk, rows: &[Row]) -> Vec<String> {
    let mut from: BTreeMap<&str, usize> = BTreeMap::new();
    let mut missing = Vec::new();
    for wanted in &talk.rows {
        let start = from.entry(wanted["kind"].as_str().unwrap()).or_default();
        match rows[*start..].iter().position(|row| fits(row, wanted)) {
            Some(ahead) => *start += ahead + 1,
            None => missing.push(Value::Object(wanted.clone()).to_string()),
        }
    }
    missing
}

fn unmeant(talk: &Talk, rows: &[Row]) -> Vec<String> {
    let name = |row: &Row| row.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    rows.iter()
        .filter(|row| row["kind"] == "weird" && !talk.weird.contains(&name(row)))
        .map(|row| Value::Object(row.clone()).to_string())
        .collect()
}

/// What is wrong with one talk, as text.
fn judge(capture: &Path) -> String {
    let said = std::fs::read_to_string(capture.with_extension("json")).unwrap();
    let talk: Talk = serde_json::from_str(&said).unwrap();
    let rows = decode(capture);
    let (missing, unmeant) = (missing(&talk, &rows), unmeant(&talk, &rows));
    let name = capture.file_stem().unwrap().to_string_lossy();
    println!("talk {name:<14} {:>4} rows said, {:>4} missing   {}", talk.rows.len(), missing.len(), talk.stack);
    let mut wrong = String::new();
    if talk.rows.is_empty() {
        writeln!(wrong, "{name}: says nothing").unwrap();
    }
    for row in missing {
        writeln!(wrong, "{name}: not told: {row}").unwrap();
    }
    for row in unmeant {
        writeln!(wrong, "{name}: told a deviation that was not meant: {row}").unwrap();
    }
    if !wrong.is_empty() && std::env::var_os("TALKS_TOLD").is_some() {
        for row in &rows {
            println!("  {}", Value::Object(row.clone()));
        }
    }
    wrong
}

/// Everything that the lab's stacks said to each other is told. `TALKS_TOLD=1` prints what was told where it is not.
#[test]
fn talks_are_told_as_they_were_said() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lab/talks/captures");
    let mut captures: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "pcapng"))
        .collect();
    captures.sort();
    assert!(!captures.is_empty(), "{} holds no capture", folder.display());
    let wrong: String = captures.iter().map(|capture| judge(capture)).collect();
    assert!(wrong.is_empty(), "\n{wrong}");
}
