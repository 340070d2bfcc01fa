//! Questions over one version of a document, answered in a worker.

use std::sync::Arc;

use dockerfile_ide as ide;
use dockerfile_source::TextSize;
use tower_lsp::jsonrpc::{Error, Result};
#[allow(clippy::wildcard_imports)] // These are the words of the protocol.
use tower_lsp::ls_types::*;

use crate::convert;
use crate::document::Snapshot;
use crate::settings::UserSettings;
use crate::token_cache::TokenCache;
use crate::workspace::file_path;

/// The kind of the action that applies all safe fixes.
pub(crate) const FIX_ALL: &str = "source.fixAll.dflint";

/// More items than anyone reads; the client asks again while the user types.
const MOST_ITEMS: usize = 1000;

pub(crate) fn diagnostic(snapshot: &Snapshot) -> DocumentDiagnosticReportResult {
    let items = convert::diagnostics(snapshot, snapshot.findings());
    DocumentDiagnosticReportResult::Report(DocumentDiagnosticReport::Full(
        RelatedFullDocumentDiagnosticReport {
            related_documents: None,
            full_document_diagnostic_report: FullDocumentDiagnosticReport {
                result_id: Some(snapshot.generation().to_string()),
                items,
            },
        },
    ))
}

/// Returns that nothing has changed since an answer, if so.
pub(crate) fn unchanged(
    snapshot: &Snapshot,
    previous: Option<&str>,
) -> Option<DocumentDiagnosticReportResult> {
    let id = snapshot.generation().to_string();
    (previous == Some(id.as_str())).then_some(DocumentDiagnosticReportResult::Report(
        DocumentDiagnosticReport::Unchanged(RelatedUnchangedDocumentDiagnosticReport {
            related_documents: None,
            unchanged_document_diagnostic_report: UnchangedDocumentDiagnosticReport {
                result_id: id,
            },
        }),
    ))
}

pub(crate) fn completion(snapshot: &Snapshot, position: Position) -> CompletionResponse {
    let items = ide::completions(snapshot.analysis(), snapshot.offset(position));
    CompletionResponse::List(CompletionList {
        is_incomplete: items.len() > MOST_ITEMS,
        items: items
            .into_iter()
            .take(MOST_ITEMS)
            .enumerate()
            .map(|(order, item)| convert::completion_item(snapshot, item, order))
            .collect(),
    })
}

pub(crate) fn resolve_completion(mut item: CompletionItem) -> CompletionItem {
    let text = item
        .data
        .as_ref()
        .and_then(|data| data.as_str())
        .and_then(ide::completion_documentation);
    if let Some(text) = text {
        item.documentation = Some(Documentation::MarkupContent(convert::markdown(text)));
    }
    item
}

pub(crate) fn hover(snapshot: &Snapshot, position: Position) -> Option<Hover> {
    let hover = ide::hover(snapshot.analysis(), snapshot.offset(position))
        .or_else(|| finding_hover(snapshot, snapshot.offset(position)))?;
    let mut contents = convert::markdown(hover.markdown);
    if !snapshot.client.takes_markdown {
        contents.kind = MarkupKind::PlainText;
    }
    Some(Hover {
        contents: HoverContents::Markup(contents),
        range: Some(snapshot.range(hover.range)),
    })
}

/// Returns what the rule of a finding means, where nothing else is known of the place.
fn finding_hover(snapshot: &Snapshot, offset: TextSize) -> Option<ide::Hover> {
    let finding = snapshot
        .findings()
        .iter()
        .find(|finding| finding.range.contains_inclusive(offset))?;
    Some(ide::Hover {
        range: finding.range,
        markdown: ide::completion_documentation(&format!("rule:{}", finding.rule))?,
    })
}

pub(crate) fn signature_help(snapshot: &Snapshot, position: Position) -> Option<SignatureHelp> {
    let found = ide::signature_help(snapshot.analysis(), snapshot.offset(position))?;
    let signatures = found
        .forms
        .iter()
        .map(|(label, parameters)| SignatureInformation {
            label: label.clone(),
            documentation: Some(Documentation::String(found.documentation.clone())),
            parameters: Some(
                parameters
                    .iter()
                    .map(|range| ParameterInformation {
                        // The forms are ASCII: bytes are UTF-16 code units.
                        label: ParameterLabel::LabelOffsets([
                            range.start().into(),
                            range.end().into(),
                        ]),
                        documentation: None,
                    })
                    .collect(),
            ),
            active_parameter: None,
        })
        .collect();
    Some(SignatureHelp {
        signatures,
        active_signature: Some(found.active_form as u32),
        active_parameter: Some(found.active_parameter as u32),
    })
}

pub(crate) fn definition(
    snapshot: &Snapshot,
    position: Position,
) -> Option<GotoDefinitionResponse> {
    let offset = snapshot.offset(position);
    let found = ide::definition(snapshot.analysis(), offset);
    if found.is_empty() {
        let link = ide::links(snapshot.analysis())
            .into_iter()
            .find(|link| link.range.contains_inclusive(offset))?;
        let ide::LinkTarget::File(path) = link.target else {
            return None;
        };
        let location = Location::new(context_uri(snapshot, &path)?, Range::default());
        return Some(GotoDefinitionResponse::Scalar(location));
    }
    let locations = found
        .into_iter()
        .map(|range| Location::new(snapshot.uri.clone(), snapshot.range(range)))
        .collect();
    Some(GotoDefinitionResponse::Array(locations))
}

/// Returns the address of a file of the build context.
fn context_uri(snapshot: &Snapshot, path: &str) -> Option<Uri> {
    let dockerfile = file_path(&snapshot.uri)?;
    Uri::from_file_path(dockerfile.parent()?.join(path))
}

pub(crate) fn references(
    snapshot: &Snapshot,
    position: Position,
    with_declaration: bool,
) -> Vec<Location> {
    ide::references(snapshot.analysis(), snapshot.offset(position))
        .into_iter()
        .filter(|each| with_declaration || each.access != ide::Access::Declaration)
        .map(|each| Location::new(snapshot.uri.clone(), snapshot.range(each.range)))
        .collect()
}

pub(crate) fn highlights(snapshot: &Snapshot, position: Position) -> Vec<DocumentHighlight> {
    ide::references(snapshot.analysis(), snapshot.offset(position))
        .into_iter()
        .map(|each| DocumentHighlight {
            range: snapshot.range(each.range),
            kind: Some(match each.access {
                ide::Access::Declaration => DocumentHighlightKind::WRITE,
                ide::Access::Use => DocumentHighlightKind::READ,
            }),
        })
        .collect()
}

pub(crate) fn prepare_rename(
    snapshot: &Snapshot,
    position: Position,
) -> Option<PrepareRenameResponse> {
    let range = ide::prepare_rename(snapshot.analysis(), snapshot.offset(position))?;
    Some(PrepareRenameResponse::RangeWithPlaceholder {
        range: snapshot.range(range),
        placeholder: snapshot.source.slice(range).to_owned(),
    })
}

pub(crate) fn rename(snapshot: &Snapshot, position: Position, name: &str) -> Result<WorkspaceEdit> {
    match ide::rename(snapshot.analysis(), snapshot.offset(position), name) {
        Ok(edit) => Ok(convert::workspace_edit(snapshot, &edit)),
        Err(problem) => Err(Error::invalid_params(problem.as_str())),
    }
}

pub(crate) fn code_actions(
    snapshot: &Snapshot,
    range: Range,
    only: Option<&[CodeActionKind]>,
) -> CodeActionResponse {
    let is_wanted = |kind: &CodeActionKind| {
        only.is_none_or(|only| {
            only.iter().any(|wish| {
                kind.as_str() == wish.as_str()
                    || kind
                        .as_str()
                        .strip_prefix(wish.as_str())
                        .is_some_and(|rest| rest.starts_with('.'))
            })
        })
    };
    let mut actions = Vec::new();
    let found = ide::actions(
        snapshot.analysis(),
        snapshot.findings(),
        snapshot.text_range(range),
    );
    for action in found {
        let kind = match action.kind {
            ide::ActionKind::QuickFix | ide::ActionKind::Suppress => CodeActionKind::QUICKFIX,
            ide::ActionKind::Extract => CodeActionKind::REFACTOR_EXTRACT,
            ide::ActionKind::Inline => CodeActionKind::REFACTOR_INLINE,
            ide::ActionKind::Rewrite => CodeActionKind::REFACTOR_REWRITE,
        };
        if !is_wanted(&kind) {
            continue;
        }
        actions.push(CodeActionOrCommand::CodeAction(CodeAction {
            title: action.title,
            kind: Some(kind),
            diagnostics: action
                .diagnostic
                .as_ref()
                .map(|finding| vec![convert::diagnostic(snapshot, finding)]),
            edit: Some(convert::workspace_edit(snapshot, &action.edit)),
            is_preferred: action.is_preferred.then_some(true),
            ..CodeAction::default()
        }));
    }
    // It fixes the file once more: only where it is asked for, or there is something to fix.
    let fix_all = CodeActionKind::new(FIX_ALL);
    let has_fix = snapshot.findings().iter().any(|finding| {
        finding
            .fix
            .as_ref()
            .is_some_and(|fix| fix.applicability == dockerfile_source::Applicability::Safe)
    });
    if has_fix
        && only.is_some()
        && is_wanted(&fix_all)
        && let Some(edit) = ide::fix_all(snapshot.analysis())
    {
        actions.push(CodeActionOrCommand::CodeAction(CodeAction {
            title: "Apply all safe fixes".to_owned(),
            kind: Some(fix_all),
            edit: Some(convert::workspace_edit(snapshot, &edit)),
            ..CodeAction::default()
        }));
    }
    actions
}

pub(crate) fn format(snapshot: &Snapshot) -> Vec<TextEdit> {
    convert::text_edits(snapshot, &ide::format_document(snapshot.analysis()))
}

pub(crate) fn format_range(snapshot: &Snapshot, range: Range) -> Vec<TextEdit> {
    let range = snapshot.text_range(range);
    convert::text_edits(snapshot, &ide::format_selection(snapshot.analysis(), range))
}

pub(crate) fn format_on_type(
    snapshot: &Snapshot,
    position: Position,
    typed: &str,
) -> Option<Vec<TextEdit>> {
    let offset = snapshot.offset(position);
    let edit = ide::format_on_type(snapshot.analysis(), offset, typed)?;
    Some(convert::text_edits(snapshot, &edit))
}

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

pub(crate) fn document_links(snapshot: &Snapshot) -> Vec<DocumentLink> {
    ide::links(snapshot.analysis())
        .into_iter()
        .filter_map(|link| {
            let target = match link.target {
                ide::LinkTarget::Address(address) => address.parse().ok()?,
                ide::LinkTarget::File(path) => context_uri(snapshot, &path)?,
            };
            Some(DocumentLink {
                range: snapshot.range(link.range),
                target: Some(target),
                tooltip: None,
                data: None,
            })
        })
        .collect()
}

pub(crate) fn inlay_hints(snapshot: &Snapshot, range: Range) -> Vec<InlayHint> {
    ide::inlay_hints(snapshot.analysis(), snapshot.text_range(range))
        .into_iter()
        .map(|hint| InlayHint {
            position: snapshot.position(hint.offset),
            label: InlayHintLabel::String(hint.label),
            kind: None,
            text_edits: None,
            tooltip: hint.tooltip.map(InlayHintTooltip::String),
            padding_left: Some(true),
            padding_right: None,
            data: None,
        })
        .collect()
}

pub(crate) fn code_lenses(snapshot: &Snapshot) -> Vec<CodeLens> {
    ide::lenses(snapshot.analysis())
        .into_iter()
        .map(|lens| {
            let (name, stage) = match lens.command {
                ide::LensCommand::Build(stage) => ("dfls.build", stage),
                ide::LensCommand::Run(stage) => ("dfls.run", stage),
                ide::LensCommand::Shell(stage) => ("dfls.shell", stage),
                // No command: the text says it all, and every client can show it.
                ide::LensCommand::References(stage) => ("", stage),
            };
            let argument = serde_json::json!({
                "uri": snapshot.uri.as_str(),
                "target": stage.0.to_string(),
            });
            CodeLens {
                range: snapshot.range(lens.range),
                command: Some(Command {
                    title: lens.title,
                    command: name.to_owned(),
                    arguments: (!name.is_empty()).then(|| vec![argument]),
                }),
                data: None,
            }
        })
        .collect()
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

/// Returns whether the user wants hints or lenses at all.
pub(crate) fn wants(settings: &UserSettings, what: &str) -> bool {
    match what {
        "inlayHints" => settings.inlay_hints,
        _ => settings.code_lens,
    }
}
