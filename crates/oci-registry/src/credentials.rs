//! Who the user is to a registry: what `docker login` and `podman login` left behind.

use std::fs::File;
use std::path::PathBuf;

use docker_credential::DockerCredential;
use oci_client::secrets::RegistryAuth;

/// Returns the credentials for a host, from Docker's configuration or podman's.
pub(crate) fn for_host(host: &str) -> RegistryAuth {
    // Docker Hub goes by an old name in these files.
    let names: &[&str] = match host {
        "docker.io" => &[
            "https://index.docker.io/v1/",
            "docker.io",
            "index.docker.io",
        ],
        _ => &[host],
    };
    for name in names {
        if let Ok(found) = docker_credential::get_credential(name) {
            return authentication(found);
        }
        for path in other_files() {
            let Ok(file) = File::open(path) else { continue };
            if let Ok(found) = docker_credential::get_credential_from_reader(file, name) {
                return authentication(found);
            }
        }
    }
    RegistryAuth::Anonymous
}

fn other_files() -> Vec<PathBuf> {
    let explicit = std::env::var_os("REGISTRY_AUTH_FILE").map(PathBuf::from);
    let running = std::env::var_os("XDG_RUNTIME_DIR")
        .map(|folder| PathBuf::from(folder).join("containers/auth.json"));
    explicit.into_iter().chain(running).collect()
}

fn authentication(found: DockerCredential) -> RegistryAuth {
    match found {
        DockerCredential::UsernamePassword(user, password) => RegistryAuth::Basic(user, password),
        DockerCredential::IdentityToken(token) => RegistryAuth::Bearer(token),
    }
}
