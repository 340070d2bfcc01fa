//! An image in the store, found by name or by ID.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use dockerfile_build::{Image, canonical_name};
use oci_image::Digest;
use oci_image::config::ImageConfig;
use oci_image::manifest::{Descriptor, Document, Manifest};
use oci_image::store::{Store, StoredImage};

/// The fewest digits that an ID may be shortened to.
const SHORTEST_ID: usize = 4;

/// An image with its documents.
pub(crate) struct Found {
    pub(crate) image: Image,
    pub(crate) manifest: Manifest,
    /// All names that the store has for it.
    pub(crate) names: Vec<String>,
}

/// Opens the store that has to be there.
pub(crate) fn open_store(root: &Path) -> Result<Store> {
    if !root.exists() {
        bail!("there is no store at `{}` yet", root.display());
    }
    Store::open(root).with_context(|| format!("cannot open the store `{}`", root.display()))
}

/// Finds an image by a name, or by an ID or the start of one; a build without a name leaves an ID.
pub(crate) fn find(store: &Store, text: &str) -> Result<Found> {
    let images = store.images()?;
    let name = canonical_name(text).ok();
    let by_name = images
        .iter()
        .find(|image| image.name == text || Some(&image.name) == name.as_ref());
    if let Some(image) = by_name {
        return read(store, &image.descriptor, &images);
    }
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    let is_id = digits.len() >= SHORTEST_ID && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut found: Vec<Found> = Vec::new();
    let mut descriptors = Vec::new();
    if is_id {
        descriptors.extend(images.iter().map(|image| image.descriptor.clone()));
        descriptors.extend(store.noted_images(digits));
    }
    for descriptor in descriptors {
        let Ok(candidate) = read(store, &descriptor, &images) else {
            continue;
        };
        let ids = [&candidate.image.id, &candidate.image.manifest.digest];
        let fits = ids.iter().any(|id| id.hex().starts_with(digits));
        let is_new = found
            .iter()
            .all(|known| known.image.manifest.digest != candidate.image.manifest.digest);
        if fits && is_new {
            found.push(candidate);
        }
    }
    match found.len() {
        0 => bail!("the store has no image `{text}`; `dfbuild images` lists what it has"),
        1 => found.pop().context("the image got lost"),
        count => bail!("`{text}` is the start of {count} image IDs"),
    }
}

/// Reads the documents of an image.
pub(crate) fn read(
    store: &Store,
    descriptor: &Descriptor,
    images: &[StoredImage],
) -> Result<Found> {
    let (descriptor, manifest) = manifest_of(store, descriptor)?;
    let config = ImageConfig::parse(&store.read_document(&manifest.config.digest)?)?;
    let names = images
        .iter()
        .filter(|image| image.descriptor.digest == descriptor.digest)
        .map(|image| image.name.clone())
        .collect();
    Ok(Found {
        image: Image {
            id: manifest.config.digest,
            manifest: descriptor,
            config,
            layers: manifest.layers.clone(),
        },
        manifest,
        names,
    })
}

/// Follows an index to the manifest for this machine, or to its only one.
fn manifest_of(store: &Store, descriptor: &Descriptor) -> Result<(Descriptor, Manifest)> {
    let mut at = descriptor.clone();
    // An index names manifests; an index in an index is nothing that builders make.
    for _ in 0..3 {
        let bytes = store.read_document(&at.digest)?;
        match Document::parse(&bytes, Some(&at.media_type))? {
            Document::Manifest(manifest) => return Ok((at, *manifest)),
            Document::Index(index) => {
                let (own, _) = oci_image::host::architecture();
                let is_here = |candidate: &&Descriptor| store.has_blob(candidate);
                let fits = |candidate: &&Descriptor| {
                    let platform = candidate.platform.as_ref();
                    platform.is_some_and(|platform| platform.architecture == own)
                };
                let candidates = || index.manifests.iter().filter(is_here);
                let chosen = candidates().find(fits).or_else(|| candidates().next());
                at = chosen
                    .context("the index names no image that is here")?
                    .clone();
            }
        }
    }
    bail!("an index that only leads to other indexes")
}

/// Returns the first digits of a digest, as people name it.
pub(crate) fn short(digest: &Digest) -> String {
    digest.hex().chars().take(12).collect()
}
