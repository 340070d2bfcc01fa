//! Makes an ordinary user the root of a user namespace.

use std::ffi::CString;
use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicI32, Ordering};

use nix::fcntl::OFlag;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{ForkResult, Gid, Uid, User, fork, pipe2, setresgid, setresuid};

use crate::SandboxError;
use crate::error::Attempt;
use crate::system_call::{self, c_string};

/// Which users and groups there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdMap {
    /// All: this is no user namespace.
    Host,
    /// Root and a range of others.
    Full,
    /// Root only, which is the user who started the program.
    OneId,
}

/// Set in the environment of a re-executed program.
const MARK: &str = "DFBUILD_INSIDE_USER_NAMESPACE";

/// What a re-executed program exits with before it is one: nobody else uses it so early.
const SET_UP_FAILED: i32 = 125;

/// Returns which users and groups this process can be and can give files to.
pub fn id_map() -> IdMap {
    parse_id_map(&fs::read_to_string("/proc/self/uid_map").unwrap_or_default())
}

fn parse_id_map(text: &str) -> IdMap {
    let count: u64 = text
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2)?.parse::<u64>().ok())
        .sum();
    match count {
        0 | 1 => IdMap::OneId,
        count if count >= u64::from(u32::MAX) => IdMap::Host,
        _ => IdMap::Full,
    }
}

/// Returns whether this process may make namespaces and mounts: root with CAP_SYS_ADMIN, here or in a namespace of ours.
pub fn is_privileged() -> bool {
    const CAP_SYS_ADMIN: u64 = 1 << 21;
    let effective = fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix("CapEff:"))?;
            u64::from_str_radix(line.trim(), 16).ok()
        });
    Uid::effective().is_root() && effective.is_some_and(|set| set & CAP_SYS_ADMIN != 0)
}

/// Returns whether this program was started by `reexec_as_root`.
pub fn is_inside() -> bool {
    std::env::var_os(MARK).is_some()
}

/// Returns the code to end with for a status of `reexec_as_root`.
pub fn exit_code(status: ExitStatus) -> i32 {
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// Starts this program again, with the same arguments and environment, as root of a new user and mount namespace, and waits.
///
/// SIGINT, SIGTERM and SIGHUP are passed on; the new program dies with the calling thread.
pub fn reexec_as_root() -> Result<ExitStatus, SandboxError> {
    let strings = |words: Vec<Vec<u8>>| {
        words
            .iter()
            .map(|word| c_string(word))
            .collect::<io::Result<Vec<CString>>>()
    };
    let preparing = || String::from("preparing to start again as root of a user namespace");
    let arguments = strings(
        std::env::args_os()
            .map(|word| word.as_bytes().to_vec())
            .collect(),
    )
    .attempt(preparing)?;
    let environment = strings(
        std::env::vars_os()
            .filter(|(key, _)| key != MARK)
            .map(|(key, value)| [key.as_bytes(), b"=", value.as_bytes()].concat())
            .chain([format!("{MARK}=1").into_bytes()])
            .collect(),
    )
    .attempt(preparing)?;
    let ranges = Ranges::of_this_user();
    let (ready_read, ready_write) = pipe2(OFlag::O_CLOEXEC).attempt(preparing)?;
    let (go_read, go_write) = pipe2(OFlag::O_CLOEXEC).attempt(preparing)?;
    // SAFETY: the child only makes system calls on what was prepared above until it executes or exits.
    match unsafe { fork() }.attempt(preparing)? {
        ForkResult::Child => {
            // Else the read below would wait for our own copy.
            drop(go_write);
            let errno = become_root(&go_read, &ready_write, &arguments, &environment);
            let _ = nix::unistd::write(&ready_write, &errno.to_ne_bytes());
            system_call::exit_now(SET_UP_FAILED)
        }
        ForkResult::Parent { child } => {
            drop((ready_write, go_read));
            CHILD.store(child.as_raw(), Ordering::SeqCst);
            pass_signals_on();
            let set_up = map_ids(child.as_raw(), ranges, ready_read, go_write);
            let status = wait_for(child.as_raw());
            CHILD.store(0, Ordering::SeqCst);
            set_up.and(status)
        }
    }
}

/// Runs in the child; returns the error that stopped it.
fn become_root(
    go: &OwnedFd,
    ready: &OwnedFd,
    arguments: &[CString],
    environment: &[CString],
) -> i32 {
    let attempt = || -> nix::Result<()> {
        unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)?;
        nix::unistd::write(ready, &0_i32.to_ne_bytes())?;
        let mut byte = [0_u8];
        if nix::unistd::read(go, &mut byte)? == 0 {
            return Err(nix::errno::Errno::ECANCELED);
        }
        let (user, group) = (Uid::from_raw(0), Gid::from_raw(0));
        setresgid(group, group, group)?;
        setresuid(user, user, user)?;
        mount(
            None::<&str>,
            "/",
            None::<&str>,
            MsFlags::MS_REC | MsFlags::MS_SLAVE,
            None::<&str>,
        )
    };
    if let Err(errno) = attempt() {
        return errno as i32;
    }
    // After the change of user, which would clear it.
    let _ = system_call::die_with_parent();
    system_call::execute(c"/proc/self/exe", arguments, environment)
        .raw_os_error()
        .unwrap_or(libc::EIO)
}

/// Waits for the namespace and maps its ids; returns what went wrong in the child too.
fn map_ids(
    child: i32,
    ranges: Option<Ranges>,
    ready: OwnedFd,
    go: OwnedFd,
) -> Result<(), SandboxError> {
    let mut ready = fs::File::from(ready);
    let mut go = fs::File::from(go);
    let mut answer = || -> i32 {
        let mut bytes = [0_u8; 4];
        match ready.read_exact(&mut bytes) {
            Ok(()) => i32::from_ne_bytes(bytes),
            Err(_) => 0,
        }
    };
    match answer() {
        0 => {}
        errno => return Err(forbidden(errno)),
    }
    let mapped = ranges.is_some_and(|ranges| ranges.write(child));
    if !mapped {
        write_one_id_map(child)
            .map_err(|error| forbidden(error.raw_os_error().unwrap_or(libc::EPERM)))?;
    }
    go.write_all(b"g")
        .attempt(|| String::from("starting the program as root of a user namespace"))?;
    // The pipe closes when the program is executed.
    match answer() {
        0 => Ok(()),
        errno => Err(forbidden(errno)),
    }
}

fn write_one_id_map(child: i32) -> io::Result<()> {
    let file = |name: &str| format!("/proc/{child}/{name}");
    // A user who may drop groups could get at files that a group is denied (CVE-2014-8989).
    fs::write(file("setgroups"), "deny")?;
    fs::write(file("uid_map"), format!("0 {} 1", Uid::effective()))?;
    fs::write(file("gid_map"), format!("0 {} 1", Gid::effective()))
}

/// The further ids that an administrator has given this user.
struct Ranges {
    users: Vec<(u32, u32)>,
    groups: Vec<(u32, u32)>,
}

impl Ranges {
    fn of_this_user() -> Option<Ranges> {
        let uid = Uid::effective();
        let name = User::from_uid(uid).ok().flatten().map(|user| user.name);
        let read = |path: &str| {
            parse_ranges(
                &fs::read_to_string(path).ok()?,
                name.as_deref(),
                uid.as_raw(),
            )
        };
        Some(Ranges {
            users: read("/etc/subuid")?,
            groups: read("/etc/subgid")?,
        })
    }

    /// Maps by the two programs that may; says whether both did.
    fn write(&self, child: i32) -> bool {
        let run = |program: &str, own: u32, ranges: &[(u32, u32)]| {
            let mut command = Command::new(program);
            command.args([
                child.to_string(),
                String::from("0"),
                own.to_string(),
                String::from("1"),
            ]);
            let mut inside = 1_u32;
            for (start, count) in ranges {
                command.args([inside, *start, *count].map(|number| number.to_string()));
                inside = inside.saturating_add(*count);
            }
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        };
        // Users last: a map can be written once, and the one-id map takes over only when there is none.
        run("newgidmap", Gid::effective().as_raw(), &self.groups)
            && run("newuidmap", Uid::effective().as_raw(), &self.users)
    }
}

fn parse_ranges(text: &str, name: Option<&str>, uid: u32) -> Option<Vec<(u32, u32)>> {
    let uid = uid.to_string();
    let ranges: Vec<(u32, u32)> = text
        .lines()
        .filter_map(|line| {
            let mut fields = line.trim().split(':');
            let owner = fields.next()?;
            let range = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
            (Some(owner) == name || owner == uid).then_some(range)
        })
        .collect();
    (!ranges.is_empty()).then_some(ranges)
}

/// Says who forbids it and what can be done.
fn forbidden(errno: i32) -> SandboxError {
    let setting = |path: &str| {
        fs::read_to_string(Path::new("/proc/sys").join(path)).map(|text| text.trim().to_owned())
    };
    let (reason, help) = if setting("user/max_user_namespaces").is_ok_and(|value| value == "0") {
        (
            "`user.max_user_namespaces` is 0",
            "`sysctl user.max_user_namespaces=15000` as root, or run as root",
        )
    } else if setting("kernel/unprivileged_userns_clone").is_ok_and(|value| value == "0") {
        (
            "`kernel.unprivileged_userns_clone` is 0",
            "`sysctl kernel.unprivileged_userns_clone=1` as root, or run as root",
        )
    } else if setting("kernel/apparmor_restrict_unprivileged_userns")
        .is_ok_and(|value| value == "1")
    {
        (
            "AppArmor restricts them (`kernel.apparmor_restrict_unprivileged_userns` is 1, as on Ubuntu 24.04)",
            "give the program an AppArmor profile that allows `userns`, or `sysctl kernel.apparmor_restrict_unprivileged_userns=0` as root, or run as root",
        )
    } else if errno == libc::ENOSPC {
        (
            "there are too many already",
            "raise `user.max_user_namespaces`",
        )
    } else {
        (
            "the kernel, or the container around this program, does not allow them",
            "in a container, allow them with `--security-opt seccomp=unconfined --security-opt apparmor=unconfined`, or use `--privileged`",
        )
    };
    SandboxError::UserNamespaceForbidden {
        reason: format!("{reason} ({})", io::Error::from_raw_os_error(errno)),
        help: help.to_owned(),
    }
}

/// The process that signals are passed on to.
static CHILD: AtomicI32 = AtomicI32::new(0);

extern "C" fn pass_on(signal: i32, about: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    const FROM_KERNEL: i32 = 0x80;
    let child = CHILD.load(Ordering::SeqCst);
    // SAFETY: the kernel hands over a valid structure; kill is safe in a handler.
    unsafe {
        // The terminal sends its signals to all of the foreground, so the child has had it.
        if child > 0 && (*about).si_code != FROM_KERNEL {
            libc::kill(child, signal);
        }
    }
}

fn pass_signals_on() {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        // SAFETY: all-zero bytes are a valid value of this structure, and the handler only makes calls that a handler may.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = pass_on as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
            libc::sigaction(signal, &raw const action, std::ptr::null_mut());
        }
    }
}

fn wait_for(child: i32) -> Result<ExitStatus, SandboxError> {
    loop {
        let mut status = 0;
        // SAFETY: the place is ours.
        if unsafe { libc::waitpid(child, &raw mut status, 0) } == child {
            return Ok(ExitStatus::from_raw(status));
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::EINTR) {
            return Err(SandboxError::system(
                "waiting for the program in its user namespace",
                &error,
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_map_of_host_is_told_from_range_and_from_one_id() {
        assert_eq!(
            parse_id_map("         0          0 4294967295\n"),
            IdMap::Host
        );
        assert_eq!(parse_id_map("0 1000 1\n1 100000 65536\n"), IdMap::Full);
        assert_eq!(parse_id_map("0 1000 1\n"), IdMap::OneId);
    }

    #[test]
    fn ranges_are_found_by_name_and_by_number() {
        let text = "other:1:2\nme:100000:65536\n# x\n1000:300000:10\nbroken:x:y\n";
        assert_eq!(
            parse_ranges(text, Some("me"), 1000),
            Some(vec![(100_000, 65536), (300_000, 10)])
        );
        assert_eq!(parse_ranges(text, None, 7), None);
    }
}
