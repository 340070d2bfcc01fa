//! Tags: the entries of `index.json`, each named by an annotation.

use std::fs::{self, File};
use std::io;

use super::{INDEX_FILE, Store, open_lock, replace_file};
use crate::error::Error;
use crate::manifest::{Descriptor, Document, Index, check_size, media_type};

/// The annotation that holds the name of an image in an OCI layout (image-layout.md).
pub(crate) const NAME_ANNOTATION: &str = "org.opencontainers.image.ref.name";

/// An image that the store has under a name.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredImage {
    pub name: String,
    pub descriptor: Descriptor,
}

impl Store {
    /// Returns all named images, sorted by name.
    pub fn images(&self) -> Result<Vec<StoredImage>, Error> {
        let mut images: Vec<StoredImage> = self
            .read_index()?
            .manifests
            .into_iter()
            .filter_map(|mut descriptor| {
                let name = descriptor.annotations.remove(NAME_ANNOTATION)?;
                Some(StoredImage { name, descriptor })
            })
            .collect();
        images.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(images)
    }

    /// Returns what the name stands for.
    pub fn resolve(&self, name: &str) -> Result<Option<Descriptor>, Error> {
        let images = self.images()?;
        let found = images.into_iter().find(|image| image.name == name);
        Ok(found.map(|image| image.descriptor))
    }

    /// Names an image; whatever had the name before loses it.
    pub fn tag(&self, name: &str, descriptor: &Descriptor) -> Result<(), Error> {
        let mut publication = self.publication();
        publication.tag(name, descriptor);
        publication.publish()
    }

    /// Takes a name away, and returns whether there was one.
    pub fn untag(&self, name: &str) -> Result<bool, Error> {
        let _lock = self.lock_index()?;
        let mut index = self.read_index()?;
        let before = index.manifests.len();
        index.manifests.retain(|entry| !is_named(entry, name));
        let found = index.manifests.len() < before;
        if found {
            self.write_index(&index)?;
        }
        Ok(found)
    }

    /// Waits until nobody else changes the tags; the lock ends with the file.
    pub(super) fn lock_index(&self) -> Result<Option<File>, Error> {
        let path = self.root().join("index.lock");
        let file = open_lock(&path)?;
        if let Some(file) = &file {
            file.lock().map_err(Error::io("lock", &path))?;
        }
        Ok(file)
    }

    pub(super) fn read_index(&self) -> Result<Index, Error> {
        let path = self.root().join(INDEX_FILE);
        let size = match fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Index::new(Vec::new()));
            }
            Err(source) => return Err(Error::io("read", &path)(source)),
        };
        check_size("index.json", size)?;
        let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
        match Document::parse(&bytes, Some(media_type::OCI_INDEX))? {
            Document::Index(index) => Ok(*index),
            Document::Manifest(_) => Err(Error::AmbiguousDocument),
        }
    }

    pub(super) fn write_index(&self, index: &Index) -> Result<(), Error> {
        let path = self.root().join(INDEX_FILE);
        let bytes = index.to_bytes();
        check_size("index.json", bytes.len() as u64)?;
        replace_file(&self.temporary_folder(), &path, &bytes)
    }
}

pub(super) fn is_named(entry: &Descriptor, name: &str) -> bool {
    entry
        .annotations
        .get(NAME_ANNOTATION)
        .is_some_and(|named| named == name)
}
