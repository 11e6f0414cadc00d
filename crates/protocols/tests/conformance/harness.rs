//! Decodes the captures that a table of tshark names, and compares the two.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use quaywatch_model::{At, Observation, SegmentId, Sink};
use quaywatch_protocols::PROTOCOLS;
use quaywatch_protocols::engine::{Engine, Options};
use quaywatch_wire::capture::{self, Merged};
use serde_json::Value;

/// Disagreements printed per table.
const PRINTED: usize = 60;

/// An observation: its members by name, `detail` taken apart, `kind` added (`operation`, `identity`, ...).
pub type Row = serde_json::Map<String, Value>;
/// Values that a row has for a column of tshark's.
pub type Values = fn(&Row) -> Vec<String>;
/// A line of tshark's table by column.
pub type Line = BTreeMap<String, String>;

/// A column of tshark's table, and where its values are found in our rows.
#[derive(Clone, Copy)]
pub struct Field {
    column: &'static str,
    asked: Values,
    answered: Values,
    told: Values,
}

impl Field {
    /// A column, with no value of ours yet.
    pub const fn new(column: &'static str) -> Self {
        Field { column, asked: none, answered: none, told: none }
    }

    /// Values of operations, in the frame of the request.
    pub const fn asked(self, values: Values) -> Self {
        Field { asked: values, ..self }
    }

    /// Values of operations, in the frame of the reply.
    pub const fn answered(self, values: Values) -> Self {
        Field { answered: values, ..self }
    }

    /// Values of operations, in both frames.
    pub const fn both(self, values: Values) -> Self {
        Field { asked: values, answered: values, ..self }
    }

    /// Values of rows of other kinds, in the frame they were told from.
    pub const fn told(self, values: Values) -> Self {
        Field { told: values, ..self }
    }
}

/// A difference that is right.
pub struct Explained {
    /// Capture, as in the table.
    pub file: &'static str,
    /// Column; empty for all.
    pub column: &'static str,
    /// Why the two differ; printed.
    pub reason: &'static str,
}

/// What is compared.
pub struct Table<'t> {
    /// Name of the table in `oracle/`.
    pub name: &'static str,
    /// Our protocols, by the rows' member `protocol`; rows of a kind without that member count always.
    pub protocols: &'t [&'t str],
    /// Kinds of rows besides operations.
    pub kinds: &'t [&'t str],
    /// The columns.
    pub fields: &'t [Field],
    /// Whether a line of the table counts.
    pub counts: fn(&Line) -> bool,
    /// Differences that are right.
    pub explained: &'t [Explained],
    /// Least share of values that agree, per mille.
    pub wanted: usize,
}

fn none(_: &Row) -> Vec<String> {
    Vec::new()
}

/// What a number member says, decimal.
pub fn number(row: &Row, key: &str) -> Vec<String> {
    row.get(key).and_then(Value::as_u64).map(|number| number.to_string()).into_iter().collect()
}

/// What a text member says; nothing if it is empty.
pub fn text(row: &Row, key: &str) -> Vec<String> {
    row.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned).into_iter().collect()
}

/// What the member of `detail` says; each item of a list. Hexadecimal texts become decimal.
pub fn detail(row: &Row, key: &str) -> Vec<String> {
    fn values(value: &Value) -> Vec<String> {
        match value {
            Value::Number(number) => vec![number.to_string()],
            Value::Bool(flag) => vec![u8::from(*flag).to_string()],
            Value::String(text) => vec![plain(text)],
            Value::Array(items) => items.iter().flat_map(values).collect(),
            _ => Vec::new(),
        }
    }
    row.get("detail").map_or_else(Vec::new, |detail| values(&detail[key]))
}

/// tshark's numbers are decimal or hexadecimal by field; both become decimal, text stays.
pub fn plain(value: &str) -> String {
    let value = value.trim();
    match value.strip_prefix("0x").and_then(|hex| u64::from_str_radix(hex, 16).ok()) {
        Some(number) => number.to_string(),
        None => value.to_owned(),
    }
}

/// Whether tshark's own dissector came to its end.
pub fn well_formed(line: &Line) -> bool {
    line.get("_ws.malformed").is_none_or(String::is_empty)
}

/// The folder of the shared captures, if it is there.
pub fn shared() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures");
    if folder.join("oracle").is_dir() {
        return Some(folder);
    }
    println!("skipped: the shared captures are not beside this checkout");
    None
}

/// The lines of a table.
pub fn read(captures: &Path, name: &str) -> Vec<Line> {
    let file = std::fs::File::open(captures.join(format!("oracle/{name}.tsv.gz"))).unwrap();
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(file).read_to_end(&mut text).unwrap();
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split('\t').collect();
    let line = |line: &str| header.iter().map(|h| (*h).to_owned()).zip(line.split('\t').map(str::to_owned)).collect();
    lines.map(line).collect()
}

/// Keeps the rows that a table compares.
struct Keep<'t> {
    table: &'t Table<'t>,
    rows: Vec<(u64, Row)>,
}

impl Sink for Keep<'_> {
    fn emit(&mut self, at: At, observation: Observation<'_>) {
        let Value::Object(outer) = serde_json::to_value(observation).unwrap() else { return };
        let Some((kind, Value::Object(mut row))) = outer.into_iter().next() else { return };
        let mine = row.get("protocol").and_then(Value::as_str).is_none_or(|own| self.table.protocols.contains(&own));
        if !mine || kind != "operation" && !self.table.kinds.contains(&kind.as_str()) {
            return;
        }
        if let Some(text) = row.get("detail").and_then(Value::as_str) {
            let parsed = if text.is_empty() || kind == "weird" {
                Value::Null
            } else {
                serde_json::from_str(text).unwrap_or_else(|error| panic!("detail {text} of {kind}: {error}"))
            };
            row.insert("detail".to_owned(), parsed);
        }
        row.insert("kind".to_owned(), Value::String(kind));
        self.rows.push((at.frame, row));
    }
}

/// The rows of one capture that a table compares, with the frame each was told from.
pub fn decode(captures: &Path, file: &str, table: &Table<'_>) -> Vec<(u64, Row)> {
    let inputs = capture::expand(&[captures.join(file)]);
    let mut merged = Merged::open(&inputs.list, capture::Options::default());
    let mut engine = Engine::new(PROTOCOLS, Options::default());
    let mut keep = Keep { table, rows: Vec::new() };
    while let Some(packet) = merged.next() {
        engine.packet(&packet, SegmentId(0), &mut keep);
    }
    engine.finish(&mut keep);
    keep.rows
}

/// Our values by frame and number of the field.
fn by_frame(rows: &[(u64, Row)], fields: &[Field]) -> BTreeMap<(u64, usize), Vec<String>> {
    let mut values: BTreeMap<(u64, usize), Vec<String>> = BTreeMap::new();
    for (frame, row) in rows {
        let operation = row["kind"] == "operation";
        for (index, field) in fields.iter().enumerate() {
            let mut put = |frame: Option<u64>, said: Vec<String>| {
                if let (Some(frame), false) = (frame, said.is_empty()) {
                    values.entry((frame, index)).or_default().extend(said);
                }
            };
            if operation {
                put(row["request_frame"].as_u64(), (field.asked)(row));
                put(row["reply_frame"].as_u64(), (field.answered)(row));
            } else {
                put(Some(*frame), (field.told)(row));
            }
        }
    }
    values
}

/// The figures of one table.
#[derive(Default)]
struct Score {
    frames: usize,
    total: usize,
    agree: usize,
    apart: usize,
    beyond: usize,
    wrong: Vec<(String, u64, &'static str, String)>,
}

impl Score {
    fn line(&mut self, table: &Table<'_>, line: &Line, ours: &mut BTreeMap<(u64, usize), Vec<String>>) {
        let (file, frame) = (line["file"].as_str(), line["frame.number"].parse::<u64>().unwrap());
        self.frames += 1;
        for (index, field) in table.fields.iter().enumerate() {
            let mut mine = ours.remove(&(frame, index)).unwrap_or_default();
            let cell =
                line.get(field.column).unwrap_or_else(|| panic!("{} has no column {}", table.name, field.column));
            for value in cell.split(',').filter(|value| !value.is_empty()).map(plain) {
                let fits = |e: &&Explained| e.file == file && (e.column.is_empty() || e.column == field.column);
                if let Some(at) = mine.iter().position(|candidate| *candidate == value) {
                    mine.swap_remove(at);
                    self.agree += 1;
                } else if table.explained.iter().any(|e| fits(&e)) {
                    self.apart += 1;
                    continue;
                } else {
                    self.wrong.push((file.to_owned(), frame, field.column, format!("{value}, ours {mine:?}")));
                }
                self.total += 1;
            }
            self.beyond += mine.len();
        }
    }

    fn print(&self, table: &Table<'_>) {
        for (file, frame, column, what) in self.wrong.iter().take(PRINTED) {
            println!("  {file} frame {frame}: {column} {what}");
        }
        let mut places: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for (file, _, column, _) in &self.wrong {
            *places.entry((file, column)).or_default() += 1;
        }
        for ((file, column), count) in places {
            println!("  {count} in {file} {column}");
        }
        for explained in table.explained {
            println!("  apart: {} {}: {}", explained.file, explained.column, explained.reason);
        }
        println!(
            "conformance {:<16} {:>8} frames {:>9} values {:>8.3} % agree {:>6} differ {:>6} differ for a named reason {:>7} ours alone",
            table.name,
            self.frames,
            self.total,
            100.0 * self.agree as f64 / self.total.max(1) as f64,
            self.wrong.len(),
            self.apart,
            self.beyond,
        );
    }
}

/// Compares a table and prints what differs; the share that agrees must reach what is wanted.
pub fn compare(table: &Table<'_>) {
    compare_lines(table, false);
}

/// As [`compare`], for a protocol that repeats itself and makes a row only at first sight and on change: only the frames
/// that made a row are compared.
pub fn compare_told(table: &Table<'_>) {
    compare_lines(table, true);
}

/// As [`compare`] or [`compare_told`], for captures and tables that are part of this project: `oracle/` beside the captures.
pub fn compare_own(folder: &str, table: &Table<'_>, told: bool) {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/protocol").join(folder);
    compare_within(&captures, table, told);
}

fn compare_lines(table: &Table<'_>, told: bool) {
    if let Some(captures) = shared() {
        compare_within(&captures, table, told);
    }
}

fn compare_within(captures: &Path, table: &Table<'_>, told: bool) {
    let mut files: BTreeMap<String, Vec<Line>> = BTreeMap::new();
    for line in read(captures, table.name).into_iter().filter(table.counts) {
        files.entry(line["file"].clone()).or_default().push(line);
    }
    let mut score = Score::default();
    for (file, lines) in files {
        let mut ours = by_frame(&decode(captures, &file, table), table.fields);
        let frames: BTreeSet<String> = ours.keys().map(|(frame, _)| frame.to_string()).collect();
        for line in lines.iter().filter(|line| !told || frames.contains(&line["frame.number"])) {
            score.line(table, line, &mut ours);
        }
    }
    score.print(table);
    assert!(score.total > 0, "{}: nothing compared", table.name);
    assert!(score.agree * 1000 >= score.total * table.wanted, "{}: {} of {}", table.name, score.agree, score.total);
}
