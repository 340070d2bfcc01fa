//! What a registry said that a name means: one small file an answer, for images that have no tag of their own here.
//!
//! An answer is a hint: what it names is looked for before it is used. `prune` deletes answers as it does other caches.

use std::fs;
use std::path::PathBuf;

use super::{Store, create_folder, replace_file};
use crate::digest::Digest;
use crate::error::Error;
use crate::go_json;
use crate::manifest::Descriptor;

impl Store {
    /// Keeps what a registry said about the complete name of an image, such as `docker.io/library/debian:12`, for a platform.
    pub fn remember(
        &self,
        name: &str,
        platform: &str,
        descriptor: &Descriptor,
    ) -> Result<(), Error> {
        let path = self.remembered_path(name, platform);
        if let Some(folder) = path.parent() {
            create_folder(folder)?;
        }
        let bytes = go_json::compact(descriptor);
        replace_file(&self.temporary_folder(), &path, &bytes)
    }

    /// Returns what a registry said about the complete name of an image.
    pub fn remembered(&self, name: &str, platform: &str) -> Option<Descriptor> {
        let bytes = fs::read(self.remembered_path(name, platform)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    fn remembered_path(&self, name: &str, platform: &str) -> PathBuf {
        let hex = Digest::of(format!("{name}\n{platform}").as_bytes()).hex();
        let (folder, rest) = hex.split_at_checked(2).unwrap_or(("", &hex));
        let images = self.root().join("cache").join("images");
        images.join(folder).join(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::media_type;

    #[test]
    fn a_name_means_one_image_for_each_platform() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path()).unwrap();
        let descriptor = Descriptor::of(media_type::OCI_MANIFEST, b"manifest");
        store.remember("a/b:1", "linux/amd64", &descriptor).unwrap();
        assert_eq!(store.remembered("a/b:1", "linux/amd64"), Some(descriptor));
        assert_eq!(store.remembered("a/b:1", "linux/arm64"), None);
        fs::write(store.remembered_path("a/b:1", "linux/amd64"), "{").unwrap();
        assert_eq!(store.remembered("a/b:1", "linux/amd64"), None);
    }
}
