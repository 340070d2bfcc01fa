//! What a rule is.

use dockerfile_source::Severity;

use crate::RuleContext;

/// Whether a rule is on unless somebody says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// On.
    Stable,
    /// Off until it is selected: a matter of policy, not of right and wrong.
    OptIn,
    /// Off until it is selected or preview is asked for: it may still change.
    Preview,
}

impl Status {
    /// Returns the name that reports and pages use.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Stable => "stable",
            Status::OptIn => "opt-in",
            Status::Preview => "preview",
        }
    }
}

/// What repairs a rule can offer at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FixKind {
    None,
    /// Applied with `--unsafe-fixes` only.
    Unsafe,
    /// Applied with `--fix`.
    Safe,
}

/// One rule: how it is called, what it looks for, and the page that explains it.
#[derive(Debug)]
pub struct Rule {
    /// Reads after "allow": `untagged-base-image`.
    pub name: &'static str,
    /// Never changes, never returns for something else.
    pub code: &'static str,
    /// What hadolint, BuildKit and others call the same thing.
    pub aliases: &'static [&'static str],
    pub severity: Severity,
    pub status: Status,
    pub fix: FixKind,
    /// The manual page, each line as it stands behind `///`.
    #[doc(hidden)]
    pub page: &'static str,
    pub(crate) check: fn(&mut RuleContext<'_>),
}

impl Rule {
    /// Returns the manual page, in Markdown.
    pub fn documentation(&self) -> String {
        let lines: Vec<_> = self
            .page
            .lines()
            .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end())
            .collect();
        lines.join("\n")
    }

    /// Returns the first sentence of the page.
    pub fn summary(&self) -> String {
        let page = self.documentation();
        let line = page
            .lines()
            .find(|line| !line.is_empty() && !line.starts_with('#'));
        line.unwrap_or_default().to_owned()
    }

    /// Returns the folder that the rule stands in: what it is about.
    pub fn category(&self) -> &'static str {
        match self.code.as_bytes().get(2) {
            Some(b'0') => "syntax",
            Some(b'1') => "base images and stages",
            Some(b'2') => "what the container starts",
            Some(b'3') => "ports",
            Some(b'4') => "build cache",
            Some(b'5') => "users",
            Some(b'6') => "files",
            Some(b'7') => "variables and labels",
            Some(b'8') => "packages",
            _ => "shell and style",
        }
    }
}

/// Declares a rule. The doc comment is its manual page.
macro_rules! declare_rule {
    (
        $(#[doc = $doc:literal])*
        $vis:vis $ident:ident {
            name: $name:literal,
            code: $code:literal,
            aliases: [$($alias:literal),* $(,)?],
            severity: $severity:ident,
            status: $status:ident,
            fix: $fix:ident,
            check: $check:path $(,)?
        }
    ) => {
        $vis static $ident: $crate::Rule = $crate::Rule {
            name: $name,
            code: $code,
            aliases: &[$($alias),*],
            severity: dockerfile_source::Severity::$severity,
            status: $crate::Status::$status,
            fix: $crate::FixKind::$fix,
            page: concat!($($doc, "\n"),*),
            check: $check,
        };
    };
}
pub(crate) use declare_rule;
