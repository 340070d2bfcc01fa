//! What can be deleted, with the time of its last use and its size.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use oci_image::Digest;
use oci_image::store::Store;
use rustc_hash::FxHashSet;

use super::Candidate;

/// Returns layers with their tars, blobs that belong to nothing, and cache mounts.
pub(super) fn find(
    store: &Store,
    needed: &BTreeSet<Digest>,
) -> Result<Vec<Candidate>, oci_image::Error> {
    let mut candidates = Vec::new();
    let mut of_layers = BTreeSet::new();
    for folder in folders(&store.root().join("layers")) {
        let mut candidate = tree(folder);
        if let Ok(listing) = fs::metadata(candidate.path.join("listing")) {
            candidate.used = listing.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        }
        let own: Vec<Digest> = diff_ids(&candidate.path)
            .into_iter()
            .filter(|digest| !needed.contains(digest) && store.blob_size(digest).is_some())
            .collect();
        // A layer that was written under two clocks has two tars; the second is a blob like others.
        if let Some(digest) = own.first() {
            candidate.bytes += store.blob_size(digest).unwrap_or(0);
            candidate.blob = Some(store.blob_path(digest));
            of_layers.insert(*digest);
        }
        candidates.push(candidate);
    }
    for blob in store.blobs()? {
        if !needed.contains(&blob.digest) && !of_layers.contains(&blob.digest) {
            candidates.push(Candidate {
                used: blob.modified,
                path: blob.path,
                blob: None,
                bytes: blob.size,
            });
        }
    }
    candidates.extend(folders(&store.root().join("mounts")).into_iter().map(tree));
    Ok(candidates)
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn tree(path: PathBuf) -> Candidate {
    let Usage { bytes, newest } = bytes_of(&path);
    Candidate {
        used: newest,
        path,
        blob: None,
        bytes,
    }
}

/// Returns the digests of the tars that a layer is known to have.
fn diff_ids(layer: &Path) -> Vec<Digest> {
    let entries = fs::read_dir(layer).into_iter().flatten().flatten();
    let names =
        entries.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"diff-id"));
    let mut found: Vec<Digest> = names
        .filter_map(|entry| fs::read_to_string(entry.path()).ok()?.trim().parse().ok())
        .collect();
    found.sort();
    found
}

/// What a folder takes.
pub(super) struct Usage {
    pub(super) bytes: u64,
    /// When something in it was last written.
    newest: SystemTime,
}

/// Counts the bytes of all files in a folder; one with several names counts once.
pub(super) fn bytes_of(path: &Path) -> Usage {
    let mut usage = Usage {
        bytes: 0,
        newest: SystemTime::UNIX_EPOCH,
    };
    let (mut open, mut seen) = (vec![path.to_owned()], FxHashSet::default());
    while let Some(path) = open.pop() {
        let Ok(found) = path.symlink_metadata() else {
            continue;
        };
        usage.newest = usage.newest.max(found.modified().unwrap_or(usage.newest));
        if found.is_dir() {
            let entries: io::Result<Vec<_>> = fs::read_dir(&path).and_then(Iterator::collect);
            // A folder that is closed to us counts as empty.
            open.extend(entries.unwrap_or_default().iter().map(fs::DirEntry::path));
        } else if found.nlink() == 1 || seen.insert((found.dev(), found.ino())) {
            usage.bytes += found.len();
        }
    }
    usage
}
