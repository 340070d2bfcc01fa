//! System calls that the libraries do not have, each behind a safe function.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use libc::{c_int, c_long, c_uint};

use crate::{Ending, Usage};

/// How names are resolved by `openat2`.
pub(crate) const IN_ROOT: u64 = 0x10;
pub(crate) const BENEATH: u64 = 0x08;
pub(crate) const NO_SYMLINKS: u64 = 0x04;
pub(crate) const NO_MAGIC_LINKS: u64 = 0x02;

/// Makes a string for the kernel.
pub(crate) fn c_string(bytes: &[u8]) -> io::Result<CString> {
    CString::new(bytes).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))
}

/// Makes a path for the kernel.
pub(crate) fn c_path(path: &Path) -> io::Result<CString> {
    c_string(path.as_os_str().as_bytes())
}

/// Turns the result of a call into an error or a number.
pub(crate) fn check(result: c_long) -> io::Result<c_long> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// Turns the result of a call that makes a descriptor into its owner.
pub(crate) fn descriptor(result: c_long) -> io::Result<OwnedFd> {
    let fd = check(result)?;
    // SAFETY: the kernel has just made this descriptor, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as c_int) })
}

/// Opens `path` below `directory`; `resolve` says what is followed.
pub(crate) fn open_below(
    directory: BorrowedFd<'_>,
    path: &Path,
    flags: c_int,
    resolve: u64,
) -> io::Result<OwnedFd> {
    #[repr(C)]
    struct OpenHow {
        flags: u64,
        mode: u64,
        resolve: u64,
    }
    let path = c_path(path)?;
    let how = OpenHow {
        flags: u64::from((flags | libc::O_CLOEXEC).cast_unsigned()),
        mode: 0,
        resolve,
    };
    // A rename elsewhere makes the kernel give up with EAGAIN; it asks to be called again.
    for _ in 0..100 {
        // SAFETY: the string ends with NUL and the structure has the size that is passed; both outlive the call.
        let result = unsafe {
            libc::syscall(
                libc::SYS_openat2,
                directory.as_raw_fd(),
                path.as_ptr(),
                &raw const how,
                size_of::<OpenHow>(),
            )
        };
        match descriptor(result) {
            Err(error) if error.raw_os_error() == Some(libc::EAGAIN) => {}
            other => return other,
        }
    }
    Err(io::Error::from_raw_os_error(libc::EAGAIN))
}

/// Returns the number of the mount that a descriptor is on.
pub(crate) fn mount_id(at: BorrowedFd<'_>) -> io::Result<u64> {
    // SAFETY: all-zero bytes are a valid value of this structure of numbers.
    let mut about: libc::statx = unsafe { std::mem::zeroed() };
    // SAFETY: the string ends with NUL and the structure is ours.
    check(c_long::from(unsafe {
        libc::statx(
            at.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            libc::STATX_MNT_ID,
            &raw mut about,
        )
    }))?;
    Ok(about.stx_mnt_id)
}

/// Marks all descriptors from `first` on to be closed at the next exec.
pub(crate) fn close_at_exec_from(first: c_uint) -> io::Result<()> {
    const CLOSE_RANGE_CLOEXEC: c_uint = 4;
    // SAFETY: only flags of descriptors change, none is closed.
    check(unsafe {
        libc::syscall(
            libc::SYS_close_range,
            first,
            c_uint::MAX,
            CLOSE_RANGE_CLOEXEC,
        )
    })
    .map(drop)
}

/// Closes all descriptors from `first` on.
///
/// # Safety
///
/// No value that owns a descriptor from `first` on may be used or dropped afterwards.
pub(crate) unsafe fn close_from(first: c_uint) {
    // SAFETY: the caller promises that nobody owns these descriptors any more.
    unsafe { libc::syscall(libc::SYS_close_range, first, c_uint::MAX, 0) };
}

/// Executes the file of a descriptor.
pub(crate) fn execute_descriptor(file: BorrowedFd<'_>, arguments: &[&CStr]) -> io::Error {
    let mut pointers: Vec<*const libc::c_char> =
        arguments.iter().map(|argument| argument.as_ptr()).collect();
    pointers.push(std::ptr::null());
    let environment: [*const libc::c_char; 1] = [std::ptr::null()];
    // SAFETY: all strings end with NUL, both lists end with a null pointer, and all outlive the call.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            file.as_raw_fd(),
            c"".as_ptr(),
            pointers.as_ptr(),
            environment.as_ptr(),
            libc::AT_EMPTY_PATH,
        )
    };
    io::Error::last_os_error()
}

/// Executes a program with exactly this environment.
pub(crate) fn execute(program: &CStr, arguments: &[CString], environment: &[CString]) -> io::Error {
    let terminated = |strings: &[CString]| -> Vec<*const libc::c_char> {
        strings
            .iter()
            .map(|string| string.as_ptr())
            .chain([std::ptr::null()])
            .collect()
    };
    let arguments = terminated(arguments);
    let environment = terminated(environment);
    // SAFETY: all strings end with NUL, both lists end with a null pointer, and all outlive the call.
    unsafe { libc::execve(program.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    io::Error::last_os_error()
}

/// Clones this process; `None` is the child.
///
/// # Safety
///
/// The process must have one thread only.
pub(crate) unsafe fn clone_process(
    namespaces: c_int,
) -> io::Result<Option<(libc::pid_t, OwnedFd)>> {
    let mut pid_descriptor: c_int = -1;
    // SAFETY: without a stack the call works as fork does; the caller promises that there is one thread. The pid descriptor
    // is written where the parent_tid argument points.
    let pid = check(unsafe {
        libc::syscall(
            libc::SYS_clone,
            c_long::from(namespaces | libc::CLONE_PIDFD | libc::SIGCHLD),
            0_usize,
            &raw mut pid_descriptor,
            0_usize,
            0_usize,
        )
    })?;
    if pid == 0 {
        return Ok(None);
    }
    // SAFETY: the kernel has just made this descriptor, and nobody else knows it.
    Ok(Some((pid as libc::pid_t, unsafe {
        OwnedFd::from_raw_fd(pid_descriptor)
    })))
}

/// Sends a signal to the process of a pid descriptor.
pub(crate) fn signal_process(process: BorrowedFd<'_>, signal: c_int) -> io::Result<()> {
    // SAFETY: a null pointer means that the kernel fills in the signal's origin.
    check(unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            process.as_raw_fd(),
            signal,
            0_usize,
            0,
        )
    })
    .map(drop)
}

/// Ends this process at once, without any clean-up of the program's own.
pub(crate) fn exit_now(code: c_int) -> ! {
    // SAFETY: never returns, and runs nothing of ours.
    unsafe { libc::_exit(code) }
}

/// Asks to be killed when the thread that made this process ends.
pub(crate) fn die_with_parent() -> io::Result<()> {
    prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong)
}

/// Calls `prctl` with one number.
pub(crate) fn prctl(option: c_int, value: libc::c_ulong) -> io::Result<()> {
    // SAFETY: the options used in this crate take numbers only.
    check(c_long::from(unsafe { libc::prctl(option, value, 0, 0, 0) })).map(drop)
}

/// Loads a seccomp filter without asking for `no_new_privs`: needs CAP_SYS_ADMIN.
pub(crate) fn load_filter(program: &[libc::sock_filter]) -> io::Result<()> {
    let program = libc::sock_fprog {
        len: u16::try_from(program.len()).map_err(|_| io::Error::from_raw_os_error(libc::E2BIG))?,
        filter: program.as_ptr().cast_mut(),
    };
    // SAFETY: the kernel copies the program, of which the length is right, and does not write to it.
    check(unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            0,
            &raw const program,
        )
    })
    .map(drop)
}

/// Sets the effective, permitted and inheritable capabilities.
pub(crate) fn set_capabilities(effective: u64, permitted: u64, inheritable: u64) -> io::Result<()> {
    const VERSION_3: u32 = 0x2008_0522;
    #[repr(C)]
    struct Header {
        version: u32,
        pid: c_int,
    }
    let header = Header {
        version: VERSION_3,
        pid: 0,
    };
    let data: [u32; 6] = [
        effective as u32,
        permitted as u32,
        inheritable as u32,
        (effective >> 32) as u32,
        (permitted >> 32) as u32,
        (inheritable >> 32) as u32,
    ];
    // SAFETY: version 3 means two triples of numbers; both structures outlive the call.
    check(unsafe { libc::syscall(libc::SYS_capset, &raw const header, data.as_ptr()) }).map(drop)
}

/// Leaves the key ring of the session that started us.
pub(crate) fn leave_session_keyring() {
    const KEYCTL_JOIN_SESSION_KEYRING: c_int = 1;
    // SAFETY: a null name makes an anonymous key ring.
    unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0_usize) };
}

/// Sets all signals to what a fresh program expects.
pub(crate) fn reset_signals() {
    for signal in 1..=64 {
        // SAFETY: the default disposition runs no code of ours. The kernel refuses it for two of them, which have no other.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    let _ = nix::sys::signal::SigSet::empty().thread_set_mask();
}

/// Takes the loopback device of this network namespace into use.
pub(crate) fn start_loopback() -> io::Result<()> {
    let socket = descriptor(c_long::from(
        // SAFETY: only numbers are passed.
        unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) },
    ))?;
    // SAFETY: all-zero bytes are a valid value of this structure.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (place, byte) in request.ifr_name.iter_mut().zip(b"lo") {
        // The sign of a C character depends on the machine; the letters are the same.
        *place = libc::c_char::try_from(*byte).unwrap_or(0);
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as i16;
    // SAFETY: the request is a whole `ifreq`, as this command wants.
    check(c_long::from(unsafe {
        libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request)
    }))
    .map(drop)
}

/// Makes a terminal that of this process's session, which has none.
pub(crate) fn take_terminal(terminal: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: this command takes a number only.
    check(c_long::from(unsafe {
        libc::ioctl(terminal.as_raw_fd(), libc::TIOCSCTTY, 0)
    }))
    .map(drop)
}

/// Waits for one child.
pub(crate) fn wait_for(pid: libc::pid_t) -> Option<(c_int, libc::rusage)> {
    wait4(pid).map(|(_, status, usage)| (status, usage))
}

/// Waits for any child; `None` when there is none.
pub(crate) fn wait_for_child() -> Option<(libc::pid_t, c_int, libc::rusage)> {
    wait4(-1)
}

fn wait4(child: libc::pid_t) -> Option<(libc::pid_t, c_int, libc::rusage)> {
    loop {
        let mut status = 0;
        // SAFETY: all-zero bytes are a valid value of this structure of numbers.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: both places are ours.
        let pid = unsafe { libc::wait4(child, &raw mut status, 0, &raw mut usage) };
        if pid > 0 {
            return Some((pid, status, usage));
        }
        if io::Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
            return None;
        }
    }
}

/// Returns what a status of wait(2) says.
pub(crate) fn ending_of(status: c_int) -> Ending {
    if libc::WIFSIGNALED(status) {
        Ending::Signal(libc::WTERMSIG(status))
    } else {
        Ending::Code(libc::WEXITSTATUS(status))
    }
}

pub(crate) fn usage_of(usage: &libc::rusage) -> Usage {
    let duration = |time: libc::timeval| {
        std::time::Duration::new(
            u64::try_from(time.tv_sec).unwrap_or(0),
            u32::try_from(time.tv_usec)
                .unwrap_or(0)
                .saturating_mul(1000),
        )
    };
    Usage {
        user_time: duration(usage.ru_utime),
        system_time: duration(usage.ru_stime),
        peak_memory: u64::try_from(usage.ru_maxrss)
            .unwrap_or(0)
            .saturating_mul(1024),
    }
}

/// Sets the times of a directory to what they were.
pub(crate) fn set_times(directory: BorrowedFd<'_>, about: &libc::stat) -> io::Result<()> {
    let times = [
        libc::timespec {
            tv_sec: about.st_atime,
            tv_nsec: about.st_atime_nsec,
        },
        libc::timespec {
            tv_sec: about.st_mtime,
            tv_nsec: about.st_mtime_nsec,
        },
    ];
    // SAFETY: the string ends with NUL and both times outlive the call.
    check(c_long::from(unsafe {
        libc::utimensat(
            directory.as_raw_fd(),
            c"".as_ptr(),
            times.as_ptr(),
            libc::AT_EMPTY_PATH,
        )
    }))
    .map(drop)
}
