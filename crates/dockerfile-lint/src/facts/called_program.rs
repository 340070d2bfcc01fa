//! The program that a command calls in the end, behind `sudo`, `env` and the like.

use dockerfile_model::{ShellCommand, ShellWord};
use dockerfile_source::TextRange;

use super::options::{Argument, OptionSyntax, arguments};

/// A program with its arguments, as a command calls it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CalledProgram<'m> {
    /// Without its folder.
    pub name: &'m str,
    pub word: &'m ShellWord,
    pub arguments: &'m [ShellWord],
    /// Whether `xargs` adds words that nobody can read in the file.
    pub is_fed: bool,
}

impl<'m> CalledProgram<'m> {
    /// Returns whether the program is one of these.
    pub(crate) fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.name)
    }

    /// Returns whether one of these options is given: a long one whole or with `=value`, a short one alone or in a
    /// group of short ones. Options behind `--` are none.
    pub(crate) fn option(&self, options: &[&str]) -> Option<&'m ShellWord> {
        find_option(self.arguments, options)
    }

    /// Returns the arguments that are neither options nor their values.
    pub(crate) fn operands(
        &self,
        syntax: OptionSyntax,
    ) -> impl Iterator<Item = &'m ShellWord> + use<'m> {
        arguments(self.arguments, syntax).filter_map(|argument| match argument {
            Argument::Operand(word) => Some(word),
            Argument::Option { .. } => None,
        })
    }

    /// Returns the range from the program to one of its arguments.
    pub(crate) fn range_to(&self, word: &ShellWord) -> TextRange {
        TextRange::new(
            self.word.range.start(),
            word.range.end().max(self.word.range.end()),
        )
    }
}

/// Returns the first of these options among arguments.
pub(crate) fn find_option<'m>(
    arguments: &'m [ShellWord],
    options: &[&str],
) -> Option<&'m ShellWord> {
    arguments
        .iter()
        .take_while(|word| word.value() != "--")
        .find(|word| {
            let first = word.value().as_bytes().first();
            options
                .iter()
                .any(|option| option.as_bytes().first() == first && is_option(word.value(), option))
        })
}

fn is_option(word: &str, option: &str) -> bool {
    if let Some(behind) = word.strip_prefix(option)
        && (behind.is_empty() || (option.starts_with("--") && behind.starts_with('=')))
    {
        return true;
    }
    let (Some(letter), Some(group)) = (option.strip_prefix('-'), word.strip_prefix('-')) else {
        return false;
    };
    letter.len() == 1
        && letter != "-"
        && group.bytes().all(|byte| byte.is_ascii_alphabetic())
        && group.contains(letter)
}

/// A program that runs another one.
struct Wrapper {
    name: &'static str,
    options: OptionSyntax,
    /// How many words stand between its options and the program.
    operands: usize,
    takes_assignments: bool,
}

const fn wrapper(name: &'static str, short: &'static str, operands: usize) -> Wrapper {
    Wrapper {
        name,
        options: OptionSyntax::new(short, &[]),
        operands,
        takes_assignments: false,
    }
}

const WRAPPERS: &[Wrapper] = &[
    Wrapper {
        name: "sudo",
        options: OptionSyntax::new(
            "ugpCcDhRrtTU",
            &[
                "--user", "--group", "--prompt", "--chdir", "--host", "--role", "--type",
            ],
        ),
        operands: 0,
        takes_assignments: true,
    },
    Wrapper {
        name: "env",
        options: OptionSyntax::new("uC", &["--unset", "--chdir"]),
        operands: 0,
        takes_assignments: true,
    },
    wrapper("exec", "a", 0),
    wrapper("command", "", 0),
    wrapper("builtin", "", 0),
    wrapper("time", "of", 0),
    wrapper("nice", "n", 0),
    wrapper("ionice", "cn", 0),
    wrapper("nohup", "", 0),
    wrapper("setsid", "", 0),
    wrapper("stdbuf", "ioe", 0),
    wrapper("timeout", "ks", 1),
    wrapper("doas", "uC", 0),
    wrapper("gosu", "", 1),
    wrapper("su-exec", "", 1),
    wrapper("busybox", "", 0),
    wrapper("eatmydata", "", 0),
    wrapper("fakeroot", "", 0),
    wrapper("chronic", "", 0),
    wrapper("linux32", "", 0),
    wrapper("xargs", "aEILnPds", 0),
];

/// Returns the program that a command calls in the end. `command -v x` calls nothing.
pub(crate) fn called_program(command: &ShellCommand) -> Option<CalledProgram<'_>> {
    let mut words = command.words.as_slice();
    let mut is_fed = false;
    loop {
        let (word, arguments) = words.split_first()?;
        let name = program_name(word)?;
        let Some(wrapper) = wrapper_of(name) else {
            return Some(CalledProgram {
                name,
                word,
                arguments,
                is_fed,
            });
        };
        if name == "command" && find_option(arguments.get(..1)?, &["-v", "-V"]).is_some() {
            return None;
        }
        is_fed |= name == "xargs";
        words = skip_wrapper(wrapper, arguments)?;
    }
}

fn wrapper_of(name: &str) -> Option<&'static Wrapper> {
    let first = name.as_bytes().first();
    WRAPPERS
        .iter()
        .find(|wrapper| wrapper.name.as_bytes().first() == first && wrapper.name == name)
}

/// Returns the words behind the options and operands of a wrapper.
fn skip_wrapper<'m>(wrapper: &Wrapper, words: &'m [ShellWord]) -> Option<&'m [ShellWord]> {
    let mut operands = wrapper.operands;
    let mut rest = words;
    loop {
        let (first, behind) = rest.split_first()?;
        let value = first.value();
        if value == "--" {
            rest = behind;
        } else if value.len() > 1 && value.starts_with('-') {
            let takes_next = wrapper.options.takes_next(value);
            rest = behind.get(usize::from(takes_next)..)?;
        } else if wrapper.takes_assignments && is_assignment(value) {
            rest = behind;
        } else if operands > 0 {
            operands -= 1;
            rest = behind;
        } else {
            return Some(rest);
        }
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// Returns the name of a program without its folder, also where the folder is a variable: `"$VENV/bin/pip"`.
fn program_name(word: &ShellWord) -> Option<&str> {
    if let Some(literal) = word.literal() {
        return Some(literal.rsplit('/').next().unwrap_or(literal));
    }
    let (_, name) = word.text.rsplit_once('/')?;
    let name = name.trim_end_matches('"');
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (!name.is_empty() && name.bytes().all(is_plain)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::shell_command;

    #[track_caller]
    fn check(line: &str, name: &str, arguments: &[&str]) {
        let command = shell_command(line);
        let called = called_program(&command).expect("a program is called");
        let found: Vec<_> = called.arguments.iter().map(ShellWord::value).collect();
        assert_eq!(
            (called.name, found.as_slice()),
            (name, arguments),
            "in {line}"
        );
    }

    #[test]
    fn sees_through_wrappers_and_their_options() {
        check("apt-get update", "apt-get", &["update"]);
        check(
            "sudo -E -u root A=b /usr/bin/apt-get update",
            "apt-get",
            &["update"],
        );
        check("env -u X A=b B= pip install x", "pip", &["install", "x"]);
        check("exec nice -n 10 time -p make all", "make", &["all"]);
        check("timeout -k 5 10 curl x", "curl", &["x"]);
        check("xargs -r -n 1 apk add", "apk", &["add"]);
    }

    #[test]
    fn reads_the_program_behind_a_folder_in_a_variable() {
        check("\"$VENV/bin/pip\" install x", "pip", &["install", "x"]);
        assert!(called_program(&shell_command("$PIP install x")).is_none());
    }

    #[test]
    fn asking_for_a_program_does_not_call_it() {
        assert!(called_program(&shell_command("command -v curl")).is_none());
        assert!(called_program(&shell_command("sudo -E")).is_none());
    }

    #[test]
    fn options_match_alone_in_groups_and_with_values() {
        assert!(is_option("-y", "-y"));
        assert!(is_option("-qy", "-y"));
        assert!(is_option("--target=/x", "--target"));
        assert!(!is_option("--yesterday", "--yes"));
        assert!(!is_option("--yes", "-y"));
    }
}
