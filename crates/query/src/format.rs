//! Answers as text: a table for people, CSV and JSON for machines.

use std::io::{self, Write};

use comfy_table::{ContentArrangement, Table, presets};

use serde::{Serialize, Serializer};

use crate::rows::{Rows, Value};

/// How to write an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Aligned columns.
    Table,
    /// RFC 4180, with a header line.
    Csv,
    /// An array of objects.
    Json,
    /// An object a line.
    JsonLines,
}

impl Format {
    /// All formats.
    pub const ALL: &'static [Format] = &[Format::Table, Format::Csv, Format::Json, Format::JsonLines];

    /// The name by which it is chosen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Format::Table => "table",
            Format::Csv => "csv",
            Format::Json => "json",
            Format::JsonLines => "jsonl",
        }
    }

    /// The format of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.name() == name)
    }
}

/// A row as a JSON object whose members stand in the order of the columns.
struct Object<'r>(&'r [String], &'r [Value]);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().zip(self.1))
    }
}

/// Captured text must not steer the terminal, nor turn its writing round.
fn printable(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

impl Rows {
    /// Writes the answer.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, format: Format, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Table => self.write_table(out),
            Format::Csv => self.write_csv(out),
            Format::Json => self.write_json(out),
            Format::JsonLines => self.write_json_lines(out),
        }
    }

    fn write_table(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(self.columns().iter().map(|name| printable(name)));
        for row in self.iter() {
            table.add_row(row.iter().map(|cell| printable(&cell.text())));
        }
        writeln!(out, "{table}")?;
        writeln!(out, "{} row{}", self.len(), if self.len() == 1 { "" } else { "s" })
    }

    fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(self.columns())?;
        for row in self.iter() {
            writer.write_record(row.iter().map(Value::text))?;
        }
        writer.flush()
    }

    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(b"[")?;
        for (index, row) in self.iter().enumerate() {
            out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
            serde_json::to_writer(&mut *out, &Object(self.columns(), row))?;
        }
        out.write_all(b"\n]\n")
    }

    fn write_json_lines(&self, out: &mut dyn Write) -> io::Result<()> {
        for row in self.iter() {
            serde_json::to_writer(&mut *out, &Object(self.columns(), row))?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }
}
