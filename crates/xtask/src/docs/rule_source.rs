//! Where the rules come from: the one place of `docs` that knows the linter.

use dockerfile_lint::FixKind;

/// What the page of a rule is made from.
pub(super) struct RuleText {
    pub(super) name: &'static str,
    pub(super) code: &'static str,
    pub(super) aliases: &'static [&'static str],
    pub(super) category: &'static str,
    pub(super) severity: &'static str,
    pub(super) status: &'static str,
    /// `safe`, `unsafe` or nothing.
    pub(super) fix: &'static str,
    /// The first sentence of the page.
    pub(super) summary: String,
    /// The manual page, as Markdown without its first heading.
    pub(super) documentation: String,
}

/// Returns the rules of the linter, in order of their codes.
pub(super) fn rules() -> Vec<RuleText> {
    dockerfile_lint::rules()
        .iter()
        .map(|rule| RuleText {
            name: rule.name,
            code: rule.code,
            aliases: rule.aliases,
            category: rule.category(),
            severity: rule.severity.as_str(),
            status: rule.status.as_str(),
            fix: match rule.fix {
                FixKind::None => "",
                FixKind::Unsafe => "unsafe",
                FixKind::Safe => "safe",
            },
            summary: rule.summary(),
            documentation: rule.documentation(),
        })
        .collect()
}
