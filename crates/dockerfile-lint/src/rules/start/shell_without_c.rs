use dockerfile_model::{Command, Instruction, JsonString, Keyword};
use dockerfile_source::{TextEdit, TextRange};

use super::{is_written_plainly, json_string};
use crate::RuleContext;
use crate::facts::instructions_by_keyword::COMMANDS;
use crate::facts::shell_program::{base_name, is_shell};
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds a shell in exec form that is given a command without `-c`.
    ///
    /// ## Why
    /// `bash echo` does not run `echo`: it asks bash to run a script in a file called `echo`.
    /// The container stops with `echo: No such file or directory`, or with `/bin/echo: cannot execute binary file`.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// CMD ["/bin/bash", "echo", "Hello World"]
    /// ```
    /// ```dockerfile
    /// FROM debian:12
    /// ENTRYPOINT ["/bin/bash"]
    /// CMD ["python3", "app.py"]
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// ENTRYPOINT ["/bin/bash", "-c", "echo Hello $NAME"]
    /// CMD ["/bin/echo", "Hello World"]
    /// ```
    /// ```dockerfile
    /// FROM debian:12
    /// CMD ["bash", "start.sh"]
    /// ```
    ///
    /// ## Fix
    /// Unsafe: removes the shell, so that the program is started by itself; where the command line is one string, puts `-c` in front of it.
    ///
    /// ## Limits
    /// Fires on the names of well-known programs and on strings with blanks; any other word may be a script.
    /// A shell with an option in front of the command is not judged.
    /// On 22,777 public Dockerfiles it fires 3 times, each time rightly.
    pub(crate) SHELL_WITHOUT_C {
        name: "shell-without-c",
        code: "DF205",
        aliases: [],
        severity: Error,
        status: Stable,
        fix: Unsafe,
        check: check,
    }
}

/// Programs that nobody calls a script of their own.
const PROGRAMS: [&str; 58] = [
    "apache2ctl",
    "apachectl",
    "apk",
    "apt",
    "apt-get",
    "bundle",
    "bun",
    "cargo",
    "cat",
    "celery",
    "chmod",
    "chown",
    "cp",
    "cron",
    "curl",
    "date",
    "deno",
    "django-admin",
    "dotnet",
    "echo",
    "env",
    "flask",
    "go",
    "gunicorn",
    "httpd",
    "java",
    "ls",
    "make",
    "mkdir",
    "mvn",
    "mysqld",
    "nginx",
    "node",
    "nodejs",
    "npm",
    "npx",
    "perl",
    "php",
    "php-fpm",
    "pip",
    "pip3",
    "pnpm",
    "printf",
    "pwd",
    "python",
    "python2",
    "python3",
    "rm",
    "ruby",
    "service",
    "sleep",
    "sshd",
    "supervisord",
    "tail",
    "uvicorn",
    "wget",
    "whoami",
    "yarn",
];

/// Commands that only a shell can run.
const BUILTINS: [&str; 9] = [
    "cd", "eval", "exec", "export", "set", "source", "trap", "ulimit", "umask",
];

fn check(ctx: &mut RuleContext<'_>) {
    for instruction in ctx.instructions_of(COMMANDS) {
        let Some(Command::Exec(words, _)) = instruction.command() else {
            continue;
        };
        let [shell, command, rest @ ..] = words.as_slice() else {
            continue;
        };
        if is_shell(&shell.value) && is_command(&command.value) {
            report(ctx, shell, command, rest);
        }
    }
    for cmd in ctx.model().instructions_of(Keyword::Cmd) {
        let start = ctx.start_command(cmd.stage);
        let counts = start.command.is_some_and(|command| command.id == cmd.id);
        if let Some(entrypoint) = start.entrypoint.filter(|_| counts) {
            check_pair(ctx, entrypoint, cmd);
        }
    }
}

/// A shell as ENTRYPOINT, and the command as CMD.
fn check_pair(ctx: &mut RuleContext<'_>, entrypoint: &Instruction, cmd: &Instruction) {
    let Some(Command::Exec(entry, _)) = entrypoint.command() else {
        return;
    };
    let [shell] = entry.as_slice() else { return };
    if !is_shell(&shell.value) {
        return;
    }
    let (range, name) = match cmd.command() {
        Some(Command::Exec(words, _)) => match words.first() {
            Some(command) if is_command(&command.value) => {
                (command.range, first_word(&command.value).to_owned())
            }
            _ => return,
        },
        // `bash /bin/sh -c "..."`.
        Some(Command::Shell(script)) if !script.text.trim_start().starts_with('[') => {
            (cmd.keyword_range, "/bin/sh".to_owned())
        }
        _ => return,
    };
    let shell_name = base_name(&shell.value);
    ctx.report(
        range,
        format!("`{shell_name}` is asked to run a script in the file `{name}`"),
    )
    .label(
        shell.range,
        "the command is handed to this shell, without `-c`",
    )
    .help("remove the `ENTRYPOINT`, or give it `-c` and write the command line as one string");
}

/// Returns whether a word is a command, and no option and no file with a script.
fn is_command(word: &str) -> bool {
    if word.starts_with(['-', '+']) || word.is_empty() {
        return false;
    }
    let first = first_word(word);
    let name = base_name(first);
    let is_known = PROGRAMS.contains(&name) || BUILTINS.contains(&first);
    let is_program_path = match first.rsplit_once('/') {
        None => true,
        Some((folder, _)) => matches!(
            folder,
            "/bin" | "/sbin" | "/usr/bin" | "/usr/sbin" | "/usr/local/bin" | "/usr/local/sbin"
        ),
    };
    let has_script_name = name.contains('.');
    (is_known && is_program_path)
        || (word.contains([' ', '\t']) && !has_script_name && is_program_path)
}

fn first_word(command: &str) -> &str {
    command.split_ascii_whitespace().next().unwrap_or(command)
}

fn report(
    ctx: &mut RuleContext<'_>,
    shell: &JsonString,
    command: &JsonString,
    rest: &[JsonString],
) {
    let shell_name = base_name(&shell.value);
    let value = command.value.as_str();
    let is_line = value.contains([' ', '\t']);
    let finding = ctx.report(
        command.range,
        format!("`{shell_name}` is asked to run a script in the file `{value}`"),
    );
    if is_line {
        let finding = finding.help(format!(
            "put `-c` in front of it: `[\"{}\", \"-c\", {}]`",
            shell.value,
            json_string(value)
        ));
        if rest.is_empty() && is_written_plainly(command) {
            finding.unsafe_fix(
                "put `-c` in front of the command",
                TextEdit::insert(command.range.start(), "\"-c\", "),
            );
        }
        return;
    }
    if BUILTINS.contains(&value) {
        finding.help(format!(
            "`{value}` needs a shell: write `[\"{}\", \"-c\", \"{value} ...\"]`",
            shell.value
        ));
        return;
    }
    let finding = finding.help(format!(
        "leave out the shell, `[{}, ...]`, or write `[\"{}\", \"-c\", \"{value} ...\"]`",
        json_string(value),
        shell.value
    ));
    if is_written_plainly(shell) {
        finding.unsafe_fix(
            format!("start `{value}` without a shell"),
            TextEdit::delete(TextRange::new(shell.range.start(), command.range.start())),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::SHELL_WITHOUT_C as RULE;
    use crate::testing::{check_clean, check_fires, check_fix, check_message};

    #[test]
    fn points_at_the_word_that_is_taken_for_a_file() {
        check_fires(&RULE, "CMD [\"/bin/bash\", «\"echo\"», \"Hello World\"]\n");
        check_fires(
            &RULE,
            "ENTRYPOINT [\"sh\", «\"/usr/bin/python3\"», \"app.py\"]\n",
        );
        check_fires(&RULE, "FROM a\nRUN [\"bash\", «\"apt-get update\"»]\n");
        check_fires(
            &RULE,
            "FROM a\nHEALTHCHECK CMD [\"sh\", «\"curl -f localhost\"»]\n",
        );
    }

    #[test]
    fn the_shell_may_stand_in_the_entrypoint() {
        check_fires(
            &RULE,
            "FROM a\nENTRYPOINT [\"/bin/bash\"]\nCMD [«\"ls\"», \"-l\"]\n",
        );
        check_fires(&RULE, "FROM a\nENTRYPOINT [\"sh\"]\n«CMD» ls -l\n");
    }

    #[test]
    fn says_what_the_shell_is_asked() {
        check_message(
            &RULE,
            "FROM a\nCMD [\"/bin/bash\", \"echo\"]\n",
            "`bash` is asked to run a script in the file `echo`",
        );
    }

    #[test]
    fn scripts_and_options_are_fine() {
        check_clean(
            &RULE,
            "FROM a\nCMD [\"bash\", \"/start\"]\nCMD [\"sh\", \"run.sh\"]\nCMD [\"sh\", \"start\"]\nCMD [\"bash\", \"-c\", \"echo\"]\nCMD [\"bash\", \"-x\", \"echo\"]\nCMD [\"bash\"]\nCMD [\"sh\", \"/app/node\"]\nCMD [\"sh\", \"run.sh -x\"]\n",
        );
        check_clean(
            &RULE,
            "FROM a\nENTRYPOINT [\"/bin/sh\"]\nCMD [\"/start.sh\"]\n",
        );
        check_clean(
            &RULE,
            "FROM a\nENTRYPOINT [\"/bin/sh\", \"-c\"]\nCMD [\"ls\"]\n",
        );
    }

    #[test]
    fn starts_the_program_by_itself() {
        check_fix(
            &RULE,
            "FROM a\nCMD [\"/bin/bash\", \"echo\", \"Hello World\"]\n",
            "FROM a\nCMD [\"echo\", \"Hello World\"]\n",
        );
    }

    #[test]
    fn gives_a_command_line_to_the_shell() {
        check_fix(
            &RULE,
            "FROM a\nCMD [\"bash\", \"echo a && echo b\"]\n",
            "FROM a\nCMD [\"bash\", \"-c\", \"echo a && echo b\"]\n",
        );
    }
}
