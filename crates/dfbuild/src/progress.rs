//! What is seen of a build while it runs.

mod board;
mod json;
mod lines;
mod plain;
mod styled_line;
mod terminal;

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::Result;
use dockerfile_build::{BuildError, Event, Failure, Image, Observer, StepId, StepState};
use dockerfile_source::{SourceFile, TextRange};

use crate::arguments::ProgressKind;
use crate::failure;
use crate::interrupt;
use crate::progress::board::Ending;

/// Steps that are not in the Dockerfile count from here, until the plan is known.
const FIRST_TASK: u32 = 0;

/// How a build is shown.
pub(crate) struct Shown {
    view: View,
    source: Arc<SourceFile>,
    next_task: AtomicU32,
    /// Events of a build that may turn out to be for another process.
    held: Mutex<Option<Vec<Event>>>,
}

enum View {
    Plain(plain::Plain),
    Json(json::Json),
    Terminal(terminal::Terminal),
    Quiet,
}

impl Shown {
    pub(crate) fn new(kind: ProgressKind, explains: bool, source: SourceFile) -> Shown {
        let source = Arc::new(source);
        let kind = match kind {
            ProgressKind::Auto if io::stderr().is_terminal() => ProgressKind::Tty,
            ProgressKind::Auto => ProgressKind::Plain,
            other => other,
        };
        let view = match kind {
            ProgressKind::Quiet => View::Quiet,
            ProgressKind::Rawjson => View::Json(json::Json::new(Arc::clone(&source))),
            ProgressKind::Tty => {
                View::Terminal(terminal::Terminal::new(explains, failure::wants_color()))
            }
            ProgressKind::Plain | ProgressKind::Auto => View::Plain(plain::Plain::new(explains)),
        };
        Shown {
            view,
            source,
            next_task: AtomicU32::new(FIRST_TASK),
            held: Mutex::default(),
        }
    }

    /// Keeps back what happens until [`release`](Shown::release): a build that needs a namespace begins again in another process,
    /// and nobody wants to see its first steps twice.
    pub(crate) fn hold(&self) {
        *self.held() = Some(Vec::new());
    }

    /// Shows what was kept back.
    pub(crate) fn release(&self) {
        // Under the lock, so that what comes meanwhile comes later.
        let mut held = self.held();
        for event in held.take().unwrap_or_default() {
            self.show(event);
        }
    }

    fn held(&self) -> MutexGuard<'_, Option<Vec<Event>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, event: Event) {
        match &self.view {
            View::Plain(plain) => plain.event(event),
            View::Json(json) => json.event(event),
            View::Terminal(terminal) => terminal.event(event),
            View::Quiet => {}
        }
    }

    /// Does something that is no step of the Dockerfile, such as an export, and shows it as one.
    pub(crate) fn task<T>(
        &self,
        name: String,
        work: impl FnOnce(StepId) -> Result<T, BuildError>,
    ) -> Result<T, BuildError> {
        let step = StepId(self.next_task.fetch_add(1, Ordering::Relaxed));
        let start = Instant::now();
        let range = TextRange::empty(0.into());
        self.event(Event::Started { step, name, range });
        let result = work(step);
        let state = match &result {
            Ok(_) => StepState::Done,
            Err(error) => StepState::Failed(error.message.clone()),
        };
        self.event(Event::Finished {
            step,
            state,
            duration: start.elapsed(),
            size: None,
            reason: None,
        });
        result
    }

    /// Leaves the terminal as it was.
    pub(crate) fn end(&self, is_whole: bool) {
        if let View::Terminal(terminal) = &self.view {
            let ending = match is_whole {
                _ if interrupt::is_interrupted() => Ending::Cancelled,
                true => Ending::Done,
                false => Ending::Failed,
            };
            terminal.end(ending);
        }
    }

    /// Leaves no trace: another process does it all again.
    pub(crate) fn give_up(&self) {
        *self.held() = None;
        if let View::Terminal(terminal) = &self.view {
            terminal.give_up();
        }
    }

    /// Says that somebody wanted it to end.
    pub(crate) fn cancelled(&self) -> Result<()> {
        match &self.view {
            View::Json(json) => json.failed(&BuildError::new(
                Failure::Cancelled,
                "the build was cancelled",
            )),
            _ => writeln!(io::stderr(), "cancelled")?,
        }
        Ok(())
    }

    /// Says what came out.
    pub(crate) fn done(&self, image: &Image, tags: &[String]) -> Result<()> {
        match &self.view {
            View::Quiet => writeln!(io::stdout(), "{}", image.id)?,
            View::Json(json) => json.done(image, tags),
            View::Plain(_) | View::Terminal(_) => {
                let mut text = format!("image {}\n", image.id);
                for tag in tags {
                    let _ = writeln!(text, "named {tag}");
                }
                io::stderr().write_all(text.as_bytes())?;
            }
        }
        Ok(())
    }

    /// Says why nothing came out.
    pub(crate) fn failed(&self, error: &BuildError) -> Result<()> {
        match &self.view {
            View::Json(json) => {
                json.failed(error);
                Ok(())
            }
            _ => failure::print(error, &self.source),
        }
    }
}

impl Observer for Shown {
    fn event(&self, event: Event) {
        if let Event::Planned { steps } = &event {
            let next = steps.iter().map(|(step, ..)| step.0 + 1).max();
            self.next_task
                .fetch_max(next.unwrap_or(FIRST_TASK), Ordering::Relaxed);
        }
        let event = as_cancelled(event);
        match &mut *self.held() {
            Some(held) => held.push(event),
            None => self.show(event),
        }
    }
}

/// Ctrl-C reaches the processes of a build as well; what they say then is no failure of theirs.
fn as_cancelled(event: Event) -> Event {
    match event {
        Event::Finished {
            step,
            state: StepState::Failed(_),
            duration,
            size,
            reason,
        } if interrupt::is_interrupted() => Event::Finished {
            step,
            state: StepState::Cancelled,
            duration,
            size,
            reason,
        },
        other => other,
    }
}

/// Returns the number of a step as people and programs see it: they count from 1, as BuildKit does.
pub(crate) fn number(step: StepId) -> u32 {
    step.0.saturating_add(1)
}

/// Returns a number of bytes as people read it.
#[expect(
    clippy::cast_precision_loss,
    reason = "one digit behind the point is shown"
)]
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["B", "kB", "MB", "GB"];
    let (mut value, mut unit) = (count as f64, "B");
    for next in UNITS {
        unit = next;
        if value < 1000.0 {
            break;
        }
        if next != "GB" {
            value /= 1000.0;
        }
    }
    if unit == "B" {
        format!("{count} B")
    } else {
        format!("{value:.1} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_units() {
        for (count, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_500, "1.5 kB"),
            (2_000_000, "2.0 MB"),
            (3_100_000_000, "3.1 GB"),
        ] {
            assert_eq!(bytes(count), text);
        }
    }
}
