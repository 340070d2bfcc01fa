//! Why something elsewhere cannot be had, told to a person.

use dockerfile_source::TextRange;
use oci_image::Digest;
use oci_registry::RegistryError;

use super::without_password;
use crate::error::{BuildError, Failure};
use crate::git::GitError;

/// Tells why a file cannot be had; `known` is what an earlier build got from there.
pub(super) fn of_download(
    error: &RegistryError,
    url: &str,
    range: TextRange,
    known: Option<&Digest>,
) -> BuildError {
    if matches!(error, RegistryError::Cancelled) {
        return BuildError::new(Failure::Cancelled, "the build was cancelled");
    }
    let (why, label) = match error {
        RegistryError::NotFound { .. } => {
            ("the server does not have it".to_owned(), "not found (404)")
        }
        RegistryError::Unauthorized { .. } => {
            ("the server refuses access".to_owned(), "not for everybody")
        }
        RegistryError::Status { status, .. } => (format!("the server answers {status}"), ""),
        RegistryError::Transport { source, .. } => (source.to_string(), "cannot be reached"),
        RegistryError::Redirect { target, reason, .. } => (
            format!(
                "it redirects to `{}`, which is refused: {reason}",
                without_password(target)
            ),
            "",
        ),
        RegistryError::Malformed { reason, .. } => (reason.clone(), ""),
        RegistryError::Transfer { source, .. } => (
            format!("the transfer broke off: {source}"),
            "came in parts only",
        ),
        other => (other.to_string(), ""),
    };
    let message = format!("cannot fetch `{}`: {why}", without_password(url));
    let failed = BuildError::new(Failure::Source, message).at(range, label);
    match (error, known) {
        (RegistryError::Transport { .. }, Some(digest)) => failed.help(format!(
            "with `--checksum={digest}` the file of the last build is taken, and nobody is asked"
        )),
        (RegistryError::Transport { source, .. }, None) if is_about_trust(source) => {
            failed.help("the variable SSL_CERT_FILE names a file with the certificates to trust")
        }
        _ => failed,
    }
}

fn is_about_trust(error: &(dyn std::error::Error + 'static)) -> bool {
    error
        .to_string()
        .to_ascii_lowercase()
        .contains("certificate")
}

/// Tells why a repository cannot be had.
pub(super) fn of_git(error: &GitError, range: TextRange) -> BuildError {
    let label = match error {
        GitError::NoReference { .. } => "not in the repository",
        GitError::NoFolder { .. } | GitError::LinkOut { .. } => "not a folder of it",
        _ => "",
    };
    let failure = match error {
        GitError::Start { .. } | GitError::Disk { .. } => Failure::System,
        _ => Failure::Source,
    };
    BuildError::new(failure, error.to_string()).at(range, label)
}
