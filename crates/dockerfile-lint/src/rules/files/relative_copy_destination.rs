use dockerfile_model::{Base, Instruction, Keyword, Model};

use crate::RuleContext;
use crate::facts::blocks::blocks;
use crate::facts::container_path::is_relative;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds COPY and ADD to a relative destination with no WORKDIR before it.
    ///
    /// ## Why
    /// The destination is relative to the working directory of the base image.
    /// Many base images have none, so the files land in `/`; others change theirs from one version to the next.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// COPY app.sh app.sh
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// WORKDIR /app
    /// COPY app.sh app.sh
    /// ```
    ///
    /// ## Limits
    /// A base image that sets its own working directory, such as `golang` or `php`, makes the destination well defined, but the file does not tell.
    /// A destination that begins with a variable without a value is not judged, nor a stage on `scratch`, which starts in `/`.
    /// On 22,777 public Dockerfiles it fires 1,199 times; of 50 read, none was wrong, but about one in five stands on an image that sets a working directory, above all `golang`.
    pub(crate) RELATIVE_COPY_DESTINATION {
        name: "relative-copy-destination",
        code: "DF604",
        aliases: ["DL3045"],
        severity: Info,
        status: Preview,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    for block in blocks(model) {
        let mut has_workdir = block
            .first()
            .is_some_and(|first| starts_with_workdir(model, first));
        let mut has_workdir_in_triggers = has_workdir;
        for outer in block {
            let instruction = outer.trigger().unwrap_or(outer);
            match instruction.keyword {
                Keyword::Workdir => {
                    has_workdir_in_triggers = true;
                    has_workdir |= !instruction.is_trigger;
                }
                Keyword::Copy | Keyword::Add => {
                    let is_known = if instruction.is_trigger {
                        has_workdir_in_triggers
                    } else {
                        has_workdir
                    };
                    if !is_known {
                        judge(ctx, instruction);
                    }
                }
                _ => {}
            }
        }
    }
}

/// Returns whether a stage starts with a working directory that the file or the caller knows: on `scratch` it is `/`.
fn starts_with_workdir(model: &Model, from: &Instruction) -> bool {
    from.stage.is_some_and(|stage| {
        model.root_base(stage) == Some(&Base::Scratch)
            || model.last_before(Keyword::Workdir, from.id).is_some()
            || model
                .facts_of(stage)
                .is_some_and(|facts| facts.workdir.is_some())
    })
}

fn judge(ctx: &mut RuleContext<'_>, instruction: &Instruction) {
    let Some(destination) = instruction
        .copy()
        .and_then(|copy| copy.destination.as_ref())
    else {
        return;
    };
    if is_relative(ctx.model(), instruction, destination) == Some(true) {
        ctx.report(
            destination.range,
            format!(
                "destination `{}` is relative, and no WORKDIR is set",
                destination.text
            ),
        )
        .help("set WORKDIR before, or write an absolute path");
    }
}

#[cfg(test)]
mod tests {
    use super::RELATIVE_COPY_DESTINATION as RULE;
    use crate::testing::{check_clean, check_fires, check_message};

    #[test]
    fn a_relative_destination_needs_a_workdir() {
        check_fires(
            &RULE,
            "FROM a:1\nCOPY a «b»\nADD a «.»\nWORKDIR /x\nCOPY a b\n",
        );
        check_fires(&RULE, "FROM a:1\nONBUILD COPY a «b»\n");
        check_clean(&RULE, "FROM a:1\nCOPY a /b\nWORKDIR x\nCOPY a b\n");
    }

    #[test]
    fn the_stage_below_counts() {
        check_clean(
            &RULE,
            "FROM a:1 AS a\nWORKDIR /a\nFROM a AS b\nFROM b\nCOPY a .\n",
        );
        check_fires(&RULE, "FROM a:1 AS a\nWORKDIR /a\nFROM a:1\nCOPY a «.»\n");
    }

    #[test]
    fn nothing_moves_on_scratch() {
        check_clean(
            &RULE,
            "FROM scratch\nCOPY a .\nFROM scratch AS s\nFROM s\nCOPY a b\n",
        );
    }

    #[test]
    fn onbuild_workdir_counts_for_onbuild_copy_only() {
        check_clean(&RULE, "FROM a:1\nONBUILD WORKDIR /x\nONBUILD COPY a b\n");
        check_fires(&RULE, "FROM a:1\nONBUILD WORKDIR /x\nCOPY a «b»\n");
    }

    #[test]
    fn drive_letters_and_variables_are_not_relative() {
        check_clean(&RULE, "COPY a c:\\x\\y\nCOPY a $X\nCOPY a \"${X}/y\"\n");
    }

    #[test]
    fn names_the_destination() {
        check_message(
            &RULE,
            "FROM a:1\nCOPY a b\n",
            "destination `b` is relative, and no WORKDIR is set",
        );
    }
}
