//! One line of `--progress rawjson`.

use dockerfile_source::{TextRange, TextSize};
use serde::Deserialize;

/// What the builder says; `docs/dfbuild.md` describes the members. What is not known is read over.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum RawEvent {
    Planned {
        steps: Vec<RawStep>,
    },
    Started {
        step: u32,
    },
    Output {
        step: u32,
        text: String,
    },
    Progress {
        step: u32,
        what: String,
        done: u64,
        total: u64,
    },
    Finished {
        step: u32,
        state: RawState,
        seconds: f64,
        size: Option<u64>,
    },
    Warning {
        message: String,
    },
    Image {
        id: String,
    },
    Error(RawError),
    #[serde(other)]
    Other,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RawStep {
    pub(crate) step: u32,
    pub(crate) title: String,
    pub(crate) range: Option<RawRange>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawState {
    Done,
    Cached,
    Cancelled,
    Failed,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RawError {
    pub(crate) message: String,
    pub(crate) kind: String,
    pub(crate) range: Option<RawRange>,
    #[serde(default)]
    pub(crate) labels: Vec<RawLabel>,
    pub(crate) help: Option<String>,
    #[serde(default)]
    pub(crate) output: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RawLabel {
    pub(crate) range: Option<RawRange>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct RawRange {
    start: u32,
    end: u32,
}

impl RawRange {
    /// Returns the range, if it is one.
    pub(crate) fn text_range(self) -> Option<TextRange> {
        let is_range = self.start <= self.end;
        is_range.then(|| TextRange::new(TextSize::from(self.start), TextSize::from(self.end)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_builder_says() {
        let line = r#"{"range":{"column":1,"end":25,"end_column":13,"end_line":2,"line":2,"start":13},"step":2,"time":0.1,"title":"COPY a.txt /","type":"started"}"#;
        let event: RawEvent = serde_json::from_str(line).expect("it is one");
        assert!(matches!(event, RawEvent::Started { step: 2 }));
        let line = r#"{"exit_code":null,"help":null,"kind":"source","label":"","labels":[],"message":"m","output":[],"range":null,"time":1,"type":"error"}"#;
        let event: RawEvent = serde_json::from_str(line).expect("it is one");
        assert!(matches!(event, RawEvent::Error(error) if error.message == "m"));
        let event: RawEvent = serde_json::from_str(r#"{"type":"new","x":1}"#).expect("it is one");
        assert!(matches!(event, RawEvent::Other));
    }
}
