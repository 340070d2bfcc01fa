//! The network of a command.

use std::io;
use std::os::fd::{AsFd, AsRawFd, IntoRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use nix::sched::CloneFlags;

use super::{new_namespace, read_host_file};
use crate::error::Attempt;
use crate::system_call::{self, c_path, c_string};
use crate::{Network, SandboxError};

/// Programs that connect a network namespace to the world; the first that is there is taken.
const PROGRAMS: &[&str] = &["pasta", "slirp4netns"];
/// A file that is always there, and that the namespace is mounted on.
const NAMESPACE: &str = "/proc/version";
/// The address of the name server of slirp4netns.
const SLIRP_NAME_SERVER: &str = "nameserver 10.0.2.3\n";

/// Leaves the network of the host where the job wants that.
pub(super) fn set_up(network: Network) -> Result<(), SandboxError> {
    match network {
        Network::Host => Ok(()),
        Network::None => {
            new_namespace(CloneFlags::CLONE_NEWNET, "network")?;
            system_call::start_loopback().attempt(|| String::from("starting the loopback device"))
        }
        Network::Isolated => isolated(),
    }
}

/// Returns what /etc/resolv.conf has to say in an isolated network.
pub(super) fn resolv_conf() -> Vec<u8> {
    match find_program() {
        Some(("slirp4netns", _)) => SLIRP_NAME_SERVER.as_bytes().to_vec(),
        _ => read_host_file("/etc/resolv.conf"),
    }
}

fn find_program() -> Option<(&'static str, PathBuf)> {
    // The helper has no environment; these are the usual places.
    let directories = [
        "/usr/local/sbin",
        "/usr/local/bin",
        "/usr/sbin",
        "/usr/bin",
        "/sbin",
        "/bin",
    ];
    PROGRAMS.iter().find_map(|name| {
        directories
            .iter()
            .map(|directory| Path::new(directory).join(name))
            .find(|path| path.is_file())
            .map(|path| (*name, path))
    })
}

/// Starts the program in the network that we are about to leave, and waits until it says that all is set up.
///
/// It is a child of ours in the new pid namespace, so it ends with the command.
fn isolated() -> Result<(), SandboxError> {
    let (name, path) = find_program().ok_or(SandboxError::NetworkProgramMissing)?;
    let failed = |reason: String| SandboxError::NetworkProgramFailed {
        program: name.to_owned(),
        reason,
    };
    let pipe = || {
        nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).attempt(|| String::from("making a pipe"))
    };
    let (go_read, go_write) = pipe()?;
    let (ready_read, ready_write) = pipe()?;
    let (said_read, said_write) = pipe()?;
    // SAFETY: this process is a fork of the helper, which has one thread.
    if unsafe { system_call::clone_process(0) }
        .attempt(|| format!("starting {name}"))?
        .is_none()
    {
        drop((go_write, ready_read, said_read));
        let _ = system_call::die_with_parent();
        let _ = nix::unistd::read(&go_read, &mut [0_u8; 1]);
        let error = start_program(name, &path, &ready_write, &said_write);
        let _ = nix::unistd::write(&said_write, error.to_string().as_bytes());
        system_call::exit_now(1)
    }
    drop((ready_write, said_write));
    new_namespace(CloneFlags::CLONE_NEWNET, "network")?;
    // Both programs give up what they would need to look into /proc of this process, so the namespace gets a name: in a mount
    // namespace that nobody else sees, and that ends with the turn to the new root.
    mount(
        Some("/proc/self/ns/net"),
        NAMESPACE,
        None::<&str>,
        MsFlags::MS_BIND,
        None::<&str>,
    )
    .attempt(|| String::from("naming the network namespace"))?;
    nix::unistd::write(&go_write, b"g").attempt(|| format!("starting {name}"))?;
    let mut answer = [0_u8; 256];
    let length =
        nix::unistd::read(&ready_read, &mut answer).attempt(|| format!("waiting for {name}"))?;
    // slirp4netns writes a 1, pasta its number.
    if answer
        .get(..length)
        .is_some_and(|text| text.iter().any(u8::is_ascii_digit))
    {
        return Ok(());
    }
    let length = nix::unistd::read(&said_read, &mut answer).unwrap_or(0);
    let said = String::from_utf8_lossy(answer.get(..length).unwrap_or_default())
        .trim()
        .replace('\n', "; ");
    Err(failed(if said.is_empty() {
        String::from("it ended early")
    } else {
        said
    }))
}

fn start_program(name: &str, path: &Path, ready: &OwnedFd, said: &OwnedFd) -> io::Error {
    const READY: i32 = 3;
    let words: Vec<String> = if name == "slirp4netns" {
        [
            "slirp4netns",
            "--configure",
            "--mtu=65520",
            "--disable-host-loopback",
            "--ready-fd=3",
            "--netns-type=path",
        ]
        .map(String::from)
        .into_iter()
        .chain([String::from(NAMESPACE), String::from("tap0")])
        .collect()
    } else {
        [
            "pasta",
            "--foreground",
            "--config-net",
            "--quiet",
            "--netns-only",
            "--runas",
            "0",
            "--pid",
            "/proc/self/fd/3",
            "--netns",
        ]
        .map(String::from)
        .into_iter()
        .chain([String::from(NAMESPACE)])
        .collect()
    };
    let attempt = || -> io::Result<io::Error> {
        nix::unistd::dup2_stderr(said)?;
        let program = c_path(path)?;
        let arguments = words
            .iter()
            .map(|word| c_string(word.as_bytes()))
            .collect::<io::Result<Vec<_>>>()?;
        if ready.as_raw_fd() == READY {
            nix::fcntl::fcntl(
                ready.as_fd(),
                nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty()),
            )?;
        } else {
            // SAFETY: descriptor 3 of this fork belongs to nobody who will use it: the next thing is an exec.
            let _ = unsafe { nix::unistd::dup2_raw(ready, READY) }.map(IntoRawFd::into_raw_fd)?;
        }
        system_call::close_at_exec_from(4)?;
        Ok(system_call::execute(&program, &arguments, &[]))
    };
    attempt().unwrap_or_else(|error| error)
}
