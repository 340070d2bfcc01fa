//! What the crate of features says, in the words of the protocol.

use std::collections::HashMap;

use dockerfile_ide as ide;
use dockerfile_source::{Diagnostic, Severity, TextEdit};
use tower_lsp::ls_types as lsp;

use crate::build::BuildFailure;
use crate::document::Snapshot;

/// Returns the findings, and why the last build of this very text failed.
pub(crate) fn all_diagnostics(
    snapshot: &Snapshot,
    findings: &[Diagnostic],
) -> Vec<lsp::Diagnostic> {
    let failure = snapshot.build_failure();
    let mut all = diagnostics(snapshot, findings);
    all.extend(failure.map(|failure| build_failure(snapshot, failure)));
    all
}

fn build_failure(snapshot: &Snapshot, failure: &BuildFailure) -> lsp::Diagnostic {
    let range = snapshot.range(failure.range);
    let related = failure
        .output
        .iter()
        .map(|line| lsp::DiagnosticRelatedInformation {
            location: lsp::Location::new(snapshot.uri.clone(), range),
            message: line.clone(),
        });
    let related: Vec<_> = related.collect();
    lsp::Diagnostic {
        range,
        severity: Some(lsp::DiagnosticSeverity::ERROR),
        code: Some(lsp::NumberOrString::String("build-failed".to_owned())),
        source: Some("dfbuild".to_owned()),
        message: failure.message.clone(),
        related_information: (!related.is_empty()).then_some(related),
        ..lsp::Diagnostic::default()
    }
}

fn diagnostics(snapshot: &Snapshot, findings: &[Diagnostic]) -> Vec<lsp::Diagnostic> {
    findings
        .iter()
        .map(|finding| diagnostic(snapshot, finding))
        .collect()
}

pub(crate) fn diagnostic(snapshot: &Snapshot, finding: &Diagnostic) -> lsp::Diagnostic {
    let mut message = finding.message.clone();
    if let Some(help) = &finding.help {
        message.push('\n');
        message.push_str(help);
    }
    let related: Vec<lsp::DiagnosticRelatedInformation> = finding
        .labels
        .iter()
        .map(|label| lsp::DiagnosticRelatedInformation {
            location: lsp::Location::new(snapshot.uri.clone(), snapshot.range(label.range)),
            message: label.message.clone(),
        })
        .collect();
    lsp::Diagnostic {
        range: snapshot.range(finding.range),
        severity: Some(match finding.severity {
            Severity::Error => lsp::DiagnosticSeverity::ERROR,
            Severity::Warning => lsp::DiagnosticSeverity::WARNING,
            Severity::Info => lsp::DiagnosticSeverity::INFORMATION,
        }),
        code: Some(lsp::NumberOrString::String(finding.rule.to_owned())),
        source: Some("dflint".to_owned()),
        message,
        related_information: (!related.is_empty()).then_some(related),
        ..lsp::Diagnostic::default()
    }
}

pub(crate) fn text_edits(snapshot: &Snapshot, edit: &TextEdit) -> Vec<lsp::TextEdit> {
    edit.indels()
        .iter()
        .map(|indel| lsp::TextEdit::new(snapshot.range(indel.delete), indel.insert.clone()))
        .collect()
}

/// Returns an edit of one document, tied to its version where the client understands that.
pub(crate) fn workspace_edit(snapshot: &Snapshot, edit: &TextEdit) -> lsp::WorkspaceEdit {
    let edits = text_edits(snapshot, edit);
    if snapshot.client.takes_document_changes {
        let change = lsp::TextDocumentEdit {
            text_document: lsp::OptionalVersionedTextDocumentIdentifier {
                uri: snapshot.uri.clone(),
                version: Some(snapshot.version),
            },
            edits: edits.into_iter().map(lsp::OneOf::Left).collect(),
        };
        return lsp::WorkspaceEdit {
            document_changes: Some(lsp::DocumentChanges::Edits(vec![change])),
            ..lsp::WorkspaceEdit::default()
        };
    }
    #[allow(clippy::mutable_key_type)] // The protocol's own type.
    let changes = HashMap::from([(snapshot.uri.clone(), edits)]);
    lsp::WorkspaceEdit {
        changes: Some(changes),
        ..lsp::WorkspaceEdit::default()
    }
}

pub(crate) fn markdown(text: String) -> lsp::MarkupContent {
    lsp::MarkupContent {
        kind: lsp::MarkupKind::Markdown,
        value: text,
    }
}

pub(crate) fn completion_item(
    snapshot: &Snapshot,
    item: ide::CompletionItem,
    order: usize,
) -> lsp::CompletionItem {
    use ide::CompletionKind as Kind;
    let is_snippet = item.is_snippet && snapshot.client.takes_snippets;
    let insert = if item.is_snippet && !is_snippet {
        without_places(&item.insert)
    } else {
        item.insert
    };
    lsp::CompletionItem {
        kind: Some(match item.kind {
            Kind::Keyword => lsp::CompletionItemKind::KEYWORD,
            Kind::Flag => lsp::CompletionItemKind::PROPERTY,
            Kind::Value => lsp::CompletionItemKind::VALUE,
            Kind::Variable => lsp::CompletionItemKind::VARIABLE,
            Kind::Stage => lsp::CompletionItemKind::CLASS,
            Kind::Image => lsp::CompletionItemKind::MODULE,
            Kind::File => lsp::CompletionItemKind::FILE,
            Kind::Folder => lsp::CompletionItemKind::FOLDER,
            Kind::Snippet => lsp::CompletionItemKind::SNIPPET,
            Kind::Rule => lsp::CompletionItemKind::EVENT,
        }),
        detail: (!item.detail.is_empty()).then_some(item.detail),
        sort_text: Some(format!("{}{order:04}", item.rank)),
        filter_text: Some(item.label.clone()),
        insert_text_format: Some(if is_snippet {
            lsp::InsertTextFormat::SNIPPET
        } else {
            lsp::InsertTextFormat::PLAIN_TEXT
        }),
        text_edit: Some(lsp::CompletionTextEdit::Edit(lsp::TextEdit::new(
            snapshot.range(item.replace),
            insert,
        ))),
        data: (!item.documentation.is_empty()).then(|| item.documentation.into()),
        label: item.label,
        ..lsp::CompletionItem::default()
    }
}

/// Returns a snippet without its places to fill in: `${1:name}` becomes `name`, and `\\` becomes `\`.
fn without_places(snippet: &str) -> String {
    let mut text = String::with_capacity(snippet.len());
    let mut rest = snippet;
    while let Some(at) = rest.find(['$', '\\']) {
        text.push_str(rest.get(..at).unwrap_or_default());
        let found = rest.get(at..).unwrap_or_default();
        let place = found
            .strip_prefix("${")
            .and_then(|place| place.split_once(':'))
            .filter(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|(_, place)| place.split_once('}'));
        rest = match (place, found.strip_prefix('\\')) {
            (Some((name, behind)), _) => {
                text.push_str(name);
                behind
            }
            (None, Some(escaped)) => {
                let len = escaped.chars().next().map_or(0, char::len_utf8);
                text.push_str(escaped.get(..len).unwrap_or_default());
                escaped.get(len..).unwrap_or_default()
            }
            (None, None) => {
                text.push('$');
                found.get(1..).unwrap_or_default()
            }
        };
    }
    text.push_str(rest);
    text
}

#[allow(deprecated)] // The protocol's type has a field that is.
pub(crate) fn document_symbol(
    snapshot: &Snapshot,
    symbol: ide::DocumentSymbol,
) -> lsp::DocumentSymbol {
    lsp::DocumentSymbol {
        kind: symbol_kind(symbol.kind),
        detail: (!symbol.detail.is_empty()).then_some(symbol.detail),
        range: snapshot.range(symbol.range),
        selection_range: snapshot.range(symbol.selection),
        children: (!symbol.children.is_empty()).then(|| {
            symbol
                .children
                .into_iter()
                .map(|child| document_symbol(snapshot, child))
                .collect()
        }),
        name: symbol.name,
        tags: None,
        deprecated: None,
    }
}

#[allow(deprecated)] // As above.
pub(crate) fn flat_symbols(
    snapshot: &Snapshot,
    symbols: Vec<ide::DocumentSymbol>,
) -> Vec<lsp::SymbolInformation> {
    let mut flat = Vec::new();
    for symbol in symbols {
        let mut add = |symbol: &ide::DocumentSymbol, container: Option<String>| {
            flat.push(lsp::SymbolInformation {
                name: symbol.name.clone(),
                kind: symbol_kind(symbol.kind),
                tags: None,
                deprecated: None,
                location: lsp::Location::new(
                    snapshot.uri.clone(),
                    snapshot.range(symbol.selection),
                ),
                container_name: container,
            });
        };
        add(&symbol, None);
        for child in &symbol.children {
            add(child, Some(symbol.name.clone()));
        }
    }
    flat
}

fn symbol_kind(kind: ide::DocumentSymbolKind) -> lsp::SymbolKind {
    match kind {
        ide::DocumentSymbolKind::Stage => lsp::SymbolKind::CLASS,
        ide::DocumentSymbolKind::Instruction => lsp::SymbolKind::METHOD,
        ide::DocumentSymbolKind::Argument => lsp::SymbolKind::PROPERTY,
        ide::DocumentSymbolKind::Variable => lsp::SymbolKind::VARIABLE,
    }
}

/// Returns tokens as differences, each from the one before it.
pub(crate) fn semantic_tokens(
    snapshot: &Snapshot,
    tokens: &[ide::SemanticToken],
) -> Vec<lsp::SemanticToken> {
    let mut last = lsp::Position::default();
    tokens
        .iter()
        .map(|token| {
            let start = snapshot.position(token.range.start());
            let delta_line = start.line - last.line;
            let delta_start = if delta_line == 0 {
                start.character - last.character
            } else {
                start.character
            };
            last = start;
            lsp::SemanticToken {
                delta_line,
                delta_start,
                length: snapshot.encoding().len(snapshot.source.slice(token.range)),
                token_type: token.token_type as u32,
                token_modifiers_bitset: token.modifier.map_or(0, |each| 1 << each as u32),
            }
        })
        .collect()
}

pub(crate) fn call_item(snapshot: &Snapshot, item: ide::CallItem) -> lsp::CallHierarchyItem {
    lsp::CallHierarchyItem {
        name: item.name,
        kind: lsp::SymbolKind::CLASS,
        tags: None,
        detail: Some(item.detail),
        uri: snapshot.uri.clone(),
        range: snapshot.range(item.range),
        selection_range: snapshot.range(item.selection),
        data: Some(item.stage.0.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_without_snippets_gets_plain_text() {
        assert_eq!(
            without_places("RUN ${1:command} \\\\\n $x"),
            "RUN command \\\n $x"
        );
    }
}
