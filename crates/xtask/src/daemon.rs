//! `cargo xtask test-daemon`: what we format and what we build, given to a real Docker.
//!
//! Starts a Docker daemon of its own, with its own data and socket, so nothing of a daemon that runs is touched. Needs
//! root, Linux, and `docker.io` and `busybox-static` of Debian; says so and passes where they are not there. With the bases of
//! `cargo xtask bases --all` real projects are built, too.

mod built;
mod compared;
mod docker;
mod formatted;
mod podman;
mod projects;

use std::fs;

use clap::Args;

use self::docker::Daemon;
use crate::workspace::Workspace;

#[derive(Args)]
pub(crate) struct DaemonArgs {
    /// Only real projects whose name starts so (`a`, `te-`); may be given again.
    #[arg(long)]
    project: Vec<String>,
}

pub(crate) fn test_daemon(workspace: &Workspace, args: &DaemonArgs) -> anyhow::Result<()> {
    if let Some(program) = docker::missing_program() {
        println!("SKIPPED: {program} is not there (apt-get install docker.io busybox-static)");
        return Ok(());
    }
    if !is_root() {
        println!("SKIPPED: a Docker daemon wants root");
        return Ok(());
    }
    if !args.project.is_empty() {
        return projects::test(workspace, &args.project);
    }
    let daemon = Daemon::start("vfs")?;
    daemon.import_base()?;
    built::test(&daemon, workspace)?;
    formatted::test(&daemon)?;
    drop(daemon);
    projects::test(workspace, &[])
}

fn is_root() -> bool {
    // The owner of our own process, without a call that needs a library.
    fs::metadata("/proc/self").is_ok_and(|metadata| owner(&metadata) == 0)
}

#[cfg(unix)]
fn owner(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    metadata.uid()
}

#[cfg(not(unix))]
fn owner(_: &fs::Metadata) -> u32 {
    u32::MAX
}
