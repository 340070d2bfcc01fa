//! What happens during a build, for whoever shows it.

use std::time::Duration;

use dockerfile_source::TextRange;

/// A step, numbered in the order of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(pub u32);

/// Where a line of output came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Output,
    Error,
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepState {
    /// The cache had the result.
    Cached,
    Done,
    /// Something else failed, or the caller cancelled.
    Cancelled,
    Failed(String),
}

/// How far something long has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub done: u64,
    /// Zero when nobody knows.
    pub total: u64,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The plan stands: all steps that the target needs, in order, with the place of each in the Dockerfile.
    Planned {
        steps: Vec<(StepId, String, TextRange)>,
    },
    Started {
        step: StepId,
        name: String,
        range: TextRange,
    },
    Output {
        step: StepId,
        stream: Stream,
        bytes: Vec<u8>,
    },
    /// Bytes of a pull, an export or a copy; `what` is a short text such as a digest.
    Progress {
        step: StepId,
        what: String,
        progress: Progress,
    },
    /// What a person should know though nothing failed.
    Warning {
        message: String,
        range: Option<TextRange>,
    },
    /// `size` is that of the layer in bytes, uncompressed; `reason` says why the step had to run.
    Finished {
        step: StepId,
        state: StepState,
        duration: Duration,
        size: Option<u64>,
        reason: Option<String>,
    },
}

/// Somebody who wants to know. Events come from several threads.
pub trait Observer: Sync {
    fn event(&self, event: Event);
}

/// Nobody wants to know.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _event: Event) {}
}
