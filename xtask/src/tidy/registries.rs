//! Registries are complete: nothing is written and then forgotten in the list that makes it work.

use crate::code_text;
use crate::tree::{Problem, Tree, stem};

/// A registry of values, one for each implementation of a trait.
struct Registry {
    /// Folder of the implementations.
    folder: &'static str,
    /// Trait that each of them implements.
    of: &'static str,
    /// File of the list.
    file: &'static str,
    /// Name of the list.
    list: &'static str,
    /// Names of implementations that are called by name and so are in no list.
    by_name: &'static [&'static str],
}

const REGISTRIES: &[Registry] = &[
    Registry {
        folder: "crates/protocols/src/",
        of: "Protocol",
        file: "crates/protocols/src/registry.rs",
        list: "PROTOCOLS",
        by_name: &[],
    },
    Registry {
        folder: "crates/documents/src/",
        of: "DocumentReader",
        file: "crates/documents/src/registry.rs",
        list: "DOCUMENTS",
        by_name: &[],
    },
    Registry {
        folder: "crates/report/src/",
        of: "Exporter",
        file: "crates/report/src/exporter.rs",
        list: "EXPORTERS",
        // Printed, not written to the case folder.
        by_name: &["Terminal"],
    },
];

const CONTROLS: &str = "crates/checks/controls/";
const CONTROL_LIST: &str = "crates/checks/src/registry.rs";
const CONTROL_FIXTURES: &str = "fixtures/control/";

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems: Vec<Problem> = REGISTRIES.iter().flat_map(|registry| values(tree, registry)).collect();
    problems.extend(controls(tree));
    problems.extend(control_fixtures(tree));
    problems
}

/// Every implementation is in the list of its registry.
fn values(tree: &Tree, registry: &Registry) -> Vec<Problem> {
    let Some(text) = tree.text(registry.file) else { return Vec::new() };
    let code = code_text::rust(text);
    let listed = entries(&code, registry.list);
    let mut problems = Vec::new();
    for (path, text) in tree.select(registry.folder, ".rs").filter(|(path, _)| !is_test(path)) {
        let code = code_text::rust(text);
        for (index, line) in code_text::without_tests(&code).lines().enumerate() {
            let Some(name) = implementation(line, registry.of) else { continue };
            let missing = !listed.iter().any(|entry| entry == name || entry.ends_with(&format!("::{name}")));
            if missing && !registry.by_name.contains(&name) {
                let message = format!("`{name}` is not in {} of {}: add its line", registry.list, registry.file);
                problems.push(Problem::line(path, index, message));
            }
        }
    }
    problems
}

/// `Dns` of `impl Protocol for Dns {`.
fn implementation<'a>(line: &'a str, of: &str) -> Option<&'a str> {
    let rest = line.trim_start().strip_prefix("impl ")?;
    let (implemented, subject) = rest.split_once(" for ")?;
    // `impl Protocol for $name` stands in a macro; what the macro is called with is not looked at.
    let named = implemented == of || implemented.ends_with(&format!("::{of}"));
    code_text::words(subject).next().filter(|_| named && !subject.starts_with('$'))
}

fn is_test(path: &str) -> bool {
    matches!(stem(path), "tests" | "testing" | "recording" | "fixtures") || path.split('/').any(|part| part == "tests")
}

/// The entries of `static LIST: … = &[&a::B, &c::D];`, without the `&`.
fn entries(code: &str, list: &str) -> Vec<String> {
    let definition = code.find(&format!("{list}:")).and_then(|at| code.get(at..)).unwrap_or_default();
    let value = definition.split_once('=').and_then(|(_, value)| value.split_once("&["));
    let Some((_, values)) = value else { return Vec::new() };
    let values = values.split(']').next().unwrap_or_default();
    values
        .split(',')
        .map(|value| value.trim().trim_start_matches('&').to_owned())
        .filter(|value| !value.is_empty())
        .collect()
}

/// The list of controls and the folder of controls hold the same files, in order.
fn controls(tree: &Tree) -> Vec<Problem> {
    let Some(text) = tree.text(CONTROL_LIST) else { return Vec::new() };
    let mut problems = Vec::new();
    let mut listed: Vec<&str> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some(path) = line.trim().strip_prefix("control!(\"").and_then(|rest| rest.strip_suffix("\"),")) else {
            continue;
        };
        if tree.text(&format!("{CONTROLS}{path}")).is_none() {
            problems.push(Problem::line(CONTROL_LIST, index, format!("there is no {CONTROLS}{path}")));
        }
        if listed.last().is_some_and(|last| *last >= path) {
            problems.push(Problem::line(CONTROL_LIST, index, format!("`{path}` is out of order or there twice")));
        }
        listed.push(path);
    }
    for path in tree.paths().filter_map(|path| path.strip_prefix(CONTROLS)) {
        if !listed.contains(&path) {
            problems.push(Problem::file(
                &format!("{CONTROLS}{path}"),
                format!("not in the list of {CONTROL_LIST}: add its line"),
            ));
        }
    }
    problems
}

/// Every control has the file that shows it fire, stay quiet and abstain; no such file is left over.
fn control_fixtures(tree: &Tree) -> Vec<Problem> {
    let ids: Vec<&str> = tree.paths().filter(|path| path.starts_with(CONTROLS)).map(stem).collect();
    let fixtures: Vec<&str> =
        tree.paths().filter(|path| path.starts_with(CONTROL_FIXTURES) && path.ends_with(".yaml")).collect();
    let mut problems = Vec::new();
    for path in tree.paths().filter(|path| path.starts_with(CONTROLS)) {
        let fixture = format!("{CONTROL_FIXTURES}{}.yaml", stem(path));
        if !fixtures.contains(&fixture.as_str()) {
            problems.push(Problem::file(path, format!("has no fixture {fixture}")));
        }
    }
    for path in fixtures.into_iter().filter(|path| !ids.contains(&stem(path))) {
        problems.push(Problem::file(path, "belongs to no control"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::told;

    const REGISTRY: &str = "mod dns;\npub static PROTOCOLS: &[&dyn Protocol] = &[\n    // One line each.\n    &dns::Dns,\n    &crate::tls::Tls,\n];\n";

    #[test]
    fn an_analyzer_that_is_not_listed_is_told() {
        assert_eq!(
            told(
                check,
                &[
                    ("crates/protocols/src/registry.rs", REGISTRY),
                    ("crates/protocols/src/dns/mod.rs", "impl Protocol for Dns {}\nimpl Protocol for Mdns {\n"),
                    (
                        "crates/protocols/src/tls.rs",
                        "impl crate::Protocol for Tls {}\n// impl Protocol for Old {}\nimpl Display for Tls {}\n"
                    ),
                    ("crates/protocols/src/engine/tests.rs", "impl Protocol for Toy {}\n"),
                    (
                        "crates/protocols/src/llmnr.rs",
                        "macro_rules! m { () => {\n  impl Protocol for $name {\n}}\n#[cfg(test)]\nmod tests {\nimpl Protocol for T {}\n}\n"
                    ),
                ]
            ),
            [
                "crates/protocols/src/dns/mod.rs:2: `Mdns` is not in PROTOCOLS of crates/protocols/src/registry.rs: add its line"
            ]
        );
    }

    #[test]
    fn controls_and_their_list_hold_each_other() {
        let list =
            "    control!(\"b/b-one.yaml\"),\n    control!(\"a/a-one.yaml\"),\n    control!(\"a/a-gone.yaml\"),\n";
        assert_eq!(
            told(
                check,
                &[
                    ("crates/checks/src/registry.rs", list),
                    ("crates/checks/controls/a/a-one.yaml", ""),
                    ("crates/checks/controls/a/a-new.yaml", ""),
                    ("crates/checks/controls/b/b-one.yaml", ""),
                    ("fixtures/control/a-one.yaml", ""),
                    ("fixtures/control/a-new.yaml", ""),
                    ("fixtures/control/old.yaml", ""),
                ]
            ),
            [
                "crates/checks/src/registry.rs:2: `a/a-one.yaml` is out of order or there twice",
                "crates/checks/src/registry.rs:3: there is no crates/checks/controls/a/a-gone.yaml",
                "crates/checks/src/registry.rs:3: `a/a-gone.yaml` is out of order or there twice",
                "crates/checks/controls/a/a-new.yaml: not in the list of crates/checks/src/registry.rs: add its line",
                "crates/checks/controls/b/b-one.yaml: has no fixture fixtures/control/b-one.yaml",
                "fixtures/control/old.yaml: belongs to no control",
            ]
        );
    }

    #[test]
    fn a_list_is_read_however_it_is_broken() {
        for value in [
            "= &[&crate::html::Html, &crate::json::Findings];",
            "=\n    &[\n&crate::html::Html,\n&crate::json::Findings,\n];",
        ] {
            let code = format!("pub static EXPORTERS: &[&dyn Exporter] {value}");
            assert_eq!(entries(&code, "EXPORTERS"), ["crate::html::Html", "crate::json::Findings"]);
        }
    }
}
