//! The helper: a copy of the program with one thread, from which the first process of each sandbox is cloned.

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, SealFlag, fcntl, open};
use nix::mount::{MsFlags, mount};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::stat::{Mode, fstat, stat, umask};
use nix::unistd::setsid;

use crate::child;
use crate::error::Attempt;
use crate::message::{Report, receive_descriptors, send_report};
use crate::mount_call::{MOUNT_READ_ONLY, clone_mount, set_mount_attributes};
use crate::runtime::{STAGE_WORD, run_stage};
use crate::system_call::{self, clone_process, execute_descriptor, signal_process};

/// The first argument of a program that is to be the helper.
pub(crate) const HELPER_WORD: &str = "build-sandbox-helper";
/// The second argument, once the executable is out of reach.
const SEALED_WORD: &str = "sealed";

/// Serves as the helper of a sandbox and never returns, if that is what this process was started for.
///
/// To be called first in `main`, before any thread is started.
pub fn run_helper_if_asked() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_none_or(|word| word != HELPER_WORD) {
        return;
    }
    // SAFETY: the program has just started; nobody owns a descriptor but the three standard ones.
    unsafe { system_call::close_from(3) };
    let word = arguments.next();
    if word.as_deref() == Some(OsStr::new(STAGE_WORD)) {
        run_stage(arguments)
    }
    if word.is_none_or(|word| word != SEALED_WORD) {
        seal();
    }
    let code = i32::from(serve().is_err());
    system_call::exit_now(code)
}

/// Starts again from a read-only copy of the executable.
///
/// A command may get hold of our executable through /proc (CVE-2019-5736, `#!/proc/self/exe`); it must not be able to write it.
fn seal() {
    let execute = |executable: OwnedFd| -> io::Error {
        let arguments = [HELPER_WORD, HELPER_WORD, SEALED_WORD]
            .map(|word| CString::new(word).unwrap_or_default());
        execute_descriptor(
            executable.as_fd(),
            &arguments.each_ref().map(CString::as_c_str),
        )
    };
    let read_only_mount = || -> io::Result<OwnedFd> {
        // By its name: in a new mount namespace, the link of /proc still leads to the mount of the old one.
        let name = std::fs::read_link("/proc/self/exe")?;
        let executable = open(&name, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())?;
        let (found, own) = (fstat(&executable)?, stat("/proc/self/exe")?);
        if (found.st_dev, found.st_ino) != (own.st_dev, own.st_ino) {
            return Err(io::Error::from_raw_os_error(libc::ESTALE));
        }
        let copy = clone_mount(executable.as_fd(), false)?;
        set_mount_attributes(copy.as_fd(), MOUNT_READ_ONLY, false)?;
        Ok(copy)
    };
    let memory_file = || -> io::Result<OwnedFd> {
        let mut executable = File::open("/proc/self/exe")?;
        let mut copy = File::from(memfd_create(
            c"helper",
            MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING,
        )?);
        io::copy(&mut executable, &mut copy)?;
        let seals = SealFlag::F_SEAL_WRITE
            | SealFlag::F_SEAL_SHRINK
            | SealFlag::F_SEAL_GROW
            | SealFlag::F_SEAL_SEAL;
        fcntl(&copy, FcntlArg::F_ADD_SEALS(seals))?;
        Ok(copy.into())
    };
    let _ = read_only_mount().map(execute);
    let _ = memory_file().map(execute);
    system_call::exit_now(1)
}

/// A job whose sandbox is alive.
struct Running {
    pid: libc::pid_t,
    process: OwnedFd,
    socket: OwnedFd,
    cancelled: bool,
}

fn serve() -> io::Result<()> {
    // Signals of the terminal are for the program, which then tells us.
    let _ = setsid();
    umask(Mode::from_bits_truncate(0o022));
    system_call::leave_session_keyring();
    // Commands inherit what is ignored here: Rust ignores SIGPIPE, nohup SIGHUP.
    system_call::reset_signals();
    unshare(CloneFlags::CLONE_NEWNS)?;
    // What the host unmounts goes here too; what we mount stays here.
    mount(
        None::<&str>,
        "/",
        None::<&str>,
        MsFlags::MS_REC | MsFlags::MS_SLAVE,
        None::<&str>,
    )?;
    let stdin = io::stdin();
    let control = stdin.as_fd();
    let mut running: Vec<Running> = Vec::new();
    loop {
        let (has_job, events) = wait(control, &running)?;
        for (job, (ended, hung_up)) in running.iter_mut().zip(&events) {
            if *hung_up && !job.cancelled && !*ended {
                job.cancelled = true;
                let _ = signal_process(job.process.as_fd(), libc::SIGKILL);
            }
        }
        let mut ended = events.iter().map(|(ended, _)| *ended);
        running.retain(|job| {
            let ended = ended.next().unwrap_or(false);
            if ended {
                reap(job);
            }
            !ended
        });
        if has_job {
            let Some([task, input, output, errors, socket]) = receive_descriptors(control)? else {
                // The program is gone: so is everything that it started, since each child dies with this process.
                return Ok(());
            };
            start(&mut running, task, [input, output, errors], socket);
        }
    }
}

/// Waits for anything to happen: whether there is a job, and of each running one whether it ended or was given up.
fn wait(control: BorrowedFd<'_>, running: &[Running]) -> io::Result<(bool, Vec<(bool, bool)>)> {
    let mut places = vec![PollFd::new(control, PollFlags::POLLIN)];
    for job in running {
        places.push(PollFd::new(job.process.as_fd(), PollFlags::POLLIN));
        let interest = if job.cancelled {
            PollFlags::empty()
        } else {
            PollFlags::POLLIN
        };
        // A cancelled job's socket stays ready for ever; its process stands in for it.
        let socket = if job.cancelled {
            job.process.as_fd()
        } else {
            job.socket.as_fd()
        };
        places.push(PollFd::new(socket, interest));
    }
    loop {
        match poll(&mut places, PollTimeout::NONE) {
            Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
            Ok(_) => break,
        }
    }
    let ready: Vec<bool> = places
        .iter()
        .map(|place| place.any().unwrap_or(true))
        .collect();
    let (first, others) = ready
        .split_first()
        .map_or((true, &[][..]), |(first, others)| (*first, others));
    Ok((
        first,
        others
            .chunks_exact(2)
            .map(|pair| (pair.first() == Some(&true), pair.last() == Some(&true)))
            .collect(),
    ))
}

fn start(running: &mut Vec<Running>, task: OwnedFd, stdio: [OwnedFd; 3], socket: OwnedFd) {
    let namespaces = libc::CLONE_NEWNS
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWCGROUP;
    // SAFETY: the helper never starts a thread.
    match unsafe { clone_process(namespaces) } {
        Ok(Some((pid, process))) => running.push(Running {
            pid,
            process,
            socket,
            cancelled: false,
        }),
        Ok(None) => {
            // A copy of another job's socket in here would make its caller wait for this job.
            running.clear();
            leave_control_socket();
            child::run(task, stdio, socket)
        }
        Err(error) => {
            if let Err(failure) =
                Err::<(), _>(error).attempt(|| String::from("making the namespaces of the sandbox"))
            {
                let _ = send_report(socket.as_fd(), &Report::Failed(failure));
            }
        }
    }
}

fn leave_control_socket() {
    if let Ok(null) = open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty()) {
        let _ = nix::unistd::dup2_stdin(&null);
        let _ = nix::unistd::dup2_stderr(&null);
        debug_assert!(null.as_raw_fd() > 2);
    }
}

fn reap(job: &Running) {
    if let Some((status, usage)) = system_call::wait_for(job.pid) {
        let gone = Report::Gone {
            ending: system_call::ending_of(status),
            usage: system_call::usage_of(&usage),
        };
        let _ = send_report(job.socket.as_fd(), &gone);
    }
}
