//! The connection to registries.

use std::time::Duration;

use oci_client::Reference;
use oci_client::client::{Client, ClientConfig, ClientProtocol};
use oci_client::secrets::RegistryAuth;
use tokio::runtime::Runtime;

use crate::credentials;
use crate::error::RegistryError;

/// How registries are reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// A host, and the host to ask in its stead.
    pub mirrors: Vec<(String, String)>,
    /// Hosts that may be asked without TLS. Those of this machine always may.
    pub insecure_hosts: Vec<String>,
}

/// Talks to registries.
pub struct Registry {
    pub(crate) runtime: Runtime,
    pub(crate) client: Client,
    options: Options,
}

impl Registry {
    pub fn new(options: Options) -> Result<Registry, RegistryError> {
        // A second call finds it installed, which is just as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut plain: Vec<String> = options.insecure_hosts.clone();
        plain.extend(
            options
                .mirrors
                .iter()
                .map(|(_, mirror)| mirror.clone())
                .filter(|host| is_local(host)),
        );
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(RegistryError::Start)?;
        let config = ClientConfig {
            protocol: ClientProtocol::HttpsExcept(plain),
            connect_timeout: Some(Duration::from_secs(20)),
            read_timeout: Some(Duration::from_secs(120)),
            ..ClientConfig::default()
        };
        let client = {
            let _inside = runtime.enter();
            Client::new(config)
        };
        Ok(Registry {
            runtime,
            client,
            options,
        })
    }

    /// Returns the reference to ask for: that of a mirror, where there is one.
    pub(crate) fn reference(&self, name: &str) -> Result<(Reference, RegistryAuth), RegistryError> {
        let mut mirrored = name.to_owned();
        for (host, mirror) in &self.options.mirrors {
            if let Some(rest) = name.strip_prefix(host.as_str())
                && rest.starts_with('/')
            {
                mirrored = format!("{mirror}{rest}");
            }
        }
        let reference: Reference =
            mirrored
                .parse()
                .map_err(|error: oci_client::ParseError| RegistryError::Name {
                    name: name.to_owned(),
                    reason: error.to_string(),
                })?;
        let host = reference.registry().to_owned();
        let auth = credentials::for_host(&host);
        Ok((reference, auth))
    }

    /// Returns a client that may speak without TLS to a host of this machine.
    pub(crate) fn client_for(&self, reference: &Reference) -> Client {
        let host = reference.registry();
        if !is_local(host) {
            return self.client.clone();
        }
        let _inside = self.runtime.enter();
        Client::new(ClientConfig {
            protocol: ClientProtocol::Http,
            ..ClientConfig::default()
        })
    }
}

/// Returns whether a host is this machine: nobody can listen in between.
fn is_local(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost"
        || name == "[::1]"
        || name
            .parse::<std::net::Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_local() {
        for host in [
            "localhost",
            "localhost:5000",
            "127.0.0.1:5000",
            "[::1]:5000",
        ] {
            assert!(is_local(host), "{host}");
        }
        for host in [
            "docker.io",
            "localhost.example:5000",
            "128.0.0.1",
            "10.0.0.1:5000",
        ] {
            assert!(!is_local(host), "{host}");
        }
    }

    #[test]
    fn a_mirror_stands_in() {
        let registry = Registry::new(Options {
            mirrors: vec![("docker.io".to_owned(), "127.0.0.1:5000".to_owned())],
            ..Options::default()
        })
        .expect("a registry");
        let (reference, _) = registry
            .reference("docker.io/library/busybox:latest")
            .expect("a reference");
        assert_eq!(
            reference.to_string(),
            "127.0.0.1:5000/library/busybox:latest"
        );
        assert!(registry.reference("no such name").is_err());
    }
}
