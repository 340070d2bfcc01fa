//! Forecasts where nothing can be built: none.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use dockerfile_ide::BuiltStep;
use dockerfile_source::SourceFile;

use crate::build::Job;

/// What a forecast says of one text; never made.
#[derive(Debug)]
pub(crate) struct Foreseen {
    pub(crate) source: Arc<SourceFile>,
    pub(crate) steps: Vec<Infallible>,
    pub(crate) took: Duration,
}

/// What earlier builds left of one text; never made.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) source: Arc<SourceFile>,
    pub(crate) steps: Vec<BuiltStep>,
}

/// Who gets what is found out: nobody is told anything here.
pub(crate) trait Listener: Send + 'static {
    fn foreseen(&self, key: &str, foreseen: Foreseen);
    fn left(&self, key: &str, left: Left);
}

pub(crate) struct Foresight;

impl Foresight {
    pub(crate) fn start(_listener: impl Listener) -> Foresight {
        Foresight
    }

    pub(crate) fn look(&self, _key: &str, _job: Job) {}

    pub(crate) fn forget(&self) {}
}
