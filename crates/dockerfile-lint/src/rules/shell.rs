//! Rules about the commands that RUN, CMD and the rest hand to a shell.

mod background_process;
mod command_not_in_image;
mod disabled_tls_verification;
mod heredoc_without_errexit;
mod high_user_id;
mod insecure_run_flag;
mod instruction_inside_run;
mod literal_password;
mod missing_pipefail;
mod missing_shell;
mod piped_installer;
mod pointless_command;
mod relinked_shell;
mod unsigned_packages;
mod wget_and_curl;
mod wget_progress;

use dockerfile_model::{ShellCommand, ShellWord};

use crate::Rule;

pub(crate) const RULES: &[&Rule] = &[
    &missing_pipefail::MISSING_PIPEFAIL,
    &pointless_command::POINTLESS_COMMAND,
    &wget_and_curl::WGET_AND_CURL,
    &wget_progress::WGET_PROGRESS,
    &relinked_shell::RELINKED_SHELL,
    &disabled_tls_verification::DISABLED_TLS_VERIFICATION,
    &unsigned_packages::UNSIGNED_PACKAGES,
    &piped_installer::PIPED_INSTALLER,
    &literal_password::LITERAL_PASSWORD,
    &high_user_id::HIGH_USER_ID,
    &instruction_inside_run::INSTRUCTION_INSIDE_RUN,
    &insecure_run_flag::INSECURE_RUN_FLAG,
    &heredoc_without_errexit::HEREDOC_WITHOUT_ERREXIT,
    &background_process::BACKGROUND_PROCESS,
    &missing_shell::MISSING_SHELL,
    &command_not_in_image::COMMAND_NOT_IN_IMAGE,
];

/// Returns whether a command is `set` with an option, given by its letter or by its long name behind `-o`.
fn is_set(command: &ShellCommand, letter: &str, name: &str) -> bool {
    command.is(&["set"])
        && (command.has_option(&[letter])
            || command.arguments().iter().any(|word| word.value() == name))
}

/// Returns whether a word is a group of short options with this letter: `-e`, `-ec`, `-eo`.
fn has_letter(word: &str, letter: char) -> bool {
    word.strip_prefix('-')
        .is_some_and(|letters| !letters.starts_with('-') && letters.contains(letter))
}

/// Returns the text of a word without the quotes in front.
fn unquoted(word: &ShellWord) -> &str {
    word.text.trim_start_matches(['"', '\''])
}
