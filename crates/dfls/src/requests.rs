//! Questions over one version of a document, answered in a worker.

mod edits;
mod structure;

use dockerfile_ide as ide;
use dockerfile_source::TextSize;
use serde_json::json;
#[allow(clippy::wildcard_imports)] // These are the words of the protocol.
use tower_lsp::ls_types::*;

use crate::build::{BuildParams, Job};
use crate::convert;
use crate::document::Snapshot;
#[cfg(target_os = "linux")]
use crate::layers::Held;
#[cfg(target_os = "linux")]
use crate::position::Encoding;
use crate::settings::UserSettings;
use crate::workspace::file_path;

pub(crate) use self::edits::{
    FIX_ALL, code_actions, format, format_on_type, format_range, prepare_rename, rename,
};
pub(crate) use self::structure::{
    call_items, document_symbols, folding_ranges, incoming_calls, linked_ranges, outgoing_calls,
    selection_ranges, semantic_tokens, semantic_tokens_delta, semantic_tokens_range, stages,
    workspace_symbols,
};

/// More items than anyone reads; the client asks again while the user types.
const MOST_ITEMS: usize = 1000;

pub(crate) fn diagnostic(snapshot: &Snapshot) -> DocumentDiagnosticReportResult {
    let items = convert::all_diagnostics(snapshot, snapshot.findings());
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
    let range = snapshot.text_range(range);
    ide::inlay_hints(snapshot.analysis(), &snapshot.step_facts(), range)
        .into_iter()
        .map(|hint| {
            let location = hint.target.map(|target| Location {
                uri: snapshot.uri.clone(),
                range: snapshot.range(target),
            });
            let label = match location {
                // A click on the hint leads to the word that is to blame.
                Some(location) => InlayHintLabel::LabelParts(vec![InlayHintLabelPart {
                    value: hint.label,
                    location: Some(location),
                    ..InlayHintLabelPart::default()
                }]),
                None => InlayHintLabel::String(hint.label),
            };
            InlayHint {
                position: snapshot.position(hint.offset),
                label,
                kind: None,
                text_edits: None,
                tooltip: hint.tooltip.map(InlayHintTooltip::String),
                padding_left: Some(true),
                padding_right: None,
                data: None,
            }
        })
        .collect()
}

pub(crate) fn code_lenses(snapshot: &Snapshot, with_instructions: bool) -> Vec<CodeLens> {
    let stage =
        |id: ide::StageId| json!({"uri": snapshot.uri.as_str(), "target": id.0.to_string()});
    let line = |offset| {
        let line = snapshot.position(offset).line;
        json!({"uri": snapshot.uri.as_str(), "line": line})
    };
    ide::lenses(snapshot.analysis(), with_instructions)
        .into_iter()
        .map(|lens| {
            let (name, argument) = match lens.command {
                ide::LensCommand::Build(id) => ("dfls.build", Some(stage(id))),
                ide::LensCommand::Run(id) => ("dfls.run", Some(stage(id))),
                ide::LensCommand::Shell(id) => ("dfls.shell", Some(stage(id))),
                ide::LensCommand::BuildTo(at) => ("dfls.build", Some(line(at))),
                ide::LensCommand::ShellAt(at) => ("dfls.shell", Some(line(at))),
                // No command: the text says it all, and every client can show it.
                ide::LensCommand::References(_) => ("", None),
            };
            CodeLens {
                range: snapshot.range(lens.range),
                command: Some(Command {
                    title: lens.title,
                    command: name.to_owned(),
                    arguments: argument.map(|argument| vec![argument]),
                }),
                data: None,
            }
        })
        .collect()
}

/// Returns what is to be built, or why that cannot be.
pub(crate) fn job(
    snapshot: &Snapshot,
    params: &BuildParams,
    settings: &UserSettings,
) -> Result<Job, &'static str> {
    Job::new(snapshot, params, settings)
}

/// Returns the steps of a preview, in the words of the protocol.
#[cfg(target_os = "linux")]
pub(crate) fn layers(encoding: Encoding, held: &Held) -> serde_json::Value {
    let report = held.report();
    let steps: Vec<serde_json::Value> = report
        .steps
        .iter()
        .map(|step| {
            json!({
                "title": step.title, "range": encoding.range(&held.source, step.range), "layers": step.layers,
                "size": step.size, "added": step.added, "changed": step.changed, "removed": step.removed,
                "wasted": step.wasted,
            })
        })
        .collect();
    let wasteful: Vec<serde_json::Value> = report
        .worst()
        .map(|file| json!({"path": file.path, "wasted": file.bytes, "steps": file.layers}))
        .collect();
    json!({
        "preview": held.id, "steps": steps, "size": report.waste.total, "wasted": report.waste.wasted,
        "efficiency": report.waste.efficiency(), "wasteful": wasteful,
    })
}

/// Returns whether the user wants hints or lenses at all.
pub(crate) fn wants(settings: &UserSettings, what: &str) -> bool {
    match what {
        "inlayHints" => settings.inlay_hints,
        _ => settings.code_lens,
    }
}
