//! Where COPY reads from.

use std::io::Read;

use oci_image::layer::{Entry, Kind, LayerPath};

use super::CopyError;

/// As BuildKit (`MaxSymlinkLimit` of containerd's continuity): a longer chain is taken for a loop.
const MAX_LINKS: usize = 255;
const BUFFER: usize = 128 << 10;

/// One file of a source. A hard link is the file that it names; `identity` tells which names are one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceEntry {
    pub entry: Entry,
    /// The same for all names of a file that has several.
    pub identity: Option<(u64, u64)>,
}

/// A tree of files that COPY reads from. Paths are taken as they are written: no link is followed.
pub trait FileSource: Sync {
    /// Returns what is at a path; the root is always there.
    fn lookup(&self, path: &LayerPath) -> Result<Option<SourceEntry>, CopyError>;

    /// Returns what is directly in a directory, by the bytes of the names.
    fn children(&self, directory: &LayerPath) -> Result<Vec<SourceEntry>, CopyError>;

    /// Opens a regular file. The reader fails if the file is not what the entry says.
    fn open(&self, file: &SourceEntry) -> Result<Box<dyn Read + Send>, CopyError>;

    /// Returns the BLAKE3 digests of regular files, in the order asked for.
    fn content_digests(&self, files: &[&SourceEntry]) -> Result<Vec<[u8; 32]>, CopyError> {
        files
            .iter()
            .map(|file| digest_of(self.open(file)?, file))
            .collect()
    }

    /// Says that all below a directory is going to be asked for.
    fn prefetch(&self, _directory: &LayerPath) -> Result<(), CopyError> {
        Ok(())
    }

    /// Returns what to call the source in a message.
    fn place(&self) -> &'static str;

    /// Returns why a path that exists on the disk is not in the source.
    fn why_hidden(&self, _path: &LayerPath) -> Option<Hidden> {
        None
    }
}

/// The line of `.dockerignore` that leaves a file out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden {
    pub pattern: String,
    /// 0-based.
    pub line: u32,
}

/// Returns the BLAKE3 digest of a file that was opened.
pub(crate) fn digest_of(mut reader: impl Read, file: &SourceEntry) -> Result<[u8; 32], CopyError> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(*hasher.finalize().as_bytes()),
            Ok(count) => {
                hasher.update(buffer.get(..count).unwrap_or_default());
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(CopyError::read(&file.entry.path, error)),
        }
    }
}

/// Follows all symbolic links of a path inside of the source; `None` when it leads to nothing.
pub fn resolve(source: &dyn FileSource, path: &[u8]) -> Result<Option<SourceEntry>, CopyError> {
    let mut left = Vec::new();
    push_parts(&mut left, path);
    let mut real = LayerPath::root();
    let mut found = source.lookup(&real)?;
    let mut links = 0;
    while let Some(part) = left.pop() {
        let next = match part.as_slice() {
            b".." => real.parent().unwrap_or_default(),
            part => match real.join(part) {
                Some(next) => next,
                None => return Ok(None),
            },
        };
        let entry = source.lookup(&next)?;
        if let Some(Kind::Symlink { target }) = entry.as_ref().map(|found| &found.entry.kind) {
            links += 1;
            if links > MAX_LINKS {
                return Err(CopyError::TooManyLinks { path: text(path) });
            }
            if target.first() == Some(&b'/') {
                real = LayerPath::root();
            }
            push_parts(&mut left, target);
            found = source.lookup(&real)?;
            continue;
        }
        real = next;
        found = entry;
    }
    Ok(found)
}

/// Puts the parts of a path on the stack, the first part on top.
pub(super) fn push_parts(left: &mut Vec<Vec<u8>>, path: &[u8]) {
    let parts = path.split(|&byte| byte == b'/');
    let parts = parts.filter(|part| !matches!(*part, b"" | b"."));
    left.extend(parts.rev().map(<[u8]>::to_vec));
}

/// Returns bytes as patterns see them: what is no UTF-8 counts as one strange letter a byte, as in Go.
pub(crate) fn text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}
