//! What is found out about a text beside its findings: what a build would do with it, and what earlier builds left of it.

use std::sync::Arc;
use std::time::Duration;

#[cfg(target_os = "linux")]
use dockerfile_build::StepForecast;
use dockerfile_ide::BuiltStep;
use dockerfile_source::SourceFile;

/// There is no forecast where nothing can be built.
#[cfg(not(target_os = "linux"))]
pub(crate) type StepForecast = std::convert::Infallible;

/// What a forecast says of one text.
#[derive(Debug)]
pub(crate) struct Foreseen {
    pub(crate) source: Arc<SourceFile>,
    /// Nothing where no forecast is possible: a broken text, or an image that is not in the store.
    pub(crate) steps: Vec<StepForecast>,
    pub(crate) took: Duration,
}

/// What earlier builds left of one text.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) source: Arc<SourceFile>,
    pub(crate) steps: Vec<BuiltStep>,
}

/// Who gets what is found out, with the key of the document.
pub(crate) trait Listener: Send + 'static {
    fn foreseen(&self, key: &str, foreseen: Foreseen);
    fn left(&self, key: &str, left: Left);
}
