//! Images in the store: found by the name that stands in FROM, and read.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dockerfile_model::{BaseImageFacts, ImageRef, LayerFiles, SmolStr};
use oci_image::Digest;
use oci_image::compression::Decompressor;
use oci_image::config::ImageConfig;
use oci_image::host;
use oci_image::layer::{
    Kind, LayerPath, LayerRecord, Limits, Listing, Merged, list_layer, read_layer,
};
use oci_image::manifest::{Descriptor, Document, Manifest};
use oci_image::store::Store;

use crate::accounts::MOST_BYTES;
use crate::layer_files::merged_files;

/// A layer that unpacks to more is not read.
const MOST_LAYER_BYTES: u64 = 64 << 30;
/// An image with more files is not kept in memory.
const MOST_FILES: usize = 1_000_000;

/// Returns the folder of the store, as `dfbuild` finds it.
pub fn default_store() -> PathBuf {
    host::default_store(rustix::process::geteuid().is_root())
}

/// The images of a store.
#[derive(Debug)]
pub struct StoredImages {
    store: Store,
    platform: String,
}

/// An image that the store has, not yet read.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundImage {
    descriptor: Descriptor,
}

impl FoundImage {
    /// Returns what names the content: the same digest, the same facts.
    pub fn digest(&self) -> &Digest {
        &self.descriptor.digest
    }
}

impl StoredImages {
    /// Opens the store in a folder; none where there is no store.
    ///
    /// It counts as a user of the store until it is dropped, so that nothing is deleted meanwhile.
    pub fn open(folder: &Path) -> Option<StoredImages> {
        Some(StoredImages {
            store: Store::open(folder).ok()?,
            platform: host::platform(),
        })
    }

    /// Finds the image that a name in FROM means, as a build would without asking a registry.
    pub fn find(&self, name: &str) -> Option<FoundImage> {
        let full = ImageRef::parse(name).ok()?.canonical();
        let named = self.store.resolve(&full).ok().flatten();
        let descriptor = named.or_else(|| self.store.remembered(&full, &self.platform))?;
        Some(FoundImage { descriptor })
    }

    /// Returns the names of all images that have one, with their tags, as people write them: sorted.
    pub fn names(&self) -> Vec<(String, String)> {
        let images = self.store.images().unwrap_or_default();
        let mut names: Vec<(String, String)> = images
            .iter()
            .filter_map(|image| ImageRef::parse(&image.name).ok())
            .filter_map(|image| Some((image.familiar_name(), image.tag()?.to_owned())))
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// Reads what is known of an image; none where it is broken, or made for another platform.
    pub fn facts(&self, image: &FoundImage) -> Option<BaseImageFacts> {
        let manifest = self.manifest(&image.descriptor)?;
        let config = self.store.read_document(&manifest.config.digest).ok()?;
        let config = ImageConfig::parse(&config).ok()?;
        let platform = format!("{}/{}", config.os, config.architecture);
        if !config.os.is_empty() && !self.platform.starts_with(&platform) {
            return None;
        }
        let files = self.files(&manifest, &config).map(Arc::new);
        Some(facts_of(config, platform, files))
    }

    fn manifest(&self, descriptor: &Descriptor) -> Option<Manifest> {
        let mut descriptor = descriptor.clone();
        // An index names manifests; an index in an index is nothing that builders make.
        for _ in 0..2 {
            let bytes = self.store.read_document(&descriptor.digest).ok()?;
            match Document::parse(&bytes, Some(&descriptor.media_type)).ok()? {
                Document::Manifest(manifest) => return Some(*manifest),
                Document::Index(index) => {
                    descriptor = index.manifests.into_iter().find(|candidate| {
                        candidate.platform.as_ref().is_none_or(|own| {
                            self.platform
                                .starts_with(&format!("{}/{}", own.os, own.architecture))
                        })
                    })?;
                }
            }
        }
        None
    }

    /// Returns the files of all layers; none where a layer is not here.
    fn files(&self, manifest: &Manifest, config: &ImageConfig) -> Option<LayerFiles> {
        let diff_ids = &config.rootfs.diff_ids;
        if diff_ids.len() != manifest.layers.len() {
            return None;
        }
        let mut listings = Vec::with_capacity(diff_ids.len());
        let mut count = 0;
        for (blob, diff_id) in manifest.layers.iter().zip(diff_ids) {
            let listing = self.listing(blob, diff_id)?;
            count += listing.len();
            if count > MOST_FILES {
                return None;
            }
            listings.push(Arc::new(listing));
        }
        let merged = Merged::new(listings);
        Some(merged_files(&merged, &|layer, path| {
            let (blob, diff_id) = (manifest.layers.get(layer)?, diff_ids.get(layer)?);
            self.read(blob, diff_id, path)
        }))
    }

    /// Returns what a layer holds: from the list that a build left (`dockerfile-build`, `layers.rs`), else from its bytes.
    fn listing(&self, blob: &Descriptor, diff_id: &Digest) -> Option<Listing> {
        let list = self.layer_folder(diff_id).join("listing");
        if let Ok(file) = File::open(list)
            && let Ok(listing) = Listing::load(BufReader::new(file))
        {
            return Some(listing);
        }
        list_layer(self.unpacked(blob, diff_id).ok()?, None, Limits::default()).ok()
    }

    fn layer_folder(&self, diff_id: &Digest) -> PathBuf {
        let layers = self.store.root().join("layers");
        layers.join(format!("tar-{}", diff_id.hex()))
    }

    fn unpacked(&self, blob: &Descriptor, diff_id: &Digest) -> io::Result<impl Read + use<>> {
        let file = File::open(self.store.blob_path(&blob.digest))
            .or_else(|_| File::open(self.store.blob_path(diff_id)))?;
        Decompressor::new(BufReader::with_capacity(1 << 18, file), MOST_LAYER_BYTES)
    }

    /// Reads a small file of a layer.
    fn read(&self, blob: &Descriptor, diff_id: &Digest, path: &LayerPath) -> Option<Vec<u8>> {
        let snapshot = self.layer_folder(diff_id).join("snapshot");
        if let Some(bytes) = read_in_snapshot(&snapshot, path) {
            return Some(bytes);
        }
        let mut reader = read_layer(self.unpacked(blob, diff_id).ok()?, Limits::default());
        while let Some(record) = reader.next_record().ok()? {
            if let LayerRecord::Entry(entry) = &record
                && entry.path == *path
                && matches!(entry.kind, Kind::File { size } if size <= MOST_BYTES)
            {
                let mut bytes = Vec::new();
                reader.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
                return Some(bytes);
            }
        }
        None
    }
}

/// Reads a file below a folder; no link on the way is followed.
fn read_in_snapshot(snapshot: &Path, path: &LayerPath) -> Option<Vec<u8>> {
    let mut place = snapshot.to_path_buf();
    let mut found = fs::symlink_metadata(&place).ok()?;
    for part in path.as_path() {
        if !found.is_dir() {
            return None;
        }
        place.push(part);
        found = fs::symlink_metadata(&place).ok()?;
    }
    if !found.is_file() || found.len() > MOST_BYTES {
        return None;
    }
    fs::read(place).ok()
}

fn facts_of(
    config: ImageConfig,
    platform: String,
    files: Option<Arc<LayerFiles>>,
) -> BaseImageFacts {
    let run = config.config;
    let text = |text: String| (!text.is_empty()).then(|| SmolStr::new(text));
    let words = |words: Vec<String>| -> Option<Vec<SmolStr>> {
        (!words.is_empty()).then(|| words.into_iter().map(SmolStr::new).collect())
    };
    let pair = |entry: &String| {
        let (name, value) = entry.split_once('=')?;
        Some((SmolStr::new(name), SmolStr::new(value)))
    };
    BaseImageFacts {
        user: text(run.user),
        workdir: text(run.working_dir),
        environment: run.env.iter().filter_map(pair).collect(),
        entrypoint: words(run.entrypoint),
        command: words(run.cmd),
        exposed_ports: run.exposed_ports.into_iter().map(SmolStr::new).collect(),
        shell: words(run.shell),
        triggers: run.on_build.into_iter().map(SmolStr::new).collect(),
        platform: if config.os.is_empty() {
            SmolStr::default()
        } else {
            SmolStr::new(platform)
        },
        files,
    }
}

#[cfg(test)]
mod tests {
    use dockerfile_model::FileTree;

    use super::*;

    const NAME: &str = "docker.io/library/tiny:1";

    fn store() -> (tempfile::TempDir, StoredImages) {
        let folder = tempfile::tempdir().expect("a folder");
        let files = [
            ("usr/", ""),
            ("usr/bin/", ""),
            ("bin", "-> usr/bin"),
            ("usr/bin/sh*", "#!"),
            ("etc/", ""),
            (
                "etc/passwd",
                "root:x:0:0::/:/bin/sh\napp:x:1:1::/:/bin/sh\n",
            ),
        ];
        let variables = ["PATH=/usr/bin", "A=b"];
        test_support::write_small_image(folder.path(), NAME, &files, &variables).expect("written");
        Store::create(folder.path()).expect("it is made whole");
        let images = StoredImages::open(folder.path()).expect("it is a store");
        (folder, images)
    }

    #[test]
    fn reads_configuration_files_and_accounts() {
        let (_folder, images) = store();
        let image = images.find("tiny:1").expect("it is there");
        let facts = images.facts(&image).expect("it can be read");
        assert_eq!(facts.variable("A").map(AsRef::as_ref), Some("b"));
        assert_eq!(facts.platform, host::platform());
        let files = facts.files.as_deref().expect("all layers are here");
        let tree = FileTree::new(vec![files]);
        assert_eq!(tree.exists("/bin/sh"), Some(true));
        assert_eq!(tree.exists("/bin/bash"), Some(false));
        assert_eq!(tree.users(), Some(&["app".into(), "root".into()][..]));
        assert_eq!(tree.groups(), Some(&[][..]));
    }

    #[test]
    fn finds_what_a_registry_said() {
        let (_folder, images) = store();
        let image = images.find("tiny:1").expect("it is there");
        assert_eq!(images.find("other:2"), None);
        assert_eq!(images.names(), [("tiny".to_owned(), "1".to_owned())]);
        let full = "docker.io/library/other:2";
        let platform = host::platform();
        let remembered = images.store.remember(full, &platform, &image.descriptor);
        remembered.expect("written");
        assert_eq!(images.find("other:2"), Some(image));
    }

    #[test]
    fn files_are_unknown_while_a_layer_is_missing() {
        let (folder, images) = store();
        let blobs = folder.path().join("blobs/sha256");
        let largest = fs::read_dir(blobs).expect("a folder").flatten();
        let is_layer =
            |path: &Path| fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"\x1f\x8b"));
        let layer = largest.map(|blob| blob.path()).find(|path| is_layer(path));
        fs::remove_file(layer.expect("a layer")).expect("removed");
        let image = images.find("tiny:1").expect("it is there");
        let facts = images.facts(&image).expect("the configuration is there");
        assert!(facts.files.is_none() && facts.variable("A").is_some());
    }

    #[test]
    fn a_folder_without_a_store_has_no_images() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(StoredImages::open(folder.path()).is_none());
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }
}
