//! The sink of decoders and document readers: observations in, Parquet files out.

use std::fs;
use std::path::Path;

use parquet::basic::ZstdLevel;
use quaywatch_model::table::{Origin, TABLES, Table};
use quaywatch_model::{At, Observation, SegmentId, Sink, SourceId, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::EvidenceError;
use crate::files;
use crate::observed;
use crate::store::Store;
use crate::table_writer::TableWriter;

/// How evidence is written.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Rows after which a table starts a new file; bounds memory.
    pub rows_per_file: usize,
    /// How hard zstd tries, 1 to 22; a level out of this range is taken as the nearest.
    pub zstd_level: i32,
    /// Whether evidence that lies in the folder already is removed. Otherwise it is an error: evidence is not written over unasked.
    pub replace: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { rows_per_file: 256 * 1024, zstd_level: 1, replace: false }
    }
}

/// Folder of the tables inside a case or store.
pub const FOLDER: &str = "evidence";

/// Writes the tables of one run. What is not flushed when it is dropped is lost.
pub struct Evidence {
    site: String,
    sources: Vec<String>,
    segments: Vec<String>,
    tables: Vec<TableWriter>,
    rows_per_file: usize,
    compression: ZstdLevel,
    failed: Option<EvidenceError>,
}

impl Evidence {
    /// Makes the folder `evidence` inside `folder` and writes tables into it.
    ///
    /// # Errors
    /// The folder cannot be made or written, or holds evidence that is not to be replaced.
    pub fn create(folder: &Path, site: &str, options: Options) -> Result<Self, EvidenceError> {
        let folder = folder.join(FOLDER);
        fs::create_dir_all(&folder).map_err(|cause| EvidenceError::write(&folder, cause))?;
        for table in TABLES {
            let rows = folder.join(table.name);
            if !options.replace && !files::finished(&rows)?.is_empty() {
                return Err(EvidenceError::Exists(folder));
            }
        }
        // Takes away what a run that was cut off left unfinished, too.
        TABLES.iter().try_for_each(|table| files::remove(&folder.join(table.name)))?;
        Ok(Self::at(&folder, site, options))
    }

    /// Goes on with a store written earlier: further rows come after those it holds. To judge old evidence anew,
    /// call [`drop_derived`](Self::drop_derived) and push the derived tables.
    ///
    /// # Errors
    /// The folder holds no evidence or cannot be read.
    pub fn reopen(folder: &Path, site: &str, options: Options) -> Result<Self, EvidenceError> {
        let mut evidence = Self::at(Store::open(folder)?.folder(), site, options);
        evidence.tables.iter_mut().try_for_each(TableWriter::go_on)?;
        Ok(evidence)
    }

    fn at(folder: &Path, site: &str, options: Options) -> Self {
        let level = options.zstd_level.clamp(1, 22);
        Evidence {
            site: site.to_owned(),
            sources: Vec::new(),
            segments: Vec::new(),
            tables: TABLES.iter().map(|table| TableWriter::new(table, folder)).collect(),
            rows_per_file: options.rows_per_file,
            compression: ZstdLevel::try_new(level).unwrap_or_default(),
            failed: None,
        }
    }

    /// Names of the inputs, by [`SourceId`]. A row is written with the name that holds when it is taken.
    pub fn set_sources(&mut self, names: Vec<String>) {
        self.sources = names;
        self.tables.iter_mut().for_each(TableWriter::forget_numbered);
    }

    /// Names of the segments, by [`SegmentId`]. A row is written with the name that holds when it is taken.
    pub fn set_segments(&mut self, names: Vec<String>) {
        self.segments = names;
        self.tables.iter_mut().for_each(TableWriter::forget_numbered);
    }

    /// Appends an input to the list.
    pub fn add_source(&mut self, name: &str) -> SourceId {
        self.sources.push(name.to_owned());
        SourceId(u32::try_from(self.sources.len() - 1).unwrap_or(u32::MAX))
    }

    /// The number of the segment of this name, which is appended to the list if it is new.
    pub fn add_segment(&mut self, name: &str) -> SegmentId {
        let number = self.segments.iter().position(|known| known == name).unwrap_or_else(|| {
            self.segments.push(name.to_owned());
            self.segments.len() - 1
        });
        SegmentId(u16::try_from(number).unwrap_or(u16::MAX))
    }

    /// What went wrong while writing, if anything: rows after it are lost, so the run is to be stopped.
    #[must_use]
    pub const fn failed(&self) -> Option<&EvidenceError> {
        self.failed.as_ref()
    }

    /// Rows taken so far, by table in the order of [`TABLES`].
    pub fn rows(&self) -> impl Iterator<Item = (&'static Table, u64)> + '_ {
        self.tables.iter().map(|writer| (writer.table, writer.total_rows))
    }

    /// Appends a row given as a value that serialises to an object of column names; the columns of the place are taken from
    /// `place` where the object lacks them. Instants are nanoseconds or RFC 3339; what is absent is empty or null.
    ///
    /// # Errors
    /// The row does not fit the table, which leaves nothing of it behind, or the table cannot be written.
    pub fn push(&mut self, table: &str, place: Option<At>, row: &impl Serialize) -> Result<(), EvidenceError> {
        self.usable()?;
        let misfit = |what: String| EvidenceError::Row { table: table.to_owned(), what };
        let value = serde_json::to_value(row).map_err(|bad| misfit(bad.to_string()))?;
        let Value::Object(mut object) = value else { return Err(misfit(format!("{value} is no object"))) };
        let index = TABLES.iter().position(|known| known.name == table);
        let index = index.ok_or_else(|| misfit("there is no such table".to_owned()))?;
        if let Some(at) = place {
            self.add_place(table, at, &mut object);
        }
        object.entry("site").or_insert_with(|| Value::String(self.site.clone()));
        if let Some(writer) = self.tables.get_mut(index) {
            writer.object(&object)?;
        }
        self.end_row(index);
        self.usable()
    }

    fn add_place(&self, table: &str, at: At, object: &mut Map<String, Value>) {
        let mut add = |name: &str, value: Value| {
            object.entry(name).or_insert(value);
        };
        add("ts", if at.ts == Timestamp(0) { Value::Null } else { at.ts.0.into() });
        add("source", self.sources.get(at.source.0 as usize).map_or("", String::as_str).into());
        add("frame", i64::try_from(at.frame).unwrap_or(i64::MAX).into());
        add("uid", at.uid.to_string().into());
        // A document belongs to no segment, and its rows' segment zero means none.
        if Table::find(table).is_none_or(|table| table.origin != Origin::Document) {
            add("segment", self.segments.get(usize::from(at.segment.0)).map_or("", String::as_str).into());
        }
    }

    /// Forgets the derived tables, in memory and on disk, so that they can be made anew.
    ///
    /// # Errors
    /// Their files cannot be removed.
    pub fn drop_derived(&mut self) -> Result<(), EvidenceError> {
        let mut derived = self.tables.iter_mut().filter(|writer| writer.table.origin == Origin::Derived);
        derived.try_for_each(TableWriter::discard)
    }

    /// Writes what is held. Rows may follow, in further files.
    ///
    /// # Errors
    /// The first failure of the whole run, however often it is called.
    pub fn flush(&mut self) -> Result<(), EvidenceError> {
        self.usable()?;
        let written = self.tables.iter_mut().try_for_each(|writer| writer.flush(self.compression));
        self.keep(written);
        self.usable()
    }

    /// Writes what is held and says how many rows each table took in this run.
    ///
    /// # Errors
    /// As for [`flush`](Self::flush).
    pub fn finish(mut self) -> Result<Vec<(&'static Table, u64)>, EvidenceError> {
        self.flush()?;
        Ok(self.rows().collect())
    }

    fn usable(&self) -> Result<(), EvidenceError> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    fn keep(&mut self, result: Result<(), EvidenceError>) {
        if let Err(bad) = result {
            self.failed.get_or_insert(bad);
        }
    }

    /// A row of the table at `index`, opened with the columns of its place.
    fn row(&mut self, index: usize, at: At) -> Option<&mut TableWriter> {
        let text = at.uid.text();
        let uid = if at.uid.is_none() { "" } else { std::str::from_utf8(&text).unwrap_or("") };
        let (source, segment) = (at.source.0 as usize, usize::from(at.segment.0));
        let row = self.tables.get_mut(index)?;
        row.time(Some(at.ts)).numbered(0, Some(&self.site)).numbered(segment, self.segments.get(segment)).text(uid);
        row.numbered(source, self.sources.get(source)).count(at.frame);
        Some(row)
    }

    fn end_row(&mut self, index: usize) {
        let Some(writer) = self.tables.get_mut(index) else { return };
        if writer.end_row(self.rows_per_file) {
            let written = writer.flush(self.compression);
            self.keep(written);
        }
    }
}

impl Sink for Evidence {
    fn emit(&mut self, at: At, observation: Observation<'_>) {
        if self.failed.is_some() {
            return;
        }
        let index = observed::table_of(&observation);
        if let Some(row) = self.row(index, at) {
            observed::write_columns(row, &observation);
            self.end_row(index);
        }
    }
}

#[cfg(test)]
mod tests;
