//! What a build leaves behind for the editor.

use std::sync::Arc;

use dockerfile_source::{SourceFile, TextRange};
use serde::Serialize;

use super::raw_event::RawState;

/// How a build ended, as the client is told.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BuildResult {
    pub(crate) success: bool,
    pub(crate) is_cancelled: bool,
    /// The last lines that were printed.
    pub(crate) output: Vec<String>,
    /// The ID of the image.
    pub(crate) image: Option<String>,
    /// Why it failed.
    pub(crate) message: Option<String>,
}

/// What is kept of a build with the document: its steps, and why it failed.
#[derive(Debug)]
pub(crate) struct Built {
    /// The text at the time.
    pub(crate) source: Arc<SourceFile>,
    pub(crate) steps: Vec<BuiltStep>,
    pub(crate) failure: Option<BuildFailure>,
}

/// A step that has ended.
#[derive(Clone, Debug)]
pub(crate) struct BuiltStep {
    pub(crate) range: TextRange,
    pub(crate) state: RawState,
    pub(crate) milliseconds: u64,
    pub(crate) size: Option<u64>,
}

/// Why a build failed, and where.
#[derive(Clone, Debug)]
pub(crate) struct BuildFailure {
    /// The command that failed, or the instruction.
    pub(crate) range: TextRange,
    pub(crate) message: String,
    /// The last lines of output.
    pub(crate) output: Vec<String>,
}

impl BuiltStep {
    /// Returns whether it was not taken from the cache.
    pub(crate) fn has_run(&self) -> bool {
        self.state == RawState::Done
    }

    pub(crate) fn is_good(&self) -> bool {
        matches!(self.state, RawState::Done | RawState::Cached)
    }
}
