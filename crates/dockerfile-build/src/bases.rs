//! Base images: what a name means, and the layers behind it.

mod fetching;

use std::io::{self, BufReader, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use dockerfile_model::ImageRef;
use dockerfile_source::TextRange;
use oci_image::Digest;
use oci_image::compression::{Decompressor, ReadAhead};
use oci_image::config::ImageConfig;
use oci_image::digest::DigestReader;
use oci_image::layer::{UnpackOptions, unpack};
use oci_image::manifest::{Descriptor, Document, Manifest, Platform};
use oci_image::store::Store;
use oci_registry::{Credentials, Monitor, Options, Registry, RegistryError, Resolved};
use rustc_hash::FxHashMap;

use crate::error::{BuildError, Failure, told};
use crate::event::{Event, Observer, Progress, StepId};
use crate::layers::{Layer, LayerId, Layers, require_namespace};
use crate::plan::{Bases, ResolvedImage};
use crate::request::BaseImages;
use fetching::Fetching;

/// A layer that unpacks to more is a bomb, or a mistake.
const MOST_BYTES: u64 = 1 << 40;

/// A layer of a base image, here or still with a registry.
#[derive(Debug)]
pub(crate) struct BaseLayer {
    /// The name of the image, as the registry knows it.
    image: String,
    platform: String,
    pub(crate) descriptor: Descriptor,
    pub(crate) diff_id: Digest,
    fetching: Arc<Fetching>,
    is_counted: AtomicBool,
    made: OnceLock<Result<Arc<Layer>, BuildError>>,
}

impl BaseLayer {
    /// Returns the layers of an image, from the lowest.
    pub(crate) fn all_of(
        image: &ResolvedImage,
        step: StepId,
        range: TextRange,
        title: &str,
    ) -> Result<Vec<BaseLayer>, BuildError> {
        let diff_ids = &image.config.rootfs.diff_ids;
        if diff_ids.len() != image.layers.len() {
            let message = format!(
                "the image `{}` has {} layers, but its configuration names {}",
                image.name,
                image.layers.len(),
                diff_ids.len()
            );
            return Err(BuildError::new(Failure::Image, message).at(range, ""));
        }
        let fetching = Fetching::new(step, range, title.to_owned(), diff_ids.len());
        let fetching = Arc::new(fetching);
        let layer = |(descriptor, diff_id): (&Descriptor, &Digest)| BaseLayer {
            image: canonical(&image.name),
            platform: image.platform.clone(),
            descriptor: descriptor.clone(),
            diff_id: *diff_id,
            fetching: Arc::clone(&fetching),
            is_counted: AtomicBool::new(false),
            made: OnceLock::new(),
        };
        Ok(image.layers.iter().zip(diff_ids).map(layer).collect())
    }
}

/// Where images come from: the store first, then their registry.
pub(crate) struct Images<'i> {
    store: &'i Store,
    layers: &'i Layers,
    options: &'i BaseImages,
    registry: OnceLock<Registry>,
    /// What registries said in this build, by name.
    resolved: Mutex<FxHashMap<String, Arc<Resolved>>>,
    observer: &'i dyn Observer,
    is_cancelled: &'i (dyn Fn() -> bool + Sync),
    /// One pull of a blob at a time: two stages may stand on the same image.
    pulling: Mutex<()>,
    /// Nothing is asked of a registry: what the store does not know is unknown.
    is_offline: bool,
}

impl<'i> Images<'i> {
    pub(crate) fn new(
        store: &'i Store,
        layers: &'i Layers,
        options: &'i BaseImages,
        observer: &'i dyn Observer,
        is_cancelled: &'i (dyn Fn() -> bool + Sync),
    ) -> Images<'i> {
        Images {
            store,
            layers,
            options,
            registry: OnceLock::new(),
            resolved: Mutex::default(),
            observer,
            is_cancelled,
            pulling: Mutex::default(),
            is_offline: false,
        }
    }

    /// Takes images from the store only.
    pub(crate) fn offline(mut self) -> Images<'i> {
        self.is_offline = true;
        self
    }

    fn registry(&self) -> &Registry {
        self.registry.get_or_init(|| {
            let mut options = Options {
                credentials: Credentials::from_environment(),
                ..Options::default()
            };
            options
                .insecure
                .extend(self.options.insecure_hosts.iter().cloned());
            for (host, mirror) in &self.options.mirrors {
                let mirrors = options.mirrors.entry(host.clone()).or_default();
                mirrors.push(mirror.clone());
            }
            Registry::new(options)
        })
    }

    /// Asks a registry what a name means.
    fn ask(&self, full: &str, platform: &str) -> Result<Arc<Resolved>, RegistryError> {
        let mut known = self.resolved.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(resolved) = known.get(full) {
            return Ok(Arc::clone(resolved));
        }
        let monitor = Monitor {
            progress: &|_, _| {},
            cancel: self.is_cancelled,
        };
        let reference = full.parse()?;
        let resolved = self
            .registry()
            .resolve(&reference, &platform_of(platform), monitor)?;
        let resolved = Arc::new(resolved);
        known.insert(full.to_owned(), Arc::clone(&resolved));
        Ok(resolved)
    }

    /// Returns an image that the store has under a name.
    fn stored(&self, name: &str, platform: &str) -> Option<ResolvedImage> {
        let descriptor = match self.store.resolve(name).ok().flatten() {
            Some(descriptor) => descriptor,
            None => self.store.remembered(name, platform)?,
        };
        let manifest = self.stored_manifest(descriptor.clone(), platform)?;
        let bytes = self.read_blob(&manifest.config.digest).ok()?;
        let config = ImageConfig::parse(&bytes).ok()?;
        fits(&config, platform).then(|| ResolvedImage {
            name: name.to_owned(),
            layers: manifest.layers,
            platform: platform.to_owned(),
            config,
        })
    }

    fn stored_manifest(&self, descriptor: Descriptor, platform: &str) -> Option<Manifest> {
        let mut descriptor = descriptor;
        // An index names manifests; an index in an index is nothing that builders make.
        for _ in 0..2 {
            let bytes = self.read_blob(&descriptor.digest).ok()?;
            match Document::parse(&bytes, Some(&descriptor.media_type)).ok()? {
                Document::Manifest(manifest) => return Some(*manifest),
                Document::Index(index) => {
                    descriptor = index.manifests.into_iter().find(|candidate| {
                        candidate.platform.as_ref().is_none_or(|own| {
                            platform.starts_with(&format!("{}/{}", own.os, own.architecture))
                        })
                    })?;
                }
            }
        }
        None
    }

    fn read_blob(&self, digest: &Digest) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let blob = self.store.open_blob(digest).map_err(io::Error::other)?;
        blob.take(oci_image::manifest::DOCUMENT_LIMIT + 1)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Returns a layer of a base image, with its files; gets and unpacks what is not here yet.
    pub(crate) fn layer(&self, base: &BaseLayer) -> Result<Arc<Layer>, BuildError> {
        base.made
            .get_or_init(|| {
                let made = self.make(base);
                self.end_one(base, made.as_ref().err());
                made.map_err(|error| error.at(base.fetching.range, ""))
            })
            .clone()
    }

    fn end_one(&self, base: &BaseLayer, error: Option<&BuildError>) {
        if !base.is_counted.swap(true, Ordering::AcqRel) {
            base.fetching.end_one(error, self.observer);
        }
    }

    /// Ends the step of FROM at once where all layers are here.
    pub(crate) fn note_base(&self, layers: &[BaseLayer]) {
        let is_here =
            |base: &BaseLayer| self.layers.find(&LayerId::of_tar(&base.diff_id)).is_some();
        if let Some(first) = layers.first()
            && layers.iter().all(is_here)
        {
            first.fetching.end_well(self.observer);
        }
    }

    fn make(&self, base: &BaseLayer) -> Result<Arc<Layer>, BuildError> {
        let id = LayerId::of_tar(&base.diff_id);
        let _one = self.pulling.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(layer) = self.layers.find(&id) {
            return Ok(layer);
        }
        // A process that may not unpack leaves it to another one, and says nothing.
        require_namespace()?;
        base.fetching.begin(self.observer);
        let blob = self.blob(base)?;
        self.unpack(base, id, blob)
    }

    /// Returns the bytes of a layer as they were pulled; pulls them where they are not here.
    pub(crate) fn fetch_blob(&self, base: &BaseLayer) -> Result<Descriptor, BuildError> {
        let found = self.blob(base);
        self.end_one(base, found.as_ref().err());
        found
    }

    fn blob(&self, base: &BaseLayer) -> Result<Descriptor, BuildError> {
        if self.store.has_blob(&base.descriptor) {
            return Ok(base.descriptor.clone());
        }
        if self.store.blob_size(&base.diff_id).is_some() {
            let size = self.store.blob_size(&base.diff_id).unwrap_or_default();
            let kind = oci_image::manifest::media_type::OCI_LAYER;
            return Ok(Descriptor::new(kind, base.diff_id, size));
        }
        let fault = |error: &dyn std::fmt::Display| {
            let message = format!("cannot pull a layer of `{}`: {error}", base.image);
            BuildError::new(Failure::Image, message)
        };
        base.fetching.begin(self.observer);
        let total = base.descriptor.size;
        let what = short(&base.descriptor.digest);
        let done = AtomicU64::new(0);
        let progress = |_: &Digest, more: u64| {
            let done = done.fetch_add(more, Ordering::Relaxed) + more;
            self.observer.event(Event::Progress {
                step: base.fetching.step,
                what: what.clone(),
                progress: Progress { done, total },
            });
        };
        let monitor = Monitor {
            progress: &progress,
            cancel: self.is_cancelled,
        };
        let resolved = self
            .ask(&base.image, &base.platform)
            .map_err(|error| fault(&told(&error)))?;
        let mut blob = self
            .store
            .begin_blob()
            .map_err(|error| fault(&told(&error)))?;
        self.registry()
            .pull_blob(&resolved, &base.descriptor, &mut blob, monitor)
            .map_err(|error| fault(&told(&error)))?;
        blob.commit(Some(&base.descriptor.digest))
            .map_err(|error| fault(&told(&error)))?;
        Ok(base.descriptor.clone())
    }

    fn unpack(
        &self,
        base: &BaseLayer,
        id: LayerId,
        blob: Descriptor,
    ) -> Result<Arc<Layer>, BuildError> {
        let fault = |error: &dyn std::fmt::Display| {
            let message = format!(
                "the image `{}` has a layer that is no good: {error}",
                base.image
            );
            BuildError::new(Failure::Image, message)
        };
        let system = |error: &dyn std::fmt::Display| {
            BuildError::new(
                Failure::System,
                format!("cannot unpack a base image: {error}"),
            )
        };
        require_namespace()?;
        let folder = tempfile::tempdir_in(self.store.temporary_folder())
            .map_err(|error| system(&told(&error)))?;
        let snapshot = folder.path().join("snapshot");
        std::fs::create_dir(&snapshot).map_err(|error| system(&told(&error)))?;
        let bytes = self
            .store
            .open_blob(&blob.digest)
            .map_err(|error| fault(&told(&error)))?;
        let plain = Decompressor::new(BufReader::with_capacity(1 << 18, bytes), MOST_BYTES)
            .map_err(|error| fault(&told(&error)))?;
        // One core unpacks while the other one hashes and writes.
        let mut hashed =
            DigestReader::new(ReadAhead::new(plain).map_err(|error| system(&told(&error)))?);
        let form = self.layers.form();
        let options = UnpackOptions {
            is_rootless: form.is_rootless,
            has_one_id: form.has_one_id,
            ..UnpackOptions::default()
        };
        let listing =
            unpack(&mut hashed, &snapshot, &options).map_err(|error| fault(&told(&error)))?;
        io::copy(&mut hashed, &mut io::sink()).map_err(|error| fault(&told(&error)))?;
        let (_, found, _) = hashed.finish();
        if found != base.diff_id {
            return Err(fault(&format!(
                "it unpacks to {found}, and the configuration says {}",
                base.diff_id
            )));
        }
        self.layers
            .add_snapshot(id, Some(base.diff_id), listing, &snapshot)
            .map_err(|error| system(&told(&error)))
    }
}

impl Bases for Images<'_> {
    fn resolve(
        &self,
        name: &str,
        platform: &str,
        range: TextRange,
    ) -> Result<ResolvedImage, BuildError> {
        if let Some(path) = name.strip_prefix("oci-layout://") {
            let stored =
                crate::layout::import(self.store, path).map_err(|error| error.at(range, ""))?;
            return self.stored(&stored, platform).ok_or_else(|| {
                let message = format!("the layout `{path}` has no image for {platform}");
                BuildError::new(Failure::Image, message).at(range, "")
            });
        }
        let reference = ImageRef::parse(name).map_err(|error| {
            BuildError::new(Failure::Image, error.to_string())
                .at(range, "no image can be called so")
        })?;
        let full = canonical(reference.as_str());
        if !self.options.always_pull
            && let Some(mut image) = self.stored(&full, platform)
        {
            name.clone_into(&mut image.name);
            return Ok(image);
        }
        if self.is_offline {
            let message = format!("the image `{name}` is not in the store");
            return Err(BuildError::new(Failure::Image, message).at(range, ""));
        }
        let resolved = self.ask(&full, platform).map_err(|error| {
            BuildError::new(
                Failure::Image,
                format!("cannot get the image `{name}`: {}", told(&error)),
            )
            .at(range, "")
            .help("the store does not have it either; `dfbuild images` lists what it has")
        })?;
        let config = ImageConfig::parse(&resolved.raw_config).map_err(|error| {
            BuildError::new(Failure::Image, format!("`{name}`: {error}")).at(range, "")
        })?;
        self.keep(&full, platform, &resolved)
            .map_err(|error| BuildError::system("cannot write to the store", &error))?;
        Ok(ResolvedImage {
            name: name.to_owned(),
            layers: resolved.manifest.layers.clone(),
            platform: platform.to_owned(),
            config,
        })
    }
}

impl Images<'_> {
    /// Keeps manifest and configuration, so that the next build need not ask.
    fn keep(&self, name: &str, platform: &str, resolved: &Resolved) -> io::Result<()> {
        for bytes in [&resolved.raw_manifest, &resolved.raw_config] {
            self.store.write_blob(bytes).map_err(io::Error::other)?;
        }
        let descriptor = Descriptor::new(
            &resolved.descriptor.media_type,
            resolved.descriptor.digest,
            resolved.descriptor.size,
        );
        self.store
            .remember(name, platform, &descriptor)
            .map_err(io::Error::other)
    }
}

fn platform_of(text: &str) -> Platform {
    let mut parts = text.split('/').map(str::to_owned);
    Platform {
        os: parts.next().unwrap_or_default(),
        architecture: parts.next().unwrap_or_default(),
        variant: parts.next(),
        ..Platform::default()
    }
}

/// Returns the complete name of an image, such as `docker.io/library/nginx:latest`.
pub fn canonical_name(name: &str) -> Result<String, String> {
    let reference = ImageRef::parse(name).map_err(|error| error.to_string())?;
    Ok(reference.canonical())
}

/// Returns a name with its registry and tag, as the store and registries know it.
fn canonical(name: &str) -> String {
    ImageRef::parse(name).map_or_else(|_| name.to_owned(), |reference| reference.canonical())
}

fn fits(config: &ImageConfig, platform: &str) -> bool {
    config.os.is_empty() || platform.starts_with(&format!("{}/{}", config.os, config.architecture))
}

fn short(digest: &Digest) -> String {
    let hex = digest.hex();
    format!("sha256:{}", hex.get(..12).unwrap_or(&hex))
}
