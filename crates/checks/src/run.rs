//! Runs controls over a site's evidence: verdicts and findings.

use std::collections::BTreeMap;

use quaywatch_model::control::{Control, ControlResult, Finding, Need, Status, Verdict};
use quaywatch_query::Session;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::cite;

/// What a control's query returns.
#[derive(Deserialize)]
struct Row {
    subject: Option<String>,
    status: Option<String>,
    reason: Option<String>,
    evidence: Option<String>,
    #[serde(default)]
    crane: Option<String>,
}

/// What the rows of one subject say together.
#[derive(Default)]
struct Subject {
    alarms: Vec<Row>,
    ok: bool,
    skipped: Option<String>,
}

/// The answers of all controls.
#[derive(Debug, Default)]
pub struct Outcome {
    /// One result a control, in the order given.
    pub results: Vec<ControlResult>,
    /// Findings, gravest first.
    pub findings: Vec<Finding>,
    /// Controls whose query failed: id and reason. They are not assessed.
    pub failed: Vec<(String, String)>,
}

/// Runs `controls` over `session`. `progress` is called with each control's id before it runs.
pub fn run(session: &Session, site: &str, controls: &[Control], mut progress: impl FnMut(&str)) -> Outcome {
    let mut outcome = Outcome::default();
    for control in controls {
        progress(&control.id);
        match judge(session, site, control) {
            Ok((result, findings)) => {
                outcome.results.push(result);
                outcome.findings.extend(findings);
            }
            Err(reason) => {
                outcome.failed.push((control.id.clone(), reason.clone()));
                let reasons = vec![format!("its query failed: {reason}")];
                outcome.results.push(not_assessed(control, reasons, Vec::new()));
            }
        }
    }
    outcome.findings.sort_by(|a, b| {
        b.severity.cmp(&a.severity).then_with(|| a.control.cmp(&b.control)).then_with(|| a.subject.cmp(&b.subject))
    });
    outcome
}

fn not_assessed(control: &Control, reasons: Vec<String>, collect: Vec<String>) -> ControlResult {
    ControlResult {
        control: control.clone(),
        verdict: Verdict::NotAssessed,
        ok: 0,
        alarms: 0,
        skipped: 0,
        reasons,
        collect,
    }
}

/// Whether a need is met: at least one row, of those that fulfil its condition.
fn is_met(session: &Session, need: &Need) -> Result<bool, String> {
    let condition = need.condition.as_deref().unwrap_or("true");
    let sql = format!("SELECT 1 AS one FROM {} WHERE {condition} LIMIT 1", need.table);
    session.query(&sql).map(|rows| !rows.is_empty()).map_err(|bad| bad.to_string())
}

fn judge(session: &Session, site: &str, control: &Control) -> Result<(ControlResult, Vec<Finding>), String> {
    let mut reasons = Vec::new();
    let mut collect: Vec<String> = Vec::new();
    for need in &control.needs {
        if !is_met(session, need)? {
            reasons.push(match &need.condition {
                Some(condition) => format!("no evidence in `{}` where {condition}", need.table),
                None => format!("no evidence in `{}`", need.table),
            });
            if !collect.contains(&need.collect) {
                collect.push(need.collect.clone());
            }
        }
    }
    if !reasons.is_empty() {
        return Ok((not_assessed(control, reasons, collect), Vec::new()));
    }
    let rows: Vec<Row> = session.query(&control.sql).and_then(|rows| rows.decode()).map_err(|bad| bad.to_string())?;
    let subjects = by_subject(rows)?;
    let count = |wanted: Status| subjects.values().filter(|subject| subject.status() == wanted).count() as u64;
    let (ok, alarms, skipped) = (count(Status::Ok), count(Status::Alarm), count(Status::Skip));
    let verdict = match (ok, alarms) {
        (_, 1..) => Verdict::NotSatisfied,
        (1.., 0) => Verdict::Satisfied,
        (0, 0) => Verdict::NotAssessed,
    };
    let mut reasons: Vec<String> = subjects.values().filter_map(|subject| subject.skipped.clone()).collect();
    reasons.sort();
    reasons.dedup();
    if verdict == Verdict::NotAssessed && reasons.is_empty() {
        reasons.push("the evidence holds nothing that this control judges".to_owned());
    }
    let collect = if verdict == Verdict::NotAssessed {
        control.needs.iter().map(|need| need.collect.clone()).collect()
    } else {
        Vec::new()
    };
    let findings = subjects
        .into_iter()
        .filter(|(_, subject)| !subject.alarms.is_empty())
        .map(|(name, subject)| finding(session, site, control, name, &subject.alarms))
        .collect::<Result<Vec<_>, _>>()?;
    Ok((ControlResult { control: control.clone(), verdict, ok, alarms, skipped, reasons, collect }, findings))
}

impl Subject {
    const fn status(&self) -> Status {
        match (self.alarms.is_empty(), self.ok) {
            (false, _) => Status::Alarm,
            (true, true) => Status::Ok,
            (true, false) => Status::Skip,
        }
    }
}

fn by_subject(rows: Vec<Row>) -> Result<BTreeMap<String, Subject>, String> {
    let mut subjects: BTreeMap<String, Subject> = BTreeMap::new();
    for row in rows {
        let name = row.subject.clone().filter(|name| !name.is_empty()).ok_or("a row without `subject`")?;
        let status = row.status.as_deref().unwrap_or_default();
        let status = Status::from_name(status)
            .ok_or_else(|| format!("`status` is `{status}` for {name}; expected ok, alarm or skip"))?;
        let subject = subjects.entry(name).or_default();
        match status {
            Status::Alarm => subject.alarms.push(row),
            Status::Ok => subject.ok = true,
            Status::Skip => subject.skipped = row.reason.or_else(|| Some("cannot be judged".to_owned())),
        }
    }
    Ok(subjects)
}

fn finding(session: &Session, site: &str, control: &Control, subject: String, rows: &[Row]) -> Result<Finding, String> {
    let mut reasons: Vec<String> = rows.iter().filter_map(|row| row.reason.clone()).collect();
    sort_unique(&mut reasons);
    let mut cranes: Vec<String> = rows.iter().filter_map(|row| row.crane.clone()).filter(|id| !id.is_empty()).collect();
    sort_unique(&mut cranes);
    let mut places: Vec<&str> =
        rows.iter().filter_map(|row| row.evidence.as_deref()).flat_map(str::lines).filter(|p| !p.is_empty()).collect();
    places.sort_unstable();
    places.dedup();
    let evidence_count = places.len() as u64;
    // Frames sort as text above; the earliest by number are the ones to show.
    let mut places: Vec<cite::Place> = places.into_iter().filter_map(cite::Place::parse).collect();
    places.sort();
    places.truncate(Finding::MAX_CITATIONS);
    let evidence = cite::fetch(session, &places)?;
    let mut times: Vec<&str> = evidence.iter().map(|row| row.ts.as_str()).filter(|ts| !ts.is_empty()).collect();
    times.sort_unstable();
    let (first, last) = (times.first().copied().unwrap_or_default(), times.last().copied().unwrap_or_default());
    Ok(Finding {
        id: stable_id(site, &control.id, &subject),
        control: control.id.clone(),
        title: control.title.clone(),
        area: control.area,
        weakness: control.weakness,
        severity: control.severity,
        reasons,
        cranes,
        first: first.to_owned(),
        last: last.to_owned(),
        evidence,
        evidence_count,
        subject,
        remediation: control.remediation.clone(),
    })
}

fn sort_unique(texts: &mut Vec<String>) {
    texts.retain(|text| !text.is_empty());
    texts.sort();
    texts.dedup();
}

/// `F-` and ten hex digits of SHA-256 over site, control and subject: the same finding keeps its id over runs.
fn stable_id(site: &str, control: &str, subject: &str) -> String {
    let digest = Sha256::digest(format!("{site}\n{control}\n{subject}"));
    let hex: String = digest.iter().take(5).map(|byte| format!("{byte:02x}")).collect();
    format!("F-{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(subject: &str, status: &str) -> Row {
        let text = |text: &str| Some(text.to_owned());
        Row { subject: text(subject), status: text(status), reason: text("r"), evidence: None, crane: None }
    }

    #[test]
    fn one_alarm_among_the_rows_of_a_subject_decides() {
        let subjects =
            by_subject(vec![row("a", "ok"), row("a", "alarm"), row("b", "skip"), row("b", "ok"), row("c", "skip")]);
        let status: Vec<Status> = subjects.unwrap().values().map(Subject::status).collect();
        assert_eq!(status, [Status::Alarm, Status::Ok, Status::Skip]);
    }

    #[test]
    fn a_status_that_is_none_of_the_three_is_an_error() {
        let told = by_subject(vec![row("a", "bad")]).err().unwrap();
        assert!(told.contains("`bad`") && told.contains("skip"), "{told}");
    }

    #[test]
    fn ids_are_stable_and_differ_by_subject() {
        assert_eq!(stable_id("s", "c", "x"), stable_id("s", "c", "x"));
        assert_ne!(stable_id("s", "c", "x"), stable_id("s", "c", "y"));
        assert_eq!(stable_id("s", "c", "x").len(), 12);
    }
}
