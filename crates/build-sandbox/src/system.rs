//! System calls that no safe library offers, each behind a safe function.

#![expect(
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "libc gives flags, sizes and times of the kernel as signed integers"
)]

use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;

/// Opens a path below a folder as if the folder were the root of everything (`openat2(2)`, `RESOLVE_IN_ROOT`).
pub(crate) fn open_in_root(root: BorrowedFd<'_>, path: &OsStr, flags: i32) -> io::Result<OwnedFd> {
    let path = c_string(path.as_bytes())?;
    // SAFETY: `open_how` is plain integers, for which zero is a value.
    let mut how: libc::open_how = unsafe { std::mem::zeroed() };
    how.flags = (flags | libc::O_CLOEXEC) as u64;
    how.resolve = libc::RESOLVE_IN_ROOT | libc::RESOLVE_NO_MAGICLINKS;
    // SAFETY: all pointers are to live values, and the size is that of the structure.
    let result = unsafe {
        libc::syscall(
            libc::SYS_openat2,
            root.as_raw_fd(),
            path.as_ptr(),
            &raw const how,
            size_of::<libc::open_how>(),
        )
    };
    descriptor(result)
}

/// Starts the configuration of a file system (`fsopen(2)`).
pub(crate) fn fsopen(name: &CStr) -> io::Result<OwnedFd> {
    // SAFETY: the name ends with zero.
    descriptor(unsafe { libc::syscall(libc::SYS_fsopen, name.as_ptr(), 1) })
}

/// `fsconfig(2)` with a text, or with a flag where there is no value.
pub(crate) fn fsconfig(
    context: BorrowedFd<'_>,
    key: &CStr,
    value: Option<&OsStr>,
) -> io::Result<()> {
    const SET_FLAG: u32 = 0;
    const SET_STRING: u32 = 1;
    let value = value.map(|value| c_string(value.as_bytes())).transpose()?;
    let (command, pointer) = match &value {
        Some(value) => (SET_STRING, value.as_ptr()),
        None => (SET_FLAG, std::ptr::null()),
    };
    // SAFETY: the key and the value end with zero and live until the call is over.
    let result = unsafe {
        libc::syscall(
            libc::SYS_fsconfig,
            context.as_raw_fd(),
            command,
            key.as_ptr(),
            pointer,
            0,
        )
    };
    check(result)
}

/// Devices on a mount do not work: root in a build may make nodes, and must not reach the disks of the host with them.
pub(crate) const NO_DEVICES: u32 = 4;

/// Makes the file system of a configuration, and a mount of it that is nowhere yet.
pub(crate) fn fsmount(context: BorrowedFd<'_>, attributes: u32) -> io::Result<OwnedFd> {
    const CREATE: u32 = 6;
    let nothing = std::ptr::null::<libc::c_char>();
    // SAFETY: the command takes neither key nor value.
    check(unsafe {
        libc::syscall(
            libc::SYS_fsconfig,
            context.as_raw_fd(),
            CREATE,
            nothing,
            nothing,
            0,
        )
    })?;
    // SAFETY: integers only.
    descriptor(unsafe { libc::syscall(libc::SYS_fsmount, context.as_raw_fd(), 1, attributes) })
}

/// Takes a copy of a mount that is nowhere yet (`open_tree(2)`), with all that is mounted below it.
pub(crate) fn open_tree(path: &OsStr, is_recursive: bool) -> io::Result<OwnedFd> {
    let path = c_string(path.as_bytes())?;
    let mut flags = libc::OPEN_TREE_CLONE | libc::O_CLOEXEC as u32;
    if is_recursive {
        flags |= libc::AT_RECURSIVE as u32;
    }
    // SAFETY: the path ends with zero.
    descriptor(unsafe { libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, path.as_ptr(), flags) })
}

/// Puts a mount onto a place that is open (`move_mount(2)`): no path is looked up, so none can be swapped (CVE-2021-30465).
pub(crate) fn move_mount(mount: BorrowedFd<'_>, target: BorrowedFd<'_>) -> io::Result<()> {
    const FROM_EMPTY_PATH: u32 = 4;
    const TO_EMPTY_PATH: u32 = 0x40;
    // SAFETY: both paths are the empty text.
    check(unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            mount.as_raw_fd(),
            c"".as_ptr(),
            target.as_raw_fd(),
            c"".as_ptr(),
            FROM_EMPTY_PATH | TO_EMPTY_PATH,
        )
    })
}

/// Makes a mount, and all below it, read-only (`mount_setattr(2)`).
pub(crate) fn set_read_only(mount: BorrowedFd<'_>) -> io::Result<()> {
    #[repr(C)]
    struct Attributes {
        set: u64,
        clear: u64,
        propagation: u64,
        user_namespace: u64,
    }
    const READ_ONLY: u64 = 1;
    let attributes = Attributes {
        set: READ_ONLY,
        clear: 0,
        propagation: 0,
        user_namespace: 0,
    };
    // SAFETY: the structure is the kernel's `mount_attr` of version 0, and the size says so.
    check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | libc::AT_RECURSIVE,
            &raw const attributes,
            size_of::<Attributes>(),
        )
    })
}

/// Forks into new namespaces; zero in the child.
///
/// To be called where there is one thread only.
pub(crate) fn fork_into(namespaces: i32) -> io::Result<libc::pid_t> {
    let flags = namespaces | libc::SIGCHLD;
    // SAFETY: without a stack of its own the child goes on as after fork(2); the caller has one thread, so no lock is held.
    let result = unsafe { libc::syscall(libc::SYS_clone, flags as libc::c_ulong, 0, 0, 0, 0) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(result as libc::pid_t)
}

/// Ends this process without the exit handlers of the one that it is a copy of.
pub(crate) fn exit_at_once(code: i32) -> ! {
    // SAFETY: it does not return.
    unsafe { libc::_exit(code) }
}

/// Marks all descriptors from a number on, so that no program inherits them.
pub(crate) fn close_on_exec_from(first: u32) -> io::Result<()> {
    // SAFETY: integers only.
    check(unsafe {
        libc::syscall(
            libc::SYS_close_range,
            first,
            u32::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    })
}

/// Sets the capabilities of this process: permitted, effective and inheritable.
pub(crate) fn set_capabilities(permitted: u64, effective: u64, inheritable: u64) -> io::Result<()> {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: i32,
    }
    #[repr(C)]
    struct Half {
        effective: u32,
        permitted: u32,
        inheritable: u32,
    }
    const VERSION_3: u32 = 0x2008_0522;
    let header = Header {
        version: VERSION_3,
        pid: 0,
    };
    let half = |shift: u32| Half {
        effective: (effective >> shift) as u32,
        permitted: (permitted >> shift) as u32,
        inheritable: (inheritable >> shift) as u32,
    };
    let halves = [half(0), half(32)];
    // SAFETY: header and data are those of version 3, which takes two halves.
    check(unsafe { libc::syscall(libc::SYS_capset, &raw const header, halves.as_ptr()) })
}

/// `prctl(2)` with integers.
pub(crate) fn process_control(option: i32, argument: libc::c_ulong) -> io::Result<()> {
    // SAFETY: the options that are used here take integers.
    check(libc::c_long::from(unsafe {
        libc::prctl(option, argument, 0, 0, 0)
    }))
}

/// Puts a filter for system calls onto this process and its children.
pub(crate) fn set_filter(program: &[libc::sock_filter]) -> io::Result<()> {
    let filter = libc::sock_fprog {
        len: u16::try_from(program.len()).map_err(io::Error::other)?,
        filter: program.as_ptr().cast_mut(),
    };
    // SAFETY: the kernel copies the program, and does not write to it.
    check(unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            0,
            &raw const filter,
        )
    })
}

/// Becomes another user; the calls are made directly, for libc's wait for threads that a fork does not have.
pub(crate) fn set_identity(uid: u32, gid: u32, groups: Option<&[u32]>) -> io::Result<()> {
    if let Some(groups) = groups {
        // SAFETY: pointer and length are those of one slice.
        check(unsafe { libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) })?;
    }
    // SAFETY: integers only.
    check(unsafe { libc::syscall(libc::SYS_setresgid, gid, gid, gid) })?;
    // SAFETY: integers only.
    check(unsafe { libc::syscall(libc::SYS_setresuid, uid, uid, uid) })
}

/// Returns a file that is open for a process, as long as the process is not collected.
pub(crate) fn process_descriptor(pid: libc::pid_t) -> io::Result<OwnedFd> {
    // SAFETY: integers only.
    descriptor(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })
}

/// Waits for a child that has ended: its status, its largest resident set in KiB, its processor time in microseconds.
pub(crate) fn collect(pid: libc::pid_t) -> io::Result<(i32, u64, u64)> {
    let mut status = 0;
    // SAFETY: `rusage` is plain integers.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live values.
    let result = unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    let microseconds = |time: libc::timeval| time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64;
    Ok((
        status,
        usage.ru_maxrss as u64,
        microseconds(usage.ru_utime) + microseconds(usage.ru_stime),
    ))
}

/// Enters a new user namespace, and a mount namespace that belongs to it.
pub(crate) fn unshare_user_and_mounts() -> io::Result<()> {
    // SAFETY: integers only.
    check(libc::c_long::from(unsafe {
        libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNS)
    }))
}

/// Writes a number to a descriptor, without allocating.
pub(crate) fn write_number(descriptor: RawFd, number: u32) -> io::Result<()> {
    let bytes = number.to_le_bytes();
    // SAFETY: pointer and length are those of one array.
    check(unsafe { libc::write(descriptor, bytes.as_ptr().cast(), bytes.len()) } as libc::c_long)
}

/// Reads one byte from a descriptor, without allocating; zero at its end.
pub(crate) fn read_byte(descriptor: RawFd) -> io::Result<u8> {
    let mut byte = 0_u8;
    // SAFETY: the pointer is to one live byte.
    check(unsafe { libc::read(descriptor, (&raw mut byte).cast(), 1) } as libc::c_long)?;
    Ok(byte)
}

/// Raises a network device (`SIOCSIFFLAGS`, netdevice(7)).
pub(crate) fn raise_interface(socket: RawFd, name: &CStr) -> io::Result<()> {
    // SAFETY: `ifreq` is plain integers and a union of them.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (slot, byte) in request.ifr_name.iter_mut().zip(name.to_bytes()) {
        *slot = *byte as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: the request lives until the call is over.
    let result = unsafe { libc::ioctl(socket, libc::SIOCSIFFLAGS as _, &raw const request) };
    check(libc::c_long::from(result))
}

/// Takes over a descriptor that this process got under a number.
pub(crate) fn adopt(number: RawFd) -> OwnedFd {
    // SAFETY: the caller got the number from the kernel a moment ago, and nobody else owns it.
    unsafe { OwnedFd::from_raw_fd(number) }
}

fn descriptor(result: libc::c_long) -> io::Result<OwnedFd> {
    check(result)?;
    Ok(adopt(result as RawFd))
}

fn check(result: libc::c_long) -> io::Result<()> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn c_string(bytes: &[u8]) -> io::Result<CString> {
    CString::new(bytes).map_err(io::Error::other)
}
