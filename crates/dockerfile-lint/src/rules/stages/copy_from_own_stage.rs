use dockerfile_model::{Keyword, Model, StageReference};

use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds `COPY --from` and `RUN --mount=from=` that mean the stage they stand in.
    ///
    /// ## Why
    /// A stage cannot need itself: the builder refuses the circle.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM alpine:3.22 AS app
    /// COPY --from=app /a /b
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM alpine:3.22 AS app
    /// RUN cp -r /a /b
    /// ```
    ///
    /// ## Limits
    /// Instructions behind ONBUILD are not judged: they run in another stage.
    /// On 22,777 public Dockerfiles it fires twice, both times rightly.
    pub(crate) COPY_FROM_OWN_STAGE {
        name: "copy-from-own-stage",
        code: "DF110",
        aliases: ["DL3023"],
        severity: Error,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    for reference in &model.stage_references {
        let keyword = model
            .instruction(reference.instruction)
            .map(|instruction| instruction.keyword);
        if !means_own_stage(model, reference, keyword) {
            continue;
        }
        let range = super::name_range(ctx, reference);
        let finding = ctx
            .report(
                range,
                format!("`{}` is the stage that this COPY stands in", reference.text),
            )
            .help("name an earlier stage; files of this stage are moved with `RUN cp` or `RUN mv`");
        let own_name = model
            .stage(reference.from_stage)
            .and_then(|stage| stage.name_range);
        if let Some(own_name) = own_name {
            finding.label(own_name, "the stage starts here");
        }
    }
}

/// Returns whether a reference names its own stage; BuildKit finds the last stage of a name, earlier ones or not.
fn means_own_stage(model: &Model, reference: &StageReference, keyword: Option<Keyword>) -> bool {
    let own = reference.from_stage;
    let is_own_name = model.stage_of_name(&reference.text) == Some(own);
    match keyword {
        Some(Keyword::Copy) => is_own_name || reference.text.parse() == Ok(own.index()),
        Some(Keyword::Run) => is_own_name,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::COPY_FROM_OWN_STAGE as RULE;
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn points_at_the_name_or_number() {
        check_fires(
            &RULE,
            "FROM node AS foo\nCOPY --from=«Foo» bar .\nFROM node\nCOPY --from=«1» bar .\n",
        );
        check_fires(
            &RULE,
            "FROM node AS foo\nRUN --mount=from=«foo»,target=/x true\n",
        );
    }

    #[test]
    fn a_later_stage_of_the_same_name_takes_the_name() {
        check_fires(
            &RULE,
            "FROM node AS foo\nRUN x\nFROM node AS foo\nCOPY --from=«foo» /a /b\n",
        );
        check_clean(
            &RULE,
            "FROM node AS foo\nCOPY --from=foo /a /b\nFROM node AS foo\nRUN --mount=from=1,target=/x true\n",
        );
    }

    #[test]
    fn other_stages_images_and_triggers_are_fine() {
        check_clean(
            &RULE,
            "FROM node AS foo\nFROM foo AS bar\nCOPY --from=foo /a /b\nCOPY --from=baz /a /b\nONBUILD COPY --from=bar /a /b\n",
        );
    }
}
