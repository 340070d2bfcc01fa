//! The caller's side: starts the helper, hands it jobs and listens.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, Shutdown, SockFlag, SockType, recv, shutdown, socketpair,
};
use nix::unistd::{pipe2, read};

use crate::control_group::ControlGroup;
use crate::error::Attempt;
use crate::executor::{Ending, Executor, Outcome, Stream, Usage};
use crate::helper::HELPER_WORD;
use crate::message::{
    LARGEST_REPORT, Report, Stdio as Kind, StubChain, Task, send_descriptors, task_file,
};
use crate::stubs::remove_stubs;
use crate::{Job, SandboxError};

/// How often `cancel` is asked.
const CANCEL_INTERVAL: Duration = Duration::from_millis(50);
/// What a command reads, and where its output goes.
#[derive(Debug)]
pub enum Connection {
    /// Nothing to read.
    Output,
    /// The end of a pipe to read.
    Input(OwnedFd),
    /// The inner end of a terminal, which becomes that of the command's session; output does not pass through here.
    Terminal(OwnedFd),
}

/// As much as a pipe holds.
const OUTPUT_BUFFER: usize = 64 * 1024;

/// The native executor: one helper process, which runs any number of jobs at the same time.
///
/// Dropping it ends the helper and every command that still runs.
#[derive(Debug)]
pub struct Sandbox {
    control: Mutex<Option<OwnedFd>>,
    helper: Mutex<Child>,
}

impl Sandbox {
    /// Starts the helper. The program's `main` has to call [`crate::run_helper_if_asked`], and the process has to be privileged.
    pub fn start() -> Result<Sandbox, SandboxError> {
        let starting = || String::from("starting the helper of the sandbox");
        let (ours, theirs) = socketpair(
            AddressFamily::Unix,
            SockType::SeqPacket,
            None,
            SockFlag::SOCK_CLOEXEC,
        )
        .attempt(starting)?;
        let helper = Command::new("/proc/self/exe")
            .arg(HELPER_WORD)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .spawn()
            .attempt(starting)?;
        Ok(Sandbox {
            control: Mutex::new(Some(ours)),
            helper: Mutex::new(helper),
        })
    }

    /// Runs a job to its end, as [`Executor::run`] does, connected to something.
    pub fn run_connected(
        &self,
        job: &Job,
        connection: Connection,
        output: &mut dyn FnMut(Stream, &[u8]),
        cancel: &dyn Fn() -> bool,
    ) -> Result<Outcome, SandboxError> {
        let group = (!job.limits.group.is_empty())
            .then(|| ControlGroup::new(&job.limits.group))
            .transpose()?;
        let mut listener = self.send(job, group.as_ref(), connection)?;
        listener.listen(job.timeout, output, cancel)?;
        let stubs = std::mem::take(&mut listener.stubs);
        // Everything in the sandbox is dead by now, and its mounts are gone.
        remove_stubs(job.root.changes(), &stubs);
        if let Some(reason) = listener.given_up.or(listener.failure) {
            return Err(reason);
        }
        let (ending, usage) = match (listener.ending, listener.gone) {
            (Some(ended), _) => ended,
            (None, Some(gone)) if !job.has_init() => gone,
            (None, Some((Ending::Signal(signal), _))) => {
                return Err(SandboxError::SandboxKilled { signal });
            }
            _ => return Err(SandboxError::HelperGone),
        };
        Ok(Outcome {
            ending,
            usage,
            ran_out_of_memory: group.is_some_and(|group| group.ran_out_of_memory()),
            stubs: stubs.into_iter().map(|chain| chain.path).collect(),
        })
    }

    fn send(
        &self,
        job: &Job,
        group: Option<&ControlGroup>,
        connection: Connection,
    ) -> Result<Listener, SandboxError> {
        let sending = || String::from("handing a job to the helper of the sandbox");
        let ends = Ends::new(connection).attempt(sending)?;
        let task = Task {
            job: job.clone(),
            group: group.map(ControlGroup::membership).unwrap_or_default(),
            stdio: ends.kind,
        };
        let file = task_file(&task).attempt(sending)?;
        let (socket, their_socket) = socketpair(
            AddressFamily::Unix,
            SockType::SeqPacket,
            None,
            SockFlag::SOCK_CLOEXEC,
        )
        .attempt(sending)?;
        let control = self
            .control
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let control = control.as_ref().ok_or(SandboxError::HelperGone)?;
        let [input, output, errors] = &ends.theirs;
        let descriptors = [&file, input, output, errors, &their_socket].map(AsRawFd::as_raw_fd);
        match send_descriptors(control.as_fd(), descriptors) {
            Err(error) if matches!(error.raw_os_error(), Some(libc::EPIPE | libc::ECONNRESET)) => {
                Err(SandboxError::HelperGone)
            }
            other => other.attempt(sending),
        }?;
        let [output, errors] = ends.ours;
        Ok(Listener {
            output,
            errors,
            socket,
            given_up: None,
            failure: None,
            ending: None,
            gone: None,
            stubs: Vec::new(),
        })
    }
}

/// The standard descriptors of a command, and our ends of its output.
struct Ends {
    kind: Kind,
    theirs: [OwnedFd; 3],
    ours: [Option<OwnedFd>; 2],
}

impl Ends {
    fn new(connection: Connection) -> io::Result<Ends> {
        let (kind, input) = match connection {
            Connection::Output => (Kind::Outputs, File::open("/dev/null")?.into()),
            Connection::Input(input) => (Kind::Pipes, input),
            Connection::Terminal(terminal) => {
                return Ok(Ends {
                    kind: Kind::Terminal,
                    theirs: [terminal.try_clone()?, terminal.try_clone()?, terminal],
                    ours: [None, None],
                });
            }
        };
        let (output, output_write) = pipe2(OFlag::O_CLOEXEC)?;
        let (errors, errors_write) = pipe2(OFlag::O_CLOEXEC)?;
        for pipe in [&output, &errors] {
            fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        Ok(Ends {
            kind,
            theirs: [input, output_write, errors_write],
            ours: [Some(output), Some(errors)],
        })
    }
}

impl Executor for Sandbox {
    fn run(
        &self,
        job: &Job,
        output: &mut dyn FnMut(Stream, &[u8]),
        cancel: &dyn Fn() -> bool,
    ) -> Result<Outcome, SandboxError> {
        self.run_connected(job, Connection::Output, output, cancel)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let control = self
            .control
            .get_mut()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        drop(control.take());
        let helper = self
            .helper
            .get_mut()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let _ = helper.wait();
    }
}

/// What has been heard of one job.
struct Listener {
    output: Option<OwnedFd>,
    errors: Option<OwnedFd>,
    socket: OwnedFd,
    given_up: Option<SandboxError>,
    failure: Option<SandboxError>,
    /// How the command ended, by the word of its parent in the sandbox.
    ending: Option<(Ending, Usage)>,
    /// How the first process of the sandbox ended.
    gone: Option<(Ending, Usage)>,
    stubs: Vec<StubChain>,
}

impl Listener {
    /// Listens until the sandbox is gone.
    fn listen(
        &mut self,
        timeout: Option<Duration>,
        output: &mut dyn FnMut(Stream, &[u8]),
        cancel: &dyn Fn() -> bool,
    ) -> Result<(), SandboxError> {
        let start = Instant::now();
        let mut buffer = vec![0_u8; OUTPUT_BUFFER];
        loop {
            self.wait(CANCEL_INTERVAL)
                .attempt(|| String::from("waiting for the sandbox"))?;
            self.hand_on(&mut buffer, output);
            if self.given_up.is_none() {
                if cancel() {
                    self.give_up(SandboxError::Cancelled);
                } else if let Some(limit) = timeout.filter(|limit| start.elapsed() >= *limit) {
                    self.give_up(SandboxError::TimedOut { limit });
                }
            }
            if self.hear(&mut buffer)? {
                // What was written before the end is in the pipes.
                while self.hand_on(&mut buffer, output) {}
                return Ok(());
            }
        }
    }

    fn wait(&self, interval: Duration) -> nix::Result<()> {
        let mut places = vec![PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        for pipe in [&self.output, &self.errors].into_iter().flatten() {
            places.push(PollFd::new(pipe.as_fd(), PollFlags::POLLIN));
        }
        let timeout = PollTimeout::try_from(interval).unwrap_or(PollTimeout::ZERO);
        match poll(&mut places, timeout) {
            Err(Errno::EINTR) | Ok(_) => Ok(()),
            Err(errno) => Err(errno),
        }
    }

    /// Hands on what is in the pipes, a buffer of each; says whether there was anything.
    fn hand_on(&mut self, buffer: &mut [u8], output: &mut dyn FnMut(Stream, &[u8])) -> bool {
        let mut any = false;
        for (pipe, stream) in [
            (&mut self.output, Stream::Output),
            (&mut self.errors, Stream::Error),
        ] {
            let Some(open) = pipe else { continue };
            match read(&*open, buffer) {
                Ok(0) => *pipe = None,
                Ok(length) => {
                    output(stream, buffer.get(..length).unwrap_or_default());
                    any = true;
                }
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                Err(_) => *pipe = None,
            }
        }
        any
    }

    fn give_up(&mut self, reason: SandboxError) {
        self.given_up = Some(reason);
        // The helper sees this and kills the sandbox; we still hear of its end.
        let _ = shutdown(self.socket.as_raw_fd(), Shutdown::Write);
    }

    /// Takes the reports that have come; says whether the sandbox is gone.
    fn hear(&mut self, buffer: &mut [u8]) -> Result<bool, SandboxError> {
        debug_assert!(buffer.len() >= LARGEST_REPORT);
        loop {
            match receive(self.socket.as_fd(), buffer) {
                Ok(0) => return Ok(true),
                Ok(length) => {
                    match serde_json::from_slice(buffer.get(..length).unwrap_or_default()) {
                        Ok(Report::Stubs(stubs)) => self.stubs = stubs,
                        Ok(Report::Failed(error)) => {
                            self.failure.get_or_insert(error);
                        }
                        Ok(Report::Ended { ending, usage }) => self.ending = Some((ending, usage)),
                        Ok(Report::Gone { ending, usage }) => self.gone = Some((ending, usage)),
                        Err(_) => return Err(SandboxError::HelperGone),
                    }
                }
                Err(Errno::EAGAIN | Errno::EINTR) => return Ok(false),
                Err(Errno::ECONNRESET) => return Ok(true),
                Err(errno) => {
                    return Err(SandboxError::system(
                        "hearing of the sandbox",
                        &io::Error::from(errno),
                    ));
                }
            }
        }
    }
}

fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> nix::Result<usize> {
    recv(socket.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT)
}
