//! What the pages name exists: files they link to, paths and constants they quote.

use crate::code_text;
use crate::tree::{Problem, Tree};

/// Openings of quoted text that is a path of this repository.
const FOLDERS: &[&str] = &["crates/", "docs/", "fixtures/", "fuzz/", "lab/", "web/", "xtask/", ".ci/"];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let constants = constants(tree);
    let mut problems = Vec::new();
    // Notes on where a fixture comes from are free text.
    for (path, text) in tree.texts().filter(|(path, _)| path.ends_with(".md") && !path.starts_with("fixtures/")) {
        let mut in_block = false;
        for (index, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                in_block = !in_block;
            }
            if in_block {
                continue;
            }
            for target in targets(line) {
                if !tree.holds(&resolve(path, target)) {
                    problems.push(Problem::line(
                        path,
                        index,
                        format!("the link leads to `{target}`, which is not there"),
                    ));
                }
            }
            for quoted in line.split('`').skip(1).step_by(2) {
                if is_path(quoted) && !tree.holds(quoted) {
                    problems.push(Problem::line(path, index, format!("`{quoted}` is not there")));
                }
                if let Some(name) = constant(quoted)
                    && !constants.contains(&name)
                {
                    problems.push(Problem::line(path, index, format!("there is no constant `{name}` in the code")));
                }
            }
        }
    }
    problems
}

/// Names of all constants in the crates and here.
fn constants(tree: &Tree) -> Vec<&str> {
    let sources = tree.texts().filter(|(path, _)| path.ends_with(".rs"));
    let lines = sources.flat_map(|(_, text)| text.lines());
    let defined = lines.filter_map(|line| {
        let mut words = code_text::words(line).skip_while(|word| !matches!(*word, "const" | "static"));
        words.nth(1)
    });
    let mut names: Vec<&str> = defined.collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The targets of `[text](target)` that are files.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    let links = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = links.filter(|link| !link.contains("://") && !link.starts_with("mailto:") && !link.starts_with('#'));
    files.map(|link| link.split('#').next().unwrap_or(link))
}

/// A relative link as a path from the root.
fn resolve(page: &str, target: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn is_path(quoted: &str) -> bool {
    let pattern = quoted.contains(['<', '*', '{', '…', ' ', '$']) || quoted.contains("NAME") || quoted.contains("...");
    !pattern && FOLDERS.iter().any(|folder| quoted.starts_with(folder))
}

/// `MAX_FILE` of `MAX_FILE` or `load::MAX_FILE`: capitals with an underscore. Variables of the environment are none.
fn constant(quoted: &str) -> Option<&str> {
    let name = quoted.rsplit("::").next()?;
    let capitals = name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let environment = ["QUAYWATCH_", "CARGO_", "RUST"].iter().any(|start| name.starts_with(start));
    (capitals && name.contains('_') && !environment).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::told;

    #[test]
    fn dead_links_paths_and_constants_are_told() {
        let page = "[a](../README.md#top) [b](gone.md) [c](https://example.org/x)\n\
                    `crates/a/src/lib.rs` `crates/b/` `crates/<name>/`\n\
                    `MAX_A`, `a::MAX_A`, `MAX_B`, `QUAYWATCH_BLESS`, `TCP`\n\
                    ```\n[x](nowhere.md)\n```\n";
        assert_eq!(
            told(
                check,
                &[("docs/guide.md", page), ("README.md", ""), ("crates/a/src/lib.rs", "pub const MAX_A: u8 = 1;\n")]
            ),
            [
                "docs/guide.md:1: the link leads to `gone.md`, which is not there",
                "docs/guide.md:2: `crates/b/` is not there",
                "docs/guide.md:3: there is no constant `MAX_B` in the code",
            ]
        );
    }
}
