use dockerfile_model::Keyword;

use super::report_dead;
use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds CMD instructions that a later CMD of the same stage puts out of force.
    ///
    /// ## Why
    /// A container starts one command: the last CMD of the stage.
    /// Two of them do not run after each other, and the first one does not run at all.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM php:8.4-fpm
    /// CMD ["service", "nginx", "start"]
    /// CMD ["php-fpm"]
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM php:8.4-fpm
    /// CMD ["/usr/local/bin/start-both"]
    /// ```
    ///
    /// ## Fix
    /// Unsafe: removes the instruction that counts for nothing.
    /// The configuration of the image stays the same, apart from its history; but the instruction that goes may be the one that was meant.
    ///
    /// ## Limits
    /// A stage that stands on another one may have a CMD of its own: that is no fault.
    /// Instructions behind ONBUILD are not judged.
    pub(crate) MULTIPLE_CMD {
        name: "multiple-cmd",
        code: "DF201",
        aliases: ["DL4003", "MultipleInstructionsDisallowed"],
        severity: Warning,
        status: Stable,
        fix: Unsafe,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    report_dead(
        ctx,
        Keyword::Cmd,
        "keep the one that is meant; to start several programs, start a script that starts them",
    );
}

#[cfg(test)]
mod tests {
    use super::MULTIPLE_CMD as RULE;
    use crate::testing::{check_clean, check_fires, check_fix, check_message, findings};

    #[test]
    fn points_at_each_dead_instruction() {
        check_fires(
            &RULE,
            "FROM debian\n«CMD» bash\nRUN foo\n«cmd» x\nCMD another\nFROM debian\nCMD a\n",
        );
    }

    #[test]
    fn a_fragment_without_from_is_one_stage() {
        check_fires(
            &RULE,
            "«CMD» [\"python\", \"./app.py\"]\nCMD [\"/bin/bash\", \"echo\", \"Hello World\"]\n",
        );
    }

    #[test]
    fn shows_the_one_that_counts() {
        let text = "FROM a\nCMD x\nCMD y\n";
        check_message(
            &RULE,
            text,
            "this `CMD` counts for nothing: a later one takes its place",
        );
        let found = findings(text, &RULE);
        let labels: Vec<_> = found.iter().flat_map(|found| &found.labels).collect();
        assert!(matches!(labels.as_slice(), [label] if usize::from(label.range.start()) == 13));
    }

    #[test]
    fn each_stage_may_have_one() {
        check_clean(
            &RULE,
            "FROM a AS b\nCMD x\nFROM b\nCMD y\nONBUILD CMD z\nHEALTHCHECK CMD w\n",
        );
    }

    #[test]
    fn removes_whole_lines_and_keeps_the_comments() {
        check_fix(
            &RULE,
            "FROM a\n# first\n  CMD [\"x\", \\\n   \"y\"]  \n# second\nCMD y\n",
            "FROM a\n# first\n# second\nCMD y\n",
        );
        check_fix(&RULE, "FROM a\r\nCMD x\r\nCMD y\r\n", "FROM a\r\nCMD y\r\n");
    }

    #[test]
    fn a_comment_inside_is_not_removed() {
        let found = findings("FROM a\nCMD [\"x\", \\\n# why\n \"y\"]\nCMD z\n", &RULE);
        assert!(found.len() == 1 && found.iter().all(|found| found.fix.is_none()));
    }
}
