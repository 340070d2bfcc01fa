//! The store on disk: an OCI image layout with content-addressed blobs, tags, and tables beside it.
//!
//! ```text
//! ROOT/oci-layout  index.json        the layout; index.json holds the tags
//! ROOT/blobs/sha256/HEX              contents, named by their digest
//! ROOT/compressed/DIFF_ID/FORM       which compressed blob a layer has (see `compressed`)
//! ROOT/tmp/blob-*                    what is being written
//! ROOT/users.lock  ROOT/index.lock
//! ```
//!
//! Invariants:
//! - A file under `blobs` got its name when it was complete: temporary file, then rename.
//! - `index.json` is replaced after everything that it names was synced ([`Publication`]), under a lock, by rename. A
//!   process may end anywhere in between: what is left is a temporary file, which the next lone user removes.
//! - Whoever has the store open holds `users.lock` shared; what removes blobs holds it alone.
//!
//! When is a blob verified? While it is written; and always when it is read through [`Store::open_blob`]: the reader fails
//! at its end if the bytes are not those of the digest. [`Store::has_blob`] compares the size only, so that a warm build
//! reads nothing; [`Store::check`] reads everything.

mod blob;
mod check;
mod compressed;
mod image_index;
mod noted;
mod prune;
mod publication;
mod remembered;

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

pub use blob::{BlobReader, BlobWriter};
pub use check::{Fault, Repair};
pub use compressed::CompressedForm;
pub(crate) use image_index::NAME_ANNOTATION;
pub use image_index::StoredImage;
pub use prune::{PruneOptions, Pruned, StoredBlob};
pub use publication::Publication;

use crate::digest::Digest;
use crate::error::Error;
use crate::manifest::{Descriptor, check_size};

const LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
const LAYOUT_FILE: &str = "oci-layout";
/// How often the layout file is written before that is given up.
const MOST_TRIES: u32 = 20;
const INDEX_FILE: &str = "index.json";

/// An open store; may be shared between threads.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    /// Held shared while the store is open; `None` in a read-only folder that has no lock file.
    users: Option<File>,
    /// Whether nobody else had it open when it was opened: what lies in `tmp` then is nobody's.
    was_alone: bool,
    /// Blobs that this process wrote and that may not be on disk yet.
    unsynced: Mutex<BTreeSet<Digest>>,
}

impl Store {
    /// Opens the store in `root`, and makes it when there is none.
    pub fn create(root: &Path) -> Result<Self, Error> {
        let blobs = root.join("blobs").join("sha256");
        if !blobs.is_dir() {
            create_folder(&blobs)?;
        }
        create_folder(&root.join("tmp"))?;
        // Somebody who opens the store at the same moment, alone as yet, may sweep our temporary file away.
        let mut tries = 0;
        while let Err(error) = write_if_missing(root, LAYOUT_FILE, LAYOUT) {
            tries += 1;
            if tries > MOST_TRIES {
                return Err(error);
            }
        }
        Self::open(root)
    }

    /// Opens the store in `root`; a read-only one can be read.
    pub fn open(root: &Path) -> Result<Self, Error> {
        if !root.join(LAYOUT_FILE).is_file() {
            return Err(Error::NotAStore {
                path: root.to_path_buf(),
            });
        }
        let users = open_lock(&root.join("users.lock"))?;
        let mut store = Self {
            root: root.to_path_buf(),
            users,
            was_alone: false,
            unsynced: Mutex::default(),
        };
        // Whoever is alone cleans up behind those that were killed.
        if store.lock_alone()? {
            store.was_alone = true;
            store.remove_temporary_files()?;
        }
        store.lock_shared()?;
        Ok(store)
    }

    /// Returns the folder of the store.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the folder for unfinished files, in the same file system as the blobs.
    pub fn temporary_folder(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// Returns where the blob is, or would be.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        let mut path = self.root.join("blobs");
        path.push(digest.algorithm().name());
        path.push(digest.hex());
        path
    }

    /// Returns the size of a blob, or `None` when the store does not have it.
    pub fn blob_size(&self, digest: &Digest) -> Option<u64> {
        let metadata = fs::symlink_metadata(self.blob_path(digest)).ok()?;
        metadata.is_file().then_some(metadata.len())
    }

    /// Returns whether the blob is there with the size that its descriptor says.
    pub fn has_blob(&self, descriptor: &Descriptor) -> bool {
        self.blob_size(&descriptor.digest) == Some(descriptor.size)
    }

    /// Begins a blob whose digest comes out when it is written.
    pub fn begin_blob(&self) -> Result<BlobWriter<'_>, Error> {
        BlobWriter::begin(self)
    }

    /// Opens a blob; the reader fails at its end when the bytes are not those of the digest.
    pub fn open_blob(&self, digest: &Digest) -> Result<BlobReader, Error> {
        BlobReader::open(self, digest)
    }

    /// Writes a small blob.
    pub fn write_blob(&self, bytes: &[u8]) -> Result<Digest, Error> {
        let digest = Digest::of(bytes);
        if fs::read(self.blob_path(&digest)).is_ok_and(|present| present == bytes) {
            return Ok(digest);
        }
        let mut writer = self.begin_blob()?;
        writer.append(bytes)?;
        writer.commit(Some(&digest)).map(|(digest, _)| digest)
    }

    /// Reads and verifies a manifest, index or config.
    pub fn read_document(&self, digest: &Digest) -> Result<Vec<u8>, Error> {
        let mut reader = self.open_blob(digest)?;
        check_size("the document", reader.size())?;
        let mut bytes = Vec::new();
        let read = reader.read_to_end(&mut bytes);
        let actual = Digest::of(&bytes);
        match read {
            Ok(_) => Ok(bytes),
            Err(_) if actual != *digest => Err(Error::CorruptBlob {
                digest: Box::new(*digest),
                actual: Box::new(actual),
            }),
            Err(source) => Err(Error::io("read", &self.blob_path(digest))(source)),
        }
    }

    /// Fails unless the store has every part of an image, with the size that its descriptor says.
    pub fn require_image(&self, descriptor: &Descriptor) -> Result<(), Error> {
        self.parts_of(descriptor, &mut BTreeSet::new())
    }

    /// Begins a change of the tags that takes effect as a whole.
    pub fn publication(&self) -> Publication<'_> {
        Publication::new(self)
    }

    /// Makes sure that these blobs and their names are on disk.
    pub fn sync(&self, blobs: &[Digest]) -> Result<(), Error> {
        let mut folders = BTreeSet::new();
        for digest in blobs {
            let path = self.blob_path(digest);
            let file = File::open(&path).map_err(|source| match source.kind() {
                io::ErrorKind::NotFound => Error::missing_blob(digest),
                _ => Error::io("open", &path)(source),
            })?;
            // Cheap for a blob that is on disk already.
            file.sync_data().map_err(Error::io("sync", &path))?;
            folders.extend(path.parent().map(Path::to_path_buf));
        }
        for folder in folders {
            sync_folder(&folder)?;
        }
        let mut unsynced = self.unsynced();
        for digest in blobs {
            unsynced.remove(digest);
        }
        Ok(())
    }

    fn unsynced(&self) -> std::sync::MutexGuard<'_, BTreeSet<Digest>> {
        self.unsynced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the lock of the users alone, and returns whether that was possible at once.
    fn lock_alone(&self) -> Result<bool, Error> {
        let Some(users) = &self.users else {
            return Ok(false);
        };
        match users.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(source)) => {
                Err(Error::io("lock", &self.root.join("users.lock"))(source))
            }
        }
    }

    fn lock_shared(&self) -> Result<(), Error> {
        let Some(users) = &self.users else {
            return Ok(());
        };
        let path = self.root.join("users.lock");
        users.lock_shared().map_err(Error::io("lock", &path))
    }

    /// Runs `work` as the only user of the store: what removes things that builds may be using.
    ///
    /// Fails with [`Error::InUse`] when another process has the store open.
    pub fn alone<T, E: From<Error>>(
        &mut self,
        work: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        if !self.lock_alone()? {
            // The attempt may have given up the shared lock: flock(2) converts in two steps.
            self.lock_shared()?;
            return Err(E::from(Error::InUse {
                path: self.root.clone(),
            }));
        }
        let result = work(self);
        self.lock_shared()?;
        result
    }

    /// Removes what writers left that were killed, and returns how much that was. What this user may not remove stays: another one,
    /// such as root of the namespace that made it, will.
    fn remove_temporary_files(&self) -> Result<u64, Error> {
        let mut removed = 0;
        for path in list_folder(&self.temporary_folder())? {
            let metadata = match fs::symlink_metadata(&path) {
                Ok(metadata) => metadata,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(Error::io("read", &path)(source)),
            };
            let done = if metadata.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            match done {
                Ok(()) => removed += metadata.len(),
                Err(error) if is_read_only(&error) || metadata.is_dir() => {}
                Err(source) => return Err(Error::io("remove", &path)(source)),
            }
        }
        Ok(removed)
    }

    /// Returns the unfinished files that no process is at work on.
    fn abandoned_files(&self) -> Result<Vec<PathBuf>, Error> {
        if !self.was_alone {
            return Ok(Vec::new());
        }
        let mut files = list_folder(&self.temporary_folder())?;
        files.retain(|path| {
            let name = path.file_name().unwrap_or_default().as_encoded_bytes();
            name.starts_with(TEMPORARY_PREFIX.as_bytes())
        });
        Ok(files)
    }
}

const TEMPORARY_PREFIX: &str = "blob-";

/// Returns the paths in a folder, sorted; none when there is no such folder.
fn list_folder(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(Error::io("list", folder)(source)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(Error::io("list", folder))?.path());
    }
    paths.sort();
    Ok(paths)
}

/// Makes a folder that only its owner can enter: layers hold setuid programs (CVE-2021-41091).
fn create_folder(path: &Path) -> Result<(), Error> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(Error::io("create", path))
}

fn open_lock(path: &Path) -> Result<Option<File>, Error> {
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path);
    match opened {
        Ok(file) => Ok(Some(file)),
        // A lock needs no right to write, and a store that nobody can write needs no lock.
        Err(error) if is_read_only(&error) => Ok(File::open(path).ok()),
        Err(source) => Err(Error::io("open", path)(source)),
    }
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
    )
}

fn write_if_missing(root: &Path, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let path = root.join(name);
    if path.exists() {
        return Ok(());
    }
    replace_file(&root.join("tmp"), &path, bytes)
}

/// Gives `path` new contents in one step, which is on disk when this returns.
fn replace_file(temporary_folder: &Path, path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut file = tempfile::Builder::new()
        .prefix(TEMPORARY_PREFIX)
        .tempfile_in(temporary_folder)
        .map_err(Error::io("create a file in", temporary_folder))?;
    io::Write::write_all(&mut file, bytes).map_err(Error::io("write", file.path()))?;
    file.as_file()
        .sync_data()
        .map_err(Error::io("sync", file.path()))?;
    file.persist(path)
        .map_err(|error| Error::io("write", path)(error.error))?;
    path.parent().map_or(Ok(()), sync_folder)
}

fn sync_folder(folder: &Path) -> Result<(), Error> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(Error::io("sync", folder))
}

#[cfg(test)]
mod tests;
