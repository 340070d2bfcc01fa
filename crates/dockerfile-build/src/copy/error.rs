//! What can go wrong when files are copied into an image.

use std::io;

use oci_image::layer::{LayerError, LayerPath};
use thiserror::Error;

use super::Hidden;
use crate::error::{BuildError, Failure, told};

/// What went wrong with a COPY or ADD.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CopyError {
    /// A source that is named without wildcards is not there.
    #[error("`{path}` is not in {place}")]
    NotFound {
        path: String,
        /// Such as "the build context".
        place: &'static str,
        /// A file whose name differs little.
        near: Option<String>,
        hidden: Option<Hidden>,
    },
    #[error("`{pattern}` is not a valid pattern")]
    BadPattern { pattern: String },
    #[error(
        "`{mode}` is not a file mode: it has to be octal and at most 7777, or symbolic as in chmod(1)"
    )]
    BadMode { mode: String },
    #[error("the user or group id `{id}` is out of range")]
    BadId { id: String },
    #[error("the user `{name}` is not in /etc/passwd")]
    UnknownUser { name: String },
    #[error("the group `{name}` is not in /etc/group")]
    UnknownGroup { name: String },
    #[error("cannot copy a directory over `{path}`, which is not a directory")]
    NotDirectory { path: LayerPath },
    #[error("cannot replace the directory `{path}` by a file")]
    IsDirectory { path: LayerPath },
    #[error("too many symbolic links in `{path}`")]
    TooManyLinks { path: String },
    #[error("the path `{path}` cannot be used")]
    BadPath { path: String },
    /// The file is not what it was when the context was looked at.
    #[error("`{path}` changed while it was read")]
    Changed { path: LayerPath },
    #[error("cannot read `{path}`: {source}")]
    Read { path: LayerPath, source: io::Error },
    #[error("cannot unpack `{path}`: {problem}")]
    Archive { path: LayerPath, problem: String },
    #[error("cannot write the layer: {source}")]
    Layer { source: LayerError },
    #[error("cannot write a temporary file: {source}")]
    Spool { source: io::Error },
    #[error("cannot open the build context: {source}")]
    Context { source: io::Error },
}

impl CopyError {
    /// Says that a file could not be read; the marks of a change that travel as I/O errors are told apart.
    pub fn read(path: &LayerPath, source: io::Error) -> CopyError {
        if is_change(&source) {
            return CopyError::Changed { path: path.clone() };
        }
        CopyError::Read {
            path: path.clone(),
            source,
        }
    }

    fn failure(&self) -> Failure {
        match self {
            CopyError::BadMode { .. } | CopyError::BadPattern { .. } | CopyError::BadId { .. } => {
                Failure::Dockerfile
            }
            CopyError::Spool { .. } | CopyError::Layer { .. } => Failure::System,
            _ => Failure::Source,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            CopyError::NotFound {
                hidden: Some(hidden),
                ..
            } => Some(format!(
                "the pattern `{}` in line {} of .dockerignore leaves it out",
                hidden.pattern,
                hidden.line + 1
            )),
            CopyError::NotFound {
                near: Some(near), ..
            } => Some(format!("there is `{near}`")),
            CopyError::Changed { .. } => {
                Some("build again when nothing writes to the context".to_owned())
            }
            _ => None,
        }
    }
}

impl From<CopyError> for BuildError {
    fn from(error: CopyError) -> BuildError {
        let made = BuildError::new(error.failure(), told(&error));
        match error.help() {
            Some(help) => made.help(help),
            None => made,
        }
    }
}

/// The mark of a file that changed, for readers that can return I/O errors only.
#[derive(Debug, Error)]
#[error("the file changed while it was read")]
pub(crate) struct ChangedFile;

/// Returns the error that marks a file that changed.
pub(crate) fn changed() -> io::Error {
    io::Error::other(ChangedFile)
}

fn is_change(error: &io::Error) -> bool {
    error
        .get_ref()
        .is_some_and(<dyn std::error::Error + Send + Sync>::is::<ChangedFile>)
}
