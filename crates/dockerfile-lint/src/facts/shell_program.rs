//! Which programs are shells, and what the words behind them ask of them.

/// Shells that read a script from a file, or a command behind `-c`.
const SHELLS: [&str; 6] = ["sh", "bash", "dash", "ash", "zsh", "ksh"];

/// Returns the last part of a path: `sh` for `/bin/sh`.
pub(crate) fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Returns whether a program is a POSIX shell.
pub(crate) fn is_shell(program: &str) -> bool {
    SHELLS.contains(&base_name(program))
}

/// Returns whether a word gives a shell a command to run: `-c`, `-ec`, `-lc`.
pub(crate) fn asks_for_command(word: &str) -> bool {
    word.strip_prefix('-').is_some_and(|letters| {
        letters.ends_with('c') && letters.bytes().all(|byte| byte.is_ascii_alphabetic())
    })
}

/// Returns whether a script reads its arguments: `$@`, `$*`, `$0` to `$9`.
pub(crate) fn reads_arguments(script: &str) -> bool {
    let mut rest = script;
    while let Some((_, behind)) = rest.split_once('$') {
        let name = behind.strip_prefix('{').unwrap_or(behind);
        if name.starts_with(|character: char| {
            matches!(character, '@' | '*') || character.is_ascii_digit()
        }) {
            return true;
        }
        rest = behind;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_shells_by_their_last_name() {
        assert!(is_shell("/usr/bin/bash") && is_shell("sh"));
        assert!(!is_shell("/bin/bash2") && !is_shell("powershell"));
    }

    #[test]
    fn knows_the_option_in_a_group() {
        assert!(asks_for_command("-c") && asks_for_command("-exc"));
        assert!(!asks_for_command("-x") && !asks_for_command("c") && !asks_for_command("--norc"));
    }

    #[test]
    fn knows_scripts_with_arguments() {
        assert!(reads_arguments("exec app \"$@\"") && reads_arguments("echo ${1:-a}"));
        assert!(!reads_arguments("echo $HOME $$ ${A}$"));
    }
}
