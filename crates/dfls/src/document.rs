//! Open documents and their versions.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use dockerfile_ide::{Analysis, Outside, StepFact};
use dockerfile_source::{Diagnostic, SourceFile, TextRange, TextSize};
use tower_lsp::ls_types::{Position, Range, TextDocumentContentChangeEvent, Uri};

use crate::build::{BuildFailure, Built};
use crate::foreseen::Foreseen;
use crate::position::Encoding;
use crate::settings::ClientFacts;
use crate::step_facts;

/// One version of a document. Never changes; what takes time is found out once, by whoever asks first.
pub(crate) struct Snapshot {
    pub(crate) uri: Uri,
    pub(crate) version: i32,
    pub(crate) client: Arc<ClientFacts>,
    pub(crate) source: Arc<SourceFile>,
    outside: Arc<Outside>,
    known: Arc<Known>,
    built: Option<Arc<Built>>,
    foreseen: Option<Arc<Foreseen>>,
    generation: u64,
    newest: Arc<AtomicU64>,
}

/// What was found out about a text; it stays when something else becomes known.
#[derive(Default)]
struct Known {
    analysis: OnceLock<Analysis>,
    findings: OnceLock<Vec<Diagnostic>>,
}

impl Snapshot {
    pub(crate) fn analysis(&self) -> &Analysis {
        self.known
            .analysis
            .get_or_init(|| Analysis::new(Arc::clone(&self.source), Arc::clone(&self.outside)))
    }

    pub(crate) fn findings(&self) -> &[Diagnostic] {
        self.known
            .findings
            .get_or_init(|| dockerfile_ide::diagnostics(self.analysis()))
    }

    /// Returns why the last build failed, while the text is still the one that was built.
    pub(crate) fn build_failure(&self) -> Option<&BuildFailure> {
        let built = self.built.as_ref()?;
        let is_same = self.is_text_of(&built.source);
        built.failure.as_ref().filter(|_| is_same)
    }

    /// Returns what is known of the steps: from the forecast of this very text, else from the last build.
    pub(crate) fn step_facts(&self) -> Vec<StepFact> {
        let built = self.built.as_deref();
        let foreseen = self.foreseen.as_ref();
        let foreseen = foreseen
            .filter(|foreseen| self.is_text_of(&foreseen.source) && !foreseen.steps.is_empty());
        match (foreseen, built) {
            (Some(foreseen), _) => step_facts::of_forecast(&self.source, &foreseen.steps, built),
            (None, Some(built)) => step_facts::of_build(&self.source, built),
            (None, None) => Vec::new(),
        }
    }

    fn is_text_of(&self, source: &Arc<SourceFile>) -> bool {
        Arc::ptr_eq(&self.source, source) || self.source.text() == source.text()
    }

    /// Returns whether no newer version has come.
    pub(crate) fn is_newest(&self) -> bool {
        self.newest.load(Ordering::Acquire) == self.generation
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    pub(crate) fn encoding(&self) -> Encoding {
        self.client.encoding
    }

    pub(crate) fn offset(&self, position: Position) -> TextSize {
        self.encoding().offset(&self.source, position)
    }

    pub(crate) fn text_range(&self, range: Range) -> TextRange {
        self.encoding().text_range(&self.source, range)
    }

    pub(crate) fn range(&self, range: TextRange) -> Range {
        self.encoding().range(&self.source, range)
    }

    pub(crate) fn position(&self, offset: TextSize) -> Position {
        self.encoding().position(&self.source, offset)
    }

    /// Returns all of the text.
    pub(crate) fn whole(&self) -> TextRange {
        TextRange::up_to(TextSize::of(self.source.text()))
    }
}

/// An open document, as the session holds it.
pub(crate) struct Document {
    uri: Uri,
    version: i32,
    source: Arc<SourceFile>,
    outside: Arc<Outside>,
    generation: u64,
    newest: Arc<AtomicU64>,
    known: Arc<Known>,
    built: Option<Arc<Built>>,
    foreseen: Option<Arc<Foreseen>>,
    snapshot: Option<Arc<Snapshot>>,
}

impl Document {
    pub(crate) fn new(uri: Uri, version: i32, text: String, outside: Arc<Outside>) -> Document {
        Document {
            version,
            source: Arc::new(SourceFile::new(uri.as_str(), text)),
            uri,
            outside,
            generation: 1,
            newest: Arc::new(AtomicU64::new(1)),
            known: Arc::default(),
            built: None,
            foreseen: None,
            snapshot: None,
        }
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Takes a new version.
    pub(crate) fn change(
        &mut self,
        version: i32,
        changes: Vec<TextDocumentContentChangeEvent>,
        encoding: Encoding,
    ) {
        for change in changes {
            let text = match change.range {
                None => {
                    self.forget_built_behind(TextSize::new(0));
                    change.text
                }
                Some(range) => {
                    let range = encoding.text_range(&self.source, range);
                    self.forget_built_behind(range.start());
                    let old = self.source.text();
                    let (start, end) = (usize::from(range.start()), usize::from(range.end()));
                    let mut text = String::with_capacity(old.len() + change.text.len());
                    text.push_str(old.get(..start).unwrap_or_default());
                    text.push_str(&change.text);
                    text.push_str(old.get(end..).unwrap_or_default());
                    text
                }
            };
            self.source = Arc::new(SourceFile::new(self.uri.as_str(), text));
        }
        self.version = version;
        self.renew();
    }

    /// Forgets what builds left of instructions that do not end before an offset.
    fn forget_built_behind(&mut self, offset: TextSize) {
        let built = &self.outside.lint.input.built_steps;
        let kept = built.partition_point(|step| step.range.end() < offset);
        if kept < built.len() {
            let mut outside = (*self.outside).clone();
            outside.lint.input.built_steps.truncate(kept);
            self.outside = Arc::new(outside);
        }
    }

    /// Takes other facts about the world outside of the file. Findings stay good where the facts are of no matter to them.
    pub(crate) fn set_outside(&mut self, outside: Arc<Outside>, is_finding_relevant: bool) {
        self.outside = outside;
        self.known = Arc::default();
        self.snapshot = None;
        if is_finding_relevant {
            self.renew();
        }
    }

    /// Takes what a build has said; a failure is a finding.
    pub(crate) fn set_built(&mut self, built: Built) {
        self.built = Some(Arc::new(built));
        self.generation += 1;
        self.newest.store(self.generation, Ordering::Release);
        self.snapshot = None;
    }

    /// Takes a forecast. Findings stay as they are.
    pub(crate) fn set_foreseen(&mut self, foreseen: Foreseen) {
        self.foreseen = Some(Arc::new(foreseen));
        self.snapshot = None;
    }

    pub(crate) fn source(&self) -> &Arc<SourceFile> {
        &self.source
    }

    pub(crate) fn outside(&self) -> &Arc<Outside> {
        &self.outside
    }

    /// Makes all that was found out before stale.
    fn renew(&mut self) {
        self.generation += 1;
        self.newest.store(self.generation, Ordering::Release);
        self.known = Arc::default();
        self.snapshot = None;
    }

    /// Returns the newest version; the same one to all who ask.
    pub(crate) fn snapshot(&mut self, client: &Arc<ClientFacts>) -> Arc<Snapshot> {
        let snapshot = self.snapshot.get_or_insert_with(|| {
            Arc::new(Snapshot {
                uri: self.uri.clone(),
                version: self.version,
                client: Arc::clone(client),
                source: Arc::clone(&self.source),
                outside: Arc::clone(&self.outside),
                known: Arc::clone(&self.known),
                built: self.built.clone(),
                foreseen: self.foreseen.clone(),
                generation: self.generation,
                newest: Arc::clone(&self.newest),
            })
        });
        Arc::clone(snapshot)
    }
}

impl Drop for Document {
    fn drop(&mut self) {
        // Work on a document that was closed is stale.
        self.newest.store(u64::MAX, Ordering::Release);
    }
}
