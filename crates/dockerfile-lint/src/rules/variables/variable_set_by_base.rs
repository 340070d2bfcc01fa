use dockerfile_model::{Base, Keyword, Resolution};

use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds ENV that sets a variable to the value that the base image gives it already.
    ///
    /// ## Why
    /// The line changes nothing, and whoever reads it looks for a difference.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM alpine:3.22
    /// ENV LANG=C.UTF-8
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM alpine:3.22
    /// ENV LANG=en_US.UTF-8
    /// ```
    ///
    /// ## Limits
    /// Judges [images in the local store](../image-facts.md); a later release of the image may set something else.
    /// A value that holds a variable is not judged.
    pub(crate) VARIABLE_SET_BY_BASE {
        name: "variable-set-by-base",
        code: "DF711",
        aliases: [],
        severity: Info,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    for instruction in model.instructions_of(Keyword::Env) {
        let Some(stage) = instruction.stage else {
            continue;
        };
        let Some(facts) = model.facts_of(stage) else {
            continue;
        };
        let Some(Base::Image(image)) = model.root_base(stage) else {
            continue;
        };
        for pair in instruction.pairs() {
            let (Some(name), Some(value)) = (&pair.key.value, &pair.value) else {
                continue;
            };
            let is_same = value.uses.is_empty()
                && value.value.is_some()
                && facts.variable(name) == value.value.as_ref()
                && model.resolve(name, instruction.id, Some(stage)) == Resolution::BaseImage;
            if is_same {
                ctx.report(
                    pair.range,
                    format!("`{image}` sets `{name}` to this value already"),
                )
                .help("remove it, unless it has to stay when the image changes");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::VARIABLE_SET_BY_BASE as RULE;
    use crate::testing::{check_clean, check_clean_on_image, check_fires_on_image};

    #[test]
    fn finds_values_that_the_image_sets() {
        check_fires_on_image(
            &RULE,
            "FROM image:1 AS a\nENV A=b «LANG=C.UTF-8»\nFROM a\nENV LANG=x\n",
        );
    }

    #[test]
    fn other_values_and_other_images_are_fine() {
        check_clean_on_image(
            &RULE,
            "FROM image:1\nENV LANG=x LC_ALL=C.UTF-8\nENV LANG=C.UTF-8\nENV PATH=$PATH\n",
        );
        check_clean(&RULE, "FROM who/knows\nENV LANG=C.UTF-8\n");
    }
}
