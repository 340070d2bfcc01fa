use dockerfile_syntax::SyntaxErrorKind;

use super::report_errors;
use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds commands that the shell will refuse to read.
    ///
    /// ## Why
    /// The builder hands the text of RUN to the shell as it is.
    /// A quote without its pair or an `if` without `fi` fails in the middle of the build, with a line number of the shell and not of the file.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM alpine:3.22
    /// RUN echo "hello
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM alpine:3.22
    /// RUN echo "hello"
    /// ```
    ///
    /// ## Limits
    /// Reads the language of sh and what bash adds to it.
    /// Text for other shells is not looked at.
    pub(crate) SHELL_SYNTAX_ERROR {
        name: "shell-syntax-error",
        code: "DF003",
        aliases: ["SC1073", "SC1072"],
        severity: Error,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    report_errors(ctx, SyntaxErrorKind::Shell);
}

#[cfg(test)]
mod tests {
    use super::SHELL_SYNTAX_ERROR as RULE;
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn points_at_the_open_quote() {
        check_fires(&RULE, "FROM a\nRUN echo «\"»hello\nRUN true\n");
    }

    #[test]
    fn other_shells_are_not_read() {
        check_clean(
            &RULE,
            "FROM a\nSHELL [\"powershell\"]\nRUN echo \"hello\nCMD [\"sh\"]\n",
        );
    }
}
