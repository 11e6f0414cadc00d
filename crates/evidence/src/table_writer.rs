//! Builds one table and writes it in files of bounded size.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;
use quaywatch_model::table::Table;
use quaywatch_model::{Address, Endpoint, Timestamp};
use serde_json::{Map, Value};

use crate::column::ColumnBuilder;
use crate::error::EvidenceError;
use crate::files;
use crate::schema;

/// Bytes of builders after which a table flushes, whatever its number of rows.
const MAX_BYTES: usize = 48 * 1024 * 1024;
/// Rows between two looks at the bytes.
const SIZE_CHECK: usize = 8 * 1024;
/// Bytes of text, repeated or not, between two looks at the bytes.
const TEXT_CHECK: usize = 4 * 1024 * 1024;

fn columns(table: &Table) -> Vec<ColumnBuilder> {
    table.all_columns().map(|column| ColumnBuilder::new(column.kind)).collect()
}

/// One table under construction.
pub(crate) struct TableWriter {
    pub(crate) table: &'static Table,
    folder: PathBuf,
    columns: Vec<ColumnBuilder>,
    /// Column that the row now being written fills next.
    cursor: usize,
    rows: usize,
    /// Bytes of text appended since the last look at the size.
    unseen: usize,
    /// Number of the next file.
    files: u32,
    pub(crate) total_rows: u64,
}

impl TableWriter {
    pub(crate) fn new(table: &'static Table, evidence: &Path) -> Self {
        TableWriter {
            table,
            folder: evidence.join(table.name),
            columns: columns(table),
            cursor: 0,
            rows: 0,
            unseen: 0,
            files: 0,
            total_rows: 0,
        }
    }

    /// Goes on after the last file of an earlier run.
    pub(crate) fn go_on(&mut self) -> Result<(), EvidenceError> {
        let number = |path: &PathBuf| path.file_stem()?.to_str()?.parse::<u32>().ok();
        let last = files::finished(&self.folder)?.iter().filter_map(number).max();
        self.files = last.map_or(0, |last| last.saturating_add(1));
        Ok(())
    }

    /// Forgets the rows held and removes the files written.
    pub(crate) fn discard(&mut self) -> Result<(), EvidenceError> {
        self.columns = columns(self.table);
        (self.cursor, self.rows, self.unseen, self.files, self.total_rows) = (0, 0, 0, 0, 0);
        files::remove(&self.folder)
    }

    /// Asks for the names of inputs and segments anew.
    pub(crate) fn forget_numbered(&mut self) {
        for column in &mut self.columns {
            if let ColumnBuilder::Text(column) = column {
                column.forget_numbered();
            }
        }
    }

    fn column(&mut self) -> Option<&mut ColumnBuilder> {
        let column = self.columns.get_mut(self.cursor);
        self.cursor += 1;
        column
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.unseen += text.len();
        match self.column() {
            Some(ColumnBuilder::Text(column)) => column.append(text),
            _ => debug_assert!(false, "text in a column of another kind"),
        }
        self
    }

    pub(crate) fn address(&mut self, address: Address) -> &mut Self {
        match self.column() {
            Some(ColumnBuilder::Text(column)) => column.append_address(address),
            _ => debug_assert!(false, "address in a column of another kind"),
        }
        self
    }

    /// The name that goes by `number`; empty if it has none yet.
    pub(crate) fn numbered(&mut self, number: usize, name: Option<&String>) -> &mut Self {
        match (self.column(), name) {
            (Some(ColumnBuilder::Text(column)), Some(name)) => column.append_numbered(number, name),
            (Some(ColumnBuilder::Text(column)), None) => column.append(""),
            _ => debug_assert!(false, "name in a column of another kind"),
        }
        self
    }

    /// Address and port, the two columns of an end.
    pub(crate) fn end(&mut self, end: Endpoint) -> &mut Self {
        self.address(end.address).int(Some(i64::from(end.port)))
    }

    pub(crate) fn int(&mut self, value: Option<i64>) -> &mut Self {
        match self.column() {
            Some(ColumnBuilder::Int(column)) => column.append_option(value),
            _ => debug_assert!(false, "int in a column of another kind"),
        }
        self
    }

    pub(crate) fn count(&mut self, value: u64) -> &mut Self {
        self.int(i64::try_from(value).ok())
    }

    pub(crate) fn float(&mut self, value: Option<f64>) -> &mut Self {
        match self.column() {
            Some(ColumnBuilder::Float(column)) => column.append_option(value),
            _ => debug_assert!(false, "float in a column of another kind"),
        }
        self
    }

    pub(crate) fn boolean(&mut self, value: Option<bool>) -> &mut Self {
        match self.column() {
            Some(ColumnBuilder::Bool(column)) => column.append_option(value),
            _ => debug_assert!(false, "bool in a column of another kind"),
        }
        self
    }

    pub(crate) fn time(&mut self, value: Option<Timestamp>) -> &mut Self {
        match self.column() {
            Some(ColumnBuilder::Time(column)) => column.append_option(value.map(|ts| ts.0)),
            _ => debug_assert!(false, "time in a column of another kind"),
        }
        self
    }

    /// Ends a row; returns whether the table is due to be flushed.
    pub(crate) fn end_row(&mut self, rows_per_file: usize) -> bool {
        debug_assert_eq!(self.cursor, self.columns.len(), "row of {} is not whole", self.table.name);
        self.cursor = 0;
        self.rows += 1;
        self.total_rows += 1;
        self.rows >= rows_per_file || self.is_large()
    }

    fn is_large(&mut self) -> bool {
        if self.unseen < TEXT_CHECK && !self.rows.is_multiple_of(SIZE_CHECK) {
            return false;
        }
        self.unseen = 0;
        self.columns.iter().map(ColumnBuilder::size).sum::<usize>() > MAX_BYTES
    }

    /// Appends a row given as a JSON object; what is absent is empty or null.
    pub(crate) fn object(&mut self, object: &Map<String, Value>) -> Result<(), EvidenceError> {
        let misfit = |what: String| EvidenceError::Row { table: self.table.name.to_owned(), what };
        if let Some(name) = object.keys().find(|name| !self.table.all_columns().any(|column| column.name == **name)) {
            return Err(misfit(format!("there is no column {name}")));
        }
        // Checked before the first append, so that a bad row leaves no half of itself behind.
        for (column, builder) in self.table.all_columns().zip(&self.columns) {
            let value = object.get(column.name).unwrap_or(&Value::Null);
            if !fits(builder, value) {
                return Err(misfit(format!("column {} cannot hold {value}", column.name)));
            }
        }
        for (column, builder) in self.table.all_columns().zip(&mut self.columns) {
            let value = object.get(column.name).unwrap_or(&Value::Null);
            self.unseen += value.as_str().map_or(0, str::len);
            append(builder, value);
        }
        self.cursor = self.columns.len();
        Ok(())
    }

    /// Writes the rows held into the next file. The file appears under its name only when it is whole.
    pub(crate) fn flush(&mut self, compression: ZstdLevel) -> Result<(), EvidenceError> {
        if self.rows == 0 {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.rows);
        self.unseen = 0;
        let arrays = self.columns.iter_mut().map(ColumnBuilder::finish).collect::<Result<Vec<_>, _>>();
        let batch = arrays
            .and_then(|arrays| RecordBatch::try_new(schema::written(self.table), arrays))
            .map_err(|bad| EvidenceError::Row { table: self.table.name.to_owned(), what: bad.to_string() })?;
        debug_assert_eq!(batch.num_rows(), rows);
        fs::create_dir_all(&self.folder).map_err(|cause| EvidenceError::write(&self.folder, cause))?;
        let path = self.folder.join(format!("{:06}.{}", self.files, files::FINISHED));
        self.files += 1;
        let unfinished = path.with_extension(files::UNFINISHED);
        write_file(&unfinished, &batch, compression).and_then(|()| fs::rename(&unfinished, &path)).map_err(|cause| {
            // Half a file helps nobody, and on a full disk its room does.
            let _ = fs::remove_file(&unfinished);
            EvidenceError::write(&path, cause)
        })
    }
}

/// Nothing of the machine or the hour goes into a file: the same evidence gives the same bytes.
fn properties(compression: ZstdLevel, schema: &Schema) -> WriterProperties {
    let mut builder = WriterProperties::builder();
    // Times and frames hardly repeat: their differences pack better than a dictionary, at a fraction of the work.
    for field in
        schema.fields().iter().filter(|field| field.data_type().is_temporal() || field.data_type().is_integer())
    {
        builder = builder.set_column_dictionary_enabled(ColumnPath::from(field.name().as_str()), false);
    }
    builder
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_created_by("quaywatch".to_owned())
        .set_compression(Compression::ZSTD(compression))
        // Limits of each page, so that a citation finds its frame without reading the file.
        .set_statistics_enabled(EnabledStatistics::Page)
        .build()
}

fn write_file(path: &Path, batch: &RecordBatch, compression: ZstdLevel) -> io::Result<()> {
    let file = File::create(path)?;
    // Without the Arrow schema text is plain UTF-8 to every reader, however it was built.
    let options = ArrowWriterOptions::new()
        .with_properties(properties(compression, batch.schema_ref()))
        .with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(file, batch.schema(), options).map_err(into_io)?;
    writer.write(batch).map_err(into_io)?;
    let file = writer.into_inner().map_err(into_io)?;
    file.sync_data()
}

/// Takes the cause out of Parquet's wrapping, so that a full disk is told as one.
fn into_io(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(cause) => *cause,
            Err(other) => io::Error::other(other.to_string()),
        },
        other => io::Error::other(other.to_string()),
    }
}

fn instant(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| Timestamp::parse_rfc3339(value.as_str()?).map(|ts| ts.0))
}

fn fits(builder: &ColumnBuilder, value: &Value) -> bool {
    value.is_null()
        || match builder {
            ColumnBuilder::Text(_) => value.is_string(),
            ColumnBuilder::Int(_) => value.as_i64().is_some(),
            ColumnBuilder::Float(_) => value.is_number(),
            ColumnBuilder::Bool(_) => value.is_boolean(),
            ColumnBuilder::Time(_) => instant(value).is_some(),
        }
}

fn append(builder: &mut ColumnBuilder, value: &Value) {
    match builder {
        ColumnBuilder::Text(column) => column.append(value.as_str().unwrap_or_default()),
        ColumnBuilder::Int(column) => column.append_option(value.as_i64()),
        ColumnBuilder::Float(column) => column.append_option(value.as_f64()),
        ColumnBuilder::Bool(column) => column.append_option(value.as_bool()),
        ColumnBuilder::Time(column) => column.append_option(instant(value)),
    }
}
