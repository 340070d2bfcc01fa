//! ARG with a default, written out where it is used.

use dockerfile_model::{Instruction, SmolStr};
use dockerfile_source::{TextEdit, TextRange, TextSize};

use super::after;
use crate::Analysis;
use crate::symbol::{declarations_of, declarations_with, uses_meaning};
use crate::variable_uses::expanded_words;

/// Returns for each variable at an offset of an ARG the edit that writes its default where it is used.
pub(super) fn inline(
    analysis: &Analysis,
    instruction: &Instruction,
    offset: TextSize,
) -> Option<(SmolStr, TextEdit)> {
    let model = analysis.model();
    if instruction.pairs().len() != 1 {
        return None;
    }
    let (id, _) = declarations_of(analysis, instruction.id).next()?;
    let variable = model.variable(id)?;
    let value = variable.value.as_ref()?;
    let is_plain = value
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-_./:+@".contains(c));
    if !instruction.range.contains_inclusive(offset) || !is_plain || value.is_empty() {
        return None;
    }
    // Another declaration of the name would be seen instead.
    if declarations_with(analysis, id).len() != 1 {
        return None;
    }
    let uses = uses_meaning(analysis, &variable.name, &[id]);
    if uses.is_empty() || uses.iter().any(|each| each.is_in_shell) {
        return None;
    }
    let mut edit = TextEdit::builder();
    for each in &uses {
        let text = analysis.slice(each.whole);
        let is_simple = text.len() <= variable.name.len() + 3 && !text.contains(':');
        if !is_simple {
            return None;
        }
        edit.replace(each.whole, value.as_str());
    }
    edit.delete(whole_lines(analysis, instruction.range));
    let edit = edit.finish().ok()?;
    let after = after(analysis, &edit)?;
    let old = values(analysis, Some(instruction));
    (old == values(&after, None)).then(|| (variable.name.clone(), edit))
}

/// Returns what each word stands for, one instruction left out.
fn values(analysis: &Analysis, without: Option<&Instruction>) -> Vec<Option<String>> {
    analysis
        .model()
        .instructions_with_triggers()
        .filter(|each| without.is_none_or(|without| without.id != each.id))
        .flat_map(|each| {
            let words = expanded_words(each);
            words
                .into_iter()
                .map(|word| word.value.as_ref().map(ToString::to_string))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Returns the lines of a range, the last line end included.
fn whole_lines(analysis: &Analysis, range: TextRange) -> TextRange {
    let index = analysis.source().line_index();
    let first = index.line_range(index.line(range.start())).unwrap_or(range);
    let last = index.line_range(index.line(range.end())).unwrap_or(range);
    first.cover(last)
}
