//! What a build would do with the text as it is: found out in a thread of its own, when the user pauses.
//!
//! A `Lookout` remembers the files of the context, so that an edit costs no look at the disk. Behind the quick answer the disk is looked
//! at again, as seldom as that is expensive, for a client need not tell when a file changes.

use std::collections::HashMap;
use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use dockerfile_build::{BuiltLayer, Lookout};
use dockerfile_ide::{BuiltStep, LayerFiles};

use crate::build::Job;
use crate::foreseen::{Foreseen, Left, Listener};

/// How long no edit may come before the forecast begins.
const PAUSE: Duration = Duration::from_millis(120);
/// Looking at the disk may take this part of the time.
const REST: u32 = 10;
const SHORTEST_REST: Duration = Duration::from_secs(1);
/// How much of `/etc/passwd` is read.
const MOST_BYTES: u64 = 1 << 20;
/// Contexts that are remembered.
const MOST_CONTEXTS: usize = 4;

enum Message {
    Look(String, Box<Job>),
    Forget,
}

/// The way to the thread.
pub(crate) struct Foresight {
    messages: Sender<Message>,
}

impl Foresight {
    /// Starts the thread.
    pub(crate) fn start(listener: impl Listener) -> Foresight {
        let (messages, receiver) = channel();
        thread::spawn(move || watch(&receiver, &listener));
        Foresight { messages }
    }

    /// Asks for a forecast; a later one for the same document replaces it.
    pub(crate) fn look(&self, key: &str, job: Job) {
        let _ = self
            .messages
            .send(Message::Look(key.to_owned(), Box::new(job)));
    }

    /// Says that files have changed.
    pub(crate) fn forget(&self) {
        let _ = self.messages.send(Message::Forget);
    }
}

fn watch(messages: &Receiver<Message>, listener: &dyn Listener) {
    let mut watcher = Watcher::default();
    let mut waiting: HashMap<String, Box<Job>> = HashMap::new();
    loop {
        let message = if waiting.is_empty() {
            messages.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            messages.recv_timeout(PAUSE)
        };
        match message {
            Ok(Message::Look(key, job)) => {
                waiting.insert(key, job);
            }
            Ok(Message::Forget) => watcher.contexts.clear(),
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                for (key, job) in std::mem::take(&mut waiting) {
                    // A fault in a forecast must not end all others.
                    let _ = catch_unwind(AssertUnwindSafe(|| watcher.look(&key, &job, listener)));
                }
            }
        }
    }
}

#[derive(Default)]
struct Watcher {
    contexts: Vec<Watched>,
}

struct Watched {
    folder: PathBuf,
    lookout: Lookout,
    looked: Instant,
    /// How long the last look at the disk took.
    cost: Duration,
    /// The layers of the last text, by their names.
    layers: HashMap<String, Arc<LayerFiles>>,
}

impl Watcher {
    fn look(&mut self, key: &str, job: &Job, listener: &dyn Listener) {
        // Without a store nothing was ever built.
        if !job.store.join("cache").is_dir() {
            return;
        }
        let known = self
            .contexts
            .iter()
            .position(|each| each.folder == job.context);
        let mut watched = match known {
            Some(at) => self.contexts.remove(at),
            None => Watched {
                folder: job.context.clone(),
                lookout: Lookout::default(),
                looked: Instant::now(),
                cost: Duration::ZERO,
                layers: HashMap::new(),
            },
        };
        let is_fresh = known.is_none();
        let first = forecast(&mut watched.lookout, job);
        if is_fresh {
            watched.cost = first.took;
            watched.looked = Instant::now();
        }
        let steps = first.steps.clone();
        listener.foreseen(key, first);
        let rest = (watched.cost * REST).max(SHORTEST_REST);
        if !is_fresh && watched.looked.elapsed() >= rest {
            watched.lookout.forget();
            let second = forecast(&mut watched.lookout, job);
            watched.cost = second.took;
            watched.looked = Instant::now();
            let is_same = steps.len() == second.steps.len()
                && steps
                    .iter()
                    .zip(&second.steps)
                    .all(|(a, b)| a.fate == b.fate);
            if !is_same {
                listener.foreseen(key, second);
            }
        }
        listener.left(key, watched.left(job));
        self.contexts.insert(0, watched);
        self.contexts.truncate(MOST_CONTEXTS);
    }
}

impl Watched {
    /// Returns what earlier builds left of a text; a layer is read once.
    fn left(&mut self, job: &Job) -> Left {
        let built = self.lookout.built(&job.request()).unwrap_or_default();
        let mut known = std::mem::take(&mut self.layers);
        let mut steps: Vec<BuiltStep> = Vec::new();
        for step in &built {
            let id = step.id();
            let changes = known.remove(&id).or_else(|| self.layers.get(&id).cloned());
            let Some(changes) = changes.or_else(|| read_layer(step, &job.store)) else {
                break;
            };
            self.layers.insert(id, Arc::clone(&changes));
            steps.push(BuiltStep {
                range: step.range,
                changes,
            });
        }
        Left {
            source: Arc::clone(&job.source),
            steps,
        }
    }
}

fn read_layer(step: &BuiltLayer, store: &Path) -> Option<Arc<LayerFiles>> {
    let listing = step.listing().ok()?;
    let read = |path: &_| {
        let mut bytes = Vec::new();
        let file = step.open(store, path).ok()?;
        file.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    };
    Some(Arc::new(image_facts::layer_files(&listing, &read)))
}

fn forecast(lookout: &mut Lookout, job: &Job) -> Foreseen {
    let start = Instant::now();
    let found = lookout.forecast(&job.request());
    Foreseen {
        source: Arc::clone(&job.source),
        steps: found.map(|found| found.steps).unwrap_or_default(),
        took: start.elapsed(),
    }
}
