//! Runs one command in its own namespaces on a given root.
//!
//! The way of a command: `Sandbox::run` -> a message with file descriptors -> `helper` (a copy of this program with one thread, started
//! once) -> `child` (mounts, identity, filter) -> `execve`.
//!
//! Invariants:
//! - The only crate with `unsafe`.
//! - Nothing of the caller reaches the command but what the job says: no variable, no open file, no folder.
//! - A path of the image is only ever resolved inside of its root (`paths`), and mounted on by descriptor.
//! - When the command ends, or the caller does, everything it started ends and nothing stays mounted: all of it lives in namespaces
//!   that die with it.

#[cfg(not(target_os = "linux"))]
compile_error!("build-sandbox needs Linux: it stands on namespaces and overlayfs");

mod error;
mod job;
mod sandbox;
pub mod user_namespace;

mod child;
mod helper;
mod protocol;

mod remove_tree;
mod system;

pub use error::SandboxError;
pub use helper::run_helper_if_asked;
pub use job::{
    Ending, Executor, Job, Mount, MountSource, NetworkMode, Outcome, Root, Security, Stream,
};
pub use remove_tree::remove_tree;
pub use sandbox::Sandbox;
