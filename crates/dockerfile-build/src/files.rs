//! The files of a stage, as COPY and user names read them.

use std::io::{self, Read};
use std::sync::Arc;

use oci_image::layer::{Entry, LayerPath, Merged};
use oci_image::store::Store;

use crate::error::BuildError;
use crate::layers::Layer;
use crate::solve::{Chain, Solver};

/// A chain of layers that can be looked up and read.
pub(crate) struct ChainFiles<'c> {
    pub(crate) merged: Arc<Merged>,
    layers: Vec<Arc<Layer>>,
    store: &'c Store,
}

impl<'c> ChainFiles<'c> {
    pub(crate) fn new(solver: &Solver<'c>, chain: &Chain) -> Result<ChainFiles<'c>, BuildError> {
        Ok(ChainFiles {
            merged: chain.merged(solver)?,
            layers: chain.made(solver)?,
            store: solver.store,
        })
    }

    /// Opens the content of a file of one of the layers; a hard link is read through its first name.
    pub(crate) fn open_in(&self, layer: usize, entry: &Entry) -> io::Result<Box<dyn Read + Send>> {
        let layer = self
            .layers
            .get(layer)
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        layer.open(entry, self.store)
    }

    /// Reads a small file whole, symbolic links followed inside of the image; `None` when it is not there.
    pub(crate) fn read_small(&self, path: &str, most: u64) -> io::Result<Option<Vec<u8>>> {
        let Some(path) = LayerPath::clamped(path.as_bytes()) else {
            return Ok(None);
        };
        let Some(found) = self.merged.resolve(&path).found() else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        self.open_in(found.layer, found.entry)?
            .take(most + 1)
            .read_to_end(&mut bytes)?;
        if bytes.len() as u64 > most {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is too large"));
        }
        Ok(Some(bytes))
    }
}
