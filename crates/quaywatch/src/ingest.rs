//! Captures in, evidence out.

use std::path::PathBuf;

use quaywatch_evidence::Evidence;
use quaywatch_model::{At, SourceId};
use quaywatch_protocols::PROTOCOLS;
use quaywatch_protocols::engine::{self, Engine};
use quaywatch_wire::capture::{self, Content, Input, Inputs, Merged, SourceReport};
use serde::Serialize;

use crate::exit::Failure;
use crate::progress::Progress;
use crate::segments::Segments;

/// Packets between two looks at progress and at the disk.
const LOOK_EVERY: u64 = 4096;

/// A row of table `inputs`.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct InputRow {
    #[serde(skip)]
    pub(crate) source: SourceId,
    #[serde(skip)]
    pub(crate) name: String,
    /// Whether the user is to be told, and the exit code shows it.
    #[serde(skip)]
    pub(crate) at_fault: bool,
    pub(crate) kind: String,
    pub(crate) status: String,
    pub(crate) reason: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    pub(crate) packets: Option<u64>,
    pub(crate) dropped: Option<u64>,
    pub(crate) rows: Option<u64>,
    pub(crate) rejected: Option<u64>,
}

/// Lower-case hex of a digest; empty without one.
pub(crate) fn hex(digest: Option<[u8; 32]>) -> String {
    use std::fmt::Write as _;
    digest.iter().flatten().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The inputs that paths name.
pub(crate) fn expand(paths: &[PathBuf]) -> Inputs {
    capture::expand(paths)
}

/// Decodes all captures among `inputs` into `evidence`.
///
/// # Errors
/// The evidence cannot be written. Captures at fault are told in the rows returned.
pub(crate) fn decode(
    inputs: &Inputs,
    segments: &Segments,
    evidence: &mut Evidence,
    progress: &Progress,
) -> Result<Vec<InputRow>, Failure> {
    let mut engine = Engine::new(PROTOCOLS, engine::Options::default());
    let mut merged = Merged::open(&inputs.list, capture::Options::default());
    let (mut packets, mut bytes) = (0u64, 0u64);
    while let Some(packet) = merged.next() {
        engine.packet(&packet, segments.of(packet.source), evidence);
        packets += 1;
        bytes += packet.data.len() as u64 + 16;
        if packets.is_multiple_of(LOOK_EVERY) {
            progress.add(std::mem::take(&mut bytes));
            if evidence.failed().is_some() {
                break;
            }
        }
    }
    engine.finish(evidence);
    evidence.flush().map_err(Failure::failed)?;
    let reports = merged.reports();
    Ok(inputs
        .list
        .iter()
        .map(|input| row(input, reports.iter().find(|report| report.id == input.id), inputs))
        .collect())
}

fn row(input: &Input, report: Option<&SourceReport>, inputs: &Inputs) -> InputRow {
    let mut row = InputRow {
        source: input.id,
        name: input.name.clone(),
        kind: "capture".to_owned(),
        status: "read".to_owned(),
        bytes: input.bytes,
        sha256: hex(input.sha256),
        ..InputRow::default()
    };
    match &input.content {
        Content::Capture | Content::Stream => {
            if let Some(report) = report {
                read(&mut row, report);
            }
        }
        Content::Duplicate { of } => {
            let first = inputs.list.get(of.0 as usize).map_or("another input", |input| input.name.as_str());
            row.status = "duplicate".to_owned();
            row.reason = format!("the same bytes as {first}; read once");
        }
        Content::Other(error) => {
            // In a folder other files are to be expected; one that is named as a capture is not to be passed over.
            row.at_fault = input.named || is_named_as_capture(&input.name);
            row.kind = String::new();
            row.status = if row.at_fault { "rejected" } else { "ignored" }.to_owned();
            row.reason = error.to_string();
        }
        Content::Unreadable(error) => {
            row.kind = String::new();
            row.status = "rejected".to_owned();
            row.reason = error.to_string();
            row.at_fault = true;
        }
    }
    row
}

fn is_named_as_capture(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let bare = [".gz", ".zst"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    [".pcap", ".pcapng", ".cap"].iter().any(|ending| bare.ends_with(ending))
}

fn read(row: &mut InputRow, report: &SourceReport) {
    let facts = &report.facts;
    row.packets = Some(facts.packets);
    row.dropped = facts.dropped;
    if row.sha256.is_empty() {
        row.sha256 = hex(report.sha256);
    }
    let mut reasons = Vec::new();
    if let Some(error) = report.error.as_ref().or(facts.first_damage.as_ref()) {
        row.at_fault = true;
        row.status = if facts.packets == 0 { "rejected" } else { "partly-read" }.to_owned();
        reasons.push(error.to_string());
    }
    if facts.backwards > 0 {
        reasons.push(format!("its clock steps back {} times; the packets were read in file order", facts.backwards));
    }
    if facts.untimed > 0 {
        reasons.push(format!("{} packets have no time and were given that of the packet before", facts.untimed));
    }
    row.reason = reasons.join("; ");
}

/// Writes the rows of table `inputs`.
///
/// # Errors
/// They cannot be written.
pub(crate) fn record(rows: &[InputRow], evidence: &mut Evidence) -> Result<(), Failure> {
    for row in rows {
        let place = At { source: row.source, ..At::default() };
        evidence.push("inputs", Some(place), row).map_err(Failure::failed)?;
    }
    Ok(())
}
