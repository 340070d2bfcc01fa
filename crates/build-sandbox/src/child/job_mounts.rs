//! The mounts that a job asks for.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::{Mode, SFlag, fstat, mkdirat};

use super::overlay;
use super::place::Places;
use super::scratch::Scratch;
use crate::error::Attempt;
use crate::mount_call::{
    FileSystem, MOUNT_NO_DEVICES, MOUNT_NO_SETUID, MOUNT_READ_ONLY, attach_mount, clone_mount,
    set_mount_attributes,
};
use crate::system_call::{IN_ROOT, NO_MAGIC_LINKS, c_string, open_below};
use crate::{Job, Mount, MountSource, Root, SandboxError, Writes};

/// Puts one mount on.
pub(super) fn mount(
    mount: &Mount,
    job: &Job,
    places: &mut Places<'_>,
    scratch: &mut Scratch,
) -> Result<(), SandboxError> {
    let (tree, is_file) = source(mount, job, scratch)?;
    let place = places.place(&mount.target, is_file)?;
    attach_mount(tree.as_fd(), place.as_fd())
        .attempt(|| format!("mounting on `{}`", mount.target.display()))
}

/// Makes a mount, which is not attached anywhere yet; says whether it is a file.
pub(crate) fn source(
    mount: &Mount,
    job: &Job,
    scratch: &mut Scratch,
) -> Result<(OwnedFd, bool), SandboxError> {
    let (tree, is_file) = tree(mount, job, scratch)?;
    set_mount_attributes(tree.as_fd(), MOUNT_NO_DEVICES, true)
        .attempt(|| format!("making a mount for `{}`", mount.target.display()))?;
    Ok((tree, is_file))
}

fn tree(mount: &Mount, job: &Job, scratch: &mut Scratch) -> Result<(OwnedFd, bool), SandboxError> {
    match &mount.source {
        MountSource::Tree {
            lowers,
            path,
            writes,
        } => {
            let found = find_in_tree(lowers, path, user_attributes(job), scratch)?;
            with_writes(found, path, writes, user_attributes(job), scratch)
        }
        MountSource::Host { path, writes } => {
            let found = open(path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())
                .map_err(|errno| source_error(path, &errno.into()))?;
            with_writes(found, path, writes, user_attributes(job), scratch)
        }
        MountSource::Memory { size, mode } => Ok((
            memory(*size, *mode).attempt(|| {
                format!(
                    "making a memory file system for `{}`",
                    mount.target.display()
                )
            })?,
            false,
        )),
        MountSource::Text {
            content,
            mode,
            user,
            group,
        } => Ok((scratch.text(content, *mode, *user, *group)?, true)),
    }
}

fn user_attributes(job: &Job) -> bool {
    match &job.root {
        Root::Overlay {
            user_attributes, ..
        } => *user_attributes,
        Root::Directory(_) => crate::user_namespace::id_map() != crate::user_namespace::IdMap::Host,
    }
}

fn source_error(path: &Path, error: &io::Error) -> SandboxError {
    if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENOTDIR)) {
        return SandboxError::MountSourceMissing {
            source_path: path.to_owned(),
        };
    }
    SandboxError::system(
        format!("opening the mount source `{}`", path.display()),
        error,
    )
}

/// Finds a path in a tree and never outside of it (CVE-2024-1753, CVE-2024-23651).
fn find_in_tree(
    lowers: &[PathBuf],
    path: &Path,
    user_attributes: bool,
    scratch: &mut Scratch,
) -> Result<OwnedFd, SandboxError> {
    let root = match lowers {
        [] => scratch.new_directory()?,
        [directory] => open(
            directory,
            OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
            Mode::empty(),
        )
        .map_err(|errno| source_error(directory, &errno.into()))?,
        _ => {
            let layers = overlay::read_only(lowers, scratch, user_attributes)?;
            let place = scratch.new_directory()?;
            attach_mount(layers.as_fd(), place.as_fd())
                .attempt(|| String::from("mounting the layers of a mount source"))?;
            layers
        }
    };
    let path_inside = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    open_below(
        root.as_fd(),
        path_inside,
        libc::O_PATH,
        IN_ROOT | NO_MAGIC_LINKS,
    )
    .map_err(|error| source_error(path, &error))
}

/// Makes the mount of a source; says whether it is a file.
fn with_writes(
    source: OwnedFd,
    path: &Path,
    writes: &Writes,
    user_attributes: bool,
    scratch: &mut Scratch,
) -> Result<(OwnedFd, bool), SandboxError> {
    let about = fstat(&source).map_err(|errno| source_error(path, &errno.into()))?;
    let is_file = about.st_mode & SFlag::S_IFMT.bits() != SFlag::S_IFDIR.bits();
    let copy = |read_only: bool| -> io::Result<OwnedFd> {
        // In a user namespace a mount with locked mounts below it can only be copied with those.
        let copy =
            clone_mount(source.as_fd(), false).or_else(|_| clone_mount(source.as_fd(), true))?;
        if read_only {
            set_mount_attributes(copy.as_fd(), MOUNT_READ_ONLY, true)?;
        }
        Ok(copy)
    };
    let tree = match writes {
        Writes::Denied => copy(true),
        Writes::Kept => copy(false),
        Writes::Discarded { scratch: directory } if is_file => {
            copy_of_file(source.as_fd(), directory)
        }
        Writes::Discarded { scratch: directory } => {
            return Ok((
                over(source.as_fd(), directory, user_attributes, scratch)?,
                false,
            ));
        }
    }
    .attempt(|| format!("making a mount of `{}`", path.display()))?;
    Ok((tree, is_file))
}

/// Copies a file whose changes are thrown away: an overlay has directories only.
fn copy_of_file(source: BorrowedFd<'_>, directory: &Path) -> io::Result<OwnedFd> {
    let mut from = File::open(overlay::descriptor_path(source))?;
    let to = directory.join("file");
    let mut file = File::create_new(&to)?;
    io::copy(&mut from, &mut file)?;
    file.set_permissions(from.metadata()?.permissions())?;
    clone_mount(file.as_fd(), false)
}

/// Stacks a directory for changes on a source.
fn over(
    source: BorrowedFd<'_>,
    directory: &Path,
    user_attributes: bool,
    scratch: &mut Scratch,
) -> Result<OwnedFd, SandboxError> {
    let base = open(
        directory,
        OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
        Mode::empty(),
    )
    .attempt(|| format!("opening `{}`", directory.display()))?;
    let mut opened = Vec::new();
    for name in ["upper", "work"] {
        mkdirat(&base, name, Mode::from_bits_truncate(0o755))
            .and_then(|()| openat(&base, name, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty()))
            .map(|directory| opened.push(directory))
            .attempt(|| format!("making `{}/{name}`", directory.display()))?;
    }
    let [upper, work] = opened.as_slice() else {
        return Err(SandboxError::HelperGone);
    };
    let lowers = [overlay::descriptor_path(source)];
    let upper = overlay::descriptor_path(upper.as_fd());
    let work = overlay::descriptor_path(work.as_fd());
    match overlay::with_upper(&lowers, &upper, &work, user_attributes)? {
        Some(tree) => Ok(tree),
        None => overlay::by_links(&lowers, Some((&upper, &work)), user_attributes, scratch),
    }
}

fn memory(size: Option<u64>, mode: u32) -> io::Result<OwnedFd> {
    let file_system = FileSystem::open(c"tmpfs")?;
    file_system.set(c"mode", &c_string(format!("{mode:o}").as_bytes())?)?;
    if let Some(size) = size {
        file_system.set(c"size", &c_string(size.to_string().as_bytes())?)?;
    }
    file_system.mount(MOUNT_NO_SETUID | MOUNT_NO_DEVICES)
}
