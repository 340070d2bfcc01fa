use dockerfile_source::{TextEdit, TextRange, TextSize, closest_match};

use crate::RuleContext;
use crate::rule::declare_rule;

const DIRECTIVES: [&str; 3] = ["syntax", "escape", "check"];

declare_rule! {
    /// ## What it does
    /// Finds comments that look like a parser directive and are none: misspelt, or not at the top of the file.
    ///
    /// ## Why
    /// `# syntax=`, `# escape=` and `# check=` count on the first lines of the file only, before any other comment, blank line or instruction.
    /// Everywhere else they are comments, and nobody says so.
    ///
    /// ## Bad
    /// ```dockerfile
    /// # sytnax=docker/dockerfile:1
    /// FROM alpine:3.22
    /// ```
    /// ```dockerfile
    ///
    /// # syntax=docker/dockerfile:1
    /// FROM alpine:3.22
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// # syntax=docker/dockerfile:1
    /// FROM alpine:3.22
    /// ```
    ///
    /// ## Fix
    /// Unsafe: corrects the spelling, which turns the directive on.
    ///
    /// ## Limits
    /// Looks at the comments before the first instruction; `# check=skip=` above an instruction is one of BuildKit's own forms.
    pub(crate) MISPLACED_DIRECTIVE {
        name: "misplaced-directive",
        code: "DF006",
        aliases: [],
        severity: Warning,
        status: Stable,
        fix: Unsafe,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let first = ctx
        .model()
        .instructions
        .first()
        .map(|instruction| instruction.range.start());
    for comment in &ctx.model().comments {
        if first.is_some_and(|first| comment.range.start() > first) {
            return;
        }
        let Some((name, at)) = directive_name(&comment.text) else {
            continue;
        };
        let start = comment.range.start() + TextSize::new(at as u32);
        let range = TextRange::at(start, TextSize::new(name.len() as u32));
        let lower = name.to_lowercase();
        if DIRECTIVES.contains(&lower.as_str()) {
            if lower != "check" {
                ctx.report(range, format!("`{name}` is not a parser directive here"))
                    .help("move it to the first line: nothing but other directives may stand before it");
            }
        } else if let Some(meant) = closest_match(&lower, DIRECTIVES) {
            ctx.report(range, format!("`{name}` is not a parser directive"))
                .help(format!("did you mean `{meant}`?"))
                .unsafe_fix(format!("write `{meant}`"), TextEdit::replace(range, meant));
        }
    }
}

/// Returns the name in `# name=value` where nothing but one word stands around the `=`, and where it starts.
fn directive_name(comment: &str) -> Option<(&str, usize)> {
    let (left, right) = comment.split_once('=')?;
    let behind_hash = left.strip_prefix('#')?;
    let name = behind_hash.trim();
    let is_word = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    let value = right.trim();
    let is_value = !value.is_empty() && !value.contains(char::is_whitespace);
    (is_word && is_value).then(|| (name, 1 + behind_hash.len() - behind_hash.trim_start().len()))
}

#[cfg(test)]
mod tests {
    use super::MISPLACED_DIRECTIVE as RULE;
    use crate::testing::{check_clean, check_fires, check_fix};

    #[test]
    fn finds_misspelt_names() {
        check_fires(&RULE, "# «sytnax»=docker/dockerfile:1\nFROM a\n");
        check_fix(&RULE, "# escpe=`\nFROM a\n", "# escape=`\nFROM a\n");
    }

    #[test]
    fn finds_directives_that_come_too_late() {
        check_fires(&RULE, "# hello\n# «syntax»=docker/dockerfile:1\nFROM a\n");
    }

    #[test]
    fn prose_is_fine() {
        check_clean(
            &RULE,
            "# version=1.2\n# the syntax = what we write\nFROM a\n# syntax=late\n",
        );
    }
}
