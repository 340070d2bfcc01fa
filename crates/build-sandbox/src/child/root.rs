//! The file system of the command.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount as mount_call};

use crate::error::Fault;
use crate::job::{Job, Root};
use crate::system;

/// Files that are mounted on: in the lowest layer of all, so that nothing of them ever lands in the layer that the command makes. `/dev`,
/// `/proc` and `/sys` are not among them: an image that has none gets them by its first RUN, as with BuildKit, whose `MountStubsCleaner`
/// (`executor/stubs.go`) leaves what runc makes for itself.
const FILES: [&str; 2] = ["etc/resolv.conf", "etc/hosts"];

/// Where the root is mounted.
#[derive(Debug)]
pub(super) struct MountedRoot(PathBuf);

impl MountedRoot {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

pub(super) fn mount(job: &Job) -> Result<MountedRoot, Fault> {
    match &job.root {
        Root::Folder(folder) => {
            bind_itself(folder).map_err(|error| Fault::system("cannot mount the root", &error))?;
            Ok(MountedRoot(folder.clone()))
        }
        Root::Overlay {
            lowers,
            upper,
            work,
            is_rootless,
        } => overlay(job, lowers, upper, work, *is_rootless)
            .map(MountedRoot)
            .map_err(|error| {
                Fault::system(
                    "cannot put the layers one above the other (overlayfs)",
                    &error,
                )
            }),
    }
}

fn overlay(
    job: &Job,
    lowers: &[PathBuf],
    upper: &Path,
    work: &Path,
    is_rootless: bool,
) -> io::Result<PathBuf> {
    let beside = upper.parent().unwrap_or(Path::new("/"));
    let (root, lowest) = (beside.join("root"), beside.join("lowest"));
    fs::create_dir_all(&root)?;
    make_lowest(job, &lowest)?;
    let context = system::fsopen(c"overlay")?;
    system::fsconfig(context.as_fd(), c"source", Some(OsStr::new("overlay")))?;
    for lower in lowers.iter().chain([&lowest]) {
        system::fsconfig(context.as_fd(), c"lowerdir+", Some(lower.as_os_str()))?;
    }
    system::fsconfig(context.as_fd(), c"upperdir", Some(upper.as_os_str()))?;
    system::fsconfig(context.as_fd(), c"workdir", Some(work.as_os_str()))?;
    for (option, value) in [
        (c"redirect_dir", "nofollow"),
        (c"metacopy", "off"),
        (c"index", "off"),
        (c"xino", "off"),
    ] {
        // What a layer's attributes say is never followed: they may be hostile. Old kernels lack some of these.
        let _ = system::fsconfig(context.as_fd(), option, Some(OsStr::new(value)));
    }
    if is_rootless {
        system::fsconfig(context.as_fd(), c"userxattr", None)?;
    }
    // Nothing in here has to survive a crash before the layer is kept.
    let _ = system::fsconfig(context.as_fd(), c"volatile", None);
    let mounted = system::fsmount(context.as_fd(), system::NO_DEVICES)?;
    let target = fs::File::open(&root)?;
    system::move_mount(mounted.as_fd(), target.as_fd())?;
    Ok(root)
}

fn make_lowest(job: &Job, lowest: &Path) -> io::Result<()> {
    fs::create_dir_all(lowest.join("etc"))?;
    for file in FILES {
        fs::File::create(lowest.join(file))?;
    }
    // Places for mounts that the image does not have. Where the image has something else on the way, it hides these.
    for mount in &job.mounts {
        let Ok(inside) = mount.target.strip_prefix("/") else {
            continue;
        };
        let is_plain = inside
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)));
        let below_kernel_files = ["dev", "proc", "sys"]
            .iter()
            .any(|name| inside.starts_with(name));
        if !is_plain || below_kernel_files {
            continue;
        }
        let place = lowest.join(inside);
        if super::mounts::is_file(&mount.source) {
            if let Some(parent) = place.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::File::create(&place)?;
        } else {
            fs::create_dir_all(&place)?;
        }
    }
    Ok(())
}

/// A folder has to be a mount before it can become the root.
fn bind_itself(folder: &Path) -> io::Result<()> {
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount_call(Some(folder), folder, None::<&str>, flags, None::<&str>)?;
    Ok(())
}
