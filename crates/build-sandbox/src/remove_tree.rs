//! Deletes a directory tree that may be hostile: read-only, deep, full of links.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use nix::dir::{Dir, OwningIter};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, openat};
use nix::sys::stat::{FileStat, Mode, fchmod, fstat};
use nix::unistd::{UnlinkatFlags, unlinkat};

/// So many directories are open at the same time; above them, the way back is `..`.
const MOST_OPEN: usize = 128;

/// A directory on the way down.
struct Level {
    /// Its name in the directory above.
    name: OsString,
    directory: Option<OwnedFd>,
    entries: Option<OwningIter>,
    identity: (u64, u64),
}

/// Deletes a tree, without following a link, without recursion, and without leaving its file system.
///
/// A path that does not exist is no error.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    let (parent, name) = match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => (parent, name.to_owned()),
        _ => return Err(io::Error::from_raw_os_error(libc::EINVAL)),
    };
    let parent = if parent.as_os_str().is_empty() {
        Path::new(".")
    } else {
        parent
    };
    let above = match openat(
        AT_FDCWD,
        parent,
        OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
        Mode::empty(),
    ) {
        Err(Errno::ENOENT) => return Ok(()),
        other => other?,
    };
    if remove_simple(&above, &name)? {
        return Ok(());
    }
    let device = None;
    let mut stack = vec![enter(&above, name, device)?];
    let device = stack.first().map(|level| level.identity.0);
    while let Some(level) = stack.last_mut() {
        let Some(directory) = level.directory.as_ref() else {
            break;
        };
        if let Some(name) = next_entry(level.entries.as_mut())? {
            if !remove_simple(directory, &name)? {
                let below = enter(directory, name, device)?;
                stack.push(below);
                close_far_above(&mut stack);
            }
            continue;
        }
        leave(&mut stack, &above)?;
    }
    Ok(())
}

/// Removes a file, a link or an empty directory; `false` for a directory with something in it.
fn remove_simple(directory: &OwnedFd, name: &OsString) -> io::Result<bool> {
    let flags = UnlinkatFlags::NoRemoveDir;
    match unlinkat(directory, name.as_os_str(), flags).or_else(|errno| {
        unlock(directory, errno, || {
            unlinkat(directory, name.as_os_str(), flags)
        })
    }) {
        Ok(()) | Err(Errno::ENOENT) => return Ok(true),
        Err(Errno::EISDIR | Errno::EPERM) => {}
        Err(errno) => return Err(errno.into()),
    }
    match unlinkat(directory, name.as_os_str(), UnlinkatFlags::RemoveDir) {
        Ok(()) | Err(Errno::ENOENT) => Ok(true),
        Err(Errno::ENOTEMPTY | Errno::EEXIST) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

/// Tries once more after the directory was made writable.
fn unlock(
    directory: &OwnedFd,
    errno: Errno,
    again: impl Fn() -> nix::Result<()>,
) -> nix::Result<()> {
    if errno != Errno::EACCES {
        return Err(errno);
    }
    fchmod(directory, Mode::S_IRWXU)?;
    again()
}

fn enter(above: &OwnedFd, name: OsString, device: Option<u64>) -> io::Result<Level> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let directory = match openat(above, name.as_os_str(), flags, Mode::empty()) {
        Err(Errno::EACCES) => {
            nix::sys::stat::fchmodat(
                above,
                name.as_os_str(),
                Mode::S_IRWXU,
                nix::sys::stat::FchmodatFlags::NoFollowSymlink,
            )
            .or_else(|_| {
                nix::sys::stat::fchmodat(
                    above,
                    name.as_os_str(),
                    Mode::S_IRWXU,
                    nix::sys::stat::FchmodatFlags::FollowSymlink,
                )
            })?;
            openat(above, name.as_os_str(), flags, Mode::empty())?
        }
        other => other?,
    };
    let identity = identity(&fstat(&directory)?);
    if device.is_some_and(|device| device != identity.0) {
        // Something is mounted there: its content is not ours.
        return Err(io::Error::from_raw_os_error(libc::EXDEV));
    }
    let entries = entries_of(&directory)?;
    Ok(Level {
        name,
        directory: Some(directory),
        entries: Some(entries),
        identity,
    })
}

fn entries_of(directory: &OwnedFd) -> io::Result<OwningIter> {
    Ok(Dir::from_fd(openat(
        directory,
        ".",
        OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
        Mode::empty(),
    )?)?
    .into_iter())
}

fn identity(about: &FileStat) -> (u64, u64) {
    (about.st_dev, about.st_ino)
}

fn next_entry(entries: Option<&mut OwningIter>) -> io::Result<Option<OsString>> {
    for entry in entries.into_iter().flatten() {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            return Ok(Some(OsString::from_vec(name)));
        }
    }
    Ok(None)
}

fn close_far_above(stack: &mut [Level]) {
    if let Some(level) = stack
        .len()
        .checked_sub(MOST_OPEN)
        .and_then(|far| stack.get_mut(far))
    {
        level.directory = None;
        level.entries = None;
    }
}

/// Goes one level up and removes what is empty now.
fn leave(stack: &mut Vec<Level>, above: &OwnedFd) -> io::Result<()> {
    let Some(done) = stack.pop() else {
        return Ok(());
    };
    let Some(level) = stack.last_mut() else {
        return Ok(unlinkat(
            above,
            done.name.as_os_str(),
            UnlinkatFlags::RemoveDir,
        )?);
    };
    if level.directory.is_none()
        && let Some(below) = &done.directory
    {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let directory = openat(below.as_fd(), "..", flags, Mode::empty())?;
        if identity(&fstat(&directory)?) != level.identity {
            return Err(io::Error::from_raw_os_error(libc::ESTALE));
        }
        level.entries = Some(entries_of(&directory)?);
        level.directory = Some(directory);
    }
    let Some(directory) = &level.directory else {
        return Ok(());
    };
    match unlinkat(directory, done.name.as_os_str(), UnlinkatFlags::RemoveDir) {
        Ok(()) | Err(Errno::ENOENT) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_removed_and_not_followed() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir_all(place.path().join("kept")).unwrap();
        fs::write(place.path().join("kept/file"), "x").unwrap();
        fs::create_dir_all(place.path().join("gone/below")).unwrap();
        symlink("../kept", place.path().join("gone/link")).unwrap();
        symlink("../../kept", place.path().join("gone/below/link")).unwrap();
        remove_tree(&place.path().join("gone")).unwrap();
        assert!(!place.path().join("gone").exists());
        assert!(place.path().join("kept/file").exists());
    }

    #[test]
    fn tree_deeper_than_a_path_and_than_open_files_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let mut at: OwnedFd = fs::File::open(place.path()).unwrap().into();
        for _ in 0..1200 {
            nix::sys::stat::mkdirat(&at, "deep", Mode::S_IRWXU).unwrap();
            at = openat(
                &at,
                "deep",
                OFlag::O_RDONLY | OFlag::O_DIRECTORY,
                Mode::empty(),
            )
            .unwrap();
        }
        remove_tree(&place.path().join("deep")).unwrap();
        assert!(!place.path().join("deep").exists());
    }

    #[test]
    fn missing_tree_is_no_error() {
        let place = tempfile::tempdir().unwrap();
        remove_tree(&place.path().join("a/b")).unwrap();
        remove_tree(&place.path().join("a")).unwrap();
    }

    #[test]
    fn file_is_removed() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("a"), "").unwrap();
        remove_tree(&place.path().join("a")).unwrap();
        assert!(!place.path().join("a").exists());
    }
}
