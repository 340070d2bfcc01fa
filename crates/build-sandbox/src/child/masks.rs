//! Files of the kernel that a command may not see or change: containerd's defaults (`oci/spec_opts.go`).

use std::io;
use std::path::Path;

use nix::mount::{MsFlags, mount};

use crate::error::Fault;
use crate::job::Security;

const MASKED: [&str; 12] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
    "/proc/interrupts",
];
const READ_ONLY: [&str; 5] = [
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

pub(super) fn apply(security: Security) -> Result<(), Fault> {
    if security == Security::Insecure {
        return Ok(());
    }
    for path in MASKED {
        mask(Path::new(path))
            .map_err(|error| Fault::system(format!("cannot hide {path}"), &error))?;
    }
    for path in READ_ONLY {
        protect(Path::new(path))
            .map_err(|error| Fault::system(format!("cannot protect {path}"), &error))?;
    }
    Ok(())
}

fn mask(path: &Path) -> io::Result<()> {
    let Ok(found) = path.symlink_metadata() else {
        return Ok(());
    };
    if found.is_dir() {
        let flags = MsFlags::MS_RDONLY;
        mount(Some("tmpfs"), path, Some("tmpfs"), flags, Some("size=0k"))?;
    } else {
        mount(
            Some("/dev/null"),
            path,
            None::<&str>,
            MsFlags::MS_BIND,
            None::<&str>,
        )?;
    }
    Ok(())
}

fn protect(path: &Path) -> io::Result<()> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let none = None::<&str>;
    mount(
        Some(path),
        path,
        none,
        MsFlags::MS_BIND | MsFlags::MS_REC,
        none,
    )?;
    let flags = MsFlags::MS_BIND
        | MsFlags::MS_REMOUNT
        | MsFlags::MS_RDONLY
        | MsFlags::MS_NOSUID
        | MsFlags::MS_NODEV
        | MsFlags::MS_NOEXEC;
    mount(none, path, none, flags, none)?;
    Ok(())
}
