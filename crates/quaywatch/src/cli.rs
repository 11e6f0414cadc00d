//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use quaywatch_model::Timestamp;
use quaywatch_model::control::Severity;

/// Exit codes as `--help` tells them.
const EXIT_CODES: &str =
    "Exit codes: 0 done, 1 failed, 2 called wrongly, 3 done with inputs rejected, 4 done and --fail-on reached.";

/// Assesses port cranes and the OT around them from packet captures and documents. Transmits nothing.
#[derive(Parser)]
#[command(name = "quaywatch", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Captures and documents in, a case folder with a judged and evidenced assessment out
    Assess(AssessArguments),
    /// Captures in, evidence tables out: no inventory, no judgement
    Decode(DecodeArguments),
    /// SQL over the evidence of a case or store
    Query(QueryArguments),
    /// The site model
    Site {
        #[command(subcommand)]
        command: SiteCommand,
    },
    /// The controls that assess judges by
    Controls {
        #[command(subcommand)]
        command: ControlsCommand,
    },
    /// The protocols that are decoded, and how far
    Protocols(ListArguments),
}

#[derive(Subcommand)]
pub(crate) enum SiteCommand {
    /// Prints a site model drafted from a case's traffic, to be corrected by a person
    Draft(DraftArguments),
}

#[derive(Subcommand)]
pub(crate) enum ControlsCommand {
    /// Lists the controls
    List(ControlsListArguments),
    /// Shows one control with its query
    Show(ShowArguments),
}

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct AssessArguments {
    /// Captures, or folders searched for them; pcap and pcapng, plain, gzip or zstd; - for standard input
    #[arg(short = 'r', long = "read", value_name = "FILE-OR-FOLDER", num_args = 1.., required_unless_present = "documents")]
    pub(crate) read: Vec<PathBuf>,
    /// Documents, or folders of them: account lists, backups, work orders, scans, firewall configurations
    #[arg(long, value_name = "FILE-OR-FOLDER", num_args = 1..)]
    pub(crate) documents: Vec<PathBuf>,
    /// Site model; without it one is drafted and only what needs none is judged
    #[arg(long, value_name = "SITE.TOML")]
    pub(crate) site: Option<PathBuf>,
    /// Case folder to write
    #[arg(short = 'o', long = "output", value_name = "CASE", default_value = "case")]
    pub(crate) output: PathBuf,
    /// Replace the case folder if it exists
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Folder of your own controls; one with the id of a shipped control takes its place
    #[arg(long, value_name = "FOLDER")]
    pub(crate) controls: Option<PathBuf>,
    /// The instant that the assessment speaks of, RFC 3339; the last packet's if not given
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) as_of: Option<Timestamp>,
    /// End with exit code 4 if there is a finding of this severity or above
    #[arg(long, value_name = "SEVERITY", value_parser = parse_severity)]
    pub(crate) fail_on: Option<Severity>,
    /// Print the assessment as JSON instead of the summary
    #[arg(long)]
    pub(crate) json: bool,
    /// Print neither progress nor summary
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct DecodeArguments {
    /// Captures, or folders searched for them; pcap and pcapng, plain, gzip or zstd; - for standard input
    #[arg(short = 'r', long = "read", value_name = "FILE-OR-FOLDER", num_args = 1.., required = true)]
    pub(crate) read: Vec<PathBuf>,
    /// Site model, for its id and its segments
    #[arg(long, value_name = "SITE.TOML")]
    pub(crate) site: Option<PathBuf>,
    /// Store to write
    #[arg(short = 'o', long = "output", value_name = "STORE")]
    pub(crate) output: PathBuf,
    /// Replace the store if it exists
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Print neither progress nor summary
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum AnswerFormat {
    Table,
    Csv,
    Json,
}

#[derive(Args)]
pub(crate) struct QueryArguments {
    /// Case or store
    #[arg(value_name = "CASE")]
    pub(crate) case: PathBuf,
    /// The query; tables and columns stand in docs/reference/tables.md
    #[arg(value_name = "SQL")]
    pub(crate) sql: String,
    /// How to print the answer
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: AnswerFormat,
}

#[derive(Args)]
pub(crate) struct DraftArguments {
    /// Case or store
    #[arg(value_name = "CASE")]
    pub(crate) case: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    Table,
    Csv,
    Json,
}

#[derive(Args)]
pub(crate) struct ListArguments {
    /// How to print the list
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: ListFormat,
}

#[derive(Args)]
pub(crate) struct ControlsListArguments {
    #[command(flatten)]
    pub(crate) list: ListArguments,
    /// Folder of your own controls
    #[arg(long, value_name = "FOLDER")]
    pub(crate) controls: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct ShowArguments {
    /// Id of the control, as listed
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Folder of your own controls
    #[arg(long, value_name = "FOLDER")]
    pub(crate) controls: Option<PathBuf>,
}

fn parse_time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text)
        .ok_or_else(|| "expected RFC 3339, such as 2026-11-02T08:00:00Z or 2026-11-02".to_owned())
}

fn parse_severity(text: &str) -> Result<Severity, String> {
    Severity::from_name(text).ok_or_else(|| {
        let names: Vec<&str> = Severity::ALL.iter().map(|severity| severity.name()).collect();
        format!("expected one of {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn wrong_values_are_told_what_was_expected() {
        let told = |line: &str| Cli::try_parse_from(line.split(' ')).err().unwrap().to_string();
        assert!(told("quaywatch assess -r a --fail-on grave").contains("critical"));
        assert!(told("quaywatch assess -r a --as-of noon").contains("RFC 3339"));
        assert!(told("quaywatch assess").contains("--read"));
        assert!(told("quaywatch decode -r a").contains("--output"));
    }
}
