//! What can go wrong between here and a registry.

use std::io;
use std::path::PathBuf;

/// Why an image cannot be pulled or pushed.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    #[error("`{text}` is not an image reference: {reason}")]
    InvalidReference { text: String, reason: &'static str },
    #[error("{url} is not there")]
    NotFound { url: String },
    #[error("{host} refuses access to {url}")]
    Unauthorized { host: String, url: String },
    #[error("{url} answers {status}{}", detail(message))]
    Status {
        url: String,
        status: u16,
        message: String,
    },
    #[error("cannot reach {url}")]
    Transport {
        url: String,
        source: Box<ureq::Error>,
    },
    #[error("the transfer of {url} broke off")]
    Transfer { url: String, source: io::Error },
    #[error("{url} redirects to {target}, which is refused: {reason}")]
    Redirect {
        url: String,
        target: String,
        reason: &'static str,
    },
    #[error("the answer of {url} is malformed: {reason}")]
    Malformed { url: String, reason: String },
    #[error("{reference} has no image for {wanted}, only for {available}")]
    NoPlatform {
        reference: String,
        wanted: String,
        available: String,
    },
    #[error("cannot read the credentials in {}: {reason}", path.display())]
    Credentials { path: PathBuf, reason: String },
    #[error("the credential helper `{helper}` fails: {reason}")]
    CredentialHelper { helper: String, reason: String },
    #[error("cannot write what was pulled")]
    Output { source: io::Error },
    #[error("cannot read {}", path.display())]
    Input { path: PathBuf, source: io::Error },
    #[error("it was cancelled")]
    Cancelled,
    #[error(transparent)]
    Image(#[from] oci_image::Error),
}

impl RegistryError {
    /// Returns whether it may work when it is tried again.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500 | 502 | 503 | 504),
            Self::Transport { source, .. } => !matches!(
                **source,
                ureq::Error::Tls(_)
                    | ureq::Error::Rustls(_)
                    | ureq::Error::BadUri(_)
                    | ureq::Error::HostNotFound
            ),
            Self::Transfer { .. } => true,
            _ => false,
        }
    }
}

fn detail(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(": {message}")
    }
}
