//! Progress as lines, for logs.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::sync::Mutex;
use std::time::Instant;

use dockerfile_build::{Event, Observer, StepId, StepState};
use dockerfile_report::visible;

use super::bytes;

/// Prints every event as a line that starts with the number of its step.
pub(crate) struct Plain {
    explains: bool,
    state: Mutex<BTreeMap<StepId, Step>>,
}

struct Step {
    start: Instant,
    /// The start of a line whose end has not come yet.
    line: Vec<u8>,
}

impl Plain {
    pub(crate) fn new(explains: bool) -> Plain {
        Plain {
            explains,
            state: Mutex::default(),
        }
    }
}

impl Observer for Plain {
    fn event(&self, event: Event) {
        let mut steps = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut out = Vec::new();
        match event {
            Event::Started { step, name, .. } => {
                steps.insert(
                    step,
                    Step {
                        start: Instant::now(),
                        line: Vec::new(),
                    },
                );
                let _ = writeln!(out, "#{} {}", step.0, visible(&name));
            }
            Event::Output { step, bytes, .. } => {
                let Some(known) = steps.get_mut(&step) else {
                    return;
                };
                let seconds = known.start.elapsed().as_secs_f64();
                known.line.extend_from_slice(&bytes);
                while let Some(end) = known.line.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = known.line.drain(..=end).collect();
                    let text = String::from_utf8_lossy(&line);
                    let _ = writeln!(out, "#{} {seconds:.3} {}", step.0, visible(text.trim_end()));
                }
            }
            Event::Finished {
                step,
                state,
                duration,
                size,
                reason,
            } => {
                if let Some(known) = steps.remove(&step)
                    && !known.line.is_empty()
                {
                    let text = String::from_utf8_lossy(&known.line);
                    let _ = writeln!(
                        out,
                        "#{} {:.3} {}",
                        step.0,
                        duration.as_secs_f64(),
                        visible(text.trim_end())
                    );
                }
                let _ = match state {
                    StepState::Cached => writeln!(out, "#{} CACHED", step.0),
                    StepState::Done => {
                        let size = size
                            .map(|size| format!(", {}", bytes(size)))
                            .unwrap_or_default();
                        writeln!(out, "#{} DONE {:.1}s{size}", step.0, duration.as_secs_f64())
                    }
                    StepState::Cancelled => writeln!(out, "#{} CANCELLED", step.0),
                    StepState::Failed(message) => {
                        writeln!(out, "#{} ERROR: {}", step.0, visible(&message))
                    }
                };
                if let Some(reason) = reason.filter(|_| self.explains) {
                    let _ = writeln!(out, "#{} it ran because {reason}", step.0);
                }
            }
            Event::Warning { message, .. } => {
                let _ = writeln!(out, "warning: {}", visible(&message));
            }
            _ => {}
        }
        let _ = io::stderr().write_all(&out);
    }
}
