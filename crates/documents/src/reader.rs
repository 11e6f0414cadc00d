//! What a kind of document is to its caller: how it is recognised, how it is read.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use quaywatch_model::{RowSink, SourceId};

use crate::sheet::Column;
use crate::{DOCUMENTS, DocumentError, MAX_DOCUMENT, Reading};

/// Bytes from the front of a document that recognition looks at.
const HEAD: usize = 16 << 10;

/// Facts about a kind of document.
#[derive(Clone, Copy, Debug)]
pub struct DocumentMeta {
    /// Name used in the `inputs` table: lower case, e.g. `restore-tests`.
    pub kind: &'static str,
    /// What it is, as the field says it.
    pub title: &'static str,
    /// Table that its rows go to.
    pub table: &'static str,
    /// Usual file name.
    pub file: &'static str,
    /// Where it comes from and what is read of it, in a sentence or two.
    pub scope: &'static str,
    /// Its columns if it is a sheet; else empty.
    pub columns: &'static [Column],
}

/// How sure a reader is that a document is of its kind, from less to more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Confidence {
    /// It is not.
    No,
    /// Only its name says so; reading it will tell what is wrong with it.
    Name,
    /// Its content says so; the number is of things recognised, such as columns.
    Content(usize),
}

/// A document to be read.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    /// Its name, relative to the folder given.
    pub name: &'a str,
    /// Which input of the run it is.
    pub source: SourceId,
    /// Its bytes, at most [`MAX_DOCUMENT`].
    pub bytes: &'a [u8],
}

/// A kind of document. One static value each, listed in the registry.
pub trait DocumentReader: Sync {
    /// Facts about it.
    fn meta(&self) -> &'static DocumentMeta;

    /// Whether a document that starts with `head` is of this kind; the name is only a hint.
    fn sniff(&self, head: &[u8], name: &str) -> Confidence;

    /// Reads a document and gives its rows to `out`.
    ///
    /// # Errors
    /// [`DocumentError`] when it is not of this kind at all, so that no line can be understood. Single lines that are
    /// wrong do not fail it: see [`Reading::rejections`].
    fn read(&self, input: &Document<'_>, out: &mut dyn RowSink) -> Result<Reading, DocumentError>;
}

/// The reader for a document, or `None` if no kind claims it.
#[must_use]
pub fn recognise(bytes: &[u8], name: &str) -> Option<&'static dyn DocumentReader> {
    let head = bytes.get(..HEAD).unwrap_or(bytes);
    let mut best = (Confidence::No, None);
    for reader in DOCUMENTS {
        let confidence = reader.sniff(head, name);
        if confidence > best.0 {
            best = (confidence, Some(*reader));
        }
    }
    best.1
}

/// Reads a document file into memory.
///
/// # Errors
/// [`DocumentError`] when it cannot be read or is larger than [`MAX_DOCUMENT`].
pub fn load(path: &Path) -> Result<Vec<u8>, DocumentError> {
    let error = |what: String, remedy: &str| DocumentError {
        name: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        line: 0,
        what,
        remedy: remedy.to_owned(),
    };
    let unreadable =
        |cause: std::io::Error| error(format!("it cannot be read: {cause}"), "check the path and your permissions");
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(MAX_DOCUMENT + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_DOCUMENT {
        return Err(error(format!("it has more than {MAX_DOCUMENT} bytes"), "split it into several files"));
    }
    Ok(bytes)
}

/// The last part of a name without its ending, in lower case with `-` for `_` and blank: `a/Fw_North.rules` is `fw-north`.
pub(crate) fn stem(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
    stem.to_lowercase().replace(['_', ' '], "-")
}

/// Whether the name of a document has one of these endings, given in lower case.
pub(crate) fn has_ending(name: &str, endings: &[&str]) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending.to_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_folder_and_ending() {
        assert_eq!(stem("site/Work_Orders 2026.csv"), "work-orders-2026");
        assert_eq!(stem("rules"), "rules");
        assert!(has_ending("a.CSV", &["csv"]) && !has_ending("csv", &["csv"]));
    }

    #[test]
    fn the_better_match_gets_the_document() {
        let kind = |bytes: &[u8], name| recognise(bytes, name).map(|reader| reader.meta().kind);
        // A work order also has the columns that an account list must have.
        assert_eq!(kind(b"id,system,company,account,source,from,to,purpose\n", "x"), Some("work-orders"));
        assert_eq!(kind(b"system,account\n", "x"), Some("accounts"));
        assert_eq!(kind(b"asset;taken_at\n", "x"), Some("backups"));
        assert_eq!(kind(b"asset\ttested_at\toutcome\n", "x"), Some("restore-tests"));
        assert_eq!(kind(b"person,role,left_on\n", "x"), Some("people"));
        assert_eq!(kind(b"target,scanned_at\n", "x"), Some("scans"));
        assert_eq!(kind(b"# Generated by iptables-save v1.8.9\n*filter\n:INPUT DROP [0:0]\n", "x"), Some("iptables"));
        assert_eq!(kind(b"nonsense\n", "site/crane-3_accounts.csv"), Some("accounts"));
        assert_eq!(kind(b"nonsense\n", "restore-tests.csv"), Some("restore-tests"));
        assert_eq!(kind(b"nonsense\n", "readme.md"), None);
        assert_eq!(kind(b"\x7fELF\0\0\0", "a"), None);
        assert_eq!(kind(b"", ""), None);
    }

    #[test]
    fn kinds_and_tables_are_in_order_and_known() {
        let kinds: Vec<&str> = DOCUMENTS.iter().map(|reader| reader.meta().kind).collect();
        assert!(kinds.is_sorted(), "{kinds:?}");
        for reader in DOCUMENTS {
            let meta = reader.meta();
            let table = quaywatch_model::table::Table::find(meta.table).unwrap();
            assert_eq!(table.origin, quaywatch_model::table::Origin::Document, "{}", meta.kind);
        }
    }

    #[test]
    fn what_cannot_be_loaded_says_why() {
        let error = load(Path::new("no/such/file.csv")).unwrap_err();
        assert!(error.to_string().starts_with("file.csv: it cannot be read: "), "{error}");
    }
}
