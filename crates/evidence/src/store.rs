//! Finds the tables of a case or store.

use std::fs;
use std::path::{Path, PathBuf};

use quaywatch_model::table::{TABLES, Table};

use crate::error::EvidenceError;
use crate::writer::FOLDER;

/// Evidence on disk.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// Opens the case or store in `path`; its folder `evidence` itself will do as well.
    ///
    /// # Errors
    /// The path cannot be read or holds no evidence.
    pub fn open(path: &Path) -> Result<Store, EvidenceError> {
        fs::metadata(path).map_err(|cause| EvidenceError::read(path, cause))?;
        let folder = path.join(FOLDER);
        if folder.is_dir() {
            return Ok(Store { folder });
        }
        if TABLES.iter().any(|table| path.join(table.name).is_dir()) {
            return Ok(Store { folder: path.to_owned() });
        }
        Err(EvidenceError::NoStore(path.to_owned()))
    }

    /// The files of a table, in the order in which they were written. Unfinished files of a run that was cut off are left out.
    ///
    /// # Errors
    /// The table's folder cannot be read.
    pub fn files(&self, table: &Table) -> Result<Vec<PathBuf>, EvidenceError> {
        let folder = self.folder.join(table.name);
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let entries = fs::read_dir(&folder).map_err(|cause| EvidenceError::read(&folder, cause))?;
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(|cause| EvidenceError::read(&folder, cause))?.path();
            if path.extension().is_some_and(|ending| ending == "parquet") {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }

    /// The folder of the tables.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
