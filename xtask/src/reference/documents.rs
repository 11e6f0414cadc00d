//! The kinds of documents that are read.

use quaywatch_documents::{Column, DOCUMENTS, DocumentMeta};

use super::{cell, head};
use crate::tree::Tree;

const INTRODUCTION: &str = "\
Given with `--documents FOLDER`. A document is recognised by its content; its name is only a hint. Sheets may be separated by
comma, semicolon, tab or bar, and their columns may come in any order and under the other names given here. Dates are RFC 3339
(`2026-11-02T08:00:00Z`) or a plain date (`2026-11-02`). A line that cannot be understood is rejected with its number and the
reason, and the rest is taken. Passwords are never read.
";

/// The page.
#[expect(clippy::unnecessary_wraps, reason = "pages share one signature")]
pub(super) fn page(_: &Tree) -> Result<String, String> {
    let mut page = head("Documents", "`crates/documents/src/registry.rs`") + INTRODUCTION;
    for meta in DOCUMENTS.iter().map(|reader| reader.meta()) {
        page += &section(meta);
    }
    Ok(page)
}

fn section(meta: &DocumentMeta) -> String {
    let mut text = format!("\n## {}\n\n{}\n\n", cell(meta.title), cell(meta.scope));
    text += &format!(
        "Kind `{}`, usually `{}`; becomes rows of [`{}`](tables.md#{}).\n",
        meta.kind, meta.file, meta.table, meta.table
    );
    if !meta.columns.is_empty() {
        text += "\n| column | | meaning | other names |\n|---|---|---|---|\n";
        text.extend(meta.columns.iter().map(row));
    }
    text
}

fn row(column: &Column) -> String {
    let synonyms: Vec<String> = column.synonyms.iter().map(|name| format!("`{name}`")).collect();
    let required = if column.required { "required" } else { "" };
    format!("| `{}` | {required} | {} | {} |\n", column.name, cell(column.doc), synonyms.join(", "))
}
