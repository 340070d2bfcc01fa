//! Being root without being root.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use crate::error::SandboxError;

/// Set in the program that runs inside: how its ids are mapped.
const MARK: &str = "DFBUILD_INSIDE_USER_NAMESPACE";

/// Which users there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdMap {
    /// Those of the machine: this is the real root.
    Host,
    /// A range of ids of our own (`/etc/subuid`).
    Range,
    /// Root only, who is the user outside.
    OneId,
}

/// Returns how the ids of this process are mapped.
pub fn id_map() -> IdMap {
    let text = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let count = |line: &str| line.split_whitespace().nth(2)?.parse::<u64>().ok();
    let total: u64 = text.lines().filter_map(count).sum();
    match total {
        0..=1 => IdMap::OneId,
        4_294_967_295.. => IdMap::Host,
        _ => IdMap::Range,
    }
}

/// Returns whether this process may make namespaces and mounts.
pub fn is_privileged() -> bool {
    const SYS_ADMIN: u64 = 1 << 21;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let capabilities = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|text| u64::from_str_radix(text.trim(), 16).ok());
    capabilities.is_some_and(|bits| bits & SYS_ADMIN != 0)
}

/// Returns whether this program has been started by `reexec_as_root`.
pub fn is_inside() -> bool {
    std::env::var_os(MARK).is_some()
}

/// Starts this program again, with the same arguments, as root of a user namespace of its own, and waits for its end.
pub fn reexec_as_root() -> Result<ExitStatus, SandboxError> {
    let fault =
        |error: io::Error| SandboxError::system("cannot start again in a user namespace", error);
    let ranges = Ranges::of_this_user();
    let (mut ready, told) = io::pipe().map_err(fault)?;
    let (wait, mut go) = io::pipe().map_err(fault)?;
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (told_number, wait_number) = (told.as_raw_fd(), wait.as_raw_fd());
    let mut command = Command::new("/proc/self/exe");
    command
        .args(arguments)
        .env(MARK, "1")
        .stdin(Stdio::inherit());
    // SAFETY: between fork and exec there are system calls only, no allocation.
    unsafe {
        command.pre_exec(move || enter(told_number, wait_number));
    }
    // The child says that it has a namespace, and waits until its ids are mapped; `spawn` returns when it goes on, so another thread maps.
    let mapper = std::thread::spawn(move || -> io::Result<bool> {
        let mut pid = [0; 4];
        if io::Read::read_exact(&mut ready, &mut pid).is_err() {
            return Ok(false);
        }
        let mapped = map(u32::from_le_bytes(pid), ranges.as_ref());
        io::Write::write_all(&mut go, &[u8::from(mapped.is_ok())])?;
        mapped.map(|()| true)
    });
    let child = command.spawn();
    drop((told, wait));
    let mapped = mapper.join().map_err(|_| SandboxError::HelperGone)?;
    let mut child = child.map_err(|error| no_namespace(&error))?;
    mapped.map_err(fault)?;
    let status = child.wait().map_err(fault)?;
    Ok(status)
}

/// Returns the code to end with for a status of `reexec_as_root`.
pub fn exit_code(status: ExitStatus) -> i32 {
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// Runs in the child before it becomes the program again.
fn enter(told: i32, wait: i32) -> io::Result<()> {
    crate::system::process_control(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong)?;
    crate::system::unshare_user_and_mounts()?;
    crate::system::write_number(told, std::process::id())?;
    let answer = crate::system::read_byte(wait)?;
    if answer == 0 {
        return Err(io::Error::from_raw_os_error(libc::EPERM));
    }
    crate::system::set_identity(0, 0, None)
}

/// The ids that a user may hand out.
#[derive(Debug)]
struct Ranges {
    users: (u64, u64),
    groups: (u64, u64),
}

impl Ranges {
    fn of_this_user() -> Option<Ranges> {
        let uid = nix::unistd::getuid();
        let name = nix::unistd::User::from_uid(uid)
            .ok()
            .flatten()
            .map(|user| user.name);
        let find = |path: &str| {
            let text = fs::read_to_string(path).ok()?;
            text.lines().find_map(|line| {
                let mut parts = line.split(':');
                let owner = parts.next()?;
                let is_ours = Some(owner) == name.as_deref() || owner == uid.to_string();
                let start = parts.next()?.trim().parse().ok()?;
                let count = parts.next()?.trim().parse().ok()?;
                is_ours.then_some((start, count))
            })
        };
        let has = |program: &str| {
            ["/usr/bin", "/bin", "/usr/sbin", "/usr/local/bin"]
                .iter()
                .any(|folder| Path::new(folder).join(program).exists())
        };
        if !has("newuidmap") || !has("newgidmap") {
            return None;
        }
        Some(Ranges {
            users: find("/etc/subuid")?,
            groups: find("/etc/subgid")?,
        })
    }
}

fn map(pid: u32, ranges: Option<&Ranges>) -> io::Result<()> {
    let (uid, gid) = (nix::unistd::getuid(), nix::unistd::getgid());
    if let Some(ranges) = ranges
        && map_by("newuidmap", pid, uid.as_raw(), ranges.users).is_ok()
        && map_by("newgidmap", pid, gid.as_raw(), ranges.groups).is_ok()
    {
        return Ok(());
    }
    fs::write(format!("/proc/{pid}/setgroups"), "deny")?;
    fs::write(format!("/proc/{pid}/uid_map"), format!("0 {uid} 1"))?;
    fs::write(format!("/proc/{pid}/gid_map"), format!("0 {gid} 1"))
}

fn map_by(program: &str, pid: u32, own: u32, range: (u64, u64)) -> io::Result<()> {
    let numbers = [pid.into(), 0, own.into(), 1, 1, range.0, range.1];
    let status = Command::new(program)
        .args(numbers.map(|number: u64| number.to_string()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("{program} failed")))
    }
}

fn no_namespace(error: &io::Error) -> SandboxError {
    let setting = |path: &str| {
        fs::read_to_string(path)
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    let why = if setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1" {
        "AppArmor keeps ordinary users from making user namespaces here (Ubuntu 24.04 and newer). \
         As root: `sysctl kernel.apparmor_restrict_unprivileged_userns=0`, or an AppArmor profile for this program"
    } else if setting("/proc/sys/kernel/unprivileged_userns_clone") == "0" {
        "ordinary users may not make user namespaces here. As root: `sysctl kernel.unprivileged_userns_clone=1`"
    } else if setting("/proc/sys/user/max_user_namespaces") == "0" {
        "this machine allows no user namespaces. As root: `sysctl user.max_user_namespaces=10000`"
    } else {
        "the system does not let this user make a user namespace; inside of a container it may need `--security-opt seccomp=unconfined`"
    };
    SandboxError::NoNamespace {
        message: format!("cannot make a user namespace ({error}): {why}"),
    }
}
