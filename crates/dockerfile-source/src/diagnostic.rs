//! What a tool has to say about a place in a file.

use std::fmt;

use text_size::TextRange;

use crate::Fix;

/// How much a finding matters.
///
/// Ordered from the least to the most serious, so that `severity >= Severity::Warning` reads as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; the image builds and runs.
    Info,
    /// Likely a mistake, or a cost that shows up later.
    Warning,
    /// The build fails, or the image does not do what the file says.
    Error,
}

impl Severity {
    /// Returns the lower-case name that reports and options use.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A second place that explains the first one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub range: TextRange,
    pub message: String,
}

/// One finding: what is wrong (`message`), where (`range`), and what to do (`help`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The readable name of the rule, such as `untagged-base-image`.
    pub rule: &'static str,
    /// The stable code of the rule, such as `DF101`.
    pub code: &'static str,
    /// What other tools call the same rule, such as `DL3006`.
    pub aliases: &'static [&'static str],
    pub severity: Severity,
    pub message: String,
    /// The smallest range that shows the fault.
    pub range: TextRange,
    pub labels: Vec<Label>,
    pub help: Option<String>,
    pub fix: Option<Fix>,
}
