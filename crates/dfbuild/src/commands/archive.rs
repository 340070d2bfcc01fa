//! `dfbuild save` and `dfbuild load`: images in archives.

use std::fs::File;
use std::io::{self, BufReader, IsTerminal as _, Read, Write as _};

use anyhow::{Context as _, Result, bail};
use dockerfile_build::{Destination, LayerFormat, Target};
use oci_image::archive::read_archive;
use oci_image::store::Store;

use super::build::canonical;
use crate::arguments::{ArchiveKind, LoadArguments, SaveArguments};
use crate::outcome::Outcome;
use crate::output::parse_compression;
use crate::paths;
use crate::stored_image::{find, open_store};

/// An archive that unpacks to more is a bomb.
const MOST_BYTES: u64 = 1 << 40;

/// Writes an archive.
pub(crate) fn save(arguments: &SaveArguments) -> Result<Outcome> {
    let root = paths::store(&arguments.image.store);
    let store = open_store(&root)?;
    let found = find(&store, &arguments.image.image)?;
    let destination = match &arguments.output {
        Some(path) => Destination::File(path.clone()),
        None if io::stdout().is_terminal() => {
            bail!("standard output is a terminal; name a file with `--output FILE`")
        }
        None => Destination::StandardOutput,
    };
    let target = match arguments.format {
        ArchiveKind::Docker => Target::DockerArchive(destination),
        ArchiveKind::Oci => Target::OciArchive(destination),
    };
    let format = LayerFormat {
        compression: parse_compression(&arguments.compression, None)?,
        is_forced: false,
    };
    dockerfile_build::export(&root, &found.image, &found.names, &target, format)?;
    Ok(Outcome::Done)
}

/// Reads an archive.
pub(crate) fn load(arguments: &LoadArguments) -> Result<Outcome> {
    let input: Box<dyn Read> = match &arguments.input {
        Some(path) => {
            let opened = File::open(path);
            Box::new(opened.with_context(|| format!("cannot open `{}`", path.display()))?)
        }
        None if io::stdin().is_terminal() => {
            bail!("standard input is a terminal; name the archive with `--input FILE`")
        }
        None => Box::new(io::stdin().lock()),
    };
    let tags: Vec<String> = arguments
        .tags
        .iter()
        .map(|tag| canonical(tag))
        .collect::<Result<_>>()?;
    let store = Store::create(&paths::store(&arguments.store))?;
    let images = read_archive(&store, BufReader::with_capacity(1 << 18, input), MOST_BYTES)?;
    if images.len() != 1 && !tags.is_empty() {
        bail!(
            "the archive has {} images, so `--tag` does not say which",
            images.len()
        );
    }
    let mut publication = store.publication();
    let mut out = io::stdout().lock();
    for image in &images {
        let own: Vec<String> = image
            .names
            .iter()
            .filter_map(|name| canonical(name).ok())
            .collect();
        for name in own.iter().chain(&tags) {
            publication.tag(name, &image.descriptor);
            writeln!(out, "loaded {name}")?;
        }
        if own.is_empty() && tags.is_empty() {
            bail!("the archive has an image without a name; name it with `--tag`");
        }
    }
    publication.publish()?;
    Ok(Outcome::Done)
}
