//! Runs jobs by `runc`, `crun` or another program with their command line, for users who want a runtime they know.
//!
//! A copy of this program (the stage) prepares the root and the mounts in namespaces of its own and becomes the runtime there,
//! so that nothing is ever mounted where others see it, and the runtime dies with its pid namespace.

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::read;

use crate::error::Attempt;
use crate::helper::HELPER_WORD;
use crate::message::StubChain;
use crate::stubs::remove_stubs;
use crate::user_namespace::{IdMap, id_map};
use crate::{
    Ending, Executor, Job, Network, Outcome, SandboxError, Security, Stream, Usage, remove_tree,
};

mod bundle;
mod stage;

pub(crate) use stage::run as run_stage;

/// The second argument of a helper that is to be the stage.
pub(crate) const STAGE_WORD: &str = "runtime";
const CANCEL_INTERVAL: Duration = Duration::from_millis(50);
const ERROR_FILE: &str = "error.json";
const STUBS_FILE: &str = "stubs.json";
const JOB_FILE: &str = "job.json";

/// The executor for an OCI runtime.
#[derive(Clone, Debug)]
pub struct RuntimeExecutor {
    /// `runc`, `crun`, or a path.
    pub program: PathBuf,
    /// A directory for bundles, on any file system.
    pub directory: PathBuf,
}

impl Executor for RuntimeExecutor {
    fn run(
        &self,
        job: &Job,
        output: &mut dyn FnMut(Stream, &[u8]),
        cancel: &dyn Fn() -> bool,
    ) -> Result<Outcome, SandboxError> {
        if job.network == Network::Isolated {
            return Err(self.failed("an isolated network needs the native executor"));
        }
        if job.security == Security::Insecure {
            return Err(self.failed("`--security=insecure` needs the native executor"));
        }
        if let Some(id) = unmapped(job) {
            return Err(SandboxError::IdNotMapped { id });
        }
        let bundle = new_bundle(&self.directory)?;
        let result = self.run_bundle(&bundle, job, output, cancel);
        // A runtime that was killed leaves its control groups; an ended one leaves nothing.
        if result.is_err() {
            let _ = self
                .command(&bundle)
                .args(["delete", "--force"])
                .arg(name_of(&bundle))
                .status();
        }
        let stubs: Vec<StubChain> = read_json(&bundle.join(STUBS_FILE)).unwrap_or_default();
        remove_stubs(job.root.changes(), &stubs);
        let _ = remove_tree(&bundle);
        result.map(|ending| Outcome {
            ending,
            usage: Usage::default(),
            ran_out_of_memory: false,
            stubs: stubs.into_iter().map(|chain| chain.path).collect(),
        })
    }
}

impl RuntimeExecutor {
    fn failed(&self, reason: impl Into<String>) -> SandboxError {
        SandboxError::RuntimeFailed {
            program: self.program.display().to_string(),
            reason: reason.into(),
        }
    }

    fn command(&self, bundle: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--root").arg(bundle.join("state"));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn run_bundle(
        &self,
        bundle: &Path,
        job: &Job,
        output: &mut dyn FnMut(Stream, &[u8]),
        cancel: &dyn Fn() -> bool,
    ) -> Result<Ending, SandboxError> {
        let program =
            find_program(&self.program).ok_or_else(|| self.failed("it was not found on PATH"))?;
        let text = serde_json::to_vec(job).map_err(|error| self.failed(error.to_string()))?;
        fs::write(bundle.join(JOB_FILE), text).attempt(|| String::from("writing a bundle"))?;
        let starting = || format!("starting `{}`", self.program.display());
        let mut child = Command::new("/proc/self/exe")
            .args([HELPER_WORD, STAGE_WORD])
            .arg(&program)
            .arg(bundle)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .attempt(starting)?;
        let given_up = listen(&mut child, job.timeout, output, cancel);
        let status = child.wait().attempt(starting)?;
        if let Some(reason) = given_up {
            return Err(reason);
        }
        if let Some(error) = read_json::<SandboxError>(&bundle.join(ERROR_FILE)) {
            return Err(error);
        }
        self.ending(bundle, job, status)
    }

    /// The runtime's own failures have its log; those of the exec are told apart by its words.
    fn ending(&self, bundle: &Path, job: &Job, status: ExitStatus) -> Result<Ending, SandboxError> {
        let log = fs::read_to_string(bundle.join("log.json")).unwrap_or_default();
        let fault = log.lines().rev().find_map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).ok()?;
            (line.get("level")? == "error").then(|| line.get("msg")?.as_str().map(String::from))?
        });
        let Some(reason) = fault else {
            return Ok(status.code().map_or_else(
                || Ending::Signal(status.signal().unwrap_or(0)),
                Ending::Code,
            ));
        };
        let program = job.arguments.first().cloned().unwrap_or_default();
        if reason.contains("exec format error") {
            return Err(SandboxError::ForeignProgram { program });
        }
        if reason.contains("executable file not found")
            || reason.contains(&format!("\"{program}\": stat"))
        {
            return Err(SandboxError::ProgramMissing { program });
        }
        Err(self.failed(reason))
    }
}

/// Hands output on until both pipes are closed; returns why the command was given up.
fn listen(
    child: &mut Child,
    timeout: Option<Duration>,
    output: &mut dyn FnMut(Stream, &[u8]),
    cancel: &dyn Fn() -> bool,
) -> Option<SandboxError> {
    let start = Instant::now();
    let mut pipes: Vec<(OwnedFd, Stream)> = Vec::new();
    pipes.extend(
        child
            .stdout
            .take()
            .map(|pipe| (OwnedFd::from(pipe), Stream::Output)),
    );
    pipes.extend(
        child
            .stderr
            .take()
            .map(|pipe| (OwnedFd::from(pipe), Stream::Error)),
    );
    for (pipe, _) in &pipes {
        let _ = fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK));
    }
    let mut buffer = vec![0_u8; 64 * 1024];
    let mut given_up = None;
    while !pipes.is_empty() {
        {
            let mut places: Vec<PollFd<'_>> = pipes
                .iter()
                .map(|(pipe, _)| PollFd::new(pipe.as_fd(), PollFlags::POLLIN))
                .collect();
            let _ = poll(
                &mut places,
                PollTimeout::try_from(CANCEL_INTERVAL).unwrap_or(PollTimeout::ZERO),
            );
        }
        pipes.retain(|(pipe, stream)| match read(pipe, &mut buffer) {
            Ok(0) => false,
            Ok(length) => {
                output(*stream, buffer.get(..length).unwrap_or_default());
                true
            }
            Err(Errno::EAGAIN | Errno::EINTR) => true,
            Err(_) => false,
        });
        if given_up.is_none() {
            given_up = if cancel() {
                Some(SandboxError::Cancelled)
            } else {
                timeout
                    .filter(|limit| start.elapsed() >= *limit)
                    .map(|limit| SandboxError::TimedOut { limit })
            };
            if given_up.is_some() {
                let _ = child.kill();
            }
        }
    }
    given_up
}

/// Returns a user or group of the job that a one-id map does not have; a runtime tells that less well.
fn unmapped(job: &Job) -> Option<u32> {
    let ids = [job.user, job.group];
    let is_missing = |id: &u32| *id != 0 && id_map() == IdMap::OneId;
    ids.into_iter().find(is_missing)
}

fn new_bundle(directory: &Path) -> Result<PathBuf, SandboxError> {
    use std::os::unix::fs::DirBuilderExt;
    use std::sync::atomic::{AtomicU64, Ordering};
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let bundle = directory.join(format!("dfbuild-{}-{number}", std::process::id()));
    fs::DirBuilder::new()
        .mode(0o700)
        .create(&bundle)
        .attempt(|| format!("making the bundle `{}`", bundle.display()))?;
    Ok(bundle)
}

/// Returns the name of the container of a bundle.
fn name_of(bundle: &Path) -> String {
    bundle
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn find_program(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return program.is_file().then(|| program.to_owned());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(program))
        .find(|file| file.is_file())
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}
