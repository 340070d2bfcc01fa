//! What can be seen without building, for editors: the forecast again and again, and what the layers of earlier builds hold.
//!
//! Nothing in here asks a registry, runs a command or writes more than digests of files.

use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dockerfile_source::TextRange;
use oci_image::compression::Decompressor;
use oci_image::config::ImageConfig;
use oci_image::layer::{Kind, LayerPath, Limits, Listing, list_layer};
use oci_image::manifest::Descriptor;
use oci_image::store::Store;

use crate::contexts::Contexts;
use crate::engine::{Forecast, Reach, outlooks, with_solver};
use crate::error::BuildError;
use crate::event::{Silent, StepId};
use crate::layers::{Layer, LayerId};
use crate::plan::{Base, ResolvedImage};
use crate::request::{ContextSource, Request};
use crate::solve::{Peek, Solver};

/// A layer that unpacks to more is a bomb.
const MOST_BYTES: u64 = 1 << 40;

/// Looks at the same Dockerfile many times, and keeps what it knows of the build context in between.
#[derive(Default)]
pub struct Lookout {
    known: Option<Known>,
}

struct Known {
    context: ContextSource,
    ignore_file: Option<(String, String)>,
    store: PathBuf,
    contexts: Contexts,
}

/// What is in the store of a Dockerfile.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The stages that the target needs, in order.
    pub stages: Vec<StagePreview>,
    /// The index in `stages` of what would be built.
    pub target: usize,
    /// The steps that have results; FROM is one.
    pub steps: Vec<StepPreview>,
}

/// One stage.
#[derive(Clone, Debug)]
pub struct StagePreview {
    /// FROM, or the flag that names the image.
    pub range: TextRange,
    /// The name and the configuration of the base image, where the base is one.
    pub base: Option<(String, ImageConfig)>,
    /// The configuration after the last instruction.
    pub config: ImageConfig,
    /// Which stage it stands on, as an index.
    pub parent: Option<usize>,
}

/// One step and its layers: one for an instruction, those of the image for FROM.
#[derive(Clone, Debug)]
pub struct StepPreview {
    pub step: StepId,
    pub title: String,
    pub range: TextRange,
    /// An index in `Preview::stages`.
    pub stage: usize,
    pub layers: Vec<StepLayer>,
}

/// A layer in the store.
#[derive(Clone, Debug)]
pub struct StepLayer {
    files: Files,
    listing: Arc<Listing>,
}

#[derive(Clone, Debug)]
enum Files {
    Layer(Arc<Layer>),
    /// A layer of a base image that nobody has unpacked yet.
    Blob(Box<Descriptor>),
}

/// A step that was built, with its layer. What the layer holds is read when somebody asks.
#[derive(Clone, Debug)]
pub struct BuiltLayer {
    /// Where the instruction stands.
    pub range: TextRange,
    layer: Arc<Layer>,
}

impl BuiltLayer {
    /// Returns what names the content of the layer.
    pub fn id(&self) -> String {
        self.layer.id.to_string()
    }

    /// Returns what the layer holds.
    pub fn listing(&self) -> Result<Arc<Listing>, BuildError> {
        self.layer.listing()
    }

    /// Opens the content of a file of the layer.
    pub fn open(&self, store: &Path, path: &LayerPath) -> io::Result<Box<dyn Read + Send>> {
        let store = Store::open(store).map_err(io::Error::other)?;
        self.layer.open(path, &store)
    }
}

impl Lookout {
    /// Forgets what is known of files: the disk has changed.
    pub fn forget(&mut self) {
        self.known = None;
    }

    /// Says what a build would do; images that are not in the store make it fail.
    pub fn forecast(&mut self, request: &Request) -> Result<Forecast, BuildError> {
        let reach = Reach::Store(self.contexts(request));
        with_solver(request, reach, &Silent, &|| false, |solver| {
            let forecast = outlooks(solver);
            solver.contexts.save();
            forecast
        })
    }

    /// Returns the layers that earlier builds left.
    pub fn preview(&mut self, request: &Request) -> Result<Preview, BuildError> {
        let reach = Reach::Store(self.contexts(request));
        with_solver(request, reach, &Silent, &|| false, preview)
    }

    /// Returns the steps that earlier builds of this very text ran, in the order of the file; those of a stage have no gap.
    pub fn built(&mut self, request: &Request) -> Result<Vec<BuiltLayer>, BuildError> {
        let reach = Reach::Store(self.contexts(request));
        with_solver(request, reach, &Silent, &|| false, |solver| {
            let mut peek = Peek::new(solver);
            let mut built = Vec::new();
            for index in 0..solver.plan.stages.len() {
                for (step, layer) in peek.layers(index)? {
                    let Some(known) = solver.steps.get(step) else {
                        break;
                    };
                    built.push(BuiltLayer {
                        range: known.range,
                        layer,
                    });
                }
            }
            built.sort_by_key(|step| step.range.start());
            Ok(built)
        })
    }

    fn contexts(&mut self, request: &Request) -> &Contexts {
        let is_same = self.known.as_ref().is_some_and(|known| {
            known.context == request.context
                && known.ignore_file == request.ignore_file
                && known.store == request.store
        });
        if !is_same {
            self.known = None;
        }
        let known = self.known.get_or_insert_with(|| Known {
            context: request.context.clone(),
            ignore_file: request.ignore_file.clone(),
            store: request.store.clone(),
            contexts: Contexts::new(request),
        });
        &known.contexts
    }
}

fn preview(solver: &Solver<'_>) -> Result<Preview, BuildError> {
    let mut peek = Peek::new(solver);
    let mut preview = Preview {
        stages: Vec::new(),
        target: solver.plan.target,
        steps: Vec::new(),
    };
    for (index, stage) in solver.plan.stages.iter().enumerate() {
        let (base, parent) = match &stage.base {
            Base::Image(image) => (Some((image.name.clone(), image.config.clone())), None),
            Base::Stage(parent) => (None, Some(*parent)),
            Base::Scratch | Base::Directory(_) => (None, None),
        };
        preview.stages.push(StagePreview {
            range: stage.range,
            base,
            config: stage.config.clone(),
            parent,
        });
        let mut found = Vec::new();
        if let Base::Image(image) = &stage.base {
            found.push((solver.steps.of_base(index), base_layers(solver, image)));
        }
        for (step, layer) in peek.layers(index)? {
            let listing = layer.listing()?;
            let files = Files::Layer(layer);
            found.push((step, vec![StepLayer { files, listing }]));
        }
        for (step, layers) in found {
            if let Some(known) = solver.steps.get(step) {
                preview.steps.push(StepPreview {
                    step,
                    title: known.title.clone(),
                    range: known.range,
                    stage: index,
                    layers,
                });
            }
        }
    }
    Ok(preview)
}

/// Returns the layers of an image as far as they are in the store, from the lowest.
fn base_layers(solver: &Solver<'_>, image: &ResolvedImage) -> Vec<StepLayer> {
    let diff_ids = &image.config.rootfs.diff_ids;
    image
        .layers
        .iter()
        .zip(diff_ids)
        .map_while(|(descriptor, diff_id)| {
            if let Some(layer) = solver.layers.find(&LayerId::of_tar(diff_id)) {
                let listing = layer.listing().ok()?;
                let files = Files::Layer(layer);
                return Some(StepLayer { files, listing });
            }
            let plain = unpacked(solver.store, descriptor).ok()?;
            let listing = list_layer(plain, None, Limits::default()).ok()?;
            Some(StepLayer {
                files: Files::Blob(Box::new(descriptor.clone())),
                listing: Arc::new(listing),
            })
        })
        .collect()
}

fn unpacked(store: &Store, descriptor: &Descriptor) -> io::Result<impl Read + Send + use<>> {
    let blob = std::fs::File::open(store.blob_path(&descriptor.digest))?;
    Decompressor::new(BufReader::with_capacity(1 << 18, blob), MOST_BYTES)
}

impl StepLayer {
    /// Returns what the layer holds.
    pub fn listing(&self) -> &Arc<Listing> {
        &self.listing
    }

    /// Opens the content of a file of the layer.
    pub fn open(&self, store: &Path, path: &LayerPath) -> io::Result<Box<dyn Read + Send>> {
        let store = Store::open(store).map_err(io::Error::other)?;
        let descriptor = match &self.files {
            Files::Layer(layer) => return layer.open(path, &store),
            Files::Blob(descriptor) => descriptor,
        };
        let missing = || io::Error::new(io::ErrorKind::NotFound, "the file is not in the layer");
        let file = self.listing.file_of(path).ok_or_else(missing)?;
        let Kind::File { size } = file.kind else {
            return Err(missing());
        };
        let offset = self.listing.data_offset(&file.path).ok_or_else(missing)?;
        let mut plain = unpacked(&store, descriptor)?;
        io::copy(&mut plain.by_ref().take(offset), &mut io::sink())?;
        Ok(Box::new(plain.take(size)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fate;
    use crate::{Failure, build};

    fn request(store: &Path, context: &Path, text: &str) -> Request {
        let mut request = Request::new("Dockerfile", text);
        request.store = store.to_owned();
        request.context = ContextSource::Directory(context.to_owned());
        request
    }

    #[test]
    fn foresees_and_shows_what_was_built() {
        let (store, context) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(context.path().join("a"), "first").unwrap();
        let text = "FROM scratch\nCOPY a /x/a\n";
        let request = request(store.path(), context.path(), text);
        build(&request, &[], &Silent, &|| false).expect("it builds");
        let mut lookout = Lookout::default();
        let forecast = lookout.forecast(&request).expect("a forecast");
        let fates: Vec<bool> = forecast
            .steps
            .iter()
            .map(|step| matches!(step.fate, Fate::Cached { .. }))
            .collect();
        assert_eq!(fates, [true]);
        let preview = lookout.preview(&request).expect("a preview");
        let layer = &preview.steps.first().expect("a step").layers[0];
        let path = LayerPath::parse(b"x/a").unwrap();
        let mut content = String::new();
        let mut file = layer.open(store.path(), &path).expect("it is there");
        file.read_to_string(&mut content).expect("it can be read");
        assert_eq!(content, "first");
    }

    #[test]
    fn steps_behind_one_that_was_not_built_are_not_built() {
        let (store, context) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(context.path().join("a"), "first").unwrap();
        let text = "FROM scratch\nCOPY a /x\nCOPY a /y\n";
        let built = |text: &str| {
            let request = request(store.path(), context.path(), text);
            let built = Lookout::default().built(&request).expect("a look");
            let starts = built.iter().map(|step| u32::from(step.range.start()));
            starts.collect::<Vec<_>>()
        };
        assert!(built(text).is_empty());
        let request = request(store.path(), context.path(), text);
        build(&request, &[], &Silent, &|| false).expect("it builds");
        assert_eq!(built(text), [13, 23]);
        assert_eq!(built("FROM scratch\nCOPY a /z\nCOPY a /y\n"), [0; 0]);
    }

    #[test]
    fn a_change_on_the_disk_counts_once_it_is_told() {
        let (store, context) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(context.path().join("a"), "first").unwrap();
        let request = request(store.path(), context.path(), "FROM scratch\nCOPY a /\n");
        build(&request, &[], &Silent, &|| false).expect("it builds");
        let mut lookout = Lookout::default();
        lookout.forecast(&request).expect("a forecast");
        std::fs::write(context.path().join("a"), "second").unwrap();
        lookout.forget();
        let forecast = lookout.forecast(&request).expect("a forecast");
        assert_eq!(
            forecast.steps.first().map(|step| step.fate.clone()),
            Some(Fate::Runs {
                reason: "`a` changed".to_owned()
            })
        );
    }

    #[test]
    fn asks_no_registry() {
        let (store, context) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let request = request(store.path(), context.path(), "FROM nowhere.invalid/x\n");
        let error = Lookout::default().forecast(&request).expect_err("unknown");
        assert_eq!(error.failure, Failure::Image);
    }
}
