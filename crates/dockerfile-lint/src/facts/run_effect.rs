//! What a RUN may leave in the file system, as far as its commands tell.

use dockerfile_model::{Command, Instruction, Redirection, ShellCommand};

use super::called_program::called_program;

/// What a RUN, or a command of it, may leave behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RunEffect {
    /// No file and no program that was not there.
    Nothing,
    /// Files, but nothing that can be called by its name.
    NoProgram,
    Anything,
}

/// Programs that make no file, in order.
const HARMLESS: &[&str] = &[
    ":", "[", "cat", "cd", "chgrp", "chmod", "chown", "date", "echo", "exit", "export", "false",
    "getent", "grep", "hash", "hostname", "id", "locale", "ls", "nproc", "printenv", "printf",
    "ps", "pwd", "rm", "rmdir", "set", "sleep", "stat", "test", "true", "type", "ulimit", "umask",
    "uname", "unset", "wait", "wc", "which", "whoami",
];

/// Programs that make files, but none that can be called, in order.
const NO_PROGRAM: &[&str] = &[
    "addgroup", "adduser", "chpasswd", "groupadd", "groupmod", "mkdir", "passwd", "touch",
    "useradd", "usermod",
];

/// Returns what a RUN may leave behind.
pub(crate) fn run_effect(instruction: &Instruction) -> RunEffect {
    if !matches!(instruction.command(), Some(Command::Shell(_))) {
        return RunEffect::Anything;
    }
    let mut effect = RunEffect::Nothing;
    for script in instruction.scripts() {
        if script.has_errors {
            return RunEffect::Anything;
        }
        for command in &script.commands {
            effect = effect.max(command_effect(command));
            if effect == RunEffect::Anything {
                return effect;
            }
        }
    }
    effect
}

/// Returns what one command may leave behind.
pub(crate) fn command_effect(command: &ShellCommand) -> RunEffect {
    let redirected = command.redirections.iter().map(redirection_effect);
    let own = if command.words.is_empty() {
        RunEffect::Nothing
    } else {
        called_program(command).map_or(RunEffect::Anything, |called| {
            // A program with a path may be anything by that name.
            let is_plain = called.word.literal() == Some(called.name);
            if is_plain && HARMLESS.binary_search(&called.name).is_ok() {
                RunEffect::Nothing
            } else if (is_plain && NO_PROGRAM.binary_search(&called.name).is_ok())
                || is_update(called.name, called.arguments)
            {
                RunEffect::NoProgram
            } else {
                RunEffect::Anything
            }
        })
    };
    redirected.fold(own, RunEffect::max)
}

/// Returns whether a package manager only gets its lists.
fn is_update(name: &str, arguments: &[dockerfile_model::ShellWord]) -> bool {
    matches!(name, "apk" | "apt" | "apt-get")
        && arguments
            .iter()
            .find(|word| !word.is_option())
            .is_some_and(|word| word.literal() == Some("update"))
}

fn redirection_effect(redirection: &Redirection) -> RunEffect {
    if redirection.operator.starts_with('<') {
        return RunEffect::Nothing;
    }
    let target = redirection.target.as_ref().and_then(|word| word.literal());
    match target {
        Some("/dev/null" | "/dev/stdout" | "/dev/stderr") => RunEffect::Nothing,
        Some(number)
            if number
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'-') =>
        {
            RunEffect::Nothing
        }
        Some(path) if !path.contains("bin") => RunEffect::NoProgram,
        _ => RunEffect::Anything,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::shell_command;

    #[test]
    fn tables_are_in_order() {
        assert!(HARMLESS.is_sorted() && NO_PROGRAM.is_sorted());
    }

    #[test]
    fn commands_leave_what_they_are_made_for() {
        for (line, effect) in [
            ("echo a 2>&1", RunEffect::Nothing),
            ("echo a >/dev/null", RunEffect::Nothing),
            ("A=b", RunEffect::Nothing),
            ("mkdir -p /a", RunEffect::NoProgram),
            ("apt-get -y update", RunEffect::NoProgram),
            ("echo a > /etc/a", RunEffect::NoProgram),
            ("echo a > /usr/bin/a", RunEffect::Anything),
            ("apt-get install -y a", RunEffect::Anything),
            ("./echo", RunEffect::Anything),
            ("sudo mkdir a", RunEffect::NoProgram),
            ("$X", RunEffect::Anything),
        ] {
            assert_eq!(command_effect(&shell_command(line)), effect, "{line}");
        }
    }
}
