//! One RUN out of two, and two out of one.

use dockerfile_model::{Instruction, Keyword, ScriptContext};
use dockerfile_source::{TextEdit, TextRange, TextSize};
use dockerfile_syntax::SyntaxKind;

use super::run_chain::{chain, changes_shell};
use super::{after, commands_of, line_end, same_but};
use crate::Analysis;

/// Returns the edit that joins a RUN with the one right behind it.
pub(super) fn merge(analysis: &Analysis, instruction: &Instruction) -> Option<TextEdit> {
    let next = analysis
        .model()
        .instructions
        .get(instruction.id.index() + 1)?;
    if next.keyword != Keyword::Run || next.stage != instruction.stage {
        return None;
    }
    let (first, second) = (chain(analysis, instruction)?, chain(analysis, next)?);
    if !is_without_state(instruction) || flags(analysis, instruction) != flags(analysis, next) {
        return None;
    }
    // A comment between them would be lost.
    let between = TextRange::new(instruction.range.end(), next.range.start());
    if !analysis.slice(between).trim().is_empty() || ends_with_comment(first.commands.last()?.node)
    {
        return None;
    }
    let joint = format!(" {}{}    && ", analysis.model().escape, line_end(analysis));
    let range = TextRange::new(instruction.range.end(), second.script.start());
    let edit = TextEdit::replace(range, joint);
    let after = after(analysis, &edit)?;
    let idx = instruction.id.index();
    let merged = after.model().instructions.get(idx)?;
    let mut expected = commands_of(instruction);
    expected.extend(commands_of(next));
    let is_proven = commands_of(merged) == expected
        && same_but(
            analysis,
            &after,
            |at| at == idx || at == idx + 1,
            |at| at == idx,
        );
    is_proven.then_some(edit)
}

/// Returns the edit that begins a new RUN with the command at an offset.
pub(super) fn split(
    analysis: &Analysis,
    instruction: &Instruction,
    offset: TextSize,
) -> Option<TextEdit> {
    let chain = chain(analysis, instruction)?;
    let at = chain
        .commands
        .iter()
        .position(|command| command.node.range().contains_inclusive(offset))
        .filter(|at| *at > 0)?;
    let (last, first) = (chain.commands.get(at - 1)?, chain.commands.get(at)?);
    let start = first.node.range().start();
    let mut stays = instruction
        .scripts()
        .flat_map(|script| &script.commands)
        .filter(|command| command.range.end() <= start);
    if stays.any(changes_shell) || !has_plain_joint(analysis, last.node.range().end(), start) {
        return None;
    }
    let head = TextRange::new(instruction.keyword_range.start(), chain.script.start());
    let edit = TextEdit::replace(
        TextRange::new(last.node.range().end(), start),
        format!("{}{}", line_end(analysis), one_line_head(analysis, head)?),
    );
    let after = after(analysis, &edit)?;
    let idx = instruction.id.index();
    let (left, right) = (
        after.model().instructions.get(idx)?,
        after.model().instructions.get(idx + 1)?,
    );
    let mut found = commands_of(left);
    found.extend(commands_of(right));
    let is_proven = right.keyword == Keyword::Run
        && found == commands_of(instruction)
        && same_but(
            analysis,
            &after,
            |at| at == idx,
            |at| at == idx || at == idx + 1,
        );
    is_proven.then_some(edit)
}

/// Returns whether nothing but `&&`, blanks and continuations stands in a range.
fn has_plain_joint(analysis: &Analysis, start: TextSize, end: TextSize) -> bool {
    let escape = analysis.model().escape;
    let text = analysis.slice(TextRange::new(start.min(end), end));
    text.replacen("&&", "", 1)
        .chars()
        .all(|c| c.is_whitespace() || c == escape)
}

/// Returns keyword and flags as they are written, if they stand on one line.
fn one_line_head(analysis: &Analysis, head: TextRange) -> Option<&str> {
    let text = analysis.slice(head);
    (!text.contains('\n')).then_some(text)
}

fn flags<'a>(analysis: &'a Analysis, instruction: &Instruction) -> Vec<&'a str> {
    instruction
        .flags
        .iter()
        .map(|flag| analysis.slice(flag.range))
        .collect()
}

/// Returns whether the shell of an instruction leaves nothing behind that a command behind it would see.
fn is_without_state(instruction: &Instruction) -> bool {
    instruction.scripts().all(|script| {
        script.context == ScriptContext::Line && !script.commands.iter().any(changes_shell)
    })
}

fn ends_with_comment(node: dockerfile_syntax::Node<'_>) -> bool {
    let mut last = None;
    node.for_each_token(&mut |token| last = Some(token.kind()));
    last == Some(SyntaxKind::COMMENT)
}
