//! Which segment a capture belongs to.

use quaywatch_model::{SegmentId, SiteModel};
use quaywatch_wire::capture::Input;

/// Segments of a run: a name for each number, and the number of each input.
pub(crate) struct Segments {
    pub(crate) names: Vec<String>,
    by_source: Vec<SegmentId>,
}

impl Segments {
    /// By the site model's patterns; a capture that none names, or without a model, gets a segment of its own
    /// name, rotated files of one capture the same.
    pub(crate) fn new(inputs: &[Input], site: Option<&SiteModel>) -> Segments {
        let mut segments = Segments { names: Vec::new(), by_source: Vec::new() };
        for input in inputs {
            let file = file_name(&input.name);
            let name = site.and_then(|site| site.segment_of(file)).map_or_else(|| unrotated(file), str::to_owned);
            let number = segments.number(name);
            segments.by_source.push(number);
        }
        segments
    }

    fn number(&mut self, name: String) -> SegmentId {
        let at = self.names.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.names.push(name);
            self.names.len() - 1
        });
        SegmentId(u16::try_from(at).unwrap_or(u16::MAX))
    }

    pub(crate) fn of(&self, source: quaywatch_model::SourceId) -> SegmentId {
        self.by_source.get(source.0 as usize).copied().unwrap_or_default()
    }
}

fn file_name(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

/// A capture's name without its endings and without what rotation adds: `_00003_20261102080000` of dumpcap, a number
/// behind the ending of tcpdump, a date of eight digits or more.
fn unrotated(file: &str) -> String {
    let mut stem = file;
    for ending in [".gz", ".zst", ".zstd"] {
        stem = stem.strip_suffix(ending).unwrap_or(stem);
    }
    let without_count = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    for candidate in [stem, without_count] {
        if let Some(bare) = [".pcapng", ".pcap", ".cap"].iter().find_map(|ending| candidate.strip_suffix(ending)) {
            stem = bare;
            break;
        }
    }
    let pieces: Vec<&str> = stem.split(['_', '-']).collect();
    let digits = |piece: &&str, least: usize| piece.len() >= least && piece.bytes().all(|b| b.is_ascii_digit());
    let rotation = match pieces.as_slice() {
        [.., count, date] if digits(date, 14) && digits(count, 5) => count.len() + date.len() + 2,
        [.., date, time] if digits(date, 8) && digits(time, 4) => date.len() + time.len() + 2,
        [.., date] if digits(date, 8) => date.len() + 1,
        _ => 0,
    };
    let bare = stem.len().checked_sub(rotation).and_then(|length| stem.get(..length)).filter(|bare| !bare.is_empty());
    match bare.unwrap_or(stem) {
        "-" | "" => "standard-input".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotated_files_of_one_capture_are_one_segment_and_cranes_stay_apart() {
        for (file, segment) in [
            ("crane-1.pcapng", "crane-1"),
            ("crane-2.pcap.gz", "crane-2"),
            ("yard_00001_20261102080000.pcapng", "yard"),
            ("yard_00002_20261102090000.pcapng", "yard"),
            ("dump.pcap3", "dump"),
            ("core-20261102.pcap.zst", "core"),
            ("core-20261102-0800.pcap", "core"),
            ("20261102.pcap", "20261102"),
            ("-", "standard-input"),
            ("noending", "noending"),
        ] {
            assert_eq!(unrotated(file), segment, "{file}");
        }
    }
}
