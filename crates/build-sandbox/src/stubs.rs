//! Takes away the mount points that a sandbox had to make, so that a command that changes nothing leaves an empty layer.
//!
//! It runs after everything in the sandbox is dead, on the directory of changes, and follows no link that the command may have
//! put in the place of a directory (CVE-2024-23652).

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::fcntl::{AtFlags, OFlag, open};
use nix::sys::stat::{FileStat, Mode, fstat, fstatat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use crate::message::StubChain;
use crate::system_call::{BENEATH, NO_SYMLINKS, open_below, set_times};

/// A directory above a mount point, as the command left it.
struct Left {
    about: FileStat,
    /// It is there on our account only.
    removable: bool,
}

pub(crate) fn remove_stubs(changes: &Path, chains: &[StubChain]) {
    if chains.is_empty() {
        return;
    }
    let Ok(root) = open(
        changes,
        OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
        Mode::empty(),
    ) else {
        return;
    };
    let parents = parents_left(root.as_fd(), chains);
    for chain in chains.iter().rev() {
        remove_chain(root.as_fd(), chain);
    }
    // The order of paths puts a directory before what is in it.
    for (path, left) in parents.iter().rev() {
        if left.removable {
            let _ = remove_entry(root.as_fd(), path, false);
        }
    }
    for (path, left) in parents.iter().rev() {
        if let Some(directory) = open_directory(root.as_fd(), path) {
            let _ = set_times(directory.as_fd(), &left.about);
        }
    }
}

fn parents_left(root: BorrowedFd<'_>, chains: &[StubChain]) -> BTreeMap<PathBuf, Left> {
    let mut parents = BTreeMap::new();
    for chain in chains {
        for (path, parent) in chain.path.ancestors().skip(chain.made).zip(&chain.parents) {
            let about = open_directory(root, path).and_then(|directory| fstat(&directory).ok());
            if let Some(about) = about {
                let untouched = (about.st_ctime, about.st_ctime_nsec) == parent.changed;
                let removable = parent.copied_up && untouched;
                parents.insert(path.to_owned(), Left { about, removable });
            }
        }
    }
    parents
}

fn remove_chain(root: BorrowedFd<'_>, chain: &StubChain) {
    for (depth, path) in chain.path.ancestors().take(chain.made).enumerate() {
        if !remove_entry(root, path, chain.is_file && depth == 0) {
            return;
        }
    }
}

/// Removes an empty file or directory; says whether it is gone.
fn remove_entry(root: BorrowedFd<'_>, path: &Path, is_file: bool) -> bool {
    let (Some(name), Some(parent)) = (path.file_name(), path.parent()) else {
        return false;
    };
    let Some(directory) = open_directory(root, parent) else {
        return false;
    };
    if !is_file {
        return unlinkat(&directory, name, UnlinkatFlags::RemoveDir).is_ok();
    }
    let empty = fstatat(&directory, name, AtFlags::AT_SYMLINK_NOFOLLOW)
        .is_ok_and(|about| about.st_mode & libc::S_IFMT == libc::S_IFREG && about.st_size == 0);
    empty && unlinkat(&directory, name, UnlinkatFlags::NoRemoveDir).is_ok()
}

fn open_directory(root: BorrowedFd<'_>, path: &Path) -> Option<OwnedFd> {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    open_below(
        root,
        path,
        libc::O_PATH | libc::O_DIRECTORY,
        BENEATH | NO_SYMLINKS,
    )
    .ok()
}
