//! The caller's side: starts the helper, gives it jobs, reads what commands print.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::pipe2;

use crate::error::SandboxError;
use crate::helper::HELPER_NAME;
use crate::job::{Ending, Executor, Job, Outcome, Stream};
use crate::protocol::{Answer, Order, send};

/// How often it is asked whether to cancel, in milliseconds.
const PATIENCE: u16 = 50;

/// Runs commands in namespaces of their own, several at a time.
#[derive(Debug)]
pub struct Sandbox {
    socket: Mutex<UnixStream>,
    helper: Mutex<Child>,
    count: AtomicU64,
}

impl Sandbox {
    /// Starts the helper: this program once more, with one thread. `run_helper_if_asked` must stand first in its `main`.
    pub fn start() -> Result<Sandbox, SandboxError> {
        let fault = |error: io::Error| {
            SandboxError::system("cannot start the helper that runs commands", error)
        };
        let (ours, theirs) = UnixStream::pair().map_err(fault)?;
        let helper = Command::new("/proc/self/exe")
            .arg0(HELPER_NAME)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .env_clear()
            .spawn()
            .map_err(fault)?;
        Ok(Sandbox {
            socket: Mutex::new(ours),
            helper: Mutex::new(helper),
            count: AtomicU64::new(0),
        })
    }

    fn send(&self, order: &Order, descriptors: &[i32]) -> Result<(), SandboxError> {
        let socket = self
            .socket
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        send(&socket, order, descriptors).map_err(|_| SandboxError::HelperGone)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let socket = self
            .socket
            .get_mut()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        // The helper ends when nobody can send it anything any more.
        let _ = socket.shutdown(std::net::Shutdown::Both);
        let helper = self
            .helper
            .get_mut()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let _ = helper.wait();
    }
}

impl Executor for Sandbox {
    fn run(
        &self,
        job: &Job,
        output: &mut dyn FnMut(Stream, &[u8]),
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Outcome, SandboxError> {
        let pipe = || {
            pipe2(OFlag::O_CLOEXEC)
                .map_err(|error| SandboxError::system("cannot make a pipe", error))
        };
        let (output_end, output_start) = pipe()?;
        let (error_end, error_start) = pipe()?;
        let (answer_end, answer_start) = pipe()?;
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let order = Order::Run {
            number,
            job: Box::new(job.clone()),
        };
        self.send(
            &order,
            &[
                output_start.as_raw_fd(),
                error_start.as_raw_fd(),
                answer_start.as_raw_fd(),
            ],
        )?;
        drop((output_start, error_start, answer_start));
        let mut wires = Wires {
            output: Some(File::from(output_end)),
            error: Some(File::from(error_end)),
            answer: Some(File::from(answer_end)),
            text: Vec::new(),
        };
        let mut was_cancelled = false;
        while wires.answer.is_some() {
            wires.wait(output)?;
            if !was_cancelled && is_cancelled() {
                was_cancelled = true;
                self.send(&Order::Kill { number }, &[])?;
            }
        }
        wires.drain(output);
        // A command that could not be started says why first; that its process ended is no news then.
        let mut answers = serde_json::Deserializer::from_slice(&wires.text).into_iter::<Answer>();
        match answers.next() {
            Some(Ok(Answer::Ended(outcome))) if was_cancelled => Ok(Outcome {
                ending: Ending::Cancelled,
                ..outcome
            }),
            Some(Ok(Answer::Ended(outcome))) => Ok(outcome),
            Some(Ok(Answer::Failed(fault))) => Err(fault.into()),
            Some(Err(_)) | None => Err(SandboxError::HelperGone),
        }
    }
}

/// What is read from while a command runs; none once it has ended.
struct Wires {
    output: Option<File>,
    error: Option<File>,
    answer: Option<File>,
    text: Vec<u8>,
}

impl Wires {
    fn wait(&mut self, output: &mut dyn FnMut(Stream, &[u8])) -> Result<(), SandboxError> {
        let mut ready = [false; 3];
        {
            let files = [&self.output, &self.error, &self.answer];
            let open: Vec<(usize, &File)> = files
                .iter()
                .enumerate()
                .filter_map(|(number, file)| Some((number, file.as_ref()?)))
                .collect();
            let mut polled: Vec<PollFd<'_>> = open
                .iter()
                .map(|(_, file)| PollFd::new(file.as_fd(), PollFlags::POLLIN))
                .collect();
            match poll(&mut polled, PollTimeout::from(PATIENCE)) {
                Ok(_) | Err(nix::errno::Errno::EINTR) => {}
                Err(error) => return Err(SandboxError::system("cannot wait for a command", error)),
            }
            for ((number, _), polled) in open.iter().zip(&polled) {
                if let Some(slot) = ready.get_mut(*number) {
                    *slot = polled.any().unwrap_or(true);
                }
            }
        }
        let [output_ready, error_ready, answer_ready] = ready;
        if output_ready {
            read_some(&mut self.output, &mut |bytes| output(Stream::Output, bytes));
        }
        if error_ready {
            read_some(&mut self.error, &mut |bytes| output(Stream::Error, bytes));
        }
        if answer_ready {
            let text = &mut self.text;
            read_some(&mut self.answer, &mut |bytes| text.extend_from_slice(bytes));
        }
        Ok(())
    }

    /// Reads what is left in the pipes: all who could write have ended.
    fn drain(&mut self, output: &mut dyn FnMut(Stream, &[u8])) {
        while self.output.is_some() {
            read_some(&mut self.output, &mut |bytes| output(Stream::Output, bytes));
        }
        while self.error.is_some() {
            read_some(&mut self.error, &mut |bytes| output(Stream::Error, bytes));
        }
    }
}

fn read_some(file: &mut Option<File>, take: &mut dyn FnMut(&[u8])) {
    let mut buffer = [0; 16 * 1024];
    let Some(open) = file else { return };
    match open.read(&mut buffer) {
        Ok(count) if count > 0 => take(buffer.get(..count).unwrap_or_default()),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
        _ => *file = None,
    }
}
