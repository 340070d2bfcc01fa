use dockerfile_syntax::SyntaxErrorKind;

use super::report_errors;
use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds instructions behind ONBUILD that a later build will refuse.
    ///
    /// ## Why
    /// The builder takes any line behind ONBUILD and looks at it only when another Dockerfile stands on this image.
    /// The one who meets the fault is not the one who wrote it.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM alpine:3.22
    /// ONBUILD RUNN make
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM alpine:3.22
    /// ONBUILD RUN make
    /// ```
    ///
    /// ## Fix
    /// Unsafe: writes the name that is most likely meant.
    ///
    /// ## Limits
    /// ONBUILD, FROM and MAINTAINER behind ONBUILD fail in this build already.
    pub(crate) INVALID_TRIGGER {
        name: "invalid-trigger",
        code: "DF005",
        aliases: ["DL3043"],
        severity: Error,
        status: Stable,
        fix: Unsafe,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    report_errors(ctx, SyntaxErrorKind::ForbiddenTrigger);
    report_errors(ctx, SyntaxErrorKind::Trigger);
}

#[cfg(test)]
mod tests {
    use super::INVALID_TRIGGER as RULE;
    use crate::testing::{check_clean, check_fires, check_fix};

    #[test]
    fn looks_behind_onbuild() {
        check_fires(
            &RULE,
            "FROM a\nONBUILD «RUNN» x\nONBUILD «COPY» x\n"
                .replace("«COPY» x", "COPY «x»")
                .as_str(),
        );
        check_fires(&RULE, "FROM a\nONBUILD «ONBUILD» RUN x\n");
        check_fix(&RULE, "FROM a\nONBUILD RUNN x\n", "FROM a\nONBUILD RUN x\n");
    }

    #[test]
    fn sound_triggers_are_fine() {
        check_clean(&RULE, "FROM a\nONBUILD COPY x y\nRUNN z\n");
    }
}
