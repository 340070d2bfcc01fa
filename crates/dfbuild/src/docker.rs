//! Docker on this machine: `--load`.

use std::path::Path;
use std::process::{Command, Stdio};

use dockerfile_build::{BuildError, Destination, Failure, Image, LayerFormat, Target, export};
use oci_image::compression::Compression;

/// Hands an image to `docker load`.
pub(crate) fn load_into_docker(
    store: &Path,
    image: &Image,
    names: &[String],
) -> Result<(), BuildError> {
    let system = |what: &str, error: &dyn std::error::Error| {
        BuildError::new(Failure::System, format!("{what}: {error}"))
    };
    // In the store, because a temporary file system may be small.
    let folder = tempfile::Builder::new()
        .prefix("load-")
        .tempdir_in(store)
        .map_err(|error| system("cannot make a folder in the store", &error))?;
    let archive = folder.path().join("image.tar");
    let format = LayerFormat {
        compression: Compression::None,
        is_forced: false,
    };
    let target = Target::DockerArchive(Destination::File(archive.clone()));
    export(store, image, names, &target, format)?;
    let output = Command::new("docker")
        .args(["load", "--quiet", "--input"])
        .arg(&archive)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| {
            system("cannot start `docker load`", &error)
                .help("write an archive instead: `-o type=docker,dest=image.tar`")
        })?;
    if output.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let message = format!("`docker load` failed: {}", errors.trim());
    Err(BuildError::new(Failure::System, message))
}
