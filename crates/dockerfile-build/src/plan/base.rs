//! What is known of a base image before anything of it is pulled but its configuration.

use dockerfile_source::TextRange;
use oci_image::config::ImageConfig;
use oci_image::manifest::Descriptor;

use crate::error::BuildError;

/// An image that a name means.
#[derive(Clone, Debug)]
pub(crate) struct ResolvedImage {
    /// The name as it is written in the Dockerfile.
    pub(crate) name: String,
    /// What it was asked for: `os/architecture[/variant]`.
    pub(crate) platform: String,
    /// The layers, from the lowest, as they are in the store or the registry.
    pub(crate) layers: Vec<Descriptor>,
    pub(crate) config: ImageConfig,
}

/// Where base images are looked up.
pub(crate) trait Bases {
    /// Returns the image that a name means; `platform` is `os/architecture[/variant]`.
    fn resolve(
        &self,
        name: &str,
        platform: &str,
        range: TextRange,
    ) -> Result<ResolvedImage, BuildError>;
}
