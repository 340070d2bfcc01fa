//! What can go wrong with images and the store.

use std::io;
use std::path::{Path, PathBuf};

use crate::digest::Digest;

/// Why an image, a document or the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot {action} {}", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("`{text}` is not a digest (`sha256:` and 64 hexadecimal digits)")]
    InvalidDigest { text: String },
    #[error("expected {expected}, but the bytes are those of {actual}")]
    DigestMismatch {
        expected: Box<Digest>,
        actual: Box<Digest>,
    },
    #[error("expected {expected} bytes for {digest}, but there are {actual}")]
    SizeMismatch {
        digest: Box<Digest>,
        expected: u64,
        actual: u64,
    },
    #[error("cannot read {what} as JSON")]
    Json {
        what: &'static str,
        source: serde_json::Error,
    },
    #[error("{what} has {size} bytes, more than the {limit} that are read")]
    DocumentTooLarge {
        what: &'static str,
        size: u64,
        limit: u64,
    },
    #[error("the document is a manifest and an index at once")]
    AmbiguousDocument,
    #[error("the document says that it is `{actual}`, its descriptor says `{expected}`")]
    MediaTypeMismatch { expected: String, actual: String },
    #[error("{what} is malformed: {reason}")]
    Malformed { what: &'static str, reason: String },
    #[error("the store has no blob {digest}")]
    MissingBlob { digest: Box<Digest> },
    #[error("the blob {digest} in the store is corrupt: its bytes are those of {actual}")]
    CorruptBlob {
        digest: Box<Digest>,
        actual: Box<Digest>,
    },
    #[error("the store has no image `{name}`")]
    MissingImage { name: String },
    #[error("{} is not an image store: it has no `oci-layout`", path.display())]
    NotAStore { path: PathBuf },
    #[error("the store {} is in use by another process", path.display())]
    InUse { path: PathBuf },
}

impl Error {
    /// Returns a function that puts an action and a path in front of an I/O error.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            action,
            path: path.to_path_buf(),
            source,
        }
    }

    /// Reports bytes that are not those of the expected digest.
    pub fn digest_mismatch(expected: &Digest, actual: &Digest) -> Self {
        Self::DigestMismatch {
            expected: Box::new(*expected),
            actual: Box::new(*actual),
        }
    }

    /// Reports more or fewer bytes than a descriptor says.
    pub fn size_mismatch(digest: &Digest, expected: u64, actual: u64) -> Self {
        Self::SizeMismatch {
            digest: Box::new(*digest),
            expected,
            actual,
        }
    }

    pub(crate) fn missing_blob(digest: &Digest) -> Self {
        Self::MissingBlob {
            digest: Box::new(*digest),
        }
    }
}
