//! The case folder: made, replaced only if it is one, and listed in its manifest.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::exit::Failure;
use crate::ingest::{InputRow, hex};

/// Name of the manifest.
const MANIFEST: &str = "manifest.json";

fn cannot(path: &Path, what: &str, cause: &io::Error) -> Failure {
    let remedy = match cause.kind() {
        io::ErrorKind::StorageFull => "make room or choose another disk with -o",
        io::ErrorKind::PermissionDenied => "choose a folder that you may write with -o",
        _ => "choose another folder with -o",
    };
    Failure::failed(format!("{}: {what}: {cause}; {remedy}", path.display()))
}

/// Makes the folder `path` for a case or store.
///
/// # Errors
/// It exists and may not be replaced, or cannot be made.
pub(crate) fn make(path: &Path, overwrite: bool) -> Result<(), Failure> {
    let occupied = match fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_some(),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => false,
        Err(cause) if cause.kind() == io::ErrorKind::NotADirectory => {
            return Err(cannot(path, "a file stands in the way", &cause));
        }
        Err(cause) => return Err(cannot(path, "cannot be read", &cause)),
    };
    if occupied {
        let ours = path.join(MANIFEST).is_file() || path.join("evidence").is_dir();
        if !ours {
            let what = "the folder holds other files and is no case";
            return Err(Failure::failed(format!("{}: {what}; choose another folder with -o", path.display())));
        }
        if !overwrite {
            let remedy = "choose another folder with -o, or replace it with --overwrite";
            return Err(Failure::failed(format!("{}: the case exists; {remedy}", path.display())));
        }
        clear(path)?;
    }
    fs::create_dir_all(path).map_err(|cause| cannot(path, "cannot be made", &cause))
}

/// Removes what a case holds, and nothing that a user may have put beside it.
fn clear(path: &Path) -> Result<(), Failure> {
    let evidence = path.join("evidence");
    if evidence.is_dir() {
        fs::remove_dir_all(&evidence).map_err(|cause| cannot(&evidence, "cannot be removed", &cause))?;
    }
    for name in ["site.toml", "inventory.json", "findings.json", "report.html", MANIFEST] {
        let file = path.join(name);
        match fs::remove_file(&file) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                return Err(cannot(&file, "cannot be removed", &cause));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Writes a file of the case; it appears under its name only when it is whole.
///
/// # Errors
/// It cannot be written.
pub(crate) fn write(
    case: &Path,
    name: &str,
    content: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let (path, unfinished) = (case.join(name), case.join(format!("{name}.tmp")));
    let written = File::create(&unfinished).and_then(|file| {
        let mut out = BufWriter::new(file);
        content(&mut out)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_data()?;
        fs::rename(&unfinished, &path)
    });
    written.map_err(|cause| cannot(&path, "cannot be written", &cause))
}

/// Writes the manifest: tool, arguments, every input and every output with its SHA-256.
///
/// # Errors
/// An output cannot be read back, or the manifest cannot be written.
pub(crate) fn manifest(case: &Path, inputs: &[InputRow]) -> Result<(), Failure> {
    let inputs: Vec<Value> = inputs
        .iter()
        .map(|input| json!({ "name": input.name, "kind": input.kind, "status": input.status, "bytes": input.bytes, "sha256": input.sha256 }))
        .collect();
    let mut files = Vec::new();
    collect(case, &mut files).map_err(|cause| cannot(case, "cannot be read back", &cause))?;
    files.sort();
    let mut outputs = Vec::new();
    for path in &files {
        let digest = digest(path).map_err(|cause| cannot(path, "cannot be read back", &cause))?;
        let name = path.strip_prefix(case).unwrap_or(path).display().to_string();
        outputs.push(json!({ "name": name, "sha256": hex(Some(digest)) }));
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let manifest = json!({
        "tool": "quaywatch",
        "tool_version": env!("CARGO_PKG_VERSION"),
        "arguments": arguments,
        "inputs": inputs,
        "outputs": outputs,
    });
    write(case, MANIFEST, |out| {
        serde_json::to_writer_pretty(&mut *out, &manifest)?;
        out.write_all(b"\n")
    })
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.file_name().is_some_and(|name| name != MANIFEST) {
            files.push(path);
        }
    }
    Ok(())
}

fn digest(path: &Path) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hash.finalize().into()),
            count => hash.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}
