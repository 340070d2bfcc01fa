//! A build from its beginning to its end.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::io;
use std::path::Path;
use std::process::Stdio;

use dockerfile_source::{TextRange, TextSize};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Notify;

use super::raw_event::{RawError, RawEvent, RawState};
use super::{BuildFailure, BuildResult, Built, BuiltStep, Job};

/// How many of the last lines of output are kept.
const MOST_LINES: usize = 100;

/// What is told while a build runs.
pub(crate) enum Report<'a> {
    /// How far it has come: a line for people, and the part that is done in percent.
    Progress(String, u32),
    /// Something was printed.
    Output { step: u32, text: &'a str },
}

/// Runs a build. Whoever drops the future or notifies `cancel` ends the child, which cleans up.
pub(crate) async fn run(
    program: &Path,
    job: &Job,
    cancel: &Notify,
    mut report: impl FnMut(Report<'_>),
) -> io::Result<(BuildResult, Built)> {
    let folder = written(job)?;
    let folder = folder.as_ref().map(TempDir::path);
    let mut child = Interrupted(command(program, job, folder).spawn()?);
    if let Some(mut input) = child.0.stdin.take() {
        // A builder that does not read says why.
        let _ = input.write_all(job.text().as_bytes()).await;
    }
    let mut log = Log::default();
    if let Some(stderr) = child.0.stderr.take() {
        let mut lines = BufReader::new(stderr).lines();
        let mut is_cancelled = false;
        loop {
            let line = tokio::select! {
                line = lines.next_line() => line?,
                () = cancel.notified(), if !is_cancelled => {
                    is_cancelled = true;
                    child.interrupt();
                    continue;
                }
            };
            let Some(line) = line else { break };
            match serde_json::from_str(&line) {
                Ok(event) => log.take(&event, &mut report),
                // What goes wrong before the build begins is said in plain words.
                Err(_) => log.plain(&line),
            }
        }
    }
    let status = child.0.wait().await?;
    Ok(log.finish(status.success(), job))
}

/// Writes the text to a folder of its own where an ignore file belongs to this Dockerfile alone: standard input has none beside it.
fn written(job: &Job) -> io::Result<Option<TempDir>> {
    let mut ignore = job.path.clone().into_os_string();
    ignore.push(".dockerignore");
    let Ok(ignore) = fs::read(ignore) else {
        return Ok(None);
    };
    let folder = tempfile::Builder::new().prefix("dfls-").tempdir()?;
    fs::write(folder.path().join("Dockerfile"), job.text())?;
    fs::write(folder.path().join("Dockerfile.dockerignore"), ignore)?;
    Ok(Some(folder))
}

fn command(program: &Path, job: &Job, folder: Option<&Path>) -> Command {
    let mut command = Command::new(program);
    let file = folder.map_or_else(|| "-".into(), |folder| folder.join("Dockerfile"));
    command
        .args(["build", "--progress", "rawjson", "--file"])
        .arg(file)
        .arg("--store")
        .arg(&job.store);
    if let Some(target) = &job.target {
        command.args(["--target", target]);
    }
    for (name, value) in &job.arguments {
        command.arg("--build-arg").arg(format!("{name}={value}"));
    }
    if let Some(output) = &job.output {
        let mut text = std::ffi::OsString::from("type=local,dest=");
        text.push(output);
        command.arg("--output").arg(text);
    }
    command
        .arg(&job.context)
        .stdin(if folder.is_some() {
            Stdio::null()
        } else {
            Stdio::piped()
        })
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// A child that is told to end when nobody waits for it any more.
struct Interrupted(Child);

impl Interrupted {
    fn interrupt(&self) {
        let id = self.0.id().and_then(|id| i32::try_from(id).ok());
        if let Some(id) = id.and_then(rustix::process::Pid::from_raw) {
            // Not SIGINT: a child of an editor that runs in the background inherits that it is ignored. It may have ended by itself.
            let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        }
    }
}

impl Drop for Interrupted {
    fn drop(&mut self) {
        self.interrupt();
    }
}

#[derive(Default)]
struct Step {
    title: String,
    range: Option<TextRange>,
}

/// What was heard so far.
#[derive(Default)]
struct Log {
    planned: HashMap<u32, Step>,
    steps: Vec<BuiltStep>,
    ended: usize,
    lines: VecDeque<String>,
    image: Option<String>,
    error: Option<RawError>,
}

impl Log {
    fn take(&mut self, event: &RawEvent, report: &mut impl FnMut(Report<'_>)) {
        match event {
            RawEvent::Planned { steps } => {
                for step in steps {
                    let known = Step {
                        title: step.title.clone(),
                        range: step.range.and_then(super::raw_event::RawRange::text_range),
                    };
                    self.planned.insert(step.step, known);
                }
            }
            RawEvent::Started { step } => {
                let title = self.title(*step);
                self.plain(&title);
                report(Report::Progress(title, self.percentage()));
            }
            RawEvent::Output { step, text } => {
                for line in text.lines() {
                    self.plain(line);
                }
                report(Report::Output { step: *step, text });
            }
            RawEvent::Progress {
                step,
                what,
                done,
                total,
            } => {
                let part = match total {
                    0 => format!("{done} bytes"),
                    total => format!("{} %", done.saturating_mul(100) / total),
                };
                let text = format!("{}: {what} {part}", self.title(*step));
                report(Report::Progress(text, self.percentage()));
            }
            RawEvent::Finished {
                step,
                state,
                seconds,
                size,
                ..
            } => {
                self.ended += 1;
                if let Some(range) = self.planned.get(step).and_then(|step| step.range) {
                    self.steps.push(BuiltStep {
                        range,
                        state: *state,
                        milliseconds: milliseconds(*seconds),
                        size: *size,
                    });
                }
                let title = self.title(*step);
                report(Report::Progress(title, self.percentage()));
            }
            RawEvent::Warning { message } => self.plain(message),
            RawEvent::Image { id } => self.image = Some(id.clone()),
            RawEvent::Error(error) => {
                self.plain(&format!("error: {}", error.message));
                self.error = Some(error.clone());
            }
            RawEvent::Other => {}
        }
    }

    fn title(&self, step: u32) -> String {
        let known = self.planned.get(&step);
        known.map_or_else(|| format!("step {step}"), |step| step.title.clone())
    }

    fn percentage(&self) -> u32 {
        let part = self.ended * 100 / self.planned.len().max(1);
        u32::try_from(part).unwrap_or(100).min(100)
    }

    fn plain(&mut self, line: &str) {
        if self.lines.len() == MOST_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line.to_owned());
    }

    fn finish(self, success: bool, job: &Job) -> (BuildResult, Built) {
        let is_cancelled = self.error.as_ref().is_some_and(|e| e.kind == "cancelled")
            || (!success && self.steps.iter().any(|s| s.state == RawState::Cancelled));
        let failure = match &self.error {
            _ if success || is_cancelled => None,
            Some(error) => Some(failure(error)),
            None => Some(BuildFailure {
                range: TextRange::empty(TextSize::from(0)),
                message: self.lines.back().cloned().unwrap_or_default(),
                output: Vec::new(),
            }),
        };
        let result = BuildResult {
            success,
            is_cancelled,
            output: self.lines.into_iter().collect(),
            image: self.image,
            message: failure.as_ref().map(|failure| failure.message.clone()),
        };
        let built = Built {
            source: std::sync::Arc::clone(&job.source),
            steps: self.steps,
            failure,
        };
        (result, built)
    }
}

/// Returns where a build failed: at the command inside of the RUN where the builder knows it.
fn failure(error: &RawError) -> BuildFailure {
    let first = error.labels.first().and_then(|label| label.range);
    let range = first
        .or(error.range)
        .and_then(super::raw_event::RawRange::text_range);
    let mut message = error.message.clone();
    if let Some(help) = &error.help {
        message.push('\n');
        message.push_str(help);
    }
    BuildFailure {
        range: range.unwrap_or_else(|| TextRange::empty(TextSize::from(0))),
        message,
        output: error.output.clone(),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a step takes less than millions of years"
)]
fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1000.0).round().max(0.0) as u64
}
