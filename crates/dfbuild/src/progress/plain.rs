//! Progress as lines, for logs: `#7 [stage 2/4] RUN make`, `#7 0.312 a line of output`, `#7 DONE 0.4s`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use dockerfile_build::{Event, Observer, Progress, StepId, StepState, Stream};
use dockerfile_report::visible;

use super::lines::Lines;
use super::{bytes, number};

/// How often a transfer says how far it is.
const REPORTS: Duration = Duration::from_secs(2);

/// Prints every event as a line that starts with the number of its step; nothing is ever cut.
pub(crate) struct Plain {
    explains: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    titles: BTreeMap<StepId, String>,
    running: BTreeMap<StepId, Running>,
    text: String,
}

struct Running {
    start: Instant,
    output: Lines,
    errors: Lines,
    transfers: BTreeMap<String, Instant>,
}

impl Plain {
    pub(crate) fn new(explains: bool) -> Plain {
        Plain {
            explains,
            state: Mutex::default(),
        }
    }
}

impl State {
    fn start(&mut self, step: StepId, name: &str) -> &mut Running {
        if !self.running.contains_key(&step) {
            let title = self.titles.get(&step).map_or(name, String::as_str);
            let _ = writeln!(self.text, "#{} {}", number(step), visible(title));
        }
        self.running.entry(step).or_insert_with(|| Running {
            start: Instant::now(),
            output: Lines::default(),
            errors: Lines::default(),
            transfers: BTreeMap::new(),
        })
    }

    fn output(&mut self, step: StepId, stream: Stream, bytes: &[u8]) {
        self.start(step, "");
        let Some(running) = self.running.get_mut(&step) else {
            return;
        };
        let seconds = running.start.elapsed().as_secs_f64();
        let lines = match stream {
            Stream::Output => &mut running.output,
            Stream::Error => &mut running.errors,
        };
        let text = &mut self.text;
        lines.feed(bytes, &mut |line| write_output(text, step, seconds, line));
    }

    fn transfer(&mut self, step: StepId, what: String, progress: Progress) {
        let running = self.start(step, "");
        let is_done = progress.total > 0 && progress.done >= progress.total;
        let last = running.transfers.get(&what);
        if !is_done && last.is_some_and(|last| last.elapsed() < REPORTS) {
            return;
        }
        let seconds = running.start.elapsed().as_secs_f64();
        let line = format!("{} {}", visible(&what), amount(progress));
        running.transfers.insert(what, Instant::now());
        write_output(&mut self.text, step, seconds, &line);
    }

    fn finish(&mut self, step: StepId, state: &StepState, duration: Duration, size: Option<u64>) {
        self.start(step, "");
        if let Some(mut running) = self.running.remove(&step) {
            let text = &mut self.text;
            for lines in [&mut running.output, &mut running.errors] {
                lines.finish(&mut |line| write_output(text, step, duration.as_secs_f64(), line));
            }
        }
        let (number, seconds) = (number(step), duration.as_secs_f64());
        let _ = match state {
            StepState::Cached => writeln!(self.text, "#{number} CACHED"),
            StepState::Done => match size.filter(|size| *size > 0) {
                Some(size) => {
                    writeln!(self.text, "#{number} DONE {seconds:.1}s {}", bytes(size))
                }
                None => writeln!(self.text, "#{number} DONE {seconds:.1}s"),
            },
            StepState::Cancelled => writeln!(self.text, "#{number} CANCELED"),
            StepState::Failed(message) => {
                writeln!(self.text, "#{number} ERROR: {}", visible(message))
            }
        };
    }
}

fn write_output(text: &mut String, step: StepId, seconds: f64, line: &str) {
    let _ = writeln!(text, "#{} {seconds:.3} {line}", number(step));
}

/// Returns how far a transfer is, as people read it.
pub(super) fn amount(progress: Progress) -> String {
    match progress.total {
        0 => bytes(progress.done),
        total => format!("{} / {}", bytes(progress.done), bytes(total)),
    }
}

impl Observer for Plain {
    fn event(&self, event: Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Planned { steps } => {
                let titles = steps.into_iter().map(|(step, title, _)| (step, title));
                state.titles.extend(titles);
            }
            Event::Started { step, name, .. } => {
                state.start(step, &name);
            }
            Event::Output {
                step,
                stream,
                bytes,
            } => state.output(step, stream, &bytes),
            Event::Progress {
                step,
                what,
                progress,
            } => state.transfer(step, what, progress),
            Event::Finished {
                step,
                state: ended,
                duration,
                size,
                reason,
            } => {
                state.finish(step, &ended, duration, size);
                if let Some(reason) = reason.filter(|_| self.explains) {
                    let reason = visible(&reason).into_owned();
                    let _ = writeln!(state.text, "#{} it ran because {reason}", number(step));
                }
                state.text.push('\n');
            }
            Event::Warning { message, .. } => {
                let _ = writeln!(state.text, "warning: {}", visible(&message));
            }
            _ => {}
        }
        if !state.text.is_empty() {
            // The log of a pipe that is closed is nobody's loss; the build goes on.
            let _ = io::stderr().write_all(state.text.as_bytes());
            state.text.clear();
        }
    }
}
