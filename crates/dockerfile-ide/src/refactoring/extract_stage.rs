//! The first instructions of a stage, as a stage of their own.

use dockerfile_model::{Base, Instruction, InstructionId, Keyword};
use dockerfile_source::{TextEdit, TextSize};

use super::{after, line_end, same_but};
use crate::Analysis;

/// Returns the edit that ends the stage in front of an instruction and begins another on top of it.
pub(super) fn extract(analysis: &Analysis, instruction: &Instruction) -> Option<TextEdit> {
    let model = analysis.model();
    let stage = model.stage(instruction.stage?)?;
    let from = model.instruction(stage.from)?;
    let is_inside = instruction.id.0 > stage.from.0 + 1;
    if !is_inside || !from.flags.is_empty() || matches!(stage.base, Base::Missing) {
        return None;
    }
    let image = from.from()?.image.as_ref()?;
    let first_part = model
        .stage_instructions(stage.id)
        .iter()
        .take_while(|each| each.id < instruction.id);
    // Triggers would run at once in the new stage.
    if first_part
        .clone()
        .any(|each| each.keyword == Keyword::Onbuild)
    {
        return None;
    }
    // Numbers would mean other stages.
    let has_numbers = model
        .stage_references
        .iter()
        .any(|each| each.text.bytes().all(|byte| byte.is_ascii_digit()));
    if has_numbers {
        return None;
    }
    let written = stage.name_range.map(|range| analysis.slice(range));
    let new_name = free_name(analysis, written.unwrap_or("final"))?;
    let ending = line_end(analysis);
    let line = analysis.line_at(instruction.range.start());
    let start = comments_above(analysis, line.start());
    let alias = written.map_or(String::new(), |name| format!(" AS {name}"));
    let mut edit = TextEdit::builder();
    match stage.name_range {
        Some(range) => edit.replace(range, new_name.as_str()),
        None => edit.insert(image.range.end(), format!(" AS {new_name}")),
    };
    edit.insert(start, format!("{ending}FROM {new_name}{alias}{ending}"));
    let edit = edit.finish().ok()?;
    let after = after(analysis, &edit)?;
    let (from_idx, new_idx) = (stage.from.index(), instruction.id.index());
    let new_stage = after
        .model()
        .instruction(InstructionId(instruction.id.0))?
        .stage?;
    let stands_on_first = after.model().stage(new_stage)?.base == Base::Stage(stage.id);
    let is_same = same_but(
        analysis,
        &after,
        |at| at == from_idx,
        |at| at == from_idx || at == new_idx,
    );
    (stands_on_first && is_same).then_some(edit)
}

/// Returns a name for the first part that no stage has.
fn free_name(analysis: &Analysis, name: &str) -> Option<String> {
    let is_free = |candidate: &str| {
        analysis.model().stages.iter().all(|stage| {
            stage.name.as_deref() != Some(candidate)
                && !matches!(&stage.base, Base::Image(image) if image == candidate)
        })
    };
    let lower = name.to_ascii_lowercase();
    (1..100)
        .map(|number| match number {
            1 => format!("{lower}-base"),
            number => format!("{lower}-base-{number}"),
        })
        .find(|candidate| is_free(candidate))
}

/// Returns the start of the comment lines right above a line.
fn comments_above(analysis: &Analysis, mut start: TextSize) -> TextSize {
    while let Some(above) = start.checked_sub(TextSize::new(1)) {
        let line = analysis.line_at(above);
        if !analysis.slice(line).trim_start().starts_with('#') {
            break;
        }
        start = line.start();
    }
    start
}
