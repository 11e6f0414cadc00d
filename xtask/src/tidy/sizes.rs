//! No source file over its limit: what does not fit into one reading is two things.

use crate::tree::{Problem, Tree, stem};

/// Lines a file of code may have.
const CODE: usize = 600;
/// Lines a table of names, or a file of tests apart from the code, may have.
const TABLE: usize = 1_000;

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let sources = tree.texts().filter(|(path, _)| path.ends_with(".rs") || path.ends_with(".py"));
    sources
        .filter_map(|(path, text)| {
            let (lines, limit) = (text.lines().count(), limit(path));
            (lines > limit).then(|| {
                Problem::line(
                    path,
                    limit,
                    format!("{lines} lines; the limit is {limit}: divide the file by what it is about"),
                )
            })
        })
        .collect()
}

fn limit(path: &str) -> usize {
    let stem = stem(path);
    let table = matches!(stem, "names" | "tables") || stem.ends_with("_names") || stem.ends_with("_table");
    let tests = stem == "tests"
        || stem.ends_with("_tests")
        || stem.starts_with("test_")
        || path.split('/').any(|part| part == "tests");
    if table || tests { TABLE } else { CODE }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::told;

    #[test]
    fn limits_go_by_the_kind_of_file() {
        assert_eq!((limit("a/flow.rs"), limit("a/lab.py")), (CODE, CODE));
        for path in [
            "a/names.rs",
            "a/oui_names.rs",
            "a/tables.rs",
            "a/szl_table.rs",
            "a/tests.rs",
            "a/tests/b.rs",
            "lab/test_a.py",
        ] {
            assert_eq!(limit(path), TABLE, "{path}");
        }
    }

    #[test]
    fn a_file_that_is_too_long_is_told_where_the_limit_is() {
        let long = "x\n".repeat(CODE + 1);
        assert_eq!(
            told(check, &[("crates/a/src/b.rs", &long), ("docs/long.md", &long)]),
            ["crates/a/src/b.rs:601: 601 lines; the limit is 600: divide the file by what it is about"]
        );
        assert!(told(check, &[("crates/a/src/b.rs", &"x\n".repeat(CODE))]).is_empty());
    }
}
