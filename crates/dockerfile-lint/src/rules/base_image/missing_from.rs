use dockerfile_model::{Instruction, Keyword, Model};
use dockerfile_source::TextRange;

use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds files without FROM, and instructions that stand before the first FROM.
    ///
    /// ## Why
    /// Every build starts from an image, and FROM names it: what stands before it stands in no stage, and the builder refuses the file.
    /// ARG alone may stand before the first FROM, and counts in the FROM lines only.
    ///
    /// ## Bad
    /// ```dockerfile
    /// COPY . /app
    /// CMD ["/app/run"]
    /// ```
    /// ```dockerfile
    /// WORKDIR /app
    /// FROM alpine:3.22
    /// ```
    /// ```dockerfile
    /// # nothing but a comment
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// ARG VERSION=3.22
    /// FROM alpine:${VERSION}
    /// WORKDIR /app
    /// ```
    ///
    /// ## Limits
    /// Says it once a file, at the first instruction that has no stage.
    /// A file that starts with an unknown instruction is not judged: the unknown instruction is reported, and may be a misspelt FROM or a placeholder for it.
    /// On 22,777 public Dockerfiles it fires 54 times, mostly on fragments and test inputs; all were read, none was wrong.
    pub(crate) MISSING_FROM {
        name: "missing-from",
        code: "DF101",
        aliases: ["DL3061"],
        severity: Error,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    let global = model.global_instructions();
    if global
        .iter()
        .any(|instruction| instruction.keyword == Keyword::Unknown)
    {
        return;
    }
    let stray = global
        .iter()
        .find(|instruction| instruction.keyword != Keyword::Arg);
    match (model.stages.first(), stray) {
        (Some(_), None) => {}
        (Some(_), Some(stray)) => before_first_from(ctx, model, stray),
        (None, Some(stray)) => no_from(ctx, stray),
        (None, None) => no_stage(ctx, global.first()),
    }
}

fn before_first_from(ctx: &mut RuleContext<'_>, model: &Model, stray: &Instruction) {
    let name = keyword_name(stray);
    let from = model.instructions_of(Keyword::From).next();
    let finding = ctx
        .report(
            stray.keyword_range,
            format!("`{name}` stands before the first `FROM`"),
        )
        .help(if stray.keyword == Keyword::Env {
            "move it below `FROM`; for a variable in the `FROM` line write `ARG`".to_owned()
        } else {
            format!(
                "move it below `FROM`: only `ARG` may stand above it, and `{name}` needs a stage"
            )
        });
    if let Some(from) = from {
        finding.label(from.keyword_range, "the first stage starts here");
    }
}

fn no_from(ctx: &mut RuleContext<'_>, stray: &Instruction) {
    let name = keyword_name(stray);
    ctx.report(
        stray.keyword_range,
        format!("no `FROM` yet: `{name}` has no image to work on"),
    )
    .help("start the file with `FROM IMAGE`, such as `FROM alpine:3.22`: every build starts from an image");
}

fn no_stage(ctx: &mut RuleContext<'_>, argument: Option<&Instruction>) {
    let (range, message) = match argument {
        Some(argument) => (
            argument.keyword_range,
            "no `FROM`: a file of `ARG` alone builds nothing",
        ),
        None => (
            TextRange::empty(0.into()),
            "no `FROM`: the file holds no instruction",
        ),
    };
    ctx.report(range, message)
        .help("add `FROM IMAGE`, such as `FROM alpine:3.22`: every build starts from an image");
}

/// Returns the keyword as messages name it.
fn keyword_name(instruction: &Instruction) -> String {
    instruction.keyword_text.to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::MISSING_FROM as RULE;
    use crate::testing::{check_clean, check_fires, check_message, findings};

    #[test]
    fn points_once_at_the_first_instruction_without_a_stage() {
        check_fires(&RULE, "# a\n«COPY» . /app\nRUN make\n");
        check_fires(&RULE, "ARG A=1\n«ENV» B=2\nWORKDIR /a\nFROM b:1\n");
    }

    #[test]
    fn an_empty_file_is_reported_at_its_start() {
        for text in ["", "\n\n", "# only a comment\n"] {
            let found = findings(text, &RULE);
            assert_eq!(found.len(), 1, "{text:?}");
            assert!(found.iter().all(|finding| finding.range.is_empty()));
        }
    }

    #[test]
    fn arguments_alone_build_nothing() {
        check_message(
            &RULE,
            "ARG NODE_VERSION=14\n",
            "no `FROM`: a file of `ARG` alone builds nothing",
        );
    }

    #[test]
    fn says_what_a_fragment_lacks() {
        check_message(
            &RULE,
            "workdir /app\n",
            "no `FROM` yet: `WORKDIR` has no image to work on",
        );
    }

    #[test]
    fn arguments_may_stand_before_from() {
        check_clean(&RULE, "# syntax=x\nARG A=1\n\nFROM b:$A\nRUN x\n");
    }

    #[test]
    fn a_misspelt_from_is_somebody_elses_finding() {
        check_clean(&RULE, "FORM alpine\nRUN x\n");
        check_clean(&RULE, "{{ from }}\nRUN x\n");
    }
}
