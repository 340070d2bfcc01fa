//! Why a build failed, and where in the Dockerfile.

use dockerfile_source::TextRange;
use thiserror::Error;

/// A build that failed.
#[derive(Clone, Debug, Error)]
#[error("{message}")]
pub struct BuildError {
    pub message: String,
    /// What in the Dockerfile is at fault, as small as it can be said.
    pub place: Option<Box<Place>>,
    pub failure: Failure,
    /// What to try.
    pub help: Option<String>,
    /// The last lines that the failed command printed.
    pub output: Vec<String>,
}

/// A place in the Dockerfile, or in another text that is shown in its stead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub range: TextRange,
    /// What stands there is wrong how: a short label.
    pub label: String,
    /// Further places that explain it, with their labels.
    pub others: Vec<(TextRange, String)>,
}

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The Dockerfile cannot be built as it is written.
    Dockerfile,
    /// A file of the context or of a stage is missing or unusable.
    Source,
    /// A base image could not be had.
    Image,
    /// A command ended with this code, or by a signal (128 and its number).
    Command {
        code: i32,
    },
    /// The machine did not play along: disk full, no permission, no namespace.
    System,
    /// A step has to run, and this process may not make namespaces: see `build_sandbox::user_namespace`.
    NeedsNamespace,
    Cancelled,
}

impl BuildError {
    pub fn new(failure: Failure, message: impl Into<String>) -> BuildError {
        BuildError {
            message: message.into(),
            place: None,
            failure,
            help: None,
            output: Vec::new(),
        }
    }

    /// Says where it is, unless somebody closer to it has said so already.
    #[must_use]
    pub fn at(mut self, range: TextRange, label: impl Into<String>) -> BuildError {
        if self.place.is_none() {
            self.place = Some(Box::new(Place {
                range,
                label: label.into(),
                others: Vec::new(),
            }));
        }
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> BuildError {
        self.help = Some(help.into());
        self
    }

    pub fn system(what: &str, error: &dyn std::error::Error) -> BuildError {
        BuildError::new(Failure::System, format!("{what}: {}", told(error)))
    }
}

/// Returns an error with its causes: the outermost says the least.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        // Some errors tell their cause themselves.
        if !text.ends_with(&more) {
            text.push_str(&format!(": {more}"));
        }
        cause = inner.source();
    }
    text
}
