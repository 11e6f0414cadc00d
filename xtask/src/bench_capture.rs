//! Makes the large capture that speed is measured on, out of a folder of small ones, with public tools.
//!
//! docs/benchmarks.md says what it is. The same captures and the same tools give the same bytes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Rounds laid side by side unless told otherwise: about 400 MB from captures of 30 MB.
pub(crate) const ROUNDS: u32 = 13;

/// Where the round starts, seconds since 1970.
const START: f64 = 1_700_000_000.0;
/// Seconds between the starts of two rounds.
const ROUND_STEP: f64 = 0.371;
/// A capture below this many bytes is not taken.
const LEAST_BYTES: u64 = 10 * 1024;
/// A capture that spans more seconds is not taken: some are pasted together from years apart.
const MOST_SECONDS: f64 = 21_600.0;
/// Folders of captures that are wrong on purpose.
const LEFT_OUT: &[&str] = &["malformed", "capture-formats"];

const TOOLS: &[&str] = &["capinfos", "editcap", "mergecap", "tcprewrite"];

/// Makes `out` from the captures below `folder`.
pub(crate) fn make(folder: &Path, out: &Path, rounds: u32) -> Result<(), String> {
    for tool in TOOLS {
        if !runs(Command::new(tool).arg("--version")) {
            return Err(format!("{tool} cannot be run: install the Debian packages wireshark-common and tcpreplay"));
        }
    }
    let work = Workshop::open(out)?;
    let mut pieces = Vec::new();
    for capture in captures(folder)? {
        let piece = work.file(&format!("piece-{:04}.pcap", pieces.len()));
        if shifted(&capture, pieces.len(), &piece) && is_rewritable(&piece, &work.file("try")) {
            pieces.push(piece);
        }
    }
    if pieces.is_empty() {
        return Err(format!("{} holds no capture that can be taken", folder.display()));
    }
    println!("bench-capture: {} captures make a round, {rounds} rounds", pieces.len());
    let round = work.file("round.pcap");
    merge(&pieces, &round)?;
    let mut copies = Vec::new();
    for number in 1..=rounds {
        let copy = work.file(&format!("round-{number:03}.pcap"));
        let rewritten = work.file("rewritten.pcap");
        if !rewrite(number, &round, &rewritten) {
            return Err(format!("tcprewrite failed in round {number}"));
        }
        if !shift(f64::from(number) * ROUND_STEP, &["-F", "pcap"], &rewritten, &copy) {
            return Err(format!("editcap failed in round {number}"));
        }
        copies.push(copy);
    }
    merge(&copies, out)?;
    let told = answer(&["-c", "-s", "-u"], out).unwrap_or_default();
    println!("bench-capture: {}: {}", out.display(), told.replace('\t', " "));
    Ok(())
}

/// A folder beside the result that is gone afterwards.
struct Workshop(PathBuf);

impl Workshop {
    fn open(out: &Path) -> Result<Workshop, String> {
        let mut name = out.as_os_str().to_owned();
        name.push(".work");
        let folder = PathBuf::from(name);
        fs::create_dir_all(&folder).map_err(|bad| format!("{} cannot be made: {bad}", folder.display()))?;
        Ok(Workshop(folder))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // What is left behind costs space only.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Captures below a folder that are large enough, sorted by path.
fn captures(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).map_err(|bad| format!("{} cannot be read: {bad}", folder.display()))?;
        for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let is_capture = path.extension().is_some_and(|ending| ending == "pcap" || ending == "pcapng");
            if path.is_dir() {
                if !LEFT_OUT.contains(&name) {
                    folders.push(path);
                }
            } else if is_capture && fs::metadata(&path).is_ok_and(|facts| facts.len() > LEAST_BYTES) {
                found.push(path);
            }
        }
    }
    // As text, so that the order is that of `sort` in the C locale.
    found.sort_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
    Ok(found)
}

/// Writes a capture moved to its place in the round; false if it is not fit for it.
fn shifted(capture: &Path, number: usize, piece: &Path) -> bool {
    let fact = |option: &str| answer(&["-T", "-r", "-S", option], capture);
    if fact("-E").is_none_or(|kind| kind != "ether") {
        return false;
    }
    let second = |option: &str| fact(option)?.parse::<f64>().ok();
    let (Some(first), Some(length)) = (second("-a"), second("-u")) else { return false };
    if !(0.0..=MOST_SECONDS).contains(&length) {
        return false;
    }
    let number = number as f64;
    let by = START + (number * 7.0) % 60.0 + number / 1000.0 - first;
    shift(by, &["-F", "pcap", "-T", "ether"], capture, piece)
}

/// One fact of a capture as `capinfos` tells it, or all facts asked for; `None` if it cannot be read to its end.
fn answer(options: &[&str], capture: &Path) -> Option<String> {
    let output = public("capinfos").args(options).arg(capture).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    if options.contains(&"-T") {
        return Some(text.trim_end().split('\t').nth(1)?.to_owned());
    }
    Some(text.lines().skip(1).map(str::trim).collect::<Vec<_>>().join("; "))
}

fn shift(seconds: f64, options: &[&str], from: &Path, to: &Path) -> bool {
    let done = runs(public("editcap").args(options).arg("-t").arg(format!("{seconds:.6}")).args([from, to]));
    if !done {
        let _ = fs::remove_file(to);
    }
    done
}

/// One packet cut off inside its UDP header stops `tcprewrite`: such a capture is left out.
fn is_rewritable(piece: &Path, attempt: &Path) -> bool {
    let done = rewrite(1, piece, attempt);
    if !done {
        let _ = fs::remove_file(piece);
    }
    done
}

/// Gives both ends of every conversation new addresses, the same ones for the same seed.
fn rewrite(seed: u32, from: &Path, to: &Path) -> bool {
    let option = |name: &str, path: &Path| format!("--{name}={}", path.display());
    runs(public("tcprewrite").arg(format!("--seed={seed}")).args([option("infile", from), option("outfile", to)]))
}

fn merge(from: &[PathBuf], to: &Path) -> Result<(), String> {
    if runs(public("mergecap").args(["-F", "pcap", "-w"]).arg(to).args(from)) {
        return Ok(());
    }
    Err(format!("mergecap failed on {}", to.display()))
}

fn public(tool: &str) -> Command {
    let mut command = Command::new(tool);
    command.env("LC_ALL", "C").env("TZ", "UTC");
    command
}

fn runs(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|done| done.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_fit_files_are_taken_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in ["b", "a", "malformed"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        let large = vec![0; LEAST_BYTES as usize + 1];
        for (name, content) in [
            ("b/x.pcap", &large),
            ("a/y.pcapng", &large),
            ("malformed/z.pcap", &large),
            ("a/small.pcap", &vec![0]),
            ("a/n.txt", &large),
        ] {
            fs::write(root.join(name), content).unwrap();
        }
        assert_eq!(captures(root).unwrap(), [root.join("a/y.pcapng"), root.join("b/x.pcap")]);
        assert!(captures(&root.join("none")).is_err());
    }
}
