//! The last steps before the command: descriptors, filter, user, capabilities, and the exec, whose failures are told apart.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::{Gid, Uid, fchdir, fchown, setgroups, setresgid, setresuid, setsid};

use super::{capability, seccomp};
use crate::error::Attempt;
use crate::message::{Descriptors, Report, Stdio, send_report};
use crate::system_call::{self, IN_ROOT, NO_MAGIC_LINKS, c_string, open_below};
use crate::user_namespace::{IdMap, id_map};
use crate::{Job, SandboxError, Security};

/// Becomes the command, or says why not.
pub(super) fn run(job: &Job, stdio: &Descriptors, socket: BorrowedFd<'_>) -> ! {
    let error = start(job, stdio);
    let _ = send_report(socket, &Report::Failed(error));
    system_call::exit_now(127)
}

fn start(job: &Job, stdio: &Descriptors) -> SandboxError {
    let prepared = (|| {
        let _ = system_call::die_with_parent();
        let _ = setsid();
        set_descriptors(job, stdio)?;
        enter_working_directory(&job.working_directory)?;
        let program = Program::new(job)?;
        give_up_privileges(job)?;
        // Once more: a change of user has cleared it.
        let _ = system_call::die_with_parent();
        Ok(program)
    })();
    match prepared {
        Ok(program) => program.execute(),
        Err(error) => error,
    }
}

fn set_descriptors(job: &Job, stdio: &Descriptors) -> Result<(), SandboxError> {
    let null = open(
        "/dev/null",
        OFlag::O_RDONLY | OFlag::O_CLOEXEC,
        Mode::empty(),
    )
    .attempt(|| String::from("opening /dev/null"))?;
    // Pipes are files with an owner: without this, /dev/stdout could not be opened by another user.
    for pipe in [&stdio.output, &stdio.errors] {
        let _ = fchown(
            pipe,
            Some(Uid::from_raw(job.user)),
            Some(Gid::from_raw(job.group)),
        );
    }
    let place = || String::from("setting the descriptors of the command");
    match stdio.kind {
        Stdio::Outputs => nix::unistd::dup2_stdin(&null),
        Stdio::Pipes | Stdio::Terminal => nix::unistd::dup2_stdin(&stdio.input),
    }
    .attempt(place)?;
    nix::unistd::dup2_stdout(&stdio.output).attempt(place)?;
    nix::unistd::dup2_stderr(&stdio.errors).attempt(place)?;
    if stdio.kind == Stdio::Terminal {
        system_call::take_terminal(stdio.input.as_fd())
            .attempt(|| String::from("taking the terminal"))?;
    }
    system_call::close_at_exec_from(3).attempt(place)?;
    Ok(())
}

/// Enters a directory of the image, and nothing that a descriptor of ours leads to (CVE-2024-21626).
fn enter_working_directory(path: &Path) -> Result<(), SandboxError> {
    let root = open(
        "/",
        OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
        Mode::empty(),
    )
    .attempt(|| String::from("opening the root"))?;
    let directory = open_below(
        root.as_fd(),
        path,
        libc::O_PATH | libc::O_DIRECTORY,
        IN_ROOT | NO_MAGIC_LINKS,
    );
    let path = path.to_owned();
    match directory {
        Ok(directory) => fchdir(&directory).attempt(|| format!("entering `{}`", path.display())),
        Err(error) => Err(match error.raw_os_error() {
            Some(libc::ENOENT) => SandboxError::WorkingDirectoryMissing { path },
            Some(libc::ENOTDIR | libc::ELOOP | libc::EXDEV) => {
                SandboxError::WorkingDirectoryNotInImage { path }
            }
            _ => SandboxError::system(format!("opening `{}`", path.display()), &error),
        }),
    }
}

fn give_up_privileges(job: &Job) -> Result<(), SandboxError> {
    let confined = job.security == Security::Sandbox;
    for limit in &job.limits.resources {
        limit.apply()?;
    }
    if confined {
        // Without `no_new_privs` (setuid programs work in a build) the filter can only be loaded while we are privileged.
        seccomp::load().attempt(|| String::from("loading the system call filter"))?;
        capability::bound().attempt(|| String::from("bounding the capabilities"))?;
    }
    set_groups(job)?;
    let group = Gid::from_raw(job.group);
    setresgid(group, group, group).map_err(|errno| id_error(job.group, "group", errno))?;
    let user = Uid::from_raw(job.user);
    setresuid(user, user, user).map_err(|errno| id_error(job.user, "user", errno))?;
    if confined && job.user == 0 {
        capability::limit().attempt(|| String::from("limiting the capabilities"))?;
    }
    Ok(())
}

fn set_groups(job: &Job) -> Result<(), SandboxError> {
    let groups: Vec<Gid> = job
        .supplementary_groups
        .iter()
        .copied()
        .map(Gid::from_raw)
        .collect();
    match setgroups(&groups) {
        // With a one-id map the kernel allows no change of groups, and the image has none but root's that could be meant.
        Err(Errno::EPERM) if id_map() == IdMap::OneId => Ok(()),
        Err(errno) => Err(id_error(
            job.supplementary_groups.first().copied().unwrap_or(0),
            "groups",
            errno,
        )),
        Ok(()) => Ok(()),
    }
}

fn id_error(id: u32, what: &str, errno: Errno) -> SandboxError {
    match errno {
        Errno::EINVAL | Errno::EPERM => SandboxError::IdNotMapped { id },
        _ => SandboxError::system(format!("changing the {what} to {id}"), &errno.into()),
    }
}

/// What to execute, in the kernel's form: made while errors can still be told well.
struct Program {
    name: String,
    candidates: Vec<CString>,
    arguments: Vec<CString>,
    environment: Vec<CString>,
}

impl Program {
    fn new(job: &Job) -> Result<Program, SandboxError> {
        let name = job
            .arguments
            .first()
            .filter(|name| !name.is_empty())
            .ok_or(SandboxError::NoCommand)?
            .clone();
        let strings = || -> io::Result<(Vec<CString>, Vec<CString>, Vec<CString>)> {
            let candidates = candidates(&name, &job.environment);
            Ok((
                candidates
                    .iter()
                    .map(|path| c_string(path.as_bytes()))
                    .collect::<io::Result<_>>()?,
                job.arguments
                    .iter()
                    .map(|word| c_string(word.as_bytes()))
                    .collect::<io::Result<_>>()?,
                job.environment
                    .iter()
                    .map(|(key, value)| c_string(format!("{key}={value}").as_bytes()))
                    .collect::<io::Result<_>>()?,
            ))
        };
        let (candidates, arguments, environment) =
            strings().attempt(|| format!("preparing `{name}` (a NUL byte in it)"))?;
        Ok(Program {
            name,
            candidates,
            arguments,
            environment,
        })
    }

    fn execute(self) -> SandboxError {
        let mut worst = SandboxError::ProgramMissing {
            program: self.name.clone(),
        };
        for candidate in &self.candidates {
            let error = system_call::execute(candidate, &self.arguments, &self.environment);
            match self.explain(candidate, &error) {
                SandboxError::ProgramMissing { .. } => {}
                // As execvp: a later directory of PATH may have a better one.
                found @ (SandboxError::ProgramNotExecutable { .. }
                | SandboxError::ProgramIsDirectory { .. }) => worst = found,
                other => return other,
            }
        }
        worst
    }

    fn explain(&self, candidate: &CString, error: &io::Error) -> SandboxError {
        let program = self.name.clone();
        let about = nix::sys::stat::stat(candidate.as_c_str());
        match error.raw_os_error() {
            Some(libc::ENOENT) if about.is_ok() => SandboxError::InterpreterMissing { program },
            Some(libc::ENOENT | libc::ENOTDIR) => SandboxError::ProgramMissing { program },
            Some(libc::EACCES)
                if about.is_ok_and(|about| about.st_mode & libc::S_IFMT == libc::S_IFDIR) =>
            {
                SandboxError::ProgramIsDirectory { program }
            }
            Some(libc::EACCES) => SandboxError::ProgramNotExecutable { program },
            Some(libc::ENOEXEC) => SandboxError::ForeignProgram { program },
            Some(libc::E2BIG) => SandboxError::CommandTooLong,
            _ => SandboxError::system(format!("executing `{program}`"), error),
        }
    }
}

/// Returns where to look for a program.
fn candidates(name: &str, environment: &[(String, String)]) -> Vec<String> {
    if name.contains('/') {
        return vec![name.to_owned()];
    }
    let path = environment
        .iter()
        .rev()
        .find(|(key, _)| key == "PATH")
        .map_or("", |(_, value)| value.as_str());
    path.split(':')
        .map(|directory| {
            if directory.is_empty() {
                format!("./{name}")
            } else {
                format!("{directory}/{name}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_with_slash_is_taken_as_it_is() {
        assert_eq!(candidates("./run", &[]), ["./run"]);
    }

    #[test]
    fn program_without_slash_is_looked_for_in_last_path() {
        let environment = [("PATH", "/a"), ("PATH", "/b:/c")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(candidates("x", &environment), ["/b/x", "/c/x"]);
    }
}
