//! The SQL functions beyond the standard. Read from the text of their list, since its crate links the SQL engine.

use super::{cell, head};
use crate::tree::Tree;

const LIST: &str = "crates/query/src/functions.rs";

const INTRODUCTION: &str = "\
For `quaywatch query` and for controls, besides standard SQL as DataFusion speaks it (PostgreSQL's way of writing).
Text that is no address, version or place gives null or false, never an error.

| call | gives |
|---|---|
";

/// The page.
pub(super) fn page(tree: &Tree) -> Result<String, String> {
    let text = tree.text(LIST).ok_or_else(|| format!("{LIST} is not there"))?;
    let list = text.split_once("FUNCTIONS: &[").and_then(|(_, rest)| rest.split_once("\n];"));
    let (list, _) = list.ok_or_else(|| format!("{LIST}: the list FUNCTIONS is not written as expected"))?;
    let (calls, docs) = (fields(list, "call: \""), fields(list, "doc: \""));
    if calls.len() != docs.len() {
        return Err(format!("{LIST}: {} calls and {} docs in FUNCTIONS", calls.len(), docs.len()));
    }
    let rows = calls.iter().zip(&docs).map(|(call, doc)| format!("| `{call}` | {} |\n", cell(doc)));
    Ok(head("SQL functions", &format!("`{LIST}`")) + INTRODUCTION + &rows.collect::<String>())
}

/// The texts that follow `opening`, up to their closing quote. None of them holds a quote itself.
fn fields<'a>(list: &'a str, opening: &str) -> Vec<&'a str> {
    list.split(opening).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}
