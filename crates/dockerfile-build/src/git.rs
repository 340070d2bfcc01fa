//! Git repositories as contexts and as sources of ADD: `URL[#REF[:FOLDER]]`, or `URL?ref=REF&subdir=FOLDER`.
//!
//! The parts of the URL reach git behind `--` and only after a check, so that none of them is taken for an option
//! (CVE-2019-13139), the folder cannot lead out of the clone (CVE-2026-33748), and nothing of the repository runs: no hooks,
//! no submodules (CVE-2024-32002), no filters of a template. Passwords are in no message (CVE-2023-26054).

mod clone;
mod url;

use std::io;

use thiserror::Error;

pub use clone::{Clone, clone, commit_of};
pub use url::GitUrl;

/// Why files of a repository cannot be had.
#[derive(Debug, Error)]
pub enum GitError {
    #[error("the git URL has a space or a control character in it")]
    BadCharacter,
    #[error("the git URL has no host")]
    NoHost,
    #[error("`{reference}` is no name of a branch, a tag or a commit")]
    BadReference { reference: String },
    #[error("`{commit}` is not a commit: it has 7 to 64 hexadecimal digits")]
    BadCommit { commit: String },
    #[error("the folder `{folder}` of the git URL leads out of the repository")]
    WayOut { folder: String },
    #[error("the git URL has a parameter `{name}`, which is not known")]
    UnknownParameter { name: String },
    #[error("cannot start git, which a git repository needs: {source}")]
    Start { source: io::Error },
    #[error("cannot read {remote}: {reason}")]
    Remote { remote: String, reason: String },
    #[error("{remote} has no branch, tag or commit `{reference}`")]
    NoReference { remote: String, reference: String },
    #[error("{remote} has no folder `{folder}`")]
    NoFolder { remote: String, folder: String },
    #[error("`{folder}` of {remote} is a link that leads out of the repository, or no folder")]
    LinkOut { remote: String, folder: String },
    #[error("the commit is {found}, and not {wanted}")]
    OtherCommit { found: String, wanted: String },
    #[error("cannot keep the clone: {source}")]
    Disk { source: io::Error },
}
