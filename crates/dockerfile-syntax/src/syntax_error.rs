//! What can be wrong with the syntax of a Dockerfile.

use dockerfile_source::TextRange;

/// One fault, at the smallest range that shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    pub kind: SyntaxErrorKind,
    pub range: TextRange,
    pub message: String,
    /// What the author most likely meant, or what to do.
    pub help: Option<String>,
}

/// Which fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SyntaxErrorKind {
    /// BuildKit's parser refuses the whole file.
    Parser,
    /// BuildKit parses the line but refuses the instruction (`instructions.Parse`).
    Instruction,
    /// BuildKit refuses the file, for an instruction that cannot follow ONBUILD.
    ForbiddenTrigger,
    /// BuildKit takes the line, and refuses the instruction behind ONBUILD when a later build runs it.
    Trigger,
    /// The shell would refuse the command; BuildKit does not look at it.
    Shell,
    /// BuildKit accepts it and warns that it will not for ever.
    Deprecated,
}
