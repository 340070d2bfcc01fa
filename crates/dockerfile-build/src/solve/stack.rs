//! Layers one above the other, never more of them than overlayfs takes: the lowest are copied into one folder, once a build.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use build_sandbox::MAXIMUM_LOWERS;
use tempfile::TempDir;

use super::{Chain, Solver};
use crate::error::BuildError;
use crate::plain_root::copy_layers;

/// So many layers become one folder together; then the next so many do, with those below.
const MERGED: usize = 256;
/// A mount of layers for reading has an empty one more.
const MOST: usize = MAXIMUM_LOWERS - 1;

/// The folders that stand for layers, by these layers.
#[derive(Debug, Default)]
pub(crate) struct MergedLayers(Mutex<HashMap<Vec<PathBuf>, TempDir>>);

impl Solver<'_> {
    /// Returns the snapshots to run on, the topmost first; a layer without files adds nothing.
    pub(super) fn lowers(&self, chain: &Chain) -> Result<Vec<PathBuf>, BuildError> {
        let mut lowers = Vec::new();
        for layer in chain.made(self)?.iter().rev() {
            if !layer.listing()?.is_empty() {
                lowers.extend(self.layers.snapshots(layer, self.store)?);
            }
        }
        Ok(lowers)
    }

    /// Returns the same files in no more folders than can be mounted.
    pub(super) fn stackable(&self, mut lowers: Vec<PathBuf>) -> Result<Vec<PathBuf>, BuildError> {
        let merged = merged_count(lowers.len());
        if merged > 0 {
            let below = lowers.split_off(lowers.len() - merged);
            lowers.push(self.merged(below)?);
        }
        Ok(lowers)
    }

    /// Returns a folder with the files of layers.
    fn merged(&self, layers: Vec<PathBuf>) -> Result<PathBuf, BuildError> {
        // Held while they are copied: another stage may want the same.
        let mut known = self.merged.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = known.get(&layers) {
            return Ok(folder.path().to_owned());
        }
        let folder = self.scratch_folder()?;
        copy_layers(&layers, folder.path())
            .map_err(|error| BuildError::system("cannot put layers together", &error))?;
        let path = folder.path().to_owned();
        known.insert(layers, folder);
        Ok(path)
    }
}

/// Returns how many of so many layers become one, counted from the lowest: 0, or enough that the rest can be stacked.
fn merged_count(layers: usize) -> usize {
    if layers <= MOST {
        return 0;
    }
    // Together with the folder, those above are no more than can be stacked.
    (layers + 1 - MOST).div_ceil(MERGED) * MERGED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_can_be_stacked_and_seldom_changes() {
        assert_eq!(merged_count(MOST), 0);
        let mut before = 0;
        let mut changes = 0;
        for layers in MOST + 1..5_000 {
            let merged = merged_count(layers);
            assert!(merged <= layers && layers - merged < MOST, "{layers}");
            changes += usize::from(merged != before);
            before = merged;
        }
        assert_eq!(changes, 18);
    }
}
