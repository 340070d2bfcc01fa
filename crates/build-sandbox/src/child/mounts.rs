//! What the job wants to see in its root, and `/etc/resolv.conf` and `/etc/hosts`.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;

use nix::fcntl::OFlag;
use nix::sys::stat::Mode;
use nix::unistd::{Gid, Uid, fchown};

use super::devices::file_system;
use super::paths::Root;
use crate::error::Fault;
use crate::job::{Job, Mount, MountSource, Root as JobRoot};
use crate::system;

pub(super) fn mount_all(root: &Root, job: &Job) -> Result<(), Fault> {
    let texts = Texts::new(root)
        .map_err(|error| Fault::system("cannot make a place for files in memory", &error))?;
    let known = [
        (
            "/etc/resolv.conf",
            fs::read("/etc/resolv.conf").unwrap_or_default(),
        ),
        ("/etc/hosts", hosts(job)),
    ];
    for (target, content) in known {
        let mounted = texts
            .file(&content, 0o644, 0, 0)
            .and_then(|file| system::set_read_only(file.as_fd()).map(|()| file));
        mounted
            .and_then(|file| root.put(file.as_fd(), Path::new(target), true))
            .map_err(|error| Fault::system(format!("cannot mount {target}"), &error))?;
    }
    for mount in &job.mounts {
        mount_one(root, job, mount, &texts).map_err(|error| {
            Fault::system(format!("cannot mount `{}`", mount.target.display()), &error)
        })?;
    }
    Ok(())
}

fn hosts(job: &Job) -> Vec<u8> {
    let mut text = format!(
        "127.0.0.1\tlocalhost {}\n::1\tlocalhost ip6-localhost ip6-loopback\n",
        job.hostname
    );
    for (name, address) in &job.extra_hosts {
        text.push_str(address);
        text.push('\t');
        text.push_str(name);
        text.push('\n');
    }
    text.into_bytes()
}

/// Returns whether a mount goes onto a file.
pub(super) fn is_file(source: &MountSource) -> bool {
    match source {
        MountSource::Bind { path, .. } | MountSource::Overlay { lower: path, .. } => !path.is_dir(),
        MountSource::Tmpfs { .. } => false,
        MountSource::Text { .. } | MountSource::Socket { .. } => true,
    }
}

fn mount_one(root: &Root, job: &Job, mount: &Mount, texts: &Texts) -> io::Result<()> {
    let mounted = match &mount.source {
        MountSource::Bind { path, is_read_only } => {
            let mounted = system::open_tree(path.as_os_str(), true)?;
            if *is_read_only {
                system::set_read_only(mounted.as_fd())?;
            }
            mounted
        }
        MountSource::Overlay { lower, scratch } => writable(job, lower, scratch)?,
        MountSource::Tmpfs { size, mode } => {
            let mode = format!("{mode:o}");
            let mut options = vec![(c"mode", mode.as_str())];
            let size = size.map(|size| size.to_string());
            if let Some(size) = &size {
                options.push((c"size", size));
            }
            file_system(c"tmpfs", &options)?
        }
        MountSource::Text {
            content,
            mode,
            uid,
            gid,
        } => texts.file(content, *mode, *uid, *gid)?,
        MountSource::Socket { path, .. } => system::open_tree(path.as_os_str(), false)?,
    };
    root.put(mounted.as_fd(), &mount.target, is_file(&mount.source))
}

/// Returns a mount whose changes go elsewhere (CVE-2025-4953: they must reach neither the image nor the user's files).
fn writable(job: &Job, lower: &Path, scratch: &Path) -> io::Result<OwnedFd> {
    if !lower.is_dir() {
        let copy = scratch.join("file");
        fs::copy(lower, &copy)?;
        return system::open_tree(copy.as_os_str(), false);
    }
    let (upper, work) = (scratch.join("upper"), scratch.join("work"));
    fs::create_dir_all(&upper)?;
    fs::create_dir_all(&work)?;
    let context = system::fsopen(c"overlay")?;
    for (option, path) in [
        (c"lowerdir", lower),
        (c"upperdir", &upper),
        (c"workdir", &work),
    ] {
        system::fsconfig(context.as_fd(), option, Some(path.as_os_str()))?;
    }
    if matches!(
        job.root,
        JobRoot::Overlay {
            is_rootless: true,
            ..
        }
    ) {
        system::fsconfig(context.as_fd(), c"userxattr", None)?;
    }
    system::fsmount(context.as_fd(), system::NO_DEVICES)
}

/// Files that are in memory only: secrets among them.
struct Texts {
    folder: OwnedFd,
    count: std::cell::Cell<u32>,
}

/// Where the files in memory are until each is in its place; taken away before the command starts.
const TEXTS_FOLDER: &str = "/dev/.dfbuild-files";

/// Takes the folder of the files in memory away, from inside of the root; the files stay where they were mounted.
pub(super) fn hide_texts() -> io::Result<()> {
    nix::mount::umount2(TEXTS_FOLDER, nix::mount::MntFlags::MNT_DETACH)?;
    fs::remove_dir(TEXTS_FOLDER)
}

impl Texts {
    fn new(root: &Root) -> io::Result<Texts> {
        let folder = file_system(c"tmpfs", &[(c"mode", "700")])?;
        // Only what is mounted somewhere can be mounted somewhere else too.
        root.put(folder.as_fd(), Path::new(TEXTS_FOLDER), false)?;
        Ok(Texts {
            folder,
            count: std::cell::Cell::new(0),
        })
    }

    /// Returns a mount of a new file.
    fn file(&self, content: &[u8], mode: u32, uid: u32, gid: u32) -> io::Result<OwnedFd> {
        let number = self.count.get();
        self.count.set(number + 1);
        let name = number.to_string();
        let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_WRONLY | OFlag::O_CLOEXEC;
        let file = nix::fcntl::openat(
            &self.folder,
            name.as_str(),
            flags,
            Mode::from_bits_truncate(0o600),
        )?;
        let mut file = fs::File::from(file);
        file.write_all(content)?;
        if uid != 0 || gid != 0 {
            fchown(&file, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
        }
        nix::sys::stat::fchmod(&file, Mode::from_bits_truncate(mode))?;
        let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
        system::open_tree(OsStr::new(&path), false)
    }
}
