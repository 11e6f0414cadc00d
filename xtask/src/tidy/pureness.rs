//! Below the binaries no clock, no chance and no network: the same evidence gives the same bytes, and nothing transmits.

use crate::code_text;
use crate::tree::{Problem, Tree};

/// What is not to be named, and why.
const BANNED: &[(&str, &str)] = &[
    ("SystemTime::now", "time comes from packets or arguments"),
    ("Instant::now", "time comes from packets or arguments"),
    ("Utc::now", "time comes from packets or arguments"),
    ("rand::", "the same evidence gives the same bytes"),
    ("getrandom::", "the same evidence gives the same bytes"),
    ("TcpStream", "nothing here transmits"),
    ("TcpListener", "nothing here transmits"),
    ("UdpSocket", "nothing here transmits"),
];

/// Crates that may: the binaries and what serves them.
const FREE: &[&str] = &["crates/quaywatch/", "crates/console/", "crates/sensor/"];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    let sources = tree.select("crates/", ".rs").filter(|(path, _)| path.contains("/src/"));
    for (path, text) in sources.filter(|(path, _)| !FREE.iter().any(|free| path.starts_with(free))) {
        let code = code_text::rust(text);
        for (index, line) in code_text::without_tests(&code).lines().enumerate() {
            for (banned, why) in BANNED.iter().filter(|(banned, _)| names(line, banned)) {
                problems.push(Problem::line(path, index, format!("`{banned}` below the binaries: {why}")));
            }
        }
    }
    problems
}

/// Whether the line has `name` and not merely a longer one that ends so, such as `operand::`.
fn names(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::told;

    #[test]
    fn clocks_chance_and_sockets_are_told_outside_of_tests_and_binaries() {
        let text =
            "fn a() { SystemTime::now(); operand::b(); }\n#[cfg(test)]\nmod tests {\n use std::net::UdpSocket;\n}\n";
        assert_eq!(
            told(check, &[("crates/wire/src/a.rs", text), ("crates/quaywatch/src/main.rs", text)]),
            ["crates/wire/src/a.rs:1: `SystemTime::now` below the binaries: time comes from packets or arguments"]
        );
    }
}
