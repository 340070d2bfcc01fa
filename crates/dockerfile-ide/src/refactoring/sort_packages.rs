//! The packages of an install command in the order of the alphabet.

use dockerfile_model::{Instruction, ShellCommand, ShellWord};
use dockerfile_source::{TextEdit, TextSize};

use super::{after, same_but};
use crate::Analysis;

/// Returns the edit that sorts the packages of the command at an offset; the words change places, all else stays.
pub(super) fn sort_packages(
    analysis: &Analysis,
    instruction: &Instruction,
    offset: TextSize,
) -> Option<TextEdit> {
    let command = instruction
        .scripts()
        .flat_map(|script| &script.commands)
        .find(|command| command.range.contains_inclusive(offset) && packages(command).is_some())?;
    let words = packages(command)?;
    let mut sorted: Vec<&ShellWord> = words.clone();
    sorted.sort_by(|left, right| left.text.cmp(&right.text));
    if sorted
        .iter()
        .zip(&words)
        .all(|(left, right)| left.text == right.text)
    {
        return None;
    }
    let mut edit = TextEdit::builder();
    for (place, word) in words.iter().zip(&sorted) {
        if place.text != word.text {
            edit.replace(place.range, word.text.as_str());
        }
    }
    let edit = edit.finish().ok()?;
    let after = after(analysis, &edit)?;
    let idx = instruction.id.index();
    let is_same = |at: usize| at == idx;
    let all_words = |instruction: &Instruction| {
        let commands = instruction.scripts().flat_map(|script| &script.commands);
        let mut words: Vec<String> = commands
            .flat_map(|command| &command.words)
            .map(|word| word.text.to_string())
            .collect();
        words.sort_unstable();
        words
    };
    let new = after.model().instructions.get(idx)?;
    (all_words(instruction) == all_words(new) && same_but(analysis, &after, is_same, is_same))
        .then_some(edit)
}

/// Returns the packages that a command installs, if all of them are plain words behind one another.
fn packages(command: &ShellCommand) -> Option<Vec<&ShellWord>> {
    let verbs: &[&str] = match command.program()? {
        "apt-get" | "apt" | "dnf" | "microdnf" | "yum" | "zypper" | "aptitude" => &["install"],
        "apk" => &["add"],
        _ => return None,
    };
    let verb = command
        .words
        .iter()
        .position(|word| verbs.contains(&word.value()))?;
    let words: Vec<&ShellWord> = command
        .words
        .iter()
        .skip(verb + 1)
        .filter(|word| !word.is_option())
        .collect();
    // `--virtual .deps` and the like take the word behind them.
    let takes_word = command.words.iter().any(|word| {
        matches!(
            word.value(),
            "-t" | "--virtual" | "--repository" | "-X" | "-o" | "-c" | "--target-release"
        )
    });
    let is_plain = words
        .iter()
        .all(|word| !word.has_expansion() && !word.is_quoted && !word.text.contains('\n'));
    (words.len() > 1 && is_plain && !takes_word).then_some(words)
}
