//! No module whose name says nothing of what is in it.

use crate::code_text;
use crate::tree::{Problem, Tree, stem};

const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "types", "misc"];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let sources = tree.texts().filter(|(path, _)| path.ends_with(".rs") || path.ends_with(".py"));
    let mut problems = Vec::new();
    for (path, text) in sources {
        let folders = path.split('/').rev().skip(1);
        if let Some(name) = folders.chain([stem(path)]).find(|name| EMPTY_NAMES.contains(name)) {
            problems.push(Problem::file(path, message(name)));
        }
        if path.ends_with(".rs") {
            let code = code_text::rust(text);
            for (index, line) in code.lines().enumerate() {
                let mut words = code_text::words(line).skip_while(|word| *word != "mod").skip(1);
                if let Some(name) = words.next().filter(|name| EMPTY_NAMES.contains(name)) {
                    problems.push(Problem::line(path, index, message(name)));
                }
            }
        }
    }
    problems
}

fn message(name: &str) -> String {
    format!("a module called `{name}` holds anything: name it after what it holds")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::told;

    #[test]
    fn empty_names_are_told_for_files_folders_and_modules() {
        assert_eq!(
            told(
                check,
                &[
                    ("crates/a/src/utils.rs", ""),
                    ("lab/common/x.py", ""),
                    ("crates/a/src/lib.rs", "// mod misc\n\npub mod misc {}\n")
                ]
            ),
            [
                "crates/a/src/lib.rs:3: a module called `misc` holds anything: name it after what it holds",
                "crates/a/src/utils.rs: a module called `utils` holds anything: name it after what it holds",
                "lab/common/x.py: a module called `common` holds anything: name it after what it holds",
            ]
        );
        assert!(told(check, &[("crates/a/src/common_paper.rs", "mod flow;"), ("docs/misc/a.md", "")]).is_empty());
    }
}
