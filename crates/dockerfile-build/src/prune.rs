//! Deleting what nobody needs.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use build_sandbox::remove_tree;
use oci_image::store::{PruneOptions, Store};
use rustc_hash::FxHashSet;

use crate::error::{BuildError, Failure};

/// Deletes layers and cached results, and with `all` the images too; returns how many bytes that freed.
pub fn prune(root: &Path, all: bool) -> Result<u64, BuildError> {
    let fault = |error: &dyn std::fmt::Display| {
        BuildError::new(Failure::System, format!("cannot prune the store: {error}"))
    };
    if !root.exists() {
        return Ok(0);
    }
    let mut store = Store::open(root).map_err(|error| fault(&error))?;
    let options = PruneOptions {
        all,
        ..PruneOptions::default()
    };
    let pruned = store
        .prune(&options, &BTreeSet::new())
        .map_err(|error| fault(&error))?;
    let mut freed = pruned.removed_bytes;
    for folder in ["layers", "cache", "mounts"] {
        let path = root.join(folder);
        freed += size_of(&path).unwrap_or(0);
        remove_tree(&path).map_err(|error| fault(&error))?;
    }
    Ok(freed)
}

/// Returns the bytes of all files in a folder.
fn size_of(folder: &Path) -> io::Result<u64> {
    let mut open = vec![folder.to_owned()];
    let (mut total, mut seen) = (0, FxHashSet::default());
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let found = entry.path().symlink_metadata()?;
            if found.is_dir() {
                open.push(entry.path());
            } else if found.nlink() == 1 || seen.insert((found.dev(), found.ino())) {
                // A file with several names is freed once.
                total += found.len();
            }
        }
    }
    Ok(total)
}
