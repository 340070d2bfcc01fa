//! Which command of a RUN failed.
//!
//! A shell says only that something did. What is left behind tells more: the name of a program that is not there, an `exit` with that
//! very number, the name in front of the last complaint, the words of a command in it. Where nothing of that is clear, no command is
//! marked: a wrong mark is worse than none.

use crate::error::{BuildError, Place};
use crate::plan::{CommandPlace, Operation, RunOperation};

/// How many of the last lines are looked through for a complaint that names a word of a command.
const COMPLAINT_LINES: usize = 12;
/// A shorter word may stand anywhere.
const SHORTEST_WORD: usize = 4;
/// What complaints say, in small letters.
const COMPLAINTS: [&str; 12] = [
    "error",
    "err!",
    "fail",
    "fatal",
    "not found",
    "cannot",
    "can't",
    "could not",
    "no such",
    "unable",
    "missing",
    "invalid",
];

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
        let mut last = output.iter().rev().filter(|line| !is_usage(line)).take(3);
        last.find_map(|line| {
            let name = line.split(':').next()?.trim();
            if name.contains(' ') {
                None
            } else {
                named(name)
            }
        })
    };
    let by_name = || (code == 1).then(|| named("false")).flatten();
    by_exit
        .or_else(by_complaint)
        .or_else(|| by_words(commands, output))
        .or_else(by_name)
}

/// Returns whether a line only tells how a program is to be called, as many do after a complaint.
fn is_usage(line: &str) -> bool {
    let starts = ["usage:", "try '", "try `", "busybox v", "options:", "-"];
    let line = line.to_ascii_lowercase();
    line.trim().is_empty()
        || line.starts_with([' ', '\t'])
        || starts.iter().any(|start| line.starts_with(start))
}

/// Returns the command whose words the last complaint has that names any: a package, a file, an address.
fn by_words<'c>(commands: &'c [CommandPlace], output: &[String]) -> Option<&'c CommandPlace> {
    let complaints = output.iter().rev().take(COMPLAINT_LINES);
    for line in complaints.filter(|line| is_complaint(line)) {
        let has = |command: &CommandPlace| {
            let arguments = command.words.iter().skip(1);
            let mut telling = arguments.filter(|word| is_telling(word));
            telling.any(|word| has_word(line, word))
        };
        let mut those = commands
            .iter()
            .filter(|command| !only_talks(command) && has(command));
        if let Some(command) = those.next() {
            return those.next().is_none().then_some(command);
        }
    }
    None
}

fn is_complaint(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    COMPLAINTS.iter().any(|word| line.contains(word))
}

/// Returns whether a command prints its words however it ends.
fn only_talks(command: &CommandPlace) -> bool {
    let name = command.words.first().map(|word| base_name(word));
    matches!(name, Some("echo" | "printf" | ":"))
}

/// Returns whether a word is one that only its own command would print.
fn is_telling(word: &str) -> bool {
    word.len() >= SHORTEST_WORD && !word.starts_with('-')
}

/// Returns whether a line has a word between other characters than those of words.
fn has_word(line: &str, word: &str) -> bool {
    let is_inner = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-');
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line
            .get(at + word.len()..)
            .and_then(|text| text.chars().next());
        !before.is_some_and(is_inner) && !after.is_some_and(is_inner)
    })
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

    #[test]
    fn usage_behind_a_complaint_hides_nothing() {
        let output = [
            "tar: unrecognized option '--nosuch'",
            "BusyBox v1.35.0 multi-call binary.",
            "",
            "Usage: tar c|x|t [-ZzJjahmvokO] [-f TARFILE]",
            "",
            "Create, extract, or list files from a tar file",
            "\tc\tCreate",
            "\t-f FILE\tName of TARFILE",
        ];
        assert_eq!(
            found(&["true", "tar --nosuch", "true"], 1, &output),
            Some(1)
        );
    }

    #[test]
    fn words_of_a_command_point_at_it() {
        let apt = [
            "apt-get update",
            "apt-get install -y curl nosuchpkg",
            "rm -rf /var/lib/apt/lists/*",
        ];
        let output = [
            "Reading package lists...",
            "Building dependency tree...",
            "E: Unable to locate package nosuchpkg",
        ];
        assert_eq!(found(&apt, 100, &output), Some(1));
        let npm = ["npm ci", "npm run build:prod"];
        let output = [
            "npm error Missing script: \"build:prod\"",
            "npm error",
            "npm error A complete log of this run can be found in: /root/.npm/_logs/1.log",
        ];
        assert_eq!(found(&npm, 1, &output), Some(1));
        let pip = ["pip install flask", "pip install nosuch==1.0"];
        let output = ["ERROR: No matching distribution found for nosuch==1.0"];
        assert_eq!(found(&pip, 1, &output), Some(1));
    }

    #[test]
    fn words_that_point_at_two_commands_point_at_none() {
        let output = ["error: nosuch.txt is missing"];
        assert_eq!(found(&["a nosuch.txt", "b nosuch.txt"], 1, &output), None);
        assert_eq!(found(&["echo nosuch.txt", "b"], 1, &output), None);
        // What went well may be told too.
        let output = ["Successfully installed flask-3.0"];
        assert_eq!(found(&["pip install flask", "test -e x"], 1, &output), None);
        assert_eq!(found(&["a bcd.txt", "b"], 1, &["error: abcd.txt"]), None);
    }
}
