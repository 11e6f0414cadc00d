//! The import table: which crate may name which. It stands here, and ARCHITECTURE.md shows it.

use crate::tree::{Problem, Tree};

/// Crate, and the crates of this workspace that it may name.
pub(crate) const TABLE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("wire", &["model"]),
    ("protocols", &["model", "wire"]),
    ("documents", &["model"]),
    ("evidence", &["model"]),
    ("query", &["model", "evidence"]),
    ("inventory", &["model"]),
    ("checks", &["model", "query", "inventory"]),
    ("report", &["model"]),
    ("fleet", &["model", "query", "report"]),
    (
        "console",
        &["model", "wire", "protocols", "documents", "evidence", "query", "inventory", "checks", "report", "fleet"],
    ),
    (
        "quaywatch",
        &[
            "model",
            "wire",
            "protocols",
            "documents",
            "evidence",
            "query",
            "inventory",
            "checks",
            "report",
            "fleet",
            "console",
        ],
    ),
    ("sensor", &["model", "wire", "protocols", "evidence"]),
    ("xtask", &["model", "protocols", "documents"]),
];

/// The one crate that may name the SQL engine.
const ENGINE: (&str, &str) = ("query", "datafusion");

const PREFIX: &str = "quaywatch-";
const PAGE: &str = "ARCHITECTURE.md";

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in tree.select("", "/Cargo.toml") {
        let Some(name) = crate_name(path) else { continue };
        let manifest: toml::Table = match text.parse() {
            Ok(manifest) => manifest,
            Err(bad) => {
                problems.push(Problem::file(path, format!("not TOML: {}", bad.message())));
                continue;
            }
        };
        problems.extend(check_crate(path, text, name, &manifest));
        problems.extend(check_page(tree, name));
    }
    problems
}

/// `wire` for `crates/wire/Cargo.toml`; other manifests are no crates of the workspace.
fn crate_name(path: &str) -> Option<&str> {
    let folder = path.strip_suffix("/Cargo.toml")?;
    if folder == "xtask" { Some(folder) } else { folder.strip_prefix("crates/").filter(|name| !name.contains('/')) }
}

fn check_crate(path: &str, text: &str, name: &str, manifest: &toml::Table) -> Vec<Problem> {
    let Some((_, allowed)) = TABLE.iter().find(|(known, _)| *known == name) else {
        return vec![Problem::file(path, format!("`{name}` is not in the import table of xtask/src/tidy/imports.rs"))];
    };
    let mut problems = Vec::new();
    for dependency in dependencies(manifest, &["dependencies", "build-dependencies"]) {
        let Some(other) = dependency.strip_prefix(PREFIX) else { continue };
        if !allowed.contains(&other) {
            let may = if allowed.is_empty() { "nothing of this workspace".to_owned() } else { allowed.join(", ") };
            let message = format!("`{name}` names {dependency}; by the import table it may import {may}");
            problems.push(Problem::line(path, line_of(text, dependency), message));
        }
    }
    if name != ENGINE.0 {
        for dependency in dependencies(manifest, &["dependencies", "build-dependencies", "dev-dependencies"]) {
            if dependency.starts_with(ENGINE.1) {
                let message = format!("`{name}` names {dependency}; only `{}` names the SQL engine", ENGINE.0);
                problems.push(Problem::line(path, line_of(text, dependency), message));
            }
        }
    }
    problems
}

/// Names of the packages under these keys, also under `target.*`. A renamed dependency counts by its package.
fn dependencies<'a>(manifest: &'a toml::Table, keys: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    let targets = manifest.get("target").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::values);
    let holders = targets.filter_map(toml::Value::as_table).chain([manifest]);
    let tables = holders.flat_map(move |holder| keys.iter().filter_map(|key| holder.get(*key)?.as_table()));
    tables
        .flat_map(toml::Table::iter)
        .map(|(name, value)| value.get("package").and_then(toml::Value::as_str).unwrap_or(name))
}

fn line_of(text: &str, dependency: &str) -> usize {
    let names =
        |line: &str| line.trim_start().strip_prefix(dependency).is_some_and(|rest| rest.starts_with([' ', '.', '=']));
    let exact = text.lines().position(names);
    exact.or_else(|| text.lines().position(|line| line.contains(dependency))).unwrap_or_default()
}

/// The page shows the same imports in the last cell of the crate's row.
fn check_page(tree: &Tree, name: &str) -> Option<Problem> {
    let text = tree.text(PAGE)?;
    let (_, allowed) = TABLE.iter().find(|(known, _)| *known == name)?;
    let wanted = if allowed.is_empty() { "-".to_owned() } else { allowed.join(", ") };
    let opening = format!("| `{name}` |");
    let Some((index, row)) = text.lines().enumerate().find(|(_, line)| line.starts_with(&opening)) else {
        return Some(Problem::file(PAGE, format!("the code map has no row that starts with {opening}")));
    };
    let last = row.trim_end().trim_end_matches('|').rsplit('|').next().unwrap_or_default().trim();
    // Crates that import nearly all are told in words.
    let told = last == wanted || (allowed.len() > 4 && last == "everything above");
    if told { None } else { Some(Problem::line(PAGE, index, format!("`{name}` may import {wanted}, not {last}"))) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::told;

    #[test]
    fn a_forbidden_import_is_told_with_its_line() {
        let text = "[package]\nname = \"quaywatch-wire\"\n\n[dependencies]\nquaywatch-model.workspace = true\nquaywatch-query.workspace = true\n";
        assert_eq!(
            told(check, &[("crates/wire/Cargo.toml", text)]),
            ["crates/wire/Cargo.toml:6: `wire` names quaywatch-query; by the import table it may import model"]
        );
        let model = "[target.'cfg(unix)'.dependencies]\nq = { package = \"quaywatch-wire\", path = \"../wire\" }\n";
        assert_eq!(
            told(check, &[("crates/model/Cargo.toml", model)]),
            [
                "crates/model/Cargo.toml:2: `model` names quaywatch-wire; by the import table it may import nothing of this workspace"
            ]
        );
    }

    #[test]
    fn imports_of_tests_are_free_except_for_the_engine() {
        let text = "[dev-dependencies]\nquaywatch-query.workspace = true\ndatafusion.workspace = true\n";
        assert_eq!(
            told(check, &[("crates/checks/Cargo.toml", text)]),
            ["crates/checks/Cargo.toml:3: `checks` names datafusion; only `query` names the SQL engine"]
        );
        assert!(
            told(check, &[("crates/query/Cargo.toml", "[dependencies]\ndatafusion.workspace = true\n")]).is_empty()
        );
    }

    #[test]
    fn a_new_crate_needs_a_row() {
        assert_eq!(
            told(check, &[("crates/news/Cargo.toml", "")]),
            ["crates/news/Cargo.toml: `news` is not in the import table of xtask/src/tidy/imports.rs"]
        );
    }

    #[test]
    fn the_page_shows_the_table() {
        let told = |row: &str| told(check, &[("ARCHITECTURE.md", row), ("crates/wire/Cargo.toml", "")]);
        assert!(told("| `wire` | bytes | model |\n").is_empty());
        assert_eq!(told("| `wire` | bytes | - |\n"), ["ARCHITECTURE.md:1: `wire` may import model, not -"]);
        assert_eq!(told(""), ["ARCHITECTURE.md: the code map has no row that starts with | `wire` |"]);
    }
}
