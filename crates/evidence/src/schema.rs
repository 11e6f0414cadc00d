//! Arrow schemas of the tables.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use quaywatch_model::table::{Kind, Table};

/// Arrow type in which a column is built and written. Text is dictionary-encoded: captures repeat themselves.
#[must_use]
pub fn written_type(kind: Kind) -> DataType {
    match kind {
        Kind::Text => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        other => read_type(other),
    }
}

/// Arrow type in which a column is read: text as a view, which every SQL function takes.
#[must_use]
pub fn read_type(kind: Kind) -> DataType {
    match kind {
        Kind::Text => DataType::Utf8View,
        Kind::Int => DataType::Int64,
        Kind::Float => DataType::Float64,
        Kind::Bool => DataType::Boolean,
        Kind::Time => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
    }
}

fn schema(table: &Table, data_type: impl Fn(Kind) -> DataType) -> Schema {
    Schema::new(
        table
            .all_columns()
            .map(|column| Field::new(column.name, data_type(column.kind), column.kind != Kind::Text))
            .collect::<Vec<_>>(),
    )
}

/// Schema in which `table` is written.
#[must_use]
pub fn written(table: &Table) -> Arc<Schema> {
    Arc::new(schema(table, written_type))
}

/// Schema in which `table` is read.
#[must_use]
pub fn read(table: &Table) -> Arc<Schema> {
    Arc::new(schema(table, read_type))
}
