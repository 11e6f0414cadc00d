//! Why a query has no answer.

use std::fmt;

use quaywatch_evidence::EvidenceError;
use quaywatch_model::table::TABLES;

/// Why a query has no answer.
#[derive(Debug)]
pub enum QueryError {
    /// The store cannot be read.
    Store(EvidenceError),
    /// The statement is refused, or its execution failed.
    Query(String),
    /// A row does not fit the type asked for.
    Decode(String),
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            QueryError::Store(bad) => bad.fmt(f),
            QueryError::Query(what) => f.write_str(what),
            QueryError::Decode(what) => write!(f, "a row of the answer does not fit: {what}"),
        }
    }
}

impl std::error::Error for QueryError {}

impl From<EvidenceError> for QueryError {
    fn from(bad: EvidenceError) -> Self {
        QueryError::Store(bad)
    }
}

impl From<datafusion::error::DataFusionError> for QueryError {
    fn from(bad: datafusion::error::DataFusionError) -> Self {
        let bad = bad.strip_backtrace();
        let what = bad.lines().next().unwrap_or(&bad).trim();
        let what = what
            .strip_prefix("Error during planning: ")
            .or_else(|| what.strip_prefix("Schema error: "))
            .unwrap_or(what);
        QueryError::Query(match hint(what) {
            Some(hint) => format!("{what} {hint}"),
            None => what.to_owned(),
        })
    }
}

/// Names the tables when the statement names one that does not exist.
fn hint(what: &str) -> Option<String> {
    let rest = what.strip_prefix("table '")?;
    let (name, _) = rest.split_once('\'')?;
    let name = name.rsplit('.').next()?;
    let shared = |other: &str| name.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let nearest = TABLES.iter().max_by_key(|table| shared(table.name)).filter(|table| shared(table.name) >= 3);
    Some(match nearest {
        Some(table) => format!("(did you mean {}?)", table.name),
        None => format!("(tables: {})", TABLES.iter().map(|table| table.name).collect::<Vec<_>>().join(", ")),
    })
}
