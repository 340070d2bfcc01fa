//! Progress for programs: one JSON object a line; `docs/dfbuild.md` describes the members.

use std::io::{self, Write as _};

use std::sync::Arc;
use std::time::{Duration, Instant};

use dockerfile_build::{BuildError, Event, Failure, Image, Observer, StepState, Stream};
use dockerfile_source::{SourceFile, TextRange};
use serde_json::{Value, json};

use super::number;

/// Prints every event as an object with a `type`.
pub(crate) struct Json {
    source: Arc<SourceFile>,
    start: Instant,
}

impl Json {
    pub(crate) fn new(source: Arc<SourceFile>) -> Json {
        Json {
            source,
            start: Instant::now(),
        }
    }

    /// Returns where a range is; what is not in the Dockerfile, such as an export, is nowhere.
    fn place(&self, range: TextRange) -> Value {
        if range.is_empty() && u32::from(range.start()) == 0 {
            return Value::Null;
        }
        let (start, end) = self.source.line_columns(range);
        json!({
            "start": u32::from(range.start()), "end": u32::from(range.end()),
            "line": start.line + 1, "column": start.column + 1, "end_line": end.line + 1, "end_column": end.column + 1,
        })
    }

    pub(crate) fn done(&self, image: &Image, tags: &[String]) {
        self.print(json!({
            "type": "image", "id": image.id.to_string(), "digest": image.manifest.digest.to_string(), "names": tags,
        }));
    }

    pub(crate) fn failed(&self, error: &BuildError) {
        let (kind, code) = match error.failure {
            Failure::Dockerfile => ("dockerfile", None),
            Failure::Source => ("source", None),
            Failure::Image => ("image", None),
            Failure::Command { code } => ("command", Some(code)),
            Failure::Cancelled => ("cancelled", None),
            _ => ("system", None),
        };
        let place = error.place.as_ref();
        let labels: Vec<Value> = place
            .map(|place| place.others.as_slice())
            .unwrap_or_default()
            .iter()
            .map(|(range, message)| json!({"range": self.place(*range), "message": message}))
            .collect();
        self.print(json!({
            "type": "error", "kind": kind, "exit_code": code, "message": error.message,
            "range": place.map(|place| self.place(place.range)), "label": place.map(|place| &place.label),
            "labels": labels, "help": error.help, "output": error.output,
        }));
    }

    fn print(&self, mut value: Value) {
        value["time"] = json!(seconds(self.start.elapsed()));
        let mut line = value.to_string();
        line.push('\n');
        // A reader that is gone is nobody's loss; the build goes on.
        let _ = io::stderr().write_all(line.as_bytes());
    }
}

impl Observer for Json {
    fn event(&self, event: Event) {
        let value = match event {
            Event::Planned { steps } => {
                let steps: Vec<Value> = steps
                    .iter()
                    .map(|(step, title, range)| json!({"step": number(*step), "title": title, "range": self.place(*range)}))
                    .collect();
                json!({"type": "planned", "steps": steps})
            }
            Event::Started { step, name, range } => {
                json!({"type": "started", "step": number(step), "title": name, "range": self.place(range)})
            }
            Event::Output {
                step,
                stream,
                bytes,
            } => json!({
                "type": "output", "step": number(step),
                "stream": if stream == Stream::Output { "stdout" } else { "stderr" },
                "text": String::from_utf8_lossy(&bytes),
            }),
            Event::Progress {
                step,
                what,
                progress,
            } => json!({
                "type": "progress", "step": number(step), "what": what, "done": progress.done, "total": progress.total,
            }),
            Event::Warning { message, range } => {
                json!({"type": "warning", "message": message, "range": range.map(|range| self.place(range))})
            }
            Event::Finished {
                step,
                state,
                duration,
                size,
                reason,
            } => {
                let (name, message) = match state {
                    StepState::Cached => ("cached", None),
                    StepState::Done => ("done", None),
                    StepState::Cancelled => ("cancelled", None),
                    StepState::Failed(message) => ("failed", Some(message)),
                };
                json!({
                    "type": "finished", "step": number(step), "state": name, "message": message,
                    "seconds": seconds(duration), "size": size, "reason": reason,
                })
            }
            _ => return,
        };
        self.print(value);
    }
}

/// Returns seconds with three digits behind the point.
fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}
