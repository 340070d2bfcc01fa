use dockerfile_model::{Command, Instruction, Keyword, Script};
use dockerfile_source::TextEdit;

use super::json_array;
use crate::RuleContext;
use crate::facts::blocks::blocks;
use crate::facts::shell_program::is_shell;
use crate::facts::started_service::service_started_last;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds CMD and ENTRYPOINT in shell form.
    ///
    /// ## Why
    /// The shell form starts `/bin/sh -c`, and the program below it.
    /// `docker stop` sends its signal to the shell, which does not pass it on: the program is killed ten seconds later, in the middle of what it does.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM node:24
    /// CMD npm start
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM node:24
    /// CMD ["npm", "start"]
    /// ```
    /// ```dockerfile
    /// FROM node:24
    /// CMD exec node server.js --port "$PORT"
    /// ```
    ///
    /// ## Fix
    /// Unsafe: writes a simple command in exec form; the program then starts as process 1, without a shell, and an ENTRYPOINT gets the CMD as arguments.
    ///
    /// ## Limits
    /// A command that starts the program with `exec` is fine: the program takes the place of the shell.
    /// A file that sets SHELL asks for a shell, and a shell as the command needs none of this: both are not judged.
    /// The form of HEALTHCHECK makes no difference, and an instruction that a later one puts out of force makes none either.
    /// Windows images are not judged.
    /// On 22,777 public Dockerfiles it fires 2,753 times; of 60 read, none was wrong, but 5 started a command that ends by itself.
    pub(crate) SHELL_FORM_COMMAND {
        name: "shell-form-command",
        code: "DF207",
        aliases: ["DL3025", "JSONArgsRecommended"],
        severity: Warning,
        status: Stable,
        fix: Unsafe,
        check: check,
    }
}

/// Commands that only a shell can run.
const BUILTINS: [&str; 18] = [
    ".", ":", "[", "alias", "cd", "command", "eval", "exec", "exit", "export", "read", "set",
    "source", "test", "trap", "ulimit", "umask", "wait",
];

/// A longer command is not repeated in the help.
const LONGEST_EXAMPLE: usize = 80;

fn check(ctx: &mut RuleContext<'_>) {
    for block in blocks(ctx.model()) {
        let stage = block.first().and_then(|first| first.stage);
        let start = ctx.start_command(stage);
        if start.has_shell_below || start.is_windows {
            continue;
        }
        for instruction in block {
            // SHELL counts for what comes behind it.
            if instruction.keyword == Keyword::Shell {
                break;
            }
            let counts = match instruction.keyword {
                Keyword::Cmd => start.command,
                Keyword::Entrypoint => start.entrypoint,
                Keyword::Onbuild => instruction.trigger(),
                _ => None,
            };
            // Of several instructions, the last one counts; the others are the finding of `multiple-cmd`.
            let is_start = |found: &Instruction| {
                matches!(found.keyword, Keyword::Cmd | Keyword::Entrypoint)
                    && found.id == instruction.id
            };
            if let Some(found) = counts.filter(|found| is_start(found)) {
                check_command(ctx, found);
            }
        }
    }
}

fn check_command(ctx: &mut RuleContext<'_>, instruction: &Instruction) {
    let Some(Command::Shell(script)) = instruction.command() else {
        return;
    };
    // Broken JSON is the finding of `single-quoted-json`, a service that ends that of `background-process`.
    let text = script.text.trim();
    let is_fine = text.is_empty()
        || service_started_last(instruction).is_some()
        || text.starts_with('[')
        || is_shell(text)
        || ends_with_exec(script);
    if !is_fine {
        report(ctx, instruction, script);
    }
}

/// Returns whether the last command takes the place of the shell.
fn ends_with_exec(script: &Script) -> bool {
    match script.commands.last() {
        Some(last) => last.is(&["exec"]),
        None => script.text.trim_start().starts_with("exec "),
    }
}

fn report(ctx: &mut RuleContext<'_>, instruction: &Instruction, script: &Script) {
    let name = instruction.keyword_text.to_uppercase();
    let words = simple_words(ctx, script);
    let program = match script.commands.as_slice() {
        [only] => only.program(),
        _ => None,
    };
    let what = program.map_or("the command".to_owned(), |program| format!("`{program}`"));
    let text = script.text.trim_end();
    let is_background = text.ends_with('&') && !text.ends_with("&&");
    let help = match &words {
        _ if is_background => {
            "leave out the `&`: the container ends with its shell, and this program with the container".to_owned()
        }
        Some(words) => format!("write `{name} {}`", json_array(words.iter().copied())),
        None => help_with_shell(ctx, &name, script),
    };
    let finding = ctx.report(
        instruction.keyword_range,
        format!(
            "`{name}` in shell form: {what} runs below `/bin/sh`, which does not pass signals on"
        ),
    );
    let finding = finding.help(help);
    if let Some(words) = words {
        let array = json_array(words);
        finding.unsafe_fix(
            format!("write `{array}`"),
            TextEdit::replace(script.range, array.clone()),
        );
    }
}

/// Returns what to do where the command needs a shell.
fn help_with_shell(ctx: &RuleContext<'_>, name: &str, script: &Script) -> String {
    match with_exec(ctx, script) {
        Some(line) => {
            format!("write `{name} {line}`, so that the program takes the place of the shell")
        }
        None => format!(
            "put the commands into a script and start it with `{name} [\"/script\"]`, or write `exec` in front of the last one"
        ),
    }
}

/// Returns a script that is one command of a program with `exec` in front of the program, behind its assignments.
fn with_exec(ctx: &RuleContext<'_>, script: &Script) -> Option<String> {
    let ([command], true) = (script.commands.as_slice(), script.is_simple) else {
        return None;
    };
    let is_plain = ctx.text(script.range) == script.text && !command.is_negated;
    let is_program = command
        .program()
        .is_none_or(|program| !BUILTINS.contains(&program));
    if !is_plain || !is_program || script.text.contains('\n') {
        return None;
    }
    if script.text.len() > LONGEST_EXAMPLE {
        return Some("exec ...".to_owned());
    }
    let program = command.words.first()?;
    let at = program.range.start().checked_sub(script.range.start())?;
    let (before, behind) = script.text.split_at_checked(usize::from(at))?;
    Some(format!("{before}exec {behind}"))
}

/// Returns the words of a script that is one simple command, and means the same without a shell.
fn simple_words<'s>(ctx: &RuleContext<'_>, script: &'s Script) -> Option<Vec<&'s str>> {
    let [command] = script.commands.as_slice() else {
        return None;
    };
    let is_plain = script.is_simple
        && !script.has_errors
        && command.assignments.is_empty()
        && command.redirections.is_empty()
        && !command.is_negated
        // Nothing else stands in the script: no `&`, no `;`, no comment, no continuation.
        && command.range == script.range
        && ctx.text(script.range) == script.text;
    if !is_plain
        || command
            .program()
            .is_none_or(|program| BUILTINS.contains(&program))
    {
        return None;
    }
    command
        .words
        .iter()
        .map(|word| {
            let literal = word.literal()?;
            let is_pattern = word.text.contains(['*', '?', '[', '{', '~', '$', '\\']);
            let is_text = !literal.chars().any(char::is_control);
            (!is_pattern && is_text).then_some(literal)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::SHELL_FORM_COMMAND as RULE;
    use crate::testing::{check_clean, check_fires, check_fix, check_message, findings};

    #[test]
    fn the_background_ends_with_the_shell() {
        let found = findings("FROM a\nCMD npm start &\n", &RULE);
        let help = found.first().and_then(|found| found.help.as_deref());
        assert!(help.is_some_and(|help| help.starts_with("leave out the `&`")));
    }

    #[test]
    fn points_at_the_keyword() {
        check_fires(
            &RULE,
            "FROM node as foo\n«ENTRYPOINT» something --x\nFROM node\n«CMD» a && \\\n  b\n",
        );
    }

    #[test]
    fn says_who_gets_no_signals() {
        check_message(
            &RULE,
            "FROM a\nCMD npm start\n",
            "`CMD` in shell form: `npm` runs below `/bin/sh`, which does not pass signals on",
        );
    }

    #[test]
    fn a_shell_that_is_asked_for_is_fine() {
        check_clean(
            &RULE,
            "FROM scratch AS base\nSHELL [\"/usr/bin/customshell\"]\nCMD x\nFROM base\nCMD y\n",
        );
        check_clean(&RULE, "FROM a\nCMD bash\n");
        check_clean(
            &RULE,
            "FROM a\nCMD exec node x.js $PORT\nENTRYPOINT a && exec b\n",
        );
    }

    #[test]
    fn other_forms_and_instructions_are_fine() {
        check_clean(
            &RULE,
            "FROM a\nRUN x\nHEALTHCHECK CMD x\nCMD [\"x\"]\nENTRYPOINT ['x']\n",
        );
        check_clean(
            &RULE,
            "FROM mcr.microsoft.com/windows/nanoserver:1\nCMD x y\n",
        );
    }

    #[test]
    fn a_dead_instruction_is_reported_once() {
        check_fires(&RULE, "FROM a\nCMD x\n«CMD» y\n");
    }

    #[test]
    fn writes_a_simple_command_in_exec_form() {
        check_fix(
            &RULE,
            "FROM a\nCMD npm run 'start it' \"a b\"\n",
            "FROM a\nCMD [\"npm\", \"run\", \"start it\", \"a b\"]\n",
        );
    }

    #[test]
    fn exec_stands_behind_the_assignments() {
        let helps = |text: &str| -> Vec<String> {
            let found = findings(text, &RULE);
            found.into_iter().filter_map(|found| found.help).collect()
        };
        assert_eq!(
            helps("FROM a\nCMD A=1 flask --port $P\n"),
            [
                "write `CMD A=1 exec flask --port $P`, so that the program takes the place of the shell"
            ]
        );
        let others = helps("FROM a\nCMD cd $A\nENTRYPOINT while true; do a; done\n");
        assert!(
            others.len() == 2
                && others
                    .iter()
                    .all(|help| help.starts_with("put the commands"))
        );
    }

    #[test]
    fn a_command_that_needs_a_shell_gets_no_fix() {
        for command in [
            "a $B", "a && b", "a > b", "A=1 b", "a *", "cd x", "a &", "! a", "a # b",
        ] {
            let text = format!("FROM a\nCMD {command}\n");
            let found = findings(&text, &RULE);
            assert!(
                found.len() == 1 && found.iter().all(|found| found.fix.is_none()),
                "{text}"
            );
        }
    }
}
