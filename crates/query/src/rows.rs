//! An answer, without the engine's types.

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Int64Type, Schema, TimeUnit, TimestampNanosecondType, UInt64Type};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::{compute, datatypes};
use quaywatch_model::Timestamp;
use quaywatch_model::table::Kind;
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};

use crate::decode;
use crate::error::QueryError;

/// One cell.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// Truth value.
    Bool(bool),
    /// Integer of any width; one too large for this is text.
    Int(i64),
    /// Floating-point number.
    Float(f64),
    /// Text; also whatever has no form of its own here (intervals, lists), as the engine prints it.
    Text(String),
    /// Instant.
    Time(Timestamp),
}

impl Value {
    /// The cell as text: empty for NULL, RFC 3339 for an instant.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Value::Null => String::new(),
            Value::Bool(value) => value.to_string(),
            Value::Int(value) => value.to_string(),
            Value::Float(value) => value.to_string(),
            Value::Text(value) => value.clone(),
            Value::Time(ts) => ts.to_string(),
        }
    }

    /// What the cell holds; `None` for NULL, which is of every kind.
    #[must_use]
    pub const fn kind(&self) -> Option<Kind> {
        match self {
            Value::Null => None,
            Value::Bool(_) => Some(Kind::Bool),
            Value::Int(_) => Some(Kind::Int),
            Value::Float(_) => Some(Kind::Float),
            Value::Text(_) => Some(Kind::Text),
            Value::Time(_) => Some(Kind::Time),
        }
    }

    /// The cell as JSON; an instant becomes RFC 3339 text.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        match self {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Int(value) => (*value).into(),
            Value::Float(value) => (*value).into(),
            Value::Text(value) => value.as_str().into(),
            Value::Time(ts) => ts.to_string().into(),
        }
    }
}

impl Serialize for Value {
    /// As [`Value::json`].
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Int(value) => serializer.serialize_i64(*value),
            Value::Float(value) => serializer.serialize_f64(*value),
            Value::Text(value) => serializer.serialize_str(value),
            Value::Time(ts) => serializer.collect_str(ts),
        }
    }
}

/// An answer: named columns, rows of cells.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Rows {
    columns: Vec<String>,
    kinds: Vec<Kind>,
    /// Row after row, each as long as `columns`.
    cells: Vec<Value>,
}

impl Rows {
    pub(crate) fn new(schema: &Schema) -> Self {
        let columns = distinct(schema.fields().iter().map(|field| field.name().as_str()));
        let kinds = schema.fields().iter().map(|field| kind(field.data_type())).collect();
        Rows { columns, kinds, cells: Vec::new() }
    }

    /// Rows that no query made, to be written like an answer. Cells that a row lacks are NULL, those it has too many are left out.
    #[must_use]
    pub fn from_parts(columns: Vec<String>, rows: Vec<Vec<Value>>) -> Self {
        let width = columns.len();
        let filled = |row: Vec<Value>| row.into_iter().chain(std::iter::repeat(Value::Null)).take(width);
        let cells: Vec<Value> = rows.into_iter().flat_map(filled).collect();
        let known = |at: usize| cells.iter().skip(at).step_by(width).find_map(Value::kind).unwrap_or(Kind::Text);
        let kinds = (0..width).map(known).collect();
        Rows { columns: distinct(columns.iter().map(String::as_str)), kinds, cells }
    }

    pub(crate) fn extend(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let columns = batch.columns().iter().map(|column| cells(column.as_ref())).collect::<Result<Vec<_>, _>>()?;
        let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
        self.cells.reserve(batch.num_rows() * columns.len());
        for _ in 0..batch.num_rows() {
            self.cells.extend(columns.iter_mut().map(|column| column.next().unwrap_or(Value::Null)));
        }
        Ok(())
    }

    /// Names of the columns. No two are the same: the second `client` of a join is `client_2`.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// What each column holds; what has no kind of its own here (intervals, lists) is text.
    #[must_use]
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// The rows.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[Value]> {
        self.cells.chunks_exact(self.columns.len().max(1))
    }

    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The rows as text, for showing.
    #[must_use]
    pub fn text_rows(&self) -> Vec<Vec<String>> {
        self.iter().map(|row| row.iter().map(Value::text).collect()).collect()
    }

    /// Each row as a value of `T`, whose fields are named as the columns. Instants come as nanoseconds.
    ///
    /// # Errors
    /// A row does not fit `T`.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<Vec<T>, QueryError> {
        self.iter().map(|row| decode::row(&self.columns, row).map_err(QueryError::Decode)).collect()
    }
}

fn distinct<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for name in names {
        let numbered = std::iter::once(name.to_owned()).chain((2..).map(|number| format!("{name}_{number}")));
        columns.extend(numbered.into_iter().find(|candidate| !columns.contains(candidate)));
    }
    columns
}

fn kind(data_type: &DataType) -> Kind {
    match data_type {
        DataType::Boolean => Kind::Bool,
        DataType::Timestamp(..) => Kind::Time,
        data_type if data_type.is_integer() => Kind::Int,
        data_type if data_type.is_numeric() => Kind::Float,
        _ => Kind::Text,
    }
}

fn with_nulls<'a>(array: &'a dyn Array, value: impl Fn(usize) -> Value + 'a) -> Vec<Value> {
    (0..array.len()).map(|at| if array.is_null(at) { Value::Null } else { value(at) }).collect()
}

fn cells(array: &dyn Array) -> Result<Vec<Value>, ArrowError> {
    let cast = |wanted: &DataType| compute::cast(array, wanted);
    Ok(match array.data_type() {
        DataType::Null => vec![Value::Null; array.len()],
        DataType::Boolean => {
            let array = array.as_boolean();
            with_nulls(array, |at| Value::Bool(array.value(at)))
        }
        DataType::Int64 => {
            let array = array.as_primitive::<Int64Type>();
            with_nulls(array, |at| Value::Int(array.value(at)))
        }
        DataType::UInt64 => {
            let array = array.as_primitive::<UInt64Type>();
            with_nulls(array, |at| {
                let value = array.value(at);
                i64::try_from(value).map_or_else(|_| Value::Text(value.to_string()), Value::Int)
            })
        }
        data_type if data_type.is_integer() => cells(cast(&DataType::Int64)?.as_ref())?,
        DataType::Float64 => {
            let array = array.as_primitive::<datatypes::Float64Type>();
            with_nulls(array, |at| Value::Float(array.value(at)))
        }
        data_type if data_type.is_numeric() => cells(cast(&DataType::Float64)?.as_ref())?,
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            let array = array.as_primitive::<TimestampNanosecondType>();
            with_nulls(array, |at| Value::Time(Timestamp(array.value(at))))
        }
        DataType::Timestamp(_, zone) => {
            cells(cast(&DataType::Timestamp(TimeUnit::Nanosecond, zone.clone()))?.as_ref())?
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Dictionary(..) => cells(cast(&DataType::Utf8View)?.as_ref())?,
        DataType::Utf8View => {
            let array = array.as_string_view();
            with_nulls(array, |at| Value::Text(array.value(at).to_owned()))
        }
        _ => printed(array)?,
    })
}

/// Any other type as the engine prints it.
fn printed(array: &dyn Array) -> Result<Vec<Value>, ArrowError> {
    use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(array, &options)?;
    Ok(with_nulls(array, |at| Value::Text(formatter.value(at).to_string())))
}
