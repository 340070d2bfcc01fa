//! Which command of a RUN failed.
//!
//! A shell says only that something did. What is left behind tells more: the name of a program that is not there, the name in front
//! of the last complaint, an `exit` with that very number.

use crate::error::{BuildError, Place};
use crate::plan::{CommandPlace, Operation, RunOperation};

/// Marks the command that failed, as far as it can be found.
pub(crate) fn mark(
    error: &mut BuildError,
    operation: &Operation,
    run: &RunOperation,
    code: i32,
    output: &[String],
) {
    let found = find(&run.commands, code, output);
    let mut place = Place {
        range: run.keyword_range,
        label: format!("exit code {code}"),
        others: Vec::new(),
    };
    match found {
        Some(command) if command.range.start() >= operation.range.start() => {
            place
                .others
                .push((command.range, "this command".to_owned()));
        }
        _ => place.range = operation.range,
    }
    if code == 127 {
        error.help = Some("the program is not in the image, or not in its PATH".to_owned());
    }
    error.place = Some(Box::new(place));
}

/// Returns the command that failed, where something points at it.
fn find<'c>(
    commands: &'c [CommandPlace],
    code: i32,
    output: &[String],
) -> Option<&'c CommandPlace> {
    if let [only] = commands {
        return Some(only);
    }
    let named = |name: &str| {
        commands.iter().rev().find(|command| {
            command
                .words
                .first()
                .is_some_and(|word| base_name(word) == base_name(name))
        })
    };
    if code == 127 {
        let missing = output.iter().rev().find_map(|line| {
            let before = line
                .strip_suffix(": not found")
                .or_else(|| line.strip_suffix(": command not found"))?;
            before.rsplit([':', ' ']).next()
        });
        if let Some(found) = missing.and_then(named) {
            return Some(found);
        }
    }
    let exit = code.to_string();
    let by_exit = commands
        .iter()
        .find(|command| match command.words.as_slice() {
            [word, number] => word == "exit" && *number == exit,
            _ => false,
        });
    let by_complaint = || {
        output.iter().rev().take(3).find_map(|line| {
            let name = line.split(':').next()?.trim();
            if name.contains(' ') {
                None
            } else {
                named(name)
            }
        })
    };
    let by_name = || (code == 1).then(|| named("false")).flatten();
    by_exit.or_else(by_complaint).or_else(by_name)
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use dockerfile_source::{TextRange, TextSize};

    use super::*;

    fn commands(texts: &[&str]) -> Vec<CommandPlace> {
        texts
            .iter()
            .enumerate()
            .map(|(number, text)| CommandPlace {
                words: text.split(' ').map(str::to_owned).collect(),
                range: TextRange::at(TextSize::from(number as u32), TextSize::from(1)),
            })
            .collect()
    }

    fn found(texts: &[&str], code: i32, output: &[&str]) -> Option<u32> {
        let output: Vec<String> = output.iter().map(|line| (*line).to_owned()).collect();
        find(&commands(texts), code, &output).map(|command| command.range.start().into())
    }

    #[test]
    fn finds_what_failed() {
        assert_eq!(found(&["make"], 2, &[]), Some(0));
        assert_eq!(
            found(
                &["true", "curll -O x", "tar x"],
                127,
                &["/bin/sh: curll: not found"]
            ),
            Some(1)
        );
        assert_eq!(
            found(&["true", "cp a b", "true"], 1, &["cp: can't stat 'a'"]),
            Some(1)
        );
        assert_eq!(found(&["test -e x", "exit 3"], 3, &[]), Some(1));
        assert_eq!(found(&["true", "false", "true"], 1, &[]), Some(1));
        assert_eq!(found(&["a", "b"], 1, &["some text"]), None);
    }
}
