//! A change of the tags that takes effect as a whole, after everything that it names is on disk.

use std::collections::{BTreeMap, BTreeSet};

use super::Store;
use super::image_index::{NAME_ANNOTATION, is_named};
use crate::digest::Digest;
use crate::error::Error;
use crate::manifest::Descriptor;

/// Blobs to sync and names to give.
pub struct Publication<'store> {
    store: &'store Store,
    blobs: BTreeSet<Digest>,
    tags: BTreeMap<String, Descriptor>,
}

impl<'store> Publication<'store> {
    pub(super) fn new(store: &'store Store) -> Self {
        Self {
            store,
            blobs: BTreeSet::new(),
            tags: BTreeMap::new(),
        }
    }

    /// Adds a blob that has to be on disk, though no tag leads to it.
    pub fn add_blob(&mut self, digest: &Digest) {
        self.blobs.insert(*digest);
    }

    /// Gives an image a name; everything that the image is made of is synced.
    pub fn tag(&mut self, name: &str, descriptor: &Descriptor) {
        self.tags.insert(name.to_owned(), descriptor.clone());
    }

    /// Syncs the blobs once, then replaces the index.
    ///
    /// Fails when an image has a part that the store does not have; the tags are then as they were.
    pub fn publish(mut self) -> Result<(), Error> {
        for descriptor in self.tags.values() {
            let mut parts = BTreeSet::new();
            self.store.parts_of(descriptor, &mut parts)?;
            self.blobs.extend(parts);
        }
        self.blobs.extend(self.store.unsynced().iter().copied());
        let blobs: Vec<Digest> = self.blobs.into_iter().collect();
        self.store.sync(&blobs)?;
        if self.tags.is_empty() {
            return Ok(());
        }
        let _lock = self.store.lock_index()?;
        let mut index = self.store.read_index()?;
        for (name, mut descriptor) in self.tags {
            index.manifests.retain(|entry| !is_named(entry, &name));
            let annotations = &mut descriptor.annotations;
            annotations.insert(NAME_ANNOTATION.to_owned(), name);
            index.manifests.push(descriptor);
        }
        self.store.write_index(&index)
    }
}
