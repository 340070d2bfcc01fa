//! What a stage stands on.

use std::sync::Arc;
use std::thread::Scope;
use std::time::Instant;

use super::{Chain, LayerRef, Solver};
use crate::bases::BaseLayer;
use crate::error::{BuildError, Failure};
use crate::event::{Event, StepId, StepState};
use crate::key::{Key, KeyMaker};
use crate::plan::{Base, From};

use super::keys::Selection;

impl Solver<'_> {
    fn started(&self, step: StepId) {
        if let Some(known) = self.steps.get(step) {
            self.observer.event(Event::Started {
                step,
                name: known.title.clone(),
                range: known.range,
            });
        }
    }

    /// Returns the key of a base that is no stage.
    pub(super) fn base_key(&self, index: usize) -> Result<Key, BuildError> {
        let mut maker = KeyMaker::new("base");
        match self.plan.stages.get(index).map(|stage| &stage.base) {
            Some(Base::Image(image)) => {
                // The layers are what counts: two names for the same files share everything.
                for diff_id in &image.config.rootfs.diff_ids {
                    maker.add(diff_id.to_string().as_bytes());
                }
            }
            Some(Base::Directory(path)) => {
                let digest =
                    self.context_digest(&From::Directory(path.clone()), &Selection::of_path("/"))?;
                maker.add(b"folder").add(digest.bytes());
            }
            Some(Base::Scratch) => {}
            Some(Base::Stage(_)) | None => {
                return Err(BuildError::new(Failure::System, "a base got lost"));
            }
        }
        Ok(maker.finish().0)
    }

    /// Returns the layers that a stage starts with.
    pub(super) fn base<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        index: usize,
    ) -> Result<Chain, BuildError> {
        let stage = self.plan.stages.get(index);
        let Some(stage) = stage else {
            return Err(BuildError::new(Failure::System, "a stage got lost"));
        };
        match &stage.base {
            Base::Stage(parent) => self.stage(scope, *parent),
            Base::Scratch => Ok(Chain::new(self.base_key(index)?, Vec::new())),
            Base::Image(image) => {
                let step = self.steps.of_base(index);
                let title = self.steps.get(step).map_or("", |step| step.title.as_str());
                let layers = BaseLayer::all_of(image, step, stage.range, title)?;
                self.images.note_base(&layers);
                let layers = layers
                    .into_iter()
                    .map(|layer| LayerRef::Base(Arc::new(layer)))
                    .collect();
                Ok(Chain::new(self.base_key(index)?, layers))
            }
            Base::Directory(path) => {
                let key = self.base_key(index)?;
                let step = self.steps.of_base(index);
                let start = Instant::now();
                let is_known = self.known(key).is_some();
                self.started(step);
                let layer = self.folder_layer(&From::Directory(path.clone()), "/", key);
                let state = match &layer {
                    Ok(_) if is_known => StepState::Cached,
                    Ok(_) => StepState::Done,
                    Err(error) => StepState::Failed(error.message.clone()),
                };
                self.finished(step, state, start, None, None);
                let layer = layer?;
                Ok(Chain::new(key, vec![LayerRef::Made(layer)]))
            }
        }
    }
}
