//! Where the rules come from: the one place of xtask that knows the linter.

/// What the page of a rule is made from.
pub(super) struct RuleText {
    pub(super) name: &'static str,
    pub(super) code: &'static str,
    pub(super) aliases: &'static [&'static str],
    pub(super) severity: &'static str,
    pub(super) status: &'static str,
    /// The manual page, as Markdown without its first heading.
    pub(super) documentation: &'static str,
}

/// Returns the rules of the linter.
pub(super) fn rules() -> Vec<RuleText> {
    Vec::new()
}
