//! The first process of a sandbox: it builds the root and becomes the command, or starts it and waits for all that it leaves behind.
//!
//! The order follows from what needs what: namespaces, the overlay (not attached), a scratch memory file system, the root on
//! it, the system's mounts, the job's mounts, the turn of the root, and then the command, which gives up its privileges.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::fcntl::{OFlag, open};
use nix::mount::{MntFlags, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::stat::Mode;
use nix::unistd::{fchdir, sethostname};

use crate::error::Attempt;
use crate::message::{Descriptors, Report, read_task, send_report};
use crate::mount_call::{self, MOUNT_NO_DEVICES, attach_mount, clone_mount, set_mount_attributes};
use crate::system_call::{self};
use crate::{Job, Root, SandboxError, Security};

mod capability;
mod command;
mod job_mounts;
mod network;
mod overlay;
mod place;
mod scratch;
mod seccomp;
mod system_mounts;

pub(crate) use job_mounts::source as mount_source;
pub use overlay::{MAXIMUM_LOWERS, overlay_works};
pub(crate) use place::Places;
pub(crate) use scratch::Scratch;
pub(crate) use seccomp::refused_names as refused_calls;
pub(crate) use system_mounts::{
    MASKED_IN_PROC, MASKED_IN_SYS, READ_ONLY_IN_PROC, SHARED_MEMORY, network_files,
};

/// Runs the job and never returns. The process is the first of a new pid namespace, in its own mount, ipc and uts namespaces.
pub(crate) fn run(task_file: OwnedFd, stdio: [OwnedFd; 3], socket: OwnedFd) -> ! {
    let code = match start(task_file, stdio, socket.as_fd()) {
        Ok(command) => {
            let report = wait_for(command);
            i32::from(send_report(socket.as_fd(), &report).is_err())
        }
        Err(error) => {
            let _ = send_report(socket.as_fd(), &Report::Failed(error));
            1
        }
    };
    system_call::exit_now(code)
}

fn start(
    task_file: OwnedFd,
    stdio: [OwnedFd; 3],
    socket: BorrowedFd<'_>,
) -> Result<libc::pid_t, SandboxError> {
    system_call::die_with_parent().attempt(|| String::from("tying the sandbox to its helper"))?;
    let task = read_task(task_file).attempt(|| String::from("reading the job"))?;
    let (job, [input, output, errors]) = (task.job, stdio);
    let stdio = Descriptors {
        kind: task.stdio,
        input,
        output,
        errors,
    };
    if !job.limits.group.is_empty() {
        task.group
            .join()
            .attempt(|| String::from("joining the control group of the command"))?;
        // So that the command sees its own group as the root of them all.
        new_namespace(CloneFlags::CLONE_NEWCGROUP, "control group")?;
    }
    network::set_up(job.network)?;
    sethostname(&job.hostname).attempt(|| String::from("setting the host name"))?;
    build_root(&job, socket)?;
    if !job.has_init() {
        command::run(&job, &stdio, socket);
    }
    // CVE-2019-5736: neither the memory nor the executable of this process may be reached from the sandbox.
    let _ = system_call::prctl(libc::PR_SET_DUMPABLE, 0);
    // SAFETY: this process is a fork of the helper, which has one thread.
    match unsafe { system_call::clone_process(0) }
        .attempt(|| String::from("starting the command"))?
    {
        Some((pid, _descriptor)) => Ok(pid),
        None => command::run(&job, &stdio, socket),
    }
}

/// Builds the root and turns to it.
fn build_root(job: &Job, socket: BorrowedFd<'_>) -> Result<(), SandboxError> {
    let changes_directory = open_directory(job.root.changes())?;
    // The overlay comes first: the scratch file system hides the directory of changes.
    let overlay = root_tree(&job.root, changes_directory.as_fd())?;
    let mut scratch = Scratch::mount(changes_directory.as_fd())?;
    let tree = match overlay {
        Some(tree) => tree,
        None => overlay::by_mount_call(&job.root, changes_directory.as_fd(), &mut scratch)?,
    };
    if job.security == Security::Sandbox {
        // A node for a disk of the host may be in a layer, and the command may make one; none can be opened.
        set_mount_attributes(tree.as_fd(), MOUNT_NO_DEVICES, false)
            .attempt(|| String::from("closing the devices of the root"))?;
    }
    let place = scratch.directory("root")?;
    attach_mount(tree.as_fd(), place.as_fd()).attempt(|| String::from("mounting the root"))?;

    let mut places = places(&job.root, tree.as_fd(), changes_directory.as_fd())?;
    system_mounts::mount(job, &mut places, &mut scratch)?;
    for mount in &job.mounts {
        job_mounts::mount(mount, job, &mut places, &mut scratch)?;
    }
    let chains = places.finish()?;
    send_report(socket, &Report::Stubs(chains))
        .attempt(|| String::from("telling which mount points were made"))?;

    fchdir(tree.as_fd()).attempt(|| String::from("entering the root"))?;
    mount_call::pivot_to_current_directory().attempt(|| String::from("turning to the new root"))?;
    umount2(".", MntFlags::MNT_DETACH).attempt(|| String::from("leaving the old root"))?;
    nix::unistd::chdir("/").attempt(|| String::from("entering the root"))
}

/// Makes the mount of a root, which is not attached anywhere yet.
pub(crate) fn mount_root(
    root: &Root,
    changes: BorrowedFd<'_>,
    scratch: &mut Scratch,
) -> Result<OwnedFd, SandboxError> {
    match root_tree(root, changes)? {
        Some(tree) => Ok(tree),
        None => overlay::by_mount_call(root, changes, scratch),
    }
}

/// The mount points of a root that is attached.
pub(crate) fn places<'root>(
    root: &Root,
    tree: BorrowedFd<'root>,
    changes: BorrowedFd<'root>,
) -> Result<Places<'root>, SandboxError> {
    Places::new(tree, changes, is_overlay(root))
}

fn is_overlay(root: &Root) -> bool {
    matches!(root, Root::Overlay { lowers, .. } if !lowers.is_empty())
}

/// Makes the mount of the root; `None` when it needs the old system call.
fn root_tree(root: &Root, changes: BorrowedFd<'_>) -> Result<Option<OwnedFd>, SandboxError> {
    match root {
        Root::Overlay {
            lowers,
            upper,
            work,
            user_attributes,
        } if !lowers.is_empty() => overlay::with_upper(lowers, upper, work, *user_attributes),
        // Nothing lies below: the upper directory is the root.
        Root::Overlay { .. } | Root::Directory(_) => clone_mount(changes, false)
            .or_else(|_| clone_mount(changes, true))
            .attempt(|| String::from("mounting the root directory"))
            .map(Some),
    }
}

pub(crate) fn open_directory(path: &Path) -> Result<OwnedFd, SandboxError> {
    open(
        path,
        OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
        Mode::empty(),
    )
    .attempt(|| format!("opening `{}`", path.display()))
}

/// Waits for the command, and meanwhile for every orphan.
fn wait_for(command: libc::pid_t) -> Report {
    loop {
        let Some((pid, status, usage)) = system_call::wait_for_child() else {
            return Report::Failed(SandboxError::HelperGone);
        };
        if pid != command {
            continue;
        }
        return Report::Ended {
            ending: system_call::ending_of(status),
            usage: system_call::usage_of(&usage),
        };
    }
}

/// Leaves the namespaces that are made here and not by clone.
fn new_namespace(kind: CloneFlags, name: &str) -> Result<(), SandboxError> {
    unshare(kind).attempt(|| format!("making a new {name} namespace"))
}

/// Reads a file of the host, at most a megabyte.
fn read_host_file(path: &str) -> Vec<u8> {
    use std::io::Read;
    let mut content = Vec::new();
    if let Ok(file) = File::open(path) {
        let _ = file.take(1 << 20).read_to_end(&mut content);
    }
    content
}
