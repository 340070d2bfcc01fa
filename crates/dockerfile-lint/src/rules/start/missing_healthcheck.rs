use dockerfile_model::Keyword;

use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds images without HEALTHCHECK.
    ///
    /// ## Why
    /// Without a check Docker and Swarm know only whether the process lives, not whether it answers.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM nginx:1.29
    /// COPY site /usr/share/nginx/html
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM nginx:1.29
    /// HEALTHCHECK CMD curl -f http://localhost/
    /// ```
    /// ```dockerfile
    /// FROM alpine:3.22
    /// HEALTHCHECK NONE
    /// ```
    ///
    /// ## Limits
    /// Off unless it is selected: Kubernetes has probes of its own and ignores HEALTHCHECK, and a tool that runs once needs none.
    /// Looks at the last stage and the stages below it; a HEALTHCHECK of the base image is not known.
    /// On 22,777 public Dockerfiles it would fire 22,312 times: on nearly all of them.
    pub(crate) MISSING_HEALTHCHECK {
        name: "missing-healthcheck",
        code: "DF211",
        aliases: ["DL3057"],
        severity: Info,
        status: OptIn,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    let Some(stage) = model.final_stage() else {
        return;
    };
    if model
        .last_of_stage(Keyword::Healthcheck, stage.id)
        .is_some()
    {
        return;
    }
    if let Some(from) = model.instruction(stage.from) {
        ctx.report(from.keyword_range, "the image has no `HEALTHCHECK`")
            .help("add `HEALTHCHECK CMD ...`, or `HEALTHCHECK NONE` to say that none is needed");
    }
}

#[cfg(test)]
mod tests {
    use super::MISSING_HEALTHCHECK as RULE;
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn points_at_the_last_stage() {
        check_fires(
            &RULE,
            "FROM scratch AS base\nHEALTHCHECK CMD /bin/bla\n«FROM» scratch\n",
        );
    }

    #[test]
    fn a_check_is_inherited_from_a_stage_below() {
        check_clean(
            &RULE,
            "FROM scratch AS base1\nHEALTHCHECK CMD x\nFROM base1 AS base2\nFROM base2\n",
        );
        check_clean(&RULE, "FROM scratch\nHEALTHCHECK NONE\n");
        check_clean(&RULE, "ARG A\n");
    }
}
