//! Runs quaywatch and public tools over one capture, and prints what each took of processor, time and memory.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs of quaywatch; the one in the middle counts. The others run once: they take far longer than their scatter.
const RUNS: usize = 3;

const TIME: &str = "/usr/bin/time";

/// What one run took.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Cost {
    user: f64,
    system: f64,
    wall: f64,
    peak_kib: f64,
}

impl Cost {
    fn processor(self) -> f64 {
        self.user + self.system
    }

    /// Reads what `time -f '%U %S %e %M'` wrote last.
    fn parse(text: &str) -> Option<Cost> {
        let mut numbers = text.lines().last()?.split(' ').map(str::parse::<f64>);
        let mut next = || numbers.next()?.ok();
        Some(Cost { user: next()?, system: next()?, wall: next()?, peak_kib: next()? })
    }
}

/// Measures all tools that are there on `capture`.
pub(crate) fn run(capture: &Path, quaywatch: &Path) -> Result<(), String> {
    if !capture.is_file() {
        return Err(format!("{} is not there: make it with `make bench`", capture.display()));
    }
    if !quaywatch.is_file() {
        return Err(format!(
            "{} is not there: build it with `cargo build --release -p quaywatch`",
            quaywatch.display()
        ));
    }
    let mut name = capture.as_os_str().to_owned();
    name.push(".bench");
    let work = Path::new(&name);
    fs::create_dir_all(work).map_err(|bad| format!("{} cannot be made: {bad}", work.display()))?;
    let measured = measure_all(capture, quaywatch, work);
    // What is left behind costs space only.
    let _ = fs::remove_dir_all(work);
    measured
}

fn measure_all(capture: &Path, quaywatch: &Path, work: &Path) -> Result<(), String> {
    println!("| program | CPU s (user + system) | wall s | peak MiB |\n|---|---|---|---|");
    let store = work.join("store");
    let mut costs = Vec::new();
    for _ in 0..RUNS {
        let _ = fs::remove_dir_all(&store);
        let decode = [
            quaywatch.as_os_str(),
            "decode".as_ref(),
            "-r".as_ref(),
            capture.as_os_str(),
            "-o".as_ref(),
            store.as_os_str(),
        ];
        costs.push(measure(&decode, work)?);
    }
    costs.sort_by(|a, b| a.processor().total_cmp(&b.processor()));
    let own = costs.get(RUNS / 2).copied().ok_or("quaywatch was not run")?;
    println!("{}", row("`quaywatch decode`", own));
    let tshark =
        ["tshark".as_ref(), "-q".as_ref(), "-z".as_ref(), "io,phs".as_ref(), "-r".as_ref(), capture.as_os_str()];
    if is_there("tshark") {
        let cost = measure(&tshark, work)?;
        println!("{}", row("`tshark -q -z io,phs`", cost));
        println!("\nquaywatch takes 1/{:.1} of tshark's processor time", cost.processor() / own.processor());
    } else {
        println!("| `tshark` | not installed | | |");
    }
    if is_there("suricata") {
        let suricata = [
            "suricata".as_ref(),
            "-r".as_ref(),
            capture.as_os_str(),
            "-S".as_ref(),
            "/dev/null".as_ref(),
            "-l".as_ref(),
            work.as_os_str(),
        ];
        println!("\n{}", row("`suricata -r` without rules", measure(&suricata, work)?));
    }
    Ok(())
}

/// Whether a program is found. It is not run: what one takes for the question of its version starts a live capture in the next.
fn is_there(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    Path::new(program).is_file() || std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

fn measure(command: &[&std::ffi::OsStr], work: &Path) -> Result<Cost, String> {
    let log = work.join("time");
    let shown = command.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let status = Command::new(TIME)
        .args(["-f", "%U %S %e %M", "-o"])
        .arg(&log)
        .args(command)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|bad| format!("{TIME} cannot be run: {bad}; install the Debian package time"))?;
    if !status.success() {
        return Err(format!("{shown} failed: {status}"));
    }
    let text = fs::read_to_string(&log).map_err(|bad| format!("{} cannot be read: {bad}", log.display()))?;
    Cost::parse(&text).ok_or_else(|| format!("{TIME} wrote `{}`", text.trim()))
}

fn row(program: &str, cost: Cost) -> String {
    let Cost { user, system, wall, peak_kib } = cost;
    format!("| {program} | {:.2} ({user:.2} + {system:.2}) | {wall:.2} | {:.0} |", cost.processor(), peak_kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_read_and_shown() {
        let cost = Cost::parse("Command exited\n1.50 0.25 1.80 102400\n").unwrap();
        assert_eq!(row("`x`", cost), "| `x` | 1.75 (1.50 + 0.25) | 1.80 | 100 |");
        assert_eq!(Cost::parse("nonsense"), None);
    }

    #[test]
    fn what_is_missing_is_told_with_its_remedy() {
        assert!(run(Path::new("no.pcap"), Path::new("no")).unwrap_err().contains("make bench"));
    }
}
