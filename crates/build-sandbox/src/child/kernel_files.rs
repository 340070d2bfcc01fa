//! `/proc` and `/sys`.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;

use super::paths::Root;
use crate::error::Fault;
use crate::job::{Job, NetworkMode};
use crate::system;

pub(super) fn mount(root: &Root, job: &Job) -> Result<(), Fault> {
    put_new(root, c"proc", "/proc").map_err(|error| Fault::system("cannot mount /proc", &error))?;
    system_files(root, job).map_err(|error| Fault::system("cannot mount /sys", &error))
}

fn put_new(root: &Root, name: &std::ffi::CStr, target: &str) -> io::Result<()> {
    let context = system::fsopen(name)?;
    system::fsconfig(
        context.as_fd(),
        c"source",
        name.to_str().ok().map(OsStr::new),
    )?;
    let mounted = system::fsmount(context.as_fd(), system::NO_DEVICES)?;
    refuse_link(root, target)?;
    root.put(mounted.as_fd(), Path::new(target), false)
}

/// A link in the image must not decide where the kernel's files go (CVE-2019-16884, CVE-2019-19921, CVE-2023-28642).
fn refuse_link(root: &Root, target: &str) -> io::Result<()> {
    let place = nix::sys::stat::fstatat(
        root.descriptor(),
        target.trim_start_matches('/'),
        nix::fcntl::AtFlags::AT_SYMLINK_NOFOLLOW,
    );
    match place {
        Ok(found) if found.st_mode & libc::S_IFMT != libc::S_IFDIR => Err(io::Error::other(
            format!("`{target}` is no directory in the image"),
        )),
        _ => Ok(()),
    }
}

fn system_files(root: &Root, job: &Job) -> io::Result<()> {
    refuse_link(root, "/sys")?;
    let mounted = match own_system_files(job) {
        Ok(mounted) => mounted,
        // Who does not own the network namespace gets a copy of the host's.
        Err(_) => system::open_tree(OsStr::new("/sys"), true)?,
    };
    system::set_read_only(mounted.as_fd())?;
    root.put(mounted.as_fd(), Path::new("/sys"), false)
}

fn own_system_files(job: &Job) -> io::Result<OwnedFd> {
    if super::is_rootless(job) && job.network == NetworkMode::Host {
        return Err(io::Error::from(io::ErrorKind::PermissionDenied));
    }
    let context = system::fsopen(c"sysfs")?;
    system::fsmount(context.as_fd(), system::NO_DEVICES)
}
