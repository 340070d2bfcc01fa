//! The first process of the namespaces: puts the root together, gives up its rights, and becomes the command.

mod devices;
mod filter;
mod identity;
mod kernel_files;
mod masks;
mod mounts;
mod network;
mod paths;
mod program;
mod root;

use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{chdir, dup2_stderr, dup2_stdout, fchdir, pivot_root, sethostname, setsid};

use crate::error::Fault;
use crate::job::{Job, NetworkMode, Root, Security};
use crate::system;

/// Becomes the command; returns only with the reason why that did not go.
pub(crate) fn run(job: &Job, output: BorrowedFd<'_>, error: BorrowedFd<'_>) -> Fault {
    match prepare(job, output, error) {
        Ok(()) => program::execute(job),
        Err(fault) => fault,
    }
}

fn prepare(job: &Job, output: BorrowedFd<'_>, error: BorrowedFd<'_>) -> Result<(), Fault> {
    let system_fault =
        |what: &'static str| move |error: nix::errno::Errno| Fault::system(what, &error.into());
    system::process_control(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong)
        .map_err(|error| Fault::system("cannot tie the command to the build", &error))?;
    setsid().map_err(system_fault("cannot make a session"))?;
    umask(Mode::from_bits_truncate(0o022));
    // What is mounted from here on stays in here.
    mount(
        None::<&str>,
        "/",
        None::<&str>,
        MsFlags::MS_REC | MsFlags::MS_PRIVATE,
        None::<&str>,
    )
    .map_err(system_fault("cannot make the mounts private"))?;
    if job.network == NetworkMode::None {
        network::raise_loopback()
            .map_err(|error| Fault::system("cannot raise the loopback device", &error))?;
    }
    let root = root::mount(job)?;
    let folder = root.path();
    {
        let inside = paths::Root::open(folder)?;
        kernel_files::mount(&inside, job)?;
        devices::mount(&inside)?;
        mounts::mount_all(&inside, job)?;
    }
    enter(folder)?;
    mounts::hide_texts()
        .map_err(|error| Fault::system("cannot hide the files in memory", &error))?;
    masks::apply(job.security)?;
    sethostname(&job.hostname).map_err(system_fault("cannot set the host name"))?;
    dup2_stdout(output).map_err(system_fault("cannot connect the output"))?;
    dup2_stderr(error).map_err(system_fault("cannot connect the output"))?;
    connect_input().map_err(|error| Fault::system("cannot connect the input", &error))?;
    system::close_on_exec_from(3).map_err(|error| Fault::system("cannot close files", &error))?;
    change_folder(&job.folder)?;
    if job.security == Security::Sandbox {
        // While it still may: without the right to, it would take `no_new_privs`, and sudo would be dead in there.
        filter::set()
            .map_err(|error| Fault::system("cannot set the filter for system calls", &error))?;
    }
    identity::become_user(job)
}

/// Makes a folder the root, and lets go of the old one.
fn enter(folder: &Path) -> Result<(), Fault> {
    let fault = |error: nix::errno::Errno| {
        Fault::system("cannot enter the root of the image", &error.into())
    };
    let old = nix::fcntl::open(
        "/",
        nix::fcntl::OFlag::O_DIRECTORY | nix::fcntl::OFlag::O_CLOEXEC,
        Mode::empty(),
    )
    .map_err(fault)?;
    chdir(folder).map_err(fault)?;
    pivot_root(".", ".").map_err(fault)?;
    // The old root lies on the new one now: from inside of it, it can be taken off.
    fchdir(&old).map_err(fault)?;
    umount2(".", MntFlags::MNT_DETACH).map_err(fault)?;
    chdir("/").map_err(fault)
}

fn connect_input() -> io::Result<()> {
    let null = std::fs::File::open("/dev/null")?;
    nix::unistd::dup2_stdin(&null)?;
    Ok(())
}

/// Goes to the working directory. It must be below the root: `/proc/self/fd/7` may be a way out (CVE-2024-21626).
fn change_folder(folder: &Path) -> Result<(), Fault> {
    let text = folder.display();
    let root =
        std::fs::File::open("/").map_err(|error| Fault::system("cannot open the root", &error))?;
    let inside = system::open_in_root(
        std::os::fd::AsFd::as_fd(&root),
        folder.as_os_str(),
        libc::O_DIRECTORY | libc::O_PATH,
    );
    match inside {
        Ok(inside) => fchdir(&inside)
            .map_err(|error| Fault::system("cannot change the folder", &error.into())),
        Err(error) if error.raw_os_error() == Some(libc::ENOTDIR) => Err(Fault::of_command(
            format!("the working directory `{text}` is not a directory"),
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Fault::of_command(format!(
            "the working directory `{text}` is not in the image"
        ))),
        Err(error) => Err(Fault::of_command(format!(
            "the working directory `{text}` cannot be used: {error}"
        ))),
    }
}

/// Returns whether files get other attributes and devices than those of the host.
fn is_rootless(job: &Job) -> bool {
    match &job.root {
        Root::Overlay { is_rootless, .. } => *is_rootless,
        Root::Folder(_) => crate::user_namespace::id_map() != crate::user_namespace::IdMap::Host,
    }
}
