//! Layers in the store: what each holds, and its files where something has to read them.
//!
//! A layer is a folder `layers/ID` with a listing. Its bytes are in one or both of two forms: a tar among the blobs, or a snapshot, a folder
//! in the form of overlayfs that a command can run on. A layer of COPY is born as a tar, one of RUN as a snapshot; the other form is made when
//! somebody asks for it.

mod check;
mod delta;

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime};

use build_sandbox::user_namespace;
use oci_image::Digest;
use oci_image::layer::{Kind, LayerPath, LayerWriter, Listing, UnpackOptions, pack, unpack};
use oci_image::store::Store;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::error::{BuildError, Failure, told};

pub use check::{LayerFault, check_layers, repair_layers};

/// The name of a layer in the store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct LayerId(String);

impl LayerId {
    pub(crate) fn new(text: impl Into<String>) -> LayerId {
        LayerId(text.into())
    }

    /// The id of a layer that is known by its bytes.
    pub(crate) fn of_tar(diff_id: &Digest) -> LayerId {
        LayerId(format!("tar-{}", diff_id.hex()))
    }

    /// Returns the id as part of a path, if it can be one: an id may come from a file that somebody else wrote.
    fn folder(&self) -> Option<&str> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (!self.0.is_empty() && self.0.bytes().all(is_plain)).then_some(&self.0)
    }
}

impl fmt::Display for LayerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How old the note of the last use may be.
const NOTED_AGAIN: Duration = Duration::from_secs(10 * 60);

/// Where the digest of a tar is kept that is what the layer was born as.
const FIXED_DIFF_ID: &str = "diff-id";

/// A layer.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) id: LayerId,
    folder: PathBuf,
    listing: OnceLock<Arc<Listing>>,
    /// The digest of the tar, once it is known.
    diff_id: OnceLock<Digest>,
    /// One maker of a form at a time.
    making: Mutex<()>,
    /// What was found when the tar was read whole, or that it was written just now.
    verified: OnceLock<Result<(), BuildError>>,
}

/// How snapshots are made on this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SnapshotForm {
    /// Inside of a user namespace: other attributes, no devices.
    pub(crate) is_rootless: bool,
    /// There is one user only: owners live in listings.
    pub(crate) has_one_id: bool,
}

/// All layers of a store.
#[derive(Debug)]
pub(crate) struct Layers {
    root: PathBuf,
    open: Mutex<FxHashMap<LayerId, Arc<Layer>>>,
    form: SnapshotForm,
    /// Times in tars that are made of snapshots are set back to this.
    clamp: Option<i64>,
}

impl Layers {
    pub(crate) fn new(store: &Path, form: SnapshotForm, clamp: Option<i64>) -> Layers {
        Layers {
            root: store.join("layers"),
            open: Mutex::default(),
            form,
            clamp,
        }
    }

    pub(crate) fn form(&self) -> SnapshotForm {
        self.form
    }

    /// Returns where the digest of a tar that was made of a snapshot is kept: another clock makes another tar.
    fn sealed_name(&self) -> String {
        match self.clamp {
            Some(seconds) => format!("diff-id-until-{seconds}"),
            None => "diff-id-as-it-was".to_owned(),
        }
    }

    /// Returns a layer that an earlier build left, if it is whole.
    pub(crate) fn find(&self, id: &LayerId) -> Option<Arc<Layer>> {
        let mut open = lock(&self.open);
        if let Some(layer) = open.get(id) {
            return Some(Arc::clone(layer));
        }
        let folder = self.root.join(id.folder()?);
        let diff_id = fs::read_to_string(folder.join(FIXED_DIFF_ID))
            .or_else(|_| fs::read_to_string(folder.join(self.sealed_name())))
            .ok()
            .and_then(|text| text.trim().parse().ok());
        // The listing is written last: with it, the layer is whole. After a loss of power a file may be there without its bytes.
        let listing = folder.join("listing");
        let found = fs::metadata(&listing).ok()?;
        if !found.is_file() || found.len() == 0 || !self.has_bytes(&folder, diff_id.as_ref()) {
            return None;
        }
        note_use(&listing, &found);
        let layer = Arc::new(Layer::new(id.clone(), folder, diff_id));
        open.insert(id.clone(), Arc::clone(&layer));
        Some(layer)
    }

    /// Returns whether the files of a layer are there, in one form or the other.
    fn has_bytes(&self, folder: &Path, diff_id: Option<&Digest>) -> bool {
        if folder.join("snapshot").is_dir() {
            return true;
        }
        let blob = diff_id.map(|digest| blob_path(&self.root, digest));
        blob.is_some_and(|blob| fs::metadata(blob).is_ok_and(|found| found.len() > 0))
    }

    /// Adds a layer whose tar is among the blobs.
    pub(crate) fn add_tar(&self, diff_id: Digest, listing: Listing) -> io::Result<Arc<Layer>> {
        let id = LayerId::of_tar(&diff_id);
        let layer = match self.find(&id) {
            Some(known) => known,
            None => self.add(id, Some(diff_id), listing, None)?,
        };
        // Its bytes have just been written and hashed.
        let _ = layer.verified.set(Ok(()));
        Ok(layer)
    }

    /// Adds a layer that is a snapshot; the folder moves into the store.
    pub(crate) fn add_snapshot(
        &self,
        id: LayerId,
        diff_id: Option<Digest>,
        listing: Listing,
        snapshot: &Path,
    ) -> io::Result<Arc<Layer>> {
        self.add(id, diff_id, listing, Some(snapshot))
    }

    fn add(
        &self,
        id: LayerId,
        diff_id: Option<Digest>,
        listing: Listing,
        snapshot: Option<&Path>,
    ) -> io::Result<Arc<Layer>> {
        let name = id
            .folder()
            .ok_or_else(|| io::Error::other("a layer has a bad name"))?;
        let folder = self.root.join(name);
        fs::create_dir_all(&folder)?;
        if let Some(snapshot) = snapshot {
            match fs::rename(snapshot, folder.join("snapshot")) {
                // Another build was faster.
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
                other => other?,
            }
        }
        if let Some(diff_id) = &diff_id {
            write_whole(&folder.join(FIXED_DIFF_ID), |file| {
                io::Write::write_all(file, diff_id.to_string().as_bytes())
            })?;
        }
        write_whole(&folder.join("listing"), |file| {
            listing.save(file).map_err(io::Error::other)
        })?;
        let layer = Layer::new(id.clone(), folder, diff_id);
        let _ = layer.listing.set(Arc::new(listing));
        let layer = Arc::new(layer);
        lock(&self.open).insert(id, Arc::clone(&layer));
        Ok(layer)
    }

    /// Returns the folder of a layer that a command can run on; makes it when there is none.
    pub(crate) fn snapshot(&self, layer: &Layer, store: &Store) -> Result<PathBuf, BuildError> {
        let snapshot = layer.folder.join("snapshot");
        let _maker = lock(&layer.making);
        if snapshot.is_dir() {
            return Ok(snapshot);
        }
        let Some(diff_id) = layer.diff_id.get() else {
            return Err(damaged(layer, "its snapshot is gone"));
        };
        let blob = store
            .open_blob(diff_id)
            .map_err(|error| damaged(layer, &told(&error)))?;
        require_namespace()?;
        let temporary = tempfile::Builder::new()
            .prefix("unpack-")
            .tempdir_in(&layer.folder)
            .map_err(|error| BuildError::system("cannot make a folder in the store", &error))?;
        let listing = layer.listing()?;
        let options = UnpackOptions {
            is_rootless: self.form.is_rootless,
            has_one_id: self.form.has_one_id,
            fractions: Some(&listing),
            ..UnpackOptions::default()
        };
        let mut blob = BufReader::with_capacity(1 << 20, blob);
        unpack(&mut blob, temporary.path(), &options)
            .map_err(|error| damaged(layer, &told(&error)))?;
        // Only at its end a blob says whether its bytes were those of its name.
        io::copy(&mut blob, &mut io::sink()).map_err(|error| damaged(layer, &told(&error)))?;
        match fs::rename(temporary.path(), &snapshot) {
            Ok(()) => {
                // It has another name now.
                let _ = temporary.keep();
            }
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
            Err(error) => return Err(BuildError::system("cannot keep a snapshot", &error)),
        }
        Ok(snapshot)
    }

    /// Returns the digest of the tar of a layer; makes the tar when there is none.
    pub(crate) fn seal(&self, layer: &Layer, store: &Store) -> Result<Digest, BuildError> {
        let _maker = lock(&layer.making);
        if let Some(diff_id) = layer.diff_id.get()
            && store.blob_size(diff_id).is_some()
        {
            return Ok(*diff_id);
        }
        let listing = layer.listing()?;
        let snapshot = layer.folder.join("snapshot");
        let fault =
            |error: &dyn std::error::Error| BuildError::system("cannot write a layer", error);
        let blob = store.begin_blob().map_err(|error| fault(&error))?;
        let mut writer = LayerWriter::new(BufWriter::with_capacity(1 << 20, blob));
        pack(&listing, &snapshot, &mut writer, self.clamp).map_err(|error| fault(&error))?;
        let (buffer, _) = writer.finish().map_err(|error| fault(&error))?;
        let blob = buffer.into_inner().map_err(|error| fault(&error.error()))?;
        let (diff_id, _) = blob.commit(None).map_err(|error| fault(&error))?;
        write_whole(&layer.folder.join(self.sealed_name()), |file| {
            io::Write::write_all(file, diff_id.to_string().as_bytes())
        })
        .map_err(|error| fault(&error))?;
        let _ = layer.diff_id.set(diff_id);
        Ok(diff_id)
    }
}

impl Layer {
    fn new(id: LayerId, folder: PathBuf, diff_id: Option<Digest>) -> Layer {
        let known = OnceLock::new();
        if let Some(diff_id) = diff_id {
            let _ = known.set(diff_id);
        }
        Layer {
            id,
            folder,
            listing: OnceLock::new(),
            diff_id: known,
            making: Mutex::default(),
            verified: OnceLock::new(),
        }
    }

    /// Returns what the layer holds.
    pub(crate) fn listing(&self) -> Result<Arc<Listing>, BuildError> {
        if let Some(listing) = self.listing.get() {
            return Ok(Arc::clone(listing));
        }
        let fault = |error: &dyn std::error::Error| damaged(self, &told(error));
        let file = File::open(self.folder.join("listing")).map_err(|error| fault(&error))?;
        let listing = Listing::load(&mut BufReader::new(file)).map_err(|error| fault(&error))?;
        Ok(Arc::clone(self.listing.get_or_init(|| Arc::new(listing))))
    }

    /// Opens the content of a file of the layer for an image that is being built: a tar from an earlier build is read whole first,
    /// for a part of it says nothing about its digest.
    pub(crate) fn open_verified(
        &self,
        path: &LayerPath,
        store: &Store,
    ) -> io::Result<Box<dyn Read + Send>> {
        if !self.folder.join("snapshot").is_dir() {
            self.verify(store).map_err(io::Error::other)?;
        }
        self.open(path, store)
    }

    /// Reads the tar whole, once, and says if it is not what its digest says.
    fn verify(&self, store: &Store) -> Result<(), BuildError> {
        let Some(diff_id) = self.diff_id.get() else {
            return Ok(());
        };
        let verified = self.verified.get_or_init(|| {
            let mut blob = store
                .open_blob(diff_id)
                .map_err(|error| damaged(self, &told(&error)))?;
            let mut buffer = vec![0; 1 << 18];
            loop {
                match blob.read(&mut buffer) {
                    Ok(0) => return Ok(()),
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(damaged(self, &told(&error))),
                }
            }
        });
        verified.clone()
    }

    /// Opens the content of a file of the layer.
    pub(crate) fn open(&self, path: &LayerPath, store: &Store) -> io::Result<Box<dyn Read + Send>> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "the file is not in the layer");
        let listing = self.listing().map_err(io::Error::other)?;
        let file = listing.file_of(path).ok_or_else(missing)?;
        let snapshot = self.folder.join("snapshot");
        if snapshot.is_dir() {
            return open_beneath(&snapshot, &file.path)
                .map(|file| Box::new(file) as Box<dyn Read + Send>);
        }
        self.open_in_tar(&listing, path, store)
    }

    /// Opens the content of a file in the tar of the layer; what is no file has none.
    fn open_in_tar(
        &self,
        listing: &Listing,
        path: &LayerPath,
        store: &Store,
    ) -> io::Result<Box<dyn Read + Send>> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "the file is not in the layer");
        let Some(file) = listing.file_of(path) else {
            return Ok(Box::new(io::empty()));
        };
        let Kind::File { size } = file.kind else {
            return Err(missing());
        };
        if size == 0 {
            return Ok(Box::new(io::empty()));
        }
        let offset = listing.data_offset(&file.path).ok_or_else(missing)?;
        let diff_id = self.diff_id.get().ok_or_else(missing)?;
        let mut blob = File::open(store.blob_path(diff_id))?;
        blob.seek(SeekFrom::Start(offset))?;
        Ok(Box::new(blob.take(size)))
    }
}

fn blob_path(layers: &Path, digest: &Digest) -> PathBuf {
    let store = layers.parent().unwrap_or(layers);
    let folder = store.join("blobs").join(digest.algorithm().name());
    folder.join(digest.hex())
}

/// Notes that a layer was used, for `prune`; seldom, so that a build without changes writes nothing.
fn note_use(listing: &Path, found: &fs::Metadata) {
    let age = found.modified().ok().and_then(|time| time.elapsed().ok());
    if age.is_some_and(|age| age > NOTED_AGAIN) {
        // Nothing but the order of pruning hangs on it.
        let _ = File::open(listing).and_then(|file| file.set_modified(SystemTime::now()));
    }
}

/// Opens a file below a folder; no link on the way is followed, for a layer may have been made to mislead.
fn open_beneath(folder: &Path, path: &LayerPath) -> io::Result<File> {
    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
    let root = openat(
        CWD,
        folder,
        OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let file = openat2(root, path.as_path(), flags, Mode::empty(), resolve)?;
    Ok(File::from(file))
}

/// Files of several owners can be made by root only, the real one or that of a user namespace.
pub(crate) fn require_namespace() -> Result<(), BuildError> {
    if user_namespace::is_privileged() {
        return Ok(());
    }
    let message = "files of an image belong to several users, which this process may not make";
    Err(BuildError::new(Failure::NeedsNamespace, message))
}

fn damaged(layer: &Layer, why: &str) -> BuildError {
    BuildError::new(
        Failure::System,
        format!("the layer {} in the store is damaged: {why}", layer.id),
    )
    .help("`dfbuild store check --repair` takes it out; the next build makes it again")
}

/// Writes a file under another name and renames it, so that nobody ever sees half of it.
fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let temporary = tempfile::NamedTempFile::new_in(folder)?;
    let mut buffer = BufWriter::new(temporary.as_file());
    write(&mut buffer)?;
    io::Write::flush(&mut buffer)?;
    drop(buffer);
    temporary.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Locks; a thread that panicked while it held the lock left nothing half done that matters here.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
