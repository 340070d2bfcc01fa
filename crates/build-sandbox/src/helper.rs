//! The helper: one thread that starts commands and waits for them.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::child;
use crate::error::Fault;
use crate::job::{Ending, Job, NetworkMode, Outcome};
use crate::protocol::{Answer, Order, receive};
use crate::system;

/// The name under which this program starts itself.
pub(crate) const HELPER_NAME: &str = "dfbuild-sandbox-helper";

/// Becomes the helper if this process was started as one, and then does not return.
///
/// To be called first in the `main` of every program that makes a `Sandbox`, before there are threads.
pub fn run_helper_if_asked() {
    if std::env::args_os()
        .next()
        .is_none_or(|name| name != HELPER_NAME)
    {
        return;
    }
    let socket = UnixStream::from(system::adopt(0));
    let code = i32::from(
        Helper {
            socket,
            commands: Vec::new(),
        }
        .serve()
        .is_err(),
    );
    std::process::exit(code);
}

struct Helper {
    socket: UnixStream,
    commands: Vec<Running>,
}

/// A command that has been started.
struct Running {
    number: u64,
    pid: libc::pid_t,
    process: OwnedFd,
    /// Where the answer goes.
    answer: File,
}

impl Helper {
    fn serve(&mut self) -> io::Result<()> {
        loop {
            let (has_order, ended) = self.wait()?;
            // From the back, so that the places of the others stay right.
            for place in ended.into_iter().rev() {
                let command = self.commands.remove(place);
                collect(command);
            }
            if has_order {
                match receive(&self.socket)? {
                    Some((Order::Run { number, job }, descriptors)) => {
                        self.start(number, &job, descriptors);
                    }
                    Some((Order::Kill { number }, _)) => self.kill(number),
                    None => {
                        self.end();
                        return Ok(());
                    }
                }
            }
        }
    }

    fn wait(&self) -> io::Result<(bool, Vec<usize>)> {
        let mut polled = vec![PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        polled.extend(
            self.commands
                .iter()
                .map(|command| PollFd::new(command.process.as_fd(), PollFlags::POLLIN)),
        );
        match poll(&mut polled, PollTimeout::NONE) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut ready = polled.iter().map(|polled| polled.any().unwrap_or(false));
        let has_order = ready.next().unwrap_or(false);
        let ended = ready
            .enumerate()
            .filter_map(|(place, ready)| ready.then_some(place))
            .collect();
        Ok((has_order, ended))
    }

    fn start(&mut self, number: u64, job: &Job, descriptors: Vec<OwnedFd>) {
        let Ok([output, error, answer]) = <[OwnedFd; 3]>::try_from(descriptors) else {
            return;
        };
        let answer = File::from(answer);
        match fork(job, &output, &error, &answer) {
            Ok((pid, process)) => self.commands.push(Running {
                number,
                pid,
                process,
                answer,
            }),
            Err(fault) => tell(&answer, &Answer::Failed(fault)),
        }
    }

    fn kill(&self, number: u64) {
        if let Some(command) = self
            .commands
            .iter()
            .find(|command| command.number == number)
        {
            // The first process of a namespace takes all others of it along.
            let _ = kill(Pid::from_raw(command.pid), Signal::SIGKILL);
        }
    }

    /// The caller is gone: so is everything that it started.
    fn end(&mut self) {
        for command in std::mem::take(&mut self.commands) {
            let _ = kill(Pid::from_raw(command.pid), Signal::SIGKILL);
            collect(command);
        }
    }
}

fn fork(
    job: &Job,
    output: &OwnedFd,
    error: &OwnedFd,
    answer: &File,
) -> Result<(libc::pid_t, OwnedFd), Fault> {
    let mut namespaces = libc::CLONE_NEWNS
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWCGROUP;
    if job.network == NetworkMode::None {
        namespaces |= libc::CLONE_NEWNET;
    }
    let pid = system::fork_into(namespaces)
        .map_err(|error| Fault::system("cannot make namespaces for a command", &error))?;
    if pid == 0 {
        let fault = child::run(job, output.as_fd(), error.as_fd());
        tell(answer, &Answer::Failed(fault));
        // Without the exit handlers of the process that this is a copy of.
        system::exit_at_once(125);
    }
    let process = system::process_descriptor(pid).map_err(|error| {
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        Fault::system("cannot watch a command", &error)
    })?;
    Ok((pid, process))
}

fn collect(command: Running) {
    let Ok((status, peak_memory, processor_time)) = system::collect(command.pid) else {
        return;
    };
    let ending = if libc::WIFSIGNALED(status) {
        Ending::Killed(libc::WTERMSIG(status))
    } else {
        Ending::Exited(libc::WEXITSTATUS(status))
    };
    tell(
        &command.answer,
        &Answer::Ended(Outcome {
            ending,
            peak_memory,
            processor_time,
        }),
    );
}

/// Writes an answer; whoever waits for it may be gone.
fn tell(mut answer: &File, text: &Answer) {
    let Ok(bytes) = serde_json::to_vec(text) else {
        return;
    };
    let _ = answer.write_all(&bytes);
}
