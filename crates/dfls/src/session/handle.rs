//! How others talk to the session: messages, and questions that workers answer.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use dockerfile_ide::ContextEntry;
use tokio::sync::oneshot;
use tower_lsp::ls_types::{TextDocumentContentChangeEvent, Uri};

use crate::build::Built;
use crate::document::Snapshot;
use crate::foreseen::{Foreseen, Left};
use crate::image_watch::ImageKnowledge;
use crate::settings::{ClientFacts, UserSettings};

type Question = Box<dyn FnOnce(Option<Arc<Snapshot>>) + Send>;
type QuestionToAll = Box<dyn FnOnce(Vec<Arc<Snapshot>>) + Send>;

pub(super) enum Message {
    Initialize(Box<ClientFacts>, Box<UserSettings>),
    Configure(Box<UserSettings>),
    Open(Uri, i32, String),
    Change(Uri, i32, Vec<TextDocumentContentChangeEvent>),
    Close(Uri),
    FilesChanged(Vec<Uri>),
    Ask(Uri, Question),
    AskAll(QuestionToAll),
    /// Work on the findings of a document is done: the message to publish, if the version was still the newest.
    Found(String, u64, Option<String>),
    Context(PathBuf, Vec<ContextEntry>),
    Built(Uri, Box<Built>),
    Foreseen(String, Box<Foreseen>),
    Left(String, Box<Left>),
    Images(String, Box<ImageKnowledge>),
    Stop,
}

/// How others talk to the session. Nothing here waits.
#[derive(Clone)]
pub(crate) struct SessionHandle {
    pub(super) messages: Sender<Message>,
}

impl SessionHandle {
    pub(crate) fn initialize(&self, client: ClientFacts, settings: UserSettings) {
        self.send(Message::Initialize(Box::new(client), Box::new(settings)));
    }

    pub(crate) fn configure(&self, settings: UserSettings) {
        self.send(Message::Configure(Box::new(settings)));
    }

    pub(crate) fn open(&self, uri: Uri, version: i32, text: String) {
        self.send(Message::Open(uri, version, text));
    }

    pub(crate) fn change(
        &self,
        uri: Uri,
        version: i32,
        changes: Vec<TextDocumentContentChangeEvent>,
    ) {
        self.send(Message::Change(uri, version, changes));
    }

    pub(crate) fn close(&self, uri: Uri) {
        self.send(Message::Close(uri));
    }

    pub(crate) fn files_changed(&self, uris: Vec<Uri>) {
        self.send(Message::FilesChanged(uris));
    }

    /// Says how a build has ended.
    pub(crate) fn built(&self, uri: Uri, built: Built) {
        self.send(Message::Built(uri, Box::new(built)));
    }

    pub(crate) fn stop(&self) {
        self.send(Message::Stop);
    }

    /// Asks a question over the newest version of a document. It is answered in a worker, unless nobody waits any more.
    pub(crate) fn ask<R: Send + 'static>(
        &self,
        uri: &Uri,
        question: impl FnOnce(&Arc<Snapshot>) -> R + Send + 'static,
    ) -> oneshot::Receiver<R> {
        let (sender, receiver) = oneshot::channel();
        let question: Question = Box::new(move |snapshot| {
            if let Some(snapshot) = snapshot
                && !sender.is_closed()
            {
                let _ = sender.send(question(&snapshot));
            }
        });
        self.send(Message::Ask(uri.clone(), question));
        receiver
    }

    /// Asks a question over all open documents.
    pub(crate) fn ask_all<R: Send + 'static>(
        &self,
        question: impl FnOnce(Vec<Arc<Snapshot>>) -> R + Send + 'static,
    ) -> oneshot::Receiver<R> {
        let (sender, receiver) = oneshot::channel();
        self.send(Message::AskAll(Box::new(move |snapshots| {
            if !sender.is_closed() {
                let _ = sender.send(question(snapshots));
            }
        })));
        receiver
    }

    pub(super) fn send(&self, message: Message) {
        // The session is gone only when the server ends.
        let _ = self.messages.send(message);
    }
}
