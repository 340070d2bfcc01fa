//! The commands that a shell runs, flattened from the tree.
//!
//! A rule wants to know which program is called with which words, and what stands around the call. The shape of the
//! lists, loops and subshells stays in the tree; here every simple command stands in one list, in the order of the
//! file, with what a rule needs of its surroundings.

mod lower;

use dockerfile_source::TextRange;
use smol_str::SmolStr;

pub(crate) use lower::ScriptLowering;

/// Where a script stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptContext {
    /// The line of an instruction.
    Line,
    /// The body of a here-document.
    Heredoc,
}

/// A script: the body of RUN, CMD, ENTRYPOINT or HEALTHCHECK, or a here-document.
#[derive(Clone, Debug)]
pub struct Script {
    pub range: TextRange,
    pub context: ScriptContext,
    /// The joined text.
    pub text: SmolStr,
    /// The simple commands, in the order of the file.
    pub commands: Vec<ShellCommand>,
    /// Whether there is nothing but one simple command.
    pub is_simple: bool,
    /// Whether the grammar found a fault in it.
    pub has_errors: bool,
}

/// How a command follows the one before it in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// The first of its list.
    First,
    /// `&&`.
    And,
    /// `||`.
    Or,
    /// `;` or a line end.
    Sequence,
    /// `&`: the one before it runs in the background.
    Background,
    /// `|` or `|&`: reads what the one before it writes.
    Pipe,
}

/// What a command stands in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nesting {
    /// `(...)`.
    pub subshell: bool,
    /// `$(...)`, `` `...` `` or `<(...)`.
    pub substitution: bool,
    /// Any branch or loop: it may run or not.
    pub conditional: bool,
    /// The condition of `if`, `while` or `until`.
    pub condition: bool,
    /// The body of a function.
    pub function: bool,
    /// How many of all these.
    pub depth: u32,
}

/// A simple command.
#[derive(Clone, Debug)]
pub struct ShellCommand {
    /// From its first to its last word.
    pub range: TextRange,
    pub assignments: Vec<ShellAssignment>,
    /// The program and its arguments.
    pub words: Vec<ShellWord>,
    pub redirections: Vec<Redirection>,
    pub join: Join,
    /// The operator that joins it to the one before.
    pub join_range: Option<TextRange>,
    /// Commands of one pipeline share this number.
    pub pipeline: u32,
    /// Whether it is one of several in a pipeline.
    pub is_piped: bool,
    /// Whether `!` stands in front of its pipeline.
    pub is_negated: bool,
    pub nesting: Nesting,
    /// Whether an expansion stands in one of its words, values or targets.
    pub has_expansion: bool,
    /// Whether one of its words starts with a capital letter: it may be the keyword of an instruction.
    pub has_capital_word: bool,
}

/// A word of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShellWord {
    /// As it is written, continuations left out.
    pub text: SmolStr,
    pub range: TextRange,
    /// Whether some part of it stands in quotes.
    pub is_quoted: bool,
    has_expansion: bool,
    /// The literal value, where it is not the text. Words are the most of a model, and few are not what they say.
    unquoted: Option<Box<SmolStr>>,
}

/// `NAME=value` in front of a command, or alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShellAssignment {
    pub name: SmolStr,
    pub value: Option<ShellWord>,
    pub range: TextRange,
}

/// `> file`, `2>&1`, `<<EOF`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirection {
    pub operator: SmolStr,
    pub file_descriptor: Option<u32>,
    pub target: Option<ShellWord>,
    pub range: TextRange,
}

impl ShellWord {
    /// Returns a word without quotes and expansions.
    fn plain(text: SmolStr, range: TextRange) -> ShellWord {
        ShellWord {
            text,
            range,
            is_quoted: false,
            has_expansion: false,
            unquoted: None,
        }
    }

    fn new(
        text: SmolStr,
        range: TextRange,
        literal: Option<SmolStr>,
        is_quoted: bool,
    ) -> ShellWord {
        ShellWord {
            range,
            is_quoted,
            has_expansion: literal.is_none(),
            unquoted: literal.filter(|literal| *literal != text).map(Box::new),
            text,
        }
    }

    /// Returns the word after the shell has taken off the quotes; none when an expansion stands in it.
    pub fn literal(&self) -> Option<&str> {
        (!self.has_expansion).then(|| self.value())
    }

    /// Returns the literal value, else the text as it is written.
    pub fn value(&self) -> &str {
        self.unquoted.as_deref().unwrap_or(&self.text)
    }

    /// Returns whether the word is an option: `-x` or `--long`.
    pub fn is_option(&self) -> bool {
        let value = self.value();
        value.len() > 1 && value.starts_with('-')
    }

    /// Returns whether an expansion stands in the word.
    pub fn has_expansion(&self) -> bool {
        self.has_expansion
    }
}

impl ShellCommand {
    /// Returns the program without its folder: `apt-get` for `/usr/bin/apt-get`.
    pub fn program(&self) -> Option<&str> {
        let word = self.words.first()?.literal()?;
        Some(word.rsplit('/').next().unwrap_or(word))
    }

    /// Returns whether the program is one of these.
    pub fn is(&self, programs: &[&str]) -> bool {
        self.program()
            .is_some_and(|program| programs.contains(&program))
    }

    /// Returns the words behind the program.
    pub fn arguments(&self) -> &[ShellWord] {
        self.words.get(1..).unwrap_or(&[])
    }

    /// Returns the arguments that are no options.
    pub fn operands(&self) -> impl Iterator<Item = &ShellWord> {
        self.arguments().iter().filter(|word| !word.is_option())
    }

    /// Returns whether one of these options is given: a long one whole or with `=value`, a short one alone or in a
    /// group of short ones.
    pub fn has_option(&self, options: &[&str]) -> bool {
        self.option(options).is_some()
    }

    /// Returns the word of the first of these options that is given.
    pub fn option(&self, options: &[&str]) -> Option<&ShellWord> {
        self.arguments()
            .iter()
            .take_while(|word| word.value() != "--")
            .find(|word| {
                options
                    .iter()
                    .any(|option| matches_option(word.value(), option))
            })
    }
}

fn matches_option(word: &str, option: &str) -> bool {
    if let Some(behind) = word.strip_prefix(option)
        && (behind.is_empty() || (option.starts_with("--") && behind.starts_with('=')))
    {
        return true;
    }
    match (option.strip_prefix('-'), word.strip_prefix('-')) {
        (Some(letter), Some(group)) => {
            letter.chars().count() == 1
                && letter != "-"
                && group
                    .chars()
                    .all(|character| character.is_ascii_alphabetic())
                && group.contains(letter)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_match_alone_in_groups_and_with_values() {
        assert!(matches_option("-y", "-y"));
        assert!(matches_option("-qy", "-y"));
        assert!(matches_option("--yes", "--yes"));
        assert!(matches_option("--target=/x", "--target"));
        assert!(!matches_option("--yesterday", "--yes"));
        assert!(!matches_option("--yes", "-y"));
        assert!(!matches_option("y", "-y"));
        assert!(!matches_option("-o=y", "-y"));
    }
}
