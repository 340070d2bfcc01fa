//! The graph of the stages, as a hierarchy of calls: a stage calls the stages that it needs.

use dockerfile_model::StageId;
use dockerfile_source::{TextRange, TextSize};

use crate::Analysis;
use crate::document_symbol::{base_title, stage_selection, stage_title};
use crate::selection::stage_range;
use crate::symbol::{Symbol, symbol_at};

/// A stage in the hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallItem {
    pub stage: StageId,
    pub name: String,
    pub detail: String,
    pub range: TextRange,
    pub selection: TextRange,
}

/// A stage that needs, or is needed, and where that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub item: CallItem,
    pub places: Vec<TextRange>,
}

/// Returns the stage that an offset names, else the one that it stands in.
pub fn call_item_at(analysis: &Analysis, offset: TextSize) -> Option<CallItem> {
    let named = match symbol_at(analysis, offset) {
        Some((Symbol::Stage(stage), _)) => Some(stage),
        _ => None,
    };
    let stage = named.or_else(|| analysis.instruction_before(offset)?.stage)?;
    item(analysis, stage)
}

/// Returns the stages that need a stage.
pub fn incoming_calls(analysis: &Analysis, stage: StageId) -> Vec<Call> {
    calls(analysis, |from, target| (target == stage).then_some(from))
}

/// Returns the stages that a stage needs.
pub fn outgoing_calls(analysis: &Analysis, stage: StageId) -> Vec<Call> {
    calls(analysis, |from, target| (from == stage).then_some(target))
}

fn calls(analysis: &Analysis, other: impl Fn(StageId, StageId) -> Option<StageId>) -> Vec<Call> {
    let mut places: std::collections::BTreeMap<StageId, Vec<TextRange>> =
        std::collections::BTreeMap::new();
    for reference in &analysis.model().stage_references {
        let found = reference
            .target
            .and_then(|target| other(reference.from_stage, target));
        if let Some(stage) = found {
            places.entry(stage).or_default().push(reference.range);
        }
    }
    places
        .into_iter()
        .filter_map(|(stage, places)| {
            Some(Call {
                item: item(analysis, stage)?,
                places,
            })
        })
        .collect()
}

fn item(analysis: &Analysis, stage: StageId) -> Option<CallItem> {
    let range = stage_range(analysis, stage)?;
    let stage = analysis.model().stage(stage)?;
    Some(CallItem {
        stage: stage.id,
        name: stage_title(stage),
        detail: base_title(analysis, stage),
        range,
        selection: stage_selection(analysis, stage),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::analysis;

    #[test]
    fn a_stage_calls_the_stages_that_it_needs() {
        let analysis =
            analysis("FROM a AS x\nFROM b AS y\nFROM x\nCOPY --from=y a b\nCOPY --from=1 c d\n");
        let names = |calls: Vec<Call>| -> Vec<(String, usize)> {
            calls
                .into_iter()
                .map(|call| (call.item.name, call.places.len()))
                .collect()
        };
        assert_eq!(
            names(outgoing_calls(&analysis, StageId(2))),
            [("x".to_owned(), 1), ("y".to_owned(), 2)]
        );
        assert_eq!(
            names(incoming_calls(&analysis, StageId(0))),
            [("stage 2".to_owned(), 1)]
        );
    }
}
