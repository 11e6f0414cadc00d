//! The reference pages under `docs/reference/`, made from the registries.

mod controls;
mod documents;
mod functions;
mod protocols;
mod tables;

use std::fs;
use std::path::Path;

use crate::tree::Tree;

const FOLDER: &str = "docs/reference";

/// A page: name of its file, and what makes it.
type Page = (&'static str, fn(&Tree) -> Result<String, String>);

const PAGES: &[Page] = &[
    ("controls.md", controls::page),
    ("documents.md", documents::page),
    ("functions.md", functions::page),
    ("protocols.md", protocols::page),
    ("tables.md", tables::page),
];

/// Writes all pages.
pub(crate) fn write(root: &Path, tree: &Tree) -> Result<(), String> {
    let folder = root.join(FOLDER);
    fs::create_dir_all(&folder).map_err(|bad| format!("{FOLDER} cannot be made: {bad}"))?;
    for (name, page) in PAGES {
        let text = page(tree)?;
        if tree.text(&format!("{FOLDER}/{name}")) != Some(&text) {
            fs::write(folder.join(name), text).map_err(|bad| format!("{FOLDER}/{name} cannot be written: {bad}"))?;
            println!("wrote {FOLDER}/{name}");
        }
    }
    Ok(())
}

/// Says which pages are not what the registries would make of them now.
pub(crate) fn check(tree: &Tree) -> Result<(), String> {
    let mut stale = Vec::new();
    for (name, page) in PAGES {
        let wanted = page(tree)?;
        let path = format!("{FOLDER}/{name}");
        let found = tree.text(&path).unwrap_or_default();
        if found != wanted {
            let differs = found.lines().zip(wanted.lines()).take_while(|(found, wanted)| found == wanted).count();
            stale.push(format!("{path}:{}: stale", differs + 1));
        }
    }
    let known = |path: &str| PAGES.iter().any(|(name, _)| path.ends_with(&format!("/{name}")));
    let others = tree.paths().filter(|path| path.starts_with(FOLDER) && !known(path));
    stale.extend(others.map(|path| format!("{path}: made from no registry")));
    if stale.is_empty() {
        println!("docs: {} pages are as the registries have them", PAGES.len());
        return Ok(());
    }
    Err(format!("{}\nrun `cargo xtask docs` and commit what it writes", stale.join("\n")))
}

/// Head of a page: title, and what not to do with it.
fn head(title: &str, origin: &str) -> String {
    format!("# {title}\n\n<!-- Made by `cargo xtask docs` from {origin}. Edit that, not this. -->\n\n")
}

/// Text for a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> Tree {
        Tree::read(&crate::root()).unwrap()
    }

    #[test]
    fn every_page_has_a_head_and_ends_with_one_line_end() {
        let tree = here();
        for (name, page) in PAGES {
            let text = page(&tree).unwrap();
            assert!(text.starts_with("# ") && text.contains("Made by"), "{name}");
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{name}");
        }
    }

    #[test]
    fn pages_name_what_the_registries_hold() {
        let tree = here();
        let tables = tables::page(&tree).unwrap();
        assert!(tables.contains("### `operations`") && tables.contains("| `reply_frame` |"));
        let documents = documents::page(&tree).unwrap();
        assert!(documents.contains("`accounts.csv`") && documents.contains("`last_login`"));
        let controls = controls::page(&tree).unwrap();
        assert!(controls.contains("### `seg-flow-without-conduit`"));
        assert!(functions::page(&tree).unwrap().contains("| `cidr_contains(network, address)` |"));
    }

    #[test]
    fn bars_and_line_ends_do_not_break_a_table() {
        assert_eq!(cell("a |\n  b"), "a \\| b");
    }

    #[test]
    fn a_stale_page_is_told_with_its_line() {
        let told = check(&Tree::made(&[("crates/query/src/functions.rs", "FUNCTIONS: &[F] = &[\n];\n")])).unwrap_err();
        assert!(told.contains("docs/reference/tables.md:1: stale"), "{told}");
    }
}
