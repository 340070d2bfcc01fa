//! Other ways to write the same thing, each proven before it is offered.

mod extract_stage;
mod heredoc;
mod inline_argument;
mod run_chain;
mod run_merge;
mod sort_packages;

use std::sync::Arc;

use dockerfile_model::{Instruction, Keyword, ShellCommand};
use dockerfile_source::{SourceFile, TextEdit, TextRange};

use crate::{Action, ActionKind, Analysis};

/// Returns the refactorings for the instruction that a range starts in.
pub(crate) fn actions(analysis: &Analysis, range: TextRange) -> Vec<Action> {
    let Some(instruction) = analysis.instruction_at(range.start()) else {
        return Vec::new();
    };
    if instruction.is_trigger {
        return Vec::new();
    }
    let mut actions = Vec::new();
    let mut add = |title: &str, kind, edit: Option<TextEdit>| {
        if let Some(edit) = edit {
            actions.push(Action {
                title: title.to_owned(),
                kind,
                edit,
                diagnostic: None,
                is_preferred: false,
            });
        }
    };
    match instruction.keyword {
        Keyword::Run => {
            let sorted = sort_packages::sort_packages(analysis, instruction, range.start());
            add("Sort the packages", ActionKind::Rewrite, sorted);
            let heredoc = heredoc::to_heredoc(analysis, instruction);
            add("Convert to a here-document", ActionKind::Rewrite, heredoc);
            let chain = heredoc::to_chain(analysis, instruction);
            add("Convert to a line with `&&`", ActionKind::Rewrite, chain);
            let split = run_merge::split(analysis, instruction, range.start());
            add("Split this RUN here", ActionKind::Rewrite, split);
            let merged = run_merge::merge(analysis, instruction);
            add("Merge with the next RUN", ActionKind::Rewrite, merged);
        }
        Keyword::Arg => {
            if let Some((name, edit)) =
                inline_argument::inline(analysis, instruction, range.start())
            {
                let title = format!("Inline `{name}` (--build-arg can no longer set it)");
                add(&title, ActionKind::Inline, Some(edit));
            }
        }
        _ => {}
    }
    let extracted = extract_stage::extract(analysis, instruction);
    add(
        "Extract the instructions above into a stage",
        ActionKind::Extract,
        extracted,
    );
    actions
}

/// Returns the file after an edit, if it has no more errors than before.
fn after(analysis: &Analysis, edit: &TextEdit) -> Option<Analysis> {
    let text = edit.apply(analysis.text())?;
    let after = Analysis::new(
        SourceFile::new(analysis.source().name(), text),
        Arc::new(analysis.outside().clone()),
    );
    (after.parse().errors().len() <= analysis.parse().errors().len()).then_some(after)
}

/// Returns whether two files have the same instructions but for some of them, compared by what they mean.
fn same_but(
    before: &Analysis,
    after: &Analysis,
    is_changed_before: impl Fn(usize) -> bool,
    is_changed_after: impl Fn(usize) -> bool,
) -> bool {
    let texts = |analysis: &Analysis, is_changed: &dyn Fn(usize) -> bool| -> Vec<String> {
        analysis
            .model()
            .instructions
            .iter()
            .enumerate()
            .filter(|(idx, _)| !is_changed(*idx))
            .map(|(_, instruction)| analysis.slice(instruction.range).to_owned())
            .collect()
    };
    before.model().escape == after.model().escape
        && texts(before, &is_changed_before) == texts(after, &is_changed_after)
}

/// Returns the commands of an instruction as a shell gets them, `set -e` and the like at the start left out.
fn commands_of(instruction: &Instruction) -> Vec<String> {
    instruction
        .scripts()
        .flat_map(|script| &script.commands)
        .filter(|command| !is_opener(command))
        .map(|command| {
            let assignments = command.assignments.iter().map(|each| {
                let value = each.value.as_ref().map_or("", |value| value.text.as_str());
                format!("{}={value}", each.name)
            });
            let words = command.words.iter().map(|word| word.text.to_string());
            let redirections = command.redirections.iter().map(|each| {
                let target = each
                    .target
                    .as_ref()
                    .map_or("", |target| target.text.as_str());
                format!("{:?}{}{target}", each.file_descriptor, each.operator)
            });
            let parts: Vec<String> = assignments.chain(words).chain(redirections).collect();
            format!(
                "{}|{}|{}",
                parts.join("\u{1f}"),
                command.is_piped,
                command.is_negated
            )
        })
        .collect()
}

/// Returns whether a command is nothing but `<<NAME`, which gives the here-document to the shell itself.
fn is_opener(command: &ShellCommand) -> bool {
    command.words.is_empty()
        && command.assignments.is_empty()
        && command
            .redirections
            .iter()
            .all(|each| each.operator.starts_with("<<"))
}

/// Returns the line end that the file uses.
fn line_end(analysis: &Analysis) -> &'static str {
    if analysis.text().contains("\r\n") {
        "\r\n"
    } else {
        "\n"
    }
}

#[cfg(test)]
mod tests;
