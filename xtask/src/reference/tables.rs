//! The tables of evidence.

use quaywatch_model::table::{Kind, Origin, PLACE, TABLES, Table};

use super::{cell, head};
use crate::tree::Tree;

const INTRODUCTION: &str = "\
What SQL sees: `quaywatch query CASE \"SELECT …\"`, and the queries of controls. Text is never null: absent text is empty.
Numbers, truth values and instants are null where absent. Instants are UTC to the nanosecond; durations are nanoseconds.
";

const ORIGINS: &[(Origin, &str, &str)] = &[
    (Origin::Traffic, "From traffic", "Decoded from packets; `source` and `frame` name the packet."),
    (
        Origin::Document,
        "From documents",
        "Read from what an assessor collects; `source` and `frame` name file and line.",
    ),
    (Origin::Derived, "Derived", "Made anew from the other tables at each assessment."),
];

/// The page.
#[expect(clippy::unnecessary_wraps, reason = "pages share one signature")]
pub(super) fn page(_: &Tree) -> Result<String, String> {
    let mut page = head("Tables", "`crates/model/src/table.rs`") + INTRODUCTION;
    page += "\nEvery table opens with these columns:\n\n";
    page += &columns(PLACE);
    for (origin, title, doc) in ORIGINS {
        page += &format!("\n## {title}\n\n{doc}\n");
        for table in TABLES.iter().filter(|table| table.origin == *origin) {
            page += &section(table);
        }
    }
    Ok(page)
}

fn section(table: &Table) -> String {
    let own = if table.columns.is_empty() { String::new() } else { columns(table.columns) };
    format!("\n### `{}`\n\nOne row is {}.\n\n{own}", table.name, table.doc)
}

fn columns(columns: &[quaywatch_model::table::Column]) -> String {
    let rows =
        columns.iter().map(|column| format!("| `{}` | {} | {} |\n", column.name, kind(column.kind), cell(column.doc)));
    format!("| column | kind | meaning |\n|---|---|---|\n{}", rows.collect::<String>())
}

const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Int => "integer",
        Kind::Float => "float",
        Kind::Bool => "boolean",
        Kind::Time => "instant",
    }
}
