//! Development tasks: `cargo xtask tidy`, `docs`, `notices`, `bench-capture`, `bench`.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command for the terminal")]

mod bench;
mod bench_capture;
mod code_text;
mod notices;
mod reference;
mod tidy;
mod tree;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tree::Tree;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  tidy                              check the rules of the house: imports, registries, sizes, names, words, links
  docs [--check]                    write docs/reference/ from the registries; --check only says what is stale
  notices OUT                       write the licences of what the binary is linked from
  bench-capture FOLDER OUT [ROUNDS] make the large capture of docs/benchmarks.md from a folder of captures
  bench CAPTURE [QUAYWATCH]         decode a capture with quaywatch and with public tools, and print what each took
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["tidy"] => run_tidy(),
        ["docs"] => Tree::read(&root()).and_then(|tree| reference::write(&root(), &tree)),
        ["docs", "--check"] => Tree::read(&root()).and_then(|tree| reference::check(&tree)),
        ["notices", out] => notices::write(&root(), Path::new(out)),
        ["bench-capture", folder, out] => bench_capture::make(Path::new(folder), Path::new(out), bench_capture::ROUNDS),
        ["bench-capture", folder, out, rounds] => match rounds.parse() {
            Ok(rounds) => bench_capture::make(Path::new(folder), Path::new(out), rounds),
            Err(_) => return usage(&format!("ROUNDS is a number, not `{rounds}`")),
        },
        ["bench", capture] => bench::run(Path::new(capture), &root().join("target/release/quaywatch")),
        ["bench", capture, binary] => bench::run(Path::new(capture), Path::new(binary)),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        [] => return usage("no command given"),
        [other, ..] => return usage(&format!("`{other}` with these arguments is no command")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn usage(message: &str) -> ExitCode {
    eprintln!("{message}\n\n{USAGE}");
    ExitCode::from(2)
}

/// The workspace that this program was built in.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
}

fn run_tidy() -> Result<(), String> {
    let tree = Tree::read(&root())?;
    let problems = tidy::check(&tree);
    if problems.is_empty() {
        println!("tidy: {} files, {} rules, nothing to say", tree.len(), tidy::RULES.len());
        return Ok(());
    }
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Err(format!("{}\ntidy: {} problems", lines.join("\n"), problems.len()))
}
