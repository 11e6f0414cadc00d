//! What can go wrong with a store, with place and remedy.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why evidence could not be written or opened.
#[derive(Clone, Debug)]
pub enum EvidenceError {
    /// A file or folder could not be written.
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: Arc<io::Error>,
    },
    /// A file or folder could not be read.
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: Arc<io::Error>,
    },
    /// The folder holds no evidence.
    NoStore(PathBuf),
    /// The folder holds evidence already, and evidence is never written over.
    Exists(PathBuf),
    /// A row does not fit its table: a mistake in the program, never in the input.
    Row {
        /// The table.
        table: String,
        /// What does not fit.
        what: String,
    },
}

impl EvidenceError {
    pub(crate) fn write(path: &Path, cause: impl Into<io::Error>) -> Self {
        EvidenceError::Write { path: path.to_owned(), cause: Arc::new(cause.into()) }
    }

    pub(crate) fn read(path: &Path, cause: io::Error) -> Self {
        EvidenceError::Read { path: path.to_owned(), cause: Arc::new(cause) }
    }
}

impl fmt::Display for EvidenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EvidenceError::Write { path, cause } => {
                let remedy = match cause.kind() {
                    io::ErrorKind::StorageFull => "make room or choose another disk with -o",
                    io::ErrorKind::PermissionDenied => "choose a folder that you may write with -o",
                    io::ErrorKind::NotADirectory => "choose another name with -o: a file stands in the way",
                    _ => "check the disk, or choose another folder with -o",
                };
                write!(f, "{}: cannot be written: {cause}; {remedy}", path.display())
            }
            EvidenceError::Read { path, cause } => {
                write!(f, "{}: cannot be read: {cause}; check the path and its permissions", path.display())
            }
            EvidenceError::NoStore(path) => {
                let remedy = "name the folder that `quaywatch assess -o` or `quaywatch decode -o` wrote";
                write!(f, "{}: holds no evidence; {remedy}", path.display())
            }
            EvidenceError::Exists(path) => {
                write!(
                    f,
                    "{}: holds evidence already; choose another folder with -o, or remove it first",
                    path.display()
                )
            }
            EvidenceError::Row { table, what } => write!(f, "a row does not fit table {table}: {what}"),
        }
    }
}

impl std::error::Error for EvidenceError {}
