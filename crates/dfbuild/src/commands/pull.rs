//! `dfbuild pull`.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};
use dockerfile_build::{BuildError, Event, Failure, Observer as _, Progress, StepId};
use dockerfile_source::SourceFile;
use oci_image::Digest;
use oci_image::host;
use oci_image::manifest::Platform;
use oci_image::store::Store;
use oci_registry::{Monitor, Reference, Registry};

use super::build::canonical;
use crate::arguments::PullArguments;
use crate::interrupt;
use crate::outcome::Outcome;
use crate::paths;
use crate::progress::Shown;
use crate::registries::registry;
use crate::stored_image::short;

pub(crate) fn run(arguments: &PullArguments) -> Result<Outcome> {
    let name = canonical(&arguments.name)?;
    let registry = registry(&arguments.registries)?;
    let reference: Reference = name.parse()?;
    let own = host::platform();
    let platform = platform(arguments.platform.as_deref().unwrap_or(&own))?;
    let store = Store::create(&paths::store(&arguments.store))?;
    interrupt::listen()?;
    let shown = Shown::new(arguments.progress, false, SourceFile::new("", ""));
    let result = shown.task(format!("pulling {name}"), |step| {
        let tell = |event: &dyn Fn(StepId) -> Event| shown.event(event(step));
        pull(&registry, &store, &reference, &platform, &tell).map_err(|error| {
            BuildError::new(Failure::Image, format!("cannot pull `{name}`: {error:#}"))
        })
    });
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

/// Tells what happens in a step that the caller knows.
type Tell<'t> = &'t (dyn Fn(&dyn Fn(StepId) -> Event) + Sync);

fn pull(
    registry: &Registry,
    store: &Store,
    reference: &Reference,
    platform: &Platform,
    tell: Tell<'_>,
) -> Result<Digest> {
    let resolved = registry.resolve(reference, platform, Monitor::none())?;
    let layers = &resolved.manifest.layers;
    let sizes: BTreeMap<Digest, u64> = layers
        .iter()
        .map(|layer| (layer.digest, layer.size))
        .collect();
    let done: Mutex<BTreeMap<Digest, u64>> = Mutex::default();
    let progress = |digest: &Digest, bytes: u64| {
        let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
        let done = done.entry(*digest).or_default();
        *done += bytes;
        let progress = Progress {
            done: *done,
            total: sizes.get(digest).copied().unwrap_or_default(),
        };
        tell(&|step| Event::Progress {
            step,
            what: format!("sha256:{}", short(digest)),
            progress,
        });
    };
    let monitor = Monitor {
        progress: &progress,
        cancel: &interrupt::is_interrupted,
    };
    registry.pull(&resolved, store, monitor)?;
    let mut publication = store.publication();
    publication.tag(&reference.to_string(), &resolved.descriptor);
    publication.publish()?;
    Ok(resolved.manifest.config.digest)
}

/// Reads `os/architecture[/variant]`.
fn platform(text: &str) -> Result<Platform> {
    let mut parts = text.split('/');
    let (Some(os), Some(architecture)) = (parts.next(), parts.next()) else {
        bail!("`{text}` is no platform: os/architecture[/variant]");
    };
    Ok(Platform {
        architecture: architecture.to_owned(),
        os: os.to_owned(),
        variant: parts.next().map(str::to_owned),
        ..Platform::default()
    })
}
