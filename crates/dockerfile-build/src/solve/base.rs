//! What a stage stands on.

use std::sync::Arc;
use std::thread::Scope;

use super::{Chain, LayerRef, Solver};
use crate::bases::BaseLayer;
use crate::error::{BuildError, Failure};
use crate::key::{Key, KeyMaker};
use crate::plan::{Base, From};

use super::keys::Selection;

impl Solver<'_> {
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
                let layers = BaseLayer::all_of(image, step, stage.range)?
                    .into_iter()
                    .map(|layer| LayerRef::Base(Arc::new(layer)))
                    .collect();
                Ok(Chain::new(self.base_key(index)?, layers))
            }
            Base::Directory(path) => {
                let key = self.base_key(index)?;
                let layer = self.folder_layer(&From::Directory(path.clone()), "/", key)?;
                Ok(Chain::new(key, vec![LayerRef::Made(layer)]))
            }
        }
    }
}
