//! Why a command could not be run.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a command could not be run, or was not run to its end.
///
/// It travels from the child through the helper to the caller, so the system's errors are kept as numbers.
#[derive(Clone, Debug, Error, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SandboxError {
    #[error("`{program}` is not in the image")]
    ProgramMissing { program: String },
    #[error("`{program}` is in the image, but the interpreter or loader it asks for is not")]
    InterpreterMissing { program: String },
    #[error("`{program}` is a directory")]
    ProgramIsDirectory { program: String },
    #[error("`{program}` may not be executed: it has no execute permission for this user")]
    ProgramNotExecutable { program: String },
    #[error(
        "`{program}` has no format that this machine can execute: it was built for another architecture, or is a script without `#!`"
    )]
    ForeignProgram { program: String },
    #[error("the command and its environment are longer than the kernel takes")]
    CommandTooLong,
    #[error("no command was given")]
    NoCommand,
    #[error("the working directory `{}` is not in the image", path.display())]
    WorkingDirectoryMissing { path: PathBuf },
    #[error("the working directory `{}` is not a directory of the image", path.display())]
    WorkingDirectoryNotInImage { path: PathBuf },
    #[error("`{}` is a symbolic link in the image, and a file system must be mounted on it", path.display())]
    SystemDirectoryIsLink { path: PathBuf },
    #[error("`{}` is not a directory in the image, and a file system must be mounted on it", path.display())]
    SystemDirectoryIsFile { path: PathBuf },
    #[error("the mount target `{}` cannot be used: {reason}", target.display())]
    MountTarget { target: PathBuf, reason: String },
    #[error("the mount source `{}` does not exist", source_path.display())]
    MountSourceMissing { source_path: PathBuf },
    #[error("user or group {id} has no place in the user namespace")]
    IdNotMapped { id: u32 },
    #[error("{count} layers are more than overlayfs can stack ({most})")]
    TooManyLayers { count: usize, most: usize },
    #[error("overlayfs does not work on `{}`: {reason}", directory.display())]
    OverlayUnavailable { directory: PathBuf, reason: String },
    #[error("user namespaces cannot be used: {reason}")]
    UserNamespaceForbidden { reason: String, help: String },
    #[error("the limit {limit} cannot be set: {reason}")]
    LimitRefused { limit: String, reason: String },
    #[error("the control group `/{}` cannot be used: {reason}", group.display())]
    ControlGroupRefused { group: PathBuf, reason: String },
    #[error("an isolated network needs `pasta` or `slirp4netns`, and neither was found on PATH")]
    NetworkProgramMissing,
    #[error("`{program}` did not set up the network of the command: {reason}")]
    NetworkProgramFailed { program: String, reason: String },
    #[error("the command was cancelled")]
    Cancelled,
    #[error("the command ran longer than {} s and was ended", limit.as_secs_f64())]
    TimedOut { limit: Duration },
    #[error(
        "the first process of the sandbox was killed from outside (signal {signal}): out of memory, perhaps"
    )]
    SandboxKilled { signal: i32 },
    #[error("the helper process of the sandbox is gone")]
    HelperGone,
    #[error("the runtime `{program}` failed: {reason}")]
    RuntimeFailed { program: String, reason: String },
    #[error("{attempt}: {}", io::Error::from_raw_os_error(*errno))]
    System { attempt: String, errno: i32 },
}

impl SandboxError {
    /// Makes the error for something that the system refused.
    pub(crate) fn system(attempt: impl Into<String>, error: &io::Error) -> SandboxError {
        SandboxError::System {
            attempt: attempt.into(),
            errno: error.raw_os_error().unwrap_or(libc::EIO),
        }
    }

    /// Returns whether the command itself is at fault, and not the machine: the author of the Dockerfile can do something about it.
    pub fn is_of_command(&self) -> bool {
        matches!(
            self,
            SandboxError::ProgramMissing { .. }
                | SandboxError::InterpreterMissing { .. }
                | SandboxError::ProgramIsDirectory { .. }
                | SandboxError::ProgramNotExecutable { .. }
                | SandboxError::ForeignProgram { .. }
                | SandboxError::CommandTooLong
                | SandboxError::NoCommand
                | SandboxError::WorkingDirectoryMissing { .. }
                | SandboxError::WorkingDirectoryNotInImage { .. }
                | SandboxError::SystemDirectoryIsLink { .. }
                | SandboxError::SystemDirectoryIsFile { .. }
                | SandboxError::MountTarget { .. }
                | SandboxError::MountSourceMissing { .. }
                | SandboxError::IdNotMapped { .. }
        )
    }

    /// Returns what to try, where there is something.
    pub fn help(&self) -> Option<&str> {
        match self {
            SandboxError::UserNamespaceForbidden { help, .. } => Some(help),
            SandboxError::IdNotMapped { .. } => Some(
                "give this user a range in /etc/subuid and /etc/subgid and install newuidmap (package `uidmap`)",
            ),
            SandboxError::ControlGroupRefused { .. } => Some(
                "limits of memory, processors and processes need root, or a group that systemd delegates: `systemd-run --user --scope -p Delegate=yes`, and `--cgroup-parent`",
            ),
            SandboxError::NetworkProgramMissing => {
                Some("install `passt` or `slirp4netns`, or use the network of the host")
            }
            _ => None,
        }
    }
}

/// Says what was attempted when the system refuses.
pub(crate) trait Attempt<T> {
    fn attempt(self, what: impl FnOnce() -> String) -> Result<T, SandboxError>;
}

impl<T> Attempt<T> for io::Result<T> {
    fn attempt(self, what: impl FnOnce() -> String) -> Result<T, SandboxError> {
        self.map_err(|error| SandboxError::system(what(), &error))
    }
}

impl<T> Attempt<T> for nix::Result<T> {
    fn attempt(self, what: impl FnOnce() -> String) -> Result<T, SandboxError> {
        self.map_err(|errno| SandboxError::system(what(), &errno.into()))
    }
}
