//! End to end: the binary over the lab terminal, held against its ground truth.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed expectation is a failed test, and the figures are its result"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Truth {
    assets: Vec<TrueAsset>,
    findings: Vec<TrueFinding>,
    clean: Vec<Clean>,
    tolerated: Vec<Tolerated>,
    verdicts: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct TrueAsset {
    segment: String,
    address: String,
    name: String,
    roles: Vec<String>,
    vendor: String,
    model: String,
    firmware: String,
    serial: String,
    crane: Option<String>,
    zone: String,
    seen: bool,
    declared: bool,
    attributes_on_wire: Vec<String>,
}

#[derive(Deserialize)]
struct TrueFinding {
    control: String,
    subjects: Vec<String>,
}

#[derive(Deserialize)]
struct Tolerated {
    control: String,
    subjects: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Clean {
    Control(String),
    Subject { control: String, not_subject: String },
}

fn lab() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lab/terminal")
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Assesses the lab terminal and returns findings and inventory.
fn assess() -> (Value, Value) {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    let lab = lab();
    let output = Command::new(env!("CARGO_BIN_EXE_quaywatch"))
        .args(["assess", "--quiet", "-r"])
        .arg(lab.join("captures"))
        .arg("--documents")
        .arg(lab.join("documents"))
        .arg("--site")
        .arg(lab.join("site.toml"))
        .arg("-o")
        .arg(&case)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (json(&case.join("findings.json")), json(&case.join("inventory.json")))
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// Whether a finding names all of these, in its subject, its reasons or the rows that it cites.
fn names(finding: &Value, control: &str, subjects: &[String]) -> bool {
    let said = finding["reasons"].as_array().unwrap().iter().map(|reason| reason.as_str().unwrap());
    let said = said.chain([text(finding, "subject")]).collect::<Vec<_>>().join("\n");
    text(finding, "control") == control && subjects.iter().all(|subject| mentions(&said, subject))
}

/// Whether a text holds a word or address as such: 10.30.3.2 is not in 10.30.3.20.
fn mentions(said: &str, subject: &str) -> bool {
    let numeric = subject.starts_with(|c: char| c.is_ascii_digit());
    let part = |c: char| if numeric { c.is_ascii_digit() } else { c.is_ascii_alphanumeric() };
    said.match_indices(subject).any(|(at, _)| {
        let before = said[..at].chars().next_back();
        let after = said[at + subject.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

fn share(part: usize, whole: usize) -> String {
    format!("{part} of {whole} ({} %)", (part * 100).checked_div(whole).unwrap_or(100))
}

fn check_findings(truth: &Truth, found: &Value, wrong: &mut Vec<String>) {
    let findings = found["findings"].as_array().unwrap();
    let missed: Vec<&TrueFinding> =
        truth.findings.iter().filter(|t| !findings.iter().any(|f| names(f, &t.control, &t.subjects))).collect();
    let tolerated = |f: &Value| truth.tolerated.iter().any(|t| names(f, &t.control, &t.subjects));
    let judged: Vec<&Value> = findings.iter().filter(|f| !tolerated(f)).collect();
    let false_alarms: Vec<&&Value> =
        judged.iter().filter(|f| !truth.findings.iter().any(|t| names(f, &t.control, &t.subjects))).collect();
    println!("findings: recall {}", share(truth.findings.len() - missed.len(), truth.findings.len()));
    println!("findings: precision {}", share(judged.len() - false_alarms.len(), judged.len()));
    wrong.extend(missed.iter().map(|t| format!("missed: {} {:?}", t.control, t.subjects)));
    wrong.extend(false_alarms.iter().map(|f| format!("false alarm: {} {}", text(f, "control"), text(f, "subject"))));
    for clean in &truth.clean {
        let fired = findings.iter().find(|finding| match clean {
            Clean::Control(control) => text(finding, "control") == control,
            Clean::Subject { control, not_subject } => names(finding, control, std::slice::from_ref(not_subject)),
        });
        if let Some(fired) = fired {
            wrong.push(format!("fires where it is clean: {} {}", text(fired, "control"), text(fired, "subject")));
        }
    }
}

/// Each finding cites rows that were read from an input or the site model, and one of them names its subject.
fn check_evidence(found: &Value, wrong: &mut Vec<String>) {
    let findings = found["findings"].as_array().unwrap();
    let mut cited = 0;
    for finding in findings {
        let rows = finding["evidence"].as_array().unwrap();
        let cells = rows.iter().flat_map(|row| row["row"].as_array().unwrap()).map(|cell| cell[1].as_str().unwrap());
        let said =
            cells.chain(rows.iter().map(|row| text(row, "source"))).collect::<Vec<_>>().join("\n").to_lowercase();
        let subject = text(finding, "subject").to_lowercase();
        let words = subject.split(|c: char| c.is_whitespace() || "()/".contains(c)).filter(|word| word.len() > 2);
        if words.into_iter().any(|word| mentions(&said, word)) {
            cited += 1;
        } else {
            wrong.push(format!(
                "unproven: {} {}: {}",
                text(finding, "control"),
                text(finding, "subject"),
                finding["evidence"]
            ));
        }
    }
    println!("findings with a row that names their subject: {}", share(cited, findings.len()));
}

fn check_verdicts(truth: &Truth, found: &Value, wrong: &mut Vec<String>) {
    for result in found["controls"].as_array().unwrap() {
        let control = text(&result["control"], "id");
        let Some(verdict) = truth.verdicts.get(control) else {
            wrong.push(format!("the ground truth has no verdict for {control}"));
            continue;
        };
        if text(result, "verdict") != verdict {
            wrong.push(format!("{control}: {} instead of {verdict}: {}", text(result, "verdict"), result["reasons"]));
        }
    }
}

fn check_assets(truth: &Truth, inventory: &Value, wrong: &mut Vec<String>) {
    let assets = inventory["assets"].as_array().unwrap();
    let (mut seen, mut found, mut claims, mut held) = (0, 0, 0, 0);
    for expected in truth.assets.iter().filter(|asset| asset.seen) {
        seen += 1;
        let id = format!("{}/{}", expected.segment, expected.address);
        let at = |asset: &&Value| {
            text(asset, "id") == id
                || text(asset, "segment") == expected.segment
                    && asset["interfaces"].as_array().unwrap().iter().any(|i| text(i, "address") == expected.address)
        };
        let Some(asset) = assets.iter().find(at) else {
            wrong.push(format!("asset not found: {id} {}", expected.name));
            continue;
        };
        found += 1;
        let mut check = |attribute: &str, holds: bool| {
            claims += 1;
            held += usize::from(holds);
            if !holds {
                wrong.push(format!("{id} {}: {attribute} is {}", expected.name, asset[attribute]));
            }
        };
        check("role", expected.roles.iter().any(|role| role == text(asset, "role")));
        // What is plugged into a crane's network without being declared is shown on that crane's page.
        if expected.declared {
            check("crane", text(asset, "crane") == expected.crane.as_deref().unwrap_or_default());
        }
        check("zone", text(asset, "zone") == expected.zone);
        for attribute in &expected.attributes_on_wire {
            let wanted = match attribute.as_str() {
                "vendor" => &expected.vendor,
                "model" => &expected.model,
                "firmware" => &expected.firmware,
                "serial" => &expected.serial,
                "name" => &expected.name,
                _ => continue,
            };
            check(attribute, says(asset, attribute, wanted));
        }
    }
    println!("assets: recall {}", share(found, seen));
    println!("attributes, roles, cranes and zones: {}", share(held, claims));
    let true_ids: BTreeSet<String> = truth.assets.iter().map(|a| format!("{}/{}", a.segment, a.address)).collect();
    let unknown =
        assets.iter().filter(|a| a["external"] == false && a["seen"] == true && !true_ids.contains(text(a, "id")));
    let unknown: Vec<&str> = unknown.map(|asset| text(asset, "id")).collect();
    println!("assets beyond the ground truth: {unknown:?}");
}

/// Whether the chosen value, or another claimed one, holds the expected one: devices write `Siemens AG` for Siemens.
fn says(asset: &Value, attribute: &str, wanted: &str) -> bool {
    let plain = |text: &str| text.to_lowercase().replace([' ', '-'], "");
    let wanted = plain(wanted);
    plain(text(asset, attribute)).contains(&wanted)
        || asset["attributes"].as_array().unwrap().iter().any(|value| plain(text(value, "value")).contains(&wanted))
}

#[test]
fn the_assessment_agrees_with_the_ground_truth() {
    let truth: Truth =
        serde_json::from_str(&std::fs::read_to_string(lab().join("ground-truth.json")).unwrap()).unwrap();
    let (found, inventory) = assess();
    let mut wrong = Vec::new();
    check_assets(&truth, &inventory, &mut wrong);
    check_findings(&truth, &found, &mut wrong);
    check_evidence(&found, &mut wrong);
    check_verdicts(&truth, &found, &mut wrong);
    let packets: u64 = found["coverage"].as_array().unwrap().iter().map(|line| line["packets"].as_u64().unwrap()).sum();
    let read: u64 = found["inputs"].as_array().unwrap().iter().filter_map(|input| input["packets"].as_u64()).sum();
    assert_eq!(packets, read, "every packet ends in exactly one line of the coverage account");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
