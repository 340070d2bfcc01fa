//! The stage: prepares a bundle in namespaces of its own, and becomes the runtime.

use std::ffi::{CString, OsString};
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::stat::Mode;

use super::bundle::{Prepared, specification};
use super::{ERROR_FILE, JOB_FILE, STUBS_FILE, name_of};
use crate::child::{self, Scratch};
use crate::error::Attempt;
use crate::mount_call::attach_mount;
use crate::system_call::{self, c_path, c_string};
use crate::{Job, SandboxError};

/// Runs as a process of its own and never returns.
pub(crate) fn run(mut arguments: impl Iterator<Item = OsString>) -> ! {
    let (Some(program), Some(bundle)) = (arguments.next(), arguments.next()) else {
        system_call::exit_now(125)
    };
    let (program, bundle) = (PathBuf::from(program), PathBuf::from(bundle));
    let code = match start(&program, &bundle) {
        Ok(code) => code,
        Err(error) => {
            tell(&bundle, &error);
            125
        }
    };
    system_call::exit_now(code)
}

fn tell(bundle: &Path, error: &SandboxError) {
    if let Ok(text) = serde_json::to_vec(error) {
        let _ = fs::write(bundle.join(ERROR_FILE), text);
    }
}

fn start(program: &Path, bundle: &Path) -> Result<i32, SandboxError> {
    system_call::die_with_parent().attempt(|| String::from("tying the runtime to its caller"))?;
    let _ = nix::unistd::setsid();
    system_call::reset_signals();
    nix::sys::stat::umask(Mode::from_bits_truncate(0o022));
    unshare(CloneFlags::CLONE_NEWPID)
        .attempt(|| String::from("making the namespaces of the runtime"))?;
    // SAFETY: this process has just started and has one thread.
    let child = unsafe { system_call::clone_process(libc::CLONE_NEWNS) };
    if child
        .attempt(|| String::from("starting the runtime"))?
        .is_none()
    {
        let error = become_runtime(program, bundle);
        tell(bundle, &error);
        system_call::exit_now(125)
    }
    let status = system_call::wait_for_child().map_or(125 << 8, |(_, status, _)| status);
    Ok(if libc::WIFSIGNALED(status) {
        128 + libc::WTERMSIG(status)
    } else {
        libc::WEXITSTATUS(status)
    })
}

/// Runs as the first process of a pid namespace; returns what stopped it.
fn become_runtime(program: &Path, bundle: &Path) -> SandboxError {
    let attempt = || -> Result<std::io::Error, SandboxError> {
        system_call::die_with_parent()
            .attempt(|| String::from("tying the runtime to its stage"))?;
        let preparing = || String::from("preparing the mounts of the runtime");
        mount(
            None::<&str>,
            "/",
            None::<&str>,
            MsFlags::MS_REC | MsFlags::MS_SLAVE,
            None::<&str>,
        )
        .attempt(preparing)?;
        mount(
            Some("proc"),
            "/proc",
            Some("proc"),
            MsFlags::empty(),
            None::<&str>,
        )
        .attempt(preparing)?;
        let job: Job = super::read_json(&bundle.join(JOB_FILE)).ok_or(SandboxError::HelperGone)?;
        let prepared = prepare(&job, bundle)?;
        let text = serde_json::to_vec(&specification(&job, &prepared)).unwrap_or_default();
        fs::write(bundle.join("config.json"), text).attempt(|| String::from("writing a bundle"))?;
        let words = [
            c_path(program),
            c_string(b"--root"),
            c_path(&bundle.join("state")),
            c_string(b"--log-format=json"),
            c_string(b"--log"),
            c_path(&bundle.join("log.json")),
            c_string(b"run"),
            c_string(b"--bundle"),
            c_path(bundle),
            c_string(name_of(bundle).as_bytes()),
        ];
        let arguments: Vec<CString> = words
            .into_iter()
            .collect::<std::io::Result<_>>()
            .attempt(preparing)?;
        let program = c_path(program).attempt(preparing)?;
        system_call::close_at_exec_from(3).attempt(preparing)?;
        let environment =
            [c"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned()];
        Ok(system_call::execute(&program, &arguments, &environment))
    };
    match attempt() {
        Ok(error) => SandboxError::RuntimeFailed {
            program: program.display().to_string(),
            reason: error.to_string(),
        },
        Err(error) => error,
    }
}

/// Mounts the root and the sources below the bundle.
fn prepare(job: &Job, bundle: &Path) -> Result<Prepared, SandboxError> {
    let place = |name: &str| -> Result<(PathBuf, OwnedFd), SandboxError> {
        let path = bundle.join(name);
        fs::create_dir(&path).attempt(|| format!("making `{}`", path.display()))?;
        let opened = child::open_directory(&path)?;
        Ok((path, opened))
    };
    let changes = child::open_directory(job.root.changes())?;
    let (scratch_path, scratch_place) = place("mounts")?;
    let mut scratch = Scratch::mount(scratch_place.as_fd())?;
    let tree = child::mount_root(&job.root, changes.as_fd(), &mut scratch)?;
    let (root_path, root_place) = place("rootfs")?;
    attach_mount(tree.as_fd(), root_place.as_fd()).attempt(|| String::from("mounting the root"))?;

    let mut places = child::places(&job.root, tree.as_fd(), changes.as_fd())?;
    for name in ["proc", "dev", "sys"] {
        places.system_directory(name)?;
    }
    let mut binds = Vec::new();
    let mut add = |source: OwnedFd,
                   is_file: bool,
                   target: &Path,
                   scratch: &mut Scratch|
     -> Result<(), SandboxError> {
        let name = format!("m{}", binds.len());
        let at = scratch.place(&name, is_file)?;
        attach_mount(source.as_fd(), at.as_fd())
            .attempt(|| format!("mounting the source of `{}`", target.display()))?;
        binds.push((scratch_path.join(name), target.to_owned()));
        Ok(())
    };
    for (path, content) in child::network_files(job) {
        places.place(Path::new(path), true)?;
        let file = scratch.text(&content, 0o644, 0, 0)?;
        add(file, true, Path::new(path), &mut scratch)?;
    }
    for mount in &job.mounts {
        let (source, is_file) = child::mount_source(mount, job, &mut scratch)?;
        places.place(&mount.target, is_file)?;
        add(source, is_file, &mount.target, &mut scratch)?;
    }
    let stubs = serde_json::to_vec(&places.finish()?).unwrap_or_default();
    fs::write(bundle.join(STUBS_FILE), stubs).attempt(|| String::from("writing a bundle"))?;
    Ok(Prepared {
        bundle: bundle.to_owned(),
        root: root_path,
        binds,
    })
}
