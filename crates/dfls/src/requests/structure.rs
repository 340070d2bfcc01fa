//! Questions about what a file is made of.

use std::sync::Arc;

use dockerfile_ide as ide;
#[allow(clippy::wildcard_imports)] // These are the words of the protocol.
use tower_lsp::ls_types::*;

use crate::convert;
use crate::document::Snapshot;
use crate::token_cache::TokenCache;

use super::MOST_ITEMS;

pub(crate) fn document_symbols(snapshot: &Snapshot) -> DocumentSymbolResponse {
    let symbols = ide::document_symbols(snapshot.analysis());
    if snapshot.client.takes_hierarchical_symbols {
        let symbols = symbols.into_iter();
        DocumentSymbolResponse::Nested(
            symbols
                .map(|each| convert::document_symbol(snapshot, each))
                .collect(),
        )
    } else {
        DocumentSymbolResponse::Flat(convert::flat_symbols(snapshot, symbols))
    }
}

/// Returns the symbols of all documents whose names hold the letters of a query in their order.
pub(crate) fn workspace_symbols(
    snapshots: &[Arc<Snapshot>],
    query: &str,
) -> Vec<SymbolInformation> {
    let query: Vec<char> = query.to_lowercase().chars().collect();
    let matches = |name: &str| {
        let mut letters = query.iter();
        let mut next = letters.next();
        for letter in name.to_lowercase().chars() {
            if next == Some(&letter) {
                next = letters.next();
            }
        }
        next.is_none()
    };
    snapshots
        .iter()
        .flat_map(|snapshot| {
            let symbols = ide::document_symbols(snapshot.analysis());
            convert::flat_symbols(snapshot, symbols)
        })
        .filter(|symbol| symbol.kind != SymbolKind::METHOD && matches(&symbol.name))
        .take(MOST_ITEMS)
        .collect()
}

pub(crate) fn folding_ranges(snapshot: &Snapshot) -> Vec<FoldingRange> {
    ide::folds(snapshot.analysis())
        .into_iter()
        .map(|fold| FoldingRange {
            start_line: fold.first_line,
            end_line: fold.last_line,
            kind: match fold.kind {
                ide::FoldKind::Code => None,
                ide::FoldKind::Comment => Some(FoldingRangeKind::Comment),
                ide::FoldKind::Region => Some(FoldingRangeKind::Region),
            },
            ..FoldingRange::default()
        })
        .collect()
}

pub(crate) fn selection_ranges(snapshot: &Snapshot, positions: &[Position]) -> Vec<SelectionRange> {
    positions
        .iter()
        .map(|position| {
            let ranges = ide::selection_ranges(snapshot.analysis(), snapshot.offset(*position));
            let mut outer = None;
            for range in ranges.into_iter().rev() {
                outer = Some(Box::new(SelectionRange {
                    range: snapshot.range(range),
                    parent: outer,
                }));
            }
            outer.map_or_else(
                || SelectionRange {
                    range: Range::new(*position, *position),
                    parent: None,
                },
                |range| *range,
            )
        })
        .collect()
}

pub(crate) fn semantic_tokens(snapshot: &Snapshot, cache: &TokenCache) -> SemanticTokensResult {
    let data = all_tokens(snapshot);
    SemanticTokensResult::Tokens(SemanticTokens {
        result_id: Some(cache.keep(snapshot.uri.as_str(), data.clone())),
        data,
    })
}

pub(crate) fn semantic_tokens_delta(
    snapshot: &Snapshot,
    cache: &TokenCache,
    previous: &str,
) -> SemanticTokensFullDeltaResult {
    let data = all_tokens(snapshot);
    match cache.difference(snapshot.uri.as_str(), previous, &data) {
        Some((id, edits)) => SemanticTokensFullDeltaResult::TokensDelta(SemanticTokensDelta {
            result_id: Some(id),
            edits,
        }),
        None => SemanticTokensFullDeltaResult::Tokens(SemanticTokens {
            result_id: Some(cache.keep(snapshot.uri.as_str(), data.clone())),
            data,
        }),
    }
}

fn all_tokens(snapshot: &Snapshot) -> Vec<SemanticToken> {
    let tokens = ide::semantic_tokens(snapshot.analysis(), snapshot.whole());
    convert::semantic_tokens(snapshot, &tokens)
}

pub(crate) fn semantic_tokens_range(
    snapshot: &Snapshot,
    range: Range,
) -> SemanticTokensRangeResult {
    let tokens = ide::semantic_tokens(snapshot.analysis(), snapshot.text_range(range));
    SemanticTokensRangeResult::Tokens(SemanticTokens {
        result_id: None,
        data: convert::semantic_tokens(snapshot, &tokens),
    })
}

pub(crate) fn call_items(
    snapshot: &Snapshot,
    position: Position,
) -> Option<Vec<CallHierarchyItem>> {
    let item = ide::call_item_at(snapshot.analysis(), snapshot.offset(position))?;
    Some(vec![convert::call_item(snapshot, item)])
}

fn stage_of(item: &CallHierarchyItem) -> Option<ide::StageId> {
    let number = item.data.as_ref()?.as_u64()?;
    u32::try_from(number).ok().map(ide::StageId)
}

pub(crate) fn incoming_calls(
    snapshot: &Snapshot,
    item: &CallHierarchyItem,
) -> Option<Vec<CallHierarchyIncomingCall>> {
    let calls = ide::incoming_calls(snapshot.analysis(), stage_of(item)?);
    let calls = calls.into_iter().map(|call| CallHierarchyIncomingCall {
        from_ranges: call
            .places
            .iter()
            .map(|range| snapshot.range(*range))
            .collect(),
        from: convert::call_item(snapshot, call.item),
    });
    Some(calls.collect())
}

pub(crate) fn outgoing_calls(
    snapshot: &Snapshot,
    item: &CallHierarchyItem,
) -> Option<Vec<CallHierarchyOutgoingCall>> {
    let calls = ide::outgoing_calls(snapshot.analysis(), stage_of(item)?);
    let calls = calls.into_iter().map(|call| CallHierarchyOutgoingCall {
        from_ranges: call
            .places
            .iter()
            .map(|range| snapshot.range(*range))
            .collect(),
        to: convert::call_item(snapshot, call.item),
    });
    Some(calls.collect())
}

pub(crate) fn linked_ranges(
    snapshot: &Snapshot,
    position: Position,
) -> Option<LinkedEditingRanges> {
    let ranges = ide::linked_ranges(snapshot.analysis(), snapshot.offset(position))?;
    Some(LinkedEditingRanges {
        ranges: ranges.iter().map(|range| snapshot.range(*range)).collect(),
        word_pattern: None,
    })
}

/// Returns the stages of a file and which of them need which: `dfls/stages`.
pub(crate) fn stages(snapshot: &Snapshot) -> serde_json::Value {
    let analysis = snapshot.analysis();
    let stages: Vec<serde_json::Value> = ide::document_symbols(analysis)
        .into_iter()
        .filter(|symbol| symbol.kind == ide::DocumentSymbolKind::Stage)
        .enumerate()
        .map(|(idx, symbol)| {
            let needs: Vec<u32> = ide::outgoing_calls(analysis, ide::StageId(idx as u32))
                .into_iter()
                .map(|call| call.item.stage.0)
                .collect();
            serde_json::json!({
                "name": symbol.name,
                "base": symbol.detail,
                "range": snapshot.range(symbol.range),
                "steps": symbol.children.len(),
                "needs": needs,
            })
        })
        .collect();
    serde_json::Value::Array(stages)
}
