//! Overlay mounts, by the new mount calls where the kernel has `lowerdir+` (6.5), else by mount(2) with short names.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, open, openat};
use nix::mount::{MsFlags, mount};
use nix::sys::stat::Mode;
use nix::unistd::{fchdir, symlinkat};

use super::scratch::Scratch;
use crate::error::Attempt;
use crate::mount_call::{FileSystem, clone_mount};
use crate::system_call::{c_path, c_string};
use crate::{Root, SandboxError};

/// The most layers that can be stacked (`OVL_MAX_STACK` of the kernel).
pub const MAXIMUM_LOWERS: usize = 500;

/// Mounts layers with a directory for changes; `None` when this kernel knows only the old call.
pub(super) fn with_upper(
    lowers: &[PathBuf],
    upper: &Path,
    work: &Path,
    user_attributes: bool,
) -> Result<Option<OwnedFd>, SandboxError> {
    check_count(lowers)?;
    let Some(file_system) = with_lowers(lowers, upper)? else {
        return Ok(None);
    };
    let refused = |error: &io::Error| unavailable(upper, &file_system, error);
    (|| -> io::Result<()> {
        file_system.set(c"upperdir", c_path(upper)?.as_c_str())?;
        file_system.set(c"workdir", c_path(work)?.as_c_str())?;
        set_options(&file_system, user_attributes)
    })()
    .map_err(|error| refused(&error))?;
    create(file_system, upper).map(Some)
}

/// Mounts layers for reading only.
pub(super) fn read_only(
    lowers: &[PathBuf],
    scratch: &mut Scratch,
    user_attributes: bool,
) -> Result<OwnedFd, SandboxError> {
    check_count(lowers)?;
    // One layer alone is no overlay; an empty one below makes its whiteouts invisible.
    let empty = scratch.new_directory()?;
    let mut all = lowers.to_vec();
    all.push(descriptor_path(empty.as_fd()));
    let top = lowers.first().map_or(Path::new("/"), PathBuf::as_path);
    match with_lowers(&all, top)? {
        Some(file_system) => {
            if user_attributes {
                file_system
                    .set_flag(c"userxattr")
                    .map_err(|error| unavailable(top, &file_system, &error))?;
            }
            create(file_system, top)
        }
        None => by_links(&all, None, user_attributes, scratch),
    }
}

/// Mounts the root by the old call.
pub(super) fn by_mount_call(
    root: &Root,
    upper: BorrowedFd<'_>,
    scratch: &mut Scratch,
) -> Result<OwnedFd, SandboxError> {
    match root {
        Root::Overlay {
            lowers,
            work,
            user_attributes,
            ..
        } => by_links(
            lowers,
            Some((&descriptor_path(upper), work)),
            *user_attributes,
            scratch,
        ),
        Root::Directory(directory) => Err(SandboxError::OverlayUnavailable {
            directory: directory.clone(),
            reason: String::from("it is a plain directory"),
        }),
    }
}

fn check_count(lowers: &[PathBuf]) -> Result<(), SandboxError> {
    if lowers.len() > MAXIMUM_LOWERS {
        return Err(SandboxError::TooManyLayers {
            count: lowers.len(),
            most: MAXIMUM_LOWERS,
        });
    }
    Ok(())
}

fn with_lowers(lowers: &[PathBuf], about: &Path) -> Result<Option<FileSystem>, SandboxError> {
    let file_system =
        FileSystem::open(c"overlay").map_err(|error| SandboxError::OverlayUnavailable {
            directory: about.to_owned(),
            reason: error.to_string(),
        })?;
    for (index, lower) in lowers.iter().enumerate() {
        let name = c_path(lower).attempt(|| format!("naming the layer `{}`", lower.display()))?;
        if let Err(error) = file_system.set(c"lowerdir+", &name) {
            if index == 0 && error.raw_os_error() == Some(libc::EINVAL) {
                return Ok(None);
            }
            return Err(unavailable(lower, &file_system, &error));
        }
    }
    Ok(Some(file_system))
}

fn set_options(file_system: &FileSystem, user_attributes: bool) -> io::Result<()> {
    if user_attributes {
        file_system.set_flag(c"userxattr")?;
    }
    // A layer must mean the same everywhere: no redirects are made, and none that an image brings along is followed.
    file_system.set(c"redirect_dir", c"nofollow")?;
    file_system.set(c"index", c"off")?;
    if !user_attributes {
        file_system.set(c"metacopy", c"off")?;
    }
    // Otherwise every unmount writes the whole disk cache out (`ovl_sync_fs`); the store syncs before it publishes.
    file_system.set_flag(c"volatile")
}

fn create(file_system: FileSystem, about: &Path) -> Result<OwnedFd, SandboxError> {
    file_system
        .mount_or_log(0)
        .map_err(|(error, log)| SandboxError::OverlayUnavailable {
            directory: about.to_owned(),
            reason: if log.is_empty() {
                error.to_string()
            } else {
                format!("{error} ({log})")
            },
        })
}

fn unavailable(about: &Path, file_system: &FileSystem, error: &io::Error) -> SandboxError {
    let log = file_system.log();
    SandboxError::OverlayUnavailable {
        directory: about.to_owned(),
        reason: if log.is_empty() {
            error.to_string()
        } else {
            format!("{error} ({log})")
        },
    }
}

/// mount(2) takes one page of options: layers are named by one-letter links in a directory that is the current one.
pub(super) fn by_links(
    lowers: &[PathBuf],
    upper: Option<(&Path, &Path)>,
    user_attributes: bool,
    scratch: &mut Scratch,
) -> Result<OwnedFd, SandboxError> {
    check_count(lowers)?;
    let links = scratch.new_directory()?;
    let target = scratch.new_directory()?;
    let mut options = String::from("lowerdir=");
    let link = |name: &str, path: &Path| {
        symlinkat(path, &links, name).attempt(|| String::from("naming a layer"))
    };
    for (index, lower) in lowers.iter().enumerate() {
        let name = format!("{index:x}");
        link(&name, lower)?;
        if index > 0 {
            options.push(':');
        }
        options.push_str(&name);
    }
    if let Some((upper, work)) = upper {
        link("u", upper)?;
        link("w", work)?;
        options.push_str(",upperdir=u,workdir=w,index=off,redirect_dir=nofollow,volatile");
    }
    if user_attributes {
        options.push_str(",userxattr");
    }
    let about = upper.map_or(Path::new("/"), |(_, work)| work);
    let refused = |error: io::Error| SandboxError::OverlayUnavailable {
        directory: about.to_owned(),
        reason: error.to_string(),
    };
    fchdir(&links).attempt(|| String::from("entering the directory of layers"))?;
    let place = descriptor_path(target.as_fd());
    let result = mount(
        Some("overlay"),
        &place,
        Some("overlay"),
        MsFlags::empty(),
        Some(options.as_str()),
    );
    let _ = nix::unistd::chdir("/");
    result.map_err(|errno| refused(errno.into()))?;
    // The descriptor of the directory still means what lies below the mount.
    let parent = scratch.root();
    let name = std::fs::read_link(&place).map_err(refused)?;
    let name = name
        .file_name()
        .ok_or_else(|| refused(io::Error::from_raw_os_error(libc::ENOENT)))?;
    openat(
        parent,
        name,
        OFlag::O_PATH | OFlag::O_CLOEXEC,
        Mode::empty(),
    )
    .map_err(io::Error::from)
    .and_then(|mounted| clone_mount(mounted.as_fd(), false))
    .map_err(refused)
}

/// Returns a name for what a descriptor of this process means.
pub(super) fn descriptor_path(descriptor: BorrowedFd<'_>) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", descriptor.as_raw_fd()))
}

/// Tries whether layers can be stacked with changes below `directory`.
///
/// It mounts, without attaching it anywhere, an overlay of two empty directories. The process has to be privileged
/// (see [`crate::user_namespace::is_privileged`]).
pub fn overlay_works(directory: &Path, user_attributes: bool) -> Result<(), SandboxError> {
    let refused = |error: &io::Error| SandboxError::OverlayUnavailable {
        directory: directory.to_owned(),
        reason: error.to_string(),
    };
    let probe = directory.join(format!(".overlay-probe-{}", std::process::id()));
    let attempt = || -> io::Result<Result<OwnedFd, SandboxError>> {
        for name in ["lower", "upper", "work"] {
            std::fs::create_dir_all(probe.join(name))?;
        }
        let file_system = FileSystem::open(c"overlay")?;
        let mut descriptors = Vec::new();
        for (key, name) in [
            (c"lowerdir", "lower"),
            (c"upperdir", "upper"),
            (c"workdir", "work"),
        ] {
            let opened = open(
                &probe.join(name),
                OFlag::O_PATH | OFlag::O_CLOEXEC,
                Mode::empty(),
            )?;
            let value: CString = c_string(
                descriptor_path(opened.as_fd())
                    .as_os_str()
                    .as_encoded_bytes(),
            )?;
            file_system.set(key, &value)?;
            descriptors.push(opened);
        }
        if user_attributes {
            file_system.set_flag(c"userxattr")?;
        }
        Ok(create(file_system, directory))
    };
    let result = attempt()
        .map_err(|error| refused(&error))
        .and_then(|mounted| mounted.map(drop));
    let _ = crate::remove_tree(&probe);
    result
}
