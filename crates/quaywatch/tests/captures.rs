//! The binary over every shared capture: no panic, no silent skip, and an account in which every packet stands once.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed expectation is a failed test, and the figures are its result"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn quaywatch() -> Command {
    Command::new(env!("CARGO_BIN_EXE_quaywatch"))
}

/// The shared captures beside the project, if they are there.
fn shared() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: the shared captures are not beside this checkout");
    None
}

fn query(store: &Path, sql: &str) -> String {
    let output = quaywatch().arg("query").arg(store).arg(sql).args(["--format", "csv"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn decode(captures: &Path, store: &Path) -> Output {
    quaywatch().args(["decode", "--quiet", "-r"]).arg(captures).arg("-o").arg(store).output().unwrap()
}

#[test]
fn every_packet_of_every_capture_stands_once_in_the_account() {
    let Some(captures) = shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let output = decode(&captures, &store);
    // Damaged captures are among them, so the exit code says that inputs were rejected.
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let differing = query(
        &store,
        "SELECT i.source, i.packets, coalesce(c.packets, 0) AS counted FROM inputs i \
         LEFT JOIN (SELECT source, sum(packets) AS packets FROM coverage GROUP BY source) c ON c.source = i.source \
         WHERE i.kind = 'capture' AND i.status <> 'duplicate' AND i.packets <> coalesce(c.packets, 0)",
    );
    assert_eq!(differing.trim_end(), "source,packets,counted");
    let unexplained = query(
        &store,
        "SELECT DISTINCT disposition, reason FROM coverage WHERE disposition IN ('malformed', 'undecoded') AND reason = '' AND protocol = ''",
    );
    assert_eq!(unexplained.trim_end(), "disposition,reason", "what was not decoded has a reason or a name");
    let captures_read = query(&store, "SELECT count(*) AS n FROM inputs WHERE kind = 'capture'");
    let manifest = std::fs::read_to_string(captures.join("MANIFEST.tsv")).unwrap();
    assert_eq!(
        captures_read.trim_end(),
        format!("n\n{}", manifest.lines().count() - 1),
        "each capture of the manifest is listed"
    );
    println!(
        "{}",
        query(&store, "SELECT disposition, sum(packets) AS packets FROM coverage GROUP BY disposition ORDER BY 1")
    );
}

#[test]
fn the_same_captures_give_the_same_bytes() {
    let Some(captures) = shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let stores = ["a", "b"].map(|name| folder.path().join(name));
    for store in &stores {
        decode(&captures.join("s7comm"), store);
    }
    let [a, b] = stores.map(|store| files(&store.join("evidence")));
    assert!(a.len() > 5, "{}", a.len());
    assert!(a == b, "two runs differ");
}

fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.strip_prefix(folder).unwrap().to_owned(), std::fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}
