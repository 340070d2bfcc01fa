//! The layers that a step builds on.

use std::sync::{Arc, OnceLock};

use oci_image::layer::Merged;

use super::Solver;
use crate::bases::BaseLayer;
use crate::error::BuildError;
use crate::key::Key;
use crate::layers::Layer;

/// The files of a stage after some step.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) key: Key,
    pub(crate) layers: Vec<LayerRef>,
    merged: OnceLock<Arc<Merged>>,
}

/// A layer that is in the store, or one of a base image that may not even be here yet.
#[derive(Clone, Debug)]
pub(crate) enum LayerRef {
    Made(Arc<Layer>),
    Base(Arc<BaseLayer>),
}

impl Chain {
    pub(crate) fn new(key: Key, layers: Vec<LayerRef>) -> Chain {
        Chain {
            key,
            layers,
            merged: OnceLock::new(),
        }
    }

    pub(crate) fn push(&mut self, key: Key, layer: LayerRef) {
        self.key = key;
        self.layers.push(layer);
        self.merged = OnceLock::new();
    }

    /// Returns the layers themselves; those of a base image are fetched now.
    pub(crate) fn made(&self, solver: &Solver<'_>) -> Result<Vec<Arc<Layer>>, BuildError> {
        self.layers
            .iter()
            .map(|layer| match layer {
                LayerRef::Made(layer) => Ok(Arc::clone(layer)),
                LayerRef::Base(base) => solver.images.layer(base),
            })
            .collect()
    }

    /// Returns what all layers together hold.
    pub(crate) fn merged(&self, solver: &Solver<'_>) -> Result<Arc<Merged>, BuildError> {
        if let Some(merged) = self.merged.get() {
            return Ok(Arc::clone(merged));
        }
        let listings = self
            .made(solver)?
            .iter()
            .map(|layer| layer.listing())
            .collect::<Result<Vec<_>, _>>()?;
        let merged = Arc::new(Merged::new(listings));
        Ok(Arc::clone(self.merged.get_or_init(|| merged)))
    }
}
