//! Reaches the files of a snapshot through descriptors of their directories, never through a symbolic link.
//!
//! Every part of a path is opened on its own with `O_NOFOLLOW`, and paths have no `..`: that is as strict as openat2 with
//! RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS, and works where a seccomp filter does not know openat2.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{CWD, Mode, OFlags, openat};

use super::{LayerError, LayerPath};

const OPEN_DIRECTORY: OFlags = OFlags::PATH
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
/// More descriptors are not held, however deep the tree.
const MOST_HELD: usize = 64;

/// The directories on the way to the last path, held open.
pub(super) struct Directories {
    root: OwnedFd,
    // Invariant: each is below the one before.
    held: Vec<(LayerPath, OwnedFd)>,
}

impl Directories {
    /// Opens the directory that holds the snapshot. A link at its own end is followed: the path is ours.
    pub(super) fn open(root: &Path) -> Result<Self, LayerError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = openat(CWD, root, flags, Mode::empty());
        let root = opened
            .map_err(|error| LayerError::file("open the snapshot", &LayerPath::root(), error))?;
        Ok(Self {
            root,
            held: Vec::new(),
        })
    }

    /// Returns the directory that holds a path.
    pub(super) fn parent_of(&mut self, path: &LayerPath) -> Result<BorrowedFd<'_>, LayerError> {
        self.directory(&path.parent().unwrap_or_default())
    }

    /// Returns a directory.
    pub(super) fn directory(&mut self, path: &LayerPath) -> Result<BorrowedFd<'_>, LayerError> {
        while self
            .held
            .last()
            .is_some_and(|(held, _)| held != path && !path.is_in(held))
        {
            self.held.pop();
        }
        let mut at = self
            .held
            .last()
            .map(|(held, _)| held.clone())
            .unwrap_or_default();
        let rest = path.as_bytes().get(at.as_bytes().len()..).unwrap_or(&[]);
        for part in rest
            .split(|&byte| byte == b'/')
            .filter(|part| !part.is_empty())
        {
            let next = at.join(part).unwrap_or_default();
            let opened = openat(self.top(), part, OPEN_DIRECTORY, Mode::empty());
            let opened =
                opened.map_err(|error| LayerError::file("open the directory", &next, error))?;
            if self.held.len() >= MOST_HELD {
                self.held.pop();
            }
            self.held.push((next.clone(), opened));
            at = next;
        }
        Ok(self.top())
    }

    /// Opens a file for reading; a pipe or device does not block.
    pub(super) fn open_file(&mut self, path: &LayerPath) -> Result<File, LayerError> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let opened = openat(self.parent_of(path)?, path.name(), flags, Mode::empty());
        opened
            .map(File::from)
            .map_err(|error| LayerError::file("open", path, error))
    }

    /// Forgets descriptors of directories that are about to go.
    pub(super) fn forget(&mut self) {
        self.held.clear();
    }

    fn top(&self) -> BorrowedFd<'_> {
        self.held
            .last()
            .map_or(self.root.as_fd(), |(_, held)| held.as_fd())
    }
}

/// Returns a path for the calls that know no directory descriptor, as those for extended attributes.
pub(super) fn through_proc(directory: BorrowedFd<'_>, name: &[u8]) -> PathBuf {
    let mut path = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd()));
    if !name.is_empty() {
        path.push(OsStr::from_bytes(name));
    }
    path
}
