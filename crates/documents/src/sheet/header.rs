//! The header line of a sheet: which field is which column.

use csv::{ReaderBuilder, StringRecord};

use super::{Column, MAX_COLUMNS};
use crate::DocumentError;
use crate::reader::DocumentMeta;

/// What may stand between fields.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Names of columns that hold a secret. They are never read.
const SECRETS: [&str; 4] = ["pass", "pin", "pw", "pass_phrase"];

/// Parts of such names.
const SECRET_PARTS: [&str; 9] =
    ["passw", "passphrase", "passcode", "pwd", "kennwort", "secret", "nt_hash", "lm_hash", "private_key"];

/// Names of the header that an error shows at most.
const MAX_SHOWN: usize = 20;

/// The header of one sheet.
pub(crate) struct Header {
    /// Names as written.
    names: Vec<String>,
    /// Known column and index of its field.
    fields: Vec<(&'static str, usize)>,
    pub(super) delimiter: u8,
    /// Line it stands on, from 1; the lines before hold no rows.
    pub(super) line: u64,
    /// Where the line after it starts.
    pub(super) end: usize,
}

/// A name as it is compared: lower case, `_` for what is between words.
fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '-', '.'], "_")
}

fn is_secret(name: &str) -> bool {
    let name = plain(name);
    SECRETS.contains(&name.as_str()) || SECRET_PARTS.iter().any(|part| name.contains(part))
}

impl Header {
    /// Finds the header: the first line that is neither blank, nor a comment, nor Excel's `sep=`. Of the ways to cut
    /// it into fields, the one holds that recognises most columns.
    pub(super) fn find(columns: &'static [Column], text: &str) -> Option<Header> {
        let mut end = 0;
        let mut told = None;
        for (line, number) in text.split_inclusive('\n').zip(1..) {
            end += line.len();
            let content = line.trim();
            // Trimming would take a tab, which is a separator.
            if let Some([only]) = line.trim_end_matches(['\r', '\n']).strip_prefix("sep=").map(str::as_bytes) {
                told = Some([*only]);
            } else if !content.is_empty() && !content.starts_with('#') {
                let delimiters = told.as_ref().map_or(DELIMITERS.as_slice(), <[u8; 1]>::as_slice);
                return Self::cut(columns, line, end, number, delimiters);
            }
        }
        None
    }

    fn cut(columns: &'static [Column], line: &str, end: usize, number: u64, delimiters: &[u8]) -> Option<Header> {
        let ways = delimiters.iter().filter_map(|delimiter| {
            let mut reader = ReaderBuilder::new().has_headers(false).delimiter(*delimiter).from_reader(line.as_bytes());
            let mut record = StringRecord::new();
            let cut = reader.read_record(&mut record).ok()?;
            let names: Vec<String> = record.iter().map(|name| name.trim().to_owned()).collect();
            if !cut || names.len() > MAX_COLUMNS {
                return None;
            }
            let fields = assign(columns, &names);
            Some(Header { names, fields, delimiter: *delimiter, line: number, end })
        });
        // The first of the best, so that a header without known columns is cut at commas.
        ways.reduce(|best, other| {
            let rank = |header: &Header| (header.fields.len(), header.names.len());
            if rank(&other) > rank(&best) { other } else { best }
        })
    }

    /// Index of a column's field in a row.
    pub(super) fn field(&self, column: &str) -> Option<usize> {
        self.fields.iter().find(|(name, _)| *name == column).map(|(_, index)| *index)
    }

    pub(super) fn recognised(&self) -> usize {
        self.fields.len()
    }

    /// Fields that a row has.
    pub(super) fn width(&self) -> usize {
        self.names.len()
    }

    pub(super) fn has_secret(&self) -> bool {
        self.names.iter().any(|name| is_secret(name))
    }

    /// The first required column that is not there.
    pub(super) fn missing(&self, columns: &[Column]) -> Option<&'static str> {
        columns.iter().find(|column| column.required && self.field(column.name).is_none()).map(|column| column.name)
    }

    /// What is there and not read.
    pub(super) fn notes(&self) -> Vec<String> {
        let unread = self.names.iter().enumerate().filter(|(index, _)| !self.fields.iter().any(|(_, at)| at == index));
        let notes = unread.filter(|(_, name)| !name.is_empty()).map(|(index, name)| {
            let number = index + 1;
            if is_secret(name) {
                format!("password column ignored: column {number}, `{name}`")
            } else {
                format!("column {number}, `{name}`, is not read")
            }
        });
        notes.collect()
    }

    /// The error for a header that lacks the required column `missing`.
    pub(super) fn error(&self, meta: &DocumentMeta, name: &str, missing: &str) -> DocumentError {
        let found = self.shown();
        DocumentError {
            name: name.to_owned(),
            line: self.line,
            what: format!("the column `{missing}` is missing in the {}; found {found}", meta.title.to_lowercase()),
            remedy: expected(meta),
        }
    }

    /// The names found. A line without a header may hold anything, even a password, so names are only shown where
    /// some are known, and of the unknown ones only those that are plain words.
    fn shown(&self) -> String {
        if self.fields.len() < 2 {
            return format!("a line of {} fields that is no such header", self.names.len());
        }
        let word =
            |name: &str| name.chars().all(|c| c.is_alphabetic() || matches!(c, ' ' | '_' | '-')) && name.len() <= 40;
        let known = |index: usize| self.fields.iter().any(|(_, at)| *at == index);
        let shown = self.names.iter().enumerate().take(MAX_SHOWN);
        let shown: Vec<&str> =
            shown.map(|(index, name)| if known(index) || word(name) { name.as_str() } else { "?" }).collect();
        shown.join(", ")
    }
}

/// Which field is which column: by its own name first, then by the first synonym that is there. A password column is
/// none, whatever the synonyms say.
fn assign(columns: &'static [Column], names: &[String]) -> Vec<(&'static str, usize)> {
    let plain_names: Vec<String> = names.iter().map(|name| plain(name)).collect();
    let mut fields: Vec<(&'static str, usize)> = Vec::new();
    let place = |wanted: &str| plain_names.iter().position(|name| name == wanted && !is_secret(name));
    for column in columns {
        fields.extend(place(column.name).map(|at| (column.name, at)));
    }
    for column in columns.iter() {
        let free = |at: &usize, fields: &[(&str, usize)]| !fields.iter().any(|(_, taken)| taken == at);
        if !fields.iter().any(|(name, _)| *name == column.name) {
            let found = column.synonyms.iter().filter_map(|synonym| place(synonym)).find(|at| free(at, &fields));
            fields.extend(found.map(|at| (column.name, at)));
        }
    }
    fields
}

/// What the header should be.
fn expected(meta: &DocumentMeta) -> String {
    let names = |required: bool| {
        let names: Vec<&str> =
            meta.columns.iter().filter(|column| column.required || !required).map(|column| column.name).collect();
        names.join(",")
    };
    format!("write the header {} (required: {})", names(false), names(true))
}

/// The error for a document without any header.
pub(super) fn none(meta: &DocumentMeta, name: &str) -> DocumentError {
    DocumentError {
        name: name.to_owned(),
        line: 1,
        what: format!("the {} has no header", meta.title.to_lowercase()),
        remedy: expected(meta),
    }
}
