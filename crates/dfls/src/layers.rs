//! The layers of a Dockerfile that was built: what each step adds, changes and removes, and the files themselves.
//!
//! `docs/lsp-extensions.md` describes the requests. What a client looks at is kept under a number, so that edits in between do not move it.

mod report;

use std::io::Read as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use dockerfile_build::{Lookout, StepPreview};
use dockerfile_source::SourceFile;
use oci_image::layer::{Entry, Kind, LayerPath, Listing, Merged};
use serde::{Deserialize, Serialize};

pub(crate) use self::report::{FileChange, LayerReport};
use crate::build::Job;

/// How many previews can be asked about.
const MOST_PREVIEWS: usize = 8;
/// How much of a file is read.
const MOST_BYTES: u64 = 4 << 20;
/// How many files come in one answer when the client does not say.
const MOST_FILES: usize = 5000;

/// The steps that a target consists of, from the first.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) id: u64,
    pub(crate) source: Arc<SourceFile>,
    steps: Vec<StepPreview>,
    store: PathBuf,
}

/// The previews that clients may ask about.
#[derive(Debug, Default)]
pub(crate) struct Previews {
    held: Mutex<(u64, Vec<Arc<Held>>)>,
}

/// Which files of a step.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct FilesParams {
    preview: u64,
    step: usize,
    #[serde(default)]
    offset: usize,
    #[serde(default)]
    limit: Option<usize>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Files {
    total: usize,
    files: Vec<FileChange>,
}

/// Which file, as it is after a step.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct FileParams {
    preview: u64,
    step: usize,
    path: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FileContent {
    exists: bool,
    /// Nothing for a file that is not text.
    text: Option<String>,
    size: u64,
    is_truncated: bool,
}

impl Previews {
    /// Looks at what earlier builds left of a job.
    pub(crate) fn look(&self, job: &Job) -> Result<Arc<Held>, String> {
        let preview = Lookout::default()
            .preview(&job.request())
            .map_err(|error| error.message)?;
        let mut stages = Vec::new();
        let mut next = Some(preview.target);
        while let Some(stage) = next {
            stages.push(stage);
            next = preview.stages.get(stage).and_then(|stage| stage.parent);
        }
        // A stage stands on earlier ones, so the order of the plan is the order of the layers.
        let steps = preview.steps.into_iter();
        let steps = steps.filter(|step| stages.contains(&step.stage)).collect();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.0 += 1;
        let new = Arc::new(Held {
            id: held.0,
            source: Arc::clone(&job.source),
            steps,
            store: job.store.clone(),
        });
        held.1.insert(0, Arc::clone(&new));
        held.1.truncate(MOST_PREVIEWS);
        Ok(new)
    }

    fn get(&self, id: u64) -> Result<Arc<Held>, String> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let found = held.1.iter().find(|each| each.id == id).map(Arc::clone);
        found.ok_or_else(|| "this preview is no longer kept: ask for the layers again".to_owned())
    }

    /// Returns the files that a step adds, changes and removes.
    pub(crate) fn files(&self, params: &FilesParams) -> Result<Files, String> {
        let held = self.get(params.preview)?;
        let step = held.steps.get(params.step).ok_or("there is no such step")?;
        let below = Merged::new(held.listings(..params.step));
        let changes = report::changes(&below, &listings_of(step));
        let limit = params.limit.unwrap_or(MOST_FILES);
        Ok(Files {
            total: changes.len(),
            files: changes
                .into_iter()
                .skip(params.offset)
                .take(limit)
                .collect(),
        })
    }

    /// Returns a file as it is after a step.
    pub(crate) fn file(&self, params: &FileParams) -> Result<FileContent, String> {
        let held = self.get(params.preview)?;
        let path = LayerPath::clamped(params.path.as_bytes()).ok_or("this is no path")?;
        let layers: Vec<_> = held
            .steps
            .iter()
            .take(params.step + 1)
            .flat_map(|step| &step.layers)
            .collect();
        let merged = Merged::new(
            layers
                .iter()
                .map(|layer| Arc::clone(layer.listing()))
                .collect(),
        );
        let Some(found) = merged.get(&path) else {
            return Ok(FileContent::default());
        };
        let entry: &Entry = found.entry;
        let fault = |error: std::io::Error| format!("cannot read `{}`: {error}", params.path);
        let mut content = FileContent {
            exists: true,
            ..FileContent::default()
        };
        match &entry.kind {
            Kind::Symlink { target } => {
                content.text = Some(format!("-> {}\n", String::from_utf8_lossy(target)));
            }
            Kind::File { .. } | Kind::HardLink { .. } => {
                let layer = layers.get(found.layer).ok_or("the layer got lost")?;
                let mut bytes = Vec::new();
                let file = layer.open(&held.store, &path).map_err(fault)?;
                file.take(MOST_BYTES + 1)
                    .read_to_end(&mut bytes)
                    .map_err(fault)?;
                content.size = bytes.len() as u64;
                content.is_truncated = content.size > MOST_BYTES;
                content.text = as_text(bytes);
            }
            _ => {}
        }
        Ok(content)
    }
}

/// Returns a text, as far as it was read; nothing for other bytes.
fn as_text(mut bytes: Vec<u8>) -> Option<String> {
    if bytes.contains(&0) {
        return None;
    }
    if let Err(error) = std::str::from_utf8(&bytes)
        && error.error_len().is_none()
    {
        // Cut in the middle of a character.
        bytes.truncate(error.valid_up_to());
    }
    String::from_utf8(bytes).ok()
}

fn listings_of(step: &StepPreview) -> Vec<Arc<Listing>> {
    let layers = step.layers.iter();
    layers.map(|layer| Arc::clone(layer.listing())).collect()
}

impl Held {
    fn listings(&self, steps: std::ops::RangeTo<usize>) -> Vec<Arc<Listing>> {
        let steps = self.steps.get(steps).unwrap_or_default();
        steps.iter().flat_map(listings_of).collect()
    }

    /// Returns what each step costs, and what is wasted.
    pub(crate) fn report(&self) -> LayerReport {
        let steps = self
            .steps
            .iter()
            .map(|step| (step.title.clone(), step.range, listings_of(step)))
            .collect();
        report::report(steps)
    }
}
