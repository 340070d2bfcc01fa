//! Progress on a terminal: a line for each step that ended, and one that changes for those that run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use dockerfile_build::{Event, Observer, StepId, StepState};
use dockerfile_report::visible;

use super::bytes;

/// How often the last line is drawn anew at most.
const FRAME: Duration = Duration::from_millis(100);
const WIDTH: usize = 100;

/// Draws to standard error.
pub(crate) struct Terminal {
    explains: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: BTreeMap<StepId, Running>,
    total: usize,
    ended: usize,
    drawn: Option<Instant>,
    has_line: bool,
}

struct Running {
    title: String,
    start: Instant,
    last_line: String,
}

impl Terminal {
    pub(crate) fn new(explains: bool) -> Terminal {
        Terminal {
            explains,
            state: Mutex::default(),
        }
    }

    /// Takes the line that changes away.
    pub(crate) fn end(&self) {
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut out = String::new();
        state.clear(&mut out);
        let _ = io::stderr().write_all(out.as_bytes());
    }
}

impl State {
    fn clear(&mut self, out: &mut String) {
        if self.has_line {
            out.push_str("\r\x1b[2K");
            self.has_line = false;
        }
    }

    fn draw(&mut self, out: &mut String) {
        self.clear(out);
        let Some(running) = self.running.values().last() else {
            return;
        };
        let seconds = running.start.elapsed().as_secs_f64();
        let line = format!(
            "{}/{} {} {seconds:.1}s  {}",
            self.ended, self.total, running.title, running.last_line
        );
        let _ = write!(
            out,
            "\x1b[2m{}\x1b[0m",
            line.chars().take(WIDTH).collect::<String>()
        );
        self.has_line = true;
        self.drawn = Some(Instant::now());
    }
}

impl Observer for Terminal {
    fn event(&self, event: Event) {
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut out = String::new();
        match event {
            Event::Planned { steps } => state.total = steps.len(),
            Event::Started { step, name, .. } => {
                let running = Running {
                    title: visible(&name).into_owned(),
                    start: Instant::now(),
                    last_line: String::new(),
                };
                state.running.insert(step, running);
                state.draw(&mut out);
            }
            Event::Output { step, bytes, .. } => {
                let text = String::from_utf8_lossy(&bytes);
                let line = text.lines().rev().find(|line| !line.trim().is_empty());
                if let (Some(line), Some(running)) = (line, state.running.get_mut(&step)) {
                    running.last_line = visible(line.trim()).into_owned();
                }
                if state.drawn.is_none_or(|drawn| drawn.elapsed() >= FRAME) {
                    state.draw(&mut out);
                }
            }
            Event::Progress {
                step,
                what,
                progress,
            } => {
                if let Some(running) = state.running.get_mut(&step) {
                    running.last_line = format!(
                        "{what} {} of {}",
                        bytes(progress.done),
                        bytes(progress.total)
                    );
                }
                if state.drawn.is_none_or(|drawn| drawn.elapsed() >= FRAME) {
                    state.draw(&mut out);
                }
            }
            Event::Finished {
                step,
                state: ended,
                duration,
                size,
                reason,
            } => {
                state.ended += 1;
                state.clear(&mut out);
                let title = state
                    .running
                    .remove(&step)
                    .map_or(String::new(), |running| running.title);
                let (mark, rest) = match &ended {
                    StepState::Cached => ("\x1b[36m=\x1b[0m", "cached".to_owned()),
                    StepState::Done => {
                        let size = size
                            .map(|size| format!("  {}", bytes(size)))
                            .unwrap_or_default();
                        (
                            "\x1b[32m✓\x1b[0m",
                            format!("{:.1}s{size}", duration.as_secs_f64()),
                        )
                    }
                    StepState::Cancelled => ("\x1b[33m-\x1b[0m", "cancelled".to_owned()),
                    StepState::Failed(_) => (
                        "\x1b[31m✗\x1b[0m",
                        format!("{:.1}s", duration.as_secs_f64()),
                    ),
                };
                let _ = writeln!(
                    out,
                    "{mark} {:<width$} {rest}",
                    title.chars().take(70).collect::<String>(),
                    width = 70
                );
                if let Some(reason) = reason.filter(|_| self.explains) {
                    let _ = writeln!(out, "  it ran because {reason}");
                }
                state.draw(&mut out);
            }
            Event::Warning { message, .. } => {
                state.clear(&mut out);
                let _ = writeln!(out, "warning: {}", visible(&message));
            }
            _ => {}
        }
        let _ = io::stderr().write_all(out.as_bytes());
    }
}
