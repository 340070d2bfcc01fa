//! Images that lie in a folder: `--build-context NAME=oci-layout://PATH[:TAG]`.

use std::path::{Path, PathBuf};

use oci_image::archive::{NamedImage, read_folder};
use oci_image::store::Store;

use crate::error::{BuildError, Failure};

/// Takes the image of a layout into the store, and returns its name there.
pub(crate) fn import(store: &Store, text: &str) -> Result<String, BuildError> {
    let (folder, tag) = split(text);
    let fault = |reason: String| {
        let message = format!("the layout `{}`: {reason}", folder.display());
        BuildError::new(Failure::Image, message)
    };
    let images = read_folder(store, &folder).map_err(|error| fault(error.to_string()))?;
    let has_tag = |image: &&NamedImage| {
        tag.as_ref().is_some_and(|tag| {
            image
                .names
                .iter()
                .any(|name| name == tag || name.ends_with(&format!(":{tag}")))
        })
    };
    let chosen = match (&tag, images.as_slice()) {
        (None, [only]) => Some(only),
        (None, several) => several
            .iter()
            .find(|image| image.names.iter().any(|name| name.ends_with("latest"))),
        (Some(_), all) => all.iter().find(has_tag),
    };
    let Some(chosen) = chosen else {
        let names: Vec<_> = images
            .iter()
            .flat_map(|image| &image.names)
            .map(String::as_str)
            .collect();
        return Err(fault(format!(
            "it has no image of that name; it has {}",
            names.join(", ")
        )));
    };
    let name = format!("oci-layout:{}", chosen.descriptor.digest);
    store
        .tag(&name, &chosen.descriptor)
        .map_err(|error| fault(error.to_string()))?;
    Ok(name)
}

/// Splits `PATH:TAG`; a colon in a folder that exists belongs to the path.
fn split(text: &str) -> (PathBuf, Option<String>) {
    if Path::new(text).is_dir() {
        return (PathBuf::from(text), None);
    }
    match text.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (PathBuf::from(path), Some(tag.to_owned())),
        _ => (PathBuf::from(text), None),
    }
}
