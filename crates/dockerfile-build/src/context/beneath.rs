//! Opening below a directory, whatever somebody puts in the way meanwhile.

use std::os::fd::{BorrowedFd, OwnedFd};

use oci_image::layer::LayerPath;
use rustix::fs::{Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::{Errno, Result};

/// The kernel asks for another try when something is renamed at the same time.
const MAX_TRIES: usize = 16;

/// Opens a path below a directory. Nowhere in the path a link is followed.
pub(super) fn open_beneath(
    root: BorrowedFd<'_>,
    path: &LayerPath,
    flags: OFlags,
) -> Result<OwnedFd> {
    if path.is_root() {
        return openat(root, ".", flags, Mode::empty());
    }
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    for _ in 0..MAX_TRIES {
        match openat2(root, path.as_path(), flags, Mode::empty(), resolve) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            // Before Linux 5.6, or a seccomp filter that does not know the call.
            Err(Errno::NOSYS | Errno::PERM) => return open_by_parts(root, path, flags),
            other => return other,
        }
    }
    Err(Errno::AGAIN)
}

pub(super) fn open_by_parts(
    root: BorrowedFd<'_>,
    path: &LayerPath,
    flags: OFlags,
) -> Result<OwnedFd> {
    let above = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut directory = openat(root, ".", above, Mode::empty())?;
    for part in path.parent().unwrap_or_default().parts() {
        directory = openat(&directory, part, above, Mode::empty())?;
    }
    openat(
        &directory,
        path.name(),
        flags | OFlags::NOFOLLOW,
        Mode::empty(),
    )
}
