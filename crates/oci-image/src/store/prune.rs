//! Removing blobs that nothing needs: mark from the tags and the caller's roots, sweep the rest.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::check::digest_of_path;
use super::{Store, list_folder};
use crate::digest::Digest;
use crate::error::Error;
use crate::manifest::Index;

/// What is removed.
#[derive(Clone, Debug, Default)]
pub struct PruneOptions {
    /// Stop when all blobs together have no more bytes than this; the oldest go first.
    pub keep_bytes: Option<u64>,
    /// Remove only what was last written or touched longer ago than this.
    pub older_than: Option<Duration>,
    /// Take all names away first, so that only the caller's roots remain.
    pub all: bool,
    /// The time from which ages count.
    pub now: Option<SystemTime>,
}

/// What a prune did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    pub removed: Vec<Digest>,
    pub removed_bytes: u64,
    pub kept_bytes: u64,
}

impl Store {
    /// Removes blobs that neither a tag nor one of `roots` needs.
    ///
    /// Fails with [`Error::InUse`] when another process has the store open.
    pub fn prune(
        &mut self,
        options: &PruneOptions,
        roots: &BTreeSet<Digest>,
    ) -> Result<Pruned, Error> {
        self.alone(|store| store.prune_alone(options, roots))
    }

    /// Notes that a blob was used, which keeps it from being pruned by age.
    pub fn touch(&self, digest: &Digest) -> Result<(), Error> {
        let path = self.blob_path(digest);
        fs::File::open(&path)
            .and_then(|file| file.set_modified(SystemTime::now()))
            .map_err(Error::io("touch", &path))
    }

    fn prune_alone(
        &self,
        options: &PruneOptions,
        roots: &BTreeSet<Digest>,
    ) -> Result<Pruned, Error> {
        let removed_bytes = self.remove_temporary_files()?;
        if options.all {
            self.untag_all()?;
        }
        let mut needed = self.needed_blobs()?;
        needed.extend(roots);
        let mut pruned = Pruned {
            removed_bytes,
            ..Pruned::default()
        };
        let mut candidates = Vec::new();
        for blob in self.blobs()? {
            pruned.kept_bytes += blob.size;
            if !needed.contains(&blob.digest) {
                candidates.push(blob);
            }
        }
        candidates.sort_by_key(|blob| (blob.modified, blob.digest));
        let now = options.now.unwrap_or_else(SystemTime::now);
        for blob in candidates {
            let age = now.duration_since(blob.modified).unwrap_or_default();
            let is_small = options
                .keep_bytes
                .is_some_and(|keep| pruned.kept_bytes <= keep);
            if is_small || options.older_than.is_some_and(|limit| age < limit) {
                break;
            }
            fs::remove_file(&blob.path).map_err(Error::io("remove", &blob.path))?;
            pruned.kept_bytes -= blob.size;
            pruned.removed_bytes += blob.size;
            pruned.removed.push(blob.digest);
        }
        self.sweep_compressed()?;
        Ok(pruned)
    }

    /// Takes all names away.
    pub fn untag_all(&self) -> Result<(), Error> {
        let _lock = self.lock_index()?;
        self.write_index(&Index::new(Vec::new()))
    }

    /// Returns the blobs that images with a name are made of.
    pub fn needed_blobs(&self) -> Result<BTreeSet<Digest>, Error> {
        let mut needed = BTreeSet::new();
        for image in self.images()? {
            // An image that lacks a part keeps the parts that it has.
            let _ = self.parts_of(&image.descriptor, &mut needed);
        }
        Ok(needed)
    }

    /// Returns all blobs, in the order of their digests.
    pub fn blobs(&self) -> Result<Vec<StoredBlob>, Error> {
        let mut blobs = Vec::new();
        for folder in list_folder(&self.root().join("blobs"))? {
            for path in list_folder(&folder)? {
                let Some(digest) = digest_of_path(&path) else {
                    continue;
                };
                let metadata = fs::metadata(&path).map_err(Error::io("read", &path))?;
                let modified = metadata.modified().map_err(Error::io("read", &path))?;
                blobs.push(StoredBlob {
                    digest,
                    path,
                    size: metadata.len(),
                    modified,
                });
            }
        }
        Ok(blobs)
    }
}

/// A blob in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBlob {
    pub digest: Digest,
    pub path: PathBuf,
    pub size: u64,
    /// When it was last written or touched.
    pub modified: SystemTime,
}
