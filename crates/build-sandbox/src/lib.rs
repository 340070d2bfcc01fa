//! Runs one command in its own namespaces on a given root.
//!
//! A program that embeds the crate calls [`run_helper_if_asked`] first in its `main`: the work is done by a single-threaded
//! copy of the program (the helper), which is started once per build and clones one child per command.
//! Without privileges, [`user_namespace::reexec_as_root`] starts the program again as root of a user namespace.
//!
//! Invariants:
//! - Names that come from an image are only ever resolved below its root, component by component, and mounts are put on by
//!   file descriptor: no symbolic link of an image or of a parallel step leads to the host (CVE-2021-30465, CVE-2024-23651).
//! - A command dies with its pid namespace: when it ends, on cancel, on a timeout, and when either process of ours dies.
//! - Nothing of the host leaks: environment, descriptors and capabilities are exactly those of the job.
//! - This is the only crate with `unsafe`, and all of that is in `system_call`, `mount_call` and the forks of `child`, `helper` and
//!   `user_namespace`.

mod error;
mod executor;
mod job;
mod limits;

mod message;
mod mount_call;
mod system_call;

pub mod user_namespace;

mod child;
mod control_group;
mod helper;
mod runtime;
mod sandbox;

mod remove_tree;
mod stubs;

pub use child::{MAXIMUM_LOWERS, overlay_works};
pub use error::SandboxError;
pub use executor::{Ending, Executor, Outcome, Stream, Usage};
pub use helper::run_helper_if_asked;
pub use job::{Job, Mount, MountSource, Network, Root, Security, Writes};
pub use limits::{GroupLimits, Limits, ResourceLimit};
pub use remove_tree::remove_tree;
pub use runtime::RuntimeExecutor;
pub use sandbox::{Connection, Sandbox};
