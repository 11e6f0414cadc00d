//! The account of reading one document: what became of every line.

use std::fmt;

/// Rejected lines that are kept with their reason; further ones are only counted.
pub const MAX_REJECTIONS: usize = 1_000;

/// What became of the lines of one document. `taken + understood + rejected` is `lines`.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Reading {
    /// Lines of the document.
    pub lines: u64,
    /// Lines that became rows.
    pub taken: u64,
    /// Lines that were understood and say nothing for a row: headers, comments, blank lines.
    pub understood: u64,
    /// Lines that were not understood.
    pub rejected: u64,
    /// Rows made. A row may take several lines.
    pub rows: u64,
    /// The first [`MAX_REJECTIONS`] rejected lines.
    pub rejections: Vec<Rejection>,
    /// What the user should know of the document as a whole, such as columns that were not read.
    pub notes: Vec<String>,
}

/// A line that was not understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rejection {
    /// Line number from 1; the first of several.
    pub line: u64,
    /// Why, in words.
    pub reason: String,
}

impl Reading {
    pub(crate) fn take(&mut self, lines: u64) {
        self.taken += lines;
        self.rows += 1;
    }

    /// Rejects `lines` lines from `line` on.
    pub(crate) fn reject(&mut self, line: u64, lines: u64, reason: String) {
        self.rejected += lines;
        if self.rejections.len() < MAX_REJECTIONS {
            self.rejections.push(Rejection { line, reason });
        }
    }
}

/// Why a document was rejected as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DocumentError {
    /// The document.
    pub name: String,
    /// Line number from 1; 0 for the document as a whole.
    pub line: u64,
    /// What is wrong, in words.
    pub what: String,
    /// What the user can do about it.
    pub remedy: String,
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}; {}", self.name, self.what, self.remedy),
            line => write!(f, "{} line {line}: {}; {}", self.name, self.what, self.remedy),
        }
    }
}

impl std::error::Error for DocumentError {}
