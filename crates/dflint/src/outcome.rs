//! What a run says to the shell.

use std::process::ExitCode;

/// How a run ended, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// Nothing to report.
    Clean = 0,
    /// Findings that `--fail-on` counts, or a difference with `--diff`.
    Findings = 1,
    /// Wrong usage, or a file or folder that could not be read or written; clap exits with the same number.
    Failed = 2,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        ExitCode::from(outcome as u8)
    }
}
