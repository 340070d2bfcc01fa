//! `dfbuild pull`.

use std::io::{self, Write as _};

use anyhow::Result;
use dockerfile_build::{BuildError, Event, Failure, Observer as _, Progress};
use dockerfile_source::SourceFile;
use oci_image::store::Store;
use oci_registry::{Options, Registry};

use super::build::canonical;
use crate::arguments::PullArguments;
use crate::dockerfile::mirrors;
use crate::interrupt;
use crate::outcome::Outcome;
use crate::paths;
use crate::progress::Shown;
use crate::stored_image::short;

pub(crate) fn run(arguments: &PullArguments) -> Result<Outcome> {
    let name = canonical(&arguments.name)?;
    let options = Options {
        mirrors: mirrors(&arguments.registries)?,
        insecure_hosts: arguments.registries.insecure_registry.clone(),
    };
    let platform = match &arguments.platform {
        Some(platform) => platform.clone(),
        None => format!("linux/{}", paths::architecture()),
    };
    let store = Store::create(&paths::store(&arguments.store))?;
    interrupt::listen()?;
    let shown = Shown::new(arguments.progress, false, SourceFile::new("", ""));
    let result = pull(&store, &name, &platform, options, &shown);
    shown.end(result.is_ok());
    match result {
        Ok(id) => {
            writeln!(io::stdout(), "{id}")?;
            Ok(Outcome::Done)
        }
        Err(_) if interrupt::is_interrupted() => {
            shown.cancelled()?;
            Ok(Outcome::Cancelled)
        }
        Err(error) => {
            shown.failed(&error)?;
            Ok(Outcome::Failed)
        }
    }
}

fn pull(
    store: &Store,
    name: &str,
    platform: &str,
    options: Options,
    shown: &Shown,
) -> Result<oci_image::Digest, BuildError> {
    let fault = |error: &dyn std::fmt::Display| {
        BuildError::new(Failure::Image, format!("cannot pull `{name}`: {error}"))
    };
    shown.task(format!("pulling {name}"), |step| {
        let registry = Registry::new(options).map_err(|error| fault(&error))?;
        let resolved = registry
            .resolve(name, platform)
            .map_err(|error| fault(&error))?;
        for layer in &resolved.manifest.layers {
            if store.has_blob(layer) {
                continue;
            }
            let what = format!("sha256:{}", short(&layer.digest));
            let progress = |done: u64| {
                shown.event(Event::Progress {
                    step,
                    what: what.clone(),
                    progress: Progress {
                        done,
                        total: layer.size,
                    },
                });
            };
            let mut blob = store.begin_blob().map_err(|error| fault(&error))?;
            registry
                .pull_blob(
                    name,
                    layer,
                    &mut blob,
                    &progress,
                    &interrupt::is_interrupted,
                )
                .map_err(|error| fault(&error))?;
            blob.commit(Some(&layer.digest))
                .map_err(|error| fault(&error))?;
        }
        for document in [&resolved.manifest_bytes, &resolved.config] {
            store.write_blob(document).map_err(|error| fault(&error))?;
        }
        let mut publication = store.publication();
        publication.tag(name, &resolved.descriptor);
        publication.publish().map_err(|error| fault(&error))?;
        Ok(resolved.manifest.config.digest)
    })
}
