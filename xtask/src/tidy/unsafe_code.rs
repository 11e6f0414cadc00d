//! Every crate forbids unsafe code; where one file needs it, the crate denies it and the file says why.

use crate::code_text;
use crate::tree::{Problem, Tree};

/// The files that may hold unsafe code.
const UNSAFE_FILES: &[&str] = &["crates/wire/src/capture/mapping.rs"];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in tree.select("", ".rs") {
        let code = code_text::rust(text);
        if is_root(path) {
            problems.extend(check_root(path, &code));
        }
        for (index, line) in code.lines().enumerate() {
            if UNSAFE_FILES.contains(&path) {
                continue;
            }
            if line.contains("allow(unsafe_code") || line.contains("expect(unsafe_code") {
                problems.push(Problem::line(
                    path,
                    index,
                    "unsafe code is let in here; the list of such files is in xtask/src/tidy/unsafe_code.rs",
                ));
            }
            if code_text::words(line).any(|word| word == "unsafe") {
                problems.push(Problem::line(path, index, "unsafe code outside of the files that may hold it"));
            }
        }
    }
    for path in UNSAFE_FILES {
        let Some(text) = tree.text(path) else { continue };
        if !text.contains("(unsafe_code, reason = ") {
            problems
                .push(Problem::file(path, "`#![allow(unsafe_code, reason = \"…\")]` must say why it cannot be safe"));
        }
    }
    problems
}

/// Whether the file is the root of a library or a program of this workspace.
fn is_root(path: &str) -> bool {
    let Some((folder, file)) = path.rsplit_once("/src/") else { return false };
    let member = folder == "xtask" || folder.strip_prefix("crates/").is_some_and(|name| !name.contains('/'));
    member && matches!(file, "lib.rs" | "main.rs")
}

fn check_root(path: &str, code: &str) -> Option<Problem> {
    let holds = |attribute: &str| code.lines().any(|line| line.trim() == attribute);
    let folder = path.trim_end_matches("lib.rs").trim_end_matches("main.rs");
    let exempt = UNSAFE_FILES.iter().any(|file| file.starts_with(folder));
    match (exempt, holds("#![forbid(unsafe_code)]"), holds("#![deny(unsafe_code)]")) {
        (_, true, _) | (true, _, true) => None,
        (false, false, true) => {
            Some(Problem::file(path, "deny is for crates with a listed unsafe file: write `#![forbid(unsafe_code)]`"))
        }
        (_, false, false) => Some(Problem::file(path, "`#![forbid(unsafe_code)]` is missing")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::told;

    #[test]
    fn roots_forbid_and_only_listed_files_are_let_off() {
        assert_eq!(
            told(
                check,
                &[
                    ("crates/a/src/lib.rs", "//! A.\n"),
                    ("crates/b/src/lib.rs", "#![deny(unsafe_code)]\n"),
                    ("crates/c/src/main.rs", "#![forbid(unsafe_code)]\n"),
                    ("crates/c/src/d.rs", "// unsafe\nfn d() { unsafe {} }\n"),
                    ("crates/wire/src/lib.rs", "#![deny(unsafe_code)]\n"),
                    ("crates/wire/src/capture/mapping.rs", "#![allow(unsafe_code)]\n"),
                ]
            ),
            [
                "crates/a/src/lib.rs: `#![forbid(unsafe_code)]` is missing",
                "crates/b/src/lib.rs: deny is for crates with a listed unsafe file: write `#![forbid(unsafe_code)]`",
                "crates/c/src/d.rs:2: unsafe code outside of the files that may hold it",
                "crates/wire/src/capture/mapping.rs: `#![allow(unsafe_code, reason = \"…\")]` must say why it cannot be safe",
            ]
        );
    }
}
