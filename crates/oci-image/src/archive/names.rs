//! How an image is named in the index of a layout.

use std::collections::BTreeMap;

use super::NamedImage;
use crate::error::Error;
use crate::manifest::{Descriptor, Index};
use crate::store::NAME_ANNOTATION;

/// The whole name, as containerd and BuildKit give it (images/annotations.go).
const CONTAINERD_NAME: &str = "io.containerd.image.name";
/// How many images one archive may hold.
const IMAGE_LIMIT: usize = 10_000;

/// Returns the index that names the images: one entry for each name.
pub(super) fn index_of(images: &[NamedImage]) -> Index {
    let mut entries = Vec::new();
    for image in images {
        if image.names.is_empty() {
            entries.push(image.descriptor.clone());
        }
        for name in &image.names {
            let mut entry = image.descriptor.clone();
            let annotations = &mut entry.annotations;
            annotations.insert(CONTAINERD_NAME.to_owned(), name.clone());
            annotations.insert(NAME_ANNOTATION.to_owned(), tag_of(name).to_owned());
            entries.push(entry);
        }
    }
    Index::new(entries)
}

/// Returns the images that an index names, those with the same descriptor together.
pub(super) fn images_of(index: Index) -> Result<Vec<NamedImage>, Error> {
    if index.manifests.len() > IMAGE_LIMIT {
        let reason = format!("there are more than {IMAGE_LIMIT} images");
        let what = "index.json";
        return Err(Error::Malformed { what, reason });
    }
    let mut places = BTreeMap::new();
    let mut images: Vec<NamedImage> = Vec::new();
    for mut descriptor in index.manifests {
        let tag = descriptor.annotations.remove(NAME_ANNOTATION);
        let name = descriptor.annotations.remove(CONTAINERD_NAME).or(tag);
        let place = *places.entry(descriptor.digest).or_insert(images.len());
        if place == images.len() {
            images.push(NamedImage {
                descriptor,
                names: Vec::new(),
            });
        }
        if let (Some(image), Some(name)) = (images.get_mut(place), name) {
            image.names.push(name);
        }
    }
    Ok(images)
}

/// Returns the name that Docker shows and stores: without what is true of most images.
pub(super) fn familiar(name: &str) -> &str {
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    match name.strip_prefix("library/") {
        Some(short) if !short.contains('/') => short,
        _ => name,
    }
}

/// Returns the tag of a name, or the name itself when it has none.
fn tag_of(name: &str) -> &str {
    let after_host = name.rfind('/').map_or(0, |slash| slash + 1);
    let last = name.get(after_host..).unwrap_or(name);
    last.split_once(':').map_or(name, |(_, tag)| tag)
}

/// Returns where a blob is in a layout.
pub(super) fn blob_name(descriptor: &Descriptor) -> String {
    let digest = &descriptor.digest;
    format!("blobs/{}/{}", digest.algorithm().name(), digest.hex())
}
