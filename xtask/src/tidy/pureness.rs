//! Below the binaries no clock, no chance and no network: the same evidence gives the same bytes, and nothing transmits.

use crate::code_text;
use crate::tree::{Problem, Tree};

/// A rule on names: what is not to be named, why, and the crates that may.
struct Ban {
    names: &'static [&'static str],
    why: &'static str,
    free: &'static [&'static str],
}

const BANS: &[Ban] = &[
    Ban {
        names: &["SystemTime::now", "Instant::now", "Utc::now", "Timestamp::now", "Zoned::now"],
        why: "time comes from packets or arguments",
        free: &["crates/quaywatch/", "crates/console/", "crates/sensor/"],
    },
    Ban {
        names: &["rand::", "getrandom::", "fastrand::"],
        why: "the same evidence gives the same bytes",
        free: &["crates/quaywatch/", "crates/console/", "crates/sensor/"],
    },
    Ban {
        names: &["TcpStream", "TcpListener", "UdpSocket", "UnixStream", "UnixListener"],
        why: "nothing here opens a socket",
        free: &["crates/console/", "crates/sensor/"],
    },
];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in tree.select("crates/", ".rs").filter(|(path, _)| path.contains("/src/")) {
        let code = code_text::rust(text);
        for ban in BANS.iter().filter(|ban| !ban.free.iter().any(|free| path.starts_with(free))) {
            for (index, line) in code_text::without_tests(&code).lines().enumerate() {
                if let Some(name) = ban.names.iter().find(|name| names(line, name)) {
                    problems.push(Problem::line(path, index, format!("`{name}` is not for this crate: {}", ban.why)));
                }
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
            ["crates/wire/src/a.rs:1: `SystemTime::now` is not for this crate: time comes from packets or arguments"]
        );
        assert_eq!(told(check, &[("crates/quaywatch/src/main.rs", "use std::net::UdpSocket;")]).len(), 1);
    }
}
