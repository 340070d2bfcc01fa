//! Which image an ID means, for images that have no name here: one small file an image.
//!
//! A note is a hint: what it names is looked for before it is used. `prune` deletes notes as it does other caches.

use std::fs;
use std::path::PathBuf;

use super::{Store, create_folder, replace_file};
use crate::digest::Digest;
use crate::error::Error;
use crate::go_json;
use crate::manifest::Descriptor;

impl Store {
    /// Notes the manifest of an image under its ID, the digest of its configuration.
    pub fn note_image(&self, id: &Digest, manifest: &Descriptor) -> Result<(), Error> {
        let folder = self.notes();
        let path = folder.join(id.hex());
        let bytes = go_json::compact(manifest);
        if fs::read(&path).is_ok_and(|known| known == bytes) {
            return Ok(());
        }
        create_folder(&folder)?;
        replace_file(&self.temporary_folder(), &path, &bytes)
    }

    /// Returns the manifests of the images whose IDs begin with these digits, in the order of the IDs.
    pub fn noted_images(&self, digits: &str) -> Vec<Descriptor> {
        let entries = fs::read_dir(self.notes()).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries
            .filter(|entry| {
                entry
                    .file_name()
                    .as_encoded_bytes()
                    .starts_with(digits.as_bytes())
            })
            .map(|entry| entry.path())
            .collect();
        paths.sort();
        let manifests = paths.iter().filter_map(|path| {
            let bytes = fs::read(path).ok()?;
            serde_json::from_slice(&bytes).ok()
        });
        manifests.collect()
    }

    fn notes(&self) -> PathBuf {
        self.root().join("cache").join("ids")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::media_type;

    #[test]
    fn an_id_may_be_shortened() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path()).unwrap();
        assert_eq!(store.noted_images("0000"), []);
        let ids = [Digest::of(b"one"), Digest::of(b"two")];
        let images = [b"1", b"2"].map(|bytes| Descriptor::of(media_type::OCI_MANIFEST, bytes));
        for (id, image) in ids.iter().zip(&images) {
            store.note_image(id, image).unwrap();
            store.note_image(id, image).unwrap();
        }
        assert_eq!(store.noted_images(&ids[0].hex()[..8]), [images[0].clone()]);
        assert_eq!(store.noted_images("").len(), 2);
        fs::write(store.notes().join(ids[0].hex()), "{").unwrap();
        assert_eq!(store.noted_images(""), [images[1].clone()]);
    }
}
