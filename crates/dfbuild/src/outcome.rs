//! What a run says to the shell.

use std::process::ExitCode;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// The build failed, or the store has faults.
    Failed,
    /// Wrong usage, or a file that could not be read or written; clap exits with the same number.
    Usage,
    Cancelled,
    /// Another process did the work and ended like this.
    Passed(u8),
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        ExitCode::from(match outcome {
            Outcome::Done => 0,
            Outcome::Failed => 1,
            Outcome::Usage => 2,
            Outcome::Cancelled => 130,
            Outcome::Passed(code) => code,
        })
    }
}
