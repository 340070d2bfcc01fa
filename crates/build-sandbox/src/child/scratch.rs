//! A small memory file system for the time of the set-up: mount points and files that are mounted elsewhere.
//!
//! It goes with the old root; what has been mounted out of it stays.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{Mode, fchmod, mkdirat};
use nix::unistd::{Gid, Uid, fchown};

use crate::SandboxError;
use crate::error::Attempt;
use crate::mount_call::{
    FileSystem, MOUNT_NO_DEVICES, MOUNT_NO_EXECUTE, MOUNT_NO_SETUID, MOUNT_READ_ONLY, attach_mount,
    clone_mount, set_mount_attributes,
};

pub(crate) struct Scratch {
    root: OwnedFd,
    made: u32,
}

impl Scratch {
    /// Mounts it on a directory.
    pub(crate) fn mount(at: BorrowedFd<'_>) -> Result<Scratch, SandboxError> {
        let make = || -> std::io::Result<OwnedFd> {
            let file_system = FileSystem::open(c"tmpfs")?;
            file_system.set(c"mode", c"0700")?;
            let root = file_system.mount(MOUNT_NO_SETUID | MOUNT_NO_DEVICES)?;
            attach_mount(root.as_fd(), at)?;
            Ok(root)
        };
        let root = make().attempt(|| String::from("mounting a scratch file system"))?;
        Ok(Scratch { root, made: 0 })
    }

    pub(crate) fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// Makes a directory of this name.
    pub(crate) fn directory(&mut self, name: &str) -> Result<OwnedFd, SandboxError> {
        mkdirat(&self.root, name, Mode::from_bits_truncate(0o755))
            .and_then(|()| {
                openat(
                    &self.root,
                    name,
                    OFlag::O_PATH | OFlag::O_CLOEXEC,
                    Mode::empty(),
                )
            })
            .attempt(|| format!("making the scratch directory `{name}`"))
    }

    /// Makes a mount point of this name.
    pub(crate) fn place(&mut self, name: &str, is_file: bool) -> Result<OwnedFd, SandboxError> {
        if !is_file {
            return self.directory(name);
        }
        let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_WRONLY | OFlag::O_CLOEXEC;
        openat(&self.root, name, flags, Mode::from_bits_truncate(0o600))
            .attempt(|| format!("making the scratch file `{name}`"))
    }

    /// Makes a directory with a name that nobody has yet.
    pub(crate) fn new_directory(&mut self) -> Result<OwnedFd, SandboxError> {
        self.made += 1;
        self.directory(&format!("d{}", self.made))
    }

    /// Makes a read-only mount of a file with this content.
    pub(crate) fn text(
        &mut self,
        content: &[u8],
        mode: u32,
        user: u32,
        group: u32,
    ) -> Result<OwnedFd, SandboxError> {
        self.made += 1;
        let name = format!("f{}", self.made);
        let make = || -> std::io::Result<OwnedFd> {
            let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_RDWR | OFlag::O_CLOEXEC;
            let mut file = File::from(openat(
                &self.root,
                name.as_str(),
                flags,
                Mode::from_bits_truncate(0o600),
            )?);
            file.write_all(content)?;
            if (user, group) != (0, 0) {
                fchown(&file, Some(Uid::from_raw(user)), Some(Gid::from_raw(group)))?;
            }
            fchmod(&file, Mode::from_bits_truncate(mode))?;
            let mount = clone_mount(file.as_fd(), false)?;
            // A secret is no program; the script of a here-document is one.
            let no_execute = if mode & 0o111 == 0 {
                MOUNT_NO_EXECUTE
            } else {
                0
            };
            set_mount_attributes(mount.as_fd(), MOUNT_READ_ONLY | no_execute, false)?;
            Ok(mount)
        };
        make().map_err(|error| match error.raw_os_error() {
            Some(libc::EINVAL) if (user, group) != (0, 0) => SandboxError::IdNotMapped {
                id: if user == 0 { group } else { user },
            },
            _ => SandboxError::system("making a file in memory", &error),
        })
    }
}
