//! Why a registry could not help.

use oci_client::errors::{OciDistributionError, OciErrorCode};
use thiserror::Error;

#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RegistryError {
    #[error("`{name}` is no name of an image: {reason}")]
    Name { name: String, reason: String },
    #[error("{host} has no such image")]
    NotFound { host: String },
    #[error(
        "{host} does not give it to this user; `docker login {host}` or `podman login {host}` may help"
    )]
    Denied { host: String },
    #[error("{host} has it for {found}, and not for {wanted}")]
    Platform {
        host: String,
        wanted: String,
        found: String,
    },
    #[error("{host} cannot be reached: {reason}")]
    Unreachable { host: String, reason: String },
    #[error("{host} sent something that is no good: {reason}")]
    Malformed { host: String, reason: String },
    #[error("cannot write what was pulled: {0}")]
    Write(std::io::Error),
    #[error("cannot read what is to be pushed: {0}")]
    Read(std::io::Error),
    #[error("cancelled")]
    Cancelled,
    #[error("cannot start: {0}")]
    Start(std::io::Error),
}

impl RegistryError {
    /// Returns whether trying again may help.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, RegistryError::Unreachable { .. })
    }

    pub(crate) fn from_client(host: &str, error: &OciDistributionError) -> RegistryError {
        let host = host.to_owned();
        let reason = error.to_string();
        match error {
            OciDistributionError::ImageManifestNotFoundError(_) => RegistryError::NotFound { host },
            OciDistributionError::UnauthorizedError { .. }
            | OciDistributionError::AuthenticationFailure(_) => RegistryError::Denied { host },
            OciDistributionError::RegistryError { envelope, .. } => {
                let has = |codes: &[OciErrorCode]| {
                    envelope
                        .errors
                        .iter()
                        .any(|error| codes.contains(&error.code))
                };
                if has(&[
                    OciErrorCode::ManifestUnknown,
                    OciErrorCode::NameUnknown,
                    OciErrorCode::BlobUnknown,
                    OciErrorCode::NotFound,
                ]) {
                    RegistryError::NotFound { host }
                } else if has(&[OciErrorCode::Denied, OciErrorCode::Unauthorized]) {
                    RegistryError::Denied { host }
                } else {
                    RegistryError::Malformed { host, reason }
                }
            }
            OciDistributionError::RequestError(_)
            | OciDistributionError::ServerError {
                code: 500..=599, ..
            } => RegistryError::Unreachable {
                host,
                reason: with_causes(error),
            },
            OciDistributionError::ServerError { code: 404, .. } => RegistryError::NotFound { host },
            _ => RegistryError::Malformed { host, reason },
        }
    }
}

/// The outermost error of a connection says the least.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let next = inner.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = inner.source();
    }
    text
}
