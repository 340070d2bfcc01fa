//! The image that a build ends with: configuration, manifest, and its names in the store.

use oci_image::Digest;
use oci_image::config::ImageConfig;
use oci_image::manifest::{Descriptor, Manifest, media_type};

use crate::error::{BuildError, Failure, told};
use crate::solve::{Chain, LayerRef, Solver};

/// An image in the store.
#[derive(Clone, Debug)]
pub struct Image {
    /// The digest of the configuration: what Docker calls the image ID.
    pub id: Digest,
    pub manifest: Descriptor,
    pub config: ImageConfig,
    /// The layers, from the lowest: those of the base as they were pulled, the others uncompressed.
    pub layers: Vec<Descriptor>,
}

/// Makes the image of a finished stage.
pub(crate) fn assemble(
    solver: &Solver<'_>,
    chain: &Chain,
    mut config: ImageConfig,
) -> Result<Image, BuildError> {
    let fault = |error: &dyn std::error::Error| {
        BuildError::new(
            Failure::System,
            format!("cannot write the image: {}", told(error)),
        )
    };
    let mut layers = Vec::with_capacity(chain.layers.len());
    config.rootfs.diff_ids.clear();
    for layer in &chain.layers {
        match layer {
            LayerRef::Base(base) => {
                config.rootfs.diff_ids.push(base.diff_id);
                layers.push(solver.images.fetch_blob(base)?);
            }
            LayerRef::Made(layer) => {
                let diff_id = solver.layers.seal(layer, solver.store)?;
                let size = solver.store.blob_size(&diff_id).unwrap_or_default();
                config.rootfs.diff_ids.push(diff_id);
                layers.push(Descriptor::new(media_type::OCI_LAYER, diff_id, size));
            }
        }
    }
    let config_bytes = config.to_bytes();
    let id = solver
        .store
        .write_blob(&config_bytes)
        .map_err(|error| fault(&error))?;
    let config_descriptor = Descriptor::of(media_type::OCI_CONFIG, &config_bytes);
    let manifest_bytes = Manifest::new(config_descriptor, layers.clone()).to_bytes();
    solver
        .store
        .write_blob(&manifest_bytes)
        .map_err(|error| fault(&error))?;
    Ok(Image {
        id,
        manifest: Descriptor::of(media_type::OCI_MANIFEST, &manifest_bytes),
        config,
        layers,
    })
}
