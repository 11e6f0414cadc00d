//! Walks a folder for files, in a stable order and without following a loop of symbolic links.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders inside folders inside the one given.
pub const MAX_DEPTH: usize = 64;

/// Files taken from one folder and its folders.
pub const MAX_FILES: usize = 1_000_000;

/// What a walk found.
#[derive(Default)]
pub(super) struct Found {
    /// Path relative to the folder given, with `/` between its parts, and the path to open.
    pub files: Vec<(String, PathBuf)>,
    /// Relative path of what was not entered or is no file, and why.
    pub skipped: Vec<(String, &'static str)>,
    /// Folders that were entered, by their real path, so that none is read twice.
    entered: BTreeSet<PathBuf>,
}

/// Finds all files below `folder`, sorted by relative path.
pub(super) fn walk(folder: &Path) -> Found {
    let mut found = Found::default();
    enter(folder, "", 0, &mut found);
    found
}

fn enter(folder: &Path, name: &str, depth: usize, found: &mut Found) {
    let skip = |found: &mut Found, why| found.skipped.push((name.to_owned(), why));
    if depth > MAX_DEPTH {
        return skip(found, "folders are nested too deep");
    }
    let Ok(real) = folder.canonicalize() else { return skip(found, "the folder cannot be read") };
    if !found.entered.insert(real) {
        return skip(found, "a symbolic link leads to a folder that was read already");
    }
    let Ok(entries) = fs::read_dir(folder) else { return skip(found, "the folder cannot be read") };
    let mut entries: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    entries.sort();
    for path in entries {
        let last = path.file_name().map(|last| last.to_string_lossy().into_owned()).unwrap_or_default();
        let name = if name.is_empty() { last } else { format!("{name}/{last}") };
        // Follows symbolic links: a folder of links to captures is a usual way to select some.
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => enter(&path, &name, depth + 1, found),
            Ok(metadata) if !metadata.is_file() => found.skipped.push((name, "it is a pipe, socket or device")),
            Err(_) => found.skipped.push((name, "a symbolic link leads nowhere, or it cannot be read")),
            Ok(_) if found.files.len() >= MAX_FILES => found.skipped.push((name, "there are too many files")),
            Ok(_) => found.files.push((name, path)),
        }
    }
}
