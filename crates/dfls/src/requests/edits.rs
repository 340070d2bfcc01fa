//! Questions whose answers change the text.

use dockerfile_ide as ide;
use tower_lsp::jsonrpc::{Error, Result};
#[allow(clippy::wildcard_imports)] // These are the words of the protocol.
use tower_lsp::ls_types::*;

use crate::convert;
use crate::document::Snapshot;

/// The kind of the action that applies all safe fixes.
pub(crate) const FIX_ALL: &str = "source.fixAll.dflint";

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
