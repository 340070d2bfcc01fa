//! Finding and repairing what is wrong in the store.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{INDEX_FILE, LAYOUT, LAYOUT_FILE, Store, list_folder, replace_file};
use crate::digest::{Digest, DigestReader};
use crate::error::Error;
use crate::manifest::{Descriptor, Document, Index, media_type};

/// How deep indexes may hold indexes.
const DEPTH_LIMIT: usize = 8;

/// Something that is wrong in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A blob whose bytes are not those of its name.
    WrongDigest { digest: Digest, actual: Digest },
    /// An image lacks a part, or a part cannot be read as what it should be.
    IncompleteImage { name: String, reason: String },
    /// A file in the folder of the blobs that is none.
    StrayFile { path: PathBuf },
    /// A file of a writer that was killed.
    TemporaryFile { path: PathBuf },
    /// `oci-layout` or `index.json` cannot be read.
    BrokenLayout { path: PathBuf, reason: String },
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::WrongDigest { digest, actual } => {
                write!(
                    f,
                    "blob {digest} is corrupt: its bytes are those of {actual}"
                )
            }
            Self::IncompleteImage { name, reason } => {
                write!(f, "image `{name}` is incomplete: {reason}")
            }
            Self::StrayFile { path } => write!(f, "{} is not a blob", path.display()),
            Self::TemporaryFile { path } => write!(f, "{} was left behind", path.display()),
            Self::BrokenLayout { path, reason } => {
                write!(f, "{} cannot be read: {reason}", path.display())
            }
        }
    }
}

/// What a repair did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repair {
    /// What was wrong.
    pub faults: Vec<Fault>,
    /// The names of the images that were given up, because a part of them is lost.
    pub untagged: Vec<String>,
}

impl Store {
    /// Reads everything and returns what is wrong, in a fixed order.
    pub fn check(&self) -> Result<Vec<Fault>, Error> {
        let mut faults = Vec::new();
        let layout = self.root().join(LAYOUT_FILE);
        if !fs::read_to_string(&layout).is_ok_and(|text| text.contains("imageLayoutVersion")) {
            let reason = "it does not give a version".to_owned();
            faults.push(Fault::BrokenLayout {
                path: layout,
                reason,
            });
        }
        for path in self.abandoned_files()? {
            faults.push(Fault::TemporaryFile { path });
        }
        let corrupt = self.check_blobs(&mut faults)?;
        match self.read_index() {
            Ok(index) => self.check_images(&index, &corrupt, &mut faults),
            Err(error) => faults.push(Fault::BrokenLayout {
                path: self.root().join(INDEX_FILE),
                reason: error.to_string(),
            }),
        }
        Ok(faults)
    }

    /// Removes what is broken: corrupt blobs, stray files, and the names of images that lack a part.
    ///
    /// What is removed is built or pulled again. Fails with [`Error::InUse`] when another process has the store open.
    pub fn repair(&mut self) -> Result<Repair, Error> {
        self.alone(|store| {
            let faults = store.check()?;
            let mut broken_images = BTreeSet::new();
            for fault in &faults {
                match fault {
                    Fault::WrongDigest { digest, .. } => {
                        remove_file(&store.blob_path(digest))?;
                    }
                    Fault::StrayFile { path } | Fault::TemporaryFile { path } => remove_file(path)?,
                    Fault::IncompleteImage { name, .. } => {
                        broken_images.insert(name.clone());
                    }
                    Fault::BrokenLayout { path, .. } => {
                        let is_layout = path.ends_with(LAYOUT_FILE);
                        let empty = Index::new(Vec::new()).to_bytes();
                        let bytes = if is_layout { LAYOUT } else { empty.as_slice() };
                        replace_file(&store.temporary_folder(), path, bytes)?;
                    }
                }
            }
            let untagged: Vec<String> = broken_images.into_iter().collect();
            for name in &untagged {
                store.untag(name)?;
            }
            store.sweep_compressed()?;
            Ok(Repair { faults, untagged })
        })
    }

    /// Compares every blob with its name.
    fn check_blobs(&self, faults: &mut Vec<Fault>) -> Result<BTreeMap<Digest, Digest>, Error> {
        let mut corrupt = BTreeMap::new();
        for folder in list_folder(&self.root().join("blobs"))? {
            for path in list_folder(&folder)? {
                let Some(digest) = digest_of_path(&path) else {
                    faults.push(Fault::StrayFile { path });
                    continue;
                };
                let file = File::open(&path).map_err(Error::io("open", &path))?;
                let mut reader = DigestReader::with_algorithm(file, digest.algorithm());
                io::copy(&mut reader, &mut io::sink()).map_err(Error::io("read", &path))?;
                let (_, actual, _) = reader.finish();
                if actual != digest {
                    faults.push(Fault::WrongDigest { digest, actual });
                    corrupt.insert(digest, actual);
                }
            }
        }
        Ok(corrupt)
    }

    fn check_images(
        &self,
        index: &Index,
        corrupt: &BTreeMap<Digest, Digest>,
        faults: &mut Vec<Fault>,
    ) {
        for entry in &index.manifests {
            let name = entry.annotations.get(super::image_index::NAME_ANNOTATION);
            let name = name.cloned().unwrap_or_else(|| entry.digest.to_string());
            let mut parts = BTreeSet::new();
            let reason = match self.parts_of(entry, &mut parts) {
                Err(error) => Some(error.to_string()),
                Ok(()) => parts
                    .iter()
                    .find(|part| corrupt.contains_key(part))
                    .map(|part| format!("its part {part} is corrupt")),
            };
            if let Some(reason) = reason {
                faults.push(Fault::IncompleteImage { name, reason });
            }
        }
    }

    /// Collects all blobs that an image is made of; fails when one is not there with its size.
    pub(super) fn parts_of(
        &self,
        descriptor: &Descriptor,
        parts: &mut BTreeSet<Digest>,
    ) -> Result<(), Error> {
        self.collect_parts(descriptor, parts, DEPTH_LIMIT)
    }

    fn collect_parts(
        &self,
        descriptor: &Descriptor,
        parts: &mut BTreeSet<Digest>,
        depth: usize,
    ) -> Result<(), Error> {
        let actual = self.blob_size(&descriptor.digest);
        let actual = actual.ok_or_else(|| Error::missing_blob(&descriptor.digest))?;
        if actual != descriptor.size {
            return Err(Error::size_mismatch(
                &descriptor.digest,
                descriptor.size,
                actual,
            ));
        }
        let is_new = parts.insert(descriptor.digest);
        let name = descriptor.media_type.as_str();
        if !is_new || !(media_type::is_index(name) || media_type::is_manifest(name)) {
            return Ok(());
        }
        if depth == 0 {
            return Err(Error::Malformed {
                what: "the index",
                reason: format!("more than {DEPTH_LIMIT} indexes stand in each other"),
            });
        }
        let bytes = self.read_document(&descriptor.digest)?;
        match Document::parse(&bytes, Some(name))? {
            Document::Manifest(manifest) => {
                self.collect_parts(&manifest.config, parts, depth - 1)?;
                for layer in &manifest.layers {
                    self.collect_parts(layer, parts, depth - 1)?;
                }
                Ok(())
            }
            // An index may name platforms that were never pulled.
            Document::Index(index) => {
                for entry in &index.manifests {
                    if self.blob_size(&entry.digest).is_some() {
                        self.collect_parts(entry, parts, depth - 1)?;
                    }
                }
                Ok(())
            }
        }
    }
}

/// Returns the digest that a path under `blobs` stands for.
pub(super) fn digest_of_path(path: &Path) -> Option<Digest> {
    let hex = path.file_name()?.to_str()?;
    let algorithm = path.parent()?.file_name()?.to_str()?;
    let is_file = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
    is_file.then(|| format!("{algorithm}:{hex}").parse().ok())?
}

fn remove_file(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}
