//! Arguments of a program, told apart: options with their values, and the rest.

use dockerfile_model::ShellWord;

/// Which options of a program take the next word as their value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OptionSyntax {
    /// Letters of short options.
    short: &'static str,
    /// Options that are written out, their dashes included.
    long: &'static [&'static str],
}

/// One argument of a program.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Argument<'m> {
    Option {
        word: &'m ShellWord,
        /// The next word, where the option takes it.
        value: Option<&'m ShellWord>,
    },
    Operand(&'m ShellWord),
}

impl OptionSyntax {
    pub(crate) const fn new(short: &'static str, long: &'static [&'static str]) -> OptionSyntax {
        OptionSyntax { short, long }
    }

    /// Returns whether an option takes the next word as its value.
    pub(crate) fn takes_next(self, option: &str) -> bool {
        if self.long.contains(&option) {
            return true;
        }
        let Some(group) = option.strip_prefix('-') else {
            return false;
        };
        if group.starts_with('-') {
            return false;
        }
        // In a group, the first letter that takes a value takes the rest of the word; only the last one, the next word.
        group
            .find(|letter| self.short.contains(letter))
            .is_some_and(|at| at + 1 == group.len())
    }
}

/// Tells options from operands.
pub(crate) fn arguments(
    words: &[ShellWord],
    syntax: OptionSyntax,
) -> impl Iterator<Item = Argument<'_>> {
    let mut words = words.iter();
    let mut options_are_over = false;
    std::iter::from_fn(move || {
        let mut word = words.next()?;
        if !options_are_over && word.value() == "--" {
            options_are_over = true;
            word = words.next()?;
        }
        if options_are_over || !word.is_option() {
            return Some(Argument::Operand(word));
        }
        let value = if syntax.takes_next(word.value()) {
            words.next()
        } else {
            None
        };
        Some(Argument::Option { word, value })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::shell_command;

    const SYNTAX: OptionSyntax = OptionSyntax::new("ot", &["--root", "-tags"]);

    fn operands(line: &str) -> Vec<String> {
        let command = shell_command(line);
        arguments(command.arguments(), SYNTAX)
            .filter_map(|argument| match argument {
                Argument::Operand(word) => Some(word.value().to_owned()),
                Argument::Option { .. } => None,
            })
            .collect()
    }

    #[test]
    fn values_of_options_are_no_operands() {
        assert_eq!(operands("x -o a b -yt c d --root e f"), ["b", "d", "f"]);
        assert_eq!(operands("x -oA=b c --root=d e -tags f g"), ["c", "e", "g"]);
    }

    #[test]
    fn nothing_is_an_option_behind_two_dashes() {
        assert_eq!(operands("x -y -- -o a"), ["-o", "a"]);
    }
}
