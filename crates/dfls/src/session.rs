//! The one owner of the documents: a thread that takes messages in the order in which they came.

mod findings;
mod handle;
mod surroundings;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use tower_lsp::ls_types::{LSPAny, PublishDiagnosticsParams, TextDocumentContentChangeEvent, Uri};

use self::handle::Message;
pub(crate) use self::handle::SessionHandle;
use crate::build::{self, Built};
use crate::document::{Document, Snapshot};
use crate::foresight::Foresight;
use crate::image_watch::{ImageKnowledge, ImageWatch};
use crate::settings::{ClientFacts, UserSettings};
use crate::transport::Outgoing;
use crate::worker_pool::WorkerPool;
use crate::workspace::{Workspace, list_context};

/// Edits that follow each other faster, with nothing asked in between, are a burst: its end is waited for.
const BURST_GAP: Duration = Duration::from_millis(45);
/// How long no edit may come for a burst to be over.
const BURST_END: Duration = Duration::from_millis(30);
const WORKERS: usize = 3;

/// Starts the thread that owns the documents.
pub(crate) fn start(output: Outgoing) -> SessionHandle {
    let (messages, receiver) = channel();
    let handle = SessionHandle { messages };
    let own_handle = handle.clone();
    thread::spawn(move || Session::new(own_handle, output).run(&receiver));
    handle
}

/// A document and what is going on with its findings.
struct Entry {
    document: Document,
    /// When the findings are to be looked for; none when they are published or on the way.
    due: Option<Instant>,
    is_working: bool,
    last_change: Option<Instant>,
}

struct Session {
    handle: SessionHandle,
    output: Outgoing,
    workers: WorkerPool,
    client: Arc<ClientFacts>,
    settings: UserSettings,
    workspace: Workspace,
    has_builder: bool,
    foresight: Option<Foresight>,
    image_watch: Option<ImageWatch>,
    /// What is known of the images that documents name, by the keys of the documents.
    images: HashMap<String, Arc<ImageKnowledge>>,
    documents: HashMap<String, Entry>,
    /// The keys of documents that are due.
    waiting: Vec<String>,
    /// Whether something was asked since the last edit: then it was no part of a burst.
    is_asked: bool,
    config_error: Option<String>,
}

impl Session {
    fn new(handle: SessionHandle, output: Outgoing) -> Session {
        Session {
            handle,
            output,
            workers: WorkerPool::new(WORKERS),
            client: Arc::default(),
            settings: UserSettings::default(),
            workspace: Workspace::new(),
            has_builder: false,
            foresight: None,
            image_watch: None,
            images: HashMap::new(),
            documents: HashMap::new(),
            waiting: Vec::new(),
            is_asked: true,
            config_error: None,
        }
    }

    fn run(mut self, messages: &Receiver<Message>) {
        loop {
            let message = match self.next_due() {
                None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => messages.recv_timeout(due.saturating_duration_since(Instant::now())),
            };
            match message {
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {}
            }
            // What has come already counts before work begins: it would be stale at once.
            while let Ok(message) = messages.try_recv() {
                if matches!(message, Message::Stop) {
                    return;
                }
                self.take(message);
            }
            self.start_due();
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Initialize(client, settings) => {
                self.client = Arc::from(client);
                self.configure(*settings);
            }
            Message::Configure(settings) => self.configure(*settings),
            Message::Open(uri, version, text) => self.open(uri, version, text),
            Message::Change(uri, version, changes) => self.change(&uri, version, changes),
            Message::Close(uri) => self.close(&uri),
            Message::FilesChanged(uris) => self.files_changed(&uris),
            Message::Ask(uri, question) => {
                self.is_asked = true;
                let snapshot = self
                    .documents
                    .get_mut(uri.as_str())
                    .map(|entry| entry.document.snapshot(&self.client));
                self.workers.run(move || question(snapshot));
            }
            Message::AskAll(question) => {
                self.is_asked = true;
                let client = &self.client;
                let mut snapshots: Vec<Arc<Snapshot>> = self
                    .documents
                    .values_mut()
                    .map(|entry| entry.document.snapshot(client))
                    .collect();
                snapshots.sort_by(|left, right| left.uri.as_str().cmp(right.uri.as_str()));
                self.workers.run(move || question(snapshots));
            }
            Message::Found(key, generation, message) => self.found(&key, generation, message),
            Message::Context(folder, entries) => {
                self.workspace.set_context(folder, entries);
                self.renew_outside(false);
            }
            Message::Built(uri, built) => self.built(&uri, *built),
            Message::Foreseen(key, foreseen) => self.foreseen(&key, *foreseen),
            Message::Left(key, left) => self.left(&key, *left),
            Message::Images(key, knowledge) => self.images_known(key, *knowledge),
            Message::Stop => {}
        }
    }

    fn built(&mut self, uri: &Uri, built: Built) {
        let Some(entry) = self.documents.get_mut(uri.as_str()) else {
            return;
        };
        entry.document.set_built(built);
        self.schedule(uri.as_str(), Instant::now());
        if self.client.refreshes_diagnostics {
            self.output.request("workspace/diagnostic/refresh", &());
        }
        self.refresh_hints();
        self.look_at_images(uri.as_str());
        self.look_ahead(uri.as_str());
    }

    fn refresh_hints(&self) {
        if self.client.refreshes_hints {
            self.output.request("workspace/inlayHint/refresh", &());
        }
    }

    fn configure(&mut self, settings: UserSettings) {
        self.has_builder = build::find_builder(settings.builder.as_deref()).is_some();
        self.settings = settings;
        self.renew_outside(true);
        for key in self.keys() {
            self.look_at_images(&key);
        }
    }

    fn open(&mut self, uri: Uri, version: i32, text: String) {
        let outside = self.outside(&uri);
        if let Some(folder) = self.workspace.unknown_context(&uri) {
            // An empty list until the real one is there, so that nobody else looks.
            self.workspace.set_context(folder.clone(), Vec::new());
            let handle = self.handle.clone();
            thread::spawn(move || {
                let entries = list_context(&folder);
                handle.send(Message::Context(folder, entries));
            });
        }
        let key = uri.as_str().to_owned();
        let entry = Entry {
            document: Document::new(uri, version, text, Arc::new(outside)),
            due: None,
            is_working: false,
            last_change: None,
        };
        self.documents.insert(key.clone(), entry);
        self.schedule(&key, Instant::now());
        self.look_at_images(&key);
        self.look_ahead(&key);
    }

    fn change(&mut self, uri: &Uri, version: i32, changes: Vec<TextDocumentContentChangeEvent>) {
        let now = Instant::now();
        let Some(entry) = self.documents.get_mut(uri.as_str()) else {
            return;
        };
        entry
            .document
            .change(version, changes, self.client.encoding);
        let is_burst = !self.is_asked
            && entry
                .last_change
                .is_some_and(|last| now.duration_since(last) < BURST_GAP);
        entry.last_change = Some(now);
        self.is_asked = false;
        let due = if is_burst { now + BURST_END } else { now };
        self.schedule(uri.as_str(), due);
        self.look_at_images(uri.as_str());
        self.look_ahead(uri.as_str());
    }

    fn close(&mut self, uri: &Uri) {
        self.images.remove(uri.as_str());
        if self.documents.remove(uri.as_str()).is_some() && !self.client.pulls_diagnostics {
            let params = PublishDiagnosticsParams::new(uri.clone(), Vec::new(), None);
            self.output
                .notify("textDocument/publishDiagnostics", &params);
        }
    }
}

/// Returns settings from what the client sends, whatever it sends.
pub(crate) fn settings_from(value: Option<&LSPAny>) -> UserSettings {
    value.map_or_else(UserSettings::default, UserSettings::from_value)
}
