//! How the command ends: exit codes and messages.

use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Exit {
    /// All was done.
    Done,
    /// It failed.
    Failed,
    /// It was called wrongly.
    Usage,
    /// It was done, but inputs were rejected in whole or in part.
    InputsRejected,
    /// It was done, and `--fail-on` was reached.
    FindingsReached,
}

impl Exit {
    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::InputsRejected => 3,
            Exit::FindingsReached => 4,
        })
    }
}

/// Why a run ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was called wrongly, or a file that steers it is wrong.
    Usage(String),
    /// It failed.
    Failed(String),
}

impl Failure {
    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Failure::Usage(_) => Exit::Usage,
            Failure::Failed(_) => Exit::Failed,
        }
    }

    /// A failure told as `what` says it.
    pub(crate) fn failed(what: impl fmt::Display) -> Failure {
        Failure::Failed(what.to_string())
    }

    /// A wrong call told as `what` says it.
    pub(crate) fn usage(what: impl fmt::Display) -> Failure {
        Failure::Usage(what.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage(what) | Failure::Failed(what) => f.write_str(what),
        }
    }
}

/// Tells the user what went wrong.
pub(crate) fn complain(what: &str) {
    let _ = writeln!(io::stderr(), "quaywatch: {what}");
}

/// Writing to standard output: a reader that went away (`| head`) is no failure.
pub(crate) fn print(write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(bad) if bad.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("standard output cannot be written: {bad}")))
        }
        _ => Ok(()),
    }
}
