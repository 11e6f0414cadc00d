//! An answer, without the engine's types.

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampNanosecondType};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::{compute, datatypes};
use quaywatch_model::Timestamp;
use serde::de::DeserializeOwned;

use crate::error::QueryError;

/// One cell.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// Truth value.
    Bool(bool),
    /// Integer of any width.
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

/// An answer: named columns, rows of cells.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Rows {
    columns: Vec<String>,
    cells: Vec<Vec<Value>>,
}

impl Rows {
    pub(crate) fn new(columns: Vec<String>) -> Self {
        Rows { columns, cells: Vec::new() }
    }

    /// An answer put together by hand, to be written as one.
    #[must_use]
    pub fn from_parts(columns: Vec<String>, cells: Vec<Vec<Value>>) -> Self {
        Rows { columns, cells }
    }

    pub(crate) fn extend(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let columns = batch.columns().iter().map(|column| cells(column.as_ref())).collect::<Result<Vec<_>, _>>()?;
        let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
        for _ in 0..batch.num_rows() {
            self.cells.push(columns.iter_mut().map(|column| column.next().unwrap_or(Value::Null)).collect());
        }
        Ok(())
    }

    /// Names of the columns.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The rows.
    pub fn iter(&self) -> impl Iterator<Item = &[Value]> {
        self.cells.iter().map(Vec::as_slice)
    }

    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The rows as text, for showing.
    #[must_use]
    pub fn text_rows(&self) -> Vec<Vec<String>> {
        self.cells.iter().map(|row| row.iter().map(Value::text).collect()).collect()
    }

    /// Each row as a value of `T`, whose fields are named as the columns. Instants come as nanoseconds.
    ///
    /// # Errors
    /// A row does not fit `T`.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<Vec<T>, QueryError> {
        let cell = |value: &Value| match value {
            Value::Time(ts) => ts.0.into(),
            other => other.json(),
        };
        self.cells
            .iter()
            .map(|row| {
                let object: serde_json::Map<String, serde_json::Value> =
                    self.columns.iter().cloned().zip(row.iter().map(cell)).collect();
                serde_json::from_value(object.into()).map_err(|bad| QueryError::Decode(bad.to_string()))
            })
            .collect()
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
        DataType::UInt64 => match cast(&DataType::Int64) {
            Ok(narrow) => cells(narrow.as_ref())?,
            Err(_) => cells(cast(&DataType::Utf8View)?.as_ref())?,
        },
        data_type if data_type.is_integer() => cells(cast(&DataType::Int64)?.as_ref())?,
        DataType::Float64 => {
            let array = array.as_primitive::<datatypes::Float64Type>();
            with_nulls(array, |at| Value::Float(array.value(at)))
        }
        DataType::Float16 | DataType::Float32 | DataType::Decimal128(..) => cells(cast(&DataType::Float64)?.as_ref())?,
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            let array = array.as_primitive::<TimestampNanosecondType>();
            with_nulls(array, |at| Value::Time(Timestamp(array.value(at))))
        }
        DataType::Timestamp(_, zone) => {
            cells(cast(&DataType::Timestamp(TimeUnit::Nanosecond, zone.clone()))?.as_ref())?
        }
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
