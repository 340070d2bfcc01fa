//! Deleting what nobody needs: what was not used for longest goes first.
//!
//! Images with a name stay. Layers, blobs without an image and cache mounts have the time of their last use; answers of the cache that
//! lead nowhere go along. A build holds the store shared, so nothing goes away under it.

mod candidates;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use build_sandbox::remove_tree;
use oci_image::store::Store;

use crate::cache::Cache;
use crate::error::{BuildError, Failure, told};

/// What is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PruneOptions {
    /// Images with a name too.
    pub all: bool,
    /// Only what was not used for so long.
    pub older_than: Option<Duration>,
    /// Only until what is left has no more bytes than this.
    pub keep_bytes: Option<u64>,
}

/// What a prune did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    pub freed_bytes: u64,
    pub kept_bytes: u64,
}

/// One thing that can be deleted by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Candidate {
    used: SystemTime,
    path: PathBuf,
    /// The tar of a layer, which goes with it.
    blob: Option<PathBuf>,
    bytes: u64,
}

/// Deletes what nobody needs.
pub fn prune(root: &Path, options: &PruneOptions) -> Result<Pruned, BuildError> {
    if !root.exists() {
        return Ok(Pruned::default());
    }
    let mut store = Store::open(root).map_err(|error| in_use(&error))?;
    let done = store.alone(|store| prune_alone(store, options));
    done.map_err(|error| match error {
        Fault::Store(error) => in_use(&error),
        Fault::Disk(error) => fault(&error),
    })
}

enum Fault {
    Store(oci_image::Error),
    Disk(io::Error),
}

impl From<oci_image::Error> for Fault {
    fn from(error: oci_image::Error) -> Fault {
        Fault::Store(error)
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        Fault::Disk(error)
    }
}

fn prune_alone(store: &Store, options: &PruneOptions) -> Result<Pruned, Fault> {
    let root = store.root();
    let mut pruned = Pruned::default();
    if options.all {
        store.untag_all()?;
    }
    let needed = store.needed_blobs()?;
    let mut candidates = candidates::find(store, &needed)?;
    candidates.sort_by(|one, other| (one.used, &one.path).cmp(&(other.used, &other.path)));
    let kept: u64 = needed
        .iter()
        .filter_map(|digest| store.blob_size(digest))
        .sum();
    pruned.kept_bytes = kept
        + candidates
            .iter()
            .map(|candidate| candidate.bytes)
            .sum::<u64>();
    let now = SystemTime::now();
    for candidate in candidates {
        let age = now.duration_since(candidate.used).unwrap_or_default();
        let is_small = options
            .keep_bytes
            .is_some_and(|keep| pruned.kept_bytes <= keep);
        if is_small || options.older_than.is_some_and(|limit| age < limit) {
            break;
        }
        remove(&candidate.path)?;
        if let Some(blob) = &candidate.blob {
            remove(blob)?;
        }
        pruned.kept_bytes = pruned.kept_bytes.saturating_sub(candidate.bytes);
        pruned.freed_bytes += candidate.bytes;
    }
    store.sweep_compressed()?;
    let is_everything = options.older_than.is_none() && options.keep_bytes.is_none();
    if is_everything {
        pruned.freed_bytes += candidates::bytes_of(&root.join("cache")).bytes;
        remove(&root.join("cache"))?;
    } else {
        let has_layer = |folder: &str| root.join("layers").join(folder).is_dir();
        Cache::new(root).forget(options.older_than, &has_layer)?;
    }
    Ok(pruned)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // EISDIR on Linux, EPERM by POSIX.
        Err(_) if path.is_dir() => remove_tree(path),
        other => other,
    }
}

fn in_use(error: &oci_image::Error) -> BuildError {
    let failed = fault(error);
    match error {
        oci_image::Error::InUse { .. } => {
            failed.help("wait until the builds that use the store have ended")
        }
        _ => failed,
    }
}

fn fault(error: &dyn std::error::Error) -> BuildError {
    let message = format!("cannot prune the store: {}", told(error));
    BuildError::new(Failure::System, message)
}
