//! What the local store knows of images, for `--images`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use dockerfile_lint::{BaseImageFacts, SmolStr};
use image_facts::{StoredImages, default_store};

/// The images of the local store; each is read once a run.
#[derive(Debug)]
pub(crate) struct ImageStore {
    images: StoredImages,
    known: Mutex<HashMap<SmolStr, Option<Arc<BaseImageFacts>>>>,
}

impl ImageStore {
    /// Opens the store where `dfbuild` keeps images, or returns the folder that is none.
    pub(crate) fn open() -> Result<ImageStore, PathBuf> {
        let folder = default_store();
        match StoredImages::open(&folder) {
            Some(images) => Ok(ImageStore {
                images,
                known: Mutex::default(),
            }),
            None => Err(folder),
        }
    }

    /// Returns what is known of an image.
    pub(crate) fn facts(&self, name: &SmolStr) -> Option<Arc<BaseImageFacts>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let facts = known.entry(name.clone()).or_insert_with(|| {
            let image = self.images.find(name)?;
            Some(Arc::new(self.images.facts(&image)?))
        });
        facts.clone()
    }
}
