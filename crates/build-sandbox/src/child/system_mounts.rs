//! /proc, /dev, /sys and the two files of the network: what every command gets, as containerd's default specification has it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{Mode, SFlag, fstat, fstatat, major, minor, mkdirat};
use nix::unistd::symlinkat;

use super::place::Places;
use super::read_host_file;
use super::scratch::Scratch;
use crate::error::Attempt;
use crate::mount_call::{
    FileSystem, MOUNT_NO_DEVICES, MOUNT_NO_EXECUTE, MOUNT_NO_SETUID, MOUNT_READ_ONLY, attach_mount,
    clone_mount, set_mount_attributes,
};
use crate::system_call::c_string;
use crate::user_namespace::{IdMap, id_map};
use crate::{Job, Network, SandboxError, Security};

const INERT: u64 = MOUNT_NO_SETUID | MOUNT_NO_DEVICES | MOUNT_NO_EXECUTE;

/// Names below /proc and /sys that show or change the machine (containerd `oci/spec.go`).
pub(crate) const MASKED_IN_PROC: &[&str] = &[
    "acpi",
    "asound",
    "interrupts",
    "kcore",
    "keys",
    "latency_stats",
    "sched_debug",
    "scsi",
    "timer_list",
    "timer_stats",
];
pub(crate) const READ_ONLY_IN_PROC: &[&str] = &["bus", "fs", "irq", "sys", "sysrq-trigger"];
pub(crate) const MASKED_IN_SYS: &[&str] = &["firmware", "devices/virtual/powercap"];

/// Bytes of /dev/shm, as in Docker.
pub(crate) const SHARED_MEMORY: u64 = 64 << 20;

/// Name, major and minor number.
const DEVICES: &[(&str, u64, u64)] = &[
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
];
const DEVICE_LINKS: &[(&str, &str)] = &[
    ("ptmx", "pts/ptmx"),
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("core", "/proc/kcore"),
];

/// Mounts them all.
pub(super) fn mount(
    job: &Job,
    places: &mut Places<'_>,
    scratch: &mut Scratch,
) -> Result<(), SandboxError> {
    let confined = job.security == Security::Sandbox;
    let proc_place = places.system_directory("proc")?;
    let proc_mount = FileSystem::open(c"proc")
        .and_then(|file_system| file_system.mount(INERT))
        .and_then(|mounted| attach_mount(mounted.as_fd(), proc_place.as_fd()).map(|()| mounted))
        .attempt(|| String::from("mounting /proc"))?;
    let null = mount_devices(job, places)?;
    let sys_mount = mount_sys(confined, places)?;
    if confined {
        for name in READ_ONLY_IN_PROC {
            make_read_only(proc_mount.as_fd(), name)
                .attempt(|| format!("making /proc/{name} read-only"))?;
        }
        for name in MASKED_IN_PROC {
            mask(proc_mount.as_fd(), name, null.as_fd())
                .attempt(|| format!("hiding /proc/{name}"))?;
        }
        for name in MASKED_IN_SYS {
            mask(sys_mount.as_fd(), name, null.as_fd())
                .attempt(|| format!("hiding /sys/{name}"))?;
        }
    }
    mount_network_files(job, places, scratch)
}

/// Makes a read-only directory with nothing in it.
///
/// A mount that is attached nowhere can be copied by new kernels only, so each place gets its own.
fn empty_directory() -> io::Result<OwnedFd> {
    let file_system = FileSystem::open(c"tmpfs")?;
    file_system.set(c"mode", c"0755")?;
    file_system.mount(INERT | MOUNT_READ_ONLY)
}

fn open_inside(mount: BorrowedFd<'_>, name: &str) -> io::Result<Option<OwnedFd>> {
    match openat(
        mount,
        name,
        OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC,
        Mode::empty(),
    ) {
        Ok(opened) => Ok(Some(opened)),
        Err(Errno::ENOENT) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

fn make_read_only(mount: BorrowedFd<'_>, name: &str) -> io::Result<()> {
    let Some(place) = open_inside(mount, name)? else {
        return Ok(());
    };
    let copy = clone_mount(place.as_fd(), true)?;
    set_mount_attributes(copy.as_fd(), INERT | MOUNT_READ_ONLY, true)?;
    attach_mount(copy.as_fd(), place.as_fd())
}

/// Covers a file by the null device (ours: CVE-2025-31133) and a directory by an empty one.
fn mask(mount: BorrowedFd<'_>, name: &str, null: BorrowedFd<'_>) -> io::Result<()> {
    let Some(place) = open_inside(mount, name)? else {
        return Ok(());
    };
    if SFlag::from_bits_truncate(fstat(&place)?.st_mode & SFlag::S_IFMT.bits()) == SFlag::S_IFDIR {
        return attach_mount(empty_directory()?.as_fd(), place.as_fd());
    }
    let copy = clone_mount(null, false)?;
    attach_mount(copy.as_fd(), place.as_fd())
}

fn mount_devices(job: &Job, places: &mut Places<'_>) -> Result<OwnedFd, SandboxError> {
    let place = places.system_directory("dev")?;
    let no_nodes = if job.security == Security::Sandbox {
        MOUNT_NO_DEVICES
    } else {
        0
    };
    let dev = memory(c"0755", c"65536k", MOUNT_NO_SETUID | no_nodes)
        .and_then(|mounted| attach_mount(mounted.as_fd(), place.as_fd()).map(|()| mounted))
        .attempt(|| String::from("mounting /dev"))?;
    for (name, major_number, minor_number) in DEVICES {
        mount_device(dev.as_fd(), name, *major_number, *minor_number)
            .attempt(|| format!("mounting /dev/{name}"))?;
    }
    for (name, target) in DEVICE_LINKS {
        symlinkat(*target, &dev, *name).attempt(|| format!("making /dev/{name}"))?;
    }
    mount_below(dev.as_fd(), "pts", terminals).attempt(|| String::from("mounting /dev/pts"))?;
    let shared = job.limits.shared_memory.unwrap_or(SHARED_MEMORY);
    mount_below(dev.as_fd(), "shm", || {
        memory(c"1777", &c_string(shared.to_string().as_bytes())?, INERT)
    })
    .attempt(|| String::from("mounting /dev/shm"))?;
    mount_below(dev.as_fd(), "mqueue", || {
        FileSystem::open(c"mqueue")?.mount(INERT)
    })
    .attempt(|| String::from("mounting /dev/mqueue"))?;
    let null = openat(
        &dev,
        "null",
        OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC,
        Mode::empty(),
    )
    .attempt(|| String::from("opening /dev/null"))?;
    Ok(null)
}

pub(super) fn memory(
    mode: &std::ffi::CStr,
    size: &std::ffi::CStr,
    attributes: u64,
) -> io::Result<OwnedFd> {
    let file_system = FileSystem::open(c"tmpfs")?;
    file_system.set(c"mode", mode)?;
    file_system.set(c"size", size)?;
    file_system.mount(attributes)
}

fn terminals() -> io::Result<OwnedFd> {
    let file_system = FileSystem::open(c"devpts")?;
    file_system.set_flag(c"newinstance")?;
    file_system.set(c"ptmxmode", c"0666")?;
    file_system.set(c"mode", c"0620")?;
    // The group `tty`; with a one-id map there is none.
    if id_map() != IdMap::OneId {
        file_system.set(c"gid", c"5")?;
    }
    file_system.mount(MOUNT_NO_SETUID | MOUNT_NO_EXECUTE)
}

fn mount_below(
    directory: BorrowedFd<'_>,
    name: &str,
    make: impl FnOnce() -> io::Result<OwnedFd>,
) -> io::Result<()> {
    mkdirat(directory, name, Mode::from_bits_truncate(0o755))?;
    let place = openat(
        directory,
        name,
        OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC,
        Mode::empty(),
    )?;
    attach_mount(make()?.as_fd(), place.as_fd())
}

/// Mounts a device of the host, which is checked to be the right one.
///
/// A node of our own would need a file system on which every node works, and the command may make nodes: as root, those of the
/// host's disks. So nothing but these mounts lets a device be opened; Docker has a control group for that.
fn mount_device(
    dev: BorrowedFd<'_>,
    name: &str,
    major_number: u64,
    minor_number: u64,
) -> io::Result<()> {
    let host = nix::fcntl::open(
        &Path::new("/dev").join(name),
        OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC,
        Mode::empty(),
    )?;
    let about = fstat(&host)?;
    let is_device = about.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFCHR.bits();
    if !is_device || (major(about.st_rdev), minor(about.st_rdev)) != (major_number, minor_number) {
        return Err(io::Error::from_raw_os_error(libc::ENODEV));
    }
    let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_WRONLY | OFlag::O_CLOEXEC;
    let place = openat(dev, name, flags, Mode::from_bits_truncate(0o644))?;
    attach_mount(clone_mount(host.as_fd(), false)?.as_fd(), place.as_fd())
}

fn mount_sys(confined: bool, places: &mut Places<'_>) -> Result<OwnedFd, SandboxError> {
    let place = places.system_directory("sys")?;
    let attributes = if confined {
        INERT | MOUNT_READ_ONLY
    } else {
        INERT
    };
    // The file system belongs to the network namespace: rootless with the host's network, only a copy of the host's is allowed.
    let mounted = FileSystem::open(c"sysfs")
        .and_then(|file_system| file_system.mount(attributes))
        .or_else(|_| {
            let host = nix::fcntl::open("/sys", OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())?;
            let copy = clone_mount(host.as_fd(), true)?;
            set_mount_attributes(copy.as_fd(), attributes, true).map(|()| copy)
        })
        .and_then(|mounted| attach_mount(mounted.as_fd(), place.as_fd()).map(|()| mounted))
        .attempt(|| String::from("mounting /sys"))?;
    // Where control groups are of the first version, /sys/fs/cgroup stays empty.
    let unified = fstatat(
        nix::fcntl::AT_FDCWD,
        "/sys/fs/cgroup/cgroup.controllers",
        AtFlags::empty(),
    )
    .is_ok();
    if unified
        && let Ok(Some(below)) = open_inside(mounted.as_fd(), "fs/cgroup")
        && let Ok(groups) = FileSystem::open(c"cgroup2")
            .and_then(|file_system| file_system.mount(INERT | MOUNT_READ_ONLY))
    {
        attach_mount(groups.as_fd(), below.as_fd())
            .attempt(|| String::from("mounting /sys/fs/cgroup"))?;
    }
    Ok(mounted)
}

/// Returns the contents of /etc/resolv.conf and /etc/hosts.
pub(crate) fn network_files(job: &Job) -> [(&'static str, Vec<u8>); 2] {
    let resolv_conf = match &job.resolv_conf {
        Some(text) => text.clone().into_bytes(),
        None if job.network == Network::Isolated => super::network::resolv_conf(),
        None => read_host_file("/etc/resolv.conf"),
    };
    // BuildKit `executor/oci/hosts.go`.
    let mut hosts = format!(
        "127.0.0.1\tlocalhost {}\n::1\tlocalhost ip6-localhost ip6-loopback\n",
        job.hostname
    );
    for (address, names) in &job.extra_hosts {
        hosts.extend([address.as_str(), "\t", names, "\n"]);
    }
    [
        ("/etc/resolv.conf", resolv_conf),
        ("/etc/hosts", hosts.into_bytes()),
    ]
}

/// Puts /etc/resolv.conf and /etc/hosts over those of the image, so that they are in no layer.
fn mount_network_files(
    job: &Job,
    places: &mut Places<'_>,
    scratch: &mut Scratch,
) -> Result<(), SandboxError> {
    for (path, content) in network_files(job) {
        let place = places.place(Path::new(path), true)?;
        let file = scratch.text(&content, 0o644, 0, 0)?;
        attach_mount(file.as_fd(), place.as_fd()).attempt(|| format!("mounting {path}"))?;
    }
    Ok(())
}
