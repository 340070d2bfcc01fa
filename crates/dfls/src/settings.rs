//! What the client can do, and what the user wants.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dockerfile_lint::Selection;
use serde::Deserialize;
use tower_lsp::ls_types::{ClientCapabilities, MarkupKind};

use crate::image_watch;
use crate::position::Encoding;

/// What the client can do.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientFacts {
    pub(crate) encoding: Encoding,
    /// Asks for findings itself.
    pub(crate) pulls_diagnostics: bool,
    pub(crate) takes_snippets: bool,
    pub(crate) takes_document_changes: bool,
    pub(crate) takes_hierarchical_symbols: bool,
    pub(crate) takes_markdown: bool,
    pub(crate) watches_files: bool,
    pub(crate) refreshes_diagnostics: bool,
    pub(crate) shows_progress: bool,
    pub(crate) refreshes_hints: bool,
}

impl ClientFacts {
    pub(crate) fn new(capabilities: &ClientCapabilities) -> ClientFacts {
        let general = capabilities.general.as_ref();
        let encodings = general.and_then(|general| general.position_encodings.as_deref());
        let document = capabilities.text_document.as_ref();
        let workspace = capabilities.workspace.as_ref();
        let completion_item = document
            .and_then(|document| document.completion.as_ref())
            .and_then(|completion| completion.completion_item.as_ref());
        let hover = document
            .and_then(|document| document.hover.as_ref())
            .and_then(|hover| hover.content_format.as_ref());
        ClientFacts {
            encoding: Encoding::negotiate(encodings),
            pulls_diagnostics: document.is_some_and(|document| document.diagnostic.is_some()),
            takes_snippets: completion_item.is_some_and(|item| item.snippet_support == Some(true)),
            takes_document_changes: workspace
                .and_then(|workspace| workspace.workspace_edit.as_ref())
                .is_some_and(|edit| edit.document_changes == Some(true)),
            takes_hierarchical_symbols: document
                .and_then(|document| document.document_symbol.as_ref())
                .is_some_and(|symbol| symbol.hierarchical_document_symbol_support == Some(true)),
            takes_markdown: hover.is_none_or(|formats| formats.contains(&MarkupKind::Markdown)),
            watches_files: workspace
                .and_then(|workspace| workspace.did_change_watched_files)
                .is_some_and(|watch| watch.dynamic_registration == Some(true)),
            refreshes_diagnostics: workspace
                .and_then(|workspace| workspace.diagnostics.as_ref())
                .is_some_and(|diagnostics| diagnostics.refresh_support == Some(true)),
            shows_progress: capabilities
                .window
                .as_ref()
                .is_some_and(|window| window.work_done_progress == Some(true)),
            refreshes_hints: workspace
                .and_then(|workspace| workspace.inlay_hint.as_ref())
                .is_some_and(|hint| hint.refresh_support == Some(true)),
        }
    }
}

/// What the user wants, from `initializationOptions` and `workspace/didChangeConfiguration`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct UserSettings {
    /// Rules to turn on, by name, code or alias.
    pub(crate) select: Vec<String>,
    /// Rules to turn off.
    pub(crate) ignore: Vec<String>,
    /// Rules that may still change, too.
    pub(crate) preview: bool,
    pub(crate) inlay_hints: bool,
    pub(crate) code_lens: bool,
    /// The program that builds; found beside the server or in PATH where nothing is said.
    pub(crate) builder: Option<String>,
    /// Where images and layers are; the builder's own place where nothing is said.
    pub(crate) store: Option<String>,
    /// `--build-arg` of builds and forecasts.
    pub(crate) build_arguments: BTreeMap<String, String>,
    /// Whether hints say what a build would run.
    pub(crate) forecast: bool,
    /// Whether findings and completion know what is in the images of the store.
    pub(crate) image_facts: bool,
    /// Lenses above each instruction, too.
    pub(crate) instruction_lenses: bool,
}

impl Default for UserSettings {
    fn default() -> UserSettings {
        UserSettings {
            select: Vec::new(),
            ignore: Vec::new(),
            preview: false,
            inlay_hints: true,
            code_lens: true,
            builder: None,
            store: None,
            build_arguments: BTreeMap::new(),
            forecast: true,
            image_facts: true,
            instruction_lenses: false,
        }
    }
}

impl UserSettings {
    /// Reads settings; they may stand below `dflint` or `dfls`. What is no settings leaves the defaults.
    pub(crate) fn from_value(value: &serde_json::Value) -> UserSettings {
        let inner = value
            .get("dflint")
            .or_else(|| value.get("dfls"))
            .unwrap_or(value);
        UserSettings::deserialize(inner).unwrap_or_default()
    }

    /// Returns the folder of the store.
    pub(crate) fn store_folder(&self) -> PathBuf {
        let named = self.store.as_ref().filter(|folder| !folder.is_empty());
        named.map_or_else(image_watch::default_store, PathBuf::from)
    }

    pub(crate) fn selection(&self) -> Selection {
        let mut selection = if self.preview {
            Selection::preview()
        } else {
            Selection::default()
        };
        for (names, is_on) in [(&self.select, true), (&self.ignore, false)] {
            for name in names {
                // A name that no rule has changes nothing.
                let _ = selection.set(name, is_on);
            }
        }
        selection
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_settings_wherever_they_stand() {
        let value =
            serde_json::json!({"dflint": {"ignore": ["untagged-base-image"], "inlayHints": false}});
        let settings = UserSettings::from_value(&value);
        assert!(!settings.inlay_hints);
        assert!(settings.selection() != Selection::default());
        assert!(UserSettings::from_value(&serde_json::json!([1])).inlay_hints);
    }
}
