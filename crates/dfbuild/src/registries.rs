//! How registries are reached, as the arguments say.

use anyhow::Result;
use oci_registry::{Credentials, Options, Registry};

use crate::arguments::RegistryArguments;
use crate::dockerfile::pair;

/// Returns a client with the credentials of the user; nothing is connected yet.
pub(crate) fn registry(arguments: &RegistryArguments) -> Result<Registry> {
    let mut options = Options {
        credentials: Credentials::from_environment(),
        ..Options::default()
    };
    options
        .insecure
        .extend(arguments.insecure_registry.iter().cloned());
    for (host, mirror) in mirrors(arguments)? {
        options.mirrors.entry(host).or_default().push(mirror);
    }
    Ok(Registry::new(options))
}

/// Returns the registries that stand in for others.
pub(crate) fn mirrors(arguments: &RegistryArguments) -> Result<Vec<(String, String)>> {
    arguments
        .registry_mirror
        .iter()
        .map(|text| pair(text, "--registry-mirror HOST=HOST"))
        .collect()
}
