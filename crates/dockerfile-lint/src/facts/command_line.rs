//! The command line that the container of a stage starts with.

use std::ops::Range;

use dockerfile_model::{
    Command, Instruction, Join, JsonString, Keyword, Model, ShellWord, StageId,
};
use dockerfile_source::{TextRange, TextSize};

/// A word of a command line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Argument<'m> {
    /// None where an expansion stands in the word.
    pub(crate) value: Option<&'m str>,
    /// As it is written in a shell line; the value in a JSON array.
    pub(crate) text: &'m str,
    pub(crate) range: TextRange,
    is_json: bool,
}

/// ENTRYPOINT and CMD as the container runs them.
#[derive(Clone, Debug)]
pub(crate) struct CommandLine<'m> {
    pub(crate) words: Vec<Argument<'m>>,
    /// The instruction that names the program.
    pub(crate) instruction: &'m Instruction,
    /// Whether it is a JSON array.
    pub(crate) is_json: bool,
    /// Whether nothing else runs before or beside it.
    pub(crate) is_alone: bool,
}

/// Programs that run what stands behind them, and how many words of their own they take.
const WRAPPERS: &[(&str, &[&str], usize)] = &[
    ("bundle", &["exec"], 0),
    ("bunx", &[], 0),
    ("catatonit", &[], 0),
    ("ddtrace-run", &[], 0),
    ("dumb-init", &[], 0),
    ("exec", &[], 0),
    ("gosu", &[], 1),
    ("hatch", &["run"], 0),
    ("newrelic-admin", &["run-program"], 0),
    ("nice", &[], 0),
    ("nohup", &[], 0),
    ("npx", &[], 0),
    ("opentelemetry-instrument", &[], 0),
    ("pdm", &["run"], 0),
    ("pipenv", &["run"], 0),
    ("poetry", &["run"], 0),
    ("su-exec", &[], 1),
    ("tini", &[], 0),
    ("uv", &["run"], 0),
];

impl<'m> Argument<'m> {
    fn of_json(string: &'m JsonString) -> Argument<'m> {
        Argument {
            value: Some(&string.value),
            text: &string.value,
            range: string.range,
            is_json: true,
        }
    }

    fn of_shell(word: &'m ShellWord) -> Argument<'m> {
        Argument {
            value: word.literal(),
            text: &word.text,
            range: word.range,
            is_json: false,
        }
    }

    /// Returns the value without its folder.
    pub(crate) fn file_name(&self) -> Option<&'m str> {
        let value = self.value?;
        Some(value.rsplit('/').next().unwrap_or(value))
    }

    /// Returns whether the word is an option.
    pub(crate) fn is_option(&self) -> bool {
        self.text.len() > 1 && self.text.starts_with('-')
    }

    /// Returns where a part of the value stands in the file; none where escapes, quotes or continuations stand between
    /// the two.
    pub(crate) fn part(&self, part: Range<usize>) -> Option<TextRange> {
        let value = self.value?;
        let quote = usize::from(self.is_json);
        let is_plain = usize::from(self.range.len()) == value.len() + 2 * quote
            && (self.is_json || value == self.text);
        (is_plain && part.end <= value.len()).then(|| {
            TextRange::at(
                self.range.start() + TextSize::new((quote + part.start) as u32),
                TextSize::new((part.end - part.start) as u32),
            )
        })
    }
}

/// Returns what the container of a stage starts with, as far as the file says it: of a line for the shell, the last
/// command.
pub(crate) fn command_line(model: &Model, stage: StageId) -> Option<CommandLine<'_>> {
    let entrypoint = model.last_of_stage(Keyword::Entrypoint, stage);
    let command = model.last_of_stage(Keyword::Cmd, stage);
    // An ENTRYPOINT clears the CMD that its stage inherits (`dockerfile2llb/convert.go`, `dispatchEntrypoint`).
    let command = command
        .filter(|command| entrypoint.is_none_or(|entrypoint| command.stage >= entrypoint.stage));
    let first = entrypoint.or(command)?;
    let mut line = match first.command()? {
        Command::Exec(strings, _) => CommandLine {
            words: strings.iter().map(Argument::of_json).collect(),
            instruction: first,
            is_json: true,
            is_alone: true,
        },
        Command::Shell(script) => {
            let last = script
                .commands
                .iter()
                .rfind(|command| !command.nesting.substitution && !command.words.is_empty())?;
            CommandLine {
                words: last.words.iter().map(Argument::of_shell).collect(),
                instruction: first,
                is_json: false,
                is_alone: script.commands.len() == 1
                    && last.join == Join::First
                    && last.nesting.depth == 0,
            }
        }
        Command::Opaque { .. } | Command::Missing => return None,
    };
    if entrypoint.is_some()
        && line.is_json
        && let Some(Command::Exec(strings, _)) = command.and_then(Instruction::command)
    {
        line.words.extend(strings.iter().map(Argument::of_json));
    }
    (!line.words.is_empty()).then_some(line)
}

/// Returns the words from the program that does the work: `uvicorn app` of `tini -- poetry run python -m uvicorn app`.
pub(crate) fn unwrapped<'w, 'm>(words: &'w [Argument<'m>]) -> &'w [Argument<'m>] {
    let mut words = words;
    while let Some(rest) = unwrap_once(words) {
        words = rest;
    }
    words
}

/// Every call leaves fewer words, so that the loop above ends.
fn unwrap_once<'w, 'm>(words: &'w [Argument<'m>]) -> Option<&'w [Argument<'m>]> {
    let (first, rest) = words.split_first()?;
    let program = first.file_name()?;
    if program == "env" {
        return Some(skip_while(rest, |word| {
            word.is_option() || word.text.contains('=')
        }));
    }
    if is_python(program) {
        let rest = skip_while(rest, |word| word.is_option() && word.value != Some("-m"));
        let (module, rest) = rest.split_first()?;
        if module.value == Some("-m") {
            return Some(rest).filter(|rest| !rest.is_empty());
        }
        return (module.file_name() == Some("manage.py"))
            .then_some(words.get(words.len() - rest.len() - 1..)?);
    }
    if program == "php" && rest.first().and_then(Argument::file_name) == Some("artisan") {
        return Some(rest);
    }
    let (_, verb, own_words) = WRAPPERS.iter().find(|(name, _, _)| *name == program)?;
    let mut rest = rest;
    if let Some(verb) = verb.first() {
        let (next, behind) = rest.split_first()?;
        if next.value != Some(verb) {
            return None;
        }
        rest = behind;
    }
    let rest = skip_while(rest, Argument::is_option).get(*own_words..)?;
    (!rest.is_empty()).then_some(rest)
}

fn is_python(program: &str) -> bool {
    program.strip_prefix("python").is_some_and(|version| {
        version
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    })
}

fn skip_while<'w, 'm>(
    words: &'w [Argument<'m>],
    is_skipped: impl Fn(&Argument<'m>) -> bool,
) -> &'w [Argument<'m>] {
    let count = words.iter().take_while(|word| is_skipped(word)).count();
    words.get(count..).unwrap_or(&[])
}

#[cfg(test)]
mod tests {
    use dockerfile_model::ModelInput;

    use super::*;

    fn words(text: &str) -> Vec<String> {
        let parse = dockerfile_syntax::parse(text);
        let model = Model::new(&parse, &ModelInput::default());
        let stage = model.final_stage().expect("there is a stage").id;
        let line = command_line(&model, stage).expect("there is a command");
        unwrapped(&line.words)
            .iter()
            .map(|word| word.text.to_owned())
            .collect()
    }

    #[test]
    fn joins_entrypoint_and_command() {
        assert_eq!(
            words("FROM a\nENTRYPOINT [\"tini\", \"--\"]\nCMD [\"a\", \"b\"]\n"),
            ["a", "b"]
        );
        assert_eq!(
            words("FROM a AS b\nCMD [\"x\"]\nFROM b\nENTRYPOINT [\"y\"]\n"),
            ["y"]
        );
    }

    #[test]
    fn a_shell_line_is_its_last_command() {
        assert_eq!(
            words("FROM a\nCMD cd /x && exec python -m uvicorn $APP\n"),
            ["uvicorn", "$APP"]
        );
    }

    #[test]
    fn looks_behind_wrappers() {
        assert_eq!(
            words(
                "FROM a\nCMD [\"poetry\",\"run\",\"python3.12\",\"-u\",\"-m\",\"flask\",\"run\"]\n"
            ),
            ["flask", "run"]
        );
        assert_eq!(
            words("FROM a\nCMD [\"python\",\"manage.py\",\"runserver\"]\n"),
            ["manage.py", "runserver"]
        );
        assert_eq!(
            words("FROM a\nCMD [\"gosu\",\"app\",\"env\",\"A=b\",\"serve\",\"x\"]\n"),
            ["serve", "x"]
        );
        assert_eq!(
            words("FROM a\nCMD [\"python\",\"app.py\",\"-m\"]\n"),
            ["python", "app.py", "-m"]
        );
    }
}
