//! Why a query has no answer.

use std::fmt;

use datafusion::error::DataFusionError;
use quaywatch_evidence::EvidenceError;
use quaywatch_model::table::TABLES;

use crate::functions::FUNCTIONS;

/// Why a query has no answer.
#[derive(Debug)]
pub enum QueryError {
    /// The store cannot be read.
    Store(EvidenceError),
    /// The statement is refused, or its execution failed.
    Query(String),
    /// It takes more memory than it may use, even with what can be spilled on disk.
    Memory,
    /// A row does not fit the type asked for.
    Decode(String),
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            QueryError::Store(bad) => bad.fmt(f),
            QueryError::Query(what) => f.write_str(what),
            QueryError::Memory => {
                f.write_str("the query needs more memory than it may use; ask for fewer rows or columns, or allow more")
            }
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

impl From<DataFusionError> for QueryError {
    fn from(bad: DataFusionError) -> Self {
        if matches!(bad.find_root(), DataFusionError::ResourcesExhausted(_)) {
            return QueryError::Memory;
        }
        let bad = bad.strip_backtrace();
        QueryError::Query(readable(bad.lines().next().unwrap_or(&bad).trim()))
    }
}

/// Says of the kind of error what the rest of the message says anyway.
const PREFIXES: &[&str] = &[
    "Error during planning: ",
    "Schema error: ",
    "Arrow error: ",
    "Execution error: ",
    "External error: ",
    "This feature is not implemented: ",
    "SQL error: ",
];

/// Functions of standard SQL that answer differently each time.
const INCONSTANT: &[&str] =
    &["now", "current_date", "current_time", "current_timestamp", "localtimestamp", "today", "random", "uuid"];

fn readable(what: &str) -> String {
    let mut what = what;
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| what.strip_prefix(prefix)) {
        what = rest;
    }
    let syntax = ["ParserError(\"", "TokenizerError(\""].iter().find_map(|prefix| what.strip_prefix(prefix));
    if let Some(syntax) = syntax.and_then(|rest| rest.strip_suffix("\")")) {
        return format!("this is no SQL: {}", syntax.replace("\\\"", "\""));
    }
    if let Some(name) = between(what, "table '", "' not found") {
        return no_table(name.strip_prefix("datafusion.public.").unwrap_or(name));
    }
    if let Some(name) = between(what, "Invalid function '", "'") {
        return no_function(name);
    }
    if let Some(name) = between(what, "No field named ", ".").filter(|name| INCONSTANT.contains(name)) {
        return no_function(name);
    }
    if ["DML", "DDL", "Statement"].iter().any(|kind| what.starts_with(&format!("{kind} not supported"))) {
        return format!("evidence is only read: SELECT, WITH, EXPLAIN, SHOW and DESCRIBE are answered ({what})");
    }
    match remedy(what) {
        Some(remedy) => format!("{}; {remedy}", what.trim_end_matches('.')),
        None => what.to_owned(),
    }
}

fn remedy(what: &str) -> Option<&'static str> {
    if what.contains("Did you mean") {
        return None;
    }
    let remedies: &[(&str, &str)] = &[
        ("No field named", "DESCRIBE table lists the columns of a table"),
        ("Cast error", "TRY_CAST gives NULL where a value does not fit"),
        ("single SQL statement", "give one statement at a time"),
        ("No SQL statements", "give one"),
    ];
    remedies.iter().find(|(part, _)| what.contains(part)).map(|(_, remedy)| *remedy)
}

fn between<'w>(what: &'w str, before: &str, after: &str) -> Option<&'w str> {
    Some(what.strip_prefix(before)?.split_once(after)?.0)
}

fn no_table(name: &str) -> String {
    match nearest(name, TABLES.iter().map(|table| table.name)) {
        Some(near) => format!("there is no table {name}: did you mean {near}?"),
        None => format!("there is no table {name}; SHOW TABLES lists them"),
    }
}

fn no_function(name: &str) -> String {
    if INCONSTANT.contains(&name) {
        return format!(
            "there is no {name}: an answer depends on the evidence alone; the time to judge by is settings.as_of"
        );
    }
    let known = FUNCTIONS.iter().filter_map(|function| Some(function.call.split_once('(')?.0));
    match nearest(name, known) {
        Some(near) => format!("there is no function {name}: did you mean {near}?"),
        None => format!("there is no function {name}"),
    }
}

/// The name that a slip of the pen may have made into `name`.
fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let name = name.to_ascii_lowercase();
    let near = known.map(|other| (distance(&name, other), other)).min()?;
    (near.0 <= 1 + name.len() / 4).then_some(near.1)
}

/// Letters to insert, delete or exchange to make `a` into `b` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (above, left) in a.bytes().enumerate() {
        let mut diagonal = above;
        let mut before = above + 1;
        for (cell, right) in row.iter_mut().skip(1).zip(b.bytes()) {
            let cost = (diagonal + usize::from(left != right)).min(before + 1).min(*cell + 1);
            diagonal = *cell;
            *cell = cost;
            before = cost;
        }
        if let Some(first) = row.first_mut() {
            *first = above + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_pen_are_understood() {
        for (a, b, letters) in
            [("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("flow", "flows", 1), ("ab", "", 2)]
        {
            assert_eq!(distance(a, b), letters, "{a} {b}");
        }
        let tables = || ["connections", "conduits", "zones"].into_iter();
        assert_eq!(nearest("Conection", tables()), Some("connections"));
        assert_eq!(nearest("zone", tables()), Some("zones"));
        assert_eq!(nearest("alerts", tables()), None);
    }
}
