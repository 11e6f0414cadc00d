//! Sheets: documents with a header line and one row a line, as spreadsheets and registers write them.
//!
//! RFC 4180, read tolerantly: comma, semicolon, tab or bar between fields, found from the header; quoted fields; any
//! line ends; columns in any order and under the synonyms that each [`Column`] lists; an Excel `sep=` line and `#`
//! comments ahead of the header. Further columns are noted and not read.

mod header;
mod line;

use csv::{ReaderBuilder, StringRecord};

use crate::reader::{Confidence, Document, DocumentMeta, has_ending, stem};
use crate::text;
use crate::{DocumentError, Reading};
use header::Header;
pub(crate) use line::Line;

/// Bytes that one row may have.
pub const MAX_LINE: usize = 64 << 10;

/// Lines that one row may take, with line ends in its quoted fields; more is a quote that was not closed.
const MAX_ROW_LINES: u64 = 16;

/// Columns that a sheet may have.
pub const MAX_COLUMNS: usize = 256;

/// A column that a sheet must or may have.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name in the header.
    pub name: &'static str,
    /// Other names it is known under; in lower case, with `_` for blank, `-` and `.`.
    pub synonyms: &'static [&'static str],
    /// Whether a sheet without it is rejected.
    pub required: bool,
    /// Meaning, with unit.
    pub doc: &'static str,
}

impl Column {
    pub(crate) const fn required(name: &'static str, synonyms: &'static [&'static str], doc: &'static str) -> Self {
        Column { name, synonyms, required: true, doc }
    }

    pub(crate) const fn optional(name: &'static str, synonyms: &'static [&'static str], doc: &'static str) -> Self {
        Column { name, synonyms, required: false, doc }
    }
}

/// Whether a document is a sheet with the required columns, or at least has such a name.
pub(crate) fn sniff(meta: &DocumentMeta, head: &[u8], name: &str) -> Confidence {
    let (text, _) = text::decode(head);
    if !text.contains('\0')
        && let Some(header) = Header::find(meta.columns, &text)
        && header.missing(meta.columns).is_none()
    {
        return Confidence::Content(header.recognised());
    }
    let named = stem(name).contains(meta.kind) && has_ending(name, &["csv", "tsv", "txt"]);
    if named { Confidence::Name } else { Confidence::No }
}

/// Reads a sheet; `each` takes one row or says why not.
pub(crate) fn read(
    meta: &'static DocumentMeta,
    input: &Document<'_>,
    mut each: impl FnMut(&Line<'_>) -> Result<(), String>,
) -> Result<Reading, DocumentError> {
    let (text, odd) = text::decode(input.bytes);
    let Some(header) = Header::find(meta.columns, &text) else {
        return Err(header::none(meta, input.name));
    };
    if let Some(missing) = header.missing(meta.columns) {
        return Err(header.error(meta, input.name, missing));
    }
    let mut reading = Reading { lines: count_lines(&text), ..Reading::default() };
    reading.notes.extend(odd.map(str::to_owned));
    reading.notes.extend(header.notes());
    reading.understood = header.line;

    let body = text.get(header.end..).unwrap_or("");
    let mut rows =
        ReaderBuilder::new().has_headers(false).flexible(true).delimiter(header.delimiter).from_reader(body.as_bytes());
    let mut cursor = Cursor { text: body, at: 0, line: header.line + 1 };
    let mut record = StringRecord::new();
    loop {
        let more = rows.read_record(&mut record);
        let end = cursor.line_end(rows.position().byte());
        // Unreadable only if the text were no UTF-8, which it is by now.
        if !more.unwrap_or(false) {
            reading.understood += cursor.skip_blank(body.len());
            break;
        }
        reading.understood += cursor.skip_blank(end);
        let number = cursor.line;
        let bytes = end - cursor.at;
        let lines = cursor.pass(end);
        if record.iter().all(|field| field.trim().is_empty()) {
            reading.understood += lines;
            continue;
        }
        let line = Line { header: &header, record: &record, number, source: input.source };
        let outcome = check_shape(&header, &record, bytes, lines).and_then(|()| each(&line));
        match outcome {
            Ok(()) => reading.take(lines),
            Err(reason) => reading.reject(number, lines, reason),
        }
    }
    Ok(reading)
}

/// Whether a row can be one at all. The reasons quote nothing: a field out of place may be a password.
fn check_shape(header: &Header, record: &StringRecord, bytes: usize, lines: u64) -> Result<(), String> {
    if lines > MAX_ROW_LINES {
        return Err(format!("a row of {lines} lines starts here: a quote is not closed"));
    }
    if bytes > MAX_LINE {
        return Err(format!("the row has {bytes} bytes, more than {MAX_LINE}"));
    }
    let beyond = record.iter().skip(header.width()).any(|field| !field.trim().is_empty());
    if beyond {
        return Err(format!("the row has {} fields, the header has {}", record.len(), header.width()));
    }
    if header.has_secret() && record.len() < header.width() {
        return Err(format!("the row has {} fields, the header has {}", record.len(), header.width()));
    }
    Ok(())
}

fn count_lines(text: &str) -> u64 {
    let ends = text.bytes().filter(|byte| *byte == b'\n').count() as u64;
    if text.is_empty() || text.ends_with('\n') { ends } else { ends + 1 }
}

/// Where in the body reading is, with the number of the line.
struct Cursor<'a> {
    text: &'a str,
    at: usize,
    line: u64,
}

impl Cursor<'_> {
    /// Where the line ends that the parser left at `position`: it stops between the two bytes of a CRLF.
    fn line_end(&self, position: u64) -> usize {
        let end = usize::try_from(position).unwrap_or(usize::MAX).min(self.text.len());
        let around = self.text.as_bytes().get(end.saturating_sub(1)..=end);
        if around == Some(b"\r\n") { end + 1 } else { end.max(self.at) }
    }

    /// Passes over the line ends ahead, at most to `end`, and returns how many lines that were: the `csv` crate does
    /// so silently.
    fn skip_blank(&mut self, end: usize) -> u64 {
        let ahead = self.text.as_bytes().get(self.at..end).unwrap_or(&[]);
        let blank = ahead.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.pass(self.at + blank)
    }

    /// Moves on to `end` and returns how many lines lie before it, counting an unfinished one at the end of the text.
    fn pass(&mut self, end: usize) -> u64 {
        let passed = self.text.get(self.at..end).unwrap_or("");
        let lines = if end == self.text.len() {
            count_lines(passed)
        } else {
            passed.bytes().filter(|byte| *byte == b'\n').count() as u64
        };
        self.at = end;
        self.line += lines;
        lines
    }
}
