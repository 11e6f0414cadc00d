//! The licences of what is linked into the binary, gathered for the archive that is handed out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The program that is handed out.
const PROGRAM: &str = "quaywatch";

/// Openings of the names of files that hold a licence or a notice, in lower case.
const FILES: &[&str] = &["licen", "copying", "notice", "unlicense", "copyright"];

/// Longest such file that is taken, bytes.
const MAX_FILE: u64 = 256 << 10;

/// Writes the notices of all that `PROGRAM` links to `out`.
pub(crate) fn write(root: &Path, out: &Path) -> Result<(), String> {
    let platform = platform()?;
    let output = Command::new("cargo")
        .args(["metadata", "--locked", "--format-version", "1", "--filter-platform", &platform])
        .current_dir(root)
        .output()
        .map_err(|bad| format!("cargo cannot be run: {bad}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let metadata: Value =
        serde_json::from_slice(&output.stdout).map_err(|bad| format!("cargo metadata is not JSON: {bad}"))?;
    let linked = linked(&metadata).ok_or_else(|| format!("cargo metadata does not name {PROGRAM}"))?;
    let text = notices(&metadata, &linked);
    fs::write(out, text).map_err(|bad| format!("{} cannot be written: {bad}", out.display()))?;
    println!("notices: {} packages in {}", linked.len(), out.display());
    Ok(())
}

fn platform() -> Result<String, String> {
    let output = Command::new("rustc").arg("-vV").output().map_err(|bad| format!("rustc cannot be run: {bad}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc does not name its platform".to_owned())
}

/// Ids of the packages from outside that the program is linked from: normal dependencies, all the way down.
fn linked(metadata: &Value) -> Option<BTreeSet<&str>> {
    let packages = metadata.get("packages")?.as_array()?;
    let nodes = metadata.get("resolve")?.get("nodes")?.as_array()?;
    let program = packages.iter().find(|package| package.get("name").and_then(Value::as_str) == Some(PROGRAM))?;
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = vec![program.get("id")?.as_str()?];
    while let Some(package) = open.pop() {
        if !seen.insert(package) {
            continue;
        }
        let node = nodes.iter().find(|node| id(node) == Some(package))?;
        for dependency in node.get("deps")?.as_array()? {
            let kinds = dependency.get("dep_kinds")?.as_array()?;
            if kinds.iter().any(|kind| kind.get("kind").is_some_and(Value::is_null)) {
                open.extend(dependency.get("pkg").and_then(Value::as_str));
            }
        }
    }
    let outside = |package: &&Value| package.get("source").is_some_and(|source| !source.is_null());
    let outside: BTreeSet<&str> = packages.iter().filter(outside).filter_map(id).collect();
    Some(seen.intersection(&outside).copied().collect())
}

fn id(value: &Value) -> Option<&str> {
    value.get("id").and_then(Value::as_str)
}

fn notices(metadata: &Value, linked: &BTreeSet<&str>) -> String {
    let mut list = String::new();
    // Many packages carry the very same text: it is printed once, under all their names.
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let packages = metadata.get("packages").and_then(Value::as_array).into_iter().flatten();
    for package in packages {
        let field = |name: &str| package.get(name).and_then(Value::as_str).unwrap_or_default();
        if !linked.contains(field("id")) {
            continue;
        }
        let name = format!("{} {}", field("name"), field("version"));
        // Written to a string, which cannot fail.
        let _ = writeln!(list, "{name}: {}", field("license"));
        let folder = Path::new(field("manifest_path")).parent().unwrap_or(Path::new("."));
        for text in licence_texts(folder) {
            texts.entry(text).or_default().push(name.clone());
        }
    }
    let mut texts: Vec<(Vec<String>, String)> = texts.into_iter().map(|(text, names)| (names, text)).collect();
    texts.sort();
    let mut out = format!("Quaywatch is linked from these packages of others:\n\n{list}");
    for (names, text) in texts {
        let _ = write!(out, "\n{}\n{}\n\n{text}\n", "=".repeat(80), names.join(", "));
    }
    out
}

fn licence_texts(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.sort();
    paths.retain(|path| {
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        let small = fs::metadata(path).is_ok_and(|facts| facts.is_file() && facts.len() <= MAX_FILE);
        small && FILES.iter().any(|start| name.starts_with(start))
    });
    paths.iter().filter_map(|path| fs::read_to_string(path).ok()).map(|text| text.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_linked_is_named_and_the_same_text_once() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c"] {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("LICENSE-MIT"), "Permission is granted\n").unwrap();
            fs::write(folder.path().join(name).join("lib.rs"), "").unwrap();
        }
        let package = |name: &str, source: Value| {
            serde_json::json!({ "id": name, "name": name, "version": "1.0.0", "license": "MIT", "source": source,
                "manifest_path": folder.path().join(name).join("Cargo.toml") })
        };
        let dependency = |name: &str, kind: Value| serde_json::json!({ "pkg": name, "dep_kinds": [{ "kind": kind }] });
        let node = |name: &str, deps: Vec<Value>| serde_json::json!({ "id": name, "deps": deps });
        let metadata = serde_json::json!({
            "packages": [package(PROGRAM, Value::Null), package("a", "registry".into()), package("b", "registry".into()),
                package("c", "registry".into())],
            "resolve": { "nodes": [
                node(PROGRAM, vec![dependency("a", Value::Null), dependency("c", "dev".into())]),
                node("a", vec![dependency("b", Value::Null)]), node("b", vec![]), node("c", vec![]),
            ] },
        });
        let linked = linked(&metadata).unwrap();
        assert_eq!(linked.iter().copied().collect::<Vec<_>>(), ["a", "b"]);
        let text = notices(&metadata, &linked);
        assert!(text.contains("a 1.0.0, b 1.0.0\n") && !text.contains("c 1.0.0"), "{text}");
        assert_eq!(text.matches("Permission is granted").count(), 1);
    }
}
