//! Progress for programs: one JSON object a line.

use std::io::{self, Write as _};

use dockerfile_build::{Event, Image, Observer, StepState, Stream};
use dockerfile_source::{SourceFile, TextRange};
use serde_json::{Value, json};

/// Prints every event as an object with a `type`.
pub(crate) struct Json {
    source: SourceFile,
}

impl Json {
    pub(crate) fn new(source: SourceFile) -> Json {
        Json { source }
    }

    fn place(&self, range: TextRange) -> Value {
        let (start, end) = self.source.line_columns(range);
        json!({
            "start": u32::from(range.start()), "end": u32::from(range.end()),
            "line": start.line + 1, "column": start.column + 1, "end_line": end.line + 1, "end_column": end.column + 1,
        })
    }

    pub(crate) fn done(image: &Image, tags: &[String]) {
        print(&json!({
            "type": "image", "id": image.id.to_string(), "digest": image.manifest.digest.to_string(), "names": tags,
        }));
    }
}

impl Observer for Json {
    fn event(&self, event: Event) {
        let value = match event {
            Event::Planned { steps } => {
                let steps: Vec<Value> = steps
                    .iter()
                    .map(|(step, title, range)| json!({"step": step.0, "title": title, "range": self.place(*range)}))
                    .collect();
                json!({"type": "planned", "steps": steps})
            }
            Event::Started { step, name, range } => {
                json!({"type": "started", "step": step.0, "title": name, "range": self.place(range)})
            }
            Event::Output {
                step,
                stream,
                bytes,
            } => json!({
                "type": "output", "step": step.0,
                "stream": if stream == Stream::Output { "stdout" } else { "stderr" },
                "text": String::from_utf8_lossy(&bytes),
            }),
            Event::Progress {
                step,
                what,
                progress,
            } => json!({
                "type": "progress", "step": step.0, "what": what, "done": progress.done, "total": progress.total,
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
                    "type": "finished", "step": step.0, "state": name, "message": message,
                    "seconds": duration.as_secs_f64(), "size": size, "reason": reason,
                })
            }
            _ => return,
        };
        print(&value);
    }
}

fn print(value: &Value) {
    let mut line = value.to_string();
    line.push('\n');
    let _ = io::stderr().write_all(line.as_bytes());
}
