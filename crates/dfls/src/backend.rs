//! The handlers: shells that hand a message over before their first await and then wait for the answer.

#[cfg(target_os = "linux")]
mod builds;
#[cfg(not(target_os = "linux"))]
#[path = "backend/builds_elsewhere.rs"]
mod builds;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::oneshot;
use tower_lsp::jsonrpc::{Error, ErrorCode, Result};
#[allow(clippy::wildcard_imports)] // These are the words of the protocol.
use tower_lsp::ls_types::*;
use tower_lsp::{Client, LanguageServer};

pub(crate) use self::builds::{Previews, Running};
use crate::capabilities;
use crate::document::Snapshot;
use crate::session::{SessionHandle, settings_from};
use crate::settings::{ClientFacts, UserSettings};
use crate::token_cache::TokenCache;
use crate::transport::Outgoing;
use crate::{parent, requests};

/// How long a client may take to answer; nobody waits for it, but what waits must end.
const CLIENT_PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Backend {
    client: Client,
    pub(crate) session: SessionHandle,
    pub(crate) output: Outgoing,
    facts: Mutex<ClientFacts>,
    settings: Mutex<UserSettings>,
    tokens: Arc<TokenCache>,
    pub(crate) running: Arc<Running>,
    pub(crate) previews: Arc<Previews>,
}

impl Backend {
    pub(crate) fn new(client: Client, session: SessionHandle, output: Outgoing) -> Backend {
        Backend {
            client,
            session,
            output,
            facts: Mutex::default(),
            settings: Mutex::default(),
            tokens: Arc::default(),
            running: Arc::default(),
            previews: Arc::default(),
        }
    }

    /// Asks about the newest version of a document. The question is on its way when this returns.
    pub(crate) fn ask<R: Send + 'static>(
        &self,
        uri: &Uri,
        question: impl FnOnce(&Snapshot) -> R + Send + 'static,
    ) -> Answer<R> {
        Answer(self.session.ask(uri, move |snapshot| question(snapshot)))
    }

    /// Like `ask`, for a place in a document.
    fn ask_at<R: Send + 'static>(
        &self,
        place: &TextDocumentPositionParams,
        question: impl FnOnce(&Snapshot, Position) -> R + Send + 'static,
    ) -> Answer<R> {
        let position = place.position;
        self.ask(&place.text_document.uri, move |snapshot| {
            question(snapshot, position)
        })
    }

    pub(crate) fn facts(&self) -> ClientFacts {
        self.facts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn settings(&self) -> UserSettings {
        self.settings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set_settings(&self, settings: UserSettings) {
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner) = settings.clone();
        self.session.configure(settings);
    }

    /// Tells the client to ask again, without waiting for it.
    fn refresh(&self) {
        if !self.facts().refreshes_diagnostics {
            return;
        }
        let client = self.client.clone();
        tokio::spawn(async move {
            let _ =
                tokio::time::timeout(CLIENT_PATIENCE, client.workspace_diagnostic_refresh()).await;
        });
    }

    /// `dfls/stages`: the stages of a file and which of them need which.
    pub(crate) async fn stages(&self, params: TextDocumentIdentifier) -> Result<serde_json::Value> {
        self.ask(&params.uri, requests::stages).await
    }
}

pub(crate) fn failure(message: &str) -> Error {
    Error {
        code: ErrorCode::ServerError(-32803),
        message: message.to_owned().into(),
        data: None,
    }
}

/// An answer that is on its way. None comes for a document that is not open, or when a feature has failed.
pub(crate) struct Answer<R>(pub(crate) oneshot::Receiver<R>);

impl<R> Future for Answer<R> {
    type Output = Result<R>;

    fn poll(mut self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<Result<R>> {
        let answer = Pin::new(&mut self.0).poll(ctx);
        answer.map_err(|_| failure("no answer: the document is not open"))
    }
}

impl LanguageServer for Backend {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        if let Some(id) = params.process_id {
            parent::watch(id);
        }
        let facts = ClientFacts::new(&params.capabilities);
        let settings = settings_from(params.initialization_options.as_ref());
        self.session.initialize(facts.clone(), settings.clone());
        let capabilities = capabilities::capabilities(&facts);
        *self.facts.lock().unwrap_or_else(PoisonError::into_inner) = facts;
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner) = settings;
        Ok(InitializeResult {
            capabilities,
            server_info: Some(ServerInfo {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
            ..InitializeResult::default()
        })
    }

    async fn initialized(&self, _: InitializedParams) {
        if self.facts().watches_files
            && let Some(registration) = capabilities::watched_files()
        {
            let client = self.client.clone();
            tokio::spawn(async move {
                let register = client.register_capability(vec![registration]);
                let _ = tokio::time::timeout(CLIENT_PATIENCE, register).await;
            });
        }
    }

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        let document = params.text_document;
        self.session
            .open(document.uri, document.version, document.text);
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        let document = params.text_document;
        self.session
            .change(document.uri, document.version, params.content_changes);
    }

    async fn did_save(&self, _: DidSaveTextDocumentParams) {}

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        let uri = params.text_document.uri;
        self.tokens.forget(uri.as_str());
        self.session.close(uri);
    }

    async fn did_change_configuration(&self, params: DidChangeConfigurationParams) {
        self.set_settings(UserSettings::from_value(&params.settings));
        self.refresh();
    }

    async fn did_change_workspace_folders(&self, _: DidChangeWorkspaceFoldersParams) {}

    async fn did_change_watched_files(&self, params: DidChangeWatchedFilesParams) {
        let uris = params
            .changes
            .into_iter()
            .map(|change| change.uri)
            .collect();
        self.session.files_changed(uris);
        self.refresh();
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<LSPAny>> {
        let argument = params.arguments.into_iter().next().unwrap_or_default();
        if params.command != "dfls.build" {
            return Err(Error::invalid_params("no such command"));
        }
        let params = serde_json::from_value(argument)
            .map_err(|error| Error::invalid_params(error.to_string()))?;
        let result = self.build(params).await?;
        Ok(serde_json::to_value(result).ok())
    }

    async fn diagnostic(
        &self,
        params: DocumentDiagnosticParams,
    ) -> Result<DocumentDiagnosticReportResult> {
        let previous = params.previous_result_id;
        self.ask(&params.text_document.uri, move |snapshot| {
            requests::unchanged(snapshot, previous.as_deref())
                .unwrap_or_else(|| requests::diagnostic(snapshot))
        })
        .await
    }

    async fn completion(&self, params: CompletionParams) -> Result<Option<CompletionResponse>> {
        let answer = self.ask_at(&params.text_document_position, requests::completion);
        answer.await.map(Some)
    }

    async fn completion_resolve(&self, item: CompletionItem) -> Result<CompletionItem> {
        Ok(requests::resolve_completion(item))
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        self.ask_at(&params.text_document_position_params, requests::hover)
            .await
    }

    async fn signature_help(&self, params: SignatureHelpParams) -> Result<Option<SignatureHelp>> {
        self.ask_at(
            &params.text_document_position_params,
            requests::signature_help,
        )
        .await
    }

    async fn goto_definition(
        &self,
        params: GotoDefinitionParams,
    ) -> Result<Option<GotoDefinitionResponse>> {
        self.ask_at(&params.text_document_position_params, requests::definition)
            .await
    }

    async fn goto_declaration(
        &self,
        params: request::GotoDeclarationParams,
    ) -> Result<Option<request::GotoDeclarationResponse>> {
        self.ask_at(&params.text_document_position_params, requests::definition)
            .await
    }

    async fn references(&self, params: ReferenceParams) -> Result<Option<Vec<Location>>> {
        let with_declaration = params.context.include_declaration;
        let answer = self.ask_at(&params.text_document_position, move |snapshot, position| {
            requests::references(snapshot, position, with_declaration)
        });
        answer.await.map(Some)
    }

    async fn document_highlight(
        &self,
        params: DocumentHighlightParams,
    ) -> Result<Option<Vec<DocumentHighlight>>> {
        let answer = self.ask_at(&params.text_document_position_params, requests::highlights);
        answer.await.map(Some)
    }

    async fn prepare_rename(
        &self,
        params: TextDocumentPositionParams,
    ) -> Result<Option<PrepareRenameResponse>> {
        self.ask_at(&params, requests::prepare_rename).await
    }

    async fn rename(&self, params: RenameParams) -> Result<Option<WorkspaceEdit>> {
        let name = params.new_name;
        let answer = self.ask_at(&params.text_document_position, move |snapshot, position| {
            requests::rename(snapshot, position, &name)
        });
        answer.await?.map(Some)
    }

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        let (range, only) = (params.range, params.context.only);
        let answer = self.ask(&params.text_document.uri, move |snapshot| {
            requests::code_actions(snapshot, range, only.as_deref())
        });
        answer.await.map(Some)
    }

    async fn code_lens(&self, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
        if !requests::wants(&self.settings(), "codeLens") {
            return Ok(None);
        }
        let with_instructions = self.settings().instruction_lenses;
        let answer = self.ask(&params.text_document.uri, move |snapshot| {
            requests::code_lenses(snapshot, with_instructions)
        });
        answer.await.map(Some)
    }

    async fn formatting(&self, params: DocumentFormattingParams) -> Result<Option<Vec<TextEdit>>> {
        self.ask(&params.text_document.uri, requests::format)
            .await
            .map(Some)
    }

    async fn range_formatting(
        &self,
        params: DocumentRangeFormattingParams,
    ) -> Result<Option<Vec<TextEdit>>> {
        let range = params.range;
        let answer = self.ask(&params.text_document.uri, move |snapshot| {
            requests::format_range(snapshot, range)
        });
        answer.await.map(Some)
    }

    async fn on_type_formatting(
        &self,
        params: DocumentOnTypeFormattingParams,
    ) -> Result<Option<Vec<TextEdit>>> {
        let typed = params.ch;
        let answer = self.ask_at(&params.text_document_position, move |snapshot, position| {
            requests::format_on_type(snapshot, position, &typed)
        });
        answer.await
    }

    async fn document_symbol(
        &self,
        params: DocumentSymbolParams,
    ) -> Result<Option<DocumentSymbolResponse>> {
        self.ask(&params.text_document.uri, requests::document_symbols)
            .await
            .map(Some)
    }

    async fn symbol(
        &self,
        params: WorkspaceSymbolParams,
    ) -> Result<Option<WorkspaceSymbolResponse>> {
        let answer = self
            .session
            .ask_all(move |snapshots| requests::workspace_symbols(&snapshots, &params.query));
        let symbols = Answer(answer).await?;
        Ok(Some(WorkspaceSymbolResponse::Flat(symbols)))
    }

    async fn folding_range(&self, params: FoldingRangeParams) -> Result<Option<Vec<FoldingRange>>> {
        self.ask(&params.text_document.uri, requests::folding_ranges)
            .await
            .map(Some)
    }

    async fn selection_range(
        &self,
        params: SelectionRangeParams,
    ) -> Result<Option<Vec<SelectionRange>>> {
        let positions = params.positions;
        let answer = self.ask(&params.text_document.uri, move |snapshot| {
            requests::selection_ranges(snapshot, &positions)
        });
        answer.await.map(Some)
    }

    async fn semantic_tokens_full(
        &self,
        params: SemanticTokensParams,
    ) -> Result<Option<SemanticTokensResult>> {
        let cache = Arc::clone(&self.tokens);
        let answer = self.ask(&params.text_document.uri, move |snapshot| {
            requests::semantic_tokens(snapshot, &cache)
        });
        answer.await.map(Some)
    }

    async fn semantic_tokens_full_delta(
        &self,
        params: SemanticTokensDeltaParams,
    ) -> Result<Option<SemanticTokensFullDeltaResult>> {
        let cache = Arc::clone(&self.tokens);
        let answer = self.ask(&params.text_document.uri, move |snapshot| {
            requests::semantic_tokens_delta(snapshot, &cache, &params.previous_result_id)
        });
        answer.await.map(Some)
    }

    async fn semantic_tokens_range(
        &self,
        params: SemanticTokensRangeParams,
    ) -> Result<Option<SemanticTokensRangeResult>> {
        let range = params.range;
        let answer = self.ask(&params.text_document.uri, move |snapshot| {
            requests::semantic_tokens_range(snapshot, range)
        });
        answer.await.map(Some)
    }

    async fn document_link(&self, params: DocumentLinkParams) -> Result<Option<Vec<DocumentLink>>> {
        self.ask(&params.text_document.uri, requests::document_links)
            .await
            .map(Some)
    }

    async fn inlay_hint(&self, params: InlayHintParams) -> Result<Option<Vec<InlayHint>>> {
        if !requests::wants(&self.settings(), "inlayHints") {
            return Ok(None);
        }
        let range = params.range;
        let answer = self.ask(&params.text_document.uri, move |snapshot| {
            requests::inlay_hints(snapshot, range)
        });
        answer.await.map(Some)
    }

    async fn prepare_call_hierarchy(
        &self,
        params: CallHierarchyPrepareParams,
    ) -> Result<Option<Vec<CallHierarchyItem>>> {
        self.ask_at(&params.text_document_position_params, requests::call_items)
            .await
    }

    async fn incoming_calls(
        &self,
        params: CallHierarchyIncomingCallsParams,
    ) -> Result<Option<Vec<CallHierarchyIncomingCall>>> {
        let item = params.item;
        self.ask(&item.uri.clone(), move |snapshot| {
            requests::incoming_calls(snapshot, &item)
        })
        .await
    }

    async fn outgoing_calls(
        &self,
        params: CallHierarchyOutgoingCallsParams,
    ) -> Result<Option<Vec<CallHierarchyOutgoingCall>>> {
        let item = params.item;
        self.ask(&item.uri.clone(), move |snapshot| {
            requests::outgoing_calls(snapshot, &item)
        })
        .await
    }

    async fn linked_editing_range(
        &self,
        params: LinkedEditingRangeParams,
    ) -> Result<Option<LinkedEditingRanges>> {
        self.ask_at(
            &params.text_document_position_params,
            requests::linked_ranges,
        )
        .await
    }
}
