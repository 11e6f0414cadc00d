//! What the binary does with input that is wrong: a message that names file, place and remedy, the right exit code, and the rest of the work done.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed expectation is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

struct Run {
    code: i32,
    out: String,
    err: String,
}

fn run(arguments: &[&str]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_quaywatch")).args(arguments).output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn lab(part: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lab/terminal").join(part);
    path.display().to_string()
}

/// A folder with one good capture, one cut short, one empty file and one that is none.
fn mixed(folder: &Path) -> PathBuf {
    let captures = folder.join("captures");
    fs::create_dir(&captures).unwrap();
    let good = fs::read(lab("captures/office.pcapng")).unwrap();
    fs::write(captures.join("good.pcapng"), &good).unwrap();
    fs::write(captures.join("again.pcapng"), &good).unwrap();
    fs::write(captures.join("cut.pcapng"), &good[..good.len() - 7]).unwrap();
    fs::write(captures.join("notes.txt"), "no capture").unwrap();
    fs::write(captures.join("empty.pcap"), "").unwrap();
    captures
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_folder_of_good_and_bad_captures_is_assessed_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let (captures, case) = (mixed(folder.path()), folder.path().join("case"));
    let done = run(&["assess", "-r", path(&captures), "-o", path(&case)]);
    assert_eq!(done.code, 3, "{}", done.err);
    assert!(
        done.err.contains("cut.pcapng") && done.err.contains("at byte") && done.err.contains("empty.pcap"),
        "{}",
        done.err
    );
    assert!(done.out.contains("no site model was given"), "{}", done.out);
    let statuses =
        run(&["query", path(&case), "SELECT source, status FROM inputs ORDER BY source", "--format", "csv"]).out;
    assert!(statuses.contains("cut.pcapng,partly-read"), "{statuses}");
    assert!(statuses.contains(",duplicate"), "{statuses}");
    assert!(statuses.contains("notes.txt,ignored") && statuses.contains("empty.pcap,rejected"), "{statuses}");
    for file in ["report.html", "findings.json", "inventory.json", "site.toml", "manifest.json"] {
        assert!(case.join(file).is_file(), "{file}");
    }
    let named = run(&[
        "assess",
        "-r",
        path(&captures.join("notes.txt")),
        path(&captures.join("good.pcapng")),
        "-o",
        path(&folder.path().join("b")),
    ]);
    assert_eq!(named.code, 3);
    assert!(named.err.contains("notes.txt: rejected"), "{}", named.err);
}

#[test]
fn without_anything_to_read_it_fails_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    let missing = run(&["assess", "-r", path(&folder.path().join("none.pcap")), "-o", path(&case)]);
    assert_eq!(missing.code, 1, "{}", missing.err);
    assert!(missing.err.contains("none.pcap") && missing.err.contains("nothing to assess"), "{}", missing.err);
    assert_eq!(run(&["assess"]).code, 2);
    assert_eq!(run(&["nonsense"]).code, 2);
    assert_eq!(run(&["--help"]).code, 0);
}

#[test]
fn a_case_is_not_written_over_and_other_folders_never() {
    let folder = tempfile::tempdir().unwrap();
    let (case, capture) = (folder.path().join("case"), lab("captures/office.pcapng"));
    assert_eq!(run(&["assess", "-q", "-r", &capture, "-o", path(&case)]).code, 0);
    let again = run(&["assess", "-q", "-r", &capture, "-o", path(&case)]);
    assert_eq!(again.code, 1);
    assert!(again.err.contains("--overwrite"), "{}", again.err);
    assert_eq!(run(&["assess", "-q", "-r", &capture, "-o", path(&case), "--overwrite"]).code, 0);
    let home = folder.path().join("home");
    fs::create_dir(&home).unwrap();
    fs::write(home.join("letter.txt"), "mine").unwrap();
    let refused = run(&["assess", "-q", "-r", &capture, "-o", path(&home), "--overwrite"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("no case") && home.join("letter.txt").is_file(), "{}", refused.err);
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let blocked = run(&["decode", "-q", "-r", &capture, "-o", path(&file)]);
    assert_eq!(blocked.code, 1);
    assert!(blocked.err.contains("file stands in the way"), "{}", blocked.err);
}

#[test]
fn a_broken_site_model_is_told_with_line_key_and_what_was_expected() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site.toml");
    let good = fs::read_to_string(lab("site.toml")).unwrap();
    let told = |text: String| {
        fs::write(&site, text).unwrap();
        let case = folder.path().join("case");
        let run = run(&["assess", "-r", &lab("captures/office.pcapng"), "--site", path(&site), "-o", path(&case)]);
        assert_eq!(run.code, 2, "{}", run.err);
        assert!(!case.exists(), "nothing is written for a wrong call");
        run.err
    };
    let key = told(good.replacen("[[zone]]", "[[zone]]\ncolour = \"red\"", 1));
    assert!(key.contains("colour") && key.contains("site.toml: ") && key.contains("line"), "{key}");
    let zone = told(format!("{good}\n[[conduit]]\nid = \"x\"\nfrom = \"nowhere\"\nto = \"nowhere\"\n"));
    assert!(zone.contains("nowhere"), "{zone}");
    assert!(told("[site\n".to_owned()).contains("line 1"));
}

#[test]
fn a_document_with_wrong_headers_is_rejected_and_the_others_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let documents = folder.path().join("documents");
    fs::create_dir(&documents).unwrap();
    fs::copy(lab("documents/accounts.csv"), documents.join("accounts.csv")).unwrap();
    fs::write(documents.join("backups.csv"), "asset,when\nplc,2026-01-01\n").unwrap();
    let case = folder.path().join("case");
    let done = run(&[
        "assess",
        "-r",
        &lab("captures/office.pcapng"),
        "--documents",
        path(&documents),
        path(&documents.join("backups.csv")),
        "-o",
        path(&case),
    ]);
    assert_eq!(done.code, 3, "{}", done.err);
    assert!(done.err.contains("backups.csv"), "{}", done.err);
    let rows = run(&["query", path(&case), "SELECT count(*) > 0 AS some FROM accounts", "--format", "csv"]).out;
    assert_eq!(rows, "some\ntrue\n");
}

#[test]
fn queries_are_answered_in_every_format_and_mistakes_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    assert_eq!(run(&["decode", "-q", "-r", &lab("captures/office.pcapng"), "-o", path(&store)]).code, 0);
    let sum = "SELECT sum(packets) AS packets FROM coverage";
    let json = run(&["query", path(&store), sum, "--format", "json"]);
    let rows: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert!(rows[0]["packets"].as_i64().unwrap() > 0);
    assert!(run(&["query", path(&store), sum]).out.contains("packets"));
    let table = run(&["query", path(&store), "SELECT * FROM flow"]);
    assert_eq!(table.code, 2);
    assert!(table.err.contains("flows"), "{}", table.err);
    assert_eq!(run(&["query", path(&store), "DROP TABLE flows"]).code, 2);
    let none = run(&["query", path(folder.path()), sum]);
    assert_eq!(none.code, 2);
    assert!(none.err.contains("holds no evidence"), "{}", none.err);
    let draft = run(&["site", "draft", path(&store)]);
    assert!(draft.out.contains("[site]") && draft.out.contains("[[zone]]"), "{}", draft.out);
}

#[test]
fn lists_are_complete_and_fail_on_is_obeyed() {
    let controls = run(&["controls", "list", "--format", "csv"]);
    assert!(controls.out.lines().count() > 15 && controls.out.starts_with("id,area"), "{}", controls.out);
    let shown = run(&["controls", "show", "seg-crane-to-crane"]);
    assert!(shown.out.contains("Question:") && shown.out.contains("SELECT"), "{}", shown.out);
    let unknown = run(&["controls", "show", "crane"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("seg-crane-to-crane"), "{}", unknown.err);
    assert!(run(&["protocols", "--format", "csv"]).out.contains("s7comm,"));
    let folder = tempfile::tempdir().unwrap();
    let (captures, site) = (lab("captures"), lab("site.toml"));
    let judged = |severity: &str, name: &str| {
        run(&[
            "assess",
            "-q",
            "-r",
            &captures,
            "--site",
            &site,
            "-o",
            path(&folder.path().join(name)),
            "--fail-on",
            severity,
        ])
        .code
    };
    assert_eq!(judged("critical", "a"), 4);
}
