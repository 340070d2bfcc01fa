//! The mount calls of newer kernels (5.12), which work on descriptors instead of names.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use libc::c_uint;

use crate::system_call::{check, descriptor};

/// Flags of `open_tree`.
pub(crate) const OPEN_TREE_CLONE: c_uint = 1;
const OPEN_TREE_CLOEXEC: c_uint = libc::O_CLOEXEC as c_uint;
const AT_RECURSIVE: c_uint = 0x8000;

/// Attributes of a mount (linux/mount.h).
pub(crate) const MOUNT_READ_ONLY: u64 = 0x1;
pub(crate) const MOUNT_NO_SETUID: u64 = 0x2;
pub(crate) const MOUNT_NO_DEVICES: u64 = 0x4;
pub(crate) const MOUNT_NO_EXECUTE: u64 = 0x8;

const FSCONFIG_SET_FLAG: c_uint = 0;
const FSCONFIG_SET_STRING: c_uint = 1;
const FSCONFIG_CMD_CREATE: c_uint = 6;
const MOVE_MOUNT_F_EMPTY_PATH: c_uint = 0x4;
const MOVE_MOUNT_T_EMPTY_PATH: c_uint = 0x40;

/// A file system that is being configured.
pub(crate) struct FileSystem(OwnedFd);

impl FileSystem {
    pub(crate) fn open(kind: &CStr) -> io::Result<FileSystem> {
        // SAFETY: the string ends with NUL and outlives the call.
        let opened =
            descriptor(unsafe { libc::syscall(libc::SYS_fsopen, kind.as_ptr(), 1 as c_uint) });
        let file_system = opened.map(FileSystem)?;
        // What `/proc/mounts` has in its first column.
        file_system.set(c"source", kind)?;
        Ok(file_system)
    }

    pub(crate) fn set(&self, key: &CStr, value: &CStr) -> io::Result<()> {
        // SAFETY: both strings end with NUL and outlive the call.
        check(unsafe {
            libc::syscall(
                libc::SYS_fsconfig,
                self.0.as_raw_fd(),
                FSCONFIG_SET_STRING,
                key.as_ptr(),
                value.as_ptr(),
                0,
            )
        })
        .map(drop)
    }

    pub(crate) fn set_flag(&self, key: &CStr) -> io::Result<()> {
        // SAFETY: the string ends with NUL and outlives the call; a flag has no value.
        check(unsafe {
            libc::syscall(
                libc::SYS_fsconfig,
                self.0.as_raw_fd(),
                FSCONFIG_SET_FLAG,
                key.as_ptr(),
                0_usize,
                0,
            )
        })
        .map(drop)
    }

    /// Makes the file system and a mount of it that is not attached anywhere yet.
    pub(crate) fn mount(self, attributes: u64) -> io::Result<OwnedFd> {
        self.mount_or_log(attributes).map_err(|(error, _)| error)
    }

    /// As `mount`, and says what the kernel has written about a failure.
    pub(crate) fn mount_or_log(self, attributes: u64) -> Result<OwnedFd, (io::Error, String)> {
        // SAFETY: this command takes neither key nor value.
        check(unsafe {
            libc::syscall(
                libc::SYS_fsconfig,
                self.0.as_raw_fd(),
                FSCONFIG_CMD_CREATE,
                0_usize,
                0_usize,
                0,
            )
        })
        .map_err(|error| (error, self.log()))?;
        // SAFETY: only numbers are passed.
        descriptor(unsafe {
            libc::syscall(
                libc::SYS_fsmount,
                self.0.as_raw_fd(),
                1 as c_uint,
                attributes as c_uint,
            )
        })
        .map_err(|error| (error, self.log()))
    }

    /// Returns what the kernel has written about a failure.
    pub(crate) fn log(&self) -> String {
        let mut text = [0_u8; 512];
        nix::unistd::read(self.0.as_fd(), &mut text)
            .ok()
            .and_then(|length| text.get(..length))
            .map(|line| String::from_utf8_lossy(line).trim().to_owned())
            .unwrap_or_default()
    }
}

/// Makes a copy of the mount at a descriptor, which is not attached anywhere yet.
pub(crate) fn clone_mount(at: BorrowedFd<'_>, recursive: bool) -> io::Result<OwnedFd> {
    let flags = OPEN_TREE_CLONE
        | OPEN_TREE_CLOEXEC
        | libc::AT_EMPTY_PATH as c_uint
        | if recursive { AT_RECURSIVE } else { 0 };
    // SAFETY: the string ends with NUL.
    descriptor(unsafe { libc::syscall(libc::SYS_open_tree, at.as_raw_fd(), c"".as_ptr(), flags) })
}

/// Sets attributes of a mount and of those below it.
pub(crate) fn set_mount_attributes(
    mount: BorrowedFd<'_>,
    attributes: u64,
    recursive: bool,
) -> io::Result<()> {
    #[repr(C)]
    struct MountAttributes {
        set: u64,
        clear: u64,
        propagation: u64,
        user_namespace: u64,
    }
    let wanted = MountAttributes {
        set: attributes,
        clear: 0,
        propagation: 0,
        user_namespace: 0,
    };
    let flags = libc::AT_EMPTY_PATH as c_uint | if recursive { AT_RECURSIVE } else { 0 };
    // SAFETY: the string ends with NUL and the structure has the size that is passed; both outlive the call.
    check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const wanted,
            size_of::<MountAttributes>(),
        )
    })
    .map(drop)
}

/// Attaches a mount to the file or directory of another descriptor.
pub(crate) fn attach_mount(mount: BorrowedFd<'_>, target: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: both strings end with NUL.
    check(unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            mount.as_raw_fd(),
            c"".as_ptr(),
            target.as_raw_fd(),
            c"".as_ptr(),
            MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH,
        )
    })
    .map(drop)
}

/// Makes the current directory the root and puts the old root on top of it.
pub(crate) fn pivot_to_current_directory() -> io::Result<()> {
    // SAFETY: both strings end with NUL.
    check(unsafe { libc::syscall(libc::SYS_pivot_root, c".".as_ptr(), c".".as_ptr()) }).map(drop)
}
