//! Finds the tables of a case or store.

use std::fs;
use std::path::{Path, PathBuf};

use quaywatch_model::table::{TABLES, Table};

use crate::error::EvidenceError;
use crate::files;
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
        files::finished(&self.folder.join(table.name))
    }

    /// The tables that have rows, each with its files.
    ///
    /// # Errors
    /// A table's folder cannot be read.
    pub fn tables(&self) -> Result<Vec<(&'static Table, Vec<PathBuf>)>, EvidenceError> {
        let mut tables = Vec::new();
        for table in TABLES {
            let files = self.files(table)?;
            if !files.is_empty() {
                tables.push((table, files));
            }
        }
        Ok(tables)
    }

    /// The folder of the tables.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
