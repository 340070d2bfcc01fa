//! The shapes a report can have.

/// How findings are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputFormat {
    /// A snippet of the file with the range underlined, for a person.
    #[default]
    Full,
    /// One line a finding: `path:line:column: severity[CODE] message (rule-name)`.
    Concise,
    /// One JSON array of objects over all files; `json.rs` describes the members.
    Json,
}
