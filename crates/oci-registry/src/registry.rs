//! A registry client: options, and what pull and push have in common.

mod platform;
mod pull;
mod push;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use oci_image::Digest;

pub use pull::Resolved;
pub use push::PushOptions;

use crate::credentials::Credentials;
use crate::http::{Access, Address, Client};
use crate::reference::Reference;

/// Where Docker's own registry is.
const DOCKER_REGISTRY: &str = "registry-1.docker.io";

/// How registries are reached.
#[derive(Clone, Debug)]
pub struct Options {
    /// Hosts (with their port) that are spoken to without TLS; this machine always is.
    pub insecure: BTreeSet<String>,
    /// Hosts to ask first for the images of a host: `docker.io` by `127.0.0.1:5000`, say. For pulls only.
    pub mirrors: BTreeMap<String, Vec<String>>,
    pub credentials: Credentials,
    /// How many blobs are transferred at the same time.
    pub parallel: usize,
    /// How often a request is made before it is given up.
    pub attempts: u32,
    /// The wait before the second attempt; doubled for each further one.
    pub first_wait: Duration,
    /// How long a connection may be silent.
    pub timeout: Duration,
    /// A blob that is larger is pushed in pieces of `chunk_size`.
    pub chunk_threshold: u64,
    pub chunk_size: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            insecure: BTreeSet::new(),
            mirrors: BTreeMap::new(),
            credentials: Credentials::none(),
            parallel: 3,
            attempts: 5,
            first_wait: Duration::from_millis(500),
            timeout: Duration::from_secs(60),
            chunk_threshold: 64 << 20,
            chunk_size: 32 << 20,
        }
    }
}

/// How a transfer is watched and stopped.
#[derive(Clone, Copy)]
pub struct Monitor<'a> {
    /// Told of more bytes of a blob, as they pass.
    pub progress: &'a (dyn Fn(&Digest, u64) + Sync),
    /// Asked now and then whether to stop.
    pub cancel: &'a (dyn Fn() -> bool + Sync),
}

impl Monitor<'static> {
    /// Returns a monitor that sees nothing and stops nothing.
    pub fn none() -> Self {
        Self {
            progress: &|_, _| {},
            cancel: &|| false,
        }
    }
}

/// Pulls and pushes.
pub struct Registry {
    options: Options,
    client: Client,
}

impl Registry {
    /// Creates a client; nothing is connected yet.
    pub fn new(options: Options) -> Self {
        Self {
            client: Client::new(&options),
            options,
        }
    }

    /// Returns the hosts that may have the images of a host, in the order in which they are asked.
    fn hosts(&self, host: &str) -> Vec<String> {
        let mut hosts = self.options.mirrors.get(host).cloned().unwrap_or_default();
        hosts.push(host.to_owned());
        hosts
    }

    fn access(&self, host: &str, reference: &Reference, is_push: bool) -> Access {
        Access {
            host: host.to_owned(),
            repository: reference.repository.clone(),
            home: self.address(host, &reference.repository, ""),
            is_push,
            mount_from: None,
        }
    }

    /// Returns the address of something of a repository.
    fn address(&self, host: &str, repository: &str, rest: &str) -> Address {
        let authority = match host {
            "docker.io" => DOCKER_REGISTRY,
            other => other,
        };
        let mut address = Address {
            is_secure: true,
            authority: authority.to_ascii_lowercase(),
            path: format!("/v2/{repository}/{rest}"),
        };
        address.is_secure = !(address.is_loopback() || self.options.insecure.contains(host));
        address
    }
}

#[cfg(test)]
mod tests;
