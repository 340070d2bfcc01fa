//! One directory of the context.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use dockerfile_model::ignore_file::ParentMatches;
use oci_image::layer::{Entry, Kind, LayerPath, Timestamp};
use rustix::fs::{
    AtFlags, Dir, FileType, OFlags, Stat, lgetxattr, major, minor, readlinkat, statat,
};
use rustix::io::Errno;

use super::beneath::open_beneath;
use super::{Context, Seen, Stamp};
use crate::copy::{CopyError, SourceEntry};

/// The only extended attribute that layers carry.
const CAPABILITY: &str = "security.capability";
/// The longest value that the kernel has for it (`struct vfs_ns_cap_data`) is 24 bytes.
const MAX_CAPABILITY: usize = 64;
const OPEN_DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// What a build sees in one directory.
#[derive(Debug, Default)]
pub(super) struct Directory {
    // Invariant: ascending by name.
    entries: Vec<Seen>,
    matches: ParentMatches,
}

impl Directory {
    /// Reads a directory. One that is not there, or is none, is empty.
    pub(super) fn read(
        context: &Context,
        root: BorrowedFd<'_>,
        path: &LayerPath,
    ) -> Result<Directory, CopyError> {
        let fail = |error: Errno| CopyError::read(path, error.into());
        let directory = match open_beneath(root, path, OPEN_DIRECTORY) {
            Ok(directory) => directory,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(Directory::default()),
            Err(error) => return Err(fail(error)),
        };
        let parent_matches = path
            .parent()
            .and_then(|parent| context.known_directory(&parent));
        let matches = match (parent_matches, &context.rules) {
            (Some(parent), Some(rules)) => {
                rules
                    .matches_with_parents(
                        &crate::copy::source::text(path.as_bytes()),
                        &parent.matches,
                    )
                    .1
            }
            _ => context.matches_of(path),
        };
        let mut entries = Vec::new();
        for entry in Dir::read_from(&directory).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let Some(path) = path.join(entry.file_name().to_bytes()) else {
                continue;
            };
            if let Some(seen) = look_in(directory.as_fd(), path)?
                && context.is_visible(&seen, &matches)?
            {
                entries.push(seen);
            }
        }
        entries.sort_unstable_by(|one, other| {
            one.found
                .entry
                .path
                .name()
                .cmp(other.found.entry.path.name())
        });
        Ok(Directory { entries, matches })
    }

    pub(super) fn entries(&self) -> &[Seen] {
        &self.entries
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn get(&self, name: &[u8]) -> Option<&Seen> {
        let place = self
            .entries
            .binary_search_by(|seen| seen.found.entry.path.name().cmp(name));
        self.entries.get(place.ok()?)
    }
}

/// Returns what is at a path, whether a build sees it or not.
pub(super) fn look_at(root: BorrowedFd<'_>, path: &LayerPath) -> Result<Option<Seen>, CopyError> {
    let parent = path.parent().unwrap_or_default();
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match open_beneath(root, &parent, flags) {
        Ok(directory) => look_in(directory.as_fd(), path.clone()),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NAMETOOLONG) => Ok(None),
        Err(error) => Err(CopyError::read(path, error.into())),
    }
}

/// Returns the entry of a directory that has the name of the path; sockets are nothing.
fn look_in(directory: BorrowedFd<'_>, path: LayerPath) -> Result<Option<Seen>, CopyError> {
    let fail = |error: Errno| CopyError::read(&path, error.into());
    let stat = match statat(directory, path.name(), AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => stat,
        // It went away after its name was read.
        Err(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => return Ok(None),
        Err(error) => return Err(fail(error)),
    };
    let device = || (major(stat.st_rdev), minor(stat.st_rdev));
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Kind::File {
            size: stat.st_size.cast_unsigned(),
        },
        FileType::Directory => Kind::Directory { is_opaque: false },
        FileType::Symlink => match readlinkat(directory, path.name(), Vec::new()) {
            Ok(target) => Kind::Symlink {
                target: target.into_bytes(),
            },
            Err(Errno::NOENT | Errno::INVAL) => return Ok(None),
            Err(error) => return Err(fail(error)),
        },
        FileType::Fifo => Kind::Fifo,
        // Overlayfs takes it for a whiteout, so no layer may have it.
        FileType::CharacterDevice if device() == (0, 0) => return Ok(None),
        FileType::CharacterDevice => Kind::CharDevice {
            major: device().0,
            minor: device().1,
        },
        FileType::BlockDevice => Kind::BlockDevice {
            major: device().0,
            minor: device().1,
        },
        _ => return Ok(None),
    };
    let has_names = stat.st_nlink > 1 && !kind.is_directory();
    let xattrs = capability(directory, &path, &stat);
    let entry = Entry {
        kind,
        mode: stat.st_mode & 0o7777,
        uid: 0,
        gid: 0,
        modified: Timestamp {
            seconds: stat.st_mtime,
            nanos: stat.st_mtime_nsec as u32,
        },
        xattrs,
        path,
    };
    let identity = has_names.then_some((stat.st_dev, stat.st_ino));
    Ok(Some(Seen {
        found: SourceEntry { entry, identity },
        stamp: Stamp::of(&stat),
    }))
}

/// Returns the file capabilities, which only programs have.
fn capability(directory: BorrowedFd<'_>, path: &LayerPath, stat: &Stat) -> Vec<(Vec<u8>, Vec<u8>)> {
    let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    if !is_file || stat.st_mode & 0o111 == 0 {
        return Vec::new();
    }
    // There is no such call for a directory descriptor and a name before Linux 6.13.
    let mut place = format!("/proc/self/fd/{}/", directory.as_raw_fd()).into_bytes();
    place.extend_from_slice(path.name());
    let mut value = vec![0; MAX_CAPABILITY];
    match lgetxattr(place.as_slice(), CAPABILITY, &mut value[..]) {
        Ok(length @ 1..) => {
            value.truncate(length);
            vec![(CAPABILITY.as_bytes().to_vec(), value)]
        }
        _ => Vec::new(),
    }
}
