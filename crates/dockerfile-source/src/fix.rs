//! A repair that a tool proposes, and how far it can be trusted.

use crate::TextEdit;

/// How far a fix can be applied without a person looking at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Applicability {
    /// A suggestion to read; never applied by the tool.
    DisplayOnly,
    /// May change what the image does; applied only when asked for.
    Unsafe,
    /// Keeps what the file builds (or changes it exactly as the rule's page says), and is proven before it is written.
    Safe,
}

impl Applicability {
    /// Returns the name that reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Applicability::DisplayOnly => "display-only",
            Applicability::Unsafe => "unsafe",
            Applicability::Safe => "safe",
        }
    }
}

/// Edits that repair one finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What applying the fix does, as an instruction: "replace `ADD` with `COPY`".
    pub title: String,
    pub applicability: Applicability,
    pub edit: TextEdit,
}
