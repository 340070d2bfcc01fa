//! What runs a job, for a caller that does not care how.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Job, SandboxError};

/// Where a piece of output came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Output,
    Error,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    Code(i32),
    Signal(i32),
}

impl Ending {
    /// Returns the code that a shell would show: that of the command, or 128 and the signal.
    pub fn code(self) -> i32 {
        match self {
            Ending::Code(code) => code,
            Ending::Signal(signal) => 128 + signal,
        }
    }

    pub fn is_success(self) -> bool {
        self == Ending::Code(0)
    }
}

/// What a command and the children it waited for used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub user_time: Duration,
    pub system_time: Duration,
    /// The largest resident set of one process, in bytes.
    pub peak_memory: u64,
}

/// What came of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub ending: Ending,
    pub usage: Usage,
    /// A process was killed because the command was at the limit of its memory.
    pub ran_out_of_memory: bool,
    /// The mount points, below the root, that were missing in the image. They have been removed again unless the command
    /// put something into a directory on the way.
    pub stubs: Vec<PathBuf>,
}

/// Runs jobs; several at the same time, from several threads.
pub trait Executor: Send + Sync {
    /// Runs a job to its end.
    ///
    /// Output is handed on as it comes; `cancel` is asked several times a second.
    fn run(
        &self,
        job: &Job,
        output: &mut dyn FnMut(Stream, &[u8]),
        cancel: &dyn Fn() -> bool,
    ) -> Result<Outcome, SandboxError>;
}
