use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tempfile::TempDir;

use super::build::Writer;
use crate::capture::record::Order;
use crate::capture::{Content, Inputs, Merged, Options, expand, open, sha256_of};

fn capture(seconds: &[u32]) -> Vec<u8> {
    let mut file = Writer::new(Order::Little);
    file.pcap(0xa1b2_c3d4, 1);
    for second in seconds {
        file.record(*second, 0, 4, &second.to_le_bytes());
    }
    file.bytes
}

fn write(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    path
}

fn names(inputs: &Inputs) -> Vec<&str> {
    inputs.list.iter().map(|input| input.name.as_str()).collect()
}

/// Second, source and frame of every packet.
fn run(inputs: &Inputs) -> (Vec<(i64, u32, u64)>, Merged) {
    let mut merged = Merged::open(&inputs.list, Options::default());
    let mut seen = Vec::new();
    while let Some(packet) = merged.next() {
        assert_eq!(packet.data, ((packet.ts.0 / 1_000_000_000) as u32).to_le_bytes());
        seen.push((packet.ts.0 / 1_000_000_000, packet.source.0, packet.frame));
    }
    (seen, merged)
}

#[test]
fn folders_are_read_by_content_in_a_stable_order() {
    let folder = TempDir::new().unwrap();
    write(&folder, "b/2.bin", &capture(&[2]));
    write(&folder, "b/1.pcap", &capture(&[1]));
    write(&folder, "a.pcap", b"no capture at all");
    write(&folder, "c", &capture(&[2]));
    write(&folder, "empty.pcap", b"");
    let inputs = expand(&[folder.path().to_owned()]);
    assert_eq!(names(&inputs), ["a.pcap", "b/1.pcap", "b/2.bin", "c", "empty.pcap"]);
    let Content::Other(error) = &inputs.list[0].content else { panic!("{:?}", inputs.list[0]) };
    assert!(error.what.contains("6e 6f 20 63 61 70 74 75 (no.captu)"), "{error}");
    assert_eq!(inputs.list[1].content, Content::Capture);
    assert_eq!(inputs.list[3].content, Content::Duplicate { of: inputs.list[2].id });
    let Content::Other(error) = &inputs.list[4].content else { panic!("{:?}", inputs.list[4]) };
    assert_eq!(error.what, "the file is empty");
    assert!(inputs.list.iter().all(|input| !input.named));
    assert_eq!(run(&inputs).0, [(1, 1, 1), (2, 2, 1)]);
}

#[test]
fn named_files_and_their_errors() {
    let folder = TempDir::new().unwrap();
    let good = write(&folder, "x/same.pcap", &capture(&[1]));
    let twin = write(&folder, "y/same.pcap", &capture(&[2]));
    let inputs = expand(&[good, twin, folder.path().join("gone.pcap"), folder.path().join("x"), PathBuf::from("-")]);
    assert_eq!(names(&inputs), ["same.pcap", "same.pcap (2)", "gone.pcap", "x/same.pcap", "-"]);
    let Content::Unreadable(error) = &inputs.list[2].content else { panic!("{:?}", inputs.list[2]) };
    assert!(error.to_string().contains("check the path"), "{error}");
    assert_eq!(inputs.list[3].content, Content::Duplicate { of: inputs.list[0].id });
    assert_eq!((inputs.list[4].named, &inputs.list[4].content), (true, &Content::Stream));
    let Err(error) = open(folder.path(), inputs.list[0].id) else { panic!("a folder") };
    assert!(error.what.contains("folder"));
}

#[cfg(unix)]
#[test]
fn links_are_followed_but_no_loop() {
    use std::os::unix::fs::symlink;
    let folder = TempDir::new().unwrap();
    write(&folder, "a/1.pcap", &capture(&[1]));
    symlink(folder.path(), folder.path().join("a/up")).unwrap();
    symlink(folder.path().join("a/1.pcap"), folder.path().join("link.pcap")).unwrap();
    symlink("nowhere", folder.path().join("broken")).unwrap();
    let inputs = expand(&[folder.path().to_owned()]);
    assert_eq!(names(&inputs), ["a/1.pcap", "link.pcap"]);
    assert_eq!(inputs.skipped.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a/up", "broken"]);
    assert_eq!(inputs.list[1].content, Content::Duplicate { of: inputs.list[0].id });
}

#[test]
fn packets_come_by_time_then_source_then_frame() {
    let folder = TempDir::new().unwrap();
    write(&folder, "0", &capture(&[1, 5, 5, 9]));
    write(&folder, "1", &capture(&[2, 5, 8, 10]));
    // Its clock steps back from 6 to 3: the packets after keep their place behind 6.
    write(&folder, "2", &capture(&[6, 3, 4, 7]));
    let (seen, merged) = run(&expand(&[folder.path().to_owned()]));
    let expected = [
        (1, 0, 1),
        (2, 1, 1),
        (5, 0, 2),
        (5, 0, 3),
        (5, 1, 2),
        (6, 2, 1),
        (3, 2, 2),
        (4, 2, 3),
        (7, 2, 4),
        (8, 1, 3),
        (9, 0, 4),
        (10, 1, 4),
    ];
    assert_eq!(seen, expected);
    assert_eq!(merged.reports().iter().map(|r| r.facts.backwards).collect::<Vec<_>>(), [0, 0, 1]);
}

#[test]
fn a_failing_source_stops_alone() {
    let folder = TempDir::new().unwrap();
    write(&folder, "0", &capture(&[1, 4]));
    let cut = capture(&[2, 3]);
    write(&folder, "1", &cut[..cut.len() - 1]);
    write(&folder, "2", &cut[..30]);
    let inputs = expand(&[folder.path().to_owned()]);
    let (seen, merged) = run(&inputs);
    assert_eq!(seen, [(1, 0, 1), (2, 1, 1), (4, 0, 2)]);
    let reports = merged.reports();
    assert_eq!(reports.iter().map(|r| r.error.is_some()).collect::<Vec<_>>(), [false, true, true]);
    let error = reports[1].error.clone().unwrap();
    assert_eq!((error.what.as_str(), error.offset, reports[1].facts.packets), ("cut short mid-packet", 24 + 20, 1));
    // Hashed while read, also where reading stopped early.
    for (report, input) in reports.iter().zip(&inputs.list) {
        assert_eq!((report.sha256, input.sha256), (sha256_of(&input.path).ok(), None));
    }
}

#[test]
fn a_file_that_goes_away_before_its_turn_is_reported() {
    let folder = TempDir::new().unwrap();
    write(&folder, "0", &capture(&[1, 2]));
    let second = write(&folder, "1", &capture(&[9]));
    let inputs = expand(&[folder.path().to_owned()]);
    let mut merged = Merged::open(&inputs.list, Options::default());
    assert!(merged.next().is_some());
    fs::remove_file(second).unwrap();
    assert!(merged.next().is_some());
    assert!(merged.next().is_none());
    assert!(merged.next().is_none());
    assert!(merged.reports()[1].error.as_ref().unwrap().what.contains("cannot be read"));
}

#[test]
fn many_captures_need_few_open_files() {
    let folder = TempDir::new().unwrap();
    for n in 0..600u32 {
        write(&folder, &format!("{n:04}.pcap"), &capture(&[n * 10, n * 10 + 1]));
    }
    let inputs = expand(&[folder.path().to_owned()]);
    let mut merged = Merged::open(&inputs.list, Options::default());
    let mut count = 0u32;
    let mut most = 0;
    while let Some(packet) = merged.next() {
        assert_eq!(packet.source.0, count / 2);
        count += 1;
        most = most.max(open_files());
    }
    assert_eq!(count, 1_200);
    assert!(most < 100, "{most} files were open");
}

/// Open files of this process, where the system tells.
fn open_files() -> usize {
    fs::read_dir(Path::new("/proc/self/fd")).map_or(0, Iterator::count)
}

#[test]
fn one_after_another_keeps_the_order_of_the_list() {
    let folder = TempDir::new().unwrap();
    write(&folder, "0", &capture(&[5, 6]));
    write(&folder, "1", &capture(&[1, 2]));
    let inputs = expand(&[folder.path().to_owned()]);
    let mut merged = Merged::open(&inputs.list, Options { one_after_another: true });
    let mut seen = Vec::new();
    while let Some(packet) = merged.next() {
        seen.push((packet.source.0, packet.frame));
    }
    assert_eq!(seen, [(0, 1), (0, 2), (1, 1), (1, 2)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn merging_is_a_sort_by_running_maximum(times in prop::collection::vec(prop::collection::vec(0u32..20, 1..8), 1..6)) {
        let folder = TempDir::new().unwrap();
        let mut expected = Vec::new();
        for (source, seconds) in times.iter().enumerate() {
            // The source's number makes the captures differ, so that none is a duplicate.
            let mut bytes = capture(seconds);
            bytes[8] = source as u8;
            write(&folder, &source.to_string(), &bytes);
            let mut latest = 0;
            for (frame, second) in (1..).zip(seconds) {
                latest = latest.max(*second);
                expected.push((latest, source as u32, frame, *second));
            }
        }
        expected.sort();
        let (seen, _) = run(&expand(&[folder.path().to_owned()]));
        let expected: Vec<_> = expected.iter().map(|(_, source, frame, second)| (i64::from(*second), *source, *frame)).collect();
        prop_assert_eq!(seen, expected);
    }
}
