//! The files of a stage, as COPY and user names read them.

use std::io::{self, Read};
use std::sync::Arc;

use oci_image::layer::{Content, Kind, LayerPath, Merged};
use oci_image::store::Store;

use crate::copy::{CopyError, FileSource, RunUser, SourceEntry, chown_ids, run_user};
use crate::error::{BuildError, Failure};
use crate::layers::Layer;
use crate::solve::{Chain, Solver};

/// A larger list of accounts is an attack (CVE-2024-9676).
const MOST_ACCOUNT_BYTES: u64 = 16 << 20;

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

    fn open_in(&self, layer: usize, path: &LayerPath) -> io::Result<Box<dyn Read + Send>> {
        let layer = self
            .layers
            .get(layer)
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        layer.open_verified(path, self.store)
    }

    /// Reads a small file whole, symbolic links followed inside of the image; `None` when there is no such file.
    pub(crate) fn read_small(&self, path: &str, most: u64) -> io::Result<Option<Vec<u8>>> {
        let Ok(resolved) = self.merged.resolve(path.as_bytes()) else {
            return Ok(None);
        };
        if !resolved.missing.is_empty() {
            return Ok(None);
        }
        let found = self.merged.get(&resolved.existing);
        let Some(found) = found.and_then(|found| self.merged.file_of(found)) else {
            return Ok(None);
        };
        // A pipe or a device would never end (CVE-2024-9676).
        if !matches!(found.entry.kind, Kind::File { .. }) {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        let file = self.open_in(found.layer, &found.entry.path)?;
        file.take(most + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > most {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "the file is too large",
            ));
        }
        Ok(Some(bytes))
    }

    /// Returns who a command runs as.
    pub(crate) fn run_user(&self, spec: &str) -> Result<RunUser, BuildError> {
        let (passwd, group) = self.accounts()?;
        Ok(run_user(spec, &passwd, &group)?)
    }

    /// Returns who `--chown` means.
    pub(crate) fn chown_ids(&self, spec: &str) -> Result<(u32, u32), BuildError> {
        let (passwd, group) = self.accounts()?;
        Ok(chown_ids(spec, &passwd, &group)?)
    }

    fn accounts(&self) -> Result<(Vec<u8>, Vec<u8>), BuildError> {
        let read = |path: &str| {
            self.read_small(path, MOST_ACCOUNT_BYTES)
                .map(Option::unwrap_or_default)
                .map_err(|error| {
                    BuildError::new(
                        Failure::Source,
                        format!("cannot read `{path}` of the image: {error}"),
                    )
                })
        };
        Ok((read("/etc/passwd")?, read("/etc/group")?))
    }

    fn source_entry(&self, found: oci_image::layer::Found<'_>) -> Option<SourceEntry> {
        let mut entry = found.entry.clone();
        let mut identity = None;
        let file = self.merged.file_of(found)?;
        let position = self
            .merged
            .listings()
            .get(file.layer)?
            .position(&file.entry.path)?;
        if let Kind::HardLink { .. } = entry.kind {
            let path = entry.path.clone();
            entry = file.entry.clone();
            entry.path = path;
        }
        if matches!(entry.kind, Kind::File { .. }) {
            identity = Some((file.layer as u64, position as u64));
        }
        Some(SourceEntry { entry, identity })
    }
}

impl Content for ChainFiles<'_> {
    fn open(&self, layer: usize, path: &LayerPath) -> io::Result<Box<dyn Read>> {
        self.open_in(layer, path).map(|file| file as Box<dyn Read>)
    }
}

impl FileSource for ChainFiles<'_> {
    fn lookup(&self, path: &LayerPath) -> Result<Option<SourceEntry>, CopyError> {
        if path.is_root() {
            return Ok(Some(SourceEntry {
                entry: oci_image::layer::Entry::directory(
                    LayerPath::root(),
                    oci_image::layer::Timestamp::seconds(0),
                ),
                identity: None,
            }));
        }
        Ok(self
            .merged
            .get(path)
            .and_then(|found| self.source_entry(found)))
    }

    fn children(&self, directory: &LayerPath) -> Result<Vec<SourceEntry>, CopyError> {
        let children = self.merged.children(directory);
        Ok(children
            .into_iter()
            .filter_map(|found| self.source_entry(found))
            .collect())
    }

    fn open(&self, file: &SourceEntry) -> Result<Box<dyn Read + Send>, CopyError> {
        let path = &file.entry.path;
        let missing = || CopyError::read(path, io::Error::from(io::ErrorKind::NotFound));
        let found = self.merged.get(path).ok_or_else(missing)?;
        let found = self.merged.file_of(found).ok_or_else(missing)?;
        self.open_in(found.layer, &found.entry.path)
            .map_err(|error| CopyError::read(path, error))
    }

    fn place(&self) -> &'static str {
        "the files that it copies from"
    }
}
