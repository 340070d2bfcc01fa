//! What to run, and on what.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::SandboxError;

/// One command with all that it sees.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    pub root: Root,
    pub mounts: Vec<Mount>,
    /// The program and its words; a program without a slash is looked up in the PATH of `environment`.
    pub words: Vec<String>,
    /// All of the environment.
    pub environment: Vec<(String, String)>,
    /// The working directory, absolute in the root.
    pub folder: PathBuf,
    pub uid: u32,
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    pub network: NetworkMode,
    pub security: Security,
    pub hostname: String,
    /// Names and addresses for `/etc/hosts`.
    pub extra_hosts: Vec<(String, String)>,
}

/// The file system that the command runs on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Root {
    /// Layers one above the other; what the command changes lands in `upper`.
    Overlay {
        /// The topmost first; may be empty.
        lowers: Vec<PathBuf>,
        upper: PathBuf,
        /// An empty folder in the file system of `upper`.
        work: PathBuf,
        /// Attributes as a user namespace may write them: `userxattr`.
        is_rootless: bool,
    },
    /// A folder that is changed in place.
    Folder(PathBuf),
}

/// Something that the command sees in a place of its root.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mount {
    /// Absolute in the root; made where it is missing, and taken away again.
    pub target: PathBuf,
    pub source: MountSource,
}

/// What is mounted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum MountSource {
    /// A folder or a file.
    Bind {
        path: PathBuf,
        is_read_only: bool,
    },
    /// A folder or a file that the command may write to, without anything of it being kept.
    Overlay {
        lower: PathBuf,
        /// An empty folder for what is written.
        scratch: PathBuf,
    },
    Tmpfs {
        size: Option<u64>,
        mode: u32,
    },
    /// A file with this content, that never reaches a disk.
    Text {
        content: Vec<u8>,
        mode: u32,
        uid: u32,
        gid: u32,
    },
    /// A Unix socket.
    Socket {
        path: PathBuf,
        mode: u32,
        uid: u32,
        gid: u32,
    },
}

/// What of the network the command sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NetworkMode {
    /// That of the caller.
    Host,
    /// A loopback device only.
    None,
}

/// How the command is confined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Security {
    /// Docker's fourteen capabilities, its filter for system calls, its masked paths.
    Sandbox,
    /// All capabilities and no filter.
    Insecure,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    Exited(i32),
    /// By a signal.
    Killed(i32),
    /// The caller asked for it.
    Cancelled,
}

/// What is known of a command that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub ending: Ending,
    /// The largest resident set of the command or one of its children, in KiB.
    pub peak_memory: u64,
    /// Processor time in microseconds, user and system.
    pub processor_time: u64,
}

/// Where output came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Output,
    Error,
}

/// Something that runs commands.
pub trait Executor: Send + Sync {
    /// Runs a command to its end. `output` gets what it prints as it comes; `is_cancelled` is asked a few times a second.
    fn run(
        &self,
        job: &Job,
        output: &mut dyn FnMut(Stream, &[u8]),
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Outcome, SandboxError>;
}
