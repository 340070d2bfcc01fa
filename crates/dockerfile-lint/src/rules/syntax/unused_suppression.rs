use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds comments that are there to silence a finding and silence none.
    ///
    /// ## Why
    /// The fault is mended, or the name is wrong and the finding shows all the same.
    /// What is left would hide the next fault of that kind.
    ///
    /// ## Bad
    /// ```dockerfile
    /// # dflint ignore=untagged-base-imge -- we want the newest
    /// FROM alpine
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM alpine:3.22
    /// ```
    ///
    /// ## Fix
    /// Unsafe: removes the comment when it names one rule only.
    ///
    /// ## Limits
    /// A name that only hadolint, ShellCheck or BuildKit knows is left alone, and so is a rule that is off in this run.
    pub(crate) UNUSED_SUPPRESSION {
        name: "unused-suppression",
        code: "DF009",
        aliases: [],
        severity: Warning,
        status: Stable,
        fix: Unsafe,
        check: check,
    }
}

/// The findings are made where suppressions are applied, after all other rules.
fn check(_: &mut RuleContext<'_>) {}

#[cfg(test)]
mod tests {
    use super::UNUSED_SUPPRESSION as RULE;
    use crate::testing::{check_clean, check_fires, check_message};

    #[test]
    fn points_at_the_name() {
        check_fires(&RULE, "# dflint ignore=«nonsense»,«DF009»\nFROM a\n");
        check_message(
            &RULE,
            "# dflint ignore=nonsense\nFROM a\n",
            "no rule is called `nonsense`",
        );
    }

    #[test]
    fn leaves_the_names_of_others_alone() {
        check_clean(
            &RULE,
            "# hadolint ignore=SC2086\n# dflint ignore=DF102\nFROM a\n",
        );
    }
}
