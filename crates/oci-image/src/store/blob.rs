//! Blobs: written to a temporary file while they are hashed, verified while they are read.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::num::NonZeroU64;

use rustix::fs::{Advice, fadvise};
use tempfile::NamedTempFile;

use super::{Store, TEMPORARY_PREFIX, create_folder};
use crate::digest::{Digest, DigestReader, DigestWriter};
use crate::error::Error;

/// After how many bytes the kernel is told to begin writing to disk, so that the sync at the end has little to wait for.
const WRITE_BACK_STEP: u64 = 8 << 20;

/// A blob that is being written; dropped without [`BlobWriter::commit`], it leaves nothing.
pub struct BlobWriter<'store> {
    store: &'store Store,
    output: DigestWriter<NamedTempFile>,
    /// Up to where write-back was begun.
    written_back: u64,
}

impl<'store> BlobWriter<'store> {
    pub(super) fn begin(store: &'store Store) -> Result<Self, Error> {
        let folder = store.temporary_folder();
        let create = || {
            tempfile::Builder::new()
                .prefix(TEMPORARY_PREFIX)
                .tempfile_in(&folder)
        };
        let file = match create() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create_folder(&folder)?;
                create()
            }
            created => created,
        };
        let file = file.map_err(Error::io("create a file in", &folder))?;
        Ok(Self {
            store,
            output: DigestWriter::new(file),
            written_back: 0,
        })
    }

    /// Returns how many bytes were written.
    pub fn size(&self) -> u64 {
        self.output.size()
    }

    /// Writes bytes, and names the file when that fails.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let path = self.store.temporary_folder();
        self.write_all(bytes)
            .map_err(Error::io("write a blob in", &path))
    }

    /// Gives the blob its name, and returns its digest and size.
    ///
    /// Fails when `expected` is another digest. The bytes need not be on disk yet: [`Store::sync`] or a
    /// [`super::Publication`] sees to that.
    pub fn commit(self, expected: Option<&Digest>) -> Result<(Digest, u64), Error> {
        let (mut file, mut digest, size) = self.output.finish();
        if let Some(expected) = expected
            && *expected != digest
        {
            if expected.algorithm() == digest.algorithm() {
                return Err(Error::digest_mismatch(expected, &digest));
            }
            digest = rehash(&mut file, expected)?;
            if digest != *expected {
                return Err(Error::digest_mismatch(expected, &digest));
            }
        }
        // A blob of that name is replaced: should it be corrupt, it is no longer.
        let path = self.store.blob_path(&digest);
        let set_mode = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o600);
        file.as_file()
            .set_permissions(set_mode)
            .map_err(Error::io("set the mode of", file.path()))?;
        if let Some(folder) = path.parent()
            && !folder.is_dir()
        {
            create_folder(folder)?;
        }
        file.persist(&path)
            .map_err(|error| Error::io("write", &path)(error.error))?;
        self.store.unsynced().insert(digest);
        Ok((digest, size))
    }

    /// Tells the kernel to begin write-back of what came since the last time.
    ///
    /// `POSIX_FADV_DONTNEED` begins it without waiting (mm/fadvise.c), as sync_file_range(2) would, for which no crate has a
    /// safe function. What it drops from memory are pages that are on disk already.
    fn begin_write_back(&mut self) {
        let size = self.output.size();
        if let Some(length) = NonZeroU64::new(size - self.written_back)
            && length.get() >= WRITE_BACK_STEP
        {
            // Only advice: a file system that knows nothing of it loses nothing.
            let _ = fadvise(
                self.output.inner().as_file(),
                self.written_back,
                Some(length),
                Advice::DontNeed,
            );
            self.written_back = size;
        }
    }
}

/// Computes the digest once more, with the algorithm of `expected`.
fn rehash(file: &mut NamedTempFile, expected: &Digest) -> Result<Digest, Error> {
    let path = file.path().to_path_buf();
    let opened = File::open(&path).map_err(Error::io("open", &path))?;
    let mut reader = DigestReader::with_algorithm(opened, expected.algorithm());
    io::copy(&mut reader, &mut io::sink()).map_err(Error::io("read", &path))?;
    Ok(reader.finish().1)
}

impl Write for BlobWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        self.begin_write_back();
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// Reads a blob; its end is an error of kind `InvalidData` when the bytes were not those of the digest.
pub struct BlobReader {
    input: Option<DigestReader<File>>,
    digest: Digest,
    size: u64,
}

impl BlobReader {
    pub(super) fn open(store: &Store, digest: &Digest) -> Result<Self, Error> {
        let path = store.blob_path(digest);
        let size = store
            .blob_size(digest)
            .ok_or_else(|| Error::missing_blob(digest))?;
        let file = File::open(&path).map_err(Error::io("open", &path))?;
        Ok(Self {
            input: Some(DigestReader::with_algorithm(file, digest.algorithm())),
            digest: *digest,
            size,
        })
    }

    /// Returns the size of the blob.
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(input) = &mut self.input else {
            return Ok(0);
        };
        let read = input.read(buffer)?;
        if read == 0
            && !buffer.is_empty()
            && let Some((_, actual, _)) = self.input.take().map(DigestReader::finish)
            && actual != self.digest
        {
            let error = Error::CorruptBlob {
                digest: Box::new(self.digest),
                actual: Box::new(actual),
            };
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        Ok(read)
    }
}
