//! Looking after the layers of builds: what `dfbuild store check` does besides the blobs.

use std::fmt;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use build_sandbox::remove_tree;
use oci_image::Digest;
use oci_image::layer::{Kind, Listing};
use oci_image::store::Store;

use super::{FIXED_DIFF_ID, LayerId};

/// A layer that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerFault {
    folder: PathBuf,
    reason: String,
}

impl fmt::Display for LayerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.folder.file_name().unwrap_or_default();
        write!(f, "layer {} is damaged: {}", name.display(), self.reason)
    }
}

/// Returns the layers that cannot be used, in the order of their names. One that was never finished is no fault: nobody looks at it.
pub fn check_layers(store: &Store) -> Vec<LayerFault> {
    let entries = fs::read_dir(store.root().join("layers"));
    let mut folders: Vec<PathBuf> = entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    folders.sort();
    folders
        .into_iter()
        .filter_map(|folder| {
            let reason = fault_of(&folder, store)?;
            Some(LayerFault { folder, reason })
        })
        .collect()
}

/// Takes damaged layers out; the next build makes them again.
pub fn repair_layers(faults: &[LayerFault]) -> std::io::Result<()> {
    for fault in faults {
        remove_tree(&fault.folder)?;
    }
    Ok(())
}

fn fault_of(folder: &Path, store: &Store) -> Option<String> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    if LayerId::new(name).folder().is_none() || !folder.is_dir() {
        return Some("it is not a layer".to_owned());
    }
    let file = File::open(folder.join("listing")).ok()?;
    let listing = match Listing::load(BufReader::new(file)) {
        Ok(listing) => listing,
        Err(error) => return Some(error.to_string()),
    };
    let snapshot = folder.join("snapshot");
    if snapshot.is_dir() {
        return missing_file(&listing, &snapshot);
    }
    let text = fs::read_to_string(folder.join(FIXED_DIFF_ID));
    let digest: Option<Digest> = text.ok().and_then(|text| text.trim().parse().ok());
    match digest {
        None => Some("its files are gone".to_owned()),
        Some(digest) if store.blob_size(&digest).is_none() => {
            Some(format!("its blob {digest} is gone"))
        }
        Some(_) => None,
    }
}

/// Compares what the listing says with what is on the disk.
fn missing_file(listing: &Listing, snapshot: &Path) -> Option<String> {
    listing.entries().iter().find_map(|entry| {
        let Kind::File { size } = entry.kind else {
            return None;
        };
        let found = snapshot.join(entry.path.as_path()).symlink_metadata();
        match found {
            Ok(found) if found.is_file() && found.len() == size => None,
            Ok(_) => Some(format!("its file `{}` has another size", entry.path)),
            // What this user may not see may be in order.
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => None,
            Err(_) => Some(format!("its file `{}` is gone", entry.path)),
        }
    })
}
