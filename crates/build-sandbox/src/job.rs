//! What to run, on what.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Limits;

/// One command and everything it may see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    pub root: Root,
    /// Further mounts, in this order, after those that every command gets.
    pub mounts: Vec<Mount>,
    /// The program and its arguments. A program without a slash is looked for in the `PATH` of `environment`.
    pub arguments: Vec<String>,
    /// The whole environment: nothing is added.
    pub environment: Vec<(String, String)>,
    /// A directory of the image; the caller creates it.
    pub working_directory: PathBuf,
    pub user: u32,
    pub group: u32,
    pub supplementary_groups: Vec<u32>,
    pub network: Network,
    pub security: Security,
    pub hostname: String,
    /// Further lines of /etc/hosts: address and names.
    pub extra_hosts: Vec<(String, String)>,
    /// The content of /etc/resolv.conf; that of the host without it.
    pub resolv_conf: Option<String>,
    pub timeout: Option<Duration>,
    pub limits: Limits,
}

impl Job {
    /// Returns whether the first process of the sandbox is one of ours, and not the command: somebody has to be the parent of the
    /// program that connects a network. A command expects to be the first, as in Docker: `kill $$` does nothing there.
    pub(crate) fn has_init(&self) -> bool {
        self.network == Network::Isolated
    }

    /// Makes a job with BuildKit's defaults: root, `/`, host network, sandboxed, no environment.
    pub fn new(root: Root, arguments: Vec<String>) -> Job {
        Job {
            root,
            mounts: Vec::new(),
            arguments,
            environment: Vec::new(),
            working_directory: PathBuf::from("/"),
            user: 0,
            group: 0,
            supplementary_groups: Vec::new(),
            network: Network::Host,
            security: Security::Sandbox,
            hostname: String::from("buildkitsandbox"),
            extra_hosts: Vec::new(),
            resolv_conf: None,
            timeout: None,
            limits: Limits::default(),
        }
    }
}

/// The file system that the command takes for its root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Root {
    /// Layers and a directory for what changes.
    Overlay {
        /// The topmost first; none means an empty image.
        lowers: Vec<PathBuf>,
        upper: PathBuf,
        /// An empty directory on the file system of `upper`; to be removed by the caller.
        work: PathBuf,
        /// Marks opaque directories by `user.overlay.opaque` instead of `trusted.overlay.opaque`: always so in a user namespace.
        user_attributes: bool,
    },
    /// A plain directory, which is changed in place.
    Directory(PathBuf),
}

impl Root {
    /// Returns the directory that a command changes.
    pub fn changes(&self) -> &Path {
        match self {
            Root::Overlay { upper, .. } => upper,
            Root::Directory(directory) => directory,
        }
    }
}

/// One more mount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// A path in the image. It is created where it is missing, and removed afterwards.
    pub target: PathBuf,
    pub source: MountSource,
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MountSource {
    /// A file or directory of a tree that others may write to: `path` is resolved below the tree, never out of it.
    Tree {
        /// A directory, or the layers of an image (the topmost first).
        lowers: Vec<PathBuf>,
        /// A path in the tree; empty for all of it.
        path: PathBuf,
        writes: Writes,
    },
    /// A file, directory or socket of the host, by its own name.
    Host { path: PathBuf, writes: Writes },
    Memory {
        /// In bytes; as the kernel has it (half of the memory) without it.
        size: Option<u64>,
        mode: u32,
    },
    /// A read-only file: a secret, for example. It is held in memory only.
    Text {
        content: Vec<u8>,
        mode: u32,
        user: u32,
        group: u32,
    },
}

/// What happens to what the command writes below a mount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Writes {
    Denied,
    /// They go to the source, which then has to be one directory.
    Kept,
    /// They are thrown away (`RUN --mount=type=bind,rw`): kept in this empty directory meanwhile, which the caller removes.
    Discarded {
        scratch: PathBuf,
    },
}

/// What the command sees of the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Network {
    #[default]
    Host,
    /// A loopback device only.
    None,
    /// One of its own, connected to the world by `pasta` or `slirp4netns`.
    Isolated,
}

/// How far the command is confined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Security {
    /// As Docker confines a container by default.
    #[default]
    Sandbox,
    /// All capabilities that we have, no filter, nothing masked. The caller has asked the user.
    Insecure,
}
