//! What can go wrong with a layer.

use std::io;

use super::LayerPath;

/// What went wrong with a layer, and where in it.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// The stream ended or failed.
    #[error("cannot read the layer")]
    Read(#[source] io::Error),
    /// The stream cannot be written.
    #[error("cannot write the layer at `{path}`")]
    Write {
        /// The entry being written.
        path: LayerPath,
        /// Why.
        source: io::Error,
    },
    /// A file of the disk cannot be read or made.
    #[error("cannot {action} `{path}` of the layer")]
    File {
        /// What was attempted: "make the file".
        action: &'static str,
        /// The path in the image.
        path: LayerPath,
        /// Why.
        source: io::Error,
    },
    /// The tar stream breaks the format or means two things.
    #[error("the layer is not a sound tar archive: {problem} at `{name}`")]
    Malformed {
        /// What is wrong.
        problem: &'static str,
        /// The name in the archive, escaped.
        name: String,
    },
    /// A name leads out of the image.
    #[error("the layer has an unsafe name: {problem} in `{name}`")]
    UnsafeName {
        /// What is wrong.
        problem: &'static str,
        /// The name in the archive, escaped.
        name: String,
    },
    /// A limit is passed.
    #[error("the layer is too large: {what} at `{name}` (limit {limit})")]
    TooLarge {
        /// What is counted.
        what: &'static str,
        /// The name in the archive, escaped.
        name: String,
        /// The most that is allowed.
        limit: u64,
    },
    /// A hard link names what the layer does not have.
    #[error("the hard link `{path}` names `{target}`, which is not a file of this layer")]
    HardLink {
        /// The link.
        path: LayerPath,
        /// What it names.
        target: LayerPath,
    },
    /// A path goes through something that is not a directory.
    #[error("`{path}` of the layer lies below `{parent}`, which is not a directory")]
    NotInDirectory {
        /// The entry.
        path: LayerPath,
        /// What is there instead.
        parent: LayerPath,
    },
    /// A file changed while it was read.
    #[error("`{path}` changed while it was read")]
    Changed {
        /// The path in the image.
        path: LayerPath,
    },
    /// A directory was moved by overlayfs' `redirect_dir`, which the differ does not follow.
    #[error("`{path}` was written with `redirect_dir` or `metacopy`, which layers cannot express")]
    Redirected {
        /// The path in the image.
        path: LayerPath,
    },
    /// More than 255 symbolic links in a path.
    #[error("too many symbolic links in `{path}`")]
    TooManyLinks {
        /// The path that was looked up.
        path: LayerPath,
    },
    /// The size of an entry and the bytes given for it differ.
    #[error("`{path}` has {actual} bytes where {expected} were announced")]
    Size {
        /// The entry.
        path: LayerPath,
        /// Bytes announced.
        expected: u64,
        /// Bytes seen, at least.
        actual: u64,
    },
    /// An entry cannot be expressed in a tar archive.
    #[error("`{path}` cannot be written to a tar archive: {problem}")]
    Unwritable {
        /// The entry.
        path: LayerPath,
        /// Why.
        problem: &'static str,
    },
    /// A saved listing is damaged or of another version.
    #[error("the listing of the layer is damaged: {problem}")]
    Listing {
        /// What is wrong.
        problem: &'static str,
    },
}

impl LayerError {
    pub(super) fn file(
        action: &'static str,
        path: &LayerPath,
        source: impl Into<io::Error>,
    ) -> Self {
        Self::File {
            action,
            path: path.clone(),
            source: source.into(),
        }
    }
}
