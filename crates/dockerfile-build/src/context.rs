//! The build context: a directory of the user, read as far as it is asked for.
//!
//! Invariants:
//! - Nothing outside of the directory is opened, and no link in it is followed by the system (CVE-2020-10696, CVE-2026-28406).
//! - Only regular files are opened, never so that it could block.
//! - What `.dockerignore` leaves out is not there; directories that hold nothing else are not entered.
//! - The files belong to root, as for BuildKit. The Dockerfile and `.dockerignore` are files like others.

mod beneath;
mod checked_file;
mod directory;
mod prefetch;
mod stamp;
mod stat_cache;

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use dockerfile_model::IgnoreFile;
use dockerfile_model::ignore_file::ParentMatches;
use oci_image::layer::{Entry, Kind, LayerPath, Timestamp};
use rustc_hash::FxHashMap;
use rustix::fs::{CWD, Mode, OFlags, openat};

use crate::copy::source::text;
use crate::copy::{CopyError, FileSource, Hidden, SourceEntry};
use checked_file::CheckedFile;
use directory::Directory;
use stamp::Stamp;
use stat_cache::StatCache;

/// A view of a context directory, to be shared between threads. What was looked at once stays as it was then.
#[derive(Debug)]
pub struct Context {
    root: Option<OwnedFd>,
    rules: Option<IgnoreFile>,
    directories: Mutex<FxHashMap<LayerPath, Arc<Directory>>>,
    stat_cache: StatCache,
}

/// An entry, and what tells whether the file is still the same.
#[derive(Clone, Debug)]
struct Seen {
    found: SourceEntry,
    stamp: Stamp,
}

impl Context {
    /// Opens a directory. Digests of files are remembered in a file of `cache_directory`.
    pub fn open(
        directory: &Path,
        rules: Option<IgnoreFile>,
        cache_directory: &Path,
    ) -> Result<Context, CopyError> {
        Ok(Context {
            root: Some(open_root(directory)?),
            rules,
            directories: Mutex::default(),
            stat_cache: StatCache::load(directory, cache_directory),
        })
    }

    /// Opens a directory that will not be there for the next build, such as a clone.
    pub fn open_once(directory: &Path) -> Result<Context, CopyError> {
        Ok(Context {
            root: Some(open_root(directory)?),
            ..Context::empty()
        })
    }

    /// Returns a context without files.
    pub fn empty() -> Context {
        Context {
            root: None,
            rules: None,
            directories: Mutex::default(),
            stat_cache: StatCache::none(),
        }
    }

    /// Keeps the digests of files for the next build, if there are new ones.
    pub fn save(&self) -> std::io::Result<()> {
        self.stat_cache.save()
    }

    /// Returns a directory, which is read once.
    fn directory(&self, path: &LayerPath) -> Result<Arc<Directory>, CopyError> {
        if let Some(known) = self.known_directory(path) {
            return Ok(known);
        }
        let directory = match &self.root {
            Some(root) => Directory::read(self, root.as_fd(), path)?,
            None => Directory::default(),
        };
        let directory = Arc::new(directory);
        let mut directories = self
            .directories
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Whoever was first is right, so that all threads see the same.
        Ok(Arc::clone(
            directories.entry(path.clone()).or_insert(directory),
        ))
    }

    fn known_directory(&self, path: &LayerPath) -> Option<Arc<Directory>> {
        let directories = self
            .directories
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        directories.get(path).map(Arc::clone)
    }

    /// Returns which patterns matched a directory or one above it.
    fn matches_of(&self, path: &LayerPath) -> ParentMatches {
        let Some(rules) = self.rules.as_ref().filter(|_| !path.is_root()) else {
            return ParentMatches::default();
        };
        let mut matches = ParentMatches::default();
        for above in path.ancestors().chain([path.clone()]) {
            matches = rules
                .matches_with_parents(&text(above.as_bytes()), &matches)
                .1;
        }
        matches
    }

    fn seen(&self, path: &LayerPath) -> Result<Option<Seen>, CopyError> {
        let Some(parent) = path.parent() else {
            return Ok(Some(root_entry()));
        };
        if let Some(directory) = self.known_directory(&parent) {
            return Ok(directory.get(path.name()).cloned());
        }
        let Some(root) = &self.root else {
            return Ok(None);
        };
        let Some(seen) = directory::look_at(root.as_fd(), path)? else {
            return Ok(None);
        };
        let matches = self.matches_of(&parent);
        Ok(self.is_visible(&seen, &matches)?.then_some(seen))
    }

    /// Returns whether a build sees an entry; `matches` is what matched its directory.
    fn is_visible(&self, seen: &Seen, matches: &ParentMatches) -> Result<bool, CopyError> {
        let Some(rules) = &self.rules else {
            return Ok(true);
        };
        let path = text(seen.found.entry.path.as_bytes());
        if !rules.matches_with_parents(&path, matches).0 {
            return Ok(true);
        }
        if !seen.found.entry.kind.is_directory() || rules.can_skip_directory(&path) {
            return Ok(false);
        }
        // A directory that is left out comes along with what is not.
        Ok(!self.directory(&seen.found.entry.path)?.is_empty())
    }

    fn read_digest(&self, seen: &Seen) -> Result<[u8; 32], CopyError> {
        let path = &seen.found.entry.path;
        if let Some(known) = self.stat_cache.get(path, &seen.stamp) {
            return Ok(known);
        }
        let begun = SystemTime::now();
        let digest = crate::copy::source::digest_of(self.open_seen(seen)?, &seen.found)?;
        self.stat_cache.add(path, seen.stamp, digest, begun);
        Ok(digest)
    }

    fn open_seen(&self, seen: &Seen) -> Result<CheckedFile, CopyError> {
        let path = &seen.found.entry.path;
        let changed = || CopyError::Changed { path: path.clone() };
        let root = self.root.as_ref().ok_or_else(changed)?;
        let flags =
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file =
            beneath::open_beneath(root.as_fd(), path, flags).map_err(|error| match error {
                // It was there, and was a regular file.
                rustix::io::Errno::NOENT
                | rustix::io::Errno::LOOP
                | rustix::io::Errno::NOTDIR
                | rustix::io::Errno::NXIO => changed(),
                error => CopyError::read(path, error.into()),
            })?;
        CheckedFile::new(File::from(file), seen.stamp).map_err(|error| CopyError::read(path, error))
    }

    fn must_see(&self, file: &SourceEntry) -> Result<Seen, CopyError> {
        let path = &file.entry.path;
        let seen = self.seen(path)?.filter(|seen| seen.found == *file);
        seen.ok_or_else(|| CopyError::Changed { path: path.clone() })
    }
}

impl FileSource for Context {
    fn lookup(&self, path: &LayerPath) -> Result<Option<SourceEntry>, CopyError> {
        Ok(self.seen(path)?.map(|seen| seen.found))
    }

    fn children(&self, directory: &LayerPath) -> Result<Vec<SourceEntry>, CopyError> {
        Ok(self
            .directory(directory)?
            .entries()
            .iter()
            .map(|seen| seen.found.clone())
            .collect())
    }

    fn open(&self, file: &SourceEntry) -> Result<Box<dyn Read + Send>, CopyError> {
        Ok(Box::new(self.open_seen(&self.must_see(file)?)?))
    }

    fn content_digests(&self, files: &[&SourceEntry]) -> Result<Vec<[u8; 32]>, CopyError> {
        prefetch::in_parallel(files, |file| self.read_digest(&self.must_see(file)?))
    }

    fn prefetch(&self, directory: &LayerPath) -> Result<(), CopyError> {
        prefetch::read_below(self, directory)
    }

    fn place(&self) -> &'static str {
        "the build context"
    }

    fn why_hidden(&self, path: &LayerPath) -> Option<Hidden> {
        let root = self.root.as_ref()?;
        let rules = self.rules.as_ref()?;
        directory::look_at(root.as_fd(), path).ok().flatten()?;
        let names: Vec<_> = path
            .ancestors()
            .chain([path.clone()])
            .map(|path| text(path.as_bytes()))
            .collect();
        let is_it = |pattern: &&dockerfile_model::ignore_file::IgnorePattern| {
            !pattern.is_exception && names.iter().any(|name| pattern.matches(name))
        };
        let pattern = rules.patterns().iter().rev().find(is_it)?;
        Some(Hidden {
            pattern: pattern.pattern.clone(),
            line: pattern.line,
        })
    }
}

fn open_root(directory: &Path) -> Result<OwnedFd, CopyError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = openat(CWD, directory, flags, Mode::empty());
    root.map_err(|error| CopyError::Context {
        source: error.into(),
    })
}

fn root_entry() -> Seen {
    let entry = Entry {
        kind: Kind::Directory { is_opaque: false },
        ..Entry::directory(LayerPath::root(), Timestamp::default())
    };
    Seen {
        found: SourceEntry {
            entry,
            identity: None,
        },
        stamp: Stamp::default(),
    }
}

#[cfg(test)]
mod tests;
