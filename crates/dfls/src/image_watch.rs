//! What the local store knows of the images that documents name: found out in a thread of its own, read once an image.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use dockerfile_ide::{Analysis, BaseImageFacts, KnownImage, SmolStr};
use dockerfile_source::SourceFile;
pub(crate) use image_facts::default_store;
use image_facts::{FoundImage, StoredImages};

/// How long no edit may come before the store is looked at.
const PAUSE: Duration = Duration::from_millis(60);
/// Images that are kept in memory.
const MOST_IMAGES: usize = 24;

/// What is known of the images that a document names.
#[derive(Debug, Default)]
pub(crate) struct ImageKnowledge {
    /// By the name that stands in the document, sorted.
    pub(crate) facts: Vec<(SmolStr, Arc<BaseImageFacts>)>,
    /// Images that the store has under a name.
    pub(crate) images: Vec<KnownImage>,
}

impl PartialEq for ImageKnowledge {
    /// The same images were read once, so that a look at their files is not needed.
    fn eq(&self, other: &ImageKnowledge) -> bool {
        let is_same = |(one, other): (&(SmolStr, _), &(SmolStr, _))| {
            one.0 == other.0 && Arc::ptr_eq(&one.1, &other.1)
        };
        self.images == other.images
            && self.facts.len() == other.facts.len()
            && self.facts.iter().zip(&other.facts).all(is_same)
    }
}

/// A document to look at.
struct Question {
    source: Arc<SourceFile>,
    store: PathBuf,
}

/// The way to the thread.
pub(crate) struct ImageWatch {
    questions: Sender<(String, Question)>,
}

impl ImageWatch {
    /// Starts the thread; `tell` gets what is known with the key of the document.
    pub(crate) fn start(tell: impl Fn(String, ImageKnowledge) + Send + 'static) -> ImageWatch {
        let (questions, receiver) = channel();
        thread::spawn(move || watch(&receiver, &tell));
        ImageWatch { questions }
    }

    /// Asks about the images of a document; a later question for the same document replaces it.
    pub(crate) fn look(&self, key: &str, source: Arc<SourceFile>, store: PathBuf) {
        let question = Question { source, store };
        let _ = self.questions.send((key.to_owned(), question));
    }
}

fn watch(questions: &Receiver<(String, Question)>, tell: &dyn Fn(String, ImageKnowledge)) {
    let mut reader = Reader::default();
    let mut waiting: HashMap<String, Question> = HashMap::new();
    loop {
        let question = if waiting.is_empty() {
            questions.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            questions.recv_timeout(PAUSE)
        };
        match question {
            Ok((key, question)) => {
                waiting.insert(key, question);
            }
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                for (key, question) in std::mem::take(&mut waiting) {
                    // A fault over one image must not end all others.
                    let found = catch_unwind(AssertUnwindSafe(|| reader.look(&question)));
                    if let Ok(found) = found {
                        tell(key, found);
                    }
                }
            }
        }
    }
}

#[derive(Default)]
struct Reader {
    /// The ones that were asked for last come first.
    read: Vec<(FoundImage, Arc<BaseImageFacts>)>,
}

impl Reader {
    fn look(&mut self, question: &Question) -> ImageKnowledge {
        let Some(store) = StoredImages::open(&question.store) else {
            return ImageKnowledge::default();
        };
        let analysis = Analysis::new(Arc::clone(&question.source), Arc::default());
        let facts = analysis
            .model()
            .image_names()
            .into_iter()
            .filter_map(|name| {
                let image = store.find(&name)?;
                Some((name, self.facts(&store, image)?))
            });
        ImageKnowledge {
            facts: facts.collect(),
            images: known_images(&store),
        }
    }

    fn facts(&mut self, store: &StoredImages, image: FoundImage) -> Option<Arc<BaseImageFacts>> {
        if let Some(at) = self.read.iter().position(|(known, _)| *known == image) {
            let known = self.read.remove(at);
            let facts = Arc::clone(&known.1);
            // Its layers may have come since.
            if facts.files.is_some() {
                self.read.insert(0, known);
                return Some(facts);
            }
            let again = store.facts(&image)?;
            let facts = if again == *facts {
                facts
            } else {
                Arc::new(again)
            };
            self.read.insert(0, (image, Arc::clone(&facts)));
            return Some(facts);
        }
        let facts = Arc::new(store.facts(&image)?);
        self.read.insert(0, (image, Arc::clone(&facts)));
        self.read.truncate(MOST_IMAGES);
        Some(facts)
    }
}

fn known_images(store: &StoredImages) -> Vec<KnownImage> {
    let mut images: Vec<KnownImage> = Vec::new();
    for (name, tag) in store.names() {
        match images.last_mut().filter(|last| last.name == name) {
            Some(last) => last.tags.push(tag),
            None => images.push(KnownImage {
                name,
                tags: vec![tag],
            }),
        }
    }
    images
}
