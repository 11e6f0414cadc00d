//! Documents in, evidence out.

use std::fs;
use std::path::{Path, PathBuf};

use quaywatch_documents::{Document, DocumentReader, recognise};
use quaywatch_evidence::{Evidence, EvidenceError};
use quaywatch_model::document::{DocumentRow, RowSink};
use quaywatch_model::{At, SourceId};
use quaywatch_wire::capture::sha256_of;

use crate::ingest::{InputRow, hex};

/// Deepest folder below one given.
const MAX_DEPTH: usize = 8;
/// Rejected lines named in a message; all are counted.
const NAMED_REJECTIONS: usize = 3;

/// A file that may be a document.
pub(crate) struct Paper {
    pub(crate) path: PathBuf,
    pub(crate) name: String,
    /// Given by name, not found in a folder.
    named: bool,
}

/// The files that `paths` name, folders searched, in a stable order; what cannot be read is kept and told when it is opened.
pub(crate) fn find(paths: &[PathBuf]) -> Vec<Paper> {
    let mut papers = Vec::new();
    for path in paths {
        if path.is_dir() {
            search(path, path, 0, &mut papers);
        } else {
            let name =
                path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
            papers.push(Paper { path: path.clone(), name, named: true });
        }
    }
    papers
}

fn search(root: &Path, folder: &Path, depth: usize, papers: &mut Vec<Paper>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return papers.push(Paper { path: folder.to_owned(), name: folder.display().to_string(), named: true });
    };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.sort();
    for path in paths {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden || path.is_symlink() && path.is_dir() {
            continue;
        }
        if path.is_dir() {
            if depth < MAX_DEPTH {
                search(root, &path, depth + 1, papers);
            }
        } else {
            let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            papers.push(Paper { path, name, named: false });
        }
    }
}

/// Hands rows of a document to the evidence.
struct Rows<'e> {
    evidence: &'e mut Evidence,
    failed: Option<EvidenceError>,
}

impl RowSink for Rows<'_> {
    fn row(&mut self, at: At, row: DocumentRow<'_>) {
        if self.failed.is_none() {
            self.failed = self.evidence.push(row.table(), Some(at), &row).err();
        }
    }
}

/// Reads one document into `evidence`.
///
/// # Errors
/// The evidence cannot be written. What is wrong with the document is told in the row returned.
pub(crate) fn read(paper: &Paper, source: SourceId, evidence: &mut Evidence) -> Result<InputRow, EvidenceError> {
    let mut input = InputRow {
        source,
        name: paper.name.clone(),
        status: "rejected".to_owned(),
        bytes: fs::metadata(&paper.path).map_or(0, |facts| facts.len()),
        sha256: hex(sha256_of(&paper.path).ok()),
        ..InputRow::default()
    };
    let bytes = match quaywatch_documents::load(&paper.path) {
        Ok(bytes) => bytes,
        Err(bad) => {
            input.reason = bad.to_string();
            input.at_fault = true;
            return Ok(input);
        }
    };
    let Some(reader) = recognise(&bytes, &paper.name) else {
        let kinds: Vec<&str> = quaywatch_documents::DOCUMENTS.iter().map(|reader| reader.meta().kind).collect();
        input.status = if paper.named { "rejected" } else { "ignored" }.to_owned();
        input.at_fault = paper.named;
        input.reason = format!("no document kind that is read ({}); check its header line", kinds.join(", "));
        return Ok(input);
    };
    input.kind = reader.meta().kind.to_owned();
    take(reader, paper, source, &bytes, evidence, &mut input)?;
    Ok(input)
}

fn take(
    reader: &dyn DocumentReader,
    paper: &Paper,
    source: SourceId,
    bytes: &[u8],
    evidence: &mut Evidence,
    input: &mut InputRow,
) -> Result<(), EvidenceError> {
    let mut rows = Rows { evidence, failed: None };
    let document = Document { name: &paper.name, source, bytes };
    let reading = reader.read(&document, &mut rows);
    if let Some(failed) = rows.failed {
        return Err(failed);
    }
    match reading {
        Err(bad) => {
            input.reason = bad.to_string();
            input.at_fault = true;
        }
        Ok(reading) => {
            input.status = if reading.rejected == 0 { "read" } else { "partly-read" }.to_owned();
            input.at_fault = reading.rejected > 0;
            input.rows = Some(reading.taken);
            input.rejected = Some(reading.rejected);
            let rejections = reading.rejections.iter().take(NAMED_REJECTIONS);
            let mut reasons: Vec<String> =
                rejections.map(|line| format!("line {}: {}", line.line, line.reason)).collect();
            let more = reading.rejected.saturating_sub(reasons.len() as u64);
            if more > 0 {
                reasons.push(format!("and {more} more lines rejected"));
            }
            reasons.extend(reading.notes);
            input.reason = reasons.join("; ");
        }
    }
    Ok(())
}
