//! The rules of the house, one file each. ARCHITECTURE.md says why; these say where they are broken.

mod imports;
mod links;
mod machine_paths;
mod names;
mod pureness;
mod registries;
mod sizes;
mod unsafe_code;
mod words;

use crate::tree::{Problem, Tree};

/// A rule looks at all files and says what breaks it.
type Rule = fn(&Tree) -> Vec<Problem>;

/// All rules.
pub(crate) const RULES: &[Rule] = &[
    imports::check,
    links::check,
    machine_paths::check,
    names::check,
    pureness::check,
    registries::check,
    sizes::check,
    unsafe_code::check,
    words::check,
];

/// Everything that breaks a rule, by file and line.
pub(crate) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems: Vec<Problem> = RULES.iter().flat_map(|rule| rule(tree)).collect();
    problems.sort();
    problems.dedup();
    problems
}

/// What a rule says of a small tree, for the rules' tests.
#[cfg(test)]
fn told(rule: Rule, files: &[(&str, &str)]) -> Vec<String> {
    rule(&Tree::made(files)).iter().map(ToString::to_string).collect()
}
