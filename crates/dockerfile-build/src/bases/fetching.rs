//! The step that FROM is: it begins with the first layer that has to be fetched or unpacked, and ends with the last.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use dockerfile_source::TextRange;

use crate::error::{BuildError, Failure};
use crate::event::{Event, Observer, StepId, StepState};

/// What all layers of a base image have in common.
#[derive(Debug)]
pub(super) struct Fetching {
    pub(super) step: StepId,
    pub(super) range: TextRange,
    title: String,
    /// Layers of which nobody knows yet that they are here.
    left: AtomicUsize,
    start: OnceLock<Instant>,
    is_over: AtomicBool,
}

impl Fetching {
    pub(super) fn new(step: StepId, range: TextRange, title: String, layers: usize) -> Fetching {
        Fetching {
            step,
            range,
            title,
            left: AtomicUsize::new(layers),
            start: OnceLock::new(),
            is_over: AtomicBool::new(false),
        }
    }

    /// Says that there is something to be done.
    pub(super) fn begin(&self, observer: &dyn Observer) {
        if self.start.set(Instant::now()).is_ok() {
            observer.event(Event::Started {
                step: self.step,
                name: self.title.clone(),
                range: self.range,
            });
        }
    }

    /// Says of one layer that it is here, or will never be.
    pub(super) fn end_one(&self, error: Option<&BuildError>, observer: &dyn Observer) {
        match error {
            Some(error) => {
                let state = match error.failure {
                    Failure::Cancelled => StepState::Cancelled,
                    // Another process, with more rights, will do it and tell.
                    Failure::NeedsNamespace => return,
                    _ => StepState::Failed(error.message.clone()),
                };
                self.end(state, observer);
            }
            None if self.left.fetch_sub(1, Ordering::AcqRel) == 1 => self.end_well(observer),
            None => {}
        }
    }

    /// Says that all layers are here.
    pub(super) fn end_well(&self, observer: &dyn Observer) {
        let has_begun = self.start.get().is_some();
        let state = if has_begun {
            StepState::Done
        } else {
            StepState::Cached
        };
        self.end(state, observer);
    }

    fn end(&self, state: StepState, observer: &dyn Observer) {
        if self.is_over.swap(true, Ordering::AcqRel) {
            return;
        }
        self.begin(observer);
        observer.event(Event::Finished {
            step: self.step,
            state,
            duration: self.start.get().map(Instant::elapsed).unwrap_or_default(),
            size: None,
            reason: None,
        });
    }
}
