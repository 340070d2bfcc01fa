//! What a build would do with the text as it is: found out in a thread of its own, when the user pauses.
//!
//! A `Lookout` remembers the files of the context, so that an edit costs no look at the disk. Behind the quick answer the disk is looked
//! at again, as seldom as that is expensive, for a client need not tell when a file changes.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use dockerfile_build::{Lookout, StepForecast};
use dockerfile_source::SourceFile;

use crate::build::Job;

/// How long no edit may come before the forecast begins.
const PAUSE: Duration = Duration::from_millis(120);
/// Looking at the disk may take this part of the time.
const REST: u32 = 10;
const SHORTEST_REST: Duration = Duration::from_secs(1);
/// Contexts that are remembered.
const MOST_CONTEXTS: usize = 4;

/// What a forecast says of one text.
#[derive(Debug)]
pub(crate) struct Foreseen {
    pub(crate) source: Arc<SourceFile>,
    /// Nothing where no forecast is possible: a broken text, or an image that is not in the store.
    pub(crate) steps: Vec<StepForecast>,
    pub(crate) took: Duration,
}

enum Message {
    Look(String, Box<Job>),
    Forget,
}

/// The way to the thread.
pub(crate) struct Foresight {
    messages: Sender<Message>,
}

impl Foresight {
    /// Starts the thread; `tell` gets each forecast with the key of its document.
    pub(crate) fn start(tell: impl Fn(String, Foreseen) + Send + 'static) -> Foresight {
        let (messages, receiver) = channel();
        thread::spawn(move || watch(&receiver, &tell));
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

fn watch(messages: &Receiver<Message>, tell: &dyn Fn(String, Foreseen)) {
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
                    let _ = catch_unwind(AssertUnwindSafe(|| watcher.look(&key, &job, tell)));
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
}

impl Watcher {
    fn look(&mut self, key: &str, job: &Job, tell: &dyn Fn(String, Foreseen)) {
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
            },
        };
        let is_fresh = known.is_none();
        let first = forecast(&mut watched.lookout, job);
        if is_fresh {
            watched.cost = first.took;
            watched.looked = Instant::now();
        }
        let steps = first.steps.clone();
        tell(key.to_owned(), first);
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
                tell(key.to_owned(), second);
            }
        }
        self.contexts.insert(0, watched);
        self.contexts.truncate(MOST_CONTEXTS);
    }
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
