//! Progress on the terminal: a bar while reading, a line while judging. Silent where nobody looks.

use std::io::{IsTerminal as _, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Shows how far the work is.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar over `bytes` of input; hidden if `quiet` or if standard error is no terminal.
    pub(crate) fn reading(bytes: u64, quiet: bool) -> Progress {
        let bar = if quiet || !stderr().is_terminal() { ProgressBar::hidden() } else { ProgressBar::new(bytes) };
        let template = "{spinner} {msg:24} {bar:32} {bytes} of {total_bytes}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message("reading captures");
        Progress { bar }
    }

    /// Says what is being done now, after reading.
    pub(crate) fn step(&self, what: &str) {
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            self.bar.set_style(style);
        }
        self.bar.enable_steady_tick(Duration::from_millis(120));
        self.bar.set_message(what.to_owned());
    }

    pub(crate) fn add(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    pub(crate) fn done(&self) {
        self.bar.finish_and_clear();
    }
}
