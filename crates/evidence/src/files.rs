//! The files of one table's folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::EvidenceError;

/// Ending of a whole file.
pub(crate) const FINISHED: &str = "parquet";
/// Ending of a file that is being written, or was when the run was cut off.
pub(crate) const UNFINISHED: &str = "parquet.tmp";

/// The whole files, in the order in which they were written; none where there is no folder.
pub(crate) fn finished(folder: &Path) -> Result<Vec<PathBuf>, EvidenceError> {
    let unreadable = |cause| EvidenceError::read(folder, cause);
    let entries = match fs::read_dir(folder) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(unreadable)?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|ending| ending == FINISHED) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Removes the folder with all that is in it.
pub(crate) fn remove(folder: &Path) -> Result<(), EvidenceError> {
    match fs::remove_dir_all(folder) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(EvidenceError::write(folder, cause)),
        _ => Ok(()),
    }
}
