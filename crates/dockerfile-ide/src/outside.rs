//! What is known beyond the file. The host looks; this crate only reads.

use std::sync::Arc;

use dockerfile_source::TextRange;

/// What the host knows beyond the file, as plain data.
#[derive(Clone, Debug, Default)]
pub struct Outside {
    /// Which rules are on, facts about base images, build arguments, and the ignore file.
    pub lint: dockerfile_lint::Options,
    pub format: dockerfile_format::Options,
    /// What is in the build context, sorted by path; empty where nobody has looked.
    pub context: Arc<Vec<ContextEntry>>,
    /// Images that are there already, sorted by name.
    pub images: Vec<KnownImage>,
    /// Whether there is a builder to call.
    pub has_builder: bool,
}

/// A file or folder of the build context.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContextEntry {
    /// Relative to the context, with slashes.
    pub path: String,
    pub is_folder: bool,
}

/// An image with the tags that are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownImage {
    pub name: String,
    pub tags: Vec<String>,
}

/// What a build said of one instruction, or would do with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepFact {
    /// Where the instruction stands.
    pub range: TextRange,
    pub size: Option<u64>,
    pub milliseconds: Option<u64>,
    pub outlook: StepOutlook,
}

/// Whether a step has run, or would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepOutlook {
    /// The last build ran it.
    Ran,
    /// Its result is there.
    Cached,
    /// A build would run it.
    Runs {
        reason: String,
        /// The word that is to blame.
        culprit: Option<TextRange>,
        /// It only follows a step that runs.
        is_consequence: bool,
    },
    /// That hangs on what a stage makes that would run first.
    Unknown { stage: String },
}
