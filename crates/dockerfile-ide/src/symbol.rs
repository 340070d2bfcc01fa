//! What the cursor points at: a stage, a variable, or a here-document.

use dockerfile_model::{
    InstructionId, Origin, Resolution, SmolStr, StageId, StageReference, VariableId,
};
use dockerfile_source::{TextRange, TextSize};
use rustc_hash::FxHashMap;

use crate::variable_uses::{Use, all_uses, uses_of};
use crate::{Analysis, linked_ranges};

/// Something with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Symbol {
    Stage(StageId),
    /// A declaration; the others that belong to it are found by `declarations_with`.
    Variable(VariableId),
    /// A variable without a declaration in the file.
    Undeclared(SmolStr),
    /// The two places of the name of a here-document.
    Heredoc([TextRange; 2]),
}

/// Returns what an offset points at, and where the name stands that it points at.
pub(crate) fn symbol_at(analysis: &Analysis, offset: TextSize) -> Option<(Symbol, TextRange)> {
    let model = analysis.model();
    let holds = |range: TextRange| range.contains_inclusive(offset);
    let instruction = analysis.instruction_at(offset)?;
    let at = instruction.id;
    if let Some(stage) = instruction.stage.and_then(|stage| model.stage(stage))
        && let Some(range) = stage.name_range.filter(|range| holds(*range))
    {
        return Some((Symbol::Stage(stage.id), range));
    }
    if let Some(ranges) = linked_ranges(analysis, offset) {
        let range = ranges.into_iter().find(|range| holds(*range))?;
        return Some((Symbol::Heredoc(ranges), range));
    }
    let first = model
        .stage_references
        .partition_point(|reference| reference.instruction < at);
    let reference = model
        .stage_references
        .iter()
        .skip(first)
        .take_while(|reference| reference.instruction == at)
        .find_map(|reference| {
            let range = reference_range(analysis, reference).filter(|range| holds(*range))?;
            Some((Symbol::Stage(reference.target?), range))
        });
    if reference.is_some() {
        return reference;
    }
    if let Some((id, range)) = declarations_of(analysis, at).find(|(_, range)| holds(*range)) {
        return Some((Symbol::Variable(id), range));
    }
    let mut uses = Vec::new();
    uses_of(analysis, instruction, &mut uses);
    let found = uses
        .into_iter()
        .filter(|each| holds(each.whole))
        .min_by_key(|each| each.whole.len())?;
    let symbol = match declaration_of(&found) {
        Some(id) => Symbol::Variable(id),
        None => Symbol::Undeclared(found.name),
    };
    Some((symbol, found.range))
}

/// Returns where the name or number of a stage stands in a reference; none where a variable or quotes give it.
pub(crate) fn reference_range(
    analysis: &Analysis,
    reference: &StageReference,
) -> Option<TextRange> {
    let len = TextSize::of(reference.text.as_str());
    let start = reference.range.end().checked_sub(len)?;
    let range = TextRange::at(start, len);
    let is_written = start >= reference.range.start() && analysis.slice(range) == reference.text;
    is_written.then_some(range)
}

/// Returns the declarations of one instruction and where their names stand.
pub(crate) fn declarations_of(
    analysis: &Analysis,
    at: InstructionId,
) -> impl Iterator<Item = (VariableId, TextRange)> {
    let variables = &analysis.model().variables;
    let first = variables.partition_point(|variable| variable.instruction < at);
    variables
        .iter()
        .enumerate()
        .skip(first)
        .take_while(move |(_, variable)| variable.instruction == at)
        .map(|(idx, variable)| (VariableId(idx as u32), variable.range))
}

/// Returns the declaration that a use means.
pub(crate) fn declaration_of(each: &Use) -> Option<VariableId> {
    match each.resolution {
        Resolution::Declared(id) | Resolution::GlobalOnly(id) => Some(id),
        _ => None,
    }
}

/// Returns the declarations that belong together with one: those of the same name in its stage, in the stages below and
/// on top of it, and, for ARG, before the first FROM. In the order of the file.
pub(crate) fn declarations_with(analysis: &Analysis, id: VariableId) -> Vec<VariableId> {
    let model = analysis.model();
    let Some(wanted) = model.variable(id) else {
        return Vec::new();
    };
    let same: Vec<(VariableId, Option<StageId>, Origin)> = model
        .variables
        .iter()
        .enumerate()
        .filter(|(_, variable)| variable.name == wanted.name)
        .map(|(idx, variable)| (VariableId(idx as u32), variable.stage, variable.origin))
        .collect();
    let mut groups: Vec<usize> = (0..same.len()).collect();
    let mut first_of_stage: FxHashMap<StageId, usize> = FxHashMap::default();
    let first_global = same
        .iter()
        .position(|(_, _, origin)| *origin == Origin::GlobalArg);
    for (idx, (_, stage, origin)) in same.iter().enumerate() {
        if matches!(origin, Origin::GlobalArg | Origin::Arg)
            && let Some(global) = first_global
        {
            join(&mut groups, idx, global);
        }
        let Some(stage) = stage else { continue };
        for ancestor in model.ancestry(*stage).take(MOST_ANCESTORS) {
            if let Some(other) = first_of_stage.get(&ancestor.id) {
                join(&mut groups, idx, *other);
                break;
            }
        }
        first_of_stage.entry(*stage).or_insert(idx);
    }
    let Some(own) = same.iter().position(|(other, _, _)| *other == id) else {
        return Vec::new();
    };
    let own = root(&groups, own);
    same.iter()
        .enumerate()
        .filter(|(idx, _)| root(&groups, *idx) == own)
        .map(|(_, (id, _, _))| *id)
        .collect()
}

const MOST_ANCESTORS: usize = 64;

fn root(groups: &[usize], mut idx: usize) -> usize {
    while let Some(next) = groups.get(idx).filter(|next| **next != idx) {
        idx = *next;
    }
    idx
}

/// Puts two into one group; the smaller number becomes the root, so that chains stay short.
fn join(groups: &mut [usize], left: usize, right: usize) {
    let (left, right) = (root(groups, left), root(groups, right));
    let (low, high) = (left.min(right), left.max(right));
    if let Some(slot) = groups.get_mut(high) {
        *slot = low;
    }
}

/// Returns the uses that mean one of these declarations, or, for none, the undeclared variable of a name.
pub(crate) fn uses_meaning(
    analysis: &Analysis,
    name: &str,
    declarations: &[VariableId],
) -> Vec<Use> {
    let mut uses = all_uses(analysis);
    uses.retain(|each| {
        each.name == name
            && match declaration_of(each) {
                Some(id) => declarations.binary_search(&id).is_ok(),
                None => declarations.is_empty(),
            }
    });
    uses
}
