//! Every shared capture against what tshark says of it.

use std::io::Read;
use std::path::{Path, PathBuf};

use quaywatch_model::{SourceId, Timestamp};

use crate::capture::{Merged, Options, Source, expand, open};
use crate::packet::PacketSource;

/// The folder of shared captures, or `None` (said so) where it is absent.
fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures");
    if folder.join("oracle/files.tsv.gz").is_file() {
        return Some(folder);
    }
    println!("passed without a check: no shared captures beside the repository");
    None
}

struct Line {
    file: String,
    frames: u64,
    bytes: u64,
    first: Option<f64>,
    last: Option<f64>,
    complaint: String,
}

fn oracle(folder: &Path) -> Vec<Line> {
    let packed = std::fs::File::open(folder.join("oracle/files.tsv.gz")).unwrap();
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(packed).read_to_string(&mut text).unwrap();
    let lines = text.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        Line {
            file: cells[0].to_owned(),
            frames: cells[1].parse().unwrap(),
            bytes: cells[2].parse().unwrap(),
            first: cells[3].parse().ok(),
            last: cells[4].parse().ok(),
            complaint: cells.get(5).copied().unwrap_or_default().to_owned(),
        }
    });
    lines.collect()
}

/// Equal within the microsecond that the oracle's rounding leaves; times past the year 2262 are not representable.
fn same_instant(ours: Option<Timestamp>, theirs: Option<f64>) -> bool {
    match (ours, theirs) {
        (None, None) => true,
        (Some(ours), Some(theirs)) => ours.0 == i64::MAX && theirs > 9e9 || (ours.0 as f64 / 1e9 - theirs).abs() < 2e-6,
        _ => false,
    }
}

fn read_all(mut source: Source) -> (Source, Option<String>) {
    loop {
        match source.next() {
            Ok(Some(_)) => {}
            Ok(None) => return (source, None),
            Err(error) => return (source, Some(error.to_string())),
        }
    }
}

#[test]
fn frames_bytes_and_times_equal_tshark() {
    let Some(folder) = folder() else { return };
    let mut wrong = Vec::new();
    for line in oracle(&folder) {
        let (source, error) = match open(&folder.join(&line.file), SourceId(0)) {
            Ok(source) => read_all(source),
            Err(error) => {
                wrong.push(format!("{}: {error}", line.file));
                continue;
            }
        };
        let facts = source.facts();
        let ours = (facts.packets, facts.wire_bytes);
        let complains = error.is_some() || facts.damaged > 0;
        let same = if line.complaint.is_empty() {
            let times = same_instant(facts.first, line.first) && same_instant(facts.last, line.last);
            ours == (line.frames, line.bytes) && times && !complains
        } else {
            // tshark stops where it complains; we may go on behind a damaged block.
            facts.packets >= line.frames
        };
        if !same {
            wrong.push(format!(
                "{}: {ours:?} {:?} {:?} {error:?} damaged {}, tshark {:?} {:?} {:?} {}",
                line.file,
                facts.first,
                facts.last,
                facts.damaged,
                (line.frames, line.bytes),
                line.first,
                line.last,
                line.complaint
            ));
        }
    }
    assert!(wrong.is_empty(), "{} captures differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn all_at_once_gives_the_same_packets_in_order_of_time() {
    let Some(folder) = folder() else { return };
    let inputs = expand(std::slice::from_ref(&folder));
    let mut merged = Merged::open(&inputs.list, Options::default());
    let mut frames = vec![0u64; inputs.list.len()];
    let mut latest = vec![Timestamp(i64::MIN); inputs.list.len()];
    let mut run = Timestamp(i64::MIN);
    while let Some(packet) = merged.next() {
        let index = packet.source.0 as usize;
        assert!(packet.frame > frames[index]);
        frames[index] = packet.frame;
        latest[index] = latest[index].max(packet.ts);
        assert!(latest[index] >= run, "merged by running maximum");
        run = latest[index];
    }
    let reports = merged.reports();
    for line in oracle(&folder) {
        let Some(report) = reports.iter().find(|report| report.name == line.file) else {
            panic!("{} was not read", line.file)
        };
        assert!(report.facts.packets >= line.frames, "{}", line.file);
    }
}
