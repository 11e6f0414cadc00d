//! Each control over hand-made evidence: one case in which it fires, one in which it stays quiet, one in which it is not assessed.

#![allow(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use quaywatch_checks::{builtin, run};
use quaywatch_evidence::{Evidence, Options, Store};
use quaywatch_model::control::{Control, Verdict};
use quaywatch_query::{Limits, Session};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    tables: BTreeMap<String, Vec<Value>>,
    /// Subjects of the findings, all of them.
    #[serde(default)]
    alarms: BTreeSet<String>,
}

const CASES: [(&str, Verdict); 3] =
    [("fires", Verdict::NotSatisfied), ("quiet", Verdict::Satisfied), ("not-assessed", Verdict::NotAssessed)];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/control")
}

fn session(case: &Case, folder: &Path) -> Session {
    let mut evidence = Evidence::create(folder, "site", Options::default()).unwrap();
    for (table, rows) in &case.tables {
        for row in rows {
            evidence.push(table, None, row).unwrap();
        }
    }
    evidence.flush().unwrap();
    Session::open(&Store::open(folder).unwrap(), Limits::default()).unwrap()
}

/// What is wrong with a case, if anything.
fn check(control: &Control, name: &str, verdict: Verdict, case: &Case) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let outcome = run(&session(case, folder.path()), "site", std::slice::from_ref(control), |_| ());
    if let Some((_, reason)) = outcome.failed.first() {
        return Some(format!("{} {name}: the query failed: {reason}", control.id));
    }
    let result = outcome.results.first().unwrap();
    if result.verdict != verdict {
        return Some(format!(
            "{} {name}: {:?}, expected {verdict:?}; {:?}",
            control.id, result.verdict, result.reasons
        ));
    }
    let alarms: BTreeSet<String> = outcome.findings.iter().map(|finding| finding.subject.clone()).collect();
    if alarms != case.alarms {
        return Some(format!("{} {name}: alarms {alarms:?}, expected {:?}", control.id, case.alarms));
    }
    let unproven = outcome.findings.iter().find(|finding| {
        finding.evidence_count > 0
            && (finding.evidence.is_empty() || finding.evidence.iter().any(|row| row.row.is_empty()))
    });
    unproven.map(|finding| format!("{} {name}: the evidence of {} is no row", control.id, finding.subject))
}

#[test]
fn every_control_fires_stays_quiet_and_is_not_assessed_as_its_fixture_says() {
    let mut wrong = Vec::new();
    for control in builtin().unwrap() {
        let path = folder().join(format!("{}.yaml", control.id));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|bad| panic!("{}: {bad}", path.display()));
        let cases: BTreeMap<String, Case> =
            serde_saphyr::from_str(&text).unwrap_or_else(|bad| panic!("{}: {bad}", path.display()));
        for (name, verdict) in CASES {
            match cases.get(name) {
                Some(case) => wrong.extend(check(&control, name, verdict, case)),
                None => wrong.push(format!("{}: has no case {name}", control.id)),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_fixture_names_a_control() {
    let known: BTreeSet<String> =
        builtin().unwrap().into_iter().map(|control| format!("{}.yaml", control.id)).collect();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(known.contains(&name), "{name} is the fixture of no control");
    }
}
