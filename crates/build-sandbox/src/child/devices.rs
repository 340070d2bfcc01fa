//! `/dev`: the devices that every program may count on, and nothing of the host's hardware.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

use super::paths::Root;
use crate::error::Fault;
use crate::system;

const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
const LINKS: [(&str, &str); 6] = [
    ("ptmx", "pts/ptmx"),
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("core", "/proc/kcore"),
];

pub(super) fn mount(root: &Root) -> Result<(), Fault> {
    mount_devices(root).map_err(|error| Fault::system("cannot make /dev", &error))
}

fn mount_devices(root: &Root) -> io::Result<()> {
    let devices = file_system(c"tmpfs", &[(c"mode", "755"), (c"size", "65536k")])?;
    let folder = devices.as_fd();
    // Everything goes into this descriptor: a link in the image's own `/dev` leads nowhere (CVE-2025-31133, CVE-2025-52565).
    root.put(folder, Path::new("/dev"), false)?;
    for name in DEVICES {
        nix::fcntl::openat(
            folder,
            name,
            OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC,
            Mode::from_bits_truncate(0o666),
        )?;
        let host = system::open_tree(OsStr::new(&format!("/dev/{name}")), false)?;
        put(folder, &host, name)?;
    }
    for (name, target) in LINKS {
        nix::unistd::symlinkat(target, folder, name)?;
    }
    for name in ["pts", "shm", "mqueue"] {
        nix::sys::stat::mkdirat(folder, name, Mode::from_bits_truncate(0o755))?;
    }
    let terminals = file_system(c"devpts", &[(c"mode", "0620"), (c"ptmxmode", "0666")])?;
    put(folder, &terminals, "pts")?;
    let shared = file_system(c"tmpfs", &[(c"mode", "1777"), (c"size", "65536k")])?;
    put(folder, &shared, "shm")?;
    if let Ok(queues) = file_system(c"mqueue", &[]) {
        put(folder, &queues, "mqueue")?;
    }
    Ok(())
}

fn put(folder: BorrowedFd<'_>, mount: &OwnedFd, name: &str) -> io::Result<()> {
    let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let place = nix::fcntl::openat(folder, name, flags, Mode::empty())?;
    system::move_mount(mount.as_fd(), place.as_fd())
}

pub(super) fn file_system(
    name: &std::ffi::CStr,
    options: &[(&std::ffi::CStr, &str)],
) -> io::Result<OwnedFd> {
    let context = system::fsopen(name)?;
    // What /proc/mounts shows in its first column.
    system::fsconfig(
        context.as_fd(),
        c"source",
        name.to_str().ok().map(OsStr::new),
    )?;
    for (option, value) in options {
        system::fsconfig(context.as_fd(), option, Some(OsStr::new(value)))?;
    }
    // Terminals are devices; the others are mounts of their own.
    let attributes = if name == c"devpts" {
        0
    } else {
        system::NO_DEVICES
    };
    system::fsmount(context.as_fd(), attributes)
}
