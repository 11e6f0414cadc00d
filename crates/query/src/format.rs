//! Answers as text: a table for people, CSV and JSON for machines.

use std::io::{self, Write};

use comfy_table::{ContentArrangement, Table, presets};

use crate::rows::Rows;

/// How to write an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Aligned columns.
    Table,
    /// RFC 4180, with a header line.
    Csv,
    /// An array of objects.
    Json,
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
        }
    }

    fn write_table(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(self.columns());
        for row in self.iter() {
            // Captured text must not steer the terminal.
            let printable =
                |text: String| text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect::<String>();
            table.add_row(row.iter().map(|cell| printable(cell.text())));
        }
        writeln!(out, "{table}")?;
        writeln!(out, "{} row{}", self.len(), if self.len() == 1 { "" } else { "s" })
    }

    fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(self.columns())?;
        for row in self.text_rows() {
            writer.write_record(row)?;
        }
        writer.flush()
    }

    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        let object = |row: &[crate::Value]| -> serde_json::Map<String, serde_json::Value> {
            self.columns().iter().cloned().zip(row.iter().map(crate::Value::json)).collect()
        };
        out.write_all(b"[")?;
        for (index, row) in self.iter().enumerate() {
            out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
            serde_json::to_writer(&mut *out, &object(row))?;
        }
        out.write_all(b"\n]\n")
    }
}
