//! Words with one meaning each: what is decoded is an observation, what is judged a finding.

use crate::code_text;
use crate::tree::{Problem, Tree};

/// Word, and what to say instead.
const WORDS: &[(&str, &str)] = &[
    ("event", "observation, operation or connection"),
    ("events", "observations, operations or connections"),
    ("alert", "finding"),
    ("alerts", "findings"),
    ("issue", "finding or problem"),
    ("issues", "findings or problems"),
];

/// Where a specification or a library owns the word: folder or file, word.
const OWNED: &[(&str, &str)] = &[
    // A record type of TLS.
    ("crates/protocols/src/tls", "alert"),
    ("crates/protocols/src/tls", "alerts"),
    // This list.
    ("xtask/src/tidy/words.rs", "events"),
];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in tree.texts() {
        let code = match path.rsplit_once('.') {
            Some((_, "rs")) => code_text::rust(text),
            Some((_, "py")) => code_text::python(text),
            _ => continue,
        };
        for (index, line) in code.lines().enumerate() {
            for name in code_text::words(line) {
                let parts = parts(name);
                let found = WORDS.iter().find(|(word, _)| parts.iter().any(|part| part == word));
                let Some((word, instead)) = found else { continue };
                if !OWNED.iter().any(|(place, owned)| path.starts_with(place) && owned == word) {
                    let message = format!("`{name}`: the code does not say `{word}`; say {instead}");
                    problems.push(Problem::line(path, index, message));
                }
            }
        }
    }
    problems
}

/// The lower-case words of a name: `LastEvent_id` is `last`, `event`, `id`.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut after_lower = false;
    for character in name.chars() {
        if character == '_' || (character.is_uppercase() && after_lower) {
            parts.push(String::new());
        }
        if character != '_'
            && let Some(part) = parts.last_mut()
        {
            part.extend(character.to_lowercase());
        }
        after_lower = character.is_lowercase() || character.is_ascii_digit();
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::told;

    #[test]
    fn names_come_apart_by_case_and_underscore() {
        assert_eq!(parts("LastEvent_id"), ["last", "event", "id"]);
        assert_eq!(parts("MAX_ALERTS"), ["max", "alerts"]);
        assert_eq!(parts("issuer"), ["issuer"]);
    }

    #[test]
    fn words_are_told_in_code_and_not_in_text() {
        let text = "// an event\nfn on_event(issuer: &str) { print(\"alert\"); }\n";
        assert_eq!(
            told(check, &[("crates/a/src/b.rs", text)]),
            [
                "crates/a/src/b.rs:2: `on_event`: the code does not say `event`; say observation, operation or connection"
            ]
        );
        assert!(told(check, &[("crates/protocols/src/tls/mod.rs", "struct Alert;")]).is_empty());
        assert_eq!(told(check, &[("lab/a.py", "alert = 1\n")]).len(), 1);
    }
}
