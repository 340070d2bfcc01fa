//! RUN as a line with `&&`, and as a here-document.

use dockerfile_model::Instruction;
use dockerfile_source::{TextEdit, TextRange};

use super::run_chain::{chain, stopping_document};
use super::{after, commands_of, line_end, same_but};
use crate::Analysis;

/// Returns the edit that turns `RUN a && b` into a here-document that stops at the first failure.
pub(super) fn to_heredoc(analysis: &Analysis, instruction: &Instruction) -> Option<TextEdit> {
    let chain = chain(analysis, instruction)?;
    let is_long = chain.commands.len() > 1;
    if !is_long || analysis.model().escape != '\\' {
        return None;
    }
    let ending = line_end(analysis);
    let name = free_name(
        &chain
            .commands
            .iter()
            .map(|each| each.text.as_str())
            .collect::<Vec<_>>(),
    )?;
    let mut text = format!("<<{name}{ending}set -e{ending}");
    for command in &chain.commands {
        text.push_str(&command.text);
        text.push_str(ending);
    }
    text.push_str(name);
    let end = instruction.range.end();
    let edit = TextEdit::replace(TextRange::new(chain.script.start(), end), text);
    is_proven(analysis, instruction, &edit, Setting::Added).then_some(edit)
}

/// Returns the edit that turns a here-document with `set -e` into a line with `&&`.
pub(super) fn to_chain(analysis: &Analysis, instruction: &Instruction) -> Option<TextEdit> {
    let (chain, traces) = stopping_document(analysis, instruction)?;
    let heredoc = instruction.heredocs.first()?;
    let joint = format!(" {}{}    && ", analysis.model().escape, line_end(analysis));
    let mut commands: Vec<&str> = chain
        .commands
        .iter()
        .map(|each| each.text.as_str())
        .collect();
    // A command over several lines would end the line.
    if commands.iter().any(|command| command.contains('\n')) {
        return None;
    }
    if traces {
        commands.insert(0, "set -x");
    }
    let range = TextRange::new(heredoc.opener_range.start(), instruction.range.end());
    let edit = TextEdit::replace(range, commands.join(&joint));
    is_proven(analysis, instruction, &edit, Setting::Removed).then_some(edit)
}

enum Setting {
    Added,
    Removed,
}

/// Returns whether the same commands run in the same order and nothing else of the file is another.
fn is_proven(
    analysis: &Analysis,
    instruction: &Instruction,
    edit: &TextEdit,
    setting: Setting,
) -> bool {
    let Some(after) = after(analysis, edit) else {
        return false;
    };
    let idx = instruction.id.index();
    let Some(new) = after.model().instructions.get(idx) else {
        return false;
    };
    let is_set = |command: &String| command.starts_with("set\u{1f}-");
    let (mut old_commands, mut new_commands) = (commands_of(instruction), commands_of(new));
    match setting {
        Setting::Added => new_commands.retain(|command| !is_set(command)),
        Setting::Removed => {}
    }
    old_commands.retain(|command| !is_set(command));
    new_commands.retain(|command| !is_set(command));
    let is_same = |at: usize| at == idx;
    old_commands == new_commands && same_but(analysis, &after, is_same, is_same)
}

/// Returns a name that no line of the commands is.
fn free_name(commands: &[&str]) -> Option<&'static str> {
    ["EOF", "SCRIPT", "END_OF_RUN"]
        .into_iter()
        .find(|name| !commands.iter().any(|command| command.contains(name)))
}
