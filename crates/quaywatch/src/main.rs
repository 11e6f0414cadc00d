//! The quaywatch command: assesses port cranes and the OT around them from captures and documents.

#![forbid(unsafe_code)]

mod assemble;
mod case;
mod cli;
mod commands;
mod derive;
mod exit;
mod ingest;
mod papers;
mod progress;
mod segments;
mod sisters;

use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Command, ControlsCommand, SiteCommand};
use exit::{Exit, Failure, complain};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => {
            // Help and version are no mistakes.
            let mistaken = told.use_stderr();
            let _ = told.print();
            return if mistaken { Exit::Usage.code() } else { Exit::Done.code() };
        }
    };
    match run(cli) {
        Ok(exit) => exit.code(),
        Err(failure) => {
            complain(&failure.to_string());
            failure.exit().code()
        }
    }
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    match cli.command {
        Command::Assess(arguments) => commands::assess::run(&arguments),
        Command::Decode(arguments) => commands::decode::run(&arguments),
        Command::Query(arguments) => commands::query::run(&arguments),
        Command::Site { command: SiteCommand::Draft(arguments) } => commands::site::draft(&arguments),
        Command::Controls { command: ControlsCommand::List(arguments) } => commands::controls::list(&arguments),
        Command::Controls { command: ControlsCommand::Show(arguments) } => commands::controls::show(&arguments),
        Command::Protocols(arguments) => commands::protocols::run(&arguments),
    }
}
