//! No path of one machine, and no note of unfinished work, in what is published.

use crate::tree::{Problem, Tree};

/// Paths that hold on one machine only. Written in two parts, so that this file does not break its own rule.
const MACHINE_PATHS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("C:\\", "Users\\"),
];

const UNFINISHED: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")];

/// What others wrote, or what was recorded, may hold any text.
const RECORDED: &[&str] = &["fixtures/", "lab/terminal/", "crates/inventory/data/", "Cargo.lock"];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| !RECORDED.iter().any(|start| path.starts_with(start))) {
        for (index, line) in text.lines().enumerate() {
            if let Some(found) = MACHINE_PATHS.iter().find(|found| stands_alone(line, found)) {
                problems.push(Problem::line(path, index, format!("`{found}` is a path of one machine")));
            }
            if let Some(found) =
                UNFINISHED.iter().find(|found| line.split(|c: char| !c.is_alphanumeric()).any(|word| word == **found))
            {
                problems.push(Problem::line(
                    path,
                    index,
                    format!("`{found}`: finish it, or say plainly what is not done"),
                ));
            }
        }
    }
    problems
}

/// Whether the path starts there, and is not the tail of a longer one or of an address.
fn stands_alone(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '*' | '}' | ')'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::told;

    #[test]
    fn machine_paths_are_told_where_they_stand() {
        let text = format!("a\nlet path = \"{}x\";\n", MACHINE_PATHS[0]);
        assert_eq!(
            told(check, &[("crates/a/src/b.rs", &text), ("fixtures/ftp/a.txt", &text)]),
            [format!("crates/a/src/b.rs:2: `{}` is a path of one machine", MACHINE_PATHS[0])]
        );
        let address = format!("https://example.org{}page", MACHINE_PATHS[2]);
        assert!(told(check, &[("README.md", &address)]).is_empty());
    }

    #[test]
    fn notes_of_unfinished_work_are_told() {
        assert_eq!(told(check, &[("docs/a.md", &format!("{}: later\n", UNFINISHED[0]))]).len(), 1);
    }
}
